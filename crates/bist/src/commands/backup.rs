//! `bist backup`: everything that cannot be made again, in one encrypted file, and back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use bist_access::Actor;
use bist_app::backups::{
    Backup, BackupFolder, BackupIdentities, BackupManifest, BackupsError, Existing, IdentitySource,
    RestorePlace, folder_of, generate_identity_file, restore_backup, verify_file, verify_in,
};
use bist_app::blocking;
use bist_market::Clock as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use super::{SystemClock, open, open_directory};
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Make a key in a file that only you may read: who has it can open backups, and without it nobody
    /// can. Keep it elsewhere
    GenerateKey(GenerateKeyArgs),
    /// Make a backup now, while the server goes on
    Create,
    /// The backups that there are, the newest first
    List,
    /// Read a whole backup, and say whether it is what was written
    Verify(VerifyArgs),
    /// Restore a backup into an empty data directory, or an empty database of PostgreSQL
    Restore(RestoreArgs),
}

#[derive(Args, Debug)]
pub(crate) struct GenerateKeyArgs {
    /// The file to write; one that is there is never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct OpenArgs {
    /// The name of a backup, or the file of one
    #[arg(value_name = "BACKUP")]
    backup: String,
    /// The file of what opens it, which generate-key made [default: backup.identity]
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    opened: OpenArgs,
    /// Also restore it into a folder that is gone afterwards, and look whether it could serve: its
    /// rows, the audit, the secrets and every model
    #[arg(long)]
    restore: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    opened: OpenArgs,
    /// Move the database of the data directory aside, which nobody may have open
    #[arg(long)]
    replace: bool,
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

/// A JSON document that is a list.
#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
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
    let told = Told { backup: backup.name.clone(), manifest: &manifest, moved_aside: Vec::new() };
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
    let backups = blocking(move || folder.list()).await?;
    let list = Items { items: backups.into_iter().map(Row::from).collect() };
    terminal.result(&list, || {
        let mut lines = Vec::new();
        for row in &list.items {
            let verified = row
                .verified_at
                .map_or_else(|| "not read again yet".to_owned(), |at| format!("right at {at}"));
            lines.push(format!("{}  {:>14} bytes  {verified}", row.name, row.size_bytes));
        }
        if lines.is_empty() { "there is no backup".to_owned() } else { lines.join("\n") }
    })
}

impl VerifyArgs {
    async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let identities = self.opened.identities(config).await?;
        let now = SystemClock.now();
        let name = self.opened.backup.clone();
        let folder = folder(config);
        let is_file = Path::new(&name).is_file();
        let manifest = if self.restore {
            let path = self.opened.path(config)?;
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
        let told = Told { backup: name, manifest: &manifest, moved_aside: Vec::new() };
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

impl RestoreArgs {
    async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let identities = self.opened.identities(config).await?;
        let path = self.opened.path(config)?;
        let place = RestorePlace {
            directory: config.data_dir.clone(),
            database: config.database.settings()?,
            existing: if self.replace { Existing::Replace } else { Existing::Keep },
            master_key: config.master_key.clone(),
            actor: Actor::Operator(config.operator.clone()),
        };
        let restored = restore_backup(&path, &identities, place, Arc::new(SystemClock)).await?;
        let manifest = &restored.manifest;
        let backup = self.opened.backup.clone();
        let told = Told { backup, manifest, moved_aside: restored.aside };
        terminal.result(&told, || {
            let mut text = format!(
                "everything is as it was at {}: {} rows of {} tables and {} models; the audit is whole, \
                 and the restore is on record",
                manifest.created_at,
                manifest.rows_count(),
                manifest.tables.len(),
                manifest.artifacts_count()
            );
            for path in &told.moved_aside {
                text += &format!("\nwhat was there before is {}", path.display());
            }
            text += "\nWhat was changed since is as before: disable again whom you disabled, and revoke \
                     again the keys that you revoked";
            text
        })
    }
}

impl OpenArgs {
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

    /// The file of the backup.
    fn path(&self, config: &Config) -> anyhow::Result<PathBuf> {
        let path = Path::new(&self.backup);
        Ok(if path.is_file() { path.to_owned() } else { folder(config).file_of(&self.backup)? })
    }
}

/// The folder of backups; nothing is opened for it.
fn folder(config: &Config) -> BackupFolder {
    folder_of(&config.backup, &config.data_dir)
}
