//! Corporate actions (`GetSermayeArttirimlari`).
//!
//! Rates are per cent of the nominal value of 1 TRY: a dividend of 125 % is 1.25 TRY a share, a
//! bonus issue of 100 % one new share for each old one. New shares against money are offered at
//! their nominal value of 1 TRY; an issue at another price cannot be told from the answer.

use std::collections::BTreeMap;

use bist_market::bar::day_of;
use bist_market::price::UNITS_PER_LIRA;
use bist_market::{CorporateAction, CorporateActionKind, Price, Refusal, RefusedRow, Symbol};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{malformed, refused};
use crate::day_rows::number;
use crate::decimal;
use crate::fetch_error::FetchError;
use crate::json::{self, Cell, Column, parse_object};
use crate::provider::Batch;
use crate::rows::shortened;

/// The most rows that are read; a share has had a hundred events at most.
const ROWS_MAX: usize = 5_000;

/// How far the vendor's factor may be from that of the event: its rates have seven digits.
const FACTOR_TOLERANCE_SHARE: f64 = 1e-4;

#[derive(Deserialize)]
struct Envelope {
    /// JSON as a text, or as it is.
    d: Option<Box<RawValue>>,
    /// What the server says instead when it failed.
    #[serde(rename = "Message", default)]
    message: Cell,
}

/// The cells of a row that we use, by the source's own names.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
struct Cells {
    shhe_hs_kodu: Cell,
    /// Milliseconds since 1970.
    shhe_tarih: Cell,
    /// The kind of the event.
    sht_kodu: Cell,
    /// The same in words.
    sht_tanimi: Cell,
    /// Cash dividend, gross.
    shhe_nakit_tm_oran: Cell,
    /// New shares against money.
    shhe_bdli_oran: Cell,
    /// New shares for nothing, out of reserves.
    shhe_bdsz_ik_oran: Cell,
    /// New shares for nothing, as a dividend.
    shhe_bdsz_tm_oran: Cell,
    /// The vendor's factor on earlier prices.
    shhe_fiyat_ayar_or: Cell,
    /// Capital before and after, lira.
    hsp_bolunme_oncesi_sermaye: Cell,
    hsp_bolunme_sonrasi_sermaye: Cell,
}

/// Reads the corporate actions of a share; `piece` names the answer in messages.
///
/// Restricted placements, mergers, listings and events of unknown kind change no price by
/// themselves; each is a note. The list is complete unless a row could not be read.
///
/// # Errors
///
/// [`FetchError::Refused`] when the source says that it failed, [`FetchError::Malformed`] when the
/// answer does not have its documented shape.
pub fn parse_sermaye(piece: &str, bytes: &[u8]) -> Result<Batch, FetchError> {
    let envelope: Envelope =
        parse_object(bytes).map_err(|error| malformed(piece, "the answer", error))?;
    let Some(inner) = envelope.d else { return Err(refused(piece, envelope.message.text())) };
    let Column(rows): Column<Box<RawValue>, ROWS_MAX> = json::parse(json::words(&inner).as_bytes())
        .map_err(|error| malformed(piece, "the field d", error))?;

    let mut batch =
        Batch { file: piece.to_owned(), rows_read: rows.len() as u64, ..Batch::default() };
    let mut first_lines: BTreeMap<&str, u64> = BTreeMap::new();
    for (line, row) in (1_u64..).zip(&rows) {
        let cells: Cells = parse_object(row.get().as_bytes())
            .map_err(|error| malformed(piece, &format!("row {line} of the field d"), error))?;
        let first_line = *first_lines.entry(row.get()).or_insert(line);
        let actions = if first_line == line {
            actions(&cells, &mut batch.notes)
        } else {
            Err(Refusal::DuplicateRow { first_line })
        };
        match actions {
            Ok(actions) => batch.actions.extend(actions),
            Err(reason) => batch.refused.push(RefusedRow {
                file: piece.to_owned(),
                line,
                symbol: symbol(&cells).ok(),
                day: day(&cells).ok(),
                text: shortened(row.get()),
                reason,
            }),
        }
    }
    batch.actions.sort_by_key(|action| (action.symbol, action.effective_on));
    let said_twice = |row: &RefusedRow| matches!(row.reason, Refusal::DuplicateRow { .. });
    batch.actions_are_complete = batch.refused.iter().all(said_twice);
    Ok(batch)
}

/// What one row makes: none, one or several actions of a day. A row without any is told in `notes`.
fn actions(cells: &Cells, notes: &mut Vec<String>) -> Result<Vec<CorporateAction>, Refusal> {
    let (symbol, day) = (symbol(cells)?, day(cells)?);
    let code = format!("{:0>2}", cells.sht_kodu.text());
    let kinds = match code.as_str() {
        "01" | "02" | "03" | "04" | "05" | "06" | "09" => issues_and_dividends(cells)?,
        "78" => capital_decrease(cells)?.into_iter().collect(),
        // 07, 90 and 99 are restricted placement, merger and listing.
        _ => Vec::new(),
    };
    let factor = number("SHHE_FIYAT_AYAR_OR", cells.shhe_fiyat_ayar_or.text(), decimal::lira)?;
    if kinds.is_empty() {
        let title = shortened(cells.sht_tanimi.text());
        notes.push(format!("{symbol} {day}: '{title}' ({code}) is taken to change no price"));
    }
    if let ([kind], Some(factor)) = (kinds.as_slice(), factor)
        && let Some(own) = factor_of(kind)
        && (factor / own - 1.0).abs() > FACTOR_TOLERANCE_SHARE
    {
        let code = kind.code();
        notes.push(format!(
            "{symbol} {day}: the factor given with the {code} is {factor}, and that of its rate {own}"
        ));
    }
    let action = |kind| CorporateAction { symbol, effective_on: day, kind };
    Ok(kinds.into_iter().map(action).collect())
}

/// A dividend, shares for nothing, shares against money: whatever has a rate.
fn issues_and_dividends(cells: &Cells) -> Result<Vec<CorporateActionKind>, Refusal> {
    let dividend = rate("SHHE_NAKIT_TM_ORAN", &cells.shhe_nakit_tm_oran)?;
    let rights = rate("SHHE_BDLI_ORAN", &cells.shhe_bdli_oran)?;
    let bonus = rate("SHHE_BDSZ_IK_ORAN", &cells.shhe_bdsz_ik_oran)?
        + rate("SHHE_BDSZ_TM_ORAN", &cells.shhe_bdsz_tm_oran)?;
    let mut kinds = Vec::new();
    if dividend > 0.0 {
        let text = cells.shhe_nakit_tm_oran.text();
        kinds.push(cash_dividend("SHHE_NAKIT_TM_ORAN", text, 100)?);
    }
    if rights > 0.0 {
        kinds.push(rights_issue(rights));
    }
    if bonus > 0.0 {
        kinds.push(CorporateActionKind::BonusIssue { new_per_old: bonus });
    }
    if kinds.is_empty() {
        let field = "every rate".to_owned();
        return Err(Refusal::MissingField { field });
    }
    Ok(kinds)
}

/// A decrease of the capital; `None` when the vendor gives it the factor 1, as it does when the
/// company cancels shares that it holds itself.
fn capital_decrease(cells: &Cells) -> Result<Option<CorporateActionKind>, Refusal> {
    let capital = |field: &str, cell: &Cell| {
        number(field, cell.text(), decimal::lira)?
            .ok_or_else(|| Refusal::MissingField { field: field.to_owned() })
    };
    let rights = cells.shhe_bdli_oran.text();
    if number("SHHE_BDLI_ORAN", rights, decimal::lira)?.is_some_and(|rate| rate > 0.0) {
        // What was paid in at the same time cannot be told from what was cancelled.
        return Err(implausible("SHHE_BDLI_ORAN", rights));
    }
    let factor = number("SHHE_FIYAT_AYAR_OR", cells.shhe_fiyat_ayar_or.text(), decimal::lira)?;
    let before = capital("HSP_BOLUNME_ONCESI_SERMAYE", &cells.hsp_bolunme_oncesi_sermaye)?;
    let after = capital("HSP_BOLUNME_SONRASI_SERMAYE", &cells.hsp_bolunme_sonrasi_sermaye)?;
    decrease("HSP_BOLUNME_SONRASI_SERMAYE", after / before, factor)
}

/// The dividend of a cell whose number divided by `divisor` is lira a share.
pub(crate) fn cash_dividend(
    field: &str,
    text: &str,
    divisor: i64,
) -> Result<CorporateActionKind, Refusal> {
    let units = number(field, text, decimal::price_units)?.unwrap_or(0);
    let rounded = units.saturating_add(divisor / 2) / divisor;
    match Price::from_units(rounded) {
        Ok(per_share) => Ok(CorporateActionKind::CashDividend { per_share }),
        Err(_) => Err(implausible(field, text)),
    }
}

/// New shares at their nominal value.
pub(crate) fn rights_issue(new_per_old: f64) -> CorporateActionKind {
    let subscription = Price::from_units(UNITS_PER_LIRA).expect("one lira is a price");
    CorporateActionKind::RightsIssue { new_per_old, subscription }
}

/// A decrease to this share of the capital, unless the vendor says that prices stay.
pub(crate) fn decrease(
    field: &str,
    new_per_old: f64,
    factor: Option<f64>,
) -> Result<Option<CorporateActionKind>, Refusal> {
    if !(new_per_old > 0.0 && new_per_old < 1.0) {
        return Err(implausible(field, &new_per_old.to_string()));
    }
    let stays = factor.is_some_and(|factor| (factor - 1.0).abs() < FACTOR_TOLERANCE_SHARE);
    Ok((!stays).then_some(CorporateActionKind::CapitalDecrease { new_per_old }))
}

/// What earlier prices are multiplied by, for kinds that need no price to tell.
fn factor_of(kind: &CorporateActionKind) -> Option<f64> {
    match kind {
        CorporateActionKind::BonusIssue { new_per_old } => Some(1.0 / (1.0 + new_per_old)),
        CorporateActionKind::Split { new_per_old }
        | CorporateActionKind::CapitalDecrease { new_per_old } => Some(1.0 / new_per_old),
        CorporateActionKind::CashDividend { .. } | CorporateActionKind::RightsIssue { .. } => None,
    }
}

pub(crate) fn implausible(field: &str, text: &str) -> Refusal {
    Refusal::Implausible { field: field.to_owned(), text: shortened(text) }
}

/// A rate in per cent as a share of one; zero when there is none.
fn rate(field: &str, cell: &Cell) -> Result<f64, Refusal> {
    let text = cell.text();
    let rate = number(field, text, decimal::lira)?.unwrap_or(0.0);
    if rate < 0.0 { Err(implausible(field, text)) } else { Ok(rate / 100.0) }
}

fn symbol(cells: &Cells) -> Result<Symbol, Refusal> {
    let code = cells.shhe_hs_kodu.text();
    Symbol::parse(code).map_err(|_| Refusal::NotASymbol { text: shortened(code) })
}

/// The day in Istanbul.
fn day(cells: &Cells) -> Result<Date, Refusal> {
    let text = cells.shhe_tarih.text();
    number("SHHE_TARIH", text, decimal::shares)?
        .and_then(|at_ms| Timestamp::from_millisecond(at_ms).ok())
        .map(day_of)
        .filter(|day| (1900..=2200).contains(&day.year()))
        .ok_or_else(|| Refusal::NotADate { text: shortened(text) })
}
