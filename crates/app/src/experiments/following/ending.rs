//! How an experiment ends, and where its arms go then.

use bist_lifecycle::experiment::{
    ChallengerReport, Conclusion, DeclaredExperiment, ExperimentReport, ExperimentState, State,
};
use bist_lifecycle::{ModelState, Signed, StateChange};
use bist_store::{EndSteps, ExperimentRecord};

use super::ExperimentError;
use crate::App;

impl App {
    /// Why nothing can be decided any more: an arm does not stand where it stood.
    pub(super) async fn stands_otherwise(
        &self,
        record: &ExperimentRecord,
        report: &ExperimentReport,
    ) -> Result<Option<String>, ExperimentError> {
        let design = record.experiment.design();
        let in_force = self.store.champion(design.horizon).await?.map(|version| version.id);
        if in_force.as_ref() != Some(&design.champion) {
            return Ok(Some(format!(
                "{} was put in force by other means and {} is not compared any more; nothing was \
                 decided",
                in_force.as_deref().unwrap_or("nothing"),
                design.champion
            )));
        }
        for ChallengerReport { version: id, verdict, .. } in &report.challengers {
            let version = self.version(id).await?;
            if version.state != ModelState::Staged && !verdict.is_stopped() {
                return Ok(Some(format!(
                    "{id} is {} by other means and no challenger any more; nothing was decided",
                    version.state
                )));
            }
        }
        Ok(None)
    }

    /// Ends an experiment without a decision; `None` when it was over.
    pub(in crate::experiments) async fn end_undecided(
        &self,
        record: &ExperimentRecord,
        signed: Signed,
    ) -> Result<Option<Vec<StateChange>>, ExperimentError> {
        let design = record.experiment.design();
        let report = self.judge_records(&record.experiment).await?;
        let steps =
            EndSteps { moves: self.moves(record, &report, None).await?, ..EndSteps::default() };
        let conclusion =
            Conclusion { state: ExperimentState::Stopped, signed, report: Some(report) };
        Ok(self
            .store
            .conclude_experiment(&design.id, &conclusion, &steps, &self.audit().await?)
            .await?)
    }

    /// Challengers that the rule stopped are no longer staged, while the others go on.
    pub(super) async fn release_stopped(
        &self,
        record: &ExperimentRecord,
        report: &ExperimentReport,
    ) -> Result<Vec<StateChange>, ExperimentError> {
        let mut changes = Vec::new();
        for (version, to, signed) in self.moves(record, report, None).await? {
            let is_stopped = report
                .challengers
                .iter()
                .any(|challenger| challenger.version == version && challenger.verdict.is_stopped());
            if is_stopped {
                changes.extend(
                    self.store.move_version(&version, to, &signed, &self.audit().await?).await?,
                );
            }
        }
        Ok(changes)
    }

    /// What is done together with the end by the rule.
    pub(super) async fn end_steps(
        &self,
        record: &ExperimentRecord,
        report: &ExperimentReport,
    ) -> Result<EndSteps, ExperimentError> {
        let experiment = &record.experiment;
        let State::Promoted { challenger } = &report.state else {
            let moves = self.moves(record, report, None).await?;
            return Ok(EndSteps { moves, ..EndSteps::default() });
        };
        let mut steps = EndSteps {
            promoted: Some(challenger.clone()),
            moves: self.moves(record, report, Some(challenger)).await?,
            follow_up: None,
        };
        if let Some(watch) = experiment.watch(challenger) {
            let (id, champion) = (&experiment.design().id, &experiment.design().champion);
            let signed = Signed {
                at: self.now(),
                by: by(id),
                reason: format!(
                    "watched beside {challenger} for {} judged days at most: it comes back by the \
                     rule if {challenger} proves worse",
                    watch.days_max
                ),
            };
            steps.moves.push((champion.clone(), ModelState::Staged, signed.clone()));
            steps.follow_up = Some((watch.declare()?, signed));
        }
        Ok(steps)
    }

    /// Where challengers other than `winner` go when an experiment stands as `report` says: one that
    /// was stopped becomes a candidate, or retires again when it was in force once, and so does one
    /// that was watched; any other stays staged, as nothing was found against it.
    async fn moves(
        &self,
        record: &ExperimentRecord,
        report: &ExperimentReport,
        winner: Option<&str>,
    ) -> Result<Vec<(String, ModelState, Signed)>, ExperimentError> {
        let experiment = &record.experiment;
        let design = experiment.design();
        let former = self.former_champions(design.horizon, &design.challengers).await?;
        let mut moves = Vec::new();
        for challenger in &report.challengers {
            let id = &challenger.version;
            let to = match (challenger.verdict.is_stopped(), former.contains(id)) {
                (true, false) => ModelState::Candidate,
                (true, true) => ModelState::Retired,
                (false, _) if experiment.is_watch() => ModelState::Retired,
                (false, _) => continue,
            };
            let Some(version) = self.store.model_version(id).await? else { continue };
            if winner == Some(id.as_str()) || version.state != ModelState::Staged {
                continue;
            }
            let reason = format!("{} Rule {}.", challenger.sentence.en, report.design_sha256);
            moves.push((id.clone(), to, Signed { at: self.now(), by: by(&design.id), reason }));
        }
        Ok(moves)
    }
}

/// Who changes the registry by the rule of the experiment `id`.
pub(super) fn by(id: &str) -> String {
    format!("experiment {id}")
}

/// Why the rule ended an experiment: what it says of it and of each challenger, with the numbers and
/// the fingerprint of the rule.
pub(super) fn reason_of(experiment: &DeclaredExperiment, report: &ExperimentReport) -> String {
    let design = experiment.design();
    let decided: Vec<&str> = match &report.state {
        State::Promoted { challenger } => {
            let winner = report.challengers.iter().filter(|one| one.version == *challenger);
            winner.map(|one| one.sentence.en.as_str()).collect()
        }
        State::ChampionStays => {
            report.challengers.iter().map(|one| one.sentence.en.as_str()).collect()
        }
        State::TooEarly | State::Running | State::NoDecision | State::Invalid { .. } => {
            vec![report.sentence.en.as_str()]
        }
    };
    format!(
        "{} By rule {}: {} to {} days, level {}.",
        decided.join(" "),
        experiment.design_sha256(),
        design.days_min,
        design.days_max,
        design.error_level
    )
}
