//! Which columns of a table are those of a bar.

use std::borrow::Cow;
use std::path::Path;

use parquet::file::metadata::ParquetMetaData;

use super::meaning::Meaning;
use crate::BarsError;
use crate::csv::{Names, Role};

/// A column that is read.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Its number among the leaves of the schema.
    pub(super) leaf: usize,
    pub(super) role: Role,
    pub(super) meaning: Meaning,
}

/// The columns to read.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) list: Vec<Wanted>,
    /// Whether the symbol column holds instrument ids, for want of symbols.
    pub(super) instruments: bool,
    /// Whether timestamps that are whole numbers count nanoseconds, whatever their size.
    pub(super) nanoseconds: bool,
}

impl Columns {
    /// Finds them by their names; or says which are missing or cannot be read.
    pub(super) fn of(file: &Path, metadata: &ParquetMetaData, apart: bool) -> Result<Self, BarsError> {
        let schema = metadata.file_metadata().schema_descr();
        let leaves: Vec<_> = schema.columns().iter().map(|column| column.path().string()).collect();
        let fields: Vec<Cow<'_, [u8]>> = leaves.iter().map(|name| Cow::Borrowed(name.as_bytes())).collect();
        let wrong =
            |problem: crate::Problem| BarsError::file(file, format!("the columns are not those of bars: {problem}"));
        let names = Names::of(&fields);
        let mut roles = names.roles(&fields).map_err(wrong)?.ok_or_else(|| wrong(names.missing()))?;
        let databento = names.is_databento();
        let nanoseconds = databento && !roles.contains(&Role::Symbol);
        let mut instruments = false;
        if apart {
            if let Some(role) = names.instrument().and_then(|at| roles.get_mut(at)) {
                *role = Role::Instrument;
            }
        } else if databento
            && !roles.contains(&Role::Symbol)
            && let Some(role) = names.instrument().and_then(|at| roles.get_mut(at))
        {
            *role = Role::Symbol;
            instruments = true;
        }
        let mut list = Vec::new();
        for (leaf, role) in roles.into_iter().enumerate() {
            let name = || leaves.get(leaf).map(|name| crate::problem::shown(name.as_bytes())).unwrap_or_default();
            match role {
                Role::Kind | Role::Other => continue,
                Role::Date | Role::Time => {
                    return Err(BarsError::file(
                        file,
                        "date and time in columns of their own, expected one timestamp column",
                    ));
                }
                _ => {}
            }
            let column = schema.column(leaf);
            let meaning = Meaning::of(&column, role, databento)
                .map_err(|found| BarsError::file(file, format!("column {}: {found}", name())))?;
            list.push(Wanted { leaf, role, meaning });
        }
        Ok(Self { list, instruments, nanoseconds })
    }
}
