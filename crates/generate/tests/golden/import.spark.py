#!/usr/bin/env python3
# -*- coding: utf-8 -*-
# Apache Spark import of the package: every type
"""Loads this package into tables of Apache Spark::

    spark-submit scripts/import_spark.py

from the package's root, or ``python scripts/import_spark.py`` where pyspark is installed. Needs Spark 3.4 or newer;
``zstandard`` for zstd files and ``pyarrow`` for Parquet. The files are read by ``import_rows.py`` in Spark's Python
workers, a file at a time in each, so every worker must see the package under the same path.

One table for each event type in the database ``market_data`` (option ``--database``), stored as Parquet, a partition for
each package. Columns are the manifest's fields in snake_case, then: ``package_id`` and ``source_file`` say where a row
is from; a time ``t`` has microseconds, as Spark keeps them, and ``t_ns`` beside it has the nanoseconds since 1970. The
year 1, with which collectors mean "not set", is NULL. Decimals are exact, with room for other packages. Lists, records
and values of several types are strings of JSON.

Everything is written to tables whose names end in ``__loading`` first and compared with the manifest's counts; only then
does it take the place of this package's partition in the tables. A second run replaces this package's rows; rows of
other packages stay.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Callable, Iterator

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import import_rows

# By table: its columns, their types, and the names of those that stand beside a time for its nanoseconds.
COLUMNS = {
    "odd_type": (
        ("time", "TIMESTAMP", "time_ns"),
        ("pri_ce", "DECIMAL(38,12)", None),
        ("größe", "STRING", None),
        ("symbol", "STRING", None),
    ),
    "trade": (
        ("timestamp", "TIMESTAMP", "timestamp_ns"),
        ("symbol", "STRING", None),
        ("type", "STRING", None),
        ("payload_timestamp", "TIMESTAMP", "payload_timestamp_ns"),
        ("price", "DECIMAL(38,12)", None),
        ("notional", "DECIMAL(38,18)", None),
        ("weight", "DECIMAL(38,18)", None),
        ("size", "BIGINT", None),
        ("order_id", "DECIMAL(20,0)", None),
        ("ratio", "DOUBLE", None),
        ("live", "BOOLEAN", None),
        ("session_date", "DATE", None),
        ("sent_at", "TIMESTAMP", "sent_at_ns"),
        ("conditions", "STRING", None),
        ("quote_bid", "DECIMAL(38,12)", None),
        ("aggressor", "STRING", None),
        ("nothing", "STRING", None),
        ("package_id_2", "STRING", None),
    ),
}
# By table: columns of which the manifest says that every record has a value.
ALWAYS = {
    "odd_type": ("pri_ce", "symbol", ),
    "trade": ("symbol", "type", "price", "size", ),
}

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_EXACT = Context(prec=60)


def load(spark: SparkSession, database: str = "market_data") -> list[tuple[str, int]]:
    """Loads every table; gives their names and numbers of rows.

    Raises:
        SystemExit: the rows are not what the manifest says, or a table has columns of other types. The tables are as
            they were then.
    """
    for file in (__file__, import_rows.__file__):
        spark.sparkContext.addPyFile(os.path.abspath(file))
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
    spark.sql(f"CREATE DATABASE IF NOT EXISTS {_quoted(database)}")
    loading = [f"{_quoted(database)}.{_quoted(table.name + '__loading')}" for table in import_rows.TABLES]
    try:
        for table, name in zip(import_rows.TABLES, loading):
            spark.sql(f"DROP TABLE IF EXISTS {name}")
            _frame(spark, table).write.mode("overwrite").saveAsTable(name.replace("`", ""))
            _check(table, spark.table(name))
        for table, name in zip(import_rows.TABLES, loading):
            _replace(spark, database, table, spark.table(name))
    finally:
        for name in loading:
            spark.sql(f"DROP TABLE IF EXISTS {name}")
    return [(f"{database}.{table.name}", table.rows) for table in import_rows.TABLES]


def _frame(spark: SparkSession, table: import_rows.Table) -> DataFrame:
    columns = COLUMNS[table.name]
    fields = ["`package_id` STRING", "`source_file` STRING"]
    for name, kind, beside in columns:
        fields += [f"{_quoted(name)} {kind}"] + ([f"{_quoted(beside)} BIGINT"] if beside else [])
    schema = T._parse_datatype_string(", ".join(fields))
    files = import_rows.files(table)
    makers = [_maker(column.kind, kind) for column, (_, kind, _) in zip(table.columns, columns)]
    timed = [beside is not None for _, _, beside in columns]
    root = import_rows.ROOT
    entries = spark.sparkContext.parallelize(files, max(1, len(files)))
    rows = entries.flatMap(lambda entry: _rows(table, entry, root, makers, timed))
    return spark.createDataFrame(rows, schema, verifySchema=False)


def _rows(
    table: import_rows.Table, entry: Any, root: Any, makers: list[Callable[[Any], Any]], timed: list[bool]
) -> Iterator[tuple[Any, ...]]:
    import_rows.ROOT = root  # a worker has a copy of the reader that lies elsewhere
    start = [import_rows.PACKAGE_ID, entry["path"]]
    for row in import_rows.rows(table, entry):
        values = list(start)
        for make, beside, value in zip(makers, timed, row):
            values.append(None if value is None else make(value))
            if beside:
                values.append(value)
        yield tuple(values)


def _maker(kind: str, column: str) -> Callable[[Any], Any]:
    """What makes Spark's value of one that ``import_rows`` gives."""
    if column.startswith("DECIMAL"):
        digits, scale = map(int, column[8:-1].split(","))
        unit = Decimal(1).scaleb(-scale)
        return lambda value: _decimal(Decimal(value), unit, digits)
    if kind == "time":
        return lambda value: _EPOCH + dt.timedelta(microseconds=value // 1000)
    if kind == "date":
        return dt.date.fromisoformat
    return str if column == "STRING" else lambda value: value


def _decimal(value: Decimal, unit: Decimal, digits: int) -> Decimal:
    fitted = value.quantize(unit, ROUND_HALF_EVEN, _EXACT)
    if len(fitted.as_tuple().digits) > digits:
        raise ValueError(f"{value} has more than {digits} digits")
    return fitted


def _check(table: import_rows.Table, loaded: DataFrame) -> None:
    missing = [F.count(F.when(F.col(_quoted(name)).isNull(), 1)) for name in ALWAYS[table.name]]
    count, *empty = loaded.agg(F.count(F.lit(1)), *missing).first()
    if count != table.rows:
        raise SystemExit(f"{table.name}: {count} rows were loaded, the manifest says {table.rows}")
    for name, number in zip(ALWAYS[table.name], empty):
        if number:
            raise SystemExit(f"{table.name}: {number} values of {name} are missing, which every record has")


def _replace(spark: SparkSession, database: str, table: import_rows.Table, loaded: DataFrame) -> None:
    """Puts what was loaded into this package's partition."""
    plain = f"{database}.{table.name}"
    if not spark.catalog.tableExists(plain):
        loaded.limit(0).write.partitionBy("package_id").format("parquet").saveAsTable(plain)
    there = dict((name.lower(), kind) for name, kind in spark.table(plain).dtypes)
    added = []
    for name, kind in loaded.dtypes:
        if there.setdefault(name, kind) != kind:
            raise SystemExit(f"{plain} has {name} as {there[name]}, this package needs {kind}: use another --database")
        if name not in (column.lower() for column in spark.table(plain).columns):
            added.append(f"{_quoted(name)} {kind}")
    if added:
        spark.sql(f"ALTER TABLE {_quoted(database)}.{_quoted(table.name)} ADD COLUMNS ({', '.join(added)})")
    have = set(loaded.columns)
    columns = [
        F.col(_quoted(field.name)) if field.name in have else F.lit(None).cast(field.dataType).alias(field.name)
        for field in spark.table(plain).schema.fields
    ]
    loaded.select(*columns).write.mode("overwrite").insertInto(plain)


def _quoted(name: str) -> str:
    return f"`{name}`"


def _session() -> SparkSession:
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        # Not spark-submit: the workers are on this machine and should be this Python, which has the packages.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("import of a portable data package")
    return builder.config("spark.sql.catalogImplementation", "hive").getOrCreate()


def _main() -> None:
    parser = argparse.ArgumentParser(description="Loads this package into tables of Apache Spark.")
    parser.add_argument("--database", default="market_data", help="the database that the tables are in")
    options = parser.parse_args()
    spark = _session()
    for name, count in load(spark, options.database):
        print(f"{name}: {count} rows")
    for text in import_rows.LEFT_OUT:
        print(f"NOT LOADED: {text}", file=sys.stderr)


if __name__ == "__main__":
    _main()

