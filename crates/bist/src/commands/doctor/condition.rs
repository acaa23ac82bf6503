//! How the installation is: the checks of `/health/ready`, with advice.

use anyhow::{Context as _, bail};
use bist_app::App;
use bist_app::health::{Condition, HealthCheck, probe};
use bist_market::Clock as _;
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::SystemClock;
use crate::config::Config;
use crate::terminal::Terminal;

/// The JSON document.
#[derive(Serialize)]
struct Report {
    /// `ok`, `degraded` or `failed`.
    status: &'static str,
    /// What this process would do, as `bist serve`.
    role: &'static str,
    checked_at: Timestamp,
    checks: Vec<Row>,
}

/// A check, as it is printed.
#[derive(Serialize)]
struct Row {
    name: String,
    status: &'static str,
    found: String,
    /// What failed.
    cause: Option<String>,
    advice: Option<&'static str>,
}

impl From<HealthCheck> for Row {
    fn from(check: HealthCheck) -> Self {
        let HealthCheck { name, condition, found, cause, advice, .. } = check;
        let advice = (condition != Condition::Well).then_some(advice);
        Self { name, status: word(condition), found, cause, advice }
    }
}

fn word(condition: Condition) -> &'static str {
    match condition {
        Condition::Well => "ok",
        Condition::Degraded => "degraded",
        Condition::Failed => "failed",
    }
}

/// The JSON document of a server that is ready.
#[derive(Serialize)]
struct Ready<'a> {
    ready: &'a str,
}

/// Asks a server whether it is ready, and fails when it is not.
pub(super) async fn ask(base_url: &str, terminal: &Terminal) -> anyhow::Result<()> {
    let asked = probe(base_url).await;
    asked.with_context(|| format!("the server at {base_url} is not ready"))?;
    terminal.result(&Ready { ready: base_url }, || format!("{base_url} is ready"))
}

/// Tells why nothing could be looked at.
pub(super) fn unopened(
    error: &anyhow::Error,
    config: &Config,
    terminal: &Terminal,
) -> anyhow::Result<()> {
    let found = (Condition::Failed, "it cannot be opened".to_owned());
    let advice = "do what it says, and look again; everything else stands on the database";
    let check = HealthCheck::of("database", found, advice).caused_by(Some(format!("{error:#}")));
    tell(vec![check], config, SystemClock.now(), terminal)
}

/// Prints the checks, and fails when one has failed.
pub(super) async fn look(app: &App, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
    let mut checks = app.health().await;
    if config.processes.role.answers_people() {
        checks.push(bist_server::web_app());
    }
    tell(checks, config, app.now(), terminal)
}

fn tell(
    checks: Vec<HealthCheck>,
    config: &Config,
    checked_at: Timestamp,
    terminal: &Terminal,
) -> anyhow::Result<()> {
    let worst = checks.iter().map(|check| check.condition).max().unwrap_or(Condition::Well);
    let report = Report {
        status: word(worst),
        role: config.processes.role.as_str(),
        checked_at,
        checks: checks.into_iter().map(Row::from).collect(),
    };
    terminal.result(&report, || text(&report))?;
    let failed: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| check.status == "failed")
        .map(|check| check.name.as_str())
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    bail!("not ready: {}", failed.join(", "))
}

fn text(report: &Report) -> String {
    let width = report.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut lines: Vec<String> = Vec::new();
    for Row { name, status, found, cause, advice } in &report.checks {
        lines.push(format!("{status:8}  {name:width$}  {found}"));
        lines.extend(cause.as_ref().map(|cause| format!("{:8}  {:width$}  {cause}", "", "")));
        lines.extend(advice.map(|advice| format!("{:8}  {:width$}  -> {advice}", "", "")));
    }
    lines.push(String::new());
    lines.push(format!("role of this process: {}", report.role));
    lines.push("how well it is protected: bist doctor --security".to_owned());
    lines.join("\n")
}
