//! The sections behind the time index's root.

use super::bytes::{Field, align, padding, slice};
use super::damage::{Damage, Decoded, holds};
use super::header;
use super::info::Info;

/// The length of what stands before a section's bytes.
pub const SECTION_LEN: usize = 16;
/// The most bytes of a dictionary.
pub const MAX_DICTIONARY: usize = 1 << 20;
/// The most bytes of the INFO section.
pub const MAX_INFO: usize = 1 << 20;
/// Where the first node of the symbol index lies behind the metadata's start.
pub(crate) const NODES_AT: u64 = (3 * SECTION_LEN + COMMIT_LEN + TABLE_LEN + INDEX_LEN) as u64;

const TAG_AT: Field = Field::new("tag", 0, 4);
const CRC_AT: Field = TAG_AT.then("crc", 4);
const LENGTH_AT: Field = CRC_AT.then("length", 8);
const _: () = assert!(LENGTH_AT.end() == SECTION_LEN);
/// The fields before a section's bytes.
pub const SECTION_FIELDS: [Field; 3] = [TAG_AT, CRC_AT, LENGTH_AT];

const NUMBER_AT: Field = Field::new("number", 0, 8);
const REGION_AT: Field = NUMBER_AT.then("region_offset", 8);
const PREVIOUS_AT: Field = REGION_AT.then("previous", 8);
const REGION_CRC_AT: Field = PREVIOUS_AT.then("region_crc", 4);
const COMMIT_RESERVED_AT: Field = REGION_CRC_AT.then("reserved", 4);
const COMMIT_LEN: usize = COMMIT_RESERVED_AT.end();
/// The fields of CMIT.
pub const COMMIT_FIELDS: [Field; 5] = [NUMBER_AT, REGION_AT, PREVIOUS_AT, REGION_CRC_AT, COMMIT_RESERVED_AT];

const TABLE_OFFSET_AT: Field = Field::new("offset", 0, 8);
const TABLE_COUNT_AT: Field = TABLE_OFFSET_AT.then("count", 4);
const TABLE_CRC_AT: Field = TABLE_COUNT_AT.then("crc", 4);
const TABLE_LEN: usize = TABLE_CRC_AT.end();
/// The fields of SYMC.
pub const TABLE_FIELDS: [Field; 3] = [TABLE_OFFSET_AT, TABLE_COUNT_AT, TABLE_CRC_AT];

const ROOT_AT: Field = Field::new("root", 0, 8);
const INDEX_RESERVED_AT: Field = ROOT_AT.then("reserved", 8);
const INDEX_LEN: usize = INDEX_RESERVED_AT.end();
/// The fields of SIDX before its nodes.
pub const INDEX_FIELDS: [Field; 2] = [ROOT_AT, INDEX_RESERVED_AT];

const DICT_OFFSET_AT: Field = Field::new("offset", 0, 8);
const DICT_LENGTH_AT: Field = DICT_OFFSET_AT.then("length", 4);
const DICT_CRC_AT: Field = DICT_LENGTH_AT.then("crc", 4);
const DICT_LEN: usize = DICT_CRC_AT.end();
/// The fields of DICT.
pub const DICTIONARY_FIELDS: [Field; 3] = [DICT_OFFSET_AT, DICT_LENGTH_AT, DICT_CRC_AT];

const IMAGE_AT: Field = Field::new("header", 0, header::LEN);
const RUN_CRC_AT: Field = IMAGE_AT.then("metadata_crc", 4);
const END_RESERVED_AT: Field = RUN_CRC_AT.then("reserved", 4);
const END_LEN: usize = END_RESERVED_AT.end();
/// The fields of END.
pub const END_FIELDS: [Field; 3] = [IMAGE_AT, RUN_CRC_AT, END_RESERVED_AT];

const COMMIT: &[u8; 4] = b"CMIT";
const TABLE: &[u8; 4] = b"SYMC";
const INDEX: &[u8; 4] = b"SIDX";
const DICTIONARY: &[u8; 4] = b"DICT";
const INFO: &[u8; 4] = b"INFO";
pub(crate) const END: &[u8; 4] = b"END ";

/// The bytes of a section that are zero.
pub(crate) const fn reserved(tag: &[u8; 4]) -> Option<Field> {
    match tag {
        COMMIT => Some(COMMIT_RESERVED_AT),
        INDEX => Some(INDEX_RESERVED_AT),
        END => Some(END_RESERVED_AT),
        _ => None,
    }
}

/// What a commit wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Commit {
    /// 0 for a fresh file, one more with each append.
    pub number: u64,
    /// Where its bytes begin.
    pub region_offset: u64,
    /// The metadata of the commit before, or 0.
    pub previous: u64,
    /// The checksum of its bytes up to the metadata.
    pub region_crc: u32,
}

/// Where a symbol table is, and its checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its offset.
    pub offset: u64,
    /// Its entries.
    pub count: u32,
    /// Its checksum.
    pub crc: u32,
}

/// Where a dictionary is, and its checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dictionary {
    /// Its offset.
    pub offset: u64,
    /// Its length.
    pub length: u32,
    /// Its checksum.
    pub crc: u32,
}

/// A section, as it lies in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Its tag.
    pub tag: [u8; 4],
    /// Where it starts, tag and all.
    pub at: u64,
    /// How many bytes it has behind its tag, checksum and length.
    pub length: u64,
}

/// What the sections say.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// Where they start.
    pub at: u64,
    /// CMIT.
    pub commit: Commit,
    /// SYMC.
    pub table: Table,
    /// SIDX: the root of the symbol index.
    pub symbol_root: u64,
    /// DICT.
    pub dictionary: Option<Dictionary>,
    /// INFO.
    pub info: Info,
    /// END: the header.
    pub header_image: [u8; header::LEN],
    /// The committed end.
    pub end: u64,
    /// All sections in their order.
    pub sections: Vec<Section>,
}

/// A dictionary for the metadata that is being written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DictionaryToWrite<'a> {
    /// None.
    None,
    /// One whose bytes come with this commit.
    New(&'a [u8]),
    /// One that an older commit brought.
    Old(Dictionary),
}

/// What metadata is made of.
#[derive(Debug)]
pub(crate) struct ToWrite<'a> {
    pub(crate) at: u64,
    pub(crate) commit: Commit,
    pub(crate) table: Table,
    pub(crate) symbol_root: u64,
    /// The new nodes of the symbol index; the first lies at [`NODES_AT`] behind `at`.
    pub(crate) symbol_nodes: &'a [u8],
    pub(crate) dictionary: DictionaryToWrite<'a>,
    pub(crate) info: &'a Info,
    pub(crate) header: [u8; header::LEN],
}

impl ToWrite<'_> {
    /// The bytes of all sections, up to the committed end.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.symbol_nodes.len() + 1024);
        let mut fields = [0; COMMIT_LEN];
        NUMBER_AT.write(&mut fields, self.commit.number);
        REGION_AT.write(&mut fields, self.commit.region_offset);
        PREVIOUS_AT.write(&mut fields, self.commit.previous);
        REGION_CRC_AT.write(&mut fields, self.commit.region_crc);
        add(&mut out, COMMIT, &[&fields]);

        let mut fields = [0; TABLE_LEN];
        TABLE_OFFSET_AT.write(&mut fields, self.table.offset);
        TABLE_COUNT_AT.write(&mut fields, self.table.count);
        TABLE_CRC_AT.write(&mut fields, self.table.crc);
        add(&mut out, TABLE, &[&fields]);

        let mut fields = [0; INDEX_LEN];
        ROOT_AT.write(&mut fields, self.symbol_root);
        add(&mut out, INDEX, &[&fields, self.symbol_nodes]);

        let mut fields = [0; DICT_LEN];
        let (dictionary, bytes) = match self.dictionary {
            DictionaryToWrite::None => (None, &[][..]),
            DictionaryToWrite::Old(dictionary) => (Some(dictionary), &[][..]),
            DictionaryToWrite::New(bytes) => {
                let offset = self.at + (out.len() + SECTION_LEN + DICT_LEN) as u64;
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                (Some(Dictionary { offset, length, crc: crc32c::crc32c(bytes) }), bytes)
            }
        };
        if let Some(dictionary) = dictionary {
            DICT_OFFSET_AT.write(&mut fields, dictionary.offset);
            DICT_LENGTH_AT.write(&mut fields, dictionary.length);
            DICT_CRC_AT.write(&mut fields, dictionary.crc);
            add(&mut out, DICTIONARY, &[&fields, bytes]);
        }
        add(&mut out, INFO, &[&self.info.encode()]);

        let mut fields = [0; END_LEN];
        IMAGE_AT.put(&mut fields, &self.header);
        RUN_CRC_AT.write(&mut fields, crc32c::crc32c(&out));
        add(&mut out, END, &[&fields]);
        out.resize(out.len() + padding(self.at + out.len() as u64), 0);
        out
    }
}

fn add(out: &mut Vec<u8>, tag: &[u8; 4], parts: &[&[u8]]) {
    let mut head = [0; SECTION_LEN];
    TAG_AT.put(&mut head, tag);
    CRC_AT.write(&mut head, parts.iter().fold(0, |crc, part| crc32c::crc32c_append(crc, part)));
    LENGTH_AT.write(&mut head, parts.iter().map(|part| part.len() as u64).sum::<u64>());
    out.extend_from_slice(&head);
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// How much of the metadata is held against its checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// All but the nodes of the symbol index, which have checksums of their own: the cost does not grow with the file.
    Open,
    /// Everything.
    All,
}

impl Metadata {
    /// The sections that start at `at`.
    ///
    /// # Errors
    /// [`Damage`]: a section that does not fit, is missing, comes twice, or whose checksum does not hold.
    pub fn decode(file: &[u8], at: u64, depth: Depth) -> Decoded<Self> {
        let mut found = Found::default();
        let mut sections = Vec::new();
        let mut position = at;
        loop {
            let section = section(file, position)?;
            let bytes_at = position + SECTION_LEN as u64;
            let length = usize::try_from(section.length).unwrap_or(usize::MAX);
            let bytes = slice(file, bytes_at, length).ok_or_else(|| {
                Damage::new(
                    position + LENGTH_AT.offset as u64,
                    format!("a section of {length} bytes does not fit into the file's {}", file.len()),
                )
            })?;
            sections.push(section);
            if depth == Depth::All || &section.tag != INDEX {
                let head = slice(file, position, SECTION_LEN).unwrap_or_default();
                let (expected, stored) = (crc32c::crc32c(bytes), CRC_AT.read_u32(head));
                if !holds(expected, stored) {
                    let what = format!("the section {}", section.tag.escape_ascii());
                    return Err(Damage::checksum(position, &what, expected, stored));
                }
            }
            if &section.tag == END {
                return found.end(file, at, position, bytes, depth, sections);
            }
            found.take(&section, bytes, bytes_at)?;
            position = bytes_at + section.length;
        }
    }
}

/// The head of a section.
pub(crate) fn section(file: &[u8], at: u64) -> Decoded<Section> {
    let head = slice(file, at, SECTION_LEN)
        .ok_or_else(|| Damage::new(at, "the metadata goes on beyond the file: its END section is missing"))?;
    let tag = head.get(TAG_AT.range()).and_then(|tag| tag.try_into().ok()).unwrap_or_default();
    Ok(Section { tag, at, length: LENGTH_AT.read(head) })
}

/// What a section says that is whole by itself, whatever became of those around it.
#[derive(Debug)]
pub(crate) enum Alone {
    Table(Table),
    Dictionary(Dictionary),
    Info(Info),
}

/// The section at `at`, if it is one of those that say what cannot be told from blocks, and its checksum holds.
pub(crate) fn alone(file: &[u8], at: u64) -> Option<Alone> {
    let section = section(file, at).ok()?;
    let most = match &section.tag {
        TABLE => TABLE_LEN,
        DICTIONARY => DICT_LEN + MAX_DICTIONARY,
        INFO => MAX_INFO,
        _ => return None,
    };
    let length = usize::try_from(section.length).ok().filter(|length| *length <= most)?;
    let bytes = slice(file, at + SECTION_LEN as u64, length)?;
    if !holds(crc32c::crc32c(bytes), CRC_AT.read_u32(slice(file, at, SECTION_LEN)?)) {
        return None;
    }
    let mut found = Found::default();
    found.take(&section, bytes, at).ok()?;
    found.table.map(Alone::Table).or(found.dictionary.map(Alone::Dictionary)).or(found.info.map(Alone::Info))
}

/// The header that an END section at `at` repeats, and the metadata's start that it implies.
pub(crate) fn end_image(file: &[u8], at: u64) -> Option<[u8; header::LEN]> {
    let bytes = slice(file, at + SECTION_LEN as u64, END_LEN)?;
    bytes.get(IMAGE_AT.range())?.try_into().ok()
}

#[derive(Default)]
struct Found {
    commit: Option<Commit>,
    table: Option<Table>,
    symbol_root: Option<u64>,
    dictionary: Option<Dictionary>,
    info: Option<Info>,
}

impl Found {
    fn take(&mut self, section: &Section, bytes: &[u8], bytes_at: u64) -> Decoded<()> {
        let name = section.tag.escape_ascii().to_string();
        let least = match &section.tag {
            COMMIT => COMMIT_LEN,
            TABLE => TABLE_LEN,
            INDEX => INDEX_LEN,
            DICTIONARY => DICT_LEN,
            _ => 0,
        };
        if bytes.len() < least {
            return Err(Damage::new(
                section.at,
                format!("the section {name} has {} bytes, expected {least}", bytes.len()),
            ));
        }
        let twice = match &section.tag {
            COMMIT => {
                let commit = Commit {
                    number: NUMBER_AT.read(bytes),
                    region_offset: REGION_AT.read(bytes),
                    previous: PREVIOUS_AT.read(bytes),
                    region_crc: REGION_CRC_AT.read_u32(bytes),
                };
                self.commit.replace(commit).is_some()
            }
            TABLE => {
                let table = Table {
                    offset: TABLE_OFFSET_AT.read(bytes),
                    count: TABLE_COUNT_AT.read_u32(bytes),
                    crc: TABLE_CRC_AT.read_u32(bytes),
                };
                self.table.replace(table).is_some()
            }
            INDEX => self.symbol_root.replace(ROOT_AT.read(bytes)).is_some(),
            DICTIONARY => {
                let dictionary = Dictionary {
                    offset: DICT_OFFSET_AT.read(bytes),
                    length: DICT_LENGTH_AT.read_u32(bytes),
                    crc: DICT_CRC_AT.read_u32(bytes),
                };
                self.dictionary.replace(dictionary).is_some()
            }
            INFO => {
                let info = Info::decode(bytes).map_err(|what| Damage::new(bytes_at, what))?;
                self.info.replace(info).is_some()
            }
            _ => false,
        };
        if twice { Err(Damage::new(section.at, format!("the section {name} comes twice"))) } else { Ok(()) }
    }

    fn end(
        self,
        file: &[u8],
        at: u64,
        position: u64,
        bytes: &[u8],
        depth: Depth,
        sections: Vec<Section>,
    ) -> Decoded<Metadata> {
        let image: Option<[u8; header::LEN]> = bytes.get(IMAGE_AT.range()).and_then(|image| image.try_into().ok());
        let (Some(header_image), END_LEN) = (image, bytes.len()) else {
            return Err(Damage::new(
                position,
                format!("the END section has {} bytes, expected {END_LEN}", bytes.len()),
            ));
        };
        if depth == Depth::All {
            let run = usize::try_from(position - at).ok().and_then(|len| slice(file, at, len)).unwrap_or_default();
            let (expected, stored) = (crc32c::crc32c(run), RUN_CRC_AT.read_u32(bytes));
            if !holds(expected, stored) {
                return Err(Damage::checksum(at, "the metadata", expected, stored));
            }
        }
        let end = align(position + (SECTION_LEN + END_LEN) as u64)
            .filter(|end| *end <= file.len() as u64)
            .ok_or_else(|| Damage::new(position, "the file ends in the padding behind its metadata"))?;
        let missing = |name: &str| Damage::new(at, format!("the metadata has no section {name}"));
        Ok(Metadata {
            at,
            commit: self.commit.ok_or_else(|| missing("CMIT"))?,
            table: self.table.ok_or_else(|| missing("SYMC"))?,
            symbol_root: self.symbol_root.ok_or_else(|| missing("SIDX"))?,
            dictionary: self.dictionary,
            info: self.info.ok_or_else(|| missing("INFO"))?,
            header_image,
            end,
            sections,
        })
    }
}
