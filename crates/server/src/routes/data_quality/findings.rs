//! `/api/v1/data-quality/findings`: everything that was found, and what was decided about it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bist_app::App;
use bist_app::quality::{FindingFilter, FindingRecord};
use bist_market::{Decision, FindingId, Interval, Severity, Source, Symbol, Verdict};
use serde::Serialize;
use utoipa::ToSchema;

use super::{SeverityWord, source};
use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, QueryReader, symbol};
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX, Page};
use crate::schema::{Day, Instant, document, schema, text};

/// Something that the validator found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
pub(super) struct FindingResponse {
    /// Its name: the same row, with the same numbers and for the same reason, has the same name
    /// whenever it is checked.
    #[schema(value_type = String, pattern = "^[0-9a-f]{16}$", example = "0f3a5c7b9d1e2f40")]
    id: FindingId,
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// What each bar covers.
    #[schema(value_type = String, example = "1d")]
    interval: Interval,
    /// Which source said so.
    #[schema(value_type = String, example = "csv")]
    source: Source,
    /// The day it is about; null when it is about the whole series or the day is not known.
    #[schema(required)]
    day: Option<Day>,
    /// The time stamp of the row it is about; null when it is about no row.
    #[schema(required)]
    opened_at: Option<Instant>,
    /// What it is, as a stable code.
    #[schema(example = "missing_session")]
    code: &'static str,
    /// How bad it is.
    severity: SeverityWord,
    /// Whether the row is kept out of the bars.
    quarantined: bool,
    /// Whether the row can only be checked in part: it is neither a bar nor in quarantine, and costs
    /// the score nothing.
    unverifiable: bool,
    /// What was decided about it; null when nothing was.
    #[schema(required)]
    decision: Option<DecisionResponse>,
    /// The same in an English sentence.
    #[schema(example = "a session without a row")]
    text: String,
    /// The rule that was checked, in an English sentence.
    rule: &'static str,
    /// The numbers that led to it, by name; prices in units of 0.0001 TRY.
    values: Values,
}

/// What was decided about a finding.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Decision)]
pub(super) struct DecisionResponse {
    /// What became of the row.
    verdict: VerdictWord,
    /// Why.
    reason: String,
    /// Who decided.
    decided_by: String,
    /// When.
    decided_at: Instant,
}

/// The members of a finding.
#[derive(Debug, Serialize)]
pub(super) struct Values(serde_json::Map<String, serde_json::Value>);

schema!(Values, "FindingValues", document("The numbers that led to a finding, by name."));

/// What was decided.
#[derive(Debug, Serialize)]
pub(super) struct VerdictWord(Verdict);

schema!(
    VerdictWord,
    "Verdict",
    text("What was decided: `accept` lets the row through, `reject` keeps it out.", "accept")
        .enum_values(Some([Verdict::Accept, Verdict::Reject].map(Verdict::as_str)))
);

impl From<Decision> for DecisionResponse {
    fn from(decision: Decision) -> Self {
        Self {
            verdict: VerdictWord(decision.verdict),
            reason: decision.reason,
            decided_by: decision.decided_by,
            decided_at: Instant(decision.decided_at),
        }
    }
}

impl From<(FindingRecord, Option<Decision>)> for FindingResponse {
    fn from((record, decision): (FindingRecord, Option<Decision>)) -> Self {
        let finding = record.finding;
        let values = match serde_json::to_value(&finding.kind) {
            Ok(serde_json::Value::Object(mut members)) => {
                members.remove("code");
                members
            }
            _ => serde_json::Map::new(),
        };
        Self {
            id: finding.id,
            symbol: record.symbol,
            interval: record.interval,
            source: record.source,
            day: finding.day.map(Day),
            opened_at: finding.opened_at.map(Instant),
            code: finding.kind.code(),
            severity: SeverityWord(finding.severity()),
            quarantined: finding.quarantines(),
            unverifiable: finding.unverifiable,
            decision: decision.map(DecisionResponse::from),
            text: finding.kind.to_string(),
            rule: finding.kind.rule(),
            values: Values(values),
        }
    }
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FindingParams {
    /// Only those about this ticker; case does not matter.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9]{1,12}([.]([Ii][Ss]|[Ee]))?$", example = "THYAO")]
    symbol: Option<Symbol>,
    /// Only this source.
    #[param(value_type = Option<String>, pattern = "^[a-z0-9_-]{1,24}$", example = "csv")]
    source: Option<Source>,
    /// Only this kind.
    #[param(value_type = Option<String>, pattern = "^[a-z_]{1,40}$", example = "holiday_row")]
    code: Option<String>,
    /// Only this severity.
    #[param(value_type = Option<String>, pattern = "^(error|warning|info)$", example = "error")]
    severity: Option<Severity>,
    /// Only those that keep their row out, or only those that do not.
    #[param(value_type = Option<bool>, example = true)]
    quarantined: Option<bool>,
    /// Only those that were decided by hand, or only those that were not.
    #[param(value_type = Option<bool>, example = true)]
    decided: Option<bool>,
    /// Most items of the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^from-[0-9]{1,18}$", example = "from-100")]
    cursor: u64,
}

impl FromQuery for FindingParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let severity = |text: &str| {
            [Severity::Error, Severity::Warning, Severity::Info]
                .into_iter()
                .find(|severity| severity.as_str() == text)
                .ok_or_else(|| format!("'{text}' is not a severity; give error, warning or info"))
        };
        let code = |text: &str| {
            let shaped = (1..=40).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            if shaped {
                Ok(text.to_owned())
            } else {
                Err(format!("'{text}' is not a code; give one such as holiday_row"))
            }
        };
        let truth = |text: &str| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!("'{text}' is not a truth value; give true or false")),
        };
        Ok(Self {
            symbol: query.optional("symbol", symbol)?,
            source: query.optional("source", source)?,
            code: query.optional("code", code)?,
            severity: query.optional("severity", severity)?,
            quarantined: query.optional("quarantined", truth)?,
            decided: query.optional("decided", truth)?,
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor_from(query)?,
        })
    }
}

/// What was found, and what was decided about it
#[utoipa::path(
    get, path = "/api/v1/data-quality/findings", tag = "data-quality", operation_id = "list_findings",
    params(FindingParams),
    responses((status = 200, description = "The findings of the last check, by symbol and day.", body = Page<FindingResponse>))
)]
pub(super) async fn findings(
    State(app): State<Arc<App>>,
    Checked(params): Checked<FindingParams>,
) -> Result<Json<Page<FindingResponse>>, ApiError> {
    let filter = FindingFilter {
        symbol: params.symbol,
        interval: None,
        source: params.source,
        code: params.code,
        severity: params.severity,
        quarantined: params.quarantined,
        decided: params.decided,
        from: params.cursor,
        limit: params.limit,
    };
    let page = app.finding_page(&filter).await?;
    Ok(Json(Page {
        items: page.items.into_iter().map(FindingResponse::from).collect(),
        next: page.next.map(paging::from),
    }))
}
