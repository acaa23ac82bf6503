//! Values of JSON documents that servers write with varying types: numbers as numbers or as text,
//! nothing as `null` or as an empty text. Rows and cells are kept by their words and understood one
//! by one, so that a bad one is refused and not the answer.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::decimal::{self, DecimalMark, NumberFault};

/// Elements of one list that are read where nothing smaller is known; a longer one is no answer of
/// any source.
const LENGTH_MAX: usize = 100_000;

/// One value, whatever its type, by its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell(Box<str>);

impl Cell {
    /// A text without its marks and the blanks around it, a number as it stands, the JSON of
    /// anything else; empty for `null`.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// The value by one of the readings of [`decimal`]; `None` when there is none.
    pub(crate) fn decimal<T>(
        &self,
        read: impl Fn(&str, DecimalMark) -> Result<T, NumberFault>,
    ) -> Result<Option<T>, NumberFault> {
        if decimal::is_null(&self.0) {
            return Ok(None);
        }
        read(&self.0, DecimalMark::Point).map(Some)
    }

    /// The value as a whole number that is not negative.
    pub(crate) fn whole(&self) -> Option<u64> {
        self.0.parse().ok()
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|value| Self(words(value).into()))
    }
}

/// A text without its marks and the blanks around it; anything else as it stands, `null` as nothing.
pub(crate) fn words(value: &RawValue) -> String {
    let raw = value.get();
    if raw == "null" {
        return String::new();
    }
    match raw.starts_with('"').then(|| serde_json::from_str::<String>(raw)) {
        Some(Ok(text)) => text.trim().to_owned(),
        // A text that escapes half a character is none.
        Some(Err(_)) | None => raw.to_owned(),
    }
}

/// A list whose length is limited, so that a hostile answer cannot fill the memory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column<T, const MAX: usize = LENGTH_MAX>(pub(crate) Vec<T>);

impl<T, const MAX: usize> Default for Column<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Column<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ColumnVisitor<T, const MAX: usize>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for ColumnVisitor<T, MAX> {
            type Value = Column<T, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    if values.len() == MAX {
                        return Err(A::Error::custom(format!(
                            "a list has more than {MAX} elements, as no true answer has"
                        )));
                    }
                    values.push(value);
                }
                Ok(Column(values))
            }
        }

        deserializer.deserialize_seq(ColumnVisitor(std::marker::PhantomData))
    }
}

/// Reads a document, with or without a byte order mark. `NaN` and `Infinity`, which some servers
/// write although JSON has no such numbers, are read as `null`.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).or_else(|error| match without_bare_words(bytes) {
        Some(sound) => serde_json::from_slice(&sound),
        None => Err(error),
    })
}

/// Reads a document that must be an object; a list would do for the library, as if it named nothing.
pub(crate) fn parse_object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if text.trim_ascii_start().starts_with(b"{") {
        parse(text)
    } else {
        Err(serde_json::Error::custom("it is not an object"))
    }
}

/// The document with `null` for each bare `NaN` and `Infinity`; `None` when it has none.
fn without_bare_words(bytes: &[u8]) -> Option<Vec<u8>> {
    const WORDS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    let mut sound = Vec::with_capacity(bytes.len());
    let (mut at, mut in_text, mut found) = (0, false, false);
    while let Some(byte) = bytes.get(at) {
        let word = WORDS.iter().find(|word| !in_text && bytes[at..].starts_with(word));
        if let Some(word) = word {
            sound.extend_from_slice(b"null");
            at += word.len();
            found = true;
            continue;
        }
        sound.push(*byte);
        at += 1;
        if in_text && *byte == b'\\' {
            sound.extend(bytes.get(at));
            at += 1;
        } else if *byte == b'"' {
            in_text = !in_text;
        }
    }
    found.then_some(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_takes_every_type() {
        let list = br#"[null,1,-2.50,1e999," 3.5 ",[1,[2]],{"a":{}},true,"\ud800"]"#;
        let cells: Column<Cell> = parse(list).unwrap();
        let texts: Vec<&str> = cells.0.iter().map(Cell::text).collect();
        let expected =
            ["", "1", "-2.50", "1e999", "3.5", "[1,[2]]", "{\"a\":{}}", "true", "\"\\ud800\""];
        assert_eq!(texts, expected);
        assert_eq!(cells.0[4].decimal(decimal::price_units), Ok(Some(35_000)));
        assert_eq!(cells.0[0].decimal(decimal::price_units), Ok(None));
        assert_eq!(cells.0[3].decimal(decimal::price_units), Err(NumberFault::TooLarge));
        assert_eq!(cells.0[5].decimal(decimal::price_units), Err(NumberFault::NotANumber));
    }

    #[test]
    fn words_that_are_no_json_numbers_become_null_outside_of_texts_only() {
        let cells: Column<Cell> = parse(br#"[NaN,-Infinity,"NaN\" Infinity",1]"#).unwrap();
        let texts: Vec<&str> = cells.0.iter().map(Cell::text).collect();
        assert_eq!(texts, ["", "", "NaN\" Infinity", "1"]);
        assert!(parse::<Column<Cell>>(b"[nan]").is_err());
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_document() {
        assert_eq!(parse::<Column<Cell>>(b"\xef\xbb\xbf[1]").unwrap().0.len(), 1);
        let object: std::collections::BTreeMap<String, Cell> =
            parse_object(b"\xef\xbb\xbf {\"a\":1}").unwrap();
        assert_eq!(object["a"].text(), "1");
    }

    #[test]
    fn a_list_is_not_taken_for_an_object() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(default)]
        #[derive(Default)]
        struct Answer {
            value: Cell,
        }
        assert_eq!(parse::<Answer>(b"[7]").unwrap().value.text(), "7");
        let error = parse_object::<Answer>(b"[7]").unwrap_err().to_string();
        assert_eq!(error, "it is not an object");
    }

    #[test]
    fn a_list_without_end_is_refused() {
        let text = format!("[{}1]", "1,".repeat(LENGTH_MAX));
        let error = parse::<Column<Cell>>(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("more than 100000 elements"), "{error}");
        let error = parse::<Column<Cell, 2>>(b"[1,2,3]").unwrap_err().to_string();
        assert!(error.contains("more than 2 elements"), "{error}");
    }
}
