//! Decompressed blocks that may be asked for again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A small cache that forgets what was used longest ago. Queries of one screen ask for the same few days; what is large is
/// left to the system, which caches the file.
pub(crate) struct Cache {
    blocks: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Those used last at the back. So few that looking through them costs less than an index over them.
    kept: VecDeque<(u64, Arc<Vec<u8>>)>,
    /// Memory of what was forgotten.
    spare: Vec<Vec<u8>>,
}

/// How much memory of forgotten blocks is kept.
const SPARE: usize = 4;

impl Cache {
    pub(crate) fn new(blocks: usize) -> Self {
        Self { blocks, inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The payload of the block at an offset.
    pub(crate) fn get(&self, offset: u64) -> Option<Arc<Vec<u8>>> {
        let mut inner = self.inner();
        let position = inner.kept.iter().rposition(|(at, _)| *at == offset)?;
        let entry = inner.kept.remove(position)?;
        let payload = Arc::clone(&entry.1);
        inner.kept.push_back(entry);
        Some(payload)
    }

    /// Memory for a payload, if there is some to be used again that is large enough.
    pub(crate) fn spare(&self, len: usize) -> Vec<u8> {
        let mut inner = self.inner();
        match inner.spare.iter().position(|spare| spare.capacity() >= len) {
            Some(position) => inner.spare.swap_remove(position),
            None => Vec::with_capacity(len),
        }
    }

    /// Keeps a payload.
    pub(crate) fn put(&self, offset: u64, payload: Vec<u8>) {
        let mut inner = self.inner();
        let mut forgotten = None;
        if self.blocks == 0 {
            forgotten = Some(payload);
        } else {
            inner.kept.push_back((offset, Arc::new(payload)));
            if inner.kept.len() > self.blocks {
                forgotten = inner.kept.pop_front().and_then(|(_, payload)| Arc::into_inner(payload));
            }
        }
        if let Some(forgotten) = forgotten
            && inner.spare.len() < SPARE
        {
            inner.spare.push(forgotten);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_is_forgotten_and_its_memory_used_again() {
        let cache = Cache::new(2);
        cache.put(1, vec![1; 100]);
        cache.put(2, vec![2]);
        assert_eq!(cache.get(1).unwrap()[0], 1);
        cache.put(3, vec![3]);
        assert!(cache.get(2).is_none());
        assert_eq!((cache.get(1).unwrap().len(), cache.get(3).unwrap().len()), (100, 1));
        cache.put(4, vec![4]);
        assert!(cache.spare(50).capacity() >= 100);
        let none = Cache::new(0);
        none.put(1, vec![1]);
        assert!(none.get(1).is_none());
    }
}
