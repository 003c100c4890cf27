"""A reader, verifier and writer of `.fxd` files, written from docs/formats/fxd.md alone.

    fxd.py read FILE            rows as CSV, by the symbol index
    fxd.py read-by-time FILE    the same rows, block after block in the order of the time index
    fxd.py verify FILE          findings as JSON; exit 3 when there are any
    fxd.py dump FILE            the structure as JSON
    fxd.py write OUT < CSV      a fresh file; options --version 1|2|3|4, --compression 0|1, --created NS, --info JSON, and of
                                version 4 --rollups INTERVALS, as 5m,1h,1d

Of version 2 the compression that is not 0 is that of differences, from version 3 on it is columns, in blocks of any span of
time. Rows are those of symbols, with --series those of the series that are rolled up from them instead.

A file that a reader refuses ends `read`, `read-by-time` and `dump` with exit 3 and `BYTE OFFSET: REASON` on stderr.
Needs `zstandard`. Checksums are faster with `google_crc32c`, which is not needed.
"""

import argparse
import csv
import json
import re
import sys
import time
import unicodedata
from collections import namedtuple
from datetime import datetime, timedelta
from struct import Struct

import zstandard

from columns import Columns, Refused, check, encode, unzigzag

try:
    import google_crc32c
except ImportError:
    google_crc32c = None

HEADER, SYMBOL, BLOCK, TRAILER = Struct("<8sIIQQIIQQQ"), Struct("<HHI32sQQQ"), Struct("<4sHHIIIQQ"), Struct("<IIII")
COUNT, RECORD, SECTION = Struct("<Q"), Struct("<QIIIIIHBB"), Struct("<4sIQ")
TIME_NODE, SYMBOL_NODE, ENTRY = Struct("<BBHI255Q256Q"), Struct("<BBHIQ"), Struct("<HHIQQQ")
CMIT, SYMC, SIDX, DICT, END = Struct("<QQQII"), Struct("<QII"), Struct("<QQ"), Struct("<QII"), Struct("<64sII")
MAGIC, VERSIONS, ROLLED_UP, CHAINED = b"FXSTORE1", (1, 2, 3, 4), 4, 1 << 16
END_TAG = b"END "
NEWEST = {1: 2, 2: 4, 3: 5, 4: 5}  # the last compression of each version
COLUMNAR, MOST_ROWS, MOST_COLUMNS = 5, 2_764_808, 5_595_152
LAST_TS, DAY, MEBIBYTE = 2**63 - 1, 86_400_000_000_000, 1 << 20
INTERVAL, UNITS = re.compile("([1-9][0-9]{0,4})([smhd])"), {"s": 1, "m": 60, "h": 3600, "d": 86_400}
COLUMNS = ["timestamp_ns", "symbol", "open", "high", "low", "close", "volume", "flags"]

Header = namedtuple("Header", "magic version flags created modified symbols blocks index symbol_table data")
Symbol = namedtuple("Symbol", "id flags blocks name first last records")
Entry = namedtuple("Entry", "symbol reserved records offset first last")
Block = namedtuple("Block", "magic symbol compression date stored size first last")
Commit = namedtuple("Commit", "at end header number region previous region_crc sections root info dictionary")


def u32(data, at):
    """The number of 32 bits in `data` at `at`."""
    return int.from_bytes(data[at:at + 4], "little")


def aligned(n):
    """The next multiple of 64."""
    return -(-n // 64) * 64


def date_of(ts):
    """The UTC date of a timestamp as YYYYMMDD."""
    return int(f"{datetime(1970, 1, 1) + timedelta(days=ts // DAY):%Y%m%d}")


def interval(text):
    """What an interval is in the flags of a series, and in nanoseconds; or None where a text is none."""
    match = INTERVAL.fullmatch(text)
    if not match or int(match[1]) > 16_383:
        return None
    count, unit = int(match[1]), match[2]
    return list(UNITS).index(unit) << 14 | count, count * UNITS[unit] * 10**9


def rolled_up(bars, size):
    """The bars of a series whose interval has that many nanoseconds, from those of its symbol; a sum may be too large."""
    series = []
    for ts, o, h, l, c, volume, flags in bars:
        ts -= ts % size
        if series and series[-1][0] == ts:
            _, first, highest, lowest, _, total, seen = series[-1]
            series[-1] = (ts, first, max(highest, h), min(lowest, l), c, total + volume, seen | flags)
        else:
            series.append((ts, o, h, l, c, volume, flags))
    return series


TABLE = range(256)
for _ in range(8):
    TABLE = [c >> 1 ^ 0x82F63B78 * (c & 1) for c in TABLE]


def crc32c(data):
    """The CRC-32C of `data`."""
    if google_crc32c:
        return google_crc32c.value(data)
    crc, table = 0xFFFFFFFF, TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def from_differences(rows):
    """Records from what each differs by from the one before it."""
    before, close, records = 0, 0, []
    for ts, o, h, l, c, *more in rows:
        before = (before + ts) % 2**64
        o, close = (close + unzigzag(o)) % 2**32, (close + unzigzag(c)) % 2**32
        h, l = (max(o, close) + unzigzag(h)) % 2**32, (min(o, close) - unzigzag(l)) % 2**32
        records.append((before, o, h, l, close, *more))
    return records


def to_differences(records):
    """What each record differs by from the one before it."""
    def z(d):
        d = (d + 2**31) % 2**32 - 2**31
        return 2 * d if d >= 0 else -2 * d - 1

    before, last, rows = 0, 0, []
    for ts, o, h, l, c, *more in records:
        rows.append(((ts - before) % 2**64, z(o - last), z(h - max(o, c)), z(min(o, c) - l), z(c - last), *more))
        before, last = ts, c
    return rows


def decompress(at, payload, size, dictionary):
    """One zstd frame of exactly `size` bytes; never asks for more memory than that."""
    try:
        declared = zstandard.get_frame_parameters(payload).content_size
        check(declared in (size, zstandard.CONTENTSIZE_UNKNOWN), at, "payload declares another size")
        decompressor = zstandard.ZstdDecompressor(dict_data=dictionary)
        data = decompressor.decompress(payload, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Refused(at, f"payload does not decompress: {error}") from None
    check(len(data) == size, at, "payload decompresses to another size")
    return data


class Store:
    """An opened file. `findings`, when given, collects what a reader passes over and a verifier reports."""

    def __init__(self, data, findings=None):
        self.data, self.findings = data, findings
        self.end, self.nodes, self.extents = len(data), [], []
        header = self.header = Header(*HEADER.unpack(self.take(0, 64)))
        check(header.magic == MAGIC, 0, "magic is another")
        check(header.version in VERSIONS, 8, f"version {header.version} is not known")
        unknown = header.flags & 0xFFFF
        check(not unknown, 12, f"feature {(unknown & -unknown).bit_length() - 1} is not known")
        for at, value in ((0x10, header.created), (0x18, header.modified)):
            check(value <= LAST_TS, at, "timestamp is too large")
        check(header.symbols <= 65535, 0x20, "too many symbols")
        check(header.blocks <= len(data) // 64, 0x24, "more blocks than the file has room for")
        for at, value in ((0x28, header.index), (0x30, header.symbol_table), (0x38, header.data)):
            check(value % 64 == 0 and 64 <= value <= len(data), at, f"offset {value} is not possible")
        self.commit = self.metadata(header.index + 4096)
        check(self.commit.header == self.data[:64], 0, "header differs from its image in the END section")
        self.end, self.rollups = self.commit.end, self.commit.info.get("rollups", [])
        self.symbols = self.symbol_table()
        self.check_series()

    def take(self, at, size):
        """The bytes of the file there, which must lie before its end."""
        check(at + size <= self.end, at, f"{size} bytes reach beyond the end at {self.end}")
        return self.data[at:at + size]

    def note(self, sound, at, what):
        """Adds a finding of the verifier unless `sound`."""
        if self.findings is not None and not sound:
            self.findings.append({"at": at, "what": what})

    def metadata(self, start):
        """The sections of a commit whose metadata starts there."""
        sections, at, tag = {}, start, None
        while tag != "END":
            tag, crc, length = SECTION.unpack(self.take(at, 16))
            check(tag == END_TAG or tag.isalpha() and tag.isascii(), at, "tag is not of letters")
            tag = tag.decode().rstrip(" ")
            check(tag not in sections, at, f"section {tag} is there twice")
            check(crc32c(self.take(at + 16, length)) == crc, at + 4, f"checksum of section {tag}")
            sections[tag] = (at + 16, length)
            at += 16 + length
        end = aligned(at)
        self.note(not any(self.take(at, end - at)), at, "padding behind the metadata is not zero")
        bodies = {}
        for tag, form in (("CMIT", CMIT), ("SYMC", SYMC), ("SIDX", SIDX), ("INFO", None), ("END", END), ("DICT", DICT)):
            if tag in sections or tag != "DICT":
                check(tag in sections, start, f"section {tag} is missing")
                at, length = sections[tag]
                fits = (length == form.size or tag == "SIDX" and length % 1024 == 16 or tag == "DICT" and length >= 16
                        if form else length <= MEBIBYTE)
                check(fits, at - 8, f"length of section {tag}")
                bodies[tag] = form and form.unpack(self.data[at:at + form.size])
        (number, region, previous, region_crc, reserved), (table, symbols, _) = bodies["CMIT"], bodies["SYMC"]
        self.note(reserved == 0, sections["CMIT"][0] + 28, "reserved bytes of CMIT are not zero")
        check(region % 64 == 0 and 64 <= region <= start, sections["CMIT"][0] + 8, "region_offset is not possible")
        check(previous % 64 == 0 and previous < region, sections["CMIT"][0] + 16, "previous is not possible")
        check((number == 0) == (previous == 0), sections["CMIT"][0], "number and previous disagree")
        root, reserved = bodies["SIDX"]
        self.note(reserved == 0, sections["SIDX"][0] + 8, "reserved bytes of SIDX are not zero")
        (image, crc, reserved), at = bodies["END"], sections["END"][0]
        check(crc32c(self.data[start:at - 16]) == crc, at + 64, "checksum of the metadata")
        self.note(reserved == 0, at + 68, "reserved bytes of END are not zero")
        header = Header(*HEADER.unpack(image))
        check(header.index + 4096 == start, at + 0x28, "index_offset does not lead to this metadata")
        check((table, symbols) == (header.symbol_table, header.symbols), sections["SYMC"][0], "SYMC disagrees with the header")
        info = self.info(*sections["INFO"], header.version)
        return Commit(start, end, image, number, region, previous, region_crc, sections, root, info, bodies.get("DICT"))

    def info(self, at, length, version):
        """The INFO section, with its known members checked."""
        try:
            info = json.loads(self.data[at:at + length].decode())
        except (ValueError, RecursionError):
            raise Refused(at, "INFO is not JSON in UTF-8") from None
        check(isinstance(info, dict), at, "INFO is not an object")
        for name in ("creator", "source", "sourceTimeZone"):
            check(isinstance(info.get(name, ""), str), at, f"{name} is not a text")
        for name, most in (("priceScale", 18), ("volumeScale", 18), ("barInterval", LAST_TS)):
            value = info.get(name, 0)
            check(type(value) is int and 0 <= value <= most, at, f"{name} is not a number within its limits")
        rollups = info.get("rollups", [])
        check(isinstance(rollups, list) and all(isinstance(text, str) and interval(text) for text in rollups), at,
              "rollups are not of intervals")
        check(len(set(rollups)) == len(rollups), at, "an interval is rolled up to twice")
        check((version == ROLLED_UP) == bool(rollups), at, f"{len(rollups)} rollups in version {version}")
        user = info.get("user", {})
        check(isinstance(user, dict) and all(isinstance(text, str) for text in user.values()), at, "user is not of texts")
        return info

    def symbol_table(self):
        """The symbols, once their checksum holds."""
        start, size, at = self.header.symbol_table, 64 * self.header.symbols, self.commit.sections["SYMC"][0]
        table, names, symbols = self.take(start, size), set(), []
        check(crc32c(table) == u32(self.data, at + 12), start, "checksum of the symbol table")
        self.extents.append((start, start + size))
        for i, symbol in enumerate(map(Symbol._make, SYMBOL.iter_unpack(table))):
            at = start + 64 * i
            check(symbol.id == i, at, f"symbol {i} has the id {symbol.id}")
            self.note(symbol.flags == 0 or self.rollups, at + 2, "flags of a symbol are not zero")
            name, zero, rest = symbol.name.partition(b"\0")
            check(name and zero and not any(rest), at + 8, "name is empty, without end, or not followed by zeros")
            try:
                name = name.decode()
            except UnicodeDecodeError:
                raise Refused(at + 8, "name is not UTF-8") from None
            check(all(unicodedata.category(c) != "Cc" for c in name), at + 8, "name has a control character")
            check(name not in names, at + 8, f"name {name} is there twice")
            names.add(name)
            symbols.append(symbol._replace(name=name))
        return symbols

    def is_series(self, symbol):
        """Whether the symbol of an id is a series that is rolled up."""
        return symbol % (1 + len(self.rollups)) != 0

    def check_series(self):
        """In version 4 each symbol is followed by its series, in the order of INFO."""
        count, expected = 1 + len(self.rollups), []
        for symbol in self.symbols[::count] if self.rollups else []:
            expected.append((symbol.name, 0))
            expected += [(f"{symbol.name}@{text}", interval(text)[0]) for text in self.rollups]
        for symbol, (name, flags) in zip(self.symbols, expected):
            at = self.header.symbol_table + 64 * symbol.id
            check(symbol.flags == flags, at + 2, f"flags of {symbol.name} are {symbol.flags} and not {flags}")
            check(symbol.name == name, at + 8, f"{symbol.name} is not called {name}")
        check(len(self.symbols) % count == 0, 0x20, "last symbol is not followed by all of its series")

    def dictionary(self):
        """The file's dictionary, once its checksum holds, or None."""
        if not self.commit.dictionary:
            return None
        (at, length, crc), field = self.commit.dictionary, self.commit.sections["DICT"][0]
        check(length <= MEBIBYTE, field + 8, "dictionary is too long")
        own = self.commit.sections["DICT"][1] - 16
        placed = (at, length) == (field + 16, own) if own else at + length <= self.commit.region
        check(placed, field, "dictionary is neither in this section nor in an older commit")
        check(crc32c(self.take(at, length)) == crc, at, "checksum of the dictionary")
        return zstandard.ZstdCompressionDict(self.data[at:at + length])

    def walk(self, kind, root, size, rows_of):
        """The entries of a tree in order, every node checked against its parent, and the offsets of the leaves."""
        entries, leaves, last, most = [], [], None, self.header.blocks

        def visit(at, level, least):
            nonlocal last
            node = self.take(at, size)
            leaf, own, count = node[0], node[1], u32(node, 0) >> 16
            check(crc32c(node[:4] + bytes(4) + node[8:]) == u32(node, 4), at + 4, f"checksum of a node of the {kind} index")
            check(own == level if least else own <= 8, at + 1, f"level {own} of a node")
            check(leaf == (own == 0), at, "is_leaf and level of a node disagree")
            check(count <= (255 if size == 4096 else 31) and (count or leaf and not least), at + 2, f"{count} entries in a node")
            self.nodes.append({"index": kind, "at": at, "level": own, "count": count})
            rows = rows_of(at, node, count, leaf)
            check(not least or rows[0][0] == least, at, "smallest key of a node is not that of its parent")
            check(all(a[0] <= b[0] for a, b in zip(rows, rows[1:])), at, "keys of a node are out of order")
            if leaf:
                leaves.append(at)
                check(not rows or not last or last <= rows[0][0], at, "keys of a leaf lie before those of the leaf before it")
                check(len(entries) + count <= most, at, "more entries than the header has blocks")
                entries.extend(value for _, value in rows)
                last = rows[-1][0] if rows else None
            else:
                for key, child in rows:
                    visit(child, own - 1, key)

        visit(root, None, None)
        check(len(entries) == most, 0x24, f"header has {most} blocks, the {kind} index {len(entries)}")
        return entries, leaves

    def time_rows(self, at, node, count, leaf):
        """Keys with what a node of the time index has under them: (first_ts, offset) in a leaf, else a child."""
        _, _, _, _, *slots = TIME_NODE.unpack(node)
        keys, values = slots[:255], slots[255:]
        unused = keys[count:] + values[count:255] + ([] if leaf else values[255:])
        self.note(not any(unused), at, "unused keys and values of a node are not zero")
        self.extents.append((at, at + 4096))
        for i, value in enumerate(values[:count]):
            check(value % 64 == 0 and value >= 64, at + 0x800 + 8 * i, f"offset {value} is not possible")
        return [((key,), (key, value) if leaf else value) for key, value in zip(keys, values[:count])]

    def time_index(self):
        """(first_ts, offset) of the blocks in the order of the time index, and its leaves."""
        entries, leaves = self.walk("time", self.header.index, 4096, self.time_rows)
        for a, b in zip(entries, entries[1:]):
            check(a < b, self.header.index, f"entries {a} and {b} are out of order")
        return entries, leaves

    def check_chain(self, leaves):
        """Where the leaves form a chain, it must lead through the leaves of the tree in their order."""
        for at, after in zip(leaves, leaves[1:] + [0]):
            value = int.from_bytes(self.data[at + 4088:at + 4096], "little")
            check(value == after or not self.header.flags & CHAINED, at + 4088, f"leaf {after} must follow, not {value}")

    def symbol_rows(self, at, node, count, leaf):
        """((symbol, first_ts), entry or child) of a node of the symbol index."""
        entries = [Entry(*row) for row in ENTRY.iter_unpack(node[16:1008])]
        self.note(not any(node[8:16]) and not any(node[1008:]), at, "reserved bytes of a node are not zero")
        self.note(not any(map(any, entries[count:])), at, "unused entries of a node are not zero")
        for i, entry in enumerate(entries[:count]):
            self.note(entry.reserved == 0, at + 16 + 32 * i + 2, "reserved bytes of an entry are not zero")
            self.note(leaf or entry.records == entry.last == 0, at + 16 + 32 * i, "entry of an inner node has a block's fields")
        return [((entry.symbol, entry.first), entry if leaf else entry.offset) for entry in entries[:count]]

    def symbol_index(self):
        """The entries of the blocks in the order of the symbol index, held against the symbol table."""
        entries, _ = self.walk("symbol", self.commit.root, 1024, self.symbol_rows)
        blocks = [[] for _ in self.symbols]
        for entry in entries:
            check(entry.symbol < len(blocks), self.commit.root, f"entry of the symbol {entry.symbol}, which is not there")
            known = blocks[entry.symbol]
            check(not known or known[-1].last < entry.first, entry.offset, "block overlaps the one before it")
            known.append(entry)
        for symbol, known in zip(self.symbols, blocks):
            told = (len(known), known[0].first if known else 0, known[-1].last if known else 0, sum(e.records for e in known))
            check((symbol.blocks, symbol.first, symbol.last, symbol.records) == told, self.header.symbol_table + 64 * symbol.id,
                  f"{symbol.name}: (blocks, first, last, records) are {told} by the symbol index")
        return entries

    def agree(self, entries, times):
        """Both indexes must name the same blocks."""
        same = sorted((e.first, e.offset) for e in entries) == times
        check(same, self.header.index, "time index and symbol index name different blocks")

    def indexes(self):
        """The entries by symbol, the entries by time, and the leaves of the time index, all in agreement."""
        entries, (times, leaves) = self.symbol_index(), self.time_index()
        self.agree(entries, times)
        return entries, times, leaves

    def block(self, entry):
        """The header of the block that an entry of the symbol index names, held against the entry."""
        at = entry.offset
        check(at % 64 == 0 and at >= self.header.data, at, "block is at no possible offset")
        raw = self.take(at, 36)
        block = Block(*BLOCK.unpack(raw))
        check(block.magic == b"BLOC", at, "magic of a block is another")
        check(block.stored <= MOST_COLUMNS, at + 12, f"compressed_size {block.stored}")
        header_crc, _, records, reserved = TRAILER.unpack(self.take(at + 36 + block.stored, 16))
        trailer, end = at + 36 + block.stored, aligned(at + 52 + block.stored)
        check(crc32c(raw) == header_crc, trailer, "checksum of a block's header")
        check(block.size <= MOST_ROWS and block.size > 8 and block.size % 32 == 8, at + 16, f"original_size {block.size}")
        check(block.compression <= NEWEST[self.header.version], at + 6, f"compression {block.compression}")
        rows = block.compression != COLUMNAR
        check(not rows or block.stored <= block.size + 16_384, at + 12, "compressed_size and original_size disagree")
        check(block.compression or block.stored == block.size, at + 12, "sizes of an uncompressed block differ")
        check(records == (block.size - 8) // 32, trailer + 8, "record_count of a block disagrees with its size")
        told = (entry.symbol, entry.records, entry.first, entry.last)
        check((block.symbol, records, block.first, block.last) == told, at, "block differs from its entry")
        check(block.first <= block.last <= LAST_TS, at + 20, "timestamps of a block")
        check(date_of(block.first) == block.date, at + 8, "date of a block is not that of its first timestamp")
        check(not rows or date_of(block.last) == block.date, at + 8, "date of a block is not that of its last timestamp")
        self.note(reserved == 0, trailer + 12, "reserved bytes of a block are not zero")
        self.note(not any(self.take(trailer + 16, end - trailer - 16)), trailer + 16, "padding of a block is not zero")
        self.extents.append((at, end))
        return block

    def records(self, entry, dictionary):
        """The records of a block."""
        block, at = self.block(entry), entry.offset + 36
        payload = self.data[at:at + block.stored]
        check(crc32c(payload) == u32(self.data, at + block.stored + 4), at + block.stored + 4, "checksum of a payload")
        if block.compression == COLUMNAR:
            return self.columns(block, entry)
        with_dictionary = block.compression in (2, 4)
        check(dictionary or not with_dictionary, entry.offset + 6, "block needs the dictionary, which is not there")
        if block.compression:
            payload = decompress(at, payload, block.size, dictionary if with_dictionary else None)
        check(COUNT.unpack_from(payload)[0] == entry.records, at, "number of records in a payload is another")
        records = list(RECORD.iter_unpack(payload[8:]))
        if block.compression > 2:
            records = from_differences(records)
        check(all(a[0] < b[0] for a, b in zip(records, records[1:])), at, "records are out of order")
        check((records[0][0], records[-1][0]) == (block.first, block.last), at, "records are not those that the header tells of")
        check(all(r[6] == block.symbol for r in records), at, "records are of another symbol")
        self.note(not any(r[8] for r in records), at, "padding of a record is not zero")
        return records

    def columns(self, block, entry):
        """The records of a block of columns."""
        at = entry.offset + 36
        columns = Columns(self.data, at, at + block.stored, self.note)
        told = (columns.head.rows, columns.head.first)
        check(told == (entry.records, block.first), at, "columns are not those that the header tells of")
        records = [(*bar[:6], block.symbol, bar[6], 0) for bar in columns.bars()]
        check(records[-1][0] == block.last, at, "last bar is not the one that the header tells of")
        return records

    def rows(self, by_time, series):
        """All rows of symbols, or those of their series, as in the CSV, in the order of one of the indexes."""
        entries, times, leaves = self.indexes()
        if by_time:
            self.check_chain(leaves)
            named = {entry.offset: entry for entry in entries}
            entries = [named[offset] for _, offset in times]
        dictionary = self.dictionary()
        for entry in (entry for entry in entries if self.is_series(entry.symbol) == series):
            name = self.symbols[entry.symbol].name
            for ts, o, h, l, c, volume, _, flags, _ in self.records(entry, dictionary):
                yield ts, name, o, h, l, c, volume, flags

    def commits(self):
        """All commits from the newest to the first."""
        commit = self.commit
        yield commit
        while commit.previous:
            older = self.metadata(commit.previous)
            field = commit.sections["CMIT"][0]
            check(older.number + 1 == commit.number, field, "numbers of two commits do not follow each other")
            check(older.end == commit.region, field + 8, "region_offset is not the end of the commit before")
            commit = older
            yield commit


def cover(store):
    """Notes what is wrong with the commits: the bytes that nothing refers to any more count as well."""
    data, commits = store.data, []
    for commit in store.commits():
        commits.append(commit)
        header, fields = Header(*HEADER.unpack(commit.header)), {tag: at for tag, (at, _) in commit.sections.items()}
        sound = crc32c(data[commit.region:commit.at]) == commit.region_crc
        store.note(sound, fields["CMIT"] + 24, f"checksum of the region of commit {commit.number}")
        table, end = header.symbol_table, header.symbol_table + 64 * header.symbols
        sound = crc32c(data[table:end]) == u32(data, fields["SYMC"] + 12)
        store.note(sound, fields["SYMC"] + 12, f"checksum of the symbol table of commit {commit.number}")
        sound = commit.dictionary in (None, store.commit.dictionary)
        store.note(sound, commit.at, f"dictionary of commit {commit.number} is not that of the newest")
        sound = commit.info.get("rollups", []) == store.rollups and header.symbols % (1 + len(store.rollups)) == 0
        store.note(sound, fields["INFO"], f"commit {commit.number} has other series")
        sound = bool(header.flags & CHAINED) == (commit.number == 0)
        store.note(sound, fields["END"] + 12, f"CHAINED is wrong for commit {commit.number}")
        store.extents.append((commit.at, commit.end))
        if commit.number == 0:
            store.note(table == 64 and commit.region == header.data, 0x30, "fresh file does not start with table and data")
            store.note(end <= header.data and not any(data[end:header.data]), end, "bytes before data_offset are not zero")
    grids = [(at + 16, at + length) for commit in commits for at, length in [commit.sections["SIDX"]]]
    for at in (node["at"] for node in store.nodes if node["index"] == "symbol"):
        inside = any(start <= at < end and (at - start) % 1024 == 0 for start, end in grids)
        store.note(inside, at, "node of the symbol index is in no SIDX section")


def gaps(store):
    """Notes parts that overlap, and what the newest commit has between its parts."""
    spans, at, end = sorted(set(store.extents)), store.commit.region, store.commit.at
    for (_, stop), (start, _) in zip(spans, spans[1:]):
        store.note(stop <= start, start, "two parts of the file overlap")
    for start, stop in [span for span in spans if at <= span[0] < end] + [(end, end)]:
        store.note(not any(store.data[at:start]), at, f"bytes up to {start} belong to nothing and are not zero")
        at = max(at, stop)


def check_bars(store, bars):
    """Notes the series that are not what the bars of their symbols make; `bars` has by id those of all that could be read."""
    step = 1 + len(store.rollups)
    for symbol in store.symbols:
        came, found = bars[symbol.id - symbol.id % step], bars[symbol.id]
        if store.is_series(symbol.id) and None not in (came, found):
            made = rolled_up(came, interval(store.rollups[symbol.id % step - 1])[1])
            other = {bar[0] for bar in set(made) ^ set(found)}
            store.note(not other, store.header.symbol_table + 64 * symbol.id,
                       f"{symbol.name}: {len(other)} bars are not what its symbol has, the first at {min(other, default=0)}")


def verify(data):
    """What is wrong with a file, and what it holds; `tail` is what an unfinished append left, and no finding."""
    findings, entries, records, commits, tail = [], None, 0, 0, 0

    def attempt(step, *given):
        try:
            return step(*given)
        except Refused as refused:
            findings.append({"at": refused.at, "what": refused.what})

    store = attempt(Store, data, findings)
    if store:
        entries, times = attempt(store.symbol_index), attempt(store.time_index)
        whole = entries is not None and times is not None
        if whole:
            attempt(store.agree, entries, times[0])
            attempt(store.check_chain, times[1])
        dictionary = attempt(store.dictionary)
        bars = [[] for _ in store.symbols]
        for entry in entries or []:
            read = attempt(store.records, entry, dictionary)
            records += len(read or [])
            if read is None:
                bars[entry.symbol] = None
            elif store.rollups and bars[entry.symbol] is not None:
                bars[entry.symbol] += [(*record[:6], record[7]) for record in read]
        if entries is not None:
            check_bars(store, bars)
        attempt(cover, store)
        if whole:
            gaps(store)
        commits, tail = store.commit.number + 1, len(data) - store.commit.end
    return {"sound": not findings, "findings": findings, "blocks": len(entries or []), "records": records,
            "commits": commits, "tail": tail}


def dump(data):
    """The structure of a file."""
    store = Store(data)
    entries, times, _ = store.indexes()
    blocks = [{"at": e.offset, **store.block(e)._replace(magic="BLOC")._asdict(), "records": e.records} for e in entries]
    commits = [{**c._asdict(), "header": Header(*HEADER.unpack(c.header))._replace(magic=MAGIC.decode())._asdict(),
                "sections": {tag: {"at": at, "length": length} for tag, (at, length) in c.sections.items()}}
               for c in store.commits()]
    return {"header": commits[0]["header"], "symbols": [symbol._asdict() for symbol in store.symbols],
            "sections": commits[0]["sections"], "nodes": store.nodes, "blocks": blocks, "byTime": [at for _, at in times],
            "commits": commits, "committedEnd": store.commit.end, "tail": len(data) - store.commit.end}


def tree(items, fan, size, base, encode):
    """The nodes of a tree over (key, value), the root last; `encode` makes one of level, items and its offset."""
    nodes, level = [], 0
    while True:
        parents = []
        groups = [items[i:i + fan] for i in range(0, len(items), fan)] or [[]]
        for group in groups:
            at = base + size * len(nodes)
            node = encode(level, group, at, len(parents) + 1 == len(groups))
            nodes.append(node[:4] + crc32c(node).to_bytes(4, "little") + node[8:])
            parents.append((group[0][0] if group else None, at))
        if len(parents) == 1:
            return b"".join(nodes), parents[0][1]
        items, level = parents, level + 1


def time_node(level, items, at, last):
    """A node of the time index, with no checksum yet."""
    keys, values = [key for (key, _), _ in items], [value for _, value in items]
    after = 0 if level or last else at + 4096
    fill = [0] * (255 - len(items))
    return TIME_NODE.pack(level == 0, level, len(items), 0, *keys, *fill, *values, *fill, after)


def symbol_node(level, items, _at, _last):
    """A node of the symbol index, with no checksum yet."""
    entries = [ENTRY.pack(*(key[0], 0, 0, value, key[1], 0) if level else value) for key, value in items]
    return (SYMBOL_NODE.pack(level == 0, level, len(items), 0, 0) + b"".join(entries)).ljust(1024, b"\0")


def parts_of(records, columns, turn):
    """The bars of each block: of columns a few up to some hundreds in turn, else those of a date."""
    if columns:
        while records:
            size = (150, 1, 777, 64, 65, 300, 128, 2000, 63)[turn % 9]
            yield records[:size]
            records, turn = records[size:], turn + 1
    else:
        dates = {}
        for record in records:
            dates.setdefault(record[0] // DAY, []).append(record)
        for of_date in dates.values():
            yield from (of_date[i:i + 1440] for i in range(0, len(of_date), 1440))


def rows_payload(part, symbol, compression):
    """The payload of a block of rows as stored."""
    records = [(*bar[:6], symbol, bar[6], 0) for bar in part]
    if compression > 2:
        records = to_differences(records)
    payload = COUNT.pack(len(part)) + b"".join(RECORD.pack(*record) for record in records)
    return zstandard.ZstdCompressor().compress(payload) if compression else payload


def with_series(symbols, rollups):
    """What the symbol table has, as flags, name and bars: each symbol with its series behind it."""
    names = set()
    for symbol, records in symbols.items():
        records.sort()
        before = None
        for record in records:
            if record[0] == before or record[0] > LAST_TS:
                raise ValueError(f"{symbol}: {record[0]} is there twice, or too large")
            before = record[0]
        series = [(flags, f"{symbol}@{text}", rolled_up(records, size)) for text in rollups for flags, size in [interval(text)]]
        for flags, name, bars in [(0, symbol, records), *series]:
            encoded = name.encode()
            if name in names or not 1 <= len(encoded) <= 31 or any(unicodedata.category(c) == "Cc" for c in name):
                raise ValueError(f"{name!r} is no name of a symbol or series, or is there twice")
            names.add(name)
            yield flags, encoded, bars


def write(rows, created, compression, info, version=1):
    """The bytes of a fresh file of these rows."""
    symbols = {}
    for ts, name, o, h, l, c, volume, flags in rows:
        symbols.setdefault(name, []).append((int(ts), int(o), int(h), int(l), int(c), int(volume), int(flags)))
    symbols = list(with_series(symbols, info.get("rollups", [])))
    out, table, entries = bytearray(64 + 64 * len(symbols)), b"", []
    compression = compression and {1: 1, 2: 3}.get(version, COLUMNAR)
    for symbol, (flags, name, records) in enumerate(symbols):
        known = len(entries)
        columns = compression == COLUMNAR
        for part in parts_of(records, columns, len(entries)):
            stored = encode(part, len(entries)) if columns else rows_payload(part, symbol, compression)
            first, last, size = part[0][0], part[-1][0], COUNT.size + RECORD.size * len(part)
            header = BLOCK.pack(b"BLOC", symbol, compression, date_of(first), len(stored), size, first, last)
            entries.append(Entry(symbol, 0, len(part), len(out), first, last))
            out += header + stored + TRAILER.pack(crc32c(header), crc32c(stored), len(part), 0)
            out += bytes(-len(out) % 64)
        table += SYMBOL.pack(symbol, flags, len(entries) - known, name, records[0][0], records[-1][0], len(records))
    data = 64 + len(table)
    out[64:data] = table
    region = len(out)
    nodes, index = tree(sorted(((e.first, e.offset), e.offset) for e in entries), 255, 4096, region, time_node)
    out += nodes
    start = len(out)
    region_crc = crc32c(bytes(out[data:]))
    header = HEADER.pack(MAGIC, version, CHAINED, created, created, len(symbols), len(entries), index, 64, data)
    out[:64] = header
    nodes_at = start + 16 + CMIT.size + 16 + SYMC.size + 16 + SIDX.size
    nodes, root = tree([((e.symbol, e.first), e) for e in entries], 31, 1024, nodes_at, symbol_node)
    for tag, body in ((b"CMIT", CMIT.pack(0, data, 0, region_crc, 0)), (b"SYMC", SYMC.pack(64, len(symbols), crc32c(table))),
                      (b"SIDX", SIDX.pack(root, 0) + nodes), (b"INFO", json.dumps(info).encode())):
        out += SECTION.pack(tag, crc32c(body), len(body)) + body
    body = END.pack(header, crc32c(bytes(out[start:])), 0)
    out += SECTION.pack(END_TAG, crc32c(body), len(body)) + body
    return bytes(out) + bytes(-len(out) % 64)


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["read", "read-by-time", "verify", "dump", "write"])
    parser.add_argument("file")
    parser.add_argument("--version", type=int, choices=VERSIONS, default=1)
    parser.add_argument("--compression", type=int, choices=[0, 1], default=1)
    parser.add_argument("--created", type=int, default=None)
    parser.add_argument("--info", type=json.loads, default={"creator": "fxd.py", "priceScale": 5, "volumeScale": 0})
    parser.add_argument("--rollups", type=lambda text: text.split(","), default=[])
    parser.add_argument("--series", action="store_true")
    options = parser.parse_args()
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(encoding="utf-8", newline="")
    if options.command == "write":
        header, *rows = csv.reader(sys.stdin)
        if header != COLUMNS:
            parser.error(f"the columns must be {','.join(COLUMNS)}")
        if (options.version == ROLLED_UP) != bool(options.rollups):
            parser.error("version 4, and no other, needs --rollups")
        if not all(map(interval, options.rollups)) or len(set(options.rollups)) < len(options.rollups):
            parser.error("--rollups must be intervals, each once, as 5m,1h,1d")
        if options.rollups:
            options.info["rollups"] = options.rollups
        created = time.time_ns() if options.created is None else options.created
        data = write(rows, created, options.compression, options.info, options.version)
        with open(options.file, "wb") as file:
            file.write(data)
        return 0
    with open(options.file, "rb") as file:
        data = file.read()
    try:
        if options.command == "verify":
            report = verify(data)
            print(json.dumps(report, indent=1))
            return 0 if report["sound"] else 3
        if options.command == "dump":
            print(json.dumps(dump(data), indent=1))
        else:
            output = csv.writer(sys.stdout, lineterminator="\n")
            output.writerow(COLUMNS)
            output.writerows(Store(data).rows(options.command == "read-by-time", options.series))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
