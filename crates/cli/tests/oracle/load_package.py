"""Loads an extracted package with its own loader, file by file and as a whole; prints what came out.

Usage: load_package.py PACKAGE_DIRECTORY
"""

import importlib.util
import json
import pathlib
import sys
import warnings

warnings.simplefilter("error", FutureWarning)
warnings.simplefilter("error", DeprecationWarning)

root = pathlib.Path(sys.argv[1]).resolve()
spec = importlib.util.spec_from_file_location("load_data", root / "scripts" / "load_data.py")
loader = importlib.util.module_from_spec(spec)
# A dataclass or a type hint in the loader may look its module up.
sys.modules["load_data"] = loader
spec.loader.exec_module(loader)

manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
assert sorted(loader.get_symbols()) == manifest["symbols"], loader.get_symbols()
assert sorted(loader.get_event_types()) == manifest["eventTypes"], loader.get_event_types()

# Of several files of one symbol, type and day the loader gives all rows together.
groups = {}
for entry in manifest["files"]:
    key = (entry["symbol"], entry["eventType"], (entry["date"] or "")[:10])
    groups.setdefault(key, []).append(entry)
for (symbol, event_type, date), entries in groups.items():
    monthly = any(entry["path"].endswith("2024-01.jsonl.gz") for entry in entries)
    frame = loader.load_data(symbol=symbol.lower(), event_type=event_type, date=None if monthly or not date else date)
    frame = frame if not monthly and date else frame
    expected = sum(entry["eventCount"] for entry in entries)
    if date:
        assert len(frame) == expected, (symbol, event_type, date, len(frame), expected)
    columns = {name.lower(): name for name in frame.columns}
    stamp = frame[columns["timestamp"]]
    assert str(stamp.dtype).startswith("datetime64[") and str(stamp.dtype).endswith(", UTC]"), stamp.dtype
    assert stamp.notna().all(), (symbol, event_type)
    assert (frame[columns["symbol"]] == symbol).all()
    first = min(entry["firstTimestamp"] for entry in entries)
    assert stamp.min().isoformat()[:19] == first[:19], (stamp.min(), first)

everything = loader.load_data()
assert len(everything) == manifest["totalEvents"], (len(everything), manifest["totalEvents"])
print(json.dumps({"rows": len(everything), "groups": len(groups)}))
