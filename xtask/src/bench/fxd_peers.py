"""The peers of `cargo xtask bench fxd`. Figures go to standard output as JSON; imports are not counted."""

import glob
import json
import os
import sys
import time

import duckdb
import numpy as np
import pcodec
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import vortex
from pcodec import standalone

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
    for kind in ("f64", "i32", "vortex", "compact", "pco"):
        os.makedirs(f"{directory}/{kind}", exist_ok=True)
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
        whole = pa.table({"ts": np.asarray(bars["ts"]), **{column: np.asarray(bars[column]) for column in COLUMNS[1:]}})
        vortex.io.VortexWriteOptions.default().write(whole, f"{directory}/vortex/{name}.vortex")
        vortex.io.VortexWriteOptions.compact().write(whole, f"{directory}/compact/{name}.vortex")
        with open(f"{directory}/pco/{name}.pco", "wb") as out:
            for chunk in pco_chunks(bars):
                out.write(len(chunk).to_bytes(4, "little") + chunk)
        con.execute(f"insert into bars select '{name}', ts, open, high, low, close, volume from f64")
    con.execute("checkpoint")
    con.close()
    return {}


def pco_chunks(bars, rows=65536, level=8):
    """Each column by pcodec, as it is."""
    config = pcodec.ChunkConfig(compression_level=level)
    for start in range(0, len(bars["ts"]), rows):
        for column in COLUMNS:
            yield standalone.simple_compress(np.ascontiguousarray(bars[column][start : start + rows]), config)


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


def scan_parquet(directory, columns=None):
    paths = sorted(glob.glob(f"{directory}/*.parquet"))
    start, rows = clock(), 0
    for path in paths:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=65536, columns=columns, use_threads=False):
            rows += batch.num_rows
    return since(start, rows=rows, bytes=size(*paths))


def scan_duckdb(directory, columns="ts, open, high, low, close, volume"):
    path = f"{directory}/bars.duckdb"
    con = duckdb.connect(path, read_only=True)
    con.execute("set threads = 1")
    start, rows = clock(), 0
    for batch in con.sql(f"select {columns} from bars").to_arrow_reader(65536):
        rows += batch.num_rows
    return since(start, rows=rows, bytes=size(path))


def close_parquet(directory):
    return scan_parquet(directory, ["ts", "close"])


def close_duckdb(directory):
    return scan_duckdb(directory, "ts, close")


def scan_vortex(directory):
    paths = sorted(glob.glob(f"{directory}/*.vortex"))
    start, rows = clock(), 0
    for path in paths:
        for batch in vortex.open(path).to_arrow():
            rows += batch.num_rows
    return since(start, rows=rows, bytes=size(*paths))


def scan_pco(directory):
    paths = sorted(glob.glob(f"{directory}/*.pco"))
    start, rows = clock(), 0
    for path in paths:
        data, at, number = open(path, "rb").read(), 0, 0
        while at < len(data):
            end = at + 4 + int.from_bytes(data[at : at + 4], "little")
            column = standalone.simple_decompress(data[at + 4 : end])
            rows += len(column) if number % len(COLUMNS) == 0 else 0
            at, number = end, number + 1
    return since(start, rows=rows, bytes=size(*paths))


def scan_memmap(directory):
    """Columns copied as they are: no decoding at all."""
    start, rows, total = clock(), 0, 0
    for _, path in symbols(directory):
        bars = raw(path)
        for at in range(0, len(bars["ts"]), 65536):
            rows += len([np.array(bars[column][at : at + 65536]) for column in COLUMNS][0])
        total += size(path)
    return since(start, rows=rows, bytes=total)


def sizes(directory):
    """Bytes of real files, whose columns are numbers of 64 bits: as Parquet and under pcodec."""
    found = {}
    for path in sorted(glob.glob(f"{directory}/*.raw64")):
        data = np.fromfile(path, dtype=np.int64)
        columns = dict(zip(COLUMNS, data.reshape(len(COLUMNS), -1)))
        rows, out = len(columns["ts"]), f"{directory}/sizes.parquet"
        bytes_of = {}
        integers = pa.table(columns)
        pq.write_table(integers, out, compression="zstd", compression_level=9, use_dictionary=False,
                       column_encoding={column: "DELTA_BINARY_PACKED" for column in COLUMNS})
        bytes_of["parquet_delta"] = size(out)
        doubles = pa.table({"ts": columns["ts"], **{column: columns[column].astype(np.float64) / 1e5 for column in COLUMNS[1:]}})
        pq.write_table(doubles, out, compression="zstd", compression_level=3)
        bytes_of["parquet_f64"] = size(out)
        bytes_of["pco"] = sum(map(len, pco_chunks(columns, 16384)))
        found[os.path.basename(path)[:-6]] = {name: total / rows for name, total in bytes_of.items()}
    return found


pa.set_cpu_count(os.cpu_count() if sys.argv[1].startswith("ingest") else 1)
print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
