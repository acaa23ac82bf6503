//! `bist keys`: API keys of programs, made and taken back on the machine itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bist_access::api_key::{KEY_DAYS_DEFAULT, parse_networks};
use bist_access::{ApiKey, KeyRequest, Scope};
use bist_app::App;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use super::open_directory;
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key that acts in the name of an account; it is printed once
    Create(CreateArgs),
    /// All keys, without what proves that one has them
    List,
    /// Put a key that can do the same in the place of one; the old one is good for seven days more
    Rotate(KeyArgs),
    /// Show what opens a key that was made in place of another near its end; once
    Collect(KeyArgs),
    /// Take a key back, at once
    Revoke(KeyArgs),
}

#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    /// In whose name the key acts: the user name, or the name of the account for programs
    #[arg(long, value_name = "NAME")]
    user: String,
    /// What to call the key
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// What it may do: read, trade, analyse or admin, never more than the account; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", default_value = "read")]
    scopes: Vec<Scope>,
    /// A network from which it may be used, such as 203.0.113.0/24; may be repeated
    #[arg(long = "address", value_name = "NETWORK")]
    addresses: Vec<String>,
    /// How many days it is good for
    #[arg(long, value_name = "DAYS", default_value_t = KEY_DAYS_DEFAULT)]
    days: u16,
    /// Have a successor made seven days before its end; the program itself, or `bist keys collect`,
    /// fetches it
    #[arg(long)]
    auto_rotate: bool,
}

#[derive(Args, Debug)]
pub(crate) struct KeyArgs {
    /// The name of the key, such as k0123456789abcdef
    #[arg(value_name = "KEY")]
    key: String,
}

/// A key.
#[derive(Serialize)]
struct Row {
    id: String,
    user_name: String,
    name: String,
    scopes: Vec<&'static str>,
    addresses: Vec<String>,
    state: &'static str,
    created_at: Timestamp,
    expires_at: Timestamp,
    last_used_at: Option<Timestamp>,
    replaced_by: Option<String>,
    auto_rotate: bool,
    is_uncollected: bool,
    /// When there are seven days or fewer.
    ends_in_days: Option<i64>,
}

impl Row {
    fn of(key: &ApiKey, user_name: &str, now: Timestamp) -> Self {
        Self {
            id: key.id.to_string(),
            user_name: user_name.to_owned(),
            name: key.name.clone(),
            scopes: key.scopes.iter().map(|scope| scope.as_str()).collect(),
            addresses: key.networks.iter().map(ToString::to_string).collect(),
            state: key.state(now).as_str(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            replaced_by: key.replaced_by.as_ref().map(ToString::to_string),
            auto_rotate: key.auto_rotate,
            is_uncollected: key.is_uncollected,
            ends_in_days: key.ends_soon(now).then(|| key.days_left(now)),
        }
    }
}

/// A JSON document that is a list.
#[derive(Serialize)]
struct Items {
    items: Vec<Row>,
}

/// A key that was just made.
#[derive(Serialize)]
struct Made {
    key: Row,
    token: String,
}

impl KeysCommand {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open_directory(config).await?;
        let done = self.run_on(&app, terminal).await;
        app.close().await;
        done
    }

    async fn run_on(self, app: &App, terminal: &Terminal) -> anyhow::Result<()> {
        let now = app.now();
        match self {
            Self::Create(args) => {
                let owner = app.user(&args.user).await?;
                let request = KeyRequest {
                    name: args.name,
                    scopes: BTreeSet::from_iter(args.scopes),
                    networks: parse_networks(&args.addresses)?,
                    days: args.days,
                    auto_rotate: args.auto_rotate,
                };
                let made = app.make_key(&owner, &request).await?;
                let key = Row::of(&made.key, owner.user_name.as_str(), now);
                tell(terminal, &Made { key, token: made.token.expose().to_owned() })
            }
            Self::List => {
                let users = app.users().await?.into_iter();
                let names: BTreeMap<_, _> =
                    users.map(|user| (user.id, user.user_name.to_string())).collect();
                let name_of = |key: &ApiKey| names.get(&key.account).map_or("", String::as_str);
                let keys = app.api_keys(None).await?;
                let items = keys.iter().map(|key| Row::of(key, name_of(key), now)).collect();
                let list = Items { items };
                terminal.result(&list, || table(&list.items))
            }
            Self::Rotate(KeyArgs { key }) => {
                let (made, _) = app.rotate_key(&key, None).await?;
                let owner = app.user(made.key.account.as_str()).await?;
                let key = Row::of(&made.key, owner.user_name.as_str(), now);
                tell(terminal, &Made { key, token: made.token.expose().to_owned() })
            }
            Self::Collect(KeyArgs { key }) => {
                let made = app.collect_key(&key, None).await?;
                let owner = app.user(made.key.account.as_str()).await?;
                let key = Row::of(&made.key, owner.user_name.as_str(), now);
                tell(terminal, &Made { key, token: made.token.expose().to_owned() })
            }
            Self::Revoke(KeyArgs { key }) => {
                let key = app.revoke_key(&key, None).await?;
                let owner = app.user(key.account.as_str()).await?;
                let row = Row::of(&key, owner.user_name.as_str(), now);
                terminal.result(&row, || format!("the key {} is good for nothing now", row.id))
            }
        }
    }
}

/// Prints a key that was just made.
fn tell(terminal: &Terminal, made: &Made) -> anyhow::Result<()> {
    terminal.result(made, || {
        format!(
            "the key '{}' of '{}' is good until {}; it is shown once:\n{}",
            made.key.name,
            made.key.user_name,
            made.key.expires_at.strftime("%Y-%m-%d"),
            made.token
        )
    })
}

fn table(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "there are no API keys; bist keys create makes one".to_owned();
    }
    let width = rows.iter().map(|row| row.user_name.len()).max().unwrap_or_default().max(5);
    let mut text = format!(
        "{:17}  {:width$}  {:7}  {:10}  {:17}  {:24}  name\n",
        "key", "owner", "state", "expires", "last used", "scopes"
    );
    for row in rows {
        let used = row.last_used_at;
        let used = used.map_or("never".to_owned(), |at| at.strftime("%Y-%m-%d %H:%MZ").to_string());
        let (expires, scopes) = (row.expires_at.strftime("%Y-%m-%d"), row.scopes.join(" "));
        let Row { id, user_name, state, name, .. } = row;
        let todo = todo(row);
        // Writing to a text cannot fail.
        writeln!(
            text,
            "{id:17}  {user_name:width$}  {state:7}  {expires}  {used:17}  {scopes:24}  {name}{todo}"
        )
        .ok();
    }
    text
}

/// What is to be done about a key, behind its name.
fn todo(row: &Row) -> String {
    let days = |count: i64| if count == 1 { "1 day".to_owned() } else { format!("{count} days") };
    match (row.ends_in_days, &row.replaced_by) {
        _ if row.is_uncollected => format!("  (not collected: bist keys collect {})", row.id),
        (Some(left), None) => format!("  (ends in {}: rotate it)", days(left)),
        (Some(left), Some(next)) => format!("  (ends in {}: {next} takes its place)", days(left)),
        (None, _) => String::new(),
    }
}
