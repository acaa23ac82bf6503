//! What the rule of experiments decides where the truth is known.

use bist_app::{HORIZON_DEFAULT, Horizon, parse_horizon};
use bist_lifecycle::experiment::{
    Blocks, ExperimentDesign, Metric, Mode, PowerPlan, PowerTable, simulate,
};
use clap::Args;
use serde::Serialize;

use crate::terminal::Terminal;

/// The share of experiments with equal arms that may promote one of them.
const GOAL_FALSE_PROMOTIONS_SHARE: f64 = 0.05;

/// True improvements that are simulated, in standard deviations of a day: none, worse, better.
const EFFECTS: [f64; 6] = [0.0, -0.2, -0.4, 0.3, 0.5, 0.8];

/// Fewest judged days before a decision, where the horizon does not ask for more.
const DAYS_MIN: u32 = 60;

#[derive(Args, Debug)]
pub(crate) struct ExperimentsBenchArgs {
    /// Experiments of each effect, each looked at after every day
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    experiments: u32,
    /// How far ahead the forecasts look: daily differences overlap so long
    #[arg(long, value_name = "HORIZON", default_value_t = HORIZON_DEFAULT, value_parser = parse_horizon)]
    horizon: Horizon,
    /// Challengers side by side; the first is as good as the effect says, the others as the champion
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    challengers: u8,
    /// Days after which an experiment ends without a decision
    #[arg(long, default_value_t = 500)]
    days: u32,
    /// The seed of everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The JSON document.
#[derive(Serialize)]
struct Report {
    days_min: u32,
    days_max: u32,
    #[serde(flatten)]
    table: PowerTable,
    /// The share in which an arm that is as good as the champion, or worse, was promoted.
    false_promotions_share: f64,
    goal_false_promotions_share: f64,
}

impl ExperimentsBenchArgs {
    pub(crate) fn run(self, terminal: &Terminal) -> anyhow::Result<()> {
        let days_min = DAYS_MIN.max(Blocks::days_of(self.horizon, 5));
        let experiment = ExperimentDesign {
            id: "bench".to_owned(),
            horizon: self.horizon,
            champion: "champion".to_owned(),
            challengers: (1..=self.challengers).map(|n| format!("challenger-{n}")).collect(),
            mode: Mode::Shadow,
            metric: Metric::RankIc,
            error_level: GOAL_FALSE_PROMOTIONS_SHARE,
            days_min,
            days_max: self.days,
            improvement_min: 0.0,
            guardrails: Vec::new(),
            covariate: None,
            missing_share_max: 0.01,
            watch_days: 0,
        };
        let table = simulate(&PowerPlan {
            experiment: experiment.declare()?,
            effects: EFFECTS.to_vec(),
            experiments_count: self.experiments,
            covariate_share: 0.0,
            seed: self.seed,
        });
        let not_better = table.rows.iter().filter(|row| row.effect <= 0.0);
        let promoted = not_better.map(|row| row.promoted_share + row.other_promoted_share);
        let report = Report {
            days_min,
            days_max: self.days,
            false_promotions_share: promoted.fold(0.0, f64::max),
            goal_false_promotions_share: GOAL_FALSE_PROMOTIONS_SHARE,
            table,
        };
        terminal.result(&report, || report.text())
    }
}

impl Report {
    fn text(&self) -> String {
        let is_met = self.false_promotions_share <= self.goal_false_promotions_share;
        format!(
            "{} experiments of each effect, looked at every day from day {} to {}; days overlap as \
             outcomes do and have heavy tails\n\n{}\n\
             promoted without being better: {:.1} % at most, goal {:.0} %: {}\n",
            self.table.experiments_count,
            self.days_min,
            self.days_max,
            self.table,
            100.0 * self.false_promotions_share,
            100.0 * self.goal_false_promotions_share,
            if is_met { "met" } else { "MISSED" },
        )
    }
}
