//! Answers that are the same for whoever may ask, kept as long as they hold.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Uri, header};
use axum::response::Response;
use bist_app::App;
use bist_app::access::Caller;
use bist_app::answers::DataClass;
use serde::Serialize;

use crate::error::ApiError;
use crate::extract::{Checked, FromQuery};
use crate::unchanged::{Known, document};

/// What is asked, by its path and query, and what the caller has already.
#[derive(Debug)]
pub(crate) struct Kept {
    asked: Uri,
    known: Known,
    /// Who asks. They were looked up after they had asked, and what was seen then of the database need
    /// not be seen again.
    caller: Option<Caller>,
}

impl<S: Sync> FromRequestParts<S> for Kept {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let known = Known::from_request_parts(parts, state).await?;
        let caller = parts.extensions.get().cloned();
        Ok(Self { asked: parts.uri.clone(), known, caller })
    }
}

impl Kept {
    /// The answer that is kept, or the one that `make` makes of the query and data of `class`. It must
    /// depend on nothing else but path and query, and not on who asks. The query is read only then: what
    /// is kept under the same text was asked for rightly.
    ///
    /// # Errors
    ///
    /// When the query is wrong, that of `make`, and [`ApiError::Internal`] when the answer cannot be
    /// written as JSON.
    pub(crate) async fn or_make<Q: FromQuery, T: Serialize>(
        self,
        app: &App,
        class: DataClass,
        make: impl AsyncFnOnce(Q) -> Result<T, ApiError>,
    ) -> Result<Response, ApiError> {
        let asked = self.asked.path_and_query().map_or("", PathAndQuery::as_str);
        let make = async || {
            let Checked(query) = Checked::of(&self.asked)?;
            document(&make(query).await?)
        };
        let as_of = self.caller.map(|caller| caller.as_of);
        let now = app.now();
        let answer = app.kept_answer(class, asked, as_of, now, make).await?;
        let age = HeaderValue::from(answer.age_s(now));
        let mut response = self.known.or_document(&answer.tag, answer.body)?;
        response.headers_mut().insert(header::AGE, age);
        Ok(response)
    }
}
