//! The stage that trains, in parts, and judges what was trained beside the champion.

use std::collections::BTreeMap;
use std::sync::Arc;

use bist_lifecycle::retraining::{
    Champion, RetrainingComparison, RetrainingRule, first_unseen_day, judge_champion,
};
use bist_lifecycle::trial::configurations_count;
use bist_lifecycle::tuning::TunedPart;
use bist_lifecycle::{ModelVersion, Signed, Trained, TrainingSpec, TrialPurpose};
use bist_market::Calendar;
use bist_models::Horizon;
use bist_store::Registration;
use serde::{Deserialize, Serialize};

use super::{Bars, RetrainingError, TRAIN, signature};
use crate::jobs::{Attended, Of, PartPlan, StageDone};
use crate::progress::ProgressSink;
use crate::retraining::RetrainingPlan;
use crate::training::{LessonBars, PanelLesson, PanelPlace, TrainingError};
use crate::{App, blocking};

/// What a part of the training is to do: a model for one horizon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrainingPart {
    horizon: Horizon,
    bars: LessonBars,
    spec: TrainingSpec,
    tuned: Vec<TunedPart>,
    /// How many configurations were looked at, this one included.
    configurations_count: u32,
    /// The version beside which the new one is judged.
    champion: Option<String>,
    rule: RetrainingRule,
}

/// What such a part found. The artefact is kept; nothing is registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrainedPart {
    version: ModelVersion,
    evaluation: KeptEvaluation,
}

/// What is kept of the training for a horizon.
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
    /// Trains for `horizons`, a part each, and registers what came as candidates, all or none. What
    /// was learned from these bars by this configuration before is not learned again.
    pub(super) async fn train_stage(
        &self,
        run: &Attended<'_>,
        plan: &RetrainingPlan,
        bars: &Bars,
        horizons: &[Horizon],
    ) -> Result<StageDone<Vec<KeptEvaluation>>, RetrainingError> {
        let (mut known, mut parts) = (BTreeMap::new(), Vec::new());
        for &horizon in horizons {
            match self.training_part(plan, bars, horizon).await? {
                Ok(part) => {
                    let title = format!("{TRAIN} {horizon}");
                    parts.push((title, PartPlan::Training(Box::new(part))));
                }
                Err(kept) => {
                    known.insert(horizon, kept);
                }
            }
        }
        let found: Vec<TrainedPart> =
            run.spread(TRAIN, &parts, Of { done: 0, total: parts.len() }).await?;
        let signed = Signed {
            at: self.now(),
            by: signature(run),
            reason: "trained anew on the bars as they are".to_owned(),
        };
        let versions: Vec<&ModelVersion> = found.iter().map(|part| &part.version).collect();
        let audit = self.audit().await?;
        self.store.register_kept(&versions, Registration::Candidates, &signed, &audit).await?;
        let (trained, known_count) = (found.len(), known.len());
        known.extend(found.into_iter().map(|part| (part.evaluation.horizon, part.evaluation)));
        let evaluations: Vec<KeptEvaluation> =
            horizons.iter().filter_map(|horizon| known.remove(horizon)).collect();
        let compared = evaluations.iter().filter(|kept| kept.comparison.is_some()).count();
        let mut told = format!("{trained} trained, {compared} of them compared with a champion");
        if known_count > 0 {
            told.push_str(&format!("; {known_count} had learned from these bars already"));
        }
        Ok(StageDone { result: evaluations, told })
    }

    /// What is to be learned for `horizon`, or what is known because its champion has learned that.
    async fn training_part(
        &self,
        plan: &RetrainingPlan,
        bars: &Bars,
        horizon: Horizon,
    ) -> Result<Result<TrainingPart, KeptEvaluation>, RetrainingError> {
        let lesson = &bars.lessons[&horizon];
        let (admitted, spec) = (&bars.admitted[lesson.place.0], &lesson.spec);
        let champion = self.store.champion(horizon).await?;
        if let Some(champion) = &champion
            && champion.lineage.snapshot_hash == admitted.snapshot_hash
            && champion.lineage.spec == *spec
        {
            return Ok(Err(KeptEvaluation {
                horizon,
                candidate: champion.id.clone(),
                alarmed: false,
                champion: Some(champion.id.clone()),
                champion_unusable: None,
                comparison: None,
            }));
        }
        let specs = std::slice::from_ref(spec);
        let trials = self.record_trials(TrialPurpose::Train, admitted, specs).await?;
        Ok(Ok(TrainingPart {
            horizon,
            bars: LessonBars {
                snapshot_hash: admitted.snapshot_hash.clone(),
                admitted_at: bars.admitted_at,
            },
            spec: spec.clone(),
            tuned: lesson.tuned.clone(),
            configurations_count: configurations_count(&trials, admitted.origin, horizon),
            champion: champion.map(|champion| champion.id),
            rule: plan.rule,
        }))
    }

    /// Trains one model, keeps its artefact and judges it beside the champion on the days that neither
    /// has learned from.
    pub(crate) async fn train_part(
        &self,
        part: &Attended<'_>,
        plan: TrainingPart,
        progress: Arc<ProgressSink>,
    ) -> Result<StageDone<TrainedPart>, TrainingError> {
        let asked = (plan.horizon, plan.spec.features);
        let place = self.lesson(&plan.bars, asked, &*progress).await?;
        let (cancelled, of_thread, spec) = (part.cancelled(), place.clone(), plan.spec.clone());
        let count = plan.configurations_count;
        let learned = blocking(move || {
            let PanelPlace { admitted, index } = &of_thread;
            PanelLesson { admitted, index: *index, spec: &spec, count }.train(
                (0, 1),
                &cancelled,
                &*progress,
            )
        })
        .await?;
        let (version, artifact) = place.admitted.version(&learned, plan.tuned.clone(), self.now());
        self.store.keep_artifact(&version, &artifact).await?;
        let rank_ic = version.evaluation.rank_ic.estimate.map_or_else(
            || "unknown".to_owned(),
            |rank_ic| format!("{:.3} ({:.3} to {:.3})", rank_ic.value, rank_ic.low, rank_ic.high),
        );
        let told = format!("{}, rank IC out of sample {rank_ic}", version.id);
        let mut evaluation = KeptEvaluation {
            horizon: plan.horizon,
            candidate: version.id.clone(),
            alarmed: learned.trained.evaluation.alarm.is_some(),
            champion: plan.champion.clone(),
            champion_unusable: None,
            comparison: None,
        };
        if let Some(id) = &plan.champion {
            let champion = self.store.model_version(id).await?;
            let champion = champion.ok_or(TrainingError::NoModel(plan.horizon))?;
            match self.champion_model(&place.admitted, plan.horizon, &champion).await {
                Ok(model) => {
                    let judged = Judged { champion, model, trained: learned.trained };
                    evaluation.comparison = compare(&plan, place, judged).await;
                }
                Err(reason) => evaluation.champion_unusable = Some(reason),
            }
        }
        Ok(StageDone { result: TrainedPart { version, evaluation }, told })
    }
}

/// The new model, and the one beside which it is judged.
struct Judged {
    champion: ModelVersion,
    model: bist_lifecycle::FittedModel,
    trained: Trained,
}

/// Compares on a thread that may take its time; `None` past the end of the calendar.
async fn compare(
    plan: &TrainingPart,
    place: PanelPlace,
    judged: Judged,
) -> Option<RetrainingComparison> {
    let TrainingPart { horizon, spec, rule, .. } = plan;
    let (horizon, spec, rule) = (*horizon, spec.clone(), *rule);
    blocking(move || {
        let (PanelPlace { admitted, index }, Judged { champion, model, trained }) = (place, judged);
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
