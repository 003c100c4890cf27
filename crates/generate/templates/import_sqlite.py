#!/usr/bin/env python3
# -*- coding: utf-8 -*-
# SQLite import of the package: {{ name }}
"""Loads this package into a SQLite database::

    python scripts/import_sqlite.py market.sqlite

Needs Python 3.9 with the ``sqlite3`` it brings along; ``zstandard`` for zstd files and ``pyarrow`` for Parquet.

One table for each event type, its name after what ``--prefix`` says. Columns are the manifest's fields in snake_case;
then: ``package_id`` and ``source_file`` say where a row is from; times are ISO 8601 text in UTC with nine digits of a
second, which sorts as times do. The year 1, with which collectors mean "not set", is NULL. SQLite has no exact
decimals: such a column is NUMERIC, good for 15 digits, and where the package has longer values or it is not known, a
column of the same name and ``_text`` has every digit; whole numbers beyond 64 bits with a sign have one too. Lists, records and values of several types are JSON.

All or nothing: one transaction, which ends with a comparison of the rows with the manifest's counts. A second run
replaces this package's rows; rows of other packages stay.
"""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
import sys
from typing import Any, Iterator

import import_rows

# By table: its columns, and the names of those that stand beside a decimal for its digits.
COLUMNS = {
{% for table in tables %}    {{ table.name_py }}: (
{% for column in table.columns %}        ({{ column.name_py }}, "{{ column.sql }}", {% if column.companion_py %}{{ column.companion_py }}{% else %}None{% endif %}),
{% endfor %}    ),
{% endfor %}}
# By table: columns of which the manifest says that every record has a value.
ALWAYS = {
{% for table in tables %}    {{ table.name_py }}: ({% for column in table.columns %}{% if column.always %}{{ column.name_py }}, {% endif %}{% endfor %}),
{% endfor %}}
{% raw %}
_INT64 = 2**63


def load(database: sqlite3.Connection, prefix: str = "") -> list[tuple[str, int]]:
    """Loads every table within one transaction; gives their names and numbers of rows.

    Raises:
        SystemExit: a file cannot be read, or the rows are not what the manifest says. Nothing has changed then.
    """
    database.isolation_level = None
    database.execute("BEGIN IMMEDIATE")
    try:
        found = [(prefix + table.name, _load_table(database, table, prefix)) for table in import_rows.TABLES]
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise
    return found


def _load_table(database: sqlite3.Connection, table: import_rows.Table, prefix: str) -> int:
    name = _quoted(prefix + table.name)
    columns = [("package_id", "TEXT"), ("source_file", "TEXT")]
    for column, kind, beside in COLUMNS[table.name]:
        columns += [(column, kind)] + ([(beside, "TEXT")] if beside else [])
    shown = ", ".join(f"{_quoted(column)} {kind}" for column, kind in columns)
    database.execute(f"CREATE TABLE IF NOT EXISTS {name} ({shown})")
    there = {row[1].lower() for row in database.execute(f"PRAGMA table_info({name})")}
    for column, kind in columns:
        if column.lower() not in there:
            database.execute(f"ALTER TABLE {name} ADD COLUMN {_quoted(column)} {kind}")
    index = _quoted(f"{prefix}{table.name}_package_id")
    database.execute(f"CREATE INDEX IF NOT EXISTS {index} ON {name} (package_id)")
    database.execute(f"DELETE FROM {name} WHERE package_id = ?", [import_rows.PACKAGE_ID])
    names = ", ".join(_quoted(column) for column, _ in columns)
    marks = ", ".join("?" * len(columns))
    database.executemany(f"INSERT INTO {name} ({names}) VALUES ({marks})", _rows(table))
    (count,) = database.execute(f"SELECT count(*) FROM {name} WHERE package_id = ?", [import_rows.PACKAGE_ID]).fetchone()
    if count != table.rows:
        raise SystemExit(f"{table.name}: {count} rows were loaded, the manifest says {table.rows}")
    for column in ALWAYS[table.name]:
        query = f"SELECT count(*) FROM {name} WHERE package_id = ? AND {_quoted(column)} IS NULL"
        (missing,) = database.execute(query, [import_rows.PACKAGE_ID]).fetchone()
        if missing:
            raise SystemExit(f"{table.name}: {missing} values of {column} are missing, which every record has")
    return count


def _rows(table: import_rows.Table) -> Iterator[list[Any]]:
    plan = [(column.kind, beside) for column, (_, _, beside) in zip(table.columns, COLUMNS[table.name])]
    for entry in import_rows.files(table):
        start = [import_rows.PACKAGE_ID, entry["path"]]
        for row in import_rows.rows(table, entry):
            values = list(start)
            for (kind, beside), value in zip(plan, row):
                values.append(_value(kind, value))
                if beside:
                    values.append(None if value is None else str(value))
            yield values


def _value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "time":
        return import_rows.iso(value)
    if kind == "decimal":
        return str(value)
    return str(value) if kind == "integer" and not -_INT64 <= value < _INT64 else value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _main() -> None:
    parser = argparse.ArgumentParser(description="Loads this package into a SQLite database.")
    parser.add_argument("database", help="the database file; made if it is not there")
    parser.add_argument("--prefix", default="", help="what the tables' names begin with")
    options = parser.parse_args()
    with contextlib.closing(sqlite3.connect(options.database)) as database:
        for name, count in load(database, options.prefix):
            print(f"{name}: {count} rows")
    for text in import_rows.LEFT_OUT:
        print(f"NOT LOADED: {text}", file=sys.stderr)


if __name__ == "__main__":
    _main()
{% endraw %}
