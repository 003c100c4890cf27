"""Payloads of columns, read and written from docs/formats/fxd.md alone; a part of fxd.py.

`decode` takes any payload. `encode` writes sound ones with the choices that an optimising writer would not make, so that a reader
meets every kind of coding: which ones depends on `turn`, the number of the block.
"""

from collections import Counter, namedtuple
from math import gcd

LAST_TS, U64, HIGH = 2**63 - 1, 2**64 - 1, 1 << 63
GROUP, MOST_ROWS, MOST_BITS, MOST_TOKENS = 64, 86_400, 11, 242
TS, CLOSE, OPEN, HIGHS, LOWS, VOLUME, FLAGS, RESTS, STREAMS = *range(8), 12
CODES = {1: 1, 2: 2, 4: 4, 17: 1, 18: 2, 20: 4, 9: 2}
KINDS = (0, 1, 2, 4, 8, 9, 17, 18, 20)

Head = namedtuple("Head", "rows page_groups first interval price_unit volume_unit modes")
Coding = namedtuple("Coding", "kind value codes")
Page = namedtuple("Page", "start base strings rows")


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
    return (n + HIGH) % 2**64 - HIGH


def zigzag(d):
    """The zigzag of a difference modulo 2^64."""
    d = signed(d)
    return 2 * d if d >= 0 else -2 * d - 1


def unzigzag(z):
    """The signed number of a zigzag."""
    return -(z >> 1) - 1 if z & 1 else z >> 1


class Bytes:
    """A part of the file: `data` from `at` up to `end`, both offsets in it."""

    def __init__(self, data, at, end):
        self.data, self.at, self.end = data, at, end

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
                check(least <= value <= most, start, f"number {value} is not from {least} to {most}")
                return value
        raise Refused(start, "a number has more than ten bytes")

    def code(self, most):
        """The next code, of tokens below `most`: for each eleven bits the token that they begin with and its bits."""
        start, lengths = self.at, []
        count = self.byte()
        check(count <= most, start, f"code of {count} tokens")
        half = None

        def nibble():
            nonlocal half
            if half is None:
                byte = self.byte()
                half = byte >> 4
                return byte & 15
            value, half = half, None
            return value

        while len(lengths) < count:
            length = nibble()
            if length == 0:
                lengths += [0] * (1 + nibble())
                check(len(lengths) <= count, start, "code tells of more tokens than it counts")
            else:
                check(length <= MOST_BITS or length == 15, start, f"code with a length of {length}")
                lengths.append(length)
        check(not half, self.at - 1, "what is left of the last byte of a code is not zero")
        coded = sorted((length, token) for token, length in enumerate(lengths) if length)
        if len(coded) == 1 and coded[0][0] == 15:
            return [(coded[0][1], 0)] * (1 << MOST_BITS)
        table, code = [None] * (1 << MOST_BITS), 0
        for length, token in coded:
            check(length <= MOST_BITS, start, "code with several tokens, of which one takes no bits")
            step = 1 << (MOST_BITS - length)
            check(code + step <= len(table), start, "code has more tokens than bits for them")
            # The first bit of a code is the lowest of those that are read.
            reverse = int(f"{code:0{MOST_BITS}b}"[::-1], 2)
            table[reverse::1 << length] = [(token, length)] * step
            code += step
        check(code == len(table), start, "code is not complete")
        return table


class Bits:
    """The bits of a string from its byte `at` on."""

    def __init__(self, string, at):
        self.data, self.start, self.bit, self.last = string.data, at, 8 * at, 8 * string.end

    def take(self, width):
        """The next `width` bits."""
        bit, self.bit = self.bit, self.bit + width
        check(self.bit <= self.last, self.start, "a string has too few bits")
        return int.from_bytes(self.data[bit >> 3:(self.bit + 7) >> 3], "little") >> (bit & 7) & ((1 << width) - 1)

    def token(self, code):
        """The next token; of which the last bits may reach into the string behind, until `end` looks."""
        bit = self.bit
        token, width = code[int.from_bytes(self.data[bit >> 3:(bit >> 3) + 3], "little") >> (bit & 7) & 2047]
        self.bit += width
        return token

    def end(self):
        """Holds the bits that were taken against the end of the string."""
        check(self.bit <= self.last, self.start, "a string has too few bits")
        check(self.bit > self.last - 8, self.start, "a string has more bytes than its values")
        check(not self.take(self.last - self.bit), self.last // 8 - 1, "last byte of a string is not filled up with zeros")


def extra_bits(token):
    """How many extra bits a token has, and the number that they are added to."""
    if token < 128:
        return 0, token
    exponent, half = divmod(token - 128, 2)
    return exponent + 6, 2 + half << exponent + 6


EXTRA = [extra_bits(token) for token in range(MOST_TOKENS)]


class Columns:
    """The payload of a block: its head at once, its bars on demand. `at` and `end` are offsets in `data`."""

    def __init__(self, data, at, end):
        self.at, part = at, Bytes(data, at, end)
        self.head = Head(part.number(1, MOST_ROWS), part.number(1, 1024), part.number(0, LAST_TS), part.number(1),
                         part.number(1, HIGH - 1), part.number(1), part.byte())
        check(self.head.modes < 4, part.at - 1, f"modes {self.head.modes}")
        self.codings = [self.coding(part, stream) for stream in range(STREAMS)]
        size, start, base, told = GROUP * self.head.page_groups, 0, 0, []
        for row in range(0, self.head.rows, size):
            here = part.at
            step = part.number()
            check((step == 0) == (row == 0), here, "start of a page is not behind that of the page before")
            start += step
            check(self.head.first + start * self.head.interval <= LAST_TS, here, "start of a page is too large")
            base = signed(base + unzigzag(part.number()))
            lengths = [[part.number() for _ in range(strings_of(coding.kind))] for coding in self.codings]
            told.append((start, base, lengths, min(size, self.head.rows - row)))
        self.pages, here = [], part.at
        for start, base, lengths, rows in told:
            strings = []
            for of_stream in lengths:
                strings.append([])
                for length in of_stream:
                    check(length <= end - here, here, "strings reach beyond the end of the payload")
                    strings[-1].append(Bytes(data, here, here + length))
                    here += length
            self.pages.append(Page(self.head.first + start * self.head.interval, base, strings, rows))
        check(here == end, here, "payload goes on behind the last string")

    def coding(self, part, stream):
        """How a stream is coded."""
        at, kind = part.at, part.byte()
        check(kind in KINDS, at, f"coding of kind {kind}")
        value = part.number(0, self.most(stream)) if kind in (0, 8, 9) else None
        if kind == 0 and stream == TS:
            check(value == 0, at, "first row of a page is not where the page starts")
        most = 128 if kind in (1, 2, 4) else MOST_TOKENS
        return Coding(kind, value, [part.code(most) for _ in range(CODES.get(kind, 0))])

    def most(self, stream):
        """The largest value of a stream."""
        if stream == FLAGS:
            return 255
        if stream < RESTS:
            return U64
        return (self.head.price_unit if stream < STREAMS - 1 else self.head.volume_unit) - 1

    def values(self, page, stream):
        """The values of a stream in a page."""
        (kind, usual, codes), strings = self.codings[stream], page.strings[stream]
        if kind == 0:
            return [usual] * page.rows
        if kind == 8:
            values, string = [usual] * page.rows, strings[0]
            for row in self.others(page.rows, string, string.number, lambda at: string.number()):
                values[row[0]] = row[1]
            check(string.at == string.end, string.at, "a string has more bytes than its values")
        elif kind == 9:
            values, string = [usual] * page.rows, strings[0]
            bits = None

            def coded(code):
                nonlocal bits
                bits = bits or Bits(string, string.at)
                width, value = EXTRA[bits.token(code)]
                return value + bits.take(width)

            for row, value in self.others(page.rows, string, lambda: coded(codes[0]), lambda at: coded(codes[1])):
                values[row] = value
            (bits or Bits(string, string.at)).end() if string.at < string.end or bits else None
        else:
            values = self.tokens(page.rows, codes, strings)
        most = self.most(stream)
        check(max(values) <= most, strings[0].at, f"stream {stream} has a value above {most}")
        return values
