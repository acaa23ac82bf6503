//! Passkeys of who asks: listed, added, removed, and asked to sign.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use bist_access::{Passkey, PasskeyId, Secret};
use bist_app::App;
use bist_app::access::AccessError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::SessionResponse;
use crate::error::ApiError;
use crate::extract::{Checked, JsonBody, NoParameters, TextPath};
use crate::openapi::{NoSuchPasskey, PasskeyStates, Refused, RefusedPasskey, SecondFactorStates};
use crate::paging::Page;
use crate::schema::Instant;
use crate::visitor::{Attempts, Coming, Person, Site};

/// The routes of this part.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(ask_for_passkey))
        .routes(routes!(ask_for_signature))
        .routes(routes!(remove))
}

/// A passkey, as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Passkey)]
pub(crate) struct PasskeyResponse {
    /// Its name for programs.
    #[schema(example = "p0123456789abcdef")]
    id: String,
    /// What its owner calls it.
    #[schema(example = "phone")]
    name: String,
    /// When it was added.
    created_at: Instant,
    /// When it was last used.
    #[schema(required)]
    last_used_at: Option<Instant>,
}

impl From<Passkey> for PasskeyResponse {
    fn from(passkey: Passkey) -> Self {
        Self {
            id: passkey.id.to_string(),
            name: passkey.name,
            created_at: Instant(passkey.created_at),
            last_used_at: passkey.last_used_at.map(Instant),
        }
    }
}

/// What a page hands to its browser, for `parseCreationOptionsFromJSON` or
/// `parseRequestOptionsFromJSON` of WebAuthn; the answer is good in this session, once, for five
/// minutes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PasskeyOptions)]
struct OptionsResponse {
    /// The options, as WebAuthn describes them.
    #[schema(value_type = Object)]
    public_key: Value,
}

/// What an authenticator says of a new passkey: base64 for addresses, without `=`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PasskeyAttestation)]
struct AttestationRequest {
    /// The passkey with its public key.
    #[serde(rename = "attestationObject")]
    #[schema(pattern = "^[A-Za-z0-9_-]+$", max_length = 40000)]
    attestation_object: String,
    /// For which challenge and page it was made.
    #[serde(rename = "clientDataJSON")]
    #[schema(pattern = "^[A-Za-z0-9_-]+$", max_length = 10000)]
    client_data_json: String,
}

/// What a browser made, as `toJSON` of WebAuthn writes it; what is not named here may stand there too.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PasskeyCreation)]
struct CreationRequest {
    /// What the authenticator calls the passkey.
    #[serde(rename = "rawId")]
    #[schema(pattern = "^[A-Za-z0-9_-]+$", max_length = 2000)]
    raw_id: String,
    /// What it says of it.
    response: AttestationRequest,
}

impl CreationRequest {
    fn document(&self) -> Value {
        let AttestationRequest { attestation_object, client_data_json } = &self.response;
        json!({
            "id": self.raw_id,
            "rawId": self.raw_id,
            "type": "public-key",
            "response": {
                "attestationObject": attestation_object,
                "clientDataJSON": client_data_json,
            },
        })
    }
}

/// What an authenticator signed: base64 for addresses, without `=`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PasskeySignature)]
struct SignatureRequest {
    /// What the authenticator says of itself, its counter with it.
    #[serde(rename = "authenticatorData")]
    #[schema(pattern = "^[A-Za-z0-9_-]+$", max_length = 10000)]
    authenticator_data: String,
    /// For which challenge and page it was signed.
    #[serde(rename = "clientDataJSON")]
    #[schema(pattern = "^[A-Za-z0-9_-]+$", max_length = 10000)]
    client_data_json: String,
    /// The signature of both.
    #[schema(pattern = "^[A-Za-z0-9_-]+$", max_length = 2000)]
    signature: String,
}

/// A signature by a passkey, as `toJSON` of WebAuthn writes it; what is not named here may stand there
/// too.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PasskeyAssertion)]
pub(super) struct AssertionRequest {
    /// What the authenticator calls the passkey.
    #[serde(rename = "rawId")]
    #[schema(pattern = "^[A-Za-z0-9_-]+$", max_length = 2000)]
    raw_id: String,
    /// What it signed.
    response: SignatureRequest,
}

impl AssertionRequest {
    /// The same with all that WebAuthn wants to see.
    pub(super) fn document(&self) -> Value {
        let SignatureRequest { authenticator_data, client_data_json, signature } = &self.response;
        json!({
            "id": self.raw_id,
            "rawId": self.raw_id,
            "type": "public-key",
            "response": {
                "authenticatorData": authenticator_data,
                "clientDataJSON": client_data_json,
                "signature": signature,
                "userHandle": null,
            },
        })
    }
}

/// A new passkey.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPasskey)]
struct AddRequest {
    /// What to call it.
    #[schema(example = "phone", min_length = 1, max_length = 80)]
    name: String,
    /// What the browser made.
    credential: CreationRequest,
}

/// A passkey that was added.
#[derive(Serialize, ToSchema)]
#[schema(as = AddedPasskey)]
struct AddedResponse {
    /// The passkey.
    passkey: PasskeyResponse,
    /// Codes that take the place of a passkey that was lost, each once; none unless this is the first
    /// second factor of the account. Nobody sees them again.
    recovery_codes: Vec<String>,
}

/// What is needed to remove a passkey.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyRemoval)]
struct RemoveRequest {
    /// The password; needed when nothing else would be left beside it.
    #[schema(format = Password, max_length = 1000)]
    password: Option<String>,
}

/// Your passkeys, the oldest first
#[utoipa::path(
    get, path = "/api/v1/auth/passkeys", tag = "auth", operation_id = "list_passkeys",
    responses((status = 200, description = "The passkeys.", body = Page<PasskeyResponse>))
)]
async fn list(
    Person { account, app, .. }: Person,
    _: Checked<NoParameters>,
) -> Result<Json<Page<PasskeyResponse>>, ApiError> {
    let items = app.passkeys(&account).await?.into_iter().map(Into::into).collect();
    Ok(Json(Page { items, next: None }))
}

/// Begin to add a passkey. Needs a fresh proof
#[utoipa::path(
    post, path = "/api/v1/auth/passkeys/registration", tag = "auth", operation_id = "begin_passkey",
    responses(
        (status = 200, description = "What the browser needs.", body = OptionsResponse),
        PasskeyStates,
    )
)]
async fn ask_for_passkey(
    person: Person,
    site: Site,
    _: Checked<NoParameters>,
) -> Result<Json<OptionsResponse>, ApiError> {
    person.require_fresh_proof()?;
    let Person { account, session, app } = person;
    let public_key = app.ask_for_passkey(&account, &session, site.relying_party()?).await?;
    Ok(Json(OptionsResponse { public_key }))
}

/// Add the passkey that the browser made; by the first second factor, all other sessions end
#[utoipa::path(
    post, path = "/api/v1/auth/passkeys", tag = "auth", operation_id = "add_passkey",
    request_body(content = AddRequest, content_type = "application/json"),
    responses(
        (status = 201, description = "The passkey. When it is the first second factor, there are recovery codes, and the cookie of a new session is set.", body = AddedResponse),
        PasskeyStates,
        RefusedPasskey,
    )
)]
async fn add(
    Coming(visit): Coming,
    Person { account, session, app }: Person,
    site: Site,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<AddRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let given = (request.name.as_str(), &request.credential.document());
    let added = app.add_passkey(&account, &session, site.relying_party()?, given, &visit).await?;
    let cookie =
        added.first.as_ref().map(|first| super::cookie_of(&first.signed_in)).transpose()?;
    let recovery_codes = super::shown_codes(added.first.as_ref());
    let body = AddedResponse { passkey: added.passkey.into(), recovery_codes };
    Ok((StatusCode::CREATED, cookie, Json(body)))
}

/// Remove a passkey; the last second factor needs the password too, and all other sessions end
#[utoipa::path(
    post, path = "/api/v1/auth/passkeys/{passkey}/remove", tag = "auth", operation_id = "remove_passkey",
    params(("passkey" = String, Path, description = "The name of the passkey.", example = "p0123456789abcdef")),
    request_body(content = RemoveRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "The session.", body = SessionResponse),
        NoSuchPasskey,
        Refused,
        SecondFactorStates,
    )
)]
async fn remove(
    Coming(visit): Coming,
    Person { account, session, app }: Person,
    site: Site,
    attempts: Attempts,
    TextPath(id): TextPath,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<RemoveRequest>,
) -> Result<Json<SessionResponse>, ApiError> {
    let id: PasskeyId = id.parse().map_err(|_| AccessError::NoSuchPasskey(id))?;
    let password = request.password.map(Secret::new);
    if password.is_some() {
        attempts.count(&account).await?;
    }
    let account = app.remove_passkey(&account, &session, &id, password.as_ref(), &visit).await?;
    Ok(Json(SessionResponse::of(&app, &account, &session, &site).await?))
}

/// Ask for a signature by a passkey, which then takes the place of a code
#[utoipa::path(
    post, path = "/api/v1/auth/passkeys/assertion", tag = "auth", operation_id = "begin_passkey_assertion",
    responses(
        (status = 200, description = "What the browser needs.", body = OptionsResponse),
        PasskeyStates,
    )
)]
async fn ask_for_signature(
    Person { account, session, app }: Person,
    site: Site,
    _: Checked<NoParameters>,
) -> Result<Json<OptionsResponse>, ApiError> {
    let public_key = app.ask_for_signature(&account, &session, site.relying_party()?).await?;
    Ok(Json(OptionsResponse { public_key }))
}
