//! Minisign-compatible detached signatures over the listing of a package.
//!
//! What is signed is one text, small enough to be held in memory; what comes out is the text of a `.minisig` file. Keys and
//! signatures are those of [minisign](https://jedisct1.github.io/minisign/): either program reads what the other wrote.
//!
//! - [`KeyPair`] makes keys, with or without a password.
//! - [`SecretKey`] reads one and [`sign`]s. Signing is deterministic: the same key, text and comments give the same bytes.
//! - [`PublicKey`] reads the other half, and [`verify`] holds a text and a signature against it. A [`VerifyError`] tells a
//!   file that is no signature from one by another key, a changed text and a changed comment.
//!
//! It knows text, keys and the files they lie in. It does not know what the text means, has no clock and never asks for a
//! password itself: the caller passes all three.
//!
//! ```
//! use pdp_sign::{KeyPair, VerifyError};
//!
//! let keys = KeyPair::generate(None)?;
//! let key = pdp_sign::SecretKey::parse("the key".as_ref(), keys.secret_text().as_bytes(), &|| Ok(None))?;
//! let signature = pdp_sign::sign(b"a listing\n", &key, "timestamp:0\tfile:listing\thashed", pdp_sign::UNTRUSTED_COMMENT)?;
//!
//! let verified = pdp_sign::verify(b"a listing\n", signature.as_bytes(), &keys.public_key())?;
//! assert_eq!(verified.trusted_comment, "timestamp:0\tfile:listing\thashed");
//! let changed = pdp_sign::verify(b"another\n", signature.as_bytes(), &keys.public_key());
//! assert!(matches!(changed, Err(VerifyError::Changed { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod derivation;
mod error;
mod key_id;
mod key_pair;
mod public_key;
mod secret_key;
mod signature;
mod wire;

pub use derivation::DerivationError;
pub use error::{CommentError, FormatError, GenerateError, KeyError, VerifyError};
pub use key_id::KeyId;
pub use key_pair::KeyPair;
pub use public_key::PublicKey;
pub use secret_key::{AskPassword, SecretKey};
pub use signature::{Signature, UNTRUSTED_COMMENT, Verified, sign, verify};
pub use wire::{KEY_LIMIT, SIGNATURE_LIMIT};
