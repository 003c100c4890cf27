//! Packages of every version of the format that was ever written are read for ever.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;

use pdp_packager::{ImportOptions, Silent, ValidateOptions, import, list, validate};

#[test]
fn package_1_0_0() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/frozen/package-1.0.0.zip");
    let report = validate(&path, &ValidateOptions::default(), &Silent).unwrap();
    assert!(report.valid && report.checks.sidecar, "{:?}", report.findings);
    let listed = list(&path).unwrap();
    assert_eq!((listed.total_files, listed.total_events), (6, 1070));
    assert_eq!(listed.package_id.as_str(), "869e824f0ce0d437b57f269076035384");
    let home = tempfile::tempdir().unwrap();
    let imported = import(&ImportOptions::new(&path, home.path().join("there")), &Silent).unwrap();
    assert_eq!(imported.added, report.checks.structure);
}
