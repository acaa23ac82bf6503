//! Answers of the official service (VYK).

use bist_market::{Disclosure, Source};
use jiff::Timestamp;
use serde::Deserialize;

use super::codes::{Code, symbols};
use crate::fetch_error::FetchError;
use crate::json::{self, Cell, Column};
use crate::moment::{DateOrder, Moment};

/// One line of a page of announcements; the rest stands in its detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDisclosure {
    /// The platform's number.
    pub index: u64,
    /// The platform's class.
    pub class: String,
    /// Who published it.
    pub sender: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    disclosure_index: Cell,
    disclosure_class: Option<String>,
    title: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Last {
    last_disclosure_index: Cell,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    disclosure_index: Option<Cell>,
    sender_title: Option<String>,
    sender_exch_codes: Option<Column<Code>>,
    behalf_sender_exch_codes: Option<Column<Code>>,
    related_stocks: Option<Column<Code>>,
    disclosure_class: Option<String>,
    subject: Option<Words>,
    summary: Option<Words>,
    time: String,
}

/// A text, alone or in two languages.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    Text(String),
    ByLanguage { tr: Option<String>, en: Option<String> },
}

impl Words {
    /// The Turkish text, or else the English one; `None` when there is none.
    fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => filled(Some(text)),
            Self::ByLanguage { tr, en } => filled(tr).or_else(|| filled(en)),
        }
    }
}

/// The text without the blanks around it, if anything is left.
pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The instant of `30.10.2025 18:05:11` on the clocks of Istanbul.
pub(super) fn instant_of(time: &str) -> Option<Timestamp> {
    match Moment::parse(time.trim(), DateOrder::DayFirst)? {
        moment @ Moment::Local(_) => moment.instant(),
        Moment::Day(_) | Moment::Instant(_) => None,
    }
}

/// Reads the number of the newest announcement, which stands there as a number or a text.
///
/// # Errors
///
/// [`FetchError::Malformed`] when the document has none.
pub fn parse_last_index(bytes: &[u8]) -> Result<u64, FetchError> {
    let malformed = |reason: String| {
        FetchError::malformed(Source::KAP, "the newest announcement", "the document", reason)
    };
    let last: Last = json::parse(bytes).map_err(|error| malformed(error.to_string()))?;
    let text = last.last_disclosure_index.text();
    last.last_disclosure_index.whole().ok_or_else(|| malformed(format!("'{text}' is no number")))
}

/// Reads a page of announcements, ordered by their numbers; gaps are normal.
///
/// # Errors
///
/// [`FetchError::Malformed`] when the document is no such page.
pub fn parse_disclosures(bytes: &[u8], piece: &str) -> Result<Vec<ListedDisclosure>, FetchError> {
    let malformed =
        |place: String, reason: String| FetchError::malformed(Source::KAP, piece, place, reason);
    let lines: Column<Line> = json::parse(bytes)
        .map_err(|error| malformed("the document".to_owned(), error.to_string()))?;
    let mut listed = Vec::with_capacity(lines.0.len());
    for (position, line) in lines.0.into_iter().enumerate() {
        let Some(index) = line.disclosure_index.whole() else {
            let place = format!("[{position}].disclosureIndex");
            return Err(malformed(
                place,
                format!("'{}' is no number", line.disclosure_index.text()),
            ));
        };
        let class = filled(line.disclosure_class).unwrap_or_default();
        let sender = filled(line.title).unwrap_or_default();
        listed.push(ListedDisclosure { index, class, sender });
    }
    listed.sort_by_key(|line| line.index);
    listed.dedup_by_key(|line| line.index);
    Ok(listed)
}

/// Reads the detail of `listed`, and the codes in it that are no symbols.
///
/// Whose shares it is about: those of the company on whose behalf it was published, or else of the
/// publisher, and those it names as related. Whether it was published late is not told here.
///
/// # Errors
///
/// [`FetchError::Malformed`] when the document is no detail, that of another announcement, or has
/// no time.
pub fn parse_disclosure_detail(
    bytes: &[u8],
    listed: &ListedDisclosure,
) -> Result<(Disclosure, Vec<String>), FetchError> {
    let malformed = |place: &str, reason: String| {
        let piece = format!("announcement {}", listed.index);
        FetchError::malformed(Source::KAP, &piece, place, reason)
    };
    let detail: Detail =
        json::parse(bytes).map_err(|error| malformed("the document", error.to_string()))?;
    if let Some(found) = &detail.disclosure_index
        && found.whole() != Some(listed.index)
    {
        return Err(malformed("disclosureIndex", format!("'{}'", found.text())));
    }
    let Some(published_at) = instant_of(&detail.time) else {
        return Err(malformed("time", format!("'{}' is no day and time", detail.time)));
    };
    let list = |codes: Option<Column<Code>>| codes.unwrap_or_default().0;
    let behalf = list(detail.behalf_sender_exch_codes);
    let about = if behalf.is_empty() { list(detail.sender_exch_codes) } else { behalf };
    let related = list(detail.related_stocks);
    let (symbols, others) = symbols(about.iter().chain(&related));
    let disclosure = Disclosure {
        index: listed.index,
        published_at,
        symbols,
        sender: filled(detail.sender_title).unwrap_or_else(|| listed.sender.clone()),
        class: filled(detail.disclosure_class).unwrap_or_else(|| listed.class.clone()),
        subject: detail.subject.and_then(Words::into_text),
        summary: detail.summary.and_then(Words::into_text),
        late: None,
    };
    Ok((disclosure, others))
}
