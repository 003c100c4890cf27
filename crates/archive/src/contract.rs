//! The contracts between containers and those who fill or read them.

use std::io::{self, Read};

use pdp_manifest::{CompressionLevel, ContainerFormat, ManifestText, PackageCompression, PackagePath, Sha256Digest};

use crate::ArchiveError;
use crate::target::Sealable;

/// How a member's bytes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// As they are.
    Store,
    /// Compressed by the container's codec.
    Compress,
}

/// What turns a member's bytes into those a container keeps; runs on any thread, apart from the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Bytes are kept as they are.
    Raw,
    /// One raw Deflate stream a member.
    Deflate(CompressionLevel),
    /// The entry of a tar, in gzip members of its own.
    TarGz {
        /// How hard they are compressed.
        level: CompressionLevel,
        /// The time of every entry, in seconds since 1970.
        modified: u64,
    },
}

impl Codec {
    /// The same container's codec for bytes that are better kept as they are.
    #[must_use]
    pub(crate) const fn without_compression(self) -> Self {
        match self {
            Self::Raw | Self::Deflate(_) => Self::Raw,
            Self::TarGz { modified, .. } => Self::TarGz { level: CompressionLevel::None, modified },
        }
    }
}

/// Where a member's bytes come from.
///
/// [`open`](Self::open) is called once, then [`read`](Read::read) until it gives 0; both happen on a worker thread. A
/// source sees its own bytes go by, so it can look at them in the same pass.
pub trait MemberSource: Read + Send {
    /// The member it becomes.
    fn path(&self) -> &PackagePath;

    /// Makes the bytes available and tells how many there will be; reading must not give more.
    ///
    /// # Errors
    /// Any error of opening; the member is then left out and reported.
    fn open(&mut self) -> io::Result<u64>;

    /// The size known before opening, by which work is scheduled.
    fn expected_size(&self) -> u64;

    /// Whether the bytes are compressed already and better kept as they are.
    fn is_compressed(&self) -> bool;
}

/// What is known of a member once it is packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberFacts {
    /// Its name.
    pub path: PackagePath,
    /// Its size.
    pub size: u64,
    /// The size of what the container keeps.
    pub stored_size: u64,
    /// CRC-32 (IEEE) of its bytes.
    pub crc32: u32,
    /// SHA-256 of its bytes.
    pub sha256: Sha256Digest,
    /// How it is kept.
    pub method: Method,
}

/// A small member that is ready to be written: its facts and the bytes the container keeps.
#[derive(Debug, Clone)]
pub struct PreparedMember {
    /// What is known of it.
    pub facts: MemberFacts,
    /// What the container keeps of it.
    pub stored: Vec<u8>,
}

/// A container being filled.
///
/// Calls come in the order `(add | begin chunk* end)* seal`. A container dropped without [`seal`](Self::seal) leaves nothing
/// behind.
pub trait ContainerWriter {
    /// How members' bytes are to be encoded before they come to [`chunk`](Self::chunk).
    fn codec(&self) -> Codec;

    /// Adds a member that is complete.
    ///
    /// # Errors
    /// I/O, or a name that collides with an earlier one.
    fn add(&mut self, member: &PreparedMember) -> Result<(), ArchiveError> {
        self.begin(&member.facts.path, member.facts.method, member.facts.size)?;
        self.chunk(&member.stored)?;
        self.end(&member.facts)
    }

    /// Starts a member. `size` is exact when `facts` could be known beforehand, else an upper bound.
    ///
    /// # Errors
    /// I/O, or a name that collides with an earlier one.
    fn begin(&mut self, path: &PackagePath, method: Method, size: u64) -> Result<(), ArchiveError>;

    /// Adds encoded bytes to the member.
    ///
    /// # Errors
    /// I/O.
    fn chunk(&mut self, stored: &[u8]) -> Result<(), ArchiveError>;

    /// Ends the member.
    ///
    /// # Errors
    /// I/O, or a size that does not fit what [`begin`](Self::begin) announced.
    fn end(&mut self, facts: &MemberFacts) -> Result<(), ArchiveError>;

    /// Bytes that the container holds so far, what [`seal`](Self::seal) will add not counted.
    fn stored_len(&self) -> u64;

    /// Puts the manifest and then `front` before all other members, and completes the container under a temporary
    /// name. The manifest is written with the container's exact size in it.
    ///
    /// # Errors
    /// I/O, or a colliding name.
    fn seal(self: Box<Self>, manifest: &ManifestText, front: Vec<PreparedMember>) -> Result<Sealed, ArchiveError>;
}

/// A complete container under a temporary name; [`Sealed::publish`] gives it its own.
#[derive(Debug)]
pub struct Sealed {
    /// Exact size in bytes (of a folder: of all its files).
    pub size: u64,
    /// Digest of the archive file; none for a folder.
    pub sha256: Option<Sha256Digest>,
    pub(crate) temporary: Sealable,
}

/// A member as a container lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberInfo {
    /// Its name.
    pub path: PackagePath,
    /// Its size as declared.
    pub size: u64,
    /// The size of what the container keeps.
    pub stored_size: u64,
    /// The method it is kept with.
    pub compression: PackageCompression,
}

/// What [`ContainerReader::visit`] calls for each member: the member and its bytes, whose reading fails when they do
/// not match what the container declares.
pub type Visitor<'a> = dyn Fn(&MemberInfo, &mut dyn Read) -> Result<(), ArchiveError> + Sync + 'a;

/// A container that was opened and whose structure was checked.
pub trait ContainerReader: Send + Sync {
    /// What kind of container it is.
    fn format(&self) -> ContainerFormat;

    /// Its size in bytes (of a folder: of all its files).
    fn size(&self) -> u64;

    /// The members, in the order in which they stand.
    fn members(&self) -> &[MemberInfo];

    /// Where the headers first differ from those that this library writes for the same members; none where they do not.
    ///
    /// Other tools write other headers, which are as good. In a package that says it has these, a difference is damage.
    fn deviation(&self) -> Option<&str> {
        None
    }

    /// Hands every member for which `wanted` holds to `visit`, on as many threads of the current rayon pool as the
    /// container allows, in any order.
    ///
    /// # Errors
    /// The first error of `visit`; members not begun by then are left out.
    fn visit(&self, wanted: &(dyn Fn(&MemberInfo) -> bool + Sync), visit: &Visitor<'_>) -> Result<(), ArchiveError>;

    /// The bytes of one member of at most `limit` bytes.
    ///
    /// # Errors
    /// [`ArchiveError::Member`] when there is none of that name or it is damaged, [`ArchiveError::Limit`].
    fn read(&self, path: &PackagePath, limit: u64) -> Result<Vec<u8>, ArchiveError> {
        let info = self.members().iter().find(|member| &member.path == path).ok_or_else(|| ArchiveError::Member {
            member: path.to_string(),
            reason: "there is no such member".to_owned(),
        })?;
        if info.size > limit {
            return Err(ArchiveError::Limit { what: "size of a member", actual: info.size, limit });
        }
        let bytes = std::sync::Mutex::new(Vec::new());
        self.visit(&|member| &member.path == path, &|member, body| {
            let mut buffer = Vec::new();
            body.read_to_end(&mut buffer).map_err(|error| member_error(member, &error))?;
            *bytes.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = buffer;
            Ok(())
        })?;
        Ok(bytes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// The error of a member whose bytes could not be read.
#[must_use]
pub fn member_error(member: &MemberInfo, error: &io::Error) -> ArchiveError {
    ArchiveError::Member { member: member.path.to_string(), reason: error.to_string() }
}
