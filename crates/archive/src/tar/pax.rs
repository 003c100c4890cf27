//! PAX records: what a header field cannot hold (POSIX.1-2017, pax Header Block).

/// Most bytes of records before one entry.
pub(super) const MAX: u64 = 64 << 10;

/// The records that change what an entry is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) path: Option<String>,
    pub(super) size: Option<u64>,
}

/// One record: its own length in decimal, a blank, `key=value` and a line feed.
pub(super) fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut len = rest;
    // The length counts its own digits, so it is approached from below; it settles after a step or two.
    while len != rest + len.to_string().len() {
        len = rest + len.to_string().len();
    }
    format!("{len} {key}={value}\n").into_bytes()
}

/// Reads all records of a header.
///
/// # Errors
/// What is wrong with them, or a record that would change the entry in a way that is not supported.
pub(super) fn parse(mut bytes: &[u8]) -> Result<Records, String> {
    let mut found = Records::default();
    let mut keys = std::collections::HashSet::new();
    while !bytes.is_empty() {
        let bad = |what: &str| format!("a PAX record {what}");
        let blank = bytes.iter().take(8).position(|byte| *byte == b' ').ok_or_else(|| bad("has no length"))?;
        let digits = bytes.get(..blank).unwrap_or_default();
        let canonical = digits.iter().all(u8::is_ascii_digit) && digits.first().is_some_and(|first| *first != b'0');
        let len = std::str::from_utf8(digits).ok().filter(|_| canonical).and_then(|text| text.parse::<usize>().ok());
        let len = len.ok_or_else(|| bad("has a length that is no number"))?;
        let (whole, rest) = bytes.split_at_checked(len).ok_or_else(|| bad("is longer than its header"))?;
        let body = whole.get(blank + 1..).unwrap_or_default();
        let body = body.strip_suffix(b"\n").ok_or_else(|| bad("does not end where its length says"))?;
        let text = std::str::from_utf8(body).map_err(|_| bad("is not UTF-8"))?;
        if text.contains('\0') {
            return Err(bad("holds a NUL"));
        }
        let (key, value) = text.split_once('=').ok_or_else(|| bad("has no key"))?;
        if !keys.insert(key.to_owned()) {
            return Err(bad(&format!("for {} is there twice", key.escape_debug())));
        }
        match key {
            "path" => found.path = Some(value.to_owned()),
            "size" => {
                let plain =
                    value.bytes().all(|byte| byte.is_ascii_digit()) && !(value.len() > 1 && value.starts_with('0'));
                let size = value.parse::<i64>().ok().filter(|_| plain).and_then(|size| u64::try_from(size).ok());
                found.size = Some(size.ok_or_else(|| bad("has a size that is no number"))?);
            }
            "mtime" | "atime" | "ctime" if !is_time(value) => return Err(bad("has a time that is no number")),
            "uid" | "gid" if !is_digits(value) || value.parse::<u32>().is_err() => {
                return Err(bad("has an owner that is no number"));
            }
            "mtime" | "atime" | "ctime" | "uid" | "gid" | "uname" | "gname" | "comment" => {}
            key if is_aside(key) => {}
            key => return Err(bad(&format!("for {} is not supported", key.escape_debug()))),
        }
        bytes = rest;
    }
    Ok(found)
}

/// Whether a vendor's record leaves the entry's name, type and size alone; `SCHILY.realsize` does not.
fn is_aside(key: &str) -> bool {
    let exact = ["SCHILY.dev", "SCHILY.fflags", "SCHILY.ino", "SCHILY.nlink", "LIBARCHIVE.creationtime"];
    let families = ["SCHILY.acl.", "SCHILY.xattr.", "LIBARCHIVE.xattr."];
    exact.contains(&key) || families.iter().any(|family| key.starts_with(family))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Decimal seconds, perhaps with a sign and a fraction.
fn is_time(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    is_digits(whole) && whole.parse::<i64>().is_ok() && is_digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_round_trip() {
        for len in [1, 3, 90, 91, 92, 93, 94, 95, 96, 97, 98, 990, 991, 4096] {
            let value = "v".repeat(len);
            let record = record("path", &value);
            assert_eq!(parse(&record).unwrap().path.as_deref(), Some(value.as_str()));
            let text = String::from_utf8(record.clone()).unwrap();
            assert_eq!(text.split(' ').next().unwrap().parse(), Ok(record.len()));
        }
    }

    #[test]
    fn t055_bad_records_are_refused() {
        for bad in [
            &b"7 a=b\n"[..],
            b"5 a=b\n",
            b"6 a=bx",
            b"0 a=b\n",
            b"06 a=b\n",
            b"99999999999999999999 a=b\n",
            b"+6 a=b\n",
            b"6 a=\0\n",
            b"11 path=a\0\n",
            b"11 path=\xff\xff\n",
            b"10 path=a\n10 path=b\n",
            b"9 size=x\n",
            b"10 size=-1\n",
            b"10 size=01\n",
            b"26 GNU.sparse.realsize=99\n",
            b"5 ab\n",
            b"22 SCHILY.realsize=1\n",
            b"11 mtime=x\n",
            b"10 uid=-1\n",
        ] {
            assert!(parse(bad).is_err(), "{}", bad.escape_ascii());
        }
        assert_eq!(parse(b"11 mtime=1\n9 size=5\n").unwrap(), Records { path: None, size: Some(5) });
    }
}
