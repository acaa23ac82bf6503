//! `/api/v1/settings`: what who asks has set, on whatever device.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use bist_app::{App, Revised};
use bist_trading::{Channel, Language, Palette, Theme, UserSettings};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alerts::channels_of;
use crate::error::ApiError;
use crate::extract::{Checked, JsonBody, NoParameters, horizon};
use crate::openapi::SettingsStates;
use crate::schema::Instant;
use crate::visitor::{Asking, Person};

/// The routes of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(read, change))
}

/// What somebody has set.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserSettings)]
struct SettingsDocument {
    /// The language of the pages and of what is sent.
    #[schema(pattern = "^(tr|en)$", example = "tr")]
    language: String,
    /// Dark or light.
    #[schema(pattern = "^(dark|light)$", example = "dark")]
    theme: String,
    /// The colours of gains and losses; `cvd` is for those who do not tell green from red.
    #[schema(pattern = "^(classic|cvd)$", example = "classic")]
    palette: String,
    /// From which size on a change of price stands out, a share.
    #[schema(minimum = 0, maximum = 1, example = 0.03)]
    highlight_change_share: f64,
    /// Below which probability of its direction a signal is shown as uncertain, a share.
    #[schema(minimum = 0.5, maximum = 1, example = 0.55)]
    confidence_share_min: f64,
    /// Which horizon a page shows first.
    #[schema(pattern = "^(1|5|20|1h|eod)$", example = "5")]
    horizon: String,
    /// By which channels a new rule tells.
    #[schema(example = json!(["web"]), max_items = 4)]
    channels: Vec<String>,
}

impl From<UserSettings> for SettingsDocument {
    fn from(settings: UserSettings) -> Self {
        Self {
            language: settings.language.as_str().to_owned(),
            theme: settings.theme.as_str().to_owned(),
            palette: settings.palette.as_str().to_owned(),
            highlight_change_share: settings.highlight_change_share,
            confidence_share_min: settings.confidence_share_min,
            horizon: settings.horizon.to_string(),
            channels: settings.channels.iter().map(ToString::to_string).collect(),
        }
    }
}

impl SettingsDocument {
    fn settings(&self) -> Result<UserSettings, ApiError> {
        let channels: BTreeSet<Channel> = channels_of(&self.channels)?;
        Ok(UserSettings {
            language: word("language", &self.language, Language::ALL, Language::as_str)?,
            theme: word("theme", &self.theme, Theme::ALL, Theme::as_str)?,
            palette: word("palette", &self.palette, Palette::ALL, Palette::as_str)?,
            highlight_change_share: self.highlight_change_share,
            confidence_share_min: self.confidence_share_min,
            horizon: horizon(&self.horizon)
                .map_err(|problem| ApiError::Malformed(format!("horizon: {problem}")))?,
            channels,
        })
    }
}

/// What somebody has set, and which writing of it that is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeptSettings)]
pub(crate) struct SettingsResponse {
    /// How often it was written; zero before anything was set. A change names the one that was seen.
    revision: u64,
    /// When it was written last; null before anything was set.
    #[schema(required)]
    updated_at: Option<Instant>,
    /// The settings; before anything was set, those that hold for everybody.
    settings: SettingsDocument,
}

impl From<Revised<UserSettings>> for SettingsResponse {
    fn from(kept: Revised<UserSettings>) -> Self {
        let Revised { value, revision, updated_at } = kept;
        Self { revision, updated_at: Some(Instant(updated_at)), settings: value.into() }
    }
}

/// What the settings become.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SettingsChange)]
struct ChangeRequest {
    /// The revision that was seen; when another one stands, nothing is changed.
    revision: u64,
    /// All settings.
    settings: SettingsDocument,
}

/// The word of `all` that `text` is.
pub(super) fn word<T: Copy, const N: usize>(
    field: &str,
    text: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, ApiError> {
    all.into_iter().find(|known| name(*known) == text).ok_or_else(|| {
        let known = all.map(name).join(", ");
        ApiError::Malformed(format!("{field}: give one of {known}"))
    })
}

/// What who asks has set
#[utoipa::path(
    get, path = "/api/v1/settings", tag = "personal", operation_id = "get_settings",
    responses((status = 200, description = "The settings.", body = SettingsResponse))
)]
async fn read(
    asking: Asking,
    _: Checked<NoParameters>,
) -> Result<Json<SettingsResponse>, ApiError> {
    let kept = asking.app.user_settings(&asking.caller.account).await?;
    Ok(Json(kept.map_or_else(
        || SettingsResponse {
            revision: 0,
            updated_at: None,
            settings: asking.app.default_settings().into(),
        },
        Into::into,
    )))
}

/// Set everything anew
#[utoipa::path(
    patch, path = "/api/v1/settings", tag = "personal", operation_id = "change_settings",
    request_body(content = ChangeRequest, content_type = "application/json"),
    responses((status = 200, description = "The settings as they are now.", body = SettingsResponse), SettingsStates)
)]
async fn change(
    person: Person,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<ChangeRequest>,
) -> Result<Json<SettingsResponse>, ApiError> {
    let settings = request.settings.settings()?;
    let kept = person.app.set_user_settings(&person.account, request.revision, settings).await?;
    Ok(Json(kept.into()))
}
