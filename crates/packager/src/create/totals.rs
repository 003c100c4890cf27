//! The manifest of a package whose data files are known.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use pdp_manifest::{ContainerFormat, DateRange, FormatVersion, Manifest, listing, time};

use super::{CreateOptions, Gathered, method, quality};

/// The manifest but for what depends on the papers: checksum, their list, and the size.
pub(super) fn manifest(options: &CreateOptions, gathered: &Gathered) -> Manifest {
    let files = &gathered.entries;
    let distinct = |values: BTreeSet<_>| values.into_iter().collect();
    Manifest {
        package_version: FormatVersion::CURRENT,
        package_id: listing::package_id(gathered.facts.iter().map(|facts| (&facts.path, &facts.sha256))),
        name: options.package_name(),
        description: options.description.clone(),
        created_at: options.created_at,
        creator_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        format: options.format,
        compression: Some(method(options)),
        compression_level: Some(options.compression),
        package_checksum: None,
        package_size_bytes: None,
        uncompressed_size_bytes: Some(files.iter().filter_map(|file| file.uncompressed_size_bytes).sum()),
        date_range: date_range(gathered),
        symbols: distinct(files.iter().map(|file| file.symbol.clone()).collect()),
        event_types: files.iter().map(|file| file.event_type.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
        sources: files.iter().filter_map(|file| file.source.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
        total_files: u64::try_from(files.len()).unwrap_or(u64::MAX),
        total_events: files.iter().filter_map(|file| file.event_count).sum(),
        files: files.clone(),
        schemas: gathered.schemas.columns(),
        quality: options.quality_report.then(|| quality::summarize(&gathered.quality)),
        layout: Some(options.layout),
        filters: options.filters.clone(),
        tags: options.tags.clone(),
        custom_metadata: options.custom_metadata.clone(),
        supplementary_files: Vec::new(),
        part_number: Some(1),
        total_parts: Some(1),
        set_id: None,
        canonical_framing: options.format != ContainerFormat::Folder,
        min_required_version: Some(FormatVersion::CURRENT),
    }
}

/// From the data; from the files' dates where a file's data has no times.
fn date_range(gathered: &Gathered) -> Option<DateRange> {
    let mut days: BTreeSet<NaiveDate> = BTreeSet::new();
    let (mut start, mut end) = (None, None);
    for (file, quality) in gathered.entries.iter().zip(&gathered.quality) {
        let (first, last) = match (file.first_timestamp, file.last_timestamp, file.date) {
            (Some(first), Some(last), _) => (first, last),
            (.., Some(date)) => (time::midnight(date), time::midnight(date)),
            _ => continue,
        };
        start = Some(start.map_or(first, |start: chrono::DateTime<_>| start.min(first)));
        end = Some(end.map_or(last, |end: chrono::DateTime<_>| end.max(last)));
        if quality.days.is_empty() {
            days.extend(file.date);
        }
        days.extend(quality.days.iter().map(|day| day.date));
    }
    let (start, end) = (start?, end?);
    let calendar = (end.date_naive() - start.date_naive()).num_days() + 1;
    Some(DateRange {
        start,
        end,
        trading_days: u64::try_from(days.len()).ok(),
        calendar_days: u64::try_from(calendar).ok(),
    })
}
