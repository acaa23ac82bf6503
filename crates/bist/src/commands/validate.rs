//! `bist validate`: what is wrong with the stored rows, and how good they are.

use std::fmt::Write as _;

use bist_app::quality::QualityOverview;
use bist_market::Symbol;
use bist_market::validate::Finding;
use clap::Args;
use serde::Serialize;

use super::open;
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct ValidateArgs {
    /// All symbols
    #[arg(long, required_unless_present = "symbols", conflicts_with = "symbols")]
    all: bool,
    /// Only these
    #[arg(value_name = "SYMBOL")]
    symbols: Vec<Symbol>,
}

/// The JSON document.
#[derive(Serialize)]
struct Report<'a> {
    score_share: Option<f64>,
    threshold_share: f64,
    /// Whether training would be accepted overall.
    passed: bool,
    received_count: u64,
    accepted_count: u64,
    quarantined_count: u64,
    series: Vec<SeriesReport<'a>>,
}

#[derive(Serialize)]
struct SeriesReport<'a> {
    symbol: Symbol,
    origin: &'static str,
    interval: String,
    first_day: Option<jiff::civil::Date>,
    last_day: Option<jiff::civil::Date>,
    received_count: u64,
    accepted_count: u64,
    quarantined_count: u64,
    unverifiable_count: u64,
    missing_sessions_count: u64,
    score_share: f64,
    findings: Vec<FindingReport<'a>>,
}

#[derive(Serialize)]
struct FindingReport<'a> {
    day: Option<jiff::civil::Date>,
    code: &'static str,
    severity: &'static str,
    quarantined: bool,
    text: String,
    #[serde(flatten)]
    finding: &'a Finding,
}

impl ValidateArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        let wanted = (!self.all).then_some(self.symbols.as_slice());
        let overview = app.validate(wanted, &*terminal.progress()).await?;
        app.close().await;
        terminal.result(&report(&overview), || text(&overview))
    }
}

fn report(overview: &QualityOverview) -> Report<'_> {
    let sum = |field: fn(&bist_market::validate::DataQuality) -> u64| {
        overview.series.iter().map(|series| field(&series.quality)).sum()
    };
    Report {
        score_share: overview.score_share,
        threshold_share: overview.threshold_share,
        passed: overview.score_share.is_some_and(|score| score >= overview.threshold_share),
        received_count: sum(|quality| quality.received_count),
        accepted_count: sum(|quality| quality.accepted_count),
        quarantined_count: sum(|quality| quality.quarantined_count),
        series: overview
            .series
            .iter()
            .map(|series| {
                let quality = &series.quality;
                SeriesReport {
                    symbol: quality.symbol,
                    origin: series.origin.as_str(),
                    interval: quality.interval.to_string(),
                    first_day: quality.first_day,
                    last_day: quality.last_day,
                    received_count: quality.received_count,
                    accepted_count: quality.accepted_count,
                    quarantined_count: quality.quarantined_count,
                    unverifiable_count: quality.unverifiable_count,
                    missing_sessions_count: quality.missing_sessions_count,
                    score_share: quality.score_share(),
                    findings: quality
                        .findings
                        .iter()
                        .map(|finding| FindingReport {
                            day: finding.day,
                            code: finding.kind.code(),
                            severity: finding.severity().as_str(),
                            quarantined: finding.quarantines(),
                            text: finding.to_string(),
                            finding,
                        })
                        .collect(),
                }
            })
            .collect(),
    }
}

fn text(overview: &QualityOverview) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").ok();
    line(format!(
        "{:<8} {:>8} {:>8} {:>11} {:>12} {:>8} {:>8}  most frequent findings",
        "symbol", "rows", "accepted", "quarantined", "unverifiable", "missing", "score"
    ));
    for series in &overview.series {
        let quality = &series.quality;
        let mut counts = series.counts.clone();
        counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.code.cmp(&b.code)));
        let frequent: Vec<String> =
            counts.iter().take(3).map(|count| format!("{} {}", count.count, count.code)).collect();
        line(format!(
            "{:<8} {:>8} {:>8} {:>11} {:>12} {:>8} {:>7.2}%  {}",
            quality.symbol,
            quality.received_count,
            quality.accepted_count,
            quality.quarantined_count,
            quality.unverifiable_count,
            quality.missing_sessions_count,
            100.0 * quality.score_share(),
            frequent.join(", "),
        ));
    }
    line(match overview.score_share {
        Some(score) => format!(
            "overall {:.2}%, {} the {:.0}% that training needs",
            100.0 * score,
            if score >= overview.threshold_share { "above" } else { "BELOW" },
            100.0 * overview.threshold_share,
        ),
        None => "no row could be judged".to_owned(),
    });
    out
}
