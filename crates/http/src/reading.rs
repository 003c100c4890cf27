//! What can be read of packages and of the data root, off the threads that answer requests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, NaiveDate, Utc};
use pdp_archive::disk::Kind as EntryKind;
use pdp_packager::manifest::{ContainerFormat, EventType, Grade, PackageName, Symbol, time};
use pdp_packager::scan::{ScanOptions, scan};
use pdp_packager::{ListReport, Silent};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::State;
use crate::problem::{Kind, Problem};
use crate::requests::limits;
use crate::roots::{FileName, Roots};

/// How many such readings go on at once, each with a manifest in memory.
const AT_ONCE: usize = 4;
/// Most packages that are listed.
const MOST_LISTED: usize = 10_000;
/// How long what was found in the data root is told again.
const DATA_LASTS: Duration = Duration::from_secs(5);

/// The packages of a server.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PackageList {
    /// Each, the newest first.
    pub packages: Vec<ListedPackage>,
}

/// A package in a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedPackage {
    /// Its file name, which other requests know it by.
    pub file_name: String,
    /// Its size in bytes; none for a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// When it was last written.
    #[schemars(extend("format" = "date-time"))]
    pub modified_at: String,
    /// What it says of itself.
    #[serde(flatten)]
    pub summary: Option<Summary>,
    /// Why nothing can be read of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What a package says of itself.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Its name.
    pub name: PackageName,
    /// Its identity.
    pub package_id: String,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    #[schemars(extend("format" = "date-time"))]
    pub created_at: String,
    /// Its container.
    pub format: ContainerFormat,
    /// Number of data files.
    pub total_files: u64,
    /// Number of records.
    pub total_events: u64,
    /// Its symbols.
    pub symbols: Vec<Symbol>,
    /// Its event types.
    pub event_types: Vec<EventType>,
    /// The span of its data.
    pub date_range: Value,
    /// Its quality grade.
    pub quality_grade: Option<Grade>,
    /// Its tags.
    pub tags: Vec<String>,
}

impl Summary {
    fn of(report: ListReport) -> Self {
        let whole = serde_json::to_value(&report).unwrap_or_default();
        Self {
            name: report.name,
            package_id: report.package_id.to_string(),
            description: report.description,
            created_at: time::format(report.created_at),
            format: report.format,
            total_files: report.total_files,
            total_events: report.total_events,
            symbols: report.symbols,
            event_types: report.event_types,
            date_range: whole.get("dateRange").cloned().unwrap_or_default(),
            quality_grade: report.quality_grade,
            tags: report.tags,
        }
    }
}

/// What the data root holds.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataView {
    /// Each symbol and what there is of it.
    pub symbols: Vec<SymbolView>,
    /// Every event type.
    pub event_types: Vec<EventType>,
    /// The first UTC day.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub first_date: Option<NaiveDate>,
    /// The last UTC day.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub last_date: Option<NaiveDate>,
    /// Number of data files.
    pub total_files: u64,
    /// Their bytes.
    pub total_bytes: u64,
    /// Those of them whose names have no date; which days they span is only known when they are packed.
    pub undated_files: u64,
    /// What looks like data and would not be packed.
    pub skipped: u64,
}

/// A symbol in the data root.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SymbolView {
    /// The symbol.
    pub symbol: Symbol,
    /// Its event types.
    pub event_types: BTreeSet<EventType>,
    /// Its first UTC day.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub first_date: Option<NaiveDate>,
    /// Its last UTC day.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub last_date: Option<NaiveDate>,
    /// Its data files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What was read before, and how many read at once.
#[derive(Debug)]
pub(crate) struct Reading {
    at_once: Semaphore,
    summaries: Mutex<BTreeMap<FileName, (Stamp, Arc<Summary>)>>,
    data: Mutex<Option<(Instant, Arc<DataView>)>>,
    /// One looks through the data root; the others wait for what it finds.
    scanning: tokio::sync::Mutex<()>,
}

/// What shows that a file was written again.
type Stamp = (u64, Option<SystemTime>);

impl Reading {
    pub(crate) fn new() -> Self {
        Self {
            at_once: Semaphore::new(AT_ONCE),
            summaries: Mutex::default(),
            data: Mutex::default(),
            scanning: tokio::sync::Mutex::default(),
        }
    }
}

/// Runs `work` on a blocking thread, when it is its turn.
pub(crate) async fn read<T: Send + 'static>(
    state: &State,
    work: impl FnOnce(&State) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let failed = |_| Problem::new(Kind::Failed, "an error of this program; see its log");
    let ending = |_| Problem::new(Kind::Unavailable, "the server is shutting down");
    let _turn = state.reading().at_once.acquire().await.map_err(ending)?;
    let state = state.clone();
    // A reader of some format may panic on damaged bytes; that is an answer, too.
    tokio::task::spawn_blocking(move || work(&state)).await.map_err(failed)?
}

/// Everything that a package says it holds.
pub(crate) fn contents(state: &State, name: &str) -> Result<ListReport, Problem> {
    let found = state.roots().find(name)?;
    let report = pdp_packager::list_within(&found.path, &limits());
    let mut report = report.map_err(|error| crate::problem::logged(state.roots(), &error))?;
    report.package_path = found.name.as_str().into();
    Ok(report)
}

/// The packages, the newest first.
pub(crate) fn packages(state: &State) -> Result<PackageList, Problem> {
    let roots = state.roots();
    let unreadable = |error: std::io::Error| {
        tracing::error!(%error, "the packages cannot be listed");
        Problem::new(Kind::Failed, "the packages cannot be listed")
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(roots.packages_path()).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_str().and_then(FileName::parse);
        if let Some(name) = name.filter(|name| is_package(roots, name)) {
            names.push(name);
        }
        if names.len() >= MOST_LISTED {
            break;
        }
    }
    let mut packages: Vec<ListedPackage> = names.iter().filter_map(|name| listed(state, name)).collect();
    packages.sort_by(|a, b| b.modified_at.cmp(&a.modified_at).then_with(|| a.file_name.cmp(&b.file_name)));
    let there: BTreeSet<&FileName> = names.iter().collect();
    let mut known = state.reading().summaries.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|name, _| there.contains(name));
    Ok(PackageList { packages })
}

/// Whether a name is that of a package: by its end, or a folder with a manifest.
fn is_package(roots: &Roots, name: &FileName) -> bool {
    match roots.packages().kind(name.as_str()) {
        Ok(Some(EntryKind::File(_))) => crate::files::is_archive(name.as_str()),
        Ok(Some(EntryKind::Directory)) => {
            let manifest = roots.packages().descend(name.as_str()).and_then(|folder| folder.kind("manifest.json"));
            matches!(manifest, Ok(Some(EntryKind::File(_))))
        }
        _ => false,
    }
}

/// A package as it is listed; none when it is gone.
pub(crate) fn listed(state: &State, name: &FileName) -> Option<ListedPackage> {
    let path = state.roots().path_of(name);
    let metadata = fs::symlink_metadata(&path).ok()?;
    let modified = metadata.modified().ok();
    let stamp: Stamp = (metadata.len(), modified);
    let modified_at = time::format(DateTime::<Utc>::from(modified.unwrap_or(SystemTime::UNIX_EPOCH)));
    let size_bytes = metadata.is_file().then_some(metadata.len());
    let (summary, problem) = match summary(state, name, &path, stamp, metadata.is_file()) {
        Ok(summary) => (Some(Summary::clone(&summary)), None),
        Err(problem) => (None, Some(problem.detail)),
    };
    Some(ListedPackage { file_name: name.as_str().to_owned(), size_bytes, modified_at, summary, problem })
}

fn summary(state: &State, name: &FileName, path: &Path, stamp: Stamp, is_file: bool) -> Result<Arc<Summary>, Problem> {
    let known = || state.reading().summaries.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, summary)) = known().get(name).filter(|(then, _)| is_file && *then == stamp) {
        return Ok(Arc::clone(summary));
    }
    let report = pdp_packager::list_within(path, &limits());
    let report = report.map_err(|error| crate::problem::logged(state.roots(), &error))?;
    let summary = Arc::new(Summary::of(report));
    known().insert(name.clone(), (stamp, Arc::clone(&summary)));
    Ok(summary)
}

/// What the data root holds.
pub(crate) async fn data(state: &State) -> Result<Arc<DataView>, Problem> {
    let known = |state: &State| {
        let data = state.reading().data.lock().unwrap_or_else(PoisonError::into_inner);
        data.as_ref().filter(|(at, _)| at.elapsed() < DATA_LASTS).map(|(_, view)| Arc::clone(view))
    };
    let _one = state.reading().scanning.lock().await;
    if let Some(view) = known(state) {
        return Ok(view);
    }
    read(state, |state| {
        let view = Arc::new(look(state)?);
        *state.reading().data.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), Arc::clone(&view)));
        Ok(view)
    })
    .await
}

fn look(state: &State) -> Result<DataView, Problem> {
    let roots = state.roots();
    let mut options = ScanOptions::default();
    options.exclude = Some(roots.packages_path().to_owned());
    let found = scan(roots.data_path(), &options, &Silent).map_err(|error| crate::problem::logged(roots, &error))?;
    let mut symbols: BTreeMap<Symbol, SymbolView> = BTreeMap::new();
    let (mut total_files, mut total_bytes, mut undated_files) = (0_u64, 0_u64, 0_u64);
    for file in &found.files {
        let view = symbols.entry(file.symbol.clone()).or_insert_with(|| SymbolView {
            symbol: file.symbol.clone(),
            event_types: BTreeSet::new(),
            first_date: None,
            last_date: None,
            files: 0,
            bytes: 0,
        });
        view.event_types.insert(file.event_type.clone());
        undated_files += u64::from(file.dates().is_none());
        if let Some((first, last)) = file.dates().or_else(|| file.first_day().map(|day| (day, day))) {
            view.first_date = Some(view.first_date.map_or(first, |date| date.min(first)));
            view.last_date = Some(view.last_date.map_or(last, |date| date.max(last)));
        }
        view.files += 1;
        view.bytes = view.bytes.saturating_add(file.size);
        total_files += 1;
        total_bytes = total_bytes.saturating_add(file.size);
    }
    let event_types: BTreeSet<EventType> = symbols.values().flat_map(|view| view.event_types.iter().cloned()).collect();
    Ok(DataView {
        first_date: symbols.values().filter_map(|view| view.first_date).min(),
        last_date: symbols.values().filter_map(|view| view.last_date).max(),
        symbols: symbols.into_values().collect(),
        event_types: event_types.into_iter().collect(),
        total_files,
        total_bytes,
        undated_files,
        skipped: u64::try_from(found.skipped.len()).unwrap_or(u64::MAX),
    })
}
