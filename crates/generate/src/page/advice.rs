//! What a recipient can do about a finding.

use pdp_manifest::Check;

/// One sentence for whoever is to use the data.
pub(super) const fn advice(check: Check) -> &'static str {
    match check {
        Check::Damaged => "What lies behind the damage is lost: ask the maker for the file, or leave it out.",
        Check::Empty => "There is nothing in it: treat its day as missing.",
        Check::TornLastLine => "The collector was stopped in the middle of a line: the rest of its day is missing.",
        Check::Unparsable => "Readers must skip or repair these lines; what they held is not in any count here.",
        Check::Duplicate => "Remove them before volumes or counts are added up.",
        Check::OutOfOrder => "Sort by time, then sequence, before anything that goes by order.",
        Check::SequenceGap => "Records were lost there: volumes and books are not whole across these places.",
        Check::SequenceRepeat => "Decide which of the records counts, or treat both as real; sequence alone is no key.",
        Check::NegativePrice => "Right for spreads and some futures, wrong for shares: look before they are dropped.",
        Check::ZeroPrice => "Usually no price at all: leave them out of averages and returns.",
        Check::NegativeSize => "Leave them out of volumes, or ask the source what the sign means.",
        Check::CrossedQuote => "Common for moments in fast markets; leave them out of spreads and middle prices.",
        Check::InconsistentBar => "The bar contradicts itself: leave it out or build it anew from trades.",
        Check::Outlier => "Look at them before returns or volatility are computed; some are real.",
    }
}
