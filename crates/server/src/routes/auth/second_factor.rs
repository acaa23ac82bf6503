//! The second factor: an authenticator set up, confirmed, switched off; and any proof, asked for.

use std::sync::Arc;

use axum::Json;
use axum::response::IntoResponse;
use bist_access::Secret;
use bist_app::App;
use bist_app::access::sign_in::Code;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::passkeys::AssertionRequest;
use super::{SessionResponse, begun};
use crate::error::ApiError;
use crate::extract::{Checked, JsonBody, NoParameters};
use crate::openapi::{PasskeyStates, Refused, SecondFactorStates};
use crate::visitor::{Attempts, Coming, Person, Site};

/// The routes of this part.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(setup))
        .routes(routes!(confirm))
        .routes(routes!(verify))
        .routes(routes!(step_up))
        .routes(routes!(disable))
        .routes(routes!(recovery_codes))
}

/// What somebody needs to put the seed into an authenticator.
#[derive(Serialize, ToSchema)]
#[schema(as = Enrolment)]
struct EnrolmentResponse {
    /// The seed in base32, to be typed.
    secret: String,
    /// The seed with its parameters, for an authenticator on the same device.
    otpauth_uri: String,
    /// The same as a QR code: a document of SVG.
    qr_svg: String,
}

/// A code of an authenticator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OneTimeCode)]
struct CodeRequest {
    /// Six digits.
    #[schema(example = "123456", max_length = 20)]
    code: String,
}

/// A proof of who asks, again: of the second factor, or the password where there is none. One of the four.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FreshProof)]
struct FreshProofRequest {
    /// The password, of an account that has no second factor.
    #[schema(format = Password, max_length = 1000)]
    password: Option<String>,
    /// Six digits of the authenticator.
    #[schema(example = "123456", max_length = 20)]
    code: Option<String>,
    /// A recovery code, when the authenticator is lost.
    #[schema(max_length = 100)]
    recovery_code: Option<String>,
    /// A signature by a passkey, asked for at `/api/v1/auth/passkeys/assertion`.
    passkey: Option<AssertionRequest>,
}

/// A proof that somebody has the second factor: one of the three.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecondFactorProof)]
struct ProofRequest {
    /// Six digits of the authenticator.
    #[schema(example = "123456", max_length = 20)]
    code: Option<String>,
    /// A recovery code, when the authenticator is lost.
    #[schema(max_length = 100)]
    recovery_code: Option<String>,
    /// A signature by a passkey, asked for at `/api/v1/auth/passkeys/assertion`.
    passkey: Option<AssertionRequest>,
}

/// A proof by which the authenticator is switched off: the password, and one of the other two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordAndProof)]
struct DisableRequest {
    /// The password.
    #[schema(format = Password, max_length = 1000)]
    password: String,
    /// Six digits of the authenticator.
    #[schema(example = "123456", max_length = 20)]
    code: Option<String>,
    /// A signature by a passkey, asked for at `/api/v1/auth/passkeys/assertion`.
    passkey: Option<AssertionRequest>,
}

/// Codes that take the place of an authenticator that was lost, each once; nobody sees them again.
#[derive(Serialize, ToSchema)]
#[schema(as = RecoveryCodes)]
struct RecoveryCodesResponse {
    /// The codes.
    recovery_codes: Vec<String>,
}

impl ProofRequest {
    fn proof(self, site: &Site) -> Result<Code, ApiError> {
        match (self.code, self.recovery_code, self.passkey) {
            (Some(code), None, None) => Ok(Code::OneTime(code)),
            (None, Some(code), None) => Ok(Code::Recovery(code)),
            (None, None, Some(passkey)) => signed(&passkey, site),
            _ => Err(ApiError::Malformed(
                "give one of 'code', 'recovery_code' and 'passkey'".to_owned(),
            )),
        }
    }
}

/// The proof of a passkey.
fn signed(passkey: &AssertionRequest, site: &Site) -> Result<Code, ApiError> {
    Ok(Code::Passkey(site.relying_party()?.clone(), passkey.document()))
}

/// Set an authenticator up; it does nothing before a code confirms it. Needs a fresh proof
#[utoipa::path(
    post, path = "/api/v1/auth/2fa/setup", tag = "auth", operation_id = "set_up_second_factor",
    responses(
        (status = 200, description = "What the authenticator needs.", body = EnrolmentResponse),
        SecondFactorStates,
    )
)]
async fn setup(
    person: Person,
    _: Checked<NoParameters>,
) -> Result<Json<EnrolmentResponse>, ApiError> {
    person.require_fresh_proof()?;
    let enrolment = person.app.set_up_second_factor(&person.account).await?;
    Ok(Json(EnrolmentResponse {
        secret: enrolment.secret.expose().to_owned(),
        otpauth_uri: enrolment.otpauth_uri.expose().to_owned(),
        qr_svg: enrolment.qr_svg.expose().to_owned(),
    }))
}

/// Put the authenticator in force, by its first code; by the first second factor, all other sessions end
#[utoipa::path(
    post, path = "/api/v1/auth/2fa/confirm", tag = "auth", operation_id = "confirm_second_factor",
    request_body(content = CodeRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "When it is the first second factor, recovery codes, and the cookie of a new session is set; none otherwise.", body = RecoveryCodesResponse),
        Refused,
        SecondFactorStates,
    )
)]
async fn confirm(
    Coming(visit): Coming,
    Person { account, app, .. }: Person,
    attempts: Attempts,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<CodeRequest>,
) -> Result<impl IntoResponse, ApiError> {
    attempts.count(&account).await?;
    let first = app.confirm_second_factor(&account, &request.code, &visit).await?;
    let cookie = first.as_ref().map(|first| super::cookie_of(&first.signed_in)).transpose()?;
    let recovery_codes = super::shown_codes(first.as_ref());
    Ok((cookie, Json(RecoveryCodesResponse { recovery_codes })))
}

/// Give the code, or the signature of a passkey, that is owed after the password
#[utoipa::path(
    post, path = "/api/v1/auth/2fa/verify", tag = "auth", operation_id = "give_code",
    request_body(content = ProofRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "The session that takes the place of this one; its cookie is set.", body = SessionResponse),
        Refused,
        PasskeyStates,
    )
)]
async fn verify(
    Coming(visit): Coming,
    Person { account, session, app }: Person,
    attempts: Attempts,
    site: Site,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<ProofRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let proof = request.proof(&site)?;
    attempts.count(&account).await?;
    let signed_in = app.give_code(&account, &session, &proof, &visit).await?;
    begun(&app, &signed_in, &site).await
}

/// Show again who you are, which opens what needs that for ten minutes
#[utoipa::path(
    post, path = "/api/v1/auth/step-up", tag = "auth", operation_id = "step_up",
    request_body(content = FreshProofRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "The session; its cookie is set, and the one before opens nothing any more.", body = SessionResponse),
        Refused,
        PasskeyStates,
    )
)]
async fn step_up(
    Coming(visit): Coming,
    Person { account, session, app }: Person,
    attempts: Attempts,
    site: Site,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<FreshProofRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let FreshProofRequest { password, code, recovery_code, passkey } = request;
    let signed_in = match (password, code, recovery_code, passkey) {
        (Some(password), None, None, None) => {
            attempts.count(&account).await?;
            let password = Secret::new(password);
            app.step_up_by_password(&account, &session, &password, &visit).await?
        }
        (None, code, recovery_code, passkey) => {
            let proof = ProofRequest { code, recovery_code, passkey }.proof(&site)?;
            attempts.count(&account).await?;
            app.step_up(&account, &session, &proof, &visit).await?
        }
        _ => {
            return Err(ApiError::Malformed(
                "give either 'password' or a proof of the second factor".to_owned(),
            ));
        }
    };
    begun(&app, &signed_in, &site).await
}

/// Switch the authenticator off, by password and code; without a passkey, all other sessions end
#[utoipa::path(
    post, path = "/api/v1/auth/2fa/disable", tag = "auth", operation_id = "disable_second_factor",
    request_body(content = DisableRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "The session.", body = SessionResponse),
        Refused,
        PasskeyStates,
    )
)]
async fn disable(
    Coming(visit): Coming,
    Person { account, session, app }: Person,
    attempts: Attempts,
    site: Site,
    _: Checked<NoParameters>,
    JsonBody(request): JsonBody<DisableRequest>,
) -> Result<Json<SessionResponse>, ApiError> {
    let code = match (request.code, request.passkey) {
        (Some(code), None) => Code::OneTime(code),
        (None, Some(passkey)) => signed(&passkey, &site)?,
        _ => return Err(ApiError::Malformed("give either 'code' or 'passkey'".to_owned())),
    };
    attempts.count(&account).await?;
    let password = Secret::new(request.password);
    let account =
        app.switch_second_factor_off(&account, &session, &password, &code, &visit).await?;
    Ok(Json(SessionResponse::of(&app, &account, &session, &site).await?))
}

/// Make new recovery codes; those before are good for nothing then
#[utoipa::path(
    post, path = "/api/v1/auth/recovery-codes", tag = "auth", operation_id = "make_recovery_codes",
    responses(
        (status = 200, description = "The codes.", body = RecoveryCodesResponse),
        SecondFactorStates,
    )
)]
async fn recovery_codes(
    Coming(visit): Coming,
    Person { account, app, .. }: Person,
    _: Checked<NoParameters>,
) -> Result<Json<RecoveryCodesResponse>, ApiError> {
    let codes = app.renew_recovery_codes(&account, &visit).await?;
    let recovery_codes = codes.iter().map(|code| code.expose().to_owned()).collect();
    Ok(Json(RecoveryCodesResponse { recovery_codes }))
}
