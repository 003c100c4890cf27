//! No bytes make the ZIP reader panic, or give more than they declare.
#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use pdp_archive::Limits;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return };
    if file.write_all(bytes).is_err() {
        return;
    }
    let Ok(reader) = pdp_archive::open(file.path(), &Limits::default()) else { return };
    let _ = reader.visit(&|_| true, &|info, body| {
        let mut given = 0_u64;
        let mut block = [0; 4096];
        while let Ok(n) = body.read(&mut block) {
            if n == 0 {
                break;
            }
            given += n as u64;
        }
        assert!(given <= info.size);
        Ok(())
    });
});
