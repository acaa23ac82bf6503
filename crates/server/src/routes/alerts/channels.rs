//! Where who asks is told of alerts.

use std::sync::Arc;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use bist_app::{App, StoredChannel};
use bist_trading::Channel;
use bist_trading::alert::{ChannelAddress, ChannelError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ChannelWord;
use crate::error::ApiError;
use crate::extract::{Checked, JsonBody, NoParameters, TextPath};
use crate::openapi::AlertChannelStates;
use crate::schema::Instant;
use crate::visitor::Person;

/// The routes of this part.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(set, remove)).routes(routes!(test))
}

/// Where somebody is told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeptAlertChannel)]
pub(crate) struct ChannelResponse {
    /// By which channel.
    channel: ChannelWord,
    /// The address of a mail box, the number of a chat, or the address of a webhook.
    #[schema(example = "ayse@example.com")]
    address: String,
    /// Since when.
    set_at: Instant,
}

impl From<StoredChannel> for ChannelResponse {
    fn from(stored: StoredChannel) -> Self {
        Self {
            channel: stored.address.channel().into(),
            address: match stored.address {
                ChannelAddress::Email { address } => address,
                ChannelAddress::Telegram { chat_id } => chat_id.to_string(),
                ChannelAddress::Webhook { url } => url,
            },
            set_at: Instant(stored.set_at),
        }
    }
}

/// The channels of somebody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertChannels)]
struct ChannelsResponse {
    /// Those that are set up, by name.
    items: Vec<ChannelResponse>,
    /// Those that this server offers; `web` needs no address.
    offered: Vec<ChannelWord>,
}

/// Where to tell somebody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAlertChannel)]
struct SetRequest {
    /// The address of a mail box, the number of a chat with the bot, or the address of a webhook.
    #[schema(example = "ayse@example.com", min_length = 1, max_length = 1000)]
    address: String,
}

/// What a channel was set to.
#[derive(Serialize, ToSchema)]
#[schema(as = SetAlertChannel)]
struct SetResponse {
    /// The key with which webhooks are signed, `whsec_` and base64; nobody sees it again. Null for
    /// other channels.
    #[schema(required, example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    webhook_key: Option<String>,
}

/// Somebody, and the channel of theirs that the path names.
struct OfChannel {
    person: Person,
    channel: Channel,
}

impl FromRequestParts<Arc<App>> for OfChannel {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let person = Person::from_request_parts(parts, app).await?;
        let TextPath(name) = TextPath::from_request_parts(parts, app).await?;
        Checked::<NoParameters>::from_request_parts(parts, app).await?;
        let channel = name.parse().map_err(|error: ChannelError| ApiError::InvalidParameter {
            parameter: "channel",
            problem: error.to_string(),
        })?;
        Ok(Self { person, channel })
    }
}

fn address(channel: Channel, text: String) -> Result<ChannelAddress, ApiError> {
    match channel {
        Channel::Web => Err(ApiError::InvalidParameter {
            parameter: "channel",
            problem: "'web' needs no address; give email, telegram or webhook".to_owned(),
        }),
        Channel::Email => Ok(ChannelAddress::Email { address: text }),
        Channel::Webhook => Ok(ChannelAddress::Webhook { url: text }),
        Channel::Telegram => {
            let chat_id = text.trim().parse().map_err(|_| {
                ApiError::Malformed("address: give the number of a chat, such as 123456".to_owned())
            })?;
            Ok(ChannelAddress::Telegram { chat_id })
        }
    }
}

/// Where who asks is told, and what this server offers
#[utoipa::path(
    get, path = "/api/v1/alerts/channels", tag = "personal", operation_id = "list_alert_channels",
    responses((status = 200, description = "The channels.", body = ChannelsResponse))
)]
async fn list(
    person: Person,
    _: Checked<NoParameters>,
) -> Result<Json<ChannelsResponse>, ApiError> {
    let channels = person.app.alert_channels(&person.account).await?;
    Ok(Json(ChannelsResponse {
        items: channels.into_iter().map(Into::into).collect(),
        offered: person.app.alert_channels_offered().into_iter().map(Into::into).collect(),
    }))
}

/// Be told at this address from now on; a webhook gets a new key
#[utoipa::path(
    post, path = "/api/v1/alerts/channels/{channel}", tag = "personal", operation_id = "set_alert_channel",
    params(("channel" = String, Path, description = "`email`, `telegram` or `webhook`.", example = "webhook")),
    request_body(content = SetRequest, content_type = "application/json"),
    responses((status = 200, description = "It is set.", body = SetResponse), AlertChannelStates)
)]
async fn set(
    OfChannel { person, channel }: OfChannel,
    JsonBody(request): JsonBody<SetRequest>,
) -> Result<Json<SetResponse>, ApiError> {
    let address = address(channel, request.address)?;
    let key = person.app.set_alert_channel(&person.account, &address).await?;
    Ok(Json(SetResponse { webhook_key: key.map(|key| key.expose().to_owned()) }))
}

/// Be told by this channel no more
#[utoipa::path(
    delete, path = "/api/v1/alerts/channels/{channel}", tag = "personal", operation_id = "remove_alert_channel",
    params(("channel" = String, Path, description = "`email`, `telegram` or `webhook`.", example = "webhook")),
    responses((status = 204, description = "It is gone."), AlertChannelStates)
)]
async fn remove(OfChannel { person, channel }: OfChannel) -> Result<StatusCode, ApiError> {
    person.app.remove_alert_channel(&person.account, channel).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a message that says it is a test, the way that alerts go; the history says what came of it
#[utoipa::path(
    post, path = "/api/v1/alerts/channels/{channel}/test", tag = "personal", operation_id = "test_alert_channel",
    params(("channel" = String, Path, description = "`web`, `email`, `telegram` or `webhook`.", example = "webhook")),
    responses((status = 202, description = "It is on its way."), AlertChannelStates)
)]
async fn test(OfChannel { person, channel }: OfChannel) -> Result<StatusCode, ApiError> {
    person.app.test_alert_channel(&person.account, channel).await?;
    Ok(StatusCode::ACCEPTED)
}
