//! Where a server sends us on to, and whether we go.

use reqwest::Url;

/// How often one request is sent on.
pub(crate) const REDIRECTS_MAX: usize = 3;

/// Whether the status sends us elsewhere, and whether as the same request: 307 and 308 repeat it,
/// the others turn into reading, as browsers do.
pub(crate) fn keeps_method(status: u16) -> Option<bool> {
    match status {
        301..=303 => Some(false),
        307 | 308 => Some(true),
        _ => None,
    }
}

/// The address to go to, or why not: to another host only with TLS, and never from TLS to none.
pub(crate) fn next(from: &Url, location: &str) -> Result<Url, String> {
    let Ok(to) = from.join(location) else {
        return Err("it sends us on to something that is not an address".to_owned());
    };
    let same_host = to.host_str() == from.host_str() && to.scheme() == from.scheme();
    if to.scheme() == "https" || (to.scheme() == "http" && same_host) {
        return Ok(to);
    }
    let (scheme, host) = (to.scheme(), to.host_str().unwrap_or("nowhere"));
    Err(format!("it sends us on to {scheme}://{host}, which is not safe to follow"))
}

/// Whether secrets meant for `from` may go to `to`.
pub(crate) fn is_same_origin(from: &Url, to: &Url) -> bool {
    from.origin() == to.origin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: &str, location: &str, expected: Result<&str, &str>) {
        let actual = next(&Url::parse(from).unwrap(), location).map(String::from);
        assert_eq!(actual, expected.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn only_safe_redirects_are_followed() {
        check("http://a.tr/b/c", "d?e=1", Ok("http://a.tr/b/d?e=1"));
        check("http://a.tr/b", "https://other.tr/", Ok("https://other.tr/"));
        check("https://a.tr/b", "//other.tr/c", Ok("https://other.tr/c"));
        let unsafe_to = |to: &str| format!("it sends us on to {to}, which is not safe to follow");
        check("http://a.tr/b", "http://b.tr/", Err(&unsafe_to("http://b.tr")));
        check("https://a.tr/b", "http://a.tr/c", Err(&unsafe_to("http://a.tr")));
        check("https://a.tr/b", "file:///etc", Err(&unsafe_to("file://nowhere")));
        let nonsense = "it sends us on to something that is not an address";
        check("https://a.tr/b", "https://[", Err(nonsense));
    }
}
