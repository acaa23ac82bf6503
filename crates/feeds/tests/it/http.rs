//! The client against a server that plays documented answers and misbehaves.

mod breaker;
mod limits;
mod redirects;
mod requests;
mod retries;
mod tls;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bist_feeds::http::Waiting;
use bist_feeds::{Answer, Expects, FetchError, HttpClient, Request, SourceSettings, Waits};
use bist_market::Source;
use bist_testkit::http_server::{HttpServer, Reply, Script};

const SECOND: Duration = Duration::from_secs(1);

/// Time that passes only when somebody waits; chance is the largest value.
#[derive(Debug, Default)]
pub(crate) struct FakeWaits {
    now: Mutex<Duration>,
    slept: Mutex<Vec<Duration>>,
}

impl FakeWaits {
    pub(crate) fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    /// The waits asked for so far, seconds.
    pub(crate) fn slept_s(&self) -> Vec<f64> {
        self.slept.lock().unwrap().iter().map(Duration::as_secs_f64).collect()
    }
}

impl Waits for FakeWaits {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap()
    }

    fn sleep(&self, time: Duration) -> Waiting<'_> {
        self.slept.lock().unwrap().push(time);
        self.pass(time);
        Box::pin(std::future::ready(()))
    }

    fn any_up_to(&self, most: Duration) -> Duration {
        most
    }
}

/// A server and a client that asks it.
struct Scene {
    server: HttpServer,
    client: HttpClient,
    waits: Arc<FakeWaits>,
}

impl Scene {
    fn of(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::with(replies, |_| {})
    }

    fn with(
        replies: impl IntoIterator<Item = Reply>,
        change: impl FnOnce(&mut SourceSettings),
    ) -> Self {
        let script = replies.into_iter().fold(Script::new(), |script, reply| script.on("/", reply));
        Self::playing(script, change)
    }

    fn playing(script: Script, change: impl FnOnce(&mut SourceSettings)) -> Self {
        let server = HttpServer::start(script);
        let waits = Arc::new(FakeWaits::default());
        let client = client(&waits, change);
        Self { server, client, waits }
    }

    async fn get(&self, path: &str) -> Result<String, FetchError> {
        self.send(&Request::get(self.server.url(path), Expects::Json)).await
    }

    /// The body as text, `not modified` without one.
    async fn send(&self, request: &Request) -> Result<String, FetchError> {
        self.client.send(request).await.map(|answer| match answer {
            Answer::NotModified => "not modified".to_owned(),
            Answer::Body { bytes, .. } => String::from_utf8(bytes).unwrap(),
        })
    }

    /// The message of a failure, without the address of the server.
    async fn failure(&self, path: &str) -> String {
        self.get(path).await.unwrap_err().to_string().replace(&self.server.url(""), "")
    }
}

/// A client with a pace that never holds anything up, and three attempts.
fn client(waits: &Arc<FakeWaits>, change: impl FnOnce(&mut SourceSettings)) -> HttpClient {
    let mut settings = SourceSettings::of(Source::ISYATIRIM).unwrap();
    settings.requests_per_minute = u32::MAX;
    settings.attempts_max = 3;
    change(&mut settings);
    HttpClient::new(Source::ISYATIRIM, &settings, Arc::<FakeWaits>::clone(waits)).unwrap()
}
