//! JSON whose rows and cells are read one by one, so that a bad one is refused and not the answer.

use std::borrow::Cow;
use std::fmt;

use bist_market::Source;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::fetch_error::FetchError;

/// The rows of an answer, not yet looked into, at most `MAX`.
#[derive(Debug)]
pub(super) struct Rows<'a, const MAX: usize>(pub(super) Vec<&'a RawValue>);

impl<'de: 'a, 'a, const MAX: usize> Deserialize<'de> for Rows<'a, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RowsVisitor)
    }
}

struct RowsVisitor<const MAX: usize>;

impl<'de, const MAX: usize> Visitor<'de> for RowsVisitor<MAX> {
    type Value = Rows<'de, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Self::Value, A::Error> {
        let mut read = Vec::new();
        while let Some(row) = rows.next_element()? {
            if read.len() == MAX {
                return Err(A::Error::custom(format!(
                    "more than {MAX} rows, as no true answer has"
                )));
            }
            read.push(row);
        }
        Ok(Rows(read))
    }
}

/// The words of a cell: a text without its marks, a number as it stands, nothing for what is
/// missing or `null`.
pub(super) fn text<'a>(cell: Option<&'a RawValue>) -> Cow<'a, str> {
    let raw = cell.map_or("", RawValue::get);
    match serde_json::from_str::<String>(raw) {
        Ok(text) => Cow::Owned(text.trim().to_owned()),
        Err(_) => Cow::Borrowed(raw),
    }
}

/// The whole answer as an object.
pub(super) fn answer<'a, T: Deserialize<'a>>(
    piece: &str,
    bytes: &'a [u8],
) -> Result<T, FetchError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(serde_json::Error::custom);
    text.and_then(object).map_err(|error| malformed(piece, "the answer", &error))
}

/// An object; a list would do for the library, as if it named nothing.
pub(super) fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    if text.trim_start().starts_with('{') {
        serde_json::from_str(text)
    } else {
        Err(serde_json::Error::custom("it is not an object"))
    }
}

/// An answer that does not have its documented shape; the library tells line and column.
pub(super) fn malformed(piece: &str, place: &str, error: &serde_json::Error) -> FetchError {
    FetchError::Malformed {
        source_name: Source::ISYATIRIM,
        piece: piece.to_owned(),
        place: place.to_owned(),
        reason: error.to_string(),
    }
}

/// An answer in which the source says that it failed.
pub(super) fn refused(piece: &str, words: &str) -> FetchError {
    let words = words.trim();
    let reason = if words.is_empty() { "it gives no reason" } else { words };
    FetchError::Refused {
        source_name: Source::ISYATIRIM,
        piece: piece.to_owned(),
        reason: crate::rows::shortened(reason),
    }
}
