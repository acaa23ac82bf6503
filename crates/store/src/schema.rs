//! The tables of either database, as the database itself describes them.

use crate::columns::{count, impossible};
use crate::db::{Connection, query};
use crate::error::StoreError;

/// All tables, each after those that its rows refer to; not those that tell which steps were run, and which
/// programs may use them.
pub const TABLES: [&str; 71] = [
    "instruments",
    "ingests",
    "bars",
    "bar_revisions",
    "bar_series",
    "refused_rows",
    "corporate_actions",
    "instrument_days",
    "observations",
    "observation_revisions",
    "disclosures",
    "disclosure_symbols",
    "pieces",
    "source_status",
    "data_quality",
    "findings",
    "quality_history",
    "finding_decisions",
    "job_runs",
    "job_stages",
    "job_lines",
    "model_versions",
    "model_state_changes",
    "snapshots",
    "forecasts",
    "signals",
    "explanations",
    "served_signals",
    "signal_scores",
    "trials",
    "studies",
    "study_attributes",
    "study_trials",
    "study_trial_values",
    "study_trial_params",
    "study_trial_reports",
    "study_trial_attributes",
    "experiments",
    "experiment_exposures",
    "experiment_outcomes",
    "secrets",
    "secret_register",
    "audit_log",
    "audit_head",
    "accounts",
    "recovery_codes",
    "invitations",
    "sessions",
    "sign_ins",
    "api_keys",
    "certificate_orders",
    "certificate_answers",
    "passkeys",
    "passkey_challenges",
    "personal_marks",
    "watchlists",
    "user_settings",
    "alert_channels",
    "alert_rules",
    "alerts",
    "alert_deliveries",
    "error_groups",
    "error_events",
    "api_usage",
    "activities",
    "paper_portfolios",
    "paper_orders",
    "paper_events",
    "paper_days",
    "paper_marks",
    "trading_halt",
];

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Integer,
    Real,
    Text,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
    /// Its place in the primary key, from 1 on; 0 when it is not in it.
    pub(crate) key_place: u64,
}

const COLUMNS_OF_SQLITE: &str =
    "SELECT name, type AS column_type, pk AS key_place FROM pragma_table_info($1) ORDER BY cid";

const COLUMNS_OF_POSTGRES: &str = "
    SELECT CAST(a.attname AS TEXT) AS name,
           UPPER(format_type(a.atttypid, NULL)) AS column_type,
           CAST(COALESCE(array_position(CAST(i.indkey AS int2[]), a.attnum) + 1, 0) AS BIGINT)
               AS key_place
    FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
    WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum";

/// The columns of `table`, in their order.
pub(crate) async fn columns_of(
    connection: &mut Connection,
    table: &str,
) -> Result<Vec<Column>, StoreError> {
    let text = if connection.is_postgres() { COLUMNS_OF_POSTGRES } else { COLUMNS_OF_SQLITE };
    let rows = query(text).bind(table).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let kind = match row.try_get("column_type")? {
                "BIGINT" => ColumnKind::Integer,
                "DOUBLE PRECISION" => ColumnKind::Real,
                "TEXT" => ColumnKind::Text,
                other => return Err(impossible(format!("a column of {table} is {other}"))),
            };
            Ok(Column { name: row.try_get("name")?, kind, key_place: count(row, "key_place")? })
        })
        .collect()
}

/// What keeps the rows of a table from being removed, by the statements that take it off and put it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Guard {
    pub(crate) off: String,
    pub(crate) on: String,
}

const GUARDS_OF_SQLITE: &str = "
    SELECT name, sql AS made_by FROM sqlite_master
    WHERE type = 'trigger' AND tbl_name = $1 AND sql LIKE '%BEFORE DELETE ON%' ORDER BY name";

/// Those that fire for rows that are removed have the bit 8.
const GUARDS_OF_POSTGRES: &str = "
    SELECT CAST(tgname AS TEXT) AS name FROM pg_trigger
    WHERE tgrelid = to_regclass($1) AND NOT tgisinternal AND (tgtype & 8) <> 0 ORDER BY name";

/// The triggers that keep rows of `table` from being removed.
pub(crate) async fn guards_of(
    connection: &mut Connection,
    table: &str,
) -> Result<Vec<Guard>, StoreError> {
    let is_postgres = connection.is_postgres();
    let text = if is_postgres { GUARDS_OF_POSTGRES } else { GUARDS_OF_SQLITE };
    let rows = query(text).bind(table).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get("name")?;
            Ok(if is_postgres {
                let switch = |word: &str| format!("ALTER TABLE {table} {word} TRIGGER {name}");
                Guard { off: switch("DISABLE"), on: switch("ENABLE") }
            } else {
                Guard { off: format!("DROP TRIGGER {name}"), on: row.try_get("made_by")? }
            })
        })
        .collect()
}
