//! No bytes make the readers of TAR.GZ panic, be they framed or not; what is read, flate2 and the `tar` crate read the
//! same.
#![no_main]

use flate2::read::MultiGzDecoder;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return;
    }
    let file = pdp_fuzz::file(bytes);
    if let Some(ours) = pdp_fuzz::read(file.path())
        && let Some(theirs) = pdp_fuzz::by_tar(MultiGzDecoder::new(bytes))
    {
        assert_eq!(ours, theirs);
    }
});
