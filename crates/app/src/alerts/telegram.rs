//! Messages of a bot of Telegram.

use std::time::Duration;

use bist_access::SecretName;
use serde_json::{Value, json};

use super::delivery::Told;
use super::problem::DeliveryProblem;
use crate::App;

/// The longest wait that the service may ask for.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// A bot of Telegram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelegramSettings {
    /// Where its service is.
    pub base_url: String,
    /// The secret that is its token.
    pub token: SecretName,
}

impl App {
    pub(super) async fn send_telegram(
        &self,
        settings: &TelegramSettings,
        chat_id: i64,
        told: &Told,
    ) -> Result<(), DeliveryProblem> {
        let token = self.secret(&settings.token).await.map_err(|error| {
            tracing::error!(%error, "the token of Telegram cannot be had: {error}");
            DeliveryProblem::passing("the server has no token of its bot")
        })?;
        let client = self.alerting.named.as_ref().map_err(DeliveryProblem::passing)?;
        let base = settings.base_url.trim_end_matches('/');
        let url = format!("{base}/bot{}/sendMessage", token.expose());
        let text = format!("{}\n\n{}", told.subject, told.body);
        let body = json!({"chat_id": chat_id, "text": text});
        let sent = client
            .post(url)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await;
        // The address of the request holds the token.
        let mut answer = sent.map_err(|error| {
            DeliveryProblem::away(format!("Telegram cannot be asked: {}", error.without_url()))
        })?;
        let status = answer.status().as_u16();
        let said = answer.chunk().await.ok().flatten().unwrap_or_default();
        let said: Value = serde_json::from_slice(&said).unwrap_or_default();
        let wait = said["parameters"]["retry_after"].as_u64().map(Duration::from_secs);
        match DeliveryProblem::of_status(status, wait.map(|wait| wait.min(WAIT_MAX))) {
            None => Ok(()),
            Some(problem) => {
                let reason: String =
                    said["description"].as_str().unwrap_or("no reason").chars().take(200).collect();
                // A token that is refused is the operator's affair, and may be mended.
                let is_final = problem.is_final && !matches!(status, 401 | 404);
                let text = format!("Telegram refused with the status {status}: {reason}");
                let is_away = status >= 500 || matches!(status, 401 | 404);
                Err(DeliveryProblem { text, is_final, is_away, ..problem })
            }
        }
    }
}
