//! A plan made and carried out.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use databento::historical::metadata::GetQueryParams;
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;

use super::client::Historical;
use super::describe::{Availability, Day, last_day};
use super::error::FetchError;
use super::event::{Event, Told};
use super::month::{fetch, kinds, range};
use super::plan::{Have, Month, Plan, Request, months};
use super::purse::Purse;
use super::state::{Entry, State, save};

/// How often an answer that is not what was asked for is asked for again, but for the last time.
const WRONG_ANSWERS: u32 = 2;

/// How to fetch.
#[derive(Debug, Clone)]
pub struct Fetching {
    /// Where symbols have their directories.
    pub output: PathBuf,
    /// How many months are fetched at once, from 1 to 16.
    pub jobs: usize,
    /// Whether months that the vendor has changed since are fetched again.
    pub refresh: bool,
    /// The most US dollars that it may cost.
    pub most: Option<f64>,
    /// Whether files that are there and were not fetched are replaced, rather than an error.
    pub replace: bool,
}

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    /// Months that were there.
    pub kept: u64,
    /// Months that were fetched.
    pub fetched: u64,
    /// Bars of all months.
    pub rows: u64,
    /// US dollars that the API said the fetched months would cost.
    pub cost: f64,
    /// The files of all months that have bars.
    pub files: Vec<PathBuf>,
}

impl Plan {
    /// Refuses what costs more than is allowed, by the cents' hundredths that are shown.
    ///
    /// # Errors
    /// [`FetchError::Cost`].
    pub fn check_cost(&self, how: &Fetching) -> Result<(), FetchError> {
        let cost = self.cost();
        match how.most.filter(|most| (cost * 1e4).round() > most * 1e4 + 1e-6) {
            Some(most) => Err(FetchError::Cost { cost, most }),
            None => Ok(()),
        }
    }

    fn fetched(&self, state: &State, fetched: u64, cost: f64) -> Fetched {
        let there = |month: &&Month| state.months.get(&month.month).is_some_and(|entry| entry.rows > 0);
        Fetched {
            kept: (self.months.len() as u64).saturating_sub(fetched),
            fetched,
            rows: self.months.iter().filter_map(|month| state.months.get(&month.month)).map(|entry| entry.rows).sum(),
            cost,
            files: self.months.iter().filter(there).map(|month| month.file.clone()).collect(),
        }
    }
}

impl Historical {
    /// Looks at what is there and asks what the rest would cost. Nothing is bought, and but for files that were whole and lacked their name
    /// nothing is changed.
    ///
    /// # Errors
    /// When the request makes no sense, the symbol is none, the API refuses or cannot be reached, or the directory holds something else.
    pub async fn plan(&self, request: &Request, how: &Fetching, told: Told<'_>) -> Result<Plan, FetchError> {
        request.check()?;
        let mut request = request.clone();
        let mut warnings = Vec::new();
        let (schema, _) = kinds(&request)?;
        let dataset = self.range(&request.dataset, Some(schema), told).await?;
        if request.start < dataset.start || request.start >= dataset.end {
            return Err(FetchError::Request(format!(
                "{} has {schema} from {:?} to {:?}, which {:?} is not in",
                request.dataset, dataset.start, dataset.end, request.start
            )));
        }
        if request.end > dataset.end {
            warnings.push(format!(
                "{} has {schema} up to {:?} only: nothing behind it is fetched",
                request.dataset, dataset.end
            ));
            request.end = dataset.end;
        }
        let directory = how.output.join(&request.symbol);
        let state = State::load(&directory, &request)?;
        let found = self.resolve(&request, told).await?;
        // A parent's mappings are those of its instruments.
        if found.mappings.values().all(Vec::is_empty) {
            return Err(FetchError::NoSymbol {
                symbol: request.symbol.clone(),
                dataset: request.dataset.clone(),
                stype: request.stype_in.clone(),
                start: request.start.date_naive().to_string(),
                end: request.end.date_naive().to_string(),
            });
        }
        if !found.partial.is_empty() {
            warnings.push(format!("{} is there on some of the days only", request.symbol));
        }
        let days = self.conditions(&request, told).await?;
        for condition in ["degraded", "pending", "missing"] {
            let of: Vec<&str> =
                days.iter().filter(|day| day.condition == condition).map(|day| day.date.as_str()).collect();
            if let Some(first) = of.first() {
                let and = if of.len() == 1 { String::new() } else { format!(" and {} more days", of.len() - 1) };
                warnings.push(format!("the vendor says that {first}{and} are {condition}").replacen(
                    " are ",
                    if of.len() == 1 { " is " } else { " are " },
                    1,
                ));
            }
        }
        if directory.join("import.json").is_file() {
            let (there, asked) = ("bars that were imported".to_owned(), request.dataset.clone());
            return Err(FetchError::Taken { path: directory.join("import.json"), there, asked });
        }
        // Another that is fetching gives its files their names itself.
        let alone = crate::pipeline::lock(&directory, std::time::Duration::ZERO).ok();
        let mut months = months(&request, &directory, &state, alone.is_some())?;
        drop(alone);
        if let Some(month) = months.iter().find(|month| month.have == Have::Unknown).filter(|_| !how.replace) {
            return Err(FetchError::Unknown { path: month.file.clone() });
        }
        for month in &mut months {
            outdated(month, &state, &days, how.refresh, &mut warnings);
        }
        let priced = stream::iter(months.into_iter().map(|month| self.priced(&request, month, told)));
        let months: Vec<_> = priced.buffered(how.jobs.clamp(1, 8)).collect().await;
        let months = months.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Plan { request, directory, months, warnings })
    }

    /// A month with what the API says of its size and cost.
    async fn priced(&self, request: &Request, mut month: Month, told: Told<'_>) -> Result<Month, FetchError> {
        if !month.fetch {
            return Ok(month);
        }
        let (schema, stype_in) = kinds(request)?;
        let params = GetQueryParams::builder()
            .dataset(&request.dataset)
            .symbols(request.symbol.as_str())
            .schema(schema)
            .date_time_range(range(&month))
            .stype_in(stype_in)
            .build();
        let doing = format!("asking for the size of {}", month.month);
        let count = self.ask(&doing, told, async |mut client| client.metadata().get_record_count(&params).await).await;
        month.rows = match count {
            // The symbol is there in other months only.
            Err(FetchError::Api { case: Some(case), .. }) if case == "symbology_invalid_request" => 0,
            count => count?,
        };
        if month.rows > 0 {
            month.bytes =
                self.ask(&doing, told, async |mut client| client.metadata().get_billable_size(&params).await).await?;
            month.cost = self.ask(&doing, told, async |mut client| client.metadata().get_cost(&params).await).await?;
        }
        Ok(month)
    }

    async fn resolve(&self, request: &Request, told: Told<'_>) -> Result<Availability, FetchError> {
        let end = last_day(request.end).succ_opt().unwrap_or_default();
        let symbols = [request.symbol.clone()];
        let days = (request.start.date_naive(), end);
        self.symbols(&request.dataset, &symbols, &request.stype_in, days, told).await
    }

    /// Fetches what a plan says is missing. Stopped at any point, it goes on from there when it is run again.
    ///
    /// # Errors
    /// When it costs too much, when a month does not come whole after all tries, and I/O. Months that came stay.
    pub async fn fetch(&self, plan: &Plan, how: &Fetching, told: Told<'_>) -> Result<Fetched, FetchError> {
        plan.check_cost(how)?;
        let directory = &plan.directory;
        std::fs::create_dir_all(directory).map_err(|error| FetchError::io(directory, error))?;
        let _lock = alone(directory, told).await?;
        // What was planned must still be so, or another has fetched it meanwhile.
        let state = State::load(directory, &plan.request)?;
        let conditions = self.conditions(&plan.request, told).await?;
        let mut missing: Vec<&Month> = Vec::new();
        for (mut now, planned) in months(&plan.request, directory, &state, true)?.into_iter().zip(&plan.months) {
            outdated(&mut now, &state, &conditions, planned.fetch, &mut Vec::new());
            match now.have {
                Have::Whole => {}
                have if have == planned.have && (now.start, now.end) == (planned.start, planned.end) => {
                    missing.extend(Some(planned).filter(|month| month.fetch));
                }
                _ => {
                    return Err(FetchError::Request(format!(
                        "{}: another fetch has changed what is there: run it again",
                        directory.display()
                    )));
                }
            }
        }
        self.beside(&plan.request, directory, &state, told).await?;
        let state = Mutex::new(state);
        let cost = missing.iter().map(|month| month.cost).sum();
        let purse = Purse::new(how.most, cost);
        let mut fetched = 0;
        let mut failed = None;
        let refused = Cell::new(false);
        let mut coming = stream::iter(missing.into_iter().map(async |month| {
            if refused.get() {
                return Ok(false);
            }
            self.month(plan, month, &state, &conditions, &purse, told).await.map(|()| true)
        }))
        .buffer_unordered(how.jobs.clamp(1, 16));
        while let Some(done) = coming.next().await {
            match done {
                Ok(done) => fetched += u64::from(done),
                Err(FetchError::Interrupted) => return Err(FetchError::Interrupted),
                // What else is on its way may still come: it is paid for. What the API refuses or no disk takes, that is so of other
                // months, too.
                Err(error) => {
                    let all =
                        matches!(error, FetchError::Api { .. } | FetchError::Spent { .. } | FetchError::Io { .. });
                    refused.set(refused.get() || all);
                    failed = Some(failed.unwrap_or(error));
                }
            }
        }
        drop(coming);
        if let Some(error) = failed {
            return Err(error);
        }
        let state = state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        for month in &plan.months {
            // Of an earlier attempt, beside a month that is whole.
            let _ = std::fs::remove_file(month.file.with_extension("csv.partial"));
        }
        Ok(plan.fetched(&state, fetched, cost))
    }

    /// Fetches one month: the file whole and flushed, then what is known of it, then its name.
    async fn month(
        &self,
        plan: &Plan,
        month: &Month,
        state: &Mutex<State>,
        days: &[Day],
        purse: &Purse,
        told: Told<'_>,
    ) -> Result<(), FetchError> {
        let partial = month.file.with_extension("csv.partial");
        let mut entry = if month.rows == 0 {
            Entry { start: month.start, end: month.end, rows: 0, bytes: 0, sha256: String::new(), last_modified: None }
        } else {
            self.bought(plan, month, &partial, purse, told).await?
        };
        entry.last_modified = modified(month, days);
        let rows = entry.rows;
        {
            let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            state.months.insert(month.month.clone(), entry);
            state.save(&plan.directory)?;
        }
        if rows == 0 && month.file.exists() {
            // A file that is not the vendor's word: somebody may want it.
            let aside = |number: u32| month.file.with_extension(format!("csv.replaced{number}"));
            let aside = (1..).map(aside).find(|path| !path.exists()).unwrap_or_else(|| aside(0));
            std::fs::rename(&month.file, aside).map_err(|error| FetchError::io(&month.file, error))?;
        }
        if rows > 0 {
            std::fs::rename(&partial, &month.file).map_err(|error| FetchError::io(&month.file, error))?;
        }
        match told(Event::Done { month: &month.month, rows }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(FetchError::Interrupted),
        }
    }

    /// Buys a month. An answer that came whole and is not what was asked for was paid for: it is asked for twice more at most, and the
    /// API's count anew.
    async fn bought(
        &self,
        plan: &Plan,
        month: &Month,
        partial: &Path,
        purse: &Purse,
        told: Told<'_>,
    ) -> Result<Entry, FetchError> {
        let mut month = month.clone();
        for tried in 1..=WRONG_ANSWERS {
            let answered = Cell::new(false);
            let one = async |mut client| match fetch(&mut client, &plan.request, &month, partial, &answered, told)
                .await
                .map_err(|error| purse.again(&month, &answered, error))
            {
                // Not for trying again at once.
                Err(FetchError::Answer { doing, why }) => Ok(Err(FetchError::Answer { doing, why })),
                done => done.map(Ok),
            };
            match self.again(told, one).await? {
                Ok(entry) => return Ok(entry),
                Err(error) => {
                    let why = &error.to_string();
                    if told(Event::Retry { why, tried, most: WRONG_ANSWERS + 1, wait: Duration::ZERO }).is_break() {
                        return Err(FetchError::Interrupted);
                    }
                    month.rows = self.priced(&plan.request, month.clone(), told).await?.rows;
                }
            }
        }
        self.again(told, async |mut client| {
            let answered = Cell::new(false);
            let done = fetch(&mut client, &plan.request, &month, partial, &answered, told).await;
            done.map_err(|error| purse.again(&month, &answered, error.last()))
        })
        .await
    }

    /// Keeps beside the data what the symbol stands for and what the vendor says of each day, for all months that were fetched.
    async fn beside(
        &self,
        request: &Request,
        directory: &Path,
        state: &State,
        told: Told<'_>,
    ) -> Result<(), FetchError> {
        let start = state
            .months
            .values()
            .map(|entry| entry.start)
            .min()
            .map_or(request.start, |start| start.min(request.start));
        let end = state.months.values().map(|entry| entry.end).max().map_or(request.end, |end| end.max(request.end));
        let all = Request { start, end, ..request.clone() };
        let found = self.resolve(&all, told).await?;
        save(directory, "symbology.json", &Beside { dataset: &all.dataset, start, end, found })?;
        save(directory, "condition.json", &self.conditions(&all, told).await?)
    }
}

/// Holds a directory. Waits a little for another program that does, as one that only looks lets go at once.
async fn alone(directory: &Path, told: Told<'_>) -> Result<std::fs::File, FetchError> {
    let end = tokio::time::Instant::now() + crate::pipeline::PATIENCE;
    loop {
        match crate::pipeline::lock(directory, Duration::ZERO) {
            Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy && tokio::time::Instant::now() < end => {
                if told(Event::Going).is_break() {
                    return Err(FetchError::Interrupted);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            done => return done.map_err(|error| FetchError::io(directory, error)),
        }
    }
}

/// What `symbology.json` has.
#[derive(Serialize)]
struct Beside<'a> {
    dataset: &'a str,
    start: chrono::DateTime<chrono::Utc>,
    end: chrono::DateTime<chrono::Utc>,
    #[serde(flatten)]
    found: Availability,
}

/// When the vendor last changed data of a month's days.
fn modified(month: &Month, days: &[Day]) -> Option<String> {
    let (first, last) = (month.start.date_naive().to_string(), last_day(month.end).to_string());
    let of = days.iter().filter(|day| day.date >= first && day.date <= last);
    of.filter_map(|day| day.last_modified_date.clone()).max()
}

/// Tells of a month that the vendor has changed since it was fetched.
fn outdated(month: &mut Month, state: &State, days: &[Day], refresh: bool, warnings: &mut Vec<String>) {
    let known: BTreeMap<&str, &Entry> = state.months.iter().map(|(name, entry)| (name.as_str(), entry)).collect();
    let Some(entry) = known.get(month.month.as_str()).filter(|_| month.have == Have::Whole) else { return };
    let now = modified(month, days);
    if entry.last_modified.is_some() && now > entry.last_modified {
        month.have = Have::Outdated;
        month.fetch = refresh;
        if refresh {
            (month.start, month.end) = (month.start.min(entry.start), month.end.max(entry.end));
        } else {
            let when = now.unwrap_or_default();
            warnings.push(format!("the vendor changed data of {} on {when}: --refresh fetches it again", month.month));
        }
    }
}
