//! Tables as text with commas (RFC 4180).

use std::fmt::Display;

/// A table, line by line.
#[derive(Debug)]
pub(super) struct Csv(String);

impl Csv {
    /// A table with these columns.
    pub(super) fn with(columns: &[&str]) -> Self {
        Self(columns.join(",") + "\r\n")
    }

    /// Adds a line.
    pub(super) fn line(&mut self, cells: &[String]) {
        self.0.push_str(&cells.join(","));
        self.0.push_str("\r\n");
    }

    /// The text.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// The cell of a text that somebody may have chosen. What a spreadsheet would take for a formula gets an
/// apostrophe in front.
pub(super) fn text(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// The cell of a number or an instant; empty when there is none.
pub(super) fn value(value: Option<impl Display>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_somebody_calls_a_key_stays_one_cell_and_no_formula() {
        for (given, cell) in [
            ("nightly", "nightly"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1,A2)", "\"'@SUM(A1,A2)\""),
            ("", ""),
        ] {
            assert_eq!(text(given), cell);
        }
        let mut table = Csv::with(&["a", "b"]);
        table.line(&[value(Some(1.5)), value(None::<u8>)]);
        assert_eq!(table.into_text(), "a,b\r\n1.5,\r\n");
    }
}
