//! Bars over HTTP, with whoever asks known and counted, beside `FastAPI` with slowapi.
//!
//! Each server has a core for itself, and wrk, which asks, another one; they take turns.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use bist_access::{KeyRequest, Role, Scope, Secret};
use bist_app::App;
use bist_app::access::Visit;
use bist_app::bars::BarsQuery;
use bist_market::Symbol;
use bist_market::sample::SampleSpec;
use bist_market::validate::ValidationPolicy;
use clap::Args;
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use super::side_by_side::median;
use crate::commands::SystemClock;
use crate::terminal::Terminal;

/// The peer's side.
const PEER: &str = include_str!("http/peer.py");

/// What wrk prints of a run.
const WRK_REPORT: &str = r#"
done = function(summary, latency, requests)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.status + summary.errors.timeout
  io.write(string.format('{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"errors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors))
end
"#;

/// A password that is hard to guess.
const PASSWORD: &str = "kirmizi bisiklet yagmur 7";

/// The last day of the market that is asked for.
const UNTIL: Date = date(2026, 11, 20);

/// Bars that are asked for at once, and how many times as fast as the peer we mean to be.
const GOALS: [(u32, f64); 2] = [(1, 12.0), (30, 20.0)];

/// The most memory that a server that has just started may hold, MiB.
const IDLE_GOAL_MIB: f64 = 120.0;

/// How long a server may take to answer for the first time.
const START_TIME_MAX: Duration = Duration::from_secs(30);

#[derive(Args, Debug)]
pub(crate) struct HttpBenchArgs {
    /// The Python that has `FastAPI`, slowapi and uvicorn with uvloop
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: OsString,
    /// How often the servers take turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// Seconds of each run
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=600))]
    seconds: u16,
    /// Connections that ask at the same time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    connections: u16,
    /// The core of the server
    #[arg(long, default_value_t = 0)]
    core: usize,
    /// The core of wrk, which asks
    #[arg(long, default_value_t = 1)]
    wrk_core: usize,
}

/// What wrk found in one run.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Run {
    pub(super) requests: u64,
    duration_us: u64,
    p50_us: u64,
    p99_us: u64,
    pub(super) errors: u64,
}

/// One server over all rounds, medians.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) requests_per_s: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

/// Both servers asked for the same bars.
#[derive(Debug, Serialize)]
struct Item {
    bars: u32,
    bist: Figures,
    peer: Figures,
    /// How many times as many requests ours answers.
    times_faster: f64,
    goal_times_faster: f64,
    /// Whether it is that fast, and 99 of 100 answers come sooner than the peer's.
    goal_met: bool,
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Report {
    rounds: u16,
    connections: u16,
    items: Vec<Item>,
    /// Memory of our server after its start and before the first request, MiB; absent where the system
    /// does not tell.
    idle_mib: Option<f64>,
    idle_goal_mib: f64,
    versions: BTreeMap<String, String>,
}

impl HttpBenchArgs {
    pub(crate) async fn run(self, terminal: &Terminal) -> anyhow::Result<()> {
        let folder = tempfile::tempdir().context("no folder for the bench's files")?;
        let folder = folder.path();
        let asked = Asked::prepare(folder, terminal).await?;
        fs::write(folder.join("peer.py"), PEER).context("writing the peer's program")?;
        let wrk = Wrk::prepare(folder, self.wrk_core, self.connections)?;
        let mut runs: BTreeMap<(u32, bool), Vec<Run>> = BTreeMap::new();
        let (mut idle_mib, mut versions) = (None, BTreeMap::new());
        for round in 1..=self.rounds {
            for is_ours in [true, false] {
                let name = if is_ours { "bist" } else { "FastAPI" };
                terminal.say(&format!("round {round} of {}: {name}", self.rounds));
                let mut server = if is_ours { self.ours(folder)? } else { self.peer(folder)? };
                server.wait_until_it_answers(folder)?;
                if is_ours {
                    idle_mib = server.resident_mib();
                } else {
                    versions = server.versions(folder)?;
                }
                for (bars, _) in GOALS {
                    let url = asked.url(server.address, bars, is_ours);
                    wrk.ask(&url, &asked.key, 1)?;
                    let run = wrk.ask(&url, &asked.key, self.seconds)?;
                    ensure!(run.errors == 0, "{} of {name}'s answers were errors", run.errors);
                    runs.entry((bars, is_ours)).or_default().push(run);
                }
            }
        }
        versions.insert("bist".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        let items = GOALS.map(|(bars, goal)| {
            let figures = |is_ours| Figures::of(&runs[&(bars, is_ours)]);
            Item::of(bars, goal, figures(true), figures(false))
        });
        let report = Report {
            rounds: self.rounds,
            connections: self.connections,
            items: items.into(),
            idle_mib,
            idle_goal_mib: IDLE_GOAL_MIB,
            versions,
        };
        terminal.result(&report, || report.text())
    }

    /// `bist serve` as anybody starts it, with limits that let wrk through.
    fn ours(&self, folder: &Path) -> anyhow::Result<Server> {
        Server::ours(self.core, folder, "", &["--quiet"])
    }

    fn peer(&self, folder: &Path) -> anyhow::Result<Server> {
        let mut command = bound(self.core, self.python.clone());
        command.arg(folder.join("peer.py")).arg(folder.join("bars.csv"));
        command.arg(folder.join("peer.db"));
        Server::start(command, folder, |command, port| {
            command.arg(port.to_string());
        })
    }
}

/// What asks: wrk, on a core of its own.
pub(super) struct Wrk<'a> {
    folder: &'a Path,
    core: usize,
    connections: u16,
}

impl<'a> Wrk<'a> {
    pub(super) fn prepare(folder: &'a Path, core: usize, connections: u16) -> anyhow::Result<Self> {
        fs::write(folder.join("report.lua"), WRK_REPORT).context("writing wrk's report")?;
        Ok(Self { folder, core, connections })
    }

    /// Lets wrk ask for `seconds`.
    pub(super) fn ask(&self, url: &str, key: &Secret, seconds: u16) -> anyhow::Result<Run> {
        let output = bound(self.core, "wrk")
            .args(["-t1", &format!("-c{}", self.connections), &format!("-d{seconds}s")])
            .args(["--header", &format!("Authorization: Bearer {}", key.expose()), "--script"])
            .arg(self.folder.join("report.lua"))
            .arg(url)
            .output()
            .context("taskset does not start")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("wrk did not run ({}); install the Debian package wrk", said.trim());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().last().unwrap_or_default();
        serde_json::from_str(line).with_context(|| format!("wrk's last line is {line:?}"))
    }
}

/// A program on one core.
fn bound(core: usize, program: impl Into<OsString>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program.into());
    command
}

/// Whose bars are asked for, and by which key.
pub(super) struct Asked {
    symbol: Symbol,
    pub(super) key: Secret,
}

impl Asked {
    /// A sample market in a data directory, and its bars in a file.
    pub(super) async fn prepare(folder: &Path, terminal: &Terminal) -> anyhow::Result<Self> {
        let (data, policy) = (folder.join("data"), ValidationPolicy::default());
        fs::create_dir(&data).context("no data directory")?;
        let app = App::open(&data, Arc::new(SystemClock), policy).await?;
        let spec = SampleSpec { symbols_count: 30, years: 6, seed: 7, until: UNTIL };
        app.make_sample(spec, terminal.progress()).await?;
        app.validate(None, terminal.progress()).await?;
        let invited = app.invite("bench", Role::Viewer).await?;
        let (password, visit) = (Secret::new(PASSWORD), Visit::default());
        let signed_in = app.accept_invitation(invited.token.expose(), &password, &visit).await?;
        let request = KeyRequest {
            name: "bench".to_owned(),
            scopes: [Scope::Read].into(),
            networks: Vec::new(),
            days: 1,
            auto_rotate: false,
        };
        let key = app.make_key(&signed_in.account, &request).await?.token;

        let mut csv = "symbol,day,open,high,low,close,volume\n".to_owned();
        let all = BarsQuery { from: None, to: None, limit: u32::MAX, adjustment: None };
        let views = app.symbols().await?;
        for view in &views {
            let page = app.bars(view.instrument.symbol, all).await?.context("a symbol has bars")?;
            for bar in page.bars {
                let open = bar.open.map_or_else(String::new, |price| price.to_string());
                let volume = bar.volume.map_or_else(String::new, |shares| shares.0.to_string());
                let (high, low, close) = (bar.high, bar.low, bar.close);
                writeln!(
                    csv,
                    "{},{},{open},{high},{low},{close},{volume}",
                    view.instrument.symbol, bar.day
                )?;
            }
        }
        fs::write(folder.join("bars.csv"), csv).context("writing bars.csv")?;
        app.close().await;
        let symbol = views.first().context("the sample market has symbols")?.instrument.symbol;
        Ok(Self { symbol, key })
    }

    pub(super) fn url(&self, address: SocketAddr, bars: u32, is_ours: bool) -> String {
        let path = if is_ours { "/api/v1/bars" } else { "/bars" };
        format!("http://{address}{path}?symbol={}&limit={bars}", self.symbol)
    }
}

/// A server that runs until this is dropped.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// `bist serve` with `settings` and `flags`, and limits that let wrk through.
    pub(super) fn ours(
        core: usize,
        folder: &Path,
        settings: &str,
        flags: &[&str],
    ) -> anyhow::Result<Self> {
        let config = format!("{settings}[limits]\ndefault = \"1000000/s\"\n");
        fs::write(folder.join("bist.toml"), config).context("writing bist.toml")?;
        let this = std::env::current_exe().context("the path of this program is not known")?;
        let mut command = bound(core, this);
        command.arg("serve").arg("--config").arg(folder.join("bist.toml"));
        command.arg("--data-dir").arg(folder.join("data")).args(flags).arg("--bind");
        Self::start(command, folder, |command, port| {
            command.arg(format!("127.0.0.1:{port}"));
        })
    }

    /// Starts `command` on a free port, which `with_port` adds to it.
    fn start(
        mut command: Command,
        folder: &Path,
        with_port: impl Fn(&mut Command, u16),
    ) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        with_port(&mut command, address.port());
        let said = |name| fs::File::create(folder.join(name)).context("no file for what is said");
        let command = command.stdin(Stdio::null()).stdout(said("out")?).stderr(said("error")?);
        let child = command.spawn().context("taskset does not start")?;
        Ok(Self { child, address })
    }

    pub(super) fn wait_until_it_answers(&mut self, folder: &Path) -> anyhow::Result<()> {
        let began = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let is_over = self.child.try_wait()?.is_some() || began.elapsed() > START_TIME_MAX;
            if is_over {
                let said = fs::read_to_string(folder.join("error")).unwrap_or_default();
                bail!("a server did not start: {}", said.trim());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Memory that it holds at this moment, MiB.
    fn resident_mib(&self) -> Option<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib / 1024.0)
    }

    /// Time of processors that it has used, seconds, in steps of a hundredth.
    pub(super) fn processor_s(&self) -> anyhow::Result<f64> {
        let path = format!("/proc/{}/stat", self.child.id());
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        // Its name, which may hold anything, ends with the last bracket; see proc(5).
        let (_, fields) = text.rsplit_once(')').context("no name in it")?;
        let of_user_and_kernel = fields.split_ascii_whitespace().skip(11).take(2);
        let ticks = of_user_and_kernel.map(str::parse::<f64>).sum::<Result<f64, _>>()?;
        Ok(ticks / 100.0)
    }

    /// The versions that the peer has said.
    fn versions(&self, folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
        let said = fs::read_to_string(folder.join("out")).context("the peer said nothing")?;
        serde_json::from_str(&said).context("the peer did not say its versions")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that has ended by itself cannot be ended.
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

impl Run {
    /// Requests a second.
    pub(super) fn per_s(&self) -> f64 {
        self.requests as f64 / (self.duration_us as f64 / 1e6)
    }
}

impl Figures {
    pub(super) fn of(runs: &[Run]) -> Self {
        let middle = |of: fn(&Run) -> f64| {
            median(&runs.iter().map(of).collect::<Vec<_>>()).unwrap_or_default()
        };
        Self {
            requests_per_s: middle(Run::per_s),
            p50_ms: middle(|run| run.p50_us as f64 / 1e3),
            p99_ms: middle(|run| run.p99_us as f64 / 1e3),
        }
    }

    /// The line of a table that `head` begins.
    pub(super) fn line(&self, name: &str, bars: u32) -> String {
        let plural = if bars == 1 { "bar" } else { "bars" };
        let Self { requests_per_s, p50_ms, p99_ms } = self;
        let asked = format!("{name}, {bars} {plural}");
        format!("{asked:<18}{requests_per_s:>12.0}{p50_ms:>10.2}{p99_ms:>10.2}\n")
    }
}

/// How it was measured, and the head of the table of what came of it.
pub(super) fn head(connections: u16, rounds: u16) -> String {
    format!(
        "{connections} connections, {rounds} rounds in turns, each server on one core\n\n\
         {:<18}{:>12}{:>10}{:>10}\n",
        "", "requests/s", "p50 ms", "p99 ms"
    )
}

impl Item {
    fn of(bars: u32, goal_times_faster: f64, bist: Figures, peer: Figures) -> Self {
        let times_faster = bist.requests_per_s / peer.requests_per_s;
        let goal_met = times_faster >= goal_times_faster && bist.p99_ms < peer.p99_ms;
        Self { bars, bist, peer, times_faster, goal_times_faster, goal_met }
    }
}

impl Report {
    fn text(&self) -> String {
        let mut text = head(self.connections, self.rounds);
        for item in &self.items {
            for (name, figures) in [("bist", &item.bist), ("FastAPI", &item.peer)] {
                text += &figures.line(name, item.bars);
            }
            let met = if item.goal_met { "met" } else { "not met" };
            text += &format!(
                "{:.1} times as many; goal {:.0} with a lower p99: {met}\n\n",
                item.times_faster, item.goal_times_faster
            );
        }
        if let Some(mib) = self.idle_mib {
            text += &format!("memory after the start: {mib:.0} MiB (goal {IDLE_GOAL_MIB:.0})\n");
        }
        let versions: Vec<_> =
            self.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        text + &versions.join(", ")
    }
}
