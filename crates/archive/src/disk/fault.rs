//! Faults on purpose: with the feature `faults`, a test can make the Nth change of the disk fail or be the last.
//!
//! Without the feature, which only tests turn on, everything here is nothing.

#[cfg(not(feature = "faults"))]
use std::io;

/// A kind of change to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// A file is created.
    Create,
    /// Bytes are written.
    Write,
    /// A file or directory is flushed.
    Sync,
    /// A file or directory is renamed.
    Rename,
    /// A file or directory is removed.
    Remove,
    /// A directory is made.
    MakeDirectory,
}

/// Passes one call: does nothing, fails, or ends the process.
///
/// # Errors
/// The fault that was planned.
#[cfg(not(feature = "faults"))]
#[inline]
pub(crate) const fn at(_: Call) -> io::Result<()> {
    Ok(())
}

/// Passes a write of `len` bytes and tells how many may be written.
///
/// # Errors
/// The fault that was planned.
#[cfg(not(feature = "faults"))]
#[inline]
pub(crate) const fn write(len: usize) -> io::Result<usize> {
    Ok(len)
}

#[cfg(feature = "faults")]
pub use self::planned::{Fault, Plan, Report, clear, plan};
#[cfg(feature = "faults")]
pub(crate) use self::planned::{at, write};

#[cfg(feature = "faults")]
mod planned {
    use std::io;
    use std::sync::{Mutex, PoisonError};

    use super::Call;

    /// What happens at a planned call.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Fault {
        /// It fails with this error of the system, such as `ENOSPC`.
        Error(i32),
        /// It is interrupted by a signal once and would succeed when tried again.
        Interrupted,
        /// A write takes one byte only; other calls are left alone.
        Short,
        /// The process dies, as by `kill -9`, before the call is made.
        Kill,
        /// The process dies in the middle of a write, of which half is done, or before another call.
        KillHalfway,
    }

    /// Where and how a disk is to fail.
    #[derive(Debug, Clone, Copy)]
    pub struct Plan {
        /// Which call, from 1.
        pub at: u64,
        /// What happens there.
        pub fault: Fault,
        /// Whether every later call fails too.
        pub from_then_on: bool,
    }

    /// What a plan came to.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct Report {
        /// The calls that were made, in order.
        pub calls: Vec<Call>,
        /// Whether the planned call was among them.
        pub struck: bool,
    }

    static STATE: Mutex<Option<(Plan, Report)>> = Mutex::new(None);

    /// From now on calls are counted and fail as planned, in the whole process.
    pub fn plan(plan: Plan) {
        *STATE.lock().unwrap_or_else(PoisonError::into_inner) = Some((plan, Report::default()));
    }

    /// Ends the plan and tells what it came to.
    pub fn clear() -> Report {
        STATE.lock().unwrap_or_else(PoisonError::into_inner).take().map(|(_, report)| report).unwrap_or_default()
    }

    fn strike(call: Call) -> Option<Fault> {
        let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
        let (plan, report) = state.as_mut()?;
        report.calls.push(call);
        let now = u64::try_from(report.calls.len()).unwrap_or(u64::MAX);
        let hit = now == plan.at || (plan.from_then_on && now > plan.at);
        report.struck |= hit;
        hit.then_some(plan.fault)
    }

    pub(crate) fn at(call: Call) -> io::Result<()> {
        loop {
            return match strike(call) {
                None | Some(Fault::Short) => Ok(()),
                // As the standard library does with calls that a signal interrupts.
                Some(Fault::Interrupted) => continue,
                Some(Fault::Error(code)) => Err(io::Error::from_raw_os_error(code)),
                Some(Fault::Kill | Fault::KillHalfway) => die(),
            };
        }
    }

    pub(crate) fn write(len: usize) -> io::Result<usize> {
        match strike(Call::Write) {
            None => Ok(len),
            Some(Fault::Short) => Ok(len.min(1)),
            Some(Fault::Interrupted) => Err(io::ErrorKind::Interrupted.into()),
            Some(Fault::Error(code)) => Err(io::Error::from_raw_os_error(code)),
            Some(Fault::KillHalfway) if len > 1 => {
                // The half is written, and the next call of any kind ends the process.
                let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((plan, _)) = state.as_mut() {
                    *plan = Plan { at: plan.at + 1, fault: Fault::Kill, from_then_on: true };
                }
                Ok(len / 2)
            }
            Some(Fault::Kill | Fault::KillHalfway) => die(),
        }
    }

    /// No destructor runs and no buffer is flushed.
    fn die() -> ! {
        std::process::abort()
    }
}
