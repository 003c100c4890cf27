//! What repair makes of stores whose metadata is damaged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod common;

use common::{Rows, bars, in_memory, options, rows, write};
use fxd::store::{Store, WriteOptions};
use fxd::{Bar, FxdError};

/// Repair takes what is whole of the metadata, says what it cannot vouch for, and makes nothing up.
#[test]
fn repair_takes_names_scales_and_dictionary_from_whatever_is_whole() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    let series: Rows = [("AAA".into(), bars(0, 600)), ("BBB".into(), bars(1, 600))].into();
    let options = WriteOptions {
        info: fxd::Info { price_scale: fxd::Scale::new(3).unwrap(), ..fxd::Info::default() },
        ..options(20)
    };
    let training: Vec<Vec<Bar>> = (0..9).map(|day| bars(day, 900)).collect();
    let dictionary = fxd::store::train(&training, &options).unwrap();
    write(&path, &WriteOptions { dictionary: Some(dictionary), ..options.clone() }, &series);
    let whole = std::fs::read(&path).unwrap();
    let at = |tag: &[u8; 4]| whole.windows(4).rposition(|found| found == tag).unwrap();
    let repaired = |flip: usize, scales| {
        let mut file = whole.clone();
        file[flip] ^= 1;
        std::fs::write(&path, &file).unwrap();
        fxd::store::repair(&path, Some(&home.path().join(format!("{flip}.fxd"))), scales, &options)
            .map(|report| (rows(&Store::open(home.path().join(format!("{flip}.fxd"))).unwrap()).unwrap(), report.notes))
    };
    // In CMIT, SIDX and END, of which nothing is needed.
    for flip in [at(b"CMIT") + 20, at(b"SIDX") + 40, at(b"END ") + 30] {
        let (found, notes) = repaired(flip, None).unwrap();
        assert_eq!(found, series, "{flip}: {notes:?}");
    }
    // In a name: it is taken, and said to be doubtful.
    let (found, notes) = repaired(64 + 8, None).unwrap();
    assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), ["@AA", "BBB"]);
    assert!(notes.iter().any(|note| note.contains("may be wrong: @AA, BBB")), "{notes:?}");
    // In what says the scales: no price is guessed.
    let error = repaired(at(b"INFO") + 30, None).unwrap_err().to_string();
    assert!(error.contains("decimals of prices and volumes is lost"), "{error}");
    let (found, _) = repaired(at(b"INFO") + 30, Some((options.info.price_scale, fxd::Scale::VOLUME))).unwrap();
    assert_eq!(found, series);
    // Of a store with series, too, whatever of header, END and INFO is lost.
    let rolled = common::of_version(fxd::Version::Rollups, common::options(50));
    let path_4 = home.path().join("rolled.fxd");
    write(&path_4, &rolled, &series);
    let whole_4 = std::fs::read(&path_4).unwrap();
    let at_4 = |tag: &[u8; 4]| whole_4.windows(4).rposition(|found| found == tag).unwrap();
    for (what, flips, version, note) in [
        ("header and END", vec![3, at_4(b"END ") + 20], 4, ""),
        ("INFO", vec![at_4(b"INFO") + 30], 3, "their series are left out"),
        ("header and INFO", vec![3, at_4(b"INFO") + 30], 3, "their series are left out"),
        ("header", vec![13], 4, ""),
    ] {
        let mut file = whole_4.clone();
        flips.into_iter().for_each(|at| file[at] ^= 1);
        std::fs::write(&path_4, &file).unwrap();
        let out = home.path().join(format!("{what}.fxd"));
        let scales = Some((fxd::Scale::PRICE, fxd::Scale::VOLUME));
        let report = fxd::store::repair(&path_4, Some(&out), scales, &options).unwrap();
        let store = Store::open(&out).unwrap();
        assert_eq!((rows(&store).unwrap(), store.header().version), (series.clone(), version), "{what}");
        assert!(report.notes.iter().any(|found| found.contains(note)) || note.is_empty(), "{what}: {:?}", report.notes);
        assert!(!report.notes.iter().any(|found| found.contains("are here")), "{what}: {:?}", report.notes);
    }
    // A store of a newer release is not damaged.
    let mut newer = whole.clone();
    for header in [0, at(b"END ") + 16] {
        newer[header + 8] = 9;
    }
    std::fs::write(&path, &newer).unwrap();
    let error = fxd::store::repair(&path, None, None, &options).unwrap_err();
    assert!(matches!(error, FxdError::UnsupportedVersion { version: 9, .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), newer);
}
