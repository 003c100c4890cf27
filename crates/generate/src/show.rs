//! Values as people read them.

use serde_json::Value;

/// Text on one line and without control characters, for comments and headings.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}

/// Text for Markdown, where a typed name must not become markup or break a table.
pub(crate) fn markdown(text: &str) -> String {
    let mut out = String::new();
    for c in one_line(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Text for HTML and SVG, between tags and in quoted attributes.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// At most `most` characters of a text, the middle left out where it has more.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    let tail = most / 2;
    let head = most.saturating_sub(tail + 1);
    let front: String = text.chars().take(head).collect();
    let back: String = text.chars().skip(length - tail).collect();
    format!("{front}\u{2026}{back}")
}

/// `1 file`, `2,000 files`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A length of time in its two greatest units.
pub(crate) fn duration(length: chrono::TimeDelta) -> String {
    let seconds = length.num_seconds();
    let two = |great: i64, unit: &str, small: i64, below: &str| match small {
        0 => format!("{great} {unit}"),
        small => format!("{great} {unit} {small} {below}"),
    };
    match seconds {
        ..0 => "0 s".to_owned(),
        0..10 if length.subsec_nanos() > 0 => format!("{seconds}.{} s", length.subsec_nanos() / 100_000_000),
        0..60 => format!("{seconds} s"),
        60..3600 => two(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, "d", seconds / 3600 % 24, "h"),
    }
}

/// The length of a list.
pub(crate) fn len<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

/// A count with a comma between thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A size with a unit, in powers of 1000.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if number < 1000 {
        return format!("{number} B");
    }
    let (mut divisor, mut unit) = (1000_u64, 0);
    while number / divisor >= 1000 && unit + 1 < UNITS.len() {
        divisor = divisor.saturating_mul(1000);
        unit += 1;
    }
    let tenths = u128::from(number) * 10 / u128::from(divisor);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS.get(unit).copied().unwrap_or("PB"))
}

/// JSON for people to read too, with a line's end behind it.
pub(crate) fn json(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 999, 1000, 1_550_000, u64::MAX].map(bytes), ["0 B", "999 B", "1.0 kB", "1.5 MB", "18446.7 PB"]);
    }

    #[test]
    fn lengths_of_time() {
        let shown = |milliseconds| duration(chrono::TimeDelta::milliseconds(milliseconds));
        assert_eq!(
            [-5, 250, 9_900, 59_999, 60_000, 8_000_000, 90_000_000].map(shown),
            ["0 s", "0.2 s", "9.9 s", "59 s", "1 min", "2 h 13 min", "1 d 1 h"]
        );
    }

    #[test]
    fn long_text_keeps_its_ends() {
        assert_eq!(shortened("abcdefghij", 10), "abcdefghij");
        assert_eq!(shortened("abcd\u{e9}fghijk", 7), "abc\u{2026}ijk");
        assert_eq!(shortened("abc", 0).chars().count(), 1);
    }

    #[test]
    fn typed_text_stays_text() {
        assert_eq!(html("<b a=\"x\" b='y'>&\n"), "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp; ");
        assert_eq!(one_line("a\nimport os\u{2028}x"), "a import os x");
        assert_eq!(markdown("a|b\n# c [x](y)"), "a\\|b \\# c \\[x\\](y)");
    }
}
