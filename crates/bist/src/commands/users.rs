//! `bist users`: accounts, made and looked after on the machine itself.

use std::fmt::Write as _;

use bist_access::{Account, FactorKind, Role};
use bist_app::App;
use bist_app::access::Invited;
use bist_app::access::users::AccountStep;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use super::open_directory;
use crate::config::Config;
use crate::terminal::Terminal;

/// What the first administrator is called unless told otherwise.
pub(super) const ADMINISTRATOR: &str = "admin";

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// Make an administrator; prints a link by which the password is set, once
    CreateAdmin(CreateAdminArgs),
    /// Make an account; prints a link by which its owner sets the password, once
    Create(CreateArgs),
    /// All accounts
    List,
    /// Give an account another role; its sessions end
    SetRole(SetRoleArgs),
    /// Keep the owner of an account out; its sessions end
    Disable(UserArgs),
    /// Let the owner of an account in again
    Enable(UserArgs),
    /// Take password and sessions of an account away; prints a link for another password
    Reset(UserArgs),
    /// Take the second factor of an account away, of which its owner has lost all ways; its sessions end
    RemoveSecondFactor(UserArgs),
    /// End all sessions of an account, or of everybody
    SignOut(SignOutArgs),
    /// Forget who the owner of an account is; the audit stays whole
    Erase(UserArgs),
}

#[derive(Args, Debug)]
pub(crate) struct CreateAdminArgs {
    /// By what the administrator signs in
    #[arg(long, value_name = "NAME", default_value = ADMINISTRATOR)]
    name: String,
}

#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    /// By what the owner signs in
    #[arg(value_name = "NAME")]
    name: String,
    /// What the owner may do: viewer, trader, analyst or admin
    #[arg(long, default_value = "viewer")]
    role: Role,
}

#[derive(Args, Debug)]
pub(crate) struct SetRoleArgs {
    #[command(flatten)]
    user: UserArgs,
    /// What the owner may do: viewer, trader, analyst or admin
    #[arg(value_name = "ROLE")]
    role: Role,
}

#[derive(Args, Debug)]
pub(crate) struct UserArgs {
    /// The user name, or the name of the account for programs
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct SignOutArgs {
    /// The user name, or the name of the account for programs
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Everybody
    #[arg(long)]
    all: bool,
}

/// An account.
#[derive(Serialize)]
struct Row {
    id: String,
    user_name: String,
    role: &'static str,
    state: &'static str,
    second_factor_kinds: Vec<&'static str>,
    created_at: Timestamp,
    last_signed_in_at: Option<Timestamp>,
}

impl From<&Account> for Row {
    fn from(account: &Account) -> Self {
        let kinds = account.second_factor.kinds().into_iter();
        Self {
            id: account.id.to_string(),
            user_name: account.user_name.to_string(),
            role: account.role.as_str(),
            state: account.state.as_str(),
            second_factor_kinds: kinds.map(FactorKind::as_str).collect(),
            created_at: account.created_at,
            last_signed_in_at: account.last_signed_in_at,
        }
    }
}

/// A JSON document that is a list.
#[derive(Serialize)]
struct Items {
    items: Vec<Row>,
}

/// An account with the link for its owner.
#[derive(Serialize)]
struct Link {
    user: Row,
    link: String,
    expires_at: Timestamp,
}

/// Sessions that ended.
#[derive(Serialize)]
struct SignedOut {
    ended_count: u64,
}

/// An account whose owner is forgotten.
#[derive(Serialize)]
struct Erased {
    erased: String,
}

impl UsersCommand {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open_directory(config).await?;
        let done = self.run_on(&app, config, terminal).await;
        app.close().await;
        done
    }

    async fn run_on(self, app: &App, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let change = async |name: &str, step: AccountStep| -> anyhow::Result<()> {
            let account = app.change_user(name, step).await?;
            let row = Row::from(&account);
            terminal.result(&row, || {
                format!(
                    "the account '{}' is {} with the role {}",
                    row.user_name, row.state, row.role
                )
            })
        };
        match self {
            Self::CreateAdmin(CreateAdminArgs { name }) => {
                let invited = app.invite(&name, Role::Admin).await?;
                tell_link(terminal, &config.base_url(), &invited)
            }
            Self::Create(CreateArgs { name, role }) => {
                let invited = app.invite(&name, role).await?;
                tell_link(terminal, &config.base_url(), &invited)
            }
            Self::List => {
                let list = Items { items: app.users().await?.iter().map(Row::from).collect() };
                terminal.result(&list, || table(&list.items))
            }
            Self::SetRole(SetRoleArgs { user, role }) => {
                change(&user.name, AccountStep { role: Some(role), disabled: None }).await
            }
            Self::Disable(user) => {
                change(&user.name, AccountStep { role: None, disabled: Some(true) }).await
            }
            Self::Enable(user) => {
                change(&user.name, AccountStep { role: None, disabled: Some(false) }).await
            }
            Self::Reset(user) => {
                let invited = app.reset_user(&user.name).await?;
                tell_link(terminal, &config.base_url(), &invited)
            }
            Self::RemoveSecondFactor(user) => {
                let row = Row::from(&app.remove_second_factor(&user.name).await?);
                terminal.result(&row, || {
                    format!("the account '{}' has no second factor any more", row.user_name)
                })
            }
            Self::SignOut(SignOutArgs { name, all: _ }) => {
                let ended_count = match name {
                    Some(name) => app.sign_user_out(&name).await?,
                    None => app.sign_everybody_out().await?,
                };
                terminal
                    .result(&SignedOut { ended_count }, || format!("{ended_count} sessions ended"))
            }
            Self::Erase(user) => {
                let erased = Erased { erased: app.erase_user(&user.name).await?.to_string() };
                terminal.result(&erased, || {
                    format!("whoever was behind the account {} is forgotten", erased.erased)
                })
            }
        }
    }
}

/// The link by which the owner of an account sets a password.
pub(super) fn link(base_url: &str, invited: &Invited) -> String {
    format!("{base_url}/invitation#{}", invited.token.expose())
}

/// Prints the link by which the owner of an account sets a password.
fn tell_link(terminal: &Terminal, base_url: &str, invited: &Invited) -> anyhow::Result<()> {
    let link = Link {
        user: Row::from(&invited.account),
        link: link(base_url, invited),
        expires_at: invited.expires_at,
    };
    terminal.result(&link, || {
        format!(
            "open this link within three days to set the password of '{}' ({}); it works once:\n{}",
            link.user.user_name, link.user.role, link.link
        )
    })
}

fn table(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "there are no accounts; bist users create-admin makes the first one".to_owned();
    }
    let width = rows.iter().map(|row| row.user_name.len()).max().unwrap_or_default().max(4);
    let mut text = format!(
        "{:width$}  {:7}  {:8}  {:25}  {:17}  account\n",
        "name", "role", "state", "second factor", "last signed in"
    );
    for row in rows {
        let factor = match &row.second_factor_kinds[..] {
            [] => "off".to_owned(),
            kinds => kinds.join(" and "),
        };
        let last = row.last_signed_in_at;
        let last = last.map_or("never".to_owned(), |at| at.strftime("%Y-%m-%d %H:%MZ").to_string());
        let Row { id, user_name, role, state, .. } = row;
        // Writing to a text cannot fail.
        writeln!(text, "{user_name:width$}  {role:7}  {state:8}  {factor:25}  {last:17}  {id}")
            .ok();
    }
    text
}
