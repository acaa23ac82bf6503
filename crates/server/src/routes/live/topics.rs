//! What is asked for, and who may listen to what.

use axum::http::Method;
use bist_app::PersonalTopic;
use bist_app::live::{Position, Section, Wanted};

use crate::access_table::{Needs, needs};
use crate::error::ApiError;
use crate::extract::{FromQuery, QueryReader};

/// The most topics of one listener.
pub(super) const TOPICS_MAX: usize = 200;

/// What somebody needs to listen to `section`: the same as to ask for it.
pub(super) fn needs_of(section: Section) -> Option<Needs> {
    let path = match section {
        Section::Prices => "/api/v1/bars",
        Section::Signals => "/api/v1/signals",
        Section::Jobs => "/api/v1/jobs",
        Section::Quality => "/api/v1/data-quality",
        Section::Audit => "/api/v1/audit",
        Section::Personal(PersonalTopic::Watchlists) => "/api/v1/watchlists",
        Section::Personal(PersonalTopic::Settings) => "/api/v1/settings",
        Section::Personal(PersonalTopic::Alerts) => "/api/v1/alerts",
        Section::Personal(PersonalTopic::Orders) => "/api/v1/orders",
    };
    needs(&Method::GET, path)
}

/// Reads topics, each as it is written.
///
/// # Errors
///
/// A sentence about the first that there is not, or about too many of them.
pub(super) fn parse<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<Wanted>, String> {
    let mut topics = Vec::new();
    for text in texts {
        topics.push(text.parse().map_err(|error: bist_app::live::WantedError| error.to_string())?);
        if topics.len() > TOPICS_MAX {
            return Err(format!("there are more than {TOPICS_MAX} topics; give fewer of them"));
        }
    }
    Ok(topics)
}

/// What is listened to, and from where on.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListenParams {
    /// What to listen to, separated by commas: `prices`, `prices/SYMBOL`, `signals`, `signals/SYMBOL`,
    /// `jobs`, `jobs/RUN`, `quality`, `audit`, and your own `watchlists`, `settings`, `alerts` and
    /// `orders`.
    #[param(value_type = String, pattern = "^(prices|signals|jobs|quality|audit|watchlists|settings|alerts|orders|(prices|signals)/[A-Za-z0-9]{1,12}|jobs/[0-9]{1,9})(,(prices|signals|jobs|quality|audit|watchlists|settings|alerts|orders|(prices|signals)/[A-Za-z0-9]{1,12}|jobs/[0-9]{1,9}))*$", example = "prices,jobs")]
    pub(super) topics: Vec<Wanted>,
    /// The last position that was told, to go on from there.
    #[param(value_type = Option<String>, pattern = "^[0-9a-fA-F]{16}-[0-9]+$", example = "0123456789abcdef-42")]
    pub(super) since: Option<Position>,
}

impl FromQuery for ListenParams {
    fn from_query(query: &mut QueryReader) -> Result<Self, ApiError> {
        let topics = |text: &str| {
            let topics = parse(text.split(','));
            topics.map_err(|error| format!("{error}; give some of them, separated by commas"))
        };
        let since = |text: &str| {
            text.parse().map_err(|error: bist_app::live::PositionError| error.to_string())
        };
        Ok(Self {
            topics: query.required("topics", "what to listen to, such as prices,jobs", topics)?,
            since: query.optional("since", since)?,
        })
    }
}
