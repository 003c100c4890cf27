"""The peers of `cargo xtask bench bars`. Figures go to standard output as JSON; imports are not counted."""

import json
import os
import sys
import time

import numpy as np

SECONDS = [15, 30, 45, 60, 120, 300, 900, 1800, 3600]
PRICES = ["open", "high", "low", "close"]


def clock():
    return time.perf_counter(), time.process_time()


def since(start, **more):
    return {"wall": time.perf_counter() - start[0], "cpu": time.process_time() - start[1], **more}


def duckdb(csv, output):
    import duckdb

    os.makedirs(output, exist_ok=True)
    start = clock()
    duckdb.execute(
        "copy (select time_bucket(interval '1 minute', ts_event) as timestamp, arg_min(open, ts_event) as open, max(high) as high,"
        " min(low) as low, arg_max(close, ts_event) as close, sum(volume) as volume from read_csv(?, columns={'ts_event':"
        " 'TIMESTAMP', 'rtype': 'INTEGER', 'publisher_id': 'INTEGER', 'instrument_id': 'INTEGER', 'open': 'DOUBLE', 'high': 'DOUBLE',"
        " 'low': 'DOUBLE', 'close': 'DOUBLE', 'volume': 'BIGINT', 'symbol': 'VARCHAR'}, header=true) group by 1 order by 1)"
        f" to '{output}/duckdb.csv' (header)",
        [csv],
    )
    return since(start)


def polars(csv, output):
    import polars as pl

    os.makedirs(output, exist_ok=True)
    start = clock()
    time_of = pl.col("ts_event").str.to_datetime("%Y-%m-%dT%H:%M:%S%.9fZ", time_unit="ns")
    frame = pl.scan_csv(csv).select(time_of, *PRICES, "volume").set_sorted("ts_event")
    made = frame.group_by_dynamic("ts_event", every="1m").agg(
        pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last(), pl.col("volume").sum()
    )
    made.sink_csv(f"{output}/polars.csv")
    return since(start)


def pandas(csv, output):
    import pandas as pd

    os.makedirs(output, exist_ok=True)
    start = clock()
    frame = pd.read_csv(csv, usecols=["ts_event", *PRICES, "volume"])
    frame.index = pd.to_datetime(frame.pop("ts_event"), format="%Y-%m-%dT%H:%M:%S.%fZ", utc=True)
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    frame.resample("1min").agg(how).dropna().to_csv(f"{output}/pandas.csv")
    return since(start)


def columns(csv):
    import polars as pl

    frame = pl.read_csv(csv, columns=["ts_event", *PRICES, "volume"])
    seconds = frame["ts_event"].str.to_datetime("%Y-%m-%dT%H:%M:%S%.9fZ", time_unit="ns").dt.timestamp("ms").to_numpy() // 1000
    return [seconds, *(frame[name].to_numpy() for name in (*PRICES, "volume"))]


def sources():
    """Each timeframe with the place of the coarsest finer one that divides it."""
    for place, seconds in enumerate(SECONDS):
        yield seconds, max((at for at in range(place) if seconds % SECONDS[at] == 0), default=None)


def memory_numpy(csv, output):
    base = [np.ascontiguousarray(column) for column in columns(csv)]
    best = None
    for _ in range(3):
        start, made = clock(), []
        for seconds, source in sources():
            ts, o, h, l, c, v = base if source is None else made[source]
            bucket = ts // seconds
            first = np.flatnonzero(np.concatenate(([True], bucket[1:] != bucket[:-1])))
            last = np.concatenate((first[1:], [len(ts)])) - 1
            made.append(
                [
                    bucket[first] * seconds,
                    o[first],
                    np.maximum.reduceat(h, first),
                    np.minimum.reduceat(l, first),
                    c[last],
                    np.add.reduceat(v, first),
                ]
            )
        figures = since(start, rows=len(base[0]))
        best = figures if best is None or figures["cpu"] < best["cpu"] else best
    return best


def memory_polars(csv, output):
    import polars as pl

    names = ["ts", *PRICES, "volume"]
    base = pl.DataFrame(dict(zip(names, columns(csv)))).with_columns(pl.from_epoch("ts", time_unit="s")).set_sorted("ts")
    how = [pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last(), pl.col("volume").sum()]
    best = None
    for _ in range(3):
        start, made = clock(), []
        for seconds, source in sources():
            frame = base if source is None else made[source]
            made.append(frame.group_by_dynamic("ts", every=f"{seconds}s").agg(how))
        figures = since(start, rows=len(base))
        best = figures if best is None or figures["cpu"] < best["cpu"] else best
    return best


print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
