//! `bist signals record`: what came of the signals that were served.

use std::fmt::Write as _;

use bist_app::signal_record::{HorizonRecord, RecordFilter, ScoringReport, SignalRecordReport};
use bist_app::{HORIZON_DEFAULT, Horizon, parse_horizon};
use bist_lifecycle::{
    ActionRecord, Grouping, RecordGroup, RecordSummary, ReliabilityRecord, Tally,
};
use bist_market::Origin;
use bist_trading::{Action, Estimate};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::commands::open;
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Debug, Subcommand)]
pub(super) enum SignalsCommand {
    /// What came of the signals that were served, once their horizons had ended; those that are due
    /// are scored first
    Record(RecordArgs),
}

#[derive(Args, Debug)]
pub(super) struct RecordArgs {
    /// Those that look so far ahead: 1, 5 or 20 sessions, 1h or eod
    #[arg(long, value_name = "HORIZON", default_value_t = HORIZON_DEFAULT, value_parser = parse_horizon)]
    horizon: Horizon,
    /// Group them by symbol, version, month, confidence or action
    #[arg(long, value_name = "WHAT", default_value_t = Grouping::Month)]
    by: Grouping,
    /// Only those on which somebody could still act when they were made
    #[arg(long)]
    in_time: bool,
    /// Those made from a sample market, also after it has given way to real data
    #[arg(long)]
    sample: bool,
}

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    record: &'a SignalRecordReport,
    /// What was scored just before.
    scoring: ScoringReport,
}

impl RecordArgs {
    pub(super) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        let scoring = app.score_signals(terminal.progress()).await?;
        let filter = RecordFilter {
            horizon: self.horizon,
            origin: self.sample.then_some(Origin::Sample),
            only_in_time: self.in_time,
            by: self.by,
        };
        let record = app.signal_record(filter).await?;
        app.close().await;
        let document = Document { record: &record, scoring };
        terminal.result(&document, || text(&record))
    }
}

fn text(record: &SignalRecordReport) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").ok();
    let SignalRecordReport { of_horizon, .. } = record;
    let summary = &of_horizon.summary;
    line(format!(
        "signals that look {} ({} data{})",
        of_horizon.horizon.in_words(),
        record.origin,
        if record.only_in_time { ", made in time" } else { "" }
    ));
    line(standing(of_horizon, record));
    if summary.scored_count == 0 {
        line("nothing is scored yet; a signal is scored when its horizon has ended and its bars are there".to_owned());
        return out;
    }
    line(headline(summary));
    if summary.late_count > 0 {
        line(format!(
            "{} of them were made when nobody could act on them any more; --in-time leaves them out",
            summary.late_count
        ));
    }
    line(String::new());
    line(format!("probability right    {}", share(&summary.hits)));
    if let Some(confidence) = summary.mean_confidence {
        line(format!("  it said            {:.1} %", 100.0 * confidence));
    }
    line(format!("always saying up     {}", share(&summary.rises)));
    line(format!("50 % band held       {}", share(&summary.held_50)));
    line(format!("80 % band held       {}", share(&summary.held_80)));
    line(String::new());
    for text in actions(summary) {
        line(text);
    }
    if let Some(reliability) = &record.reliability {
        line(String::new());
        for text in curve(reliability) {
            line(text);
        }
    }
    line(String::new());
    for text in groups(record) {
        line(text);
    }
    out
}

/// `served 312: 280 scored, 30 waiting, 2 never known (not_traded_at_the_end 2)`.
fn standing(of_horizon: &HorizonRecord, record: &SignalRecordReport) -> String {
    let HorizonRecord { served_count, waiting_count, never_known_count, .. } = of_horizon;
    let scored_count = served_count - waiting_count - never_known_count;
    let reasons: Vec<String> =
        record.never_known.iter().map(|why| format!("{} {}", why.reason, why.count)).collect();
    let reasons =
        if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
    format!(
        "served {served_count}: {scored_count} scored, {waiting_count} waiting, \
         {never_known_count} never known{reasons}"
    )
}

fn headline(summary: &RecordSummary) -> String {
    let RecordSummary { scored_count, days_count, periods_count, periods_count_min, .. } = summary;
    let days = match (summary.first_day, summary.last_day) {
        (Some(first), Some(last)) => format!(" of {first} to {last}"),
        _ => String::new(),
    };
    let scored = format!("{scored_count} signals on {days_count} days{days}");
    match summary.hits.share {
        Some(hits) => format!("{scored}: {} right", percent(&hits)),
        None => format!(
            "{scored}: too early to say; these days cover {periods_count} horizons that do not \
             overlap, and {periods_count_min} are needed"
        ),
    }
}

/// A line of headings, then one for each action that was given.
fn actions(summary: &RecordSummary) -> Vec<String> {
    let mut lines = vec![format!(
        "{:<6} {:>7}  {:<32} {:>9}  {:<14} {:<14} after costs",
        "action", "signals", "probability right", "acted on", "target first", "stop first"
    )];
    for record in summary.actions.iter().filter(|record| record.scored_count > 0) {
        let ActionRecord { action, scored_count, hits, tradable_count, untradable_count, .. } =
            record;
        let acts = *action != Action::Hold;
        let acted = if acts {
            format!("{tradable_count}/{}", tradable_count + untradable_count)
        } else {
            "-".to_owned()
        };
        let first = |tally: &Tally| {
            if acts { format!("{}/{}", tally.count, tally.of_count) } else { "-".to_owned() }
        };
        let gain = match &record.gain_after_costs_share {
            Some(gain) => percent_signed(gain),
            None if acts => "too early to say".to_owned(),
            None => "-".to_owned(),
        };
        lines.push(format!(
            "{action:<6} {scored_count:>7}  {:<32} {acted:>9}  {:<14} {:<14} {gain}",
            share(hits),
            first(&record.target_first),
            first(&record.stop_first),
        ));
    }
    lines
}

/// The reliability curve, a line a point.
fn curve(reliability: &ReliabilityRecord) -> Vec<String> {
    let ReliabilityRecord { brier, base_rate_brier, coin_brier, ece, .. } = reliability;
    let gain = match &reliability.gain_over_coin {
        Some(gain) => {
            format!("better than a coin by {:.4} ({:.4} to {:.4})", gain.value, gain.low, gain.high)
        }
        None => "too early to say whether that is better than a coin".to_owned(),
    };
    let mut lines = vec![
        format!(
            "Brier score {brier:.4} (a coin {coin_brier:.4}, the share of rises {base_rate_brier:.4}); {gain}"
        ),
        format!("expected calibration error {ece:.4}"),
        format!("{:<16} {:>7}  {:>6}  rose", "probability", "signals", "mean"),
    ];
    for point in &reliability.points {
        let rose = match &point.observed {
            Some(observed) => percent(observed),
            None => format!("{:.1} % so far", 100.0 * point.bin.observed_share),
        };
        lines.push(format!(
            "{:<16} {:>7}  {:>5.1}%  {rose}",
            format!("{:.1} to {:.1} %", 100.0 * point.bin.low, 100.0 * point.bin.high),
            point.bin.count,
            100.0 * point.bin.mean_forecast,
        ));
    }
    lines
}

/// A line of headings, then one for each group.
fn groups(record: &SignalRecordReport) -> Vec<String> {
    let width = record.groups.iter().map(|group| group.key.len()).max().unwrap_or(0);
    let width = width.max(record.by.as_str().len());
    let mut lines = vec![format!(
        "{:<width$} {:>7} {:>5}  {:<32} 80 % band held",
        record.by, "signals", "days", "probability right"
    )];
    lines.extend(record.groups.iter().map(|RecordGroup { key, summary }| {
        format!(
            "{key:<width$} {:>7} {:>5}  {:<32} {}",
            summary.scored_count,
            summary.days_count,
            share(&summary.hits),
            share(&summary.held_80)
        )
    }));
    lines
}

/// `51.2 % (47.0 to 55.4), 150 of 293`; without the share while it is too early.
fn share(tally: &Tally) -> String {
    let Tally { of_count, count, share } = tally;
    match share {
        Some(share) => format!("{}, {count} of {of_count}", percent(share)),
        None => format!("{count} of {of_count}"),
    }
}

fn percent(share: &Estimate) -> String {
    let [value, low, high] = [share.value, share.low, share.high].map(|share| 100.0 * share);
    format!("{value:.1} % ({low:.1} to {high:.1})")
}

fn percent_signed(share: &Estimate) -> String {
    let [value, low, high] = [share.value, share.low, share.high].map(|share| 100.0 * share);
    format!("{value:+.2} % ({low:+.2} to {high:+.2})")
}
