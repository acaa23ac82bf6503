//! What fails at every look: told when it begins, now and then while it lasts, and when it is over.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// How often the same failure is told while it lasts.
const TOLD_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// How something that is done again and again fails.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    /// When it began to fail.
    since: Option<Timestamp>,
    /// What was told of it, and when last.
    told: BTreeMap<String, Timestamp>,
}

impl Trouble {
    /// Whether the failure `error` at `now` is to be told. Other numbers make it no other one: the name of a
    /// generation that cannot be begun has its moment in it.
    pub(super) fn is_news(&mut self, error: &str, now: Timestamp) -> bool {
        self.since.get_or_insert(now);
        self.told.retain(|_, at| now.duration_since(*at) < TOLD_EVERY);
        let error: String = error.chars().filter(|c| !c.is_ascii_digit()).collect();
        if self.told.contains_key(&error) {
            return false;
        }
        self.told.insert(error, now);
        true
    }

    /// It was done at `now`: how long it was not before, if it failed.
    pub(super) fn end(&mut self, now: Timestamp) -> Option<SignedDuration> {
        self.told.clear();
        self.since.take().map(|since| now.duration_since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// The seconds of looks at which `error` is told, of one each twenty seconds.
    fn told(trouble: &mut Trouble, error: impl Fn(i64) -> String, until: i64) -> Vec<i64> {
        let looks = (0..=until).step_by(20);
        looks.filter(|second| trouble.is_news(&error(*second), at(*second))).collect()
    }

    #[test]
    fn a_failure_is_told_once_in_ten_minutes_and_its_end_once() {
        let mut trouble = Trouble::default();
        assert_eq!(trouble.end(at(0)), None);
        let full = |second: i64| format!("the disk that holds log/bist-{second} is full");
        assert_eq!(told(&mut trouble, full, 1_300), [0, 600, 1_200]);
        assert_eq!(trouble.end(at(1_320)), Some(SignedDuration::from_secs(1_320)));
        assert_eq!(trouble.end(at(1_340)), None);
        assert!(trouble.is_news(&full(1_360), at(1_360)), "it begins again");
    }

    #[test]
    fn another_failure_is_told_at_once_and_two_that_take_turns_are_told_once_each() {
        let mut trouble = Trouble::default();
        let turns = |second: i64| ["one", "other"][usize::from(second % 40 != 0)].to_owned();
        assert_eq!(told(&mut trouble, turns, 640), [0, 20, 600, 620]);
        assert_eq!(trouble.end(at(660)), Some(SignedDuration::from_secs(660)));
    }
}
