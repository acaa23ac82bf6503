//! `bist tune`: a study for each part of the model, the best of all together, and one look at the
//! days that no trial saw.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::bail;
use bist_app::tuning::{
    Part, PartReport, PrunerChoice, SamplerChoice, StudyStorageSpec, TuningPlan, TuningReport,
    UnknownPart,
};
use bist_app::{HORIZON_DEFAULT, Horizon, parse_horizon};
use bist_lifecycle::search_space::ParamValue;
use clap::Args;
use jiff::SignedDuration;

use super::open;
use crate::config::Config;
use crate::terminal::Terminal;

/// What to tune, as the user says it.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    All,
    Only(Part),
}

impl FromStr for Wanted {
    type Err = UnknownPart;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        if word == "all" { Ok(Self::All) } else { word.parse().map(Self::Only) }
    }
}

#[derive(Args, Debug)]
pub(crate) struct TuneArgs {
    /// How far ahead the model looks: 1, 5 or 20 sessions, 1h, or eod
    #[arg(long, value_parser = parse_horizon, default_value_t = HORIZON_DEFAULT)]
    horizon: Horizon,
    /// What to tune: all, trees, elastic-net, lstm, prophet, features, ensemble or signal; may be
    /// given several times
    #[arg(long = "part", value_name = "PART", default_value = "all")]
    parts: Vec<Wanted>,
    /// Trials of each part, those of earlier runs of the same study included
    #[arg(long = "trials", value_name = "N", default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..))]
    trials_count: u64,
    /// How long each part may take, for example 10m or 1h30m; trials that run then are let finish
    #[arg(long, value_parser = parse_duration)]
    timeout: Option<SignedDuration>,
    /// End a part after so many trials without a better one
    #[arg(long, value_name = "N")]
    patience: Option<u64>,
    /// Who proposes configurations: tpe, cmaes, random, grid or nsga2
    #[arg(long, default_value_t = SamplerChoice::default())]
    sampler: SamplerChoice,
    /// Who ends trials early: auto (halving for the network, the median of folds for all others),
    /// median, percentile, halving, hyperband or none
    #[arg(long, default_value_t = PrunerChoice::default())]
    pruner: PrunerChoice,
    /// Trials that run at once; with more than one, the order in which they end decides what is
    /// tried next
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN)]
    workers: NonZeroUsize,
    /// Seed of everything random: the same bars, seed and one worker give the same study
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Name of the study; with several parts, the beginning of their names [default: by horizon,
    /// part, bars and configuration]
    #[arg(long, value_name = "NAME")]
    study: Option<String>,
    /// Where studies are kept: database, or journal:FILE, which Optuna reads and writes as well
    #[arg(long, value_name = "PLACE", default_value_t = StudyStorageSpec::default())]
    storage: StudyStorageSpec,
}

fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("'{text}' is no length of time; write for example 10m or 1h30m");
    let duration: SignedDuration = text.parse().map_err(|_| wrong())?;
    if duration.is_positive() { Ok(duration) } else { Err(wrong()) }
}

impl TuneArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let plan = TuningPlan {
            horizon: self.horizon,
            parts: parts(&self.parts),
            trials_count: self.trials_count,
            duration_max: self.timeout,
            patience: self.patience,
            sampler: self.sampler,
            pruner: self.pruner,
            workers: self.workers,
            seed: self.seed,
            study: self.study,
            storage: self.storage,
        };
        let app = open(config).await?;
        let cancelled = Arc::new(AtomicBool::new(false));
        let waiting = tokio::spawn(wait_for_interrupt(Arc::clone(&cancelled), *terminal));
        let report = app.tune(plan, cancelled, terminal.progress()).await;
        waiting.abort();
        app.close().await;
        let report = report?;
        terminal.result(&report, || text(&report))?;
        if report.interrupted {
            bail!("interrupted; the same command goes on from here");
        }
        Ok(())
    }
}

/// Lets the trials that run end their fold and no other begin, or ends the comparison at its next
/// part, once the user has had enough; the second time, ends at once.
#[expect(clippy::exit, reason = "what runs on other threads is not waited for, and loses nothing")]
async fn wait_for_interrupt(cancelled: Arc<AtomicBool>, terminal: Terminal) {
    if tokio::signal::ctrl_c().await.is_ok() {
        cancelled.store(true, Ordering::Relaxed);
        terminal.say("ending what runs; everything found so far is kept (again: end at once)");
    }
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(1);
    }
}

fn parts(wanted: &[Wanted]) -> Vec<Part> {
    let is_wanted = |part: &Part| {
        wanted.iter().any(|wanted| match wanted {
            Wanted::All => true,
            Wanted::Only(only) => only == part,
        })
    };
    Part::ALL.into_iter().filter(is_wanted).collect()
}

/// A parameter to four significant digits; the report in JSON has all of them.
fn in_short(value: &ParamValue) -> String {
    match value {
        ParamValue::Float(number) => {
            let rounded: f64 = format!("{number:.3e}").parse().unwrap_or(*number);
            rounded.to_string()
        }
        ParamValue::Int(_) | ParamValue::Choice(_) => value.to_string(),
    }
}

fn text(report: &TuningReport) -> String {
    let hold_out = &report.hold_out;
    let mut text = format!(
        "tuned on {} sessions before {}, {}; no trial saw the {} sessions from then on ({})\n",
        hold_out.tuning_sessions_count,
        hold_out.from,
        report.horizon.in_words(),
        hold_out.sessions_count,
        report.origin,
    );
    for part in &report.parts {
        text.push_str(&of_part(part));
    }
    if report.interrupted {
        return text;
    }
    match (&report.comparison, &report.model_version) {
        (Some(comparison), Some(id)) => {
            let standing = if comparison.verdict.is_promoted() {
                "is in force"
            } else {
                "is kept as a candidate; the model in force stays"
            };
            let sentence = &comparison.sentence;
            text.push_str(&format!("{}\n{}\nmodel {id} {standing}\n", sentence.tr, sentence.en));
        }
        _ => text.push_str(
            "nothing better was found than what is in force; the hold-out was not looked at\n",
        ),
    }
    text
}

fn of_part(part: &PartReport) -> String {
    let mut text = format!(
        "{:<12} {} complete, {} pruned, {} failed trials of study {} (ended by {})\n",
        part.part,
        part.complete_count,
        part.pruned_count,
        part.failed_count,
        part.study,
        part.stopped
    );
    let Some(best) = &part.best else {
        text.push_str("             no trial is complete\n");
        return text;
    };
    let values = part.objectives.iter().zip(&best.values);
    let values: Vec<String> = values.map(|(name, value)| format!("{name} {value:.4}")).collect();
    write!(text, "             best: trial {}, {}", best.number, values.join(", "))
        .expect("a text grows");
    if let Some(standard_error) = best.standard_error {
        write!(text, " (standard error {standard_error:.4})").expect("a text grows");
    }
    if let Some(score) = &part.score {
        write!(
            text,
            "; the best of {} trials of noise would show {:.4}, which leaves {:+.4}",
            score.trials_count, score.noise_maximum, score.deflated
        )
        .expect("a text grows");
    }
    text.push('\n');
    if best.is_base {
        text.push_str("             that is what was so before\n");
    } else {
        let params: Vec<String> =
            best.params.iter().map(|(name, value)| format!("{name} {}", in_short(value))).collect();
        text.push_str(&format!("             {}\n", params.join(", ")));
    }
    text
}
