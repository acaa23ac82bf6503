//! The data: when they came, how old and how good they are.

use std::collections::BTreeMap;

use bist_market::bar::istanbul;
use bist_market::session_hours::SessionHours;
use bist_market::validate::QualityBand;
use bist_market::{Calendar, ExchangeRules, Interval, Source};
use jiff::Timestamp;
use jiff::civil::Date;

use super::super::readings::{Readings, number, seconds};
use super::Cause;
use crate::App;

impl App {
    pub(super) async fn data_readings(&self) -> Result<Readings, Cause> {
        let (mut told, now) = (Readings::default(), self.now());
        let mut succeeded: BTreeMap<Source, Timestamp> = BTreeMap::new();
        let mut newest: BTreeMap<Source, Date> = BTreeMap::new();
        for status in self.store.source_statuses().await? {
            if let Some(at) = status.last_success_at {
                succeeded.insert(status.source, at);
            }
        }
        for series in self.store.series_overviews().await? {
            let at = succeeded.entry(series.source).or_insert(series.fetched_at);
            *at = series.fetched_at.max(*at);
            if let (Interval::Daily, Some(day)) = (series.interval, series.last_day) {
                let of_source = newest.entry(series.source).or_insert(day);
                *of_source = day.max(*of_source);
            }
        }
        for (source, at) in succeeded {
            let name = "bist_ingest_last_success_timestamp_seconds";
            told.tell(name, [source.as_str()], seconds(at));
        }
        for (source, day) in newest {
            if let Some(ended_at) = end_of(day) {
                // A bar of a session that goes on is not old yet.
                let age_s = now.duration_since(ended_at).as_secs_f64().max(0.0);
                told.tell("bist_data_age_seconds", [source.as_str()], age_s);
            }
        }
        Ok(told)
    }

    pub(super) async fn quality_readings(&self) -> Result<Readings, Cause> {
        let mut told = Readings::default();
        let overview = self.quality_overview().await?;
        let mut rows: BTreeMap<Source, [u64; 3]> = BTreeMap::new();
        for series in &overview.series {
            let quality = &series.quality;
            let sum = rows.entry(quality.source).or_default();
            sum[0] += quality.accepted_count;
            sum[1] += quality.quarantined_count;
            sum[2] += quality.unverifiable_count;
        }
        for (source, counts) in rows {
            let outcomes = ["accepted", "quarantined", "unverifiable"];
            for (outcome, count) in outcomes.into_iter().zip(counts) {
                told.tell("bist_ingest_rows", [source.as_str(), outcome], number(count));
            }
        }
        if let Some(score_share) = overview.score_share {
            told.tell("bist_data_quality_score", [], score_share);
        }
        let bands: Vec<QualityBand> =
            overview.series.iter().filter(|series| series.is_primary).map(|of| of.band).collect();
        let states = [
            ("good", QualityBand::Good),
            ("warning", QualityBand::Warning),
            ("below_gate", QualityBand::Refused),
        ];
        for (state, band) in states.into_iter().filter(|_| !bands.is_empty()) {
            let count = bands.iter().filter(|one| **one == band).count() as u64;
            told.tell("bist_data_quality_symbols", [state], number(count));
        }
        Ok(told)
    }
}

/// When the session of `day` ends; of a day without one, when the day does.
fn end_of(day: Date) -> Option<Timestamp> {
    match SessionHours::on(day, Calendar::bist(), ExchangeRules::bist()) {
        Some(hours) => istanbul().to_timestamp(day.to_datetime(hours.ends())).ok(),
        None => istanbul().to_timestamp(day.tomorrow().ok()?.at(0, 0, 0, 0)).ok(),
    }
}
