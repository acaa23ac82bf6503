//! The central bank's daily exchange rates, which need no key: one XML document a business day.

use std::collections::BTreeMap;

use bist_market::{Observation, Refusal, RefusedRow, SeriesCode, Source};
use jiff::civil::Date;
use roxmltree::{Document, Node, ParsingOptions};

use crate::decimal::{self, DecimalMark};
use crate::fetch_error::FetchError;
use crate::moment::{DateOrder, Moment};
use crate::provider::Batch;
use crate::rows::shortened;

/// The largest document that is read; a day's rates have about 15 KB. The library compares each
/// attribute of an element with all before it, which of a large element takes for ever.
const SIZE_BYTES_MAX: usize = 256 << 10;

/// Nodes of a document that are read; a day's rates have about a thousand.
const NODES_MAX: u32 = 50_000;

/// The elements of a currency that are read, and the middle of the series' names.
const KINDS: [(&str, &str); 2] = [("ForexBuying", "A"), ("ForexSelling", "S")];

/// Reads the rates that were announced on `day`: lira for one unit of each currency.
///
/// They are named as the data service names them, `TP.DK.USD.A.YTL` for buying and
/// `TP.DK.USD.S.YTL` for selling dollars.
///
/// Definitions of entities are refused, so that a document cannot grow while it is read.
///
/// # Errors
///
/// [`FetchError::Malformed`] when it is no such document, or that of another day.
pub fn parse_rates_xml(bytes: &[u8], piece: &str, day: Date) -> Result<Batch, FetchError> {
    let malformed =
        |place: &str, reason: String| FetchError::malformed(Source::EVDS, piece, place, reason);
    if bytes.len() > SIZE_BYTES_MAX {
        let reason = format!("it is larger than {SIZE_BYTES_MAX} bytes, as no true one is");
        return Err(malformed("the document", reason));
    }
    // Old documents are in a Turkish encoding; only ASCII is read of them.
    let text = String::from_utf8_lossy(bytes);
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..Default::default() };
    let document = Document::parse_with_options(text.trim_start_matches('\u{feff}'), options)
        .map_err(|error| malformed("the document", error.to_string()))?;
    let root = document.root_element();
    let said = root.attribute("Tarih").unwrap_or_default();
    if Moment::parse(said, DateOrder::DayFirst) != Some(Moment::Day(day)) {
        return Err(malformed("Tarih_Date: Tarih", format!("'{said}' instead of {day}")));
    }

    let mut batch = Batch { file: piece.to_owned(), ..Batch::default() };
    let mut observations = BTreeMap::new();
    // Where the last refused currency began; the next one stands below it.
    let (mut line, mut begin) = (1, 0);
    for currency in root.children().filter(|node| node.has_tag_name("Currency")) {
        batch.rows_read += 1;
        match rates_of(currency) {
            Ok(rates) => observations.extend(rates),
            Err(reason) => {
                let range = currency.range();
                let between = &document.input_text().as_bytes()[begin..range.start];
                line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
                begin = range.start;
                batch.refused.push(RefusedRow {
                    file: piece.to_owned(),
                    line,
                    symbol: None,
                    day: Some(day),
                    text: shortened(&document.input_text()[range]),
                    reason,
                });
            }
        }
    }
    batch.observations = observations
        .into_iter()
        .map(|(series, value)| Observation { series, day, value })
        .collect();
    Ok(batch)
}

/// The rates of one currency; those that the bank does not announce are absent.
fn rates_of(currency: Node<'_, '_>) -> Result<Vec<(SeriesCode, f64)>, Refusal> {
    let code = currency.attribute("Kod").or(currency.attribute("CurrencyCode")).unwrap_or_default();
    let Some(unit) = number(currency, "Unit")?.filter(|unit| *unit > 0.0) else {
        return Err(Refusal::MissingField { field: "Unit".to_owned() });
    };
    let mut rates = Vec::new();
    for (element, kind) in KINDS {
        let series = SeriesCode::parse(&format!("TP.DK.{code}.{kind}.YTL"))
            .map_err(|_| Refusal::NotASymbol { text: shortened(code) })?;
        let value = number(currency, element)?.map(|rate| rate / unit);
        rates.extend(value.filter(|value| *value > 0.0).map(|value| (series, value)));
    }
    Ok(rates)
}

fn number(currency: Node<'_, '_>, name: &str) -> Result<Option<f64>, Refusal> {
    let element = currency.children().find(|node| node.has_tag_name(name));
    let text = element.and_then(|element| element.text()).unwrap_or_default().trim();
    if decimal::is_null(text) {
        return Ok(None);
    }
    decimal::lira(text, DecimalMark::Point).map(Some).map_err(|fault| fault.refusal(name, text))
}
