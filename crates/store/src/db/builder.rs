//! Queries whose text depends on what is asked for.

use std::fmt::{Display, Write as _};

use sqlx::{AssertSqlSafe, SqlSafeStr as _};

use super::argument::{Argument, Bind};
use super::query::Query;

/// Puts a query together, piece by piece.
#[derive(Debug, Default)]
pub(crate) struct QueryBuilder<'q> {
    text: String,
    arguments: Vec<Argument<'q>>,
}

impl<'q> QueryBuilder<'q> {
    /// A query that begins with `text`.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), arguments: Vec::new() }
    }

    /// Adds text of ours, never any that came from outside.
    pub(crate) fn push(&mut self, text: impl Display) -> &mut Self {
        // Writing to a string cannot fail.
        let _infallible = write!(self.text, "{text}");
        self
    }

    /// Adds a value, and its name to the text.
    pub(crate) fn push_bind(&mut self, value: impl Bind<'q>) -> &mut Self {
        self.arguments.push(value.argument());
        let number = self.arguments.len();
        self.push(format_args!("${number}"))
    }

    /// The query; nothing is left here.
    pub(crate) fn build(&mut self) -> Query<'q> {
        let Self { text, arguments } = std::mem::take(self);
        Query::with_arguments(AssertSqlSafe(text).into_sql_str(), arguments)
    }
}
