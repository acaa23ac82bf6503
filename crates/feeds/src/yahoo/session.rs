//! Cookie and crumb: what Yahoo asks for when it does not answer without.
//!
//! There are two ways to both. Outside Europe a page gives the cookie that the crumb belongs to;
//! inside, a form of consent has to be sent first. Neither is walked before a request was turned
//! away.

use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Url;

use crate::fetch_error::FetchError;
use crate::http::{Answer, Expects, HttpClient, Request};

/// How a cookie is had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Way {
    /// By asking for a page.
    #[default]
    Page,
    /// By sending the form of consent.
    Consent,
}

impl Way {
    const fn other(self) -> Self {
        match self {
            Self::Page => Self::Consent,
            Self::Consent => Self::Page,
        }
    }
}

/// The crumb in use, if one was needed so far, and the way on which it was had.
#[derive(Debug, Default)]
pub(super) struct Session {
    state: Mutex<(Way, Option<String>)>,
}

impl Session {
    /// The crumb to send along.
    pub(super) fn crumb(&self) -> Option<String> {
        self.now().1.clone()
    }

    /// Forgets cookies and crumb and gets new ones; on the other way if a crumb was turned away,
    /// and on the other way as well if the first one fails.
    pub(super) async fn renew(
        &self,
        client: &HttpClient,
        turned_away: Option<&str>,
    ) -> Result<String, FetchError> {
        let first = {
            let (way, crumb) = &*self.now();
            if crumb.is_some() && crumb.as_deref() == turned_away { way.other() } else { *way }
        };
        let mut outcome = open(client, first).await;
        let mut way = first;
        if outcome.is_err() {
            way = first.other();
            outcome = open(client, way).await;
        }
        *self.now() = (way, outcome.as_ref().ok().cloned());
        outcome
    }

    fn now(&self) -> MutexGuard<'_, (Way, Option<String>)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gets a cookie and the crumb that belongs to it.
async fn open(client: &HttpClient, way: Way) -> Result<String, FetchError> {
    client.forget_cookies();
    let host = match way {
        Way::Page => {
            take_cookie(client).await?;
            "crumb"
        }
        Way::Consent => {
            consent(client).await?;
            "chart"
        }
    };
    let url = format!("{}/v1/test/getcrumb", client.settings().base_url(host));
    let crumb = text_of(client, &Request::get(&url, Expects::Text)).await?;
    let crumb = crumb.trim();
    if crumb.contains(char::is_whitespace) || crumb.starts_with('{') {
        return Err(FetchError::WrongKind {
            url,
            expected: "a crumb",
            found: "text".to_owned(),
            beginning: crumb.chars().take(80).collect(),
        });
    }
    Ok(crumb.to_owned())
}

/// Asks for the page that sets the cookie; it says 404, which does not matter.
async fn take_cookie(client: &HttpClient) -> Result<(), FetchError> {
    let page = Request::get(client.settings().base_url("cookie"), Expects::Any);
    match client.send(&Request { idempotent: false, ..page }).await {
        Ok(_) | Err(FetchError::Status { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Sends the form of consent with everything agreed to, as its button does.
async fn consent(client: &HttpClient) -> Result<(), FetchError> {
    let gate = client.settings().base_url("gate");
    let form_url = format!("{gate}/consent");
    let page = text_of(client, &Request::get(&form_url, Expects::Any)).await?;
    let field = |name| input_value(&page, name);
    let (Some(token), Some(session)) = (field("csrfToken"), field("sessionId")) else {
        return Err(FetchError::WrongKind {
            url: form_url,
            expected: "a form of consent",
            found: "a page without one".to_owned(),
            beginning: String::new(),
        });
    };
    let form = query_of(&[
        ("agree", "agree"),
        ("agree", "agree"),
        ("consentUUID", "default"),
        ("sessionId", session),
        ("csrfToken", token),
        ("originalDoneUrl", "https://finance.yahoo.com/"),
        ("namespace", "yahoo"),
    ]);
    let session = query_of(&[("sessionId", session)]);
    let answer_url =
        format!("{}/v2/collectConsent?{session}", client.settings().base_url("consent"));
    let answer = Request::post(answer_url, "application/x-www-form-urlencoded", form, Expects::Any);
    client.send(&answer).await?;
    client.send(&Request::get(format!("{gate}/copyConsent?{session}"), Expects::Any)).await?;
    Ok(())
}

async fn text_of(client: &HttpClient, request: &Request) -> Result<String, FetchError> {
    match client.send(request).await? {
        Answer::Body { bytes, .. } => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Answer::NotModified => Ok(String::new()),
    }
}

/// Parameters as they stand in an address or a form.
pub(super) fn query_of(parameters: &[(&str, &str)]) -> String {
    let mut url = Url::parse("http://localhost").expect("this is an address");
    url.query_pairs_mut().extend_pairs(parameters);
    url.query().unwrap_or_default().to_owned()
}

/// The value of the `<input>` of this name.
fn input_value<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let inputs = page.split("<input").skip(1).filter_map(|rest| rest.split_once('>'));
    inputs
        .map(|(attributes, _)| attributes)
        .find(|attributes| attribute(attributes, "name") == Some(name))
        .and_then(|attributes| attribute(attributes, "value"))
}

/// The value of an attribute in quotation marks.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = attributes.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_form_are_found_in_any_order() {
        let page = r#"<form><input type="hidden" name="csrfToken" value="a&b"><input value="s 1" name="sessionId"/></form>"#;
        assert_eq!(input_value(page, "csrfToken"), Some("a&b"));
        assert_eq!(input_value(page, "sessionId"), Some("s 1"));
        assert_eq!(input_value(page, "agree"), None);
        assert_eq!(query_of(&[("a", "x&y"), ("b", "s 1/")]), "a=x%26y&b=s+1%2F");
    }
}
