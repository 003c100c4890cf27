#!/usr/bin/env python3
# -*- coding: utf-8 -*-
# Loader for the package: {{ name }}
"""Loads the data of this package into pandas.

As a module::

    from scripts.load_data import load_data, get_symbols, get_event_types
    trades = load_data(symbol="AAPL", event_type="Trade", date="2024-01-03")

As a script, ``python scripts/load_data.py`` prints what the package holds.

Needs Python 3.9 and pandas 2.0 or newer; ``zstandard`` for zstd files and ``pyarrow`` for Parquet files.
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
import warnings
import zlib
from pathlib import Path, PurePosixPath
from typing import Any, Callable, Iterable, Iterator, Optional, Union

try:
    import pandas as pd
except ImportError as error:
    raise ImportError("this loader needs the pandas package: pip install pandas") from error
_PANDAS = tuple(map(int, pd.__version__.split(".")[:2]))
if _PANDAS < (2, 0):
    raise ImportError(f"this loader needs pandas 2.0 or newer, not {pd.__version__}: pip install --upgrade pandas")

__all__ = ["load_data", "get_symbols", "get_event_types"]

_ROOT = Path(__file__).resolve().parent.parent
# After an import into a shared folder the data can lie above the package's papers.
_LEVELS_UP = 4
_PIECE = 1 << 16
_BATCH = 100_000
_UTC = "datetime64[ns, UTC]"
_EARLIEST, _LATEST = pd.Timestamp("1678-01-01", tz="UTC"), pd.Timestamp("2262-01-01", tz="UTC")

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
Day = Union[str, dt.date, None]


# ---------------------------------------------------------------- what the package holds


def get_symbols() -> list[str]:
    """The symbols in the package."""
    return list(_manifest().get("symbols") or [])


def get_event_types() -> list[str]:
    """The event types in the package, such as ``Trade``."""
    return list(_manifest().get("eventTypes") or [])


def load_data(symbol: OneOrMore = None, event_type: OneOrMore = None, date: Day = None) -> pd.DataFrame:
    """Loads records into one DataFrame.

    Rows come in the order of the files in the manifest, then as they stand in the file. Fields of ``payload`` become
    columns of their own (``payload.NAME`` where the record itself has a field NAME), objects within are flattened
    with dots, arrays stay lists. ``type`` is always the event type's name; other enums stay as they were recorded.
    Times are UTC datetimes in nanoseconds; an unset (year 1) or unreadable time is NaT. Prices and sizes are in the
    units of their source. ``symbol`` and ``type`` are taken from the manifest where a record has none.

    Args:
        symbol: one symbol or several, in any case; None for all.
        event_type: one event type or several, in any case; None for all.
        date: a UTC day as ``YYYY-MM-DD`` or a date; None for all. From files of several days, only the day's rows
            are taken.

    Returns:
        The records; an empty DataFrame, with a warning, when the package has nothing of the kind.

    Raises:
        FileNotFoundError: the manifest or a data file is missing.
        ImportError: a file needs a package that is not installed.
        TypeError, ValueError: an argument cannot be read, or only files of formats without a reader here match.
    """
    symbols, types, day = _names(symbol, "symbol"), _names(event_type, "event_type"), _day(date)
    chosen = []
    for entry in _manifest().get("files") or []:
        wanted = _wanted(entry.get("symbol"), symbols) and _wanted(entry.get("eventType"), types)
        part = _part(entry, day) if wanted else None
        if part is not None:
            chosen.append((entry, day if part == "rows" else None))
    if not chosen:
        _warn(
            f"nothing matches symbol={symbol!r}, event_type={event_type!r}, date={str(date) if date else None!r}; "
            f"the package has the symbols {_listed(get_symbols())} and the event types {_listed(get_event_types())}"
        )
        return pd.DataFrame()
    unread = [f"{entry['path']} ({_advice(entry)})" for entry, _ in chosen if entry["format"] not in _READERS]
    if len(unread) == len(chosen):
        raise ValueError("this loader does not read " + "; ".join(unread))
    for text in unread:
        _warn(f"skipped {text}")
    readable = [(entry, only) for entry, only in chosen if entry["format"] in _READERS]
    return _join([frame for entry, only in readable for frame in _frames(entry, only)])


@functools.lru_cache(maxsize=1)
def _manifest() -> dict[str, Any]:
    path = _ROOT / "manifest.json"
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}: this script must stay in the folder scripts of its package")
    return json.loads(path.read_text(encoding="utf-8-sig"))


def _warn(text: str) -> None:
    # Three up is the caller of load_data where that warns itself, and this file where a reader does.
    warnings.warn(text, UserWarning, stacklevel=3)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "") if names else "(none)"


def _advice(entry: dict[str, Any]) -> str:
    return _ELSEWHERE.get(entry["format"], f"its format {entry['format']} is not known")


# ---------------------------------------------------------------- choosing files


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


def _day(value: Day) -> Optional[dt.date]:
    """The UTC day asked for."""
    if value is None:
        return None
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
    if not text:
        return None
    try:
        time = pd.Timestamp(text)
    except ValueError:
        return None
    return (time.tz_convert("UTC") if time.tzinfo else time).date()


def _part(entry: dict[str, Any], day: Optional[dt.date]) -> Optional[str]:
    """What of a file belongs to the day: ``whole``, only its ``rows`` of that day, or None for nothing."""
    if day is None:
        return "whole"
    filed = _day_of(entry.get("date"))
    first, last = _day_of(entry.get("firstTimestamp")), _day_of(entry.get("lastTimestamp"))
    spans_days = first is not None and last is not None and first != last
    if filed is not None and not spans_days:
        return "whole" if filed == day else None
    if first is None or last is None:
        return None
    return "rows" if first <= day <= last else None


def _locate(path: str) -> Path:
    """A data file, below the manifest's folder or one of the folders above it."""
    relative = PurePosixPath(path)
    if relative.is_absolute() or ".." in relative.parts:
        raise ValueError(f"the manifest names a path outside of the package: {path}")
    for base in [_ROOT, *list(_ROOT.parents)[:_LEVELS_UP]]:
        if (base / relative).is_file():
            return base / relative
    raise FileNotFoundError(f"{path} is not below {_ROOT} nor any of the {_LEVELS_UP} folders above it")


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
    try:
        import zstandard
    except ImportError as error:
        raise ImportError(f"reading {shown} needs the zstandard package: pip install zstandard") from error
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


def _read_jsonl(path: Path, entry: dict[str, Any]) -> Iterator[pd.DataFrame]:
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
            if columns.rows == _BATCH:
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


def _read_csv(path: Path, entry: dict[str, Any]) -> Iterator[pd.DataFrame]:
    declared = _declared(entry)
    text_columns, long_columns = {}, {}
    for name in (entry.get("csv") or {}).get("columns") or []:
        lower = name.strip().lower()
        kind, nullable = declared.get(lower, ("", True))
        if kind == "string" or lower in _TEXT_NAMES:
            text_columns[name] = str
        elif kind == "long" and nullable:
            # Through floats, which pandas falls back to for missing values, long numbers lose digits.
            long_columns[name] = "Int64"
    try:
        frame = _parse_csv(path, entry, dict(text_columns, **long_columns))
    except (TypeError, ValueError, OverflowError):
        if not long_columns:
            raise
        frame = _parse_csv(path, entry, text_columns)
    yield _plain_integers(frame)


def _parse_csv(path: Path, entry: dict[str, Any], types: dict[str, Any]) -> pd.DataFrame:
    with _Content(path, entry["path"]) as content:
        rows = _CsvRows(content, entry.get("csv") or {})
        try:
            frame = pd.read_csv(
                rows,
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
            frame = pd.DataFrame(columns=rows.columns)
        _warn_of_damage(content, entry["path"])
    _warn_of_skipped("rows with too many fields", rows.bad, entry["path"], rows.first_bad)
    return frame


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
        self.columns: list[str] = list(dialect.get("columns") or header)
        self._rows = self._even_rows()

    def __iter__(self) -> Iterator[str]:
        return self._rows

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


def _read_parquet(path: Path, entry: dict[str, Any]) -> Iterator[pd.DataFrame]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ImportError(f"reading {entry['path']} needs the pyarrow package: pip install pyarrow") from error
    # Without these types, whole numbers in columns with gaps become floats, and times in nanoseconds lose digits.
    names = "int8 int16 int32 int64 uint8 uint16 uint32 uint64".split()
    whole = dict((getattr(pa, name)(), pd.array([], dtype=_nullable(name)).dtype) for name in names)
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_BATCH):
            # The metadata would make an index of columns.
            yield _plain_integers(batch.to_pandas(types_mapper=whole.get, ignore_metadata=True))


_READERS = {"jsonl": _read_jsonl, "csv": _read_csv, "parquet": _read_parquet}


# ---------------------------------------------------------------- columns


def _frames(entry: dict[str, Any], day: Optional[dt.date] = None) -> Iterator[pd.DataFrame]:
    """A file's rows in batches, or only those of one day."""
    for frame in _READERS[entry["format"]](_locate(entry["path"]), entry):
        frame = frame.rename(columns=_spellings(frame, entry))
        _fill(frame, "symbol", entry.get("symbol") or "UNKNOWN")
        _name_types(frame, entry)
        datetimes = {name for name, (kind, _) in _declared(entry).items() if kind == "datetime"}
        for column in frame.columns:
            name = str(column).strip().lower()
            if name in datetimes or (name.rpartition(".")[2] in _TIME_NAMES and _may_be_times(frame[column])):
                frame[column] = _as_utc(frame[column])
        yield frame if day is None else frame[_is_on(frame, day, entry)]


def _spellings(frame: pd.DataFrame, entry: dict[str, Any]) -> dict[Any, str]:
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


def _schema_names(entry: dict[str, Any]) -> list[str]:
    for event_type, schema in (_manifest().get("schemas") or {}).items():
        if event_type.casefold() == (entry.get("eventType") or "").casefold():
            return [field["name"] for field in schema.get("fields") or []]
    return []


def _declared(entry: dict[str, Any]) -> dict[str, tuple[str, bool]]:
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


def _name_types(frame: pd.DataFrame, entry: dict[str, Any]) -> None:
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
        times = times.where(times.between(_EARLIEST, _LATEST))
    return times.dt.as_unit("ns")


def _is_on(frame: pd.DataFrame, day: dt.date, entry: dict[str, Any]) -> pd.Series:
    """Which rows are of the UTC day."""
    start = pd.Timestamp(day, tz="UTC")
    named = [column for name in _ROW_TIMES for column in _columns_called(frame, name)]
    others = [column for column in frame.columns if isinstance(frame[column].dtype, pd.DatetimeTZDtype)]
    times = pd.Series(pd.NaT, index=frame.index, dtype=_UTC)
    for column in dict.fromkeys([*named, *others]):
        if not times.isna().any():
            break
        times = times.fillna(_as_utc(frame[column]))
    if len(times) and times.isna().all():
        _warn(f"no row of {entry['path']} has a time by which to tell its day; none was taken")
    return (times >= start) & (times < start + pd.Timedelta(days=1))


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


# ---------------------------------------------------------------- as a script


def _main() -> None:
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    manifest = _manifest()
    print(f"Package:     {manifest.get('name')}")
    print(f"Symbols:     {', '.join(get_symbols())}")
    print(f"Event types: {', '.join(get_event_types())}")
    print(f"Files:       {manifest.get('totalFiles')}")
    print(f"Events:      {manifest.get('totalEvents')}")
    for entry in manifest.get("files") or []:
        if entry["format"] not in _READERS:
            continue
        try:
            frame = next(_frames(entry), None)
        except (ImportError, FileNotFoundError) as error:
            print(f"\n{error}")
            continue
        if frame is not None and len(frame):
            print(f"\nThe first rows of {entry['path']}:\n{frame.head()}")
            break


if __name__ == "__main__":
    _main()
