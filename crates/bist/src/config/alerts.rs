//! How people are told of alerts: the server of mail, the bot of Telegram, whom webhooks may reach.

use anyhow::{Context, bail};
use bist_access::{Outside, SecretName};
use bist_app::alerts::{AlertSettings, SmtpSecurity, SmtpSettings, TelegramSettings};
use ipnet::IpNet;
use serde::Deserialize;

use super::secrets::reference;

/// Where the service of bots is unless the file says otherwise.
const TELEGRAM_DEFAULT: &str = "https://api.telegram.org";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertsSection {
    telegram_token: Option<String>,
    telegram_url: Option<String>,
    #[serde(default)]
    webhook_networks: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SmtpSection {
    host: String,
    port: Option<u16>,
    security: Option<String>,
    user: Option<String>,
    password: Option<String>,
    from: String,
}

/// How people are told, by the sections `[alerts]` and `[smtp]`.
pub(super) fn load(
    section: &AlertsSection,
    smtp: Option<&SmtpSection>,
    public_url: Option<String>,
) -> anyhow::Result<AlertSettings> {
    let network = |text: &String| {
        text.parse::<IpNet>().with_context(|| {
            format!("alerts.webhook_networks: '{text}' is no network; give one such as 10.0.0.0/8")
        })
    };
    let networks: Vec<IpNet> =
        section.webhook_networks.iter().map(network).collect::<anyhow::Result<_>>()?;
    let token = section.telegram_token.as_deref();
    let token = token.map(|text| secret("alerts.telegram_token", text)).transpose()?;
    let base_url = section.telegram_url.as_deref().unwrap_or(TELEGRAM_DEFAULT);
    if !base_url.starts_with("https://") && !base_url.starts_with("http://127.0.0.1") {
        bail!("alerts.telegram_url is '{base_url}'; give an address that begins with https://");
    }
    Ok(AlertSettings {
        smtp: smtp.map(mail).transpose()?,
        telegram: token.map(|token| TelegramSettings { base_url: base_url.to_owned(), token }),
        outside: Outside::and(networks),
        public_url,
    })
}

fn mail(section: &SmtpSection) -> anyhow::Result<SmtpSettings> {
    let (security, port) = match section.security.as_deref() {
        None | Some("tls") => (SmtpSecurity::Tls, 465),
        Some("starttls") => (SmtpSecurity::Starttls, 587),
        Some("none") => (SmtpSecurity::None, 25),
        Some(other) => bail!("smtp.security is '{other}'; give tls, starttls or none"),
    };
    let credentials = match (&section.user, &section.password) {
        (None, None) => None,
        (Some(user), Some(password)) => Some((user.clone(), secret("smtp.password", password)?)),
        _ => bail!("smtp.user and smtp.password belong together; give both or none"),
    };
    if security == SmtpSecurity::None && credentials.is_some() {
        bail!(
            "smtp.security is none, and a password would pass in the clear; give tls or starttls"
        );
    }
    let port = section.port.unwrap_or(port);
    SmtpSettings::new(&section.host, port, security, credentials, &section.from)
        .map_err(|problem| anyhow::anyhow!("smtp.from: {problem}"))
}

/// The secret that a setting names.
fn secret(setting: &str, text: &str) -> anyhow::Result<SecretName> {
    let name = reference(text).with_context(|| setting.to_owned())?;
    name.with_context(|| {
        format!("{setting} is no secret; keep it by `bist secrets set NAME`, and give secret:NAME")
    })
}
