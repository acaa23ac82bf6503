//! `bist jobs`: background work, watched, begun, cancelled and begun again.

mod text;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, ensure};
use bist_app::jobs::{Job, JobAsked, JobOrder, JobState, JobView};
use bist_app::retraining::{RetrainingPlan, SEED_DEFAULT};
use bist_app::tuning::{Part, TuningOrder};
use bist_app::{App, Horizon, parse_horizon};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use super::{ReasonArgs, open, open_with_services};
use crate::config::Config;
use crate::terminal::Terminal;

/// How often a run that is watched is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Most lines that are shown of what a run said.
const LINES_MAX: u32 = 200;

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// The runs, the newest first, and when each job runs by itself
    List(ListArgs),
    /// One run: its stages, how far it is, and what it said
    Show(RunArgs),
    /// Do a job now, in this process: what waits, what an earlier process left, or a new run
    Run(BeginArgs),
    /// Ask for a run that a server does; it begins within seconds
    Ask(BeginArgs),
    /// Follow a run until it ends; the status is 1 when it did not end well
    Watch(RunArgs),
    /// End a run: at once when it waits, otherwise at its next step
    Cancel(ChangeArgs),
    /// Let a run that failed or was cancelled be begun again, by a server or `bist jobs run`; what it
    /// had done is not done again
    Retry(ChangeArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Only runs of this job: nightly-ingest, retraining, key-care, tuning, backup or restore-drill
    #[arg(value_name = "JOB", value_parser = Job::parse)]
    job: Option<Job>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
}

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The number of the run
    #[arg(value_name = "RUN")]
    id: i64,
}

#[derive(Args, Debug)]
pub(crate) struct BeginArgs {
    /// The job: nightly-ingest, retraining, key-care, tuning, backup or restore-drill
    #[arg(value_name = "JOB", value_parser = Job::parse)]
    job: Job,
    /// Train or tune for this horizon only: 1, 5 or 20 sessions, 1h or eod; of a training it may be
    /// given several times [default: those with a champion; of a tuning 5]
    #[arg(long = "horizon", value_name = "HORIZON", value_parser = parse_horizon)]
    horizons: Vec<Horizon>,
    /// Seed of everything random in a training or a tuning
    #[arg(long, default_value_t = SEED_DEFAULT)]
    seed: u64,
    /// Tune this only: trees, elastic-net, lstm, prophet, features, ensemble or signal; may be given
    /// several times [default: all]
    #[arg(long = "part", value_name = "PART")]
    parts: Vec<Part>,
    /// Trials of each part of a tuning
    #[arg(long = "trials", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials_count: Option<u64>,
    /// Trials of a tuning that are begun together, each by what was known before [default: 4]
    #[arg(long, value_name = "N")]
    at_once: Option<NonZeroUsize>,
    #[command(flatten)]
    why: ReasonArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    why: ReasonArgs,
}

/// The JSON document of several runs.
#[derive(Serialize)]
struct Listed {
    items: Vec<Value>,
    schedules: Vec<Value>,
}

impl JobsCommand {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        match self {
            Self::List(args) => args.run(config, terminal).await,
            Self::Show(args) => {
                let app = open(config).await?;
                let view = app.job(args.id, 0, LINES_MAX).await?;
                app.close().await;
                terminal.result(&text::document(&view), || text::run(&view))
            }
            Self::Run(args) => args.do_it(config, terminal).await,
            Self::Ask(args) => args.ask(config, terminal).await,
            Self::Watch(args) => args.watch(config, terminal).await,
            Self::Cancel(args) => {
                let app = open(config).await?;
                let view = app.cancel_job(args.run.id, args.why.job_asked()).await?;
                app.close().await;
                terminal.result(&text::document(&view), || {
                    let id = view.run.id;
                    match view.run.state.has_ended() {
                        true => format!("run {id} is cancelled"),
                        false => format!("run {id} ends at its next step"),
                    }
                })
            }
            Self::Retry(args) => {
                let app = open(config).await?;
                let view = app.retry_job(args.run.id, args.why.job_asked()).await?;
                app.close().await;
                terminal.result(&text::document(&view), || {
                    let (id, name) = (view.run.id, &view.run.name);
                    format!(
                        "run {id} waits: a server begins it within seconds, or bist jobs run {name}"
                    )
                })
            }
        }
    }
}

impl ListArgs {
    async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        let app = if config.retraining { app.with_retraining() } else { app };
        let views = app.jobs(self.job, None, self.limit).await?;
        let schedules = app.job_schedules().await?;
        app.close().await;
        let document = Listed {
            items: views.iter().map(text::document).collect(),
            schedules: schedules.iter().map(text::schedule_document).collect(),
        };
        terminal.result(&document, || text::list(&views, &schedules))
    }
}

impl BeginArgs {
    fn order(&self) -> anyhow::Result<JobOrder> {
        let for_tuning =
            !self.parts.is_empty() || self.trials_count.is_some() || self.at_once.is_some();
        let job = self.job.as_str();
        ensure!(
            !for_tuning || self.job == Job::Tuning,
            "--part, --trials and --at-once are of a tuning, and not of a {job}"
        );
        Ok(match self.job {
            Job::Retraining => {
                JobOrder::Retraining(RetrainingPlan::of(self.horizons.clone(), self.seed))
            }
            Job::Tuning => JobOrder::Tuning(self.tuning()?),
            Job::NightlyIngest | Job::KeyCare | Job::Backup | Job::RestoreDrill => {
                JobOrder::of(self.job)
            }
        })
    }

    fn tuning(&self) -> anyhow::Result<TuningOrder> {
        ensure!(self.horizons.len() < 2, "a tuning is for one horizon: give one, or none");
        let usual = TuningOrder::default();
        let order = TuningOrder {
            horizon: self.horizons.first().copied().unwrap_or(usual.horizon),
            parts: if self.parts.is_empty() { usual.parts } else { self.parts.clone() },
            trials_count: self.trials_count.unwrap_or(usual.trials_count),
            at_once: self.at_once.unwrap_or(usual.at_once),
            seed: self.seed,
            ..usual
        };
        order.check()?;
        Ok(order)
    }

    async fn ask(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let order = self.order()?;
        let app = open(config).await?;
        let view = app.ask_for_job(&order, self.why.job_asked()).await?;
        app.close().await;
        terminal.result(&text::document(&view), || {
            let id = view.run.id;
            format!("run {id} waits for a server to do it; follow it with bist jobs watch {id}")
        })
    }

    async fn do_it(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let order = self.order()?;
        let app = open_with_services(config).await?;
        let progress = terminal.progress();
        let left = app.run_waiting_job(self.job, Arc::clone(&progress)).await?;
        let run = match left {
            Some(run) => run,
            None => {
                app.ask_for_job(&order, self.why.job_asked()).await?;
                match app.run_waiting_job(self.job, progress).await? {
                    Some(run) => run,
                    None => bail!("another process has begun it; see bist jobs list"),
                }
            }
        };
        let view = app.job(run.id, 0, LINES_MAX).await?;
        app.close().await;
        ended_well(&view)?;
        terminal.result(&text::document(&view), || text::run(&view))
    }
}

impl RunArgs {
    async fn watch(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        let view = self.follow(&app, terminal).await?;
        app.close().await;
        ended_well(&view)?;
        terminal.result(&text::document(&view), || text::run(&view))
    }

    /// Says what the run says and how far it is, until it has ended.
    async fn follow(&self, app: &App, terminal: &Terminal) -> anyhow::Result<JobView> {
        let (mut after, mut told) = (0, String::new());
        loop {
            let view = app.job(self.id, after, LINES_MAX).await?;
            for line in &view.lines {
                terminal.say(&text::line(line));
            }
            after = view.lines.last().map_or(after, |line| line.number);
            let now = text::how_far(&view);
            if now != told && !now.is_empty() {
                terminal.say(&now);
                told = now;
            }
            if view.run.state.has_ended() && view.run.retry_at.is_none() {
                return Ok(app.job(self.id, 0, LINES_MAX).await?);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl ReasonArgs {
    fn job_asked(&self) -> JobAsked<'_> {
        JobAsked { by: &self.by, reason: &self.reason }
    }
}

/// Whether a run did what it was to do.
fn ended_well(view: &JobView) -> anyhow::Result<()> {
    let detail = view.run.detail.as_deref().unwrap_or_default();
    let (id, state) = (view.run.id, view.run.state);
    ensure!(state != JobState::Cancelled, "run {id} was {detail}");
    ensure!(state == JobState::Done, "run {id} {state}: {detail}");
    Ok(())
}
