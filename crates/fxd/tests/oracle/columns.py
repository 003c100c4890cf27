"""Payloads of columns, read and written from docs/formats/fxd.md alone; a part of fxd.py.

`Columns` reads any payload. `encode` writes sound ones with choices that an optimising writer would not make, so that a reader
meets all kinds of codings, shapes of codes and sizes of pages; `turn`, the number of the block, says which.
"""

from collections import Counter, namedtuple
from math import gcd

LAST_TS, U64, TOP = 2**63 - 1, 2**64 - 1, 1 << 63
GROUP, MOST_ROWS, MOST_BITS, MOST_TOKENS, ALONE = 64, 86_400, 11, 242, 15
TS, CLOSE, OPEN, HIGH, LOW, VOLUME, FLAGS, RESTS, STREAMS = *range(8), 12
KINDS = (0, 1, 2, 4, 8, 9, 17, 18, 20)
CODES = {0: 0, 1: 1, 2: 2, 4: 4, 8: 0, 9: 2, 17: 1, 18: 2, 20: 4}
STRINGS = {kind: 0 if kind == 0 else 2 if kind > 16 else 1 for kind in KINDS}
# How many extra bits each token has, and the number that they are added to.
EXTRA = [(0, token) for token in range(128)] + [(x, 2 + m << x) for x in range(6, 63) for m in (0, 1)]

Head = namedtuple("Head", "rows page_groups first interval price_unit volume_unit modes")
Coding = namedtuple("Coding", "kind value codes")
Page = namedtuple("Page", "at first close rows strings")


class Refused(Exception):
    """What a reader refuses: the offset in the file and the reason."""

    def __init__(self, at, what):
        super().__init__(f"{at}: {what}")
        self.at, self.what = at, what


def check(sound, at, what):
    """Refuses the file unless `sound`."""
    if not sound:
        raise Refused(at, what)


def signed(n):
    """A number modulo 2^64 as a signed one."""
    return (n + TOP) % (1 << 64) - TOP


def zigzag(d):
    """The zigzag of a difference modulo 2^64."""
    d = signed(d)
    return 2 * d if d >= 0 else -2 * d - 1


def unzigzag(z):
    """The signed number of a zigzag."""
    return -(z >> 1) - 1 if z & 1 else z >> 1


class Part:
    """The bytes of the file from `at` on up to `end`, taken one after the other; `note` is told what a reader passes over."""

    def __init__(self, data, at, end, note):
        self.data, self.at, self.end, self.note = data, at, end, note

    def byte(self):
        """The next byte."""
        check(self.at < self.end, self.at, "a part of a payload ends too early")
        self.at += 1
        return self.data[self.at - 1]

    def number(self, least=0, most=U64):
        """The next number, held against its limits."""
        start, value = self.at, 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                check(value <= U64, start, "a number has more than 64 bits")
                check(byte or not shift, start, "a number has more bytes than it needs")
                check(least <= value <= most, start, f"{value} is not from {least} to {most}")
                return value
        raise Refused(start, "a number has more than ten bytes")

    def code(self, plain):
        """The next code: for any eleven bits the token that they begin with, and how many of them it takes. If it is `plain`,
        no token of it has extra bits."""
        start, lengths, nibbles = self.at, [], []
        count = self.byte()
        check(1 <= count <= MOST_TOKENS, start, f"a code of {count} tokens")

        def nibble():
            if not nibbles:
                byte = self.byte()
                nibbles.extend((byte >> 4, byte & 15))
            return nibbles.pop()

        while len(lengths) < count:
            length = nibble()
            check(length <= MOST_BITS or length == ALONE, self.at - 1, f"a code has a length of {length}")
            lengths.extend([length] if length else [0] * (1 + nibble()))
        check(len(lengths) == count, self.at - 1, "a code tells of more tokens than it counts")
        check(not any(nibbles), self.at - 1, "what is left of the last byte of a code is not zero")
        coded = sorted((length, token) for token, length in enumerate(lengths) if length)
        check(coded, start, "a code has no token")
        extra = any(token > 127 for _, token in coded)
        check(not (plain and extra), start, "a code has a token with extra bits, of which there is no string")
        code, table = 0, [None] * (1 << MOST_BITS)
        if [length for length, _ in coded] == [ALONE]:
            return [(coded[0][1], 0)] * len(table)
        for length, token in coded:
            check(length != ALONE, start, "a code of several tokens has one that takes no bits")
            step = 1 << MOST_BITS - length
            check(code + step <= len(table), start, "a code has more tokens than it has bits for")
            # The first bit of a code is the lowest of those that are looked up.
            table[int(f"{code:011b}"[::-1], 2)::1 << length] = [(token, length)] * step
            code += step
        check(code == len(table), start, "a code is not complete")
        return table


class Bits:
    """The bits of what is left of a part."""

    def __init__(self, part):
        self.part, self.data, self.bit, self.last = part, part.data, 8 * part.at, 8 * part.end

    def field(self, width):
        """The number that the next `width` bits say; those behind the end of the part are for `finish` to find."""
        bit, self.bit = self.bit, self.bit + width
        return int.from_bytes(self.data[bit >> 3:self.bit + 7 >> 3], "little") >> (bit & 7) & (1 << width) - 1

    def token(self, code):
        """The next token."""
        bit = self.bit
        token, width = code[int.from_bytes(self.data[bit >> 3:(bit >> 3) + 3], "little") >> (bit & 7) & 2047]
        self.bit += width
        return token

    def value(self, code):
        """The value of the next token, with its extra bits right behind."""
        width, base = EXTRA[self.token(code)]
        return base + self.field(width)

    def finish(self):
        """Holds the bits that were taken against the part's end."""
        check(self.bit <= self.last, self.part.at, "a string has fewer bits than its values")
        check(self.bit > self.last - 8, self.part.at, "a string has more bytes than its values")
        filled = not self.field(self.last - self.bit)
        self.part.note(filled, self.part.end - 1, "last byte of a string is not filled up with zeros")


class Columns:
    """The payload from `at` up to `end`: what comes before the strings is read at once, bars on demand."""

    def __init__(self, data, at, end, note):
        part = Part(data, at, end, note)
        self.note = note
        self.head = head = Head(part.number(1, MOST_ROWS), part.number(1, 1024), part.number(0, LAST_TS), part.number(1),
                                part.number(1, TOP - 1), part.number(1), part.byte())
        check(head.modes < 4, part.at - 1, f"modes {head.modes}")
        self.codings = [self.coding(part, stream) for stream in range(STREAMS)]
        self.pages, size, start, close = [], GROUP * head.page_groups, head.first, 0
        for row in range(0, head.rows, size):
            here, step = part.at, part.number()
            start += step * head.interval
            check((step == 0) == (row == 0) and start <= LAST_TS, here, "start of a page is not possible")
            close = signed(close + unzigzag(part.number()))
            lengths = [[part.number() for _ in range(STRINGS[coding.kind])] for coding in self.codings]
            self.pages.append(Page(here, start, close, min(size, head.rows - row), lengths))
        here = part.at
        for i, page in enumerate(self.pages):
            strings = []
            for lengths in page.strings:
                strings.append([])
                for length in lengths:
                    check(here + length <= end, here, "a string reaches beyond the end of the payload")
                    strings[-1].append(Part(data, here, here + length, note))
                    here += length
            self.pages[i] = page._replace(strings=strings)
        check(here == end, here, "payload goes on behind its last string")

    def coding(self, part, stream):
        """How a stream is coded."""
        at, kind = part.at, part.byte()
        check(kind in KINDS, at, f"a coding of kind {kind}")
        value = part.number() if kind in (0, 8, 9) else None
        check(stream != TS or kind != 0 or value == 0, at, "no page starts where it says")
        return Coding(kind, value, [part.code(kind in (1, 2, 4)) for _ in range(CODES[kind])])

    def most(self, stream):
        """The largest value that a stream may have."""
        unit = self.head.volume_unit if stream == STREAMS - 1 else self.head.price_unit
        return unit - 1 if stream >= RESTS else 255 if stream == FLAGS else U64

    def values(self, page, stream):
        """The values of a stream in a page."""
        (kind, usual, codes), strings = self.codings[stream], page.strings[stream]
        at = strings[0].at if strings else page.at
        if kind == 0:
            values = [usual] * page.rows
        elif kind in (8, 9):
            values = self.others(page.rows, usual, codes, *strings)
        else:
            values = self.tokens(page.rows, codes, *strings)
        check(max(values) <= self.most(stream), at, f"stream {stream} has a value that is too large")
        return values

    def others(self, rows, usual, codes, string):
        """Values of which most are the usual one."""
        values, row, part = [usual] * rows, -1, Part(string.data, string.at, string.end, string.note)
        count = part.number(0, rows)
        bits = Bits(part)
        for _ in range(count):
            row += 1 + (bits.value(codes[0]) if codes else part.number())
            check(row < rows, part.at, "value of a row that the page has not")
            values[row] = bits.value(codes[1]) if codes else part.number()
        if codes:
            bits.finish()
        check(codes or part.at == part.end, part.at, "a string has more bytes than its values")
        return values

    def tokens(self, rows, codes, string, extra=None):
        """Values with a token for each."""
        bits, values = Bits(string), []
        behind = extra and Bits(extra)
        width = len(codes).bit_length() - 1
        for i, choice in enumerate([bits.field(width) for _ in range(0, rows, GROUP)]):
            code = codes[choice]
            for _ in range(min(GROUP, rows - GROUP * i)):
                token = bits.token(code)
                values.append(token if token < 128 else EXTRA[token][1] + behind.field(EXTRA[token][0]))
        bits.finish()
        if behind:
            behind.finish()
        return values

    def bars(self):
        """The bars of all pages: (ts, open, high, low, close, volume, flags)."""
        (_, _, _, interval, unit, volume_unit, modes), close = self.head, None
        for page, after in zip(self.pages, self.pages[1:] + [None]):
            streams = [self.values(page, stream) for stream in range(STREAMS)]
            check(close is None or close == page.close, page.at, "base of a page is not the close before it")
            check(streams[TS][0] == 0, page.at, "first row of a page is not where the page starts")
            ts, close = page.first - interval, page.close
            for step, dc, do, dh, dl, volume, flags, ro, rh, rl, rc, rv in zip(*streams):
                ts += (step + 1) * interval
                o, close = signed(close + unzigzag(do)), signed(close + unzigzag(dc))
                h = max(o, close) + (unzigzag(dh) if modes & 1 else dh)
                l = min(o, close) - (unzigzag(dl) if modes & 2 else dl)
                o, h, l, c = (signed(signed(q) * unit + r) for q, r in ((o, ro), (h, rh), (l, rl), (close, rc)))
                yield ts, o, h, l, c, volume * volume_unit + rv & U64, flags
            check(ts < after.first if after else ts <= LAST_TS, page.at, "timestamps of a page reach the next one's")


def number(n):
    """The bytes of a number."""
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def pack(fields):
    """The bytes of fields of bits, each a number and its width, the last byte filled up with zeros."""
    out, hold, held = bytearray(), 0, 0
    for value, width in fields:
        hold |= value << held
        held += width
        out += (hold & (1 << held // 8 * 8) - 1).to_bytes(held // 8, "little")
        hold >>= held // 8 * 8
        held %= 8
    return bytes(out) + bytes([hold] if held else [])


def token_of(value):
    """The token of a value, and its extra bits as a field."""
    if value < 128:
        return value, (0, 0)
    x = value.bit_length() - 2
    return 116 + 2 * x + (value >> x & 1), (value & (1 << x) - 1, x)


def flat(count):
    """Lengths of a complete code that differ by one bit at most."""
    bits = (count - 1).bit_length()
    short = (1 << bits) - count
    return [bits - 1] * short + [bits] * (count - short)


def lopsided(count, depth=0):
    """Lengths of a complete code of which the first are as short as the limit leaves room for."""
    if count == 1:
        return [depth]
    most = 1 << MOST_BITS - 1 - depth
    first = 1 if count - 1 <= most else count - most
    return lopsided(first, depth + 1) + lopsided(count - first, depth + 1)


def make_code(tokens, most, turn):
    """A code for what a counter has, as the bytes that tell of it and the field of each token."""
    tokens = Counter(tokens) or Counter([turn % most])
    style = turn % 6
    if style >= 4:  # with tokens that never come
        tokens.update({token: 0 for token in range(turn % 7, most, 1 + turn % 29)})
    order = sorted(tokens, key=lambda token: (tokens[token] * (0, -1, 1)[style % 3], token))
    if len(order) == 1:
        lengths = {order[0]: ALONE}
    else:
        lengths = dict(zip(order, (flat if style in (0, 5) else lopsided)(len(order))))
    count = max(order) + 1 if turn % 2 else min(most, max(order) + 1 + turn % 37)
    nibbles, token = [], 0
    while token < count:
        length = lengths.get(token, 0)
        after = min((t for t in order if t > token), default=count)
        run = min(after - token, 16, 1 + turn % 23) if not length else 1
        nibbles += [length] if length else [0, run - 1]
        token += run
    fields, code, before = {}, 0, 0
    if len(order) == 1:
        fields[order[0]] = (0, 0)
    else:
        for length, token in sorted((length, token) for token, length in lengths.items()):
            code <<= length - before
            fields[token] = (int(f"{code:0{length}b}"[::-1], 2), length)
            code, before = code + 1, length
    return bytes([count]) + pack((nibble, 4) for nibble in nibbles), fields


def possible(kind, values):
    """Whether values can be coded like that."""
    return kind == 0 and len(set(values)) == 1 or kind in (1, 2, 4) and max(values) < 128 or kind >= 8


def by_tokens(kind, values, pages, turn):
    """A coding with a token for each value: its bytes, and the strings of each page."""
    count, most = CODES[kind], 128 if kind < 16 else MOST_TOKENS
    tokens = [token_of(value) for value in values]
    choices = [(group * group + turn) % count for group in range(-(-len(values) // GROUP))]
    codes = [make_code([token for i, (token, _) in enumerate(tokens) if choices[i // GROUP] == n], most, turn + n)
             for n in range(count)]
    strings = []
    for rows in pages:
        fields = [(choice, count.bit_length() - 1) for choice in choices[rows.start // GROUP:-(-rows.stop // GROUP)]]
        fields += [codes[choices[i // GROUP]][1][tokens[i][0]] for i in rows]
        strings.append([pack(fields)] + [pack(tokens[i][1] for i in rows)] * (kind > 16))
    return b"".join(code for code, _ in codes), strings


def by_usual(kind, values, pages, turn):
    """A coding with a usual value, which may never come or come once: its bytes, and the strings of each page."""
    known = set(values)
    never = next((value for value in range(max(values)) if value not in known), values[-1])
    usual = (Counter(values).most_common(1)[0][0], values[0], never)[turn % 3]
    rows_and_values = []
    for rows in pages:
        others, before = [], rows.start - 1
        for i in rows:
            if values[i] != usual:
                others.append((i - before - 1, values[i]))
                before = i
        rows_and_values.append(others)
    if kind == 8:
        return number(usual), [[number(len(others)) + b"".join(number(n) for other in others for n in other)]
                               for others in rows_and_values]
    codes = [make_code([token_of(other[n])[0] for others in rows_and_values for other in others], MOST_TOKENS, turn + n)
             for n in range(2)]
    strings = []
    for others in rows_and_values:
        fields = []
        for other in others:
            for (_, of_token), value in zip(codes, other):
                token, extra = token_of(value)
                fields += [of_token[token], extra]
        strings.append([number(len(others)) + pack(fields)])
    return number(usual) + codes[0][0] + codes[1][0], strings


def encode(bars, turn):
    """A payload of bars (ts, open, high, low, close, volume, flags)."""
    for ts, *prices, volume, flags in bars:
        if not (all(-TOP <= price < TOP for price in prices) and 0 <= volume <= U64 and 0 <= flags <= 255):
            raise ValueError(f"the bar at {ts} has a value that does not fit")
    groups, price_unit = (1, 2, 1, 5)[turn % 4], (7, 1, 10, 1000, 1 << 62, 3)[turn % 6]
    volume_unit, modes = (1, 1000, 3, 1 << 63, 64)[turn % 5], turn % 4
    first, distances = bars[0][0], gcd(*(b[0] - a[0] for a, b in zip(bars, bars[1:])))
    interval = (distances or 1, 1, distances // next(d for d in (7, 5, 3, 2, 1) if distances % d == 0) or 12_345)[turn % 3]
    pages = [range(i, min(i + GROUP * groups, len(bars))) for i in range(0, len(bars), GROUP * groups)]
    parts = [[divmod(n, unit) for n, unit in zip(bar[1:6], (price_unit,) * 4 + (volume_unit,))] for bar in bars]
    before = (parts[0][0][0], 0, 54_321, -TOP, TOP - 1)[turn % 5]
    rows, bases, based = [], [], 0
    for i, ((o, ro), (h, rh), (l, rl), (c, rc), (volume, rv)) in enumerate(parts):
        ts = 0
        if i % (GROUP * groups):
            ts = (bars[i][0] - bars[i - 1][0]) // interval - 1
        else:
            bases.append(before - based)
            based = before
        above, below = h - max(o, c), min(o, c) - l
        rows.append((ts, zigzag(c - before), zigzag(o - before), zigzag(above) if modes & 1 else above & U64,
                     zigzag(below) if modes & 2 else below & U64, volume, bars[i][6], ro, rh, rl, rc, rv))
        before = c
    out = b"".join(map(number, (len(bars), groups, first, interval, price_unit, volume_unit))) + bytes([modes])
    strings = [[] for _ in pages]
    for stream, values in enumerate(zip(*rows)):
        at = turn + stream
        kind = next(kind for kind in KINDS[at % 9:] + KINDS[:at % 9] if possible(kind, values))
        told, of_pages = number(values[0]), [[] for _ in pages]
        if kind:
            told, of_pages = (by_usual if kind in (8, 9) else by_tokens)(kind, values, pages, at)
        out += bytes([kind]) + told
        for page, more in zip(strings, of_pages):
            page += more
    for page, base, of_page, start in zip(pages, bases, strings, [pages[0], *pages]):
        out += number((bars[page.start][0] - bars[start.start][0]) // interval) + number(zigzag(base))
        out += b"".join(number(len(string)) for string in of_page)
    return out + b"".join(string for of_page in strings for string in of_page)
