//! Addresses and texts of a source as they may stand in a message.

use bist_access::Secret;

/// Names of parameters whose values are secrets, in lower case.
const SECRET_NAMES: [&str; 9] = [
    "key",
    "apikey",
    "api_key",
    "token",
    "access_token",
    "crumb",
    "password",
    "secret",
    "sessionid",
];

/// Characters of an answer that a message repeats.
const BEGINNING_LENGTH_MAX: usize = 160;

/// Bytes of an answer that are looked at for them.
const BEGINNING_BYTES_MAX: usize = 4 * BEGINNING_LENGTH_MAX;

/// The address without user, password, and values of parameters that could be secrets.
///
/// Parameters are looked for in the path too: the central bank's service has them there.
pub(crate) fn shown(url: &str) -> String {
    let mut text = String::with_capacity(url.len());
    let rest = match url.split_once("://") {
        Some((scheme, rest)) => {
            text.push_str(scheme);
            text.push_str("://");
            rest
        }
        None => url,
    };
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let rest = match rest[..authority_end].rfind('@') {
        Some(at) => &rest[at + 1..],
        None => rest,
    };
    for part in rest.split_inclusive(['?', '&', '/', ';', '#']) {
        let end = part.trim_end_matches(['?', '&', '/', ';', '#']).len();
        match part[..end].split_once('=') {
            Some((name, _)) if SECRET_NAMES.contains(&name.to_ascii_lowercase().as_str()) => {
                text.push_str(name);
                text.push_str("=***");
                text.push_str(&part[end..]);
            }
            _ => text.push_str(part),
        }
    }
    text
}

/// The beginning of an answer in one line, without the secrets that the request carried.
pub(crate) fn beginning<'a>(bytes: &[u8], secrets: impl IntoIterator<Item = &'a Secret>) -> String {
    let looked_at = &bytes[..bytes.len().min(BEGINNING_BYTES_MAX)];
    let mut text = String::from_utf8_lossy(looked_at).into_owned();
    for secret in secrets {
        if !secret.expose().is_empty() {
            text = text.replace(secret.expose(), "***");
        }
    }
    let text: String =
        text.chars().map(|c| if c.is_control() || c == '\u{feff}' { ' ' } else { c }).collect();
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = line.char_indices().nth(BEGINNING_LENGTH_MAX) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: &str) {
        assert_eq!(shown(url), expected);
    }

    #[test]
    fn secrets_of_an_address_are_masked_and_nothing_else() {
        check("https://a.tr/b?symbol=X&from=1", "https://a.tr/b?symbol=X&from=1");
        check("https://a.tr/b?crumb=x%2Fy&range=1d", "https://a.tr/b?crumb=***&range=1d");
        check("https://a.tr/b?apiKey=abc", "https://a.tr/b?apiKey=***");
        check("https://a.tr/b?a=1&TOKEN=abc#c", "https://a.tr/b?a=1&TOKEN=***#c");
        check(
            "https://a.tr/series=TP.A-TP.B&key=abc&type=json",
            "https://a.tr/series=TP.A-TP.B&key=***&type=json",
        );
        check("https://user:word@a.tr/b@c", "https://a.tr/b@c");
        check("https://a.tr?monkey=1", "https://a.tr?monkey=1");
        check("not an address", "not an address");
    }

    #[test]
    fn a_beginning_is_one_short_line_without_secrets() {
        let secret = Secret::new("s3cr3t");
        let line = beginning(b"\xef\xbb\xbfno\r\n\tkey \x07 s3cr3t \xff", [&secret]);
        assert_eq!(line, "no key *** \u{fffd}");
        assert_eq!(beginning(&[b'x'; 5000], []).chars().count(), BEGINNING_LENGTH_MAX + 1);
    }
}
