"""Holds the ways to read an extracted package with its own loader against each other and against the manifest.

Usage: loader_tools.py PACKAGE_DIRECTORY
"""

import contextlib
import datetime
import importlib.util
import io
import json
import math
import pathlib
import sys
import tempfile
import warnings

import pandas
import polars
import pyarrow
import pyarrow.feather

warnings.simplefilter("error", FutureWarning)
warnings.simplefilter("error", DeprecationWarning)

root = pathlib.Path(sys.argv[1]).resolve()
spec = importlib.util.spec_from_file_location("load_data", root / "scripts" / "load_data.py")
loader = importlib.util.module_from_spec(spec)
sys.modules["load_data"] = loader
spec.loader.exec_module(loader)
manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))


def plain(value):
    """A value of pandas, numpy, Arrow or JSON as Python's own, so that two can be compared."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        # Arrow gives every object of a list all fields that one of them has.
        return {name: plain(part) for name, part in value.items() if part is not None}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, datetime.datetime) and value is not pandas.NaT:
        return pandas.Timestamp(value).tz_convert("UTC").isoformat()
    if value is None or value is pandas.NaT or value is pandas.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value


def rows(frame):
    columns = [[plain(value) for value in frame[name].tolist()] for name in frame.columns]
    names = list(frame.columns)
    return [{name: value for name, value in zip(names, row) if value is not None} for row in zip(*columns)]


# Every file has the manifest's number of rows, read as a whole and in pieces.
for entry in manifest["files"]:
    for batch_rows in (None, 7, 100_000):
        sizes = [len(frame) for frame in loader._frames(entry, None, batch_rows)]
        assert sum(sizes) == entry["eventCount"], (entry["path"], batch_rows, sum(sizes), entry["eventCount"])
        assert batch_rows is None or max(sizes) <= batch_rows, (entry["path"], batch_rows, max(sizes))

# Batches are the rows of the whole, in their order.
whole = loader.load_data()
everything = rows(whole)
assert len(everything) == manifest["totalEvents"]
for batch_rows in (64, 1000):
    batches = list(loader.iter_data(batch_rows=batch_rows))
    assert all(0 < len(batch) <= batch_rows for batch in batches)
    for number, (row, ours) in enumerate(zip(everything, (row for batch in batches for row in rows(batch)))):
        assert row == ours, (number, row, ours)
    assert sum(map(len, batches)) == len(everything)
    for batch in batches:
        # A column of numbers does not change its type with the rows that happen to be in a batch.
        for name in batch.columns:
            if whole[name].dtype.kind == "f":
                assert batch[name].dtype.kind == "f", (name, batch[name].dtype)

# Columns are those asked for, in that order, whatever a file has.
asked = ["Price", "SYMBOL", "timestamp", "bidPrice"]
spelled = {name.lower(): name for name in whole.columns}
names = [spelled.get(name.lower(), name) for name in asked]
known = [name for name in names if name in whole.columns]
some = loader.load_data(columns=known)
assert list(some.columns) == known and rows(some) == rows(whole[known])
for batch in loader.iter_data(columns=[name.upper() for name in known], batch_rows=500):
    assert list(batch.columns) == known, batch.columns
for call in (loader.load_data, loader.iter_data):
    try:
        call(columns="pricee")
        raise AssertionError("a column that nothing has")
    except ValueError as error:
        assert "pricee" in str(error) and "timestamp" in str(error), error

# Several days at once are the rows of each.
days = sorted({entry["date"][:10] for entry in manifest["files"] if entry["date"]})[:2]
apart = sum(len(loader.load_data(date=day)) for day in days)
assert len(loader.load_data(date=days)) == apart > 0

# Arrow and polars.
table = loader.load_data(to_arrow=True)
assert isinstance(table, pyarrow.Table) and table.num_rows == len(whole)
assert table.column_names == list(whole.columns)
assert table.schema.field("timestamp").type == pyarrow.timestamp("ns", "UTC"), table.schema
frame = loader.load_data(to_polars=True)
assert isinstance(frame, polars.DataFrame) and frame.height == len(whole) and frame.columns == list(whole.columns)
assert frame.schema["timestamp"] == polars.Datetime("ns", "UTC"), frame.schema
for name in ("bids", "asks"):
    if name in whole.columns:
        assert pyarrow.types.is_list(table.schema.field(name).type), table.schema.field(name)
        assert isinstance(frame.schema[name], polars.List), frame.schema[name]
        for ours, arrow in zip(whole[name].tolist(), table[name].to_pylist()):
            ours, arrow = plain(ours), plain(arrow)
            # What is a number in one record and a word in another is text in Arrow.
            texts = [[{k: str(v) if k == "side" else v for k, v in level.items()} for level in ours or []]]
            assert ours == arrow or texts == [arrow or []], (name, ours, arrow)
assert sum(batch.num_rows for batch in loader.iter_data(batch_rows=100, to_arrow=True)) == len(whole)
assert sum(batch.height for batch in loader.iter_data(batch_rows=100, to_polars=True)) == len(whole)
for call in (loader.load_data, loader.iter_data):
    try:
        call(to_arrow=True, to_polars=True)
        raise AssertionError("two kinds of table at once")
    except ValueError as error:
        assert "to_polars" in str(error), error
for wrong in (0, -1, True, "5"):
    try:
        loader.iter_data(batch_rows=wrong)
        raise AssertionError(f"batch_rows={wrong!r}")
    except (TypeError, ValueError) as error:
        assert "batch_rows" in str(error), error

# Files that it writes hold all of it.
loader._BATCH = 1000  # so that there are several batches
with tempfile.TemporaryDirectory() as directory:
    for ending in ("csv", "jsonl", "parquet", "feather", "arrow"):
        out = pathlib.Path(directory) / f"all.{ending}"
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            assert loader._main(["--out", str(out)]) == 0
        assert printed.getvalue() == f"{len(whole)} rows written to {out}\n", printed.getvalue()
        assert [path.name for path in out.parent.iterdir()] == [out.name]
        if ending == "csv":
            back = pandas.read_csv(out, low_memory=False)
            assert back["timestamp"].str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z").all()
            stamps = pandas.to_datetime(back["timestamp"], utc=True)
            assert (stamps.astype("int64") == whole["timestamp"].astype("int64")).all()
        elif ending == "jsonl":
            lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
            back = pandas.DataFrame(lines, columns=[name for name in whole.columns])
            for row, line in zip(everything, lines):
                assert row.keys() == line.keys(), (row, line)
        else:
            back = (pandas.read_parquet if ending == "parquet" else pyarrow.feather.read_feather)(out)
        assert len(back) == len(whole), (ending, len(back))
        assert set(back.columns) == set(whole.columns), (ending, set(back.columns) ^ set(whole.columns))
        for name in ("price", "close", "bidPrice", "volume"):
            if name in whole.columns:
                ours, theirs = ([plain(value) for value in frame[name].tolist()] for frame in (whole, back))
                assert ours == theirs, (ending, name)
        out.unlink()

assert loader.verify() == []
print(json.dumps({"rows": len(whole), "pandas": pandas.__version__}))
