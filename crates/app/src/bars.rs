//! Bars that passed the checks, a page at a time.

use bist_market::adjust::{LiraBar, PriceTerms, ReturnFlavour, adjusted};
use bist_market::bar::day_of;
use bist_market::{Bar, CorporateAction, Origin, Price, Shares, Source, Symbol};
use bist_store::StoreError;
use jiff::civil::Date;

use crate::App;
use crate::symbols::BarAge;

/// Which bars are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarsQuery {
    /// First day wanted.
    pub from: Option<Date>,
    /// Last day wanted.
    pub to: Option<Date>,
    /// At most this many; the newest are given first.
    pub limit: u32,
    /// From which corporate actions prices are freed; `None` gives them as the source does.
    pub adjustment: Option<ReturnFlavour>,
}

/// Why bars could not be given.
#[derive(Debug, thiserror::Error)]
pub enum BarsError {
    /// Nothing says whether the prices are raw, so they cannot be adjusted.
    #[error(
        "the prices of {symbol} come from {source_name}, and nothing says whether they are raw"
    )]
    BasisUnknown {
        /// Whose.
        symbol: Symbol,
        /// Which source.
        source_name: Source,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Some bars of one symbol.
#[derive(Clone, Debug)]
pub struct BarsPage {
    /// Whether the data are real.
    pub origin: Origin,
    /// Where the newest rows came from.
    pub source: Source,
    /// Day of the last bar there is, on whatever page.
    pub as_of: Option<Date>,
    /// How old that bar is.
    pub age: BarAge,
    /// The newest bars that were asked for, oldest first.
    pub bars: Vec<Bar>,
    /// When there are older ones: ask again with `to` set to this day.
    pub next: Option<Date>,
}

impl App {
    /// Daily bars of `symbol`; `None` when the store has none.
    ///
    /// Adjusted prices come from our own corporate actions, as of the newest bar, rounded to
    /// 0.0001 TRY.
    ///
    /// # Errors
    ///
    /// [`BarsError`] when prices of an unknown kind should be adjusted, or the database fails.
    pub async fn bars(
        &self,
        symbol: Symbol,
        query: BarsQuery,
    ) -> Result<Option<BarsPage>, BarsError> {
        let all = self.daily_bars().await?;
        let overview = all.overviews.iter().find(|known| known.instrument.symbol == symbol);
        let Some((overview, series)) = overview.zip(all.series.get(&symbol)) else {
            return Ok(None);
        };
        let (bars, quality) = (series.bars(), series.quality());
        let begin = query.from.map_or(0, |from| bars.partition_point(|bar| bar.day < from));
        let end = query.to.map_or(bars.len(), |to| bars.partition_point(|bar| bar.day <= to));
        let wanted = bars.get(begin..end).unwrap_or_default();
        let skipped = wanted.len().saturating_sub(query.limit as usize);
        let next = skipped.checked_sub(1).map(|last_skipped| wanted[last_skipped].day);
        let mut page = wanted[skipped..].to_vec();
        if let Some(flavour) = query.adjustment {
            let terms = bars.last().and_then(|last| PriceTerms::of(quality.basis, last.day));
            let Some((terms, last)) = terms.zip(bars.last()) else {
                return Err(BarsError::BasisUnknown { symbol, source_name: quality.source });
            };
            let known = self.store.actions(symbol, None).await?;
            let actions: Vec<CorporateAction> =
                known.into_iter().map(|record| record.action).collect();
            let series = adjusted(bars, &actions, terms, last.day, flavour);
            page = page
                .into_iter()
                .filter_map(|bar| {
                    let at = series.binary_search_by_key(&bar.day, |adjusted| adjusted.day).ok()?;
                    rounded(&bar, &series[at])
                })
                .collect();
        }
        Ok(Some(BarsPage {
            origin: overview.instrument.origin,
            source: quality.source,
            as_of: bars.last().map(|bar| bar.day),
            age: BarAge::of(bars.last().map(|bar| bar.day), day_of(self.now())),
            bars: page,
            next,
        }))
    }
}

/// `bar` with adjusted prices; `None` when one of them is too small to be a price.
fn rounded(bar: &Bar, adjusted: &LiraBar) -> Option<Bar> {
    let price = |lira: f64| Price::nearest(lira);
    Some(Bar {
        open: match adjusted.open {
            Some(lira) => Some(price(lira)?),
            None => None,
        },
        high: price(adjusted.high)?,
        low: price(adjusted.low)?,
        close: price(adjusted.close)?,
        volume: adjusted.volume_shares.map(Shares::nearest),
        ..*bar
    })
}
