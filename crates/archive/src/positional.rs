//! Reading at a position, from many threads at once.

use std::fs::File;
use std::io;

/// Reads exactly `buffer` at `offset`; does not use or move the file's own position on Unix.
pub(crate) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    let mut done = 0_usize;
    while done < buffer.len() {
        let at = u64::try_from(done).ok().and_then(|done| offset.checked_add(done));
        let at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let rest = buffer.get_mut(done..).unwrap_or_default();
        match read_at(file, rest, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => done += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(unix)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
