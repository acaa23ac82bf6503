//! Answers that are the same for whoever asks, kept as long as they hold.
//!
//! One who asks for what is not there makes it, and whoever asks for the same meanwhile waits for it.
//! An answer holds as long as what it was made of has not changed; as some things in it go by the
//! clock, such as how old prices are, it is made anew after a while too, which depends on what it is
//! made of and on whether the exchange is open. What is dear to make is kept in Redis besides, where
//! there is one, so that one server makes it for all; without Redis each makes its own.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bist_market::bar::{day_of, istanbul, midnight_of};
use bist_market::session_hours::SessionHours;
use bist_market::{Calendar, ExchangeRules};
use bist_store::{
    ChangeMarks, DatabaseVersion, Generation, RedisError, SharedAnswers, SignalMark, StoreError,
};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::{Mutex, OnceCell};

use crate::App;
use crate::training::CODE_VERSION;

/// Bytes of all answers that are kept in this process, their keys included.
const KEPT_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// How many answers there are about to be; what is known of them besides grows as needed.
const KEPT_ABOUT: usize = 1024;

/// What an answer is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataClass {
    /// Bars that passed the checks, and what is computed of them alone.
    Bars,
    /// The signals in force, beside bars.
    Signals,
    /// Why a signal says what it says: dear to make.
    Explanations,
}

impl DataClass {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Bars, Self::Signals, Self::Explanations];

    /// Its name among metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Bars => "bars",
            Self::Signals => "signals",
            Self::Explanations => "explanations",
        }
    }

    /// How long an answer holds at most while the exchange is open, and while it is not.
    const fn lasts(self) -> (SignedDuration, SignedDuration) {
        match self {
            Self::Bars => (SignedDuration::from_secs(5), SignedDuration::from_mins(10)),
            Self::Signals => (SignedDuration::from_secs(15), SignedDuration::from_mins(10)),
            Self::Explanations => (SignedDuration::from_mins(10), SignedDuration::from_hours(1)),
        }
    }

    /// Whether asking Redis costs less than making it.
    const fn is_dear(self) -> bool {
        matches!(self, Self::Explanations)
    }

    /// When an answer that is made `now` is to be made anew: after its time, and wherever the exchange
    /// opens or closes or a day begins.
    fn ends_at(self, now: Timestamp) -> Timestamp {
        let day = day_of(now);
        let hours = SessionHours::on(day, Calendar::bist(), ExchangeRules::bist());
        let on_day = |time| istanbul().to_timestamp(day.to_datetime(time)).ok();
        let bounds = hours.map(|hours| [hours.opens(), hours.ends()].map(on_day));
        let bounds = bounds.into_iter().flatten().flatten();
        let tomorrow = day.tomorrow().map_or(Timestamp::MAX, midnight_of);
        let next = bounds.clone().chain([tomorrow]).filter(|bound| *bound > now).min();
        let is_open = bounds.filter(|bound| *bound <= now).count() == 1;
        let (open, closed) = self.lasts();
        let lasts = if is_open { open } else { closed };
        let end = now.saturating_add(lasts).unwrap_or(Timestamp::MAX);
        next.map_or(end, |next| next.min(end))
    }
}

/// Which answer, made of what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    class: DataClass,
    bars: Generation,
    signals: Option<SignalMark>,
    asked: Box<str>,
}

impl Key {
    fn of(class: DataClass, marks: &ChangeMarks, asked: &str) -> Self {
        let signals = match class {
            DataClass::Bars => None,
            DataClass::Signals | DataClass::Explanations => Some(marks.signals),
        };
        Self { class, bars: marks.bars, signals, asked: asked.into() }
    }

    /// What it is called among servers of one version of the program, on a database whose newest restore
    /// is `restore`: generations before it come again after it, with other data.
    fn shared_name(&self, restore: &str) -> String {
        format!("{CODE_VERSION} {restore} {self:?}")
    }
}

/// What differs when a document does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(Bytes);

/// What stands before and behind a tag of what the bytes mean: on their way they may be compressed.
const WEAK: [&str; 2] = ["W/\"", "\""];

impl Tag {
    /// The tag of `document`, for as long as this version of the program lasts.
    pub fn of(document: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        document.hash(&mut hasher);
        let [before, behind] = WEAK;
        Self(format!("{before}{:016x}{behind}", hasher.finish()).into())
    }

    /// The tag itself, 16 digits.
    pub fn as_str(&self) -> &str {
        let [before, behind] = WEAK;
        let digits = self.0.get(before.len()..self.0.len() - behind.len()).unwrap_or_default();
        str::from_utf8(digits).unwrap_or_default()
    }

    /// As the header `etag` has it, `W/"..."`.
    pub fn weak(&self) -> Bytes {
        self.0.clone()
    }
}

/// An answer as it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The document.
    pub body: Bytes,
    /// The tag of the document.
    pub tag: Tag,
    made_at: Timestamp,
    ends_at: Timestamp,
}

impl KeptAnswer {
    /// How long ago it was made, whole seconds.
    pub fn age_s(&self, now: Timestamp) -> u64 {
        u64::try_from(now.duration_since(self.made_at).as_secs()).unwrap_or(0)
    }

    fn of(body: Bytes, made_at: Timestamp, ends_at: Timestamp) -> Self {
        let tag = Tag::of(&body);
        Self { body, tag, made_at, ends_at }
    }
}

/// Counts what an answer takes.
#[derive(Clone, Debug)]
struct Bulk;

impl Weighter<Key, KeptAnswer> for Bulk {
    fn weight(&self, key: &Key, answer: &KeptAnswer) -> u64 {
        (size_of::<Key>() + size_of::<KeptAnswer>() + key.asked.len() + answer.body.len()) as u64
    }
}

/// The answers that this process keeps.
#[derive(Debug)]
pub(crate) struct Answers {
    kept: Cache<Key, KeptAnswer, Bulk>,
    /// How the database stood when it was last asked how far its tables have come.
    marks: Mutex<Option<(DatabaseVersion, ChangeMarks)>>,
    /// The MAC of the newest restore on record, empty without one; a process begins anew with the next.
    restore: OnceCell<String>,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            kept: Cache::with_weighter(KEPT_ABOUT, KEPT_BYTES_MAX, Bulk),
            marks: Mutex::default(),
            restore: OnceCell::default(),
        }
    }
}

impl App {
    /// The answer to `asked`, which is the same for whoever may ask it; made by `make` unless the one
    /// that is kept still holds. `asked` names everything that it depends on but the data of `class`.
    ///
    /// It shows all that was committed when the database stood `as_of`; without it, until now. It is
    /// asked for at `now`, and is the one of before only where that holds at that instant.
    ///
    /// # Errors
    ///
    /// That of `make`, and [`StoreError`] when the database fails. Neither is kept.
    pub async fn kept_answer<E: From<StoreError>>(
        &self,
        class: DataClass,
        asked: &str,
        as_of: Option<DatabaseVersion>,
        now: Timestamp,
        make: impl AsyncFnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<KeptAnswer, E> {
        let version = match as_of {
            Some(version) => version,
            None => self.store.version().await?,
        };
        let key = Key::of(class, &self.marks_at(version).await?, asked);
        let kept = &self.answers.kept;
        if let Some(answer) = kept.get(&key) {
            if now < answer.ends_at {
                self.telemetry.metrics().answer(class, true);
                return Ok(answer);
            }
            kept.remove_if(&key, |answer| answer.ends_at <= now);
        }
        let place = match kept.get_value_or_guard_async(&key).await {
            Ok(answer) => {
                self.telemetry.metrics().answer(class, true);
                return Ok(answer);
            }
            Err(place) => place,
        };
        self.telemetry.metrics().answer(class, false);
        let shared = self.shared_answers().filter(|_| class.is_dear());
        let name = match &shared {
            Some(_) => key.shared_name(self.known_restore().await?),
            None => String::new(),
        };
        let ends_at = class.ends_at(now);
        let made_elsewhere = match &shared {
            Some(shared) => costs_speed_only(shared.get(&name).await).flatten(),
            None => None,
        };
        let (body, made_at) = match made_elsewhere {
            Some(made) => made,
            None => {
                // What makes it is large, and is seldom needed.
                let body = Bytes::from(Box::pin(make()).await?);
                if let Some(shared) = &shared {
                    let lasts = ends_at.duration_since(now);
                    costs_speed_only(shared.put(&name, &body, now, lasts).await);
                }
                (body, now)
            }
        };
        let answer = KeptAnswer::of(body, made_at, ends_at);
        // Somebody may have forgotten the place meanwhile; the answer is right all the same.
        let _placed = place.insert(answer.clone());
        Ok(answer)
    }

    /// How far the tables have come, asked anew only when something was committed.
    pub(crate) async fn change_marks(&self) -> Result<ChangeMarks, StoreError> {
        self.marks_at(self.store.version().await?).await
    }

    /// How far the tables have come when the database stood at `version`, or since.
    async fn marks_at(&self, version: DatabaseVersion) -> Result<ChangeMarks, StoreError> {
        let mut held = self.answers.marks.lock().await;
        if let Some((known, marks)) = held.as_ref()
            && *known == version
        {
            return Ok(*marks);
        }
        let marks = Box::pin(self.store.change_marks()).await?;
        *held = Some((version, marks));
        Ok(marks)
    }

    async fn known_restore(&self) -> Result<&str, StoreError> {
        let newest = || async {
            let restored = self.newest_restore().await?;
            Ok::<_, StoreError>(restored.map_or_else(String::new, |record| record.mac))
        };
        Ok(self.answers.restore.get_or_try_init(newest).await?.as_str())
    }

    fn shared_answers(&self) -> Option<SharedAnswers> {
        self.redis.clone().map(SharedAnswers::new)
    }
}

/// What Redis said; when it said nothing, its breaker knows, and whoever is asked does it alone.
fn costs_speed_only<T>(said: Result<T, RedisError>) -> Option<T> {
    said.inspect_err(|error| {
        tracing::debug!(%error, "answers are not shared by Redis: {error}");
    })
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(class: DataClass, made_at: &str, ends_at: &str) {
        let (made, ends): (Timestamp, Timestamp) =
            (made_at.parse().unwrap(), ends_at.parse().unwrap());
        assert_eq!(class.ends_at(made), ends, "{class:?} made at {made_at}");
    }

    #[test]
    fn an_answer_holds_shorter_while_the_exchange_is_open_and_never_beyond_its_bells() {
        // Tuesday; continuous trading from 10:00 and the last phase until 18:10, Istanbul.
        check(DataClass::Bars, "2026-11-24T08:00:00Z", "2026-11-24T08:00:05Z");
        check(DataClass::Signals, "2026-11-24T08:00:00Z", "2026-11-24T08:00:15Z");
        check(DataClass::Bars, "2026-11-24T06:59:58Z", "2026-11-24T07:00:00Z");
        check(DataClass::Explanations, "2026-11-24T15:09:00Z", "2026-11-24T15:10:00Z");
        check(DataClass::Bars, "2026-11-24T15:10:00Z", "2026-11-24T15:20:00Z");
        // A day ends at 21:00 UTC, and what is old is told by days.
        check(DataClass::Explanations, "2026-11-24T20:30:00Z", "2026-11-24T21:00:00Z");
        // Sunday.
        check(DataClass::Explanations, "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z");
    }
}
