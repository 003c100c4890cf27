//! Which blocks bars belong to.

use std::ops::Range;

use super::{Appending, SMALL};
use crate::format::symbol::SymbolId;
use crate::format::symbol_index::SymbolEntry;
use crate::store::decode::block_of;
use crate::store::encode::{ToEncode, cut};
use crate::store::map::Bytes;
use crate::store::storage::Storage;
use crate::store::tree;
use crate::{Bar, Columns, FxdError};

impl<S: Storage> Appending<S> {
    /// Gives bars in order the blocks that they belong to, where blocks may hold any span of time: bars within a block's span are
    /// written with that block's. Those behind it are, too, while it is small, so that appends of a few bars do not leave a block
    /// each; else they make blocks of their own, and what was written once stays.
    pub(super) fn place(
        &mut self,
        id: SymbolId,
        bars: &[Bar],
        written: &mut Option<Bytes>,
        blocks: &mut Vec<ToEncode>,
    ) -> Result<(), FxdError> {
        let (Some(first), Some(last)) = (bars.first(), bars.last()) else { return Ok(()) };
        let there = self.reaching_into(id, first.ts, last.ts)?;
        let before_all = bars.partition_point(|bar| there.first().is_some_and(|entry| bar.ts < entry.first_ts));
        let (mut now, mut rest) =
            bars.split_at_checked(if there.is_empty() { bars.len() } else { before_all }).unwrap_or_default();
        self.replace(id, &[], now, written, blocks)?;
        for (position, entry) in there.iter().enumerate() {
            let end = there.get(position + 1).map_or(u64::MAX, |next| next.first_ts);
            (now, rest) = rest.split_at_checked(rest.partition_point(|bar| bar.ts < end)).unwrap_or_default();
            let behind = now.first().is_some_and(|bar| bar.ts > entry.last_ts);
            let alone = behind && entry.record_count as usize >= SMALL;
            self.replace(id, if alone { &[] } else { std::slice::from_ref(entry) }, now, written, blocks)?;
        }
        Ok(())
    }

    /// Cuts bars, and those of blocks that they belong to, into new blocks that take the place of these.
    pub(super) fn replace(
        &mut self,
        id: SymbolId,
        there: &[SymbolEntry],
        bars: &[Bar],
        written: &mut Option<Bytes>,
        blocks: &mut Vec<ToEncode>,
    ) -> Result<(), FxdError> {
        if bars.is_empty() {
            return Ok(());
        }
        let old = self.bars_of(there, written)?;
        let (merged, changed) = self.merge(id, old, bars)?;
        if !changed {
            return Ok(());
        }
        if let (Some(first), Some(last)) = (bars.first(), bars.last()) {
            self.changed.entry(id).or_default().push((first.ts, last.ts));
        }
        for entry in there {
            self.supersede(*entry);
        }
        for piece in cut(&merged, self.options.block_records(), self.options.version) {
            blocks.push(ToEncode { symbol: id, bars: piece.to_vec() });
        }
        Ok(())
    }

    /// The live blocks of a symbol whose first bar lies in a span, in and before this commit; ordered by time.
    pub(super) fn starting_in(&self, id: SymbolId, span: Range<u64>) -> Result<Vec<SymbolEntry>, FxdError> {
        let mut entries = self.committed(id, span.start, span.end)?;
        entries.retain(|entry| span.contains(&entry.first_ts));
        entries.extend(self.inserted.range((id, span.start)..(id, span.end)).map(|(_, entry)| *entry));
        entries.sort_by_key(|entry| entry.first_ts);
        Ok(entries)
    }

    /// The live blocks of a symbol from the last that starts at `first` or before to the last that starts at `last` or before.
    pub(super) fn reaching_into(&self, id: SymbolId, first: u64, last: u64) -> Result<Vec<SymbolEntry>, FxdError> {
        let mut entries = self.committed(id, first, last.saturating_add(1))?;
        let before = self.inserted.range((id, 0)..=(id, first)).next_back();
        let within = self.inserted.range((id, first.saturating_add(1))..(id, last.saturating_add(1)));
        entries.extend(before.into_iter().chain(within).map(|(_, entry)| *entry));
        entries.sort_by_key(|entry| entry.first_ts);
        // Of those that start before, the nearest.
        let before = entries.partition_point(|entry| entry.first_ts <= first).saturating_sub(1);
        Ok(entries.split_off(before))
    }

    /// The blocks of commits before that still count, from the last one that starts at `from` or before. One that was replaced in
    /// this commit is not missed: what took its place starts where it did.
    fn committed(&self, id: SymbolId, from: u64, end: u64) -> Result<Vec<SymbolEntry>, FxdError> {
        let mut entries = Vec::new();
        let root = self.snapshot.metadata.symbol_root;
        tree::scan(self.snapshot.file(), root, (id, from), |entry: &SymbolEntry| {
            let is_live = self.removed.get(&(id, entry.first_ts)).is_none_or(|removed| removed != entry);
            if entry.symbol_id == id && entry.first_ts < end && is_live {
                entries.push(*entry);
            }
            (entry.symbol_id, entry.first_ts) < (id, end)
        })
        .map_err(|damage| self.at.damaged(damage))?;
        Ok(entries)
    }

    /// The bars of blocks, in order.
    pub(super) fn bars_of(&mut self, there: &[SymbolEntry], written: &mut Option<Bytes>) -> Result<Vec<Bar>, FxdError> {
        let mut columns = Columns::default();
        let mut payload = Vec::new();
        for entry in there {
            let of_commit = self.inserted.get(&(entry.symbol_id, entry.first_ts)) == Some(entry);
            if of_commit && written.is_none() {
                let bytes = self.log.storage().and_then(|storage| storage.bytes());
                *written = Some(bytes.map_err(self.at.io("reading"))?);
            }
            let file = match written {
                Some(bytes) if of_commit => bytes,
                _ => self.snapshot.file(),
            };
            block_of(file, self.options.version, entry)
                .and_then(|block| {
                    let dictionary = self.snapshot.dictionary();
                    self.decoder.bars(&block, dictionary, &(0..u64::MAX), &mut payload, &mut columns)
                })
                .map_err(|damage| self.at.damaged(damage))?;
        }
        let mut bars: Vec<Bar> = columns.iter().collect();
        bars.sort_by_key(|bar| bar.ts);
        Ok(bars)
    }
}
