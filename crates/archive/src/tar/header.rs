//! The 512-byte header of a tar entry (POSIX.1-2017, pax, "ustar Interchange Format").

use pdp_manifest::PackagePath;

use super::{BLOCK, padding};

/// Largest value of an eleven-digit octal field.
pub(super) const OCTAL_MAX: u64 = 0o777_7777_7777;

pub(super) const REGULAR: u8 = b'0';
pub(super) const PAX: u8 = b'x';

const NAME: std::ops::Range<usize> = 0..100;
const MODE: std::ops::Range<usize> = 100..108;
const UID: std::ops::Range<usize> = 108..116;
const GID: std::ops::Range<usize> = 116..124;
const SIZE: std::ops::Range<usize> = 124..136;
const MTIME: std::ops::Range<usize> = 136..148;
const CHECKSUM: std::ops::Range<usize> = 148..156;
const KIND: usize = 156;
const LINK: std::ops::Range<usize> = 157..257;
const MAGIC: std::ops::Range<usize> = 257..265;
const MAJOR: std::ops::Range<usize> = 329..337;
const MINOR: std::ops::Range<usize> = 337..345;
const PREFIX: std::ops::Range<usize> = 345..500;

/// The header blocks of an entry in the one form in which this library writes them: a PAX header where the name needs
/// one, then the header. Their length depends on the name alone. `modified` is in seconds since 1970.
#[must_use]
pub fn entry_head(path: &PackagePath, size: u64, modified: u64) -> Vec<u8> {
    let path = path.as_str();
    let mut out = Vec::with_capacity(3 * BLOCK);
    let (name, prefix) = match split(path) {
        Some((prefix, name)) => (name.as_bytes().to_vec(), prefix),
        None => {
            let record = super::pax::record("path", path);
            let len = u64::try_from(record.len()).unwrap_or(u64::MAX);
            out.extend_from_slice(&block(b"././@PaxHeader", "", len, 0, PAX));
            out.extend_from_slice(&record);
            out.resize(out.len() + padding(len), 0);
            // What a reader without PAX shows.
            let plain = path.bytes().map(|byte| if byte.is_ascii() { byte } else { b'_' });
            (plain.take(NAME.len()).collect(), "")
        }
    };
    out.extend_from_slice(&block(&name, prefix, size, modified, REGULAR));
    out
}

/// The name in the two fields of a header, or `None` where they cannot hold it.
fn split(path: &str) -> Option<(&str, &str)> {
    if !path.is_ascii() {
        return None;
    }
    if path.len() <= NAME.len() {
        return Some(("", path));
    }
    let (at, _) = path.match_indices('/').find(|(at, _)| path.len() - at - 1 <= NAME.len())?;
    let (prefix, name) = (path.get(..at)?, path.get(at + 1..)?);
    (prefix.len() <= PREFIX.len()).then_some((prefix, name))
}

fn block(name: &[u8], prefix: &str, size: u64, modified: u64, kind: u8) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |range: std::ops::Range<usize>, bytes: &[u8]| {
        if let Some(field) = block.get_mut(range) {
            field.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        }
    };
    put(NAME, name);
    put(MODE, b"0000644\0");
    put(UID, b"0000000\0");
    put(GID, b"0000000\0");
    put(SIZE, &number(size));
    put(MTIME, &number(modified));
    put(CHECKSUM, b"        ");
    put(KIND..KIND + 1, &[kind]);
    put(MAGIC, b"ustar\x0000");
    for field in [MAJOR, MINOR] {
        put(field, b"0000000\0");
    }
    put(PREFIX, prefix.as_bytes());
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let text = format!("{sum:06o}\0 ");
    if let Some(field) = block.get_mut(CHECKSUM) {
        field.copy_from_slice(text.as_bytes());
    }
    block
}

/// Eleven octal digits, or base 256 for what they cannot hold.
fn number(value: u64) -> [u8; 12] {
    let mut field = [0; 12];
    if value <= OCTAL_MAX {
        let text = format!("{value:011o}\0");
        field.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    } else {
        field.iter_mut().rev().zip(value.to_le_bytes()).for_each(|(to, from)| *to = from);
        field[0] |= 0x80;
    }
    field
}

/// What a header says, as any tool may have written it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// Prefix and name, joined.
    pub(super) name: Vec<u8>,
    pub(super) size: u64,
    pub(super) modified: u64,
    pub(super) kind: u8,
    /// Whether it calls a regular entry so in the way from before ustar, where a trailing slash makes a directory.
    pub(super) is_old: bool,
    pub(super) link_is_empty: bool,
}

/// Reads a header; two readers cannot understand what this accepts differently.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Header, String> {
    let field = |range: std::ops::Range<usize>| block.get(range).unwrap_or_default();
    let stated = octal(field(CHECKSUM)).ok_or("its checksum field is no octal number")?;
    let blanks: u64 = 8 * u64::from(b' ');
    let sum = block.iter().map(|byte| u64::from(*byte)).sum::<u64>()
        - field(CHECKSUM).iter().map(|byte| u64::from(*byte)).sum::<u64>()
        + blanks;
    if sum != stated {
        return Err(format!("its checksum is {sum}, the header says {stated}"));
    }
    let magic = field(MAGIC);
    let takes_prefix = matches!(block.get(KIND), Some(0 | b'0' | b'5'));
    let prefix = match magic {
        b"ustar\x0000" => text(field(PREFIX))?,
        // Old GNU headers may keep times where the prefix would be; V7 ones end before it. Some readers take for a
        // prefix whatever stands there.
        b"ustar  \0" | [0, 0, 0, 0, 0, 0, 0, 0] if !takes_prefix || field(PREFIX).iter().all(|byte| *byte == 0) => &[],
        b"ustar  \0" | [0, 0, 0, 0, 0, 0, 0, 0] => {
            return Err("it has bytes where only a ustar header has the beginning of a name".to_owned());
        }
        _ => return Err("it is neither a ustar, a GNU nor a V7 header".to_owned()),
    };
    let name = text(field(NAME))?;
    let name = if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() };
    let size = size_field(field(SIZE)).ok_or_else(|| format!("its size field {} is no size", shown(field(SIZE))))?;
    let modified = field(MTIME);
    for (what, range) in
        [("mode", MODE), ("user", UID), ("group", GID), ("time", MTIME), ("device", MAJOR), ("device", MINOR)]
    {
        // Nothing is done with these, but at what is no number other readers give up, some without a word.
        let field = field(range);
        if !is_number(field) {
            return Err(format!("its {what} field {} is no number", shown(field)));
        }
    }
    let modified = size_field(modified).unwrap_or(0);
    let kind = block.get(KIND).copied().unwrap_or(0);
    let is_old = kind == 0;
    let kind = if is_old { REGULAR } else { kind };
    // V7 knew no other types; to some readers the others are regular files there, headers for a next entry too.
    if magic == [0; 8] && !matches!(kind, REGULAR | b'5') {
        return Err(format!("type '{}' in a header from before there was one", [kind].escape_ascii()));
    }
    let link_is_empty = field(LINK).iter().all(|byte| *byte == 0);
    Ok(Header { name, size, modified, kind, is_old, link_is_empty })
}

/// A text field: everything to the first NUL, behind which there may be nothing else.
fn text(field: &[u8]) -> Result<&[u8], String> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    let (text, rest) = field.split_at(end);
    match rest.iter().all(|byte| *byte == 0) {
        true => Ok(text),
        false => Err(format!("its name {} goes on behind a NUL", shown(text))),
    }
}

fn shown(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}

/// Octal digits, with blanks before and NULs or blanks behind them.
fn octal(field: &[u8]) -> Option<u64> {
    let start = field.iter().position(|byte| *byte != b' ').unwrap_or(field.len());
    let field = field.get(start..).unwrap_or_default();
    let end = field.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(field.len());
    let (digits, rest) = field.split_at(end);
    if digits.is_empty() || digits.len() > 21 || !rest.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// Octal, or base 256 where octal could not hold the value.
fn size_field(field: &[u8]) -> Option<u64> {
    match field.split_first() {
        Some((0x80, rest)) => {
            let (high, low) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
            let value = u64::from_be_bytes(low.try_into().ok()?);
            let fits = high.iter().all(|byte| *byte == 0) && i64::try_from(value).is_ok() && value > OCTAL_MAX;
            fits.then_some(value)
        }
        Some((first, _)) if *first > 0x7f => None,
        _ => octal(field),
    }
}

/// Whether a field that is not used holds a number that every reader takes: octal, or none at all; in base 256 one of 32
/// bits, or where it is a time, one of 63 bits and a sign.
fn is_number(field: &[u8]) -> bool {
    let bytes = if field.len() > 8 { 8 } else { 4 };
    match field.split_first() {
        Some((sign @ (0x80 | 0xff), rest)) => {
            let (high, low) = rest.split_at(rest.len().saturating_sub(bytes));
            let fill = if *sign == 0xff { 0xff } else { 0 };
            let fits = bytes == 4 || low.first().is_some_and(|first| (first & 0x80 != 0) == (fill == 0xff));
            high.iter().all(|byte| *byte == fill) && fits && (bytes == 8 || fill == 0)
        }
        _ => field.iter().all(|byte| *byte == 0) || octal(field).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last_block(head: &[u8]) -> [u8; BLOCK] {
        head[head.len() - BLOCK..].try_into().unwrap()
    }

    #[test]
    fn names_go_where_they_fit() {
        for (name, blocks) in [
            ("a".to_owned(), 1),
            (format!("d/{}", "n".repeat(98)), 1),
            (format!("d/{}", "n".repeat(99)), 1),
            (format!("{}/{}", "p".repeat(155), "n".repeat(100)), 1),
            (format!("{}/{}", "p".repeat(156), "n".repeat(100)), 3),
            ("n".repeat(101), 3),
            ("data/\u{e9}".to_owned(), 3),
        ] {
            let path: PackagePath = name.parse().unwrap();
            let head = entry_head(&path, 5, 7);
            assert_eq!(head.len(), blocks * BLOCK, "{name}");
            let header = parse(&last_block(&head)).unwrap();
            assert_eq!((header.size, header.modified, header.kind), (5, 7, REGULAR));
            if blocks == 1 {
                assert_eq!(header.name, name.as_bytes());
            }
        }
    }

    #[test]
    fn t062_sizes_at_the_border() {
        let path: PackagePath = "a".parse().unwrap();
        for size in [0, 1, OCTAL_MAX, OCTAL_MAX + 1, 1 << 40, (1 << 63) - 1] {
            assert_eq!(parse(&last_block(&entry_head(&path, size, 0))).unwrap().size, size);
        }
    }

    #[test]
    fn old_headers_have_old_types() {
        let mut block = last_block(&entry_head(&"a".parse().unwrap(), 0, 0));
        block[MAGIC].fill(0);
        for (kind, known) in [(b'0', true), (0, true), (b'5', true), (b'x', false), (b'L', false), (b'2', false)] {
            block[KIND] = kind;
            block[CHECKSUM].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            assert_eq!(parse(&block).is_ok(), known, "{kind}");
        }
    }

    #[test]
    fn t057_numbers() {
        for (field, value) in [
            (&b"00000000017\0"[..], Some(15)),
            (b"         17 ", Some(15)),
            (b"17\0         ", Some(15)),
            (b"777777777777", Some(0o7777_7777_7777)),
            (b"0000000001x\0", None),
            (b"00000 00017\0", None),
            (b"            ", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"\x80\0\0\0\0\0\0\0\0\0\0\x05", None),
            (b"\x80\0\0\0\0\0\0\x02\0\0\0\0", Some(1 << 33)),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", None),
        ] {
            assert_eq!(size_field(field), value, "{}", field.escape_ascii());
        }
    }

    #[test]
    fn numbers_that_are_not_used_are_numbers_all_the_same() {
        let head = last_block(&entry_head(&"a".parse().unwrap(), 5, 7));
        for (at, field, taken) in [
            (100, &b"0100644\0"[..], true),
            (108, b"\0\0\0\0\0\0\0\0", true),
            (108, b"        ", false),
            (108, b"\x80\0\0\0\xff\xff\xff\xff", true),
            (116, b"\x80\0\0\x01\0\0\0\0", false),
            (116, b"\xff\xff\xff\xff\xff\xff\xff\xfe", false),
            (116, b"12x\0\0\0\0\0", false),
            (136, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xf0", true),
            (136, b"\x80\0\0\0\xff\0\0\0\0\0\0\0", false),
            (136, b"yesterday\0\0\0", false),
            (329, b"\t000001\0", false),
            // Another prefix than that of a ustar header.
            (257, b"ustar  \0", true),
        ] {
            let mut block = head;
            block[at..at + field.len()].copy_from_slice(field);
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            assert_eq!(parse(&block).is_ok(), taken, "{at} {}", field.escape_ascii());
            if at == 257 {
                block[345] = b'p';
                let sum = sum + u32::from(b'p');
                block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
                assert!(parse(&block).unwrap_err().contains("beginning of a name"));
            }
        }
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_seen() {
        let head = entry_head(&"data/x.jsonl".parse().unwrap(), 1234, 1_700_000_000);
        for bit in 0..head.len() * 8 {
            let mut flipped = head.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let parsed = parse(&last_block(&flipped));
            // The checksum field has some freedom of its own; the canonical form has none.
            let same = parsed.is_ok_and(|header| {
                String::from_utf8(header.name.clone())
                    .ok()
                    .and_then(|name| name.parse().ok())
                    .is_some_and(|path| entry_head(&path, header.size, header.modified) == flipped)
            });
            assert!(!same, "bit {bit}");
        }
    }
}
