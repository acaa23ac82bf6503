//! `bist secrets`: keys and passwords that are sealed in the database.

use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Read};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bist_access::{SECRET_BYTES_MAX, Secret, SecretEntry, SecretName};
use bist_app::App;
use bist_app::secrets::{MasterKeySource, StoredCredential, generate_key_file};
use bist_feeds::algolab::{AlgoLabKeys, SignIn};
use bist_feeds::{HttpClient, SystemWaits};
use bist_market::Source;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use super::open_directory;
use crate::config::Config;
use crate::terminal::Terminal;

/// The most that is read where a secret is expected; blanks around it are not part of it.
const READ_BYTES_MAX: usize = 4 * SECRET_BYTES_MAX;

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    /// Make a master key in a file that only you may read; without it no secret can be opened
    GenerateKey(GenerateKeyArgs),
    /// Sign in at the broker behind algolab, with the code that it sends, and keep the session, which
    /// lasts about a day, as a secret; a server that runs takes it within half a minute
    SignIn,
    #[command(flatten)]
    Stored(StoredCommand),
}

/// What needs the data directory.
#[derive(Debug, Subcommand)]
pub(crate) enum StoredCommand {
    /// Add a secret; its value comes from standard input, a file, or a terminal that does not show it
    Set(ValueArgs),
    /// Print the value of a secret
    Get(NameArgs),
    /// The names of all secrets with their revisions, without a value and without the master key
    List,
    /// Give a secret a new value, as with set; its revision counts one up
    Rotate(ValueArgs),
    /// Remove a secret
    Remove(NameArgs),
    /// Seal all secrets under another master key, all of them or none
    Rekey(RekeyArgs),
}

#[derive(Args, Debug)]
pub(crate) struct GenerateKeyArgs {
    /// The file to write; one that is there is never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct NameArgs {
    /// What the secret is called, such as evds
    #[arg(value_name = "NAME")]
    name: SecretName,
}

#[derive(Args, Debug)]
pub(crate) struct ValueArgs {
    #[command(flatten)]
    named: NameArgs,
    /// Take the value from this file, without blanks around it
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct RekeyArgs {
    /// The file of the new master key, made by generate-key
    #[arg(long, value_name = "FILE")]
    new_key_file: PathBuf,
}

/// The file of a new master key.
#[derive(Serialize)]
struct KeyFile {
    file: PathBuf,
}

/// A secret without its value.
#[derive(Serialize)]
struct Row {
    name: String,
    revision: u64,
    set_at: Timestamp,
    /// Whether it is the product's own.
    is_own: bool,
}

/// A secret with its value.
#[derive(Serialize)]
struct Value<'a> {
    name: &'a str,
    value: &'a str,
}

/// A secret that is no more.
#[derive(Serialize)]
struct Removed<'a> {
    removed: &'a str,
}

/// What a new master key holds.
#[derive(Serialize)]
struct Rekeyed {
    secrets_count: usize,
}

/// A JSON document that is a list.
#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
}

impl From<SecretEntry> for Row {
    fn from(entry: SecretEntry) -> Self {
        let SecretEntry { name, revision, set_at } = entry;
        Self { is_own: name.is_own(), name: name.to_string(), revision, set_at }
    }
}

impl SecretsCommand {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        match self {
            Self::GenerateKey(args) => args.run(terminal).await,
            Self::SignIn => {
                let app = open_directory(config).await?;
                let done = sign_in(&app, config, terminal).await;
                app.close().await;
                done
            }
            Self::Stored(command) => {
                let app = open_directory(config).await?;
                let done = command.run(&app, terminal).await;
                app.close().await;
                done
            }
        }
    }
}

impl GenerateKeyArgs {
    async fn run(self, terminal: &Terminal) -> anyhow::Result<()> {
        generate_key_file(&self.out).await?;
        let key_file = KeyFile { file: self.out };
        terminal.result(&key_file, || {
            let file = key_file.file.display();
            format!(
                "a master key is in {file}; name it by BIST_MASTER_KEY_FILE and keep a copy away \
                 from the data, for no secret can be opened without it"
            )
        })
    }
}

impl StoredCommand {
    async fn run(self, app: &App, terminal: &Terminal) -> anyhow::Result<()> {
        match self {
            Self::Set(args) => {
                let entry = app.add_secret(&args.named.name, &args.value()?).await?;
                told(terminal, entry, "is kept")
            }
            Self::Rotate(args) => {
                let entry = app.rotate_secret(&args.named.name, &args.value()?).await?;
                told(terminal, entry, "has a new value")
            }
            Self::Get(NameArgs { name }) => {
                let secret = app.secret(&name).await?;
                let value = Value { name: name.as_str(), value: secret.expose() };
                terminal.result(&value, || value.value.to_owned())
            }
            Self::List => {
                let items = app.secrets().await?.into_iter().map(Row::from).collect();
                let list = Items { items };
                terminal.result(&list, || table(&list.items))
            }
            Self::Remove(NameArgs { name }) => {
                app.remove_secret(&name).await?;
                let removed = Removed { removed: name.as_str() };
                terminal.result(&removed, || format!("the secret '{name}' is removed"))
            }
            Self::Rekey(RekeyArgs { new_key_file }) => {
                let file = new_key_file.display().to_string();
                let secrets_count = app.rekey_secrets(&MasterKeySource::File(new_key_file)).await?;
                let rekeyed = Rekeyed { secrets_count };
                terminal.result(&rekeyed, || {
                    format!(
                        "secrets sealed under the key in {file}: {secrets_count}; name it by \
                         BIST_MASTER_KEY_FILE, and start servers again"
                    )
                })
            }
        }
    }
}

/// The secret that holds the session at the broker: named after the one with the keys.
pub(super) fn session_name(config: &Config) -> anyhow::Result<SecretName> {
    let Some(StoredCredential { name, .. }) = config.stored_credentials.get(&Source::ALGOLAB)
    else {
        bail!(
            "credentials.algolab names no secret; set it to 'secret:NAME', a secret with \
             API-KEY:USER:PASSWORD"
        );
    };
    let session = format!("{name}.session");
    session.parse().with_context(|| format!("'{session}', the name of the session"))
}

/// Signs in at the broker in two steps.
async fn sign_in(app: &App, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
    let name = session_name(config)?;
    let stored = &config.stored_credentials[&Source::ALGOLAB];
    let keys = AlgoLabKeys::parse(&app.secret(&stored.name).await?)
        .with_context(|| format!("the secret '{}'", stored.name))?;
    let waits = Arc::new(SystemWaits::start());
    let client = HttpClient::new(Source::ALGOLAB, &config.sources[&Source::ALGOLAB], waits)?;
    let sign_in = SignIn::new(&client, &keys);
    let token = sign_in.begin().await?;
    terminal.say("the broker sends a code to the telephone of the account");
    let code = if io::stdin().is_terminal() {
        Secret::new(rpassword::prompt_password("code: ").context("asking for the code")?)
    } else {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).context("standard input")?;
        Secret::new(line)
    };
    let code = Secret::parse(code.expose()).context("the code is refused")?;
    let session = sign_in.finish(&token, &code).await?;
    told(terminal, app.put_secret(&name, &session).await?, "holds the session")
}

impl ValueArgs {
    /// The value, from where the user has it; never from an argument, which others can see.
    fn value(&self) -> anyhow::Result<Secret> {
        let name = &self.named.name;
        let (text, from) = match &self.from_file {
            Some(path) => {
                let from = format!("the file {}", path.display());
                (File::open(path).and_then(read).with_context(|| from.clone())?, from)
            }
            None if io::stdin().is_terminal() => {
                let asked = rpassword::prompt_password(format!("value of '{name}': "));
                (Secret::new(asked.context("asking for the value")?), "the value".to_owned())
            }
            None => {
                let from = "standard input".to_owned();
                (read(io::stdin().lock()).with_context(|| from.clone())?, from)
            }
        };
        Secret::parse(text.expose()).with_context(|| format!("{from} is refused"))
    }
}

/// What can be read, up to a little more than a secret may have.
fn read(reader: impl Read) -> io::Result<Secret> {
    // Large enough from the beginning, so that no copy is left behind by growing.
    let mut text = String::with_capacity(2 * READ_BYTES_MAX);
    reader.take(READ_BYTES_MAX as u64).read_to_string(&mut text)?;
    Ok(Secret::new(text))
}

fn told(terminal: &Terminal, entry: SecretEntry, what: &str) -> anyhow::Result<()> {
    let row = Row::from(entry);
    terminal.result(&row, || format!("the secret '{}' {what}, revision {}", row.name, row.revision))
}

fn table(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "there are no secrets; bist secrets set NAME adds one".to_owned();
    }
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or_default().max(4);
    let lines = rows.iter().map(|Row { name, revision, set_at, is_own }| {
        let set_at = set_at.strftime("%Y-%m-%d %H:%M:%S UTC");
        let whose = if *is_own { "  (the product's own)" } else { "" };
        format!("{name:width$}  {revision:>8}  {set_at}{whose}\n")
    });
    let head = format!("{:width$}  revision  set\n", "name");
    std::iter::once(head).chain(lines).collect()
}
