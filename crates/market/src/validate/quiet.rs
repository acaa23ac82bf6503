//! Rows about which nothing can be said, recognised at a glance.
//!
//! Nearly every row is the bar of a session that follows the session before within its limits. One
//! look at such a row and the one before it answers what the checks of single rows, repeats, moves,
//! still prices and missing sessions would each ask anew; they pass it over. What is quiet is
//! decided here and means the same everywhere: validation with and without this look gives the same
//! result, which a test demands.

use super::days::Days;
use super::limits::{Bounds, Limits, SessionBounds};
use super::row::{Row, as_float, lira};
use crate::bar::RawBar;

/// Marks the quiet rows of a daily series of shares or of an index; `rows` are sorted.
pub(super) fn mark(rows: &mut [Row<'_>], days: &Days, limits: &Limits<'_>) {
    let Some(mut before) = rows.first().copied() else { return };
    let mut bounds = SessionBounds::new(limits);
    for row in rows {
        let day = row.day();
        row.is_quiet = days.next_session_at(before.day(), row.raw.opened_at) == Some(day)
            && days.is_session(before.day())
            && follows(before.raw.close_units, row.raw, bounds.of(day));
        row.is_plain = row.is_quiet;
        before = *row;
    }
}

/// Whether `raw`, of the first session after that of a row which closed at `base_units`, is sound by
/// itself and follows it at another close, within the bounds of its session and not closed at its
/// high or low.
///
/// Whether prices are too coarse for that is known later: see [`super::coverage::split`].
#[inline(always)]
pub(super) fn follows(base_units: i64, raw: &RawBar, bounds: Bounds) -> bool {
    let (high_units, low_units, close_units) = (raw.high_units, raw.low_units, raw.close_units);
    let open_units = raw.open_units.unwrap_or(close_units);
    let consistent = low_units > 0
        && low_units <= open_units
        && open_units <= high_units
        && low_units < close_units
        && close_units < high_units;
    let bounded = raw.volume_shares.is_none_or(|shares| shares >= 0)
        && raw
            .adjusted_close
            .is_none_or(|adjusted| adjusted > 0.0 && adjusted <= lira(close_units));
    consistent
        && bounded
        && close_units != base_units
        && bounds.admit(as_float(base_units), as_float(low_units), as_float(high_units))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use crate::bar::{BarSeries, RawBar};
    use crate::sample::{SampleSpec, generate};
    use crate::source::Source;
    use crate::validate::{Quiet, Received, ValidationPolicy, look_through};
    use crate::{Calendar, ExchangeRules};

    /// What may happen to a row.
    #[derive(Clone, Copy, Debug)]
    enum Change {
        Scale(f64),
        Still,
        Copied,
        Repeated,
        Taken,
        Moved(i64),
        Volume(Option<i64>),
        Adjusted(Option<f64>),
        Open(Option<i64>),
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            (0.5..1.5_f64).prop_map(Change::Scale),
            (0.89..1.11_f64).prop_map(Change::Scale),
            Just(Change::Still),
            Just(Change::Copied),
            Just(Change::Repeated),
            Just(Change::Taken),
            (-3..=3_i64).prop_map(Change::Moved),
            prop::option::of(-1..1_000_000_000_i64).prop_map(Change::Volume),
            prop::option::of(-1.0..1e6_f64).prop_map(Change::Adjusted),
            prop::option::of(-1..3_000_000_i64).prop_map(Change::Open),
        ]
    }

    fn apply(bars: &mut Vec<RawBar>, at: usize, change: Change) {
        let before = bars[at.saturating_sub(1)];
        let bar = &mut bars[at];
        #[expect(clippy::cast_possible_truncation, reason = "prices of the sample are small")]
        #[expect(clippy::cast_precision_loss, reason = "prices of the sample are small")]
        let scaled = |units: i64, share: f64| (units as f64 * share).round() as i64;
        match change {
            Change::Scale(share) => {
                for units in [&mut bar.high_units, &mut bar.low_units, &mut bar.close_units] {
                    *units = scaled(*units, share);
                }
                bar.open_units = bar.open_units.map(|units| scaled(units, share));
            }
            Change::Still => {
                (bar.high_units, bar.low_units) = (bar.close_units, bar.close_units);
                bar.open_units = Some(bar.close_units);
            }
            Change::Copied => *bar = RawBar { opened_at: bar.opened_at, ..before },
            Change::Repeated => {
                let bar = *bar;
                bars.insert(at, bar);
            }
            Change::Taken => drop(bars.remove(at)),
            Change::Moved(days) => {
                bar.opened_at += jiff::SignedDuration::from_hours(24 * days);
            }
            Change::Volume(volume) => bar.volume_shares = volume,
            Change::Adjusted(adjusted) => bar.adjusted_close = adjusted,
            Change::Open(open) => bar.open_units = open,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 200,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(13),
            ..ProptestConfig::default()
        })]

        #[test]
        fn passing_quiet_rows_over_changes_nothing(
            seed in 0..8_u64,
            changes in prop::collection::vec((any::<prop::sample::Index>(), change()), 0..60),
        ) {
            let spec = SampleSpec { symbols_count: 1, years: 2, seed, until: date(2025, 6, 30) };
            let market = generate(&spec).unwrap();
            let mut bars = market.series[0].bars.clone();
            for (at, change) in changes {
                let at = at.index(bars.len());
                apply(&mut bars, at, change);
            }
            let series = BarSeries { bars, ..market.series[0].clone() };
            let received = Received::bars(series, Source::CSV);
            let checked = |quiet| look_through(
                &received,
                &[],
                Calendar::bist(),
                ExchangeRules::bist(),
                ValidationPolicy::default(),
                quiet,
            );
            prop_assert_eq!(checked(Quiet::PassedOver), checked(Quiet::LookedAt));
        }
    }
}
