#!/usr/bin/env python3
# -*- coding: utf-8 -*-
# Rows for databases, from the package: {{ name }}
"""Reads this package's files as typed rows. The import scripts for {{ users }} use it.

``python scripts/import_rows.py TABLE`` writes a table's rows as PostgreSQL's COPY takes them (format text).

Needs Python 3.9 and nothing else; ``zstandard`` for zstd files (not from Python 3.14 on) and ``pyarrow`` for Parquet.
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
import io
import itertools
import json
import re
import sys
import zlib
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any, Callable, Iterator, NamedTuple, Optional

PACKAGE_ID = {{ package_id }}


class Column(NamedTuple):
    """A column: its name, the field it is made of, what its values are, and what a time counts if it is a number."""

    name: str
    field: str
    kind: str
    unit: Optional[str] = None


class Table(NamedTuple):
    """The table of an event type: its name, the rows that the manifest says there are, its columns and files."""

    name: str
    event_type: str
    rows: int
    columns: tuple[Column, ...]
    files: int


TABLES = (
{% for table in tables %}    Table(
        {{ table.name_py }},
        {{ table.event_type_py }},
        {{ table.rows }},
        (
{% for column in table.columns %}            Column({{ column.name_py }}, {{ column.field_py }}, "{{ column.kind }}"{% if column.unit %}, "{{ column.unit }}"{% endif %}),
{% endfor %}        ),
        {{ table.files | length }},
    ),
{% endfor %})
# Files that nothing here reads.
LEFT_OUT = ({% for text in left_out %}
    {{ text }},{% endfor %}
)
{% raw %}
# The package: the folder that has manifest.json.
ROOT = Path(__file__).resolve().parent.parent
# After an import into a shared folder the data can lie above the package's papers.
_LEVELS_UP = 4
_PIECE = 1 << 16
_MAX_DEPTH = 127
_FORMATS = ("jsonl", "csv", "parquet")
# The number of an event type in a record is its position here.
_EVENT_TYPES = (
    "Unknown L2Snapshot BboQuote Trade OrderFlow Heartbeat ConnectionStatus Integrity HistoricalBar HistoricalQuote "
    "HistoricalTrade HistoricalAuction AggregateBar Quote Depth OptionQuote OptionTrade OptionGreeks OptionChain "
    "OpenInterest OrderAdd OrderModify OrderCancel OrderExecute OrderReplace"
).split()
_NANOS = dict(d=86_400 * 10**9, s=10**9, ms=10**6, us=10**3, ns=1)
# Counts since 1970 from here on are of this unit, where the manifest has none.
_SIZES = ((10**16, "ns"), (10**13, "us"), (10**10, "ms"), (10**8, "s"))

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?\s*(?:([Zz])|([+-])(\d\d):?(\d\d)?)?", re.ASCII
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d) (\d\d)(\d\d)(\d\d)(\d{3})?", re.ASCII)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Nanos(int):
    """A time that is known to count nanoseconds."""


# ---------------------------------------------------------------- files


def files(table: Table) -> list[dict[str, Any]]:
    """The manifest's entries of the files that go to a table."""
    found = [e for e in _manifest()["files"] if _readable(e) and (e.get("eventType") or "") == table.event_type]
    if len(found) != table.files:
        raise SystemExit(f"{table.name}: manifest.json has {len(found)} files, this script was made for {table.files}")
    return found


def _readable(entry: dict[str, Any]) -> bool:
    packed = (entry.get("compressionType") or "none").lower() not in ("none", "identity")
    return entry["format"] in _FORMATS and not (entry["format"] == "parquet" and packed)


@functools.lru_cache(maxsize=1)
def _manifest() -> dict[str, Any]:
    path = ROOT / "manifest.json"
    if not path.is_file():
        raise SystemExit(f"there is no {path}: this script must stay in the folder scripts of its package")
    return json.loads(path.read_text(encoding="utf-8-sig"))


def locate(path: str) -> Path:
    """A data file, below the manifest's folder or one of the folders above it."""
    relative = PurePosixPath(path)
    if relative.is_absolute() or ".." in relative.parts:
        raise SystemExit(f"the manifest names a path outside of the package: {path}")
    for base in [ROOT, *list(ROOT.parents)[:_LEVELS_UP]]:
        if (base / relative).is_file():
            return base / relative
    raise SystemExit(f"{path} is not below {ROOT} nor any of the {_LEVELS_UP} folders above it")


class _Content(io.RawIOBase):
    """A file's content with its compression, told by its first bytes, undone on the fly; it ends where it is torn."""

    def __init__(self, path: Path, shown: str) -> None:
        super().__init__()
        self.damage = False
        self._file = open(path, "rb")
        start = _decoder_for(self._file.read(4), shown)
        self._file.seek(0)
        self._pieces = self._inflated(start) if start else iter(lambda: self._file.read(_PIECE), b"")
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()

    def _inflated(self, start: Callable[[], Any]) -> Iterator[bytes]:
        """The content of every gzip member or zstd frame in turn; zero bytes between and after them are padding."""
        decoder, within, data = start(), False, b""
        while True:
            data = data or self._file.read(_PIECE)
            if not data:
                self.damage = within
                return
            if not within:
                data = data.lstrip(b"\0")
                if not data:
                    continue
                within = True
            backup = decoder.copy() if hasattr(decoder, "copy") else None
            try:
                piece = decoder.decompress(data)
            except Exception:  # zlib and the two readers of zstd share no class of error
                self.damage = True
                yield from _salvaged(backup, data)
                return
            yield piece
            data = b""
            if decoder.eof:
                data, decoder, within = decoder.unused_data, start(), False


def _decoder_for(head: bytes, shown: str) -> Optional[Callable[[], Any]]:
    """What makes a decoder for a file that begins so. The name does not tell: collectors write gzip under ``.zst``."""
    if head[:2] == b"\x1f\x8b":
        return functools.partial(zlib.decompressobj, 31)
    if head != b"\x28\xb5\x2f\xfd" and not (head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5):
        return None
    try:
        from compression.zstd import ZstdDecompressor  # from Python 3.14 on

        return ZstdDecompressor
    except ImportError:
        pass
    try:
        import zstandard
    except ImportError:
        raise SystemExit(f"reading {shown} needs the zstandard package: pip install zstandard") from None
    return lambda: zstandard.ZstdDecompressor().decompressobj()


def _salvaged(decoder: Any, data: bytes) -> Iterator[bytes]:
    """What can be had from damaged data: a decoder gives nothing of a call that fails, so byte by byte."""
    for at in range(len(data) if decoder else 0):
        try:
            yield decoder.decompress(data[at : at + 1])
        except zlib.error:
            return


# ---------------------------------------------------------------- records


def rows(table: Table, entry: dict[str, Any]) -> Iterator[list[Any]]:
    """A file's rows: the values of ``table.columns``, None for what is missing.

    boolean: bool; integer: int; decimal: Decimal; double: float; text, date (ISO) and json: str; time: nanoseconds
    since 1970 as int, None for the year 1, with which collectors mean a time that was not set.
    """
    form = _Form(table, entry)
    for number, row in _READERS[entry["format"]](locate(entry["path"]), entry, form):
        try:
            yield form.typed(row)
        except (ValueError, ArithmeticError) as error:
            raise SystemExit(f"{entry['path']}, record at {number}: {error}") from None


class _Form:
    """How the records of a file become rows."""

    def __init__(self, table: Table, entry: dict[str, Any]) -> None:
        self.columns = table.columns
        self.width = len(table.columns)
        self._named = dict((column.field.strip().lower(), at) for at, column in enumerate(table.columns))
        self._places: dict[str, Optional[int]] = {}
        self._makers = [_maker(column) for column in table.columns]
        self._json = [column.kind == "json" for column in table.columns]
        self._event_type = table.event_type
        self._numbered = entry["format"] == "jsonl"
        self._symbol, self._symbol_at = entry.get("symbol") or "UNKNOWN", self._named["symbol"]
        self._type_at = self._named.get("type")

    def place(self, name: str) -> Optional[int]:
        """The column for a field of this name in any case."""
        if name not in self._places:
            self._places[name] = self._named.get(name.strip().lower())
        return self._places[name]

    def of_record(self, record: dict[str, Any]) -> list[Any]:
        row: list[Any] = [None] * self.width
        for name, value in record.items():
            if isinstance(value, dict) and name.lower() == "payload":
                for inner, part in value.items():
                    self._put(row, f"payload.{inner}" if inner in record else inner, part)
            else:
                self._put(row, name, value)
        return row

    def _put(self, row: list[Any], name: str, value: Any) -> None:
        at = self.place(name)
        if isinstance(value, dict) and not (at is not None and self._json[at]):
            for inner, part in value.items():
                self._put(row, f"{name}.{inner}", part)
        elif at is not None:
            row[at] = value

    def typed(self, row: list[Any]) -> list[Any]:
        """Every value as its column has it."""
        at = self._type_at
        if at is not None:
            row[at] = self._type(row[at])
        if row[self._symbol_at] is None:
            row[self._symbol_at] = self._symbol
        return [None if value is None else make(value) for make, value in zip(self._makers, row)]

    def _type(self, value: Any) -> Any:
        if value is None:
            return self._event_type
        if not self._numbered:
            return value
        number = isinstance(value, int) or (isinstance(value, str) and value.isdigit())
        return self._event_type if number or str(value).lower() == self._event_type.lower() else value


def _read_jsonl(path: Path, entry: dict[str, Any], form: _Form) -> Iterator[tuple[int, list[Any]]]:
    with _Content(path, entry["path"]) as content:
        for number, line in enumerate(io.BufferedReader(content, _PIECE), 1):
            if number == 1 and line.startswith(b"\xef\xbb\xbf"):
                line = line[3:]
            record = _record(line) if line.strip() else None
            if record is not None:
                yield number, form.of_record(record)


def _refuse(literal: str) -> Any:
    raise ValueError(f"{literal} is not JSON")


def _exact(digits: str) -> Decimal:
    return Decimal(digits) if abs(float(digits)) != float("inf") else _refuse(digits)


_JSON = json.JSONDecoder(parse_float=_exact, parse_constant=_refuse)


def _record(line: bytes) -> Optional[dict[str, Any]]:
    """The object on a line; None where there is none by the rules with which the package's records were counted."""
    try:
        text = line.decode("utf-8").strip(" \t\r\n")
        record = _JSON.decode(text)
        if not isinstance(record, dict) or (line.count(b"[") + line.count(b"{") > _MAX_DEPTH and _too_deep(record)):
            return None
        if _SURROGATE.search(text):
            _dump(record).encode("utf-8")  # half a surrogate pair is no character
    except (ValueError, RecursionError):
        return None
    return record


def _too_deep(record: dict[str, Any]) -> bool:
    level: list[Any] = [record]
    for _ in range(_MAX_DEPTH):
        inner = (value for item in level for value in (item.values() if isinstance(item, dict) else item))
        level = [value for value in inner if isinstance(value, (dict, list))]
    return bool(level)


def _read_csv(path: Path, entry: dict[str, Any], form: _Form) -> Iterator[tuple[int, list[Any]]]:
    dialect = entry.get("csv") or {}
    with _Content(path, entry["path"]) as content:
        records = _csv_records(content, dialect.get("delimiter") or ",", dialect.get("comment"))
        header = next(records, (0, []))[1] if dialect.get("hasHeader", True) else []
        names = list(dialect.get("columns") or header)
        places = [form.place(name) for name in names]
        for number, fields in records:
            if len(fields) > len(names):
                continue  # no record, by the rules with which they were counted
            row: list[Any] = [None] * form.width
            for at, field in zip(places, fields):
                if at is not None and field.strip():
                    row[at] = field
            yield number, row


def _csv_records(content: _Content, delimiter: str, comment: Optional[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows with the lines they begin on; what stands of a line before a tear is none, as its last field may be cut."""

    def whole_lines() -> Iterator[tuple[int, str]]:
        text = io.TextIOWrapper(io.BufferedReader(content, _PIECE), encoding="utf-8-sig", errors="replace", newline="")
        for numbered in enumerate(text, 1):
            if content.damage and not numbered[1].endswith(("\n", "\r")):
                return
            yield numbered

    csv.field_size_limit(2**31 - 1)
    lines = whole_lines()
    for number, line in lines:
        bare = line.rstrip("\r\n")
        if not bare or (comment and bare.startswith(comment)):
            continue
        if '"' in bare:
            # A quoted field may go on over the lines that follow.
            rest = itertools.chain([line], (text for _, text in lines))
            yield number, next(csv.reader(rest, delimiter=delimiter))
        else:
            yield number, bare.split(delimiter)


def _read_parquet(path: Path, entry: dict[str, Any], form: _Form) -> Iterator[tuple[int, list[Any]]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise SystemExit(f"reading {entry['path']} needs the pyarrow package: pip install pyarrow") from None
    number = 0
    with pq.ParquetFile(path) as file:
        names = [_parquet_place(form, name) for name in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=10_000):
            columns = [_parquet_values(pa, column) for column in batch.columns]
            for values in zip(*columns):
                row: list[Any] = [None] * form.width
                for at, value in zip(names, values):
                    if at is not None:
                        row[at] = value
                number += 1
                yield number, row


def _parquet_place(form: _Form, name: str) -> Optional[int]:
    """The column for one of the file; that of a list or a record is known by the first of its own columns."""
    at = form.place(name)
    if at is None:
        inner = (i for i, column in enumerate(form.columns) if column.field.lower().startswith(f"{name.lower()}."))
        at = next(inner, None)
    return at


def _parquet_values(pa: Any, column: Any) -> list[Any]:
    if pa.types.is_duration(column.type):
        return column.cast(pa.int64()).to_pylist()
    if not pa.types.is_timestamp(column.type):
        values = column.to_pylist()
        is_bytes = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
        if any(test(column.type) for test in is_bytes):
            return [None if value is None else value.hex().upper() for value in values]
        return values
    nanos = _NANOS[column.type.unit]
    return [None if count is None else Nanos(count * nanos) for count in column.cast(pa.int64()).to_pylist()]


_READERS = dict(jsonl=_read_jsonl, csv=_read_csv, parquet=_read_parquet)


# ---------------------------------------------------------------- values


def _maker(column: Column) -> Callable[[Any], Any]:
    if column.kind == "time":
        return lambda value: _nanos(value, column.unit)
    return dict(
        boolean=_boolean, integer=_integer, decimal=_decimal, double=float, text=_text, date=_date, json=_dump
    )[column.kind]


def _boolean(value: Any) -> bool:
    word = str(value).strip().lower()
    return word == "true" if word in ("true", "false") else bool(int(word))


def _integer(value: Any) -> int:
    number = int(value)
    if not isinstance(value, str) and number != value:
        raise ValueError(f"{value} is not a whole number")
    return number


def _decimal(value: Any) -> Optional[Decimal]:
    number = Decimal(repr(value) if isinstance(value, float) else value)
    if number.is_infinite():
        raise ValueError(f"{value} is no decimal")
    return None if number.is_nan() else number


def _text(value: Any) -> str:
    return value if isinstance(value, str) else value.isoformat() if hasattr(value, "isoformat") else _dump(value)


def _date(value: Any) -> str:
    return (value.isoformat() if isinstance(value, dt.date) else str(value).strip())[:10]


def _dump(value: Any) -> str:
    """A value as JSON, its numbers as they were written."""
    if isinstance(value, str):
        return json.encoder.encode_basestring(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.encoder.encode_basestring(str(k))}:{_dump(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_dump, value)) + "]"
    if value is None or isinstance(value, (bool, int)):
        return json.dumps(value)
    if isinstance(value, (float, Decimal)):
        return str(value) if Decimal(value).is_finite() else "null"
    return json.encoder.encode_basestring(str(value))


def _nanos(value: Any, unit: Optional[str]) -> Optional[int]:
    """Nanoseconds since 1970: ISO 8601, ``YYYYMMDD HHMMSS`` with an optional millisecond, or a count since 1970."""
    if isinstance(value, Nanos):
        return int(value)
    if isinstance(value, str):
        value = value.strip()
        found = _ISO.fullmatch(value)
        if found:
            return _of_iso(found)
        compact = _COMPACT.fullmatch(value)
        if compact:
            year, month, day, hour, minute, second, milli = compact.groups("0")
            seconds = _midnight(f"{year}-{month}-{day}") + int(hour) * 3600 + int(minute) * 60 + int(second)
            return seconds * 10**9 + int(milli) * 10**6
    elif isinstance(value, dt.date):
        return _midnight(value.isoformat()[:10]) * 10**9
    try:
        count = Decimal(repr(value) if isinstance(value, float) else value)
    except ArithmeticError:
        raise ValueError(f"{value!r} is no time") from None
    unit = unit or next((unit for least, unit in _SIZES if count >= least), None)
    if unit is None:
        raise ValueError(f"{value} is no time")
    return int(count * _NANOS[unit])


def _of_iso(found: re.Match[str]) -> Optional[int]:
    day, hour, minute, second, fraction, _, sign, hours, minutes = found.groups()
    if day == "0001-01-01":
        return None
    seconds = _midnight(day) + int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0)
    if sign:
        offset = int(hours) * 3600 + int(minutes or 0) * 60
        seconds += offset if sign == "-" else -offset
    return seconds * 10**9 + (int(f"{fraction:0<9}"[:9]) if fraction else 0)


@functools.lru_cache(maxsize=4096)
def _midnight(day: str) -> int:
    return (dt.date.fromisoformat(day).toordinal() - 719_163) * 86_400


@functools.lru_cache(maxsize=4096)
def _to_the_second(seconds: int) -> str:
    return (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)).isoformat()


def iso(nanos: int) -> str:
    """A time as text of one length, so that texts sort as times do."""
    seconds, rest = divmod(nanos, 10**9)
    return f"{_to_the_second(seconds)}.{rest:09}Z"


# ---------------------------------------------------------------- as a script


def _copied(kind: str, value: Any) -> str:
    """A value as COPY takes it."""
    if value is None:
        return r"\N"
    if kind == "time":
        # PostgreSQL keeps microseconds and would round.
        return f"{iso(value)[:26]}Z"
    if isinstance(value, bool):
        return "t" if value else "f"
    text = str(value)
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        text = text.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")
    return text


def _main(arguments: list[str]) -> None:
    named = [table for table in TABLES if [table.name] == arguments]
    if not named:
        raise SystemExit(f"usage: import_rows.py TABLE, one of: {', '.join(table.name for table in TABLES)}")
    table = named[0]
    kinds = [column.kind for column in table.columns]
    with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="\n", closefd=False) as out:
        for entry in files(table):
            start = f"{PACKAGE_ID}\t{_copied('text', entry['path'])}"
            for row in rows(table, entry):
                out.write(start)
                for kind, value in zip(kinds, row):
                    out.write(f"\t{_copied(kind, value)}")
                    if kind == "time":
                        out.write("\t" + (r"\N" if value is None else str(value)))
                out.write("\n")


if __name__ == "__main__":
    _main(sys.argv[1:])
{% endraw %}
