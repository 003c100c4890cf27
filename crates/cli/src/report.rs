//! `pdp report`: the quality of a package on the terminal, as JSON, as a page.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use pdp_packager::manifest::QualityReport;
use pdp_packager::{PackagerError, QualityView};

use crate::args::{Global, ReportArgs};
use crate::commands::show;
use crate::{browser, exit, render};

/// Runs the command.
pub(crate) fn run(args: &ReportArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let to_output = args.html.as_deref() == Some(Path::new("-"));
    if to_output && (args.open || global.json) {
        let other = if args.open { "--open" } else { "--json" };
        return Err(PackagerError::Usage(format!("--html - cannot be used with {other}")).into());
    }
    let view = pdp_packager::report(&args.package)?;
    if to_output {
        let mut out = std::io::stdout().lock();
        out.write_all(view.page()?.as_bytes())?;
        out.flush()?;
    } else {
        let paper = render::Paper::of_output();
        show(global, &view.report, |out| render::quality(&view.report, &paper, global.quiet, out))?;
        page(args, global, &view)?;
    }
    Ok(verdict(args, &view.report))
}

/// Writes the page where it was asked for, and opens it.
fn page(args: &ReportArgs, global: &Global, view: &QualityView) -> anyhow::Result<()> {
    let target = match (&args.html, args.open) {
        (Some(path), _) => path.clone(),
        (None, true) => temporary(&view.report),
        (None, false) => return Ok(()),
    };
    view.write_page(&target)?;
    let target = std::path::absolute(&target).unwrap_or(target);
    // Talk: with --json, standard output is the report and nothing else.
    if !global.quiet || args.html.is_none() {
        let line = format!("Page       {}\n", target.display());
        std::io::stderr().write_all(render::printable(&line).as_bytes())?;
    }
    if args.open { open(&target) } else { Ok(()) }
}

/// A name for the page of this package among the temporary files; the identity is hexadecimal or made to be.
fn temporary(report: &QualityReport) -> PathBuf {
    let id: String = report.package_id.to_string().chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    std::env::temp_dir().join(format!("pdp-quality-{id}-{}.html", std::process::id()))
}

/// Opens the page in the browser.
fn open(page: &Path) -> anyhow::Result<()> {
    let shown = page.display();
    browser::open(page.as_os_str())
        .map_err(|error| anyhow!("the page is written, but {error:#}; open {shown} yourself"))
}

/// Findings alone are no failure, unless a grade was asked for.
fn verdict(args: &ReportArgs, report: &QualityReport) -> ExitCode {
    let grade = report.summary.grade;
    // The better letter is the lesser one.
    match args.fail_below {
        Some(wanted) if grade > wanted => {
            exit::say(&format!("the grade is {grade}, and --fail-below {wanted} asks for {wanted} or better"));
            exit::INVALID.into()
        }
        _ => ExitCode::SUCCESS,
    }
}
