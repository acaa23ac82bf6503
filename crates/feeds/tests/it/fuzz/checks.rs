//! What holds of an answer, whatever was read.

use std::path::Path;

use bist_feeds::evds::{default_series, parse_evds};
use bist_feeds::kap::{
    ListedDisclosure, parse_disclosure_detail, parse_disclosures, parse_last_index,
    parse_site_disclosures,
};
use bist_feeds::tcmb_rates::parse_rates_xml;
use bist_feeds::yahoo::{ChartRequest, parse_chart};
use bist_feeds::{
    Batch, Content, Fault, FeedError, FetchError, parse_bulletin_csv, parse_bulletin_zip,
    parse_hisse_tekil, parse_sermaye, read_actions_csv, read_csv,
};
use bist_market::{Interval, RefusedRow, Symbol};
use jiff::civil::date;

/// Characters of a row that a report keeps, and the mark of what was left out.
const TEXT_LENGTH_MAX: usize = 201;

/// A file with these bytes, overwritten again and again.
fn file(bytes: &[u8], folder: &Path) -> std::path::PathBuf {
    let path = folder.join("THYAO.csv");
    std::fs::write(&path, bytes).unwrap();
    path
}

/// An error is a sentence no longer than what it is about, and says where.
fn told(error: &FeedError, bytes: &[u8]) {
    let FeedError::Broken(broken) = error else { panic!("not about the bytes: {error}") };
    let about_all = matches!(
        broken.fault,
        Fault::ZeroBytes
            | Fault::OtherFormat { .. }
            | Fault::NoSymbol(_)
            | Fault::Nameless
            | Fault::UnknownInterval
            | Fault::Zip(_)
            | Fault::NotOneTable(_)
            | Fault::TooManyBytes { .. }
            | Fault::TooManyLines { .. }
    );
    assert!(about_all || broken.place.is_some(), "no place: {error}");
    short(&error.to_string(), bytes);
}

fn answered(error: &FetchError, bytes: &[u8]) {
    if let FetchError::Malformed { place, reason, .. } = error {
        assert!(!place.is_empty() && !reason.is_empty());
    } else {
        let FetchError::Refused { reason, .. } = error else {
            panic!("not about the answer: {error}")
        };
        assert!(!reason.is_empty());
    }
    short(&error.to_string(), bytes);
}

fn short(text: &str, bytes: &[u8]) {
    assert!(text.len() <= 1_000 + 4 * bytes.len(), "{} bytes of words", text.len());
}

/// Refused rows are where rows are, in words that are short.
fn check_refused(refused: &[RefusedRow], lines_max: u64) {
    for row in refused {
        assert!((1..=lines_max).contains(&row.line), "line {} of {lines_max}", row.line);
        assert!(row.text.chars().count() <= TEXT_LENGTH_MAX);
        assert!(row.reason.to_string().len() <= 1_000);
    }
}

fn bars(batch: &Batch) -> u64 {
    batch.series.iter().map(|series| series.bars.len() as u64).sum()
}

fn check_notes(batch: &Batch, bytes: &[u8]) {
    let length: usize = batch.notes.iter().map(String::len).sum();
    assert!(length <= 30_000 + 4 * bytes.len(), "{length} bytes of notes");
}

/// The first number of the note with these words; zero without such a note.
fn noted(batch: &Batch, words: &str) -> u64 {
    let notes = batch.notes.iter().filter(|note| note.contains(words));
    let number = |note: &String| {
        let digits = note.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty());
        digits.unwrap().parse::<u64>().unwrap()
    };
    notes.map(number).sum()
}

pub(super) fn csv(bytes: &[u8], folder: &Path) -> bool {
    match read_csv(&file(bytes, folder)) {
        Ok(read) => {
            let bars = read.bars_count() as u64;
            assert_eq!(read.rows_read, bars + read.refused.len() as u64);
            assert!(read.rows_read <= bytes.len() as u64);
            check_refused(&read.refused, bytes.len() as u64);
            for series in &read.series {
                let mut days: Vec<_> = series.bars.iter().map(|bar| bar.opened_at).collect();
                days.sort_unstable();
                days.dedup();
                assert_eq!(days.len(), series.bars.len(), "two bars of one time");
            }
            bars > 0
        }
        Err(error) => {
            told(&error, bytes);
            false
        }
    }
}

pub(super) fn actions_csv(bytes: &[u8], folder: &Path) -> bool {
    match read_actions_csv(&file(bytes, folder)) {
        Ok(batch) => {
            let made = (batch.actions.len() + batch.notes.len() + batch.refused.len()) as u64;
            // Bonuses of one day are one action.
            assert!(made <= batch.rows_read && batch.rows_read <= bytes.len() as u64);
            check_refused(&batch.refused, bytes.len() as u64);
            check_notes(&batch, bytes);
            !batch.actions.is_empty()
        }
        Err(error) => {
            told(&error, bytes);
            false
        }
    }
}

pub(super) fn bulletin(bytes: &[u8], _: &Path) -> bool {
    check_bulletin(parse_bulletin_csv("x", bytes), bytes)
}

pub(super) fn archive(bytes: &[u8], _: &Path) -> bool {
    check_bulletin(parse_bulletin_zip("x", bytes), bytes)
}

fn check_bulletin(read: Result<Batch, FeedError>, bytes: &[u8]) -> bool {
    match read {
        Ok(batch) => {
            let others = noted(&batch, "rows are no shares");
            let (days, refused) = (batch.days.len() as u64, batch.refused.len() as u64);
            assert_eq!(batch.rows_read, days + refused + others);
            let untraded = noted(&batch, "not traded and have no bar");
            assert_eq!(bars(&batch) + untraded, days);
            // An archive is not much smaller than tables of such rows.
            assert!(batch.rows_read <= 50_000);
            check_refused(&batch.refused, 64 << 20);
            check_notes(&batch, bytes);
            days > 0
        }
        Err(error) => {
            told(&error, bytes);
            false
        }
    }
}

pub(super) fn yahoo_days(bytes: &[u8], _: &Path) -> bool {
    chart(bytes, Interval::Daily)
}

pub(super) fn yahoo_hours(bytes: &[u8], _: &Path) -> bool {
    chart(bytes, Interval::Minutes(60))
}

fn chart(bytes: &[u8], interval: Interval) -> bool {
    let request = ChartRequest {
        piece: "piece",
        symbol: Symbol::parse("AAAAA").unwrap(),
        interval,
        from: date(2000, 1, 1),
        to: date(2025, 10, 31),
    };
    let now = "2025-10-30T12:00:00+03:00".parse().unwrap();
    match parse_chart(bytes, &request, now) {
        Ok(Content::Data(batch)) => {
            let left_out = [
                "rows had no price at all",
                "rows were of sessions still running",
                "rows lay outside the days",
                "rows were replaced by the live row",
            ];
            let left_out: u64 = left_out.iter().map(|words| noted(&batch, words)).sum();
            assert_eq!(batch.rows_read, bars(&batch) + batch.refused.len() as u64 + left_out);
            assert!(batch.rows_read + batch.actions.len() as u64 <= bytes.len() as u64);
            check_refused(&batch.refused, batch.rows_read);
            check_notes(&batch, bytes);
            bars(&batch) > 0
        }
        Ok(Content::Absent { reason }) => {
            short(&reason, bytes);
            false
        }
        Ok(Content::NotModified) => panic!("an answer with a body is none of that kind"),
        Err(error) => {
            answered(&error, bytes);
            false
        }
    }
}

/// What a parser of answers made of the bytes, if it is one.
fn batch(read: Result<Batch, FetchError>, bytes: &[u8]) -> Option<Batch> {
    match read {
        Ok(batch) => {
            assert!(batch.rows_read <= bytes.len() as u64);
            check_notes(&batch, bytes);
            Some(batch)
        }
        Err(error) => {
            answered(&error, bytes);
            None
        }
    }
}

pub(super) fn hisse_tekil(bytes: &[u8], _: &Path) -> bool {
    let Some(batch) = batch(parse_hisse_tekil("x", bytes), bytes) else { return false };
    let days = batch.days.len() as u64;
    assert_eq!(batch.rows_read, days + batch.refused.len() as u64);
    assert_eq!(bars(&batch) + noted(&batch, "nothing was traded"), days);
    check_refused(&batch.refused, batch.rows_read);
    days > 0
}

pub(super) fn sermaye(bytes: &[u8], _: &Path) -> bool {
    let Some(batch) = batch(parse_sermaye("x", bytes), bytes) else { return false };
    let refused = batch.refused.len() as u64;
    assert!(batch.actions.len() as u64 <= 3 * (batch.rows_read - refused));
    assert!(batch.actions.is_sorted_by_key(|action| (action.symbol, action.effective_on)));
    check_refused(&batch.refused, batch.rows_read);
    !batch.actions.is_empty()
}

pub(super) fn evds(bytes: &[u8], _: &Path) -> bool {
    let codes = default_series();
    let Some(batch) = batch(parse_evds(bytes, "x", &codes), bytes) else { return false };
    let values = batch.observations.len() + batch.refused.len();
    // The first of values that contradict each other is refused once more.
    assert!(values as u64 <= batch.rows_read * codes.len() as u64);
    assert!(batch.observations.iter().all(|observation| observation.value.is_finite()));
    check_refused(&batch.refused, batch.rows_read);
    !batch.observations.is_empty()
}

pub(super) fn rates(bytes: &[u8], _: &Path) -> bool {
    let read = parse_rates_xml(bytes, "x", date(2025, 10, 30));
    let Some(batch) = batch(read, bytes) else { return false };
    let refused = batch.refused.len() as u64;
    assert!(batch.observations.len() as u64 <= 2 * (batch.rows_read - refused));
    let sound = |value: f64| value.is_finite() && value > 0.0;
    assert!(batch.observations.iter().all(|observation| sound(observation.value)));
    check_refused(&batch.refused, bytes.len() as u64);
    !batch.observations.is_empty()
}

pub(super) fn kap_page(bytes: &[u8], _: &Path) -> bool {
    if let Err(error) = parse_last_index(bytes) {
        answered(&error, bytes);
    }
    match parse_disclosures(bytes, "x") {
        Ok(listed) => {
            assert!(listed.len() <= bytes.len());
            assert!(listed.is_sorted_by(|a, b| a.index < b.index), "each number once");
            !listed.is_empty()
        }
        Err(error) => {
            answered(&error, bytes);
            false
        }
    }
}

pub(super) fn kap_detail(bytes: &[u8], _: &Path) -> bool {
    let listed = ListedDisclosure { index: 1_600_001, class: String::new(), sender: String::new() };
    match parse_disclosure_detail(bytes, &listed) {
        Ok((disclosure, others)) => {
            assert!(disclosure.symbols.len() + others.len() <= bytes.len());
            let texts = [&disclosure.subject, &disclosure.summary];
            assert!(texts.iter().all(|text| text.as_ref().is_none_or(|text| !text.is_empty())));
            true
        }
        Err(error) => {
            answered(&error, bytes);
            false
        }
    }
}

pub(super) fn kap_site(bytes: &[u8], _: &Path) -> bool {
    let Some(batch) = batch(parse_site_disclosures(bytes, "x"), bytes) else { return false };
    assert!((batch.disclosures.len() + batch.refused.len()) as u64 <= batch.rows_read);
    check_refused(&batch.refused, batch.rows_read);
    !batch.disclosures.is_empty()
}
