//! What a file says of sizes does not decide how much memory is asked for.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod common;

use std::io::Read as _;

use common::{DAY, Forged, ForgedBlock, Rows, bar, bars, in_memory, options, place, rows, write};
use fxd::format::symbol_index::SymbolEntry;
use fxd::format::tree::Entry as _;
use fxd::store::{Store, WriteOptions, repair, verify};

/// The most memory that the process has asked for so far, in kB; what it never touched counts.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

/// Reads, verifies and repairs; says whether something was refused.
fn all(file: &[u8]) -> bool {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    std::fs::write(&path, file).unwrap();
    let _ = verify(&path, true);
    let _ =
        repair(&path, Some(&home.path().join("b.fxd")), Some((fxd::Scale::PRICE, fxd::Scale::VOLUME)), &options(100));
    Store::from_bytes(file.to_vec()).and_then(|store| rows(&store)).is_err()
}

#[test]
fn t101_sizes_that_lie_and_bombs_ask_for_no_memory() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    let series: Rows =
        [("A".into(), [bars(19_000, 1400), (0..5).map(|day| bar((19_001 + day) * DAY, 1)).collect()].concat())].into();
    write(&path, &WriteOptions { level: None, ..options(1440) }, &series);
    let forged = Forged::of(&path);
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    std::io::copy(&mut std::io::repeat(0).take(1 << 28), &mut encoder).unwrap();
    let bomb = encoder.finish().unwrap();
    let whole = ForgedBlock::of(&series["A"][..1400]);
    assert!(bomb.len() < whole.stored.len());
    let mut cases: Vec<Vec<u8>> = Vec::new();
    let mut add = |change: &dyn Fn(&mut Forged)| {
        let mut forged = forged.clone();
        change(&mut forged);
        cases.push(forged.seal());
    };
    add(&|forged| forged.block(128, &whole.clone().zstd(bomb.clone())));
    add(&|forged| forged.block(128, &ForgedBlock { original_size: u32::MAX, ..whole.clone() }));
    add(&|forged| forged.block(128, &ForgedBlock { compressed_size: u32::MAX, ..whole.clone() }));
    add(&|forged| {
        let large = ForgedBlock { original_size: 0xFFFF_FFE8, record_count: 0x07FF_FFFF, ..whole.clone() };
        forged.block(128, &large);
    });
    add(&|forged| {
        let store = Store::open(&path).unwrap();
        let mut node = SymbolEntry::decode_node(store.file(), store.metadata().symbol_root).unwrap();
        for entry in &mut node.entries {
            entry.record_count = u32::MAX;
        }
        forged.put(node.at, &SymbolEntry::encode_node(0, &node.entries, 0));
    });
    add(&|forged| forged.put(forged.section(b"INFO") - 8, &(1_u64 << 40).to_le_bytes()));
    add(&|forged| forged.put(0x20, &u32::MAX.to_le_bytes()));
    add(&|forged| {
        let at = place(forged.section(b"SYMC")) as u64 + 8;
        forged.put(0x20, &65_535_u32.to_le_bytes());
        forged.put(at, &65_535_u32.to_le_bytes());
    });
    // Threads and their memory are there before it is measured.
    assert!(!all(&forged.clone().seal()));
    let before = peak();
    for (position, file) in cases.iter().enumerate() {
        assert!(all(file), "case {position} is not refused");
    }
    let grown = peak() - before;
    eprintln!("{} files that lie of sizes: {grown} kB more were asked for than by one that does not", cases.len());
    assert!(grown < 100 << 10, "{grown} kB");
}
