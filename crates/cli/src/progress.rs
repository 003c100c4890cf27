//! Progress on standard error, and the signal that stops an operation.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use pdp_packager::{Progress, Stage};
use serde_json::json;

use crate::args::{Global, ProgressMode};

static STOP: AtomicBool = AtomicBool::new(false);

/// Progress as the options ask for it. From here on, an interrupt stops the operation in good order; a second one ends
/// the program at once.
pub(crate) fn start(global: &Global) -> Shown {
    let stop = || {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    // Without a handler an interrupt ends the program, and leftovers are removed by the next run.
    let _ = ctrlc::set_handler(stop);
    let mode = match global.progress {
        ProgressMode::Auto if global.quiet || !std::io::stderr().is_terminal() => ProgressMode::None,
        ProgressMode::Auto => ProgressMode::Bar,
        chosen => chosen,
    };
    Shown { mode, state: Mutex::new(State::default()), files: AtomicU64::new(0), bytes: AtomicU64::new(0) }
}

/// Progress that is shown.
pub(crate) struct Shown {
    mode: ProgressMode,
    state: Mutex<State>,
    files: AtomicU64,
    bytes: AtomicU64,
}

#[derive(Default)]
struct State {
    stage: Option<Stage>,
    total_files: u64,
    total_bytes: u64,
    bar: Option<ProgressBar>,
    told: Option<Instant>,
}

/// How often a line of JSON is written at most.
const INTERVAL: Duration = Duration::from_millis(200);

impl Shown {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        let mut state = self.state();
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
        }
        if self.mode == ProgressMode::Json {
            self.tell(&state, true);
        }
    }

    /// Writes a line to standard error, above the bar if there is one.
    pub(crate) fn say(&self, line: &str) {
        let write = || {
            let _ = writeln!(std::io::stderr(), "{line}");
        };
        match &self.state().bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn tell(&self, state: &State, done: bool) {
        let line = json!({
            "stage": state.stage.map(Stage::word),
            "files": self.files.load(Ordering::Relaxed),
            "totalFiles": state.total_files,
            "bytes": self.bytes.load(Ordering::Relaxed),
            "totalBytes": state.total_bytes,
            "done": done,
        });
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

impl Progress for Shown {
    fn begin(&self, stage: Stage, files: u64, bytes: u64) {
        if self.mode == ProgressMode::None {
            return;
        }
        self.files.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        let mut state = self.state();
        state.stage = Some(stage);
        (state.total_files, state.total_bytes) = (files, bytes);
        match self.mode {
            ProgressMode::Json => self.tell(&state, false),
            _ => {
                if let Some(bar) = state.bar.take() {
                    bar.finish_and_clear();
                }
                state.bar = Some(bar(stage, files, bytes));
            }
        }
    }

    fn advance(&self, files: u64, bytes: u64) {
        if self.mode == ProgressMode::None {
            return;
        }
        let files = self.files.fetch_add(files, Ordering::Relaxed) + files;
        let all = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let mut state = self.state();
        if self.mode == ProgressMode::Json {
            if state.told.is_none_or(|told| told.elapsed() >= INTERVAL) {
                state.told = Some(Instant::now());
                self.tell(&state, false);
            }
        } else if let Some(bar) = &state.bar {
            bar.set_message(format!("{files}/{} files", state.total_files));
            // Where nobody knows the bytes, files are counted.
            bar.set_position(if state.total_bytes == 0 { files } else { all });
        }
    }

    fn is_cancelled(&self) -> bool {
        STOP.load(Ordering::Relaxed)
    }
}

fn bar(stage: Stage, files: u64, bytes: u64) -> ProgressBar {
    let (bar, template) = if bytes == 0 && files == 0 {
        (ProgressBar::new_spinner(), "{spinner} {prefix}")
    } else if bytes == 0 {
        (ProgressBar::new(files), "{prefix:>10} [{bar:28}] {msg} ETA {eta}")
    } else {
        let template = "{prefix:>10} [{bar:28}] {bytes}/{total_bytes} {bytes_per_sec} {msg} ETA {eta}";
        (ProgressBar::new(bytes), template)
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(stage.word());
    bar
}
