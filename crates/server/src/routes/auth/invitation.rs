//! Links by which somebody sets a password: of a new account, or in the place of one that is gone.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use bist_access::Secret;
use bist_app::App;
use bist_app::access::InvitationFor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{RoleWord, SessionResponse, begun};
use crate::error::ApiError;
use crate::extract::{Checked, JsonBody, NoParameters};
use crate::openapi::{InvalidInvitation, WeakPasswords};
use crate::schema::Instant;
use crate::visitor::{Coming, Site};

/// The routes of this part.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(check)).routes(routes!(accept))
}

/// A link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvitationToken)]
struct TokenRequest {
    /// What stands behind the `#` of the link.
    #[schema(max_length = 200)]
    token: String,
}

/// A link with the password that it sets.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvitationAnswer)]
struct AcceptRequest {
    /// What stands behind the `#` of the link.
    #[schema(max_length = 200)]
    token: String,
    /// The password: at least 12 characters, and hard to guess.
    #[schema(format = Password, max_length = 1000)]
    password: String,
}

/// What a link is for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
struct InvitationResponse {
    /// Whose password it sets.
    #[schema(example = "ayse.yilmaz")]
    user_name: String,
    /// What the owner of the account may do.
    role: RoleWord,
    /// `new` for the first password of an account, `reset` for another one.
    #[schema(example = "new", pattern = "^(new|reset)$")]
    purpose: &'static str,
    /// Until when it can be used.
    expires_at: Instant,
}

/// What a link is for, before a password is chosen
#[utoipa::path(
    post, path = "/api/v1/auth/invitation/check", tag = "auth", operation_id = "check_invitation",
    request_body(content = TokenRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "What it is for.", body = InvitationResponse),
        InvalidInvitation,
    )
)]
async fn check(
    State(app): State<Arc<App>>,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<TokenRequest>,
) -> Result<Json<InvitationResponse>, ApiError> {
    let InvitationFor { account, purpose, expires_at } = app.invitation(&request.token).await?;
    Ok(Json(InvitationResponse {
        user_name: account.user_name.to_string(),
        role: account.role.into(),
        purpose: purpose.as_str(),
        expires_at: Instant(expires_at),
    }))
}

/// Set the password that a link is for; the link is used up, and its user signed in
#[utoipa::path(
    post, path = "/api/v1/auth/invitation", tag = "auth", operation_id = "accept_invitation",
    request_body(content = AcceptRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "The session; its cookie is set.", body = SessionResponse),
        InvalidInvitation,
        WeakPasswords,
    )
)]
async fn accept(
    State(app): State<Arc<App>>,
    Coming(visit): Coming,
    site: Site,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<AcceptRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let AcceptRequest { token, password } = request;
    let signed_in = app.accept_invitation(&token, &Secret::new(password), &visit).await?;
    begun(&app, &signed_in, &site).await
}
