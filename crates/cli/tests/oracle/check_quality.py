"""Recomputes the findings of a package's quality report from the data, for JSON Lines.

Usage: check_quality.py PACKAGE_FOLDER

Prints the findings as JSON. Fails with an assertion that says what differs.
"""

import collections
import datetime as dt
import gzip
import io
import json
import pathlib
import re
import sys

import zstandard


def content(raw):
    if raw[:2] == b"\x1f\x8b":
        return gzip.decompress(raw)
    if raw[:4] == b"\x28\xb5\x2f\xfd":
        return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw), read_across_frames=True).read()
    return raw


def time_of(record):
    text = next((value for key, value in record.items() if key.lower() == "timestamp"), None)
    if not isinstance(text, str):
        return None
    match = re.fullmatch(r"(.{19})(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", text)
    if text.startswith("0001-"):
        return None  # not set
    whole = dt.datetime.fromisoformat(match[1] + (match[3].replace("Z", "+00:00")))
    return whole, int(((match[2] or "") + "0" * 9)[:9])


def number(value):
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def findings(raw):
    found = collections.defaultdict(list)
    seen, previous, days, records = set(), {}, collections.Counter(), 0
    lines = raw.decode("utf-8-sig").split("\n")
    for at, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            assert isinstance(record, dict)
        except (ValueError, AssertionError):
            found["tornLastLine" if at == len(lines) else "unparsable"].append(at)
            continue
        records += 1
        time = time_of(record)
        if time:
            days[str(time[0].astimezone(dt.timezone.utc).date())] += 1
        if line.rstrip("\r") in seen:
            found["duplicate"].append(at)
            continue
        seen.add(line.rstrip("\r"))
        if time:
            symbol = record.get("symbol") or record.get("payload", {}).get("symbol")
            if symbol in previous and time < previous[symbol]:
                found["outOfOrder"].append(at)
            previous[symbol] = time
        inner = record.get("payload", record)
        values = {key.lower(): number(value) for key, value in inner.items()}
        price = values.get("price")
        bars = [values.get(name) for name in ("open", "high", "low", "close")]
        bid, ask = values.get("bidprice"), values.get("askprice")
        if "bids" in inner and inner["bids"] and inner["asks"]:
            bid, ask = number(inner["bids"][0]["price"]), number(inner["asks"][0]["price"])
        prices = [value for value in [price, bid, ask, *bars] if value is not None]
        if any(value < 0 for value in prices):
            found["negativePrice"].append(at)
        if any(value == 0 for value in [price, *bars] if value is not None):
            found["zeroPrice"].append(at)
        if any((values.get(name) or 0) < 0 for name in ("size", "volume", "bidsize", "asksize")):
            found["negativeSize"].append(at)
        if bid is not None and ask is not None and 0 < ask < bid:
            found["crossedQuote"].append(at)
        if None not in bars and (max(bars) > bars[1] or min(bars) < bars[2]):
            found["inconsistentBar"].append(at)
    if records == 0:
        found["empty"] = [None]
    return records, found, days


RECOMPUTED = "tornLastLine unparsable duplicate outOfOrder negativePrice zeroPrice negativeSize crossedQuote inconsistentBar empty".split()


def main():
    root = pathlib.Path(sys.argv[1])
    report = json.loads((root / "metadata/quality_report.json").read_text())
    manifest = json.loads((root / "manifest.json").read_text())
    formats = {entry["path"]: entry["format"] for entry in manifest["files"]}
    assert [file["path"] for file in report["files"]] == list(formats)
    total = collections.Counter()
    for file in report["files"]:
        if formats[file["path"]] != "jsonl":
            continue
        records, found, days = findings(content((root / file["path"]).read_bytes()))
        assert file["records"] == records, file["path"]
        assert {day["date"]: day["records"] for day in file["days"]} == days, file["path"]
        stated = {name: at for name, at in file["findings"].items() if name in RECOMPUTED}
        expected = {name: {"count": len(at), "lines": [n for n in at if n][:10]} for name, at in found.items()}
        stated = {name: {"count": at["count"], "lines": at.get("lines", [])} for name, at in stated.items()}
        assert stated == expected, (file["path"], stated, expected)
        total.update({name: at["count"] for name, at in file["findings"].items()})
    for check in report["checks"]:
        counts = [file["findings"].get(check["check"], {"count": 0})["count"] for file in report["files"]]
        assert (check["count"], check["files"]) == (sum(counts), sum(1 for count in counts if count)), check
    assert report["totalRecords"] == sum(file["records"] or 0 for file in report["files"])
    print(json.dumps(total))


main()
