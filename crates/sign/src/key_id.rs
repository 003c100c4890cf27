//! The number that keys and signatures name each other by.

use std::fmt;

/// The identifier of a key pair: eight random bytes, which stand in both keys and in every signature.
///
/// It says which key to verify with, and proves nothing. Written as minisign writes it: an upper-case hexadecimal number
/// without leading zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(u64);

impl KeyId {
    /// From the bytes of a file.
    pub(crate) const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }

    /// The bytes in a file.
    pub(crate) const fn to_bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:X}", self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_as_minisign_writes_it() {
        // From a key of which minisign 0.11 said so.
        let id = KeyId::from_bytes([0x01, 0x27, 0x86, 0xb5, 0xfa, 0x60, 0xaf, 0x05]);
        assert_eq!(id.to_string(), "5AF60FAB5862701");
        assert_eq!(KeyId::from_bytes(id.to_bytes()), id);
    }
}
