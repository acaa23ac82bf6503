//! Moving everything from one database to another, also in the place of what is there, and proof that it
//! arrived.

use sha2::{Digest as _, Sha256};

use crate::bulk::{ROWS_PER_STATEMENT, values};
use crate::db::{Argument, AssertSqlSafe, Bind as _, Connection, Row, query, query_scalar};
use crate::error::StoreError;
use crate::migrate;
use crate::pool::Store;
use crate::schema::{Column, ColumnKind, Guard, TABLES, columns_of, guards_of};

/// Rows that are read at once.
const ROWS_PER_PAGE: usize = 4096;

/// A table that was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedTable {
    /// Its name.
    pub name: &'static str,
    /// How many rows it has, in both databases.
    pub rows_count: u64,
    /// The SHA-256 of all its rows, the same in both databases, as hexadecimal digits.
    pub sha256: String,
}

impl Store {
    /// Moves every row of this database to `target`, in one transaction, and reads all of it again
    /// there; `told` hears of each table that arrived. Nobody else writes to either meanwhile.
    /// Artefacts are not in the database and stay where they are.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotEmpty`] when `target` holds anything, [`StoreError::NotCopied`] when either was
    /// added to by a newer program, [`StoreError::CopyDiffers`] when a table did not arrive as it is, and
    /// the others when a database fails; `target` is then as before.
    pub async fn copy_to(
        &self,
        target: &Store,
        mut told: impl FnMut(&CopiedTable),
    ) -> Result<Vec<CopiedTable>, StoreError> {
        let (mut from, mut to) =
            (self.writer.begin_alone().await?, target.writer.begin_alone().await?);
        let copied = copy_all(&mut from, &mut to, &mut told).await?;
        to.commit().await?;
        Ok(copied)
    }

    /// Writes every row that this database shows at one moment to `target`, as [`Store::copy_to`] does,
    /// while others go on writing here.
    ///
    /// # Errors
    ///
    /// As [`Store::copy_to`].
    pub(crate) async fn copy_view_to(
        &self,
        target: &Store,
    ) -> Result<Vec<CopiedTable>, StoreError> {
        let (mut from, mut to) = (self.reader.begin().await?, target.writer.begin_alone().await?);
        let copied = copy_all(&mut from, &mut to, &mut |_: &CopiedTable| {}).await?;
        to.commit().await?;
        Ok(copied)
    }

    /// Puts every row of `from` in the place of all rows that are here, in one transaction, and reads all
    /// of it again here. Whoever reads sees what was here until it is done, and what was there from then
    /// on; whoever writes waits, for as long as they wait for any lock. Nobody else writes to `from`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] when somebody writes here and does not end, [`StoreError::NotCopied`] and
    /// [`StoreError::CopyDiffers`] as of [`Store::copy_to`], and the others when a database fails; all is
    /// as before then.
    pub async fn replace_all(&self, from: &Store) -> Result<Vec<CopiedTable>, StoreError> {
        let (mut from, mut to) = (from.reader.begin().await?, self.writer.begin_alone().await?);
        keep_to_oneself(&mut to).await?;
        let guards = take_guards_off(&mut to).await?;
        for table in TABLES.iter().rev() {
            query(AssertSqlSafe(format!("DELETE FROM {table}"))).execute(&mut *to).await?;
        }
        let copied = copy_all(&mut from, &mut to, &mut |_: &CopiedTable| {}).await?;
        for guard in guards {
            query(AssertSqlSafe(guard)).execute(&mut *to).await?;
        }
        to.commit().await?;
        Ok(copied)
    }

    /// All tables with their rows and hashes, at one moment.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub(crate) async fn tallies(&self) -> Result<Vec<CopiedTable>, StoreError> {
        let mut view = self.reader.begin().await?;
        let mut tallies = Vec::with_capacity(TABLES.len());
        for name in TABLES {
            let table = Table { name, columns: columns_of(&mut view, name).await? };
            tallies.push(tally(&table, &mut view).await?);
        }
        Ok(tallies)
    }

    /// Shows that no table has rows.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotEmpty`] when one has, and the others when the database fails.
    pub async fn check_empty(&self) -> Result<(), StoreError> {
        let mut view = self.reader.begin().await?;
        check_empty(&mut view).await
    }

    /// How many rows each table has.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn row_counts(&self) -> Result<Vec<(&'static str, u64)>, StoreError> {
        let mut counts = Vec::with_capacity(TABLES.len());
        let mut view = self.reader.begin().await?;
        for table in TABLES {
            let text = format!("SELECT COUNT(*) FROM {table}");
            let count: i64 = query_scalar(AssertSqlSafe(text)).fetch_one(&mut *view).await?;
            counts.push((table, count.unsigned_abs()));
        }
        Ok(counts)
    }
}

/// Writes the rows of all tables of `from` to `to`, where there must be none, and reads them again
/// there.
async fn copy_all(
    from: &mut Connection,
    to: &mut Connection,
    told: &mut impl FnMut(&CopiedTable),
) -> Result<Vec<CopiedTable>, StoreError> {
    check_known(from).await?;
    check_known(to).await?;
    check_empty(to).await?;
    let mut copied = Vec::with_capacity(TABLES.len());
    for name in TABLES {
        let table = Table { name, columns: columns_of(from, name).await? };
        let sent = copy(&table, from, to).await?;
        if table.columns != columns_of(to, name).await? || sent != tally(&table, to).await? {
            return Err(StoreError::CopyDiffers(name));
        }
        told(&sent);
        copied.push(sent);
    }
    Ok(copied)
}

/// Keeps everybody else from writing to any table until the transaction ends, while they read. SQLite does
/// so by itself; on PostgreSQL some write beside a transaction that was begun alone.
async fn keep_to_oneself(connection: &mut Connection) -> Result<(), StoreError> {
    if connection.is_postgres() {
        let text = format!("LOCK TABLE {} IN EXCLUSIVE MODE", TABLES.join(", "));
        query(AssertSqlSafe(text)).execute(connection).await?;
    }
    Ok(())
}

/// Has the database take no row of any table for one that is never removed; returns what puts that right
/// again. It is so within this transaction alone, in which nobody else writes: others never see it.
async fn take_guards_off(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    let mut guards = Vec::new();
    for table in TABLES {
        for Guard { off, on } in guards_of(connection, table).await? {
            query(AssertSqlSafe(off)).execute(&mut *connection).await?;
            guards.push(on);
        }
    }
    Ok(guards)
}

/// Shows that there is nothing that this program does not know. Which programs may use the tables is no
/// row that is moved: both databases have it from the same steps.
async fn check_known(connection: &mut Connection) -> Result<(), StoreError> {
    let newest: Option<i64> = query_scalar(migrate::NEWEST_RUN).fetch_one(connection).await?;
    let (newest, known) = (newest.unwrap_or(0), migrate::NEWEST);
    if newest > known { Err(StoreError::NotCopied { newest, known }) } else { Ok(()) }
}

async fn check_empty(connection: &mut Connection) -> Result<(), StoreError> {
    for table in TABLES {
        if !is_empty(connection, table).await? {
            return Err(StoreError::NotEmpty(table));
        }
    }
    Ok(())
}

async fn is_empty(connection: &mut Connection, table: &str) -> Result<bool, StoreError> {
    let text = format!("SELECT 1 FROM {table} LIMIT 1");
    Ok(query(AssertSqlSafe(text)).fetch_optional(connection).await?.is_none())
}

/// Writes the rows of `from` to `to`.
async fn copy(
    table: &Table,
    from: &mut Connection,
    to: &mut Connection,
) -> Result<CopiedTable, StoreError> {
    let mut pages = Pages::of(table);
    let mut tally = Tally::default();
    while let Some(rows) = pages.next(from).await? {
        for rows in rows.chunks(ROWS_PER_STATEMENT) {
            let names = table.names();
            let values = values(0, table.columns.len(), rows.len());
            let text = format!("INSERT INTO {} ({names}) {values}", table.name);
            let mut insert = query(AssertSqlSafe(text));
            for row in rows {
                tally.add(row);
                for value in row {
                    insert = insert.bind_argument(value.clone());
                }
            }
            insert.execute(&mut *to).await?;
        }
    }
    Ok(tally.of(table))
}

/// What `connection` has of `table`.
async fn tally(table: &Table, connection: &mut Connection) -> Result<CopiedTable, StoreError> {
    let mut pages = Pages::of(table);
    let mut tally = Tally::default();
    while let Some(rows) = pages.next(connection).await? {
        rows.iter().for_each(|row| tally.add(row));
    }
    Ok(tally.of(table))
}

/// A table and its columns.
struct Table {
    name: &'static str,
    columns: Vec<Column>,
}

impl Table {
    /// The names of all columns.
    fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }

    /// The places of the columns of the primary key, in its order.
    fn key(&self) -> Vec<usize> {
        let mut key: Vec<_> =
            (0..self.columns.len()).filter(|place| self.columns[*place].key_place > 0).collect();
        key.sort_by_key(|place| self.columns[*place].key_place);
        key
    }

    /// The values of a row.
    fn read(&self, row: &Row) -> Result<Vec<Argument<'static>>, StoreError> {
        let value = |(place, column): (usize, &Column)| {
            Ok(match column.kind {
                ColumnKind::Integer => row.try_get::<Option<i64>, _>(place)?.argument(),
                ColumnKind::Real => row.try_get::<Option<f64>, _>(place)?.argument(),
                ColumnKind::Text => row.try_get::<Option<String>, _>(place)?.argument(),
            })
        };
        self.columns.iter().enumerate().map(value).collect()
    }
}

/// Reads a table page by page, in the order of its primary key, which is the same in both databases.
struct Pages<'t> {
    table: &'t Table,
    key: Vec<usize>,
    /// The key of the last row that was read.
    last: Option<Vec<Argument<'static>>>,
    is_over: bool,
}

impl<'t> Pages<'t> {
    fn of(table: &'t Table) -> Self {
        Self { table, key: table.key(), last: None, is_over: false }
    }

    async fn next(
        &mut self,
        connection: &mut Connection,
    ) -> Result<Option<Vec<Vec<Argument<'static>>>>, StoreError> {
        if self.is_over {
            return Ok(None);
        }
        let key: Vec<_> =
            self.key.iter().map(|place| self.table.columns[*place].name.as_str()).collect();
        let key = key.join(", ");
        let mut text = format!("SELECT {} FROM {}", self.table.names(), self.table.name);
        if self.last.is_some() {
            let numbers = crate::bulk::placeholders(0, self.key.len());
            text += &format!(" WHERE ({key}) > ({numbers})");
        }
        text += &format!(" ORDER BY {key} LIMIT {ROWS_PER_PAGE}");
        let mut select = query(AssertSqlSafe(text));
        for value in self.last.take().into_iter().flatten() {
            select = select.bind_argument(value);
        }
        let rows = select.fetch_all(connection).await?;
        let rows = rows.iter().map(|row| self.table.read(row)).collect::<Result<Vec<_>, _>>()?;
        self.is_over = rows.len() < ROWS_PER_PAGE;
        let last = rows.last().map(|row| self.key.iter().map(|place| row[*place].clone()));
        self.last = last.map(Iterator::collect);
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }
}

/// How many rows there were, and their hash so far.
#[derive(Default)]
struct Tally {
    rows_count: u64,
    hash: Sha256,
}

impl Tally {
    /// Adds a row, each value with its kind and its length, so that no two rows look the same.
    fn add(&mut self, row: &[Argument<'_>]) {
        self.rows_count += 1;
        for value in row {
            match value {
                Argument::Integer(Some(value)) => self.value(b'i', &value.to_be_bytes()),
                Argument::Real(Some(value)) => self.value(b'r', &value.to_bits().to_be_bytes()),
                Argument::Boolean(Some(value)) => self.value(b'b', &[u8::from(*value)]),
                Argument::Text(Some(value)) => self.value(b't', value.as_bytes()),
                Argument::Integer(None)
                | Argument::Real(None)
                | Argument::Boolean(None)
                | Argument::Text(None) => self.value(b'n', &[]),
            }
        }
    }

    fn value(&mut self, kind: u8, bytes: &[u8]) {
        self.hash.update([kind]);
        self.hash.update((bytes.len() as u64).to_be_bytes());
        self.hash.update(bytes);
    }

    fn of(self, table: &Table) -> CopiedTable {
        let digits = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        CopiedTable { name: table.name, rows_count: self.rows_count, sha256: digits }
    }
}
