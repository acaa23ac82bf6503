//! JSON as Python's `json` module writes and reads it: beyond ASCII everything is escaped, numbers
//! look as Python prints them, and `NaN` and `Infinity` stand for themselves.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What stands between items, and between a key and its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Separators {
    item: &'static str,
    key: &'static str,
}

/// As in the lines of a journal.
pub(super) const COMPACT: Separators = Separators { item: ",", key: ":" };

/// As in the text of a distribution, which is Python's default.
pub(super) const SPACED: Separators = Separators { item: ", ", key: ": " };

/// The literals of Python that JSON lacks.
const LITERALS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// A number that may be one of the literals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number(pub(super) f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written<'a> {
            Number(f64),
            #[serde(borrow)]
            Literal(Cow<'a, str>),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(Self(number)),
            Written::Literal(text) => match text.as_ref() {
                "NaN" => Ok(Self(f64::NAN)),
                "Infinity" => Ok(Self(f64::INFINITY)),
                "-Infinity" => Ok(Self(f64::NEG_INFINITY)),
                other => Err(D::Error::custom(format!("'{other}' is not a number"))),
            },
        }
    }
}

/// Reads `text`; a literal that JSON lacks is read as the text of that name, which [`Number`]
/// understands.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(&quote_literals(text))
}

/// `text` with each literal that JSON lacks between quotation marks.
fn quote_literals(text: &str) -> Cow<'_, str> {
    if !(text.contains("NaN") || text.contains("Infinity")) {
        return Cow::Borrowed(text);
    }
    let mut quoted = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find(['"', 'N', 'I', '-']) {
        let (before, from) = rest.split_at(at);
        quoted.push_str(before);
        let length = if from.starts_with('"') {
            string_length(from)
        } else if let Some(literal) = LITERALS.iter().find(|literal| from.starts_with(**literal)) {
            quoted.push('"');
            quoted.push_str(literal);
            quoted.push('"');
            rest = &from[literal.len()..];
            continue;
        } else {
            1
        };
        quoted.push_str(&from[..length]);
        rest = &from[length..];
    }
    quoted.push_str(rest);
    Cow::Owned(quoted)
}

/// Bytes of the string that `text` begins with, its quotation marks included.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Writes a string.
pub(super) fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    write_formatted(out, format_args!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

/// Writes a number with a fraction as Python's `repr` does: the shortest digits that give it back,
/// with an exponent below 1e-4 and from 1e16 on.
pub(super) fn write_float(out: &mut String, number: f64) {
    if number.is_nan() {
        out.push_str("NaN");
    } else if number.is_infinite() {
        out.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
    } else if number == 0.0 || (1e-4..1e16).contains(&number.abs()) {
        write_formatted(out, format_args!("{number:?}"));
    } else {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, size) =
            exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
        write_formatted(out, format_args!("{digits}e{sign}{size:0>2}"));
    }
}

/// Writes any JSON.
pub(super) fn write_value(out: &mut String, value: &Value, separators: Separators) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(is) => out.push_str(if *is { "true" } else { "false" }),
        Value::Number(number) if number.is_f64() => {
            write_float(out, number.as_f64().unwrap_or(f64::NAN));
        }
        Value::Number(number) => write_formatted(out, format_args!("{number}")),
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { separators.item });
                write_value(out, item, separators);
            }
            out.push(']');
        }
        Value::Object(members) => write_object(out, members, separators, |out, value| {
            write_value(out, value, separators);
        }),
    }
}

/// Writes an object of `members`, each value as `write` does.
pub(super) fn write_object<'a, V: 'a>(
    out: &mut String,
    members: impl IntoIterator<Item = (&'a String, &'a V)>,
    separators: Separators,
    write: impl Fn(&mut String, &V),
) {
    out.push('{');
    for (index, (key, value)) in members.into_iter().enumerate() {
        out.push_str(if index == 0 { "" } else { separators.item });
        write_text(out, key);
        out.push_str(separators.key);
        write(out, value);
    }
    out.push('}');
}

/// Writing to a string cannot fail.
pub(super) fn write_formatted(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _infallible = out.write_fmt(arguments);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_python_prints_them() {
        let check = |number: f64, expected: &str| {
            let mut out = String::new();
            write_float(&mut out, number);
            assert_eq!(out, expected);
        };
        check(0.0, "0.0");
        check(-0.0, "-0.0");
        check(3.0, "3.0");
        check(0.1 + 0.2, "0.30000000000000004");
        check(0.0001, "0.0001");
        check(0.000_012_5, "1.25e-05");
        check(1e-5, "1e-05");
        check(-1e-300, "-1e-300");
        check(1e15, "1000000000000000.0");
        check(1e16, "1e+16");
        check(1.5e300, "1.5e+300");
        check(f64::NAN, "NaN");
        check(f64::NEG_INFINITY, "-Infinity");
    }

    #[test]
    fn texts_beyond_ascii_are_escaped() {
        let mut out = String::new();
        write_text(&mut out, "çalışma \"1\"\n\u{7f}\u{1f600}\\");
        assert_eq!(out, r#""\u00e7al\u0131\u015fma \"1\"\n\u007f\ud83d\ude00\\""#);
        assert_eq!(
            serde_json::from_str::<String>(&out).unwrap(),
            "çalışma \"1\"\n\u{7f}\u{1f600}\\"
        );
    }

    #[test]
    fn literals_are_read_and_texts_that_look_like_them_stay() {
        let read: Value =
            parse(r#"{"a":NaN,"b":[-Infinity,Infinity,-1],"c":"NaN \" Infinity","NaN":"x\\"}"#)
                .unwrap();
        assert_eq!(
            read,
            serde_json::json!({
                "a": "NaN", "b": ["-Infinity", "Infinity", -1], "c": "NaN \" Infinity", "NaN": "x\\"
            })
        );
        let numbers: Vec<Number> = parse("[NaN, -Infinity, 2, 0.5]").unwrap();
        assert!(numbers[0].0.is_nan());
        assert_eq!(numbers[1..], [Number(f64::NEG_INFINITY), Number(2.0), Number(0.5)]);
        assert!(parse::<Value>("[NaN").is_err());
    }
}
