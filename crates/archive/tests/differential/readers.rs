//! Those who read an archive: this library, Python, and programs.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use pdp_archive::Limits;
use pdp_archive::contract::member_error;
use pdp_manifest::Sha256Digest;

use crate::packages::oracle;

/// Name and content, in the order in which members stand.
pub(crate) type Member = (String, Vec<u8>);

/// Size, digest and name, in the same order.
pub(crate) type Listed = Vec<(u64, String, String)>;

/// What a program tells: sizes and names in its order, and all contents one behind the other.
pub(crate) type Told = (Vec<(u64, String)>, Vec<u8>);

/// A program and how it is asked.
pub(crate) struct Reader {
    pub(crate) program: &'static str,
    pub(crate) read: fn(&Path, &Path) -> Result<Told, String>,
}

pub(crate) const UNZIP: Reader = Reader { program: "unzip", read: by_unzip };
pub(crate) const TAR: Reader = Reader { program: "tar", read: by_tar };
pub(crate) const BSDTAR: Reader = Reader { program: "bsdtar", read: by_bsdtar };

/// Past the harness, which keeps what a passing test prints to itself.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A Python, of which its standard library is enough.
pub(crate) fn python() -> Option<PathBuf> {
    std::env::var_os("PDP_TEST_PYTHON").map(PathBuf::from).or_else(|| program("python3"))
}

/// A program of the system, or a word that it is not asked.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file());
    if found.is_none() {
        say(&format!("SKIPPED: {name} is not installed"));
    }
    found
}

/// What this library reads, or nothing where it refuses.
pub(crate) fn ours(path: &Path) -> Option<Vec<Member>> {
    let reader = pdp_archive::open(path, &Limits::default()).ok()?;
    let contents = Mutex::new(BTreeMap::new());
    let visited = reader.visit(&|_| true, &|info, body| {
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes).map_err(|error| member_error(info, &error))?;
        assert_eq!(bytes.len() as u64, info.size);
        contents.lock().unwrap().insert(info.path.to_string(), bytes);
        Ok(())
    });
    visited.ok()?;
    let mut contents = contents.into_inner().unwrap();
    let member = |info: &pdp_archive::MemberInfo| contents.remove_entry(info.path.as_str()).unwrap();
    Some(reader.members().iter().map(member).collect())
}

/// What Python reads of each archive in a directory, in the order of their names.
pub(crate) fn by_python(python: &Path, directory: &Path) -> Vec<(String, Result<Listed, String>)> {
    let output = Command::new(python).arg(oracle()).arg("list").arg(directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut found: Vec<(String, Result<Listed, String>)> = Vec::new();
    for line in std::str::from_utf8(&output.stdout).unwrap().lines() {
        if let Some(name) = line.strip_prefix("= ") {
            found.push((name.to_owned(), Ok(Vec::new())));
        } else if let Some(last) = found.last_mut() {
            let mut parts = line.splitn(3, '\t').map(str::to_owned);
            match (&mut last.1, parts.next(), parts.next(), parts.next()) {
                (Ok(members), Some(size), Some(digest), Some(name)) => {
                    members.push((size.parse().unwrap(), digest, name));
                }
                _ => last.1 = Err(line.to_owned()),
            }
        }
    }
    found
}

/// `members` as Python lists them.
pub(crate) fn listed(members: &[Member]) -> Listed {
    let one = |(name, bytes): &Member| (bytes.len() as u64, Sha256Digest::of(bytes).to_string(), name.clone());
    members.iter().map(one).collect()
}

/// Holds what a program tells against `members`; a ZIP archive has an order of its own in its directory.
pub(crate) fn compare(members: &[Member], told: Result<Told, String>) -> Result<(), String> {
    let (names, contents) = told?;
    let sorted = |mut names: Vec<(u64, String)>| {
        names.sort();
        names
    };
    let ours = members.iter().map(|(name, bytes)| (bytes.len() as u64, name.clone())).collect();
    if sorted(names.clone()) != sorted(ours) {
        return Err(format!("lists {names:?}"));
    }
    let content = |name: &str| members.iter().find(|(other, _)| other == name).map(|(_, bytes)| bytes.clone());
    match names.iter().filter_map(|(_, name)| content(name)).collect::<Vec<_>>().concat() == contents {
        true => Ok(()),
        false => Err("has other contents".to_owned()),
    }
}

/// What a program prints; its words to the terminal where it fails.
fn run(program: &Path, args: &[&str], path: &Path) -> Result<Vec<u8>, String> {
    let output = Command::new(program).args(args).arg(path).env("LC_ALL", "C.UTF-8").env("TZ", "UTC").output().unwrap();
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr))),
    }
}

/// Sizes and names from lines whose words of these numbers they are; a name goes on to the end of the line.
fn lines(listing: &[u8], size: usize, name: usize) -> Result<Vec<(u64, String)>, String> {
    let text = std::str::from_utf8(listing).map_err(|error| error.to_string())?;
    let line = |line: &str| {
        // A directory by its mode; its name need not end in a slash.
        let is_directory = line.starts_with('d');
        let mut rest = line.trim_start();
        let mut found = None;
        for word in 0..name {
            let (one, later) = rest.split_once(' ')?;
            if word == size {
                found = one.parse().ok();
            }
            rest = later.trim_start();
        }
        let name = rest.strip_prefix("./").unwrap_or(rest).to_owned();
        Some((found?, if is_directory { "/".to_owned() } else { name }))
    };
    let all = text.lines().map(|text| line(text).ok_or_else(|| format!("cannot read \"{text}\"")));
    let all: Vec<(u64, String)> = all.collect::<Result<_, _>>()?;
    Ok(all.into_iter().filter(|(_, name)| !name.ends_with('/')).collect())
}

fn by_unzip(program: &Path, path: &Path) -> Result<Told, String> {
    let listed = lines(&run(program, &["-qql"], path)?, 0, 3)?;
    Ok((listed, run(program, &["-p"], path)?))
}

fn by_tar(program: &Path, path: &Path) -> Result<Told, String> {
    let list = ["--quoting-style=literal", "--numeric-owner", "-tvzf"];
    let listed = lines(&run(program, &list, path)?, 2, 5)?;
    Ok((listed, run(program, &["-xOzf"], path)?))
}

fn by_bsdtar(program: &Path, path: &Path) -> Result<Told, String> {
    let listed = lines(&run(program, &["--numeric-owner", "-tvf"], path)?, 4, 8)?;
    Ok((listed, run(program, &["-xOf"], path)?))
}
