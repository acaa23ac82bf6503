//! Taking in what a service has: piece by piece, each stored at once with the mark that it is done.
//!
//! A run that was cut short goes on where it stopped, because a piece that is done for good is not
//! asked for again, and one that may still change is asked for with the validators of its last
//! answer. A failed piece does not stop the others, unless the source as a whole cannot be had.

use std::collections::VecDeque;
use std::sync::Arc;

use bist_feeds::{Batch, Content, FetchError, Fetched, Piece, Provider, Scope, Validators, Wanted};
use bist_feeds::{adjustment_changed, level_changed};
use bist_market::{Interval, RawBar, Source};
use bist_store::{AttemptOutcome, PieceMark, PieceRecord};
use jiff::Timestamp;

use crate::App;
use crate::ingest::{FailedPiece, IngestError, IngestReport, PiecesReport, Tally};
use crate::progress::{Progress, ProgressSink};

/// Which pieces that earlier runs have brought are not asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// None: all are asked for anew.
    Nothing,
    /// Those that no longer change.
    Final,
    /// Those, and whatever was fetched at this instant or later: a run that goes on where it failed.
    Since(Timestamp),
}

impl Reuse {
    fn spares(self, held: &PieceRecord) -> bool {
        match self {
            Self::Nothing => false,
            Self::Final => held.is_final,
            Self::Since(instant) => held.is_final || held.fetched_at >= instant,
        }
    }
}

impl App {
    /// Takes in what `source` has of `wanted`. Of announcements, those after the newest that is
    /// stored are fetched when the wish does not name the first.
    ///
    /// The report tells of pieces that failed; what came is stored.
    ///
    /// # Errors
    ///
    /// [`IngestError`] when the source is not set up, cannot give such a thing at all, or the
    /// database fails.
    pub async fn ingest_source(
        &self,
        source: Source,
        wanted: Wanted,
        reuse: Reuse,
        progress: Arc<ProgressSink>,
    ) -> Result<IngestReport, IngestError> {
        let report = self.ingest_wishes(source, vec![wanted], reuse, progress).await?;
        self.apply_paper_sessions_after_ingest().await;
        Ok(report)
    }

    /// The same for several wishes, one after the other, in one report.
    pub(crate) async fn ingest_wishes(
        &self,
        source: Source,
        wishes: Vec<Wanted>,
        reuse: Reuse,
        progress: Arc<ProgressSink>,
    ) -> Result<IngestReport, IngestError> {
        let provider = self.provider(source)?;
        self.renew_credential(source).await?;
        let after_stored = self.store.last_disclosure_index().await?.map(|last| last + 1);
        let mut pieces = Vec::new();
        for wanted in wishes {
            let from_index = wanted.from_index.or(after_stored);
            pieces.extend(provider.plan(&Wanted { from_index, ..wanted }, self.now())?);
        }
        let run = Run {
            app: self,
            provider: &*provider,
            reuse,
            tally: Tally::new(source),
            pieces: PiecesReport { planned_count: pieces.len() as u64, ..PiecesReport::default() },
        };
        run.all(pieces, &*progress).await
    }

    /// The provider of `source`.
    ///
    /// # Errors
    ///
    /// [`IngestError::NoSuchSource`] when it is not set up.
    pub fn provider(&self, source: Source) -> Result<Arc<dyn Provider>, IngestError> {
        self.providers.get(&source).map(Arc::clone).ok_or(IngestError::NoSuchSource(source))
    }
}

/// One run over the pieces of a source.
struct Run<'a> {
    app: &'a App,
    provider: &'a dyn Provider,
    reuse: Reuse,
    tally: Tally,
    pieces: PiecesReport,
}

impl Run<'_> {
    async fn all(
        mut self,
        pieces: Vec<Piece>,
        progress: &ProgressSink,
    ) -> Result<IngestReport, IngestError> {
        let source = self.provider.source();
        let mut queue = VecDeque::from(pieces);
        let mut done = 0;
        while let Some(piece) = queue.pop_front() {
            let total = done + 1 + queue.len() as u64;
            progress(Progress::of("fetching", done, total));
            done += 1;
            match self.one(&piece).await {
                Ok(next) => {
                    self.pieces.planned_count += u64::from(next.is_some());
                    queue.extend(next);
                }
                Err(IngestError::Fetch(error)) => {
                    tracing::warn!(%source, piece = piece.key, "a piece could not be fetched: {error}");
                    let reason = error.to_string();
                    let outcome = AttemptOutcome::Failed { reason: &reason };
                    self.app.store.record_attempt(source, self.app.now(), outcome).await?;
                    self.pieces.failed.push(FailedPiece { piece: piece.key, reason });
                    if is_about_the_source(&error) {
                        self.pieces.not_tried_count = queue.len() as u64;
                        break;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        progress(Progress::of("fetching", done, done));
        self.tally.report.pieces = Some(self.pieces);
        Ok(self.tally.report)
    }

    /// Fetches and stores one piece; the answer is the piece that follows it, if there is one.
    async fn one(&mut self, piece: &Piece) -> Result<Option<Piece>, IngestError> {
        let source = self.provider.source();
        let held = self.app.store.piece(source, &piece.key).await?;
        if held.as_ref().is_some_and(|held| self.reuse.spares(held)) {
            self.pieces.had_before_count += 1;
            return Ok(None);
        }
        // Asked again on purpose, or never had: the whole answer is wanted.
        let known = match held {
            Some(held) if self.reuse != Reuse::Nothing => {
                Validators { etag: held.etag, last_modified: held.last_modified }
            }
            _ => Validators::default(),
        };
        let Fetched { content, validators, next } = self.provider.fetch(piece, &known).await?;
        match content {
            Content::NotModified => {
                self.pieces.not_modified_count += 1;
                let series = match piece.scope {
                    Scope::Share { symbol, interval, .. } => Some((symbol, interval)),
                    Scope::Actions { .. }
                    | Scope::Day(_)
                    | Scope::Series { .. }
                    | Scope::Cursor(_)
                    | Scope::File(_) => None,
                };
                let mark = mark(piece, validators);
                self.app.store.confirm_piece(source, &mark, series, self.app.now()).await?;
            }
            Content::Absent { reason } => {
                tracing::debug!(%source, piece = piece.key, "nothing there: {reason}");
                self.pieces.absent_count += 1;
                let mark = mark(piece, validators);
                let empty = Batch { file: piece.key.clone(), ..Batch::default() };
                self.tally.store(self.app, vec![(empty, Some(mark))]).await?;
            }
            Content::Data(batch) => {
                self.pieces.fetched_count += 1;
                let mut batches = vec![(*batch, Some(mark(piece, validators)))];
                if let Some(history) = self.history_on_a_new_level(piece, &batches[0].0).await? {
                    batches = history;
                }
                self.tally.store(self.app, batches).await?;
            }
        }
        self.app.store.record_attempt(source, self.app.now(), AttemptOutcome::Done).await?;
        Ok(next)
    }

    /// The whole history of a share, when the source has moved its old prices to another level
    /// since we fetched them, as it does after a split: old and new levels must not be mixed, so
    /// all of it is fetched before any of it is stored.
    async fn history_on_a_new_level(
        &self,
        piece: &Piece,
        batch: &Batch,
    ) -> Result<Option<Vec<(Batch, Option<PieceMark>)>>, IngestError> {
        let Scope::Share { symbol, interval: Interval::Daily, to, .. } = piece.scope else {
            return Ok(None);
        };
        let source = self.provider.source();
        let stored = self.app.store.bars_of(symbol, Interval::Daily, source).await?;
        let fetched = batch.series.iter().flat_map(|series| &series.bars);
        let Some(first) = stored.first() else { return Ok(None) };
        let fetched: Vec<RawBar> = fetched.copied().collect();
        if !level_changed(&stored, &fetched) && !adjustment_changed(&stored, &fetched) {
            return Ok(None);
        }
        tracing::info!(%source, %symbol, "the source has rescaled its history; fetching all of it");
        let wanted = Wanted { symbols: vec![symbol], ..Wanted::of_days(first.day(), to) };
        let mut history = Vec::new();
        for piece in self.provider.plan(&wanted, self.app.now())? {
            let fetched = self.provider.fetch(&piece, &Validators::default()).await?;
            if let Content::Data(batch) = fetched.content {
                history.push((*batch, Some(mark(&piece, fetched.validators))));
            }
        }
        Ok(Some(history))
    }
}

fn mark(piece: &Piece, validators: Validators) -> PieceMark {
    let Validators { etag, last_modified } = validators;
    PieceMark { key: piece.key.clone(), is_final: piece.is_final, etag, last_modified }
}

/// Whether a failure says that the other pieces will fail too.
fn is_about_the_source(error: &FetchError) -> bool {
    matches!(
        error,
        FetchError::BreakerOpen { .. }
            | FetchError::CredentialMissing { .. }
            | FetchError::RateLimited { .. }
    )
}
