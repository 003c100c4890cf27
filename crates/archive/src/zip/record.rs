//! The records of a ZIP file: bytes to types and back, no I/O.
//!
//! Section numbers are those of APPNOTE.TXT. All integers are little-endian.

/// 4.3.7 local file header.
pub(super) const LOCAL: u32 = 0x0403_4b50;
/// 4.3.9.3 data descriptor; the signature is optional.
pub(super) const DESCRIPTOR: u32 = 0x0807_4b50;
/// 4.3.12 central directory header.
pub(super) const CENTRAL: u32 = 0x0201_4b50;
/// 4.3.14 ZIP64 end of central directory record.
pub(super) const END64: u32 = 0x0606_4b50;
/// 4.3.15 ZIP64 end of central directory locator.
pub(super) const LOCATOR64: u32 = 0x0706_4b50;
/// 4.3.16 end of central directory record.
pub(super) const END: u32 = 0x0605_4b50;

/// Lengths of the records' fixed parts.
pub(super) const LOCAL_LEN: usize = 30;
pub(super) const CENTRAL_LEN: usize = 46;
pub(super) const END64_LEN: usize = 56;
pub(super) const LOCATOR64_LEN: usize = 20;
pub(super) const END_LEN: usize = 22;

/// 4.5.3 ZIP64 extended information.
pub(super) const EXTRA_ZIP64: u16 = 0x0001;
/// What members have that WinZip encrypted.
pub(super) const EXTRA_AES: u16 = 0x9901;
/// 4.6.9 Info-ZIP Unicode path.
pub(super) const EXTRA_UNICODE_PATH: u16 = 0x7075;

/// 4.4.4 general purpose flags.
pub(super) const FLAG_ENCRYPTED: u16 = 1;
pub(super) const FLAG_DESCRIPTOR: u16 = 1 << 3;
pub(super) const FLAG_PATCH: u16 = 1 << 5;
pub(super) const FLAG_STRONG_ENCRYPTION: u16 = 1 << 6;
pub(super) const FLAG_UTF8: u16 = 1 << 11;
pub(super) const FLAG_MASKED: u16 = 1 << 13;

/// 4.4.5 methods.
pub(super) const METHOD_STORE: u16 = 0;
pub(super) const METHOD_DEFLATE: u16 = 8;

/// Values that say "look into the ZIP64 extra field".
pub(super) const IN_ZIP64_16: u16 = u16::MAX;
pub(super) const IN_ZIP64_32: u32 = u32::MAX;

/// 4.4.3 version needed: 2.0 for Deflate and directories, 4.5 for ZIP64.
pub(super) const VERSION_DEFLATE: u16 = 20;
pub(super) const VERSION_ZIP64: u16 = 45;
/// The highest version that stored and deflated members have any use for; other readers pass over what needs more.
pub(super) const NEEDED_MAX: u16 = VERSION_ZIP64;
/// 4.4.2 made by: Unix (3), specification 4.5.
pub(super) const MADE_BY: u16 = (3 << 8) | VERSION_ZIP64;

/// Attributes of DOS (4.4.15).
pub(super) const DOS_VOLUME: u32 = 8;
pub(super) const DOS_DIRECTORY: u32 = 16;

/// Takes little-endian fields from the front of a slice; `None` when it is too short.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

/// A date and time as MS-DOS keeps them (4.4.6): two-second steps, 1980 to 2107.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DosTime {
    pub(super) time: u16,
    pub(super) date: u16,
}

impl DosTime {
    /// The nearest such time, in UTC.
    pub(super) fn of(instant: chrono::DateTime<chrono::Utc>) -> Self {
        use chrono::{Datelike as _, Timelike as _};
        let small = |value: u32| u16::try_from(value).unwrap_or(0);
        match u16::try_from(instant.year()) {
            Ok(year @ 1980..=2107) => Self {
                time: (small(instant.hour()) << 11) | (small(instant.minute()) << 5) | small(instant.second() / 2),
                date: ((year - 1980) << 9) | (small(instant.month()) << 5) | small(instant.day()),
            },
            Ok(2108..) => Self { time: 0xbf7d, date: 0xff9f },
            _ => Self { time: 0, date: 0x21 },
        }
    }
}

/// What both headers of a member say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header<'a> {
    pub(super) name: &'a str,
    pub(super) method: u16,
    pub(super) time: DosTime,
    pub(super) crc32: u32,
    pub(super) stored_size: u64,
    pub(super) size: u64,
    /// Whether the local header keeps the sizes in a ZIP64 extra field.
    pub(super) wide: bool,
}

fn low32(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(IN_ZIP64_32)
}

fn fits32(value: u64) -> bool {
    value < u64::from(IN_ZIP64_32)
}

impl Header<'_> {
    fn name_len(&self) -> u16 {
        // A PackagePath has at most 4096 bytes.
        u16::try_from(self.name.len()).unwrap_or(u16::MAX)
    }

    fn common(&self, out: &mut Vec<u8>, version: u16, sizes: (u32, u32)) {
        out.extend_from_slice(&version.to_le_bytes());
        out.extend_from_slice(&FLAG_UTF8.to_le_bytes());
        out.extend_from_slice(&self.method.to_le_bytes());
        out.extend_from_slice(&self.time.time.to_le_bytes());
        out.extend_from_slice(&self.time.date.to_le_bytes());
        out.extend_from_slice(&self.crc32.to_le_bytes());
        out.extend_from_slice(&sizes.0.to_le_bytes());
        out.extend_from_slice(&sizes.1.to_le_bytes());
        out.extend_from_slice(&self.name_len().to_le_bytes());
    }

    /// 4.3.7: the local header, whose length does not depend on the sizes.
    pub(super) fn local(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(LOCAL_LEN + self.name.len() + 20);
        out.extend_from_slice(&LOCAL.to_le_bytes());
        let (version, sizes) = if self.wide {
            (VERSION_ZIP64, (IN_ZIP64_32, IN_ZIP64_32))
        } else {
            (VERSION_DEFLATE, (low32(self.stored_size), low32(self.size)))
        };
        self.common(&mut out, version, sizes);
        let extra_len: u16 = if self.wide { 20 } else { 0 };
        out.extend_from_slice(&extra_len.to_le_bytes());
        out.extend_from_slice(self.name.as_bytes());
        if self.wide {
            out.extend_from_slice(&EXTRA_ZIP64.to_le_bytes());
            out.extend_from_slice(&16_u16.to_le_bytes());
            out.extend_from_slice(&self.size.to_le_bytes());
            out.extend_from_slice(&self.stored_size.to_le_bytes());
        }
        out
    }

    /// 4.3.12: the central header of a member whose local header stands at `offset`.
    pub(super) fn central(&self, offset: u64, out: &mut Vec<u8>) {
        let mut extra = Vec::new();
        for value in [self.size, self.stored_size, offset] {
            if !fits32(value) {
                extra.extend_from_slice(&value.to_le_bytes());
            }
        }
        let wide = self.wide || !extra.is_empty();
        out.extend_from_slice(&CENTRAL.to_le_bytes());
        out.extend_from_slice(&MADE_BY.to_le_bytes());
        let version = if wide { VERSION_ZIP64 } else { VERSION_DEFLATE };
        self.common(out, version, (low32(self.stored_size), low32(self.size)));
        let extra_len = if extra.is_empty() { 0 } else { extra.len() + 4 };
        out.extend_from_slice(&u16::try_from(extra_len).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(&[0; 2 + 2 + 2]); // comment length, disk, internal attributes
        out.extend_from_slice(&(0o100_644_u32 << 16).to_le_bytes());
        out.extend_from_slice(&low32(offset).to_le_bytes());
        out.extend_from_slice(self.name.as_bytes());
        if !extra.is_empty() {
            out.extend_from_slice(&EXTRA_ZIP64.to_le_bytes());
            out.extend_from_slice(&u16::try_from(extra.len()).unwrap_or(0).to_le_bytes());
            out.extend_from_slice(&extra);
        }
    }
}

/// 4.3.14 to 4.3.16: everything behind the central directory.
pub(super) fn end_records(count: u64, directory_offset: u64, directory_size: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(END64_LEN + LOCATOR64_LEN + END_LEN);
    let narrow_count = u16::try_from(count).ok().filter(|&n| n != IN_ZIP64_16);
    if narrow_count.is_none() || !fits32(directory_offset) || !fits32(directory_size) {
        out.extend_from_slice(&END64.to_le_bytes());
        out.extend_from_slice(&44_u64.to_le_bytes());
        out.extend_from_slice(&MADE_BY.to_le_bytes());
        out.extend_from_slice(&VERSION_ZIP64.to_le_bytes());
        out.extend_from_slice(&[0; 8]); // this disk, disk of the directory
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&directory_size.to_le_bytes());
        out.extend_from_slice(&directory_offset.to_le_bytes());
        out.extend_from_slice(&LOCATOR64.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&(directory_offset.saturating_add(directory_size)).to_le_bytes());
        out.extend_from_slice(&1_u32.to_le_bytes());
    }
    out.extend_from_slice(&END.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    let count = narrow_count.unwrap_or(IN_ZIP64_16).to_le_bytes();
    out.extend_from_slice(&count);
    out.extend_from_slice(&count);
    out.extend_from_slice(&low32(directory_size).to_le_bytes());
    out.extend_from_slice(&low32(directory_offset).to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dos_times() {
        let at = |text: &str| DosTime::of(pdp_manifest::time::parse(text).unwrap());
        assert_eq!(at("1980-01-01"), DosTime { time: 0, date: 0x21 });
        assert_eq!(at("1970-01-01"), DosTime { time: 0, date: 0x21 });
        assert_eq!(at("2107-12-31T23:59:58"), DosTime { time: 0xbf7d, date: 0xff9f });
        assert_eq!(at("2500-01-01"), at("2107-12-31T23:59:59"));
        assert_eq!(at("2024-01-03T12:00:00"), DosTime { time: 12 << 11, date: (44 << 9) | (1 << 5) | 3 });
    }

    #[test]
    fn sizes_go_to_zip64_at_the_border() {
        for (size, extra) in [(0xffff_fffe_u64, 0), (0xffff_ffff, 20), (0x1_0000_0000, 20)] {
            let header = Header {
                name: "a",
                method: 0,
                time: DosTime { time: 0, date: 0x21 },
                crc32: 0,
                stored_size: size,
                size,
                wide: false,
            };
            let mut out = Vec::new();
            header.central(0, &mut out);
            assert_eq!(out.len(), CENTRAL_LEN + 1 + extra, "{size:x}");
        }
        assert_eq!(end_records(65_534, 0, 0).len(), END_LEN);
        assert_eq!(end_records(65_535, 0, 0).len(), END64_LEN + LOCATOR64_LEN + END_LEN);
        assert_eq!(end_records(1, 1 << 32, 0).len(), END64_LEN + LOCATOR64_LEN + END_LEN);
    }
}
