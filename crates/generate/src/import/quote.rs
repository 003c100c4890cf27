//! Literals. Paths and names are data; none of them may end a literal or a comment.

/// A string of standard SQL, in which nothing but the quote itself is special.
pub(super) fn sql(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "''"))
}

/// A string of ClickHouse, in which a backslash escapes.
pub(super) fn clickhouse(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A name of standard SQL.
pub(super) fn sql_name(text: &str) -> String {
    format!("\"{}\"", text.replace('\0', "").replace('"', "\"\""))
}

/// A name of ClickHouse.
pub(super) fn clickhouse_name(text: &str) -> String {
    format!("`{}`", text.replace('\\', "\\\\").replace('`', "\\`"))
}

/// A string of Python.
pub(super) fn python(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                out.push_str(&format!("\\U{:08x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out() {
        assert_eq!(sql("it's \\ \"x\""), "'it''s \\ \"x\"'");
        assert_eq!(clickhouse("it's \\'"), "'it\\'s \\\\\\''");
        assert_eq!((sql_name("a\"b"), clickhouse_name("a`\\")), ("\"a\"\"b\"".into(), "`a\\`\\\\`".into()));
        assert_eq!(python("a\"b\\\n価"), "\"a\\\"b\\\\\\U0000000a価\"");
    }
}
