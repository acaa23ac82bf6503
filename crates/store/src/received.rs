//! Bars as received, with everything the validator needs beside them.

use std::collections::BTreeMap;

use bist_market::validate::Received;
use bist_market::{BarSeries, CorporateAction, Interval, RawBar, Source, Symbol};

use crate::actions::{self, ActionRecord};
use crate::columns::{document, raw_bar, source, symbol};
use crate::db::{Connection, QueryBuilder, Row, query};
use crate::decisions::decision;
use crate::error::StoreError;
use crate::pool::Store;

impl Store {
    /// Everything received for `symbol` at `interval`, one entry a source, ready for the validator;
    /// empty when nothing was.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn received(
        &self,
        symbol: Symbol,
        interval: Interval,
    ) -> Result<Vec<Received>, StoreError> {
        self.received_where(Some(symbol), interval).await
    }

    /// Everything received at `interval`, one entry a symbol and source, in that order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn received_all(&self, interval: Interval) -> Result<Vec<Received>, StoreError> {
        self.received_where(None, interval).await
    }

    /// The bars that `source` has given of `symbol` at `interval`, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn bars_of(
        &self,
        symbol: Symbol,
        interval: Interval,
        source: Source,
    ) -> Result<Vec<RawBar>, StoreError> {
        let mut connection = self.reader.acquire().await?;
        bars(&mut connection, symbol, interval, source).await
    }

    async fn received_where(
        &self,
        wanted: Option<Symbol>,
        interval: Interval,
    ) -> Result<Vec<Received>, StoreError> {
        // One snapshot, so that a running ingest is seen wholly or not at all.
        let mut transaction = self.reader.begin().await?;
        let mut select = async |text: &'static str, order: &'static str| {
            // One text for one symbol and one for all, so that each is answered from the primary
            // key.
            let mut query = QueryBuilder::new(text);
            query.push(" WHERE bar_interval = ").push_bind(interval.to_string());
            if let Some(symbol) = wanted {
                query.push(" AND symbol = ").push_bind(symbol.to_string());
            }
            query.push(order).build().fetch_all(&mut *transaction).await
        };
        let series =
            select("SELECT symbol, source FROM bar_series", " ORDER BY symbol, source").await?;
        let refused = select(
            "SELECT symbol, source, document FROM refused_rows",
            " AND symbol IS NOT NULL ORDER BY file, line",
        )
        .await?;
        let decisions = select(
            "SELECT symbol, source, finding_id, verdict, reason, decided_by, decided_at_us
             FROM finding_decisions",
            " ORDER BY id",
        )
        .await?;
        let actions = actions::select(&mut transaction, wanted, None).await?;

        let mut entries = Entries { interval, received: BTreeMap::new() };
        for row in &series {
            let entry = entries.of(row)?;
            // A query a series: the rows of all at once would take some hundred bytes a value.
            entry.series.bars =
                bars(&mut transaction, entry.series.symbol, interval, entry.source).await?;
        }
        transaction.commit().await?;
        for row in &refused {
            entries.of(row)?.refused.push(document("refused row", row)?);
        }
        for row in &decisions {
            let key = (symbol(row)?, source(row)?);
            if let Some(entry) = entries.received.get_mut(&key) {
                entry.decisions.push(decision(row)?);
            }
        }
        let actions = by_symbol(actions);
        Ok(entries
            .received
            .into_values()
            .map(|mut entry| {
                let known = actions.get(&entry.series.symbol);
                entry.actions = known.cloned().unwrap_or_default();
                entry
            })
            .collect())
    }
}

/// What is read so far, by symbol and source.
struct Entries {
    interval: Interval,
    received: BTreeMap<(Symbol, Source), Received>,
}

impl Entries {
    /// The entry of the symbol and source of `row`, begun if need be.
    fn of(&mut self, row: &Row) -> Result<&mut Received, StoreError> {
        let key @ (symbol, source) = (symbol(row)?, source(row)?);
        let interval = self.interval;
        Ok(self.received.entry(key).or_insert_with(|| {
            Received::bars(BarSeries { symbol, interval, bars: Vec::new() }, source)
        }))
    }
}

/// The bars of a series, oldest first.
async fn bars(
    connection: &mut Connection,
    symbol: Symbol,
    interval: Interval,
    source: Source,
) -> Result<Vec<RawBar>, StoreError> {
    query(
        "SELECT opened_at, open_units, high_units, low_units, close_units, adjusted_close,
                volume_shares
         FROM bars WHERE symbol = $1 AND bar_interval = $2 AND source = $3 ORDER BY opened_at",
    )
    .bind(symbol.as_str())
    .bind(interval.to_string())
    .bind(source.as_str())
    .fetch_all(connection)
    .await?
    .iter()
    .map(raw_bar)
    .collect()
}

/// The events by symbol.
fn by_symbol(records: Vec<ActionRecord>) -> BTreeMap<Symbol, Vec<CorporateAction>> {
    let mut actions: BTreeMap<Symbol, Vec<CorporateAction>> = BTreeMap::new();
    for record in records {
        actions.entry(record.action.symbol).or_default().push(record.action);
    }
    actions
}
