//! Corporate actions that were saved as a table: `symbol,date,kind,ratio_or_amount` and, if known,
//! `price_adjust_factor`.
//!
//! A dividend is lira a share before tax, an issue new shares for each old one, a decrease the
//! capital after it divided by the capital before.

use std::collections::BTreeMap;
use std::path::Path;

use bist_market::{CorporateAction, CorporateActionKind, Refusal, RefusedRow, Symbol};
use jiff::civil::Date;

use super::actions::{cash_dividend, decrease, implausible, rights_issue};
use crate::bounded::{filled_lines, read_file};
use crate::csv::{line, text};
use crate::day_rows::{Place, number};
use crate::decimal;
use crate::error::{Broken, Fault, FeedError};
use crate::header::fold;
use crate::moment::{DateOrder, Moment};
use crate::provider::Batch;
use crate::rows::shortened;

/// The most that is read.
const SIZE_BYTES_MAX: u64 = 16 << 20;

/// The columns in the order in which [`Table::cells`] gives them; the last may be missing.
const COLUMNS: [&str; 5] = ["symbol", "date", "kind", "ratio_or_amount", "price_adjust_factor"];

/// Reads a table of corporate actions. Kinds that change no price by themselves, and kinds that are
/// not known, are notes.
///
/// # Errors
///
/// [`FeedError`] when the file cannot be read or understood.
pub fn read_actions_csv(file: &Path) -> Result<Batch, FeedError> {
    let bytes = read_file(file, SIZE_BYTES_MAX)?;
    parse(&file.display().to_string(), bytes).map_err(|broken| broken.of_file(file))
}

fn parse(file: &str, bytes: Vec<u8>) -> Result<Batch, Broken> {
    let text = text::decode(bytes).map_err(|(line, fault)| match line {
        Some(line) => Broken::on_line(line, fault),
        None => fault.into(),
    })?;
    let mut lines = filled_lines(&text);
    let Some(header) = lines.next() else { return Err(Fault::ZeroBytes.into()) };
    let table = Table::of(header?)?;
    let mut batch = Batch { file: file.to_owned(), ..Batch::default() };
    for place in lines {
        let place = place?;
        batch.rows_read += 1;
        let Event { symbol, day, made } = table.read(place, &mut batch.notes)?;
        match made {
            Ok(action) => batch.actions.extend(action),
            Err(reason) => batch.refused.push(RefusedRow {
                file: file.to_owned(),
                line: place.line,
                symbol,
                day,
                text: shortened(place.text),
                reason,
            }),
        }
    }
    batch.actions = with_bonuses_joined(batch.actions);
    Ok(batch)
}

/// The header of the table.
struct Table {
    delimiter: char,
    width: usize,
    /// The index of each of [`COLUMNS`].
    at: [Option<usize>; COLUMNS.len()],
}

impl Table {
    fn of(Place { line, text: header }: Place<'_>) -> Result<Self, Broken> {
        let delimiter = line::delimiter_of(header);
        let names: Vec<String> = header.split(delimiter).map(fold).collect();
        let at = COLUMNS.map(|column| names.iter().position(|name| *name == fold(column)));
        let missing: Vec<&str> = (0..4).filter(|i| at[*i].is_none()).map(|i| COLUMNS[i]).collect();
        if missing.is_empty() {
            return Ok(Self { delimiter, width: names.len(), at });
        }
        let (missing, seen) = (missing.join(", "), shortened(header));
        Err(Broken::on_line(line, Fault::MissingColumns { missing, seen }))
    }

    /// Reads a row; what changes no price is told in `notes`.
    fn read(&self, place: Place<'_>, notes: &mut Vec<String>) -> Result<Event, Broken> {
        let mut fields = Vec::new();
        line::split(place.text, self.delimiter, &mut fields)
            .map_err(|_| Broken::on_line(place.line, Fault::OpenQuote))?;
        let mut event = Event { symbol: None, day: None, made: Ok(None) };
        if fields.len() != self.width {
            let (expected, found) = (self.width as u64, fields.len() as u64);
            event.made = Err(Refusal::FieldCount { expected, found });
            return Ok(event);
        }
        let [code, date, kind, amount, factor] =
            self.at.map(|at| at.map_or("", |index| fields[index].as_ref()));
        event.symbol = Symbol::parse(code).ok();
        event.day = match Moment::parse(date, DateOrder::DayFirst) {
            Some(Moment::Day(day)) => Some(day),
            Some(Moment::Local(_) | Moment::Instant(_)) | None => None,
        };
        event.made = match (event.symbol, event.day) {
            (None, _) => Err(Refusal::NotASymbol { text: shortened(code) }),
            (_, None) => Err(Refusal::NotADate { text: shortened(date) }),
            (Some(symbol), Some(effective_on)) => kind_of(kind, amount, factor).map(|made| {
                if made.is_none() {
                    let kind = shortened(kind);
                    notes.push(format!(
                        "{symbol} {effective_on}: '{kind}' is taken to change no price"
                    ));
                }
                made.map(|kind| CorporateAction { symbol, effective_on, kind })
            }),
        };
        Ok(event)
    }
}

/// What was read of a row.
struct Event {
    symbol: Option<Symbol>,
    day: Option<Date>,
    /// `Ok(None)` for what changes no price.
    made: Result<Option<CorporateAction>, Refusal>,
}

/// What a row makes; `None` for what changes no price.
fn kind_of(kind: &str, amount: &str, factor: &str) -> Result<Option<CorporateActionKind>, Refusal> {
    let field = COLUMNS[3];
    let ratio = || match number(field, amount, decimal::lira)? {
        Some(ratio) if ratio > 0.0 => Ok(ratio),
        Some(_) => Err(implausible(field, amount)),
        None => Err(Refusal::MissingField { field: field.to_owned() }),
    };
    match kind {
        "cash_dividend_gross" | "cash_dividend" => cash_dividend(field, amount, 1).map(Some),
        "bonus_issue" | "bonus_issue_internal" | "bonus_issue_dividend" => {
            Ok(Some(CorporateActionKind::BonusIssue { new_per_old: ratio()? }))
        }
        "rights_issue" => Ok(Some(rights_issue(ratio()?))),
        "split" => Ok(Some(CorporateActionKind::Split { new_per_old: ratio()? })),
        "capital_decrease" => {
            let factor = number(COLUMNS[4], factor, decimal::lira)?;
            decrease(field, ratio()?, factor)
        }
        _ => Ok(None),
    }
}

/// Ordered by share and day, with the bonus issues of one share and day as one: each counts its
/// new shares by the old ones of the evening before, so that the rates add up and do not multiply.
fn with_bonuses_joined(actions: Vec<CorporateAction>) -> Vec<CorporateAction> {
    let mut bonuses: BTreeMap<(Symbol, Date), f64> = BTreeMap::new();
    let mut joined = Vec::with_capacity(actions.len());
    for action in actions {
        match action.kind {
            CorporateActionKind::BonusIssue { new_per_old } => {
                *bonuses.entry((action.symbol, action.effective_on)).or_default() += new_per_old;
            }
            CorporateActionKind::CashDividend { .. }
            | CorporateActionKind::RightsIssue { .. }
            | CorporateActionKind::Split { .. }
            | CorporateActionKind::CapitalDecrease { .. } => joined.push(action),
        }
    }
    joined.extend(bonuses.into_iter().map(|((symbol, effective_on), new_per_old)| {
        let kind = CorporateActionKind::BonusIssue { new_per_old };
        CorporateAction { symbol, effective_on, kind }
    }));
    joined.sort_by_key(|action| (action.symbol, action.effective_on));
    joined
}
