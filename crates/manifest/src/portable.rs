//! What makes a name usable on every system: the rules, and the nearest name that keeps them.

use unicode_normalization::UnicodeNormalization as _;

/// Longest component of a path, in bytes of UTF-8.
pub const MAX_COMPONENT_BYTES: usize = 255;

/// Why one component of a path is not portable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// Nothing between two separators, or an empty name.
    #[error("an empty component")]
    Empty,
    /// `.` or `..`.
    #[error("a \".\" or \"..\" component")]
    DotComponent,
    /// More than [`MAX_COMPONENT_BYTES`].
    #[error("a component of more than 255 bytes")]
    TooLong,
    /// A control character, NUL and DEL included.
    #[error("a control character")]
    Control,
    /// Invisible or direction-changing characters, which make a list show another name than it holds.
    #[error("an invisible or text-direction character")]
    Invisible,
    /// One of `\ : * ? " < > |`, which some system gives a meaning.
    #[error("a character that is not allowed on every system (one of \\ : * ? \" < > |)")]
    Reserved,
    /// A dot or a space at the end, which Windows drops.
    #[error("a component that ends in a dot or a space")]
    TrailingDotOrSpace,
    /// `CON`, `AUX.txt`, `com1` and the like.
    #[error("a Windows device name")]
    DeviceName,
}

/// Checks one component of a path.
///
/// # Errors
/// The first rule it breaks.
pub fn check_component(name: &str) -> Result<(), NameFault> {
    if name.is_empty() {
        return Err(NameFault::Empty);
    }
    if name == "." || name == ".." {
        return Err(NameFault::DotComponent);
    }
    if name.len() > MAX_COMPONENT_BYTES {
        return Err(NameFault::TooLong);
    }
    for c in name.chars() {
        if c.is_control() {
            return Err(NameFault::Control);
        }
        if is_invisible(c) {
            return Err(NameFault::Invisible);
        }
        if is_reserved(c) {
            return Err(NameFault::Reserved);
        }
    }
    if name.ends_with(['.', ' ']) {
        return Err(NameFault::TrailingDotOrSpace);
    }
    if is_device_name(name) {
        return Err(NameFault::DeviceName);
    }
    Ok(())
}

/// The nearest component that [`check_component`] accepts; `name` itself where it already does.
///
/// What is not allowed becomes `_`; a name that would be empty becomes `_unnamed`.
#[must_use]
pub fn sanitize_component(name: &str) -> String {
    let mut clean: String = name
        .chars()
        .map(|c| if c == '/' || c.is_control() || is_invisible(c) || is_reserved(c) { '_' } else { c })
        .collect();
    let mut end = clean.len().min(MAX_COMPONENT_BYTES);
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    clean.truncate(end);
    while clean.ends_with(['.', ' ']) {
        clean.pop();
    }
    if is_device_name(&clean) {
        clean.insert(0, '_');
    }
    if clean.is_empty() { "_unnamed".to_owned() } else { clean }
}

/// Two names with one key are one file somewhere: equal after Unicode composition and without regard to case.
#[must_use]
pub fn collision_key(name: &str) -> String {
    // Upper case first, then lower: joins what lower case alone keeps apart (sharp s and ss, dotless and dotted i,
    // the Kelvin sign and k).
    name.nfd().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

fn is_reserved(c: char) -> bool {
    matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn is_device_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ');
    let upper = stem.to_ascii_uppercase();
    if matches!(upper.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$") {
        return true;
    }
    let Some(rest) = upper.strip_prefix("COM").or_else(|| upper.strip_prefix("LPT")) else { return false };
    let mut digits = rest.chars();
    matches!((digits.next(), digits.next()), (Some('0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}'), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        let cases = [
            ("", NameFault::Empty),
            ("..", NameFault::DotComponent),
            ("a\0b", NameFault::Control),
            ("a\u{7f}", NameFault::Control),
            ("a\u{202e}gpj", NameFault::Invisible),
            ("zero\u{200b}width", NameFault::Invisible),
            ("a\\b", NameFault::Reserved),
            ("C:", NameFault::Reserved),
            ("a.", NameFault::TrailingDotOrSpace),
            (".. ", NameFault::TrailingDotOrSpace),
            ("aux.txt", NameFault::DeviceName),
            ("Com1 .csv", NameFault::DeviceName),
            ("lpt\u{b2}", NameFault::DeviceName),
            ("CONIN$", NameFault::DeviceName),
        ];
        for (name, fault) in cases {
            assert_eq!(check_component(name), Err(fault), "{name:?}");
            assert_eq!(check_component(&sanitize_component(name)), Ok(()), "{name:?}");
        }
        assert_eq!(check_component(&"x".repeat(256)), Err(NameFault::TooLong));
        for name in ["AAPL.jsonl", "Ünïcödé 名前.csv", "com10", "console", ".hidden", "a b"] {
            assert_eq!(check_component(name), Ok(()), "{name}");
            assert_eq!(sanitize_component(name), name);
        }
        assert_eq!(sanitize_component(&"é".repeat(200)).len(), 254);
    }

    #[test]
    fn collisions() {
        for (a, b) in
            [("A.csv", "a.csv"), ("é", "e\u{301}"), ("straße", "STRASSE"), ("\u{212a}", "k"), ("I", "\u{131}")]
        {
            assert_eq!(collision_key(a), collision_key(b), "{a} {b}");
        }
        assert_ne!(collision_key("a"), collision_key("b"));
    }
}
