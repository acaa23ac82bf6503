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
use jiff::civil::Date;

use crate::shared;

/// The kinds of the key, whether the key calls them errors, and the validator's codes for them:
/// several where it tells apart what the key does not.
const KINDS: [(&str, bool, &[&str]); 13] = [
    ("NONPOSITIVE_ADJ_CLOSE", true, &["non_positive_adjusted_close"]),
    ("ADJ_CLOSE_ABOVE_CLOSE", true, &["adjusted_close_above_close"]),
    ("MISSING_VOLUME", true, &["missing_volume", "volume_absent"]),
    ("HOLIDAY_ROW", true, &["holiday_row"]),
    ("CANCELLED_SESSION_ROW", true, &["cancelled_session_row"]),
    (
        "JUMP_BEYOND_LIMIT",
        true,
        &["move_beyond_limit", "scale_break", "move_explained_by_adjustment"],
    ),
    ("OPEN_OUT_OF_RANGE", true, &["open_out_of_range"]),
    ("CLOSE_OUT_OF_RANGE", true, &["close_out_of_range"]),
    ("REPEATED_BAR", true, &["repeated_bar"]),
    ("ZERO_VOLUME", false, &["zero_volume", "halted_session", "dead_volume"]),
    ("FLAT_BAR", false, &["flat_bar", "limit_locked"]),
    ("STALE_CLOSE_RUN", false, &["stale_close_run"]),
    ("VOLUME_OUTLIER", false, &["volume_outlier"]),
];

/// Of each error-severity kind the share of the key's rows that must be found, in tenths of a per
/// cent, and of all that is found the share that must be in the key.
const RECALL_MIN: usize = 990;
const PRECISION_MIN: usize = 970;

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
    for fields in shared::rows(&path).into_iter().filter(|f| !f[0].starts_with("intraday")) {
        let Ok(day) = fields[1].parse::<Date>() else { continue };
        key.entry(fields[2].clone())
            .or_default()
            .insert((fields[0].clone(), day), fields[3].clone());
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
        series.extend(folder("index")?);
        let observed = shared::rows(&shared::path("calendar_observed.csv")?)
            .into_iter()
            .map(|fields| (fields[0].parse().unwrap(), fields[2].clone()))
            .collect();
        Some(Self { series, key: answer_key()?, observed })
    }

    fn found(&self, codes: &[&str]) -> BTreeSet<(String, Date)> {
        let rows = self.series.iter().flat_map(|(file, bars)| {
            let findings = bars.quality().findings.iter();
            let findings = findings.filter(|f| codes.contains(&f.kind.code()));
            findings.filter_map(|finding| Some((file.clone(), finding.day?)))
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
        if kind == "HOLIDAY_ROW" && session {
            // The key takes a day on which the vendor had no trades, or few files a row, for closed.
            return Some("a session by the exchange's calendar");
        }
        if coarse {
            return Some("prices too coarse to verify");
        }
        match kind {
            "JUMP_BEYOND_LIMIT" if self.has(file, day, "non_positive_adjusted_close") => {
                Some("kept out already, as its adjusted close is no price")
            }
            // A row on a day without a session is quarantined, and no more is said about it.
            "ZERO_VOLUME" | "FLAT_BAR" | "REPEATED_BAR" | "VOLUME_OUTLIER" | "MISSING_VOLUME"
                if !session =>
            {
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
    fn why_extra(&self, kind: &str, file: &str, day: Date) -> Option<&'static str> {
        match kind {
            "HOLIDAY_ROW" if self.observed.get(&day).is_some_and(|class| class != "closed") => {
                Some("the vendor had too many rows for the key to see the holiday")
            }
            "ZERO_VOLUME" | "REPEATED_BAR" | "FLAT_BAR"
                if self.in_key("HOLIDAY_ROW", file, day) =>
            {
                Some("a session that the key takes for a holiday")
            }
            "JUMP_BEYOND_LIMIT" => {
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
fn the_answer_key_is_met_row_by_row() {
    let Some(comparison) = Comparison::get() else { return };
    let empty = KeyRows::new();
    let tenths = |part: usize, whole: usize| part * 1000 / whole.max(1);
    println!(
        "{:22}{:>6}{:>6}{:>6}{:>10}{:>8}{:>9}{:>9}",
        "kind", "key", "ours", "both", "precision", "recall", "excused", "extra"
    );
    let (mut right, mut wrong) = (0, 0);
    for (kind, is_error, codes) in KINDS {
        let key = comparison.key.get(kind).unwrap_or(&empty);
        // What explains a jump or a flat bar is no claim that a row is bad.
        let is_claim = |code: &&str| !code.contains("explained") && *code != "limit_locked";
        let claims: Vec<&str> = codes.iter().copied().filter(is_claim).collect();
        let (all, ours) = (comparison.found(codes), comparison.found(&claims));
        let both = ours.iter().filter(|row| key.contains_key(*row)).count();
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        let mut missed = Vec::new();
        for ((file, day), detail) in key.iter().filter(|(row, _)| !all.contains(*row)) {
            match comparison.why_missed(kind, file, *day, detail) {
                Some(reason) => *reasons.entry(reason).or_default() += 1,
                None => missed.push(format!("{file} {day} {detail}")),
            }
        }
        let excused: usize = reasons.values().sum();
        let mut extra = 0;
        for (file, day) in ours.iter().filter(|row| !key.contains_key(*row)) {
            match comparison.why_extra(kind, file, *day) {
                Some(reason) => *reasons.entry(reason).or_default() += 1,
                None => extra += 1,
            }
        }
        let found = key.keys().filter(|row| all.contains(*row)).count();
        let recall = tenths(found, found + missed.len());
        println!(
            "{kind:22}{:>6}{:>6}{both:>6}{:>8} ‰{:>6} ‰{excused:>9}{extra:>9}",
            key.len(),
            ours.len(),
            tenths(both, ours.len()),
            tenths(found, key.len()),
        );
        for (reason, count) in reasons {
            println!("{count:>34} differ: {reason}");
        }
        if is_error && found + missed.len() > 0 {
            assert!(recall >= RECALL_MIN, "{kind} {recall} ‰: {missed:?}");
        }
        right += ours.len() - extra;
        wrong += extra;
    }
    println!("{} of {} findings are right", right, right + wrong);
    assert!(tenths(right, right + wrong) >= PRECISION_MIN);
}

#[test]
fn the_answer_key_has_no_kind_that_is_left_out() {
    let Some(key) = answer_key() else { return };
    let known: BTreeSet<&str> = KINDS.iter().map(|(kind, ..)| *kind).chain([LEGAL_MOVES]).collect();
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
    let missing = comparison.found(&["missing_session"]);
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
        // Warnings about bars that are kept cost a little.
        assert!(quality.score_share() >= 0.97, "{}", validated.symbol());
        (files, bars) = (files + 1, bars + quality.accepted_count);
    }
    println!("{bars} intraday bars in {files} files");
    assert!(bars > 0);
}
