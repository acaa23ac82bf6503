//! The numbered events of one process: the last of them, and how everything stands.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Change, Event};
use super::topic::{Section, Topic, Wanted};

/// The stream, without anybody who listens.
#[derive(Debug)]
pub(super) struct Stream {
    kept_max: usize,
    conflate_after: usize,
    /// The number of the newest event; zero before the first.
    seq: u64,
    /// The newest events, oldest first, none missing.
    kept: VecDeque<Arc<Event>>,
    /// The newest event of each topic.
    standing: BTreeMap<Topic, Arc<Event>>,
}

/// What has happened since a place of the stream.
#[derive(Clone, Debug)]
pub struct News {
    /// What was wanted of it, in order.
    pub events: Vec<Arc<Event>>,
    /// Prices left out, because a newer one of the same symbol is among them.
    pub omitted_count: u64,
    /// The place up to which it reaches.
    pub head: u64,
}

/// How everything that is wanted stands.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The newest event of each topic, by topic.
    pub events: Vec<Arc<Event>>,
    /// The place of the stream at which this holds.
    pub head: u64,
}

/// Why nobody can go on from a place of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Gap {
    /// The events after it are not kept any more.
    #[error("the events after this position are not kept any more")]
    TooOld,
    /// This stream has not come so far, or it is another one.
    #[error("the position is of another life of the server")]
    OtherEpoch,
}

impl Stream {
    pub(super) fn new(kept_max: usize, conflate_after: usize) -> Self {
        Self {
            kept_max: kept_max.max(1),
            conflate_after,
            seq: 0,
            kept: VecDeque::new(),
            standing: BTreeMap::new(),
        }
    }

    /// The number of the newest event.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// Gives what has happened the next number.
    pub(super) fn push(&mut self, at: Timestamp, topic: Topic, change: Change) {
        self.seq += 1;
        let is_gone = change == Change::Gone;
        let event = Arc::new(Event::new(self.seq, at, topic, change));
        if self.kept.len() == self.kept_max {
            self.kept.pop_front();
        }
        self.kept.push_back(Arc::clone(&event));
        if is_gone {
            self.standing.remove(&topic);
        } else {
            self.standing.insert(topic, event);
        }
    }

    /// What of `now`, all there is of `section`, stands otherwise here, and what is gone. Runs of jobs
    /// are never gone; those that are not told any more are forgotten.
    pub(super) fn differences(
        &mut self,
        section: Section,
        now: Vec<(Topic, Change)>,
    ) -> Vec<(Topic, Change)> {
        let there: HashSet<Topic> = now.iter().map(|(topic, _)| *topic).collect();
        let is_missing = |topic: &Topic| topic.section() == section && !there.contains(topic);
        let mut changes: Vec<(Topic, Change)> = Vec::new();
        if section == Section::Jobs {
            self.standing.retain(|topic, _| !is_missing(topic));
        } else {
            let missing = self.standing.keys().filter(|topic| is_missing(topic));
            changes.extend(missing.map(|topic| (*topic, Change::Gone)));
        }
        changes.extend(now.into_iter().filter(|(topic, change)| {
            self.standing.get(topic).is_none_or(|standing| standing.change != *change)
        }));
        changes
    }

    /// What of `topics` has happened after the number `seq`.
    pub(super) fn after(&self, seq: u64, topics: &[Wanted]) -> Result<News, Gap> {
        if seq > self.seq {
            return Err(Gap::OtherEpoch);
        }
        let new_count = usize::try_from(self.seq - seq).unwrap_or(usize::MAX);
        let Some(first) = self.kept.len().checked_sub(new_count) else { return Err(Gap::TooOld) };
        let wanted = |event: &&Arc<Event>| topics.iter().any(|topic| topic.covers(event.topic));
        let mut events: Vec<Arc<Event>> =
            self.kept.range(first..).filter(wanted).map(Arc::clone).collect();
        let all_count = events.len();
        if all_count > self.conflate_after {
            keep_newest_prices(&mut events);
        }
        let omitted_count = (all_count - events.len()) as u64;
        Ok(News { events, omitted_count, head: self.seq })
    }

    /// How all of `topics` stands.
    pub(super) fn snapshot(&self, topics: &[Wanted]) -> Snapshot {
        let wanted = |topic: &Topic| topics.iter().any(|wanted| wanted.covers(*topic));
        let events = self.standing.iter().filter(|(topic, _)| wanted(topic));
        Snapshot { events: events.map(|(_, event)| Arc::clone(event)).collect(), head: self.seq }
    }
}

/// Leaves out each price that a newer one of the same symbol follows; everything else stays.
fn keep_newest_prices(events: &mut Vec<Arc<Event>>) {
    let mut seen = HashSet::new();
    let mut kept: Vec<Arc<Event>> = Vec::with_capacity(events.len());
    for event in events.drain(..).rev() {
        if event.topic.section() != Section::Prices || seen.insert(event.topic) {
            kept.push(event);
        }
    }
    kept.reverse();
    *events = kept;
}

#[cfg(test)]
mod tests {
    use bist_market::Symbol;

    use super::*;
    use crate::live::QualityNow;

    const ALL: [Wanted; 5] = [
        Wanted::All(Section::Prices),
        Wanted::All(Section::Signals),
        Wanted::All(Section::Jobs),
        Wanted::All(Section::Quality),
        Wanted::All(Section::Audit),
    ];

    fn quality(score_share: f64) -> (Topic, Change) {
        let now = QualityNow { score_share: Some(score_share), validated_at: None };
        (Topic::Quality, Change::Quality(now))
    }

    /// A stream of records `1..=count`, of which `kept` are kept.
    fn stream(kept: usize, count: i64) -> Stream {
        let mut stream = Stream::new(kept, 1_000);
        for number in 1..=count {
            stream.push(Timestamp::UNIX_EPOCH, Topic::Audit, Change::Audit(number));
        }
        stream
    }

    fn numbers(news: &News) -> Vec<u64> {
        news.events.iter().map(|event| event.seq).collect()
    }

    #[test]
    fn whoever_was_cut_off_anywhere_gets_the_rest_once() {
        let stream = stream(10, 10);
        for seq in 0..=10 {
            let news = stream.after(seq, &ALL).unwrap();
            assert_eq!(numbers(&news), (seq + 1..=10).collect::<Vec<u64>>());
            assert_eq!((news.head, news.omitted_count), (10, 0));
        }
    }

    #[test]
    fn a_place_before_those_kept_or_after_the_last_is_a_gap() {
        let stream = stream(4, 10);
        assert_eq!(numbers(&stream.after(6, &ALL).unwrap()), [7, 8, 9, 10]);
        assert_eq!(stream.after(5, &ALL).unwrap_err(), Gap::TooOld);
        assert_eq!(stream.after(0, &ALL).unwrap_err(), Gap::TooOld);
        assert_eq!(stream.after(11, &ALL).unwrap_err(), Gap::OtherEpoch);
        assert_eq!(stream.after(u64::MAX, &ALL).unwrap_err(), Gap::OtherEpoch);
    }

    #[test]
    fn who_is_behind_gets_the_newest_price_of_each_symbol_and_all_else() {
        let symbol = |text| Symbol::parse(text).unwrap();
        let mut stream = Stream::new(100, 4);
        let mut push = |topic| stream.push(Timestamp::UNIX_EPOCH, topic, Change::Audit(0));
        let (a, b) = (Topic::Price(symbol("AAAAA")), Topic::Price(symbol("BBBBB")));
        for topic in [a, Topic::Job(1), b, a, Topic::Job(1), a] {
            push(topic);
        }
        let news = stream.after(0, &ALL).unwrap();
        assert_eq!((numbers(&news), news.omitted_count), (vec![2, 3, 5, 6], 2));
        let news = stream.after(2, &ALL).unwrap();
        assert_eq!((numbers(&news), news.omitted_count), (vec![3, 4, 5, 6], 0));
    }

    #[test]
    fn only_what_has_changed_is_told_and_what_is_gone() {
        let mut stream = Stream::new(10, 10);
        let told = stream.differences(Section::Quality, vec![quality(0.9)]);
        assert_eq!(told.len(), 1);
        for (topic, change) in told {
            stream.push(Timestamp::UNIX_EPOCH, topic, change);
        }
        assert!(stream.differences(Section::Quality, vec![quality(0.9)]).is_empty());
        assert!(stream.differences(Section::Prices, Vec::new()).is_empty());
        assert_eq!(stream.differences(Section::Quality, vec![quality(0.8)]).len(), 1);
        let gone = stream.differences(Section::Quality, Vec::new());
        assert_eq!(gone, [(Topic::Quality, Change::Gone)]);
        stream.push(Timestamp::UNIX_EPOCH, Topic::Quality, Change::Gone);
        assert!(stream.snapshot(&ALL).events.is_empty());
    }
}
