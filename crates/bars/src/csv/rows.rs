//! Every row of a file, good or bad: for a caller that wants to know all that is wrong.

use std::borrow::Cow;
use std::path::Path;

use fxd::Bar;

use super::cut::{Block, Cutter, LINE};
use super::fields::{is_blank, without_end};
use super::layout::Role;
use super::quick::Quick;
use super::{row, source};
use crate::input::Input;
use crate::runs::Runs;
use crate::{BarsError, Ids, Place, Problem, ReadOptions};

/// A row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) symbol: &'a str,
    pub(crate) ids: Ids,
    pub(crate) bar: Bar,
}

/// A row that cannot be read.
#[derive(Debug)]
pub(crate) struct BadRow<'a> {
    pub(crate) problem: Problem,
    pub(crate) text: &'a [u8],
    /// The time that it says, if at least that can be read.
    pub(crate) ts: Option<u64>,
}

/// Hands over each line in order: what it holds, or what is wrong with it. `told` hears of bytes as they are read, and may stop.
pub(crate) fn rows<E: From<BarsError>>(
    file: &Path,
    input: Input,
    options: &ReadOptions,
    mut told: impl FnMut(u64) -> Result<(), E>,
    mut take: impl FnMut(Place, Result<Row<'_>, BadRow<'_>>) -> Result<(), E>,
) -> Result<(), E> {
    let Input { reader, progress, name } = input;
    let mut cutter = Cutter::new(reader);
    let mut block = Block::default();
    cutter.next_into(&mut block).map_err(|stop| source::stopped(file, stop, 0, &block))?;
    let (context, skipped, mut line) = source::context(file, &name, block.lines(), options)?;
    block.skip(skipped);
    let mut clock = context.clock();
    let mut quick = Quick::new(&context);
    let mut runs = Runs::default();
    let mut known = false;
    loop {
        told(progress.take())?;
        let lines = block.lines();
        let mut at = 0;
        while at < lines.len() {
            line += 1;
            let place = Place::Line(line);
            if known && let Some(plain) = quick.row(lines, at, &mut clock, &runs) {
                at = plain.next;
                let symbol = runs.symbol(quick.run);
                take(place, Ok(Row { symbol, ids: plain.ids, bar: plain.bar }))?;
                continue;
            }
            let rest = lines.get(at..).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            at += length;
            let text = without_end(rest.get(..length).unwrap_or_default());
            if is_blank(text) {
                continue;
            }
            if text.len() > LINE {
                return Err(BarsError::row(file, place, Problem::long_line()).into());
            }
            let read = row::read(&context, &mut clock, text, place).and_then(|mut row| {
                if row.symbol.is_empty() {
                    row.symbol = Cow::Borrowed(context.symbol.as_ref().ok_or(Problem::NoSymbol)?.as_bytes());
                }
                let number = runs.find_or_begin(&row.symbol, place)?;
                let named = context.layout.roles.contains(&Role::Symbol);
                quick.is_of(number, if named { &row.symbol } else { &[] });
                known = true;
                Ok((number, row.ids, row.bar))
            });
            match read {
                Ok((number, ids, bar)) => take(place, Ok(Row { symbol: runs.symbol(number), ids, bar }))?,
                Err(problem) => {
                    // A row that is none does not say what unit the others are in.
                    let ts = row::timestamp(&context, &mut clock.clone(), text, place);
                    take(place, Err(BadRow { problem, text, ts }))?;
                }
            }
        }
        if cutter.is_at_end() {
            return Ok(());
        }
        cutter.next_into(&mut block).map_err(|stop| source::stopped(file, stop, line, &block))?;
    }
}
