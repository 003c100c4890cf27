//! The page's style sheet, and the policy that lets nothing else in.

use pdp_manifest::Sha256Digest;

const STYLE: &str = include_str!("../../templates/quality_report.css");

/// The style sheet with the rules of the charts, and its hash as a content security policy names it.
pub(super) fn style<'a>(charts: impl Iterator<Item = &'a super::frame::Frame>) -> (String, String) {
    let rules: String = charts.map(super::frame::Frame::print_style).collect();
    let text = format!("{STYLE}@media print {{\n{rules}}}\n");
    let hash = format!("sha256-{}", base64(Sha256Digest::of(text.as_bytes()).as_bytes()));
    (text, hash)
}

/// Base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = usize::try_from(bits >> (18 - 6 * place) & 63).ok().and_then(|at| LETTERS.get(at));
            out.push(if place > three.len() { '=' } else { letter.map_or('=', |letter| char::from(*letter)) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_of_rfc_4648() {
        let encoded = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|text| super::base64(text.as_bytes()));
        assert_eq!(encoded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
    }
}
