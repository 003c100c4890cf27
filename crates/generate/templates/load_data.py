#!/usr/bin/env python3
# -*- coding: utf-8 -*-
# Loader for the package: {{ name }}
"""Loads the data of this package into pandas, polars or Arrow, and checks it.

As a module::

    from scripts.load_data import load_data, iter_data, verify, get_symbols, get_event_types

    trades = load_data(symbol="AAPL", event_type="Trade", date="2024-01-03")
    for batch in iter_data(event_type="Trade", batch_rows=50_000):  # memory for one batch, not for the package
        ...
    assert not verify()

As a script::

    python scripts/load_data.py                                       what the package holds
    python scripts/load_data.py --symbol AAPL --head 5 --out x.parquet
    python scripts/load_data.py --verify                              needs Python alone
    python scripts/load_data.py --help

Needs Python 3.9 and pandas 2.0 or newer; ``zstandard`` for zstd files, ``pyarrow`` for Parquet files and Arrow tables,
``polars`` and ``pyarrow`` for polars.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import csv
import datetime as dt
import functools
import hashlib
import importlib
import io
import itertools
import json
import math
import os
import re
import shutil
import sys
import tempfile
import warnings
import zlib
from pathlib import Path, PurePosixPath
from typing import Any, Callable, Iterable, Iterator, NamedTuple, NoReturn, Optional, Union

_NO_PANDAS: Optional[ImportError] = None
try:
    import numpy as np
    import pandas as pd
except ImportError as missing:  # verify() and the lists do without
    _NO_PANDAS = missing
_PANDAS = (0, 0) if _NO_PANDAS else tuple(map(int, pd.__version__.split(".")[:2]))

__all__ = ["load_data", "iter_data", "verify", "get_symbols", "get_event_types", "Problem"]

_ROOT = Path(__file__).resolve().parent.parent
# After an import into a shared folder the data can lie above the package's papers.
_LEVELS_UP = 4
_PIECE = 1 << 16
# Schemas in the manifest end at so many fields.
_SCHEMA_LIMIT = 2048
_BATCH = 100_000
_UTC = "datetime64[ns, UTC]"

# The number of an event type in a record is its position here.
_EVENT_TYPES = (
    "Unknown L2Snapshot BboQuote Trade OrderFlow Heartbeat ConnectionStatus Integrity HistoricalBar HistoricalQuote "
    "HistoricalTrade HistoricalAuction AggregateBar Quote Depth OptionQuote OptionTrade OptionGreeks OptionChain "
    "OpenInterest OrderAdd OrderModify OrderCancel OrderExecute OrderReplace"
).split()
_SPELLING = dict((name.lower(), name) for name in _EVENT_TYPES)

# Columns that hold times whatever the manifest's schema says of them.
_TIME_NAMES = frozenset(
    "timestamp exchangetimestamp receivedatutc starttime endtime expiry expirydate expiration expirationdate".split()
)
# Where to look for the time of a row, best first.
_ROW_TIMES = (
    "timestamp ts time ts_event eventtime event_time snapshot.timestamp starttime sessiondate date datetime "
    "open_time opentime local_timestamp exchange_timestamp"
).split()
# Columns of CSV files that are text even where every value looks like a number (ticker 000001) or a word (TRUE).
_TEXT_NAMES = frozenset("symbol ticker canonicalsymbol effectivesymbol".split())

# Counts since 1970 from, to (exclusive), and the nanoseconds of one: s, ms, us, ns. Each covers 1973 to 2262;
# smaller numbers, such as a bar's index, are no times.
_EPOCH_UNITS = (
    (10**8, 9_223_372_036, 10**9),
    (10**10, 9_223_372_036_854, 10**6),
    (10**13, 9_223_372_036_854_775, 10**3),
    (10**16, 2**63 - 1, 1),
)

# From pandas 3.1 on, numbers in CSV are read exactly anyway and the option is deprecated.
_EXACT_FLOATS: dict[str, Any] = dict(float_precision="round_trip") if _PANDAS < (3, 1) else dict()

# Formats without a reader here, and what to do about them.
_ELSEWHERE = {
    "fxd": "convert it first: pdp fxd convert",
    "dbn": "use databento.DBNStore.from_file(path).to_df()",
}

OneOrMore = Union[str, Iterable[str], None]
Days = Union[str, dt.date, Iterable[Union[str, dt.date]], None]
Entry = dict[str, Any]  # a file as the manifest has it
Chosen = list[tuple[Entry, Optional[set[dt.date]]]]  # files, and the days whose rows to take; None for all rows
Table = Any  # a pandas.DataFrame; a polars.DataFrame or pyarrow.Table where that was asked for


# ---------------------------------------------------------------- what the package holds


def get_symbols() -> list[str]:
    """The symbols in the package."""
    return list(_manifest().get("symbols") or [])


def get_event_types() -> list[str]:
    """The event types in the package, such as ``Trade``."""
    return list(_manifest().get("eventTypes") or [])


def load_data(
    symbol: OneOrMore = None,
    event_type: OneOrMore = None,
    date: Days = None,
    *,
    columns: OneOrMore = None,
    to_polars: bool = False,
    to_arrow: bool = False,
) -> Table:
    """Loads records into one DataFrame.

    Rows come in the order of the files in the manifest, then as they stand in the file. Fields of ``payload`` become
    columns of their own (``payload.NAME`` where the record itself has a field NAME), objects within are flattened
    with dots, arrays stay lists. ``type`` is always the event type's name; other enums stay as they were recorded.
    Times are UTC datetimes in nanoseconds; an unset (year 1) or unreadable time is NaT. Prices and sizes are in the
    units of their source. ``symbol`` and ``type`` are taken from the manifest where a record has none.

    Args:
        symbol: one symbol or several, in any case; None for all.
        event_type: one event type or several, in any case; None for all.
        date: a UTC day as ``YYYY-MM-DD`` or a date, or several; None for all. From files of several days, only the
            rows of these days are taken.
        columns: the columns to return, in this order and in any case; None for all. One that no row has is empty.
        to_polars: return a ``polars.DataFrame``.
        to_arrow: return a ``pyarrow.Table``. Here and in polars, lists and objects are lists and structs; values
            without a type in common, in a column or within lists and objects, are text, as JSON where they were none.

    Returns:
        The records; an empty table, with a warning, when the package has nothing of the kind.

    Raises:
        FileNotFoundError: the manifest or a data file is missing.
        ImportError: a package that is needed is not installed.
        TypeError, ValueError: an argument cannot be read, or only files of formats without a reader here match.
    """
    convert = _converter(to_polars, to_arrow)
    chosen = _choose(symbol, event_type, date)
    names = _column_names(chosen, columns)
    frame = _join([_only(part, names) for entry, days in chosen for part in _frames(entry, days)])
    return convert(frame if names is None else _exactly(frame, names))


def iter_data(
    symbol: OneOrMore = None,
    event_type: OneOrMore = None,
    date: Days = None,
    *,
    batch_rows: int = _BATCH,
    columns: OneOrMore = None,
    to_polars: bool = False,
    to_arrow: bool = False,
) -> Iterator[Table]:
    """Loads the same records as :func:`load_data`, in the same order, batch by batch.

    No file is held in memory as a whole, so that memory depends on ``batch_rows`` and the size of a record alone.

    A batch comes from one file. Its columns are those its rows have, unless ``columns`` says which; types are the
    manifest's where its rows fit them. Where they do not, the type of a column can differ from batch to batch: between
    files that hold other kinds of values, and in a batch without any value.

    Args:
        batch_rows: the most rows in a batch.
        symbol, event_type, date, columns, to_polars, to_arrow: as for :func:`load_data`.

    Returns:
        An iterator over tables of at most ``batch_rows`` rows, none of them empty.

    Raises:
        As :func:`load_data`; a file that is missing or needs another package, when its turn comes.
    """
    if isinstance(batch_rows, bool) or not isinstance(batch_rows, int):
        raise TypeError(f"batch_rows must be a whole number, not {batch_rows!r}")
    if batch_rows < 1:
        raise ValueError(f"batch_rows must be 1 or more, not {batch_rows}")
    # What is wrong with an argument is said here and now, not when the first batch is asked for.
    convert = _converter(to_polars, to_arrow)
    chosen = _choose(symbol, event_type, date)
    names = _column_names(chosen, columns)
    return map(convert, _batches(chosen, names, batch_rows))


class Problem(NamedTuple):
    """Something in the package that is not as the manifest says."""

    member: str
    check: str
    expected: str
    actual: str

    def __str__(self) -> str:
        return f"{self.member}: {self.check}: expected {self.expected}, found {self.actual}"


def verify() -> list[Problem]:
    """Compares every member of the package with the size and SHA-256 that the manifest has for it.

    The manifest's own list is held against its ``packageChecksum``. Files that the manifest does not name are not
    looked at. Reads every file once, in pieces; needs no package beside Python.

    Returns:
        What is wrong; nothing where all is well.

    Raises:
        FileNotFoundError, ValueError: the manifest is missing or cannot be read.
    """
    return [problem for _, problem in _checks() if problem is not None]


# ---------------------------------------------------------------- the manifest


@functools.lru_cache(maxsize=1)
def _manifest() -> dict[str, Any]:
    path = _ROOT / "manifest.json"
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}: this script must stay in the folder scripts of its package")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if not isinstance(manifest, dict):
        raise ValueError(f"{path} is no manifest: it holds no JSON object")
    return manifest


def _files() -> list[Entry]:
    return list(_manifest().get("files") or [])


def _warn(text: str) -> None:
    """Warns whoever called into this file, however deep in it the reason was found."""
    own = (_warn.__code__.co_filename, contextlib.__file__)
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename in own:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, UserWarning, stacklevel=level)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "") if names else "(none)"


def _advice(entry: Entry) -> str:
    return _ELSEWHERE.get(entry["format"], f"its format {entry['format']} is not known")


# ---------------------------------------------------------------- other packages


def _needed(package: str, purpose: str) -> Any:
    """A package that not everybody has."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        name = package.partition(".")[0]
        raise ImportError(f"{purpose} needs the {name} package: pip install {name}") from error


def _need_pandas() -> None:
    if _NO_PANDAS is not None:
        raise ImportError("this loader needs the pandas package: pip install pandas") from _NO_PANDAS
    if _PANDAS < (2, 0):
        raise ImportError(f"this loader needs pandas 2.0 or newer, not {pd.__version__}: pip install --upgrade pandas")


def _converter(to_polars: bool, to_arrow: bool) -> Callable[[pd.DataFrame], Table]:
    """What makes the table that was asked for of a DataFrame."""
    _need_pandas()
    if to_polars and to_arrow:
        raise ValueError("to_polars and to_arrow exclude each other")
    if to_polars:
        polars = _needed("polars", "to_polars")
        _needed("pyarrow", "to_polars")
        return lambda frame: polars.from_arrow(_arrow(frame))
    if to_arrow:
        _needed("pyarrow", "to_arrow")
        return _arrow
    return lambda frame: frame


# ---------------------------------------------------------------- choosing files


def _matching(symbol: OneOrMore, event_type: OneOrMore, date: Days) -> Chosen:
    """The files that hold what is asked for."""
    symbols, types, days = _names(symbol, "symbol"), _names(event_type, "event_type"), _days(date)
    found = []
    for entry in _files():
        wanted = _wanted(entry.get("symbol"), symbols) and _wanted(entry.get("eventType"), types)
        part = _part(entry, days) if wanted else None
        if part is not None:
            found.append((entry, days if part == "rows" else None))
    return found


def _choose(symbol: OneOrMore, event_type: OneOrMore, date: Days) -> Chosen:
    """The same for the files that can be read here; says which cannot, and when there are none at all."""
    chosen = _matching(symbol, event_type, date)
    if not chosen:
        days = sorted(map(str, _days(date) or []))
        _warn(
            f"nothing matches symbol={symbol!r}, event_type={event_type!r}, date={', '.join(days) or None!r}; "
            f"the package has the symbols {_listed(get_symbols())} and the event types {_listed(get_event_types())}"
        )
    unread = [f"{entry['path']} ({_advice(entry)})" for entry, _ in chosen if entry["format"] not in _READERS]
    if unread and len(unread) == len(chosen):
        raise ValueError("this loader does not read " + "; ".join(unread))
    for text in unread:
        _warn(f"skipped {text}")
    return [(entry, days) for entry, days in chosen if entry["format"] in _READERS]


def _names(value: OneOrMore, argument: str) -> Optional[set[str]]:
    """The names asked for, in one case; None for all."""
    if value is None:
        return None
    names = [value] if isinstance(value, str) else list(value)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"{argument} must be a string or several, not {value!r}")
    return {name.casefold() for name in names}


def _wanted(name: Optional[str], names: Optional[set[str]]) -> bool:
    return names is None or (name or "").casefold() in names


def _days(value: Days) -> Optional[set[dt.date]]:
    """The UTC days asked for; None for all."""
    if value is None:
        return None
    if isinstance(value, (str, dt.date)) or not hasattr(value, "__iter__"):
        return {_day(value)}
    return {_day(day) for day in value}


def _day(value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        return (value.astimezone(dt.timezone.utc) if value.tzinfo else value).date()
    if isinstance(value, dt.date):
        return value
    try:
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        pass
    raise ValueError(f"date must be YYYY-MM-DD or a date, not {value!r}")


def _day_of(text: Optional[str]) -> Optional[dt.date]:
    """The UTC day of a time in the manifest."""
    clock, zone = r"([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.[0-9]+)?", "(?:Z|([+-][0-9]{2}:?[0-9]{2}))?"
    time = re.fullmatch("([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]" + clock + zone + ")?", text or "")
    if time is None:
        return None
    day, clock, zone = time.groups()
    try:
        found = dt.datetime.fromisoformat(f"{day}T{clock or '00:00'}")
        if zone:
            ahead = dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
            found = found - ahead if zone[0] == "+" else found + ahead
    except (ValueError, OverflowError):
        return None
    return found.date()


def _part(entry: Entry, days: Optional[set[dt.date]]) -> Optional[str]:
    """What of a file belongs to the days: ``whole``, only its ``rows`` of those days, or None for nothing."""
    if days is None:
        return "whole"
    filed = _day_of(entry.get("date"))
    first, last = _day_of(entry.get("firstTimestamp")), _day_of(entry.get("lastTimestamp"))
    spans_days = first is not None and last is not None and first != last
    if filed is not None and not spans_days:
        return "whole" if filed in days else None
    if first is None or last is None:
        return None
    return "rows" if any(first <= day <= last for day in days) else None


def _locate(path: str) -> Path:
    """A data file, below the manifest's folder or one of the folders above it."""
    relative = _within(path)
    for base in [_ROOT, *list(_ROOT.parents)[:_LEVELS_UP]]:
        if (base / relative).is_file():
            return base / relative
    raise FileNotFoundError(f"{path} is not below {_ROOT} nor any of the {_LEVELS_UP} folders above it")


def _within(path: str) -> PurePosixPath:
    """A path of the manifest, once it is known not to lead out of the package."""
    relative = PurePosixPath(path)
    if relative.is_absolute() or ".." in relative.parts or re.search(r"[\\:]", path):
        raise ValueError(f"the manifest names a path outside of the package: {path}")
    return relative


# ---------------------------------------------------------------- checksums


def _checks() -> Iterator[tuple[str, Optional[Problem]]]:
    """Every member that the manifest names, with what is wrong with it, and the manifest at the end."""
    listing = []
    for listed, find in ((_files(), _locate), (_manifest().get("supplementaryFiles") or [], _locate_paper)):
        for entry in listed:
            path, stated = str(entry.get("path")), _digest(entry.get("checksumSha256"))
            problem, actual = _check(path, find, entry.get("sizeBytes"), stated)
            listing.append((path.encode("utf-8", "replace"), stated or actual or ""))
            yield path, problem
    stated = _digest(_manifest().get("packageChecksum"))
    # A member that differs from the list is found above; this finds a list that differs from what was packed.
    lines = b"".join(digest.encode() + b"  " + path + b"\n" for path, digest in sorted(listing))
    actual = hashlib.sha256(lines).hexdigest()
    differs = stated is not None and stated != actual
    yield "manifest.json", Problem("manifest.json", "packageChecksum", str(stated), actual) if differs else None


def _check(
    path: str, find: Callable[[str], Path], size: Optional[int], digest: Optional[str]
) -> tuple[Optional[Problem], Optional[str]]:
    """What is wrong with a member, if anything, and its SHA-256 where it was computed."""
    try:
        file = find(path)
        actual_size = file.stat().st_size
        if size is not None and size != actual_size:
            return Problem(path, "size", f"{size} bytes", f"{actual_size} bytes"), None
        actual = _sha256(file)
    except FileNotFoundError:
        return Problem(path, "presence", "a file", "nothing"), None
    except (OSError, ValueError) as error:
        return Problem(path, "reading", "a file that can be read", str(error)), None
    return (None if digest in (None, actual) else Problem(path, "sha256", str(digest), actual)), actual


def _locate_paper(path: str) -> Path:
    """A member beside the data, which always lies with the manifest: above may lie another package's."""
    return _ROOT / _within(path)


def _digest(stated: Optional[str]) -> Optional[str]:
    return None if stated is None else str(stated).lower().rpartition("sha256:")[2]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


# ---------------------------------------------------------------- bytes


class _Content(io.RawIOBase):
    """A file's content with its compression, told by its first bytes, undone on the fly.

    ``damage`` says what is wrong once the compressed data has turned out torn or damaged; the content then ends there.
    """

    def __init__(self, path: Path, shown: str) -> None:
        super().__init__()
        self.damage: Optional[str] = None
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
                if within:
                    self.damage = "ends in the middle"
                return
            if not within:
                data = data.lstrip(b"\0")
                if not data:
                    continue
                within = True
            backup = decoder.copy() if hasattr(decoder, "copy") else None
            try:
                piece = decoder.decompress(data)
            except Exception as error:  # zlib and zstandard share no class of error
                self.damage = f"is damaged: {error}"
                yield from _salvaged(backup, data)
                return
            yield piece
            data = b""
            if decoder.eof:
                data, decoder, within = decoder.unused_data, start(), False


def _decoder_for(head: bytes, shown: str) -> Optional[Callable[[], Any]]:
    """What makes a decoder for a file that begins so; None for plain content.

    The name does not tell: collectors write gzip under names in ``.zst``.
    """
    if head[:2] == b"\x1f\x8b":
        return functools.partial(zlib.decompressobj, 31)
    skippable = head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5
    if head != b"\x28\xb5\x2f\xfd" and not skippable:
        return None
    zstandard = _needed("zstandard", f"reading {shown}")
    return lambda: zstandard.ZstdDecompressor().decompressobj()


def _salvaged(decoder: Any, data: bytes) -> Iterator[bytes]:
    """What can be had from damaged data: a decoder gives nothing of a call that fails, so byte by byte."""
    for at in range(len(data) if decoder else 0):
        try:
            yield decoder.decompress(data[at : at + 1])
        except zlib.error:
            return


def _warn_of_damage(content: _Content, shown: str) -> None:
    if content.damage:
        _warn(f"the compressed data of {shown} {content.damage}; the rows before that were read")


def _warn_of_skipped(what: str, count: int, shown: str, line: int) -> None:
    if count:
        _warn(f"{count} {what} skipped in {shown}, first at line {line}")


# ---------------------------------------------------------------- JSON Lines


def _read_jsonl(path: Path, entry: Entry, batch_rows: Optional[int]) -> Iterator[pd.DataFrame]:
    shown, columns, bad, first_bad = entry["path"], _Columns(), 0, 0
    with _Content(path, shown) as content:
        for number, line in enumerate(io.BufferedReader(content, _PIECE), 1):
            if number == 1 and line.startswith(b"\xef\xbb\xbf"):
                line = line[3:]
            if not line.strip():
                continue
            record = _record(line)
            if record is None:
                if not content.damage or line.endswith(b"\n"):  # else it is the piece before a tear
                    bad, first_bad = bad + 1, first_bad or number
                continue
            columns.add(_flat(record))
            if columns.rows == (batch_rows or _BATCH):
                # Columns are far smaller than the records they are made of.
                yield columns.frame()
                columns = _Columns()
        _warn_of_damage(content, shown)
    _warn_of_skipped("unreadable lines", bad, shown, first_bad)
    if columns.rows:
        yield columns.frame()


def _refuse(literal: str) -> Any:
    raise ValueError(f"{literal} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    return value if abs(value) != float("inf") else _refuse(digits)


_JSON = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_MAX_DEPTH = 127


def _record(line: bytes) -> Optional[dict[str, Any]]:
    """The object on a line; None where there is none by the rules with which the package's records were counted."""
    try:
        text = line.decode("utf-8").strip(" \t\r\n")
        record = _JSON.decode(text)
        if not isinstance(record, dict) or (line.count(b"[") + line.count(b"{") > _MAX_DEPTH and _too_deep(record)):
            return None
        if _SURROGATE.search(text):
            # Half a surrogate pair is no character and cannot be encoded.
            json.dumps(record, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    return record


def _too_deep(record: dict[str, Any]) -> bool:
    level: list[Any] = [record]
    for _ in range(_MAX_DEPTH):
        inner = (value for item in level for value in (item.values() if isinstance(item, dict) else item))
        level = [value for value in inner if isinstance(value, (dict, list))]
    return bool(level)


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record as one row."""
    row: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict) and name.lower() == "payload":
            for inner, part in value.items():
                _put(row, f"payload.{inner}" if inner in record else inner, part)
        else:
            _put(row, name, value)
    return row


def _put(row: dict[str, Any], name: str, value: Any) -> None:
    if not isinstance(value, dict):
        row[name] = value
    elif value:
        for inner, part in value.items():
            _put(row, f"{name}.{inner}", part)
    else:
        row.setdefault(name, None)


class _Columns:
    """Rows with fields of their own, collected column by column."""

    def __init__(self) -> None:
        self.rows = 0
        self._values: dict[str, list[Any]] = {}

    def add(self, row: dict[str, Any]) -> None:
        for name, value in row.items():
            column = self._values.setdefault(name, [])
            if len(column) < self.rows:
                column.extend([None] * (self.rows - len(column)))
            column.append(value)
        self.rows += 1

    def frame(self) -> pd.DataFrame:
        for column in self._values.values():
            column.extend([None] * (self.rows - len(column)))
        columns = dict((name, _series(values)) for name, values in self._values.items())
        return pd.DataFrame(columns, index=pd.RangeIndex(self.rows))


def _series(values: list[Any]) -> pd.Series:
    """Values of JSON in the narrowest fitting type; whole numbers stay whole where some are missing."""
    kinds = set(map(type, values))
    gaps = type(None) in kinds
    kinds.discard(type(None))
    try:
        if kinds == {int}:
            return pd.Series(values, dtype="Int64" if gaps else "int64")
        if kinds and kinds <= {int, float}:
            return pd.Series(values, dtype="float64")
    except (OverflowError, TypeError, ValueError):
        return pd.Series(values, dtype="object")  # whole numbers beyond 64 bits
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean" if gaps else "bool")
    return pd.Series(values) if kinds == {str} else pd.Series(values, dtype="object")


# ---------------------------------------------------------------- CSV


def _read_csv(path: Path, entry: Entry, batch_rows: Optional[int]) -> Iterator[pd.DataFrame]:
    if batch_rows is not None:
        with _csv_rows(path, entry) as rows:
            for text in rows.batches(batch_rows):
                yield _typed_csv(entry, lambda types: _parse_csv(rows, io.StringIO(text), types))
        return

    def whole(types: dict[str, Any]) -> pd.DataFrame:
        with _csv_rows(path, entry) as rows:
            return _parse_csv(rows, rows, types)

    yield _typed_csv(entry, whole)


@contextlib.contextmanager
def _csv_rows(path: Path, entry: Entry) -> Iterator[_CsvRows]:
    with _Content(path, entry["path"]) as content:
        rows = _CsvRows(content, entry.get("csv") or {})
        yield rows
        _warn_of_damage(content, entry["path"])
    _warn_of_skipped("rows with too many fields", rows.bad, entry["path"], rows.first_bad)


def _typed_csv(entry: Entry, parse: Callable[[dict[str, Any]], pd.DataFrame]) -> pd.DataFrame:
    """What ``parse`` makes of rows when it is told of the columns whose types pandas would guess wrongly."""
    declared = _declared(entry)
    text_columns, long_columns = {}, {}
    for name in _unique((entry.get("csv") or {}).get("columns") or []):
        lower = name.strip().lower()
        kind, nullable = declared.get(lower, ("", True))
        if kind == "string" or lower in _TEXT_NAMES:
            text_columns[name] = str
        elif kind == "long" and nullable:
            # Through floats, which pandas falls back to for missing values, long numbers lose digits.
            long_columns[name] = "Int64"
    try:
        frame = parse(dict(text_columns, **long_columns))
    except (TypeError, ValueError, OverflowError):
        if not long_columns:
            raise
        frame = parse(text_columns)
    return _plain_integers(frame)


def _parse_csv(rows: _CsvRows, text: Any, types: dict[str, Any]) -> pd.DataFrame:
    try:
        return pd.read_csv(
            text,
            sep=rows.delimiter,
            header=None,
            names=rows.columns,
            index_col=False,
            dtype=types,
            # Only an empty field is missing: NA, NAN and NULL are tickers.
            keep_default_na=False,
            na_values=[""],
            skip_blank_lines=False,
            low_memory=False,
            **_EXACT_FLOATS,
        )
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=rows.columns)


def _unique(names: Iterable[str]) -> list[str]:
    """Names of columns, a second ``a`` becoming ``a.1``."""
    found: dict[str, None] = {}
    for name in names:
        numbered = itertools.chain([name], (f"{name}.{number}" for number in itertools.count(1)))
        found[next(free for free in numbered if free not in found)] = None
    return list(found)


class _CsvRows:
    """The records of a CSV file, for pandas to read, as text in which every row has exactly the columns' fields.

    pandas alone would cut a first row that is too long, or take it for the measure of those that follow.
    """

    def __init__(self, content: _Content, dialect: dict[str, Any]) -> None:
        self.delimiter: str = dialect.get("delimiter") or ","
        self.bad, self.first_bad = 0, 0
        self._comment: Optional[str] = dialect.get("comment")
        self._content = content
        self._number = 0
        self._lines = self._whole_lines()
        header: list[str] = []
        if dialect.get("hasHeader", True):
            first = next(self._records(), (0, ""))[1]
            header = first.split(self.delimiter) if isinstance(first, str) else first
        self.columns: list[str] = _unique(dialect.get("columns") or header)
        self._rows = self._even_rows()

    def __iter__(self) -> Iterator[str]:
        return self._rows

    def batches(self, rows: int) -> Iterator[str]:
        """The text of so many rows each time."""
        return iter(lambda: "".join(itertools.islice(self._rows, rows)), "")

    def read(self, size: int = -1) -> str:
        """Whole rows of about ``size`` characters, all for -1; empty at the end."""
        rows, length = [], 0
        for row in self._rows:
            rows.append(row)
            length += len(row)
            if 0 <= size <= length:
                break
        return "".join(rows)

    def _whole_lines(self) -> Iterator[str]:
        """Lines with their ends; what stands of a line before a tear is none, as its last field may be cut."""
        buffered = io.BufferedReader(self._content, _PIECE)
        for line in io.TextIOWrapper(buffered, encoding="utf-8-sig", errors="replace", newline=""):
            self._number += 1
            if self._content.damage and not line.endswith(("\n", "\r")):
                return
            yield line

    def _records(self) -> Iterator[tuple[int, Union[str, list[str]]]]:
        """Records and the lines they begin on: as text where nothing is quoted, else as fields."""
        for line in self._lines:
            number, bare = self._number, line.rstrip("\r\n")
            if bare and not (self._comment and bare.startswith(self._comment)):
                yield number, self._quoted(line) if '"' in bare else bare

    def _quoted(self, line: str) -> list[str]:
        """The fields of the record that begins with a line; takes the lines that a quoted field goes on over."""
        limit = csv.field_size_limit(2**31 - 1)
        try:
            return next(csv.reader(itertools.chain([line], self._lines), delimiter=self.delimiter))
        finally:
            csv.field_size_limit(limit)

    def _even_rows(self) -> Iterator[str]:
        for number, record in self._records():
            if isinstance(record, str):
                count = record.count(self.delimiter) + 1
            else:
                count = len(record)
                record = self.delimiter.join('"' + field.replace('"', '""') + '"' for field in record)
            if count > len(self.columns):
                self.bad, self.first_bad = self.bad + 1, self.first_bad or number
            else:
                yield record + self.delimiter * (len(self.columns) - count) + "\n"


# ---------------------------------------------------------------- Parquet


def _read_parquet(path: Path, entry: Entry, batch_rows: Optional[int]) -> Iterator[pd.DataFrame]:
    pq = _needed("pyarrow.parquet", f"reading {entry['path']}")
    pa = _needed("pyarrow", f"reading {entry['path']}")
    # Without these types, whole numbers in columns with gaps become floats, and times in nanoseconds lose digits.
    names = "int8 int16 int32 int64 uint8 uint16 uint32 uint64".split()
    whole = dict((getattr(pa, name)(), pd.array([], dtype=_nullable(name)).dtype) for name in names)
    with pq.ParquetFile(path) as file:
        columns = _unique(file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=batch_rows or _BATCH):
            # The metadata would make an index of columns.
            frame = batch.rename_columns(columns).to_pandas(types_mapper=whole.get, ignore_metadata=True)
            yield _plain_integers(frame)


_READERS = {"jsonl": _read_jsonl, "csv": _read_csv, "parquet": _read_parquet}


# ---------------------------------------------------------------- columns


def _frames(
    entry: Entry, days: Optional[set[dt.date]] = None, batch_rows: Optional[int] = None
) -> Iterator[pd.DataFrame]:
    """A file's rows in pieces, or only those of some days; of at most ``batch_rows`` rows each where that is given."""
    for frame in _READERS[entry["format"]](_locate(entry["path"]), entry, batch_rows):
        frame = frame.rename(columns=_spellings(frame, entry))
        _fill(frame, "symbol", entry.get("symbol") or "UNKNOWN")
        _name_types(frame, entry)
        datetimes = {name for name, (kind, _) in _declared(entry).items() if kind == "datetime"}
        for column in frame.columns:
            name = str(column).strip().lower()
            if name in datetimes or (name.rpartition(".")[2] in _TIME_NAMES and _may_be_times(frame[column])):
                frame[column] = _as_utc(frame[column])
        yield frame if days is None else frame[_is_on(frame, days, entry)]


def _batches(chosen: Chosen, names: Optional[list[str]], batch_rows: int) -> Iterator[pd.DataFrame]:
    for entry, days in chosen:
        for frame in _frames(entry, days, batch_rows):
            if len(frame):
                frame = _steady(frame.reset_index(drop=True), entry)
                yield frame if names is None else _exactly(_only(frame, names), names)


def _steady(frame: pd.DataFrame, entry: Entry) -> pd.DataFrame:
    """A batch in the types of the manifest's schema, which its own few rows may not tell."""
    declared = _declared(entry)
    types = dict()
    for column in frame.columns:
        kind, nullable = declared.get(str(column).strip().lower(), ("", True))
        dtype, empty = frame[column].dtype, frame[column].isna().all()
        if kind == "decimal" and (empty or dtype.kind in "iu"):
            types[column] = "float64"
        elif kind == "long" and nullable and (empty or dtype.kind in "iu"):
            types[column] = "Int64" if empty else _nullable(dtype.name)
        elif kind == "boolean" and nullable and (empty or dtype.kind == "b"):
            types[column] = "boolean"
    return frame.astype(types) if types else frame


def _column_names(chosen: Chosen, columns: OneOrMore) -> Optional[list[str]]:
    """The columns asked for as the manifest's schemas spell them; None for all."""
    if columns is None:
        return None
    asked = [columns] if isinstance(columns, str) else list(columns)
    if not all(isinstance(name, str) for name in asked):
        raise TypeError(f"columns must be a string or several, not {columns!r}")
    schemas = [_schema_names(entry) for entry, _ in chosen]
    known = dict(symbol="symbol", type="type")
    for name in itertools.chain.from_iterable(schemas):
        known.setdefault(name.lower(), name)
    # Fields of what is an object only now and then are columns of their own, but not in the schema.
    unknown = [name for name in asked if not known.keys() & {name.lower(), name.lower().partition(".")[0]}]
    if unknown and schemas and all(0 < len(names) < _SCHEMA_LIMIT for names in schemas):
        raise ValueError(f"there is no column {unknown[0]!r}; there are {', '.join(sorted(known.values()))}")
    return list(dict.fromkeys(known.get(name.lower(), name) for name in asked))


def _only(frame: pd.DataFrame, names: Optional[list[str]]) -> pd.DataFrame:
    """Those of the columns that a frame has, in any case."""
    if names is None:
        return frame
    found = dict((str(column).strip().lower(), column) for column in reversed(frame.columns))
    chosen = dict((found[name.lower()], name) for name in names if name.lower() in found)
    return frame[list(chosen)].rename(columns=chosen)


def _exactly(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """These columns in this order, empty where there was none."""
    empty = dict((name, pd.Series(None, index=frame.index, dtype="object")) for name in names if name not in frame)
    return frame.assign(**empty)[names]


def _spellings(frame: pd.DataFrame, entry: Entry) -> dict[Any, str]:
    """The schema's spelling of columns that a file has in another case, so that one field is one column."""
    names = dict((name.lower(), name) for name in _schema_names(entry))
    found: dict[Any, str] = dict()
    taken = set(frame.columns)
    for column in frame.columns:
        name = names.get(str(column).strip().lower())
        if name is not None and name not in taken:
            found[column] = name
            taken.add(name)
    return found


def _schema_names(entry: Entry) -> list[str]:
    for event_type, schema in (_manifest().get("schemas") or {}).items():
        if event_type.casefold() == (entry.get("eventType") or "").casefold():
            return [field["name"] for field in schema.get("fields") or []]
    return []


def _declared(entry: Entry) -> dict[str, tuple[str, bool]]:
    """Type and nullability of the columns, by lower-case name, as the manifest's schema has them."""
    for event_type, schema in (_manifest().get("schemas") or {}).items():
        if event_type.casefold() == (entry.get("eventType") or "").casefold():
            fields = schema.get("fields") or []
            return dict((f["name"].strip().lower(), (f.get("type", ""), f.get("nullable", True))) for f in fields)
    return {}


def _nullable(name: str) -> str:
    """The type of whole numbers that can be missing: Int64 for int64, and for Int64 itself."""
    return name.replace("i", "I").replace("u", "U")


def _plain_integers(frame: pd.DataFrame) -> pd.DataFrame:
    """Nullable whole numbers as plain ones in the columns where none is missing."""
    for column in frame.columns:
        dtype = frame[column].dtype
        if hasattr(dtype, "numpy_dtype") and dtype.kind in "iu" and frame[column].notna().all():
            frame[column] = frame[column].astype(dtype.numpy_dtype)
    return frame


def _columns_called(frame: pd.DataFrame, name: str) -> list[Any]:
    return [column for column in frame.columns if str(column).strip().lower() == name]


def _fill(frame: pd.DataFrame, name: str, value: str) -> None:
    """Gives every row that has nothing in any column of this name, in any case, the value."""
    present = _columns_called(frame, name)
    if not present:
        frame[name] = value
        return
    missing = frame[present].isna().all(axis=1)
    if missing.any():
        frame[present[0]] = frame[present[0]].astype("object").where(~missing, value).infer_objects()


def _name_types(frame: pd.DataFrame, entry: Entry) -> None:
    """Makes ``type`` the event type's name.

    In JSON Lines numbers are the collector's. Another format's own column of numbers is replaced only where they say
    the same as the manifest, as else they mean something else.
    """
    event_type = entry.get("eventType") or "Unknown"
    _fill(frame, "type", event_type)
    for column in _columns_called(frame, "type"):
        names = [_type_name(value, event_type) for value in frame[column]]
        if entry["format"] == "jsonl" or (frame[column].dtype.kind in "iuf" and set(names) == {event_type}):
            frame[column] = names


def _type_name(value: Any, otherwise: str) -> Any:
    if isinstance(value, str):
        return _SPELLING.get(value.lower(), value)
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and value in range(len(_EVENT_TYPES))
    return _EVENT_TYPES[int(value)] if known else otherwise


def _may_be_times(column: pd.Series) -> bool:
    """False for numbers that are no counts since 1970, such as the date 20240103."""
    return column.dtype.kind not in "iuf" or bool((column.dropna() >= _EPOCH_UNITS[0][0]).all())


def _as_utc(column: pd.Series) -> pd.Series:
    """Times of any form as UTC datetimes in nanoseconds; NaT for what is none or outside of 1678 to 2262."""
    if column.dtype.kind == "M":
        return _in_nanoseconds(pd.to_datetime(column, utc=True))
    if column.dtype.kind in "iuf":
        return _from_epoch(column)
    if pd.api.types.infer_dtype(column, skipna=True) == "string":
        return _from_text(column)
    numbers = column.map(lambda value: type(value) in (int, float)).astype("bool")
    texts = column[~numbers].map(lambda value: str(value) if isinstance(value, (str, dt.date)) else None)
    times = pd.Series(pd.NaT, index=column.index, dtype=_UTC)
    times[~numbers] = _from_text(texts.astype("object"))
    if numbers.any():
        times[numbers] = _from_epoch(pd.to_numeric(column[numbers], errors="coerce"))
    return times


def _from_text(texts: pd.Series) -> pd.Series:
    """ISO 8601, ``YYYYMMDD HHMMSS`` with an optional millisecond, or digits that count since 1970."""
    texts = texts.astype("object").str.strip()
    times = _in_nanoseconds(pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce"))
    rest = texts[times.isna() & texts.notna()].astype("str")
    compact = rest[rest.str.fullmatch("[0-9]{8} [0-9]{6}(?:[0-9]{3})?")]
    if len(compact):
        iso = compact.str[:8] + "T" + compact.str[9:15] + "." + (compact.str[15:] + "000").str[:3]
        times[compact.index] = _in_nanoseconds(pd.to_datetime(iso, format="ISO8601", utc=True, errors="coerce"))
    digits = rest[rest.str.fullmatch(r"[0-9]{9,19}(?:\.[0-9]+)?")]
    for whole in (True, False):
        part = digits[digits.str.isdigit() == whole]
        if len(part):
            times[part.index] = _from_epoch(pd.to_numeric(part, errors="coerce"))
    return times


def _from_epoch(numbers: pd.Series) -> pd.Series:
    """Counts since 1970 in s, ms, us or ns, told apart by size; fractions are good to the microsecond."""
    times = pd.Series(pd.NaT, index=numbers.index, dtype=_UTC)
    for low, high, nanos in _EPOCH_UNITS:
        part = numbers[((numbers >= low) & (numbers < high)).fillna(False).astype("bool")]
        if not len(part):
            continue
        if part.dtype.kind == "f" and nanos > 1:
            counts = (part * (nanos // 1000)).round().astype("int64") * 1000
        else:
            counts = part.astype("int64") * nanos
        times[part.index] = _in_nanoseconds(pd.to_datetime(counts, unit="ns", utc=True))
    return times


def _in_nanoseconds(times: pd.Series) -> pd.Series:
    if times.dt.tz is None:  # as pandas 2.0 has it where every time is out of range
        times = times.dt.tz_localize("UTC")
    if times.dtype.unit != "ns":
        # Times that nanoseconds cannot hold, the unset year 1 among them, would raise an error.
        earliest, latest = pd.Timestamp("1678-01-01", tz="UTC"), pd.Timestamp("2262-01-01", tz="UTC")
        times = times.where(times.between(earliest, latest))
    return times.dt.as_unit("ns")


def _is_on(frame: pd.DataFrame, days: set[dt.date], entry: Entry) -> pd.Series:
    """Which rows are of the UTC days."""
    named = [column for name in _ROW_TIMES for column in _columns_called(frame, name)]
    others = [column for column in frame.columns if isinstance(frame[column].dtype, pd.DatetimeTZDtype)]
    times = pd.Series(pd.NaT, index=frame.index, dtype=_UTC)
    for column in dict.fromkeys([*named, *others]):
        if not times.isna().any():
            break
        times = times.fillna(_as_utc(frame[column]))
    if len(times) and times.isna().all():
        _warn(f"no row of {entry['path']} has a time by which to tell its day; none was taken")
    return times.dt.normalize().isin([pd.Timestamp(day, tz="UTC") for day in days])


def _join(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """One frame of all rows, and of all columns in the order of their first appearance."""
    filled = [frame for frame in frames if len(frame)]
    if len(filled) < 2:
        return filled[0].reset_index(drop=True) if filled else frames[0] if frames else pd.DataFrame()
    columns = list(dict.fromkeys(column for frame in filled for column in frame.columns))
    times = {c for frame in filled for c in frame.columns if isinstance(frame[c].dtype, pd.DatetimeTZDtype)}
    # A column without a value must not decide on the type of the whole.
    parts = [frame.loc[:, frame.notna().any()] for frame in filled]
    everywhere = set(parts[0].columns).intersection(*(part.columns for part in parts))
    floats = {column for part in parts for column in part.columns if part[column].dtype.kind == "f"}
    whole = pd.concat([_with_room_for_gaps(part, everywhere, floats) for part in parts], ignore_index=True)
    empty = [column for column in columns if column not in whole.columns]
    whole = whole.reindex(columns=columns)
    for column in empty:
        whole[column] = pd.Series(None, index=whole.index, dtype=_UTC if column in times else "object")
    return whole


def _with_room_for_gaps(frame: pd.DataFrame, everywhere: set[Any], floats: set[Any]) -> pd.DataFrame:
    """Nullable types for the whole numbers and booleans that other frames lack, lest they become floats and objects."""
    types = dict()
    for column in frame.columns:
        kind, name = frame[column].dtype.kind, frame[column].dtype.name
        if kind in "iu" and column in floats:
            types[column] = "float64"
        elif kind in "iub" and column not in everywhere:
            types[column] = "boolean" if kind == "b" else _nullable(name)
    return frame.astype(types) if types else frame


# ---------------------------------------------------------------- Arrow


def _arrow(frame: pd.DataFrame) -> Any:
    """A frame as an Arrow table."""
    pa = _needed("pyarrow", "a table of Arrow")
    names = [str(name) for name in frame.columns]
    return pa.Table.from_arrays([_arrow_column(frame.iloc[:, at]) for at in range(len(names))], names=names)


def _arrow_column(column: pd.Series) -> Any:
    """A column as an Arrow array."""
    import pyarrow as pa

    try:
        array = pa.array(column, from_pandas=True)
        if not _is_hollow(array.type):
            return array
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        pass
    return pa.array(_agreed(_plain_values(column)))


def _is_hollow(kind: Any) -> bool:
    """Whether values of an Arrow type are, somewhere within, objects without fields, which Parquet cannot hold."""
    inner = [kind.field(at).type for at in range(kind.num_fields)]
    return (str(kind).startswith("struct") and not inner) or any(map(_is_hollow, inner))


def _agreed(values: list[Any]) -> list[Any]:
    """Values of which those without a type in common are text; so are those within lists and objects."""
    import pyarrow as pa

    given = [value for value in values if value is not None]
    if given and all(isinstance(value, list) for value in given):
        items = iter(_agreed(list(itertools.chain.from_iterable(given))))
        return [None if value is None else list(itertools.islice(items, len(value))) for value in values]
    if all(isinstance(value, dict) for value in given) and any(given):
        names = dict.fromkeys(itertools.chain.from_iterable(given))
        parts = zip(*(_agreed([value.get(name) if value else None for value in values]) for name in names))
        return [None if value is None else dict(zip(names, part)) for value, part in zip(values, parts)]
    try:
        if not _is_hollow(pa.array(given).type):
            return values
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        pass
    return [None if value is None else _cell(value) for value in values]


def _common_type(one: Any, other: Any) -> Any:
    """An Arrow type that holds the values of two; text where there is no other."""
    import pyarrow as pa

    if pa.types.is_list(one) and pa.types.is_list(other):
        return pa.list_(_common_type(one.value_type, other.value_type))
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        types: dict[str, Any] = {}
        for field in itertools.chain(*([kind.field(at) for at in range(kind.num_fields)] for kind in (one, other))):
            types[field.name] = _common_type(types.get(field.name, field.type), field.type)
        return pa.struct(list(types.items()))
    schemas = [pa.schema([("column", kind)]) for kind in (one, other)]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.string()


def _as_schema(table: Any, schema: Any) -> Any:
    """A table with exactly the columns of a schema, each of a type that the schema's holds."""
    import pyarrow as pa

    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(len(table), field.type))
            continue
        column = table[field.name]
        try:
            columns.append(column.cast(field.type, safe=False))
        except pa.ArrowException:  # lists and objects that become text, or get other fields
            columns.append(pa.array([_fitted(value, field.type) for value in column.to_pylist()], field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _fitted(value: Any, kind: Any) -> Any:
    """A value in the form that an Arrow type which holds it wants."""
    import pyarrow as pa

    if value is None:
        return None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _cell(value)
    if pa.types.is_list(kind):
        return [_fitted(part, kind.value_type) for part in value]
    if pa.types.is_struct(kind):
        fields = [kind.field(at) for at in range(kind.num_fields)]
        return dict((field.name, _fitted(value.get(field.name), field.type)) for field in fields)
    return value


# ---------------------------------------------------------------- writing files


def _save(frames: Iterable[pd.DataFrame], out: Path) -> int:
    """Writes rows to a file, which takes its name once it is whole, and counts them."""
    rows = 0

    def counted() -> Iterator[pd.DataFrame]:
        nonlocal rows
        for frame in frames:
            rows += len(frame)
            yield frame

    part = out.with_name(f".load_data-{os.getpid()}.part")
    try:
        _WRITERS[out.suffix.lower()](counted(), part)
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
    return rows


@contextlib.contextmanager
def _put_aside(frames: Iterable[pd.DataFrame], near: Path) -> Iterator[Callable[[], Iterator[pd.DataFrame]]]:
    """Keeps batches on disk until all were seen: only then is it known which columns there are, and of which types."""
    with tempfile.TemporaryDirectory(prefix=".load_data-", dir=near) as directory:
        paths = []
        for number, frame in enumerate(frames):
            paths.append(os.path.join(directory, str(number)))
            frame.to_pickle(paths[-1])
        yield lambda: map(pd.read_pickle, paths)


def _write_csv(frames: Iterable[pd.DataFrame], path: Path) -> None:
    columns: dict[Any, None] = {}
    floats: set[Any] = set()

    def seen() -> Iterator[pd.DataFrame]:
        for frame in frames:
            columns.update(dict.fromkeys(frame.columns))
            floats.update(column for column in frame.columns if frame[column].dtype.kind == "f")
            yield frame

    with _put_aside(seen(), path.parent) as again, open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(columns)
        for frame in again():
            whole = [column for column in frame.columns if column in floats and frame[column].dtype.kind in "iu"]
            frame = frame.astype(dict.fromkeys(whole, "float64")).reindex(columns=list(columns))
            for column in frame.columns:
                frame[column] = _csv_column(frame[column])
            frame.to_csv(file, index=False, header=False, lineterminator="\n")


def _csv_column(column: pd.Series) -> pd.Series:
    """A column as pandas writes it well: times with all digits, lists and objects as JSON."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return pd.Series(_iso(column), index=column.index, dtype="object")
    if column.dtype != "object":
        return column
    texts = [None if value is None else _cell(value) for value in _plain_values(column)]
    return pd.Series(texts, index=column.index, dtype="object")


def _write_jsonl(frames: Iterable[pd.DataFrame], path: Path) -> None:
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for frame in frames:
            names = [str(name) for name in frame.columns]
            for row in zip(*(_plain_values(frame[name]) for name in frame.columns)):
                # Like a record, a line has only the fields that it has values for.
                record = dict((name, value) for name, value in zip(names, row) if value is not None)
                file.write(_json(record) + "\n")


def _write_parquet(frames: Iterable[pd.DataFrame], path: Path) -> None:
    pq = _needed("pyarrow.parquet", "writing a Parquet file")
    _write_tables(frames, path, lambda schema: pq.ParquetWriter(path, schema))


def _write_feather(frames: Iterable[pd.DataFrame], path: Path) -> None:
    ipc = _needed("pyarrow.ipc", "writing an Arrow file")
    _write_tables(frames, path, lambda schema: ipc.new_file(str(path), schema))


def _write_tables(frames: Iterable[pd.DataFrame], path: Path, open_writer: Callable[[Any], Any]) -> None:
    pa = _needed("pyarrow", "writing the file")
    types: dict[str, Any] = {}

    def seen() -> Iterator[pd.DataFrame]:
        for frame in frames:
            for field in _arrow(frame).schema:
                known = types.setdefault(field.name, field.type)
                types[field.name] = known if known == field.type else _common_type(known, field.type)
            yield frame

    with _put_aside(seen(), path.parent) as again:
        schema = pa.schema(list(types.items()))
        with open_writer(schema) as writer:
            for frame in again():
                writer.write_table(_as_schema(_arrow(frame), schema))


_WRITERS = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
    ".feather": _write_feather,
    ".arrow": _write_feather,
}


def _iso(times: pd.Series) -> list[Optional[str]]:
    """UTC times as ISO 8601 with all nine digits; None for none."""
    texts = np.datetime_as_string(times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), unit="ns")
    return [None if text == "NaT" else f"{text}Z" for text in texts]


def _plain_values(column: pd.Series) -> list[Any]:
    """The values of a column as Python's own; None for none."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _iso(column)
    return column.astype("object").where(column.notna(), None).tolist()


def _cell(value: Any) -> str:
    """A value as text."""
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    """A value as JSON; NaN and infinity, which JSON does not have, as null."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_simple)
    except ValueError:
        return json.dumps(_without_nan(value), ensure_ascii=False, default=_simple)


def _simple(value: Any) -> Any:
    """What JSON can hold of a value of numpy, Arrow or Python."""
    if isinstance(value, bytes):
        return value.hex()
    return _without_nan(value.tolist()) if hasattr(value, "tolist") else str(value)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return dict((name, _without_nan(part)) for name, part in value.items())
    if isinstance(value, list) or hasattr(value, "tolist"):
        return [_without_nan(part) for part in value] if isinstance(value, list) else _without_nan(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


# ---------------------------------------------------------------- as a script


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="load_data.py",
        description="Shows, counts and converts the data of this package, and checks it. "
        "Without options: what the package holds, and the first rows of a file.",
        epilog="Exit codes: 0 all went well, 1 it did not or nothing matches, 2 an option is wrong.",
        allow_abbrev=False,
    )
    which = parser.add_argument_group("which records (each can be given several times, or as A,B)")
    which.add_argument("--symbol", action="append", metavar="SYMBOL", help="of these symbols, in any case")
    which.add_argument("--event-type", action="append", metavar="TYPE", help="of these event types, in any case")
    which.add_argument("--date", action="append", metavar="YYYY-MM-DD", help="of these UTC days")
    which.add_argument("--columns", action="append", metavar="NAME", help="only these columns, in this order")
    what = parser.add_argument_group("what to do with them").add_mutually_exclusive_group()
    what.add_argument("--head", type=_whole, metavar="N", help="the first N rows; 5 when there is no other option")
    what.add_argument("--tail", type=_whole, metavar="N", help="the last N rows")
    what.add_argument("--count", action="store_true", help="read them and print how many there are")
    what.add_argument("--list", action="store_true", help="list their files; needs Python alone")
    what.add_argument("--verify", action="store_true", help="check every member of the package; needs Python alone")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"write the rows to FILE instead of printing them, as its name ends: {', '.join(_WRITERS)}",
    )
    return parser


def _whole(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)


def _several(values: Optional[list[str]]) -> Optional[list[str]]:
    return [part for value in values for part in value.split(",") if part] if values else None


def _main(arguments: Optional[list[str]] = None) -> int:
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    parser = _parser()
    options = parser.parse_args(arguments)
    for name in ("symbol", "event_type", "date", "columns"):
        setattr(options, name, _several(getattr(options, name)))
    selects = options.symbol or options.event_type or options.date
    if options.verify and (selects or options.columns):
        parser.error("--verify checks the whole package and takes no selection")
    if options.out is not None:
        _check_out(parser, options)
    try:
        _days(options.date)
    except ValueError as error:
        parser.error(f"argument --date: {error}")

    def show(message: Any, *_: Any, **__: Any) -> None:
        print(f"load_data.py: warning: {message}", file=sys.stderr)

    warnings.showwarning = show
    try:
        if options.verify:
            return _print_checks()
        if options.list:
            return _print_files(_matching(options.symbol, options.event_type, options.date))
        if selects or options.columns or options.head or options.tail or options.count or options.out:
            return _print_rows(options)
        _print_overview()
        return 0
    except BrokenPipeError:
        # Whoever read this has enough. Python would complain once more when it closes its output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except (ImportError, OSError, TypeError, ValueError) as error:
        print(f"load_data.py: error: {error}", file=sys.stderr)
        return 1


def _check_out(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    out: Path = options.out
    if options.count or options.list or options.verify:
        parser.error("argument --out: there are no rows to write")
    if out.suffix.lower() not in _WRITERS:
        parser.error(f"argument --out: the name must end in {', '.join(_WRITERS)}, not {out.name!r}")
    if out.is_dir():
        parser.error(f"argument --out: {out} is a folder")
    if not out.parent.is_dir():
        parser.error(f"argument --out: there is no folder {out.parent}")


def _print_checks() -> int:
    total, listed, problems = 0, "is not stated", 0
    for member, problem in _checks():
        if member != "manifest.json":
            total += 1
        elif _manifest().get("packageChecksum"):
            listed = "differs" if problem else "matches"
        if problem is not None:
            problems += 1
            # As `pdp validate` prints it.
            print(f"INVALID            {problem.member}: {problem.check}")
            print(f"    expected       {problem.expected}\n    actual         {problem.actual}", flush=True)
    bad = problems - (listed == "differs")
    print(f"verified {total - bad} of {total} members; packageChecksum {listed}")
    return 1 if problems else 0


def _print_files(chosen: Chosen) -> int:
    rows: list[tuple[str, ...]] = [("path", "symbol", "event type", "date", "format", "records", "bytes")]
    for entry, _ in chosen:
        values = [entry.get(name) for name in "path symbol eventType date format eventCount sizeBytes".split()]
        values[3] = _day_of(values[3])
        rows.append(tuple("-" if value is None else str(value) for value in values))
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        left = "  ".join(text.ljust(width) for text, width in zip(row[:5], widths))
        print(left, *(text.rjust(width) for text, width in zip(row[5:], widths[5:])), sep="  ")
    return 0 if chosen else 1


def _print_rows(options: argparse.Namespace) -> int:
    _need_pandas()
    chosen = _choose(options.symbol, options.event_type, options.date)
    if not chosen:
        return 1
    names = _column_names(chosen, options.columns)
    if options.count:
        print(sum(map(len, _batches(chosen, names, _BATCH))))
        return 0
    if options.tail:
        frames = _last(chosen, names, options.tail)
    elif options.head or not options.out:
        frames = _first(chosen, names, options.head or 5)
    else:
        frames = _batches(chosen, names, _BATCH)
    if options.out:
        rows = _save(frames, options.out)
        print(f"{rows} rows written to {options.out}")
        return 0
    frame = _join(list(frames))
    width = shutil.get_terminal_size().columns
    with pd.option_context("display.max_rows", None, "display.max_columns", None, "display.width", width):
        print(frame if len(frame) else "no rows")
    return 0


def _first(chosen: Chosen, names: Optional[list[str]], rows: int) -> Iterator[pd.DataFrame]:
    """The first rows; reads no further than it must."""
    for frame in _batches(chosen, names, min(rows, _BATCH)):
        yield frame.iloc[:rows]
        rows -= len(frame)
        if rows <= 0:
            return


def _last(chosen: Chosen, names: Optional[list[str]], rows: int) -> Iterator[pd.DataFrame]:
    """The last rows; reads no more files than it must."""
    found: collections.deque[pd.DataFrame] = collections.deque()
    for one in reversed(chosen):
        tail: collections.deque[pd.DataFrame] = collections.deque()
        held = 0
        for frame in _batches([one], names, _BATCH):
            tail.append(frame.iloc[-rows:])
            held += len(tail[-1])
            while held - len(tail[0]) >= rows:
                held -= len(tail.popleft())
        if tail:
            tail[0] = tail[0].iloc[max(0, held - rows) :]
            held = min(held, rows)
        found.extendleft(reversed(tail))
        rows -= held
        if rows <= 0:
            break
    return iter(found)


def _print_overview() -> None:
    manifest = _manifest()
    print(f"Package:     {manifest.get('name')}")
    print(f"Symbols:     {', '.join(get_symbols())}")
    print(f"Event types: {', '.join(get_event_types())}")
    print(f"Files:       {manifest.get('totalFiles')}")
    print(f"Events:      {manifest.get('totalEvents')}")
    try:
        _need_pandas()
    except ImportError as error:
        print(f"\n{error}")
        return
    entries = _files()
    for entry in entries:
        if entry["format"] not in _READERS:
            continue
        try:
            frame = next(_frames(entry, batch_rows=5), None)
        except (ImportError, FileNotFoundError) as error:
            print(f"\n{error}")
            continue
        if frame is not None and len(frame):
            print(f"\nThe first rows of {entry['path']}:\n{frame}")
            return
    if entries and all(entry["format"] not in _READERS for entry in entries):
        print(f"\nThis loader does not read {entries[0]['path']} ({_advice(entries[0])})")


if __name__ == "__main__":
    sys.exit(_main())
