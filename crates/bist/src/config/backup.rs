//! How backups are made and read.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use bist_app::DatabaseAddress;
use bist_app::backups::{BackupRecipients, BackupSettings, IdentitySource, Retention};
use serde::Deserialize;

use super::secrets::reference;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BackupSection {
    /// Public keys of age.
    #[serde(default)]
    recipients: Vec<String>,
    /// A file of identities of age, or a secret.
    identity: Option<String>,
    directory: Option<PathBuf>,
    /// Whether the log of SQLite is shipped.
    #[serde(default)]
    ship_log: bool,
    ship_every_seconds: Option<u64>,
    /// Where copies are, besides.
    pub(super) object_store_url: Option<String>,
}

/// How often the log is shipped, seconds, unless told otherwise; and how often it may be, so that less
/// than a minute is lost.
const SHIP_EVERY_DEFAULT_S: u64 = 20;
const SHIP_EVERY_S: RangeInclusive<u64> = 1..=50;

/// How backups are made, of which the file `configuration` is part.
pub(super) fn load(
    section: BackupSection,
    configuration: Option<&Path>,
    database: &DatabaseAddress,
) -> anyhow::Result<BackupSettings> {
    let ship_every = ship_every(&section, database)?;
    let recipients = match section.recipients.as_slice() {
        [] => None,
        texts => Some(BackupRecipients::parse(texts).context("backup.recipients")?),
    };
    let identity = section.identity.map(|text| {
        let name = reference(&text).context("backup.identity")?;
        Ok::<_, anyhow::Error>(match name {
            Some(name) => IdentitySource::Stored(name),
            None => IdentitySource::File(text.into()),
        })
    });
    Ok(BackupSettings {
        directory: section.directory,
        recipients,
        identity: identity.transpose()?,
        configuration: configuration.map(Path::to_owned),
        retention: Retention::default(),
        ship_every,
    })
}

/// How often the log is shipped, if it is.
fn ship_every(
    section: &BackupSection,
    database: &DatabaseAddress,
) -> anyhow::Result<Option<Duration>> {
    let seconds = section.ship_every_seconds.unwrap_or(SHIP_EVERY_DEFAULT_S);
    if !SHIP_EVERY_S.contains(&seconds) {
        bail!("backup.ship_every_seconds is {seconds}; give a number from 1 to 50, such as 20");
    }
    if !section.ship_log {
        return Ok(None);
    }
    if section.recipients.is_empty() {
        bail!(
            "backup.ship_log needs backup.recipients, for whom the log is encrypted; \
             `bist backup generate-key --out FILE` tells one"
        );
    }
    match database {
        DatabaseAddress::Sqlite(_) => Ok(Some(Duration::from_secs(seconds))),
        DatabaseAddress::Postgres(_) => bail!(
            "backup.ship_log is for SQLite; archive the log of PostgreSQL by its own tools \
             (archive_command, pg_basebackup), and leave backup.ship_log out"
        ),
    }
}
