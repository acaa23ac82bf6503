//! Corporate actions, each with the time over which it was known.

use std::collections::{BTreeMap, BTreeSet};

use bist_market::{CorporateAction, CorporateActionKind, Source, Symbol};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::columns::{document, instant_us, json, maybe_instant_us, source};
use crate::db::{Connection, QueryBuilder, Row, query};
use crate::error::StoreError;
use crate::ingests::{Ingest, IngestFile};
use crate::pool::Store;
use crate::preference::rank;

/// An event with where it comes from and when that was known.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionRecord {
    /// The event.
    pub action: CorporateAction,
    /// Which source it is told by.
    pub source: Source,
    /// Sources that tell of the same event too, by name; their numbers may differ.
    pub also_told_by: Vec<Source>,
    /// When we received it.
    pub known_at: Timestamp,
    /// When the source took it back or changed it; `None` for what is known now.
    pub superseded_at: Option<Timestamp>,
}

impl Store {
    /// The events of `symbol` as they were known at `known_at` (now, when `None`), by day.
    ///
    /// What several sources say of one day is one event. The most believed source that tells of a
    /// change of the number of shares on a day (split, bonus, rights, decrease) is taken with all
    /// that it tells of that, and likewise for the dividends of a day: İş Yatırım before the
    /// bulletin, files, and Yahoo, which calls every such change a split.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn actions(
        &self,
        symbol: Symbol,
        known_at: Option<Timestamp>,
    ) -> Result<Vec<ActionRecord>, StoreError> {
        let mut connection = self.reader.acquire().await?;
        select(&mut connection, Some(symbol), known_at).await
    }
}

/// [`Store::actions`] of `wanted`, or of all symbols, by symbol and day.
pub(crate) async fn select(
    connection: &mut Connection,
    wanted: Option<Symbol>,
    known_at: Option<Timestamp>,
) -> Result<Vec<ActionRecord>, StoreError> {
    let mut query = QueryBuilder::new(
        "SELECT source, known_at_us, superseded_at_us, document FROM corporate_actions WHERE ",
    );
    match known_at.map(Timestamp::as_microsecond) {
        None => query.push("superseded_at_us IS NULL"),
        Some(at) => query
            .push("known_at_us <= ")
            .push_bind(at)
            .push(" AND (superseded_at_us IS NULL OR superseded_at_us > ")
            .push_bind(at)
            .push(")"),
    };
    if let Some(symbol) = wanted {
        query.push(" AND symbol = ").push_bind(symbol.to_string());
    }
    query.push(" ORDER BY symbol, effective_on, ordinal");
    let records = query
        .build()
        .fetch_all(connection)
        .await?
        .iter()
        .map(record)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(once(records))
}

fn record(row: &Row) -> Result<ActionRecord, StoreError> {
    Ok(ActionRecord {
        action: document("corporate action", row)?,
        source: source(row)?,
        also_told_by: Vec::new(),
        known_at: instant_us(row.try_get("known_at_us")?)?,
        superseded_at: maybe_instant_us(row, "superseded_at_us")?,
    })
}

/// Leaves each event once, from the source that is believed most.
fn once(records: Vec<ActionRecord>) -> Vec<ActionRecord> {
    let mut groups: BTreeMap<(Symbol, Date, bool), Vec<ActionRecord>> = BTreeMap::new();
    for record in records {
        let action = &record.action;
        let key = (action.symbol, action.effective_on, changes_shares(&action.kind));
        groups.entry(key).or_default().push(record);
    }
    groups
        .into_values()
        .flat_map(|group| {
            let sources: BTreeSet<Source> = group.iter().map(|record| record.source).collect();
            let believed = sources.iter().copied().min_by_key(|source| rank(*source));
            group.into_iter().filter(move |record| Some(record.source) == believed).map(
                move |mut record| {
                    let others = sources.iter().filter(|source| **source != record.source);
                    record.also_told_by = others.copied().collect();
                    record
                },
            )
        })
        .collect()
}

/// Whether the event changes the number of shares; a source may call one by the name of another.
fn changes_shares(kind: &CorporateActionKind) -> bool {
    match kind {
        CorporateActionKind::CashDividend { .. } => false,
        CorporateActionKind::BonusIssue { .. }
        | CorporateActionKind::RightsIssue { .. }
        | CorporateActionKind::Split { .. }
        | CorporateActionKind::CapitalDecrease { .. } => true,
    }
}

/// Keeps the events of `file`; returns how many are new, changed or taken back.
pub(crate) async fn save(
    connection: &mut Connection,
    ingest: Ingest,
    file: &IngestFile,
) -> Result<u64, StoreError> {
    let mut told: BTreeMap<Symbol, Vec<CorporateAction>> = BTreeMap::new();
    if file.actions_are_complete {
        told.extend(file.symbols().map(|symbol| (symbol, Vec::new())));
    }
    for action in &file.actions {
        let of_symbol = told.entry(action.symbol).or_default();
        if !of_symbol.contains(action) {
            of_symbol.push(*action);
        }
    }
    let mut stored = 0;
    for (symbol, told) in told {
        let is_complete = file.actions_are_complete;
        stored += save_of_symbol(connection, ingest, symbol, &told, is_complete).await?;
    }
    Ok(stored)
}

/// Compares what the source tells of `symbol` with what it told before; `is_complete` when this is
/// all that it knows.
async fn save_of_symbol(
    connection: &mut Connection,
    ingest: Ingest,
    symbol: Symbol,
    told: &[CorporateAction],
    is_complete: bool,
) -> Result<u64, StoreError> {
    let known = versions(connection, ingest.source, symbol).await?;
    let mut stored = 0;
    for version in known.iter().filter(|version| version.is_current) {
        let about = |action: &CorporateAction| (action.effective_on, action.kind.code());
        let is_replaced = told.iter().any(|new| about(new) == about(&version.action));
        if told.contains(&version.action) || !(is_complete || is_replaced) {
            continue;
        }
        supersede(connection, ingest, version).await?;
        // What replaces it is counted below.
        stored += u64::from(!is_replaced);
    }
    let mut ordinals: BTreeMap<Date, i64> = BTreeMap::new();
    for version in &known {
        let next = ordinals.entry(version.action.effective_on).or_default();
        *next = (version.ordinal + 1).max(*next);
    }
    for action in told {
        if known.iter().any(|version| version.is_current && version.action == *action) {
            continue;
        }
        let ordinal = ordinals.entry(action.effective_on).or_default();
        insert(connection, ingest, action, *ordinal).await?;
        *ordinal += 1;
        stored += 1;
    }
    Ok(stored)
}

/// One version of an event as it is stored.
struct Version {
    action: CorporateAction,
    ordinal: i64,
    ingest_id: i64,
    is_current: bool,
}

/// All versions of the events that `told_by` has told of `symbol`, by day and ordinal.
async fn versions(
    connection: &mut Connection,
    told_by: Source,
    symbol: Symbol,
) -> Result<Vec<Version>, StoreError> {
    query(
        "SELECT ordinal, ingest_id, superseded_at_us, document FROM corporate_actions
         WHERE symbol = $1 AND source = $2 ORDER BY effective_on, ordinal",
    )
    .bind(symbol.as_str())
    .bind(told_by.as_str())
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| {
        Ok(Version {
            action: document("corporate action", row)?,
            ordinal: row.try_get("ordinal")?,
            ingest_id: row.try_get("ingest_id")?,
            is_current: row.try_get::<Option<i64>, _>("superseded_at_us")?.is_none(),
        })
    })
    .collect()
}

async fn supersede(
    connection: &mut Connection,
    ingest: Ingest,
    version: &Version,
) -> Result<(), StoreError> {
    query(
        "UPDATE corporate_actions SET superseded_at_us = $1
         WHERE symbol = $2 AND source = $3 AND effective_on = $4 AND ordinal = $5
           AND ingest_id = $6",
    )
    .bind(ingest.received_at.as_microsecond())
    .bind(version.action.symbol.as_str())
    .bind(ingest.source.as_str())
    .bind(version.action.effective_on.to_string())
    .bind(version.ordinal)
    .bind(version.ingest_id)
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert(
    connection: &mut Connection,
    ingest: Ingest,
    action: &CorporateAction,
    ordinal: i64,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO corporate_actions (symbol, source, effective_on, ordinal, ingest_id,
                                        known_at_us, document)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(action.symbol.as_str())
    .bind(ingest.source.as_str())
    .bind(action.effective_on.to_string())
    .bind(ordinal)
    .bind(ingest.id)
    .bind(ingest.received_at.as_microsecond())
    .bind(json("corporate action", action)?)
    .execute(connection)
    .await?;
    Ok(())
}
