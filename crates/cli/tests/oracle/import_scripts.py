"""Loads a package into an engine with the package's own script, twice, and compares what is there with the data.

    import_scripts.py ENGINE PACKAGE WORK [CONNECTION]

The data is read here once more, by plain means. Prints the rows of every table.
"""

import csv
import decimal
import gzip
import io
import json
import os
import pathlib
import re
import subprocess
import sys
from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal

decimal.getcontext().prec = 80
ENGINE, PACKAGE, WORK = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
MANIFEST = json.loads((PACKAGE / "manifest.json").read_text())
sys.path.insert(0, str(PACKAGE / "scripts"))
import import_rows  # noqa: E402  only for what the columns are called


# ---------------------------------------------------------------- the data


def content(entry):
    data = (PACKAGE / entry["path"]).read_bytes()
    if entry["compressionType"] == "gzip":
        return gzip.decompress(data)
    if entry["compressionType"] == "zstd":
        import zstandard

        return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True).read()
    return data


def flat(record):
    row = {}

    def put(name, value):
        if isinstance(value, dict) and value:
            for inner, part in value.items():
                put(f"{name}.{inner}", part)
        row.setdefault(name.lower(), value)

    own = {name.lower() for name in record}
    for name, value in record.items():
        if name.lower() == "payload":
            for inner, part in value.items():
                put(f"payload.{inner}" if inner.lower() in own else inner, part)
        else:
            put(name, value)
    return row


def records(entry):
    if entry["format"] == "jsonl":
        for line in content(entry).decode("utf-8-sig", "replace").split("\n"):
            try:
                record = json.loads(line, parse_float=Decimal)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield flat(record)
    elif entry["format"] == "csv":
        dialect = entry["csv"]
        text = content(entry).decode("utf-8-sig")
        lines = [line for line in text.splitlines(keepends=True) if not line.startswith(dialect.get("comment") or "\0")]
        found = [row for row in csv.reader(lines, delimiter=dialect["delimiter"]) if row]
        for row in found[1:] if dialect["hasHeader"] else found:
            if len(row) <= len(dialect["columns"]):
                yield {name.strip().lower(): value or None for name, value in zip(dialect["columns"], row)}
    elif entry["format"] == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(PACKAGE / entry["path"])
        for at, field in enumerate(table.schema):
            if pa.types.is_timestamp(field.type):
                table = table.set_column(at, field.name, table.column(at).cast(pa.timestamp("ns")).cast(pa.int64()))
        for row in table.to_pylist():
            yield {name.lower(): value for name, value in row.items()}


def nanos(value):
    if isinstance(value, int) or re.fullmatch("[0-9]{9,19}", value):
        count = int(value)
        return next(count * unit for least, unit in [(10**16, 1), (10**13, 1000), (10**10, 10**6), (0, 10**9)] if count >= least)
    compact = re.fullmatch("([0-9]{8} [0-9]{6})([0-9]{3})?", value)
    if compact:
        time = datetime.strptime(compact[1], "%Y%m%d %H%M%S").replace(tzinfo=timezone.utc)
        return int(time.timestamp()) * 10**9 + int(compact[2] or 0) * 10**6
    head, fraction, zone = re.fullmatch(r"([^.]{10,19}?)(?:\.([0-9]+))?(Z|[+-][0-9:]{2,6})?", value).groups()
    if head.startswith("0001"):
        return None
    time = datetime.fromisoformat(head + ("+00:00" if zone in (None, "Z") else zone))
    time = time if time.tzinfo else time.replace(tzinfo=timezone.utc)
    return int(time.timestamp()) * 10**9 + int(f"{fraction or 0:0<9}"[:9])


def expected(table):
    """By column, what its values come to: sum of numbers, first and last of times, number of others; rows by file."""
    files, found = {}, defaultdict(list)
    for entry in MANIFEST["files"]:
        if entry["eventType"] != table.event_type or entry["format"] in ("fxd", "dbn"):
            continue
        count = 0
        for record in records(entry):
            count += 1
            for column in table.columns:
                value = record.get(column.field.lower())
                if column.field.lower() in ("symbol", "type"):
                    value = "there"
                if value is not None:
                    found[column.name].append(value)
        if count:
            files[entry["path"]] = count
    return files, dict((column.name, summed(column.kind, found[column.name])) for column in table.columns)


def summed(kind, values):
    if kind == "time":
        times = [time for time in map(nanos, values) if time is not None]
        return [len(times), min(times, default=None), max(times, default=None)]
    if kind in ("decimal", "integer"):
        numbers = [Decimal(str(value)) for value in values]
        return [len(numbers), sum(numbers, Decimal(0))]
    return [len(values)]


# ---------------------------------------------------------------- the engines


class DuckDb:
    time = "epoch_ns({}({}))"

    def load(self):
        import duckdb

        os.chdir(PACKAGE)
        self.database = duckdb.connect(str(WORK / "market.duckdb"))
        self.database.execute((PACKAGE / "scripts/import_duckdb.sql").read_text(encoding="utf-8"))

    def query(self, text):
        return self.database.execute(text).fetchall()

    def name(self, table):
        return f'market_data."{table}"'


class Sqlite:
    time = "{}({})"

    def load(self):
        subprocess.run([sys.executable, PACKAGE / "scripts/import_sqlite.py", WORK / "market.sqlite"], check=True, stdout=2)

    def query(self, text):
        import sqlite3

        return sqlite3.connect(WORK / "market.sqlite").execute(text).fetchall()

    def name(self, table):
        return f'"{table}"'


class ClickHouse:
    time = "toUnixTimestamp64Nano({}({}))"

    def load(self):
        from chdb import session

        os.chdir(PACKAGE)
        self.session = getattr(self, "session", None) or session.Session(str(WORK / "clickhouse"))
        self.session.query((PACKAGE / "scripts/import_clickhouse.sql").read_text(encoding="utf-8"))

    def query(self, text):
        found = str(self.session.query(text.replace('"', "`"), "JSONCompact"))
        return json.loads(found, parse_float=Decimal)["data"]

    def name(self, table):
        return f"market_data.`{table}`"


class PostgreSql:
    time = "{}({})"

    def psql(self, *args):
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", sys.argv[4], *args]
        environment = dict(os.environ, PYTHON=sys.executable)
        ran = subprocess.run(command, cwd=PACKAGE, env=environment, capture_output=True, text=True)
        if ran.returncode:
            raise RuntimeError(ran.stdout + ran.stderr)
        return ran.stdout

    def load(self):
        self.psql("-f", "scripts/import_postgresql.sql")

    def query(self, text):
        rows = self.psql("-c", f"SELECT to_json(array_agg(to_json(q))) FROM ({text}) q")
        return [tuple(row.values()) for row in json.loads(rows, parse_float=Decimal) or []] if rows.strip() else []

    def name(self, table):
        return f'market_data."{table}"'


class Spark:
    time = "{}({})"

    def load(self):
        from pyspark.sql import SparkSession

        os.chdir(WORK)
        os.environ["PYSPARK_PYTHON"] = sys.executable
        import import_spark

        options = {
            "spark.master": "local[2]",
            "spark.ui.enabled": "false",
            "spark.sql.warehouse.dir": str(WORK / "warehouse"),
            "spark.sql.catalogImplementation": "hive",
        }
        builder = SparkSession.builder
        for name, value in options.items():
            builder = builder.config(name, value)
        self.spark = builder.getOrCreate()
        self.spark.sparkContext.setLogLevel("ERROR")
        import_spark.load(self.spark)

    def query(self, text):
        return [tuple(row) for row in self.spark.sql(text.replace('"', "`")).collect()]

    def name(self, table):
        return f"market_data.`{table}`"


ENGINES = dict(duckdb=DuckDb, sqlite=Sqlite, clickhouse=ClickHouse, postgresql=PostgreSql, spark=Spark)


def beside(table, column, suffix):
    """The name of the column that has what another cannot hold."""
    names = {c.name for c in table.columns}
    assert f"{column}_{suffix}" not in names, column
    return f"{column}_{suffix}"


def there(engine, table):
    name = engine.name(table.name)
    files = dict(engine.query(f"SELECT source_file, count(*) AS n FROM {name} GROUP BY source_file"))
    wide = {}
    if ENGINE == "sqlite":
        wide = {row[1] for row in engine.query(f"PRAGMA table_info({name})")}
    found = {}
    for column in table.columns:
        quoted = f'"{column.name}"'
        if column.kind == "time":
            text = f'"{beside(table, column.name, "ns")}"' if ENGINE in ("postgresql", "spark") else quoted
            least, most = engine.time.format("min", text), engine.time.format("max", text)
            ((count, first, last),) = engine.query(f"SELECT count({quoted}) AS n, {least} AS a, {most} AS z FROM {name}")
            if ENGINE == "sqlite":
                first, last = (None if time is None else nanos(time) for time in (first, last))
            found[column.name] = [count, *(None if not count else int(time) for time in (first, last))]
        elif column.kind in ("decimal", "integer"):
            if ENGINE == "sqlite":
                text = f'"{column.name}_text"' if f"{column.name}_text" in wide else quoted
                values = [row[0] for row in engine.query(f"SELECT {text} FROM {name} WHERE {quoted} IS NOT NULL")]
                found[column.name] = [len(values), sum((Decimal(str(value)) for value in values), Decimal(0))]
            else:
                # Wider than the column, for the sum may be.
                wider = dict(clickhouse="toInt256({})", spark="CAST({} AS DECIMAL(38,0))")
                text = wider.get(ENGINE, "{}").format(quoted) if column.kind == "integer" else quoted
                total = f"toString(sum({text}))" if ENGINE == "clickhouse" else f"CAST(sum({text}) AS VARCHAR(99))"
                ((count, total),) = engine.query(f"SELECT count({quoted}) AS n, {total} AS s FROM {name}")
                found[column.name] = [int(count), Decimal(total or 0) if count and total != "\\N" else Decimal(0)]
        else:
            ((count,),) = engine.query(f"SELECT count({quoted}) AS n FROM {name}")
            found[column.name] = [int(count)]
    return {path: int(count) for path, count in files.items()}, found


engine = ENGINES[ENGINE]()
engine.load()
engine.load()
rows = {}
for table in import_rows.TABLES:
    (wanted_files, wanted), (files, found) = expected(table), there(engine, table)
    assert files == wanted_files, (table.name, files, wanted_files)
    declared = sum(e["eventCount"] for e in MANIFEST["files"] if e["eventType"] == table.event_type and e["format"] not in ("fxd", "dbn"))
    assert sum(files.values()) == declared == table.rows, (table.name, files, declared)
    for name, value in wanted.items():
        assert found[name] == value, (table.name, name, found[name], value)
    rows[table.name] = sum(files.values())
print(json.dumps(rows))
