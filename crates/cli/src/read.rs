//! Printing one file of a package.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use pdp_packager::manifest::PackagePath;
use pdp_packager::{MemberEntry, PackagerError, Progress, read_member};

use crate::args::{Global, ReadArgs};
use crate::{commands, progress};

/// Reads the member. What is printed of a damaged one is always too short, and a file of it is not left.
pub(crate) fn run(args: &ReadArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let none = || PackagerError::NotFound { what: "member", path: args.member.clone().into() };
    let member: PackagePath = args.member.parse().map_err(|_| none())?;
    let progress = progress::start(global);
    let Some(output) = &args.output else {
        if global.json {
            let message = "--json shows a report, and standard output has the file; give --output FILE, too";
            return Err(PackagerError::Usage(message.to_owned()).into());
        }
        let mut out = io::stdout();
        let outcome = read_member(&args.package, &member, &mut out, &progress);
        progress.finish();
        out.flush()?;
        outcome?;
        return Ok(ExitCode::SUCCESS);
    };
    let outcome = to_file(args, &member, output, &progress);
    progress.finish();
    let entry = outcome?;
    commands::show(global, &entry, |out| {
        if global.quiet { writeln!(out, "{}", output.display()) } else { told(&entry, output, out) }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the member beside its place first, so that no reader meets half of it.
fn to_file(
    args: &ReadArgs,
    member: &PackagePath,
    output: &Path,
    progress: &dyn Progress,
) -> anyhow::Result<MemberEntry> {
    let directory = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let writing = || format!("writing {}", output.display());
    let mut file = pdp_packager::TemporaryFile::create(directory).with_context(writing)?;
    let entry = read_member(&args.package, member, &mut file, progress)?;
    file.sync().with_context(writing)?;
    file.persist(output).with_context(writing)?;
    Ok(entry)
}

fn told(entry: &MemberEntry, output: &Path, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "File       {}", output.display())?;
    writeln!(out, "Member     {}, {} bytes", entry.path, entry.size_bytes)?;
    match &entry.checksum_sha256 {
        Some(digest) => writeln!(out, "SHA-256    {digest}, as the manifest says"),
        None => writeln!(out, "SHA-256    not stated"),
    }
}
