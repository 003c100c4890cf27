//! The texts of a portable data package: README, data dictionary, loader and import scripts and quality page, Table
//! Schemas of CSV files, and what other standards of packaging want beside them.
//!
//! Pure: a manifest goes in, text comes out; no files, no clock. The texts are templates that lie as files in
//! `templates/`; what they show is prepared here, so that a template only arranges it.
//!
//! ```
//! # let json = br#"{"packageVersion":"1.0.0","packageId":"x","name":"demo","createdAt":"2024-01-03T12:00:00Z",
//! #   "format":"Zip","totalFiles":0,"totalEvents":0,"files":[]}"#;
//! let manifest = pdp_manifest::json::parse(json)?;
//! let readme = pdp_generate::Texts::new()?.readme(&manifest, &[])?;
//! assert!(readme.starts_with("# demo\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod csv_table;
mod import;
mod page;
pub mod profiles;
mod show;
mod table_schema;
mod table_type;
mod view;

use pdp_manifest::{Manifest, QualityReport};
use tera::{Context, Tera};
use thiserror::Error;

pub use csv_table::{CsvTable, CsvTables};
pub use profiles::Paper;
pub use table_schema::table_schemas;

const README: &str = "README.md";
const DICTIONARY: &str = "data_dictionary.md";
const PYTHON: &str = "load_data.py";
const R: &str = "load_data.R";
/// By the end of its name what it shows is escaped.
const PAGE: &str = "quality_report.html";

/// A template that cannot be read or filled, which is a fault of this library.
#[derive(Debug, Error)]
#[error("text template: {0}")]
pub struct GenerateError(#[from] tera::Error);

/// The templates, read once.
pub struct Texts {
    tera: Tera,
}

impl Texts {
    /// Reads the templates that are built in.
    ///
    /// # Errors
    /// A template is malformed.
    pub fn new() -> Result<Self, GenerateError> {
        let mut tera = Tera::default();
        tera.add_raw_templates([
            (README, include_str!("../templates/README.md")),
            (DICTIONARY, include_str!("../templates/data_dictionary.md")),
            (PYTHON, include_str!("../templates/load_data.py")),
            (R, include_str!("../templates/load_data.R")),
            (PAGE, include_str!("../templates/quality_report.html")),
        ])?;
        tera.add_raw_templates(import::TEMPLATES)?;
        Ok(Self { tera })
    }

    /// The package's README. `members` are the paths beside the data that the package has.
    ///
    /// # Errors
    /// The template cannot be filled.
    pub fn readme(&self, manifest: &Manifest, members: &[String]) -> Result<String, GenerateError> {
        let mut context = Context::new();
        context.insert("package", &view::Package::of(manifest));
        context.insert("members", members);
        context.insert("has_loaders", &members.iter().any(|path| path.starts_with("scripts/load_data")));
        context.insert("imports", &import::commands(members));
        Ok(self.tera.render(README, &context)?)
    }

    /// `metadata/data_dictionary.md`.
    ///
    /// # Errors
    /// The template cannot be filled.
    pub fn data_dictionary(&self, manifest: &Manifest) -> Result<String, GenerateError> {
        let mut context = Context::new();
        context.insert("package", &view::Package::of(manifest));
        context.insert("event_types", &view::event_types(manifest));
        context.insert("checks", &view::checks());
        context.insert("formulas", &pdp_manifest::quality::FORMULAS);
        Ok(self.tera.render(DICTIONARY, &context)?)
    }

    /// `scripts/load_data.py`.
    ///
    /// # Errors
    /// The template cannot be filled.
    pub fn python_loader(&self, manifest: &Manifest) -> Result<String, GenerateError> {
        self.script(PYTHON, manifest)
    }

    /// `scripts/load_data.R`.
    ///
    /// # Errors
    /// The template cannot be filled.
    pub fn r_loader(&self, manifest: &Manifest) -> Result<String, GenerateError> {
        self.script(R, manifest)
    }

    /// `metadata/quality_report.html`: one page that needs no network, no script and no other file.
    ///
    /// Of `manifest` it shows only what is known before the package is written, so that a page made from the finished
    /// package is the same.
    ///
    /// # Errors
    /// The template cannot be filled.
    pub fn quality_page(&self, report: &QualityReport, manifest: &Manifest) -> Result<String, GenerateError> {
        let mut context = Context::new();
        let page = page::Page::of(report, manifest);
        context.insert("page", &page);
        Ok(self.tera.render(PAGE, &context)?)
    }

    fn script(&self, template: &str, manifest: &Manifest) -> Result<String, GenerateError> {
        let mut context = Context::new();
        context.insert("name", &show::one_line(manifest.name.as_str()));
        Ok(self.tera.render(template, &context)?)
    }
}
