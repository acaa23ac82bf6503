//! Experiments: the rule as it was declared, what each arm forecast, what came of it, and the end.

use bist_access::AuditAction;
use bist_lifecycle::Horizon;
use bist_lifecycle::experiment::{
    Conclusion, DeclaredExperiment, ExperimentReport, ExperimentState, Exposure, Outcome,
};
use bist_lifecycle::model_version::{ModelState, Signed, StateChange};
use bist_trading::ReturnInterval;
use jiff::Timestamp;
use serde_json::json;

use crate::audit::{Audit, AuditNote, append};
use crate::columns::{day, document, impossible, instant_us, json as text};
use crate::db::{AssertSqlSafe, Connection, Row, query};
use crate::error::StoreError;
use crate::model_versions::{champion_of, change_state, put_in_force, version_of};
use crate::pool::Store;

/// Columns of an experiment.
const COLUMNS: &str = "id, horizon, state, declared_at_us, declared_by, reason, design_sha256, \
                       document, concluded_at_us, concluded_by, conclusion, report";

/// An experiment as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct ExperimentRecord {
    /// The rule, which is the one that was declared.
    pub experiment: DeclaredExperiment,
    /// When it was declared, by whom and why.
    pub declared: Signed,
    /// How it ended; `None` while it goes on.
    pub conclusion: Option<Conclusion>,
}

impl ExperimentRecord {
    /// Where it stands.
    pub fn state(&self) -> ExperimentState {
        self.conclusion.as_ref().map_or(ExperimentState::Running, |conclusion| conclusion.state)
    }
}

/// A forecast of an arm with what it was made of.
#[derive(Clone, Debug, PartialEq)]
pub struct ExposureRecord {
    /// The forecast.
    pub exposure: Exposure,
    /// The day or moment as of which it is, [`bist_market::session_hours::moment_text`].
    pub moment: String,
    /// Hash of the bars behind it.
    pub snapshot_hash: String,
    /// When it was made.
    pub made_at: Timestamp,
}

/// What is changed together with the end of an experiment.
#[derive(Clone, Debug, Default)]
pub struct EndSteps {
    /// The version that takes the place of the champion.
    pub promoted: Option<String>,
    /// Versions that go elsewhere, after the promotion, with the reason of each.
    pub moves: Vec<(String, ModelState, Signed)>,
    /// What is declared then.
    pub follow_up: Option<(DeclaredExperiment, Signed)>,
}

impl Store {
    /// Keeps an experiment before anything of it is seen.
    ///
    /// # Errors
    ///
    /// [`StoreError::ExperimentExists`], [`StoreError::ExperimentRuns`] when another one of the same
    /// horizon does, [`StoreError::NotInForce`] and [`StoreError::NotStaged`] when an arm does not
    /// stand where it must; the others when the database fails.
    pub async fn declare_experiment(
        &self,
        experiment: &DeclaredExperiment,
        signed: &Signed,
        audit: &Audit,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        declare(&mut transaction, experiment, signed, audit).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// All experiments, or those of one horizon, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::ExperimentChanged`] when a rule is not the one that was declared; the others
    /// when the database fails.
    pub async fn experiments(
        &self,
        horizon: Option<Horizon>,
    ) -> Result<Vec<ExperimentRecord>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM experiments WHERE $1 IS NULL OR horizon = $1
             ORDER BY declared_at_us DESC, id DESC"
        );
        query(AssertSqlSafe(text))
            .bind(horizon.map(|horizon| horizon.to_string()))
            .fetch_all(&self.reader)
            .await?
            .iter()
            .map(record)
            .collect()
    }

    /// The experiment named `id`, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Store::experiments`].
    pub async fn experiment(&self, id: &str) -> Result<Option<ExperimentRecord>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM experiments WHERE id = $1");
        query(AssertSqlSafe(text))
            .bind(id)
            .fetch_optional(&self.reader)
            .await?
            .as_ref()
            .map(record)
            .transpose()
    }

    /// The experiment that goes on for `horizon`, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Store::experiments`].
    pub async fn running_experiment(
        &self,
        horizon: Horizon,
    ) -> Result<Option<ExperimentRecord>, StoreError> {
        let text =
            format!("SELECT {COLUMNS} FROM experiments WHERE horizon = $1 AND state = 'running'");
        query(AssertSqlSafe(text))
            .bind(horizon.to_string())
            .fetch_optional(&self.reader)
            .await?
            .as_ref()
            .map(record)
            .transpose()
    }

    /// Adds forecasts, all or none, and returns how many were new: one that is there stays as it is,
    /// and so does a unit's day on which forecasts of other bars or another moment are there, for
    /// arms are compared on the same ones. Nothing is added to an experiment that is over.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn log_exposures(&self, exposures: &[ExposureRecord]) -> Result<u64, StoreError> {
        let mut added = 0;
        let mut transaction = self.writer.begin_alone().await?;
        for record in exposures {
            let Exposure { experiment, unit, day, arm, interval_80, .. } = &record.exposure;
            let inserted = query(
                "INSERT INTO experiment_exposures
                     (experiment, unit, as_of, arm, moment, snapshot_hash, made_at_us,
                      expected_log_return, probability_up, low_80, high_80, covariate)
                 SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
                 WHERE EXISTS (SELECT 1 FROM experiments WHERE id = $1 AND state = 'running')
                   AND NOT EXISTS (SELECT 1 FROM experiment_exposures
                                   WHERE experiment = $1 AND unit = $2 AND as_of = $3
                                     AND (arm = $4 OR moment <> $5 OR snapshot_hash <> $6))",
            )
            .bind(experiment)
            .bind(unit)
            .bind(day.to_string())
            .bind(arm)
            .bind(&record.moment)
            .bind(&record.snapshot_hash)
            .bind(record.made_at.as_microsecond())
            .bind(record.exposure.expected_log_return)
            .bind(record.exposure.probability_up)
            .bind(interval_80.low)
            .bind(interval_80.high)
            .bind(record.exposure.covariate)
            .execute(&mut *transaction)
            .await?;
            added += inserted.rows_affected();
        }
        transaction.commit().await?;
        Ok(added)
    }

    /// Adds outcomes, all or none, and returns how many were new: one that is there stays as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn log_outcomes(
        &self,
        outcomes: &[Outcome],
        joined_at: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut added = 0;
        let mut transaction = self.writer.begin_alone().await?;
        for outcome in outcomes {
            let inserted = query(
                "INSERT INTO experiment_outcomes
                     (experiment, unit, as_of, arm, known_on, joined_at_us, log_return,
                      return_after_costs)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (experiment, unit, as_of, arm) DO NOTHING",
            )
            .bind(&outcome.experiment)
            .bind(&outcome.unit)
            .bind(outcome.day.to_string())
            .bind(&outcome.arm)
            .bind(outcome.known_on.to_string())
            .bind(joined_at.as_microsecond())
            .bind(outcome.log_return)
            .bind(outcome.return_after_costs)
            .execute(&mut *transaction)
            .await?;
            added += inserted.rows_affected();
        }
        transaction.commit().await?;
        Ok(added)
    }

    /// The forecasts of the experiment `id` whose outcome is open, by day, unit and arm.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn open_exposures(&self, id: &str) -> Result<Vec<ExposureRecord>, StoreError> {
        query(
            "SELECT e.* FROM experiment_exposures e
             WHERE e.experiment = $1 AND NOT EXISTS
                 (SELECT 1 FROM experiment_outcomes o
                  WHERE o.experiment = e.experiment AND o.unit = e.unit AND o.as_of = e.as_of
                    AND o.arm = e.arm)
             ORDER BY e.as_of, e.unit, e.arm",
        )
        .bind(id)
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(exposure)
        .collect()
    }

    /// All forecasts of the experiment `id`, by day, unit and arm.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn exposures(&self, id: &str) -> Result<Vec<ExposureRecord>, StoreError> {
        query("SELECT * FROM experiment_exposures WHERE experiment = $1 ORDER BY as_of, unit, arm")
            .bind(id)
            .fetch_all(&self.reader)
            .await?
            .iter()
            .map(exposure)
            .collect()
    }

    /// All outcomes of the experiment `id`, by day, unit and arm.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn outcomes(&self, id: &str) -> Result<Vec<Outcome>, StoreError> {
        query("SELECT * FROM experiment_outcomes WHERE experiment = $1 ORDER BY as_of, unit, arm")
            .bind(id)
            .fetch_all(&self.reader)
            .await?
            .iter()
            .map(outcome)
            .collect()
    }

    /// Ends the experiment `id`, and with it does `steps`: all or nothing, and once, whoever else
    /// ends it. Returns the changes of state; `None` when it was over already.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotInForce`] when something is to be promoted and the champion is no longer the
    /// one of the design, [`StoreError::StateMove`] when a version cannot go where it is to go; the
    /// others when the database fails. Nothing has changed then.
    pub async fn conclude_experiment(
        &self,
        id: &str,
        conclusion: &Conclusion,
        steps: &EndSteps,
        audit: &Audit,
    ) -> Result<Option<Vec<StateChange>>, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let Conclusion { state, signed, report } = conclusion;
        let report = report.as_ref().map(|report| text("report", report)).transpose()?;
        let ended = query(
            "UPDATE experiments SET state = $1, concluded_at_us = $2, concluded_by = $3,
                                    conclusion = $4, report = $5
             WHERE id = $6 AND state = 'running'",
        )
        .bind(state.as_str())
        .bind(signed.at.as_microsecond())
        .bind(&signed.by)
        .bind(&signed.reason)
        .bind(report)
        .bind(id)
        .execute(&mut *transaction)
        .await?;
        if ended.rows_affected() == 0 {
            return Ok(None);
        }
        append(&mut transaction, audit, vec![end_note(id, *state, signed)]).await?;
        let mut changes = Vec::new();
        if let Some(version) = &steps.promoted {
            let row = query("SELECT document, design_sha256 FROM experiments WHERE id = $1")
                .bind(id)
                .fetch_one(&mut *transaction)
                .await?;
            let experiment = declared(&row)?;
            in_force(&mut transaction, &experiment).await?;
            changes.extend(put_in_force(&mut transaction, version, signed, audit).await?);
        }
        for (version, to, signed) in &steps.moves {
            let version = version_of(&mut transaction, version).await?;
            changes.extend(change_state(&mut transaction, &version, *to, signed, audit).await?);
        }
        if let Some((experiment, signed)) = &steps.follow_up {
            declare(&mut transaction, experiment, signed, audit).await?;
        }
        transaction.commit().await?;
        Ok(Some(changes))
    }
}

async fn declare(
    connection: &mut Connection,
    experiment: &DeclaredExperiment,
    signed: &Signed,
    audit: &Audit,
) -> Result<(), StoreError> {
    let design = experiment.design();
    let horizon = design.horizon.to_string();
    let there = query("SELECT id FROM experiments WHERE id = $1")
        .bind(&design.id)
        .fetch_optional(&mut *connection)
        .await?;
    if there.is_some() {
        return Err(StoreError::ExperimentExists(design.id.clone()));
    }
    let running = query("SELECT id FROM experiments WHERE horizon = $1 AND state = 'running'")
        .bind(&horizon)
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(running) = running {
        return Err(StoreError::ExperimentRuns(running.try_get("id")?));
    }
    in_force(connection, experiment).await?;
    for challenger in &design.challengers {
        let version = version_of(connection, challenger).await?;
        let is_other = version.evaluation.horizon != design.horizon;
        if version.state != ModelState::Staged || is_other {
            return Err(StoreError::NotStaged { id: version.id, state: version.state });
        }
    }
    query(
        "INSERT INTO experiments (id, horizon, state, declared_at_us, declared_by, reason,
                                  design_sha256, document)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&design.id)
    .bind(horizon)
    .bind(ExperimentState::Running.as_str())
    .bind(signed.at.as_microsecond())
    .bind(&signed.by)
    .bind(&signed.reason)
    .bind(experiment.design_sha256())
    .bind(text("design", experiment)?)
    .execute(&mut *connection)
    .await?;
    let details = [
        ("horizon", json!(design.horizon.to_string())),
        ("champion", json!(design.champion)),
        ("challengers", json!(design.challengers)),
        ("design_sha256", json!(experiment.design_sha256())),
        ("reason", json!(signed.reason)),
    ];
    let subject = format!("experiment:{}", design.id);
    append(
        connection,
        audit,
        vec![AuditNote::new(AuditAction::ExperimentDeclared, subject, details)],
    )
    .await
}

/// What is put on record of the end of the experiment `id`.
fn end_note(id: &str, state: ExperimentState, signed: &Signed) -> AuditNote {
    let action = match state {
        ExperimentState::Stopped => AuditAction::ExperimentStopped,
        ExperimentState::Running
        | ExperimentState::Promoted
        | ExperimentState::ChampionStays
        | ExperimentState::NoDecision
        | ExperimentState::Invalid => AuditAction::ExperimentDecided,
    };
    let details = [("state", json!(state.as_str())), ("reason", json!(signed.reason))];
    AuditNote::new(action, format!("experiment:{id}"), details)
}

/// Whether the champion of `experiment` is the one in force.
async fn in_force(
    connection: &mut Connection,
    experiment: &DeclaredExperiment,
) -> Result<(), StoreError> {
    let design = experiment.design();
    let champion = champion_of(connection, design.horizon).await?;
    match champion {
        Some(champion) if champion.id == design.champion => Ok(()),
        _ => Err(StoreError::NotInForce(design.champion.clone())),
    }
}

/// The rule of a row, which must be the one whose fingerprint was noted.
fn declared(row: &Row) -> Result<DeclaredExperiment, StoreError> {
    let experiment: DeclaredExperiment = document("design", row)?;
    if experiment.design_sha256() == row.try_get::<&str, _>("design_sha256")? {
        Ok(experiment)
    } else {
        Err(StoreError::ExperimentChanged(experiment.design().id.clone()))
    }
}

fn record(row: &Row) -> Result<ExperimentRecord, StoreError> {
    let experiment = declared(row)?;
    let design = experiment.design();
    // What is searched by stands beside the rule and must say the same.
    if row.try_get::<&str, _>("id")? != design.id
        || row.try_get::<&str, _>("horizon")? != design.horizon.to_string()
    {
        return Err(StoreError::ExperimentChanged(design.id.clone()));
    }
    let state: ExperimentState = row.try_get::<&str, _>("state")?.parse().map_err(impossible)?;
    Ok(ExperimentRecord {
        declared: Signed {
            at: instant_us(row.try_get("declared_at_us")?)?,
            by: row.try_get("declared_by")?,
            reason: row.try_get("reason")?,
        },
        conclusion: if state == ExperimentState::Running {
            None
        } else {
            Some(conclusion(state, row)?)
        },
        experiment,
    })
}

fn conclusion(state: ExperimentState, row: &Row) -> Result<Conclusion, StoreError> {
    let report: Option<&str> = row.try_get("report")?;
    let report: Option<ExperimentReport> = report
        .map(|text| {
            serde_json::from_str(text)
                .map_err(|source| StoreError::Document { what: "report", source })
        })
        .transpose()?;
    Ok(Conclusion {
        state,
        signed: Signed {
            at: instant_us(row.try_get("concluded_at_us")?)?,
            by: row.try_get("concluded_by")?,
            reason: row.try_get("conclusion")?,
        },
        report,
    })
}

fn exposure(row: &Row) -> Result<ExposureRecord, StoreError> {
    Ok(ExposureRecord {
        exposure: Exposure {
            experiment: row.try_get("experiment")?,
            unit: row.try_get("unit")?,
            day: day(row, "as_of")?,
            arm: row.try_get("arm")?,
            expected_log_return: row.try_get("expected_log_return")?,
            probability_up: row.try_get("probability_up")?,
            interval_80: ReturnInterval {
                low: row.try_get("low_80")?,
                high: row.try_get("high_80")?,
            },
            covariate: row.try_get("covariate")?,
        },
        moment: row.try_get("moment")?,
        snapshot_hash: row.try_get("snapshot_hash")?,
        made_at: instant_us(row.try_get("made_at_us")?)?,
    })
}

fn outcome(row: &Row) -> Result<Outcome, StoreError> {
    Ok(Outcome {
        experiment: row.try_get("experiment")?,
        unit: row.try_get("unit")?,
        day: day(row, "as_of")?,
        arm: row.try_get("arm")?,
        known_on: day(row, "known_on")?,
        log_return: row.try_get("log_return")?,
        return_after_costs: row.try_get("return_after_costs")?,
    })
}
