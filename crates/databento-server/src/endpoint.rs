//! The methods of the API that are served.

use std::fmt;
use std::str::FromStr;

macro_rules! endpoints {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $method:ident;)*) => {
        /// A method of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Endpoint { $($(#[$doc])* $name,)* }

        impl Endpoint {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in the URL, such as `timeseries.get_range`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// `GET` or `POST`.
            pub(crate) const fn method(self) -> axum::http::Method {
                match self { $(Self::$name => axum::http::Method::$method,)* }
            }
        }
    };
}

endpoints! {
    /// Who publishes what.
    ListPublishers = "metadata.list_publishers", GET;
    /// The datasets.
    ListDatasets = "metadata.list_datasets", GET;
    /// The schemas of a dataset.
    ListSchemas = "metadata.list_schemas", GET;
    /// The fields of a schema.
    ListFields = "metadata.list_fields", GET;
    /// What a gigabyte costs.
    ListUnitPrices = "metadata.list_unit_prices", GET;
    /// How good each day is.
    GetDatasetCondition = "metadata.get_dataset_condition", GET;
    /// From when to when there is data.
    GetDatasetRange = "metadata.get_dataset_range", GET;
    /// How many records a query has.
    GetRecordCount = "metadata.get_record_count", POST;
    /// How many bytes a query has.
    GetBillableSize = "metadata.get_billable_size", POST;
    /// What a query costs.
    GetCost = "metadata.get_cost", POST;
    /// Symbols to instrument ids and back.
    Resolve = "symbology.resolve", POST;
    /// The records.
    GetRange = "timeseries.get_range", POST;
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Endpoint {
    type Err = String;

    /// By its name, with or without the family before the dot: `get_range`.
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|endpoint| {
            let name = endpoint.as_str();
            name == text || name.split_once('.').is_some_and(|(_, short)| short == text)
        });
        found.copied().ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|endpoint| endpoint.as_str()).collect();
            format!("expected an endpoint, one of {}, found {text:?}", all.join(", "))
        })
    }
}
