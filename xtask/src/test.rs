//! `cargo xtask test`: what the tests need, and all of them.

use std::path::Path;

use anyhow::Result;

use crate::{process, tools};

/// The features that are tested and linted beside what is on by itself. Not `--all-features`: one of them makes disks fail.
pub(crate) const FEATURES: &str = "pdp-packager/async,fxd/arrow";

pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let python = tools::python(root)?;
    tools::system(root);
    // With these set, a test that cannot find its Python fails instead of skipping.
    let mut environment = vec![("PDP_TEST_PYTHON", python.to_string_lossy().into_owned())];
    if let Some(newer) = tools::python_pandas3(root) {
        environment.push(("PDP_TEST_PYTHON_PANDAS3", newer.to_string_lossy().into_owned()));
    }
    if let Some(python) = tools::spark(root) {
        environment.push(("PDP_TEST_SPARK_PYTHON", python.to_string_lossy().into_owned()));
    }
    let mut all = vec!["test", "--workspace", "--all-targets", "--features", FEATURES, "--quiet"];
    if args.is_empty() {
        process::run_with(root, process::cargo(), &all, &environment)?;
        return process::run(
            root,
            process::cargo(),
            &["test", "--workspace", "--features", FEATURES, "--doc", "--quiet"],
        );
    }
    all = vec!["test"];
    all.extend(args.iter().map(String::as_str));
    process::run_with(root, process::cargo(), &all, &environment)
}
