//! Two sources of one symbol beside each other.

use bist_market::reconcile::Reconciliation;
use bist_market::{Source, Symbol};
use bist_store::StoreError;

use crate::{App, blocking};

/// What comes of comparing two sources of a symbol.
#[derive(Clone, Debug)]
pub enum Compared {
    /// The store has no daily bars of the symbol, or not from a source that was named.
    NoSuchSeries,
    /// The symbol has one source only.
    OneSource(Source),
    /// How they compare.
    Two {
        /// The one.
        a: Source,
        /// The other.
        b: Source,
        /// Day by day, and overall.
        reconciliation: Box<Reconciliation>,
    },
}

impl App {
    /// Compares two sources of the daily bars of `symbol`: the one in use and the next, unless they
    /// are named.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn reconciliation(
        &self,
        symbol: Symbol,
        a: Option<Source>,
        b: Option<Source>,
    ) -> Result<Compared, StoreError> {
        let bars = self.daily_bars().await?;
        let sources = bars.sources_of(symbol);
        let has = |wanted: Option<Source>| wanted.is_none_or(|source| sources.contains(&source));
        let Some(primary) = sources.first().copied() else { return Ok(Compared::NoSuchSeries) };
        if !has(a) || !has(b) {
            return Ok(Compared::NoSuchSeries);
        }
        let a = a.unwrap_or(if b == Some(primary) {
            sources.get(1).copied().unwrap_or(primary)
        } else {
            primary
        });
        let other = sources.iter().copied().find(|source| *source != a);
        let Some(b) = b.or(other) else { return Ok(Compared::OneSource(a)) };
        if a == primary
            && b != primary
            && let Some(known) = bars.checked.reconciliations.get(&(symbol, b))
        {
            return Ok(Compared::Two { a, b, reconciliation: Box::new(known.clone()) });
        }
        let reconciliation =
            blocking(move || bars.checked.reconcile(symbol, a, b).map(Box::new)).await;
        Ok(match reconciliation {
            Some(reconciliation) => Compared::Two { a, b, reconciliation },
            None => Compared::NoSuchSeries,
        })
    }
}
