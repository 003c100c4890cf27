//! The strict rules of a tar, for bytes that come when they come.

use std::io;

use super::entry::{self, DIRECTORY, Entry, GNU_LONG_NAME, LONG_NAME_MAX, TRAILING_MAX};
use super::gzip::invalid;
use super::header::{self, Header, PAX, REGULAR};
use super::{BLOCK, padding, pax};

/// Looks at every byte of a tar that another reads, and refuses what [`StreamedTarReader`](super::StreamedTarReader)
/// refuses.
///
/// It is for readers that have no file, or that leave reading to another library: the bytes are shown to it in order, in
/// pieces of any length, and whoever reads them asks it what the entry really is.
#[derive(Debug)]
pub struct TarCheck {
    state: State,
    /// The block or the small content that is being gathered.
    gathered: Vec<u8>,
    records: Option<pax::Records>,
    long_name: Option<Vec<u8>>,
    found: Option<Entry>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Gathering a header.
    Header,
    /// Gathering what speaks of the next entry: its kind and length.
    Extension(u8, usize),
    /// Content that is still to come, and the zeros behind it.
    Content(u64, usize),
    /// Zeros behind content.
    Padding(usize),
    /// Gathering the second block of the end.
    End,
    /// Zeros behind the end, and how many have come.
    Behind(u64),
}

impl Default for TarCheck {
    fn default() -> Self {
        Self::new()
    }
}

impl TarCheck {
    /// Before the first byte.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: State::Header, gathered: Vec::new(), records: None, long_name: None, found: None }
    }

    /// Looks at the next bytes.
    ///
    /// # Errors
    /// What is wrong; nothing that comes afterwards means anything.
    pub fn push(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Header => self.gather(bytes, BLOCK, Self::header)?,
                State::Extension(_, len) => self.gather(bytes, len, Self::extension)?,
                State::End => self.gather(bytes, BLOCK, Self::end)?,
                State::Content(left, padding) => {
                    let most = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    self.after_content(left.saturating_sub(most as u64), padding);
                    bytes.get(most..).unwrap_or_default()
                }
                State::Padding(left) => {
                    let (zeros, rest) = bytes.split_at(left.min(bytes.len()));
                    if !zeros.iter().all(|byte| *byte == 0) {
                        return Err(invalid("there are bytes in the padding behind an entry".to_owned()));
                    }
                    self.after_content(0, left - zeros.len());
                    rest
                }
                State::Behind(count) => {
                    let count = count.saturating_add(bytes.len() as u64);
                    if count > TRAILING_MAX || !bytes.iter().all(|byte| *byte == 0) {
                        return Err(invalid("the archive goes on behind the end of its tar".to_owned()));
                    }
                    self.state = State::Behind(count);
                    &[]
                }
            };
        }
        Ok(())
    }

    /// The entry whose header was complete with the last bytes; told once.
    pub fn take_entry(&mut self) -> Option<Entry> {
        self.found.take()
    }

    /// Whether everything up to the end of the tar has come.
    ///
    /// # Errors
    /// It is cut short.
    pub fn finish(&self) -> io::Result<()> {
        match self.state {
            State::Behind(_) => Ok(()),
            _ => Err(invalid("the tar is cut short".to_owned())),
        }
    }

    fn after_content(&mut self, left: u64, padding: usize) {
        self.state = match (left, padding) {
            (0, 0) => State::Header,
            (0, padding) => State::Padding(padding),
            (left, padding) => State::Content(left, padding),
        };
    }

    /// Gathers up to `len` bytes and hands them to `then`; what is left over of `bytes`.
    fn gather<'b>(
        &mut self,
        bytes: &'b [u8],
        len: usize,
        then: impl FnOnce(&mut Self, &[u8]) -> io::Result<()>,
    ) -> io::Result<&'b [u8]> {
        let (now, rest) = bytes.split_at(len.saturating_sub(self.gathered.len()).min(bytes.len()));
        self.gathered.extend_from_slice(now);
        if self.gathered.len() == len {
            let gathered = std::mem::take(&mut self.gathered);
            then(self, &gathered)?;
        }
        Ok(rest)
    }

    fn header(&mut self, block: &[u8]) -> io::Result<()> {
        let block: &[u8; BLOCK] = block.try_into().map_err(|_| invalid("a header is cut short".to_owned()))?;
        if *block == [0; BLOCK] {
            if self.records.is_some() || self.long_name.is_some() {
                return Err(invalid("the tar ends behind a header that speaks of a next entry".to_owned()));
            }
            self.state = State::End;
            return Ok(());
        }
        let header = header::parse(block).map_err(|reason| invalid(format!("a tar header: {reason}")))?;
        let first = self.records.is_none() && self.long_name.is_none();
        match header.kind {
            PAX if first => self.begin_extension(&header, pax::MAX, "PAX records"),
            GNU_LONG_NAME if first => self.begin_extension(&header, LONG_NAME_MAX, "a name"),
            REGULAR | DIRECTORY => {
                let (entry, size) = entry::resolve(header, self.records.take(), self.long_name.take())?;
                self.found = Some(entry);
                self.after_content(size, padding(size));
                Ok(())
            }
            _ => Err(entry::refused(&header)),
        }
    }

    fn begin_extension(&mut self, header: &Header, most: u64, what: &str) -> io::Result<()> {
        if header.size > most {
            return Err(invalid(format!("{what} of {} bytes, over the limit of {most}", header.size)));
        }
        match usize::try_from(header.size).unwrap_or(0) {
            0 => self.speaks(header.kind, &[]),
            len => {
                self.state = State::Extension(header.kind, len);
                Ok(())
            }
        }
    }

    fn extension(&mut self, content: &[u8]) -> io::Result<()> {
        let State::Extension(kind, _) = self.state else { return Ok(()) };
        self.speaks(kind, content)
    }

    fn speaks(&mut self, kind: u8, content: &[u8]) -> io::Result<()> {
        match kind {
            PAX => self.records = Some(pax::parse(content).map_err(invalid)?),
            _ => self.long_name = Some(entry::long_name(content.to_vec())?),
        }
        self.after_content(0, padding(content.len() as u64));
        Ok(())
    }

    fn end(&mut self, block: &[u8]) -> io::Result<()> {
        if !block.iter().all(|byte| *byte == 0) {
            return Err(invalid("one block of zeros in the middle of the tar".to_owned()));
        }
        self.state = State::Behind(0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tar::entry_head;

    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, content) in files {
            out.extend(entry_head(&name.parse().unwrap(), content.len() as u64, 7));
            out.extend_from_slice(content);
            out.resize(out.len() + padding(content.len() as u64), 0);
        }
        out.resize(out.len() + 2 * BLOCK, 0);
        out
    }

    fn entries(bytes: &[u8], piece: usize) -> io::Result<Vec<Entry>> {
        let mut check = TarCheck::new();
        let mut found = Vec::new();
        for piece in bytes.chunks(piece) {
            check.push(piece)?;
            found.extend(check.take_entry());
        }
        check.finish()?;
        Ok(found)
    }

    #[test]
    fn pieces_of_any_length_give_the_same() {
        let long = format!("data/{}", "\u{e9}".repeat(60));
        let bytes = tar(&[("manifest.json", b"{}"), (&long, &[1; 513]), ("data/empty", b""), ("data/b", &[2; 512])]);
        let expected = entries(&bytes, BLOCK).unwrap();
        assert_eq!(expected.len(), 4);
        assert_eq!(expected[1], Entry::File { name: long, size: 513 });
        for piece in [1, 2, 3, 100, 511] {
            assert_eq!(entries(&bytes, piece).unwrap(), expected, "{piece}");
        }
    }

    #[test]
    fn every_cut_and_every_bit_outside_of_content_is_seen() {
        let bytes = tar(&[("manifest.json", b"{}"), ("data/x", &[1; 5])]);
        for len in 0..bytes.len() {
            assert!(entries(&bytes[..len], BLOCK).is_err(), "{len}");
        }
        let expected = entries(&bytes, BLOCK).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let (block, within) = (bit / 8 / BLOCK, bit / 8 % BLOCK);
            let content = (block == 1 && within < 2) || (block == 3 && within < 5);
            match entries(&flipped, BLOCK) {
                // A blank may stand for a NUL behind the number of a checksum.
                Ok(found) => assert!(found == expected && (content || (148..156).contains(&within)), "bit {bit}"),
                Err(_) => assert!(!content, "bit {bit}"),
            }
        }
    }

    #[test]
    fn what_follows_the_end_is_zeros_and_few() {
        let mut bytes = tar(&[("manifest.json", b"{}")]);
        bytes.resize(bytes.len() + (64 << 10), 0);
        assert!(entries(&bytes, BLOCK).is_ok());
        assert!(entries(&[bytes.as_slice(), &[0]].concat(), BLOCK).is_err());
        *bytes.last_mut().unwrap() = 1;
        assert!(entries(&bytes, BLOCK).is_err());
    }
}
