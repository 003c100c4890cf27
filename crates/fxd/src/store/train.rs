//! A dictionary for zstd, made from what it is to compress.

use super::encode::cut;
use super::options::WriteOptions;
use crate::format::header::Version;
use crate::format::record::{encode_payload, to_deltas};
use crate::format::symbol::SymbolId;
use crate::{Bar, FxdError};

/// The size of a dictionary, as the format document asks for it.
pub const DICTIONARY_LEN: usize = 64 * 1024;

/// Trains a dictionary on bars of one or several symbols, cut into blocks as the options say.
///
/// Rows of bars have little that repeats from one block to the next; with a dictionary, blocks of a few hundred bars become
/// smaller and blocks of a day do not: measure before using one.
///
/// # Errors
/// [`FxdError::Refused`] where zstd finds too little to learn from (it wants some tens of blocks), and for columns, which take
/// none.
pub fn train(series: &[Vec<Bar>], options: &WriteOptions) -> Result<Vec<u8>, FxdError> {
    if !options.version.has_rows() {
        return Err(FxdError::Refused("columns are not coded with a dictionary; versions 1 and 2 are".into()));
    }
    let mut samples = Vec::new();
    for (position, bars) in (0..u16::MAX).zip(series) {
        for block in cut(bars, options.block_records(), options.version) {
            let mut payload = Vec::new();
            if encode_payload(block, SymbolId(position), &mut payload).is_ok() {
                if options.version == Version::Delta {
                    to_deltas(&mut payload);
                }
                samples.push(payload);
            }
        }
    }
    zstd::dict::from_samples(&samples, DICTIONARY_LEN).map_err(|error| {
        FxdError::Refused(format!("no dictionary can be trained on {} blocks: {error}", samples.len()))
    })
}
