//! The symbols that may be trained on: those whose data are good enough, and the rest by name.

use std::fmt;

use serde::Serialize;

use crate::bar::Interval;
use crate::instrument::Symbol;
use crate::validate::quality::score_share;
use crate::validate::{DataQuality, Finding, ValidatedBars, ValidationPolicy};

/// Series good enough to learn from, one a symbol. Made by [`admit`] only.
#[derive(Clone, Debug, PartialEq)]
pub struct Universe {
    series: Vec<ValidatedBars>,
    excluded: Vec<Exclusion>,
    score_share: f64,
}

/// A symbol that was left out, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exclusion {
    /// Who is left out.
    pub symbol: Symbol,
    /// Its score, 0..=1.
    pub score_share: f64,
    /// Why.
    pub reason: ExclusionReason,
}

/// Why a symbol is left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ExclusionReason {
    /// No row could be verified: the series is empty, outside the calendar or too coarse.
    NothingVerifiable,
    /// The score is below the bound.
    ScoreTooLow {
        /// The bound, 0..=1.
        score_share_min: f64,
    },
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            ExclusionReason::NothingVerifiable => {
                write!(f, "{} has no row that can be verified", self.symbol)
            }
            ExclusionReason::ScoreTooLow { score_share_min } => write!(
                f,
                "{} has a quality score of {:.2} %, below {:.2} %",
                self.symbol,
                self.score_share * 100.0,
                score_share_min * 100.0
            ),
        }
    }
}

/// Why there is nothing to train on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UniverseError {
    /// There are no series at all.
    #[error("there are no bars; ingest some first")]
    NoSeries,
    /// Two series of one symbol: it is not clear which to believe.
    #[error("{symbol} comes twice ({interval} and {other}); admit one series a symbol")]
    SymbolTwice {
        /// Whose.
        symbol: Symbol,
        /// The interval of one.
        interval: Interval,
        /// The interval of the other.
        other: Interval,
    },
    /// The data as a whole are not good enough.
    #[error(
        "the data score {:.2} % overall, below {:.2} %; the worst is {worst} with {:.2} %, see its findings with bist validate{}",
        score_share * 100.0, score_share_min * 100.0, worst_share * 100.0, lines(failing, *more_count)
    )]
    ScoreTooLow {
        /// The overall score, 0..=1.
        score_share: f64,
        /// The bound, 0..=1.
        score_share_min: f64,
        /// The symbol with the lowest score.
        worst: Symbol,
        /// Its score, 0..=1.
        worst_share: f64,
        /// The first findings that keep rows out or miss them, of the worst symbols first.
        failing: Vec<FailingRow>,
        /// How many more such findings there are.
        more_count: usize,
    },
    /// Every symbol was left out.
    #[error("no symbol is good enough: {}", list(.0))]
    AllExcluded(Vec<Exclusion>),
}

/// A finding that cost a row or session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailingRow {
    /// Whose row.
    pub symbol: Symbol,
    /// What is wrong with it.
    pub finding: Finding,
}

impl fmt::Display for FailingRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.symbol, self.finding)
    }
}

/// How many failing rows a refusal names.
const FAILING_SHOWN: usize = 5;

/// The failing rows, one a line, and how many more there are.
fn lines(failing: &[FailingRow], more_count: usize) -> String {
    let mut text: String = failing.iter().map(|row| format!("\n  {row}")).collect();
    if more_count > 0 {
        text.push_str(&format!("\n  and {more_count} more"));
    }
    text
}

/// The exclusions in one line, the first few of them.
fn list(excluded: &[Exclusion]) -> String {
    const SHOWN: usize = 5;
    let mut parts: Vec<_> = excluded.iter().take(SHOWN).map(Exclusion::to_string).collect();
    if excluded.len() > SHOWN {
        parts.push(format!("and {} more", excluded.len() - SHOWN));
    }
    parts.join(", ")
}

impl Universe {
    /// The admitted series, sorted by symbol.
    pub fn series(&self) -> &[ValidatedBars] {
        &self.series
    }

    /// The symbols left out, sorted by symbol.
    pub fn excluded(&self) -> &[Exclusion] {
        &self.excluded
    }

    /// The overall score of everything offered, the excluded included, 0..=1.
    pub fn score_share(&self) -> f64 {
        self.score_share
    }
}

/// Admits the series whose score reaches `policy.accepted_share_min`, if the data as a whole do.
///
/// The overall score weighs every expected row alike: the formula of
/// [`DataQuality::score_share`] over the rows of all series.
///
/// # Errors
///
/// [`UniverseError`] when there is nothing to admit, the overall score is too low, or a symbol
/// comes twice.
pub fn admit(
    series: Vec<ValidatedBars>,
    policy: ValidationPolicy,
) -> Result<Universe, UniverseError> {
    let mut series = series;
    series.sort_by_key(|bars| (bars.symbol(), bars.interval()));
    if let Some(pair) = series.windows(2).find(|pair| pair[0].symbol() == pair[1].symbol()) {
        return Err(UniverseError::SymbolTwice {
            symbol: pair[0].symbol(),
            interval: pair[0].interval(),
            other: pair[1].interval(),
        });
    }
    let min = policy.accepted_share_min;
    let Some(worst) = worst_first(&series).first().map(|bars| bars.quality()) else {
        return Err(UniverseError::NoSeries);
    };
    let of_all = |part: fn(&DataQuality) -> u64| -> u64 {
        series.iter().map(|bars| part(bars.quality())).sum()
    };
    let warning_cost: f64 = series.iter().map(|bars| bars.quality().warning_cost()).sum();
    let expected_count = of_all(DataQuality::expected_count);
    let errors_count = of_all(DataQuality::error_rows_count);
    let score_share = score_share(expected_count, errors_count, warning_cost);
    if expected_count > 0 && score_share < min {
        let (failing, more_count) = failing_rows(&series);
        return Err(UniverseError::ScoreTooLow {
            score_share,
            score_share_min: min,
            worst: worst.symbol,
            worst_share: worst.score_share(),
            failing,
            more_count,
        });
    }
    let (admitted, rest): (Vec<_>, Vec<_>) = series
        .into_iter()
        .partition(|bars| bars.quality().accepted_count > 0 && bars.quality().score_share() >= min);
    let excluded: Vec<_> = rest.iter().map(|bars| exclusion(bars, min)).collect();
    if admitted.is_empty() {
        return Err(UniverseError::AllExcluded(excluded));
    }
    Ok(Universe { series: admitted, excluded, score_share })
}

/// The series by their score, lowest first, those of one score by symbol.
fn worst_first(series: &[ValidatedBars]) -> Vec<&ValidatedBars> {
    let mut worst: Vec<&ValidatedBars> = series.iter().collect();
    let key = |bars: &ValidatedBars| (bars.quality().score_share(), bars.symbol());
    worst.sort_by(|a, b| {
        let ((a_share, a), (b_share, b)) = (key(a), key(b));
        a_share.total_cmp(&b_share).then(a.cmp(&b))
    });
    worst
}

/// The first findings that cost a row or session, of the worst series first, and the count of the
/// rest.
fn failing_rows(series: &[ValidatedBars]) -> (Vec<FailingRow>, usize) {
    let mut failing: Vec<FailingRow> = Vec::new();
    let mut more_count = 0;
    for bars in worst_first(series) {
        for finding in &bars.quality().findings {
            if !finding.costs() {
                continue;
            }
            if failing.len() < FAILING_SHOWN {
                failing.push(FailingRow { symbol: bars.symbol(), finding: finding.clone() });
            } else {
                more_count += 1;
            }
        }
    }
    (failing, more_count)
}

/// Why `bars` are left out.
fn exclusion(bars: &ValidatedBars, score_share_min: f64) -> Exclusion {
    let quality = bars.quality();
    let reason = match quality.expected_count() {
        0 => ExclusionReason::NothingVerifiable,
        _ => ExclusionReason::ScoreTooLow { score_share_min },
    };
    Exclusion { symbol: bars.symbol(), score_share: quality.score_share(), reason }
}
