//! `/api/v1/screener`: which shares meet some conditions.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bist_app::App;
use bist_app::answers::DataClass;
use bist_app::market_view::{
    Criterion, Range, SCREEN_FIELDS, ScreenQuery, ScreenedRow, Sorting, Wanted, field_named,
};
use bist_market::bar::day_of;
use bist_market::{Source, Symbol};
use bist_trading::signal::Action;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::market::standing::{LeftOutResponse, left_out, sources};
use crate::error::ApiError;
use crate::extract::{FromQuery, QueryReader};
use crate::kept::Kept;
use crate::openapi::Unchanged;
use crate::paging::{self, LIMIT_DEFAULT, LIMIT_MAX};
use crate::schema::{ActionWord, Day, Decimal, OriginWord, document, schema};

/// Longest text to search for, or name of a sector, in characters.
const TEXT_LENGTH_MAX: usize = 64;

/// Most criteria of the composite ranking.
const CRITERIA_MAX: usize = 8;

/// What the composite ranking weighs when the caller does not say.
const CRITERIA_DEFAULT: &str = "change_126_share,-volatility_20_share,turnover_try";

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The shares that meet the conditions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Screen)]
struct ScreenResponse {
    /// The day that all numbers are of; null without a share.
    #[schema(required)]
    as_of: Option<Day>,
    /// Sessions of the exchange that have ended since; null when the calendar does not cover today.
    #[schema(required)]
    stale_sessions: Option<u32>,
    /// The sources of the shares.
    #[schema(value_type = Vec<String>, example = json!(["csv"]))]
    sources: Vec<Source>,
    /// Shares that the conditions were asked of.
    #[schema(example = 540)]
    shares_count: usize,
    /// Shares that meet all of them.
    #[schema(example = 31)]
    found_count: usize,
    /// Shares that were not asked at all, and why.
    left_out: LeftOutResponse,
    /// What each condition left out, in the order in which they were looked at; with `found_count` they
    /// add up to `shares_count`.
    conditions: Vec<ConditionResponse>,
    /// What the composite ranking weighs; empty where nothing could be ranked.
    criteria: Vec<CriterionResponse>,
    /// The sectors that there are, by name.
    sectors: Vec<String>,
    /// The shares, in the order asked for.
    items: Vec<ScreenItem>,
    /// Give this as `cursor` to get the next page; null at the end of the list.
    #[schema(required)]
    next: Option<String>,
}

/// What a condition left out, of the shares that met those before it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScreenCondition)]
struct ConditionResponse {
    /// The parameter, or the number that has bounds.
    #[schema(example = "rsi_14")]
    name: &'static str,
    /// Shares known not to meet it.
    unmet_count: usize,
    /// Shares of which nothing is known that could meet it.
    unknown_count: usize,
}

/// A criterion of the composite ranking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScreenCriterion)]
struct CriterionResponse {
    /// The number.
    #[schema(example = "turnover_try")]
    name: &'static str,
    /// Whether more of it is better.
    more_is_better: bool,
    /// What it weighs; the weights add up to one.
    #[schema(minimum = 0, maximum = 1, example = 0.42)]
    weight_share: f64,
}

/// A share with its numbers.
#[derive(Debug, Serialize, ToSchema)]
struct ScreenItem {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// The company, if a source named it.
    #[schema(required)]
    name: Option<String>,
    /// The sector, if a source named it.
    #[schema(required)]
    sector: Option<String>,
    /// Whether its data are real.
    origin: OriginWord,
    /// The source of its bars.
    #[schema(value_type = String, example = "csv")]
    source: Source,
    /// The close as it was traded.
    close: Decimal,
    /// What the model in force says; null without a signal.
    #[schema(required)]
    action: Option<ActionWord>,
    /// The last day that the signal knows.
    #[schema(required)]
    signal_as_of: Option<Day>,
    /// Whether the model has shown skill, and skill on this share; null without a signal.
    #[schema(required)]
    skill_shown: Option<bool>,
    /// Closeness to the best in all criteria of the composite ranking; null where one is not known.
    #[schema(required, minimum = 0, maximum = 1, example = 0.61)]
    composite: Option<f64>,
    /// The numbers that can be asked about, by name.
    values: ScreenValues,
}

/// The numbers of a share by name.
#[derive(Debug, Serialize)]
struct ScreenValues(Map<String, Value>);

schema!(
    ScreenValues,
    "ScreenValues",
    document(
        "The numbers of a share, by the names that `where` takes; null where a number is not known."
    )
);

impl From<&ScreenedRow<'_>> for ScreenItem {
    fn from(row: &ScreenedRow<'_>) -> Self {
        let share = row.share;
        let value = |(at, field): (usize, &bist_app::market_view::ScreenField)| {
            (field.name.to_owned(), row.value(at).map_or(Value::Null, Value::from))
        };
        Self {
            symbol: share.standing.symbol,
            name: share.name.clone(),
            sector: share.sector.clone(),
            origin: OriginWord(share.origin),
            source: share.source,
            close: Decimal(share.standing.close),
            action: row.signal.map(|signal| ActionWord(signal.action)),
            signal_as_of: row.signal.map(|signal| Day(signal.as_of)),
            skill_shown: row.signal.map(|signal| signal.is_skill_shown),
            composite: row.composite,
            values: ScreenValues(SCREEN_FIELDS.iter().enumerate().map(value).collect()),
        }
    }
}

/// What is asked.
#[derive(Debug)]
struct ScreenParams {
    query: ScreenQuery,
    limit: u32,
    cursor: u64,
}

impl FromQuery for ScreenParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let ranges = query.optional("where", ranges)?.unwrap_or_default();
        let (sorting, is_descending) =
            query.optional("sort", sorting)?.unwrap_or((Sorting::Symbol, false));
        let criteria = query.optional("rank_by", criteria)?.unwrap_or_else(criteria_default);
        Ok(Self {
            query: ScreenQuery {
                text: query.optional("q", text)?.map(|text| text.to_lowercase()),
                sector: query.optional("sector", text)?,
                action: query.optional("action", action)?,
                is_skill_shown: query.optional("skill_shown", truth)?,
                ranges,
                criteria,
                sorting,
                is_descending,
            },
            limit: paging::limit(query, LIMIT_DEFAULT, LIMIT_MAX)?,
            cursor: paging::cursor_from(query)?,
        })
    }
}

fn criteria_default() -> Vec<Criterion> {
    criteria(CRITERIA_DEFAULT).unwrap_or_default()
}

/// Reads `rsi_14:30..70,change_21_share:0.05..`.
fn ranges(text: &str) -> Result<Vec<Range>, String> {
    const WANTED: &str = "give numbers with bounds, such as rsi_14:30..70,change_21_share:0.05..";
    let mut ranges: Vec<Range> = Vec::new();
    for part in text.split(',') {
        let bounds = part
            .split_once(':')
            .and_then(|(name, bounds)| bounds.split_once("..").map(|(min, max)| (name, min, max)));
        let (name, min, max) = bounds.ok_or_else(|| format!("'{part}' has no bounds; {WANTED}"))?;
        let field = field(name)?;
        let (min, max) = (bound(min)?, bound(max)?);
        if min.is_none() && max.is_none() {
            return Err(format!("'{part}' has no bounds; {WANTED}"));
        }
        if min.zip(max).is_some_and(|(min, max)| min > max) {
            return Err(format!("'{part}' begins above its end; {WANTED}"));
        }
        if ranges.iter().any(|range| range.field == field) {
            return Err(format!("'{name}' is named twice; give it once"));
        }
        ranges.push(Range { field, min, max });
    }
    Ok(ranges)
}

/// One end of a range; nothing is no bound.
fn bound(text: &str) -> Result<Option<f64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let bound = text.parse().ok().filter(|bound: &f64| bound.is_finite());
    bound.map(Some).ok_or_else(|| format!("'{text}' is not a number; give one such as 0.05"))
}

fn text(text: &str) -> Result<String, String> {
    match text.chars().count() {
        1..=TEXT_LENGTH_MAX => Ok(text.to_owned()),
        _ => Err(format!("give 1 to {TEXT_LENGTH_MAX} characters")),
    }
}

fn action(text: &str) -> Result<Action, String> {
    [Action::Buy, Action::Sell, Action::Hold]
        .into_iter()
        .find(|action| action.as_str() == text)
        .ok_or_else(|| format!("'{text}' is not an action; give buy, sell or hold"))
}

fn truth(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| format!("'{text}' is neither; give true or false"))
}

/// A name, and whether a minus stands before it.
fn signed(text: &str) -> (&str, bool) {
    text.strip_prefix('-').map_or((text, false), |name| (name, true))
}

fn field(name: &str) -> Result<usize, String> {
    field_named(name).ok_or_else(|| {
        let names: Vec<&str> = SCREEN_FIELDS.iter().map(|field| field.name).collect();
        format!("'{name}' is not known; give one of {}", names.join(", "))
    })
}

fn sorting(text: &str) -> Result<(Sorting, bool), String> {
    let (name, is_descending) = signed(text);
    let sorting = match name {
        "symbol" => Sorting::Symbol,
        "composite" => Sorting::Composite,
        _ => Sorting::Field(field(name)?),
    };
    Ok((sorting, is_descending))
}

fn criteria(text: &str) -> Result<Vec<Criterion>, String> {
    let mut criteria: Vec<Criterion> = Vec::new();
    for part in text.split(',') {
        let (name, is_less_better) = signed(part);
        let field = field(name)?;
        if criteria.iter().any(|criterion| criterion.field == field) {
            return Err(format!("'{name}' is named twice; give it once"));
        }
        let wanted = if is_less_better { Wanted::Less } else { Wanted::More };
        criteria.push(Criterion { field, wanted });
    }
    if criteria.len() > CRITERIA_MAX {
        return Err(format!("has {} criteria; give at most {CRITERIA_MAX}", criteria.len()));
    }
    Ok(criteria)
}

/// Written out, because the patterns name the fields, which stand in one table.
impl utoipa::IntoParams for ScreenParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = |name: &str, about: String, example: Value, schema: ObjectBuilder| {
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Query)
                .description(Some(about))
                .example(Some(example))
                .schema(Some(schema.build()))
                .build()
        };
        let of_type = |kind: Type| ObjectBuilder::new().schema_type(kind);
        let names = SCREEN_FIELDS.iter().map(|field| field.name).collect::<Vec<_>>().join("|");
        let told: Vec<String> = SCREEN_FIELDS
            .iter()
            .map(|field| format!("`{}`: {}", field.name, field.about))
            .collect();
        let number = "-?[0-9]{1,12}([.][0-9]{1,9})?";
        let range = format!("({names}):({number}[.][.]({number})?|[.][.]{number})");
        let searched =
            || of_type(Type::String).min_length(Some(1)).max_length(Some(TEXT_LENGTH_MAX));
        vec![
            parameter(
                "where",
                format!(
                    "Bounds of numbers, both inclusive, each number once; either end may be left out. {}.",
                    told.join("; ")
                ),
                Value::from("rsi_14:30..70,change_21_share:0.05.."),
                of_type(Type::String).pattern(Some(format!("^{range}(,{range}){{0,20}}$"))),
            ),
            parameter(
                "sort",
                "What to sort by, with a minus before it for the largest first; what is unknown comes last.".to_owned(),
                Value::from("-composite"),
                of_type(Type::String)
                    .pattern(Some(format!("^-?(symbol|composite|{names})$")))
                    .default(Some(Value::from("symbol"))),
            ),
            parameter(
                "rank_by",
                "What the composite ranking weighs, with a minus where less is better; each number once.".to_owned(),
                Value::from(CRITERIA_DEFAULT),
                of_type(Type::String)
                    .pattern(Some(format!("^-?({names})(,-?({names})){{0,7}}$")))
                    .default(Some(Value::from(CRITERIA_DEFAULT))),
            ),
            parameter(
                "q",
                "Part of the ticker or the name.".to_owned(),
                Value::from("banka"),
                searched(),
            ),
            parameter(
                "sector",
                "The name of the sector as the source gives it.".to_owned(),
                Value::from("Bankacılık"),
                searched(),
            ),
            parameter(
                "action",
                "What the signal says.".to_owned(),
                Value::from("buy"),
                of_type(Type::String).enum_values(Some(["buy", "sell", "hold"])),
            ),
            parameter(
                "skill_shown",
                "Whether the model has shown skill on the share.".to_owned(),
                Value::from(true),
                of_type(Type::Boolean),
            ),
            parameter(
                "limit",
                "Most items of the page.".to_owned(),
                Value::from(LIMIT_DEFAULT),
                of_type(Type::Integer)
                    .minimum(Some(1))
                    .maximum(Some(LIMIT_MAX))
                    .default(Some(Value::from(LIMIT_DEFAULT))),
            ),
            parameter(
                "cursor",
                "The `next` of the page before.".to_owned(),
                Value::from("from-100"),
                of_type(Type::String).pattern(Some("^from-[0-9]{1,9}$")),
            ),
        ]
    }
}

/// Which shares meet some conditions
///
/// A share of which a number is not known meets no bound of it. The composite ranking is TOPSIS with weights by entropy over the shares that
/// meet the conditions.
#[utoipa::path(
    get, path = "/api/v1/screener", tag = "market", operation_id = "list_screened",
    params(ScreenParams),
    responses((status = 200, description = "The shares that meet the conditions.", body = ScreenResponse), Unchanged)
)]
async fn list(State(app): State<Arc<App>>, kept: Kept) -> Result<Response, ApiError> {
    let make = async |params: ScreenParams| {
        let view = app.market_view().await?;
        let signals = app.share_signals().await?;
        let screened = view.screen(&signals, &params.query);
        let criteria = params.query.criteria.iter().zip(&screened.weights);
        let page = paging::page(&screened.rows, params.cursor, params.limit);
        Ok(ScreenResponse {
            as_of: view.as_of.map(Day),
            stale_sessions: view.stale_sessions(day_of(app.now())),
            sources: sources(&view),
            shares_count: view.shares.len(),
            found_count: screened.rows.len(),
            left_out: left_out(&view),
            conditions: screened
                .left_out
                .iter()
                .map(|out| ConditionResponse {
                    name: out.condition,
                    unmet_count: out.unmet_count,
                    unknown_count: out.unknown_count,
                })
                .collect(),
            criteria: criteria
                .map(|(criterion, weight)| CriterionResponse {
                    name: SCREEN_FIELDS[criterion.field].name,
                    more_is_better: criterion.wanted == Wanted::More,
                    weight_share: *weight,
                })
                .collect(),
            sectors: view.sectors.iter().filter_map(|sector| sector.sector.clone()).collect(),
            items: page.items.into_iter().map(ScreenItem::from).collect(),
            next: page.next,
        })
    };
    kept.or_make(&app, DataClass::Signals, make).await
}
