//! The card of a model version.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use bist_app::App;
use bist_app::explanations::words::{Language, UnknownLanguage};
use bist_lifecycle::ModelCard;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery, NoParameters, QueryReader, TextPath};
use crate::openapi::NoSuchModelVersion;
use crate::schema::{document, schema};

/// The routes of the card.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(card)).routes(routes!(card_markdown))
}

/// The card, whole.
#[derive(Debug, Serialize)]
struct CardDocument(ModelCard);

schema!(
    CardDocument,
    "ModelCard",
    document(
        "The model card as `bist models card --json` prints it; every text in `tr` and `en`: \
         `headline` (what has to be known first), `intended_use` and `not_for`, `data` it learned \
         from, `making` (program, seed, members, tuning, training time, artefact), `skill` out of \
         sample with intervals, conditions and folds, `record` of the signals that were shown, \
         `drift` as last found, `limits`, `changes` of its state."
    )
);

/// The model card of a version
#[utoipa::path(
    get, path = "/api/v1/models/{version}/card", tag = "models", operation_id = "get_model_card",
    params(("version" = String, Path, description = "The name of the version.", example = "gbdt-0123456789ab")),
    responses(
        (status = 200, description = "The card.", body = CardDocument),
        NoSuchModelVersion,
    )
)]
async fn card(
    State(app): State<Arc<App>>,
    TextPath(id): TextPath,
    _: Checked<NoParameters>,
) -> Result<Json<CardDocument>, ApiError> {
    Ok(Json(CardDocument(find(&app, id).await?)))
}

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct MarkdownParams {
    /// The language: `tr` or `en`.
    #[param(value_type = Option<String>, pattern = "^(tr|en)$", default = "tr")]
    language: Language,
}

impl FromQuery for MarkdownParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let language = query.optional("language", |code| {
            code.parse().map_err(|error: UnknownLanguage| error.to_string())
        })?;
        Ok(Self { language: language.unwrap_or(Language::Turkish) })
    }
}

/// The model card of a version as a page of Markdown
#[utoipa::path(
    get, path = "/api/v1/models/{version}/card.md", tag = "models",
    operation_id = "get_model_card_markdown",
    params(
        ("version" = String, Path, description = "The name of the version.", example = "gbdt-0123456789ab"),
        MarkdownParams,
    ),
    responses(
        (status = 200, description = "The card.", body = String, content_type = "text/markdown"),
        NoSuchModelVersion,
    )
)]
async fn card_markdown(
    State(app): State<Arc<App>>,
    TextPath(id): TextPath,
    Checked(params): Checked<MarkdownParams>,
) -> Result<impl IntoResponse, ApiError> {
    let text = find(&app, id).await?.markdown(params.language);
    Ok(([(CONTENT_TYPE, "text/markdown; charset=utf-8")], text))
}

async fn find(app: &App, id: String) -> Result<ModelCard, ApiError> {
    match app.model_version(&id).await? {
        Some(version) => Ok(app.model_card(version).await?),
        None => Err(ApiError::ModelVersionNotFound(id)),
    }
}
