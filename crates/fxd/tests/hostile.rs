//! Files that lie, with checksums that hold: refused by name and place, or at least never other rows; no loops.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod common;

use common::{DAY, Forged, ForgedBlock, Rows, append, assert_sound, bar, bars, in_memory, options, place, rows, write};
use fxd::format::header::FIELDS;
use fxd::format::symbol_index::SymbolEntry;
use fxd::format::time_index::TimeEntry;
use fxd::format::tree::{Entry, Node};
use fxd::store::{Appender, Existing, OnTaken, Store, WriteOptions, Writer, repair, verify};
use fxd::{BadBarReason, Bar, FxdError, MAX_TS};

/// The first thing that a reader says against a file, or its rows.
fn read(file: &[u8]) -> Result<Rows, FxdError> {
    let store = Store::from_bytes(file.to_vec())?;
    store.blocks_by_time(0..u64::MAX)?;
    rows(&store)
}

/// Whether a verifier finds something.
fn is_found(file: &[u8]) -> bool {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    std::fs::write(&path, file).unwrap();
    // A repair of it must come to an end, whatever it finds.
    let found = verify(&path, true).map_or(true, |verified| !verified.is_sound());
    let _ = repair(&path, Some(&home.path().join("b.fxd")), Some((fxd::Scale::PRICE, fxd::Scale::VOLUME)), &options(3));
    found
}

/// A reader refuses a file as damaged with a text like this, and a verifier finds it.
fn refused(file: &[u8], text: &str, what: &str) {
    match read(file) {
        Err(FxdError::Damaged { damage, .. }) => {
            assert!(damage.what.contains(text), "{what}: expected {text:?}, found {damage}");
        }
        other => panic!("{what}: {other:?}"),
    }
    assert!(is_found(file), "{what}: not found");
}

/// A reader refuses a file or gives the right rows, and a verifier finds it.
fn harmless(file: &[u8], rows: &Rows, what: &str) {
    if let Ok(found) = read(file) {
        assert!(found == *rows, "{what}: other rows");
    }
    assert!(is_found(file), "{what}: not found");
}

/// A symbol with a block of 500 bars that are stored as they are, and another with two blocks.
fn roomy() -> (Forged, Rows) {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    let rows: Rows =
        [("A".into(), bars(19_000, 500)), ("B".into(), [bars(19_000, 3), bars(19_001, 3)].concat())].into();
    write(&path, &WriteOptions { level: None, ..options(1440) }, &rows);
    (Forged::of(&path), rows)
}

/// A block for each of 2600 days: both indexes have inner nodes.
fn deep() -> (Forged, Rows) {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    let rows: Rows = [("A".into(), (0..2600).map(|day| bar(day * DAY, 3)).collect())].into();
    write(&path, &options(1440), &rows);
    (Forged::of(&path), rows)
}

#[test]
fn t099_magic_version_and_features_are_named() {
    let (forged, _) = roomy();
    for (magic, text) in [
        (b"FXST0RE1", "zero for the letter O"),
        (b"1EROTSXF", "backwards"),
        (b"1ER0TSXF", "backwards"),
        (b"PK\x03\x04\0\0\0\0", "PK\\x03\\x04"),
    ] {
        let mut forged = forged.clone();
        forged.put(0, magic);
        match read(&forged.seal()) {
            Err(FxdError::NotFxd { found, .. }) => assert!(found.contains(text), "{found}"),
            other => panic!("{other:?}"),
        }
    }
    for version in [0, 5, u32::MAX] {
        let mut forged = forged.clone();
        forged.put(8, &version.to_le_bytes());
        let error = read(&forged.seal()).unwrap_err();
        assert!(matches!(error, FxdError::UnsupportedVersion { version: found, .. } if found == version), "{error}");
    }
    for bit in 0..32_u32 {
        let mut forged = forged.clone();
        forged.put(12, &(1_u32 << 16 | 1 << bit).to_le_bytes());
        match read(&forged.seal()) {
            Err(FxdError::UnsupportedFeature { bit: found, .. }) => assert_eq!(found, bit),
            found => assert!(found.is_ok() && bit >= 16, "{bit}: {found:?}"),
        }
    }
    for (file, text) in
        [(&b""[..], "empty"), (b"FX", "2 bytes"), (&[7; 63], "63 bytes"), (&[7; 64], "expected FXSTORE1")]
    {
        match read(file) {
            Err(FxdError::NotFxd { found, .. }) => assert!(found.contains(text), "{found}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn t100_counts_and_offsets_of_the_header_that_lie() {
    let (forged, rows) = roomy();
    let len = forged.file.len() as u64;
    let own = |name: &str| FIELDS.iter().find(|field| field.name == name).unwrap();
    let value = |name: &str| u64::from_le_bytes(forged.file[own(name).offset..][..8].try_into().unwrap());
    let offsets = [value("index_offset"), value("symbol_offset"), value("data_offset")];
    let mut cases = 0;
    for (name, len) in
        [("symbol_count", 4), ("block_count", 4), ("index_offset", len), ("symbol_offset", len), ("data_offset", len)]
    {
        let field = own(name);
        let mut values =
            vec![0, 1, 3, 4, 63, 64, 65, 128, 65_535, 65_536, u64::from(u32::MAX), u64::MAX, u64::MAX - 63];
        values.extend([1 << 63, len, len.wrapping_sub(64), len + 64, len.next_multiple_of(64), field.offset as u64]);
        values.extend(
            offsets
                .iter()
                .flat_map(|offset| [*offset, offset + 1, offset + 64, offset.wrapping_sub(64), offset + 4096]),
        );
        for wanted in values {
            let bytes = &wanted.to_le_bytes()[..field.len];
            let mut forged = forged.clone();
            if forged.file[field.offset..][..field.len] == *bytes {
                continue;
            }
            forged.put(field.offset as u64, bytes);
            let file = forged.seal();
            harmless(&file, &rows, &format!("{name} {wanted}"));
            cases += 1;
        }
    }
    eprintln!("headers that lie: {cases}");
}

#[test]
fn t101_blocks_whose_sizes_counts_and_records_lie() {
    let (forged, rows) = roomy();
    let store = Store::from_bytes(forged.file.clone()).unwrap();
    let at = store.blocks(store.symbols()[0].id, 0..u64::MAX).unwrap()[0].offset;
    let good = rows["A"].clone();
    let whole = ForgedBlock::of(&good);
    let compressed = zstd::bulk::compress(&whole.stored, 3).unwrap();
    // The forger is right where it does not lie.
    let mut same = forged.clone();
    same.block(at, &whole);
    assert!(same.clone().seal() == forged.file);
    let mut small = forged.clone();
    small.block(at, &whole.clone().zstd(compressed.clone()));
    assert_eq!(read(&small.seal()).unwrap(), rows);
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 19).unwrap();
    let changed = |change: &dyn Fn(&mut Vec<Bar>)| {
        let mut bars = good.clone();
        change(&mut bars);
        let mut block = ForgedBlock::of(&bars);
        // What the header and the index say stays as it was.
        (block.date, block.first_ts, block.last_ts) = (whole.date, whole.first_ts, whole.last_ts);
        block
    };
    let with = |change: &dyn Fn(&mut ForgedBlock)| {
        let mut block = whole.clone();
        change(&mut block);
        block
    };
    let zstd_of = |bytes: &[u8]| whole.clone().zstd(zstd::bulk::compress(bytes, 3).unwrap());
    let two_frames = {
        let (a, b) = whole.stored.split_at(5000);
        [zstd::bulk::compress(a, 3).unwrap(), zstd::bulk::compress(b, 3).unwrap()].concat()
    };
    let with_rest = [compressed.clone(), b"rest".to_vec()].concat();
    let skippable = [compressed.clone(), vec![0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0]].concat();
    let cases: Vec<(&str, &str, ForgedBlock)> = vec![
        ("a bomb", "does not decompress", whole.clone().zstd(bomb)),
        ("a payload that is short", "decompressed, expected", zstd_of(&whole.stored[..whole.stored.len() - 32])),
        ("an empty frame", "decompressed, expected", zstd_of(b"")),
        ("two frames", "one zstd frame", whole.clone().zstd(two_frames)),
        ("bytes behind the frame", "zstd frame", whole.clone().zstd(skippable)),
        ("garbage behind the frame", "", whole.clone().zstd(with_rest)),
        ("a frame that is cut off", "", whole.clone().zstd(compressed[..compressed.len() - 3].to_vec())),
        ("no frame", "", whole.clone().zstd(vec![1; 100])),
        ("an empty payload", "", whole.clone().zstd(Vec::new())),
        ("a dictionary that is not there", "needs a dictionary", with(&|block| block.compression = 2)),
        ("an unknown compression", "compression 6", with(&|block| block.compression = 6)),
        ("one of version 2", "as version 2 does", with(&|block| block.compression = 3)),
        ("one of version 3", "as version 3 does", with(&|block| block.compression = 5)),
        ("compressed_size too small", "checksum of a block's header", with(&|block| block.compressed_size -= 1)),
        ("compressed_size too large", "does not fit", with(&|block| block.compressed_size = u32::MAX)),
        ("original_size 0", "expected 8 + 32", with(&|block| block.original_size = 0)),
        ("original_size not of whole records", "expected 8 + 32", with(&|block| block.original_size += 1)),
        ("original_size of another count", "expected 8 + 32", with(&|block| block.original_size += 32)),
        ("original_size without bound", "expected 8 + 32", with(&|block| block.original_size = u32::MAX)),
        ("no records", "expected 8 + 32", with(&|block| (block.record_count, block.original_size) = (0, 8))),
        (
            "too many records",
            "expected 8 + 32",
            with(&|block| (block.record_count, block.original_size) = (86_401, 8 + 32 * 86_401)),
        ),
        (
            "one record more",
            "are stored for",
            with(&|block| (block.record_count, block.original_size) = (501, 8 + 32 * 501)),
        ),
        ("another symbol", "not the one that the index", with(&|block| block.symbol = 1)),
        ("a symbol that is not there", "not the one that the index", with(&|block| block.symbol = 65_535)),
        ("another date", "date 20220102", with(&|block| block.date = 20_220_102)),
        ("first behind last", "records from", with(&|block| block.first_ts = block.last_ts + 1)),
        ("too late", "records from", with(&|block| block.last_ts = MAX_TS + 1)),
        ("another first", "not the one that the index", with(&|block| block.first_ts += 1)),
        ("another number before the records", "length is not the one", with(&|block| block.stored[0] ^= 1)),
        ("a record of another symbol", "another symbol", with(&|block| block.stored[8 + 32 + 28] = 1)),
        ("records out of order", "out of order", changed(&|bars| bars.swap(3, 4))),
        ("a time twice", "out of order", changed(&|bars| bars[4].ts = bars[3].ts)),
        ("a record of no time", "out of order", changed(&|bars| bars[4].ts = u64::MAX)),
        ("another first record", "not of the time", changed(&|bars| bars[0].ts += 1)),
        ("another last record", "not of the time", changed(&|bars| bars.last_mut().unwrap().ts += 1)),
    ];
    for (what, text, block) in &cases {
        let mut forged = forged.clone();
        forged.block(at, block);
        refused(&forged.seal(), text, what);
    }
    let mut no_magic = forged;
    no_magic.put(at, b"BLOK");
    refused(&no_magic.seal(), "expected a block", "no magic");
    eprintln!("blocks that lie: {}", cases.len() + 1);
}

/// Nodes of an index that lie.
fn nodes<E: Entry>(root_of: fn(&Store) -> u64, change_key: fn(E, i64) -> E, lead: fn(E, u64) -> E) -> usize {
    let (forged, rows) = deep();
    let store = Store::from_bytes(forged.file.clone()).unwrap();
    let root: Node<E> = E::decode_node(store.file(), root_of(&store)).unwrap();
    let mut path = vec![root.clone()];
    while path.last().unwrap().level > 0 {
        let child = path.last().unwrap().entries[1 % path.last().unwrap().entries.len()].offset();
        path.push(E::decode_node(store.file(), child).unwrap());
    }
    let leaf = path.last().unwrap().clone();
    assert!(root.level > 0);
    let mut cases: Vec<(String, u64, Vec<u8>)> = Vec::new();
    for node in [&root, &path[path.len() - 2], &leaf] {
        let mut add = |what: &str, level: u8, entries: &[E]| {
            cases.push((
                format!("{what} at {} of level {}", node.at, node.level),
                node.at,
                E::encode_node(level, entries, node.next),
            ));
        };
        let entries = &node.entries;
        let set = |at: usize, entry: E| {
            let mut entries = entries.clone();
            entries[at] = entry;
            entries
        };
        add("a level more", node.level + 1, entries);
        add("eight levels", 8, entries);
        add("nine levels", 9, entries);
        add("level 100", 100, entries);
        add("no entries", node.level, &[]);
        add("an entry less", node.level, &entries[..entries.len() - 1]);
        add("the first left out", node.level, &entries[1..]);
        add("an entry twice", node.level, &set(1, entries[0]));
        add("keys out of order", node.level, &{
            let mut entries = entries.clone();
            entries.swap(0, 1);
            entries
        });
        add("another key", node.level, &set(1, change_key(entries[1], 1)));
        for (what, offset) in [
            ("itself", node.at),
            ("the root", root.at),
            ("a leaf", leaf.at),
            ("the header", 0),
            ("the end", store.file().len() as u64),
            ("beyond the end", store.file().len() as u64 + 64),
            ("far beyond", u64::MAX),
            ("unaligned", entries[1].offset() + 1),
            ("the entry before", entries[0].offset()),
        ] {
            for at in [0, 1] {
                if entries[at].offset() != offset {
                    add(&format!("entry {at} leads to {what}"), node.level, &set(at, lead(entries[at], offset)));
                }
            }
        }
        for count in [entries.len() + 1, 256, 32_768, 65_535] {
            let mut bytes = E::encode_node(node.level, entries, node.next);
            bytes[2..4].copy_from_slice(&u16::try_from(count).unwrap().to_le_bytes());
            bytes[4..8].fill(0);
            let crc = crc32c::crc32c(&bytes);
            bytes[4..8].copy_from_slice(&crc.to_le_bytes());
            if node.entries.len() < E::FANOUT || count > E::FANOUT {
                cases.push((format!("{count} entries at {}", node.at), node.at, bytes));
            }
        }
    }
    for (what, at, bytes) in &cases {
        let mut forged = forged.clone();
        forged.put(*at, bytes);
        let file = forged.seal();
        // What an index leaves out no reader can know of, as long as all that it says is true.
        match read(&file) {
            Ok(found) => {
                let left_out =
                    found["A"].iter().all(|bar| rows["A"].contains(bar)) && found["A"].len() < rows["A"].len();
                assert!(found == rows || left_out, "{what}: other rows");
            }
            Err(FxdError::Damaged { .. }) => {}
            Err(other) => panic!("{what}: {other}"),
        }
        assert!(is_found(&file), "{what}: not found");
    }
    cases.len()
}

#[test]
fn t102_nodes_of_the_time_index_that_lie() {
    let cases = nodes::<TimeEntry>(
        |store| store.header().index_offset,
        |entry, by| TimeEntry { ts: entry.ts.saturating_add_signed(by), ..entry },
        |entry, offset| TimeEntry { offset, ..entry },
    );
    eprintln!("nodes of the time index that lie: {cases}");
}

#[test]
fn t102_nodes_of_the_symbol_index_that_lie() {
    let cases = nodes::<SymbolEntry>(
        |store| store.metadata().symbol_root,
        |entry, by| SymbolEntry { first_ts: entry.first_ts.saturating_add_signed(by), ..entry },
        |entry, offset| SymbolEntry { offset, ..entry },
    );
    eprintln!("nodes of the symbol index that lie: {cases}");
}

#[test]
fn t102_nodes_that_are_reached_again_and_again_cost_no_time() {
    let (forged, _) = deep();
    let store = Store::from_bytes(forged.file.clone()).unwrap();
    let root = TimeEntry::decode_node(store.file(), store.header().index_offset).unwrap();
    for damaged_leaf in [false, true] {
        let mut forged = forged.clone();
        if damaged_leaf {
            forged.file[place(root.entries[0].offset) + 100] ^= 1;
        }
        let mut child = root.entries[0];
        for level in 1..8_u8 {
            let at = root.entries[usize::from(level)].offset;
            forged.put(at, &TimeEntry::encode_node(level, &[child; 255], 0));
            child = TimeEntry { offset: at, ..child };
        }
        forged.put(root.at, &TimeEntry::encode_node(8, &[child; 255], 0));
        let file = forged.seal();
        refused(&file, if damaged_leaf { "checksum" } else { "goes back" }, "a tree of 255 to the eighth paths");
        let home = in_memory();
        let path = home.path().join("a.fxd");
        std::fs::write(&path, &file).unwrap();
        let earlier: Rows = [("A".into(), vec![bar(1, 1)])].into();
        assert!(matches!(append(&path, &options(5), OnTaken::Keep, &earlier), Err(FxdError::Damaged { .. })));
    }
}

#[test]
fn t103_names_that_are_none() {
    let (forged, _) = roomy();
    let name = |bytes: &[u8]| {
        let mut forged = forged.clone();
        let mut field = [0; 32];
        field[..bytes.len()].copy_from_slice(bytes);
        forged.put(64 + 8, &field);
        forged.seal()
    };
    assert!(read(&name(&[b'x'; 31])).unwrap().contains_key(&"x".repeat(31)));
    assert!(read(&name("ééééééééééééééé".as_bytes())).unwrap().contains_key("ééééééééééééééé"));
    for (bytes, text) in [
        (&[b'x'; 32][..], "does not end"),
        (b"", "empty"),
        ("xxéé".as_bytes().split_last().unwrap().1, "not UTF-8"),
        (b"A\0B", "behind the end"),
        (b"A\nB", "control character"),
        ("A\u{85}".as_bytes(), "control character"),
        (b"B", "two symbols"),
    ] {
        refused(&name(bytes), text, &bytes.escape_ascii().to_string());
    }
    // A writer takes none of these, either.
    let home = in_memory();
    let path = home.path().join("a.fxd");
    let mut writer = Writer::create(&path, options(5)).unwrap();
    writer.symbol(&"x".repeat(31)).unwrap();
    for name in ["", "a\0b", "\u{7f}", &"x".repeat(32), &"é".repeat(16)] {
        assert!(matches!(writer.symbol(name), Err(FxdError::Refused(_))), "{name:?}");
    }
    writer.finish(Existing::Refuse).unwrap();
    let mut appender = Appender::open(&path, options(5), OnTaken::Keep).unwrap();
    assert!(matches!(appender.push(&"x".repeat(32), &bars(1, 1)), Err(FxdError::Refused(_))));
}

#[test]
fn symbol_tables_that_lie() {
    let (forged, rows) = roomy();
    for (at, bytes, text) in [
        (0, &1_u16.to_le_bytes()[..], "expected 0"),
        (4, &0_u32.to_le_bytes(), "500 bars in 0 blocks"),
        (4, &501_u32.to_le_bytes(), "501 blocks"),
        (4, &2_u32.to_le_bytes(), "the symbols have 4"),
        (0x28, &u64::MAX.to_le_bytes(), "bars from"),
        (0x30, &(MAX_TS + 1).to_le_bytes(), "bars from"),
        (0x38, &0_u64.to_le_bytes(), "0 bars in 1 blocks"),
    ] {
        let mut forged = forged.clone();
        forged.put(64 + at, bytes);
        refused(&forged.seal(), text, text);
    }
    for (at, bytes) in [(0x28, 1_u64), (0x30, MAX_TS), (0x38, u64::MAX)] {
        let mut forged = forged.clone();
        forged.put(64 + at, &bytes.to_le_bytes());
        let file = forged.seal();
        harmless(&file, &rows, "a span or a count");
        assert!(Store::from_bytes(file).unwrap().record_count() >= 500);
    }
}

#[test]
fn sections_that_lie() {
    let (forged, rows) = roomy();
    let head = |tag: &[u8; 4]| forged.section(tag) - 16;
    for tag in [b"CMIT", b"SYMC", b"SIDX", b"INFO"] {
        let mut missing = forged.clone();
        missing.put(head(tag), b"WHAT");
        refused(&missing.seal(), &format!("no section {}", tag.escape_ascii()), "a section that is missing");
    }
    let mut twice = forged.clone();
    twice.put(head(b"INFO"), b"CMIT");
    assert!(read(&twice.seal()).is_err());
    let mut short = forged.clone();
    short.put(head(b"INFO"), b"DICT");
    assert!(read(&short.seal()).is_err());
    for tag in [b"CMIT", b"SYMC", b"SIDX", b"INFO", b"END "] {
        for length in [0, 1, 15, 71, 73, forged.file.len() as u64, u64::from(u32::MAX), u64::MAX, u64::MAX - 15] {
            let mut lies = forged.clone();
            lies.put(head(tag) + 8, &length.to_le_bytes());
            harmless(&lies.clone().file, &rows, "a length");
            harmless(&lies.seal(), &rows, "a length, sealed");
        }
    }
    for (at, text) in [
        (forged.section(b"CMIT"), "number"),
        (forged.section(b"CMIT") + 8, "region"),
        (forged.section(b"CMIT") + 16, "previous"),
    ] {
        for value in [1, 64, forged.section(b"CMIT") - 16, u64::MAX] {
            let mut lies = forged.clone();
            lies.put(at, &value.to_le_bytes());
            harmless(&lies.seal(), &rows, text);
        }
    }
    for root in [0, 1, forged.section(b"SIDX"), forged.file.len() as u64, u64::MAX] {
        let mut lies = forged.clone();
        lies.put(forged.section(b"SIDX"), &root.to_le_bytes());
        refused(&lies.seal(), "a node of the symbol index", "the root of the symbol index");
    }
    let at = place(forged.section(b"INFO"));
    let length = place(forged.sections.iter().find(|section| &section.tag == b"INFO").unwrap().length);
    let of = |text: &str| {
        let mut lies = forged.clone();
        lies.file[at..at + length].fill(b' ');
        lies.put(at as u64, text.as_bytes());
        lies.seal()
    };
    assert_eq!(read(&of("{}")).unwrap(), rows);
    for text in
        ["[]", "7", "", "{", "{\"priceScale\":19}", "{\"priceScale\":1.5}", "{\"creator\":5}", "{\"user\":{\"a\":1}}"]
    {
        let file = of(text);
        refused(&file, "INFO", text);
    }
}

#[test]
fn reserved_bytes_that_are_not_zero_are_read_over_and_found() {
    let (forged, rows) = roomy();
    let node = Store::from_bytes(forged.file.clone()).unwrap().metadata().symbol_root;
    let last = forged.section(b"END ") + 72;
    assert!(last % 64 != 0);
    for at in [64 + 2, forged.section(b"CMIT") + 28, forged.section(b"SIDX") + 8, forged.section(b"END ") + 68, last] {
        let mut lies = forged.clone();
        lies.file[place(at)] = 1;
        let file = lies.seal();
        assert_eq!(read(&file).unwrap(), rows, "{at}");
        assert!(is_found(&file), "{at}: not found");
    }
    // A node's own checksum is over them.
    let mut lies = forged;
    lies.file[place(node) + 8] = 1;
    lies.file[place(node) + 4..place(node) + 8].fill(0);
    let crc = crc32c::crc32c(&lies.file[place(node)..place(node) + 1024]);
    lies.put(node + 4, &crc.to_le_bytes());
    let file = lies.seal();
    assert_eq!(read(&file).unwrap(), rows);
    assert!(is_found(&file));
}

#[test]
fn dictionaries_that_lie() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    let dictionary: Vec<u8> = (0..2000_u32).flat_map(|n| (n * n).to_le_bytes()).collect();
    let series: Rows = [("A".into(), bars(5, 300))].into();
    write(&path, &WriteOptions { dictionary: Some(dictionary), ..options(100) }, &series);
    assert_sound(&path);
    let forged = Forged::of(&path);
    assert_eq!(read(&forged.clone().seal()).unwrap(), series);
    let at = forged.section(b"DICT");
    for (offset, bytes) in [
        (0, &0_u64.to_le_bytes()[..]),
        (0, &u64::MAX.to_le_bytes()),
        (8, &0_u32.to_le_bytes()),
        (8, &1_u32.to_le_bytes()),
        (8, &u32::MAX.to_le_bytes()),
        (12, &7_u32.to_le_bytes()),
        (500, b"another"),
    ] {
        let mut lies = forged.clone();
        lies.put(at + offset, bytes);
        refused(&lies.seal(), "dictionary", "a dictionary");
    }
}

#[test]
fn t106_times_at_the_ends_and_out_of_order() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    let at = |ts: u64| Bar { ts, ..bar(0, 1) };
    let series: Rows =
        [("A".into(), vec![at(0), at(MAX_TS - 1), at(MAX_TS)]), ("B".into(), vec![at(0), at(MAX_TS)])].into();
    write(&path, &options(5), &series);
    assert_sound(&path);
    assert_eq!(rows(&Store::open(&path).unwrap()).unwrap(), series);
    let why = |done: Result<(), FxdError>| match done {
        Err(FxdError::Bar(bad)) => bad.why,
        other => panic!("{other:?}"),
    };
    for (bars, expected) in [
        (vec![at(MAX_TS + 1)], BadBarReason::TooLate),
        (vec![at(MAX_TS), at(MAX_TS + 1)], BadBarReason::TooLate),
        (vec![at(u64::MAX)], BadBarReason::TooLate),
        (vec![at(5), at(4)], BadBarReason::OutOfOrder(5)),
        (vec![at(5), at(5)], BadBarReason::OutOfOrder(5)),
    ] {
        let mut writer = Writer::create(home.path().join("b.fxd"), options(5)).unwrap();
        let id = writer.symbol("A").unwrap();
        assert_eq!(why(writer.push(id, &bars)), expected);
        if expected == BadBarReason::TooLate {
            let before = std::fs::read(&path).unwrap();
            let done = append(&path, &options(5), OnTaken::Replace, &[("A".into(), bars)].into());
            assert_eq!(why(done.map(drop)), expected);
            assert_eq!(std::fs::read(&path).unwrap(), before);
        }
    }
    // An append takes them in any order.
    append(&path, &options(5), OnTaken::Refuse, &[("A".into(), vec![at(9), at(4), at(MAX_TS - 2), at(5)])].into())
        .unwrap();
    assert_sound(&path);
    let found = rows(&Store::open(&path).unwrap()).unwrap();
    assert_eq!(found["A"].iter().map(|bar| bar.ts).collect::<Vec<_>>(), [0, 4, 5, 9, MAX_TS - 2, MAX_TS - 1, MAX_TS]);
}

#[test]
fn t109_there_are_65535_symbols_and_no_more() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    let mut writer = Writer::create(&path, options(5)).unwrap();
    for n in 0..65_534_u64 {
        let id = writer.symbol(&format!("S{n}")).unwrap();
        if n % 4096 == 0 || n > 65_500 {
            writer.push(id, &[bar(n, n)]).unwrap();
        }
    }
    writer.finish(Existing::Refuse).unwrap();
    append(&path, &options(5), OnTaken::Refuse, &[("LAST".into(), vec![bar(1, 1)])].into()).unwrap();
    assert_sound(&path);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.symbols().len(), 65_535);
    assert_eq!(store.symbol("LAST").unwrap().id.position(), 65_534);
    let series = rows(&store).unwrap();
    assert_eq!(series["LAST"], [bar(1, 1)]);
    let more = append(&path, &options(5), OnTaken::Refuse, &[("MORE".into(), vec![bar(1, 1)])].into());
    assert!(matches!(more, Err(FxdError::Refused(_))), "{more:?}");
    let mut writer = Writer::create(home.path().join("b.fxd"), options(5)).unwrap();
    for name in series.keys() {
        writer.symbol(name).unwrap();
    }
    assert!(matches!(writer.symbol("MORE"), Err(FxdError::Refused(_))));
    writer.symbol("LAST").unwrap();
    drop(writer);
    fxd::store::compact(&path, &options(5)).unwrap();
    assert_sound(&path);
    assert_eq!(rows(&Store::open(&path).unwrap()).unwrap(), series);
}
