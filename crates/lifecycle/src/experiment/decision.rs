//! The rule at work: through the days as they came, until it stops.

use std::ops::ControlFlow;

use bist_trading::Estimate;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::design::{DeclaredExperiment, Guardrail, Mode};
use super::observation::{ChallengerDay, Observations, ObservedDay};
use super::report::{
    ChallengerReport, ExperimentReport, GuardrailReport, InvalidReason, State, Verdict,
};
use super::sample_ratio::{SampleRatio, as_float};
use super::sentence::{of_challenger, of_experiment};
use super::sequence::ConfidenceSequence;
use crate::evaluation::Sentence;
use crate::rank_ic::count;

/// Where the experiment stands by what was seen.
///
/// The days are gone through one after the other and nothing is looked at after the rule has
/// stopped, so that later days never change a decision.
pub fn judge(experiment: &DeclaredExperiment, observations: &Observations) -> ExperimentReport {
    walk(experiment, observations, |_, _| ())
}

/// What was known of a challenger after a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgedChallenger {
    /// Its version.
    pub version: String,
    /// By how much it is better than the champion, with the interval by which it is judged; absent
    /// while there are too few days.
    pub improvement: Option<Estimate>,
    /// The p-value so far, times the number of challengers.
    pub p_value: f64,
    /// The verdict.
    pub verdict: Verdict,
}

/// What was known after a day that was judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgedDay {
    /// The session in which the forecasts were made.
    pub day: Date,
    /// Days judged so far.
    pub days_count: u32,
    /// The challengers that were not stopped before, in their order.
    pub challengers: Vec<JudgedChallenger>,
}

/// The way to where the experiment stands: [`judge`] after each day, up to the one on which the rule
/// stopped.
pub fn judge_by_day(
    experiment: &DeclaredExperiment,
    observations: &Observations,
) -> (ExperimentReport, Vec<JudgedDay>) {
    let mut days = Vec::new();
    let report = walk(experiment, observations, |course, day| {
        if day.challengers.is_some() {
            days.push(course.judged_day(day.day));
        }
    });
    (report, days)
}

fn walk(
    experiment: &DeclaredExperiment,
    observations: &Observations,
    mut see: impl FnMut(&Course<'_>, &ObservedDay),
) -> ExperimentReport {
    let mut course = Course::new(experiment);
    for day in &observations.days {
        let goes_on = course.push(day);
        see(&course, day);
        if goes_on.is_break() {
            break;
        }
    }
    course.report(observations.unit_variance_removed_share)
}

/// The experiment up to a day.
struct Course<'a> {
    experiment: &'a DeclaredExperiment,
    contenders: Vec<Contender<'a>>,
    ratio: Option<SampleRatio>,
    units_count: u64,
    missing_by_arm: Vec<u64>,
    days_count: u32,
    from: Option<Date>,
    to: Option<Date>,
    state: State,
}

impl<'a> Course<'a> {
    fn new(experiment: &'a DeclaredExperiment) -> Self {
        let versions = experiment.design().challengers.iter();
        Self {
            experiment,
            contenders: versions.map(|version| Contender::new(experiment, version)).collect(),
            ratio: match &experiment.design().mode {
                Mode::Shadow => None,
                Mode::Split { weights } => Some(SampleRatio::new(weights)),
            },
            units_count: 0,
            missing_by_arm: match experiment.design().mode {
                Mode::Shadow => vec![0; experiment.arms().count()],
                Mode::Split { .. } => Vec::new(),
            },
            days_count: 0,
            from: None,
            to: None,
            state: State::TooEarly,
        }
    }

    fn push(&mut self, day: &ObservedDay) -> ControlFlow<()> {
        self.count_units(day);
        if let Some(challengers) = &day.challengers {
            self.from.get_or_insert(day.day);
            self.to = Some(day.day);
            self.days_count += 1;
            for (contender, seen) in self.contenders.iter_mut().zip(challengers) {
                contender.push(day.day, seen);
            }
        }
        self.state = self.state_now();
        if self.state.is_final() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn judged_day(&self, day: Date) -> JudgedDay {
        let there = self.contenders.iter().filter(|contender| contender.last_day == Some(day));
        let challengers = there.map(|contender| JudgedChallenger {
            version: contender.version.to_owned(),
            improvement: contender.primary.estimate(),
            p_value: contender.p_value(),
            verdict: contender.verdict,
        });
        JudgedDay { day, days_count: self.days_count, challengers: challengers.collect() }
    }

    fn count_units(&mut self, day: &ObservedDay) {
        self.units_count += day.units_count;
        let stopped = self.contenders.iter().map(|contender| contender.verdict.is_stopped());
        let stopped: Vec<bool> = std::iter::once(false).chain(stopped).collect();
        let missing = self.missing_by_arm.iter_mut().zip(&day.missing_by_arm).zip(&stopped);
        for ((count, missing), _) in missing.filter(|(_, is_stopped)| !**is_stopped) {
            *count += missing;
        }
        if let Some(ratio) = &mut self.ratio {
            (0..stopped.len()).filter(|arm| stopped[*arm]).for_each(|arm| ratio.stop(arm));
            ratio.push(&day.new_units);
        }
    }

    fn state_now(&self) -> State {
        let design = self.experiment.design();
        if let Some(reason) = self.invalid() {
            State::Invalid { reason }
        } else if let Some(best) = self.best() {
            State::Promoted { challenger: best.version.to_owned() }
        } else if self.contenders.iter().all(|contender| contender.verdict.is_stopped()) {
            State::ChampionStays
        } else if self.days_count >= design.days_max {
            State::NoDecision
        } else if self.days_count < design.days_min {
            State::TooEarly
        } else {
            State::Running
        }
    }

    fn invalid(&self) -> Option<InvalidReason> {
        let design = self.experiment.design();
        if self.ratio.as_ref().is_some_and(SampleRatio::is_mismatch) {
            return Some(InvalidReason::SampleRatioMismatch);
        }
        let tolerated = design.missing_share_max * as_float(self.units_count);
        let too_many = self.missing_by_arm.iter().any(|missing| as_float(*missing) > tolerated);
        (too_many && self.days_count >= design.days_min).then_some(InvalidReason::MissingForecasts)
    }

    /// The challenger that is certain to be better by the most, of those that are better.
    fn best(&self) -> Option<&Contender<'a>> {
        let better = self.contenders.iter().filter(|one| one.verdict == Verdict::Better);
        let low = |one: &Contender<'a>| one.primary.estimate().map_or(0.0, |estimate| estimate.low);
        better.max_by(|one, other| low(one).total_cmp(&low(other)))
    }

    fn report(self, unit_variance_removed_share: Option<f64>) -> ExperimentReport {
        let design = self.experiment.design();
        let reports = self.contenders.iter().map(|contender| {
            let mut report = contender.report();
            if matches!(design.mode, Mode::Split { .. }) {
                report.variance_removed_share = unit_variance_removed_share;
            }
            report.sentence = of_challenger(design, &report);
            report
        });
        let mut report = ExperimentReport {
            experiment: design.id.clone(),
            design_sha256: self.experiment.design_sha256().to_owned(),
            challengers: reports.collect(),
            state: self.state,
            from: self.from,
            to: self.to,
            days_count: self.days_count,
            units_by_arm: self
                .ratio
                .as_ref()
                .map_or_else(Vec::new, |ratio| ratio.counts().to_vec()),
            sample_ratio_p_value: self.ratio.as_ref().map(SampleRatio::p_value),
            unit_days_count: self.units_count,
            missing_by_arm: self.missing_by_arm,
            sentence: Sentence { tr: String::new(), en: String::new() },
        };
        report.sentence = of_experiment(design, &report);
        report
    }
}

/// A challenger up to a day.
struct Contender<'a> {
    experiment: &'a DeclaredExperiment,
    version: &'a str,
    primary: ConfidenceSequence,
    guardrails: Vec<(Guardrail, ConfidenceSequence)>,
    days_count: u32,
    last_day: Option<Date>,
    verdict: Verdict,
}

impl<'a> Contender<'a> {
    fn new(experiment: &'a DeclaredExperiment, version: &'a str) -> Self {
        let design = experiment.design();
        let sequence = |null| {
            let error_level = experiment.error_level_per_challenger();
            let sequence =
                ConfidenceSequence::new(design.horizon, design.days_max, error_level, null);
            let by_day = design.mode == Mode::Shadow && design.covariate.is_some();
            if by_day { sequence.with_cuped() } else { sequence }
        };
        let guardrails = design.guardrails.iter();
        Self {
            experiment,
            version,
            primary: sequence(design.improvement_min),
            guardrails: guardrails.map(|rail| (*rail, sequence(-rail.loss_max))).collect(),
            days_count: 0,
            last_day: None,
            verdict: Verdict::TooEarly,
        }
    }

    /// Adds a day, unless it was stopped.
    fn push(&mut self, day: Date, seen: &ChallengerDay) {
        if self.verdict.is_stopped() {
            return;
        }
        for (guardrail, sequence) in &mut self.guardrails {
            if let Some(improvement) = seen.improvements.get(&guardrail.metric) {
                sequence.push(improvement);
            }
        }
        let metric = self.experiment.design().metric;
        if let Some(improvement) = seen.improvements.get(&metric) {
            self.primary.push(improvement);
            self.days_count += 1;
        }
        self.last_day = Some(day);
        self.verdict = self.verdict_now();
    }

    fn verdict_now(&self) -> Verdict {
        let design = self.experiment.design();
        if let Some(metric) = self.guardrails.iter().find_map(broken) {
            return Verdict::GuardrailBroken { metric };
        }
        if self.days_count < design.days_min {
            return Verdict::TooEarly;
        }
        match self.primary.estimate() {
            Some(estimate) if estimate.high < 0.0 => Verdict::Worse,
            Some(estimate) if estimate.high < design.improvement_min => Verdict::TooSmall,
            Some(estimate) if estimate.low > design.improvement_min => {
                let in_doubt = self.guardrails.iter().any(seems_broken);
                if in_doubt { Verdict::Undecided } else { Verdict::Better }
            }
            _ => Verdict::Undecided,
        }
    }

    /// The p-value times the number of challengers.
    fn p_value(&self) -> f64 {
        let challengers = &self.experiment.design().challengers;
        (self.primary.p_value() * count(challengers.len())).min(1.0)
    }

    fn report(&self) -> ChallengerReport {
        let guardrails = self.guardrails.iter().map(|(guardrail, sequence)| GuardrailReport {
            metric: guardrail.metric,
            loss_max: guardrail.loss_max,
            improvement: sequence.estimate(),
        });
        ChallengerReport {
            version: self.version.to_owned(),
            verdict: self.verdict,
            last_day: self.last_day,
            days_count: self.days_count,
            blocks_count: self.primary.blocks_count() as u64,
            improvement: self.primary.estimate(),
            p_value: self.p_value(),
            variance_removed_share: self.primary.variance_removed_share(),
            guardrails: guardrails.collect(),
            sentence: Sentence { tr: String::new(), en: String::new() },
        }
    }
}

/// The metric of a guardrail that is certain to be broken.
fn broken((guardrail, sequence): &(Guardrail, ConfidenceSequence)) -> Option<super::Metric> {
    let estimate = sequence.estimate()?;
    (estimate.high < -guardrail.loss_max).then_some(guardrail.metric)
}

/// Whether a guardrail may be broken: the mean is beyond what is tolerated, or there is none.
fn seems_broken((guardrail, sequence): &(Guardrail, ConfidenceSequence)) -> bool {
    sequence.mean().is_none_or(|mean| mean < -guardrail.loss_max)
}
