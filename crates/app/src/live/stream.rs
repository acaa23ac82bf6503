//! The numbered events of one process: the last of them, and how everything stands.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use bist_market::Symbol;
use jiff::Timestamp;

use super::event::{Change, Event, PriceNow};
use super::new_epoch;
use super::shared::Numbered;
use super::topic::{Section, Topic, Wanted};

/// Runs of jobs that are told and stand: the newest.
pub(super) const RUNS_MAX: u32 = 20;

/// How far another server may be ahead that tells the same: whoever comes from there waits until this one
/// has read as much.
const AHEAD_MAX: u64 = 1_000;

/// The stream, without anybody who listens.
#[derive(Debug)]
pub(super) struct Stream {
    /// Names this life of the stream: numbers of another one mean nothing here.
    epoch: Arc<str>,
    /// Whether other servers tell the same.
    is_shared: bool,
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

/// How a stream goes on that takes over what others tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// From where it was.
    GoesOn,
    /// From how everything stands there.
    Anew,
    /// Not at all: they have lost what was told already.
    Lost,
}

/// An event does not follow those that are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event does not follow those that are here")]
pub(super) struct OutOfOrder;

impl Stream {
    pub(super) fn new(kept_max: usize, conflate_after: usize) -> Self {
        Self {
            epoch: new_epoch().into(),
            is_shared: false,
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

    /// The name of this life.
    pub(super) fn epoch(&self) -> Arc<str> {
        Arc::clone(&self.epoch)
    }

    /// Whether other servers tell the same.
    pub(super) fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Gives what has happened the next numbers.
    pub(super) fn push_all(&mut self, at: Timestamp, changes: Vec<(Topic, Change)>) {
        for (topic, change) in changes {
            self.push(at, topic, change);
        }
    }

    /// Takes events of the life `epoch` over, those that are here already aside.
    pub(super) fn accept(&mut self, epoch: &str, events: Vec<Numbered>) -> Result<(), OutOfOrder> {
        if *self.epoch != *epoch || !self.is_shared {
            return Err(OutOfOrder);
        }
        for (seq, at, topic, change) in events {
            if seq > self.seq + 1 {
                return Err(OutOfOrder);
            }
            if seq == self.seq + 1 {
                self.push(at, topic, change);
            }
        }
        Ok(())
    }

    /// Tells what other servers tell: the life `epoch` with its newest events, and how everything
    /// stands in it.
    pub(super) fn join(
        &mut self,
        epoch: &str,
        events: Vec<Numbered>,
        standing: Vec<Numbered>,
    ) -> Joined {
        if self.is_shared && *self.epoch == *epoch {
            let ours = self.kept.back();
            let theirs = events.iter().find(|event| event.0 == self.seq);
            let is_same = match (ours, theirs) {
                (None, _) => self.seq == 0,
                (Some(ours), Some((_, at, topic, change))) => {
                    (&ours.at, &ours.topic, &ours.change) == (at, topic, change)
                }
                // So far behind that it is not kept any more.
                (Some(_), None) => events.first().is_some_and(|first| first.0 > self.seq),
            };
            if !is_same {
                return Joined::Lost;
            }
            if self.accept(epoch, events.clone()).is_ok() {
                return Joined::GoesOn;
            }
        }
        let mut joined = Self::new(self.kept_max, self.conflate_after);
        joined.epoch = epoch.into();
        joined.is_shared = true;
        for (seq, at, topic, change) in standing {
            joined.stand(Arc::new(Event::new(seq, at, topic, change)));
        }
        for (seq, at, topic, change) in events {
            joined.seq = seq - 1;
            joined.push(at, topic, change);
        }
        *self = joined;
        Joined::Anew
    }

    /// Goes on under a name of its own; says whether it was shared before.
    pub(super) fn go_alone(&mut self) -> bool {
        if std::mem::take(&mut self.is_shared) {
            self.epoch = new_epoch().into();
            return true;
        }
        false
    }

    /// The runs that do not stand any more once `changes` have happened.
    pub(super) fn forgotten_with(&self, changes: &[(Topic, Change)]) -> Vec<String> {
        let runs = |topic: &Topic| matches!(topic, Topic::Job(_)).then_some(*topic);
        let standing = self.standing.keys().filter_map(runs);
        let all: BTreeSet<Topic> =
            standing.chain(changes.iter().filter_map(|change| runs(&change.0))).collect();
        let forgotten_count = all.len().saturating_sub(RUNS_MAX as usize);
        all.into_iter().take(forgotten_count).map(|topic| topic.full_name()).collect()
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
            self.stand(event);
        }
    }

    /// Notes how something stands; of runs the newest only.
    fn stand(&mut self, event: Arc<Event>) {
        let is_run = event.topic.section() == Section::Jobs;
        self.standing.insert(event.topic, event);
        if is_run {
            let mut runs = self.standing.keys().filter(|topic| topic.section() == Section::Jobs);
            let oldest = runs.next().copied();
            // One that came is the only one that can be too many.
            if runs.count() >= RUNS_MAX as usize
                && let Some(oldest) = oldest
            {
                self.standing.remove(&oldest);
            }
        }
    }

    /// What of `now`, all there is of `section`, stands otherwise here, and what is gone. Runs of jobs
    /// are never gone.
    pub(super) fn differences(
        &self,
        section: Section,
        now: Vec<(Topic, Change)>,
    ) -> Vec<(Topic, Change)> {
        let there: HashSet<Topic> = now.iter().map(|(topic, _)| *topic).collect();
        let is_missing = |topic: &Topic| topic.section() == section && !there.contains(topic);
        let mut changes: Vec<(Topic, Change)> = Vec::new();
        if section != Section::Jobs {
            let missing = self.standing.keys().filter(|topic| is_missing(topic));
            changes.extend(missing.map(|topic| (*topic, Change::Gone)));
        }
        changes.extend(self.changed(now));
        changes
    }

    /// What of `now` stands otherwise here.
    pub(super) fn changed(&self, mut now: Vec<(Topic, Change)>) -> Vec<(Topic, Change)> {
        now.retain(|(topic, change)| {
            self.standing.get(topic).is_none_or(|standing| standing.change != *change)
        });
        now
    }

    /// The prices of this moment that stand.
    pub(super) fn quotes(&self) -> impl Iterator<Item = &PriceNow> {
        self.standing.values().filter_map(|event| event.quote())
    }

    /// That of one symbol.
    pub(super) fn quote(&self, symbol: Symbol) -> Option<&PriceNow> {
        self.standing.get(&Topic::Price(symbol))?.quote()
    }

    /// What of `topics` has happened after the number `seq`.
    pub(super) fn after(&self, seq: u64, topics: &[Wanted]) -> Result<News, Gap> {
        if let Some(ahead_count @ 1..) = seq.checked_sub(self.seq) {
            return if self.is_shared && ahead_count <= AHEAD_MAX {
                Ok(News { events: Vec::new(), omitted_count: 0, head: seq })
            } else {
                Err(Gap::OtherEpoch)
            };
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
    fn whoever_comes_from_a_server_that_is_ahead_waits_until_this_one_has_read_as_much() {
        let mut stream = stream(10, 10);
        stream.is_shared = true;
        let news = stream.after(12, &ALL).unwrap();
        assert_eq!((numbers(&news), news.head), (vec![], 12));
        assert_eq!(stream.after(10 + AHEAD_MAX + 1, &ALL).unwrap_err(), Gap::OtherEpoch);
        stream.is_shared = false;
        assert_eq!(stream.after(12, &ALL).unwrap_err(), Gap::OtherEpoch, "nobody is ahead");
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

    /// Records `numbers` as they come from elsewhere.
    fn records(numbers: std::ops::RangeInclusive<i64>) -> Vec<Numbered> {
        let record = |number: i64| {
            let seq = u64::try_from(number).unwrap();
            (seq, Timestamp::UNIX_EPOCH, Topic::Audit, Change::Audit(number))
        };
        numbers.map(record).collect()
    }

    #[test]
    fn a_stream_goes_on_with_others_only_where_they_continue_what_was_told() {
        let mut stream = Stream::new(10, 1_000);
        assert_eq!(stream.join("e", records(1..=3), records(3..=3)), Joined::Anew);
        assert_eq!((stream.seq(), stream.snapshot(&ALL).events.len()), (3, 1));
        // What is here already is passed over, and nothing may be missing.
        stream.accept("e", records(2..=4)).unwrap();
        assert_eq!(stream.accept("e", records(6..=6)), Err(OutOfOrder));
        assert_eq!(stream.accept("f", records(5..=5)), Err(OutOfOrder));
        assert_eq!(numbers(&stream.after(0, &ALL).unwrap()), [1, 2, 3, 4]);
        assert_eq!(stream.join("e", records(1..=6), records(6..=6)), Joined::GoesOn);
        assert_eq!(stream.seq(), 6);
        // They have lost what was told, or tell something else under its number.
        assert_eq!(stream.join("e", records(1..=5), records(5..=5)), Joined::Lost);
        let mut others = records(1..=7);
        others[5].3 = Change::Audit(99);
        assert_eq!(stream.join("e", others, Vec::new()), Joined::Lost);
        // They are further than is kept: from how everything stands, and who is behind is told.
        assert_eq!(stream.join("e", records(8..=9), records(9..=9)), Joined::Anew);
        assert_eq!(stream.after(6, &ALL).unwrap_err(), Gap::TooOld);
        // Alone, no number of before means anything.
        assert!(stream.go_alone());
        assert!(!stream.go_alone() && &*stream.epoch() != "e" && stream.seq() == 9);
    }
}
