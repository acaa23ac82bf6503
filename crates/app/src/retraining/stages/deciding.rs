//! The stages that decide by the rule, and do what it says.

use std::fmt;

use bist_lifecycle::Signed;
use bist_lifecycle::retraining::{RetrainingDecision, Verdict};
use serde::{Deserialize, Serialize};

use super::learning::KeptEvaluation;
use super::{RetrainingError, signature};
use crate::App;
use crate::jobs::{Attended, StageDone};
use crate::retraining::RetrainingPlan;

/// What the stage of the promotion keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptPromotions {
    /// The versions that are in force now.
    promoted: Vec<String>,
    /// What kept others back, a sentence each.
    kept_back: Vec<String>,
}

impl App {
    /// Puts in force what the rule promotes, unless somebody has changed the champion in between.
    pub(super) async fn promote_stage(
        &self,
        run: &Attended<'_>,
        decisions: &[RetrainingDecision],
    ) -> Result<StageDone<KeptPromotions>, RetrainingError> {
        let mut kept = KeptPromotions::default();
        for decision in decisions.iter().filter(|decision| decision.verdict.is_promoted()) {
            let current = self.store.champion(decision.horizon).await?.map(|version| version.id);
            if current.as_ref() == Some(&decision.candidate) {
                kept.promoted.push(decision.candidate.clone());
                continue;
            }
            if let Some(experiment) = self.store.running_experiment(decision.horizon).await? {
                kept.kept_back.push(format!(
                    "{} was not put in force: the champion is being judged in the experiment {}",
                    decision.candidate,
                    experiment.experiment.design().id
                ));
                continue;
            }
            if current != decision.champion {
                kept.kept_back.push(format!(
                    "{} was not put in force: the champion is no longer the one that it was compared \
                     with",
                    decision.candidate
                ));
                continue;
            }
            let reason = format!("{} (rule {})", decision.sentence.en, &decision.rule_sha256[..12]);
            let signed = Signed { at: self.now(), by: signature(run), reason };
            self.store.promote(&decision.candidate, &signed, &self.audit().await?).await?;
            self.live.stir();
            kept.promoted.push(decision.candidate.clone());
        }
        let told = match kept.promoted.len() {
            0 => "the champions stay".to_owned(),
            _ => format!("in force now: {}", kept.promoted.join(", ")),
        };
        Ok(StageDone { result: kept, told })
    }
}

pub(super) fn decide_stage(
    plan: &RetrainingPlan,
    evaluations: &[KeptEvaluation],
) -> Result<StageDone<Vec<RetrainingDecision>>, RetrainingError> {
    let decisions: Vec<RetrainingDecision> = evaluations
        .iter()
        .filter(|kept| kept.champion.as_ref() != Some(&kept.candidate))
        .map(|kept| {
            RetrainingDecision::of(
                kept.horizon,
                (kept.candidate.clone(), kept.alarmed),
                kept.champion.clone(),
                kept.champion_unusable.clone(),
                plan.rule,
                kept.comparison.clone(),
            )
        })
        .collect();
    let told = match decisions.is_empty() {
        true => "nothing to decide: the champions have learned from these bars".to_owned(),
        false => decisions
            .iter()
            .map(|decision| {
                format!("{}: {}", decision.horizon.in_words(), InWords(decision.verdict))
            })
            .collect::<Vec<_>>()
            .join("; "),
    };
    Ok(StageDone { result: decisions, told })
}

/// What came of a run, in one sentence.
pub(super) fn outcome(decisions: &[RetrainingDecision], promotions: &KeptPromotions) -> String {
    if decisions.is_empty() {
        return "no new bars: the champions have learned from what there is".to_owned();
    }
    let of = |decision: &RetrainingDecision| {
        let what = match promotions.promoted.contains(&decision.candidate) {
            true => "a new champion",
            false => "the champion stays",
        };
        format!("{}: {what} ({})", decision.horizon.in_words(), InWords(decision.verdict))
    };
    decisions
        .iter()
        .map(of)
        .chain(promotions.kept_back.iter().cloned())
        .collect::<Vec<_>>()
        .join("; ")
}

/// A verdict in a few words.
struct InWords(Verdict);

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Verdict::FirstModel => "none could be used",
            Verdict::Better => "better",
            Verdict::Refreshed => "not worse, and newer",
            Verdict::TooEarly => "too early to say",
            Verdict::Worse => "the new one is worse",
            Verdict::LossTooLarge => "the new one may be worse",
            Verdict::WorseThanBaseline => "a baseline is better",
            Verdict::Alarmed => "too good to be true",
        })
    }
}
