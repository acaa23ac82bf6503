//! Announcements of companies.

use std::collections::BTreeMap;

use bist_market::{Disclosure, Symbol};

use crate::bulk::{ROWS_PER_STATEMENT, placeholders, values};
use crate::columns::{count, document, json, signed};
use crate::db::{AssertSqlSafe, Connection, QueryBuilder, query};
use crate::error::StoreError;
use crate::ingests::Ingest;
use crate::pool::Store;

impl Store {
    /// Announcements about `symbol` (all, when `None`) with numbers below `before`, the newest
    /// first, at most `limit` of them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn disclosures(
        &self,
        symbol: Option<Symbol>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Disclosure>, StoreError> {
        let mut query = QueryBuilder::new("SELECT d.document FROM disclosures d");
        if let Some(symbol) = symbol {
            query
                .push(" JOIN disclosure_symbols s ON s.idx = d.idx AND s.symbol = ")
                .push_bind(symbol.to_string());
        }
        if let Some(before) = before {
            query.push(" WHERE d.idx < ").push_bind(signed(before));
        }
        query.push(" ORDER BY d.idx DESC LIMIT ").push_bind(i64::from(limit));
        let rows = query.build().fetch_all(&self.reader).await?;
        rows.iter().map(|row| document("disclosure", row)).collect()
    }

    /// The highest number of an announcement; `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn last_disclosure_index(&self) -> Result<Option<u64>, StoreError> {
        let row = query("SELECT idx FROM disclosures ORDER BY idx DESC LIMIT 1")
            .fetch_optional(&self.reader)
            .await?;
        row.map(|row| count(&row, "idx")).transpose()
    }
}

/// Keeps `disclosures`; returns how many are new or changed.
pub(crate) async fn save(
    connection: &mut Connection,
    ingest: Ingest,
    disclosures: &[Disclosure],
) -> Result<u64, StoreError> {
    let told: BTreeMap<i64, &Disclosure> =
        disclosures.iter().map(|told| (signed(told.index), told)).collect();
    let told: Vec<(i64, &Disclosure)> = told.into_iter().collect();
    let mut stored = 0;
    for rows in told.chunks(ROWS_PER_STATEMENT) {
        let known = stored_documents(connection, rows).await?;
        let mut changed = Vec::new();
        for (index, disclosure) in rows {
            let document = json("disclosure", disclosure)?;
            if known.get(index) != Some(&document) {
                changed.push((*index, *disclosure, document));
            }
        }
        if !changed.is_empty() {
            upsert(connection, ingest, &changed).await?;
            save_symbols(connection, &changed).await?;
        }
        stored += changed.len() as u64;
    }
    Ok(stored)
}

async fn stored_documents(
    connection: &mut Connection,
    rows: &[(i64, &Disclosure)],
) -> Result<BTreeMap<i64, String>, StoreError> {
    let text = format!(
        "SELECT idx, document FROM disclosures WHERE idx IN ({})",
        placeholders(0, rows.len())
    );
    let mut query = query(AssertSqlSafe(text));
    for (index, _) in rows {
        query = query.bind(index);
    }
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get("idx")?, row.try_get("document")?))).collect()
}

async fn upsert(
    connection: &mut Connection,
    ingest: Ingest,
    rows: &[(i64, &Disclosure, String)],
) -> Result<(), StoreError> {
    let text = format!(
        "INSERT INTO disclosures (ingest_id, idx, published_at_us, document) {}
         ON CONFLICT (idx) DO UPDATE SET published_at_us = EXCLUDED.published_at_us,
             document = EXCLUDED.document, ingest_id = EXCLUDED.ingest_id",
        values(1, 3, rows.len())
    );
    let mut query = query(AssertSqlSafe(text)).bind(ingest.id);
    for (index, disclosure, document) in rows {
        let published_at_us = disclosure.published_at.as_microsecond();
        query = query.bind(index).bind(published_at_us).bind(document);
    }
    query.execute(connection).await?;
    Ok(())
}

/// Replaces whose the announcements are.
async fn save_symbols(
    connection: &mut Connection,
    rows: &[(i64, &Disclosure, String)],
) -> Result<(), StoreError> {
    let text =
        format!("DELETE FROM disclosure_symbols WHERE idx IN ({})", placeholders(0, rows.len()));
    let mut removal = query(AssertSqlSafe(text));
    for (index, _, _) in rows {
        removal = removal.bind(index);
    }
    removal.execute(&mut *connection).await?;
    for (index, disclosure, _) in rows {
        for symbol in &disclosure.symbols {
            query(
                "INSERT INTO disclosure_symbols (symbol, idx) VALUES ($1, $2)
                 ON CONFLICT DO NOTHING",
            )
            .bind(symbol.as_str())
            .bind(index)
            .execute(&mut *connection)
            .await?;
        }
    }
    Ok(())
}
