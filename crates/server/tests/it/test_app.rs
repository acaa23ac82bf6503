//! The service on a temporary data directory.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, header};
use bist_access::{Account, Role, Secret};
use bist_app::App;
use bist_app::access::{SignedIn, Visit};
use bist_app::live::LiveQuotes;
use bist_app::progress::ProgressSink;
use bist_app::rate_limits::{Quotas, RateLimits};
use bist_feeds::FileFormat;
use bist_lifecycle::HORIZON_DEFAULT;
use bist_market::FixedClock;
use bist_market::sample::SampleSpec;
use bist_market::validate::ValidationPolicy;
use bist_server::ServerSettings;
use http_body_util::BodyExt;
use jiff::Timestamp;
use jiff::civil::date;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

/// The instant at which every test happens: Tuesday, 24 November 2026, 15:00 in Istanbul.
pub(crate) const NOW: &str = "2026-11-24T12:00:00Z";

/// Five sessions of one share, the last of them Friday, 20 November 2026.
const TEST1_CSV: &str = "date,open,high,low,close,adj_close,volume
2026-11-16,100.00,102.00,99.50,101.00,100.5,1000
2026-11-17,101.00,103.00,100.50,102.50,102.0,2000
2026-11-18,102.50,104.00,102.00,103.00,102.5,3000
2026-11-19,103.00,103.50,101.00,101.50,101.0,4000
2026-11-20,101.50,102.50,100.00,100.50,100.5,5000
";

/// Three sessions of another, without an adjusted close; Wednesday is missing, and on Thursday the
/// low is above the high.
const ZTEST_CSV: &str = "date,open,high,low,close,volume
2026-11-16,10.00,10.20,9.95,10.10,1000
2026-11-17,10.10,10.30,10.00,10.25,2000
2026-11-19,10.30,10.00,10.40,10.20,3000
2026-11-20,10.20,10.40,10.10,10.30,4000
";

/// The service, and the folder that its data lie in.
pub(crate) struct TestApp {
    pub(crate) app: Arc<App>,
    router: Router,
    /// The session of an administrator, who has given a code a moment ago.
    pub(crate) administrator: Opened,
    _directory: TempDir,
}

/// What a page of a session sends with its requests.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    /// The header `cookie`.
    pub(crate) cookie: String,
    /// The header `x-csrf-token`.
    pub(crate) csrf_token: String,
}

impl Opened {
    /// Both as lines of the head of a request.
    pub(crate) fn lines(&self) -> String {
        format!("cookie: {}\r\nx-csrf-token: {}\r\n", self.cookie, self.csrf_token)
    }

    /// What a page of `signed_in` sends.
    pub(crate) async fn of(app: &App, signed_in: &SignedIn) -> Self {
        let csrf_token = app.csrf_token(&signed_in.session).await.unwrap();
        Self {
            cookie: format!("__Host-bist-session={}", signed_in.token.expose()),
            csrf_token: csrf_token.expose().to_owned(),
        }
    }
}

/// What the service answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body as JSON; as a text when it is none.
    pub(crate) body: Value,
}

impl TestApp {
    /// A service without any data.
    pub(crate) async fn empty() -> Self {
        Self::on(tempfile::tempdir().unwrap()).await
    }

    /// A service with two small files, validated; no model.
    pub(crate) async fn with_files() -> Self {
        Self::with_csv(&[("TEST1.csv", TEST1_CSV), ("ZTEST.csv", ZTEST_CSV)]).await
    }

    /// A service with two small files that follows a source of prices of this moment.
    pub(crate) async fn with_quotes(quotes: LiveQuotes) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let app = open(directory.path()).await.with_live_quotes(quotes);
        let this = Self::with(app, directory).await;
        this.take_in(&[("TEST1.csv", TEST1_CSV), ("ZTEST.csv", ZTEST_CSV)]).await;
        this
    }

    /// A service with these files, by name and text, validated.
    pub(crate) async fn with_csv(files: &[(&str, &str)]) -> Self {
        let this = Self::empty().await;
        this.take_in(files).await;
        this
    }

    /// Takes in these files, by name and text, and validates them.
    pub(crate) async fn take_in(&self, files: &[(&str, &str)]) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let paths = vec![folder.path().to_str().unwrap().to_owned()];
        self.app.ingest_files(FileFormat::Csv, None, paths, quiet()).await.unwrap();
        self.app.validate(None, quiet()).await.unwrap();
    }

    /// A service with a small sample market, validated, a model trained on it, its signals,
    /// and two studies.
    pub(crate) async fn trained() -> Self {
        let directory = tempfile::tempdir().unwrap();
        copy(trained_directory(), directory.path());
        Self::on(directory).await
    }

    /// A service with two studies and nothing else.
    pub(crate) async fn with_studies() -> Self {
        let directory = tempfile::tempdir().unwrap();
        crate::studies::write_studies(directory.path()).await;
        Self::on(directory).await
    }

    async fn on(directory: TempDir) -> Self {
        let app = open(directory.path()).await;
        Self::with(app, directory).await
    }

    /// The service of `app`, whose data lie in `directory`, with an administrator.
    pub(crate) async fn with(app: App, directory: TempDir) -> Self {
        let app = Arc::new(app);
        let router = bist_server::router(Arc::clone(&app), &settings(&app, unbounded()));
        let administrator = sign_in(&app, "admin", Role::Admin).await;
        let (signed_in, _) = enrol(&app, &administrator.account).await;
        let administrator = Opened::of(&app, &signed_in).await;
        Self { app, router, administrator, _directory: directory }
    }

    /// The same behind another edge.
    pub(crate) fn behind(self, settings: &ServerSettings) -> Self {
        Self { router: bist_server::router(Arc::clone(&self.app), settings), ..self }
    }

    /// The service itself, for requests that are made otherwise.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// Asks for a path of this machine.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[]).await
    }

    /// Posts a document to a path of this machine.
    pub(crate) async fn post(&self, path: &str, document: &Value) -> Answer {
        let body = Body::from(document.to_string());
        self.send_body(Method::POST, path, &[("content-type", "application/json")], body).await
    }

    /// Sends a request with these headers; `host` is `localhost` unless one of them says otherwise.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send_body(method, path, headers, Body::empty()).await
    }

    pub(crate) async fn send_body(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header(header::HOST, "localhost:8080");
        }
        // Who says nothing of who they are is the administrator.
        if !headers.iter().any(|(name, _)| ["cookie", "authorization"].contains(name)) {
            let Opened { cookie, csrf_token } = &self.administrator;
            request = request.header(header::COOKIE, cookie).header("x-csrf-token", csrf_token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).unwrap();
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

impl Answer {
    /// The body of an answer that must be 200.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// The code and the detail of an answer that must be a problem with this status.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> (&str, &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["request_id"], self.headers["x-request-id"].to_str().unwrap());
        (self.body["code"].as_str().unwrap(), self.body["detail"].as_str().unwrap())
    }
}

/// A password that is hard to guess.
pub(crate) const PASSWORD: &str = "kirmizi bisiklet yagmur 7";

/// Makes an account and signs its owner in, without a second factor.
pub(crate) async fn sign_in(app: &App, user_name: &str, role: Role) -> SignedIn {
    let invited = app.invite(user_name, role).await.unwrap();
    let password = Secret::new(PASSWORD);
    app.accept_invitation(invited.token.expose(), &password, &Visit::default()).await.unwrap()
}

/// Gives an account a second factor; the session that begins by that, and its seed in base32.
pub(crate) async fn enrol(app: &App, account: &Account) -> (SignedIn, Secret) {
    let enrolment = app.set_up_second_factor(account).await.unwrap();
    let code = code_at(&enrolment.secret, app.now());
    let first = app.confirm_second_factor(account, &code, &Visit::default()).await.unwrap();
    (first.unwrap().signed_in, enrolment.secret)
}

/// The code that an authenticator with this seed shows.
pub(crate) fn code_at(seed: &Secret, now: Timestamp) -> String {
    let seed = totp_rs::Secret::try_from_base32(seed.expose()).unwrap();
    let totp = totp_rs::Builder::new().with_secret(seed).build_noncompliant();
    totp.generate(now.as_second().try_into().unwrap()).to_string()
}

/// Settings with these quotas and nothing else.
pub(crate) fn settings(app: &App, quotas: Quotas) -> ServerSettings {
    ServerSettings::new(Arc::new(RateLimits::new(quotas, app.clock())))
}

/// More than any test asks for.
pub(crate) fn unbounded() -> Quotas {
    let many = "1000000/min".parse().unwrap();
    Quotas { ai: many, auth: many, trading: many, default: many, address_multiple: 1 }
}

pub(crate) async fn open(directory: &Path) -> App {
    let clock = Arc::new(FixedClock(NOW.parse().unwrap()));
    App::open(directory, clock, ValidationPolicy::default()).await.unwrap()
}

pub(crate) fn quiet() -> Arc<ProgressSink> {
    Arc::new(|_| ())
}

/// The data directory of [`TestApp::trained`], made once for all tests.
fn trained_directory() -> &'static Path {
    static MADE: OnceLock<TempDir> = OnceLock::new();
    let make = || {
        let directory = tempfile::tempdir().unwrap();
        let path: PathBuf = directory.path().to_owned();
        // A runtime of its own, because the one of the test that came first ends with that test.
        let run = move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let app = open(&path).await;
                let spec =
                    SampleSpec { symbols_count: 6, years: 3, seed: 7, until: date(2026, 11, 20) };
                app.make_sample(spec, quiet()).await.unwrap();
                app.validate(None, quiet()).await.unwrap();
                app.train(None, &[HORIZON_DEFAULT], 7, quiet()).await.unwrap();
                app.make_signals(None, quiet()).await.unwrap();
                app.close().await;
                crate::studies::write_studies(&path).await;
            });
        };
        std::thread::spawn(run).join().unwrap();
        directory
    };
    MADE.get_or_init(make).path()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
