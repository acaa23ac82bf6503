//! `bist doctor`: how this installation is and how well it is protected, from what is seen and not from
//! settings.

mod condition;

use std::fmt::Write as _;

use anyhow::{Context, bail};
use bist_access::{CheckResult, Class, SecurityCheck, security_score};
use bist_app::{App, SharedLimiter};
use bist_server::{Origin, ServerSettings};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::open;
use super::serve::check_listening;
use crate::config::Config;
use crate::process;
use crate::terminal::Terminal;

/// The best score.
const SCORE_MAX: f64 = 10.0;

/// How long a certificate must still be good, days: people need time to find out why it was not renewed.
const CERTIFICATE_DAYS_MIN: i64 = 14;

#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// Put the protections to the test: the service as it is configured, on a scratch directory, and the
    /// accounts, keys, secrets, records and files of the data directory
    #[arg(long)]
    security: bool,
    /// Ask the server at this address, such as `http://127.0.0.1:8080`, whether it is ready, and nothing
    /// else; for whoever watches a container
    #[arg(long, value_name = "URL", conflicts_with = "security")]
    ready: Option<String>,
    /// Fail when the score is lower
    #[arg(long, value_name = "SCORE", value_parser = score, requires = "security")]
    fail_under: Option<f64>,
}

/// The JSON document.
#[derive(Serialize)]
struct Report {
    /// From 0 to 10.
    score: f64,
    /// What this process would do, as `bist serve`.
    role: &'static str,
    passed_count: usize,
    failed_count: usize,
    not_applicable_count: usize,
    checked_at: Timestamp,
    checks: Vec<Row>,
}

/// A check, as it is printed.
#[derive(Serialize)]
struct Row {
    id: &'static str,
    weight: u8,
    result: &'static str,
    found: String,
    advice: Option<&'static str>,
}

impl From<SecurityCheck> for Row {
    fn from(check: SecurityCheck) -> Self {
        let SecurityCheck { id, weight, result } = check;
        let (result, found, advice) = match result {
            CheckResult::Passed { found } => ("passed", found, None),
            CheckResult::Failed { found, advice } => ("failed", found, Some(advice)),
            CheckResult::NotApplicable { reason } => ("not_applicable", reason, None),
        };
        Self { id, weight, result, found, advice }
    }
}

fn score(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(score) if (0.0..=SCORE_MAX).contains(&score) => Ok(score),
        _ => Err("give a score from 0 to 10, such as 9.5".to_owned()),
    }
}

impl DoctorArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        if let Some(base_url) = &self.ready {
            return condition::ask(base_url, terminal).await;
        }
        let opened = open(config).await;
        let app = match opened {
            Err(error) if !self.security => return condition::unopened(&error, config, terminal),
            opened => opened?,
        };
        let app = match config.edge.redis_link(&app).await? {
            Some(link) => app.with_redis(link),
            None => app,
        };
        if !self.security {
            let looked = condition::look(&app, config, terminal).await;
            app.close().await;
            return looked;
        }
        let examined = examine(&app, config).await;
        let now = app.now();
        app.close().await;
        let checks = examined?;
        let score = security_score(&checks).context("no check applies")?;
        let count =
            |wanted: &str, rows: &[Row]| rows.iter().filter(|row| row.result == wanted).count();
        let checks: Vec<Row> = checks.into_iter().map(Row::from).collect();
        let report = Report {
            score: (score * 100.0).floor() / 100.0,
            role: config.processes.role.as_str(),
            passed_count: count("passed", &checks),
            failed_count: count("failed", &checks),
            not_applicable_count: count("not_applicable", &checks),
            checked_at: now,
            checks,
        };
        terminal.result(&report, || text(&report))?;
        match self.fail_under {
            Some(least) if report.score < least => {
                bail!("the security score is {:.2}, lower than {least}", report.score)
            }
            _ => Ok(()),
        }
    }
}

/// All checks, of what is nearest to the network first.
async fn examine(app: &App, config: &Config) -> anyhow::Result<Vec<SecurityCheck>> {
    let certificates = config.edge.certificates(app).await?;
    let settings = config.edge.settings(app, None, certificates.clone()).await?;
    let scratch = tempfile::tempdir().context("a scratch directory cannot be made")?;
    let mut checks = vec![transport(config, &settings)];
    checks.extend(certificate(&settings, app.now()));
    checks.push(database(config));
    checks.extend(shared_limits(app, config).await);
    checks.extend(bist_server::self_test(&settings, scratch.path(), app.now()).await?);
    checks.extend(app.security_checks().await?);
    checks.push(plain_secrets(config));
    checks.extend(process::checks());
    Ok(checks)
}

/// Whether anything passes the network in the clear.
fn transport(config: &Config, settings: &ServerSettings) -> SecurityCheck {
    const ID: &str = "transport.tls";
    let is_https = settings.public_url.as_ref().is_some_and(Origin::is_https);
    if config.bind.ip().is_loopback() && !is_https {
        let reason = format!("only this machine is answered, on {}", config.bind);
        return SecurityCheck::not_applicable(ID, 5, reason);
    }
    let found = match check_listening(config.bind, settings) {
        Err(error) => Err(error.to_string()),
        Ok(()) if settings.tls.is_some() => Ok("TLS 1.2 and 1.3 end in this process".to_owned()),
        Ok(()) if settings.trusted_proxies.is_empty() => {
            Err("people come by https, and nothing says where TLS ends".to_owned())
        }
        Ok(()) => Ok("TLS ends at the proxies that are named".to_owned()),
    };
    let advice = "give a certificate in [server.tls], or name the proxy where TLS ends in \
                  server.trusted_proxies";
    SecurityCheck::judged(ID, 5, found, advice)
}

/// Whether the certificate is good for a while, where TLS ends in this process.
fn certificate(settings: &ServerSettings, now: Timestamp) -> Option<SecurityCheck> {
    let tls = settings.tls.as_ref()?;
    let found = match tls.validity() {
        None => Err("there is no certificate yet".to_owned()),
        Some(validity) => {
            let days = validity.not_after.duration_since(now).as_hours() / 24;
            let told =
                format!("the certificate is good until {}, for {days} days", validity.not_after);
            if days >= CERTIFICATE_DAYS_MIN { Ok(told) } else { Err(told) }
        }
    };
    let advice = "renew it, or look into the log of `bist serve` for why server.acme does not";
    Some(SecurityCheck::judged("transport.certificate", 3, found, advice))
}

/// Whether what passes between here and the database is for nobody else.
fn database(config: &Config) -> SecurityCheck {
    const ID: &str = "transport.database";
    let address = &config.database.address;
    let found = match address.is_verified() {
        None => return SecurityCheck::not_applicable(ID, 4, format!("{address}: no network")),
        Some(true) => Ok(format!("{address} shows a certificate, which is checked")),
        Some(false) => Err(format!("{address} may be somebody else, or be listened to")),
    };
    SecurityCheck::judged(ID, 4, found, "say sslmode=verify-full in database_url")
}

/// Whether the count that several servers share is there.
async fn shared_limits(app: &App, config: &Config) -> Option<SecurityCheck> {
    let limiter = SharedLimiter::new(app.redis()?.clone());
    let quota = config.edge.quotas().default;
    let found = match limiter.check(Class::Default, "doctor", quota).await {
        Ok(_) => Ok("Redis counts for all servers".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    let advice = "start Redis, or correct redis_url: until then each server counts by itself";
    Some(SecurityCheck::judged("limits.shared", 2, found, advice))
}

/// Whether keys and passwords lie in files or the environment.
fn plain_secrets(config: &Config) -> SecurityCheck {
    let plain = config.plain_secrets();
    let found = if plain.is_empty() {
        Ok("no setting holds a key or password of a service".to_owned())
    } else {
        Err(format!("outside of the secrets there are {}", plain.join(", ")))
    };
    let advice = "keep them with `bist secrets set NAME`, and write secret:NAME in their place";
    SecurityCheck::judged("secrets.settings", 2, found, advice)
}

fn text(report: &Report) -> String {
    let width = report.checks.iter().map(|row| row.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for row in &report.checks {
        let mark = match row.result {
            "passed" => "ok",
            "failed" => "FAILED",
            _ => "-",
        };
        // Writing to a text cannot fail.
        writeln!(text, "{mark:6}  {}  {:width$}  {}", row.weight, row.id, row.found).ok();
        if let Some(advice) = row.advice {
            writeln!(text, "{:11}{:width$}  -> {advice}", "", "").ok();
        }
    }
    let Report { score, role, passed_count, failed_count, not_applicable_count, .. } = report;
    write!(
        text,
        "\nrole of this process: {role}\n\
         security score {score:.2} of 10: {passed_count} passed, {failed_count} failed, \
         {not_applicable_count} do not apply; the number before a check is its weight"
    )
    .ok();
    text
}
