//! Whether an answer is of the kind that the source documents.
//!
//! Servers in trouble answer 200 with a page. The media type alone does not tell: some send JSON
//! as `text/html`, others pages as `application/json`; so the first bytes decide.

use crate::http::request::Expects;

/// What came instead of what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OtherKind {
    pub(crate) expected: &'static str,
    pub(crate) found: &'static str,
}

/// Looks at the first bytes of a whole answer.
pub(crate) fn check(expects: Expects, bytes: &[u8]) -> Result<(), OtherKind> {
    let found = Kind::of(bytes);
    let (expected, fits) = match expects {
        Expects::Json => ("JSON", found == Kind::Json),
        Expects::Xml => ("XML", found == Kind::Xml),
        Expects::Text => ("text", matches!(found, Kind::Text | Kind::Json)),
        Expects::Zip => ("a ZIP archive", found == Kind::Zip),
        Expects::Any => return Ok(()),
    };
    if fits { Ok(()) } else { Err(OtherKind { expected, found: found.as_str() }) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nothing,
    Page,
    Xml,
    Json,
    Zip,
    Gzip,
    Text,
    Binary,
}

impl Kind {
    fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            return Self::Zip;
        }
        if bytes.starts_with(b"\x1f\x8b") {
            return Self::Gzip;
        }
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        match text.first() {
            None => Self::Nothing,
            Some(b'{' | b'[') => Self::Json,
            Some(b'<') if is_page(text) => Self::Page,
            Some(b'<') => Self::Xml,
            Some(_) if text.iter().take(512).any(|b| *b == 0) => Self::Binary,
            Some(_) => Self::Text,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "an empty answer",
            Self::Page => "an HTML page",
            Self::Xml => "XML",
            Self::Json => "JSON",
            Self::Zip => "a ZIP archive",
            Self::Gzip => "a gzip archive",
            Self::Text => "text",
            Self::Binary => "binary data",
        }
    }
}

/// Whether markup is HTML: its first tag is one of those, behind comments and declarations.
fn is_page(mut text: &[u8]) -> bool {
    const TAGS: [&[u8]; 8] =
        [b"<!doctype html", b"<html", b"<head", b"<body", b"<title", b"<meta", b"<script", b"<div"];
    loop {
        let closing: &[u8] = if text.starts_with(b"<!--") {
            b"-->"
        } else if text.starts_with(b"<?") {
            b"?>"
        } else {
            break;
        };
        let Some(end) = text.windows(closing.len()).position(|window| window == closing) else {
            return false;
        };
        text = text[end + closing.len()..].trim_ascii_start();
    }
    TAGS.iter().any(|tag| {
        text.get(..tag.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(tag))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_found(expects: Expects, bytes: &[u8], found: Option<&str>) {
        assert_eq!(check(expects, bytes).err().map(|other| other.found), found);
    }

    #[test]
    fn the_documented_kinds_pass() {
        check_found(Expects::Json, b"\xef\xbb\xbf \r\n{\"a\":1}", None);
        check_found(Expects::Json, b"[]", None);
        check_found(Expects::Xml, b"<?xml version=\"1.0\"?>\n<Tarih_Date/>", None);
        check_found(Expects::Xml, b"<Tarih_Date/>", None);
        check_found(Expects::Text, b"crumb", None);
        check_found(Expects::Zip, b"PK\x03\x04rest", None);
        check_found(Expects::Any, b"", None);
        check_found(Expects::Any, b"<html>", None);
    }

    #[test]
    fn another_kind_is_named() {
        let page = Some("an HTML page");
        check_found(Expects::Json, b"\n<!DOCTYPE html><html>", page);
        check_found(Expects::Json, b"Too Many Requests", Some("text"));
        check_found(Expects::Json, b" \n", Some("an empty answer"));
        check_found(Expects::Json, b"\x1f\x8b\x08", Some("a gzip archive"));
        check_found(Expects::Json, b"a\0b", Some("binary data"));
        check_found(Expects::Json, b"<?xml version=\"1.0\"?><a/>", Some("XML"));
        check_found(Expects::Xml, b"<?xml version=\"1.0\"?>\n<!-- b -->\n<!doctype HTML>", page);
        check_found(Expects::Text, b"<HTML>", page);
        check_found(Expects::Text, b"<!-- unfinished", Some("XML"));
        check_found(Expects::Zip, b"{\"error\":1}", Some("JSON"));
    }
}
