//! The rules of who asks.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use bist_app::{App, Revised, StoredRule};
use bist_trading::AlertRule;
use bist_trading::alert::{QuietHours, RuleState, Silence};
use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::channels_of;
use super::condition::ConditionDocument;
use crate::error::ApiError;
use crate::extract::{Checked, JsonBody, NoParameters, TextPath};
use crate::openapi::AlertRuleStates;
use crate::paging::Page;
use crate::schema::{Instant, schema, text};
use crate::visitor::{Asking, Person};

/// The routes of this part.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(change, remove))
}

/// Hours in which nothing but the web app tells, by the clock in Istanbul; past midnight where they
/// end before they begin.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuietHours)]
struct QuietHoursDocument {
    /// When they begin.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "22:00")]
    from: String,
    /// When they end.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "08:00")]
    to: String,
}

/// What somebody wants to be told of, and how.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AlertRule)]
struct RuleDocument {
    /// What its owner calls it.
    #[schema(example = "THY 312,50 üstü", min_length = 1, max_length = 60)]
    name: String,
    /// Whether it is looked at.
    enabled: bool,
    /// What must happen.
    condition: ConditionDocument,
    /// By what it is told; in the history it is always.
    #[schema(example = json!(["web"]), max_items = 4)]
    channels: Vec<String>,
    /// For how long it does not fire again, minutes.
    #[schema(maximum = 44640, example = 60)]
    cool_down_minutes: u32,
    /// When nothing but the web app tells of it; the rest is told when they end. Null for never.
    #[serde(default)]
    #[schema(required = false)]
    quiet_hours: Option<QuietHoursDocument>,
}

impl From<&AlertRule> for RuleDocument {
    fn from(rule: &AlertRule) -> Self {
        let time = |time: Time| time.strftime("%H:%M").to_string();
        Self {
            name: rule.name.clone(),
            enabled: rule.enabled,
            condition: (&rule.condition).into(),
            channels: rule.channels.iter().map(ToString::to_string).collect(),
            cool_down_minutes: rule.cool_down_minutes,
            quiet_hours: rule
                .quiet_hours
                .map(|hours| QuietHoursDocument { from: time(hours.from()), to: time(hours.to()) }),
        }
    }
}

impl RuleDocument {
    /// The rule, whose numbers are not checked yet.
    fn rule(self) -> Result<AlertRule, ApiError> {
        let time = |field: &str, text: &str| {
            let time = Time::strptime("%H:%M", text).ok().filter(|_| text.len() == 5);
            time.ok_or_else(|| {
                ApiError::Malformed(format!("quiet_hours.{field}: give a time such as 22:00"))
            })
        };
        let quiet_hours = match &self.quiet_hours {
            None => None,
            Some(hours) => {
                let hours = QuietHours::new(time("from", &hours.from)?, time("to", &hours.to)?);
                Some(hours.map_err(|error| ApiError::Malformed(error.to_string()))?)
            }
        };
        Ok(AlertRule {
            condition: self.condition.condition()?,
            channels: channels_of(&self.channels)?,
            name: self.name,
            enabled: self.enabled,
            cool_down_minutes: self.cool_down_minutes,
            quiet_hours,
        })
    }
}

/// Why nobody can tell whether a rule is met.
#[derive(Clone, Copy, Debug, Serialize)]
struct SilenceWord(&'static str);

schema!(
    SilenceWord,
    "AlertSilence",
    text(
        "Why nobody can tell whether a rule is met: `no_bars`; `stale_bars`, sessions have ended of \
         which there are no bars; `no_change`, there is a break in the series; `too_few_volumes`; \
         `no_signal_before`; `no_forecast` of the session; `not_validated`; `no_drift_look`.",
        "stale_bars"
    )
    .enum_values(Some(Silence::ALL.map(Silence::as_str)))
);

/// What came of a rule when it was last looked at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertRuleState)]
struct StateResponse {
    /// Whether it was met; null when nobody can tell, or it was not looked at yet.
    #[schema(required)]
    is_met: Option<bool>,
    /// Why nobody can tell; null otherwise.
    #[schema(required)]
    silence: Option<SilenceWord>,
    /// When it fired last.
    #[schema(required)]
    fired_at: Option<Instant>,
    /// Until when it does not fire again; null when it may.
    #[schema(required)]
    cools_until: Option<Instant>,
}

impl StateResponse {
    fn of(state: &RuleState, rule: &AlertRule, now: Timestamp) -> Self {
        Self {
            is_met: state.is_met,
            silence: state.silence.map(|silence| SilenceWord(silence.as_str())),
            fired_at: state.fired_at.map(Instant),
            cools_until: state.cools_until(rule, now).map(Instant),
        }
    }
}

/// A rule, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeptAlertRule)]
pub(crate) struct RuleResponse {
    /// Its name for programs.
    #[schema(example = "r0123456789abcdef")]
    id: String,
    /// How often it was written; a change names the one that was seen.
    revision: u64,
    /// When it was made.
    created_at: Instant,
    /// When it was written last.
    updated_at: Instant,
    /// The rule.
    rule: RuleDocument,
    /// What came of it.
    state: StateResponse,
}

impl RuleResponse {
    pub(crate) fn of(stored: &StoredRule, now: Timestamp) -> Self {
        let Revised { value, revision, updated_at } = &stored.rule;
        Self {
            id: stored.id.to_string(),
            revision: *revision,
            created_at: Instant(stored.created_at),
            updated_at: Instant(*updated_at),
            rule: value.into(),
            state: StateResponse::of(&stored.state, value, now),
        }
    }
}

/// What a rule becomes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AlertRuleChange)]
struct ChangeRequest {
    /// The revision that was seen; when another one stands, nothing is changed.
    #[schema(minimum = 1)]
    revision: u64,
    /// The rule.
    rule: RuleDocument,
}

/// The rules of who asks, the oldest first
#[utoipa::path(
    get, path = "/api/v1/alerts/rules", tag = "personal", operation_id = "list_alert_rules",
    responses((status = 200, description = "The rules.", body = Page<RuleResponse>))
)]
async fn list(
    asking: Asking,
    _: Checked<NoParameters>,
) -> Result<Json<Page<RuleResponse>>, ApiError> {
    let (rules, now) = (asking.app.alert_rules(&asking.caller.account).await?, asking.app.now());
    let items = rules.iter().map(|stored| RuleResponse::of(stored, now)).collect();
    Ok(Json(Page { items, next: None }))
}

/// Make a rule
#[utoipa::path(
    post, path = "/api/v1/alerts/rules", tag = "personal", operation_id = "add_alert_rule",
    request_body(content = RuleDocument, content_type = "application/json"),
    responses((status = 201, description = "The rule.", body = RuleResponse), AlertRuleStates)
)]
async fn add(
    person: Person,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<RuleDocument>,
) -> Result<(StatusCode, Json<RuleResponse>), ApiError> {
    let added = person.app.add_alert_rule(&person.account, request.rule()?).await?;
    Ok((StatusCode::CREATED, Json(RuleResponse::of(&added, person.app.now()))))
}

/// Write a rule anew; what came of it is forgotten
#[utoipa::path(
    patch, path = "/api/v1/alerts/rules/{rule}", tag = "personal", operation_id = "change_alert_rule",
    params(("rule" = String, Path, description = "The name of the rule for programs.", example = "r0123456789abcdef")),
    request_body(content = ChangeRequest, content_type = "application/json"),
    responses((status = 200, description = "The rule as it is now.", body = RuleResponse), AlertRuleStates)
)]
async fn change(
    person: Person,
    TextPath(rule): TextPath,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<ChangeRequest>,
) -> Result<Json<RuleResponse>, ApiError> {
    let ChangeRequest { revision, rule: document } = request;
    let to = document.rule()?;
    let changed = person.app.change_alert_rule(&person.account, &rule, revision, to).await?;
    Ok(Json(RuleResponse::of(&changed, person.app.now())))
}

/// Remove a rule; what it fired stays
#[utoipa::path(
    delete, path = "/api/v1/alerts/rules/{rule}", tag = "personal", operation_id = "remove_alert_rule",
    params(("rule" = String, Path, description = "The name of the rule for programs.", example = "r0123456789abcdef")),
    responses((status = 204, description = "It is gone."), AlertRuleStates)
)]
async fn remove(
    person: Person,
    TextPath(rule): TextPath,
    _: Checked<NoParameters>,
) -> Result<StatusCode, ApiError> {
    person.app.remove_alert_rule(&person.account, &rule).await?;
    Ok(StatusCode::NO_CONTENT)
}
