//! Parameters of requests, read so that each mistake names the parameter and says what to give.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri, header};
use bist_lifecycle::{Horizon, parse_horizon};
use bist_market::Symbol;
use bist_market::rename::current_name;
use jiff::civil::Date;
use serde::de::DeserializeOwned;

use crate::error::ApiError;
use crate::middleware::Around;

/// Query parameters that a handler declares.
pub(crate) trait FromQuery: Sized {
    /// Takes the parameters out of the query; what is left over is unknown to the path.
    ///
    /// # Errors
    ///
    /// [`ApiError::InvalidParameter`] for the first that is missing or malformed.
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError>;
}

/// The checked query parameters of a request.
#[derive(Debug)]
pub(crate) struct Checked<T>(pub(crate) T);

impl<S: Sync, T: FromQuery> FromRequestParts<S> for Checked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::of(&parts.uri)
    }
}

impl<T: FromQuery> Checked<T> {
    /// Those of the query of `asked`.
    pub(crate) fn of(asked: &Uri) -> Result<Self, ApiError> {
        let mut query = QueryReader::new(asked)?;
        let taken = T::from_query(&mut query)?;
        query.finish()?;
        Ok(Self(taken))
    }
}

/// A path that takes no query parameters.
#[derive(Debug)]
pub(crate) struct NoParameters;

impl FromQuery for NoParameters {
    fn from_query(_: &mut QueryReader) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

/// The query of a request, from which parameters are taken one by one.
#[derive(Debug)]
pub(crate) struct QueryReader {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
}

impl QueryReader {
    fn new(asked: &Uri) -> Result<Self, ApiError> {
        let Query(pairs) = Query::try_from_uri(asked).map_err(|_| {
            ApiError::Malformed("the query is not of the form name=value&name=value".to_owned())
        })?;
        Ok(Self { pairs, known: Vec::new() })
    }

    /// Takes the parameter `name`, if it is given.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ApiError> {
        self.known.push(name);
        let invalid = |problem| ApiError::InvalidParameter { parameter: name, problem };
        let Some(index) = self.pairs.iter().position(|(given, _)| given == name) else {
            return Ok(None);
        };
        let (_, value) = self.pairs.remove(index);
        if self.pairs.iter().any(|(given, _)| given == name) {
            return Err(invalid("is given more than once; give it once".to_owned()));
        }
        if value.contains('\0') {
            return Err(invalid("holds the character NUL, which no text here has".to_owned()));
        }
        parse(&value).map(Some).map_err(invalid)
    }

    /// Takes the parameter `name`, which must be given; `wanted` says what.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ApiError> {
        self.optional(name, parse)?.ok_or_else(|| ApiError::InvalidParameter {
            parameter: name,
            problem: format!("is missing; give {wanted}"),
        })
    }

    fn finish(self) -> Result<(), ApiError> {
        match self.pairs.into_iter().next() {
            None => Ok(()),
            Some((parameter, _)) => {
                Err(ApiError::UnknownParameter { parameter, known: self.known })
            }
        }
    }
}

/// What to give where a symbol is wanted.
pub(crate) const SYMBOL_WANTED: &str = "a symbol such as THYAO";

/// Reads a symbol; a former one means the share under its present name.
pub(crate) fn symbol(text: &str) -> Result<Symbol, String> {
    Symbol::parse(text).map(current_name).map_err(|error| format!("{error}; give {SYMBOL_WANTED}"))
}

/// Reads how far ahead to look; one of the horizons of the product.
pub(crate) fn horizon(text: &str) -> Result<Horizon, String> {
    parse_horizon(text).map_err(|error| error.to_string())
}

/// Reads a day.
pub(crate) fn day(text: &str) -> Result<Date, String> {
    let shape = |(i, byte): (usize, u8)| {
        if matches!(i, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() }
    };
    let well_formed = text.len() == 10 && text.bytes().enumerate().all(shape);
    text.parse()
        .ok()
        .filter(|_| well_formed)
        .ok_or_else(|| format!("'{text}' is not a day; give one such as 2026-11-24"))
}

/// Refuses a first day that comes after the last.
pub(crate) fn days_in_order(from: Option<Date>, to: Option<Date>) -> Result<(), ApiError> {
    match (from, to) {
        (Some(from), Some(to)) if from > to => Err(ApiError::InvalidParameter {
            parameter: "from",
            problem: format!("{from} is after 'to', which is {to}; give a day that is not"),
        }),
        _ => Ok(()),
    }
}

/// The symbol in the path.
#[derive(Debug)]
pub(crate) struct SymbolPath(pub(crate) Symbol);

impl<S: Send + Sync> FromRequestParts<S> for SymbolPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let TextPath(text) = TextPath::from_request_parts(parts, state).await?;
        symbol(&text)
            .map(Self)
            .map_err(|problem| ApiError::InvalidParameter { parameter: "symbol", problem })
    }
}

/// The one parameter in the path, as text.
#[derive(Debug)]
pub(crate) struct TextPath(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for TextPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| {
            ApiError::Malformed(
                "the path is not UTF-8 once its percent signs are decoded".to_owned(),
            )
        })?;
        // PostgreSQL does not even look for it.
        if text.contains('\0') {
            let problem = "the path holds the character NUL, which no text here has";
            return Err(ApiError::Malformed(problem.to_owned()));
        }
        Ok(Self(text))
    }
}

/// The body of a request as a document.
///
/// Only `application/json` is read: a page of another site can make a browser post any other kind
/// without asking first.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
        if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
            return Err(ApiError::Malformed(
                "the body is not sent as application/json; give the header content-type".to_owned(),
            ));
        }
        let time_max = request.extensions().get::<Around>().map(Around::body_time_max);
        let body = Bytes::from_request(request, state);
        let body = match time_max {
            Some(time_max) => {
                tokio::time::timeout(time_max, body).await.map_err(|_| ApiError::BodyTooSlow)?
            }
            None => body.await,
        };
        let body = body.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::BodyTooLarge,
            _ => ApiError::Malformed("the body cannot be read".to_owned()),
        })?;
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|error| ApiError::Malformed(format!("the body is not as described: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_ten_characters_and_nothing_else() {
        assert_eq!(day("2026-11-24").unwrap(), jiff::civil::date(2026, 11, 24));
        for text in ["", "2026-13-01", "20261124", "2026-11-24T10:00", "24.11.2026", "+02026-11-2"]
        {
            assert_eq!(
                day(text).unwrap_err(),
                format!("'{text}' is not a day; give one such as 2026-11-24")
            );
        }
    }
}
