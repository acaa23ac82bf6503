//! `/api/v1/audit`: what was done, by whom, and whether the record is whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_access::{AuditAction, AuditRecord};
use bist_app::{App, AuditFilter};
use bist_market::bar::istanbul;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, NoParameters, QueryReader, day, days_in_order};
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::schema::{Instant, document, schema};
use crate::visitor::Asking;

/// Most characters of a name by which records are asked for.
const NAME_CHARS_MAX: usize = 200;

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(verification))
}

/// Particulars of a record.
#[derive(Clone, Debug, Serialize)]
struct Particulars(Value);

schema!(
    Particulars,
    "AuditDetails",
    document("The particulars of what was done; which there are depends on the action.")
);

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditRecord)]
pub(crate) struct RecordResponse {
    /// Its place in the chain, from 1.
    #[schema(minimum = 1)]
    seq: u64,
    /// When it was done.
    at: Instant,
    /// By whom: `account:...`, `key:.../...`, `operator:...` for a command on the machine, `system`, or
    /// `nobody`.
    #[schema(example = "account:u0123456789abcdef")]
    actor: String,
    /// The user name behind the account, unless its owner was forgotten.
    #[schema(required, example = "ayse.yilmaz")]
    actor_name: Option<String>,
    /// What was done: a noun and a verb.
    #[schema(example = "model.promoted")]
    action: String,
    /// To what.
    #[schema(example = "model:ensemble-0123456789ab")]
    subject: String,
    /// Its particulars.
    details: Particulars,
    /// Where from and with what, of people; null when there is nothing of the kind, or it was erased.
    #[schema(required)]
    personal: Option<Particulars>,
    /// Whether there was a personal part, which was erased together with who it was about.
    erased: bool,
    /// The request that asked for it.
    #[schema(required)]
    request_id: Option<String>,
    /// What binds the record to the one before it: HMAC-SHA256, hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    mac: String,
}

impl RecordResponse {
    /// `record`, done by somebody with this name.
    pub(crate) fn of(record: AuditRecord, actor_name: Option<String>) -> Self {
        let read = |text: &str| Particulars(serde_json::from_str(text).unwrap_or(Value::Null));
        Self {
            seq: record.seq,
            at: Instant(record.at),
            actor: record.actor,
            actor_name,
            action: record.action,
            subject: record.subject,
            details: read(&record.details),
            erased: record.about.is_some() && record.personal.is_none(),
            personal: record.personal.as_deref().map(read),
            request_id: record.request_id,
            mac: record.mac,
        }
    }
}

/// The first record that is not as it was written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditBreak)]
struct BreakResponse {
    /// Its place; null when it is the end of the chain that is wrong.
    #[schema(required, minimum = 1)]
    seq: Option<u64>,
    /// What is wrong.
    problem: String,
}

/// Whether the record is whole.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditVerification)]
struct VerificationResponse {
    /// Whether it is.
    verified: bool,
    /// How many records there are.
    records_count: u64,
    /// The end of the chain, to be kept where nobody who writes to the database can change it.
    #[schema(example = "1024:5bdcc146...")]
    root: String,
    /// What is wrong first.
    #[schema(required)]
    broken: Option<BreakResponse>,
    /// When it was looked at.
    checked_at: Instant,
}

/// Which records are wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// From this day in Istanbul on.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-24")]
    from: Option<Date>,
    /// To this day in Istanbul, which is included.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-24")]
    to: Option<Date>,
    /// What was done, or the noun alone.
    #[param(value_type = Option<String>, pattern = "^[a-z_]{1,40}([.][a-z_]{1,40})?$", example = "model.promoted")]
    action: Option<String>,
    /// By whom, as it stands in the record.
    #[param(value_type = Option<String>, max_length = 200, example = "account:u0123456789abcdef")]
    actor: Option<String>,
    /// To what, as it stands in the record.
    #[param(value_type = Option<String>, max_length = 200, example = "model:ensemble-0123456789ab")]
    subject: Option<String>,
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^before-[0-9]{1,15}$", example = "before-120")]
    cursor: Option<u64>,
}

impl FromQuery for ListParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let named = |text: &str| match text.chars().count() {
            1..=NAME_CHARS_MAX => Ok(text.to_owned()),
            _ => Err(format!("give 1 to {NAME_CHARS_MAX} characters, as they stand in a record")),
        };
        let params = Self {
            from: query.optional("from", day)?,
            to: query.optional("to", day)?,
            action: query.optional("action", action)?,
            actor: query.optional("actor", named)?,
            subject: query.optional("subject", named)?,
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor(query, "before-", |text| text.parse().ok())?,
        };
        days_in_order(params.from, params.to)?;
        Ok(params)
    }
}

/// Reads an action, or its noun alone.
fn action(text: &str) -> Result<String, String> {
    let is_one = |action: &AuditAction| {
        action.as_str() == text || action.as_str().split('.').next() == Some(text)
    };
    if AuditAction::ALL.iter().any(is_one) {
        Ok(text.to_owned())
    } else {
        Err(format!("'{text}' is no action; give one such as model.promoted, or model alone"))
    }
}

/// What was done, the newest first; that more than 100 records are asked for is put on record itself
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", operation_id = "list_audit",
    params(ListParams),
    responses((status = 200, description = "The records.", body = Page<RecordResponse>))
)]
async fn list(
    Asking { app, .. }: Asking,
    Checked(params): Checked<ListParams>,
) -> Result<Json<Page<RecordResponse>>, ApiError> {
    let ListParams { from, to, action, actor, subject, limit, cursor } = params;
    let filter = AuditFilter {
        from: from.map(begin),
        until: to.map(|day| begin(day.tomorrow().unwrap_or(day))),
        action,
        actor,
        subject,
        before: cursor,
        ..AuditFilter::default()
    };
    let mut records = if limit > LIMIT_DEFAULT {
        app.export_audit_records(&filter, limit + 1).await?
    } else {
        app.audit_records(&filter, limit + 1).await?
    };
    let more = records.len() > limit as usize;
    records.truncate(limit as usize);
    let next = records.last().filter(|_| more).map(|last| format!("before-{}", last.seq));
    let users = app.users().await?.into_iter();
    let names: BTreeMap<String, String> =
        users.map(|user| (user.id.to_string(), user.user_name.to_string())).collect();
    let shown = |record: AuditRecord| {
        // Of a key, whose it is stands last.
        let account = record.actor.rsplit([':', '/']).next().unwrap_or_default();
        let name = names.get(account).cloned();
        RecordResponse::of(record, name)
    };
    Ok(Json(Page { items: records.into_iter().map(shown).collect(), next }))
}

/// Whether no record was changed, added, moved or taken out
#[utoipa::path(
    get, path = "/api/v1/audit/verification", tag = "audit", operation_id = "verify_audit",
    responses((status = 200, description = "What came of it.", body = VerificationResponse))
)]
async fn verification(
    State(app): State<Arc<App>>,
    _: Checked<NoParameters>,
) -> Result<Json<VerificationResponse>, ApiError> {
    let found = app.verify_audit(&[]).await;
    let found = found.map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(Json(VerificationResponse {
        verified: found.broken.is_none(),
        records_count: found.records_count,
        root: found.root.to_string(),
        broken: found
            .broken
            .map(|broken| BreakResponse { seq: broken.seq, problem: broken.problem.to_string() }),
        checked_at: Instant(app.now()),
    }))
}

/// The instant at which a day begins in Istanbul.
fn begin(day: Date) -> Timestamp {
    istanbul().to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MIN)
}
