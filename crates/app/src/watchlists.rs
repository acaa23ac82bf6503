//! Lists of shares that somebody watches.

use bist_access::{Account, WatchlistId};
use bist_market::Symbol;
use bist_store::{Revised, StoredWatchlist};
use bist_trading::Watchlist;
use bist_trading::watchlist::WATCHLISTS_MAX;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::App;
use crate::personal::{PersonalError, done};

impl App {
    /// The lists of `account`, the oldest first.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when the database fails.
    pub async fn watchlists(
        &self,
        account: &Account,
    ) -> Result<Vec<StoredWatchlist>, PersonalError> {
        Ok(self.store.watchlists(&account.id).await?)
    }

    /// Makes a list of `account`.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when it is none, a share is not known, there are too many, or the database fails.
    pub async fn add_watchlist(
        &self,
        account: &Account,
        name: &str,
        symbols: Vec<Symbol>,
    ) -> Result<StoredWatchlist, PersonalError> {
        let list = Watchlist::new(name, symbols)?;
        self.require_symbols(&list.symbols).await?;
        let (id, now) = (WatchlistId::generate(&mut UnwrapErr(SysRng)), self.now());
        let added = self.store.add_watchlist(&account.id, &id, &list, WATCHLISTS_MAX, now).await?;
        if !added {
            return Err(PersonalError::TooMany { what: "watchlists", max: WATCHLISTS_MAX });
        }
        self.live.stir();
        let list = Revised { value: list, revision: 1, updated_at: now };
        Ok(StoredWatchlist { id, created_at: now, list })
    }

    /// Puts another name and other shares in the place of those of the list `id` of `account`, who has
    /// seen `revision`.
    ///
    /// # Errors
    ///
    /// As [`App::add_watchlist`], and when there is no such list or it was changed meanwhile.
    pub async fn change_watchlist(
        &self,
        account: &Account,
        id: &str,
        revision: u64,
        (name, symbols): (&str, Vec<Symbol>),
    ) -> Result<StoredWatchlist, PersonalError> {
        let list = Watchlist::new(name, symbols)?;
        let not_there = || PersonalError::NoSuchWatchlist(id.chars().take(40).collect());
        let id: WatchlistId = id.parse().map_err(|_| not_there())?;
        let before = self.store.watchlists(&account.id).await?;
        let before = before.into_iter().find(|stored| stored.id == id).ok_or_else(not_there)?;
        // What is on the list already may stay, also when nothing is known of it any more.
        let is_new = |symbol: &Symbol| !before.list.value.symbols.contains(symbol);
        let new: Vec<Symbol> = list.symbols.iter().copied().filter(is_new).collect();
        self.require_symbols(&new).await?;
        let now = self.now();
        let changed = self.store.change_watchlist(&account.id, &id, revision, &list, now).await?;
        let revision = done(changed, not_there)?;
        self.live.stir();
        let list = Revised { value: list, revision, updated_at: now };
        Ok(StoredWatchlist { list, ..before })
    }

    /// Removes the list `id` of `account`.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when there is none, or the database fails.
    pub async fn remove_watchlist(&self, account: &Account, id: &str) -> Result<(), PersonalError> {
        let not_there = || PersonalError::NoSuchWatchlist(id.chars().take(40).collect());
        let id: WatchlistId = id.parse().map_err(|_| not_there())?;
        if !self.store.remove_watchlist(&account.id, &id).await? {
            return Err(not_there());
        }
        self.live.stir();
        Ok(())
    }

    /// Refuses shares of which there are no bars.
    pub(crate) async fn require_symbols(&self, symbols: &[Symbol]) -> Result<(), PersonalError> {
        let bars = self.daily_bars().await?;
        let unknown = symbols.iter().find(|symbol| !bars.series.contains_key(symbol));
        unknown.map_or(Ok(()), |symbol| Err(PersonalError::NoSuchSymbol(*symbol)))
    }
}
