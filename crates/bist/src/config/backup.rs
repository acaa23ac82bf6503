//! How backups are made and read.

use std::path::{Path, PathBuf};

use anyhow::Context;
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
    /// Where copies are, besides.
    pub(super) object_store_url: Option<String>,
}

/// How backups are made, of which the file `configuration` is part.
pub(super) fn load(
    section: BackupSection,
    configuration: Option<&Path>,
) -> anyhow::Result<BackupSettings> {
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
    })
}
