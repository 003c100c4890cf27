//! No bytes make the manifest's reader panic; what it reads, it writes and reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut manifest) = pdp_manifest::json::parse(bytes) {
        let text = pdp_manifest::ManifestText::new(&manifest).render(7);
        manifest.package_size_bytes = Some(7);
        assert!(pdp_manifest::json::parse(&text).is_ok_and(|again| again == manifest));
    }
});
