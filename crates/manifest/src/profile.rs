//! Other standards that a package can keep to beside its own.

use crate::words::word_enum;

word_enum! {
    /// A standard of packaging data that a package keeps to beside its own format.
    Profile, "profile" {
        /// BagIt 1.0 (RFC 8493).
        Bagit = "bagit",
        /// Frictionless Data Package 1.
        Frictionless = "frictionless" | "datapackage",
        /// RO-Crate 1.1.
        RoCrate = "ro-crate" | "rocrate",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case_and_unknown_ones_named() {
        assert_eq!("BagIt".parse(), Ok(Profile::Bagit));
        assert_eq!("RO-Crate".parse(), Ok(Profile::RoCrate));
        assert_eq!("rocrate".parse::<Profile>().map(Profile::word), Ok("ro-crate"));
        let error = "croissant".parse::<Profile>().map_err(|e| e.to_string());
        assert_eq!(error, Err("unknown profile \"croissant\"; allowed: bagit, frictionless, ro-crate".to_owned()));
    }
}
