//! No bytes make the decoder of columns panic, or answer bars that are not in order, not of the time asked for, or other ones when a
//! part is asked for than when all are. What it decodes is encoded and decoded to the same.
#![no_main]

use fxd::Bar;
use fxd::columns::{Coded, Columns, Scratch, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(coded) = Coded::read(bytes, 10_000) else { return };
    let mut scratch = Scratch::default();
    let mut all = Columns::default();
    let whole = coded.decode(&(0..u64::MAX), &mut scratch, &mut all);
    assert!(all.ts().is_sorted_by(|a, b| a < b), "bars out of order");
    let (Some(first), Some(last)) = (all.ts().first(), all.ts().last()) else { return };
    let range = first + (last - first) / 3..last - (last - first) / 3;
    let mut part = Columns::default();
    if coded.decode(&range, &mut scratch, &mut part).is_ok() && whole.is_ok() {
        assert!(part.iter().eq(all.iter().filter(|bar| range.contains(&bar.ts))), "a part is not of the whole");
    }
    if whole.is_ok() {
        let bars: Vec<Bar> = all.iter().collect();
        let again = encode(&bars, 64);
        let mut found = Columns::default();
        Coded::read(&again, bars.len())
            .and_then(|coded| coded.decode(&(0..u64::MAX), &mut scratch, &mut found))
            .expect("what was encoded");
        assert!(found == all, "other bars than were encoded");
    }
});
