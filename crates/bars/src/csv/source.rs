//! A CSV file as a source: blocks read in order, parsed in parallel, handed out in order.

use std::collections::VecDeque;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::block::{self, Fault, Parsed};
use super::context::Context;
use super::cut::{Block, Cutter, Stop};
use super::fields::{is_blank, without_end};
use super::layout::{Layout, Role};
use crate::clock::Counted;
use crate::input::{Input, Progress};
use crate::runs::{Ledger, Rules};
use crate::{BarSource, BarsError, Chunk, Place, Problem, ReadOptions};

/// The most threads: each has a block of its own in memory.
const THREADS: usize = 256;

/// A block that is being parsed, or was.
struct Pending {
    bytes: u64,
    result: Outcome,
}

/// Where a block's result is.
enum Outcome {
    Here(Result<Parsed, Fault>),
    Coming(Receiver<(Result<Parsed, Fault>, Block)>),
}

/// The rows of a CSV file.
struct CsvSource {
    file: PathBuf,
    cutter: Cutter<Box<dyn Read>>,
    progress: Progress,
    context: Arc<Context>,
    threads: usize,
    pool: Option<ThreadPool>,
    pending: VecDeque<Pending>,
    /// Buffers to use again.
    spare: Vec<Block>,
    /// What is left of the first block, which was looked at to tell the layout.
    head: Option<Block>,
    /// Lines before the next block to hand out.
    lines: u64,
    counted: Option<Counted>,
    ledger: Ledger,
    done: bool,
}

/// Opens a CSV file: reads its first block and tells what its columns are.
pub(crate) fn open(file: &Path, input: Input, options: &ReadOptions) -> Result<Box<dyn BarSource>, BarsError> {
    let Input { reader, progress, name } = input;
    let mut cutter = Cutter::new(reader);
    let mut head = Block::default();
    cutter.next_into(&mut head).map_err(|stop| stopped(file, stop, 0, &head))?;
    let (context, skipped, lines) = context(file, &name, head.lines(), options)?;
    head.skip(skipped);
    let rename = options.symbol.as_deref().filter(|_| context.layout.instruments).map(Arc::from);
    let threads = match options.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count.min(THREADS),
    };
    Ok(Box::new(CsvSource {
        file: file.to_owned(),
        cutter,
        progress,
        context: Arc::new(context),
        threads,
        pool: None,
        pending: VecDeque::new(),
        spare: Vec::new(),
        head: Some(head),
        lines,
        counted: None,
        ledger: Ledger::new(options.order, rename),
        done: false,
    }))
}

/// How a file is to be read, as its beginning shows; and how many bytes and lines of it come before its first row.
pub(super) fn context(
    file: &Path,
    name: &Path,
    head: &[u8],
    options: &ReadOptions,
) -> Result<(Context, usize, u64), BarsError> {
    let (layout, skipped, lines) = layout(file, head, options)?;
    // A file that names symbols and leaves one out does not mean its own name by that.
    let from_name = || if layout.roles.contains(&Role::Symbol) { None } else { crate::symbol_from_name(name) };
    let symbol = options.symbol.clone().or_else(from_name);
    let rules = Rules::of(options);
    Ok((Context { layout, fit: options.fit.clone(), zone: options.zone, symbol, rules }, skipped, lines))
}

/// The layout that a file's beginning shows, and how many bytes and lines of it come before its first row.
fn layout(file: &Path, head: &[u8], options: &ReadOptions) -> Result<(Layout, usize, u64), BarsError> {
    let mut at = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut number = 0;
    let next = |at: usize| {
        let rest = head.get(at..).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        (without_end(rest.get(..length).unwrap_or_default()), length)
    };
    loop {
        if at >= head.len() {
            return Err(BarsError::file(file, "the file holds no lines, expected bars"));
        }
        let (line, length) = next(at);
        number += 1;
        if is_blank(line) {
            at += length;
            continue;
        }
        let mut after = at + length;
        let mut second = next(after);
        let mut blank = 0_u32;
        while is_blank(second.0) && second.1 > 0 {
            blank = blank.saturating_add(1);
            after += second.1;
            second = next(after);
        }
        let layout = Layout::of(line, second.0, options.csv_format, options.apart).map_err(|problem| {
            // Only a row has values.
            let row = matches!(problem, Problem::Value { .. }) && !line.first().is_some_and(u8::is_ascii_digit);
            let line = if row { number + u64::from(blank) + 1 } else { number };
            BarsError::row(file, Place::Line(line), problem)
        })?;
        return Ok(if layout.header { (layout, at + length, number) } else { (layout, at, number - 1) });
    }
}

/// The error for a file that cannot be cut further.
pub(crate) fn stopped(file: &Path, stop: Stop, lines: u64, block: &Block) -> BarsError {
    match stop {
        Stop::Read(source) => BarsError::read(file, source),
        Stop::LongLine => {
            let before = memchr::memchr_iter(b'\n', block.lines()).count();
            let line = lines.saturating_add(u64::try_from(before).unwrap_or(u64::MAX)).saturating_add(1);
            BarsError::row(file, Place::Line(line), Problem::long_line())
        }
    }
}

impl CsvSource {
    /// Reads blocks and has them parsed until enough are on their way.
    fn fill(&mut self) -> Result<(), BarsError> {
        // One more than there are threads, so that none waits while this one reads.
        let most = if self.threads == 1 { 1 } else { self.threads.saturating_add(1) };
        while self.pending.len() < most {
            let block = if let Some(head) = self.head.take() {
                head
            } else if self.cutter.is_at_end() {
                return Ok(());
            } else {
                let mut block = self.spare.pop().unwrap_or_default();
                if let Err(stop) = self.cutter.next_into(&mut block) {
                    return Err(self.stop(stop, &block));
                }
                block
            };
            let bytes = self.progress.take();
            // A block alone is not worth a second thread.
            let alone = self.threads == 1 || (self.pending.is_empty() && self.cutter.is_at_end());
            let result = if alone {
                let result = block::read(&self.context, block.lines());
                self.spare.push(block);
                Outcome::Here(result)
            } else {
                let context = Arc::clone(&self.context);
                let (send, receive) = sync_channel(1);
                self.pool()?.spawn(move || {
                    let result = block::read(&context, block.lines());
                    // Nobody listens if the source was dropped.
                    let _ = send.send((result, block));
                });
                Outcome::Coming(receive)
            };
            self.pending.push_back(Pending { bytes, result });
        }
        Ok(())
    }

    /// The pool, started when it is first needed.
    fn pool(&mut self) -> Result<&ThreadPool, BarsError> {
        let count = self.threads;
        if self.pool.is_none() {
            let pool = ThreadPoolBuilder::new().num_threads(count).build();
            self.pool = Some(pool.map_err(|error| BarsError::Threads { count, why: error.to_string() })?);
        }
        self.pool.as_ref().ok_or_else(|| BarsError::Threads { count, why: "there is no pool".to_owned() })
    }

    /// The error for input that cannot be read on. What is wrong in lines before it goes first.
    fn stop(&mut self, stop: Stop, block: &Block) -> BarsError {
        while let Some(pending) = self.pending.pop_front() {
            if let Err(error) = self.finish(pending) {
                return error;
            }
        }
        stopped(&self.file, stop, self.lines, block)
    }

    /// Waits for a block and checks it against those before it.
    fn finish(&mut self, pending: Pending) -> Result<Chunk, BarsError> {
        let result = match pending.result {
            Outcome::Here(result) => result,
            Outcome::Coming(receive) => {
                let (result, block) =
                    receive.recv().map_err(|_| BarsError::file(&self.file, "a thread that read it has stopped"))?;
                self.spare.push(block);
                result
            }
        };
        let before = self.lines;
        let file = &self.file;
        let mut parsed = result
            .map_err(|Fault { place, problem }| BarsError::row(file, place.later(before), problem.later(before)))?;
        if let Some(counted) = parsed.counted.take() {
            let counted = Counted { place: counted.place.later(before), ..counted };
            match &self.counted {
                None => self.counted = Some(counted),
                Some(first) if first.unit != counted.unit => {
                    return Err(BarsError::row(file, counted.place, first.against(counted.unit, counted.text)));
                }
                Some(_) => {}
            }
        }
        let runs = self.ledger.admit(file, parsed.runs, before)?;
        self.lines = self.lines.saturating_add(parsed.lines);
        Ok(Chunk { runs, bytes: pending.bytes })
    }
}

impl BarSource for CsvSource {
    fn next(&mut self) -> Result<Option<Chunk>, BarsError> {
        if self.done {
            return Ok(None);
        }
        let result = self.fill().and_then(|()| match self.pending.pop_front() {
            Some(pending) => self.finish(pending).map(Some),
            None => Ok(None),
        });
        self.done = !matches!(result, Ok(Some(_)));
        if self.done {
            self.pending.clear();
        }
        result
    }
}
