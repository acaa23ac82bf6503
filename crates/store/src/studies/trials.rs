//! Making, claiming, changing and ending trials.

use bist_lifecycle::search_space::Distribution;
use bist_lifecycle::study::{
    FrozenTrial, NewTrial, Param, StudyId, StudyStorageError, TrialId, TrialState,
};
use jiff::Timestamp;
use serde_json::Value;

use super::reads::{parse_state, trials_numbered};
use super::writes::lock;
use super::{AttributeKind, place, trial_id};
use crate::columns::{document, json, signed};
use crate::db::{Connection, query};
use crate::error::StoreError;
use crate::pool::Store;

impl Store {
    /// Makes a trial, with the next number of its study.
    ///
    /// # Errors
    ///
    /// [`StoreError::Study`] when there is no such study, or the trial has finished elsewhere and
    /// could not have finished here; the others as the database gives them.
    pub async fn create_study_trial(
        &self,
        study: StudyId,
        trial: NewTrial,
        at: Timestamp,
    ) -> Result<FrozenTrial, StoreError> {
        let mut transaction = self.writer.begin().await?;
        let directions = lock(&mut transaction, study).await?;
        trial.check(directions.len(), |_| None)?;
        let row = query(
            "SELECT COALESCE(MAX(number) + 1, 0) AS number FROM study_trials WHERE study_id = $1",
        )
        .bind(study.0)
        .fetch_one(&mut *transaction)
        .await?;
        let number = crate::columns::count(&row, "number")?;
        let trial = trial.begin(trial_id(study, number), number, at);
        query(
            "INSERT INTO study_trials (study_id, number, state, started_at_us, completed_at_us)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(study.0)
        .bind(signed(number))
        .bind(trial.state.as_str())
        .bind(trial.started_at.map(Timestamp::as_microsecond))
        .bind(trial.completed_at.map(Timestamp::as_microsecond))
        .execute(&mut *transaction)
        .await?;
        let mut act = Act { connection: &mut transaction, study, number: signed(number) };
        act.save_values(trial.values.as_deref().unwrap_or_default()).await?;
        for (name, param) in &trial.params {
            trial.check_param(name, param, act.kind(name).await?.as_ref())?;
            act.save_param(name, param).await?;
        }
        for (step, value) in &trial.intermediate_values {
            act.save_report(*step, *value).await?;
        }
        for (kind, attributes) in
            [(AttributeKind::User, &trial.user_attrs), (AttributeKind::System, &trial.system_attrs)]
        {
            for (key, value) in attributes {
                act.save_attribute(kind, key, value).await?;
            }
        }
        transaction.commit().await?;
        Ok(trial)
    }

    /// Takes the waiting trial with the lowest number, which runs from now on; `None` when none
    /// waits. Of several that ask, one gets it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Study`] when there is no such study, and the others as the database gives them.
    pub async fn claim_waiting_trial(
        &self,
        study: StudyId,
        at: Timestamp,
    ) -> Result<Option<FrozenTrial>, StoreError> {
        const FIRST: &str = "SELECT MIN(number) AS number FROM study_trials
                             WHERE study_id = $1 AND state = 'waiting'";
        // Most of the time none waits, and nobody has to be locked out to know that.
        let row = query(FIRST).bind(study.0).fetch_one(&self.reader).await?;
        if row.try_get::<Option<i64>, _>("number")?.is_none() {
            self.study_exists(study).await?;
            return Ok(None);
        }
        let mut transaction = self.writer.begin().await?;
        lock(&mut transaction, study).await?;
        let row = query(FIRST).bind(study.0).fetch_one(&mut *transaction).await?;
        let Some(number) = row.try_get::<Option<i64>, _>("number")? else { return Ok(None) };
        query(
            "UPDATE study_trials SET state = $1, started_at_us = $2
             WHERE study_id = $3 AND number = $4 AND state = 'waiting'",
        )
        .bind(TrialState::Running.as_str())
        .bind(at.as_microsecond())
        .bind(study.0)
        .bind(number)
        .execute(&mut *transaction)
        .await?;
        let claimed = trials_numbered(&mut transaction, study, &[number]).await?.pop();
        transaction.commit().await?;
        Ok(claimed)
    }

    /// Sets a parameter of an unfinished trial.
    ///
    /// # Errors
    ///
    /// [`StoreError::Study`] with what [`FrozenTrial::check_param`] refuses, or when the trial has
    /// finished or is not there; the others as the database gives them.
    pub async fn set_trial_param(
        &self,
        trial: TrialId,
        name: &str,
        param: &Param,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        let (mut act, mut known, _) = Act::begin(&mut transaction, trial).await?;
        known.params.extend(act.param(name).await?.map(|param| (name.to_owned(), param)));
        known.check_param(name, param, act.kind(name).await?.as_ref())?;
        act.save_param(name, param).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Remembers what an unfinished trial reported at `step`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Study`] when the trial has finished or is not there, and the others as the
    /// database gives them.
    pub async fn report_trial(
        &self,
        trial: TrialId,
        step: u64,
        value: f64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        let (mut act, ..) = Act::begin(&mut transaction, trial).await?;
        act.save_report(step, value).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends a trial; of several that do, the first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Study`] when it had ended or is not there, or does not end so; the others as the
    /// database gives them.
    pub async fn finish_trial(
        &self,
        trial: TrialId,
        state: TrialState,
        values: Option<&[f64]>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        let (mut act, known, objectives_count) = Act::begin(&mut transaction, trial).await?;
        known.check_values(state, values, objectives_count)?;
        act.save_values(values.unwrap_or_default()).await?;
        act.save_end(state, at).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Remembers something of an unfinished trial.
    ///
    /// # Errors
    ///
    /// As [`Self::report_trial`].
    pub async fn set_trial_attribute(
        &self,
        trial: TrialId,
        kind: AttributeKind,
        key: &str,
        value: &Value,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        let (mut act, ..) = Act::begin(&mut transaction, trial).await?;
        act.save_attribute(kind, key, value).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// A change of one trial, within a transaction that has locked its study.
struct Act<'a> {
    connection: &'a mut Connection,
    study: StudyId,
    number: i64,
}

impl<'a> Act<'a> {
    /// Locks the study of an unfinished trial; returns what is known of the trial without looking
    /// further, and how many objectives the study has.
    async fn begin(
        connection: &'a mut Connection,
        id: TrialId,
    ) -> Result<(Self, FrozenTrial, usize), StoreError> {
        let (study, number) = place(id);
        let unknown = StudyStorageError::UnknownTrial(id);
        let directions = match lock(connection, study).await {
            Err(StoreError::Study(_)) => return Err(unknown.into()),
            other => other?,
        };
        let row = query("SELECT state FROM study_trials WHERE study_id = $1 AND number = $2")
            .bind(study.0)
            .bind(number)
            .fetch_optional(&mut *connection)
            .await?
            .ok_or(unknown)?;
        let begun = NewTrial::Running.begin(id, number.unsigned_abs(), Timestamp::UNIX_EPOCH);
        let trial = FrozenTrial { state: parse_state(row.try_get("state")?)?, ..begun };
        trial.check_unfinished()?;
        Ok((Self { connection, study, number }, trial, directions.len()))
    }

    /// What the parameter `name` of this trial is.
    async fn param(&mut self, name: &str) -> Result<Option<Param>, StoreError> {
        query(
            "SELECT document, internal_value FROM study_trial_params
             WHERE study_id = $1 AND number = $2 AND name = $3",
        )
        .bind(self.study.0)
        .bind(self.number)
        .bind(name)
        .fetch_optional(&mut *self.connection)
        .await?
        .map(|row| {
            let distribution = document("distribution", &row)?;
            Ok(Param { distribution, internal: row.try_get("internal_value")? })
        })
        .transpose()
    }

    /// What the parameter `name` may be in some trial of the study; all have it of one kind.
    async fn kind(&mut self, name: &str) -> Result<Option<Distribution>, StoreError> {
        query("SELECT document FROM study_trial_params WHERE study_id = $1 AND name = $2 LIMIT 1")
            .bind(self.study.0)
            .bind(name)
            .fetch_optional(&mut *self.connection)
            .await?
            .map(|row| document("distribution", &row))
            .transpose()
    }

    async fn save_param(&mut self, name: &str, param: &Param) -> Result<(), StoreError> {
        query(
            "INSERT INTO study_trial_params (study_id, number, name, internal_value, document)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (study_id, number, name) DO NOTHING",
        )
        .bind(self.study.0)
        .bind(self.number)
        .bind(name)
        .bind(param.internal)
        .bind(json("distribution", &param.distribution)?)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn save_report(&mut self, step: u64, value: f64) -> Result<(), StoreError> {
        query(
            "INSERT INTO study_trial_reports (study_id, number, step, reported_value)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (study_id, number, step)
             DO UPDATE SET reported_value = EXCLUDED.reported_value",
        )
        .bind(self.study.0)
        .bind(self.number)
        .bind(signed(step))
        .bind(Some(value).filter(|value| !value.is_nan()))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn save_values(&mut self, values: &[f64]) -> Result<(), StoreError> {
        for (objective, value) in (0_i64..).zip(values) {
            query(
                "INSERT INTO study_trial_values (study_id, number, objective, objective_value)
                 VALUES ($1, $2, $3, $4)",
            )
            .bind(self.study.0)
            .bind(self.number)
            .bind(objective)
            .bind(value)
            .execute(&mut *self.connection)
            .await?;
        }
        Ok(())
    }

    async fn save_end(&mut self, state: TrialState, at: Timestamp) -> Result<(), StoreError> {
        query(
            "UPDATE study_trials SET state = $1, completed_at_us = $2
             WHERE study_id = $3 AND number = $4 AND state IN ('running', 'waiting')",
        )
        .bind(state.as_str())
        .bind(at.as_microsecond())
        .bind(self.study.0)
        .bind(self.number)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn save_attribute(
        &mut self,
        kind: AttributeKind,
        key: &str,
        value: &Value,
    ) -> Result<(), StoreError> {
        query(
            "INSERT INTO study_trial_attributes (study_id, number, kind, attribute, document)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (study_id, number, kind, attribute)
             DO UPDATE SET document = EXCLUDED.document",
        )
        .bind(self.study.0)
        .bind(self.number)
        .bind(kind.as_str())
        .bind(key)
        .bind(json("attribute", value)?)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}
