//! A file cut into blocks of whole lines.

use std::io::{self, Read};

/// How many bytes a block has at most, unless a line is longer: as many as the processor's nearer caches hold with their rows.
const BLOCK: usize = 1 << 20;
/// The longest line.
pub(crate) const LINE: usize = 1 << 20;

/// Why there is no next block.
#[derive(Debug)]
pub(crate) enum Stop {
    Read(io::Error),
    /// A line that is longer than any may be begins behind so many lines of this block.
    LongLine,
}

/// Whole lines, of which the file's last may lack its end.
///
/// It keeps its room between uses, so that this is cleared once only.
#[derive(Debug, Default)]
pub(crate) struct Block {
    room: Vec<u8>,
    start: usize,
    end: usize,
}

impl Block {
    pub(crate) fn lines(&self) -> &[u8] {
        self.room.get(self.start..self.end).unwrap_or_default()
    }

    /// Leaves out the first bytes.
    pub(crate) fn skip(&mut self, bytes: usize) {
        self.start = self.start.saturating_add(bytes).min(self.end);
    }

    /// Holds these bytes and has as much room behind them at least, and that of a block.
    fn begin(&mut self, bytes: &[u8]) {
        let room = BLOCK.max(bytes.len() * 2);
        if self.room.len() < room {
            self.room.resize(room, 0);
        }
        (self.start, self.end) = (0, bytes.len());
        if let Some(head) = self.room.get_mut(..bytes.len()) {
            head.copy_from_slice(bytes);
        }
    }

    /// Reads until the room is full, or the input at its end: then it says so.
    fn fill(&mut self, input: &mut impl Read) -> io::Result<bool> {
        loop {
            let free = self.room.get_mut(self.end..).unwrap_or_default();
            if free.is_empty() {
                return Ok(false);
            }
            match input.read(free) {
                Ok(0) => return Ok(true),
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Reads blocks of whole lines.
pub(crate) struct Cutter<R> {
    input: R,
    /// The beginning of a line whose end is in the next block.
    rest: Vec<u8>,
    ended: bool,
}

impl<R: Read> Cutter<R> {
    pub(crate) const fn new(input: R) -> Self {
        Self { input, rest: Vec::new(), ended: false }
    }

    /// Whether all input has been read.
    pub(crate) const fn is_at_end(&self) -> bool {
        self.ended && self.rest.is_empty()
    }

    /// Reads the next block, which is empty at the end of the file.
    pub(crate) fn next_into(&mut self, block: &mut Block) -> Result<(), Stop> {
        loop {
            block.begin(&self.rest);
            self.rest.clear();
            if !self.ended {
                self.ended = block.fill(&mut self.input).map_err(Stop::Read)?;
            }
            if self.ended {
                return Ok(());
            }
            let lines = block.lines();
            let whole = memchr::memrchr(b'\n', lines).map_or(0, |end| end + 1);
            let rest = lines.get(whole..).unwrap_or_default();
            if rest.len() > LINE {
                return Err(Stop::LongLine);
            }
            self.rest.extend_from_slice(rest);
            block.end = whole;
            // A line that is as long as a block takes another look, in twice the room.
            if whole > 0 {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len());
            self.0.read(&mut buffer[..count])
        }
    }

    fn cut(text: &[u8], at_once: usize) -> Vec<Vec<u8>> {
        let mut cutter = Cutter::new(Slow(text, at_once));
        let (mut block, mut all) = (Block::default(), Vec::new());
        while !cutter.is_at_end() {
            cutter.next_into(&mut block).unwrap();
            all.push(block.lines().to_vec());
        }
        all
    }

    #[test]
    fn blocks_hold_whole_lines_and_nothing_is_lost() {
        for lengths in [&[10, 700_000, 700_000, 3][..], &[LINE - 1, 5, LINE], &[LINE, LINE], &[0, 0, BLOCK - 2, 7]] {
            let mut text = Vec::new();
            for (number, length) in lengths.iter().enumerate() {
                text.extend(std::iter::repeat_n(b'a' + u8::try_from(number).unwrap(), *length));
                text.push(b'\n');
            }
            for end in [text.len(), text.len() - 1] {
                for at_once in [usize::MAX, 65_537] {
                    let blocks = cut(&text[..end], at_once);
                    assert_eq!(blocks.concat(), &text[..end]);
                    let (_, before) = blocks.split_last().unwrap();
                    assert!(before.iter().all(|block| block.ends_with(b"\n")), "{lengths:?}");
                }
            }
        }
    }

    #[test]
    fn too_long_a_line_is_an_error_behind_the_lines_before_it() {
        let text = [b"one\ntwo\n".as_slice(), &vec![b'x'; LINE * 3]].concat();
        let mut cutter = Cutter::new(text.as_slice());
        let mut block = Block::default();
        cutter.next_into(&mut block).unwrap();
        assert_eq!(block.lines(), b"one\ntwo\n");
        assert!(matches!(cutter.next_into(&mut block), Err(Stop::LongLine)));
        assert!(!block.lines().contains(&b'\n'));
    }

    #[test]
    fn an_empty_input_has_one_empty_block() {
        assert_eq!(cut(b"", 1), [Vec::<u8>::new()]);
    }
}
