//! Both databases have the same tables, whoever wrote their steps.

use std::collections::BTreeSet;

use bist_store::TABLES;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Row as _};
use tempfile::TempDir;

use super::database;
use crate::home::open;

/// Each column: its table, name, type, whether it may be missing, its default.
const COLUMNS_SQLITE: &str = "
    SELECT t.name || '.' || c.name || ' ' || c.type
           || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN ' NOT NULL' ELSE '' END
           || COALESCE(' DEFAULT ' || c.dflt_value, '')
    FROM sqlite_master t, pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'";

const COLUMNS_POSTGRES: &str = "
    SELECT c.relname || '.' || a.attname || ' ' || UPPER(format_type(a.atttypid, NULL))
           || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
           || COALESCE(' DEFAULT ' || replace(pg_get_expr(d.adbin, d.adrelid), '::text', ''), '')
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
      AND NOT a.attisdropped AND c.relname NOT LIKE '\\_sqlx%'";

/// Each index that is written down, and each trigger but those against emptying a table at once, which
/// SQLite does not know.
const REST_SQLITE: &str = "
    SELECT type || ' ' || name || ' ON ' || tbl_name FROM sqlite_master
    WHERE type IN ('index', 'trigger') AND sql IS NOT NULL";

const REST_POSTGRES: &str = "
    SELECT 'index ' || i.relname || ' ON ' || t.relname
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    WHERE t.relnamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid)
    UNION ALL
    SELECT 'trigger ' || g.tgname || ' ON ' || t.relname
    FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
    WHERE NOT g.tgisinternal AND g.tgname NOT LIKE '%\\_not\\_emptied'";

#[tokio::test]
async fn both_databases_have_the_same_tables_columns_indices_and_triggers() {
    let Some(database) = database() else { return };
    let folder = TempDir::new().unwrap();
    open(folder.path(), "sqlite:").await.close().await;
    open(folder.path(), &database.url()).await.close().await;
    let url = format!("sqlite:{}", folder.path().join("bist.sqlite").display());
    let mut sqlite = SqliteConnection::connect(&url).await.unwrap();
    let mut postgres = PgConnection::connect(&database.url()).await.unwrap();
    for (text_of_sqlite, text_of_postgres) in
        [(COLUMNS_SQLITE, COLUMNS_POSTGRES), (REST_SQLITE, REST_POSTGRES)]
    {
        let rows = sqlx::query(text_of_sqlite).fetch_all(&mut sqlite).await.unwrap();
        let of_sqlite: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        let rows = sqlx::query(text_of_postgres).fetch_all(&mut postgres).await.unwrap();
        let of_postgres: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(of_sqlite, of_postgres);
        assert!(of_sqlite.len() > 30);
    }
}

#[tokio::test]
async fn every_table_is_among_those_that_are_moved() {
    let folder = TempDir::new().unwrap();
    open(folder.path(), "sqlite:").await.close().await;
    let url = format!("sqlite:{}", folder.path().join("bist.sqlite").display());
    let mut sqlite = SqliteConnection::connect(&url).await.unwrap();
    // What is about the tables and not in them is made anew by whoever makes them.
    let text = "SELECT name FROM sqlite_master WHERE type = 'table'
                  AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' AND name <> 'schema_floor'";
    let rows = sqlx::query(text).fetch_all(&mut sqlite).await.unwrap();
    let there: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(there, TABLES.into_iter().map(str::to_owned).collect());
}
