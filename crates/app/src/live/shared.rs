//! One stream for several servers: what one publishes goes through Redis, and all tell it under the same
//! numbers.
//!
//! A server that leads looks at the database and publishes; the others only read. Leading spares the
//! looking and no more: whatever is published has to continue from the newest number, so that a server
//! that was stopped and still believes to lead publishes nothing. Without Redis each server goes on
//! alone, under a name of its own (docs/adr/0035-several-processes.md).

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bist_store::{
    Leadership, Life, RedisError, RedisLink, SharedStream, StoreError, StreamReader, ToPublish,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::Change;
use super::stream::{Joined, OutOfOrder, Stream};
use super::topic::{Section, Topic};
use super::{Live, new_epoch};
use crate::App;

/// How many events are published at a time, so that Redis answers others in between.
const PUBLISHED_MAX: usize = 500;

/// How long to wait before Redis is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// The shortest time between two words that something has changed.
const NUDGE_EVERY: Duration = Duration::from_millis(100);

/// What servers share of the stream.
#[derive(Debug)]
pub(super) struct Shared {
    stream: SharedStream,
    leadership: Leadership,
}

/// An event as it is kept in Redis.
#[derive(Debug, Serialize, Deserialize)]
struct KeptEvent {
    seq: u64,
    at: Timestamp,
    topic: Topic,
    change: Change,
}

/// An event with everything that is known of it.
pub(super) type Numbered = (u64, Timestamp, Topic, Change);

/// Why what has changed was not told.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Redis failed.
    #[error("Redis does not take it: {0}")]
    Redis(#[from] RedisError),
    /// Another server has published meanwhile.
    #[error("another server has published meanwhile")]
    Behind,
}

/// Why a server does not follow the stream any more.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Redis(#[from] RedisError),
    #[error("an event is missing")]
    OutOfOrder(#[from] OutOfOrder),
    #[error("another life of the stream goes on")]
    OtherLife,
}

impl Shared {
    pub(super) fn new(link: RedisLink) -> Self {
        let leadership = Leadership::new(link.clone(), "live");
        Self { stream: SharedStream::new(link), leadership }
    }

    /// Whether this server is to look at the database.
    pub(super) async fn leads(&self) -> Result<bool, RedisError> {
        self.leadership.lead().await
    }

    /// Leaves looking to others.
    pub(super) async fn resign(&self) {
        if let Err(error) = self.leadership.resign().await {
            tracing::debug!(%error, "looking is left to others when the lease is over: {error}");
        }
    }

    /// Tells whoever leads that something has changed.
    pub(super) async fn nudge(&self) {
        if let Err(error) = self.stream.nudge().await {
            tracing::debug!(%error, "nobody is told that something has changed: {error}");
        }
    }
}

impl Live {
    /// What is shared, while this server tells the same as the others.
    pub(super) fn joined(&self) -> Option<&Shared> {
        self.0.shared.as_ref().filter(|_| self.read().is_shared())
    }

    /// Publishes what of `now`, all there is of `section`, was not told yet, and what is gone: to all
    /// servers while this one tells what they do, and here otherwise.
    pub(super) async fn tell(
        &self,
        at: Timestamp,
        section: Section,
        now: Vec<(Topic, Change)>,
    ) -> Result<(), LookError> {
        self.tell_with(at, |stream| stream.differences(section, now)).await
    }

    /// Publishes what of `now` was not told yet.
    pub(super) async fn tell_some(
        &self,
        at: Timestamp,
        now: Vec<(Topic, Change)>,
    ) -> Result<(), LookError> {
        self.tell_with(at, |stream| stream.changed(now)).await
    }

    async fn tell_with(
        &self,
        at: Timestamp,
        changes: impl FnOnce(&Stream) -> Vec<(Topic, Change)>,
    ) -> Result<(), LookError> {
        let (changes, place) = {
            let mut stream = self.write();
            let changes = changes(&stream);
            let place = stream.is_shared().then(|| (stream.epoch(), stream.seq()));
            if place.is_none() {
                stream.push_all(at, changes.clone());
            }
            (changes, place)
        };
        if changes.is_empty() {
            return Ok(());
        }
        let Some((epoch, mut head)) = place else {
            self.wake();
            return Ok(());
        };
        let Some(shared) = &self.0.shared else { return Ok(()) };
        for part in changes.chunks(PUBLISHED_MAX) {
            let numbered: Vec<Numbered> = (head + 1..)
                .zip(part)
                .map(|(seq, (topic, change))| (seq, at, *topic, change.clone()))
                .collect();
            let events = numbered.iter().map(to_publish).collect::<Result<Vec<_>, _>>()?;
            let forgotten = self.read().forgotten_with(part);
            let kept_max = self.0.settings.kept_events_max;
            let done =
                shared.stream.publish((&*epoch, head), kept_max, &events, &forgotten).await?;
            if !done || self.accept(&epoch, numbered).is_err() {
                return Err(LookError::Behind);
            }
            head += part.len() as u64;
        }
        Ok(())
    }

    /// Takes events of the life `epoch` over that are not here yet.
    fn accept(&self, epoch: &str, events: Vec<Numbered>) -> Result<(), OutOfOrder> {
        let taken = self.write().accept(epoch, events);
        self.wake();
        taken
    }

    /// Tells what other servers tell, for as long as that can be.
    async fn follow(&self, shared: &Shared, away_since: &mut Option<Instant>) -> Lost {
        let mut reader = match self.join(shared).await {
            Ok(reader) => reader,
            Err(lost) => return lost,
        };
        if away_since.take().is_some() {
            tracing::info!("Redis answers again, so all servers tell one stream");
        }
        loop {
            if let Err(lost) = self.read_on(&mut reader).await {
                return lost;
            }
        }
    }

    /// Takes over what the other servers tell.
    async fn join(&self, shared: &Shared) -> Result<StreamReader, Lost> {
        // Before the life is read, so that no nudge is missed.
        let reader = shared.stream.reader().await?;
        let mut replaced = None;
        loop {
            let life = shared.stream.join(&new_epoch(), replaced.as_deref()).await?;
            let (events, standing) = read_life(&life)?;
            let epoch = life.epoch;
            let joined = self.write().join(&epoch, events, standing);
            match joined {
                Joined::GoesOn => {}
                Joined::Anew => self.0.is_looked_anew.store(true, Ordering::Relaxed),
                // Redis has lost what was told already; nobody may give those numbers again.
                Joined::Lost => {
                    replaced = Some(epoch);
                    continue;
                }
            }
            self.wake();
            return Ok(reader);
        }
    }

    async fn read_on(&self, reader: &mut StreamReader) -> Result<(), Lost> {
        let (epoch, head) = {
            let stream = self.read();
            (stream.epoch(), stream.seq())
        };
        let news = reader.next(&epoch, head).await?.ok_or(Lost::OtherLife)?;
        let events = news.events.iter().map(|(_, text)| read_event(text));
        self.accept(&epoch, events.collect::<Result<_, _>>()?)?;
        if news.is_nudged {
            self.0.nudged.notify_one();
        }
        Ok(())
    }

    /// Goes on without the others, from how everything stands.
    fn go_alone(&self) -> bool {
        let was_shared = self.write().go_alone();
        if was_shared {
            self.0.is_looked_anew.store(true, Ordering::Relaxed);
            self.wake();
        }
        was_shared
    }
}

impl App {
    /// The same with a stream that all servers of this Redis tell alike; without one, as it is.
    #[must_use]
    pub fn with_shared_live(self) -> Self {
        let Some(link) = self.redis.clone() else { return self };
        let live = Live::of(self.live.settings(), Some(Shared::new(link)));
        Self { live, ..self }
    }

    /// Tells what other servers tell whenever that can be, for as long as it is asked to.
    pub(super) async fn follow_shared(&self, shared: &Shared) {
        let mut away_since = None;
        loop {
            let lost = self.live.follow(shared, &mut away_since).await;
            let since = *away_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= self.live.settings().alone_after && self.live.go_alone() {
                tracing::warn!(%lost, "this server tells its own stream until Redis answers: {lost}");
            } else {
                tracing::debug!(%lost, "the stream of all servers is lost: {lost}");
            }
            tokio::time::sleep(TRY_AGAIN_AFTER).await;
        }
    }

    /// Tells servers that this process has changed something, for as long as it is asked to; for a
    /// process to which nobody listens.
    pub async fn nudge_changes(&self) {
        let Some(shared) = &self.live.0.shared else { return };
        loop {
            self.live.0.stirred.notified().await;
            shared.nudge().await;
            tokio::time::sleep(NUDGE_EVERY).await;
        }
    }
}

fn to_publish(event: &Numbered) -> Result<ToPublish, LookError> {
    let (seq, at, topic, change) = event.clone();
    let is_gone = change == Change::Gone;
    let event = serde_json::to_string(&KeptEvent { seq, at, topic, change })
        .map_err(|source| StoreError::Document { what: "event of the live stream", source })?;
    Ok(ToPublish { topic: topic.full_name(), is_gone, event })
}

fn read_event(text: &str) -> Result<Numbered, RedisError> {
    let KeptEvent { seq, at, topic, change } =
        serde_json::from_str(text).map_err(|error| RedisError::Foreign(error.to_string()))?;
    Ok((seq, at, topic, change))
}

/// The events of a life, and how everything stands in it.
fn read_life(life: &Life) -> Result<(Vec<Numbered>, Vec<Numbered>), RedisError> {
    let events = life.events.iter().map(|(_, text)| read_event(text)).collect::<Result<_, _>>()?;
    let standing = life.standing.iter().map(|text| read_event(text)).collect::<Result<_, _>>()?;
    Ok((events, standing))
}
