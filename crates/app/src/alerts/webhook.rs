//! Signed requests to servers that people name.

use std::error::Error as _;
use std::time::Duration;

use bist_access::WebhookKey;
use bist_store::ClaimedDelivery;
use serde_json::json;

use super::WEBHOOK;
use super::address;
use super::problem::DeliveryProblem;
use crate::App;
use crate::access::own_name;

/// The longest wait that a receiver may ask for.
const WAIT_MAX: Duration = Duration::from_secs(6 * 3_600);

impl App {
    pub(super) async fn send_webhook(
        &self,
        url: &str,
        delivery: &ClaimedDelivery,
    ) -> Result<(), DeliveryProblem> {
        // The list of the operator may be another one since it was set up.
        let outside = &self.alerting.settings.outside;
        let url = address::webhook(url, outside).map_err(DeliveryProblem::lasting)?;
        let name = own_name(&format!("{WEBHOOK}{}", delivery.account));
        let key = self.secret(&name).await.map_err(|error| {
            tracing::error!(%error, "a key of webhooks cannot be had: {error}");
            DeliveryProblem::passing("the key that signs cannot be had")
        })?;
        let key = WebhookKey::from_text(&key)
            .map_err(|error| DeliveryProblem::lasting(error.to_string()))?;
        let document = &delivery.document;
        let body = json!({
            "type": if document.condition.is_some() { "alert.fired" } else { "alert.test" },
            "timestamp": delivery.fired_at,
            "data": {
                "id": delivery.alert.as_str(),
                "rule_name": document.rule_name,
                "condition": document.condition,
                "as_of": document.as_of,
                "observed": document.observed,
                "text": document.text,
            },
        })
        .to_string();
        let (id, timestamp_s) = (delivery.alert.as_str(), self.now().as_second());
        let client = self.alerting.outside.as_ref().map_err(DeliveryProblem::passing)?;
        let sent = client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp_s.to_string())
            .header("webhook-signature", key.signature(id, timestamp_s, body.as_bytes()))
            .body(body)
            .send()
            .await;
        let answer = sent.map_err(|error| {
            let error = error.without_url();
            let mut cause = error.source();
            while let Some(deeper) = cause.and_then(|cause| cause.source()) {
                cause = Some(deeper);
            }
            let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
            DeliveryProblem::passing(format!("the webhook cannot be asked{cause}"))
        })?;
        let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let wait = wait.and_then(|text| text.parse().ok()).map(Duration::from_secs);
        let wait = wait.map(|wait| wait.min(WAIT_MAX));
        match DeliveryProblem::of_status(answer.status().as_u16(), wait) {
            None => Ok(()),
            Some(problem) => Err(problem),
        }
    }
}
