//! Walking the official service from one announcement to the next.

use std::sync::{Mutex, PoisonError};

use bist_market::Source;

use super::auth::Auth;
use super::note_of_codes;
use super::official::{
    ListedDisclosure, parse_disclosure_detail, parse_disclosures, parse_last_index,
};
use crate::fetch_error::FetchError;
use crate::http::{Answer, Expects, HttpClient, Request};
use crate::provider::{Batch, Content, Fetched, Piece, Scope, Validators};

/// Announcements on a page of the list, at most.
const PAGE_LENGTH: u64 = 50;

/// Announcements in a piece. Each costs a request, of which the free plan has six a minute; with
/// more of them an interruption would cost more.
const PIECE_LENGTH: usize = 10;

/// Announcements before this number have their detail as a page only.
const FIRST_INDEX_WITH_DATA: u64 = 538_004;

/// The official service.
#[derive(Debug, Default)]
pub(super) struct Official {
    auth: Auth,
    /// The newest announcement when it was last asked for.
    last_index: Mutex<Option<u64>>,
}

/// The piece that begins with an announcement; zero stands for the newest page.
pub(super) fn piece_from(index: u64, is_final: bool) -> Piece {
    let key = if index == 0 { "newest".to_owned() } else { format!("from {index}") };
    Piece { key, scope: Scope::Cursor(index), is_final }
}

impl Official {
    /// Fetches some announcements from `index` on, and tells where to go on. An index past the
    /// newest one is no error; there is nothing then.
    pub(super) async fn fetch(
        &self,
        client: &HttpClient,
        piece: &str,
        index: u64,
    ) -> Result<Fetched, FetchError> {
        let last = self.last_index(client, index).await?;
        let first = if index == 0 { last.saturating_sub(PAGE_LENGTH - 1).max(1) } else { index };
        if first > last {
            let reason = format!("there is nothing newer than announcement {last}");
            let content = Content::Absent { reason };
            return Ok(Fetched { content, validators: Validators::default(), next: None });
        }
        let bytes = self.get(client, &format!("disclosures?disclosureIndex={first}")).await?;
        let mut page = parse_disclosures(&bytes, piece)?;
        page.retain(|listed| listed.index >= first);
        let later = page.split_off(page.len().min(PIECE_LENGTH));
        let batch = self.details(client, piece, &page).await?;

        let next = match (page.last(), later.first()) {
            (_, Some(next)) => next.index,
            (Some(read), None) => read.index.saturating_add(1),
            // A gap as long as a page.
            (None, None) => first.saturating_add(PAGE_LENGTH),
        };
        let next_is_complete = later.len() >= PIECE_LENGTH;
        Ok(Fetched {
            content: Content::Data(Box::new(batch)),
            validators: Validators::default(),
            next: (next <= last).then(|| piece_from(next, next_is_complete)),
        })
    }

    async fn details(
        &self,
        client: &HttpClient,
        piece: &str,
        page: &[ListedDisclosure],
    ) -> Result<Batch, FetchError> {
        let mut batch =
            Batch { file: piece.to_owned(), rows_read: page.len() as u64, ..Batch::default() };
        let mut unreadable_codes = Vec::new();
        for listed in page {
            let index = listed.index;
            let kind = if index < FIRST_INDEX_WITH_DATA { "html" } else { "data" };
            let path = format!("disclosureDetail/{index}?fileType={kind}");
            match self.get(client, &path).await {
                Ok(bytes) => {
                    let (disclosure, others) = parse_disclosure_detail(&bytes, listed)?;
                    batch.disclosures.push(disclosure);
                    unreadable_codes.extend(others);
                }
                // Listed, but withdrawn or blocked since.
                Err(FetchError::Status { status: 404, .. }) => {
                    batch.notes.push(format!("announcement {index} has no detail any more"));
                }
                Err(error) => return Err(error),
            }
        }
        batch.notes.extend(note_of_codes(&unreadable_codes));
        Ok(batch)
    }

    /// The newest announcement; asked for again once `index` has passed the one we know.
    async fn last_index(&self, client: &HttpClient, index: u64) -> Result<u64, FetchError> {
        let known = *self.last_index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = known.filter(|last| index != 0 && index <= *last) {
            return Ok(last);
        }
        let last = parse_last_index(&self.get(client, "lastDisclosureIndex").await?)?;
        *self.last_index.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
        Ok(last)
    }

    /// Asks for a path of the service; signs in again when a token was turned away.
    async fn get(&self, client: &HttpClient, path: &str) -> Result<Vec<u8>, FetchError> {
        let mut outcome = self.send(client, path).await;
        let turned_away = matches!(outcome, Err(FetchError::Status { status: 401 | 403, .. }));
        if turned_away && self.auth.forget() {
            outcome = self.send(client, path).await;
        }
        match outcome {
            Ok(Answer::Body { bytes, .. }) => Ok(bytes),
            Ok(Answer::NotModified) => {
                Err(FetchError::malformed(Source::KAP, path, "the answer", "it has no body"))
            }
            Err(FetchError::Status { status: status @ (401 | 403), beginning, .. }) => {
                Err(FetchError::Refused {
                    source_name: Source::KAP,
                    piece: path.to_owned(),
                    reason: format!(
                        "it answered {status} ({beginning}); check the credential of the source 'kap'"
                    ),
                })
            }
            Err(error) => Err(error),
        }
    }

    async fn send(&self, client: &HttpClient, path: &str) -> Result<Answer, FetchError> {
        let header = self.auth.header(client).await?;
        let url = format!("{}/{path}", client.settings().base_url("api"));
        let request = Request::get(url, Expects::Json).secret_header("authorization", header);
        client.send(&request).await
    }
}
