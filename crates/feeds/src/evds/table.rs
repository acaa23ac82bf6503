//! An answer of the data service to observations.

use std::collections::BTreeMap;

use bist_market::bar::day_of;
use bist_market::{Observation, Refusal, RefusedRow, SeriesCode, Source};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use crate::decimal;
use crate::fetch_error::FetchError;
use crate::json::{self, Cell, Column};
use crate::moment::{DateOrder, Moment};
use crate::provider::Batch;
use crate::rows::shortened;

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "totalCount")]
    total_count: Option<Cell>,
    items: Column<Item>,
}

/// The values of all series on one day, by the code of the series with underscores for points, and
/// beside them the day.
#[derive(Deserialize)]
struct Item(BTreeMap<String, Cell>);

/// Seconds since 1970 as the service wraps them.
#[derive(Deserialize)]
struct Wrapped {
    #[serde(rename = "$numberLong")]
    seconds: Cell,
}

/// Reads an answer for `codes`. Days without a value have no observation; a month is its first day.
///
/// # Errors
///
/// [`FetchError::Malformed`] when the document is not such an answer, or holds fewer rows than it
/// says.
pub fn parse_evds(bytes: &[u8], piece: &str, codes: &[SeriesCode]) -> Result<Batch, FetchError> {
    let malformed =
        |place: &str, reason: String| FetchError::malformed(Source::EVDS, piece, place, reason);
    let answer: Answer =
        json::parse(bytes).map_err(|error| malformed("the document", error.to_string()))?;
    let items = answer.items.0;
    let announced = answer.total_count.and_then(|count| count.whole()).unwrap_or_default();
    if announced > items.len() as u64 {
        let reason = format!("{} rows of the {announced} announced", items.len());
        return Err(malformed("items", reason));
    }

    let mut table = Table::new(piece, codes);
    for (item, line) in items.iter().zip(1..) {
        table.add(item, line);
    }
    let mut batch = table.finish();
    batch.rows_read = items.len() as u64;
    Ok(batch)
}

/// One value and the row it stood in; the value is gone once another row contradicts it.
type Said = (u64, Option<f64>);

/// The values while they are gathered.
struct Table<'a> {
    piece: &'a str,
    codes: &'a [SeriesCode],
    /// What each code is called in the rows.
    names: Vec<String>,
    /// By series, as in `codes`, and day.
    values: BTreeMap<(usize, Date), Said>,
    /// Which of the series the rows name at all.
    named: Vec<bool>,
    refused: Vec<RefusedRow>,
}

impl<'a> Table<'a> {
    fn new(piece: &'a str, codes: &'a [SeriesCode]) -> Self {
        let names = codes.iter().map(|code| code.as_str().replace('.', "_")).collect();
        let (values, named, refused) = (BTreeMap::new(), vec![false; codes.len()], Vec::new());
        Self { piece, codes, names, values, named, refused }
    }

    fn add(&mut self, item: &Item, line: u64) {
        let Some(day) = item.day() else {
            let text = item.text("Tarih");
            self.refuse(line, None, text, Refusal::NotADate { text: shortened(text) });
            return;
        };
        for index in 0..self.names.len() {
            let name = &self.names[index];
            let Some(cell) = item.0.get(name) else { continue };
            self.named[index] = true;
            let text = format!("{day} {name}={}", cell.text());
            match cell.decimal(decimal::lira) {
                Ok(None) => {}
                Ok(Some(value)) => self.insert(index, day, line, value, &text),
                Err(fault) => {
                    let reason = fault.refusal(self.codes[index].as_str(), cell.text());
                    self.refuse(line, Some(day), &text, reason);
                }
            }
        }
    }

    fn insert(&mut self, index: usize, day: Date, line: u64, value: f64, text: &str) {
        let (first_line, said) = *self.values.entry((index, day)).or_insert((line, Some(value)));
        if first_line == line {
            return;
        }
        let same = said.is_some_and(|said| said.to_bits() == value.to_bits());
        if same {
            self.refuse(line, Some(day), text, Refusal::DuplicateRow { first_line });
            return;
        }
        if let Some(said) = said {
            let first = format!("{day} {}={said}", self.names[index]);
            let reason = Refusal::ConflictingDuplicate { first_line: line };
            self.refuse(first_line, Some(day), &first, reason);
            self.values.insert((index, day), (first_line, None));
        }
        self.refuse(line, Some(day), text, Refusal::ConflictingDuplicate { first_line });
    }

    fn refuse(&mut self, line: u64, day: Option<Date>, text: &str, reason: Refusal) {
        let (file, text) = (self.piece.to_owned(), shortened(text));
        self.refused.push(RefusedRow { file, line, symbol: None, day, text, reason });
    }

    fn finish(mut self) -> Batch {
        self.refused.sort_by_key(|row| row.line);
        let observation = |((index, day), (_, value)): ((usize, Date), Said)| {
            Some(Observation { series: self.codes[index].clone(), day, value: value? })
        };
        let missing = self.codes.iter().zip(&self.named).filter(|(_, named)| !**named);
        let notes = missing.map(|(code, _)| format!("the answer does not name {code}")).collect();
        Batch {
            file: self.piece.to_owned(),
            observations: self.values.into_iter().filter_map(observation).collect(),
            refused: self.refused,
            notes,
            ..Batch::default()
        }
    }
}

impl Item {
    /// The words of a value; empty when there is none.
    fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", Cell::text)
    }

    /// The day: `30-10-2025`, `2025-10`, or by the clock, which stands at midnight in Istanbul, when
    /// the text is neither.
    fn day(&self) -> Option<Date> {
        let text = self.text("Tarih");
        if let Some(Moment::Day(day)) = Moment::parse(text, DateOrder::DayFirst)
            .or_else(|| Moment::parse(&format!("{text}-01"), DateOrder::DayFirst))
        {
            return Some(day);
        }
        let seconds = self.0.get("UNIXTIME")?;
        let wrapped = json::parse_object::<Wrapped>(seconds.text().as_bytes()).ok();
        let seconds = wrapped.as_ref().map_or(seconds, |wrapped| &wrapped.seconds);
        let seconds = i64::try_from(seconds.whole()?).ok()?;
        let day = day_of(Timestamp::from_second(seconds).ok()?);
        (1900..=2200).contains(&day.year()).then_some(day)
    }
}
