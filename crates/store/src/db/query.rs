//! Queries with their values, asked of either database.

use std::marker::PhantomData;

use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query as DriverQuery;
use sqlx::sqlite::{Sqlite, SqliteArguments};
use sqlx::{Arguments as _, SqlSafeStr, SqlStr};
use tracing::{Instrument as _, Span};

use super::argument::{Argument, Bind};
use super::connection::Target;
use super::postgres_pool::in_time;
use super::row::{Decoded, Row};
use super::spans;

/// Asks `sql`, whose values are named `$1`, `$2` and on.
pub(crate) fn query<'q>(sql: impl SqlSafeStr) -> Query<'q> {
    Query { sql: sql.into_sql_str(), arguments: Vec::new() }
}

/// Asks `sql` for its first column.
pub(crate) fn query_scalar<'q, T>(sql: impl SqlSafeStr) -> Scalar<'q, T> {
    Scalar { query: query(sql), column: PhantomData }
}

/// A query with its values.
#[derive(Debug)]
#[must_use = "a query does nothing until it is asked"]
pub(crate) struct Query<'q> {
    sql: SqlStr,
    arguments: Vec<Argument<'q>>,
}

/// What a query changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Changed {
    rows_count: u64,
}

impl Changed {
    /// How many rows it wrote or removed.
    pub(crate) const fn rows_affected(self) -> u64 {
        self.rows_count
    }
}

impl<'q> Query<'q> {
    /// A query whose values are collected already.
    pub(super) const fn with_arguments(sql: SqlStr, arguments: Vec<Argument<'q>>) -> Self {
        Self { sql, arguments }
    }

    /// Gives the next value.
    pub(crate) fn bind(mut self, value: impl Bind<'q>) -> Self {
        self.arguments.push(value.argument());
        self
    }

    /// Gives the next value as it is kept.
    pub(crate) fn bind_argument(mut self, value: Argument<'q>) -> Self {
        self.arguments.push(value);
        self
    }

    /// Asks, and returns what was changed.
    pub(crate) async fn execute<'c>(
        self,
        target: impl Into<Target<'c>>,
    ) -> Result<Changed, sqlx::Error> {
        let target = target.into();
        let (traced, logged) = self.spans(&target);
        self.execute_of(target).instrument(logged).instrument(traced).await
    }

    async fn execute_of(self, target: Target<'_>) -> Result<Changed, sqlx::Error> {
        let rows_count = match target {
            Target::SqlitePool(pool) => self.for_sqlite()?.execute(pool).await?.rows_affected(),
            Target::SqliteReaders(readers) => {
                let mut reader = readers.get().await?;
                self.for_sqlite()?.execute(&mut *reader).await?.rows_affected()
            }
            Target::Sqlite(held) => self.for_sqlite()?.execute(held).await?.rows_affected(),
            Target::PostgresPool(pool) => {
                let asking = self.for_postgres()?.execute(&pool.connections);
                pool.watched(asking).await?.rows_affected()
            }
            Target::Postgres(held) => {
                in_time(self.for_postgres()?.execute(held)).await?.rows_affected()
            }
        };
        Ok(Changed { rows_count })
    }

    /// Asks for the only row.
    pub(crate) async fn fetch_one<'c>(
        self,
        target: impl Into<Target<'c>>,
    ) -> Result<Row, sqlx::Error> {
        self.fetch_optional(target).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Asks for the only row, which may be missing.
    pub(crate) async fn fetch_optional<'c>(
        self,
        target: impl Into<Target<'c>>,
    ) -> Result<Option<Row>, sqlx::Error> {
        let target = target.into();
        let (traced, logged) = self.spans(&target);
        self.fetch_optional_of(target).instrument(logged).instrument(traced).await
    }

    async fn fetch_optional_of(self, target: Target<'_>) -> Result<Option<Row>, sqlx::Error> {
        Ok(match target {
            Target::SqlitePool(pool) => {
                self.for_sqlite()?.fetch_optional(pool).await?.map(Row::Sqlite)
            }
            Target::SqliteReaders(readers) => {
                let mut reader = readers.get().await?;
                self.for_sqlite()?.fetch_optional(&mut *reader).await?.map(Row::Sqlite)
            }
            Target::Sqlite(held) => self.for_sqlite()?.fetch_optional(held).await?.map(Row::Sqlite),
            Target::PostgresPool(pool) => {
                let asking = self.for_postgres()?.fetch_optional(&pool.connections);
                pool.watched(asking).await?.map(Row::Postgres)
            }
            Target::Postgres(held) => {
                in_time(self.for_postgres()?.fetch_optional(held)).await?.map(Row::Postgres)
            }
        })
    }

    /// Asks for all rows.
    pub(crate) async fn fetch_all<'c>(
        self,
        target: impl Into<Target<'c>>,
    ) -> Result<Vec<Row>, sqlx::Error> {
        let target = target.into();
        let (traced, logged) = self.spans(&target);
        self.fetch_all_of(target).instrument(logged).instrument(traced).await
    }

    async fn fetch_all_of(self, target: Target<'_>) -> Result<Vec<Row>, sqlx::Error> {
        Ok(match target {
            Target::SqlitePool(pool) => of(self.for_sqlite()?.fetch_all(pool).await?, Row::Sqlite),
            Target::SqliteReaders(readers) => {
                let mut reader = readers.get().await?;
                of(self.for_sqlite()?.fetch_all(&mut *reader).await?, Row::Sqlite)
            }
            Target::Sqlite(held) => of(self.for_sqlite()?.fetch_all(held).await?, Row::Sqlite),
            Target::PostgresPool(pool) => {
                let asking = self.for_postgres()?.fetch_all(&pool.connections);
                of(pool.watched(asking).await?, Row::Postgres)
            }
            Target::Postgres(held) => {
                of(in_time(self.for_postgres()?.fetch_all(held)).await?, Row::Postgres)
            }
        })
    }

    /// The spans within which `target` is asked.
    fn spans(&self, target: &Target<'_>) -> (Span, Span) {
        (spans::of_statement(target.system(), self.sql.as_str()), spans::current())
    }

    fn for_sqlite(self) -> Result<DriverQuery<'q, Sqlite, SqliteArguments>, sqlx::Error> {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(self.arguments.len(), 0);
        for argument in self.arguments {
            argument.add_to_sqlite(&mut arguments).map_err(sqlx::Error::Encode)?;
        }
        Ok(sqlx::query_with(self.sql, arguments))
    }

    fn for_postgres(self) -> Result<DriverQuery<'q, Postgres, PgArguments>, sqlx::Error> {
        let mut arguments = PgArguments::default();
        // The number of bytes need not be right; most values are numbers.
        arguments.reserve(self.arguments.len(), self.arguments.len() * size_of::<i64>());
        for argument in self.arguments {
            argument.add_to_postgres(&mut arguments).map_err(sqlx::Error::Encode)?;
        }
        let is_kept = !names_all_columns(self.sql.as_str());
        Ok(sqlx::query_with(self.sql, arguments).persistent(is_kept))
    }
}

/// Whether `sql` asks for the columns that there are. PostgreSQL refuses a statement that was prepared before
/// a newer program added one ("cached plan must not change result type"), so such a one is prepared each time.
fn names_all_columns(sql: &str) -> bool {
    ["SELECT *", "RETURNING *", ".* "].iter().any(|columns| sql.contains(columns))
}

/// The rows of a driver as ours.
fn of<R>(rows: Vec<R>, row: impl Fn(R) -> Row) -> Vec<Row> {
    rows.into_iter().map(row).collect()
}

/// A query of which only the first column is wanted.
#[derive(Debug)]
#[must_use = "a query does nothing until it is asked"]
pub(crate) struct Scalar<'q, T> {
    query: Query<'q>,
    column: PhantomData<fn() -> T>,
}

impl<'q, T: for<'r> Decoded<'r>> Scalar<'q, T> {
    /// Gives the next value.
    pub(crate) fn bind(self, value: impl Bind<'q>) -> Self {
        Self { query: self.query.bind(value), ..self }
    }

    /// Asks for the only value.
    pub(crate) async fn fetch_one<'c>(
        self,
        target: impl Into<Target<'c>>,
    ) -> Result<T, sqlx::Error> {
        self.query.fetch_one(target).await?.try_get(0)
    }

    /// Asks for the only value, whose row may be missing.
    pub(crate) async fn fetch_optional<'c>(
        self,
        target: impl Into<Target<'c>>,
    ) -> Result<Option<T>, sqlx::Error> {
        self.query.fetch_optional(target).await?.map(|row| row.try_get(0)).transpose()
    }

    /// Asks for all values.
    pub(crate) async fn fetch_all<'c>(
        self,
        target: impl Into<Target<'c>>,
    ) -> Result<Vec<T>, sqlx::Error> {
        self.query.fetch_all(target).await?.iter().map(|row| row.try_get(0)).collect()
    }
}
