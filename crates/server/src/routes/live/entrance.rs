//! Somebody who listens: who they are, whether they still may, and what they are told.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::header;
use axum::http::request::Parts;
use bist_access::Secret;
use bist_app::App;
use bist_app::access::Caller;
use bist_app::live::{Gap, Listener, News, Position, Resumed, Shown, Wanted};
use bist_app::telemetry::metrics::{Listening, Transport};

use super::closing::Closing;
use super::envelope::{AboutStream, Reason, Told};
use super::seats::Seat;
use super::topics::needs_of;
use crate::access_table::Needs;
use crate::error::ApiError;
use crate::line::Held;
use crate::middleware::Around;
use crate::middleware::authenticate::{BEARER, check, session_token};
use crate::settings::LiveLimits;
use crate::visitor::Asking;

/// Somebody who listens, from the request on until the stream ends.
#[derive(Debug)]
pub(super) struct Entrance {
    app: Arc<App>,
    caller: Caller,
    shown: Shown,
    /// What they listen to, and how far they have come.
    pub(super) listener: Listener,
    /// What they may take.
    pub(super) limits: LiveLimits,
    /// Their connection.
    pub(super) line: Held,
    /// That they are counted.
    pub(super) counted: Listening,
    _seat: Seat,
}

impl FromRequestParts<Arc<App>> for Entrance {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let Asking { caller, .. } = Asking::from_request_parts(parts, app).await?;
        let around = Around::from_request_parts(parts, app).await?;
        let seats = around.seats();
        let metrics = app.telemetry().metrics();
        let seat = seats.take(&caller.account.id).inspect_err(|_| metrics.live_shed())?;
        let shown = shown(parts)?;
        let Ok(line) = Held::from_request_parts(parts, app).await;
        // Listening before looking: what happens in between is told.
        let listener = app.live().listen();
        app.look_if_due().await?;
        let limits = seats.limits();
        let counted = metrics.listens(transport(parts));
        let app = Arc::clone(app);
        Ok(Self { app, caller, shown, listener, limits, line, counted, _seat: seat })
    }
}

/// What was waited for.
#[derive(Debug)]
pub(super) enum Heard {
    /// News after a place.
    News(Position, News),
    /// How everything stands in the stream that goes on.
    Anew(Told),
}

/// By which door they come.
fn transport(parts: &Parts) -> Transport {
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    match path.rsplit('/').next() {
        Some("events") => Transport::Events,
        Some("poll") => Transport::Poll,
        _ => Transport::WebSocket,
    }
}

/// What was shown with a request that was let through.
fn shown(parts: &Parts) -> Result<Shown, ApiError> {
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        let key = value.to_str().ok().and_then(|text| text.strip_prefix(BEARER));
        let address = parts.extensions.get::<Around>().map(Around::address);
        let key = key.ok_or(ApiError::NotSignedIn)?;
        return Ok(Shown::Key(Secret::new(key.trim()), address));
    }
    let token = session_token(&parts.headers).ok_or(ApiError::NotSignedIn)?;
    Ok(Shown::Session(Secret::new(token)))
}

impl Entrance {
    /// Refuses topics that are for others.
    pub(super) fn require(&self, topics: &[Wanted]) -> Result<(), ApiError> {
        topics.iter().try_for_each(|topic| may(&self.caller, *topic, &self.app))
    }

    /// Ends the stream of somebody who may not listen any more to what they listen to.
    pub(super) async fn require_still(&mut self) -> Result<(), Closing> {
        match self.app.listening_caller(&self.shown).await {
            Ok(Some(caller)) => self.caller = caller,
            Ok(None) => return Err(Closing::NotSignedIn),
            Err(error) => {
                tracing::warn!(%error, "whether somebody may still listen is not known: {error}");
                return Ok(());
            }
        }
        self.require(self.listener.topics()).map_err(|_| Closing::NotSignedIn)
    }

    /// Listens to `more`: what was still to be told, and how everything stands.
    pub(super) fn subscribe(&mut self, more: &[Wanted]) -> Result<Vec<Told>, Gap> {
        let before = self.listener.position();
        let (news, snapshot) = self.listener.subscribe(&self.own(more))?;
        let mut texts = self.about(&before).news(&news);
        let position = self.listener.position();
        texts.push(self.about(&position).snapshot(&snapshot, Reason::Subscribed));
        Ok(texts)
    }

    /// Listens to `topics` and nothing else, from `since` on where that can be.
    pub(super) fn resume(&mut self, since: &Position, topics: &[Wanted]) -> Told {
        let resumed = self.listener.resume(since, &self.own(topics));
        let position = self.listener.position();
        match resumed {
            Resumed::After(_) => self.about(&position).resumed(),
            Resumed::Anew(snapshot, gap) => {
                self.about(&position).snapshot(&snapshot, Reason::Gap(gap))
            }
        }
    }

    /// Waits for news, and for the end of the server. Nothing is lost when this is not waited for any
    /// more.
    pub(super) async fn news(&mut self) -> Result<Heard, Closing> {
        let before = self.listener.position();
        let news = tokio::select! {
            news = self.listener.news() => news,
            () = self.line.stopped() => return Err(Closing::Restart),
        };
        match news {
            Ok(news) => Ok(Heard::News(before, news)),
            // This server tells what others do from now on, or does not any more.
            Err(Gap::OtherEpoch) => {
                let topics = self.listener.topics().to_vec();
                Ok(Heard::Anew(self.resume(&before, &topics)))
            }
            Err(gap) => Err(gap.into()),
        }
    }

    /// What to tell of what was waited for.
    pub(super) fn told(&self, heard: &Heard) -> Vec<Told> {
        match heard {
            Heard::News(before, news) => {
                self.counted.left_out(news.omitted_count);
                self.about(before).news(news)
            }
            Heard::Anew(snapshot) => vec![snapshot.clone()],
        }
    }

    /// The first envelope of a WebSocket.
    pub(super) fn hello(&self) -> Told {
        let heartbeat_s = self.limits.heartbeat_every.as_secs_f64();
        let position = self.listener.position();
        let prices = match self.app.live_source() {
            _ if self.app.live().is_replay() => "replay",
            Some(_) => "live",
            None => "stored",
        };
        self.about(&position).hello(heartbeat_s, prices)
    }

    /// How far this has come.
    pub(super) fn heartbeat(&self) -> Told {
        self.about(&self.listener.position()).heartbeat()
    }

    /// What is listened to no more, and what still is.
    pub(super) fn unsubscribe(&mut self, topics: &[Wanted]) -> Told {
        self.listener.unsubscribe(&self.own(topics));
        let left: Vec<String> = self.listener.topics().iter().map(ToString::to_string).collect();
        self.about(&self.listener.position()).unsubscribed(&left)
    }

    /// Takes note that somebody was cut off who did not read.
    pub(super) fn cut_off(&self) {
        self.app.telemetry().metrics().live_shed();
    }

    /// A request was not done.
    pub(super) fn error(&self, code: &str, detail: &str) -> Told {
        self.about(&self.listener.position()).error(code, detail)
    }

    /// The stream ends.
    pub(super) fn closing(&self, closing: Closing) -> Told {
        self.about(&self.listener.position()).closing(closing)
    }

    /// The same topics; those that belong to people are the caller's.
    fn own(&self, topics: &[Wanted]) -> Vec<Wanted> {
        topics.iter().map(|topic| topic.of(&self.caller.account.id)).collect()
    }

    fn about<'a>(&self, position: &'a Position) -> AboutStream<'a> {
        AboutStream { position, at: self.app.now() }
    }
}

fn may(caller: &Caller, topic: Wanted, app: &App) -> Result<(), ApiError> {
    // What has no row is for nobody.
    let needs: Needs = needs_of(topic.section()).ok_or(ApiError::NotFound)?;
    check(caller, needs, app.now())
}
