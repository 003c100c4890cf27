//! Signatures and keys from any bytes: refused or read, and read again the same when written.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let file = Path::new("x");
    // Without a password: one may cost a gigabyte.
    let _ = pdp_sign::SecretKey::parse(file, data, &|| Ok(None));
    if let Ok(key) = pdp_sign::PublicKey::parse(file, data) {
        assert_eq!(key.to_base64().parse(), Ok(key));
    }
    if let Ok(signature) = pdp_sign::Signature::parse(data)
        && let Ok(key) = "RWSGlcusDFEKoJco55/w3K2CB/uHJ/QuGPVxYytNtkibdSpUOK33GgMN".parse()
    {
        assert!(signature.verify(data, &key).is_err());
    }
});
