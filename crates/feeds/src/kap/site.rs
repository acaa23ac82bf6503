//! The site's own service: its answers, and asking it.

use std::sync::atomic::{AtomicBool, Ordering};

use bist_market::{Disclosure, Refusal, RefusedRow, Source};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use serde_json::json;

use super::codes::{Code, symbols};
use super::note_of_codes;
use super::official::{filled, instant_of};
use crate::fetch_error::FetchError;
use crate::http::{Answer, Expects, HttpClient, Request};
use crate::json::{self, Cell, Column};
use crate::provider::{Batch, Content, Fetched, Piece, Scope, Validators};
use crate::rows::shortened;
use crate::spans::Span;

/// The site; it wants a visitor who has seen its page of questions.
#[derive(Debug, Default)]
pub(super) struct Site {
    has_visited: AtomicBool,
}

/// One piece a day; announcements are made on every day of the week.
pub(super) fn plan(from: Date, to: Date, now: Timestamp) -> Vec<Piece> {
    let days = from.series(1.day()).take_while(|day| *day <= to);
    days.map(|day| Piece {
        key: day.to_string(),
        scope: Scope::Day(day),
        is_final: Span::of(day, day, now).is_final,
    })
    .collect()
}

impl Site {
    /// Fetches the announcements of a day.
    pub(super) async fn fetch(
        &self,
        client: &HttpClient,
        piece: &str,
        day: Date,
    ) -> Result<Fetched, FetchError> {
        let site = client.settings().base_url("site");
        let page_url = format!("{site}/tr/bildirim-sorgu");
        if !self.has_visited.load(Ordering::Relaxed) {
            client.send(&Request::get(&page_url, Expects::Any)).await.map_err(turned_away)?;
            self.has_visited.store(true, Ordering::Relaxed);
        }
        let url = format!("{site}/tr/api/disclosure/members/byCriteria");
        let question = question(day).to_string();
        let request = Request::post(url, "application/json", question, Expects::Json)
            .header("origin", site)
            .header("referer", page_url);
        // A question changes nothing, so it may be asked again.
        let request = Request { idempotent: true, ..request };
        let answer = client.send(&request).await.map_err(|error| {
            self.has_visited.store(false, Ordering::Relaxed);
            turned_away(error)
        })?;
        let content = match answer {
            Answer::NotModified => Content::NotModified,
            Answer::Body { bytes, .. } => match parse_site_disclosures(&bytes, piece)? {
                batch if batch.rows_read == 0 => {
                    Content::Absent { reason: format!("nothing was announced on {day}") }
                }
                batch => Content::Data(Box::new(batch)),
            },
        };
        Ok(Fetched { content, validators: Validators::default(), next: None })
    }
}

/// The site's form, filled in for one day and all companies.
fn question(day: Date) -> serde_json::Value {
    json!({
        "fromDate": day.to_string(), "toDate": day.to_string(), "memberType": "IGS",
        "mkkMemberOidList": [], "inactiveMkkMemberOidList": [], "disclosureClass": "",
        "subjectList": [], "isLate": "", "mainSector": "", "sector": "", "subSector": "",
        "marketOid": "", "index": "", "bdkReview": "", "bdkMemberOidList": [], "year": "",
        "term": "", "ruleType": "", "period": "", "fromSrc": false, "srcCategory": "",
        "disclosureIndexList": [],
    })
}

/// What the site's web firewall says to visitors that it takes for machines.
fn turned_away(error: FetchError) -> FetchError {
    if let FetchError::Status { url, status: status @ (403 | 666), .. } = error {
        let reason = format!("the site's web firewall answered {status}; use the official service");
        return FetchError::Refused { source_name: Source::KAP, piece: url, reason };
    }
    error
}

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
        return Err((number.to_owned(), Refusal::NotANumber { field, text: shortened(number) }));
    };
    let time = line.publish_date.unwrap_or_default();
    let Some(published_at) = instant_of(&time) else {
        return Err((number.to_owned(), Refusal::NotADate { text: shortened(&time) }));
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
