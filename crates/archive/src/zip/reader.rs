//! Reading ZIP.

use std::fs::File;
use std::path::Path;

use pdp_manifest::{ContainerFormat, PackageCompression};
use rayon::prelude::*;

use super::directory::{self, Central};
use super::member::{self, MemberReader, Placement};
use super::record::METHOD_STORE;
use crate::ArchiveError;
use crate::contract::{ContainerReader, MemberInfo, Visitor};
use crate::open::{Limits, Tally};

/// A ZIP archive whose structure has been checked: every byte of the file belongs to exactly one record or member.
#[derive(Debug)]
pub struct ZipReader {
    file: File,
    size: u64,
    members: Vec<MemberInfo>,
    places: Vec<(Central, Placement)>,
    deviation: Option<String>,
}

impl ZipReader {
    /// Opens the archive at `path` and checks its structure; no member is decompressed.
    ///
    /// # Errors
    /// I/O, or what is wrong and at which byte.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, ArchiveError> {
        let file = File::open(path).map_err(ArchiveError::io("opening", path))?;
        Self::of(path, file, limits)
    }

    /// As [`Self::open`], of a file that is open.
    pub(crate) fn of(path: &Path, file: File, limits: &Limits) -> Result<Self, ArchiveError> {
        let size = file.metadata().map_err(ArchiveError::io("reading", path))?.len();
        Self::from_file(file, size, limits)
    }

    fn from_file(file: File, size: u64, limits: &Limits) -> Result<Self, ArchiveError> {
        let end = directory::locate(&file, size)?;
        let mut found = directory::read_all(&file, &end, limits)?;
        let mut deviation = None;
        if !end.is_canonical(&file, size)? {
            deviation = Some("the records behind the central directory".to_owned());
        }
        if !found.is_sorted_by_key(|member| member.local_at) {
            deviation = Some("the order of the central directory".to_owned());
        }
        found.sort_by_key(|member| member.local_at);
        let mut members = Vec::with_capacity(found.len());
        let mut places = Vec::with_capacity(found.len());
        let mut next = 0_u64;
        let mut time = None;
        let mut tally = Tally::new(limits, size);
        for central in found {
            if central.local_at != next {
                let what =
                    if central.local_at < next { "overlaps the member before it" } else { "leaves a gap before it" };
                return Err(ArchiveError::Structure {
                    offset: central.local_at,
                    reason: format!("member \"{}\" {what}, which ends at byte {next}", central.shown()),
                });
            }
            let placement = member::place(&file, &central, end.offset)?;
            next = placement.end;
            if *time.get_or_insert(central.modified) != central.modified {
                deviation.get_or_insert_with(|| format!("the time of \"{}\"", central.shown()));
            }
            if !placement.canonical || !central.canonical {
                let which = if central.canonical { "local" } else { "central" };
                deviation.get_or_insert_with(|| format!("the {which} header of \"{}\"", central.shown()));
            }
            let Some(path) = central.path.clone() else { continue };
            tally.member(&path, central.size, central.stored_size)?;
            let compression =
                if central.method == METHOD_STORE { PackageCompression::Store } else { PackageCompression::Deflate };
            members.push(MemberInfo { path, size: central.size, stored_size: central.stored_size, compression });
            places.push((central, placement));
        }
        if next != end.offset {
            return Err(ArchiveError::Structure {
                offset: next,
                reason: format!("{} bytes before the central directory belong to no member", end.offset - next),
            });
        }
        Ok(Self { file, size, members, places, deviation })
    }
}

impl ContainerReader for ZipReader {
    fn format(&self) -> ContainerFormat {
        ContainerFormat::Zip
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn members(&self) -> &[MemberInfo] {
        &self.members
    }

    fn deviation(&self) -> Option<&str> {
        self.deviation.as_deref()
    }

    fn visit(&self, wanted: &(dyn Fn(&MemberInfo) -> bool + Sync), visit: &Visitor<'_>) -> Result<(), ArchiveError> {
        self.members.par_iter().zip(&self.places).filter(|(info, _)| wanted(info)).try_for_each(
            |(info, (central, placement))| visit(info, &mut MemberReader::new(&self.file, central, *placement)),
        )
    }
}
