//! The stages that train and that judge what was trained beside the champion.

use std::collections::BTreeMap;
use std::sync::Arc;

use bist_lifecycle::retraining::{
    Champion, RetrainingComparison, first_unseen_day, judge_champion,
};
use bist_lifecycle::trial::configurations_count;
use bist_lifecycle::{FittedModel, ModelVersion, Signed, Trained, TrialPurpose};
use bist_market::Calendar;
use bist_models::Horizon;
use bist_store::Registration;
use serde::{Deserialize, Serialize};

use super::{Bars, Lesson, RetrainingError, signature};
use crate::jobs::{Attended, StageDone};
use crate::progress::{Progress, ProgressSink};
use crate::retraining::RetrainingPlan;
use crate::training::{Learned, PanelLesson};
use crate::{App, blocking};

/// What the stage of a training keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptCandidate {
    pub(super) version: String,
    /// Whether it was learned from the bars of the champion by its configuration, so that it is the
    /// champion.
    pub(super) is_champion: bool,
}

/// What the stage of the evaluation keeps of a horizon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptEvaluation {
    pub(super) horizon: Horizon,
    pub(super) candidate: String,
    /// Whether the candidate's record is too good to be true.
    pub(super) alarmed: bool,
    pub(super) champion: Option<String>,
    pub(super) champion_unusable: Option<String>,
    pub(super) comparison: Option<RetrainingComparison>,
}

impl App {
    /// Trains for `horizon` and registers what came as a candidate. What was learned from these bars
    /// by this configuration before is not learned again.
    pub(super) async fn train_stage(
        &self,
        run: &Attended<'_>,
        bars: &Bars,
        horizon: Horizon,
        progress: Arc<ProgressSink>,
    ) -> Result<(StageDone<KeptCandidate>, Option<Trained>), RetrainingError> {
        let Lesson { place, spec, tuned } = &bars.lessons[&horizon];
        let admitted = &bars.admitted[place.0];
        if let Some(champion) = self.store.champion(horizon).await?
            && champion.lineage.snapshot_hash == admitted.snapshot_hash
            && champion.lineage.spec == *spec
        {
            let told = format!("{} has learned from these bars already", champion.id);
            let kept = KeptCandidate { version: champion.id, is_champion: true };
            return Ok((StageDone { result: kept, told }, None));
        }
        let learned = self.learn(run, bars, horizon, progress).await?;
        let trained_at = self.now();
        let version = admitted.version(&learned, tuned.clone(), trained_at);
        let signed = Signed {
            at: trained_at,
            by: signature(run),
            reason: "trained anew on the bars as they are".to_owned(),
        };
        let registered = self
            .store
            .register(&[version], Registration::Candidates, &signed, &self.audit().await?)
            .await?;
        let ModelVersion { id, evaluation, .. } = &registered[0];
        let rank_ic = evaluation.rank_ic.estimate.map_or_else(
            || "unknown".to_owned(),
            |rank_ic| format!("{:.3} ({:.3} to {:.3})", rank_ic.value, rank_ic.low, rank_ic.high),
        );
        let told = format!("{id}, rank IC out of sample {rank_ic}");
        let kept = KeptCandidate { version: id.clone(), is_champion: false };
        Ok((StageDone { result: kept, told }, Some(learned.trained)))
    }

    async fn learn(
        &self,
        run: &Attended<'_>,
        bars: &Bars,
        horizon: Horizon,
        progress: Arc<ProgressSink>,
    ) -> Result<Learned, RetrainingError> {
        let Lesson { place: (of, index), spec, .. } = &bars.lessons[&horizon];
        let (admitted, index, spec) = (Arc::clone(&bars.admitted[*of]), *index, spec.clone());
        let specs = std::slice::from_ref(&spec);
        let trials = self.record_trials(TrialPurpose::Train, &admitted, specs).await?;
        let count = configurations_count(&trials, admitted.origin, horizon);
        let cancelled = run.cancelled();
        let learned = blocking(move || {
            let lesson = PanelLesson { admitted: &admitted, index, spec: &spec, count };
            lesson.train((0, 1), &cancelled, &*progress)
        })
        .await?;
        Ok(learned)
    }

    /// Judges each candidate beside the champion on the days that neither has learned from.
    pub(super) async fn evaluate_stage(
        &self,
        run: &Attended<'_>,
        plan: &RetrainingPlan,
        bars: &Bars,
        (candidates, in_memory): (
            &BTreeMap<Horizon, KeptCandidate>,
            &mut BTreeMap<Horizon, Trained>,
        ),
        progress: Arc<ProgressSink>,
    ) -> Result<StageDone<Vec<KeptEvaluation>>, RetrainingError> {
        let mut evaluations = Vec::new();
        for (done, (&horizon, candidate)) in candidates.iter().enumerate() {
            progress(Progress::of("evaluating", done as u64, candidates.len() as u64));
            let mut kept = KeptEvaluation {
                horizon,
                candidate: candidate.version.clone(),
                alarmed: false,
                champion: None,
                champion_unusable: None,
                comparison: None,
            };
            if candidate.is_champion {
                kept.champion = Some(candidate.version.clone());
                evaluations.push(kept);
                continue;
            }
            // What an earlier process learned is learned again: the forecasts of the folds are not
            // kept, and come out the same.
            let trained = match in_memory.remove(&horizon) {
                Some(trained) => trained,
                None => self.learn(run, bars, horizon, Arc::clone(&progress)).await?.trained,
            };
            kept.alarmed = trained.evaluation.alarm.is_some();
            if let Some(champion) = self.store.champion(horizon).await? {
                kept.champion = Some(champion.id.clone());
                match self.champion_model(bars, horizon, &champion).await {
                    Ok(model) => {
                        kept.comparison =
                            compare(plan, bars, horizon, trained, (champion, model)).await;
                    }
                    Err(reason) => kept.champion_unusable = Some(reason),
                }
            }
            evaluations.push(kept);
        }
        let compared = evaluations.iter().filter(|kept| kept.comparison.is_some()).count();
        let told = format!("{compared} of {} compared with a champion", evaluations.len());
        Ok(StageDone { result: evaluations, told })
    }
}

/// Compares on a thread that may take its time; `None` past the end of the calendar.
async fn compare(
    plan: &RetrainingPlan,
    bars: &Bars,
    horizon: Horizon,
    trained: Trained,
    (champion, model): (ModelVersion, FittedModel),
) -> Option<RetrainingComparison> {
    let Lesson { place: (of, index), spec, .. } = &bars.lessons[&horizon];
    let (admitted, index, spec) = (Arc::clone(&bars.admitted[*of]), *index, spec.clone());
    let rule = plan.rule;
    blocking(move || {
        let learned_to = champion.lineage.last_day;
        let calendar = Calendar::bist();
        let from = first_unseen_day(learned_to, horizon, calendar)?;
        let features = champion.lineage.spec.features;
        let own_panel = (features != spec.features).then(|| admitted.panel_of(horizon, features));
        let panel = own_panel.as_ref().unwrap_or(&admitted.panels[index]);
        let judged = judge_champion(Champion { model: &model, learned_to }, panel, calendar);
        Some(RetrainingComparison::of((&spec, &trained), from, &judged, &rule))
    })
    .await
}
