//! How often the rule would decide what, when the truth is known.

use std::collections::BTreeMap;
use std::fmt;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::decision::judge;
use super::design::DeclaredExperiment;
use super::observation::{ChallengerDay, Improvement, Observations, ObservedDay};
use super::report::State;
use crate::rank_ic::count;
use crate::sampler::stream::{normal, stream, uniform};

/// What is simulated: experiments in shadow mode whose daily improvements have standard deviation
/// one, overlap as the horizon says, and are sums of Student's t with four degrees of freedom.
#[derive(Clone, Debug, PartialEq)]
pub struct PowerPlan {
    /// The rule; its covariate, if there is one, explains `covariate_share` of the variance.
    pub experiment: DeclaredExperiment,
    /// True mean improvements of the first challenger, in standard deviations of a day; the others
    /// are as good as the champion.
    pub effects: Vec<f64>,
    /// Experiments of each effect.
    pub experiments_count: u32,
    /// The share of the variance of days that the covariate explains, 0..1.
    pub covariate_share: f64,
    /// The seed.
    pub seed: u64,
}

/// What became of the experiments of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerRow {
    /// The true mean improvement of the first challenger, in standard deviations of a day.
    pub effect: f64,
    /// The share in which the first challenger was promoted.
    pub promoted_share: f64,
    /// The share in which another one was, which is as good as the champion.
    pub other_promoted_share: f64,
    /// The share in which all were stopped.
    pub stopped_share: f64,
    /// Days after which half of the promoted were; `None` when none was.
    pub promoted_after_days: Option<u32>,
}

/// What became of all experiments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerTable {
    /// Experiments of each effect.
    pub experiments_count: u32,
    /// By effect.
    pub rows: Vec<PowerRow>,
}

impl fmt::Display for PowerTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "effect (sd)  promoted  another  all stopped  median days to promotion")?;
        for row in &self.rows {
            let PowerRow { effect, promoted_share, other_promoted_share, stopped_share, .. } = row;
            let days = row.promoted_after_days.map_or_else(|| "-".to_owned(), |n| n.to_string());
            writeln!(
                f,
                "{effect:>11.2}  {promoted_share:>8.3}  {other_promoted_share:>7.3}  \
                 {stopped_share:>11.3}  {days:>24}"
            )?;
        }
        Ok(())
    }
}

/// Runs the experiments of a plan, each looked at after every day.
pub fn simulate(plan: &PowerPlan) -> PowerTable {
    let rows = plan.effects.iter().map(|effect| {
        let numbers = (0..plan.experiments_count).into_par_iter();
        let ends: Vec<End> = numbers.map(|number| run(plan, *effect, number)).collect();
        row(*effect, &ends)
    });
    PowerTable { experiments_count: plan.experiments_count, rows: rows.collect() }
}

/// How an experiment ended.
struct End {
    state: State,
    is_first: bool,
    days_count: u32,
}

fn run(plan: &PowerPlan, effect: f64, number: u32) -> End {
    let observations = drawn(plan, effect, number);
    let report = judge(&plan.experiment, &observations);
    let first = &plan.experiment.design().challengers[0];
    let is_first = matches!(&report.state, State::Promoted { challenger } if challenger == first);
    End { state: report.state, is_first, days_count: report.days_count }
}

fn row(effect: f64, ends: &[End]) -> PowerRow {
    let share = |is: &dyn Fn(&End) -> bool| {
        count(ends.iter().filter(|end| is(end)).count()) / count(ends.len().max(1))
    };
    let promoted = |end: &End| matches!(end.state, State::Promoted { .. });
    let mut days: Vec<u32> =
        ends.iter().filter(|end| end.is_first).map(|end| end.days_count).collect();
    days.sort_unstable();
    PowerRow {
        effect,
        promoted_share: share(&|end| end.is_first),
        other_promoted_share: share(&|end| promoted(end) && !end.is_first),
        stopped_share: share(&|end| end.state == State::ChampionStays),
        promoted_after_days: days.get(days.len() / 2).copied(),
    }
}

/// The days of an experiment to its last.
fn drawn(plan: &PowerPlan, effect: f64, number: u32) -> Observations {
    let design = plan.experiment.design();
    let series = |name: &str| {
        let rng = stream(plan.seed, u64::from(number), name);
        overlapping(rng, usize::from(design.horizon.sessions()), design.days_max)
    };
    let champion = series("champion");
    let covariate = series("covariate");
    let challengers: Vec<Vec<f64>> =
        (0..design.challengers.len()).map(|arm| series(&format!("challenger {arm}"))).collect();
    // What several challengers share with each other is the champion.
    let (own, shared) = if challengers.len() == 1 { (1.0, 0.0) } else { (0.5_f64, 0.5_f64) };
    let explained = plan.covariate_share;
    let day = |index: usize, day: Date| ObservedDay {
        day,
        new_units: Vec::new(),
        units_count: 0,
        missing_by_arm: Vec::new(),
        challengers: Some(
            (0..challengers.len())
                .map(|arm| {
                    let noise =
                        own.sqrt() * challengers[arm][index] - shared.sqrt() * champion[index];
                    let value = (1.0 - explained).sqrt() * noise
                        + explained.sqrt() * covariate[index]
                        + if arm == 0 { effect } else { 0.0 };
                    let improvement =
                        Improvement { value, covariate: covariate[index], unit_error: None };
                    ChallengerDay { improvements: BTreeMap::from([(design.metric, improvement)]) }
                })
                .collect(),
        ),
    };
    let begin = date(2000, 1, 1);
    let dates = (0..i64::from(design.days_max)).map(|days| begin + days.days());
    Observations {
        days: dates.enumerate().map(|(index, date)| day(index, date)).collect(),
        open_from: None,
        unit_variance_removed_share: None,
    }
}

/// Sums of `window` numbers in a row, scaled to standard deviation one, as outcomes overlap.
fn overlapping(mut rng: ChaCha8Rng, window: usize, days_count: u32) -> Vec<f64> {
    let length = window + usize::try_from(days_count).unwrap_or(0) - 1;
    let draws: Vec<f64> = (0..length).map(|_| student_t4(&mut rng)).collect();
    // Student's t with four degrees of freedom has variance two.
    let scale = (2.0 * count(window)).sqrt();
    draws.windows(window).map(|draws| draws.iter().sum::<f64>() / scale).collect()
}

/// Student's t with four degrees of freedom: a normal number over the root of a quarter of a
/// chi-square, which is minus twice the logarithm of two uniform numbers.
fn student_t4(rng: &mut ChaCha8Rng) -> f64 {
    let numerator = normal(rng);
    let chi_square = -2.0 * ((1.0 - uniform(rng)) * (1.0 - uniform(rng))).ln();
    numerator / (chi_square / 4.0).sqrt()
}
