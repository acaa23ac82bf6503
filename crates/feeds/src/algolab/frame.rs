//! What the broker says on the WebSocket, and what we say.

use bist_access::Secret;
use bist_market::{Price, Quote, QuoteRefusal, Symbol};
use serde::Deserialize;
use serde_json::json;

use crate::decimal;
use crate::json::{self, Cell};
use crate::moment::{DateOrder, Moment};

/// What was understood of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A trade.
    Trade(Quote),
    /// Something that we did not ask for, or that says that the broker is there.
    Other,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    r#type: String,
    #[serde(default)]
    content: Cell,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Trade {
    symbol: Cell,
    price: Cell,
    date: Cell,
    ref_price: Cell,
}

/// Reads a message.
///
/// # Errors
///
/// [`QuoteRefusal`] when it is no message of the broker, or a trade without a price.
pub(super) fn read(text: &str) -> Result<Frame, QuoteRefusal> {
    let unreadable = |_| QuoteRefusal::Unreadable;
    let envelope: Envelope = json::parse_object(text.as_bytes()).map_err(unreadable)?;
    if envelope.r#type != "T" {
        return Ok(Frame::Other);
    }
    let trade: Trade =
        json::parse_object(envelope.content.text().as_bytes()).map_err(unreadable)?;
    let units = trade.price.decimal(decimal::price_units).map_err(|_| QuoteRefusal::Unreadable)?;
    let units = units.ok_or(QuoteRefusal::Unreadable)?;
    let price = Price::from_units(units).map_err(|_| QuoteRefusal::NotAPrice)?;
    let at = Moment::parse(trade.date.text(), DateOrder::DayFirst).and_then(Moment::instant);
    let base = trade.ref_price.decimal(decimal::price_units).ok().flatten();
    Ok(Frame::Trade(Quote {
        symbol: Symbol::parse(trade.symbol.text()).map_err(|_| QuoteRefusal::UnknownSymbol)?,
        price,
        at: at.ok_or(QuoteRefusal::Unreadable)?,
        // Zero where there is none.
        base: base.and_then(|units| Price::from_units(units).ok()),
    }))
}

/// Asks for the trades of `symbols`.
pub(super) fn subscription(session: &Secret, symbols: &[Symbol]) -> String {
    let symbols: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    json!({"Type": "T", "Token": session.expose(), "Symbols": symbols}).to_string()
}

/// Says that we are there.
pub(super) fn heartbeat(session: &Secret) -> String {
    json!({"Type": "H", "Token": session.expose()}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRADE: &str = r#"{"Type":"T","Content":{"Symbol":"AAAAA","Market":"IMKBH","Price":101.25,"Change":1.35,
        "Ask":101.25,"Bid":101.2,"Date":"2025-10-30T14:46:35+03:00","RefPrice":99.9,"Direction":"B"}}"#;

    #[test]
    fn a_trade_has_its_price_its_time_and_the_base_of_the_day() {
        let Ok(Frame::Trade(quote)) = read(TRADE) else { panic!("no trade") };
        assert_eq!((quote.symbol.as_str(), quote.price.units()), ("AAAAA", 1_012_500));
        assert_eq!(quote.base.map(Price::units), Some(999_000));
        assert_eq!(quote.at.to_string(), "2025-10-30T11:46:35Z");
        // Numbers may be texts, and a time without an offset is that of Istanbul.
        let other = TRADE.replace("101.25,\"Ch", "\"101.25\",\"Ch").replace("+03:00", "");
        assert_eq!(read(&other), Ok(Frame::Trade(quote)));
        let without = TRADE.replace("99.9", "0.0");
        assert_eq!(read(&without), Ok(Frame::Trade(Quote { base: None, ..quote })));
    }

    #[test]
    fn whatever_else_is_said_is_no_trade() {
        for text in [
            r#"{"Type":"H"}"#,
            r#"{"Type":"D","Content":{"Symbol":"AAAAA","Price":101.2}}"#,
            r#"{"Type":"O","Content":{"Id":"1","Date":"2025-10-30T15:30:25.61"}}"#,
        ] {
            assert_eq!(read(text), Ok(Frame::Other), "{text}");
        }
    }

    #[test]
    fn garbage_is_counted_by_what_is_wrong() {
        for (text, why) in [
            ("", QuoteRefusal::Unreadable),
            ("<html>Will be right back</html>", QuoteRefusal::Unreadable),
            ("[]", QuoteRefusal::Unreadable),
            ("{}", QuoteRefusal::Unreadable),
            (r#"{"Type":7}"#, QuoteRefusal::Unreadable),
            (r#"{"Type":"T"}"#, QuoteRefusal::Unreadable),
            (r#"{"Type":"T","Content":[1]}"#, QuoteRefusal::Unreadable),
            (
                r#"{"Type":"T","Content":{"Symbol":"AAAAA","Price":{},"Date":"2025-10-30T14:46:35"}}"#,
                QuoteRefusal::Unreadable,
            ),
            (
                r#"{"Type":"T","Content":{"Symbol":"AAAAA","Price":1,"Date":"yesterday"}}"#,
                QuoteRefusal::Unreadable,
            ),
            (
                r#"{"Type":"T","Content":{"Symbol":"AAAAA","Price":1e999,"Date":"2025-10-30T14:46:35"}}"#,
                QuoteRefusal::Unreadable,
            ),
            (
                r#"{"Type":"T","Content":{"Symbol":"AAAAA","Price":0.0,"Date":"2025-10-30T14:46:35"}}"#,
                QuoteRefusal::NotAPrice,
            ),
            (
                r#"{"Type":"T","Content":{"Symbol":"AAAAA","Price":-1,"Date":"2025-10-30T14:46:35"}}"#,
                QuoteRefusal::NotAPrice,
            ),
            (
                r#"{"Type":"T","Content":{"Symbol":"A A","Price":1,"Date":"2025-10-30T14:46:35"}}"#,
                QuoteRefusal::UnknownSymbol,
            ),
        ] {
            assert_eq!(read(text), Err(why), "{text}");
        }
    }

    #[test]
    fn we_name_the_session_and_what_we_want() {
        let symbols = [Symbol::parse("AAAAA").unwrap(), Symbol::parse("BBBBB").unwrap()];
        let session = Secret::new("hash");
        assert_eq!(
            subscription(&session, &symbols),
            r#"{"Symbols":["AAAAA","BBBBB"],"Token":"hash","Type":"T"}"#
        );
        assert_eq!(heartbeat(&session), r#"{"Token":"hash","Type":"H"}"#);
    }
}
