//! What the server has to give: datasets, described in code, read from DBN files, or made up.

mod bars;
mod dataset;
mod dbn_file;
mod sample;
mod symbology;

use std::io;
use std::path::Path;

pub use self::bars::bar;
pub(crate) use self::bars::{Series, Wanted};
pub use self::dataset::{Condition, Dataset};
pub(crate) use self::symbology::Resolution;

/// Datasets, by their names.
#[derive(Debug, Clone, Default)]
pub struct Store {
    datasets: Vec<Dataset>,
}

impl Store {
    /// One without datasets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this dataset, in the place of one of the same name.
    #[must_use]
    pub fn dataset(mut self, dataset: Dataset) -> Self {
        self.datasets.retain(|known| known.name() != dataset.name());
        self.datasets.push(dataset);
        self.datasets.sort_by(|a, b| a.name().cmp(b.name()));
        self
    }

    /// A made-up store, the same every time: see the crate's README.
    #[must_use]
    pub fn sample() -> Self {
        sample::store()
    }

    /// The bars and symbols of a DBN file, compressed or not.
    ///
    /// # Errors
    /// If it cannot be read, is no DBN file, or holds other things than bars.
    pub fn from_dbn(file: impl AsRef<Path>) -> io::Result<Self> {
        Self::new().with_dbn(file)
    }

    /// With the bars and symbols of one more DBN file.
    ///
    /// # Errors
    /// As of [`Self::from_dbn`].
    pub fn with_dbn(self, file: impl AsRef<Path>) -> io::Result<Self> {
        dbn_file::add(self, file.as_ref())
    }

    /// A dataset by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.name() == name)
    }

    /// All datasets, by their names.
    pub fn datasets(&self) -> impl Iterator<Item = &Dataset> {
        self.datasets.iter()
    }

    /// Takes a dataset out.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Dataset> {
        let at = self.datasets.iter().position(|dataset| dataset.name() == name)?;
        Some(self.datasets.remove(at))
    }
}
