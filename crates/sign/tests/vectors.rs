//! What minisign 0.11 wrote, read here; and what is written here, read by another library.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io;
use std::path::Path;

use pdp_sign::{KeyError, KeyPair, PublicKey, SecretKey, UNTRUSTED_COMMENT, VerifyError, sign, verify};

/// Made by `minisign -G` where memory was short (`ulimit -v`), so that it asks for 32 MiB; the password is below.
const PROTECTED: &str = "untrusted comment: minisign encrypted secret key
RWRTY0IyKXQslGk+b+au+2zGrkI/F+VwtpleEnL6cDyqdyuAOZcAABAAAAAAAAAAAAIAAAAAiwZkXCE1G3urYVs7hPh/U4JKxwIY7K+MB2d8E7riBX0nO2tzPlcUcYcdP+Tdhy11Fgw0+Qb4DYuM1huWTzIEUmmHMRTY8RFF73tFHdn4MJMltPY8o0+8iD0NvsS9O/JKs/3WW8oLxpw=
";
const PASSWORD: &str = "correct horse";
const PUBLIC: &str = "untrusted comment: minisign public key A00A510CACCB9586
RWSGlcusDFEKoJco55/w3K2CB/uHJ/QuGPVxYytNtkibdSpUOK33GgMN
";
/// Made by `minisign -G -W`.
const UNPROTECTED: &str = "untrusted comment: minisign encrypted secret key
RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAsyeGtfpgr016+4IMW5+C2d1m5bGSeTuhM4nDjCkek/uphK5RP5shRTHO7iVl/jFD1wAipxlGeMS63auXP67ZoKrHnJvoQtb3AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
";
const UNPROTECTED_PUBLIC: &str = "RWSzJ4a1+mCvTTHO7iVl/jFD1wAipxlGeMS63auXP67ZoKrHnJvoQtb3";

const TEXT: &[u8] = b"listing of a package\n";
const COMMENT: &str = "timestamp:1700000000\tfile:listing\thashed";
/// Made by `minisign -S` over the text with the protected key.
const SIGNATURE: &str = "untrusted comment: signature from minisign secret key
RUSGlcusDFEKoIRVNXQ+YO4rQem2XGZmknP/97lp6wPY210st2YfpJBPNZEzSKwkAKrUgjQsD+uOtrbqL1txQE/eKjpYiMEQsQA=
trusted comment: timestamp:1700000000\tfile:listing\thashed
mEbn1mfoJgrLhYoKaiygQcMkQLAoy+0CHjrfGBdaWET4CwMWSXjehArJ1xHuaEdGfjEiTmTzbE3rt/flJyqjBQ==
";
/// Made by `minisign -S -l`.
const LEGACY: &str = "untrusted comment: signature from minisign secret key
RWSGlcusDFEKoI7ywCizDS1lwP4+OO06oLuAufvADZ10pYlUcOOEBK7VxdZb6SW2T6GT5s01NlAl8CHm2aeFsOaAz8XhXe1/ow8=
trusted comment: timestamp:1700000000\tfile:listing
dDv5GP4fuORDwUptuugH+fecOxlIrxFIxrTFVJ27f3sUj27r53ZKK8qKX99bvl75FPP/baX5OP8RPTVvcBIZAg==
";

fn read(text: &str, password: Option<&str>) -> Result<SecretKey, KeyError> {
    SecretKey::parse(Path::new("my.key"), text.as_bytes(), &|| Ok(password.map(str::to_owned)))
}

fn public() -> PublicKey {
    PublicKey::parse(Path::new("my.pub"), PUBLIC.as_bytes()).unwrap()
}

#[test]
fn both_kinds_of_minisign_signatures_verify() {
    let verified = verify(TEXT, SIGNATURE.as_bytes(), &public()).unwrap();
    assert_eq!(verified.trusted_comment, COMMENT);
    assert_eq!(verified.key_id.to_string(), "A00A510CACCB9586");
    let verified = verify(TEXT, LEGACY.as_bytes(), &public()).unwrap();
    assert_eq!(verified.trusted_comment, "timestamp:1700000000\tfile:listing");
    for signature in [SIGNATURE, LEGACY] {
        assert!(verify(TEXT, signature.replace('\n', "\r\n").as_bytes(), &public()).is_ok());
    }
}

#[test]
fn signing_is_deterministic_and_gives_the_bytes_that_minisign_gives() {
    let key = read(PROTECTED, Some(PASSWORD)).unwrap();
    assert_eq!(key.public_key(), public());
    assert_eq!(sign(TEXT, &key, COMMENT, UNTRUSTED_COMMENT).unwrap(), SIGNATURE);
    assert_eq!(sign(TEXT, &key, COMMENT, UNTRUSTED_COMMENT).unwrap(), SIGNATURE);
}

#[test]
fn key_without_password_opens_unasked() {
    let never = || -> io::Result<Option<String>> { panic!("asked") };
    let key = SecretKey::parse(Path::new("my.key"), UNPROTECTED.as_bytes(), &never).unwrap();
    assert_eq!(key.public_key().to_base64(), UNPROTECTED_PUBLIC);
    assert_eq!(key.key_id().to_string(), "4DAF60FAB58627B3");
    // Nobody reads a secret in a log.
    assert_eq!(format!("{key:?}"), "SecretKey(4DAF60FAB58627B3)");
}

#[test]
fn reasons_why_a_secret_key_does_not_open_are_told_apart() {
    let wrong = read(PROTECTED, Some("battery staple")).unwrap_err();
    assert!(matches!(wrong, KeyError::WrongPassword { .. }), "{wrong}");
    let none = read(PROTECTED, None).unwrap_err();
    assert_eq!(none.to_string(), "my.key: the secret key is protected by a password, and none was given");
    let gone = || Err(io::ErrorKind::Interrupted.into());
    let gone = SecretKey::parse(Path::new("my.key"), PROTECTED.as_bytes(), &gone).unwrap_err();
    assert!(matches!(gone, KeyError::Asking { .. }), "{gone}");
    for other in ["", "x", PUBLIC, SIGNATURE, &PROTECTED[..200], UNPROTECTED_PUBLIC] {
        let error = read(other, Some(PASSWORD)).unwrap_err();
        assert!(matches!(error, KeyError::NotAKey { kind: "secret", .. }), "{error}");
    }
    let missing = SecretKey::read(Path::new("/no/such/my.key"), &|| Ok(None)).unwrap_err();
    assert!(matches!(missing, KeyError::Io { .. }), "{missing}");
}

#[test]
fn files_without_an_end_are_not_read_to_it() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("large.key");
    std::fs::write(&path, "x".repeat(1 << 20)).unwrap();
    let error = SecretKey::read(&path, &|| Ok(None)).unwrap_err();
    assert!(error.to_string().ends_with("expected at most 65536 bytes, found more"), "{error}");
    let error = PublicKey::read(&path).unwrap_err();
    assert!(error.to_string().ends_with("expected at most 65536 bytes, found more"), "{error}");
    let error = verify(TEXT, &vec![b'x'; 1 << 20], &public()).unwrap_err();
    assert!(error.to_string().ends_with("expected at most 65536 bytes, found more"), "{error}");
}

#[test]
fn public_key_as_file_or_as_base64() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("my.pub");
    std::fs::write(&path, PUBLIC).unwrap();
    let key = PublicKey::read(&path).unwrap();
    assert_eq!(key, PublicKey::read(PUBLIC.lines().nth(1).unwrap()).unwrap());
    assert_eq!(key.to_text(), PUBLIC);
    assert!(matches!(PublicKey::read(home.path().join("other.pub")), Err(KeyError::Io { .. })));
    std::fs::write(&path, PROTECTED).unwrap();
    assert!(matches!(PublicKey::read(&path), Err(KeyError::NotAKey { kind: "public", .. })));
}

#[test]
fn keys_that_anyone_can_sign_for_are_refused() {
    // The neutral element: a signature of zeros would hold over many texts.
    let weak = "RWSGlcusDFEKoAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let error = weak.parse::<PublicKey>().unwrap_err();
    assert!(error.to_string().ends_with("found a point that anyone can sign for"), "{error}");
}

#[test]
fn reasons_why_a_signature_does_not_hold_are_told_apart() {
    let changed = verify(b"listing of another package\n", SIGNATURE.as_bytes(), &public()).unwrap_err();
    assert!(matches!(changed, VerifyError::Changed { .. }), "{changed}");
    let comment = SIGNATURE.replace("file:listing", "file:another");
    let comment = verify(TEXT, comment.as_bytes(), &public()).unwrap_err();
    assert!(matches!(comment, VerifyError::TrustedComment { .. }), "{comment}");
    let other = verify(TEXT, SIGNATURE.as_bytes(), &UNPROTECTED_PUBLIC.parse().unwrap()).unwrap_err();
    assert_eq!(other.to_string(), "signed by key A00A510CACCB9586, expected key 4DAF60FAB58627B3");
    for text in ["", "x", PUBLIC, PROTECTED, &format!("{SIGNATURE}more\n")] {
        let malformed = verify(TEXT, text.as_bytes(), &public()).unwrap_err();
        assert!(matches!(malformed, VerifyError::Malformed(_)), "{malformed}");
    }
}

#[test]
fn comments_that_would_break_the_file_are_refused() {
    let key = read(UNPROTECTED, None).unwrap();
    for comment in ["two\nlines", "\r", "\u{1b}[31m", "\0", "\u{85}", &"x".repeat(8174)] {
        assert!(sign(TEXT, &key, comment, UNTRUSTED_COMMENT).is_err(), "{comment:?}");
        assert!(sign(TEXT, &key, COMMENT, comment).is_err(), "{comment:?}");
    }
    assert!(sign(TEXT, &key, &"x".repeat(8173), &"x".repeat(1003)).is_ok());
    assert!(sign(TEXT, &key, COMMENT, &"x".repeat(1004)).is_err());
}

#[test]
fn another_library_verifies_what_is_signed_here() {
    let keys = KeyPair::generate(None).unwrap();
    let key = read(keys.secret_text(), None).unwrap();
    let theirs = minisign_verify::PublicKey::decode(&keys.public_text()).unwrap();
    for (text, comment) in [(TEXT, COMMENT), (b"", ""), (&[0xff; 5000], "Größe: 1 µm")] {
        let signature = sign(text, &key, comment, "").unwrap();
        assert_eq!(verify(text, signature.as_bytes(), &keys.public_key()).unwrap().trusted_comment, comment);
        let signature = minisign_verify::Signature::decode(&signature).unwrap();
        assert_eq!(signature.trusted_comment(), comment);
        theirs.verify(text, &signature, false).unwrap();
        assert!(theirs.verify(b"other", &signature, false).is_err());
    }
}
