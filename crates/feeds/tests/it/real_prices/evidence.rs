//! What excuses a difference between our findings and the answer key: the exchange's calendar and
//! the prices of the file themselves, reckoned here anew and not by the validator.

use std::collections::BTreeMap;
use std::path::Path;

use bist_market::{Calendar, Interval, RawBar};
use jiff::civil::{Date, date};

use super::answer_key::{Comparison, Place, RealFile};
use crate::real_prices;

/// The first session with the limit of a tenth.
const LIMIT_CUT_ON: Date = date(2020, 3, 13);

/// What two prices of four decimals may be wrong by together, units of 0.0001 TRY.
const ROUNDING_UNITS: f64 = 2.0;

/// Prices below 0.05 TRY have fewer than three digits and a half.
const COARSE_BELOW_UNITS: i64 = 500;

/// The lines of a file below its header, split at commas.
pub(super) fn rows(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// What the files have on a day: rows, rows with a volume, and rows that close otherwise than the
/// row before.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) rows: usize,
    pub(super) with_volume: usize,
    pub(super) moved: usize,
}

/// What is known besides the findings.
pub(super) struct Evidence<'a> {
    comparison: &'a Comparison,
    /// Days from 2010 on without a full session, by `exchange_calendars` 4.13.2 (XIST).
    listed: BTreeMap<Date, String>,
    /// The key's own idea of each day: open, closed or ambiguous.
    observed: BTreeMap<Date, String>,
}

impl<'a> Evidence<'a> {
    pub(super) fn of(comparison: &'a Comparison) -> Self {
        let root = real_prices().unwrap();
        let by_day = |file: &str, column: usize| {
            let rows = rows(&root.join(file)).into_iter();
            rows.map(|fields| (fields[0].parse().unwrap(), fields[column].clone())).collect()
        };
        let (listed, observed) =
            (by_day("xist_holidays.csv", 1), by_day("calendar_observed.csv", 2));
        Self { comparison, listed, observed }
    }

    /// Whether there was a session: by the list of XIST from 2010 on, and before by our calendar,
    /// which `bist-market` compares with XIST day by day and which differs on 26 December 2000 and
    /// 9 January 2006 alone.
    pub(super) fn is_session(&self, day: Date) -> bool {
        if day.year() < 2010 {
            return Calendar::bist().is_session(day);
        }
        let weekend = day.weekday().to_monday_one_offset() > 5;
        !weekend && self.listed.get(&day).is_none_or(|kind| kind == "half")
    }

    /// How many sessions there are after `after` up to and including `until`.
    fn sessions_between(&self, after: Date, until: Date) -> i32 {
        let days = after.series(jiff::ToSpan::days(1)).skip(1).take_while(|day| *day <= until);
        days.filter(|day| self.is_session(*day)).map(|_| 1).sum()
    }

    /// The rows of a file that lie on sessions and are not named with an error by the key, before a
    /// row; the newest last. A holiday of the key on a session is no error.
    fn sound_before(&self, place: &Place) -> Vec<&'a RawBar> {
        let file = &self.comparison.files[&place.file];
        let before = file.bars.iter().take_while(|bar| at(bar, file.interval) != place.at);
        before.filter(|bar| self.is_sound(place, bar, file.interval)).collect()
    }

    fn is_sound(&self, place: &Place, bar: &RawBar, interval: Interval) -> bool {
        let row = Place { file: place.file.clone(), at: at(bar, interval) };
        self.is_session(bar.day()) && self.comparison.other_error("HOLIDAY_ROW", &row).is_none()
    }

    fn row(&self, place: &Place) -> Option<&'a RawBar> {
        let file = self.comparison.files.get(&place.file)?;
        file.bars.iter().find(|bar| at(bar, file.interval) == place.at)
    }

    /// Whether a price is possible after the close of the last session, by the limits of all
    /// sessions since and a point, and `margin_units` besides; `None` without such a close.
    fn is_possible(&self, place: &Place, price_units: i64, margin_units: f64) -> Option<bool> {
        let day = place.day()?;
        let base = self.sound_before(place).into_iter().rfind(|bar| bar.day() < day)?;
        // Before 2020 the key takes the limits of two sessions a day.
        let limit = if day >= LIMIT_CUT_ON { 0.10 } else { 0.21 };
        let sessions = self.sessions_between(base.day(), day);
        let (up, down) = ((1.0_f64 + limit).powi(sessions), (1.0 - limit).powi(sessions));
        let (base, price) = (float(base.close_units), float(price_units));
        let highest = base * (up + 0.01) + margin_units;
        Some(price <= highest && price >= base * (down - 0.01) - margin_units)
    }

    /// Whether the file has a price of few digits on this day or later.
    fn is_coarse(&self, place: &Place) -> bool {
        let Some(day) = place.day() else { return false };
        let bars = &self.comparison.files[&place.file].bars;
        bars.iter().any(|bar| bar.day() >= day && bar.low_units < COARSE_BELOW_UNITS)
    }

    /// The volume over the median of the twenty sound rows before; `None` when they are fewer.
    fn volume_multiple(&self, place: &Place) -> Option<f64> {
        let volume = float(self.row(place)?.volume_shares?);
        let before = self.sound_before(place);
        let window = &before[before.len().checked_sub(20)?..];
        let mut volumes: Vec<i64> =
            window.iter().map(|bar| bar.volume_shares).collect::<Option<_>>()?;
        volumes.sort_unstable();
        Some(volume * 2.0 / (float(volumes[9]) + float(volumes[10])))
    }

    fn is_outlier(&self, place: &Place) -> bool {
        self.volume_multiple(place).is_some_and(|multiple| !(0.01..=100.0).contains(&multiple))
    }

    /// How many sound rows a run of the key has: `5 equal closes FROM..TO at PRICE`.
    fn sound_rows_of_run(&self, place: &Place, detail: &str) -> Option<usize> {
        let (_, range) = detail.split_once(" equal closes ")?;
        let (from, rest) = range.split_once("..")?;
        let (from, to) = (from.parse::<Date>().ok()?, rest.split(' ').next()?.parse().ok()?);
        let file = &self.comparison.files[&place.file];
        let run = file.bars.iter().filter(|bar| (from..=to).contains(&bar.day()));
        Some(run.filter(|bar| self.is_sound(place, bar, file.interval)).count())
    }

    /// What the daily files have on a day.
    pub(super) fn seen_on(&self, day: Date) -> Seen {
        let mut seen = Seen::default();
        for file in self.daily_files() {
            let Ok(index) = file.bars.binary_search_by_key(&day, RawBar::day) else { continue };
            let bar = &file.bars[index];
            let before = index.checked_sub(1).map(|before| &file.bars[before]);
            seen.rows += 1;
            seen.with_volume += usize::from(bar.volume_shares.is_some_and(|shares| shares > 0));
            seen.moved += usize::from(before.is_some_and(|b| b.close_units != bar.close_units));
        }
        seen
    }

    /// The daily files whose rows come oldest first.
    fn daily_files(&self) -> impl Iterator<Item = &'a RealFile> {
        let files = self.comparison.files.values();
        files.filter(|file| {
            file.interval == Interval::Daily && file.bars.is_sorted_by_key(RawBar::day)
        })
    }

    /// Days with no other session between, as first and last.
    pub(super) fn runs(&self, days: impl Iterator<Item = Date>) -> Vec<(Date, Date)> {
        let mut runs: Vec<(Date, Date)> = Vec::new();
        for day in days {
            match runs.last_mut() {
                Some((_, last)) if self.sessions_between(*last, day) == 1 => *last = day,
                _ => runs.push((day, day)),
            }
        }
        runs
    }

    /// The first session after a day.
    pub(super) fn after(&self, day: Date) -> Option<Date> {
        Calendar::bist().next_session(day)
    }

    /// How many shares closed on `after` further from their close on `before` than the limit of one
    /// session of that time and a point.
    pub(super) fn beyond_one_session(&self, before: Date, after: Date) -> usize {
        let limit = if after >= LIMIT_CUT_ON { 0.11 } else { 0.22 };
        let beyond = |file: &&RealFile| {
            let close = |day| {
                let index = file.bars.binary_search_by_key(&day, RawBar::day).ok()?;
                Some(float(file.bars[index].close_units))
            };
            close(before).zip(close(after)).is_some_and(|(before, after)| {
                let margin = ROUNDING_UNITS;
                after > before * (1.0 + limit) + margin || after < before * (1.0 - limit) - margin
            })
        };
        self.daily_files().filter(beyond).count()
    }

    /// Why a row of the key has no finding of ours; `None` when nothing excuses it.
    pub(super) fn why_missed(
        &self,
        kind: &str,
        place: &Place,
        detail: &str,
    ) -> Option<&'static str> {
        let day = place.day()?;
        if kind == "HOLIDAY_ROW" {
            return self.is_session(day).then_some("a session by XIST");
        }
        // A run is more than the row at which it stands.
        let is_row = kind != "STALE_CLOSE_RUN";
        if is_row && self.comparison.refused_for_its_day(place) && !self.is_session(day) {
            return Some("no session by XIST: the row is refused for that, and no more is said");
        }
        if is_row && self.comparison.other_error(kind, place).is_some() {
            return Some("the row is refused for another error that the key names too");
        }
        match kind {
            "JUMP_BEYOND_LIMIT" => {
                let close_units = self.row(place)?.close_units;
                if self.is_possible(place, close_units, 0.0)? {
                    Some("possible after the last close of a session")
                } else {
                    self.is_possible(place, close_units, ROUNDING_UNITS)?
                        .then_some("possible within the rounding of four decimals")
                }
            }
            "STALE_CLOSE_RUN" if self.sound_rows_of_run(place, detail)? < 5 => {
                Some("fewer than five rows are sound and on sessions by XIST")
            }
            "STALE_CLOSE_RUN" | "FLAT_BAR" if self.is_coarse(place) => {
                Some("prices of few digits stand still because they are rounded")
            }
            "VOLUME_OUTLIER" if !self.is_outlier(place) => {
                Some("usual against the median of twenty sound rows on sessions, or they are fewer")
            }
            _ => None,
        }
    }

    /// Why a finding of ours is not in the key; `None` when nothing excuses it.
    pub(super) fn why_extra(&self, kind: &str, place: &Place) -> Option<&'static str> {
        let day = place.day()?;
        let row = self.row(place);
        match kind {
            "HOLIDAY_ROW" if !self.is_session(day) => {
                Some("no session by XIST; the key asked how many files have a volume")
            }
            "ZERO_VOLUME"
                if self.is_session(day)
                    && row?.volume_shares == Some(0)
                    && self.comparison.key("HOLIDAY_ROW").contains_key(place) =>
            {
                Some("a session by XIST, without volume in the file; a holiday in the key")
            }
            "MISSING_TRADING_DAY"
                if row.is_none()
                    && self.is_session(day)
                    && self.observed.get(&day).is_none_or(|class| class != "open") =>
            {
                Some("a session by XIST without a row; the key asks days only that most files have")
            }
            "REPEATED_BAR" => {
                let repeats = self.repeats_session_before(place, row?);
                repeats.then_some("every number of the session before; rows of holidays between")
            }
            "JUMP_BEYOND_LIMIT" => {
                let row = row?;
                let impossible = [row.high_units, row.low_units]
                    .into_iter()
                    .any(|units| self.is_possible(place, units, ROUNDING_UNITS) == Some(false));
                impossible.then_some("a high or low beyond the limit; the key asks closes only")
            }
            "VOLUME_OUTLIER" if self.is_outlier(place) => {
                Some("beyond the bound against the median of twenty sound rows on sessions")
            }
            _ => None,
        }
    }

    /// Whether a row with a volume has every number of the last row on a session before it.
    fn repeats_session_before(&self, place: &Place, row: &RawBar) -> bool {
        let bars = &self.comparison.files[&place.file].bars;
        let before = bars.iter().rfind(|bar| bar.day() < row.day() && self.is_session(bar.day()));
        row.volume_shares.is_some_and(|shares| shares > 0)
            && before.is_some_and(|before| RawBar { opened_at: row.opened_at, ..*before } == *row)
    }
}

/// Where a row stands, in the words of the key.
fn at(bar: &RawBar, interval: Interval) -> String {
    match interval {
        Interval::Daily => bar.day().to_string(),
        Interval::Minutes(_) => bar.opened_at.to_string(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "prices and volumes are far below 2^53")]
fn float(number: i64) -> f64 {
    number as f64
}
