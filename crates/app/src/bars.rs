//! Bars that passed the checks, a page at a time.

use bist_market::{Bar, Symbol};
use bist_store::StoreError;
use jiff::civil::Date;

use crate::App;
use crate::symbols::SymbolView;

/// Which bars are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarsQuery {
    /// First day wanted.
    pub from: Option<Date>,
    /// Last day wanted.
    pub to: Option<Date>,
    /// At most this many; the newest are given first.
    pub limit: u32,
}

/// Some bars of one symbol.
#[derive(Clone, Debug)]
pub struct BarsPage {
    /// The symbol.
    pub view: SymbolView,
    /// The newest bars that were asked for, oldest first.
    pub bars: Vec<Bar>,
    /// When there are older ones: ask again with `to` set to this day.
    pub next: Option<Date>,
}

impl App {
    /// Daily bars of `symbol`; `None` when the store has none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn bars(
        &self,
        symbol: Symbol,
        query: BarsQuery,
    ) -> Result<Option<BarsPage>, StoreError> {
        let Some(view) = self.symbol(symbol).await? else { return Ok(None) };
        let all = self.daily_bars().await?;
        let bars = all.series.get(&symbol).map_or(&[][..], |series| series.bars());
        let begin = query.from.map_or(0, |from| bars.partition_point(|bar| bar.day < from));
        let end = query.to.map_or(bars.len(), |to| bars.partition_point(|bar| bar.day <= to));
        let wanted = bars.get(begin..end).unwrap_or_default();
        let skipped = wanted.len().saturating_sub(query.limit as usize);
        let next = skipped.checked_sub(1).map(|last_skipped| wanted[last_skipped].day);
        Ok(Some(BarsPage { view, bars: wanted[skipped..].to_vec(), next }))
    }
}
