//! A scrape: what is read at most every few seconds, and what is told of it.
//!
//! Whoever scrapes first reads, and whoever comes meanwhile waits for that. A part that cannot be read
//! in time is left out and counted, so that a scrape tells what there is to tell.

mod data;
mod models;
mod service;

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::time::timeout;

use self::models::KnownModels;
use super::Format;
use super::process;
use super::readings::{Readings, number, seconds};
use crate::rate_limits::RateLimits;
use crate::training::CODE_VERSION;
use crate::{App, blocking};

/// How long what was read is told again.
const KEPT_FOR: SignedDuration = SignedDuration::from_secs(15);

/// How long the checks of readiness may take, the database among them.
const HEALTH_TIME_MAX: Duration = Duration::from_secs(3);

/// The check of a database that is there.
const DATABASE_UP: (&str, bool) = ("database", true);

/// How long the parts may take to read, all together: a scraper waits for ten seconds.
const TIME_MAX: Duration = Duration::from_secs(7);

/// What is read, by the names under which failures are counted.
const DATABASE: &str = "database";
const HEALTH: &str = "health";
const JOBS: &str = "jobs";
const DATA: &str = "data";
const QUALITY: &str = "quality";
const MODELS: &str = "models";
const BACKUPS: &str = "backups";
const PEOPLE: &str = "people";

/// All of them.
pub(super) const PARTS: [&str; 8] =
    [DATABASE, HEALTH, JOBS, DATA, QUALITY, MODELS, BACKUPS, PEOPLE];

/// What the edge of the service knows of itself.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    /// Whether requests can be answered.
    pub is_ready: bool,
    /// The checks of readiness, and whether each is well.
    pub checks: Vec<(String, bool)>,
    /// Until when the certificate is good, where TLS ends here.
    pub certificate_not_after: Option<Timestamp>,
}

/// What was read last.
#[derive(Debug, Default)]
pub(super) struct Kept {
    read: Option<(Timestamp, Arc<Readings>)>,
    models: Option<KnownModels>,
}

/// Why a part could not be read.
type Cause = Box<dyn Error + Send + Sync>;

/// What reads a part; boxed, for each query is part of what waits for it.
type Reading<'a> = Pin<Box<dyn Future<Output = Result<Readings, Cause>> + Send + 'a>>;

impl App {
    /// What this process counts and how things stand, as a scraper reads it. `limits` are those that
    /// requests are held against, and `edge` says how the edge of the service is.
    pub async fn metrics(
        &self,
        limits: &RateLimits,
        edge: impl Future<Output = Edge> + Send,
        format: Format,
    ) -> String {
        let kept = self.kept_readings(limits, Box::pin(edge)).await;
        self.telemetry.count();
        let mut readings = blocking(process::process).await;
        readings.tell("bist_build_info", [CODE_VERSION], 1.0);
        readings.extend(self.service_readings(limits));
        readings.extend(Readings::clone(&kept));
        self.telemetry.metrics().written(format, readings)
    }

    /// What is read at most every [`KEPT_FOR`].
    async fn kept_readings(
        &self,
        limits: &RateLimits,
        edge: Pin<Box<dyn Future<Output = Edge> + Send + '_>>,
    ) -> Arc<Readings> {
        let mut kept = self.telemetry.metrics().kept.lock().await;
        let now = self.now();
        if let Some((read_at, readings)) = &kept.read
            && (SignedDuration::ZERO..KEPT_FOR).contains(&now.duration_since(*read_at))
        {
            return Arc::clone(readings);
        }
        let mut all = Readings::default();
        all.tell("bist_rate_limit_keys", [], number(limits.keys_count() as u64));
        let directory = self.directory().to_owned();
        all.extend(blocking(move || process::disk(&directory)).await);
        self.read_parts(&mut all, edge, &mut kept.models).await;
        let all = Arc::new(all);
        kept.read = Some((now, Arc::clone(&all)));
        all
    }

    /// Reads the parts that ask the database, one after the other.
    async fn read_parts(
        &self,
        all: &mut Readings,
        edge: Pin<Box<dyn Future<Output = Edge> + Send + '_>>,
        models: &mut Option<KnownModels>,
    ) {
        let ends_at = Instant::now() + TIME_MAX;
        // Readiness says by itself that a database is away.
        let edge = timeout(HEALTH_TIME_MAX, edge).await.ok();
        let is_up = edge.as_ref().is_some_and(|edge| {
            edge.checks.iter().any(|(name, works)| (name.as_str(), *works) == DATABASE_UP)
        });
        all.tell_fact("bist_database_up", [], is_up);
        match edge {
            Some(edge) => all.extend(told_by(&edge)),
            None => self.telemetry.metrics().scrape_failed(HEALTH),
        }
        let parts: [(&'static str, Reading<'_>); 7] = [
            (DATABASE, Box::pin(self.database_readings())),
            (JOBS, Box::pin(self.jobs_readings())),
            (DATA, Box::pin(self.data_readings())),
            (QUALITY, Box::pin(self.quality_readings())),
            (BACKUPS, Box::pin(self.backups_readings())),
            (PEOPLE, Box::pin(self.people_readings())),
            // The largest is the last, so that it takes nothing from the others.
            (MODELS, Box::pin(self.models_readings(models))),
        ];
        for (name, part) in parts {
            if is_up {
                self.read(all, name, part, ends_at).await;
            } else {
                self.telemetry.metrics().scrape_failed(name);
            }
        }
    }

    /// Adds what a part says to `all`, unless it fails or takes too long.
    async fn read(
        &self,
        all: &mut Readings,
        name: &'static str,
        part: Reading<'_>,
        ends_at: Instant,
    ) {
        let left = ends_at.saturating_duration_since(Instant::now());
        let told: Result<Readings, Cause> = match timeout(left, part).await {
            Ok(told) => told,
            Err(_) => Err(Box::new(TooSlow)),
        };
        match told {
            Ok(told) => all.extend(told),
            Err(error) => {
                // Not louder: whoever scrapes is told by the count, every few seconds.
                tracing::debug!(%error, part = name, "{name} could not be read for metrics: {error}");
                self.telemetry.metrics().scrape_failed(name);
            }
        }
    }
}

/// A part took too long to read.
#[derive(Debug)]
struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it took too long")
    }
}

impl Error for TooSlow {}

fn told_by(edge: &Edge) -> Readings {
    let mut told = Readings::default();
    told.tell_fact("bist_ready", [], edge.is_ready);
    for (check, is_well) in &edge.checks {
        told.tell_fact("bist_health_check", [check], *is_well);
    }
    if let Some(at) = edge.certificate_not_after {
        told.tell("bist_certificate_not_after_timestamp_seconds", [], seconds(at));
    }
    told
}
