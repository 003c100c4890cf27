//! Reads a file of bars and says how fast: `cargo run --release -p pdp-bars --example read_csv -- FILE [THREADS] [ZONE]`.
//!
//! Without a file, it makes five million rows in two shapes in the temporary directory and reads those.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use fxd::Scale;
use pdp_bars::{Fit, ReadOptions, Zone, open};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().filter(|name| name != "-").map(PathBuf::from);
    let threads = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let zone = arguments.next().map(|text| text.parse()).transpose()?.unwrap_or(Zone::EST);
    let files = match file {
        Some(file) => vec![file],
        None => generated()?,
    };
    for file in files {
        measure(&file, threads, zone)?;
    }
    Ok(())
}

fn measure(file: &Path, threads: usize, zone: Zone) -> Result<(), Box<dyn Error>> {
    let scale = |name: &str, default: Scale| {
        std::env::var(name).ok().and_then(|text| Scale::new(text.parse().ok()?)).unwrap_or(default)
    };
    let mut options =
        ReadOptions::new(Fit::any(scale("PRICE_SCALE", Scale::PRICE), scale("VOLUME_SCALE", Scale::VOLUME)));
    options.threads = threads;
    options.zone = Some(zone);
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let mut source = open(file, None, &options)?;
    let (mut rows, mut sum) = (0_usize, 0_u64);
    while let Some(chunk) = source.next()? {
        for run in &chunk.runs {
            rows += run.bars.len();
            sum = run.bars.last().map_or(sum, |bar| sum ^ bar.ts);
        }
    }
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let count = f64::from(u32::try_from(rows)?);
    let bytes = std::fs::metadata(file)?.len() / 1_000_000;
    writeln!(
        std::io::stdout(),
        "{}: {rows} rows, {bytes} MB, {wall:.2} s, {cpu:.2} s of CPU: {:.1} M rows/s, {:.1} M rows per CPU second ({sum:x})",
        file.display(),
        count / wall / 1e6,
        count / cpu / 1e6,
    )?;
    Ok(())
}

/// The seconds of CPU that this process took so far, as the kernel counts them: hundredths.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The program's name, in parentheses, may hold spaces.
    let after = stat.rsplit(')').next().unwrap_or_default();
    after.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Five million rows of one-minute bars, with symbols and as HISTDATA writes them.
fn generated() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let plain = std::env::temp_dir().join("pdp-bars-plain.csv");
    let histdata = std::env::temp_dir().join("pdp-bars-histdata.csv");
    if plain.exists() && histdata.exists() {
        return Ok(vec![plain, histdata]);
    }
    let mut outs = [BufWriter::new(File::create(&plain)?), BufWriter::new(File::create(&histdata)?)];
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut price = 129_324_u64;
    for minute in 0..5_000_000_u64 {
        let ts =
            chrono::DateTime::from_timestamp(1_325_462_400 + i64::try_from(minute)? * 60, 0).ok_or("no such time")?;
        let open = price;
        price = (price + random(41)).saturating_sub(20).clamp(50_000, 199_999);
        let (high, low) = (open.max(price) + random(10), open.min(price) - random(10));
        let text = |value: u64| format!("{}.{:05}", value / 100_000, value % 100_000);
        let [open, high, low, close] = [open, high, low, price].map(text);
        let [plain, histdata] = &mut outs;
        writeln!(plain, "{},EURUSD,{open},{high},{low},{close},0", ts.format("%Y-%m-%dT%H:%M:%SZ"))?;
        writeln!(histdata, "{};{open}0;{high}0;{low}0;{close}0;0", ts.format("%Y%m%d %H%M%S"))?;
    }
    for out in &mut outs {
        out.flush()?;
    }
    Ok(vec![plain, histdata])
}
