//! The tuned configuration beside the one in force, on days that neither was chosen on.

use bist_market::Origin;
use bist_models::Horizon;
use bist_trading::Estimate;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Part;
use super::hold_out::{HoldOut, HoldOutScore, daily_differences, overlap_days};
use crate::bootstrap::{StationaryBootstrap, optimal_block_length};
use crate::evaluation::{Alarm, Sentence, percent, with_comma};
use crate::rank_ic::mean;
use crate::training::{Trained, TrainingSpec};
use crate::trial::{Trial, TrialPurpose};

/// Level of the interval of the difference when the hold-out is looked at for the first time.
const LEVEL: f64 = 0.9;

/// Series that the bootstrap draws.
const RESAMPLES_COUNT: u32 = 2000;

/// Fewest days that are drawn from.
const DAYS_MIN: usize = 20;

/// Where a part of a tuned configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunedPart {
    /// The part.
    pub part: Part,
    /// The name of its study.
    pub study: String,
    /// The number of the trial that was chosen.
    pub trial_number: u64,
    /// Trials of the study with a result.
    pub trials_count: u64,
}

/// Two configurations on the hold-out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HoldOutComparison {
    /// The hold-out.
    pub hold_out: HoldOut,
    /// Its last day with a known outcome.
    pub to: Date,
    /// Days on which both are compared.
    pub days_count: u64,
    /// How the configuration in force did, or the default where none is.
    pub current: HoldOutScore,
    /// How the tuned one did.
    pub tuned: HoldOutScore,
    /// The mean daily rank coefficient of the tuned one less that of the other, day by day, with its
    /// interval by the stationary bootstrap; absent when there are too few days.
    pub difference: Option<Estimate>,
    /// Trials that were needed to find the tuned one, over all parts.
    pub trials_count: u64,
    /// How many configurations were compared on the hold-out of this horizon so far, this one
    /// included: of `n` the level of the interval is `0.9^(1/n)` (Šidák).
    pub looks_count: u32,
    /// Whether the tuned one takes the place of the other.
    pub verdict: PromotionVerdict,
    /// The same in words.
    pub sentence: Sentence,
}

/// Whether a tuned configuration takes the place of the one in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromotionVerdict {
    /// It does: the interval of the difference lies above zero.
    Promoted,
    /// It does not: the difference can be luck, or is a loss.
    NotBetter,
    /// It does not: there are too few days to tell.
    TooFewDays,
    /// It does not: its record is too good to be true.
    Alarmed,
}

impl PromotionVerdict {
    /// Whether it takes the place of the other.
    pub const fn is_promoted(self) -> bool {
        matches!(self, Self::Promoted)
    }
}

/// How many configurations were compared on the hold-out of `horizon` on data of `origin`.
pub fn looks_count(trials: &[Trial], origin: Origin, horizon: Horizon) -> u32 {
    let mut specs: Vec<&str> = trials
        .iter()
        .filter(|trial| trial.purpose == TrialPurpose::HoldOut)
        .filter(|trial| trial.origin == origin && trial.horizon == horizon)
        .map(|trial| trial.spec_sha256.as_str())
        .collect();
    specs.sort_unstable();
    specs.dedup();
    u32::try_from(specs.len()).unwrap_or(u32::MAX)
}

impl HoldOutComparison {
    /// Compares `tuned` with `current`, each a configuration and what training made of it, on the
    /// same panel to its end; `looks_count` includes this look.
    ///
    /// Both passed the gate against leaks, or there would be nothing to compare.
    pub fn of(
        hold_out: HoldOut,
        current: (&TrainingSpec, &Trained),
        tuned: (&TrainingSpec, &Trained),
        trials_count: u64,
        looks_count: u32,
    ) -> Self {
        let (spec, trained) = tuned;
        let differences =
            daily_differences(&trained.forecasts, &current.1.forecasts, hold_out.from);
        let bootstrap = StationaryBootstrap {
            mean_block_length: optimal_block_length(&differences).max(overlap_days(spec.horizon)),
            resamples_count: RESAMPLES_COUNT,
            seed: spec.seed,
        };
        let level = LEVEL.powf(1.0 / f64::from(looks_count.max(1)));
        let difference = (differences.len() >= DAYS_MIN)
            .then(|| bootstrap.estimate(&differences, mean, level))
            .flatten();
        let verdict = verdict(difference, trained.evaluation.alarm.as_ref());
        let mut comparison = Self {
            to: trained.evaluation.to,
            days_count: differences.len() as u64,
            current: HoldOutScore::of(&current.1.forecasts, current.0, hold_out.from),
            tuned: HoldOutScore::of(&trained.forecasts, spec, hold_out.from),
            hold_out,
            difference,
            trials_count,
            looks_count,
            verdict,
            sentence: Sentence { tr: String::new(), en: String::new() },
        };
        comparison.sentence = Sentence { tr: comparison.turkish(), en: comparison.english() };
        comparison
    }

    fn english(&self) -> String {
        let Self { trials_count, days_count, hold_out, to, .. } = self;
        let tried = format!("{trials_count} trial{}", if *trials_count == 1 { "" } else { "s" });
        let Some(Estimate { value, low, high, level }) = self.difference else {
            return format!(
                "After {tried}, the hold-out has too few days ({days_count}) to compare anything: \
                 nothing is promoted."
            );
        };
        let finding = match self.verdict {
            PromotionVerdict::Promoted => "which is better than luck: the tuned model is promoted",
            PromotionVerdict::NotBetter | PromotionVerdict::TooFewDays => {
                "which cannot be told from luck, or is a loss: the tuned model stays a candidate"
            }
            PromotionVerdict::Alarmed => {
                "but its record is too good to be true: the tuned model stays a candidate, look for \
                 a leak"
            }
        };
        format!(
            "On {days_count} days from {} to {to} that no trial has seen, after {tried}, the rank IC \
             of the tuned model is {} and of the one before {}; the difference is {value:+.3}, \
             between {low:+.3} and {high:+.3} at {} %, {finding}.",
            hold_out.from,
            coefficient(&self.tuned),
            coefficient(&self.current),
            percent(level)
        )
    }

    fn turkish(&self) -> String {
        let Self { trials_count, days_count, hold_out, to, .. } = self;
        let Some(Estimate { value, low, high, level }) = self.difference else {
            return format!(
                "{trials_count} denemeden sonra ayrılan dönemde karşılaştırmaya yetecek kadar gün \
                 yok ({days_count}): hiçbir model yürürlüğe konmadı."
            );
        };
        let finding = match self.verdict {
            PromotionVerdict::Promoted => {
                "rastlantıdan ayırt edilebiliyor, ayarlanan model yürürlüğe kondu"
            }
            PromotionVerdict::NotBetter | PromotionVerdict::TooFewDays => {
                "rastlantıdan ayırt edilemiyor ya da kayıp, ayarlanan model aday olarak kaldı"
            }
            PromotionVerdict::Alarmed => {
                "ama sicil gerçek olamayacak kadar iyi, ayarlanan model aday olarak kaldı, geleceği \
                 gören bir veri aranmalı"
            }
        };
        let number = |number: f64| with_comma(&format!("{number:+.3}"));
        format!(
            "Hiçbir denemenin görmediği {} ile {} arasındaki {days_count} günde, {trials_count} \
             denemeden sonra, ayarlanan modelin rank IC değeri {}, öncekinin {}; fark {} (%{} \
             aralığı {} ile {} arası): {finding}.",
            hold_out.from.strftime("%d.%m.%Y"),
            to.strftime("%d.%m.%Y"),
            with_comma(&coefficient(&self.tuned)),
            with_comma(&coefficient(&self.current)),
            number(value),
            with_comma(&percent(level).to_string()),
            number(low),
            number(high)
        )
    }
}

/// The rule: the interval of the difference lies above zero, and nothing is too good to be true.
fn verdict(difference: Option<Estimate>, alarm: Option<&Alarm>) -> PromotionVerdict {
    match difference {
        None => PromotionVerdict::TooFewDays,
        Some(_) if alarm.is_some() => PromotionVerdict::Alarmed,
        Some(difference) if difference.low > 0.0 => PromotionVerdict::Promoted,
        Some(_) => PromotionVerdict::NotBetter,
    }
}

fn coefficient(score: &HoldOutScore) -> String {
    score.rank_ic.map_or_else(|| "-".to_owned(), |rank_ic| format!("{:.3}", rank_ic.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::AlarmCode;

    #[test]
    fn only_a_difference_whose_interval_lies_above_zero_promotes() {
        let at = |low: f64| Some(Estimate { value: 0.02, low, high: 0.05, level: 0.9 });
        assert_eq!(verdict(at(0.001), None), PromotionVerdict::Promoted);
        assert_eq!(verdict(at(0.0), None), PromotionVerdict::NotBetter);
        assert_eq!(verdict(at(-0.01), None), PromotionVerdict::NotBetter);
        assert_eq!(verdict(None, None), PromotionVerdict::TooFewDays);
        let alarm = Alarm {
            code: AlarmCode::ImplausibleRankIc,
            measured: 0.2,
            bound: 0.15,
            text: String::new(),
        };
        assert_eq!(verdict(at(0.001), Some(&alarm)), PromotionVerdict::Alarmed);
    }
}
