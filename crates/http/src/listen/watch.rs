//! What one connection is doing: its socket writes it down, and its task and the register read it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use super::limits::Limits;

/// What the connection's task is to do.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Command {
    /// Go on.
    #[default]
    Serve,
    /// Answer the request in flight and end.
    Drain,
    /// End.
    Close,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing of a request has come since then; `first` says whether there was no request before.
    Waiting { since: Instant, first: bool },
    /// A part of a head has come; it may take its time from then on.
    Head { since: Instant },
    /// A request is there, and so much of its body; `whole` says whether that is all.
    Request { body: u64, whole: bool },
}

/// The state of a connection.
#[derive(Debug)]
pub(super) struct Doing {
    pub(super) phase: Phase,
    /// Since when the client has read nothing although there is something.
    pub(super) blocked: Option<Instant>,
    pub(super) command: Command,
    /// Whether the head of the request that is about to be served can be understood in two ways.
    pub(super) ambiguous: bool,
    /// Whether no request can follow the one that is served.
    pub(super) last: bool,
    waker: Option<Waker>,
}

/// What a connection is doing, shared.
#[derive(Debug, Clone)]
pub(super) struct Watch(Arc<Mutex<Doing>>);

/// Of a body that is not whole yet, fewer bytes than these count as little: its sender may have to give way.
const LITTLE: u64 = 64 << 10;

/// How readily a connection gives way to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// It has asked nothing.
    Asks,
    /// It has asked something and brings the body slowly, or has only begun to.
    Brings,
}

impl Doing {
    /// Whether, and how readily, the connection gives way.
    pub(super) fn rank(&self) -> Option<Rank> {
        match self.phase {
            _ if self.blocked.is_some() => None,
            Phase::Waiting { .. } | Phase::Head { .. } => Some(Rank::Asks),
            Phase::Request { body, whole: false } if body < LITTLE => Some(Rank::Brings),
            Phase::Request { .. } => None,
        }
    }

    /// When what it is doing has taken too long.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        if let Some(blocked) = self.blocked {
            return blocked.checked_add(limits.write_stall);
        }
        match self.phase {
            Phase::Waiting { since, first: false } => since.checked_add(limits.keep_alive),
            Phase::Waiting { since, first: true } | Phase::Head { since } => since.checked_add(limits.header_timeout),
            Phase::Request { .. } => None,
        }
    }

    /// Keeps whom to wake when there is a command.
    pub(super) fn wake(&mut self, waker: &Waker) {
        match &mut self.waker {
            Some(kept) => kept.clone_from(waker),
            None => self.waker = Some(waker.clone()),
        }
    }
}

impl Watch {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Doing {
            phase: Phase::Waiting { since: Instant::now(), first: true },
            blocked: None,
            command: Command::Serve,
            ambiguous: false,
            last: false,
            waker: None,
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Doing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the connection's task.
    pub(super) fn command(&self, command: Command) {
        let waker = {
            let mut doing = self.lock();
            doing.command = doing.command.max(command);
            doing.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
