//! All connections of a server, and those among them that can give way, the one that has waited longest first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::watch::{Command, Rank, Watch};

/// The connections of a server.
#[derive(Debug, Default)]
pub(super) struct Register(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    all: HashMap<u64, Watch>,
    /// Those that can give way, in the order in which they began to be able to.
    idle: BTreeMap<(Rank, u64), Watch>,
    draining: bool,
}

/// A connection's place in the register; it leaves with it.
#[derive(Debug)]
pub(super) struct Place<'r> {
    register: &'r Register,
    key: u64,
    idle: Option<(Rank, u64)>,
}

impl Register {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a connection.
    pub(super) fn enter(&self, watch: &Watch) -> Place<'_> {
        let mut inner = self.lock();
        let key = inner.number();
        inner.all.insert(key, watch.clone());
        if inner.draining {
            drop(inner);
            watch.command(Command::Drain);
        }
        Place { register: self, key, idle: None }
    }

    /// Closes the connection that has waited longest among those that give way most readily; `false` where none does.
    pub(super) fn evict(&self) -> bool {
        let oldest = self.lock().idle.pop_first();
        oldest.map(|(_, watch)| watch.command(Command::Close)).is_some()
    }

    /// Lets all connections end after what they are doing.
    pub(super) fn drain(&self) {
        self.lock().draining = true;
        self.tell(Command::Drain);
    }

    /// Ends all connections.
    pub(super) fn close_all(&self) {
        self.tell(Command::Close);
    }

    fn tell(&self, command: Command) {
        let all: Vec<Watch> = self.lock().all.values().cloned().collect();
        for watch in all {
            watch.command(command);
        }
    }
}

impl Inner {
    fn number(&mut self) -> u64 {
        self.next = self.next.wrapping_add(1);
        self.next
    }
}

impl Place<'_> {
    /// Writes down whether the connection can give way. One that could before keeps its turn, unless it begins `anew`.
    pub(super) fn set(&mut self, watch: &Watch, rank: Option<Rank>, anew: bool) {
        if self.idle.map(|(rank, _)| rank) == rank && !(anew && rank.is_some()) {
            return;
        }
        let mut inner = self.register.lock();
        if let Some(before) = self.idle.take() {
            inner.idle.remove(&before);
        }
        if let Some(rank) = rank {
            let at = (rank, inner.number());
            inner.idle.insert(at, watch.clone());
            self.idle = Some(at);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut inner = self.register.lock();
        inner.all.remove(&self.key);
        if let Some(at) = self.idle {
            inner.idle.remove(&at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_waited_longest_gives_way_first_and_those_who_bring_something_last() {
        let register = Register::default();
        let watches: Vec<Watch> = (0..4).map(|_| Watch::new()).collect();
        let mut places: Vec<Place<'_>> = watches.iter().map(|watch| register.enter(watch)).collect();
        for (place, watch) in places.iter_mut().zip(&watches) {
            place.set(watch, Some(Rank::Asks), false);
        }
        let closed = || {
            let of = |watch: &Watch| watch.lock().command == Command::Close;
            watches.iter().map(of).collect::<Vec<_>>()
        };
        places[0].set(&watches[0], Some(Rank::Brings), false);
        places[1].set(&watches[1], Some(Rank::Asks), true);
        places[3].set(&watches[3], None, false);
        assert!(register.evict());
        assert_eq!(closed(), [false, false, true, false]);
        assert!(register.evict());
        assert_eq!(closed(), [false, true, true, false]);
        assert!(register.evict());
        assert_eq!(closed(), [true, true, true, false]);
        assert!(!register.evict());
        drop(places);
        assert!(register.lock().all.is_empty() && register.lock().idle.is_empty());
    }
}
