//! From a password to the bytes that hide a secret key: scrypt, with what minisign lets it cost.

use scrypt::Params;
use thiserror::Error;
use zeroize::Zeroizing;

/// The largest memory cost that is granted, as a power of two: 1 GiB, minisign's own.
const LOG_N_LIMIT: u8 = 20;
/// How often that much may be gone through.
const PASSES_LIMIT: u64 = 64;
/// Memory times passes: four times minisign's own effort.
const EFFORT_LIMIT: u64 = 1 << 22;

/// A password's derivation that would cost too much, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "expected a password derivation of at most 1 GiB and four times minisign's effort, found limits of {operations} \
     operations and {memory} bytes"
)]
pub struct DerivationError {
    /// The limit of operations that the key names.
    pub operations: u64,
    /// The limit of bytes that the key names.
    pub memory: u64,
}

/// What a derivation may cost, in libsodium's words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) operations: u64,
    pub(crate) memory: u64,
}

impl Cost {
    /// What minisign asks for: a second or more, and 1 GiB.
    pub(crate) const SENSITIVE: Self = Self { operations: 33_554_432, memory: 1_073_741_824 };
    #[cfg(test)]
    pub(crate) const LOW: Self = Self { operations: 32_768, memory: 1_048_576 };

    /// The bytes that hide a key.
    pub(crate) fn derive<const N: usize>(
        self,
        password: &str,
        salt: &[u8; 32],
    ) -> Result<Zeroizing<[u8; N]>, DerivationError> {
        let refused = || DerivationError { operations: self.operations, memory: self.memory };
        let params = self.params().ok_or_else(refused)?;
        let mut mask = Zeroizing::new([0; N]);
        scrypt::scrypt(password.as_bytes(), salt, &params, mask.as_mut_slice()).map_err(|_| refused())?;
        Ok(mask)
    }

    /// The parameters that libsodium's `crypto_pwhash_scryptsalsa208sha256` takes for these limits.
    fn params(self) -> Option<Params> {
        const R: u32 = 8;
        let r = u64::from(R);
        let operations = self.operations.max(32_768);
        let memory_bound = operations >= self.memory / 32;
        let max_n = if memory_bound { self.memory / (r * 128) } else { operations / (r * 4) };
        let log_n = (1..=LOG_N_LIMIT).find(|log_n| 1 << log_n > max_n / 2)?;
        let passes = if memory_bound { ((operations / 4) >> log_n).min(0x3fff_ffff) / r } else { 1 };
        if passes > PASSES_LIMIT || passes << log_n > EFFORT_LIMIT {
            return None;
        }
        Params::new(log_n, R, u32::try_from(passes).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(operations: u64, memory: u64) -> Option<Params> {
        Cost { operations, memory }.params()
    }

    #[test]
    fn as_libsodium_picks_them() {
        // Sensitive, interactive, and the least there is.
        assert_eq!(Cost::SENSITIVE.params(), Params::new(20, 8, 1).ok());
        assert_eq!(params(524_288, 16_777_216), Params::new(14, 8, 1).ok());
        assert_eq!(params(32_768, 16_777_216), Params::new(10, 8, 1).ok());
        assert_eq!(params(0, 16_777_216), Params::new(10, 8, 1).ok());
        // Less memory and as many operations: more passes.
        assert_eq!(params(33_554_432, 536_870_912), Params::new(19, 8, 2).ok());
    }

    #[test]
    fn refuses_what_would_exhaust_the_machine() {
        for (operations, memory) in
            [(u64::MAX, u64::MAX), (u64::MAX, 0), (u64::MAX, 1 << 30), (1 << 28, 1 << 30), (1 << 40, 1 << 40)]
        {
            assert_eq!(params(operations, memory), None, "{operations} {memory}");
        }
    }
}
