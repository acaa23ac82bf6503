//! The validator on real prices, against the answer key that came with them.
//!
//! `QUALITY.md` beside the data says how the key was made. Where it and the validator differ for
//! good reason, the reason is a rule below, checked row by row, and never a list of rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use bist_market::validate::PriceField;
use bist_market::{
    BarSeries, Calendar, ExchangeRules, FindingKind, Received, Source, ValidatedBars,
    ValidationPolicy, admit, validate,
};
use jiff::civil::{Date, date};

use crate::shared;

/// The kinds of the key that the validator covers, with its own code for them. The key has no row
/// of 2010 or later of the kinds that are not here, save the notes on legal moves.
const KINDS: [(&str, &str); 10] = [
    ("HOLIDAY_ROW", "holiday_row"),
    ("CANCELLED_SESSION_ROW", "cancelled_session_row"),
    ("JUMP_BEYOND_LIMIT", "move_beyond_limit"),
    ("OPEN_OUT_OF_RANGE", "open_out_of_range"),
    ("CLOSE_OUT_OF_RANGE", "close_out_of_range"),
    ("REPEATED_BAR", "repeated_bar"),
    ("ZERO_VOLUME", "zero_volume"),
    ("FLAT_BAR", "flat_bar"),
    ("STALE_CLOSE_RUN", "stale_close_run"),
    ("VOLUME_OUTLIER", "volume_outlier"),
];

const LEGAL_MOVES: &str = "JUMP_GT_11PCT_WITHIN_OLD_LIMIT";

fn checked(series: BarSeries) -> ValidatedBars {
    let received = Received::bars(series, Source::CSV);
    validate(&received, Calendar::bist(), ExchangeRules::bist(), ValidationPolicy::default())
}

/// The validated series of a folder by the name the key gives the file.
fn folder(name: &str) -> Option<BTreeMap<String, ValidatedBars>> {
    let path = shared::path(name)?;
    let files = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    Some(
        files
            .map(|path| {
                let file = format!("{name}/{}", path.file_name().unwrap().to_str().unwrap());
                (file, checked(shared::daily_series(&path)))
            })
            .collect(),
    )
}

/// The details of the key's rows of one kind, by file and day.
type KeyRows = BTreeMap<(String, Date), String>;

/// The key's rows of the daily files since 2010, by kind.
fn answer_key() -> Option<BTreeMap<String, KeyRows>> {
    let path = shared::path("defects.csv")?;
    let mut key: BTreeMap<String, KeyRows> = BTreeMap::new();
    for fields in shared::rows(&path).into_iter().filter(|f| f[0].starts_with("daily")) {
        let Ok(day) = fields[1].parse::<Date>() else { continue };
        if day >= date(2010, 1, 1) {
            key.entry(fields[2].clone())
                .or_default()
                .insert((fields[0].clone(), day), fields[3].clone());
        }
    }
    Some(key)
}

/// What the answer key and the findings are compared with.
struct Comparison {
    series: BTreeMap<String, ValidatedBars>,
    key: BTreeMap<String, KeyRows>,
    /// The key's own idea of each day: open, closed or ambiguous.
    observed: BTreeMap<Date, String>,
}

impl Comparison {
    /// Read once for all tests.
    fn get() -> Option<&'static Self> {
        static COMPARISON: OnceLock<Option<Comparison>> = OnceLock::new();
        COMPARISON.get_or_init(Self::load).as_ref()
    }

    fn load() -> Option<Self> {
        let mut series = folder("daily")?;
        series.extend(folder("daily_recent")?);
        let observed = shared::rows(&shared::path("calendar_observed.csv")?)
            .into_iter()
            .map(|fields| (fields[0].parse().unwrap(), fields[2].clone()))
            .collect();
        Some(Self { series, key: answer_key()?, observed })
    }

    fn found(&self, code: &str) -> BTreeSet<(String, Date)> {
        let rows = self.series.iter().flat_map(|(file, bars)| {
            let findings = bars.quality().findings.iter().filter(|f| f.kind.code() == code);
            findings.map(|finding| (file.clone(), finding.day.unwrap()))
        });
        rows.collect()
    }

    fn has(&self, file: &str, day: Date, code: &str) -> bool {
        let findings = &self.series[file].quality().findings;
        findings.iter().any(|f| f.day == Some(day) && f.kind.code() == code)
    }

    fn in_key(&self, kind: &str, file: &str, day: Date) -> bool {
        self.key.get(kind).is_some_and(|rows| rows.contains_key(&(file.to_owned(), day)))
    }

    /// Why a row of the key has no finding of ours; `None` when nothing excuses it.
    fn why_missed(&self, kind: &str, file: &str, day: Date, detail: &str) -> Option<&'static str> {
        let calendar = Calendar::bist();
        let session = calendar.is_session(day);
        let coarse = self.series[file].quality().findings.iter().any(
            |finding| matches!(&finding.kind, FindingKind::CoarsePrices { to, .. } if day <= *to),
        );
        if coarse {
            return Some("prices too coarse to verify");
        }
        match kind {
            // The key takes a day on which the vendor had no trades, or few files a row, for closed.
            "HOLIDAY_ROW" if session => Some("a session by the exchange's calendar"),
            // A row on a day without a session is quarantined, and no more is said about it.
            "ZERO_VOLUME" | "FLAT_BAR" | "REPEATED_BAR" | "VOLUME_OUTLIER" if !session => {
                Some("not a session: the row is quarantined for that")
            }
            // The key compares with the cancelled session, we with the one before it.
            "JUMP_BEYOND_LIMIT" if detail.ends_with("since 2023-02-08") => {
                Some("measured from the cancelled session")
            }
            // The key takes one session's limit across a session the vendor does not have.
            "JUMP_BEYOND_LIMIT" => {
                let before = calendar.previous_session(day)?;
                self.has(file, before, "missing_session")
                    .then_some("within the limits of two sessions, one of them missing")
            }
            // The key counts rows on days without a session.
            "STALE_CLOSE_RUN" => {
                let (_, range) = detail.split_once(" equal closes ")?;
                let (from, rest) = range.split_once("..")?;
                let to = rest.split_once(' ')?.0;
                let (from, to) = (from.parse().ok()?, to.parse().ok()?);
                (calendar.sessions(from, to).count() < 5)
                    .then_some("fewer than five sessions, the rest are days without one")
            }
            _ => None,
        }
    }

    /// Why a finding of ours is not in the key; `None` when nothing excuses it.
    fn why_extra(&self, code: &str, file: &str, day: Date) -> Option<&'static str> {
        match code {
            "holiday_row" if self.observed.get(&day).is_some_and(|class| class != "closed") => {
                Some("the vendor had too many rows for the key to see the holiday")
            }
            "zero_volume" if self.in_key("HOLIDAY_ROW", file, day) => {
                Some("a session that the key takes for a holiday")
            }
            "move_beyond_limit" => {
                let findings = &self.series[file].quality().findings;
                let close = findings.iter().filter(|f| f.day == Some(day)).any(|f| {
                    matches!(f.kind, FindingKind::MoveBeyondLimit { field: PriceField::Close, .. })
                });
                (!close).then_some("a high or low; the key tests closes only")
            }
            _ => None,
        }
    }
}

#[test]
fn every_difference_from_the_answer_key_has_a_reason() {
    let Some(comparison) = Comparison::get() else { return };
    let empty = KeyRows::new();
    println!(
        "{:24}{:>6}{:>6}{:>6}{:>11}{:>8}",
        "kind", "key", "ours", "both", "precision", "recall"
    );
    for (kind, code) in KINDS {
        let key = comparison.key.get(kind).unwrap_or(&empty);
        let ours = comparison.found(code);
        assert!(!key.is_empty() && !ours.is_empty(), "{kind} is not tested by these files");
        let both = ours.iter().filter(|row| key.contains_key(*row)).count();
        let share = |whole: usize| f64::from(u32::try_from(both * 1000 / whole).unwrap()) / 10.0;
        println!(
            "{kind:24}{:>6}{:>6}{both:>6}{:>9} %{:>6} %",
            key.len(),
            ours.len(),
            share(ours.len()),
            share(key.len())
        );
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for ((file, day), detail) in key.iter().filter(|(row, _)| !ours.contains(*row)) {
            let reason = comparison.why_missed(kind, file, *day, detail);
            let reason =
                reason.unwrap_or_else(|| panic!("{file} {day}: {kind} not found: {detail}"));
            *reasons.entry(reason).or_default() += 1;
        }
        for (file, day) in ours.iter().filter(|row| !key.contains_key(*row)) {
            let reason = comparison.why_extra(code, file, *day);
            let reason = reason.unwrap_or_else(|| panic!("{file} {day}: {code} is not in the key"));
            *reasons.entry(reason).or_default() += 1;
        }
        for (reason, count) in reasons {
            println!("{count:>36} differ: {reason}");
        }
    }
}

#[test]
fn the_answer_key_has_no_kind_that_is_left_out() {
    let Some(key) = answer_key() else { return };
    let known: BTreeSet<&str> = KINDS.iter().map(|(kind, _)| *kind).chain([LEGAL_MOVES]).collect();
    let kinds: BTreeSet<&str> = key.keys().map(String::as_str).collect();
    assert_eq!(kinds, known);
}

#[test]
fn legal_moves_of_the_years_before_2020_are_kept() {
    let Some(comparison) = Comparison::get() else { return };
    let legal = &comparison.key[LEGAL_MOVES];
    let refused: Vec<_> = legal
        .keys()
        .filter(|(file, day)| comparison.has(file, *day, "move_beyond_limit"))
        .collect();
    assert!(legal.len() > 40 && refused.is_empty(), "{refused:?}");
}

#[test]
fn sessions_are_missing_only_where_the_vendor_has_none() {
    let Some(comparison) = Comparison::get() else { return };
    let missing = comparison.found("missing_session");
    assert!(!missing.is_empty());
    for (file, day) in missing {
        let class = comparison.observed.get(&day).map_or("absent", String::as_str);
        assert_ne!(class, "open", "{file} {day}: most files have this day");
    }
}

#[test]
fn every_real_series_but_the_empty_one_scores_95_percent() {
    for name in ["daily", "daily_recent"] {
        let Some(series) = folder(name) else { return };
        let mut lowest = (1.0, "");
        for (file, bars) in &series {
            let quality = bars.quality();
            println!(
                "{file:24} received {:5} accepted {:5} quarantined {:3} unverifiable {:4} missing {} score {:.2} %",
                quality.received_count,
                quality.accepted_count,
                quality.quarantined_count,
                quality.unverifiable_count,
                quality.missing_sessions_count,
                quality.score_share() * 100.0
            );
            if quality.received_count > 0 && quality.score_share() < lowest.0 {
                lowest = (quality.score_share(), file);
            }
        }
        println!("lowest: {lowest:?}");
        assert!(lowest.0 >= 0.95, "{lowest:?}");
        let empty: Vec<String> = series
            .values()
            .filter(|bars| bars.quality().received_count == 0)
            .map(|bars| bars.symbol().to_string())
            .collect();
        let universe = admit(series.into_values().collect(), ValidationPolicy::default()).unwrap();
        println!(
            "{name}: {} series, overall {:.2} %",
            universe.series().len(),
            universe.score_share() * 100.0
        );
        assert!(universe.score_share() >= 0.95);
        let excluded: Vec<_> = universe.excluded().iter().map(|e| e.symbol.to_string()).collect();
        assert_eq!(excluded, empty, "only what has no rows is left out");
    }
}

#[test]
fn real_intraday_bars_are_accepted_whole() {
    let Some(path) = shared::path("intraday") else { return };
    let (mut files, mut bars) = (0, 0);
    for entry in std::fs::read_dir(path).unwrap() {
        let validated = checked(shared::intraday_series(&entry.unwrap().path()));
        let quality = validated.quality();
        let bad: Vec<_> = quality.findings.iter().filter(|f| f.quarantines()).collect();
        assert!(bad.is_empty(), "{}: {bad:?}", validated.symbol());
        assert!((quality.score_share() - 1.0).abs() < 1e-12);
        (files, bars) = (files + 1, bars + quality.accepted_count);
    }
    println!("{bars} intraday bars in {files} files");
    assert!(bars > 0);
}
