//! What Yahoo calls an instrument.

use bist_market::Symbol;

/// The suffix of exchange rates.
const RATE_SUFFIX: &str = "=X";

/// The suffix of Borsa Istanbul.
const EXCHANGE_SUFFIX: &str = ".IS";

/// What kind of instrument a symbol names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A share or an index of the exchange.
    Listed,
    /// An exchange rate, traded around the clock.
    Rate,
}

/// The kind of `symbol`: a pair of currencies with the lira, such as `USDTRY`, is a rate. No share
/// of the exchange has six letters of which the last three are `TRY`.
pub(super) fn kind_of(symbol: Symbol) -> Kind {
    let text = symbol.as_str();
    let letters = text.len() == 6 && text.bytes().all(|b| b.is_ascii_uppercase());
    if letters && text.ends_with("TRY") { Kind::Rate } else { Kind::Listed }
}

/// Yahoo's name of `symbol`: `THYAO.IS`, `XU100.IS`, `USDTRY=X`.
pub fn ticker_of(symbol: Symbol) -> String {
    let suffix = match kind_of(symbol) {
        Kind::Listed => EXCHANGE_SUFFIX,
        Kind::Rate => RATE_SUFFIX,
    };
    format!("{symbol}{suffix}")
}

/// The symbol that Yahoo's name stands for; `TRY=X` is its short name of `USDTRY=X`. `None` when it
/// is no instrument of the exchange and no rate of the lira.
pub fn symbol_of(ticker: &str) -> Option<Symbol> {
    let (text, kind) = match (ticker.strip_suffix(RATE_SUFFIX), ticker) {
        (_, "TRY=X") => ("USDTRY", Kind::Rate),
        (Some(pair), _) => (pair, Kind::Rate),
        (None, _) => (ticker.strip_suffix(EXCHANGE_SUFFIX)?, Kind::Listed),
    };
    Symbol::parse(text).ok().filter(|symbol| kind_of(*symbol) == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_survives_the_way_to_yahoo_and_back() {
        for (symbol, ticker) in
            [("THYAO", "THYAO.IS"), ("XU100", "XU100.IS"), ("USDTRY", "USDTRY=X")]
        {
            let symbol = Symbol::parse(symbol).unwrap();
            assert_eq!(ticker_of(symbol), ticker);
            assert_eq!(symbol_of(ticker), Some(symbol));
        }
        assert_eq!(symbol_of("TRY=X").map(ticker_of).as_deref(), Some("USDTRY=X"));
        for ticker in ["AAPL", "EURUSD=X", "USDTRY.IS", "", "=X", ".IS"] {
            assert_eq!(symbol_of(ticker), None, "{ticker:?}");
        }
    }
}
