//! Import scripts: tables of the right types, filled from the package's files, for each database that was asked for.

mod clickhouse;
mod duckdb;
mod kind;
mod names;
mod plan;
mod quote;
mod view;

use std::collections::BTreeSet;

use pdp_manifest::{ImportTarget, Manifest};
use tera::Context;

use crate::{GenerateError, Texts, show};
use plan::Plan;

/// The script that several others read rows with.
const ROWS: (&str, &str) = ("scripts/import_rows.py", "import_rows.py");

/// The templates of this module.
pub(crate) const TEMPLATES: [(&str, &str); 6] = [
    ("import_postgresql.sql", include_str!("../templates/import_postgresql.sql")),
    ("import_clickhouse.sql", include_str!("../templates/import_clickhouse.sql")),
    ("import_duckdb.sql", include_str!("../templates/import_duckdb.sql")),
    ("import_spark.py", include_str!("../templates/import_spark.py")),
    ("import_sqlite.py", include_str!("../templates/import_sqlite.py")),
    (ROWS.1, include_str!("../templates/import_rows.py")),
];

/// A target's script, its template, and the command that runs it from the package's root.
const fn script(target: ImportTarget) -> (&'static str, &'static str, &'static str, &'static str) {
    match target {
        ImportTarget::PostgreSql => (
            "PostgreSQL",
            "scripts/import_postgresql.sql",
            "import_postgresql.sql",
            "psql -d DATABASE -f scripts/import_postgresql.sql",
        ),
        ImportTarget::ClickHouse => (
            "ClickHouse",
            "scripts/import_clickhouse.sql",
            "import_clickhouse.sql",
            "clickhouse local --path market_data.clickhouse --queries-file scripts/import_clickhouse.sql",
        ),
        ImportTarget::DuckDb => (
            "DuckDB",
            "scripts/import_duckdb.sql",
            "import_duckdb.sql",
            "duckdb market.duckdb -f scripts/import_duckdb.sql",
        ),
        ImportTarget::Spark => {
            ("Spark", "scripts/import_spark.py", "import_spark.py", "spark-submit scripts/import_spark.py")
        }
        ImportTarget::Sqlite => {
            ("SQLite", "scripts/import_sqlite.py", "import_sqlite.py", "python scripts/import_sqlite.py market.sqlite")
        }
    }
}

/// What the README says of the import scripts among `members`: each engine and the command that runs its script.
pub(crate) fn commands(members: &[String]) -> Vec<(&'static str, &'static str)> {
    let there = |path: &str| members.iter().any(|member| member == path);
    let all = ImportTarget::ALL.iter().map(|target| script(*target));
    all.filter(|(_, path, ..)| there(path)).map(|(name, _, _, command)| (name, command)).collect()
}

impl Texts {
    /// The members that load the package into these: `scripts/import_postgresql.sql` and its kin, and
    /// `scripts/import_rows.py`, which some of them use. Paths and texts, in the order of the paths.
    ///
    /// # Errors
    /// A template cannot be filled.
    pub fn import_scripts(
        &self,
        manifest: &Manifest,
        targets: &BTreeSet<ImportTarget>,
    ) -> Result<Vec<(String, String)>, GenerateError> {
        let plan = Plan::of(manifest);
        let mut found = Vec::new();
        for target in targets {
            let (_, path, template, _) = script(*target);
            found.push((path.to_owned(), self.import_script(template, &plan, manifest, *target, "")?));
        }
        let users: Vec<_> = targets.iter().filter(|target| reads_rows(**target)).map(|t| script(*t).0).collect();
        if !users.is_empty() {
            let text = self.import_script(ROWS.1, &plan, manifest, ImportTarget::Sqlite, &users.join(", "))?;
            found.push((ROWS.0.to_owned(), text));
        }
        found.sort();
        Ok(found)
    }

    fn import_script(
        &self,
        template: &str,
        plan: &Plan<'_>,
        manifest: &Manifest,
        target: ImportTarget,
        users: &str,
    ) -> Result<String, GenerateError> {
        let mut context = Context::new();
        let id = manifest.package_id.as_str();
        context.insert("name", &show::one_line(manifest.name.as_str()));
        context.insert("package_id", &if template == ROWS.1 { quote::python(id) } else { quote::sql(id) });
        context.insert("users", users);
        context.insert("tables", &view::tables(plan, target));
        let left_out: Vec<String> = plan
            .left_out
            .iter()
            .map(|(file, reason)| view::literal(target, &format!("{}: {reason}", file.path)))
            .collect();
        context.insert("left_out", &left_out);
        Ok(self.tera.render(template, &context)?)
    }
}

/// Whether the target's script reads through `import_rows.py`.
const fn reads_rows(target: ImportTarget) -> bool {
    matches!(target, ImportTarget::PostgreSql | ImportTarget::Spark | ImportTarget::Sqlite)
}
