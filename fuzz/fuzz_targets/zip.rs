//! No bytes make the ZIP reader panic, or give other bytes than they declare; what it reads, the `zip` crate reads the
//! same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if !bytes.starts_with(b"PK") {
        return;
    }
    let file = pdp_fuzz::file(bytes);
    if let Some(ours) = pdp_fuzz::read(file.path()) {
        let theirs = pdp_fuzz::by_zip(bytes).expect("what is read here is read elsewhere");
        assert_eq!(ours, theirs);
    }
});
