//! Series made up for tests: real sessions, prices that move little.

use bist_market::bar::midnight_of;
use bist_market::{
    BarSeries, Calendar, CorporateAction, Decision, ExchangeRules, Finding, FindingId, Interval,
    RawBar, Received, Source, Symbol, ValidatedBars, ValidationPolicy, Verdict, validate,
};
use jiff::Timestamp;
use jiff::civil::Date;

pub(crate) fn symbol() -> Symbol {
    Symbol::parse("THYAO").unwrap()
}

/// A bar whose close is `close_units`, with a range of one percent around it and no adjusted close.
pub(crate) fn bar(day: Date, close_units: i64, volume_shares: i64) -> RawBar {
    RawBar {
        opened_at: midnight_of(day),
        open_units: Some(close_units),
        high_units: close_units + close_units / 100,
        low_units: close_units - close_units / 100,
        close_units,
        adjusted_close: None,
        volume_shares: Some(volume_shares),
    }
}

/// One bar a session from `first` on, with these closes in lira.
pub(crate) fn bars(first: Date, closes_lira: &[f64]) -> Vec<RawBar> {
    let calendar = Calendar::bist();
    calendar
        .sessions(first, calendar.last_day())
        .zip(closes_lira)
        .zip(1_000..)
        .map(|(((day, _), lira), volume)| bar(day, units(*lira), volume))
        .collect()
}

#[expect(clippy::cast_possible_truncation, reason = "prices of tests are small")]
pub(crate) fn units(lira: f64) -> i64 {
    (lira * 10_000.0).round() as i64
}

/// What the validator makes of daily bars.
pub(crate) fn checked(bars: Vec<RawBar>) -> ValidatedBars {
    checked_with(bars, Vec::new())
}

/// The same, with corporate actions.
pub(crate) fn checked_with(bars: Vec<RawBar>, actions: Vec<CorporateAction>) -> ValidatedBars {
    let series = BarSeries { symbol: symbol(), interval: Interval::Daily, bars };
    verdict(&Received { actions, ..Received::bars(series, Source::CSV) })
}

/// The same, of anything received.
pub(crate) fn verdict(received: &Received) -> ValidatedBars {
    validate(received, Calendar::bist(), ExchangeRules::bist(), ValidationPolicy::default())
}

/// What a person decided about a finding.
pub(crate) fn decision(finding: FindingId, verdict: Verdict) -> Decision {
    Decision {
        finding,
        verdict,
        reason: "compared with the bulletin".to_owned(),
        decided_by: "operator".to_owned(),
        decided_at: Timestamp::UNIX_EPOCH,
    }
}

/// The codes of the findings with their days, in order.
pub(crate) fn codes(bars: &ValidatedBars) -> Vec<String> {
    bars.quality()
        .findings
        .iter()
        .map(|Finding { day, kind, .. }| match day {
            Some(day) => format!("{day} {}", kind.code()),
            None => kind.code().to_owned(),
        })
        .collect()
}
