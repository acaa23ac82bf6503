//! Lists in pages: `items`, and a `next` that is the `cursor` of the following page.
//!
//! A cursor is plain text that says where the next page begins (`after-THYAO`, `from-200`,
//! `to-2024-05-31`). It is checked like any other parameter, so that a forged one is refused or
//! merely begins elsewhere.

use std::fmt::Display;

use bist_app::App;
use bist_lifecycle::{HORIZON_DEFAULT, Horizon};
use bist_market::Symbol;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::extract::{FromQuery, QueryReader, horizon, symbol};

/// Items of a page unless the caller asks for another number.
pub(crate) const LIMIT_DEFAULT: u32 = 100;

/// Most items of a page.
pub(crate) const LIMIT_MAX: u32 = 1000;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items of this page.
    pub(crate) items: Vec<T>,
    /// Give this as `cursor` to get the next page; null at the end of the list.
    #[schema(required)]
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    /// The same page with each item in another shape.
    pub(crate) fn map<U>(self, shape: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(shape).collect(), next: self.next }
    }
}

/// Takes the parameter `limit`: `default` when it is not given, at least 1, at most `max`.
pub(crate) fn limit(query: &mut QueryReader, default: u32, max: u32) -> Result<u32, ApiError> {
    let parse = |text: &str| match text.parse() {
        Ok(limit) if (1..=max).contains(&limit) => Ok(limit),
        _ => Err(format!("'{text}' is not a limit; give a whole number from 1 to {max}")),
    };
    Ok(query.optional("limit", parse)?.unwrap_or(default))
}

/// Takes the parameter `cursor`, whose text is `prefix` followed by what `parse` understands.
pub(crate) fn cursor<T>(
    query: &mut QueryReader,
    prefix: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    query.optional("cursor", |text| {
        text.strip_prefix(prefix).and_then(parse).ok_or_else(|| {
            format!(
                "'{text}' is not a cursor of this list; give the 'next' of the page before, or none for the first page"
            )
        })
    })
}

/// Takes a cursor that counts items.
pub(crate) fn cursor_from(query: &mut QueryReader) -> Result<u64, ApiError> {
    Ok(cursor(query, "from-", |text| text.parse().ok())?.unwrap_or(0))
}

/// Takes a cursor that names the symbol before the page.
pub(crate) fn cursor_after(query: &mut QueryReader) -> Result<Option<Symbol>, ApiError> {
    cursor(query, "after-", |text| Symbol::parse(text).ok())
}

/// The page of `items`, which are in the order of their symbols, that follows the symbol `after`.
pub(crate) fn page_after<T>(
    items: impl IntoIterator<Item = T>,
    symbol_of: impl Fn(&T) -> Symbol,
    after: Option<Symbol>,
    limit: u32,
) -> Page<T> {
    let mut rest = items.into_iter().filter(|item| Some(symbol_of(item)) > after).peekable();
    let items: Vec<T> = rest.by_ref().take(limit as usize).collect();
    let more = rest.peek().is_some();
    let next = items.last().filter(|_| more).map(|item| format!("after-{}", symbol_of(item)));
    Page { items, next }
}

/// Which of the newest documents are wanted, one a symbol.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LatestParams {
    /// How far ahead the model looks: 1, 5 or 20 sessions, 1h for an hour, or eod for the end of the
    /// day.
    #[param(value_type = Option<String>, pattern = "^(1|5|20|1h|eod)$", default = "5", example = "5")]
    pub(crate) horizon: Horizon,
    /// Only that of this ticker; case does not matter.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9]{1,12}([.]([Ii][Ss]|[Ee]))?$", example = "THYAO")]
    pub(crate) symbol: Option<Symbol>,
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    pub(crate) limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^after-[A-Z0-9]{1,12}$", example = "after-THYAO")]
    pub(crate) cursor: Option<Symbol>,
}

impl FromQuery for LatestParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self {
            horizon: query.optional("horizon", horizon)?.unwrap_or(HORIZON_DEFAULT),
            symbol: query.optional("symbol", symbol)?,
            limit: limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: cursor_after(query)?,
        })
    }
}

impl LatestParams {
    /// The page of `found`, which are in the order of their symbols.
    ///
    /// Nothing found of a symbol that the store does not have is refused: it is something else than
    /// that there is nothing yet.
    pub(crate) async fn page<T>(
        &self,
        app: &App,
        found: Vec<T>,
        symbol_of: impl Fn(&T) -> Symbol,
    ) -> Result<Page<T>, ApiError> {
        if let Some(symbol) = self.symbol
            && found.is_empty()
            && app.symbol(symbol).await?.is_none()
        {
            return Err(ApiError::SymbolNotFound(symbol));
        }
        Ok(page_after(found, symbol_of, self.cursor, self.limit))
    }
}

/// The cursor for the items from the `index`-th on.
pub(crate) fn from(index: impl Display) -> String {
    format!("from-{index}")
}

/// The page of `items` that begins at the `begin`-th.
pub(crate) fn page<T>(items: impl IntoIterator<Item = T>, begin: u64, limit: u32) -> Page<T> {
    let skipped = usize::try_from(begin).unwrap_or(usize::MAX);
    let mut rest = items.into_iter().skip(skipped);
    let items: Vec<T> = rest.by_ref().take(limit as usize).collect();
    let next = rest.next().map(|_| from(begin.saturating_add(u64::from(limit))));
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(begin: u64, limit: u32, items: &[u8], next: Option<&str>) {
        let page = page([1_u8, 2, 3, 4], begin, limit);
        assert_eq!((page.items.as_slice(), page.next.as_deref()), (items, next));
    }

    #[test]
    fn the_last_page_has_no_next_even_when_it_is_full() {
        check(0, 2, &[1, 2], Some("from-2"));
        check(2, 2, &[3, 4], None);
        check(0, 4, &[1, 2, 3, 4], None);
        check(0, 100, &[1, 2, 3, 4], None);
    }

    #[test]
    fn a_page_beyond_the_end_is_empty() {
        check(4, 2, &[], None);
        check(u64::MAX, 2, &[], None);
    }
}
