//! The validator on real prices: how much of them it accepts.
//!
//! What it finds is compared with the answer key that came with them where the reader is as well,
//! in the tests of `bist-feeds`.

use std::collections::BTreeMap;

use bist_market::{
    BarSeries, Calendar, ExchangeRules, Received, Source, ValidatedBars, ValidationPolicy, admit,
    validate,
};
use jiff::civil::Date;

use crate::shared;

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

#[test]
fn sessions_are_missing_only_where_the_vendor_has_none() {
    let Some(path) = shared::path("calendar_observed.csv") else { return };
    // What the files together say of each day: open, closed or ambiguous.
    let observed: BTreeMap<Date, String> = shared::rows(&path)
        .into_iter()
        .map(|fields| (fields[0].parse().unwrap(), fields[2].clone()))
        .collect();
    let mut missing_count = 0;
    for (file, bars) in ["daily", "daily_recent", "index"].into_iter().filter_map(folder).flatten()
    {
        let findings = &bars.quality().findings;
        for finding in findings.iter().filter(|f| f.kind.code() == "missing_session") {
            let day = finding.day.unwrap();
            let class = observed.get(&day).map_or("absent", String::as_str);
            assert_ne!(class, "open", "{file} {day}: most files have this day");
            missing_count += 1;
        }
    }
    assert!(missing_count > 0);
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
