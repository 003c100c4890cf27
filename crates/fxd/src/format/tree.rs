//! Nodes of both indexes, as levels of entries.

use super::damage::Decoded;

/// The most levels above the leaves: 255 to the 8th is more than there are blocks.
pub const MAX_LEVEL: u8 = 8;

/// An entry of a node: of a leaf it leads to a block, of an inner node to a child.
pub trait Entry: Copy + std::fmt::Debug + Eq {
    /// What entries of one level are ordered by.
    type Key: Ord + Copy + std::fmt::Debug;
    /// The bytes of a node.
    const NODE_LEN: usize;
    /// The most entries of a node.
    const FANOUT: usize;
    /// What a node is called.
    const WHAT: &'static str;

    /// What the entry is ordered by among those of its level.
    fn key(&self) -> Self::Key;
    /// Where it leads to.
    fn offset(&self) -> u64;
    /// The entry of an inner node that leads to a child whose smallest entry is `self`.
    #[must_use]
    fn parent(&self, child: u64) -> Self;
    /// The bytes of a node; `next` is the leaf behind it, or 0.
    fn encode_node(level: u8, entries: &[Self], next: u64) -> Vec<u8>;
    /// The node at `at`.
    ///
    /// # Errors
    /// A node that is out of bounds or not as the format says.
    fn decode_node(file: &[u8], at: u64) -> Decoded<Node<Self>>;
}

/// A node that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node<E> {
    /// Where it is.
    pub at: u64,
    /// 0 for a leaf.
    pub level: u8,
    /// What it holds, in order.
    pub entries: Vec<E>,
    /// Of a leaf in a chain: the next one, or 0.
    pub next: u64,
}
