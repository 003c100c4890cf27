//! Several containers, filled one after the other, none larger than a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pdp_manifest::{ManifestText, PackagePath};

use crate::ArchiveError;
use crate::contract::{Codec, ContainerWriter, MemberFacts, Method, PreparedMember, Sealed};

/// Makes an empty container.
pub type Make<'a> = dyn Fn() -> Result<Box<dyn ContainerWriter>, ArchiveError> + 'a;

/// A writer that begins a new container when the next member might not fit into the current one.
///
/// Members keep their order; a member that is larger than the limit gets a container of its own.
pub struct SplitWriter<'a> {
    make: &'a Make<'a>,
    parts: Vec<Box<dyn ContainerWriter>>,
    /// Most bytes of members in a container.
    limit: u64,
    /// What a member costs beside its own bytes: in headers, and in what the manifest says of it.
    each: u64,
    members: u64,
    current: Arc<AtomicUsize>,
}

impl<'a> SplitWriter<'a> {
    /// Containers of at most `limit` bytes, of which every member takes `each` beside its own.
    ///
    /// # Errors
    /// The first container cannot be made.
    pub fn new(make: &'a Make<'a>, limit: u64, each: u64) -> Result<Self, ArchiveError> {
        let parts = vec![make()?];
        Ok(Self { make, parts, limit, each, members: 0, current: Arc::default() })
    }

    /// Tells, at any time, which container the last member went to, from 0.
    #[must_use]
    pub fn current(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.current)
    }

    /// The containers, to be sealed one by one.
    #[must_use]
    pub fn into_parts(self) -> Vec<Box<dyn ContainerWriter>> {
        self.parts
    }

    /// The container that `bytes` more go to.
    fn room_for(&mut self, bytes: u64) -> Result<&mut dyn ContainerWriter, ArchiveError> {
        let used = self.last()?.stored_len().saturating_add(self.members.saturating_mul(self.each));
        let full = used.saturating_add(bytes).saturating_add(self.each) > self.limit;
        if full && self.members > 0 {
            self.parts.push((self.make)()?);
            self.members = 0;
            self.current.store(self.parts.len() - 1, Ordering::Relaxed);
        }
        self.members += 1;
        self.last()
    }

    fn last(&mut self) -> Result<&mut dyn ContainerWriter, ArchiveError> {
        match self.parts.last_mut() {
            Some(part) => Ok(&mut **part),
            None => unreachable!("there is one part from the beginning"),
        }
    }
}

impl ContainerWriter for SplitWriter<'_> {
    fn codec(&self) -> Codec {
        self.parts.first().map_or(Codec::Raw, |part| part.codec())
    }

    fn add(&mut self, member: &PreparedMember) -> Result<(), ArchiveError> {
        self.room_for(crate::spool::length(&member.stored))?.add(member)
    }

    fn begin(&mut self, path: &PackagePath, method: Method, size: u64) -> Result<(), ArchiveError> {
        // What compressing will save is not known yet.
        self.room_for(size)?.begin(path, method, size)
    }

    fn chunk(&mut self, stored: &[u8]) -> Result<(), ArchiveError> {
        self.last()?.chunk(stored)
    }

    fn end(&mut self, facts: &MemberFacts) -> Result<(), ArchiveError> {
        self.last()?.end(facts)
    }

    fn stored_len(&self) -> u64 {
        self.parts.iter().map(|part| part.stored_len()).sum()
    }

    fn seal(self: Box<Self>, _: &ManifestText, _: Vec<PreparedMember>) -> Result<Sealed, ArchiveError> {
        unreachable!("parts are sealed one by one, each with a manifest of its own")
    }
}
