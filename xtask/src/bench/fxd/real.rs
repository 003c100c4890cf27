//! How small real bars become, where the files are there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use fxd::store::{Existing, Store, WriteOptions, Writer};
use fxd::{Bar, Scale, Version};
use pdp_bars::{Fit, Order, ReadOptions, Zone};

use super::{Bench, Table};
use crate::bench::compare::shown;

/// A file, and how it is to be read.
struct Real {
    name: &'static str,
    path: &'static str,
    /// Decimals of prices and volumes.
    scales: (u8, u8),
    zone: Option<Zone>,
}

const FILES: [Real; 7] = [
    Real { name: "GBPUSD 2012, minutes", path: "bars_1m/gbpusd-m1-bid-2012.csv", scales: (5, 0), zone: None },
    Real { name: "USDJPY 2013, minutes", path: "bars_1m/usdjpy-m1-ask-2013.csv", scales: (5, 0), zone: None },
    Real {
        name: "EURUSD 2019, HISTDATA",
        path: "histdata/HISTDATA_COM_ASCII_EURUSD_M12019.zip",
        scales: (5, 0),
        zone: Some(Zone::Fixed(-18_000)),
    },
    Real {
        name: "USDJPY 2018, HISTDATA",
        path: "histdata/HISTDATA_COM_ASCII_USDJPY_M12018.zip",
        scales: (5, 0),
        zone: Some(Zone::Fixed(-18_000)),
    },
    Real { name: "EURUSD 2012 Q1", path: "histdata/EURUSD_M1_2012_Q1.csv.gz", scales: (5, 0), zone: Some(Zone::UTC) },
    Real {
        name: "BTC-PERP 2022, minutes",
        path: "bars_1m/btc-perp-20211231-20220201_1m.csv",
        scales: (5, 11),
        zone: Some(Zone::UTC),
    },
    Real { name: "SPY, seconds", path: "bars_1s/derived/spy_20131007.ohlcv-1s.csv.gz", scales: (5, 0), zone: None },
];

/// A row for each file that is there; nothing where none is.
pub(super) fn table(bench: &Bench, data: &Path, work: &Path) -> Result<Option<String>> {
    if work.is_dir() {
        fs::remove_dir_all(work)?;
    }
    fs::create_dir_all(work)?;
    let mut rows = Vec::new();
    for (number, real) in FILES.iter().enumerate() {
        let path = data.join(real.path);
        if !path.is_file() {
            eprintln!("sizes: {} is not there", path.display());
            continue;
        }
        let bars = read(&path, real).with_context(|| path.display().to_string())?;
        raw(&work.join(format!("{number}.raw64")), &bars)?;
        rows.push((number, real, ours(&bars, work)?));
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let peers = bench.peer("sizes", "sizes", [&work.to_owned()], None).run()?;
    let mut table = Table::new([
        "",
        "bars",
        "version 3",
        "version 2",
        "version 1",
        "pcodec, plain columns",
        "Parquet i64 DELTA, zstd 9",
        "Parquet f64, zstd 3",
    ]);
    for (number, real, ours) in rows {
        let of = |peer: &str| peers.get(number.to_string()).and_then(|all| all.get(peer)?.as_f64());
        let [newest, second, first] = ours.bytes_of_bar.map(Some);
        let cells = [newest, second, first, of("pco"), of("parquet_delta"), of("parquet_f64")];
        let shown = cells.map(|cell| {
            cell.map_or_else(
                || "-".to_owned(),
                |cell| if cell.is_finite() { shown(cell) } else { "does not fit".to_owned() },
            )
        });
        table.row([real.name.to_owned(), ours.bars.to_string()].into_iter().chain(shown));
    }
    Ok(Some(table.text()))
}

fn read(path: &Path, real: &Real) -> Result<Vec<Bar>> {
    let scale = |decimals| Scale::new(decimals).context("a scale");
    let mut options = ReadOptions::new(Fit::any(scale(real.scales.0)?, scale(real.scales.1)?));
    options.zone = real.zone;
    options.symbol = Some("X".to_owned());
    options.order = Order::AsIs;
    let mut source = pdp_bars::open(path, None, &options)?;
    let mut bars = Vec::new();
    while let Some(chunk) = source.next()? {
        bars.extend(chunk.runs.iter().flat_map(|run| run.bars.iter().copied()));
    }
    bars.sort_by_key(|bar| bar.ts);
    bars.dedup_by_key(|bar| bar.ts);
    Ok(bars)
}

/// Columns of 64 bits, one behind the other, for the peers.
fn raw(path: &Path, bars: &[Bar]) -> Result<()> {
    let mut bytes = Vec::with_capacity(bars.len() * 48);
    let columns: [fn(&Bar) -> u64; 6] = [
        |bar| bar.ts,
        |bar| bar.open.cast_unsigned(),
        |bar| bar.high.cast_unsigned(),
        |bar| bar.low.cast_unsigned(),
        |bar| bar.close.cast_unsigned(),
        |bar| bar.volume,
    ];
    for column in columns {
        bytes.extend(bars.iter().flat_map(|bar| column(bar).to_le_bytes()));
    }
    Ok(fs::write(path, bytes)?)
}

struct Ours {
    bars: usize,
    /// Of versions 3, 2 and 1; not a number where a value does not fit.
    bytes_of_bar: [f64; 3],
}

fn ours(bars: &[Bar], work: &Path) -> Result<Ours> {
    let mut bytes_of_bar = [f64::NAN; 3];
    for (place, version) in bytes_of_bar.iter_mut().zip([Version::Columns, Version::Delta, Version::Rows]) {
        let path: PathBuf = work.join("real.fxd");
        let mut writer = Writer::create(&path, WriteOptions { version, ..WriteOptions::default() })?;
        let id = writer.symbol("X")?;
        if writer.push(id, bars).and_then(|()| writer.finish(Existing::Replace)).is_err() {
            continue;
        }
        let store = Store::open(&path)?;
        let header = store.header();
        // Of a single node the index is its root: all before it are blocks.
        let blocks = store.blocks(id, 0..u64::MAX)?.len() as u64;
        let nodes = if blocks <= 255 { 0 } else { blocks.div_ceil(255) * 4096 };
        *place = (header.index_offset - header.data_offset - nodes) as f64 / bars.len() as f64;
    }
    Ok(Ours { bars: bars.len(), bytes_of_bar })
}
