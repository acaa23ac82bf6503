//! What it costs to know who asks, and what many who sign in at once cost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use bist_access::{KeyRequest, Role, Scope, Secret};
use bist_app::App;
use bist_app::access::{AccessError, Visit};
use bist_market::validate::ValidationPolicy;
use clap::Args;
use serde::Serialize;

use super::side_by_side::peak_mib;
use crate::commands::SystemClock;
use crate::terminal::Terminal;

/// What knowing who asks may add to a request, microseconds.
const GOAL_US: f64 = 50.0;

/// How many sign in at the same time.
const AT_ONCE: usize = 200;

/// A password that is hard to guess.
const PASSWORD: &str = "kirmizi bisiklet yagmur 7";

#[derive(Args, Debug)]
pub(crate) struct AccessBenchArgs {
    /// Requests that are timed, one after the other
    #[arg(long, value_name = "COUNT", default_value_t = 20_000)]
    requests: usize,
}

/// The JSON document.
#[derive(Serialize)]
struct Report {
    /// Microseconds of looking a session up, with the token of its page: the median, and what 99 % stay
    /// below.
    session_us: f64,
    session_p99_us: f64,
    /// The same of an API key.
    key_us: f64,
    key_p99_us: f64,
    /// Whether both medians are below 50 microseconds.
    below_goal: bool,
    /// How many signed in at once; those who were told to come again; seconds until all were answered.
    at_once: usize,
    sent_away: usize,
    at_once_s: f64,
    /// Memory that they took together, MiB; absent where the system does not tell.
    at_once_mib: Option<f64>,
}

impl AccessBenchArgs {
    pub(crate) async fn run(self, terminal: &Terminal) -> anyhow::Result<()> {
        let scratch = tempfile::tempdir().context("a scratch directory cannot be made")?;
        let policy = ValidationPolicy::default();
        let app = Arc::new(App::open(scratch.path(), Arc::new(SystemClock), policy).await?);
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
        let key = app.make_key(&signed_in.account, &request).await?;
        let csrf_token = app.csrf_token(&signed_in.session).await?;

        let by_session = async || -> Result<bool, AccessError> {
            let caller = app.caller_with_session(signed_in.token.expose(), app.now()).await?;
            let is_own = app.is_csrf_token(&signed_in.session, csrf_token.expose()).await?;
            Ok(caller.is_some() && is_own)
        };
        let (session_us, session_p99_us) = self.time(by_session).await?;
        let by_key = async || -> Result<bool, AccessError> {
            Ok(app.caller_with_key(key.token.expose(), None, app.now()).await?.is_some())
        };
        let (key_us, key_p99_us) = self.time(by_key).await?;

        let before_mib = peak_mib();
        let began = Instant::now();
        let tries: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let app = Arc::clone(&app);
                tokio::spawn(async move {
                    app.sign_in("bench", &Secret::new(PASSWORD), &Visit::default()).await.map(drop)
                })
            })
            .collect();
        let mut sent_away = 0;
        for tried in tries {
            match tried.await? {
                Ok(()) => {}
                Err(AccessError::Busy) => sent_away += 1,
                Err(error) => return Err(error.into()),
            }
        }
        let report = Report {
            session_us,
            session_p99_us,
            key_us,
            key_p99_us,
            below_goal: session_us.max(key_us) < GOAL_US,
            at_once: AT_ONCE,
            sent_away,
            at_once_s: began.elapsed().as_secs_f64(),
            at_once_mib: peak_mib().zip(before_mib).map(|(after, before)| after - before),
        };
        terminal.result(&report, || report.text())
    }

    /// The median of what `ask` takes and what 99 % stay below, microseconds.
    async fn time(
        &self,
        ask: impl AsyncFn() -> Result<bool, AccessError>,
    ) -> anyhow::Result<(f64, f64)> {
        let mut times_us = Vec::with_capacity(self.requests);
        for _ in 0..self.requests.max(1) {
            let began = Instant::now();
            anyhow::ensure!(ask().await?, "who asks was not known");
            times_us.push(began.elapsed().as_secs_f64() * 1e6);
        }
        times_us.sort_by(f64::total_cmp);
        let percentile = |percent: usize| times_us[(times_us.len() - 1) * percent / 100];
        Ok((percentile(50), percentile(99)))
    }
}

impl Report {
    fn text(&self) -> String {
        let below = if self.below_goal { "yes" } else { "no" };
        let mut text = format!(
            "session   {:>6.1} us, 99 % below {:.0} us\nAPI key   {:>6.1} us, 99 % below {:.0} us\n\
             medians below 50 us: {below}\n{} sign in at once: {} answered and {} told to come again in \
             {:.1} s",
            self.session_us,
            self.session_p99_us,
            self.key_us,
            self.key_p99_us,
            self.at_once,
            self.at_once - self.sent_away,
            self.sent_away,
            self.at_once_s
        );
        if let Some(mib) = self.at_once_mib {
            text += &format!(", in {mib:.0} MiB");
        }
        text
    }
}
