//! Where the master key is, and settings that name a secret.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bist_access::{Secret, SecretName};
use bist_app::secrets::MasterKeySource;
use serde::Deserialize;

use super::environment;

/// What a setting begins with that names a secret.
const REFERENCE: &str = "secret:";

/// What the master key is called among the credentials of systemd.
const CREDENTIAL_NAME: &str = "bist-master-key";

/// File descriptors below are standard input, output and error.
const DESCRIPTOR_MIN: u32 = 3;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretsSection {
    master_key_file: Option<PathBuf>,
    master_key_command: Option<Vec<String>>,
}

/// Where the master key is; `None` when nothing says so. `file` is what the flag or its variable says.
///
/// Both hold before the configuration file, and the credentials of systemd hold when nothing else
/// does. Whether there is a key is seen when it is read.
pub(super) fn master_key(
    file: Option<&Path>,
    section: SecretsSection,
) -> anyhow::Result<Option<MasterKeySource>> {
    let descriptor =
        environment("BIST_MASTER_KEY_FD")?.map(|text| descriptor(&text)).transpose()?;
    match (file, descriptor) {
        (Some(_), Some(_)) => bail!(
            "BIST_MASTER_KEY_FD and --master-key-file (or BIST_MASTER_KEY_FILE) both say where the \
             master key is; give one"
        ),
        (Some(path), None) => return Ok(Some(MasterKeySource::File(path.to_owned()))),
        (None, Some(number)) => return Ok(Some(MasterKeySource::Descriptor(number))),
        (None, None) => {}
    }
    match (section.master_key_file, section.master_key_command) {
        (Some(_), Some(_)) => bail!(
            "secrets.master_key_file and secrets.master_key_command both say where the master key \
             is; give one"
        ),
        (Some(path), None) => return Ok(Some(MasterKeySource::File(path))),
        (None, Some(words)) if words.is_empty() => bail!(
            "secrets.master_key_command is empty; give a program and its arguments, such as \
             [\"age\", \"--decrypt\", \"-i\", \"identity.txt\", \"key.age\"]"
        ),
        (None, Some(words)) => return Ok(Some(MasterKeySource::Command(words))),
        (None, None) => {}
    }
    let credential = environment("CREDENTIALS_DIRECTORY")?
        .map(|directory| PathBuf::from(directory).join(CREDENTIAL_NAME))
        .filter(|path| path.exists());
    Ok(credential.map(MasterKeySource::Credential))
}

fn descriptor(text: &str) -> anyhow::Result<u32> {
    match text.parse() {
        Ok(number) if number >= DESCRIPTOR_MIN => Ok(number),
        _ => bail!(
            "BIST_MASTER_KEY_FD is no number of a file descriptor; give {DESCRIPTOR_MIN} or more"
        ),
    }
}

/// The secret that `text` names as `secret:NAME`; `None` when it names none.
pub(super) fn reference(text: &str) -> anyhow::Result<Option<SecretName>> {
    let name = text.strip_prefix(REFERENCE).map(str::parse).transpose();
    name.with_context(|| format!("what follows '{REFERENCE}'"))
}

/// The one secret in a file, without blanks around it.
pub(super) fn in_file(file: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the key file '{}'", file.display()))?;
    // Wiped when it is dropped, as the part of it that is kept.
    let text = Secret::new(text);
    Secret::parse(text.expose())
        .with_context(|| format!("'{}' does not hold one key", file.display()))
}
