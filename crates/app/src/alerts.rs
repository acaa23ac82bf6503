//! Alerts: rules of people, what they fired, and where their owners are told.
//!
//! Rules are looked at when data have changed ([`App::follow_alerts`]). What fires is kept with what
//! is to be told in one transaction, and told from there until it is delivered or given up: see
//! docs/adr/0036-alerts.md.

mod address;
mod delivery;
mod email;
mod facts;
mod look;
mod outside;
mod problem;
mod telegram;
mod webhook;

use std::time::Duration;

use bist_access::{
    Account, AlertId, AlertRuleId, AuditAction, MasterKey, Outside, SealedSecrets, Secret,
    SecretName, SecretsError, WebhookKey,
};
use bist_market::breaker::BreakerState;
use bist_store::{
    AccessChange, Alert, AlertDocument, NewAlert, OutsidePart, StoredChannel, StoredRule,
};
use bist_trading::alert::{ALERT_RULES_MAX, AlertText, ChannelAddress};
use bist_trading::{AlertRule, Channel};
use jiff::SignedDuration;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde_json::json;

use crate::App;
use crate::access::{about, own_name};
use crate::personal::{PersonalError, done};
use crate::secrets::SecretStoreError;

pub(crate) use outside::{USER_AGENT, client_for_named as outside_client, client_for_this_machine};

pub use email::{SmtpSecurity, SmtpSettings};
pub use look::AlertsLook;
pub use telegram::TelegramSettings;

/// What the name of a key of webhooks begins with; the account follows.
const WEBHOOK: &str = "bist.webhook.";

/// Test messages of one person in an hour: enough to set a channel up, too few to pester anybody.
const TESTS_MAX: u64 = 5;

/// Failures in a row after which a server of mail or Telegram is left alone.
const FAILURES_MAX: u32 = 3;

/// For how long; what is due meanwhile waits, and no attempt of it is used up.
const LEFT_ALONE_FOR: Duration = Duration::from_secs(60);

/// How people are told; without anything they are told in the web app, and by webhooks.
#[derive(Clone, Debug, Default)]
pub struct AlertSettings {
    /// The server of mail.
    pub smtp: Option<SmtpSettings>,
    /// The bot of Telegram.
    pub telegram: Option<TelegramSettings>,
    /// Whom webhooks may reach.
    pub outside: Outside,
    /// The address of the pages, for links.
    pub public_url: Option<String>,
}

/// The ways to tell people, ready to be used.
#[derive(Debug)]
pub(crate) struct Alerting {
    settings: AlertSettings,
    /// Asks whomever people name.
    outside: Result<reqwest::Client, String>,
    /// Asks whom the operator names.
    named: Result<reqwest::Client, String>,
    /// The server of mail.
    mail: OutsidePart,
    /// The service of Telegram.
    telegram: OutsidePart,
}

impl Default for Alerting {
    fn default() -> Self {
        Self::new(AlertSettings::default())
    }
}

impl Alerting {
    pub(crate) fn new(settings: AlertSettings) -> Self {
        let client = |of: Option<&Outside>| {
            outside::client(of).map_err(|error| format!("no HTTP client can be made: {error}"))
        };
        let part = || OutsidePart::new(FAILURES_MAX, LEFT_ALONE_FOR);
        let (outside, named) = (client(Some(&settings.outside)), client(None));
        Self { outside, named, mail: part(), telegram: part(), settings }
    }

    /// What is asked outside to tell people by `channel`. Webhooks are asked one by one, as each belongs
    /// to somebody; one that fails is no trouble of this server.
    fn part(&self, channel: Channel) -> Option<&OutsidePart> {
        let part = match channel {
            Channel::Web | Channel::Webhook => return None,
            Channel::Email => &self.mail,
            Channel::Telegram => &self.telegram,
        };
        self.has(channel).then_some(part)
    }

    /// Whether what is outside is being asked, by its name.
    pub(crate) fn states(&self) -> impl Iterator<Item = (&'static str, BreakerState)> {
        let parts = [("mail", Channel::Email), ("telegram", Channel::Telegram)];
        parts.into_iter().filter_map(|(name, of)| Some((name, self.part(of)?.state())))
    }

    /// Whether the server can tell anybody by `channel`.
    fn has(&self, channel: Channel) -> bool {
        match channel {
            Channel::Web | Channel::Webhook => true,
            Channel::Email => self.settings.smtp.is_some(),
            Channel::Telegram => self.settings.telegram.is_some(),
        }
    }
}

impl App {
    /// By which channels this server tells people.
    pub fn alert_channels_offered(&self) -> Vec<Channel> {
        Channel::ALL.into_iter().filter(|channel| self.alerting.has(*channel)).collect()
    }

    /// The rules of `account`, the oldest first.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when the database fails.
    pub async fn alert_rules(&self, account: &Account) -> Result<Vec<StoredRule>, PersonalError> {
        Ok(self.store.alert_rules(&account.id).await?)
    }

    /// Makes a rule of `account`.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when it is none, its share is not known, there are too many, or the database
    /// fails.
    pub async fn add_alert_rule(
        &self,
        account: &Account,
        rule: AlertRule,
    ) -> Result<StoredRule, PersonalError> {
        let rule = rule.checked()?;
        self.require_symbols(rule.condition.symbol().as_slice()).await?;
        let id = AlertRuleId::generate(&mut UnwrapErr(SysRng));
        let added =
            self.store.add_alert_rule(&account.id, &id, &rule, ALERT_RULES_MAX, self.now()).await?;
        if !added {
            return Err(PersonalError::TooMany { what: "alert rules", max: ALERT_RULES_MAX });
        }
        self.stored_rule(account, &id).await
    }

    /// Puts `rule` in the place of the rule `id` of `account`, who has seen `revision`.
    ///
    /// # Errors
    ///
    /// As [`App::add_alert_rule`], and when there is no such rule or it was changed meanwhile.
    pub async fn change_alert_rule(
        &self,
        account: &Account,
        id: &str,
        revision: u64,
        rule: AlertRule,
    ) -> Result<StoredRule, PersonalError> {
        let rule = rule.checked()?;
        let id = rule_id(id)?;
        self.require_symbols(rule.condition.symbol().as_slice()).await?;
        let changed =
            self.store.change_alert_rule(&account.id, &id, revision, &rule, self.now()).await?;
        done(changed, || PersonalError::NoSuchRule(id.to_string()))?;
        self.stored_rule(account, &id).await
    }

    /// Removes the rule `id` of `account`; what it fired stays in the history.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when there is none, or the database fails.
    pub async fn remove_alert_rule(
        &self,
        account: &Account,
        id: &str,
    ) -> Result<(), PersonalError> {
        let id = rule_id(id)?;
        if !self.store.remove_alert_rule(&account.id, &id).await? {
            return Err(PersonalError::NoSuchRule(id.to_string()));
        }
        self.live.stir();
        Ok(())
    }

    async fn stored_rule(
        &self,
        account: &Account,
        id: &AlertRuleId,
    ) -> Result<StoredRule, PersonalError> {
        self.live.stir();
        let rules = self.store.alert_rules(&account.id).await?;
        let stored = rules.into_iter().find(|stored| stored.id == *id);
        stored.ok_or_else(|| PersonalError::NoSuchRule(id.to_string()))
    }

    /// What the rules of `account` fired, the newest first, before the place `before` where it is given.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when the database fails.
    pub async fn alerts(
        &self,
        account: &Account,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Alert>, PersonalError> {
        Ok(self.store.alerts(&account.id, before, limit).await?)
    }

    /// How many alerts `account` has not read.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when the database fails.
    pub async fn unread_alerts_count(&self, account: &Account) -> Result<u64, PersonalError> {
        Ok(self.store.unread_alerts_count(&account.id).await?)
    }

    /// Notes that `account` has read everything up to the place `number`.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when the database fails.
    pub async fn read_alerts(&self, account: &Account, number: u64) -> Result<(), PersonalError> {
        if self.store.read_alerts(&account.id, number, self.now()).await? > 0 {
            self.live.stir();
        }
        Ok(())
    }

    /// Where `account` is told.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when the database fails.
    pub async fn alert_channels(
        &self,
        account: &Account,
    ) -> Result<Vec<StoredChannel>, PersonalError> {
        Ok(self.store.alert_channels(&account.id).await?)
    }

    /// Tells `account` at `address` from now on. For a webhook this makes a new key, which is returned
    /// and never shown again; the one before signs nothing any more.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when the server has no such channel, the address is none, or the database or
    /// the secrets fail.
    pub async fn set_alert_channel(
        &self,
        account: &Account,
        address: &ChannelAddress,
    ) -> Result<Option<Secret>, PersonalError> {
        let channel = address.channel();
        if !self.alerting.has(channel) {
            return Err(PersonalError::Unavailable(channel));
        }
        address::check(address, &self.alerting.settings.outside)
            .map_err(|problem| PersonalError::Address { channel, problem })?;
        let (audit, master) = (self.audit().await?, self.master_key().await?);
        let key = matches!(channel, Channel::Webhook)
            .then(|| WebhookKey::generate(&mut UnwrapErr(SysRng)).to_text());
        let mut change = self.store.change_access().await?;
        change.set_alert_channel(&account.id, address, audit.at).await?;
        if let Some(key) = &key {
            let name = webhook_key_name(account);
            let keep = |sealed: &mut SealedSecrets| {
                sealed.set(&master, &name, key, audit.at, &mut UnwrapErr(SysRng))?;
                Ok::<_, SecretStoreError>(())
            };
            change.change_secrets(keep).await?;
        }
        let mut note = about(account, AuditAction::AlertChannelSet);
        note.details = [("channel", json!(channel.as_str()))].into();
        change.commit(&audit, vec![note]).await?;
        self.live.stir();
        Ok(key)
    }

    /// Tells `account` by `channel` no more.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when they are not told there, or the database or the secrets fail.
    pub async fn remove_alert_channel(
        &self,
        account: &Account,
        channel: Channel,
    ) -> Result<(), PersonalError> {
        let (audit, master) = (self.audit().await?, self.master_key().await?);
        let mut change = self.store.change_access().await?;
        if !change.remove_alert_channel(&account.id, channel).await? {
            return Err(PersonalError::NotSetUp(channel));
        }
        if matches!(channel, Channel::Webhook) {
            forget_webhook_key(&mut change, &master, account).await?;
        }
        let mut note = about(account, AuditAction::AlertChannelRemoved);
        note.details = [("channel", json!(channel.as_str()))].into();
        change.commit(&audit, vec![note]).await?;
        self.live.stir();
        Ok(())
    }

    /// Sends `account` a message by `channel` that says it is a test, the way that alerts go.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when they are not told there, tests were sent a moment ago, or the database
    /// fails.
    pub async fn test_alert_channel(
        &self,
        account: &Account,
        channel: Channel,
    ) -> Result<(), PersonalError> {
        let channels = self.store.alert_channels(&account.id).await?;
        let is_set_up = channels.iter().any(|stored| stored.address.channel() == channel);
        if !is_set_up && !matches!(channel, Channel::Web) {
            return Err(PersonalError::NotSetUp(channel));
        }
        let now = self.now();
        let since = now - SignedDuration::from_hours(1);
        if self.store.alert_tests_since(&account.id, since).await? >= TESTS_MAX {
            return Err(PersonalError::TooManyTests(TESTS_MAX));
        }
        let id = AlertId::generate(&mut UnwrapErr(SysRng));
        let text = AlertText {
            tr: "Bu bir deneme bildirimidir; hiçbir kural tetiklenmedi.".to_owned(),
            en: "This is a test; no rule has fired.".to_owned(),
        };
        let document = AlertDocument {
            rule_name: "BIST AI Smart Trader".to_owned(),
            condition: None,
            as_of: None,
            observed: None,
            text,
        };
        let fact = format!("test:{id}");
        let channels = vec![channel];
        let account = account.id.clone();
        let alert = NewAlert {
            id,
            account,
            rule: None,
            fact,
            fired_at: now,
            document,
            channels,
            due_at: now,
        };
        self.store.add_alert(&alert).await?;
        self.live.stir();
        Ok(())
    }
}

/// Forgets the key of the webhooks of `account`, if there is one.
pub(crate) async fn forget_webhook_key(
    change: &mut AccessChange,
    master: &MasterKey,
    account: &Account,
) -> Result<(), SecretStoreError> {
    let name = webhook_key_name(account);
    let forget =
        |sealed: &mut SealedSecrets| match sealed.remove(master, &name, &mut UnwrapErr(SysRng)) {
            Ok(()) | Err(SecretsError::NoSuchSecret(_)) => Ok(()),
            Err(error) => Err(SecretStoreError::from(error)),
        };
    change.change_secrets(forget).await
}

fn webhook_key_name(account: &Account) -> SecretName {
    own_name(&format!("{WEBHOOK}{}", account.id))
}

fn rule_id(text: &str) -> Result<AlertRuleId, PersonalError> {
    text.parse().map_err(|_| PersonalError::NoSuchRule(text.chars().take(40).collect()))
}
