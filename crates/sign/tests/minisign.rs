//! Keys and signatures exchanged with the `minisign` program, both ways.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pdp_sign::{KeyPair, PublicKey, SecretKey, UNTRUSTED_COMMENT, VerifyError, sign, verify};
use tempfile::TempDir;

const TEXT: &[u8] = b"0a4d  data/2024-01-03/AAPL/Trade/AAPL.jsonl\n";
const COMMENT: &str = "timestamp:1700000000\tfile:listing\thashed";
const PASSWORD: &str = "correct horse, battery st\u{e4}ple";

/// A directory in which `minisign` works on the file `listing`.
struct Home {
    program: PathBuf,
    directory: TempDir,
}

struct Ran {
    success: bool,
    out: String,
}

impl Home {
    /// `None`, and a word that the test skips, where there is no such program.
    fn new() -> Option<Self> {
        let path = std::env::var_os("PATH")?;
        let found =
            std::env::split_paths(&path).map(|directory| directory.join("minisign")).find(|path| path.is_file());
        let Some(program) = found else {
            // Past the harness, which keeps what a passing test prints to itself.
            let _ = writeln!(std::io::stderr(), "SKIPPED: minisign is not installed");
            return None;
        };
        let home = Self { program, directory: tempfile::tempdir().unwrap() };
        home.write("listing", TEXT);
        Some(home)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs it; where there is no terminal, it reads passwords from standard input, a line each.
    fn run(&self, args: &[&str], input: &str) -> Ran {
        let mut child = Command::new(&self.program)
            .args(args)
            .current_dir(self.directory.path())
            .env_remove("MINISIGN_PASSWORD")
            .env("HOME", self.directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may be done before it has read anything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        Ran { success: output.status.success(), out: out.into_owned() }
    }

    #[track_caller]
    fn done(&self, args: &[&str], input: &str) -> String {
        let ran = self.run(args, input);
        assert!(ran.success, "minisign {args:?}: {}", ran.out);
        ran.out
    }
}

fn secret(path: &Path, password: Option<&str>) -> SecretKey {
    SecretKey::read(path, &|| Ok(password.map(str::to_owned))).unwrap()
}

#[test]
fn keys_and_signatures_of_minisign_are_read_here() {
    let Some(home) = Home::new() else { return };
    home.done(&["-G", "-W", "-p", "k.pub", "-s", "k.key"], "");
    let public = PublicKey::read(home.path("k.pub")).unwrap();
    assert_eq!(public.to_text(), home.read("k.pub"));
    let key = secret(&home.path("k.key"), None);
    assert_eq!(key.public_key(), public);

    for legacy in [false, true] {
        let mut args = vec!["-S", "-s", "k.key", "-m", "listing", "-t", COMMENT];
        args.extend(legacy.then_some("-l"));
        home.done(&args, "");
        let signature = home.read("listing.minisig");
        let verified = verify(TEXT, signature.as_bytes(), &public).unwrap();
        assert_eq!((verified.trusted_comment.as_str(), verified.key_id), (COMMENT, public.key_id()));
        assert!(matches!(verify(b"", signature.as_bytes(), &public), Err(VerifyError::Changed { .. })));
        // Ed25519 is deterministic in both: the same key makes the same file.
        let ours = sign(TEXT, &key, COMMENT, UNTRUSTED_COMMENT).unwrap();
        assert_eq!(ours == signature, !legacy);
    }
}

#[test]
fn keys_and_signatures_made_here_are_read_by_minisign() {
    let Some(home) = Home::new() else { return };
    let keys = KeyPair::generate(None).unwrap();
    keys.save(&home.path("k.key"), &home.path("k.pub")).unwrap();
    let key = secret(&home.path("k.key"), None);
    let base64 = keys.public_key().to_base64();

    let comments =
        [(COMMENT, UNTRUSTED_COMMENT), ("", ""), (&"x".repeat(8173), &"y".repeat(1003)), (" Größe ", "\tµm ")];
    for (trusted, untrusted) in comments {
        home.write("listing.minisig", sign(TEXT, &key, trusted, untrusted).unwrap());
        let out = home.done(&["-V", "-p", "k.pub", "-m", "listing"], "");
        assert!(out.contains("Signature and comment signature verified"), "{out}");
        assert!(out.contains(&format!("Trusted comment: {trusted}\n")), "{out}");
        // -H takes only signatures over a digest.
        assert_eq!(home.done(&["-V", "-H", "-Q", "-P", &base64, "-m", "listing"], ""), format!("{trusted}\n"));
    }
    home.write("listing", b"changed");
    assert!(!home.run(&["-V", "-p", "k.pub", "-m", "listing"], "").success);

    // It signs with our key as we do, and makes the same public key of it.
    home.write("listing", TEXT);
    home.done(&["-S", "-s", "k.key", "-m", "listing", "-t", COMMENT], "");
    assert_eq!(home.read("listing.minisig"), sign(TEXT, &key, COMMENT, UNTRUSTED_COMMENT).unwrap());
    home.done(&["-R", "-s", "k.key", "-p", "again.pub"], "");
    assert_eq!(home.read("again.pub"), keys.public_text());
}

/// All in one test, for every derivation takes a second and 1 GiB.
#[test]
fn keys_with_passwords_are_interchangeable() {
    let Some(home) = Home::new() else { return };
    let line = format!("{PASSWORD}\n");
    home.done(&["-G", "-p", "theirs.pub", "-s", "theirs.key"], &line.repeat(2));
    let key = secret(&home.path("theirs.key"), Some(PASSWORD));
    assert_eq!(key.public_key().to_text(), home.read("theirs.pub"));

    let keys = KeyPair::generate(Some(PASSWORD)).unwrap();
    keys.save(&home.path("ours.key"), &home.path("ours.pub")).unwrap();
    // The same lines, of the same length: what minisign hides, and what it costs, is hidden the same way here.
    let (ours, theirs) = (home.read("ours.key"), home.read("theirs.key"));
    assert_eq!(ours.lines().next(), theirs.lines().next());
    assert_eq!(ours.len(), theirs.len());
    home.done(&["-S", "-s", "ours.key", "-m", "listing", "-t", COMMENT], &line);
    let signature = home.read("listing.minisig");
    assert_eq!(verify(TEXT, signature.as_bytes(), &keys.public_key()).unwrap().trusted_comment, COMMENT);

    let wrong = home.run(&["-S", "-s", "ours.key", "-m", "listing"], "wrong\n");
    assert!(!wrong.success && wrong.out.contains("Wrong password"), "{}", wrong.out);
}

#[test]
fn other_key_is_named_as_minisign_names_it() {
    let Some(home) = Home::new() else { return };
    let (keys, other) = (KeyPair::generate(None).unwrap(), KeyPair::generate(None).unwrap());
    keys.save(&home.path("k.key"), &home.path("k.pub")).unwrap();
    let signature = sign(TEXT, &secret(&home.path("k.key"), None), COMMENT, UNTRUSTED_COMMENT).unwrap();
    home.write("listing.minisig", &signature);
    home.write("other.pub", other.public_text());
    let theirs = home.run(&["-V", "-p", "other.pub", "-m", "listing"], "");
    let error = verify(TEXT, signature.as_bytes(), &other.public_key()).unwrap_err();
    let VerifyError::OtherKey { signed_by, expected } = error else { panic!("{error}") };
    assert!(!theirs.success);
    assert!(theirs.out.contains(&format!("is {signed_by}\n")), "{}", theirs.out);
    assert!(theirs.out.contains(&format!("is {expected}\n")), "{}", theirs.out);
}
