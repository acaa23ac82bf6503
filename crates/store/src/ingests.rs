//! Taking in rows: all files of one ingest in one transaction, or none.

mod sample_removal;

use bist_market::bar::day_of;
use bist_market::{
    BarSeries, CorporateAction, DatedInstrumentDay, Disclosure, Instrument, Observation, Origin,
    RefusedRow, Source, Symbol,
};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::columns::signed;
use crate::db::{Connection, query, query_scalar};
use crate::error::StoreError;
use crate::pieces::PieceMark;
use crate::pool::Store;
use crate::{
    actions, bars, disclosures, instrument_days, instruments, observations, pieces, refused_rows,
    source_status,
};

/// What one command, or one piece of a source, takes in.
#[derive(Clone, Debug)]
pub struct IngestBatch {
    /// Where it comes from.
    pub source: Source,
    /// Whether it is real.
    pub origin: Origin,
    /// When it was received.
    pub received_at: Timestamp,
    /// The files, in the order in which they are taken in; a later one revises an earlier one.
    pub files: Vec<IngestFile>,
}

/// The content of one file, or of one answer of a server.
#[derive(Clone, Debug, Default)]
pub struct IngestFile {
    /// Its name, or for generated data the parameters that made it.
    pub file: String,
    /// Data rows it had.
    pub rows_read: u64,
    /// The bars.
    pub series: Vec<BarSeries>,
    /// Rows that could not become bars.
    pub refused: Vec<RefusedRow>,
    /// What is known of the instruments; those not named here are made with their symbol alone.
    pub instruments: Vec<Instrument>,
    /// Corporate actions. What is said of one day and kind is all that the source knows of it.
    pub actions: Vec<CorporateAction>,
    /// Whether `actions` is all that the source knows of the symbols that the file names: what it
    /// told of them before and does not tell here, it has taken back.
    pub actions_are_complete: bool,
    /// What is said of symbols on days.
    pub days: Vec<DatedInstrumentDay>,
    /// Rates.
    pub observations: Vec<Observation>,
    /// Announcements.
    pub disclosures: Vec<Disclosure>,
    /// The piece of the source that this was, to be marked as done together with its content.
    pub piece: Option<PieceMark>,
}

/// What became of one file; of its rows, `read = stored + unchanged + refused` where each row is a
/// bar.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IngestCounts {
    /// The file.
    pub file: String,
    /// Data rows in the file.
    pub rows_read: u64,
    /// Bars that are new in the store, or revise what it had from the same source.
    pub rows_stored: u64,
    /// Of those stored, the ones that revise an earlier value; the earlier value is kept aside.
    pub rows_revised: u64,
    /// Bars that the store had already, value for value.
    pub rows_unchanged: u64,
    /// Rows that could not become bars; kept with the reason.
    pub rows_refused: u64,
    /// Corporate actions that are new, changed or taken back.
    pub actions_stored: u64,
    /// Facts of a symbol and a day that are new or changed.
    pub days_stored: u64,
    /// Rates that are new or changed.
    pub observations_stored: u64,
    /// Announcements that are new or changed.
    pub disclosures_stored: u64,
}

/// The outcome of one ingest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// One entry a file, in the order given.
    pub files: Vec<IngestCounts>,
    /// Symbols of the sample market that were removed because something else replaces them.
    pub sample_symbols_removed: u64,
}

impl IngestFile {
    /// The symbols that it names, some of them several times.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = Symbol> {
        let series = self.series.iter().map(|series| series.symbol);
        series
            .chain(self.refused.iter().filter_map(|row| row.symbol))
            .chain(self.instruments.iter().map(|instrument| instrument.symbol))
            .chain(self.actions.iter().map(|action| action.symbol))
            .chain(self.days.iter().map(|day| day.symbol))
    }

    /// The newest day that it tells of, if it tells of days.
    fn newest_day(&self) -> Option<Date> {
        let bars = self.series.iter().flat_map(|series| &series.bars).map(|bar| bar.opened_at);
        let published = self.disclosures.iter().map(|disclosure| disclosure.published_at);
        let instants = bars.max().into_iter().chain(published).max();
        let days = self.days.iter().map(|day| day.day);
        let observed = self.observations.iter().map(|observation| observation.day);
        days.chain(observed).chain(instants.map(day_of)).max()
    }

    /// Whether it holds anything besides its name and its piece.
    fn has_content(&self) -> bool {
        self.rows_read > 0
            || !self.series.is_empty()
            || !self.refused.is_empty()
            || !self.instruments.is_empty()
            || !self.actions.is_empty()
            || !self.days.is_empty()
            || !self.observations.is_empty()
            || !self.disclosures.is_empty()
    }
}

impl Store {
    /// Takes in `batch`, wholly or not at all.
    ///
    /// Real data and the sample market never live side by side: real data replace the sample with
    /// all that was made from it, and a sample with other parameters replaces the sample.
    ///
    /// # Errors
    ///
    /// [`StoreError::HoldsRealData`] when a sample would be mixed into real data, and the others
    /// when the database fails; in every case the store is as before.
    pub async fn ingest(&self, batch: &IngestBatch) -> Result<Ingested, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let sample_symbols_removed = sample_removal::make_room(&mut transaction, batch).await?;
        let mut files = Vec::with_capacity(batch.files.len());
        for file in &batch.files {
            files.push(save_file(&mut transaction, batch, file).await?);
            if let Some(piece) = &file.piece {
                let (source, at) = (batch.source, batch.received_at);
                pieces::save(&mut transaction, source, piece, file.rows_read, at).await?;
            }
        }
        transaction.commit().await?;
        Ok(Ingested { files, sample_symbols_removed })
    }

    /// Names the state of what validation and the pages are made from: it differs whenever an
    /// ingest that changed something, or a decision, came in between.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn generation(&self) -> Result<Generation, StoreError> {
        let row = query(
            "SELECT id, received_at_us, (SELECT MAX(id) FROM finding_decisions) AS decision_id
             FROM ingests WHERE is_change = 1 ORDER BY id DESC LIMIT 1",
        )
        .fetch_optional(&self.reader)
        .await?;
        let Some(row) = row else { return Ok(Generation::default()) };
        Ok(Generation {
            ingest_id: row.try_get("id")?,
            received_at_us: row.try_get("received_at_us")?,
            decision_id: row.try_get("decision_id")?,
        })
    }
}

/// Which ingests and decisions the store has seen; see [`Store::generation`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Generation {
    ingest_id: i64,
    received_at_us: i64,
    decision_id: Option<i64>,
}

/// Which ingest rows are written for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ingest {
    /// Its number.
    pub(crate) id: i64,
    /// Where the rows come from.
    pub(crate) source: Source,
    /// When they were received.
    pub(crate) received_at: Timestamp,
}

async fn save_file(
    connection: &mut Connection,
    batch: &IngestBatch,
    file: &IngestFile,
) -> Result<IngestCounts, StoreError> {
    let mut counts = IngestCounts {
        file: file.file.clone(),
        rows_read: file.rows_read,
        rows_refused: file.refused.len() as u64,
        ..IngestCounts::default()
    };
    // A source that had nothing to give leaves no trace but the mark of the piece, so that it may
    // be asked without disturbing a sample.
    if !file.has_content() {
        return Ok(counts);
    }
    let id = query_scalar("SELECT COALESCE(MAX(id), 0) + 1 FROM ingests")
        .fetch_one(&mut *connection)
        .await?;
    let ingest = Ingest { id, source: batch.source, received_at: batch.received_at };
    query(
        "INSERT INTO ingests (id, source, origin, file, received_at_us, rows_read, rows_stored,
                              rows_unchanged, rows_refused, is_change)
         VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, 0)",
    )
    .bind(ingest.id)
    .bind(ingest.source.as_str())
    .bind(batch.origin.as_str())
    .bind(&file.file)
    .bind(ingest.received_at.as_microsecond())
    .bind(signed(file.rows_read))
    .bind(signed(counts.rows_refused))
    .execute(&mut *connection)
    .await?;

    instruments::save(connection, file, batch.origin).await?;
    for series in &file.series {
        bars::save(connection, ingest, series, &mut counts).await?;
    }
    let refused_changed = refused_rows::save(connection, ingest, file).await?;
    counts.actions_stored = actions::save(connection, ingest, file).await?;
    counts.days_stored = instrument_days::save(connection, ingest, &file.days).await?;
    counts.observations_stored = observations::save(connection, ingest, &file.observations).await?;
    counts.disclosures_stored = disclosures::save(connection, ingest, &file.disclosures).await?;
    source_status::answered(connection, ingest, file.newest_day()).await?;

    let is_change = refused_changed
        || counts.rows_stored > 0
        || counts.actions_stored > 0
        || counts.days_stored > 0
        || counts.observations_stored > 0
        || counts.disclosures_stored > 0;
    query("UPDATE ingests SET rows_stored = $1, rows_unchanged = $2, is_change = $3 WHERE id = $4")
        .bind(signed(counts.rows_stored))
        .bind(signed(counts.rows_unchanged))
        .bind(i64::from(is_change))
        .bind(ingest.id)
        .execute(&mut *connection)
        .await?;
    Ok(counts)
}
