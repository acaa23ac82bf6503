//! What is sent: envelopes of one form, whatever they hold and by whatever door they go.

use std::sync::Arc;

use axum::body::Bytes;
use bist_app::live::{Change, Event, Gap, News, Position, PriceNow, Snapshot};
use bist_market::{Source, Symbol};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::closing::Closing;
use crate::routes::jobs::RunResponse;
use crate::schema::{
    ActionWord, Day, Decimal, Instant, OriginWord, TimeOfDay, document, schema, text,
};

/// The topic of envelopes that are about the stream itself.
const STREAM: &str = "stream";

/// Something that is told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LiveEnvelope)]
pub(super) struct Envelope<D> {
    /// The number of the event; in what is about the stream itself, that of the last event before it.
    seq: u64,
    /// What kind of envelope this is.
    #[schema(value_type = KindWord)]
    r#type: &'static str,
    /// What it is about.
    #[schema(example = "prices/THYAO")]
    topic: String,
    /// Whether this is of a replay of stored sessions; left out where it is not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    replay: bool,
    /// When.
    at: Instant,
    /// What; null when it is gone.
    #[schema(value_type = LiveData, required)]
    data: D,
}

/// What kind of envelope this is.
#[derive(Debug, Serialize)]
pub(super) struct KindWord(&'static str);

schema!(
    KindWord,
    "LiveKind",
    text(
        "What kind of envelope this is. `update` and `gone` are events, with numbers of their own; all \
         others are about the stream itself.",
        "update"
    )
    .enum_values(Some([
        "update",
        "gone",
        "hello",
        "snapshot",
        "resumed",
        "conflated",
        "heartbeat",
        "unsubscribed",
        "error",
        "closing",
    ]))
);

/// What an envelope holds.
#[derive(Debug, Serialize)]
pub(super) struct LiveData(Value);

schema!(
    LiveData,
    "LiveData",
    document(
        "What an envelope holds, by its type and topic; the guide of the API has a table. Of `prices` \
         it is `symbol`, `origin`, `as_of`, `last_close`, `previous_close`, `change_share`, \
         `priced_at`, `age_s`, `stale`, `live_source` and `replay_time`; of `jobs` a JobRun; of a `snapshot` it is `position`, `reason` and `items`, \
         which are envelopes. Null where something is gone."
    )
);

/// What an event holds.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum EventData {
    Price {
        symbol: Symbol,
        origin: OriginWord,
        as_of: Option<Day>,
        last_close: Option<Decimal>,
        previous_close: Option<Decimal>,
        change_share: Option<f64>,
        priced_at: Option<Instant>,
        age_s: Option<u64>,
        stale: Option<bool>,
        live_source: Option<Source>,
        replay_time: Option<TimeOfDay>,
    },
    Signal {
        id: String,
        symbol: Symbol,
        origin: OriginWord,
        horizon: String,
        action: ActionWord,
        reason_code: &'static str,
        as_of: Day,
        as_of_time: Option<TimeOfDay>,
        made_at: Instant,
        model_version: String,
    },
    Job(Box<RunResponse>),
    Quality {
        score_share: Option<f64>,
        validated_at: Option<Instant>,
    },
    Audit {
        newest_seq: i64,
    },
    Personal {
        newest_change: i64,
    },
    Gone,
}

impl EventData {
    /// What an event of `at` holds.
    fn of(change: &Change, at: Timestamp) -> Self {
        match change {
            Change::Price(now) => Self::of_price(now, at),
            Change::Signal(record) => Self::Signal {
                id: record.id.clone(),
                symbol: record.signal.symbol,
                origin: OriginWord(record.origin),
                horizon: record.signal.horizon.to_string(),
                action: ActionWord(record.signal.action),
                reason_code: record.signal.reason.code(),
                as_of: Day(record.signal.as_of),
                as_of_time: record.signal.as_of_time.map(TimeOfDay),
                made_at: Instant(record.made_at),
                model_version: record.model_version.clone(),
            },
            Change::Job(view) => Self::Job(Box::new(RunResponse::of(view))),
            Change::Quality(now) => Self::Quality {
                score_share: now.score_share,
                validated_at: now.validated_at.map(Instant),
            },
            Change::Audit(newest_seq) => Self::Audit { newest_seq: *newest_seq },
            Change::Personal(newest_change) => Self::Personal { newest_change: *newest_change },
            Change::Gone => Self::Gone,
        }
    }

    fn of_price(now: &PriceNow, at: Timestamp) -> Self {
        Self::Price {
            symbol: now.symbol,
            origin: OriginWord(now.origin),
            as_of: now.as_of.map(Day),
            last_close: now.last_close.map(Decimal),
            previous_close: now.previous_close.map(Decimal),
            change_share: now.change_share,
            priced_at: now.priced_at.map(Instant),
            age_s: now.age_s(at),
            stale: now.is_stale,
            live_source: now.live_source,
            replay_time: now.replay.map(|replay| TimeOfDay(replay.time)),
        }
    }
}

/// An event as it is sent; written once, for all who hear of it.
fn event_text(event: &Event) -> Bytes {
    let write = |event: &Event| {
        bytes_of(&Envelope {
            seq: event.seq,
            r#type: if event.change == Change::Gone { "gone" } else { "update" },
            topic: event.topic.to_string(),
            replay: event.is_replay(),
            at: Instant(event.at),
            data: EventData::of(&event.change, event.at),
        })
    };
    event.text(write).clone()
}

/// Why a snapshot is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It was asked for.
    Subscribed,
    /// One could not go on from a position.
    Gap(Gap),
}

impl Reason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Subscribed => "subscribed",
            Self::Gap(Gap::TooOld) => "too_old",
            Self::Gap(Gap::OtherEpoch) => "other_epoch",
        }
    }
}

/// An envelope as it is sent, and how far one has come with it.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// The number of the last event up to and with it.
    pub(super) seq: u64,
    /// The envelope.
    pub(super) text: Bytes,
}

/// What is told about the stream itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct AboutStream<'a> {
    /// How far who listens has come.
    pub(super) position: &'a Position,
    /// Now.
    pub(super) at: Timestamp,
}

impl AboutStream<'_> {
    fn envelope(&self, kind: &'static str, data: Value) -> Told {
        let seq = self.position.seq;
        let (topic, at) = (STREAM.to_owned(), Instant(self.at));
        let text = bytes_of(&Envelope { seq, r#type: kind, topic, replay: false, at, data });
        Told { seq, text }
    }

    /// The first of a WebSocket.
    pub(super) fn hello(&self, heartbeat_s: f64, prices: &'static str) -> Told {
        let position = self.position.to_string();
        let data = json!({"position": position, "heartbeat_s": heartbeat_s, "prices": prices});
        self.envelope("hello", data)
    }

    /// How everything stands that was asked for. The events are there as texts already.
    pub(super) fn snapshot(&self, snapshot: &Snapshot, reason: Reason) -> Told {
        let mut text = format!(
            r#"{{"seq":{},"type":"snapshot","topic":"{STREAM}","at":"{}","data":{{"position":"{}","reason":"{}","items":["#,
            snapshot.head,
            self.at,
            self.position,
            reason.as_str()
        )
        .into_bytes();
        for (index, event) in snapshot.events.iter().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            text.extend_from_slice(&event_text(event));
        }
        text.extend_from_slice(b"]}}");
        Told { seq: snapshot.head, text: text.into() }
    }

    /// One goes on from one's position.
    pub(super) fn resumed(&self) -> Told {
        self.envelope("resumed", json!({"position": self.position.to_string()}))
    }

    /// Nothing else has happened up to this position.
    pub(super) fn heartbeat(&self) -> Told {
        self.envelope("heartbeat", json!({"position": self.position.to_string()}))
    }

    /// What is listened to no more, and what still is.
    pub(super) fn unsubscribed(&self, left: &[String]) -> Told {
        self.envelope("unsubscribed", json!({"topics": left}))
    }

    /// A request was not done.
    pub(super) fn error(&self, code: &str, detail: &str) -> Told {
        self.envelope("error", json!({"code": code, "detail": detail}))
    }

    /// The stream ends; where there is no close code.
    pub(super) fn closing(&self, closing: Closing) -> Told {
        let (code, reason) = closing.code_and_reason();
        self.envelope("closing", json!({"code": code, "reason": reason}))
    }

    /// News in order, after a word about what was left out of them; this is how far one had come before.
    pub(super) fn news(&self, news: &News) -> Vec<Told> {
        let mut texts = Vec::with_capacity(news.events.len() + 1);
        if news.omitted_count > 0 {
            let data = json!({"omitted_count": news.omitted_count});
            texts.push(self.envelope("conflated", data));
        }
        let told = |event: &Arc<Event>| Told { seq: event.seq, text: event_text(event) };
        texts.extend(news.events.iter().map(told));
        texts
    }
}

/// The text of a document.
///
/// # Panics
///
/// Never: envelopes are plain data.
fn bytes_of(document: &impl Serialize) -> Bytes {
    serde_json::to_vec(document).expect("envelopes are plain data").into()
}
