"""The peers of `cargo xtask bench fxd`. Figures go to standard output as JSON; imports are not counted."""

import glob
import json
import os
import sys
import time

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

PRICES = ["open", "high", "low", "close"]
COLUMNS = ["ts", *PRICES, "volume"]


def clock():
    return time.perf_counter(), time.process_time()


def since(start, **more):
    return {"wall": time.perf_counter() - start[0], "cpu": time.process_time() - start[1], **more}


def size(*paths):
    return sum(os.path.getsize(path) for path in paths)


def raw(path):
    """The columns of a symbol, mapped."""
    data = np.memmap(path, dtype=np.uint8, mode="r")
    n = len(data) // 28
    columns = {"ts": data[: 8 * n].view(np.int64)}
    for at, name in enumerate([*PRICES, "volume"]):
        columns[name] = data[(8 + 4 * at) * n : (12 + 4 * at) * n].view(np.int32)
    return columns


def symbols(directory):
    for path in sorted(glob.glob(f"{directory}/raw/*.bin")):
        yield os.path.basename(path)[:-4], path


def load(directory):
    """The first year, as each peer keeps it."""
    os.makedirs(f"{directory}/f64", exist_ok=True)
    os.makedirs(f"{directory}/i32", exist_ok=True)
    if os.path.exists(f"{directory}/bars.duckdb"):
        os.remove(f"{directory}/bars.duckdb")
    con = duckdb.connect(f"{directory}/bars.duckdb")
    con.execute(
        "create table bars (symbol varchar, ts timestamp_ns, open double, high double, low double, close double, volume bigint)"
    )
    for name, path in symbols(directory):
        bars = raw(path)
        ts = pa.array(bars["ts"], pa.timestamp("ns"))
        f64 = pa.table(
            {
                "ts": ts,
                **{price: np.asarray(bars[price] / 1e5) for price in PRICES},
                "volume": np.asarray(bars["volume"], np.int64),
            }
        )
        pq.write_table(f64, f"{directory}/f64/{name}.parquet", compression="zstd", compression_level=3, row_group_size=8192)
        i32 = pa.table({"ts": ts, **{column: np.asarray(bars[column]) for column in COLUMNS[1:]}})
        pq.write_table(
            i32,
            f"{directory}/i32/{name}.parquet",
            compression="zstd",
            compression_level=3,
            use_dictionary=False,
            column_encoding={column: "DELTA_BINARY_PACKED" for column in COLUMNS},
        )
        con.execute(f"insert into bars select '{name}', ts, open, high, low, close, volume from f64")
    con.execute("checkpoint")
    con.close()
    return {}


def ingest_pyarrow(csv, target):
    start = clock()
    types = {"timestamp": pa.timestamp("s", "UTC"), "symbol": pa.dictionary(pa.int32(), pa.string()), "volume": pa.int64()}
    types |= {price: pa.float64() for price in PRICES}
    convert = pyarrow.csv.ConvertOptions(column_types=types)
    reader = pyarrow.csv.open_csv(csv, convert_options=convert, read_options=pyarrow.csv.ReadOptions(block_size=8 << 20))
    rows = 0
    with pq.ParquetWriter(target, reader.schema, compression="zstd", compression_level=3) as writer:
        for batch in reader:
            rows += batch.num_rows
            writer.write_batch(batch)
    return since(start, rows=rows, bytes=size(target))


def ingest_duckdb(csv, target):
    start = clock()
    con = duckdb.connect(target)
    con.execute(
        "create table bars as select * from read_csv(?, header=true, columns={'timestamp': 'TIMESTAMP', 'symbol': 'VARCHAR',"
        " 'open': 'DOUBLE', 'high': 'DOUBLE', 'low': 'DOUBLE', 'close': 'DOUBLE', 'volume': 'BIGINT'})",
        [csv],
    )
    con.execute("checkpoint")
    rows = con.execute("select count(*) from bars").fetchone()[0]
    con.close()
    return since(start, rows=rows, bytes=size(target))


def ingest_polars(csv, target):
    import polars as pl

    start = clock()
    schema = {"timestamp": pl.String, "symbol": pl.String, **{price: pl.Float64 for price in PRICES}, "volume": pl.Int64}
    frame = pl.scan_csv(csv, schema=schema)
    time_of = pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="ns")
    frame.with_columns(time_of).sink_parquet(target, compression="zstd", compression_level=3)
    figures = since(start, bytes=size(target))
    return figures | {"rows": pq.ParquetFile(target).metadata.num_rows}


def days(path, ask):
    """Asks everything twice; the second time counts."""
    queries = [(name, int(start), int(end)) for name, start, end in (line.split(",") for line in open(path))]
    took = []
    for warm in (True, False):
        for name, start, end in queries:
            begin = time.perf_counter()
            rows = ask(name, start, end)
            end_of = time.perf_counter()
            if rows != 1440:
                sys.exit(f"a day has {rows} bars")
            if not warm:
                took.append((end_of - begin) * 1e6)
    took.sort()
    return {"p50": took[len(took) // 2], "p99": took[len(took) * 99 // 100]}


def query_parquet(directory, queries):
    files = {}
    for name, _ in symbols(directory):
        file = pq.ParquetFile(f"{directory}/f64/{name}.parquet")
        groups = range(file.metadata.num_row_groups)
        statistics = [file.metadata.row_group(group).column(0).statistics for group in groups]
        # As integers: what a group's statistics give are timestamps.
        files[name] = (
            file,
            np.array([np.datetime64(each.min, "ns").astype(np.int64) for each in statistics]),
            np.array([np.datetime64(each.max, "ns").astype(np.int64) for each in statistics]),
        )

    def ask(name, start, end):
        file, least, most = files[name]
        first, last = np.searchsorted(most, start), np.searchsorted(least, end)
        table = file.read_row_groups(list(range(first, last)), use_threads=False)
        ts = table.column(0).to_numpy().view(np.int64)
        low, high = np.searchsorted(ts, start), np.searchsorted(ts, end)
        return table.slice(low, high - low).num_rows

    return days(queries, ask)


def query_duckdb(directory, queries):
    con = duckdb.connect(f"{directory}/bars.duckdb", read_only=True)
    con.execute("set threads = 1")
    sql = "select ts, open, high, low, close, volume from bars where symbol = ? and ts >= make_timestamp_ns(?) and ts < make_timestamp_ns(?)"
    return days(queries, lambda *query: len(con.execute(sql, query).fetchnumpy()["ts"]))


def query_memmap(directory, queries):
    files = {name: raw(path) for name, path in symbols(directory)}

    def ask(name, start, end):
        columns = files[name]
        low, high = np.searchsorted(columns["ts"], [start, end])
        return len([np.array(columns[column][low:high]) for column in COLUMNS][0])

    return days(queries, ask)


def scan_parquet(directory):
    paths = sorted(glob.glob(f"{directory}/*.parquet"))
    start, rows = clock(), 0
    for path in paths:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=65536, use_threads=False):
            rows += batch.num_rows
    return since(start, rows=rows, bytes=size(*paths))


def scan_duckdb(directory):
    path = f"{directory}/bars.duckdb"
    con = duckdb.connect(path, read_only=True)
    con.execute("set threads = 1")
    start, rows = clock(), 0
    for batch in con.sql("select ts, open, high, low, close, volume from bars").to_arrow_reader(65536):
        rows += batch.num_rows
    return since(start, rows=rows, bytes=size(path))


pa.set_cpu_count(os.cpu_count() if sys.argv[1].startswith("ingest") else 1)
print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
