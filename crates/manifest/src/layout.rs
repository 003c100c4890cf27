//! How data files are arranged inside a package.

use crate::words::word_enum;

word_enum! {
    /// How data files are arranged inside a package.
    Layout, "layout" {
        /// `data/{date}/{symbol}/{type}/{file}`
        ByDate = "ByDate" | "date",
        /// `data/{symbol}/{type}/{date}/{file}`
        BySymbol = "BySymbol" | "symbol",
        /// `data/{type}/{symbol}/{date}/{file}`
        ByType = "ByType" | "type",
        /// `data/{symbol}_{type}_{date}.{extension}`
        Flat = "Flat",
    }
}
