//! `/api/v1/alerts`: what the rules of who asks fired; the rules, and where their owner is told.

mod channels;
mod condition;
mod rules;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use bist_app::{Alert, App, Delivery, DeliveryState};
use bist_trading::Channel;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, JsonBody, NoParameters, QueryReader};
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX};
use crate::schema::{Instant, document, schema, text};
use crate::visitor::{Asking, Person};

pub(crate) use channels::ChannelResponse;
pub(crate) use rules::RuleResponse;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
        .merge(rules::router())
        .merge(channels::router())
}

/// By what somebody is told.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct ChannelWord(&'static str);

impl From<Channel> for ChannelWord {
    fn from(channel: Channel) -> Self {
        Self(channel.as_str())
    }
}

schema!(
    ChannelWord,
    "AlertChannel",
    text("By what somebody is told.", "web").enum_values(Some(Channel::ALL.map(Channel::as_str)))
);

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, Serialize)]
struct DeliveryWord(&'static str);

schema!(
    DeliveryWord,
    "DeliveryState",
    text(
        "Where a delivery stands: `waiting` while it is tried or will be, `delivered`, or `failed` when \
         it is tried no more.",
        "delivered"
    )
    .enum_values(Some(DeliveryState::ALL.map(DeliveryState::as_str)))
);

/// What was seen.
#[derive(Debug, Serialize)]
struct ObservedDocument(Value);

schema!(
    ObservedDocument,
    "AlertObserved",
    document(
        "What was seen when the rule fired: `kind`, and the numbers of that kind. Prices are decimal \
         strings."
    )
);

/// A sentence in both languages.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertText)]
struct TextResponse {
    /// In Turkish.
    tr: String,
    /// In English.
    en: String,
}

/// How an alert was told by a channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertDelivery)]
struct DeliveryResponse {
    /// By which.
    channel: ChannelWord,
    /// Where it stands.
    state: DeliveryWord,
    /// How often it was tried.
    attempts_count: u64,
    /// When it is tried next; null once it has ended.
    #[schema(required)]
    due_at: Option<Instant>,
    /// When it ended.
    #[schema(required)]
    ended_at: Option<Instant>,
    /// What the last attempt that failed said.
    #[schema(required)]
    problem: Option<String>,
}

impl From<Delivery> for DeliveryResponse {
    fn from(delivery: Delivery) -> Self {
        Self {
            channel: delivery.channel.into(),
            state: DeliveryWord(delivery.state.as_str()),
            attempts_count: delivery.attempts_count,
            due_at: delivery.ended_at.is_none().then_some(Instant(delivery.due_at)),
            ended_at: delivery.ended_at.map(Instant),
            problem: delivery.problem,
        }
    }
}

/// Something that a rule fired, or a test.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Alert)]
pub(crate) struct AlertResponse {
    /// Its name; mails and webhooks carry it, so that a second copy can be told.
    #[schema(example = "a0123456789abcdef")]
    id: String,
    /// Its place in the history, from one.
    number: u64,
    /// The rule that fired, which may be gone; null for a test.
    #[schema(required, example = "r0123456789abcdef")]
    rule: Option<String>,
    /// What the rule was called then.
    rule_name: String,
    /// What the rule waits for; null for a test.
    #[schema(required, example = "price")]
    kind: Option<&'static str>,
    /// Of which share it is, if of one.
    #[schema(required, example = "THYAO")]
    symbol: Option<String>,
    /// When it fired.
    fired_at: Instant,
    /// When it was read.
    #[schema(required)]
    read_at: Option<Instant>,
    /// As of which day, moment or instant the data are; null for a test.
    #[schema(required, example = "2026-11-20")]
    as_of: Option<String>,
    /// What was seen; null for a test.
    #[schema(required)]
    observed: Option<ObservedDocument>,
    /// The same in words.
    text: TextResponse,
    /// How it was told.
    deliveries: Vec<DeliveryResponse>,
}

impl AlertResponse {
    pub(crate) fn of(alert: Alert) -> Result<Self, ApiError> {
        let document = alert.document;
        let observed = document.observed.map(serde_json::to_value).transpose();
        let observed = observed.map_err(|error| ApiError::Internal(error.to_string()))?;
        let condition = document.condition.as_ref();
        Ok(Self {
            id: alert.id.to_string(),
            number: alert.number,
            rule: alert.rule.map(|rule| rule.to_string()),
            rule_name: document.rule_name,
            kind: condition.map(bist_trading::Condition::kind),
            symbol: condition.and_then(|of| of.symbol()).map(|symbol| symbol.to_string()),
            fired_at: Instant(alert.fired_at),
            read_at: alert.read_at.map(Instant),
            as_of: document.as_of,
            observed: observed.map(ObservedDocument),
            text: TextResponse { tr: document.text.tr, en: document.text.en },
            deliveries: alert.deliveries.into_iter().map(Into::into).collect(),
        })
    }
}

/// A page of the history.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertPage)]
struct HistoryResponse {
    /// The alerts of this page, the newest first.
    items: Vec<AlertResponse>,
    /// Give this as `cursor` to get the next page; null at the end of the list.
    #[schema(required)]
    next: Option<String>,
    /// How many alerts of all were not read.
    unread_count: u64,
}

/// Which alerts are wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct HistoryParams {
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^before-[0-9]+$", example = "before-42")]
    cursor: Option<u64>,
}

impl FromQuery for HistoryParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self {
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor(query, "before-", |text| text.parse().ok())?,
        })
    }
}

/// Up to where the history was read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AlertsRead)]
struct ReadRequest {
    /// The number of the newest alert that was read.
    number: u64,
}

/// The channels that `texts` name.
pub(super) fn channels_of(texts: &[String]) -> Result<BTreeSet<Channel>, ApiError> {
    let read = |text: &String| {
        text.parse::<Channel>().map_err(|error| ApiError::Malformed(format!("channels: {error}")))
    };
    texts.iter().map(read).collect()
}

/// What the rules of who asks fired, the newest first
#[utoipa::path(
    get, path = "/api/v1/alerts", tag = "personal", operation_id = "list_alerts",
    params(HistoryParams),
    responses((status = 200, description = "The alerts.", body = HistoryResponse))
)]
async fn list(
    asking: Asking,
    Checked(params): Checked<HistoryParams>,
) -> Result<Json<HistoryResponse>, ApiError> {
    let HistoryParams { limit, cursor } = params;
    let account = &asking.caller.account;
    let mut alerts = asking.app.alerts(account, cursor, limit + 1).await?;
    let has_more = alerts.len() > limit as usize;
    alerts.truncate(limit as usize);
    let last = alerts.last().map(|alert| alert.number).filter(|_| has_more);
    Ok(Json(HistoryResponse {
        next: last.map(|number| format!("before-{number}")),
        unread_count: asking.app.unread_alerts_count(account).await?,
        items: alerts.into_iter().map(AlertResponse::of).collect::<Result<_, _>>()?,
    }))
}

/// Note that alerts were read
#[utoipa::path(
    post, path = "/api/v1/alerts/read", tag = "personal", operation_id = "read_alerts",
    request_body(content = ReadRequest, content_type = "application/json"),
    responses((status = 204, description = "It is noted."))
)]
async fn read(
    person: Person,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<ReadRequest>,
) -> Result<StatusCode, ApiError> {
    person.app.read_alerts(&person.account, request.number).await?;
    Ok(StatusCode::NO_CONTENT)
}
