//! `bist validate`: what is wrong with the stored rows, and how good they are; and what a person
//! decides about it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bist_app::decisions::{Decided, DecisionRecord};
use bist_app::quality::QualityOverview;
use bist_market::validate::{Finding, MonthQuality, QualityBand};
use bist_market::{Decision, FindingId, Source, Symbol, Verdict};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{ReasonArgs, open};
use crate::config::Config;
use crate::terminal::Terminal;

/// Findings that keep rows out and are shown in the text report of single symbols; `--json` and the
/// page of data quality have all.
const QUARANTINED_SHOWN_MAX: usize = 20;

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct ValidateArgs {
    /// All symbols
    #[arg(long, required_unless_present = "symbols", conflicts_with = "symbols")]
    all: bool,
    /// Only these
    #[arg(value_name = "SYMBOL")]
    symbols: Vec<Symbol>,
    #[command(subcommand)]
    decide: Option<Decide>,
}

#[derive(Debug, Subcommand)]
enum Decide {
    /// Let the row of a finding through: it is right
    Accept(DecideArgs),
    /// Keep the row of a finding out: it is wrong
    Reject(DecideArgs),
    /// What was decided so far, the newest first
    Decisions(DecisionsArgs),
}

#[derive(Args, Debug)]
struct DecisionsArgs {
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: u32,
}

#[derive(Args, Debug)]
struct DecideArgs {
    /// The name of the finding, 16 hexadecimal digits
    #[arg(value_name = "FINDING")]
    finding: FindingId,
    #[command(flatten)]
    why: ReasonArgs,
}

/// The JSON document of the decisions.
#[derive(Serialize)]
struct DecisionsReport<'a> {
    /// The newest first.
    items: Vec<DecisionReport<'a>>,
}

#[derive(Serialize)]
struct DecisionReport<'a> {
    symbol: Symbol,
    source: Source,
    interval: String,
    /// Whether no later decision is about the same finding.
    in_force: bool,
    decision: &'a Decision,
    /// As it stood when it was decided about.
    finding: FindingReport<'a>,
}

/// The JSON document.
#[derive(Serialize)]
struct Report<'a> {
    score_share: Option<f64>,
    band: Option<&'static str>,
    threshold_share: f64,
    good_share: f64,
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
    source: Source,
    basis: &'static str,
    is_primary: bool,
    origin: &'static str,
    interval: String,
    first_day: Option<jiff::civil::Date>,
    last_day: Option<jiff::civil::Date>,
    received_count: u64,
    accepted_count: u64,
    quarantined_count: u64,
    unverifiable_count: u64,
    missing_sessions_count: u64,
    warning_rows_count: u64,
    score_share: f64,
    band: &'static str,
    months: &'a [MonthQuality],
    findings: Vec<FindingReport<'a>>,
}

#[derive(Serialize)]
struct FindingReport<'a> {
    severity: &'static str,
    quarantined: bool,
    rule: &'static str,
    text: String,
    #[serde(flatten)]
    finding: &'a Finding,
}

impl ValidateArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        if let Some(decide) = self.decide {
            let (verdict, DecideArgs { finding, why }) = match decide {
                Decide::Accept(args) => (Verdict::Accept, args),
                Decide::Reject(args) => (Verdict::Reject, args),
                Decide::Decisions(DecisionsArgs { limit }) => {
                    let decisions = app.decisions(limit).await?;
                    app.close().await;
                    let items = in_force(&decisions);
                    let report = DecisionsReport { items };
                    return terminal.result(&report, || decisions_text(&report.items));
                }
            };
            let decided = app.decide(finding, verdict, &why.reason, &why.by).await?;
            app.close().await;
            return terminal.result(&decided, || decided_text(&decided));
        }
        let wanted = (!self.all).then_some(self.symbols.as_slice());
        let overview = app.validate(wanted, terminal.progress()).await?;
        app.close().await;
        terminal.result(&report(&overview), || text(&overview, !self.all))
    }
}

fn decided_text(decided: &Decided) -> String {
    format!(
        "{} {} {} ({}): {}\n{}: score {:.2} %, was {:.2} %\n",
        decided.decision.verdict.as_str(),
        decided.symbol,
        decided.source,
        decided.decision.finding,
        decided.finding,
        decided.symbol,
        100.0 * decided.score_share,
        100.0 * decided.score_share_before,
    )
}

/// The decisions, each with whether it is in force: the first about its finding is.
fn in_force(decisions: &[DecisionRecord]) -> Vec<DecisionReport<'_>> {
    let mut seen = BTreeSet::new();
    let items = decisions.iter().map(|DecisionRecord { found, decision }| DecisionReport {
        symbol: found.symbol,
        source: found.source,
        interval: found.interval.to_string(),
        in_force: seen.insert(decision.finding),
        decision,
        finding: FindingReport::of(&found.finding),
    });
    items.collect()
}

fn decisions_text(items: &[DecisionReport<'_>]) -> String {
    if items.is_empty() {
        return "nothing was decided yet; `bist validate SYMBOL` lists findings with their names\n"
            .to_owned();
    }
    let mut out = String::new();
    for item in items {
        let Decision { finding, verdict, reason, decided_by, decided_at } = item.decision;
        let replaced = if item.in_force { "" } else { " (replaced by a later decision)" };
        writeln!(
            out,
            "{decided_at:.0} {decided_by} {} {} {} {finding}: {}{replaced}\n    {reason}",
            verdict.as_str(),
            item.symbol,
            item.source,
            item.finding.text,
        )
        .ok();
    }
    out
}

impl<'a> FindingReport<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            severity: finding.severity().as_str(),
            quarantined: finding.quarantines(),
            rule: finding.kind.rule(),
            text: finding.to_string(),
            finding,
        }
    }
}

fn report(overview: &QualityOverview) -> Report<'_> {
    let sum = |field: fn(&bist_market::validate::DataQuality) -> u64| {
        overview.series.iter().map(|series| field(&series.quality)).sum()
    };
    Report {
        score_share: overview.score_share,
        band: overview.band.map(QualityBand::as_str),
        threshold_share: overview.threshold_share,
        good_share: overview.good_share,
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
                    source: quality.source,
                    basis: quality.basis.as_str(),
                    is_primary: series.is_primary,
                    origin: series.origin.as_str(),
                    interval: quality.interval.to_string(),
                    first_day: quality.first_day,
                    last_day: quality.last_day,
                    received_count: quality.received_count,
                    accepted_count: quality.accepted_count,
                    quarantined_count: quality.quarantined_count,
                    unverifiable_count: quality.unverifiable_count,
                    missing_sessions_count: quality.missing_sessions_count,
                    warning_rows_count: quality.warning_rows_count,
                    score_share: quality.score_share(),
                    band: series.band.as_str(),
                    months: &quality.months,
                    findings: quality.findings.iter().map(FindingReport::of).collect(),
                }
            })
            .collect(),
    }
}

fn text(overview: &QualityOverview, with_findings: bool) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").ok();
    line(format!(
        "{:<8} {:<10} {:>8} {:>8} {:>11} {:>12} {:>8} {:>8}  most frequent findings",
        "symbol", "source", "rows", "accepted", "quarantined", "unverifiable", "missing", "score"
    ));
    for series in &overview.series {
        let quality = &series.quality;
        let mut counts = series.counts.clone();
        counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.code.cmp(&b.code)));
        let frequent: Vec<String> =
            counts.iter().take(3).map(|count| format!("{} {}", count.count, count.code)).collect();
        line(format!(
            "{:<8} {:<10} {:>8} {:>8} {:>11} {:>12} {:>8} {:>7.2}%  {}",
            quality.symbol,
            quality.source,
            quality.received_count,
            quality.accepted_count,
            quality.quarantined_count,
            quality.unverifiable_count,
            quality.missing_sessions_count,
            100.0 * quality.score_share(),
            frequent.join(", "),
        ));
    }
    if with_findings {
        for series in &overview.series {
            let quality = &series.quality;
            let kept_out = || quality.findings.iter().filter(|finding| finding.quarantines());
            for finding in kept_out().rev().take(QUARANTINED_SHOWN_MAX) {
                line(format!("{} {} {} {finding}", quality.symbol, quality.source, finding.id));
            }
            let more = kept_out().count().saturating_sub(QUARANTINED_SHOWN_MAX);
            if more > 0 {
                line(format!("and {more} older findings that keep a row out; --json lists all"));
            }
        }
    }
    for source in overview.sources.iter().filter(|_| overview.sources.len() > 1) {
        line(format!("{}: {:.2}%", source.source, 100.0 * source.parts.score_share));
    }
    line(match overview.score_share {
        Some(score) => format!(
            "overall {:.2}%, {} the {:.0}% that training needs{}",
            100.0 * score,
            if score >= overview.threshold_share { "above" } else { "BELOW" },
            100.0 * overview.threshold_share,
            match overview.band {
                Some(QualityBand::Warning) => format!(
                    ", and below the {:.0}% of good data: look at the findings",
                    100.0 * overview.good_share
                ),
                Some(QualityBand::Good | QualityBand::Refused) | None => String::new(),
            }
        ),
        None => "no row could be judged".to_owned(),
    });
    out
}
