//! Tars changed so that most of the rest is right, and their gzip members.

use std::io::{Read as _, Write as _};
use std::ops::Range;

use flate2::{Compression, GzBuilder};

use crate::random::Random;

const BLOCK: usize = 512;
/// Name, mode, owner, group, size, time, checksum, type, link, magic, names of owner and group, devices, prefix, rest.
const FIELDS: [Range<usize>; 15] = [
    0..100,
    100..108,
    108..116,
    116..124,
    124..136,
    136..148,
    148..156,
    156..157,
    157..257,
    257..265,
    265..297,
    297..329,
    329..337,
    337..345,
    345..500,
];
const NUMBERS: [usize; 7] = [1, 2, 3, 4, 5, 12, 13];

/// Where the headers of a tar stand, by the sizes in them.
fn headers(tar: &[u8]) -> Vec<usize> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at + BLOCK <= tar.len() && tar[at..at + BLOCK].iter().any(|byte| *byte != 0) {
        found.push(at);
        let size =
            std::str::from_utf8(&tar[at + 124..at + 135]).ok().and_then(|text| u32::from_str_radix(text, 8).ok());
        at += BLOCK + (size.unwrap_or(0) as usize).div_ceil(BLOCK) * BLOCK;
    }
    found
}

/// Puts the checksum of the header at `at` right.
fn repair(tar: &mut [u8], at: usize) {
    if let Some(block) = tar.get_mut(at..at + BLOCK) {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}

fn header(name: &[u8], kind: u8, size: usize) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    block[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[136..148].copy_from_slice(b"14545252700\0");
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    repair(&mut block, 0);
    block
}

fn with_content(name: &[u8], kind: u8, content: &[u8]) -> Vec<u8> {
    let mut out = header(name, kind, content.len());
    out.extend(content);
    out.resize(out.len().div_ceil(BLOCK) * BLOCK, 0);
    out
}

/// One change to a tar; checksums are put right where a header was meant.
fn change(tar: &mut Vec<u8>, random: &mut Random) {
    let places = headers(tar);
    if places.is_empty() {
        random.damage(tar);
        return;
    }
    let index = random.below(places.len());
    let at = places[index];
    let end = places.get(index + 1).copied().unwrap_or(tar.len());
    match random.below(16) {
        0..=3 => {
            let which = if random.chance(60) { *random.pick(&NUMBERS) } else { random.below(FIELDS.len()) };
            let value =
                if NUMBERS.contains(&which) { number(random, FIELDS[which].len()) } else { words(random, which) };
            let field = &mut tar[at..at + BLOCK][FIELDS[which].clone()];
            let len = value.len().min(field.len());
            if random.chance(70) {
                field.fill(0);
            }
            field[..len].copy_from_slice(&value[..len]);
            if which != 6 {
                repair(tar, at);
            }
        }
        4 => {
            let field = at + random.below(BLOCK);
            tar[field] = random.byte();
            repair(tar, at);
        }
        5 | 6 => {
            let content = records(random);
            let kind = if random.chance(90) { b'x' } else { b'g' };
            tar.splice(at..at, with_content(b"././@PaxHeader", kind, &content));
        }
        7 => {
            let name =
                *random.pick(&[&b"data/long.csv\0"[..], b"data/long.csv", b"data/long/\0", b"a\0b\0", b"\0", b""]);
            tar.splice(at..at, with_content(b"././@LongLink", *random.pick(b"LLLK"), name));
        }
        8 => {
            let name =
                *random.pick(&[&b"data/"[..], b"./", b".", b"data/a/one.jsonl/", b"extra", b"data//b/", b"DATA/"]);
            tar.splice(at..at, header(name, *random.pick(b"550\0"), 0));
        }
        9 => {
            let piece = tar[at..end].to_vec();
            let to = *random.pick(&places);
            tar.splice(to..to, piece);
        }
        10 => drop(tar.drain(at..end)),
        11 => match random.below(4) {
            0 => tar.truncate(tar.len().saturating_sub(random.below(24) * BLOCK)),
            1 => tar.extend(vec![0; random.below(200) * 333]),
            2 => {
                let again = tar.clone();
                tar.extend(again);
            }
            _ => tar.push(random.byte()),
        },
        12 | 13 => {
            let content = at + BLOCK..end;
            if !content.is_empty() {
                let place = content.start + random.below(content.len());
                tar[place] ^= 1 << random.below(8);
            }
        }
        14 => {
            // A letter of the name, or the time.
            let place = if random.chance(70) { at + random.below(12) } else { at + 136 + random.below(11) };
            tar[place] = if place < at + 100 { b'a' + random.byte() % 26 } else { b'0' + random.byte() % 8 };
            repair(tar, at);
        }
        _ => random.damage(tar),
    }
}

fn number(random: &mut Random, len: usize) -> Vec<u8> {
    let value = random.number(33);
    match random.below(12) {
        0 => format!("{value:0width$o}\0", width = len - 1).into_bytes(),
        1 => format!("{value:width$o} ", width = len - 1).into_bytes(),
        2 => format!("{value:o}\0").into_bytes(),
        3 => format!("{:0len$o}", random.below(64)).into_bytes(),
        4 => format!(" {:o} \0", random.below(700)).into_bytes(),
        5 => format!("\t{:o}\0", random.below(700)).into_bytes(),
        6 => format!("-{:o}\0", random.below(700)).into_bytes(),
        7 => format!("0o{:o}\0", random.below(700)).into_bytes(),
        8 => {
            let mut field = vec![0; len];
            field[len - 7..].copy_from_slice(&value.to_be_bytes()[1..]);
            field[0] = *random.pick(&[0x80, 0xff, 0x81]);
            field
        }
        9 => vec![*random.pick(b" \0x9"); len],
        10 => format!("{:o}\0{:o}\0", random.below(64), random.below(8)).into_bytes(),
        _ => (0..len).map(|_| random.byte()).collect(),
    }
}

fn words(random: &mut Random, which: usize) -> Vec<u8> {
    let words: &[&[u8]] = match which {
        6 => &[b"0000000\0", b"        ", b"000001\0 "],
        7 => &[b"0", b"\0", b"5", b"1", b"2", b"7", b"L", b"x", b"g", b"S", b"D", b"M", b"V", b"A", b"N"],
        8 => &[b"", b"target", b" "],
        9 => &[
            b"ustar\x0000",
            b"ustar  \0",
            b"\0\0\0\0\0\0\0\0",
            b"ustar\x0001",
            b"ustar\0\0\0",
            b"ustar   ",
            b"USTAR\x0000",
        ],
        10 | 11 => &[b"root", b"", b"\xff\xfe", b"a b"],
        14 => &[b"", b"prefix", b"prefix/", b"/prefix", b"..", b"14545252700\x0014545252700\0"],
        _ => &[
            b"data/x.csv",
            b"./data/x.csv",
            b"data/x.csv/",
            b"../x",
            b"/x",
            b"data/a/one.jsonl",
            b"a\0b",
            b"data/\xff",
            b"",
        ],
    };
    random.pick(words).to_vec()
}

fn records(random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..1 + random.below(2) {
        let (key, value) = *random.pick(&[
            ("path", "data/by-pax.csv"),
            ("path", "data/\u{e9}t\u{e9}.csv"),
            ("path", "data/directory/"),
            ("path", ""),
            ("path", "./data/y.csv"),
            ("size", "0"),
            ("size", "8"),
            ("size", "904"),
            ("size", "99999999999"),
            ("mtime", "1704283200.123456789"),
            ("mtime", "-1.5"),
            ("mtime", "1e9"),
            ("mtime", ""),
            ("mtime", "99999999999999999999"),
            ("atime", "x"),
            ("uid", "1000"),
            ("uid", "99999999999999999999999"),
            ("gid", "-1"),
            ("uname", "\u{fc}ser"),
            ("uname", ""),
            ("gname", "a\nb"),
            ("comment", "a=b"),
            ("linkpath", "x"),
            ("charset", "ISO-IR 8859 1 1998"),
            ("hdrcharset", "BINARY"),
            ("GNU.sparse.size", "3"),
            ("GNU.sparse.name", "data/z"),
            ("SCHILY.realsize", "5"),
            ("SCHILY.filetype", "directory"),
            ("SCHILY.dev", "5"),
            ("SCHILY.ino", "x"),
            ("SCHILY.fflags", "x"),
            ("SCHILY.xattr.user.a", "b"),
            ("SCHILY.acl.access", "user::rw-"),
            ("LIBARCHIVE.creationtime", "1704283200"),
            ("LIBARCHIVE.xattr.user.a", "Yg"),
            ("LIBARCHIVE.symlinktype", "dir"),
            ("SUN.holesdata", " 0 5"),
        ]);
        let rest = key.len() + value.len() + 3;
        let mut len = rest + 1;
        while len != rest + len.to_string().len() {
            len = rest + len.to_string().len();
        }
        out.extend(format!("{len} {key}={value}\n").into_bytes());
    }
    if random.chance(8) {
        random.damage(&mut out);
    }
    out
}

fn gzip(plain: &[u8], random: &mut Random) -> Vec<u8> {
    let mut builder = GzBuilder::new();
    if random.chance(20) {
        builder = builder.filename("x.tar");
    }
    if random.chance(10) {
        builder = builder.comment("a comment").extra(b"AB\x01\x00x".to_vec());
    }
    let mut encoder = builder.write(Vec::new(), Compression::new(random.below(7) as u32));
    encoder.write_all(plain).unwrap();
    let mut member = encoder.finish().unwrap();
    if member[3] == 0 && random.chance(10) {
        // A checksum of the header.
        member[3] = 2;
        let [low, high, ..] = crc32fast::hash(&member[..10]).to_le_bytes();
        member.splice(10..10, [low, high]);
    }
    member
}

/// A tar in one or more gzip members, with one to three changes inside or outside.
pub(crate) fn plain_mutant(base: &[u8], random: &mut Random) -> Vec<u8> {
    let mut tar = base.to_vec();
    let outside = random.chance(15);
    for _ in 0..if outside { random.below(2) } else { 1 + random.below(2) } {
        change(&mut tar, random);
    }
    let mut members = Vec::new();
    let mut rest = tar.as_slice();
    while random.chance(20) {
        let (piece, later) = rest.split_at(random.below(rest.len()));
        members.push(gzip(piece, random));
        rest = later;
    }
    members.push(gzip(rest, random));
    if outside {
        match random.below(4) {
            0 => {
                let index = random.below(members.len());
                members.remove(index);
            }
            1 => {
                let again = random.pick(&members).clone();
                members.push(again);
            }
            2 => {
                let at = random.below(18);
                if let Some(byte) = members[0].get_mut(at) {
                    *byte = random.byte();
                }
            }
            _ => random.damage(&mut members[0]),
        }
    }
    members.concat()
}

/// The contents of the gzip members of a framed archive.
pub(crate) fn frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let len = u32::from_le_bytes(bytes[at + 16..at + 20].try_into().unwrap()) as usize;
        let mut content = Vec::new();
        flate2::read::GzDecoder::new(&bytes[at..at + len]).read_to_end(&mut content).unwrap();
        found.push(content);
        at += len;
    }
    found
}

fn frame(content: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(content).unwrap();
    let stream = encoder.finish().unwrap();
    let (stored, size) = (stream.len() as u32 + 32, content.len() as u32);
    let head = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 12, 0, b'P', b'D', 8, 0];
    let crc32 = crc32fast::hash(content);
    [&head[..], &stored.to_le_bytes(), &size.to_le_bytes(), &stream, &crc32.to_le_bytes(), &size.to_le_bytes()].concat()
}

/// A framed archive with one or two changes to what is in its frames, and to the frames.
///
/// The last frame is kept as it was, most of the time: it has but one form.
pub(crate) fn framed_mutant(base: &[u8], frames: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut contents = frames[..frames.len() - 1].to_vec();
    for _ in 0..1 + random.below(2) {
        let index = random.below(contents.len());
        let Some(content) = contents.get_mut(index) else { break };
        match random.below(12) {
            0..=4 => change(content, random),
            5 | 6 => {
                let at = if random.chance(60) { BLOCK } else { random.below(content.len()) };
                let rest = content.split_off(at.min(content.len()));
                contents.insert(index + 1, rest);
            }
            7 if index + 1 < contents.len() => {
                let next = contents.remove(index + 1);
                contents[index].extend(next);
            }
            8 => {
                let again = contents[index].clone();
                contents.insert(random.below(contents.len()), again);
            }
            9 => drop(contents.remove(index)),
            10 => {
                let other = random.below(contents.len());
                contents.swap(index, other);
            }
            _ => {
                // The same time in every entry.
                let time = format!("{:011o}\0", random.next() >> 31);
                for content in &mut contents {
                    let last = headers(content).into_iter().rfind(|at| content[at + 156] == b'0');
                    if let Some(at) = last {
                        content[at + 136..at + 148].copy_from_slice(time.as_bytes());
                        repair(content, at);
                    }
                }
            }
        }
    }
    let mut members: Vec<Vec<u8>> = contents.iter().map(|content| frame(content, random.below(7) as u32)).collect();
    let end = base.len() - frames.last().map_or(0, |_| end_len(base));
    members.push(base[end..].to_vec());
    if random.chance(15) {
        let index = random.below(members.len());
        random.damage(&mut members[index]);
    }
    if random.chance(3) {
        members.pop();
    }
    members.concat()
}

/// Length of the last frame.
fn end_len(base: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let len = u32::from_le_bytes(base[at + 16..at + 20].try_into().unwrap()) as usize;
        if at + len >= base.len() {
            return len;
        }
        at += len;
    }
}
