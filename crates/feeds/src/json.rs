//! Values of JSON documents that servers write with varying types: numbers as numbers or as text,
//! nothing as `null` or as an empty text.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::decimal::{self, DecimalMark, NumberFault};

/// Elements of one list that are read; a longer one is no answer of any source.
const LENGTH_MAX: usize = 100_000;

/// One value, whatever its type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Cell {
    /// `null`.
    #[default]
    Null,
    /// A number.
    Number(f64),
    /// A text.
    Text(Box<str>),
    /// A list, an object, true or false.
    Other,
}

impl Cell {
    /// The value as text, as a person would write it; empty for `null`.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.trim().to_owned(),
            Self::Other => "{}".to_owned(),
        }
    }

    /// The value by one of the readings of [`decimal`]; `None` when there is none.
    pub(crate) fn decimal<T>(
        &self,
        read: impl Fn(&str, DecimalMark) -> Result<T, NumberFault>,
    ) -> Result<Option<T>, NumberFault> {
        let text = self.text();
        if decimal::is_null(&text) {
            return Ok(None);
        }
        read(&text, DecimalMark::Point).map(Some)
    }

    /// The value as a whole number that is not negative.
    pub(crate) fn whole(&self) -> Option<u64> {
        self.text().parse().ok()
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Cell, E> {
        Ok(Cell::Other)
    }

    #[expect(clippy::cast_precision_loss, reason = "no price or volume comes near 2^53")]
    fn visit_i64<E>(self, number: i64) -> Result<Cell, E> {
        Ok(Cell::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "no price or volume comes near 2^53")]
    fn visit_u64<E>(self, number: u64) -> Result<Cell, E> {
        Ok(Cell::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Cell, E> {
        Ok(Cell::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Cell, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Cell, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell::Other)
    }
}

/// A list whose length is limited, so that a hostile answer cannot fill the memory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column<T>(pub(crate) Vec<T>);

impl<T> Default for Column<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Column<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ColumnVisitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ColumnVisitor<T> {
            type Value = Column<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Column<T>, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    if values.len() == LENGTH_MAX {
                        return Err(A::Error::custom(format!(
                            "a list has more than {LENGTH_MAX} elements"
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

/// Reads a document. `NaN` and `Infinity`, which some servers write although JSON has no such
/// numbers, are read as `null`.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(bytes).or_else(|error| match without_bare_words(bytes) {
        Some(sound) => serde_json::from_slice(&sound),
        None => Err(error),
    })
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
        let cells: Column<Cell> = parse(br#"[null,1,-2.5," 3.5 ",[1,[2]],{"a":{}},true]"#).unwrap();
        let expected = [
            Cell::Null,
            Cell::Number(1.0),
            Cell::Number(-2.5),
            Cell::Text(" 3.5 ".into()),
            Cell::Other,
            Cell::Other,
            Cell::Other,
        ];
        assert_eq!(cells.0, expected);
        assert_eq!(cells.0[3].decimal(decimal::price_units), Ok(Some(35_000)));
        assert_eq!(cells.0[0].decimal(decimal::price_units), Ok(None));
        assert_eq!(cells.0[5].decimal(decimal::price_units), Err(NumberFault::NotANumber));
    }

    #[test]
    fn words_that_are_no_json_numbers_become_null_outside_of_texts_only() {
        let cells: Column<Cell> = parse(br#"[NaN,-Infinity,"NaN\" Infinity",1]"#).unwrap();
        let text = Cell::Text("NaN\" Infinity".into());
        assert_eq!(cells.0, [Cell::Null, Cell::Null, text, Cell::Number(1.0)]);
        assert!(parse::<Column<Cell>>(b"[nan]").is_err());
    }

    #[test]
    fn a_list_without_end_is_refused() {
        let text = format!("[{}1]", "1,".repeat(LENGTH_MAX));
        let error = parse::<Column<Cell>>(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("more than 100000 elements"), "{error}");
    }
}
