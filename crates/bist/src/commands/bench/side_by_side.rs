//! Two or more programs measured in turns on one core, and what their figures are worth.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// What one process measured; both sides print it as a line of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Measured {
    /// Seconds of each run by the clock.
    pub(super) wall_s: Vec<f64>,
    /// Seconds of each run on the processor; empty where the system does not tell.
    pub(super) cpu_s: Vec<f64>,
    /// The most memory that the process held, MiB; zero where the system does not tell.
    pub(super) peak_mib: f64,
    /// Names and versions of what did the work.
    pub(super) versions: BTreeMap<String, String>,
    /// What the side found, so that it is seen to do its work.
    pub(super) found: String,
}

/// Prints what this process measured, as the other side of [`compare`] reads it.
pub(super) fn print_measured(measured: &Measured) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, measured)?;
    writeln!(out)?;
    Ok(())
}

/// Measures one run, by the clock and on the processor.
#[derive(Debug)]
pub(super) struct Stopwatch {
    began: Instant,
    cpu_began: Option<f64>,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        let cpu_began = cpu_s();
        Self { began: Instant::now(), cpu_began }
    }

    /// Seconds by the clock since the start.
    pub(super) fn wall_s(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Seconds by the clock and, where the system tells, on the processor.
    pub(super) fn stop(self) -> (f64, Option<f64>) {
        let wall = self.wall_s();
        (wall, self.cpu_began.zip(cpu_s()).map(|(began, ended)| ended - began))
    }
}

/// Seconds of each run.
#[derive(Debug, Default)]
pub(super) struct Times {
    pub(super) wall_s: Vec<f64>,
    pub(super) cpu_s: Vec<f64>,
}

impl Times {
    /// Times `work` once to warm up, and then `runs` times; returns its last answer too.
    pub(super) fn of<T>(
        runs: u16,
        mut work: impl FnMut() -> anyhow::Result<T>,
    ) -> anyhow::Result<(Self, T)> {
        let mut answer = work()?;
        let mut times = Self::default();
        for _ in 0..runs {
            let watch = Stopwatch::start();
            answer = std::hint::black_box(work()?);
            times.push(watch);
        }
        Ok((times, answer))
    }

    /// Puts down one run.
    pub(super) fn push(&mut self, watch: Stopwatch) {
        let (wall, cpu) = watch.stop();
        self.wall_s.push(wall);
        self.cpu_s.extend(cpu);
    }

    /// What this process measured.
    pub(super) fn measured(self, found: String) -> Measured {
        Measured {
            wall_s: self.wall_s,
            cpu_s: self.cpu_s,
            peak_mib: peak_mib().unwrap_or_default(),
            versions: BTreeMap::from([("bist".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]),
            found,
        }
    }
}

/// Seconds that all threads of this process have had on the processor.
fn cpu_s() -> Option<f64> {
    let nanoseconds_of = |thread: std::io::Result<fs::DirEntry>| -> Option<f64> {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    let nanoseconds = fs::read_dir("/proc/self/task").ok()?.map(nanoseconds_of);
    Some(nanoseconds.sum::<Option<f64>>()? / 1e9)
}

/// The most memory that this process has held, MiB.
pub(super) fn peak_mib() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// One program of a comparison.
#[derive(Debug)]
pub(super) struct Side {
    /// Its name in the table.
    pub(super) name: &'static str,
    /// The program and its arguments.
    pub(super) command: Vec<OsString>,
}

/// The figures of one side over all rounds.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    /// Its name in the table.
    pub(super) name: String,
    /// Median of all runs by the clock, milliseconds.
    pub(super) median_ms: f64,
    /// The shortest run, milliseconds: the one that the machine disturbed least.
    pub(super) least_ms: f64,
    /// Median of all runs on the processor, milliseconds.
    pub(super) cpu_median_ms: Option<f64>,
    /// The most memory in any round, MiB.
    pub(super) peak_mib: f64,
    /// Names and versions of what did the work.
    pub(super) versions: BTreeMap<String, String>,
    /// What the side found.
    pub(super) found: String,
}

/// The first side beside another.
#[derive(Debug, Serialize)]
pub(super) struct Ratio {
    /// The other side.
    pub(super) beside: String,
    /// Its median time over ours; above one means that ours took less.
    pub(super) times_faster: f64,
    /// The same of the shortest runs.
    pub(super) times_faster_at_best: f64,
    /// Our peak memory over its.
    pub(super) memory_share: f64,
}

/// A comparison: the first side is ours.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    /// What was done.
    pub(super) work: String,
    /// The core on which everything ran; `None` when processes could not be bound to one.
    pub(super) core: Option<usize>,
    /// How often the sides took turns.
    pub(super) rounds: usize,
    /// Each side.
    pub(super) sides: Vec<Figures>,
    /// Ours beside each other.
    pub(super) ratios: Vec<Ratio>,
    /// Sides that could not be measured, with the reason.
    pub(super) not_measured: Vec<String>,
}

/// Lets `sides` take turns, `rounds` times; the first must succeed, another that fails is left out
/// and told.
///
/// # Errors
///
/// When our own side fails.
pub(super) fn compare(
    work: String,
    sides: &[Side],
    rounds: usize,
    core: usize,
    mut told: impl FnMut(&str),
) -> anyhow::Result<Comparison> {
    let core = can_bind(core).then_some(core);
    let mut measured: Vec<Vec<Measured>> = sides.iter().map(|_| Vec::new()).collect();
    let mut not_measured = Vec::new();
    for round in 1..=rounds {
        for (index, side) in sides.iter().enumerate() {
            if round > 1 && measured[index].is_empty() {
                continue;
            }
            told(&format!("round {round} of {rounds}: {}", side.name));
            match run(side, core) {
                Ok(once) => measured[index].push(once),
                Err(error) if index == 0 => return Err(error),
                Err(error) => {
                    measured[index].clear();
                    not_measured.push(format!("{}: {error:#}", side.name));
                }
            }
        }
    }
    let sides: Vec<Figures> = sides
        .iter()
        .zip(&measured)
        .filter_map(|(side, rounds)| Figures::of(side.name, rounds))
        .collect();
    let (ours, others) = sides.split_first().context("our own side was not measured")?;
    let ratios = others.iter().map(|other| Ratio::of(ours, other)).collect();
    Ok(Comparison { work, core, rounds, sides, ratios, not_measured })
}

/// Whether a process can be bound to `core`.
fn can_bind(core: usize) -> bool {
    let probe = Command::new("taskset").args(["-c", &core.to_string(), "true"]).output();
    probe.is_ok_and(|output| output.status.success())
}

fn run(side: &Side, core: Option<usize>) -> anyhow::Result<Measured> {
    let mut words: Vec<&OsStr> = side.command.iter().map(AsRef::as_ref).collect();
    let core = core.map(|core| core.to_string());
    if let Some(core) = &core {
        words.splice(0..0, ["taskset", "-c", core].map(OsStr::new));
    }
    let output = Command::new(words[0])
        .args(&words[1..])
        .env("RAYON_NUM_THREADS", "1")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{} does not start", side.command[0].display()))?;
    let error = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last = error.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no message");
        bail!("{last}");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().unwrap_or_default();
    let measured: Measured = serde_json::from_str(line)
        .with_context(|| format!("its last line is no measurement: {line:?}"))?;
    ensure!(!measured.wall_s.is_empty(), "it ran no time");
    Ok(measured)
}

impl Figures {
    fn of(name: &str, rounds: &[Measured]) -> Option<Self> {
        let last = rounds.last()?;
        let wall: Vec<f64> = rounds.iter().flat_map(|round| round.wall_s.clone()).collect();
        let cpu: Vec<f64> = rounds.iter().flat_map(|round| round.cpu_s.clone()).collect();
        Some(Self {
            name: name.to_owned(),
            median_ms: 1e3 * median(&wall)?,
            least_ms: 1e3 * wall.iter().copied().reduce(f64::min)?,
            cpu_median_ms: median(&cpu).map(|seconds| 1e3 * seconds),
            peak_mib: rounds.iter().map(|round| round.peak_mib).fold(0.0, f64::max),
            versions: last.versions.clone(),
            found: last.found.clone(),
        })
    }
}

impl Ratio {
    fn of(ours: &Figures, other: &Figures) -> Self {
        Self {
            beside: other.name.clone(),
            times_faster: other.median_ms / ours.median_ms,
            times_faster_at_best: other.least_ms / ours.least_ms,
            memory_share: ours.peak_mib / other.peak_mib,
        }
    }
}

/// The middle of some numbers, or the mean of the two in the middle; `None` of none.
pub(super) fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let below = *sorted.get(sorted.len().checked_sub(1)? / 2)?;
    Some(f64::midpoint(below, *sorted.get(sorted.len() / 2)?))
}

/// Milliseconds with the digits that mean something.
fn digits(ms: f64) -> String {
    if ms < 1.0 { format!("{ms:.4}") } else { format!("{ms:.1}") }
}

impl Comparison {
    /// The table that a person reads.
    pub(super) fn table(&self) -> String {
        let core = match self.core {
            Some(core) => format!("on core {core} alone"),
            None => "not bound to one core (taskset is not there)".to_owned(),
        };
        let mut text = format!("{}\n{} rounds in turns, {core}\n\n", self.work, self.rounds);
        let header = ("", "median ms", "least ms", "cpu ms", "peak MiB");
        let mut line = |(name, median, least, cpu, peak): (&str, &str, &str, &str, &str)| {
            writeln!(text, "{name:16}{median:>11}{least:>10}{cpu:>9}{peak:>10}")
        };
        let mut written = line(header);
        for side in &self.sides {
            let [median, least] = [side.median_ms, side.least_ms].map(digits);
            let cpu = side.cpu_median_ms.map_or_else(|| "-".to_owned(), digits);
            let peak = format!("{:.1}", side.peak_mib);
            written = written.and(line((&side.name, &median, &least, &cpu, &peak)));
        }
        for ratio in &self.ratios {
            written = written.and(write!(
                text,
                "\nbeside {}: {:.2} times as fast ({:.2} at best), {:.2} of its memory",
                ratio.beside, ratio.times_faster, ratio.times_faster_at_best, ratio.memory_share
            ));
        }
        text.push('\n');
        for side in &self.sides {
            let versions: Vec<_> = side.versions.iter().map(|(n, v)| format!("{n} {v}")).collect();
            let versions = versions.join(", ");
            written =
                written.and(write!(text, "\n{}: {versions}; found {}", side.name, side.found));
        }
        for reason in &self.not_measured {
            written = written.and(write!(text, "\nnot measured: {reason}"));
        }
        written.expect("text can be written to a string");
        text
    }
}

/// How the sides of a comparison take turns.
#[derive(Args, Debug)]
pub(super) struct Turns {
    /// How often the sides take turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// The Python that has the peers; what it lacks is not measured
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: OsString,
    /// The core that everything runs on
    #[arg(long, default_value_t = 0)]
    core: usize,
}

/// This program and that of the peers, with a folder for what both read.
#[derive(Debug)]
pub(super) struct Bench {
    folder: TempDir,
    peers: PathBuf,
    this: PathBuf,
    turns: Turns,
}

impl Bench {
    /// With `peers` as the program of the peers, in Python.
    pub(super) fn new(turns: Turns, peers: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("no folder for the bench's files")?;
        let path = folder.path().join("peers.py");
        fs::write(&path, peers).with_context(|| format!("writing {}", path.display()))?;
        let this = std::env::current_exe().context("the path of this program is not known")?;
        Ok(Self { folder, peers: path, this, turns })
    }

    /// The folder for what both sides read.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Lets `bist bench SIDE` and each of `peers`, whose name is its last argument, do `work` with the
    /// same `arguments`.
    pub(super) fn compare(
        &self,
        work: String,
        (side, peers): (&str, &[&'static str]),
        arguments: &[OsString],
        told: impl FnMut(&str),
    ) -> anyhow::Result<Comparison> {
        let ours = [self.this.clone().into(), "bench".into(), side.into()];
        let ours = ours.into_iter().chain(arguments.iter().cloned()).collect();
        let theirs = peers.iter().map(|&name| {
            let program = [self.turns.python.clone(), self.peers.clone().into()];
            let command = program.into_iter().chain(arguments.iter().cloned());
            Side { name, command: command.chain([name.into()]).collect() }
        });
        let sides: Vec<Side> =
            [Side { name: "bist", command: ours }].into_iter().chain(theirs).collect();
        compare(work, &sides, usize::from(self.turns.rounds), self.turns.core, told)
    }
}

/// A comparison beside what we mean to reach.
#[derive(Debug, Serialize)]
pub(super) struct Judged<T> {
    pub(super) task: T,
    /// How many times as fast as each peer we mean to be.
    pub(super) goal_times_faster: Option<f64>,
    /// Whether the medians are; unknown without a goal, or when a peer was not measured.
    pub(super) goal_met: Option<bool>,
    #[serde(flatten)]
    pub(super) comparison: Comparison,
}

/// The JSON document.
#[derive(Debug, Serialize)]
pub(super) struct Report<T> {
    pub(super) items: Vec<Judged<T>>,
}

impl<T> Judged<T> {
    pub(super) fn of(task: T, goal_times_faster: Option<f64>, comparison: Comparison) -> Self {
        let is_known = comparison.not_measured.is_empty();
        let goal_met = goal_times_faster
            .filter(|_| is_known)
            .map(|goal| comparison.ratios.iter().all(|ratio| ratio.times_faster >= goal));
        Self { task, goal_times_faster, goal_met, comparison }
    }
}

impl<T> Report<T> {
    /// The tables that a person reads.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for item in &self.items {
            let goal = match (item.goal_times_faster, item.goal_met) {
                (Some(goal), Some(true)) => format!("goal {goal} times: met\n"),
                (Some(goal), Some(false)) => format!("goal {goal} times: MISSED\n"),
                _ => String::new(),
            };
            write!(text, "{}\n{goal}\n", item.comparison.table())
                .expect("text can be written to a string");
        }
        text
    }
}
