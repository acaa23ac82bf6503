//! `bist backup`: everything that cannot be made again, in one encrypted file, and back.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use bist_access::Actor;
use bist_app::DatabaseAddress;
use bist_app::backups::{
    Backup, BackupError, BackupFolder, BackupIdentities, BackupManifest, BackupsError, Existing,
    IdentitySource, LogGeneration, RestoreFrom, RestorePlace, Restored, VerifiedLog, folder_of,
    generate_identity_file, generation_moment, restore_backup, verify_file, verify_in,
};
use bist_app::blocking;
use bist_market::Clock as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use super::{SystemClock, open, open_directory};
use crate::config::Config;
use crate::terminal::Terminal;

/// Why everything was replaced, on record.
const REASON: &str = "bist backup restore --replace";

#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Make a key in a file that only you may read: who has it can open backups, and without it nobody
    /// can. Keep it elsewhere
    GenerateKey(GenerateKeyArgs),
    /// Make a backup now, while the server goes on
    Create,
    /// The backups that there are, and the shipped logs, the newest first
    List,
    /// Read a whole backup or shipped log, and say whether it is what was written
    Verify(VerifyArgs),
    /// Restore a backup, or what there is of a moment, into an empty data directory or an empty database
    /// of PostgreSQL, or in the place of what is there
    Restore(RestoreArgs),
}

#[derive(Args, Debug)]
pub(crate) struct GenerateKeyArgs {
    /// The file to write; one that is there is never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct IdentityArgs {
    /// The file of what opens it, which generate-key made [default: backup.identity]
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// The name of a backup or shipped log, or the file of a backup
    #[arg(value_name = "BACKUP")]
    backup: String,
    #[command(flatten)]
    opened: IdentityArgs,
    /// Also restore it into a folder that is gone afterwards, and look whether it could serve: its
    /// rows, the audit, the secrets and every model
    #[arg(long)]
    restore: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    /// The name of a backup, or the file of one
    #[arg(value_name = "BACKUP", required_unless_present = "at", conflicts_with = "at")]
    backup: Option<String>,
    /// Everything as it was at this moment, such as 2026-11-30T18:05:00+03:00, or `now`: by the newest
    /// backup or piece of a shipped log that shows nothing after it
    #[arg(long, value_name = "TIME")]
    at: Option<Moment>,
    /// The folder of backups in which that is looked for [default: backup.directory]
    #[arg(long, value_name = "DIR", requires = "at")]
    from: Option<PathBuf>,
    #[command(flatten)]
    opened: IdentityArgs,
    /// Move the database of the data directory aside, which nobody may have open; one of PostgreSQL is
    /// backed up and replaced as it runs, and the servers begin anew
    #[arg(long)]
    replace: bool,
}

/// A moment that is given by its time, or as this one.
#[derive(Clone, Copy, Debug)]
enum Moment {
    Now,
    At(Timestamp),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "now" {
            return Ok(Self::Now);
        }
        text.parse().map(Self::At).map_err(|_| {
            "give a moment with its offset, such as 2026-11-30T18:05:00+03:00, or now".to_owned()
        })
    }
}

impl Moment {
    fn timestamp(self) -> Timestamp {
        match self {
            Self::Now => SystemClock.now(),
            Self::At(at) => at,
        }
    }
}

/// A new key.
#[derive(Serialize)]
struct KeyFile {
    file: PathBuf,
    recipient: String,
}

/// A backup.
#[derive(Serialize)]
struct Row {
    name: String,
    created_at: Timestamp,
    size_bytes: u64,
    sha256: Option<String>,
    rows_count: Option<u64>,
    program_version: Option<String>,
    verified_at: Option<Timestamp>,
}

/// A generation of a shipped log.
#[derive(Serialize)]
struct LogRow {
    name: String,
    /// The moments that can be restored, as far as they are noted.
    from: Timestamp,
    until: Option<Timestamp>,
    looked_at: Option<Timestamp>,
    pieces_count: usize,
    size_bytes: u64,
    verified_at: Option<Timestamp>,
}

/// All backups, and all shipped logs.
#[derive(Serialize)]
struct Listed {
    items: Vec<Row>,
    logs: Vec<LogRow>,
}

/// What a backup says about itself, and where it is.
#[derive(Serialize)]
struct Told<'a> {
    backup: String,
    #[serde(flatten)]
    manifest: &'a BackupManifest,
    /// Files that were moved aside for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    moved_aside: Vec<PathBuf>,
    /// The backup of what was replaced by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    /// What was found damaged, and could not have shown more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    damaged: Vec<String>,
}

impl<'a> Told<'a> {
    fn of(backup: String, manifest: &'a BackupManifest) -> Self {
        Self { backup, manifest, moved_aside: Vec::new(), before: None, damaged: Vec::new() }
    }
}

impl From<Backup> for Row {
    fn from(backup: Backup) -> Self {
        let Backup { name, created_at, size_bytes, note } = backup;
        let note = note.as_ref();
        Self {
            name,
            created_at,
            size_bytes,
            sha256: note.map(|note| note.sha256.clone()),
            rows_count: note.map(|note| note.rows_count),
            program_version: note.map(|note| note.program_version.clone()),
            verified_at: note.and_then(|note| note.verified_at),
        }
    }
}

impl From<LogGeneration> for LogRow {
    fn from(log: LogGeneration) -> Self {
        let from = log.first_moment();
        let LogGeneration { name, begun_at: _, pieces_count, size_bytes, note } = log;
        let note = note.as_ref();
        Self {
            name,
            from,
            until: note.map(|note| note.until),
            looked_at: note.map(|note| note.looked_at),
            pieces_count,
            size_bytes,
            verified_at: note.and_then(|note| note.verified_at),
        }
    }
}

impl BackupCommand {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        match self {
            Self::GenerateKey(args) => {
                let recipient = generate_identity_file(&args.out).await?;
                let made = KeyFile { file: args.out, recipient };
                terminal.result(&made, || {
                    format!(
                        "{} opens backups; keep it where this machine cannot lose it\nHave backups \
                         made for it by this in the configuration:\n[backup]\nrecipients = [\"{}\"]",
                        made.file.display(),
                        made.recipient
                    )
                })
            }
            Self::Create => create(config, terminal).await,
            Self::List => list(config, terminal).await,
            Self::Verify(args) => args.run(config, terminal).await,
            Self::Restore(args) => args.run(config, terminal).await,
        }
    }
}

async fn create(config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
    let app = open(config).await?;
    let made = async {
        let made = app.create_backup().await?;
        // It is there, whatever comes of the copy.
        let copied = app.copy_backups().await.context("the backup is made, and not copied")?;
        Ok::<_, anyhow::Error>((made, copied))
    };
    let made = made.await;
    let folder = app.backup_folder();
    app.close().await;
    let ((backup, manifest), copied) = made?;
    for name in &copied.copied {
        terminal.say(&format!("copied {name} to the bucket"));
    }
    let told = Told::of(backup.name.clone(), &manifest);
    terminal.result(&told, || {
        format!(
            "{} in {}: {} rows of {} tables and {} models, {} bytes\n{}It is opened by the identity of \
             its recipients, and its secrets by the master key; neither is in it",
            backup.name,
            folder.path().display(),
            manifest.rows_count(),
            manifest.tables.len(),
            manifest.artifacts_count(),
            backup.size_bytes,
            missing(&manifest)
        )
    })
}

/// What to know of artefacts that are nowhere: a line, or nothing.
fn missing(manifest: &BackupManifest) -> String {
    match manifest.missing_artifacts.as_slice() {
        [] => String::new(),
        ids => format!("It is without the artefacts of {}, which are nowhere\n", ids.join(", ")),
    }
}

async fn list(config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
    let folder = folder(config);
    let read = move || Ok::<_, BackupError>((folder.list()?, folder.logs()?));
    let (backups, logs) = blocking(read).await?;
    let list = Listed {
        items: backups.into_iter().map(Row::from).collect(),
        logs: logs.into_iter().map(LogRow::from).collect(),
    };
    let verified = |at: Option<Timestamp>| {
        at.map_or_else(|| "not read again yet".to_owned(), |at| format!("right at {at}"))
    };
    terminal.result(&list, || {
        let mut lines = Vec::new();
        for row in &list.items {
            let verified = verified(row.verified_at);
            lines.push(format!("{}  {:>14} bytes  {verified}", row.name, row.size_bytes));
        }
        for row in &list.logs {
            let until = row.until.map_or_else(|| "its end".to_owned(), |until| until.to_string());
            lines.push(format!(
                "{}  {:>14} bytes  log of {} pieces, from {} until {until}  {}",
                row.name,
                row.size_bytes,
                row.pieces_count,
                row.from,
                verified(row.verified_at)
            ));
        }
        if lines.is_empty() { "there is no backup".to_owned() } else { lines.join("\n") }
    })
}

impl VerifyArgs {
    async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let identities = self.opened.identities(config).await?;
        let now = SystemClock.now();
        let name = self.backup.clone();
        let folder = folder(config);
        let is_file = Path::new(&name).is_file();
        let is_log = generation_moment(&name).is_some();
        if is_log && !self.restore {
            let verify = move || folder.verify_log(&name, &identities, now);
            return tell_log(&blocking(verify).await?, terminal);
        }
        let manifest = if self.restore && is_log {
            let app = open(config).await?;
            let tried = app.try_log(&name, &identities).await;
            app.close().await;
            tried?
        } else if self.restore {
            let path = path_of(&name, config)?;
            let app = open(config).await?;
            let tried = app.try_backup(&path, &identities).await;
            app.close().await;
            tried?
        } else if is_file {
            let path = PathBuf::from(&name);
            blocking(move || verify_file(&path, &identities)).await?
        } else {
            verify_in(folder, &name, identities, now).await?
        };
        let told = Told::of(name, &manifest);
        terminal.result(&told, || {
            format!(
                "{} is what was written at {}: {} rows of {} tables and {} models{}\n{}",
                told.backup,
                manifest.created_at,
                manifest.rows_count(),
                manifest.tables.len(),
                manifest.artifacts_count(),
                if self.restore { ", and could serve" } else { "" },
                missing(&manifest)
            )
            .trim_end()
            .to_owned()
        })
    }
}

/// Tells of a shipped log that all of it is right.
fn tell_log(log: &VerifiedLog, terminal: &Terminal) -> anyhow::Result<()> {
    terminal.result(log, || {
        format!(
            "{} is what was written: {} pieces, from {} until {}",
            log.log, log.pieces_count, log.from, log.until
        )
    })
}

impl RestoreArgs {
    async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let identities = self.opened.identities(config).await?;
        let from = match (&self.backup, self.at) {
            (Some(backup), _) => RestoreFrom::Backup(path_of(backup, config)?),
            (None, at) => RestoreFrom::Moment {
                folder: self.from.map_or_else(|| folder(config), BackupFolder::new),
                at: at.unwrap_or(Moment::Now).timestamp(),
            },
        };
        let restored = match (&config.database.address, self.replace) {
            (DatabaseAddress::Postgres(_), true) => swap_in(&from, &identities, config).await,
            (DatabaseAddress::Postgres(_) | DatabaseAddress::Sqlite(_), replace) => {
                let place = RestorePlace {
                    directory: config.data_dir.clone(),
                    database: config.database.settings()?,
                    existing: if replace { Existing::Replace } else { Existing::Keep },
                    master_key: config.master_key.clone(),
                    actor: Actor::Operator(config.operator.clone()),
                };
                let restored = restore_backup(&from, &identities, place, Arc::new(SystemClock));
                restored.await.map_err(anyhow::Error::from)
            }
        };
        let restored = restored.map_err(with_command)?;
        let Restored { name, manifest, aside, before, damaged } = restored;
        let told = Told { moved_aside: aside, before, damaged, ..Told::of(name, &manifest) };
        terminal.result(&told, || {
            let mut text = format!(
                "everything is as it was at {}: {} rows of {} tables and {} models; the audit is whole, \
                 and the restore is on record",
                manifest.created_at,
                manifest.rows_count(),
                manifest.tables.len(),
                manifest.artifacts_count()
            );
            for damage in &told.damaged {
                text += &format!("\nit shows all that could be shown, although {damage}");
            }
            for path in &told.moved_aside {
                text += &format!("\nwhat was there before is {}", path.display());
            }
            if let Some(before) = &told.before {
                text += &format!(
                    "\nwhat was there before is the backup {before}, which is restored by the same \
                     command\nservers and workers that run begin anew by themselves within seconds; one \
                     that cannot ends with a sentence, and is to be started again"
                );
            }
            text += "\nWhat was changed since is as before: disable again whom you disabled, and revoke \
                     again the keys that you revoked";
            text
        })
    }
}

impl IdentityArgs {
    /// What opens the backup: the file of the flag, or what is configured.
    async fn identities(&self, config: &Config) -> anyhow::Result<BackupIdentities> {
        let source = match &self.identity {
            Some(path) => Some(IdentitySource::File(path.clone())),
            None => config.backup.identity.clone(),
        };
        Ok(match source {
            None => return Err(BackupsError::NoIdentity.into()),
            Some(IdentitySource::File(path)) => IdentitySource::read_file(path).await?,
            Some(IdentitySource::Stored(_)) => {
                let app = open_directory(config).await?;
                let identities = app.backup_identities().await;
                app.close().await;
                identities?
            }
        })
    }
}

/// Replaces all that is in the database of PostgreSQL, as it runs, by what `from` names.
async fn swap_in(
    from: &RestoreFrom,
    identities: &BackupIdentities,
    config: &Config,
) -> anyhow::Result<Restored> {
    if config.backup.recipients.is_none() {
        bail!(
            "a database of PostgreSQL is backed up before it is replaced, and for whom is not configured; \
             name backup.recipients (`bist backup generate-key --out FILE` tells one), or make an empty \
             one, restore into it, and have database_url name it"
        );
    }
    let app = open(config).await?;
    let restored = app.swap_in(from, identities, REASON).await;
    app.close().await;
    Ok(restored?)
}

/// The same error, with the command that restores what can be, where something is damaged.
fn with_command(error: anyhow::Error) -> anyhow::Error {
    let refused = error.downcast_ref();
    if let Some(BackupsError::Backup(BackupError::MomentDamaged { reachable: Some(at), .. })) =
        refused
    {
        let command = command_at(*at, std::env::args_os());
        return anyhow!("{error}, by `{command}`");
    }
    error
}

/// The command line `words` with the moment `at` in the place of the one that it asks for.
fn command_at(at: Timestamp, words: impl Iterator<Item = OsString>) -> String {
    let mut command: Vec<String> = Vec::new();
    let mut is_moment = false;
    for word in words {
        let word = word.to_string_lossy();
        if is_moment {
            command.push(at.to_string());
        } else if word.starts_with("--at=") {
            command.push(format!("--at={at}"));
        } else {
            command.push(quoted(&word));
        }
        is_moment = word == "--at";
    }
    command.join(" ")
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The file of the backup `backup`, by its name or by itself.
fn path_of(backup: &str, config: &Config) -> anyhow::Result<PathBuf> {
    let path = Path::new(backup);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let folder = folder(config);
    Ok(folder.file_of(&folder.backup(backup)?.name)?)
}

/// The folder of backups; nothing is opened for it.
fn folder(config: &Config) -> BackupFolder {
    folder_of(&config.backup, &config.data_dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], expected: &str) {
        let at = "2026-11-30T15:05:00.25Z".parse().unwrap();
        assert_eq!(command_at(at, words.iter().map(OsString::from)), expected);
    }

    #[test]
    fn the_command_that_is_told_asks_for_another_moment_and_is_otherwise_the_one_that_was_given() {
        check(
            &["bist", "backup", "restore", "--at", "now", "--from", "/mnt/a b", "--replace"],
            "bist backup restore --at 2026-11-30T15:05:00.25Z --from '/mnt/a b' --replace",
        );
        check(
            &[
                "./bist",
                "--data-dir",
                "it's",
                "backup",
                "restore",
                "--at=2026-12-01T09:00:00+03:00",
            ],
            r"./bist --data-dir 'it'\''s' backup restore --at=2026-11-30T15:05:00.25Z",
        );
    }
}
