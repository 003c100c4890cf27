//! What was found in the columns of CSV files, which a manifest has by event type and not by file.

use std::collections::BTreeMap;

use pdp_manifest::{Field, PackagePath};

/// The columns of one CSV file.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvTable {
    /// Its columns in order, by the names that the manifest's `csv.columns` has: type, whether some cell is empty, and
    /// the first value, as they are in this file.
    pub fields: Vec<Field>,
    /// Whether every row has a cell for every column and no more, and all of it is UTF-8 that can be read.
    pub regular: bool,
}

/// The columns of all CSV files of a package.
pub type CsvTables = BTreeMap<PackagePath, CsvTable>;
