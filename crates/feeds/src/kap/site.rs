//! Answers of the site's own service.

use bist_market::{Disclosure, Refusal, RefusedRow, Source};
use serde::Deserialize;

use super::codes::{Code, symbols};
use super::note_of_codes;
use super::official::{filled, instant_of};
use crate::fetch_error::FetchError;
use crate::json::{self, Cell, Column};
use crate::provider::Batch;
use crate::rows::shortened;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    publish_date: Option<String>,
    kap_title: Option<String>,
    stock_codes: Option<Code>,
    related_stocks: Option<Code>,
    disclosure_class: Option<String>,
    subject: Option<String>,
    summary: Option<String>,
    disclosure_index: Cell,
    is_late: Option<bool>,
}

/// Reads the announcements of a day, ordered by their numbers.
///
/// # Errors
///
/// [`FetchError::Malformed`] when the document is no such list.
pub fn parse_site_disclosures(bytes: &[u8], piece: &str) -> Result<Batch, FetchError> {
    let lines: Column<Line> = json::parse(bytes)
        .map_err(|error| FetchError::malformed(Source::KAP, piece, "the document", error))?;
    let mut batch =
        Batch { file: piece.to_owned(), rows_read: lines.0.len() as u64, ..Batch::default() };
    let mut unreadable_codes = Vec::new();
    for (line, number) in lines.0.into_iter().zip(1..) {
        match read(line) {
            Ok((disclosure, others)) => {
                batch.disclosures.push(disclosure);
                unreadable_codes.extend(others);
            }
            Err((text, reason)) => batch.refused.push(RefusedRow {
                file: piece.to_owned(),
                line: number,
                symbol: None,
                day: None,
                text: shortened(&text),
                reason,
            }),
        }
    }
    batch.disclosures.sort_by_key(|disclosure| disclosure.index);
    batch.disclosures.dedup();
    batch.notes.extend(note_of_codes(&unreadable_codes));
    Ok(batch)
}

fn read(line: Line) -> Result<(Disclosure, Vec<String>), (String, Refusal)> {
    let number = line.disclosure_index.text();
    let Some(index) = line.disclosure_index.whole() else {
        let field = "disclosureIndex".to_owned();
        return Err((number.clone(), Refusal::NotANumber { field, text: shortened(&number) }));
    };
    let time = line.publish_date.unwrap_or_default();
    let Some(published_at) = instant_of(&time) else {
        return Err((number, Refusal::NotADate { text: shortened(&time) }));
    };
    let (symbols, others) = symbols(line.stock_codes.iter().chain(&line.related_stocks));
    let disclosure = Disclosure {
        index,
        published_at,
        symbols,
        sender: filled(line.kap_title).unwrap_or_default(),
        class: filled(line.disclosure_class).unwrap_or_default(),
        subject: filled(line.subject),
        summary: filled(line.summary),
        late: line.is_late,
    };
    Ok((disclosure, others))
}
