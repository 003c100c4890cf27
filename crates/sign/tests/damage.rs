//! Damaged signatures and keys: refused or without consequence, and never a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;

use pdp_sign::{KeyPair, PublicKey, SecretKey, Signature, UNTRUSTED_COMMENT, Verified, sign, verify};
use proptest::prelude::*;

const TEXT: &[u8] = b"0a4d  data/2024-01-03/AAPL/Trade/AAPL.jsonl\n";
const COMMENT: &str = "timestamp:1700000000\tfile:listing\thashed";
const PREFIX: &str = "untrusted comment: ";

/// Made by `minisign -S -l` 0.11, and the key it was made with.
const LEGACY: (&str, &str, &[u8]) = (
    "untrusted comment: signature from minisign secret key
RWSGlcusDFEKoI7ywCizDS1lwP4+OO06oLuAufvADZ10pYlUcOOEBK7VxdZb6SW2T6GT5s01NlAl8CHm2aeFsOaAz8XhXe1/ow8=
trusted comment: timestamp:1700000000\tfile:listing
dDv5GP4fuORDwUptuugH+fecOxlIrxFIxrTFVJ27f3sUj27r53ZKK8qKX99bvl75FPP/baX5OP8RPTVvcBIZAg==
",
    "RWSGlcusDFEKoJco55/w3K2CB/uHJ/QuGPVxYytNtkibdSpUOK33GgMN",
    b"listing of a package\n",
);

fn keys() -> (KeyPair, SecretKey) {
    let keys = KeyPair::generate(None).unwrap();
    let key = SecretKey::parse(Path::new("my.key"), keys.secret_text().as_bytes(), &|| Ok(None)).unwrap();
    (keys, key)
}

/// A signature of each kind, its key and its text.
fn signatures() -> [(String, PublicKey, &'static [u8]); 2] {
    let (keys, key) = keys();
    let signature = sign(TEXT, &key, COMMENT, UNTRUSTED_COMMENT).unwrap();
    [(signature, keys.public_key(), TEXT), (LEGACY.0.to_owned(), LEGACY.1.parse().unwrap(), LEGACY.2)]
}

fn whole(signature: &str, key: &PublicKey, text: &[u8]) -> Verified {
    verify(text, signature.as_bytes(), key).unwrap()
}

#[test]
fn every_truncation_but_that_of_the_last_line_break_fails() {
    for (signature, key, text) in signatures() {
        let expected = whole(&signature, &key, text);
        let held: Vec<usize> = (0..signature.len())
            .filter(|length| match verify(text, &signature.as_bytes()[..*length], &key) {
                Ok(verified) => {
                    assert_eq!(verified, expected);
                    true
                }
                Err(_) => false,
            })
            .collect();
        assert_eq!(held, [signature.len() - 1]);
    }
}

#[test]
fn every_flipped_bit_outside_the_untrusted_comment_fails() {
    for (signature, key, text) in signatures() {
        let expected = whole(&signature, &key, text);
        let untrusted = PREFIX.len()..PREFIX.len() + UNTRUSTED_COMMENT.len();
        let mut held = 0;
        for position in 0..signature.len() {
            for bit in 0..8 {
                let mut bytes = signature.clone().into_bytes();
                bytes[position] ^= 1 << bit;
                if let Ok(verified) = verify(text, &bytes, &key) {
                    assert_eq!(verified, expected);
                    assert!(untrusted.contains(&position), "byte {position}, bit {bit}");
                    assert_eq!(Signature::parse(&bytes), Signature::parse(signature.as_bytes()));
                    held += 1;
                }
            }
        }
        // All of the comment, but for the bit that makes it no text.
        assert_eq!(held, untrusted.len() * 7);
    }
}

#[test]
fn every_flipped_bit_of_the_text_fails() {
    for (signature, key, text) in signatures() {
        for position in 0..text.len() * 8 {
            let mut changed = text.to_vec();
            changed[position / 8] ^= 1 << (position % 8);
            assert!(verify(&changed, signature.as_bytes(), &key).is_err());
        }
    }
}

#[test]
fn damaged_secret_key_is_refused_or_the_same() {
    let (keys, key) = keys();
    let text = keys.secret_text().as_bytes();
    let same = |bytes: &[u8]| match SecretKey::parse(Path::new("my.key"), bytes, &|| Ok(None)) {
        Ok(read) => {
            assert_eq!(read.public_key(), key.public_key());
            assert_eq!(sign(TEXT, &read, "", ""), sign(TEXT, &key, "", ""));
            true
        }
        Err(_) => false,
    };
    assert_eq!((0..text.len()).filter(|length| same(&text[..*length])).count(), 1);
    for position in 0..text.len() * 8 {
        let mut bytes = text.to_vec();
        bytes[position / 8] ^= 1 << (position % 8);
        same(&bytes);
    }
}

/// Bytes, and the texts of this format with some bytes replaced.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let (keys, key) = keys();
    let texts = [
        keys.public_text(),
        keys.secret_text().to_owned(),
        sign(TEXT, &key, COMMENT, UNTRUSTED_COMMENT).unwrap(),
        LEGACY.0.to_owned(),
        format!("{PREFIX}\nRWRTY0Iy\n"),
        format!("{PREFIX}\nRUQ=\ntrusted comment: \n\n"),
    ];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    let changed = (prop::sample::select(texts.to_vec()), changes, any::<bool>()).prop_map(|(text, changes, cut)| {
        let mut bytes = text.into_bytes();
        for (index, byte) in changes {
            let position = index.index(bytes.len());
            bytes[position] = byte;
            if cut {
                bytes.truncate(position.max(1));
            }
        }
        bytes
    });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..400), changed]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in hostile()) {
        let file = Path::new("x");
        let _ = SecretKey::parse(file, &bytes, &|| Ok(None));
        if let Ok(key) = PublicKey::parse(file, &bytes) {
            prop_assert_eq!(&key, &PublicKey::parse(file, key.to_text().as_bytes()).unwrap());
            prop_assert_eq!(&key, &key.to_base64().parse().unwrap());
        }
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let _ = text.parse::<PublicKey>();
        }
        let key: PublicKey = LEGACY.1.parse().unwrap();
        if let Ok(signature) = Signature::parse(&bytes) {
            let _ = signature.verify(&bytes, &key);
        }
        // Over its own bytes nothing is signed.
        prop_assert!(verify(&bytes, &bytes, &key).is_err());
    }

    #[test]
    fn whatever_is_signed_verifies(
        text in prop::collection::vec(any::<u8>(), 0..2000),
        trusted in "[^\\p{Cc}]{0,200}",
        untrusted in "[^\\p{Cc}]{0,200}",
    ) {
        let (keys, key) = keys();
        let signature = sign(&text, &key, &trusted, &untrusted).unwrap();
        let verified = verify(&text, signature.as_bytes(), &keys.public_key()).unwrap();
        prop_assert_eq!(verified.trusted_comment, trusted);
        prop_assert_eq!(verified.key_id, keys.key_id());
    }
}
