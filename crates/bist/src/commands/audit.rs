//! `bist audit`: who did what, and whether the records are those that were written.

mod text;

use std::path::{Path, PathBuf};

use anyhow::bail;
use bist_access::{AuditAction, AuditActionError, AuditRecord, AuditRoot, AuditVerification};
use bist_app::App;
use bist_app::audit::{AuditFilter, read_roots};
use bist_market::bar::midnight_of;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;

use super::open_directory;
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Go over all records and name the first one that is not what was written there. A database that
    /// was set back as a whole is as good as it was: only a root that was kept elsewhere tells
    Verify(VerifyArgs),
    /// The records, the newest first
    List(ListArgs),
    /// Print the root of the newest record, which fixes all up to it, to be kept where nobody who
    /// writes to the database can change it
    Root(RootArgs),
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// A root that was kept elsewhere, NUMBER:MAC, or a file with one a line; may be given several
    /// times
    #[arg(long = "root", value_name = "ROOT_OR_FILE")]
    roots: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Only those of this day and later (in Istanbul)
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Only those of this day and before
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
    /// Only those of this action, such as model.promoted, or all that begin with its noun: model
    #[arg(long, value_name = "ACTION", value_parser = action)]
    action: Option<String>,
    /// Only those of who did it, as the list shows them, such as operator:ayse
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,
    /// Only those of what it was done to, as the list shows it, such as secret:evds
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: u32,
}

#[derive(Args, Debug)]
pub(crate) struct RootArgs {
    /// The root of the last record of this day (in Istanbul) instead
    #[arg(long, value_name = "DAY")]
    day: Option<Date>,
    /// Write it to this file as well; one that is there is not overwritten
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What came of a verification.
#[derive(Serialize)]
struct Verified {
    verified: bool,
    records_count: u64,
    erased_count: u64,
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
    root: String,
    kept_roots_count: u64,
    broken: Option<Broken>,
}

/// Where a chain is broken.
#[derive(Serialize)]
struct Broken {
    seq: Option<u64>,
    problem: String,
}

/// A record.
#[derive(Serialize)]
struct Row {
    seq: u64,
    at: Timestamp,
    actor: String,
    action: String,
    subject: String,
    details: Value,
    about: Option<String>,
    personal: Option<Value>,
    /// Whether it had a personal part.
    erased: bool,
    request_id: Option<String>,
    mac: String,
}

/// A JSON document that is a list.
#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
}

/// Where the chain stands, or stood.
#[derive(Serialize)]
struct Root {
    seq: u64,
    mac: String,
    root: String,
}

impl From<&AuditVerification> for Verified {
    fn from(of: &AuditVerification) -> Self {
        Self {
            verified: of.broken.is_none(),
            records_count: of.records_count,
            erased_count: of.erased_count,
            first_at: of.span.map(|(first, _)| first),
            last_at: of.span.map(|(_, last)| last),
            root: of.root.to_string(),
            kept_roots_count: of.kept_roots_count,
            broken: of
                .broken
                .map(|broken| Broken { seq: broken.seq, problem: broken.problem.to_string() }),
        }
    }
}

impl From<AuditRecord> for Row {
    fn from(record: AuditRecord) -> Self {
        // What was changed from outside may be no JSON any more, and is shown as it is.
        let json = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self {
            seq: record.seq,
            at: record.at,
            actor: record.actor,
            action: record.action,
            subject: record.subject,
            details: json(record.details),
            about: record.about,
            erased: record.personal.is_none() && record.personal_mac.is_some(),
            personal: record.personal.map(json),
            request_id: record.request_id,
            mac: record.mac,
        }
    }
}

impl From<AuditRoot> for Root {
    fn from(root: AuditRoot) -> Self {
        Self { root: root.to_string(), seq: root.seq, mac: root.mac }
    }
}

impl AuditCommand {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open_directory(config).await?;
        let done = match self {
            Self::Verify(args) => args.run(&app, terminal).await,
            Self::List(args) => args.run(&app, terminal).await,
            Self::Root(args) => args.run(&app, terminal).await,
        };
        app.close().await;
        done
    }
}

impl VerifyArgs {
    async fn run(self, app: &App, terminal: &Terminal) -> anyhow::Result<()> {
        let mut kept = Vec::new();
        for text in &self.roots {
            match text.parse::<AuditRoot>() {
                Ok(root) => kept.push(root),
                Err(error) if !Path::new(text).exists() => return Err(error.into()),
                Err(_) => kept.extend(read_roots(Path::new(text)).await?),
            }
        }
        let verification = app.verify_audit(&kept).await?;
        terminal.result(&Verified::from(&verification), || text::verification(&verification))?;
        if let Some(broken) = verification.broken {
            bail!(
                "the audit is not what was written: {broken}; keep the database as it is for whoever \
                 looks into it, and restore another one from a backup"
            );
        }
        Ok(())
    }
}

impl ListArgs {
    async fn run(self, app: &App, terminal: &Terminal) -> anyhow::Result<()> {
        let filter = AuditFilter {
            from: self.from.map(midnight_of),
            until: self.to.and_then(|day| day.tomorrow().ok()).map(midnight_of),
            action: self.action,
            actor: self.actor,
            subject: self.subject,
            ..AuditFilter::default()
        };
        let records = app.audit_records(&filter, self.limit).await?;
        let list = Items { items: records.into_iter().map(Row::from).collect() };
        terminal.result(&list, || text::list(&list.items))
    }
}

impl RootArgs {
    async fn run(self, app: &App, terminal: &Terminal) -> anyhow::Result<()> {
        let Some(root) = app.audit_root(self.day).await? else {
            bail!("nothing was put on record{}", if self.day.is_some() { " that day" } else { "" });
        };
        if let Some(path) = &self.out {
            app.write_audit_root(&root, path).await?;
        }
        let root = Root::from(root);
        terminal.result(&root, || root.root.clone())
    }
}

/// An action, or the noun of some.
fn action(text: &str) -> Result<String, AuditActionError> {
    let is_noun_of = |action: &&AuditAction| {
        action.as_str().split_once('.').is_some_and(|(noun, _)| noun == text)
    };
    if !AuditAction::ALL.iter().any(|action| is_noun_of(&action)) {
        text.parse::<AuditAction>()?;
    }
    Ok(text.to_owned())
}
