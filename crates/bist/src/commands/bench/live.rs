//! Many who listen to the live stream at once: whether each hears everything once, and how soon.
//!
//! The server is this process, and the clients are another one, so that memory by client is that of the
//! server. Both go by the same clock.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bist_access::{KeyRequest, Role, Scope, Secret};
use bist_app::App;
use bist_app::access::Visit;
use bist_app::live::{Change, PriceNow, Topic};
use bist_app::rate_limits::{Quotas, RateLimits};
use bist_market::validate::ValidationPolicy;
use bist_market::{Origin, Price, Symbol};
use bist_server::{ConnectionLimits, LiveLimits, ServerSettings};
use clap::Args;
use futures_util::{SinkExt as _, StreamExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::commands::SystemClock;
use crate::process::raise_open_files;
use crate::terminal::Terminal;

/// A password that is hard to guess.
const PASSWORD: &str = "kirmizi bisiklet yagmur 7";

/// Clients that connect at the same time.
const CONNECTING_MAX: usize = 64;

/// Clients of one source address, which has 28,000 ports.
const CLIENTS_PER_ADDRESS: usize = 20_000;

/// What 99 of 100 deliveries are to stay below.
const GOAL_MS: f64 = 250.0;

/// How long the last event may take to reach everybody.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(30);

/// Files beside the connections.
const OTHER_FILES: u64 = 256;

#[derive(Args, Debug)]
pub(crate) struct LiveBenchArgs {
    /// Clients that listen
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    clients: usize,
    /// Clients besides that never read
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    stalled: usize,
    /// Events a second
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    rate: u32,
    /// Seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    seconds: u32,
}

#[derive(Args, Debug)]
pub(crate) struct LiveSideArgs;

/// What the clients are told.
#[derive(Debug, Serialize, Deserialize)]
struct Orders {
    address: SocketAddr,
    key: String,
    clients: usize,
    stalled: usize,
}

/// What the clients found.
#[derive(Debug, Serialize, Deserialize)]
struct Heard {
    /// Events that a client did not get, all clients together.
    lost_count: u64,
    /// Events that a client got again.
    doubled_count: u64,
    /// Clients whose stream ended before the last event.
    ended_count: u64,
    /// Events that were delivered.
    delivered_count: u64,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

/// The JSON document.
#[derive(Serialize)]
struct Report {
    clients: usize,
    stalled: usize,
    rate: u32,
    seconds: u32,
    #[serde(flatten)]
    heard: Heard,
    /// Memory of the server that a client takes, KiB; absent where the system does not tell.
    memory_per_client_kib: Option<f64>,
    /// Whether nobody lost or doubled anything, and 99 of 100 deliveries stayed below the goal.
    within_goal: bool,
}

impl LiveBenchArgs {
    pub(crate) async fn run(self, terminal: &Terminal) -> anyhow::Result<()> {
        let all = self.clients + self.stalled;
        raise_open_files(all as u64 + OTHER_FILES)?;
        let scratch = tempfile::tempdir().context("a scratch directory cannot be made")?;
        let policy = ValidationPolicy::default();
        let app = Arc::new(App::open(scratch.path(), Arc::new(SystemClock), policy).await?);
        let key = key(&app).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let settings = settings(&app, all)?;
        let served =
            bist_server::serve(Arc::clone(&app), settings, listener, std::future::pending());
        let served = tokio::spawn(served);

        let before_kib = resident_kib();
        let orders = Orders {
            address,
            key: key.expose().to_owned(),
            clients: self.clients,
            stalled: self.stalled,
        };
        let mut side = Side::start(&orders)?;
        side.wait_for("ready").await?;
        let taken_kib = resident_kib().zip(before_kib).map(|(after, before)| after - before);
        self.publish(&app).await?;
        side.say(&app.live().position().seq.to_string())?;
        let heard: Heard = serde_json::from_str(&side.line().await?)?;
        served.abort();
        let within_goal = heard.lost_count == 0
            && heard.doubled_count == 0
            && heard.ended_count == 0
            && heard.p99_ms < GOAL_MS;
        let report = Report {
            clients: self.clients,
            stalled: self.stalled,
            rate: self.rate,
            seconds: self.seconds,
            heard,
            memory_per_client_kib: taken_kib.map(|kib| kib / all.max(1) as f64),
            within_goal,
        };
        terminal.result(&report, || report.text())
    }

    /// Publishes a price so many times a second.
    async fn publish(&self, app: &App) -> anyhow::Result<()> {
        let symbol = Symbol::parse("THYAO").context("a well-formed symbol")?;
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / self.rate.max(1));
        for number in 0..u64::from(self.rate) * u64::from(self.seconds) {
            ticks.tick().await;
            let now = PriceNow {
                symbol,
                origin: Origin::Sample,
                as_of: None,
                last_close: Price::nearest(300.0 + (number % 100) as f64 / 100.0),
                previous_close: None,
                change_share: None,
                priced_at: None,
                is_stale: None,
                live_source: None,
                replay: None,
            };
            app.live().publish(app.now(), vec![(Topic::Price(symbol), Change::Price(now))]);
        }
        Ok(())
    }
}

/// An API key of an account of its own.
async fn key(app: &App) -> anyhow::Result<Secret> {
    let invited = app.invite("bench", Role::Viewer).await?;
    let (password, visit) = (Secret::new(PASSWORD), Visit::default());
    let signed_in = app.accept_invitation(invited.token.expose(), &password, &visit).await?;
    let request = KeyRequest {
        name: "bench".to_owned(),
        scopes: BTreeSet::from([Scope::Read]),
        networks: Vec::new(),
        days: 1,
        auto_rotate: false,
    };
    Ok(app.make_key(&signed_in.account, &request).await?.token)
}

/// Limits that let all clients in at once.
fn settings(app: &App, clients: usize) -> anyhow::Result<ServerSettings> {
    let many = "1000000/min".parse()?;
    let quotas =
        Quotas { ai: many, auth: many, trading: many, default: many, address_multiple: 10 };
    let connections = ConnectionLimits {
        connections_max: clients + 16,
        connections_per_address_max: clients + 16,
        ..ConnectionLimits::default()
    };
    let live = LiveLimits {
        streams_max: clients,
        streams_per_account_max: clients,
        ..LiveLimits::default()
    };
    let limits = Arc::new(RateLimits::new(quotas, app.clock()));
    Ok(ServerSettings { connections, live, ..ServerSettings::new(limits) })
}

/// Memory that this process holds at this moment, KiB.
fn resident_kib() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The process of the clients.
struct Side {
    child: Child,
    lines: Option<BufReader<std::process::ChildStdout>>,
}

impl Side {
    fn start(orders: &Orders) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program cannot be found")?;
        let mut child = Command::new(program)
            .args(["bench", "live-side"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the clients cannot be started")?;
        let lines = child.stdout.take().map(BufReader::new);
        let mut this = Self { child, lines };
        this.say(&serde_json::to_string(orders)?)?;
        Ok(this)
    }

    fn say(&mut self, line: &str) -> anyhow::Result<()> {
        let input = self.child.stdin.as_mut().context("the clients hear nothing")?;
        writeln!(input, "{line}")?;
        Ok(())
    }

    /// The next line of the clients.
    async fn line(&mut self) -> anyhow::Result<String> {
        let mut lines = self.lines.take().context("the clients say nothing")?;
        let read = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            lines.read_line(&mut line).map(|_| (line, lines))
        });
        let (line, lines) = read.await??;
        self.lines = Some(lines);
        if line.is_empty() {
            bail!("the clients ended before they were done");
        }
        Ok(line)
    }

    async fn wait_for(&mut self, word: &str) -> anyhow::Result<()> {
        let line = self.line().await?;
        if line.trim() == word { Ok(()) } else { bail!("the clients said {line}") }
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What all clients heard together.
#[derive(Debug)]
struct Tally {
    lost: AtomicU64,
    doubled: AtomicU64,
    ended: AtomicU64,
    /// Deliveries by how many milliseconds they took; the last takes all that are longer.
    by_ms: Vec<AtomicU64>,
}

impl Tally {
    fn new() -> Self {
        Self {
            lost: AtomicU64::new(0),
            doubled: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            by_ms: (0..=30_000).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    fn delivered(&self, took_ms: i64) {
        let index = usize::try_from(took_ms).unwrap_or(0).min(self.by_ms.len() - 1);
        self.by_ms[index].fetch_add(1, Ordering::Relaxed);
    }

    fn heard(&self) -> Heard {
        let counts: Vec<u64> = self.by_ms.iter().map(|n| n.load(Ordering::Relaxed)).collect();
        let all: u64 = counts.iter().sum();
        // The end of the millisecond within which so many of a hundred were delivered.
        let percentile = |percent: u64| {
            let mut left = (all * percent).div_ceil(100);
            let at = counts.iter().position(|count| {
                left = left.saturating_sub(*count);
                left == 0
            });
            at.map_or(0.0, |ms| ms as f64 + 1.0)
        };
        Heard {
            lost_count: self.lost.load(Ordering::Relaxed),
            doubled_count: self.doubled.load(Ordering::Relaxed),
            ended_count: self.ended.load(Ordering::Relaxed),
            delivered_count: all,
            p50_ms: percentile(50),
            p99_ms: percentile(99),
            max_ms: percentile(100),
        }
    }
}

/// What of an envelope is measured.
#[derive(Deserialize)]
struct Envelope {
    seq: u64,
    r#type: String,
    at: Timestamp,
}

impl LiveSideArgs {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let orders: Orders = serde_json::from_str(&read_line()?)?;
        raise_open_files((orders.clients + orders.stalled) as u64 + OTHER_FILES)?;
        let tally = Arc::new(Tally::new());
        // The number of the last event, once it is known.
        let (end, ended) = watch::channel(None);
        let mut clients = Vec::with_capacity(orders.clients);
        let mut stalled = Vec::with_capacity(orders.stalled);
        let numbers: Vec<usize> = (0..orders.clients + orders.stalled).collect();
        for some in numbers.chunks(CONNECTING_MAX) {
            let connecting = some.iter().map(|number| connect(&orders, *number));
            for connected in futures_util::future::join_all(connecting).await {
                let (socket, seq) = connected?;
                if clients.len() < orders.clients {
                    let listens = listen(socket, seq, Arc::clone(&tally), ended.clone());
                    clients.push(tokio::spawn(listens));
                } else {
                    stalled.push(socket);
                }
            }
        }
        print_line("ready")?;
        let last = tokio::task::spawn_blocking(read_line).await??;
        end.send_replace(Some(last.trim().parse::<u64>()?));
        let all = futures_util::future::join_all(clients);
        if tokio::time::timeout(DRAIN_TIME_MAX, all).await.is_err() {
            tally.ended.fetch_add(1, Ordering::Relaxed);
        }
        drop(stalled);
        print_line(&serde_json::to_string(&tally.heard())?)
    }
}

/// The next line that the server's side says.
fn read_line() -> std::io::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line)
}

fn print_line(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// A client that listens to prices, and the number from which on.
async fn connect(
    orders: &Orders,
    number: usize,
) -> anyhow::Result<(WebSocketStream<TcpStream>, u64)> {
    let socket = TcpSocket::new_v4()?;
    let source = u8::try_from(1 + number / CLIENTS_PER_ADDRESS)?;
    socket.bind(SocketAddr::from(([127, 0, 0, source], 0)))?;
    let stream = socket.connect(orders.address).await?;
    let mut request = format!("ws://{}/api/v1/live", orders.address).into_client_request()?;
    let key = HeaderValue::from_str(&format!("Bearer {}", orders.key))?;
    request.headers_mut().insert("authorization", key);
    let mut config = WebSocketConfig::default();
    config.read_buffer_size = 4096;
    let connected =
        tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
    let (mut socket, _) = connected.context("a client was not let in")?;
    socket.send(Message::text(r#"{"op":"subscribe","topics":["prices"]}"#)).await?;
    loop {
        let message = socket.next().await.context("a stream ended at once")??;
        let Message::Text(text) = message else { continue };
        let envelope: Envelope = serde_json::from_str(&text)?;
        if envelope.r#type == "snapshot" {
            return Ok((socket, envelope.seq));
        }
    }
}

/// Listens until the last event was heard.
async fn listen(
    mut socket: WebSocketStream<TcpStream>,
    mut seq: u64,
    tally: Arc<Tally>,
    mut end: watch::Receiver<Option<u64>>,
) {
    loop {
        let last = *end.borrow_and_update();
        if last.is_some_and(|last| seq >= last) {
            return;
        }
        let message = tokio::select! {
            message = socket.next() => message,
            _ = end.changed() => continue,
        };
        let Some(Ok(message)) = message else {
            tally.ended.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let Message::Text(text) = message else { continue };
        let Ok(envelope) = serde_json::from_str::<Envelope>(&text) else { continue };
        if envelope.r#type != "update" {
            continue;
        }
        let took = now().duration_since(envelope.at);
        tally.delivered(i64::try_from(took.as_millis()).unwrap_or(i64::MAX));
        if envelope.seq <= seq {
            tally.doubled.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        tally.lost.fetch_add(envelope.seq - seq - 1, Ordering::Relaxed);
        seq = envelope.seq;
    }
}

/// The clock by which the server marks what it tells.
fn now() -> Timestamp {
    bist_market::Clock::now(&SystemClock)
}

impl Report {
    fn text(&self) -> String {
        let Self { clients, stalled, rate, seconds, heard, .. } = self;
        let memory = self.memory_per_client_kib;
        let memory = memory.map_or("not told".to_owned(), |kib| format!("{kib:.1} KiB a client"));
        let within = if self.within_goal { "yes" } else { "no" };
        format!(
            "{clients} clients, {stalled} stalled ones, {rate} events a second, {seconds} s\n\
             delivered {}, lost {}, doubled {}, streams that ended {}\n\
             delivery: half within {:.0} ms, 99 of 100 within {:.0} ms, the longest {:.0} ms\n\
             memory of the server: {memory}\n\
             nothing lost or doubled, and 99 of 100 within {GOAL_MS:.0} ms: {within}\n",
            heard.delivered_count,
            heard.lost_count,
            heard.doubled_count,
            heard.ended_count,
            heard.p50_ms,
            heard.p99_ms,
            heard.max_ms
        )
    }
}
