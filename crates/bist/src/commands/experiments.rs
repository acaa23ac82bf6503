//! `bist experiments`: champions beside their challengers, and what the rule says of them.

mod text;

use bist_app::experiments::{ExperimentPlan, ExperimentView, PlannedMode};
use bist_app::{App, HORIZON_DEFAULT, HORIZONS, HORIZONS_HOURLY, Horizon, parse_horizon};
use bist_lifecycle::experiment::{ExperimentState, Guardrail, Metric};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{ReasonArgs, open};
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum ExperimentsCommand {
    /// All experiments, the newest first
    List(ListArgs),
    /// One experiment: where it stands, the improvement with its interval, the guardrails, the rule
    Show(ShowArgs),
    /// Declare the rule by which challengers are compared with the champion, before anything is seen
    Declare(DeclareArgs),
    /// Join what has come of the forecasts, and do what the rule says; `bist signals` does it too
    Judge(JudgeArgs),
    /// End an experiment without a decision: the champion stays
    Stop(StopArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Only those that look so far ahead: 1, 5 or 20 sessions, 1h or eod
    #[arg(long, value_name = "HORIZON", value_parser = parse_horizon)]
    horizon: Option<Horizon>,
    #[arg(
        long,
        help = "Only those that stand there: running, promoted, champion_stays, no_decision, \
                invalid or stopped"
    )]
    state: Option<ExperimentState>,
}

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// The experiment: its name or the beginning of it
    #[arg(value_name = "EXPERIMENT")]
    name: String,
}

#[derive(Args, Debug)]
pub(crate) struct DeclareArgs {
    /// How far ahead the forecasts look; its champion is what the challengers are compared with
    #[arg(long, value_name = "HORIZON", default_value_t = HORIZON_DEFAULT, value_parser = parse_horizon)]
    horizon: Horizon,
    /// A staged version that wants the champion's place; may be given several times, and is every
    /// staged one when it is not
    #[arg(long = "challenger", value_name = "VERSION")]
    challengers: Vec<String>,
    /// Its name; one of the horizon and the day otherwise
    #[arg(long)]
    name: Option<String>,
    /// Show each symbol the forecast of one arm, drawn by a hash of experiment and symbol, in
    /// proportion to weights such as 8,1,1 (the champion first; all alike without); otherwise all
    /// arms forecast in the shadow, and the champion's word is shown
    #[arg(long, value_name = "WEIGHTS", value_delimiter = ',', num_args = 0..)]
    split: Option<Vec<u32>>,
    #[arg(
        long,
        default_value_t = Metric::RankIc,
        help = "What decides: rank_ic, brier, return_after_costs or coverage_error"
    )]
    metric: Metric,
    /// The probability that anything is ever said of a challenger that is not so
    #[arg(long, default_value_t = 0.05)]
    level: f64,
    /// Judged days before a decision; 60, or more where outcomes overlap for longer
    #[arg(long, value_name = "DAYS")]
    days_min: Option<u32>,
    /// Judged days after which it ends without a decision; 500, or twice the least
    #[arg(long, value_name = "DAYS")]
    days_max: Option<u32>,
    /// By how much a challenger must certainly be better, in the unit of the metric
    #[arg(long, value_name = "AMOUNT", default_value_t = 0.0)]
    improvement: f64,
    #[arg(
        long = "guardrail",
        value_name = "METRIC=LOSS",
        value_parser = guardrail,
        help = "Another metric and by how much it may be worse, such as brier=0.01; may be given \
                several times, or none for no guardrail; brier=0.01 and coverage_error=0.05 \
                otherwise"
    )]
    guardrails: Vec<GuardrailArg>,
    /// The share of forecasts that an arm may lack before the experiment is invalid
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    missing: f64,
    /// Judged days over which the champion that is replaced is watched, so that it comes back by the
    /// same rule; 250, or 0 for none
    #[arg(long, value_name = "DAYS")]
    watch_days: Option<u32>,
    /// Take off what the volatility of the days before tells beforehand (CUPED)
    #[arg(long)]
    cuped: bool,
    #[command(flatten)]
    why: ReasonArgs,
}

#[derive(Args, Debug)]
pub(crate) struct JudgeArgs {
    /// Only those that look so far ahead: 1, 5 or 20 sessions, 1h or eod
    #[arg(long, value_name = "HORIZON", value_parser = parse_horizon)]
    horizon: Option<Horizon>,
}

#[derive(Args, Debug)]
pub(crate) struct StopArgs {
    /// The experiment: its name or the beginning of it
    #[arg(value_name = "EXPERIMENT")]
    name: String,
    #[command(flatten)]
    why: ReasonArgs,
}

/// What `--guardrail` says.
#[derive(Clone, Copy, Debug)]
enum GuardrailArg {
    None,
    Of(Guardrail),
}

fn guardrail(text: &str) -> Result<GuardrailArg, String> {
    if text == "none" {
        return Ok(GuardrailArg::None);
    }
    let Some((metric, loss_max)) = text.split_once('=') else {
        return Err("give METRIC=LOSS, such as brier=0.01, or none".to_owned());
    };
    let metric = metric.parse().map_err(|error| format!("{error}"))?;
    let loss_max = loss_max
        .parse()
        .map_err(|_| format!("'{loss_max}' is no number; give one such as 0.01"))?;
    Ok(GuardrailArg::Of(Guardrail { metric, loss_max }))
}

/// An experiment in the list.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    #[serde(flatten, with = "bist_models::horizon::fields")]
    horizon: Horizon,
    state: ExperimentState,
    champion: &'a str,
    challengers: &'a [String],
    declared_at: jiff::Timestamp,
    days_count: u32,
    days_min: u32,
    days_max: u32,
    sentence: &'a bist_lifecycle::evaluation::Sentence,
}

impl<'a> From<&'a ExperimentView> for Row<'a> {
    fn from(view: &'a ExperimentView) -> Self {
        let ExperimentView { design, report, .. } = view;
        Self {
            id: &view.id,
            horizon: view.horizon,
            state: view.state,
            champion: &design.champion,
            challengers: &design.challengers,
            declared_at: view.declared.at,
            days_count: report.days_count,
            days_min: design.days_min,
            days_max: design.days_max,
            sentence: &report.sentence,
        }
    }
}

/// A JSON document that is a list.
#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
}

impl ExperimentsCommand {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        let done = self.run_with(&app, terminal).await;
        app.close().await;
        done
    }

    async fn run_with(self, app: &App, terminal: &Terminal) -> anyhow::Result<()> {
        match self {
            Self::List(args) => {
                let views = app.experiments(args.horizon, args.state).await?;
                let list = Items { items: views.iter().map(Row::from).collect() };
                terminal.result(&list, || text::list(&list.items))
            }
            Self::Show(args) => {
                let view = app.experiment(&args.name).await?;
                terminal.result(&view, || text::experiment(&view))
            }
            Self::Declare(args) => {
                let plan = args.plan();
                let asked = args.why.asked();
                let view = app.declare_experiment(&plan, asked, terminal.progress()).await?;
                terminal.result(&view, || text::experiment(&view))
            }
            Self::Judge(args) => {
                let all = [&HORIZONS[..], &HORIZONS_HOURLY].concat();
                let horizons = args.horizon.map_or(all, |horizon| vec![horizon]);
                let items = app.judge_experiments(&horizons, terminal.progress()).await?;
                let steps = Items { items };
                terminal.result(&steps, || text::steps(&steps.items))
            }
            Self::Stop(args) => {
                let view = app.stop_experiment(&args.name, args.why.asked()).await?;
                terminal.result(&view, || text::experiment(&view))
            }
        }
    }
}

impl DeclareArgs {
    fn plan(&self) -> ExperimentPlan {
        let guardrails = self.guardrails.iter().filter_map(|guardrail| match guardrail {
            GuardrailArg::None => None,
            GuardrailArg::Of(guardrail) => Some(*guardrail),
        });
        ExperimentPlan {
            name: self.name.clone(),
            challengers: self.challengers.clone(),
            mode: self.split.clone().map_or(PlannedMode::Shadow, PlannedMode::Split),
            metric: self.metric,
            error_level: self.level,
            days_min: self.days_min,
            days_max: self.days_max,
            improvement_min: self.improvement,
            guardrails: (!self.guardrails.is_empty()).then(|| guardrails.collect()),
            missing_share_max: self.missing,
            watch_days: self.watch_days,
            cuped: self.cuped,
            ..ExperimentPlan::of(self.horizon)
        }
    }
}

pub(super) use text::step;
