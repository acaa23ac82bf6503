//! Reading studies, and their trials from some number on.

use std::collections::BTreeMap;

use bist_lifecycle::study::{
    FrozenTrial, NewTrial, Param, StudyId, StudyRecord, StudyStorageError, TrialState,
};
use jiff::Timestamp;
use serde_json::Value;

use super::{AttributeKind, trial_id};
use crate::bulk::{ROWS_PER_STATEMENT, placeholders};
use crate::columns::{count, document, impossible, maybe_instant_us, signed};
use crate::db::{AssertSqlSafe, Connection, Row, query};
use crate::error::StoreError;
use crate::pool::Store;

impl Store {
    /// All studies in the order in which they were made.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn studies(&self) -> Result<Vec<StudyRecord>, StoreError> {
        let mut transaction = self.reader.begin().await?;
        let rows =
            query("SELECT id, name, directions FROM studies WHERE name IS NOT NULL ORDER BY id")
                .fetch_all(&mut *transaction)
                .await?;
        let mut studies = rows.iter().map(record).collect::<Result<Vec<_>, _>>()?;
        for study in &mut studies {
            read_attributes(&mut transaction, study).await?;
        }
        Ok(studies)
    }

    /// The study of that name.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn find_study(&self, name: &str) -> Result<Option<StudyRecord>, StoreError> {
        let mut transaction = self.reader.begin().await?;
        let row = query("SELECT id, name, directions FROM studies WHERE name = $1")
            .bind(name)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut study = record(&row)?;
        read_attributes(&mut transaction, &mut study).await?;
        Ok(Some(study))
    }

    /// The trials of a study that somebody who knows its first `known_count` trials, those of
    /// `unfinished` not to their end, has to look at, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// [`StoreError::Study`] when there is no such study, and the others as the database gives them.
    pub async fn study_trials_after(
        &self,
        study: StudyId,
        known_count: u64,
        unfinished: &[u64],
    ) -> Result<Vec<FrozenTrial>, StoreError> {
        let mut transaction = self.reader.begin().await?;
        let mut trials = Vec::new();
        let numbers: Vec<i64> = unfinished.iter().copied().map(signed).collect();
        for chunk in numbers.chunks(ROWS_PER_STATEMENT) {
            trials.extend(trials_numbered(&mut transaction, study, chunk).await?);
        }
        let from = [signed(known_count)];
        trials.extend(read_trials(&mut transaction, study, "number >= $2", &from).await?);
        if trials.is_empty() {
            // Or there is no such study.
            exists(&mut transaction, study).await?;
        }
        Ok(trials)
    }

    /// That there is such a study.
    pub(super) async fn study_exists(&self, study: StudyId) -> Result<(), StoreError> {
        exists(&mut self.reader.acquire().await?, study).await
    }
}

async fn exists(connection: &mut Connection, study: StudyId) -> Result<(), StoreError> {
    query("SELECT id FROM studies WHERE id = $1 AND name IS NOT NULL")
        .bind(study.0)
        .fetch_optional(connection)
        .await?
        .ok_or(StudyStorageError::UnknownStudy(study))?;
    Ok(())
}

/// The trials with `numbers`, as many as fit into one statement.
pub(super) async fn trials_numbered(
    connection: &mut Connection,
    study: StudyId,
    numbers: &[i64],
) -> Result<Vec<FrozenTrial>, StoreError> {
    let those = format!("number IN ({})", placeholders(1, numbers.len()));
    read_trials(connection, study, &those, numbers).await
}

/// The trials for which the condition `those` holds, whose values from `$2` on are `numbers`.
async fn read_trials(
    connection: &mut Connection,
    study: StudyId,
    those: &str,
    numbers: &[i64],
) -> Result<Vec<FrozenTrial>, StoreError> {
    let mut trials = BTreeMap::new();
    for row in rows(connection, statement(TRIALS, those), study, numbers).await? {
        let number = count(&row, "number")?;
        let begun = NewTrial::Running.begin(trial_id(study, number), number, Timestamp::UNIX_EPOCH);
        let trial = FrozenTrial {
            state: parse_state(row.try_get("state")?)?,
            started_at: maybe_instant_us(&row, "started_at_us")?,
            completed_at: maybe_instant_us(&row, "completed_at_us")?,
            ..begun
        };
        trials.insert(number, trial);
    }
    if trials.is_empty() {
        return Ok(Vec::new());
    }
    for (columns, read) in PARTS {
        for row in rows(connection, statement(columns, those), study, numbers).await? {
            if let Some(trial) = trials.get_mut(&count(&row, "number")?) {
                read(trial, &row)?;
            }
        }
    }
    Ok(trials.into_values().collect())
}

/// Reads `columns` of the trials for which `those` holds, which reads no others.
fn statement(columns: &str, those: &str) -> String {
    format!("SELECT number, {columns} WHERE study_id = $1 AND {those} ORDER BY number, 2")
}

async fn rows(
    connection: &mut Connection,
    text: String,
    study: StudyId,
    numbers: &[i64],
) -> Result<Vec<Row>, StoreError> {
    let query = query(AssertSqlSafe(text)).bind(study.0);
    let query = numbers.iter().fold(query, |query, number| query.bind(*number));
    Ok(query.fetch_all(connection).await?)
}

/// What each trial has once: the columns with their table.
const TRIALS: &str = "state, started_at_us, completed_at_us FROM study_trials";

/// How a row adds to its trial.
type ReadPart = fn(&mut FrozenTrial, &Row) -> Result<(), StoreError>;

/// What trials have any number of: the columns with their table.
const PARTS: [(&str, ReadPart); 4] = [
    ("objective, objective_value FROM study_trial_values", read_value),
    ("name, internal_value, document FROM study_trial_params", read_param),
    ("step, reported_value FROM study_trial_reports", read_report),
    ("attribute, kind, document FROM study_trial_attributes", read_attribute),
];

fn read_value(trial: &mut FrozenTrial, row: &Row) -> Result<(), StoreError> {
    trial.values.get_or_insert_default().push(row.try_get("objective_value")?);
    Ok(())
}

fn read_param(trial: &mut FrozenTrial, row: &Row) -> Result<(), StoreError> {
    let internal = row.try_get("internal_value")?;
    let param = Param { distribution: document("distribution", row)?, internal };
    trial.params.insert(row.try_get("name")?, param);
    Ok(())
}

fn read_report(trial: &mut FrozenTrial, row: &Row) -> Result<(), StoreError> {
    let value: Option<f64> = row.try_get("reported_value")?;
    trial.intermediate_values.insert(count(row, "step")?, value.unwrap_or(f64::NAN));
    Ok(())
}

fn read_attribute(trial: &mut FrozenTrial, row: &Row) -> Result<(), StoreError> {
    let (user, system) = (&mut trial.user_attrs, &mut trial.system_attrs);
    remember(row, user, system)
}

fn remember(
    row: &Row,
    user: &mut BTreeMap<String, Value>,
    system: &mut BTreeMap<String, Value>,
) -> Result<(), StoreError> {
    let kind: &str = row.try_get("kind")?;
    let attributes = if kind == AttributeKind::User.as_str() { user } else { system };
    attributes.insert(row.try_get("attribute")?, document("attribute", row)?);
    Ok(())
}

fn record(row: &Row) -> Result<StudyRecord, StoreError> {
    Ok(StudyRecord {
        id: StudyId(row.try_get("id")?),
        name: row.try_get("name")?,
        directions: serde_json::from_str(row.try_get("directions")?).map_err(impossible)?,
        user_attrs: BTreeMap::new(),
        system_attrs: BTreeMap::new(),
    })
}

async fn read_attributes(
    connection: &mut Connection,
    study: &mut StudyRecord,
) -> Result<(), StoreError> {
    let rows = query("SELECT kind, attribute, document FROM study_attributes WHERE study_id = $1")
        .bind(study.id.0)
        .fetch_all(connection)
        .await?;
    rows.iter().try_for_each(|row| remember(row, &mut study.user_attrs, &mut study.system_attrs))
}

/// Reads a state that we wrote.
pub(super) fn parse_state(text: &str) -> Result<TrialState, StoreError> {
    [
        TrialState::Running,
        TrialState::Complete,
        TrialState::Pruned,
        TrialState::Fail,
        TrialState::Waiting,
    ]
    .into_iter()
    .find(|state| state.as_str() == text)
    .ok_or_else(|| impossible(format!("state '{text}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reading_costs_what_is_returned_and_not_the_study() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let mut connection = store.reader.acquire().await.unwrap();
        for those in ["number >= $2", "number IN ($2, $3)"] {
            for columns in PARTS.map(|(columns, _)| columns).iter().chain([&TRIALS]) {
                let text = format!("EXPLAIN QUERY PLAN {}", statement(columns, those));
                let plan = rows(&mut connection, text, StudyId(1), &[7, 8]).await.unwrap();
                let first: &str = plan[0].try_get("detail").unwrap();
                assert!(first.starts_with("SEARCH"), "{first}");
                let range = first.contains("(study_id=? AND number>?)");
                assert!(range || first.contains("(study_id=? AND number=?)"), "{first}");
            }
        }
    }
}
