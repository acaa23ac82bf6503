//! Spans of time that are asked for, and the steps of their charts.

use bist_store::{Resolution, UsageWindow};
use jiff::{SignedDuration, Timestamp};

use super::TelemetrySettings;

/// Most steps of a chart.
const STEPS_MAX: i64 = 400;

/// Steps of charts, seconds; beyond, as many whole days as needed.
const STEPS_S: [i64; 6] = [60, 300, 900, 3_600, 6 * 3_600, 86_400];

/// A span of time, widened to whole rows of the finest resolution that is kept for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// From this instant on.
    pub from: Timestamp,
    /// Before this instant.
    pub to: Timestamp,
    /// How exact both are.
    pub resolution: Resolution,
}

/// A step of the chart of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its length.
    pub length_s: i64,
}

impl Span {
    /// The span from `from` on and before `to`, as it is kept at `now`. What is not kept any more and
    /// what has not come yet is left out. `known_from` is the begin of all that is asked for with it.
    pub(crate) fn of(
        (from, to): (Timestamp, Timestamp),
        known_from: Timestamp,
        settings: TelemetrySettings,
        now: Timestamp,
    ) -> Self {
        let is_kept = |resolution: &Resolution| {
            settings.usage_kept_from(*resolution, now) <= resolution.begin(known_from)
        };
        let resolution = Resolution::ALL.into_iter().find(is_kept).unwrap_or(Resolution::Day);
        Self::widened((from, to), resolution, settings.usage_kept_from(resolution, now), now)
    }

    /// The same of activities, which are kept as they were: to whole minutes, as far back as any of them
    /// is kept.
    pub(crate) fn of_activities(
        asked: (Timestamp, Timestamp),
        settings: TelemetrySettings,
        now: Timestamp,
    ) -> Self {
        let minute = Resolution::Minute;
        Self::widened(asked, minute, minute.begin(settings.activities_kept_from(now)), now)
    }

    /// The span in whole rows of `resolution`, which are there from `oldest` on.
    fn widened(
        (from, to): (Timestamp, Timestamp),
        resolution: Resolution,
        oldest: Timestamp,
        now: Timestamp,
    ) -> Self {
        let newest = now.saturating_add(SignedDuration::from_mins(1)).unwrap_or(now);
        let to = resolution.end(to.min(newest)).max(oldest);
        let from = resolution.begin(from).max(oldest).min(to);
        Self { from, to, resolution }
    }

    /// The rows of which it consists.
    pub(crate) const fn window(self) -> UsageWindow {
        let Self { from, to, resolution } = self;
        UsageWindow { from, to, finest: resolution, coarsest: Resolution::Day }
    }

    /// The rows of which its steps consist.
    pub(crate) const fn window_in(self, step: Step) -> UsageWindow {
        let Self { from, to, resolution } = self;
        UsageWindow { from, to, finest: resolution, coarsest: step.coarsest() }
    }

    /// The steps of its chart: the shortest of which there are not too many.
    pub fn step(self) -> Step {
        let length_s = self.to.as_second() - self.from.as_second();
        let fits =
            |step_s: &i64| *step_s >= self.resolution.length_s() && length_s <= *step_s * STEPS_MAX;
        let days = (length_s / 86_400 / STEPS_MAX + 1) * 86_400;
        Step { length_s: STEPS_S.into_iter().find(fits).unwrap_or(days) }
    }

    /// The begins of all steps in it, of which the first may be before its own.
    pub fn begins(self, step: Step) -> impl Iterator<Item = Timestamp> {
        let (first, to) = (step.begin(self.from), self.to);
        let length = SignedDuration::from_secs(step.length_s);
        std::iter::successors(Some(first), move |at| at.checked_add(length).ok())
            .take_while(move |at| *at < to)
    }
}

impl Step {
    /// The begin of the step that `at` belongs to.
    pub fn begin(self, at: Timestamp) -> Timestamp {
        let second = at.as_second();
        let begin_s = second - second.rem_euclid(self.length_s);
        Timestamp::from_second(begin_s).unwrap_or(Timestamp::MIN)
    }

    /// Its length.
    pub(crate) const fn length(self) -> SignedDuration {
        SignedDuration::from_secs(self.length_s)
    }

    /// The coarsest rows of which none is in two steps.
    const fn coarsest(self) -> Resolution {
        if self.length_s % Resolution::Day.length_s() == 0 {
            Resolution::Day
        } else if self.length_s % Resolution::Hour.length_s() == 0 {
            Resolution::Hour
        } else {
            Resolution::Minute
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-24T12:00:30Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(from: &str, to: &str, expected: (&str, &str, Resolution, i64)) {
        let settings = TelemetrySettings::default();
        let span = Span::of((at(from), at(to)), at(from), settings, at(NOW));
        let (from, to, resolution, step_s) = expected;
        assert_eq!(span, Span { from: at(from), to: at(to), resolution });
        assert_eq!(span.step(), Step { length_s: step_s });
        assert!(span.begins(span.step()).count() <= 401);
    }

    #[test]
    fn a_span_is_as_exact_as_all_of_it_is_kept() {
        let (minute, hour, day) = (Resolution::Minute, Resolution::Hour, Resolution::Day);
        let to = "2026-11-24T12:01:00Z";
        check("2026-11-24T11:59:59Z", NOW, ("2026-11-24T11:59:00Z", to, minute, 60));
        check("2026-11-23T12:00:30Z", NOW, ("2026-11-23T12:00:00Z", to, minute, 300));
        // Two days and a little more are kept by the minute.
        check("2026-11-22T12:00:30Z", NOW, ("2026-11-22T12:00:00Z", to, minute, 900));
        let to = "2026-11-24T13:00:00Z";
        check("2026-11-22T10:59:30Z", NOW, ("2026-11-22T10:00:00Z", to, hour, 3_600));
        check("2026-10-25T12:00:30Z", NOW, ("2026-10-25T12:00:00Z", to, hour, 21_600));
        let to = "2026-11-25T00:00:00Z";
        check("2026-01-01T12:00:30Z", NOW, ("2026-01-01T00:00:00Z", to, day, 86_400));
        // What is not kept any more and what has not come is left out.
        let kept = ("2024-11-23T00:00:00Z", to, day, 2 * 86_400);
        check("0001-01-01T00:00:00Z", "9999-12-30T00:00:00Z", kept);
        let soon = "2026-11-24T12:02:00Z";
        check("2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z", (soon, soon, minute, 60));
    }

    #[test]
    fn activities_are_as_exact_as_minutes_and_reach_back_as_far_as_any_of_them() {
        let settings = TelemetrySettings {
            minutes_kept_days: 1,
            hours_kept_days: 1,
            days_kept_days: 1,
            ..TelemetrySettings::default()
        };
        let asked = (at("2026-08-24T12:00:30Z"), at(NOW));
        let span = Span::of_activities(asked, settings, at(NOW));
        let (from, to) = (at("2026-08-24T12:00:00Z"), at("2026-11-24T12:01:00Z"));
        assert_eq!(span, Span { from, to, resolution: Resolution::Minute });
        assert_eq!(span.step(), Step { length_s: 6 * 3_600 });
        let all = Span::of_activities((Timestamp::MIN, Timestamp::MAX), settings, at(NOW));
        assert_eq!(all.from, at("2025-11-24T12:00:00Z"));
    }

    #[test]
    fn steps_are_whole_and_cover_the_span() {
        let settings = TelemetrySettings::default();
        let (from, now) = (at("2026-11-24T08:07:00Z"), at(NOW));
        let span = Span::of((from, now), from, settings, now);
        let step = Step { length_s: 3_600 };
        let begins: Vec<Timestamp> = span.begins(step).collect();
        assert_eq!(begins.first(), Some(&at("2026-11-24T08:00:00Z")));
        assert_eq!((begins.len(), begins.last()), (5, Some(&at("2026-11-24T12:00:00Z"))));
        assert_eq!(span.window_in(step).coarsest, Resolution::Hour);
        assert_eq!(span.window_in(Step { length_s: 900 }).coarsest, Resolution::Minute);
        assert_eq!(span.window_in(Step { length_s: 21_600 }).coarsest, Resolution::Hour);
    }
}
