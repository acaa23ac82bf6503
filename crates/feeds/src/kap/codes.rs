//! The shares that an announcement is about.

use std::collections::BTreeSet;

use bist_market::Symbol;
use serde::Deserialize;

/// A code as the platform writes it: by itself, inside an object, several after commas.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Code {
    /// `ISATR, ISBTR, ISCTR`
    Text(String),
    /// `{"code": "AAAAA"}`
    Named {
        /// The code.
        code: Option<String>,
    },
}

/// The symbols of `codes`, each once and in their order, and the codes that are none: those of
/// funds and of companies whose shares are not listed may have other characters.
pub(super) fn symbols<'a>(codes: impl Iterator<Item = &'a Code>) -> (Vec<Symbol>, Vec<String>) {
    let (mut symbols, mut others, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for code in codes {
        let (Code::Text(text) | Code::Named { code: Some(text) }) = code else { continue };
        for code in text.split(',').map(str::trim).filter(|code| !code.is_empty() && *code != "-") {
            match Symbol::parse(code) {
                Ok(symbol) if seen.insert(symbol) => symbols.push(symbol),
                Ok(_) => {}
                Err(_) => others.push(code.to_owned()),
            }
        }
    }
    (symbols, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_codes_are_read_in_their_order() {
        let codes: Vec<Code> = serde_json::from_str(
            r#"["ISATR, ISBTR,ISCTR", {"code":"ISCTR"}, {"code":null}, "-", "A/B"]"#,
        )
        .unwrap();
        let (symbols, others) = symbols(codes.iter());
        assert_eq!(
            symbols.iter().map(Symbol::as_str).collect::<Vec<_>>(),
            ["ISATR", "ISBTR", "ISCTR"]
        );
        assert_eq!(others, ["A/B"]);
    }
}
