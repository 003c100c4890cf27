#!/usr/bin/env python3
"""Independent reader of LEAN, HISTDATA, Binance and freqtrade bar files, for comparison row by row.

    oracle_import.py KIND FILE [--tz ZONE] [--side bid|ask|mid|trade] [...]

KIND: lean, histdata, binance, freqtrade. Prints `timestamp,open,high,low,close,volume` (no header unless
--header), timestamps in UTC as RFC 3339 with Z, decimals exact and without trailing zeros, rows in the
order of the file. Standard library only; no value passes through a binary float.

Exit 0; 3 for an input that is refused (message `FILE:LINE: ...` on stderr).
"""
import argparse
import decimal
import gzip
import hashlib
import json
import os
import re
import sys
import zipfile
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

decimal.setcontext(decimal.Context(prec=80, traps=[
    decimal.InvalidOperation, decimal.Inexact, decimal.Rounded, decimal.Overflow, decimal.FloatOperation]))

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1)
MICRO = timedelta(microseconds=1)


class Refused(Exception):
    """An input that cannot be read as its kind."""


# --- decimals -----------------------------------------------------------------------------------------

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z")


def number(text):
    text = text.strip()
    if not NUMBER.match(text):
        raise Refused(f"not a number: {text!r}")
    return Decimal(text)


def plain(value):
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


# --- time ---------------------------------------------------------------------------------------------

def zone(name):
    """A function from naive local time to microseconds since 1970 in UTC."""
    if name in ("UTC", "GMT", "Z"):
        return fixed(timedelta(0))
    if name == "EST":
        return fixed(timedelta(hours=-5))
    match = re.match(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?\Z", name)
    if match:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        return fixed(-offset if match[1] == "-" else offset)
    if name.lower() == "london-5":           # UTC-05:00, and UTC-04:00 while the European Union has summer time
        return shifted(ZoneInfo("Europe/London"), timedelta(hours=-5))
    return shifted(ZoneInfo(name), timedelta(0))


def fixed(offset):
    return lambda local: (local - offset - EPOCH) // MICRO


def shifted(info, shift):
    def to_utc(local):
        wall = local - shift
        first = wall.replace(tzinfo=info, fold=0)
        second = wall.replace(tzinfo=info, fold=1)
        if first.utcoffset() != second.utcoffset():
            raise Refused(f"local time {local} was skipped or repeated by a change of clocks")
        return (first.astimezone(UTC).replace(tzinfo=None) - EPOCH) // MICRO
    return to_utc


def rfc3339(micros):
    moment = EPOCH + timedelta(microseconds=micros)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    if moment.microsecond:
        text += f".{moment.microsecond:06}".rstrip("0")
    return text + "Z"


# --- files --------------------------------------------------------------------------------------------

def text_of(path, wanted):
    """The text of a plain, gzip or zip file, and the name of what was read. A zip must have one that fits."""
    if path.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.lower().endswith(wanted) and not n.endswith("/")]
            if len(names) != 1:
                raise Refused(f"{len(names)} members end in {wanted}: {names}")
            return archive.read(names[0]).decode("utf-8-sig"), names[0]
    if path.endswith(".gz"):
        with gzip.open(path) as stream:
            return stream.read().decode("utf-8-sig"), os.path.basename(path)[:-3]
    with open(path, "rb") as stream:
        return stream.read().decode("utf-8-sig"), os.path.basename(path)


def lines_of(text):
    for count, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if line.strip():
            yield count, line


# --- LEAN ---------------------------------------------------------------------------------------------

ASSETS = ("equity", "forex", "cfd", "crypto", "cryptofuture", "future", "index", "option", "indexoption", "futureoption")
RESOLUTIONS = ("tick", "second", "minute", "hour", "daily")
SCALED = ("equity", "option", "indexoption")


def lean_zone(asset, market):
    if asset == "equity" and market == "usa":
        return "America/New_York"
    if (asset, market) == ("forex", "fxcm"):
        return "UTC-05:00"
    if asset in ("crypto", "cryptofuture") or market == "oanda":
        return "UTC"
    return None


def lean_name(path):
    """asset, market, resolution, ticker, date (or None), type (or None), of LEAN's layout or the flattened name."""
    base = os.path.basename(path)
    stem = base[:-4] if base.endswith(".zip") else base
    flat = re.match(
        r"(?P<asset>[a-z]+)_(?P<market>[a-z0-9]+)_(?P<resolution>[a-z]+)_(?P<ticker>.+)_(?P<date>\d{8})_(?P<type>[a-z]+)\Z", stem)
    if flat and flat["asset"] in ASSETS and flat["resolution"] in RESOLUTIONS:
        return dict(flat.groupdict())
    parts = os.path.abspath(path).split(os.sep)
    for at in range(len(parts) - 4, -1, -1):
        if parts[at] in ASSETS and parts[at + 2] in RESOLUTIONS:
            asset, market, resolution = parts[at:at + 3]
            rest = parts[at + 3:]
            dated = re.match(r"(\d{8})_([a-z]+)\Z", stem)
            if len(rest) == 2 and dated:
                return dict(asset=asset, market=market, resolution=resolution, ticker=rest[0], date=dated[1], type=dated[2])
            if len(rest) == 1:
                whole = re.match(r"(.+?)(?:_(trade|quote))?\Z", stem)
                return dict(asset=asset, market=market, resolution=resolution, ticker=whole[1], date=None, type=whole[2])
    raise Refused("neither LEAN's layout nor its flattened form")


def lean(path, options):
    named = lean_name(path)
    for key in ("asset", "market", "resolution", "date"):
        if getattr(options, key, None):
            named[key] = getattr(options, key)
    if named["resolution"] == "tick":
        raise Refused("ticks, not bars")
    zone_name = options.tz or lean_zone(named["asset"], named["market"])
    if zone_name is None:
        raise Refused(f"the zone of {named['asset']} {named['market']} is not known; give --tz")
    to_utc = zone(zone_name)
    scale = Decimal("0.0001") if named["asset"] in SCALED else Decimal(1)
    text, member = text_of(path, ".csv")
    intraday = named["resolution"] in ("second", "minute")
    if intraday:
        midnight = datetime.strptime(named["date"], "%Y%m%d")
        inner = member.lower()
        if not inner.startswith(f"{named['date']}_{named['ticker']}_{named['resolution']}_"):
            raise Refused(f"the member {member} is of another date, ticker or resolution")
    side = options.side
    for count, line in lines_of(text):
        try:
            cells = line.split(",")
            if intraday:
                local = midnight + timedelta(microseconds=int(number(cells[0]) * 1000))
            else:
                local = datetime.strptime(cells[0], "%Y%m%d %H:%M")
            if len(cells) == 6:
                if side not in (None, "trade"):
                    raise Refused("trades have no side")
                prices, volume = [number(c) * scale for c in cells[1:5]], number(cells[5])
            elif len(cells) == 11:
                bid, ask = quotes(cells[1:5], scale), quotes(cells[6:10], scale)
                prices, volume = collapse(bid, ask, side or "mid"), Decimal(0)
                if prices is None:
                    continue
            else:
                raise Refused(f"{len(cells)} columns; 6 or 11 were expected")
            yield count, to_utc(local), prices, volume
        except (Refused, ValueError) as error:
            raise Refused(f"{path}:{count}: {error}") from None


def quotes(cells, scale):
    """The four prices, None for each that is empty or zero; None where all are."""
    values = [None if not c.strip() or number(c) == 0 else number(c) * scale for c in cells]
    return None if all(v is None for v in values) else values


def collapse(bid, ask, side):
    if side == "trade":
        raise Refused("quotes are no trades")
    if side in ("bid", "ask"):
        chosen = bid if side == "bid" else ask
        if chosen is not None and None in chosen:
            raise Refused(f"{side} is in part empty")
        return chosen
    result = []
    for b, a in zip(bid or [None] * 4, ask or [None] * 4):
        if b is None and a is None:
            if bid is None and ask is None:
                return None
            raise Refused("neither bid nor ask")
        result.append(a if b is None else b if a is None else (b + a) / 2)
    return result


# --- HISTDATA -----------------------------------------------------------------------------------------

def histdata(path, options):
    """ASCII and NinjaTrader `;`, MetaTrader `,` with date and time apart, MetaStock `,` with the symbol first."""
    to_utc = zone(options.tz or "EST")
    text, _ = text_of(path, ".csv")
    for count, line in lines_of(text):
        try:
            if count == 1 and not line[0].isdigit() and line.lower().startswith("datetime"):
                continue
            if ";" in line:
                cells = line.split(";")
                stamp, rest = cells[0], cells[1:]
                if re.match(r"\d{8} \d{6}\Z", stamp):
                    local = datetime.strptime(stamp, "%Y%m%d %H%M%S")
                else:
                    local = datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S")
            else:
                cells = line.split(",")
                if re.match(r"\d{4}\.\d\d\.\d\d\Z", cells[0]):
                    local, rest = datetime.strptime(cells[0] + " " + cells[1], "%Y.%m.%d %H:%M"), cells[2:]
                else:
                    local, rest = datetime.strptime(cells[1], "%Y%m%d%H%M"), cells[2:]
            if len(rest) != 5:
                raise Refused(f"{len(rest)} values; open, high, low, close and volume were expected")
            yield count, to_utc(local), [number(c) for c in rest[:4]], number(rest[4])
        except (Refused, ValueError, IndexError) as error:
            raise Refused(f"{path}:{count}: {error}") from None


# --- Binance ------------------------------------------------------------------------------------------

UNITS = {13: 1000, 16: 1}      # digits of a count since 1970: microseconds of one


def instant(value):
    if value != value.to_integral_value():
        raise Refused(f"not a whole count: {value}")
    digits = str(int(value))
    # 12 digits are milliseconds before 2001-09-09; 13 until 2286. 16 are microseconds.
    unit = UNITS.get(13 if len(digits) == 12 else len(digits))
    if unit is None:
        raise Refused(f"neither milliseconds nor microseconds: {digits}")
    return int(value) * unit, unit


def binance(path, options):
    if options.tz not in (None, "UTC"):
        raise Refused("counts since 1970 have no zone")
    text, member = text_of(path, ".csv")
    coin = re.match(r"[A-Z0-9]+USD_(PERP|\d{6})-", os.path.basename(member)) is not None
    seen = None
    for count, line in lines_of(text):
        try:
            cells = line.split(",")
            if count == 1 and cells[0].strip('"').lower() in ("open_time", "open time"):
                continue
            if len(cells) != 12:
                raise Refused(f"{len(cells)} columns; 12 were expected")
            micros, unit = instant(number(cells[0]))
            if seen not in (None, unit):
                raise Refused("milliseconds and microseconds in one file")
            seen = unit
            volume = number(cells[7 if coin else 5])
            yield count, micros, [number(c) for c in cells[1:5]], volume
        except (Refused, ValueError) as error:
            raise Refused(f"{path}:{count}: {error}") from None


def freqtrade(path, options):
    if options.tz not in (None, "UTC"):
        raise Refused("counts since 1970 have no zone")
    text, _ = text_of(path, ".json")
    rows = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=lambda s: 1 / 0)
    for count, row in enumerate(rows, 1):
        try:
            if len(row) != 6:
                raise Refused(f"{len(row)} values; 6 were expected")
            if any(not isinstance(v, Decimal) for v in row):
                raise Refused("a value that is no number")
            yield count, instant(row[0])[0], row[1:5], row[5]
        except Refused as error:
            raise Refused(f"{path}: row {count}: {error}") from None


KINDS = dict(lean=lean, histdata=histdata, binance=binance, freqtrade=freqtrade)


def rows_of(path, options):
    """Rows of a file; with --dedupe without those that repeat an earlier row's time and values."""
    known = {}
    for count, micros, prices, volume in KINDS[options.kind](path, options):
        row = ",".join([rfc3339(micros), *map(plain, prices), plain(volume)])
        if options.dedupe:
            if known.setdefault(micros, row) is not row:
                if known[micros] != row:
                    raise Refused(f"{path}:{count}: another row of {rfc3339(micros)}: {known[micros]} and {row}")
                continue
        yield row, volume, micros


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("file")
    parser.add_argument("--tz")
    parser.add_argument("--side", choices=("bid", "ask", "mid", "trade"))
    parser.add_argument("--asset")
    parser.add_argument("--market")
    parser.add_argument("--resolution")
    parser.add_argument("--date")
    parser.add_argument("--dedupe", action="store_true", help="drop repeats of a row; refuse another row of the same time")
    parser.add_argument("--sort", action="store_true", help="rows in order of time")
    parser.add_argument("--header", action="store_true")
    parser.add_argument("--summary", action="store_true", help="rows, first, last, volume and SHA-256 instead of rows")
    options = parser.parse_args()
    try:
        found = list(rows_of(options.file, options))
        if options.sort:
            found.sort(key=lambda found_row: found_row[2])
    except (Refused, zipfile.BadZipFile, OSError) as error:
        print(error, file=sys.stderr)
        return 3
    if options.summary:
        body = "".join(row + "\n" for row, _, _ in found)
        total = plain(sum((volume for _, volume, _ in found), Decimal(0)))
        print(json.dumps(dict(rows=len(found), first=found[0][0], last=found[-1][0], volume=total,
                              sha256=hashlib.sha256(body.encode()).hexdigest())))
        return 0
    out = sys.stdout
    if options.header:
        out.write("timestamp,open,high,low,close,volume\n")
    for row, _, _ in found:
        out.write(row + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
