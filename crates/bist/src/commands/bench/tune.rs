//! Studies beside Optuna's: how good, how fast, what a trial costs when there are many, and what
//! ending trials early spares.

mod ours;
mod problems;
mod pruning;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use bist_trading::estimate::student_t_p_value;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use pruning::{Pruning, search_market};

use super::side_by_side::{Comparison, Side, compare, print_measured};
use crate::terminal::Terminal;

/// Optuna's side: the same functions, the same studies.
const PEERS: &str = include_str!("tune/peers.py");

/// How many times as fast as Optuna's 1,000 trials ours mean to be.
const GOAL_TIMES_FASTER: f64 = 20.0;

/// How many times the time and memory of a trial among 1,000 one among 10,000 may have.
const GOAL_TIMES_FLAT: f64 = 2.0;

/// What a side does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Task {
    /// Studies of every function with every sampler
    Quality,
    /// One study of so many trials in five dimensions, several times
    Speed,
}

#[derive(Args, Debug)]
pub(crate) struct TuneBenchArgs {
    /// Studies of each function with each sampler
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// How often the sides take turns with 1,000 trials
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// Generated markets on which a network is searched twice, with and without ending trials early
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(2..=100))]
    markets: u64,
    /// Trials of each of those searches
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(6..=1000))]
    network_trials: u64,
    /// The Python that has optuna and cmaes; without it our figures stand alone
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: OsString,
    /// The core that the timed parts run on
    #[arg(long, default_value_t = 0)]
    core: usize,
}

/// Studies of one function with one sampler, on one side.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Found {
    problem: String,
    sampler: String,
    /// How far the best of the first 100 trials is above the least value, by seed.
    regrets_at_100: Vec<f64>,
    /// The same of 200 trials.
    regrets_at_200: Vec<f64>,
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Report {
    quality: Vec<Beside>,
    /// 1,000 trials of TPE beside Optuna.
    speed: Comparison,
    goal_times_faster: f64,
    flatness: Flatness,
    goal_times_flat: f64,
    pruning: Pruning,
    not_measured: Vec<String>,
}

/// A sampler of ours beside one of Optuna's, on one function after so many trials.
#[derive(Debug, Serialize)]
struct Beside {
    problem: String,
    sampler: String,
    peer: String,
    trials: u64,
    /// Quartiles of the regrets, ours and theirs.
    ours: [f64; 3],
    theirs: [f64; 3],
    /// How probable a difference as large is by chance (rank-sum test, two-sided).
    p_value: f64,
}

/// What one trial costs in a small and in a large study.
#[derive(Debug, Serialize)]
struct Flatness {
    /// Microseconds of a trial among 1,000 and among 10,000.
    trial_us: [f64; 2],
    /// KiB that a trial of the two studies holds.
    trial_kib: [f64; 2],
}

impl TuneBenchArgs {
    pub(crate) fn run(self, terminal: &Terminal) -> anyhow::Result<()> {
        let folder = tempfile::tempdir().context("no folder for the bench's files")?;
        let peers = folder.path().join("peers.py");
        fs::write(&peers, PEERS).with_context(|| format!("writing {}", peers.display()))?;
        let this = std::env::current_exe().context("the path of this program is not known")?;
        let ours = |task: &str, count: u64| -> Vec<OsString> {
            let words = ["bench", "tune-side", task].map(OsString::from);
            let count = OsString::from(count.to_string());
            [this.clone().into()].into_iter().chain(words).chain([count]).collect()
        };
        let theirs = |task: &str, count: u64| -> Vec<OsString> {
            let words = [task.into(), count.to_string().into()];
            [self.python.clone(), peers.clone().into()].into_iter().chain(words).collect()
        };

        let mut not_measured = Vec::new();
        terminal.say(&format!("quality: {} seeds of ours", self.seeds));
        let found = studies(&ours("quality", self.seeds))?;
        terminal.say(&format!("quality: {} seeds of Optuna, minutes", self.seeds));
        let peers_found = studies(&theirs("quality", self.seeds)).unwrap_or_else(|error| {
            not_measured.push(format!("quality: Optuna: {error:#}"));
            Vec::new()
        });
        let told = |progress: &str| terminal.say(&format!("speed: {progress}"));
        let sides = [
            Side { name: "bist", command: ours("speed", 1_000) },
            Side { name: "Optuna", command: theirs("speed", 1_000) },
        ];
        let work = "1,000 trials of TPE in five dimensions, in memory".to_owned();
        let speed = compare(work, &sides, usize::from(self.rounds), self.core, told)?;
        let report = Report {
            quality: beside(&found, &peers_found),
            speed,
            goal_times_faster: GOAL_TIMES_FASTER,
            flatness: self.flatness(&ours)?,
            goal_times_flat: GOAL_TIMES_FLAT,
            pruning: self.pruning(terminal)?,
            not_measured,
        };
        terminal.result(&report, || report.text())
    }

    fn pruning(&self, terminal: &Terminal) -> anyhow::Result<Pruning> {
        let mut markets = Vec::new();
        for seed in 1..=self.markets {
            terminal.say(&format!("pruning: market {seed} of {}, minutes", self.markets));
            let searched = search_market(seed, self.network_trials)?;
            terminal.say(&searched.in_words());
            markets.push(searched);
        }
        Ok(Pruning::of(self.network_trials, markets))
    }

    fn flatness(&self, ours: &dyn Fn(&str, u64) -> Vec<OsString>) -> anyhow::Result<Flatness> {
        let mut seconds = [0.0; 3];
        let mut mib = [0.0; 3];
        for (at, count) in [1, 1_000, 10_000].into_iter().enumerate() {
            let sides = [Side { name: "bist", command: ours("speed", count) }];
            let measured = compare(String::new(), &sides, 1, self.core, |_| {})?;
            let figures = measured.sides.first().context("our own side was not measured")?;
            (seconds[at], mib[at]) = (figures.median_ms / 1e3, figures.peak_mib);
        }
        let [base, small, large] = mib;
        Ok(Flatness {
            trial_us: [seconds[1] * 1e3, seconds[2] * 1e2],
            trial_kib: [(small - base) * 1_024.0 / 1e3, (large - base) * 1_024.0 / 1e4],
        })
    }
}

/// What a side of the quality part prints.
fn studies(command: &[OsString]) -> anyhow::Result<Vec<Found>> {
    let (program, arguments) = command.split_first().context("no command")?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{} does not start", Path::new(program).display()))?;
    let error = String::from_utf8_lossy(&output.stderr);
    let last = error.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no message");
    ensure!(output.status.success(), "{last}");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).context("its last line is no list of studies")
}

/// The samplers of Optuna that one of ours is set beside.
fn peers_of(sampler: &str) -> &'static [&'static str] {
    match sampler {
        "tpe" => &["tpe", "tpe-univariate"],
        "cma-es" => &["cma-es"],
        _ => &[],
    }
}

fn beside(ours: &[Found], theirs: &[Found]) -> Vec<Beside> {
    let mut all = Vec::new();
    for found in ours {
        for peer in peers_of(&found.sampler) {
            let is_it = |other: &&Found| other.problem == found.problem && other.sampler == *peer;
            let Some(other) = theirs.iter().find(is_it) else { continue };
            let by_trials = [
                (100, &found.regrets_at_100, &other.regrets_at_100),
                (200, &found.regrets_at_200, &other.regrets_at_200),
            ];
            for (trials, ours, theirs) in by_trials {
                all.push(Beside {
                    problem: found.problem.clone(),
                    sampler: found.sampler.clone(),
                    peer: (*peer).to_owned(),
                    trials,
                    ours: quartiles(ours),
                    theirs: quartiles(theirs),
                    p_value: rank_sum_p_value(ours, theirs),
                });
            }
        }
    }
    all
}

/// The median between the two quartiles, on the straight line between neighbours.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among few numbers"
)]
fn quartiles(numbers: &[f64]) -> [f64; 3] {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    [0.25, 0.5, 0.75].map(|share| {
        let place = share * (sorted.len().max(1) - 1) as f64;
        let at = |place: f64| sorted.get(place as usize).copied().unwrap_or(f64::NAN);
        let (low, high) = (at(place.floor()), at(place.ceil()));
        low + (high - low) * place.fract()
    })
}

/// The probability, by chance alone, of ranks as different; by the normal approximation.
///
/// Source: Mann and Whitney (1947), "On a Test of Whether one of Two Random Variables is
/// Stochastically Larger than the Other", ties counted half.
#[expect(clippy::cast_precision_loss, reason = "few numbers")]
fn rank_sum_p_value(a: &[f64], b: &[f64]) -> f64 {
    let mut u = 0.0;
    for x in a {
        for y in b {
            u += match x.total_cmp(y) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    let (n, m) = (a.len() as f64, b.len() as f64);
    let deviation = (n * m * (n + m + 1.0) / 12.0).sqrt();
    // With so many degrees of freedom Student's distribution is the normal one.
    student_t_p_value(((u - n * m / 2.0) / deviation).abs(), 1e7)
}

impl Report {
    fn text(&self) -> String {
        let mut text = String::from("regret: median [quartiles], ours beside Optuna's\n");
        let mut written = Ok(());
        for one in &self.quality {
            let [low, middle, high] = one.ours;
            let [their_low, their_middle, their_high] = one.theirs;
            let verdict = match (middle <= their_middle, one.p_value < 0.05) {
                (true, _) => "not worse",
                (false, false) => "worse by what chance explains",
                (false, true) => "WORSE",
            };
            written = written.and(writeln!(
                text,
                "{:20} {:3} {:7} {middle:9.4} [{low:.4} {high:.4}]  {:15}{their_middle:9.4} \
                 [{their_low:.4} {their_high:.4}]  p {:.2}: {verdict}",
                one.problem, one.trials, one.sampler, one.peer, one.p_value
            ));
        }
        let met = |is_met: bool| if is_met { "met" } else { "MISSED" };
        written = written.and(writeln!(text, "\n{}", self.speed.table()));
        if let Some(ratio) = self.speed.ratios.first() {
            let goal = self.goal_times_faster;
            let verdict = met(ratio.times_faster >= goal);
            written = written.and(writeln!(text, "goal {goal} times: {verdict}"));
        }
        let Flatness { trial_us, trial_kib } = &self.flatness;
        for (what, [small, large]) in [("microseconds", trial_us), ("KiB", trial_kib)] {
            let (times, goal) = (large / small, self.goal_times_flat);
            written = written.and(writeln!(
                text,
                "a trial among 1,000 takes {small:.1} {what}, among 10,000 {large:.1}: \
                 {times:.2} times, goal at most {goal}: {}",
                met(times <= goal)
            ));
        }
        written = written.and(writeln!(text, "\n{}", self.pruning.text()));
        for reason in &self.not_measured {
            written = written.and(writeln!(text, "not measured: {reason}"));
        }
        written.expect("text can be written to a string");
        text
    }
}

#[derive(Args, Debug)]
pub(crate) struct TuneSideArgs {
    #[arg(value_enum)]
    task: Task,
    /// Seeds, or trials.
    count: u64,
}

impl TuneSideArgs {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.task {
            Task::Quality => ours::print_quality(self.count),
            Task::Speed => print_measured(&ours::speed(self.count)?),
        }
    }
}
