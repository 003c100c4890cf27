//! What a column's values mean, and a value as a part of a bar.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::schema::types::ColumnDescriptor;

use super::cells::Cell;
use crate::calendar::DAY_SECONDS;
use crate::clock::Clock;
use crate::csv::Role;
use crate::decimal::{Decimal, Refusal, decimal_text};
use crate::moment::Moment;
use crate::{Fit, Place, Problem};

/// What a column's values mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A count of units since 1970, so many to the second, in UTC or on the clock of an unknown zone.
    Stamp { per_second: i64, utc: bool },
    /// Days since 1970, on the clock of an unknown zone.
    Days,
    /// A count whose unit its size tells.
    Count { unsigned: bool },
    /// Nanoseconds of a day and a Julian day, on the clock of an unknown zone.
    Int96,
    /// Text.
    Text,
    /// A whole number of units of so many decimals.
    Number { unsigned: bool, decimals: u32 },
    /// The same as big-endian bytes.
    BigEndian { decimals: u32 },
    /// A binary fraction, which stands for the shortest decimal that reads back as it.
    Floating,
}

impl Meaning {
    /// What a column means in its role; or what it is and what was expected.
    pub(super) fn of(column: &ColumnDescriptor, role: Role, databento: bool) -> Result<Self, String> {
        if column.max_rep_level() > 0 || column.max_def_level() > 1 {
            return Err("a nested column, expected a plain one".to_owned());
        }
        let (logical, converted, physical) =
            (column.logical_type_ref(), column.converted_type(), column.physical_type());
        let unsigned = matches!(logical, Some(LogicalType::Integer(integer)) if !integer.is_signed)
            || matches!(
                converted,
                ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64
            );
        let decimal = match (logical, converted) {
            (Some(LogicalType::Decimal(decimal)), _) => Some(decimal.scale),
            (None, ConvertedType::DECIMAL) => Some(column.type_scale()),
            _ => None,
        };
        let decimals =
            decimal.map(u32::try_from).transpose().map_err(|_| "a decimal of a negative scale".to_owned())?;
        let found = || format!("{physical}, which is no {} that can be read", described(role));
        match role {
            Role::Timestamp => match (logical, converted, physical) {
                (Some(LogicalType::Timestamp(stamp)), _, Physical::INT64) => Ok(Self::Stamp {
                    per_second: match stamp.unit {
                        TimeUnit::MILLIS => 1_000,
                        TimeUnit::MICROS => 1_000_000,
                        TimeUnit::NANOS => 1_000_000_000,
                    },
                    utc: stamp.is_adjusted_to_u_t_c,
                }),
                (None, ConvertedType::TIMESTAMP_MILLIS, Physical::INT64) => {
                    Ok(Self::Stamp { per_second: 1_000, utc: true })
                }
                (None, ConvertedType::TIMESTAMP_MICROS, Physical::INT64) => {
                    Ok(Self::Stamp { per_second: 1_000_000, utc: true })
                }
                (Some(LogicalType::Date), _, Physical::INT32) | (None, ConvertedType::DATE, Physical::INT32) => {
                    Ok(Self::Days)
                }
                (_, _, Physical::INT64 | Physical::INT32) if decimal.is_none() => Ok(Self::Count { unsigned }),
                (_, _, Physical::INT96) => Ok(Self::Int96),
                (_, _, Physical::BYTE_ARRAY) if decimal.is_none() => Ok(Self::Text),
                _ => Err(found()),
            },
            Role::Symbol => match physical {
                Physical::BYTE_ARRAY if decimal.is_none() => Ok(Self::Text),
                Physical::INT32 | Physical::INT64 if decimal.is_none() => Ok(Self::Number { unsigned, decimals: 0 }),
                _ => Err(found()),
            },
            _ => match (physical, decimals) {
                (Physical::INT32 | Physical::INT64, Some(decimals)) => Ok(Self::Number { unsigned: false, decimals }),
                (Physical::INT64, None) if databento && is_price(role) => Ok(Self::Number { unsigned, decimals: 9 }),
                (Physical::INT32 | Physical::INT64, None) => Ok(Self::Number { unsigned, decimals: 0 }),
                (Physical::FLOAT | Physical::DOUBLE, None) => Ok(Self::Floating),
                (Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY, Some(decimals)) => {
                    Ok(Self::BigEndian { decimals })
                }
                // As NautilusTrader writes them: nothing in the file says how many decimals the bytes count.
                (Physical::FIXED_LEN_BYTE_ARRAY, None) => {
                    Err("bytes without a scale, expected DECIMAL, DOUBLE or whole numbers".to_owned())
                }
                _ => Err(found()),
            },
        }
    }

    /// A value as a time.
    pub(super) fn time(self, cell: Cell<'_>, clock: &mut Clock, place: Place) -> Result<u64, Problem> {
        const RANGE: &str = "a moment from 1970-01-01 to 2262-04-11";
        let local =
            |seconds, nanos, utc| Moment::Clock { seconds, nanos, east: if utc { Some(0) } else { None }, unit: None };
        match (self, cell) {
            (Self::Stamp { per_second, utc }, Cell::Whole(count)) => {
                let nanos = count.rem_euclid(per_second) * (1_000_000_000 / per_second);
                let nanos = u32::try_from(nanos).unwrap_or(0);
                clock.place(local(count.div_euclid(per_second), nanos, utc), b"", place)
            }
            (Self::Days, Cell::Whole(days)) => {
                clock.place(local(days.saturating_mul(DAY_SECONDS), 0, false), b"", place)
            }
            (Self::Count { unsigned }, Cell::Whole(count)) => {
                let count = if unsigned { Ok(count.cast_unsigned()) } else { u64::try_from(count) };
                let count = count.map_err(|_| Problem::value("timestamp", shown(cell).as_bytes(), RANGE))?;
                clock.count(count, place)
            }
            (Self::Int96, Cell::Int96(nanos, day)) => {
                let seconds = (i64::from(day) - JULIAN_1970) * DAY_SECONDS
                    + i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX / 2);
                let nanos = u32::try_from(nanos % 1_000_000_000).unwrap_or(0);
                clock.place(local(seconds, nanos, false), b"", place)
            }
            (Self::Text, Cell::Bytes(text)) => clock.read(text, place),
            _ => Err(Problem::value("timestamp", shown(cell).as_bytes(), "a timestamp")),
        }
    }

    /// A value as a price.
    pub(super) fn price(self, cell: Cell<'_>, field: &'static str, fit: &Fit) -> Result<i64, Problem> {
        if let (Self::Floating, Cell::Double(value)) = (self, cell)
            && let Some(units) = plain_double(value, fit.price_scale)
            && fit.prices.contains(&units)
        {
            return Ok(units);
        }
        self.number(cell)
            .and_then(|number| match number {
                Number::Units(value, decimals) => fit.price_at(value, decimals),
                Number::Decimal(decimal) => decimal.at(fit.price_scale).and_then(|value| fit.price_units(value)),
            })
            .map_err(|refusal| fit.price_problem(field, self.shown(cell).as_bytes(), refusal))
    }

    /// A value as a volume; none is zero.
    pub(super) fn volume(self, cell: Cell<'_>, fit: &Fit) -> Result<u64, Problem> {
        if cell == Cell::Null {
            return Ok(0);
        }
        self.number(cell)
            .and_then(|number| match number {
                Number::Units(value, decimals) => fit.volume_at(value, decimals),
                Number::Decimal(decimal) => decimal.at(fit.volume_scale).and_then(|value| fit.volume_units(value)),
            })
            .map_err(|refusal| fit.volume_problem(self.shown(cell).as_bytes(), refusal))
    }

    /// A value as a whole number, such as flags; none is zero.
    pub(super) fn whole<T: TryFrom<i128> + Default>(
        self,
        cell: Cell<'_>,
        field: &'static str,
        expected: &'static str,
    ) -> Result<T, Problem> {
        let value = match (cell, self.number(cell)) {
            (Cell::Null, _) => return Ok(T::default()),
            (_, Ok(Number::Units(value, 0))) => T::try_from(value).ok(),
            _ => None,
        };
        value.ok_or_else(|| Problem::value(field, self.shown(cell).as_bytes(), expected))
    }

    /// A value as a number.
    fn number(self, cell: Cell<'_>) -> Result<Number, Refusal> {
        match (self, cell) {
            (Self::Number { unsigned: true, decimals }, Cell::Whole(value)) => {
                Ok(Number::Units(value.cast_unsigned().into(), decimals))
            }
            (Self::Number { decimals, .. }, Cell::Whole(value)) => Ok(Number::Units(value.into(), decimals)),
            (Self::BigEndian { decimals }, Cell::Bytes(bytes)) => Ok(Number::Units(signed(bytes.iter())?, decimals)),
            // Printing finds the shortest decimal that reads back; infinities and NaN are no decimals.
            (Self::Floating, Cell::Double(value)) => {
                Decimal::parse(format!("{value:e}").as_bytes()).map(Number::Decimal).ok_or(Refusal::NotANumber)
            }
            (Self::Floating, Cell::Float(value)) => {
                Decimal::parse(format!("{value:e}").as_bytes()).map(Number::Decimal).ok_or(Refusal::NotANumber)
            }
            _ => Err(Refusal::NotANumber),
        }
    }

    /// A value as an error shows it.
    fn shown(self, cell: Cell<'_>) -> String {
        match self.number(cell) {
            Ok(Number::Units(value, decimals)) => match u8::try_from(decimals).ok().and_then(fxd::Scale::new) {
                Some(scale) => decimal_text(value, scale),
                None => format!("{value}e-{decimals}"),
            },
            _ => shown(cell),
        }
    }
}

/// A number as a column holds it.
enum Number {
    /// Units of so many decimals.
    Units(i128, u32),
    Decimal(Decimal),
}

/// The Julian day of 1970-01-01.
const JULIAN_1970: i64 = 2_440_588;

const fn is_price(role: Role) -> bool {
    matches!(role, Role::Open | Role::High | Role::Low | Role::Close)
}

const fn described(role: Role) -> &'static str {
    match role {
        Role::Timestamp | Role::Date | Role::Time => "timestamp",
        Role::Symbol => "symbol",
        Role::Volume => "volume",
        Role::Flags | Role::Publisher | Role::Instrument | Role::Kind | Role::Other => "number",
        Role::Open | Role::High | Role::Low | Role::Close => "price",
    }
}

/// A value as an error shows it, whatever it means.
fn shown(cell: Cell<'_>) -> String {
    match cell {
        Cell::Whole(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Double(value) => value.to_string(),
        Cell::Int96(nanos, day) => format!("{nanos} ns of Julian day {day}"),
        Cell::Bytes(bytes) => crate::problem::shown(bytes),
        Cell::Null => String::new(),
    }
}

/// A two's complement number, the highest byte first.
fn signed<'a>(mut bytes: impl Iterator<Item = &'a u8>) -> Result<i128, Refusal> {
    let first = *bytes.next().ok_or(Refusal::NotANumber)?;
    let mut value = i128::from(first.cast_signed());
    for byte in bytes {
        value =
            value.checked_mul(256).and_then(|value| value.checked_add(i128::from(*byte))).ok_or(Refusal::TooLarge)?;
    }
    Ok(value)
}

/// A double of not too many digits in units of a scale: what the way through text says, without the text.
///
/// Below 10^15 units, two neighbouring decimals of the scale are never the same double. So if one reads back as the double, it
/// is the only one, and the shortest there is has no more decimals. The quotient of two whole numbers that doubles hold exactly
/// is rounded once, as reading the decimal is.
fn plain_double(value: f64, scale: fxd::Scale) -> Option<i64> {
    #[expect(clippy::cast_precision_loss, reason = "a power of ten below 10^19 is a double")]
    let unit = scale.unit() as f64;
    let units = (value * unit).round();
    if units.abs() >= 1e15 || units / unit != value {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 10^15")]
    let units = units as i64;
    Some(units)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fxd::Scale;
    use proptest::prelude::*;

    fn slow(value: f64, scale: Scale) -> Result<i128, Refusal> {
        Decimal::parse(format!("{value:e}").as_bytes()).ok_or(Refusal::NotANumber)?.at(scale)
    }

    #[test]
    fn doubles_are_the_decimals_they_print_as() {
        let fit = Fit::any(Scale::PRICE, Scale::VOLUME);
        let price = |value| Meaning::Floating.price(Cell::Double(value), "open", &fit);
        for (value, units) in
            [(1.05432, 105_432), (0.1 + 0.7, 80_000), (42_949.672_95, 4_294_967_295), (-1.0, -100_000), (0.0, 0)]
        {
            // 0.1 + 0.7 is 0.7999999999999999, which no five decimals are.
            assert_eq!(price(value).ok(), if value == 0.1 + 0.7 { None } else { Some(units) }, "{value}");
        }
        for value in [f64::NAN, f64::INFINITY, 1.054_321, 1e300, 1e-9] {
            assert!(price(value).is_err(), "{value}");
        }
        assert_eq!(Meaning::Floating.price(Cell::Float(1.05432), "open", &fit), Ok(105_432));
        assert!(Meaning::Floating.price(Cell::Float(1.054_321), "open", &fit).is_err());
        assert!(Meaning::Floating.price(Cell::Null, "open", &fit).is_err());
    }

    #[test]
    fn bytes_are_signed_numbers() {
        for (bytes, value) in
            [(&[0xff_u8][..], -1), (&[0x01, 0x00], 256), (&[0xff, 0x00], -256), (&[0, 0, 0, 0, 0, 0, 0, 0, 1], 1)]
        {
            assert_eq!(signed(bytes.iter()), Ok(value));
        }
        assert!(signed([].iter()).is_err());
        assert!(signed([0x7f; 17].iter()).is_err());
        assert_eq!(signed([0xff; 17].iter()), Ok(-1));
    }

    proptest! {
        #[test]
        fn the_way_without_text_says_the_same(units in -2_000_000_000_000_000_i64..2_000_000_000_000_000, decimals in 0_u8..=18, other in any::<f64>()) {
            let scale = Scale::new(decimals).unwrap();
            let value: f64 = decimal_text(units.into(), scale).parse().unwrap();
            for value in [value, other, value * (1.0 + f64::EPSILON)] {
                if let Some(plain) = plain_double(value, scale) {
                    prop_assert_eq!(slow(value, scale), Ok(plain.into()), "{}", value);
                } else if let Ok(found) = slow(value, scale) {
                    prop_assert!(found.unsigned_abs() >= 1_000_000_000_000_000, "{} is {}", value, found);
                }
            }
        }
    }
}
