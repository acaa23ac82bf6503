//! One installation behind nginx whose parts are taken away one after the other, while people write,
//! listen and watch: what was acknowledged is there once, jobs are done once, nobody who listens has to
//! begin anew or misses anything, and each process tells how it is.

mod listeners;
mod readiness;
mod writes;

use std::cell::RefCell;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use bist_testkit::http_server::{HttpServer, Reply, Script};
use bist_testkit::postgres_server::PostgresServer;
use bist_testkit::redis_server::RedisServer;
use bist_testkit::tcp_proxy::{Passing, TcpProxy};
use jiff::civil::date;
use serde_json::{Value, json};

use self::listeners::{Listener, assert_alike, standing};
use self::readiness::{Report, Watched};
use self::writes::Writer;
use crate::cli::text;
use crate::http::{Page, ask};
use crate::installation::{Installation, Process, wait_for};
use crate::retraining::{ingest_by, walks};

/// Who runs: their roles, in the order in which they are started.
const ROLES: [&str; 5] = ["api", "api", "worker", "worker", "scheduler"];
const API: usize = 0;
const WORKERS: [usize; 2] = [2, 3];

/// How long something may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A password that nobody guesses.
const PASSWORD: &str = "kirmizi-bisiklet-8QdTz3vKx0";

/// Everything that stands on this machine for the run.
struct Run {
    place: Installation,
    processes: Vec<Process>,
    watched: Vec<Watched>,
    writers: Vec<Writer>,
    tell: Sender<(usize, String)>,
    heard: Receiver<(usize, String)>,
    nginx: Nginx,
    /// Since when everything is there.
    whole_since: Instant,
}

/// nginx before the servers, which ends with this value.
struct Nginx {
    child: Child,
    address: String,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().ok();
        self.child.wait().ok();
    }
}

impl Nginx {
    fn start(folder: &Path, servers: &[&str]) -> Self {
        std::fs::create_dir(folder).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/nginx.sh");
        let mut command = Command::new(script);
        command.args([text(folder), &port.to_string()]).args(servers);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let nginx = Self { child, address: format!("127.0.0.1:{port}") };
        let is_up = || ask(&nginx.address, "GET", "/health/live", &[], &Value::Null).is_ok();
        wait_until("nginx is up", is_up);
        nginx
    }
}

/// Waits until `holds`.
#[track_caller]
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "it does not come about that {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

impl Run {
    fn start(place: Installation) -> Self {
        let (tell, heard) = mpsc::channel();
        let start = |(index, role): (usize, &&str)| place.start(role, "127.0.0.1:0", index, &tell);
        let processes: Vec<Process> = ROLES.iter().enumerate().map(start).collect();
        let watch = |(index, process): (usize, &Process)| {
            Watched::start(format!("{} {index}", ROLES[index]), process.address().to_owned())
        };
        let watched = processes.iter().enumerate().map(watch).collect();
        let servers = [processes[API].address(), processes[API + 1].address()];
        let nginx = Nginx::start(&place.folder.path().join("nginx"), &servers);
        let mut run = Self {
            place,
            processes,
            watched,
            writers: Vec::new(),
            tell,
            heard,
            nginx,
            whole_since: Instant::now(),
        };
        run.wait_until_whole();
        run
    }

    /// Somebody new, with a page open.
    fn person(&self, name: &str) -> Page {
        let made = self.place.json(&["users", "create", name, "--role", "viewer"]);
        let token = made["link"].as_str().unwrap().split('#').nth(1).unwrap().to_owned();
        let document = json!({"token": token, "password": PASSWORD});
        let address = &self.nginx.address;
        let path = "/api/v1/auth/invitation";
        let answer = Page::default().ask(address, "POST", path, &document).unwrap();
        Page::after(address, &answer)
    }

    /// Waits until all processes say `word`, and what else `holds` of their reports, after `since`.
    #[track_caller]
    fn wait_for_all(&self, since: Instant, word: &str, holds: impl Fn(&Report) -> bool) {
        for watched in &self.watched {
            let says = || {
                let newest = watched.newest().filter(|report| report.asked_at >= since);
                newest.is_some_and(|report| report.word() == word && holds(&report))
            };
            wait_until(&format!("{} is {word}: {:?}", watched.name, watched.newest()), says);
        }
    }

    #[track_caller]
    fn wait_until_whole(&mut self) {
        self.wait_for_all(Instant::now(), "ok", |_| true);
        self.whole_since = Instant::now();
    }

    /// Waits until every writer has got something acknowledged that it began to write after this.
    #[track_caller]
    fn wait_for_writes(&self) {
        for writer in &self.writers {
            // One was under way.
            let enough = writer.acknowledged_count() + 2;
            wait_until("writes go on", || writer.acknowledged_count() >= enough);
        }
    }

    /// Takes something away, until every process says `word` and what else `holds`, and gives it back.
    /// Before, during and after that each says how it is.
    #[track_caller]
    #[expect(clippy::print_stderr, reason = "whoever watches a fault run sees how long each took")]
    fn without(
        &mut self,
        what: &str,
        take: impl FnOnce(),
        (word, holds): (&str, impl Fn(&Report) -> bool),
        meanwhile: impl FnOnce(&Self),
        give_back: impl FnOnce(),
    ) {
        self.assert_whole();
        take();
        let taken_at = Instant::now();
        self.wait_for_all(taken_at, word, &holds);
        let noticed_at = Instant::now();
        meanwhile(self);
        for watched in &self.watched {
            for report in watched.between(noticed_at, Instant::now()) {
                assert!(report.word() == word && holds(&report), "{}: {report:?}", watched.name);
            }
        }
        let given_back_at = Instant::now();
        give_back();
        self.wait_until_whole();
        self.wait_for_writes();
        eprintln!(
            "without {what}: noticed after {:?}, whole again {:?} later",
            noticed_at - taken_at,
            self.whole_since - given_back_at
        );
    }

    /// Since everything is there, each has said so.
    #[track_caller]
    fn assert_whole(&self) {
        for watched in &self.watched {
            for report in watched.between(self.whole_since, Instant::now()) {
                assert_eq!(report.word(), "ok", "{}: {report:?}", watched.name);
            }
        }
    }

    /// Kills a process in the middle of whatever it does, and starts it again at its place.
    fn kill(&mut self, index: usize) {
        let address = self.processes[index].address().to_owned();
        let child = &mut self.processes[index].child;
        child.kill().unwrap();
        child.wait().unwrap();
        self.processes[index] = self.place.start(ROLES[index], &address, index, &self.tell);
    }

    fn versions_count(&self) -> usize {
        self.place.json(&["models", "list"])["items"].as_array().unwrap().len()
    }

    fn job(&self, id: i64) -> Value {
        self.place.json(&["jobs", "show", &id.to_string()])
    }
}

#[test]
fn what_is_acknowledged_done_and_told_survives_the_loss_of_every_part() {
    let nginx = ["/usr/sbin/nginx", "/usr/bin/nginx"].iter().any(|path| Path::new(path).exists());
    if !nginx {
        eprintln!("skipped: there is no nginx on this machine");
        return;
    }
    let Some(postgres) = PostgresServer::start("", &[]) else { return };
    let Some(redis) = RedisServer::start() else { return };
    let source = HttpServer::start(Script::new().on("/", Reply::json("{}").stall_after(0)));
    let to_postgres = TcpProxy::start(postgres.port());
    let to_redis = TcpProxy::start(redis.port());
    let redis = RefCell::new(redis);
    let place = Installation::new(&format!(
        "database_url = '{}'\nredis_url = 'redis://127.0.0.1:{}/0'\n\
         [server]\ntrusted_proxies = ['127.0.0.1']\n\
         [limits]\nauth = '1000/min'\ndefault = '1000000/min'\n\
         [live]\nlook_ms = 200\nheartbeat_s = 1\n[jobs]\nlease_s = 3\n\
         [retraining]\nenabled = false\n",
        postgres.url_by(to_postgres.port()),
        to_redis.port(),
    ));
    let series = walks();
    ingest_by(|args| place.json(args), &series, date(2026, 9, 25));
    place.json(&["train", "--horizon", "5"]);
    ingest_by(|args| place.json(args), &series, date(2026, 10, 23));

    let mut run = Run::start(place);
    let people = ["ayse", "berk"].map(|name| run.person(name));
    let writers = ["a", "b"].into_iter().zip(&people);
    let proxy = run.nginx.address.clone();
    run.writers = writers.map(|(name, page)| Writer::start(&proxy, name, page.clone())).collect();
    let listeners: Vec<(Listener, &Page)> = [0, 0, 1, 1]
        .map(|person: usize| (Listener::start(&proxy, &people[person]), &people[person]))
        .into();
    run.wait_for_writes();

    // A worker in the middle of a training, and a server in the middle of writes.
    let retraining = run.place.ask()["id"].as_i64().unwrap();
    let working = wait_for(&run.heard, "retraining: train 5 begins");
    assert!(WORKERS.contains(&working), "{working}");
    run.kill(working);
    run.kill(API);
    assert_ne!(wait_for(&run.heard, "retraining is done"), API);
    run.wait_until_whole();
    run.wait_for_writes();
    let done = run.job(retraining);
    assert_eq!((&done["state"], &done["attempts_count"]), (&json!("done"), &json!(2)), "{done}");
    assert_eq!(run.versions_count(), 2, "trained once");

    let failed = ("failed", |report: &Report| report.told.as_ref().unwrap().0 == 503);
    run.without("PostgreSQL", || postgres.stop(), failed, |_| {}, || postgres.start_again());
    run.without(
        "a PostgreSQL that answers",
        || postgres.pause(),
        failed,
        |_| {},
        || postgres.go_on(),
    );
    let (hold, open) =
        (|to: &TcpProxy| to.pass(Passing::Held), |to: &TcpProxy| to.pass(Passing::Open));
    run.without(
        "a way to PostgreSQL",
        || hold(&to_postgres),
        failed,
        |_| {},
        || open(&to_postgres),
    );
    to_postgres.cut();
    run.wait_until_whole();
    run.wait_for_writes();
    to_postgres.pass(Passing::Late(Duration::from_millis(20)));
    run.wait_for_writes();
    open(&to_postgres);

    // Without Redis everything goes on.
    let degraded = ("degraded", |report: &Report| report.says_of("redis", "degraded"));
    run.wait_until_whole();
    let (kill, revive) = (|| redis.borrow_mut().kill(), || redis.borrow_mut().start_again());
    run.without("Redis", kill, degraded, Run::wait_for_writes, revive);
    run.without(
        "a way to Redis",
        || hold(&to_redis),
        degraded,
        Run::wait_for_writes,
        || open(&to_redis),
    );
    to_redis.cut();
    run.wait_until_whole();
    run.wait_for_writes();

    // A source takes the question and says nothing; meanwhile other jobs are done.
    run.place.configure_more(&format!(
        "[nightly]\nsources = ['yahoo']\nuniverse = 'stored'\n\
         [sources.yahoo]\nbase_urls = {{ chart = '{}' }}\nrequests_per_minute = 600\n\
         attempts_max = 1\nanswer_timeout_s = 3\nbreaker_failures_max = 1\n",
        source.url("").trim_end_matches('/'),
    ));
    WORKERS.into_iter().for_each(|worker| run.kill(worker));
    run.wait_until_whole();
    let ask_for = |job: &str| {
        run.place.json(&["jobs", "ask", job, "--reason", "a try", "--by", "ayşe"])["id"]
            .as_i64()
            .unwrap()
    };
    let nightly = ask_for("nightly-ingest");
    wait_until("the source is asked", || !source.requests().is_empty());
    let care = ask_for("key-care");
    wait_until("the other job is done", || run.job(care)["state"] == "done");
    let is_left_alone = |watched: &Watched| {
        watched.newest().is_some_and(|report| {
            report.word() == "degraded" && report.says_of("yahoo", "degraded")
        })
    };
    wait_until("a worker leaves the source alone", || run.watched.iter().any(is_left_alone));
    wait_until("the run has ended", || {
        !["waiting", "running"].contains(&run.job(nightly)["state"].as_str().unwrap())
    });
    run.wait_for_writes();

    let mut acknowledged_count = 0;
    for writer in run.writers.drain(..) {
        let tally = writer.finish();
        assert!(tally.looks_count > 1, "{tally:?}");
        acknowledged_count += tally.acknowledged_count;
        eprintln!("{tally:?}");
    }
    // Whoever listened all the time sees what somebody sees who comes now.
    for (listener, page) in &listeners {
        let is_same = || standing(&proxy, page).is_some_and(|now| now == listener.heard().items);
        wait_until("what was heard is how it stands", is_same);
    }
    let heard: Vec<_> = listeners.into_iter().map(|(listener, _)| listener.finish()).collect();
    for pair in heard.chunks(2) {
        assert_alike(&pair[0], &pair[1]);
    }
    for heard in &heard {
        let (first, later) = heard.reasons.split_first().unwrap();
        assert_eq!(first, "subscribed");
        assert!(later.iter().all(|reason| reason == "other_epoch"), "{:?}", heard.reasons);
        let events_count: usize = heard.stretches.iter().map(|of| of.events.len()).sum();
        eprintln!(
            "{events_count} events in {} stretches, lost {} times and resumed {} times",
            heard.stretches.len(),
            heard.lost_count,
            heard.resumed_count
        );
    }
    assert!(heard.iter().any(|heard| heard.resumed_count > 0), "a server was killed");
    let reports: usize = run.watched.drain(..).map(Watched::finish).sum();
    eprintln!("{acknowledged_count} writes acknowledged, {reports} reports of readiness");
    assert_eq!(run.versions_count(), 2, "trained once");
}
