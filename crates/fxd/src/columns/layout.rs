//! What a coded block begins with: how its values were taken apart, how each stream is coded, and where each page is.

use super::bits::{Reader, put_number, unzigzag, zigzag};
use super::huffman::Code;
use super::token::extra_bits;

/// Rows that are decoded at a time, and that share a choice among codes.
pub(super) const GROUP: usize = 64;
/// The most rows of a page.
pub(super) const MAX_PAGE: usize = 1 << 16;

/// The parts that bars are taken into, in the order in which they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Intervals from the bar before, less one; 0 for the first of a page.
    Gap,
    /// The close, from the close before; zigzag.
    Close,
    /// The open, from the close before; zigzag.
    Open,
    /// The high, above the higher of open and close; zigzag where one is not.
    High,
    /// The low, below the lower of open and close; zigzag where one is not.
    Low,
    /// The volume.
    Volume,
    /// The flags.
    Flags,
    /// What is left of prices and volumes that are not multiples of their unit.
    OpenRest,
    HighRest,
    LowRest,
    CloseRest,
    VolumeRest,
}

/// How many there are.
pub(super) const PARTS: usize = 12;

impl Part {
    /// All of them in their order.
    pub(super) const ALL: [Self; PARTS] = [
        Self::Gap,
        Self::Close,
        Self::Open,
        Self::High,
        Self::Low,
        Self::Volume,
        Self::Flags,
        Self::OpenRest,
        Self::HighRest,
        Self::LowRest,
        Self::CloseRest,
        Self::VolumeRest,
    ];

    pub(super) const fn position(self) -> usize {
        self as usize
    }
}

/// How a stream is coded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Coding {
    /// Every value is this one.
    Constant(u64),
    /// A token for each value, of one, two or four codes, of which each group of rows chooses one. `extra`: tokens occur that
    /// more bits follow.
    Tokens { codes: Vec<Code>, extra: bool },
    /// Most values are `usual`; of the others, the place and the value. With `codes` these are tokens of the first and the second
    /// code, else numbers.
    Sparse { usual: u64, codes: Option<Box<(Code, Code)>> },
}

const CONSTANT: u8 = 0;
const EXTRA: u8 = 0x10;
const SPARSE: u8 = 8;
const SPARSE_TOKENS: u8 = 9;

impl Coding {
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Constant(value) => {
                bytes.push(CONSTANT);
                put_number(bytes, *value);
            }
            Self::Tokens { codes, extra } => {
                bytes.push(codes.len().to_le_bytes()[0] | if *extra { EXTRA } else { 0 });
                for code in codes {
                    code.write(bytes);
                }
            }
            Self::Sparse { usual, codes } => {
                bytes.push(if codes.is_some() { SPARSE_TOKENS } else { SPARSE });
                put_number(bytes, *usual);
                if let Some(codes) = codes {
                    codes.0.write(bytes);
                    codes.1.write(bytes);
                }
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(match reader.byte()? {
            CONSTANT => Self::Constant(reader.number()?),
            SPARSE => Self::Sparse { usual: reader.number()?, codes: None },
            SPARSE_TOKENS => {
                let usual = reader.number()?;
                let (places, values) = (Code::read(reader)?, Code::read(reader)?);
                Self::Sparse { usual, codes: Some(Box::new((places, values))) }
            }
            kind if matches!(kind & !EXTRA, 1 | 2 | 4) => {
                let codes = (0..kind & !EXTRA).map(|_| Code::read(reader)).collect::<Option<Vec<_>>>()?;
                let extra = kind & EXTRA != 0;
                let stray = (0..=u8::MAX)
                    .any(|token| extra_bits(token) > 0 && codes.iter().any(|code| code.length(token).is_some()));
                if stray && !extra {
                    return None;
                }
                Self::Tokens { codes, extra }
            }
            _ => return None,
        })
    }

    /// How many byte strings a page has of the stream.
    pub(super) const fn strings(&self) -> usize {
        match self {
            Self::Constant(_) => 0,
            Self::Tokens { extra: false, .. } | Self::Sparse { .. } => 1,
            Self::Tokens { extra: true, .. } => 2,
        }
    }

    /// How many bits the choice of a code takes.
    pub(super) const fn choice_bits(codes: usize) -> u32 {
        codes.trailing_zeros()
    }
}

/// How a block's values were taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// How many bars there are.
    pub(super) rows: usize,
    /// Rows of each page but the last.
    pub(super) page_rows: usize,
    /// The first bar.
    pub(super) first_ts: u64,
    /// What all distances between bars are multiples of.
    pub(super) interval: u64,
    /// What most prices are multiples of.
    pub(super) price_unit: u64,
    /// What most volumes are multiples of.
    pub(super) volume_unit: u64,
    /// Whether highs and lows are zigzag.
    pub(super) signed: [bool; 2],
    /// How each part is coded.
    pub(super) codings: Vec<Coding>,
}

/// Where a page starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Its first bar.
    pub(super) first_ts: u64,
    /// The close before it, in units.
    pub(super) base: i64,
    /// The lengths of its byte strings.
    pub(super) lengths: Vec<usize>,
    /// The first of them, in the block's bytes.
    pub(super) at: usize,
}

impl Head {
    pub(super) const fn pages(&self) -> usize {
        self.rows.div_ceil(self.page_rows)
    }

    /// Rows of a page.
    pub(super) fn rows_of(&self, page: usize) -> usize {
        self.rows.saturating_sub(page.saturating_mul(self.page_rows)).min(self.page_rows)
    }

    fn strings(&self) -> usize {
        self.codings.iter().map(Coding::strings).sum()
    }

    pub(super) fn write(&self, pages: &[Page], bytes: &mut Vec<u8>) {
        for number in [self.rows as u64, (self.page_rows / GROUP) as u64, self.first_ts, self.interval] {
            put_number(bytes, number);
        }
        put_number(bytes, self.price_unit);
        put_number(bytes, self.volume_unit);
        let [high, low] = self.signed;
        bytes.push(u8::from(high) | u8::from(low) << 1);
        for coding in &self.codings {
            coding.write(bytes);
        }
        let (mut ts, mut base) = (self.first_ts, 0_i64);
        for page in pages {
            put_number(bytes, page.first_ts.wrapping_sub(ts) / self.interval);
            put_number(bytes, zigzag(page.base.wrapping_sub(base)));
            (ts, base) = (page.first_ts, page.base);
            for length in &page.lengths {
                put_number(bytes, *length as u64);
            }
        }
    }

    /// Reads what [`write`](Self::write) writes; the pages take what is left of the bytes exactly. The error says what is wrong.
    pub(super) fn read(bytes: &[u8], most_rows: usize) -> Result<(Self, Vec<Page>), &'static str> {
        const CUT: &str = "the head of coded columns is cut off";
        let mut reader = Reader::new(bytes);
        let mut number = || reader.number().ok_or(CUT);
        let rows = usize::try_from(number()?).ok().filter(|rows| (1..=most_rows).contains(rows));
        let rows = rows.ok_or("coded columns have no rows, or too many")?;
        let page_rows = usize::try_from(number()?).ok().and_then(|groups| groups.checked_mul(GROUP));
        let page_rows = page_rows.filter(|rows| (GROUP..=MAX_PAGE).contains(rows)).ok_or("pages of no size")?;
        let (first_ts, interval, price_unit, volume_unit) = (number()?, number()?, number()?, number()?);
        if interval == 0 || price_unit == 0 || volume_unit == 0 || i64::try_from(price_unit).is_err() {
            return Err("a unit of coded columns is zero, or too large");
        }
        let modes = reader.byte().ok_or(CUT)?;
        if modes > 3 {
            return Err("coded columns have modes that are not known");
        }
        let codings = (0..PARTS).map(|_| Coding::read(&mut reader)).collect::<Option<Vec<_>>>();
        let codings = codings.ok_or("a stream of coded columns has a coding that is none")?;
        let signed = [modes & 1 != 0, modes & 2 != 0];
        let head = Self { rows, page_rows, first_ts, interval, price_unit, volume_unit, signed, codings };
        let (mut ts, mut base) = (first_ts, 0_i64);
        let strings = head.strings();
        let mut pages = Vec::with_capacity(head.pages());
        for page in 0..head.pages() {
            let mut number = || reader.number().ok_or(CUT);
            let gap = number()?;
            if (gap == 0) != (page == 0) {
                return Err("a page of coded columns does not come after the one before it");
            }
            let next = gap.checked_mul(interval).and_then(|gap| ts.checked_add(gap));
            ts = next.ok_or("a page of coded columns is later than time")?;
            base = base.wrapping_add(unzigzag(number()?));
            let mut lengths = Vec::with_capacity(strings);
            for _ in 0..strings {
                lengths.push(usize::try_from(number()?).map_err(|_| CUT)?);
            }
            pages.push(Page { first_ts: ts, base, lengths, at: 0 });
        }
        let mut at = reader.at();
        for page in &mut pages {
            page.at = at;
            let len = page.lengths.iter().try_fold(0_usize, |sum, length| sum.checked_add(*length));
            at = len.and_then(|len| at.checked_add(len)).ok_or("a page of coded columns has no end")?;
        }
        if at != bytes.len() {
            return Err("pages of coded columns do not end where the block does");
        }
        Ok((head, pages))
    }
}
