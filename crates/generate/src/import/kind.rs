//! The types of columns, and what each engine calls them.

use pdp_manifest::{Field, FieldType, ImportTarget, TimeUnit};

/// Most digits of a decimal in the engines that want their number stated.
const MAX_DIGITS: u32 = 38;
/// Digits behind the point that decimal columns have at least, so that packages with fewer share tables with others.
const USUAL_SCALE: u32 = 12;
/// The same where some value has more, or where it is not known.
const WIDE_SCALE: u32 = 18;
/// Decimal digits that a binary floating-point number always keeps.
const DOUBLE_DIGITS: u32 = 15;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Long,
    UnsignedLong,
    /// Most digits in all and behind the point, where the manifest says.
    Decimal(Option<(u32, u32)>),
    Double,
    Text,
    /// A point in time; as a number, what it counts, where the manifest says.
    Time(Option<TimeUnit>),
    Date,
    Json,
}

impl Kind {
    pub(super) fn of(field: &Field) -> Self {
        match (&field.field_type, field.unit) {
            (FieldType::Long | FieldType::UnsignedLong | FieldType::Decimal | FieldType::Double, Some(unit)) => {
                Self::Time(Some(unit))
            }
            (FieldType::DateTime, unit) => Self::Time(unit),
            (FieldType::Boolean, _) => Self::Boolean,
            (FieldType::Long, _) => Self::Long,
            (FieldType::UnsignedLong, _) => Self::UnsignedLong,
            (FieldType::Decimal, _) => Self::Decimal(field.precision.zip(field.scale)),
            (FieldType::Double, _) => Self::Double,
            (FieldType::Date, _) => Self::Date,
            (FieldType::Array | FieldType::Object | FieldType::Mixed | FieldType::Other(_), _) => Self::Json,
            (FieldType::String | FieldType::Binary | FieldType::Null, _) => Self::Text,
        }
    }

    /// The word that the reader in Python knows it by.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Long | Self::UnsignedLong => "integer",
            Self::Decimal(_) => "decimal",
            Self::Double => "double",
            Self::Text => "text",
            Self::Time(_) => "time",
            Self::Date => "date",
            Self::Json => "json",
        }
    }

    /// Digits in all and behind the point of a decimal column; `None` where no such column holds every value.
    pub(super) fn decimal(digits: Option<(u32, u32)>) -> Option<(u32, u32)> {
        let Some((precision, scale)) = digits else { return Some((MAX_DIGITS, WIDE_SCALE)) };
        let before = precision.saturating_sub(scale);
        let shared =
            [USUAL_SCALE, WIDE_SCALE].into_iter().find(|usual| scale <= *usual && before + usual <= MAX_DIGITS);
        shared.or_else(|| (precision <= MAX_DIGITS && scale <= MAX_DIGITS).then_some(scale)).map(|s| (MAX_DIGITS, s))
    }

    /// Whether values may have more digits than a binary floating-point number keeps.
    pub(super) fn beyond_double(self) -> bool {
        matches!(self, Self::Decimal(digits) if digits.is_none_or(|(precision, _)| precision > DOUBLE_DIGITS))
    }

    /// Whether SQLite, which has no numbers beyond 64 bits, needs text beside the number.
    pub(super) fn beyond_sqlite(self) -> bool {
        self == Self::UnsignedLong || self.beyond_double()
    }

    /// The type of the column.
    pub(super) fn sql(self, target: ImportTarget) -> String {
        use ImportTarget::{ClickHouse, DuckDb, PostgreSql, Spark, Sqlite};
        let word = match (self, target) {
            (Self::Decimal(digits), DuckDb | ClickHouse | Spark) => match (Self::decimal(digits), target) {
                (Some((precision, scale)), ClickHouse) => format!("Decimal({precision}, {scale})"),
                (Some((precision, scale)), _) => format!("DECIMAL({precision},{scale})"),
                (None, _) => return Self::Text.sql(target),
            },
            (_, ClickHouse) => self.clickhouse().to_owned(),
            (Self::Boolean | Self::Long, Sqlite) => "INTEGER".into(),
            (Self::Boolean, _) => "BOOLEAN".into(),
            (Self::Long, _) => "BIGINT".into(),
            (Self::UnsignedLong, DuckDb) => "UBIGINT".into(),
            (Self::UnsignedLong, Spark) => "DECIMAL(20,0)".into(),
            (Self::UnsignedLong | Self::Decimal(_), _) => "NUMERIC".into(),
            (Self::Double, PostgreSql) => "DOUBLE PRECISION".into(),
            (Self::Double, Sqlite) => "REAL".into(),
            (Self::Double, _) => "DOUBLE".into(),
            (Self::Time(_), PostgreSql) => "TIMESTAMPTZ".into(),
            (Self::Time(_), DuckDb) => "TIMESTAMP_NS".into(),
            (Self::Time(_), Spark) => "TIMESTAMP".into(),
            (Self::Date, PostgreSql | DuckDb | Spark) => "DATE".into(),
            (Self::Json, PostgreSql) => "JSONB".into(),
            (Self::Json, DuckDb) => "JSON".into(),
            (Self::Text, DuckDb) => "VARCHAR".into(),
            (_, Spark) => "STRING".into(),
            (Self::Text | Self::Time(_) | Self::Date | Self::Json, _) => "TEXT".into(),
        };
        if target == ClickHouse { format!("Nullable({word})") } else { word }
    }

    const fn clickhouse(self) -> &'static str {
        match self {
            Self::Boolean => "Bool",
            Self::Long => "Int64",
            Self::UnsignedLong => "UInt64",
            Self::Double => "Float64",
            Self::Time(_) => "DateTime64(9, 'UTC')",
            Self::Date => "Date32",
            // ClickHouse keeps JSON as text; its own JSON type takes no lists at the top.
            Self::Decimal(_) | Self::Text | Self::Json => "String",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_every_digit_or_become_text() {
        for (digits, expected) in [
            (None, Some((38, 18))),
            (Some((9, 2)), Some((38, 12))),
            (Some((30, 15)), Some((38, 18))),
            (Some((38, 2)), Some((38, 2))),
            (Some((20, 20)), Some((38, 20))),
            (Some((39, 2)), None),
        ] {
            assert_eq!(Kind::decimal(digits), expected, "{digits:?}");
        }
        assert_eq!(Kind::Decimal(Some((40, 2))).sql(ImportTarget::DuckDb), "VARCHAR");
        assert_eq!(Kind::Decimal(Some((40, 2))).sql(ImportTarget::PostgreSql), "NUMERIC");
        assert_eq!(Kind::Decimal(Some((40, 2))).sql(ImportTarget::ClickHouse), "Nullable(String)");
    }
}
