//! ZIP archives taken apart, changed, and put together so that most of the rest is right.

use std::io::{Read as _, Write as _};

use crate::random::Random;

const STORE: u16 = 0;
const DEFLATE: u16 = 8;
const DESCRIPTOR: u16 = 8;

/// What local and central header both have.
#[derive(Clone)]
struct Header {
    needed: u16,
    flags: u16,
    method: u16,
    modified: u32,
    crc32: u32,
    stored: u32,
    size: u32,
    name: Vec<u8>,
    extra: Vec<u8>,
}

#[derive(Clone)]
struct Entry {
    local: Header,
    data: Vec<u8>,
    /// Between its data and what comes next.
    behind: Vec<u8>,
    central: Header,
    made: u16,
    disk: u16,
    internal: u16,
    external: u32,
    shift: u32,
    comment: Vec<u8>,
}

#[derive(Clone)]
pub(crate) struct Archive {
    entries: Vec<Entry>,
    /// The order of the central directory.
    order: Vec<usize>,
    count: i64,
    comment: Vec<u8>,
    wide: bool,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The fields at `at`, which stand in the same order in both headers.
fn header(bytes: &[u8], at: usize, name_at: usize) -> Header {
    let (name, extra) = (usize::from(u16_at(bytes, at + 22)), usize::from(u16_at(bytes, at + 24)));
    Header {
        needed: u16_at(bytes, at),
        flags: u16_at(bytes, at + 2),
        method: u16_at(bytes, at + 4),
        modified: u32_at(bytes, at + 6),
        crc32: u32_at(bytes, at + 10),
        stored: u32_at(bytes, at + 14),
        size: u32_at(bytes, at + 18),
        name: bytes[name_at..name_at + name].to_vec(),
        extra: bytes[name_at + name..name_at + name + extra].to_vec(),
    }
}

impl Header {
    fn put(&self, out: &mut Vec<u8>) {
        for value in [self.needed, self.flags, self.method] {
            out.extend(value.to_le_bytes());
        }
        for value in [self.modified, self.crc32, self.stored, self.size] {
            out.extend(value.to_le_bytes());
        }
        out.extend((self.name.len() as u16).to_le_bytes());
        out.extend((self.extra.len() as u16).to_le_bytes());
    }

    /// Sets one of the numbers.
    fn set(&mut self, which: usize, value: u64) {
        match which {
            0 => self.needed = value as u16,
            1 => self.flags = value as u16,
            2 => self.method = value as u16,
            3 => self.modified = value as u32,
            4 => self.crc32 = value as u32,
            5 => self.stored = value as u32,
            _ => self.size = value as u32,
        }
    }
}

impl Archive {
    /// An archive without a comment, whose members stand in the order of its directory.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.len() - 22;
        assert_eq!(&bytes[end..end + 4], b"PK\x05\x06");
        let directory = u32_at(bytes, end + 16) as usize;
        let (mut entries, mut at) = (Vec::<Entry>::new(), directory);
        for index in 0..usize::from(u16_at(bytes, end + 10)) {
            let central = header(bytes, at + 6, at + 46);
            let offset = u32_at(bytes, at + 42) as usize;
            let local = header(bytes, offset + 4, offset + 30);
            let data_at = offset + 30 + local.name.len() + local.extra.len();
            let next = at + 46 + central.name.len() + central.extra.len();
            let until = if index + 1 == usize::from(u16_at(bytes, end + 10)) {
                directory
            } else {
                u32_at(bytes, next + 42) as usize
            };
            let data_end = data_at + central.stored as usize;
            entries.push(Entry {
                data: bytes[data_at..data_end].to_vec(),
                behind: bytes[data_end..until].to_vec(),
                made: u16_at(bytes, at + 4),
                disk: 0,
                internal: u16_at(bytes, at + 36),
                external: u32_at(bytes, at + 38),
                shift: 0,
                comment: Vec::new(),
                local,
                central,
            });
            at = next;
        }
        Self { order: (0..entries.len()).collect(), entries, count: 0, comment: Vec::new(), wide: false }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut places = Vec::new();
        for entry in &self.entries {
            places.push(out.len() as u32);
            out.extend(b"PK\x03\x04");
            entry.local.put(&mut out);
            for part in [&entry.local.name, &entry.local.extra, &entry.data, &entry.behind] {
                out.extend(part);
            }
        }
        let directory = out.len() as u32;
        for index in &self.order {
            let entry = &self.entries[*index];
            out.extend(b"PK\x01\x02");
            out.extend(entry.made.to_le_bytes());
            entry.central.put(&mut out);
            out.extend((entry.comment.len() as u16).to_le_bytes());
            out.extend(entry.disk.to_le_bytes());
            out.extend(entry.internal.to_le_bytes());
            out.extend(entry.external.to_le_bytes());
            out.extend(places[*index].wrapping_add(entry.shift).to_le_bytes());
            for part in [&entry.central.name, &entry.central.extra, &entry.comment] {
                out.extend(part);
            }
        }
        let len = out.len() as u32 - directory;
        let count = (self.order.len() as i64 + self.count) as u16;
        if self.wide {
            let at = out.len() as u64;
            out.extend(b"PK\x06\x06");
            out.extend(44_u64.to_le_bytes());
            out.extend([45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            for value in [count.into(), count.into(), u64::from(len), u64::from(directory)] {
                out.extend(value.to_le_bytes());
            }
            out.extend(b"PK\x06\x07\0\0\0\0");
            out.extend(at.to_le_bytes());
            out.extend(1_u32.to_le_bytes());
        }
        out.extend(b"PK\x05\x06\0\0\0\0");
        for value in [count, count] {
            out.extend(value.to_le_bytes());
        }
        out.extend(len.to_le_bytes());
        out.extend(directory.to_le_bytes());
        out.extend((self.comment.len() as u16).to_le_bytes());
        out.extend(&self.comment);
        out
    }
}

/// `base` with one to three changes.
pub(crate) fn mutant(base: &Archive, random: &mut Random) -> Vec<u8> {
    let mut archive = base.clone();
    for _ in 0..1 + random.below(3) {
        change(&mut archive, random);
    }
    for entry in &mut archive.entries {
        // `unzip` takes UTF-8 for a code page where an archive is of DOS or OS/2, against the flag.
        if matches!(entry.made >> 8, 0 | 6) && !entry.central.name.is_ascii() {
            entry.made = 0x0314;
        }
    }
    let mut bytes = archive.bytes();
    if random.chance(20) {
        random.damage(&mut bytes);
    }
    bytes
}

fn change(archive: &mut Archive, random: &mut Random) {
    let len = archive.entries.len();
    let index = random.below(len);
    let Some(entry) = archive.entries.get_mut(index) else { return };
    match random.below(18) {
        0..=2 => {
            let which = random.below(7);
            let value = match which {
                1 => u64::from(entry.central.flags) ^ (1 << random.below(16)),
                2 => *random.pick(&[0, 8, 9, 12, 14, 93, 99]),
                3 => random.next(),
                _ => random.number(if which == 0 { 16 } else { 32 }),
            };
            let side = random.below(4);
            if side != 1 {
                entry.central.set(which, value);
            }
            if side != 2 {
                entry.local.set(which, value);
            }
        }
        3 | 4 => content(entry, random),
        5 | 6 => {
            let name = rename(&entry.central.name, random);
            entry.central.name.clone_from(&name);
            if random.chance(85) {
                entry.local.name = name;
            }
            if random.chance(15) {
                entry.central.flags ^= 1 << 11;
                entry.local.flags = entry.central.flags;
            }
        }
        7 | 8 => {
            let field = extra(entry, random);
            let side = random.below(3);
            if side != 1 {
                entry.central.extra.extend(&field);
            }
            if side != 2 {
                entry.local.extra.extend(&field);
            }
        }
        9 => descriptor(entry, random),
        10 => entry.made = random.number(16) as u16,
        11 => {
            entry.external = match random.below(3) {
                0 => random.number(32) as u32,
                1 => entry.external ^ (1 << random.below(32)),
                _ => u32::from(random.byte()),
            };
        }
        12 => match random.below(4) {
            0 => entry.internal = random.number(16) as u16,
            1 => entry.disk = random.number(16) as u16,
            2 => entry.shift = random.number(32) as u32,
            _ => random.damage(&mut entry.behind),
        },
        13 => entry.comment = text(random),
        14 => archive.comment = text(random),
        15 => {
            let (one, other) = (random.below(archive.order.len()), random.below(archive.order.len()));
            archive.order.swap(one, other);
        }
        16 => match random.below(4) {
            0 => archive.order.push(index),
            1 => drop(archive.order.pop()),
            2 => archive.count = random.below(5) as i64 - 2,
            _ => {
                archive.entries.push(archive.entries[index].clone());
                archive.order.push(archive.entries.len() - 1);
            }
        },
        _ => archive.wide = true,
    }
}

/// Something that may stand in a comment, records that look like ends too.
fn text(random: &mut Random) -> Vec<u8> {
    let mut text: Vec<u8> = (0..random.below(40)).map(|_| random.byte()).collect();
    if random.chance(40) {
        let end = [b"PK\x05\x06\0\0\0\0".as_slice(), &[0; 12], &[random.byte() % 24, 0]].concat();
        text.extend(&end[..4 + random.below(end.len() - 3)]);
    }
    text
}

fn rename(name: &[u8], random: &mut Random) -> Vec<u8> {
    let mut name = name.to_vec();
    match random.below(8) {
        0 => name.push(b'/'),
        1 => name.extend("\u{e9}".as_bytes()),
        2 => name.insert(random.below(name.len()), b'/'),
        3 => name = [b"./", name.as_slice()].concat(),
        4 => name.make_ascii_uppercase(),
        5 => {
            let at = random.below(name.len());
            name[at] = b'a' + random.byte() % 26;
        }
        6 => name = b"data/other.csv".to_vec(),
        _ => random.damage(&mut name),
    }
    name
}

/// Other content, with the CRC and sizes that it has.
fn content(entry: &mut Entry, random: &mut Random) {
    let mut plain = entry.data.clone();
    if entry.central.method == DEFLATE {
        if random.chance(40) {
            // The stream itself; what it then inflates to is declared.
            random.damage(&mut entry.data);
            plain.clear();
            if flate2::read::DeflateDecoder::new(entry.data.as_slice()).read_to_end(&mut plain).is_err() {
                return;
            }
            declare(entry, &plain);
            return;
        }
        plain.clear();
        let _ = flate2::read::DeflateDecoder::new(entry.data.as_slice()).read_to_end(&mut plain);
    }
    random.damage(&mut plain);
    entry.data = if random.chance(50) {
        let level = flate2::Compression::new(random.below(10) as u32);
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
        encoder.write_all(&plain).unwrap();
        entry.central.method = DEFLATE;
        encoder.finish().unwrap()
    } else {
        entry.central.method = STORE;
        plain.clone()
    };
    entry.local.method = entry.central.method;
    declare(entry, &plain);
}

fn declare(entry: &mut Entry, plain: &[u8]) {
    let crc32 = crc32fast::hash(plain);
    for header in [&mut entry.central, &mut entry.local] {
        (header.crc32, header.stored, header.size) = (crc32, entry.data.len() as u32, plain.len() as u32);
    }
    if entry.central.flags & DESCRIPTOR != 0 {
        entry.behind = [b"PK\x07\x08".as_slice(), &sums(entry)].concat();
    }
}

fn sums(entry: &Entry) -> Vec<u8> {
    [entry.central.crc32, entry.central.stored, entry.central.size]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn descriptor(entry: &mut Entry, random: &mut Random) {
    entry.central.flags |= DESCRIPTOR;
    entry.local.flags = entry.central.flags;
    entry.behind = sums(entry);
    if random.chance(30) {
        entry.behind = [
            entry.central.crc32.to_le_bytes().as_slice(),
            &u64::from(entry.central.stored).to_le_bytes(),
            &u64::from(entry.central.size).to_le_bytes(),
        ]
        .concat();
    }
    if random.chance(60) {
        entry.behind.splice(0..0, *b"PK\x07\x08");
    }
    for which in 4..7 {
        if random.chance(70) {
            entry.local.set(which, 0);
        }
    }
}

fn extra(entry: &Entry, random: &mut Random) -> Vec<u8> {
    let id: u16 = *random.pick(&[1, 1, 0x7075, 0x7075, 0x5455, 0x7875, 0x9901, 0x000a, 0xcafe, 0x6375, 0xd935]);
    let body = match id {
        1 => {
            let (size, stored) = (u64::from(entry.central.size), u64::from(entry.central.stored));
            let body = [size, stored, random.next()].iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
            body[..8 * random.below(4)].to_vec()
        }
        0x7075 => {
            let crc32 = crc32fast::hash(&entry.central.name).to_le_bytes();
            let name = if random.chance(60) { entry.central.name.clone() } else { b"data/elsewhere.csv".to_vec() };
            [&[1], crc32.as_slice(), &name].concat()
        }
        0x5455 => [&[1], 1_704_283_200_u32.to_le_bytes().as_slice()].concat(),
        _ => (0..random.below(12)).map(|_| random.byte()).collect(),
    };
    let len = if random.chance(5) { random.byte().into() } else { body.len() as u16 };
    [id.to_le_bytes().as_slice(), &len.to_le_bytes(), &body].concat()
}
