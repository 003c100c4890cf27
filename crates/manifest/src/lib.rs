//! What a portable data package says about itself.
//!
//! The crate holds the [`Manifest`] model, its JSON form ([`json`]), and the vocabulary both are written in:
//! [`PackagePath`], [`Sha256Digest`], [`Symbol`], [`EventType`], [`Layout`] and friends. Every value is parsed at the
//! edge and valid by construction; a value that exists needs no second check.
//!
//! It knows JSON and names. It knows nothing of files, archives or clocks.
//!
//! ```
//! use pdp_manifest::{PackagePath, Sha256Digest};
//!
//! let path: PackagePath = "data/2024-01-03/AAPL/Trade/AAPL.jsonl".parse()?;
//! assert_eq!(path.file_name(), "AAPL.jsonl");
//! assert!("../etc/passwd".parse::<PackagePath>().is_err());
//!
//! let digest = Sha256Digest::of(b"abc");
//! assert!(digest.to_string().starts_with("ba7816bf"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod digest;
pub mod event_type;
pub mod filters;
pub mod format;
pub mod import_target;
pub mod json;
pub mod layout;
pub mod listing;
pub mod model;
pub mod name;
pub mod path;
pub mod portable;
pub mod profile;
pub mod quality;
pub mod schema;
mod strict;
pub mod symbol;
pub mod time;
pub mod version;
mod wire;
mod words;

pub use digest::{DigestError, Sha256Digest};
pub use event_type::{EventType, EventTypeError};
pub use filters::Filters;
pub use format::{CompressionLevel, ContainerFormat, ContentEncoding, DataFormat, PackageCompression};
pub use import_target::ImportTarget;
pub use json::{ManifestError, ManifestText};
pub use layout::Layout;
pub use model::{CsvDialect, DateRange, FileEntry, Manifest, SupplementaryFile};
pub use name::{NameError, PackageName};
pub use path::{PackagePath, PathError};
pub use profile::Profile;
pub use quality::{Check, FileQuality, Grade, QualityReport, QualitySummary};
pub use schema::{EventSchema, Field, FieldType, TimeUnit};
pub use symbol::{SourceName, Symbol, SymbolError};
pub use version::{FormatVersion, PackageId, VersionError};
pub use words::UnknownWord;
