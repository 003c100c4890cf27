//! Both indexes as trees: made whole, changed by copying what changes, searched, walked.

use std::io;

use crate::format::damage::{Damage, Decoded};
use crate::format::tree::{Entry, MAX_LEVEL, Node};

/// Why a change of a tree failed.
#[derive(Debug)]
pub(crate) enum TreeError {
    /// The tree is damaged.
    Damaged(Damage),
    /// The disk refused.
    Io(io::Error),
}

impl From<Damage> for TreeError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl From<io::Error> for TreeError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Where a tree that is being written puts its nodes: one behind the other.
pub(crate) trait Place {
    /// Where the next node goes.
    fn position(&self) -> u64;
    /// Puts a node there.
    fn put(&mut self, node: &[u8]) -> io::Result<u64>;
}

/// Nodes in memory that will lie at a known place.
#[derive(Debug)]
pub(crate) struct InMemory {
    pub(crate) base: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Place for InMemory {
    fn position(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    fn put(&mut self, node: &[u8]) -> io::Result<u64> {
        let at = self.position();
        self.bytes.extend_from_slice(node);
        Ok(at)
    }
}

/// Writes a whole tree over entries in order, its leaves first and in a chain, its root last; and says where the root is.
pub(crate) fn build<E: Entry>(place: &mut impl Place, entries: &[E]) -> io::Result<u64> {
    let mut above = Vec::new();
    let mut leaves = entries.chunks(E::FANOUT).peekable();
    let Some(first) = leaves.peek() else {
        return place.put(&E::encode_node(0, &[], 0));
    };
    debug_assert!(!first.is_empty(), "chunks are never empty");
    while let Some(leaf) = leaves.next() {
        let next = if leaves.peek().is_some() { place.position() + E::NODE_LEN as u64 } else { 0 };
        let at = place.put(&E::encode_node(0, leaf, next))?;
        above.extend(leaf.first().map(|first| first.parent(at)));
    }
    raise(place, above, 1)
}

/// Writes levels over children until one node has them all.
fn raise<E: Entry>(place: &mut impl Place, mut children: Vec<E>, mut level: u8) -> io::Result<u64> {
    loop {
        match children.as_slice() {
            [] => return place.put(&E::encode_node(0, &[], 0)),
            [root] => return Ok(root.offset()),
            _ => {}
        }
        children = put_level(place, level, &children)?;
        level = level.saturating_add(1);
    }
}

fn put_level<E: Entry>(place: &mut impl Place, level: u8, entries: &[E]) -> io::Result<Vec<E>> {
    let mut above = Vec::with_capacity(entries.len().div_ceil(E::FANOUT));
    for chunk in entries.chunks(E::FANOUT) {
        let at = place.put(&E::encode_node(level, chunk, 0))?;
        above.extend(chunk.first().map(|first| first.parent(at)));
    }
    Ok(above)
}

/// Entries to take out of a tree and to put into it, each in order.
#[derive(Debug)]
pub(crate) struct Edit<'a, E> {
    pub(crate) remove: &'a [E],
    pub(crate) insert: &'a [E],
}

/// Writes what changes of a tree, its root last, and says where the root is. Nodes that do not change stay where they are.
///
/// Entries that are put in come behind those of the same key that are there.
pub(crate) fn edit<E: Entry>(
    file: &[u8],
    root: u64,
    place: &mut impl Place,
    edit: &Edit<'_, E>,
) -> Result<u64, TreeError> {
    let node = E::decode_node(file, root)?;
    let level = node.level;
    let mut seen = Seen::default();
    let children = change(file, &node, place, edit, &mut seen)?;
    if seen.removed != edit.remove.len() {
        let what = format!("{}: {} of {} entries to replace are in it", E::WHAT, seen.removed, edit.remove.len());
        return Err(Damage::new(root, what).into());
    }
    Ok(raise(place, children, level.saturating_add(1))?)
}

/// Writes a node again as it is, and says where it is now.
pub(crate) fn copy<E: Entry>(file: &[u8], at: u64, place: &mut impl Place) -> Result<u64, TreeError> {
    let node = E::decode_node(file, at)?;
    Ok(place.put(&E::encode_node(node.level, &node.entries, node.next))?)
}

/// What an edit came by.
#[derive(Debug, Default)]
struct Seen {
    /// Entries that were taken out.
    removed: usize,
    /// Nodes that were read.
    nodes: usize,
}

/// What a node becomes: the entries that lead to the nodes in its stead.
fn change<E: Entry>(
    file: &[u8],
    node: &Node<E>,
    place: &mut impl Place,
    edit: &Edit<'_, E>,
    seen: &mut Seen,
) -> Result<Vec<E>, TreeError> {
    let entries =
        if node.level == 0 { merged(&node.entries, edit, seen) } else { descend(file, node, place, edit, seen)? };
    if entries == node.entries {
        return Ok(entries.first().map(|first| first.parent(node.at)).into_iter().collect());
    }
    Ok(put_level(place, node.level, &entries)?)
}

fn merged<E: Entry>(old: &[E], edit: &Edit<'_, E>, seen: &mut Seen) -> Vec<E> {
    let mut all: Vec<E> = Vec::with_capacity(old.len() + edit.insert.len());
    for entry in old {
        if edit.remove.contains(entry) {
            seen.removed += 1;
        } else {
            all.push(*entry);
        }
    }
    all.extend_from_slice(edit.insert);
    // Stable: what is put in comes behind what is there with the same key.
    all.sort_by_key(E::key);
    all
}

fn descend<E: Entry>(
    file: &[u8],
    node: &Node<E>,
    place: &mut impl Place,
    edit: &Edit<'_, E>,
    seen: &mut Seen,
) -> Result<Vec<E>, TreeError> {
    let mut all = Vec::with_capacity(node.entries.len());
    let mut insert = edit.insert;
    for (position, child) in node.entries.iter().enumerate() {
        let next = node.entries.get(position + 1).map(E::key);
        // What is put in goes to the last child that begins at or before it, and to the first where none does.
        let here = next.map_or(insert.len(), |next| insert.partition_point(|entry| entry.key() < next));
        let (mine, rest) = insert.split_at_checked(here).unwrap_or((insert, &[]));
        insert = rest;
        // Entries of one key may lie in several children, and what is taken out is in one of them.
        let from = edit.remove.partition_point(|entry| entry.key() < child.key());
        let to = next.map_or(edit.remove.len(), |next| edit.remove.partition_point(|entry| entry.key() <= next));
        let remove = edit.remove.get(from..to).unwrap_or_default();
        if mine.is_empty() && remove.is_empty() {
            all.push(*child);
        } else {
            seen.nodes += 1;
            if seen.nodes > file.len() / E::NODE_LEN {
                let what = format!("{} leads to nodes that others lead to as well", E::WHAT);
                return Err(Damage::new(node.at, what).into());
            }
            let below = child_of(file, node, child)?;
            all.extend(change(file, &below, place, &Edit { remove, insert: mine }, seen)?);
        }
    }
    Ok(all)
}

/// The node that an entry of an inner node leads to.
pub(crate) fn child_of<E: Entry>(file: &[u8], node: &Node<E>, entry: &E) -> Decoded<Node<E>> {
    let child = E::decode_node(file, entry.offset())?;
    if child.level + 1 != node.level || child.level >= MAX_LEVEL {
        let what = format!("{} of level {} below one of level {}", E::WHAT, child.level, node.level);
        return Err(Damage::new(child.at, what));
    }
    match child.entries.first() {
        Some(first) if first.key() == entry.key() => Ok(child),
        _ => Err(Damage::new(child.at, format!("{} does not begin with what the node above says", E::WHAT))),
    }
}

/// Hands over the entries of leaves, in order, from the last one at or before `from` (or, without one, from the first) as
/// long as `take` says so.
///
/// # Errors
/// Damage of a node that had to be read, or of the order between nodes.
pub(crate) fn scan<E: Entry>(file: &[u8], root: u64, from: E::Key, mut take: impl FnMut(&E) -> bool) -> Decoded<()> {
    let root = E::decode_node(file, root)?;
    let mut last = None;
    below(file, &root, from, &mut last, &mut take).map(|_| ())
}

fn below<E: Entry>(
    file: &[u8],
    node: &Node<E>,
    from: E::Key,
    last: &mut Option<E>,
    take: &mut impl FnMut(&E) -> bool,
) -> Decoded<bool> {
    // Where several entries have the key that is looked for, the one before the first of them may lead to it as well.
    let start = node.entries.partition_point(|entry| entry.key() < from);
    let exact = node.level == 0 && node.entries.get(start).is_some_and(|entry| entry.key() == from);
    let start = if exact { start } else { start.saturating_sub(1) };
    for entry in node.entries.get(start..).unwrap_or_default() {
        if node.level == 0 {
            if last.is_some_and(|last| (last.key(), last.offset()) >= (entry.key(), entry.offset())) {
                return Err(Damage::new(node.at, format!("{} goes back behind the one before it", E::WHAT)));
            }
            *last = Some(*entry);
            if !take(entry) {
                return Ok(false);
            }
        } else if !below(file, &child_of(file, node, entry)?, from, last, take)? {
            return Ok(false);
        }
    }
    Ok(true)
}
