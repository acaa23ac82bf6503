//! Two sources of one symbol, side by side.
//!
//! Levels differ for good reasons: one source divides by a later bonus issue, the other by later
//! dividends too, and a third did so last year. So returns are compared: the ratio of the two closes
//! must stay where it was from one common day to the next. Where it moves, the reasons are asked in
//! this order:
//!
//! 1. **An ex-day.** One side is adjusted for an event that the other is not: our corporate actions,
//!    or an adjusted close beside the close, give a factor that accounts for the shift.
//! 2. **A wrong close.** The ratio comes back within few days: the close of the days between is
//!    wrong on one side. It was taken early when the other side's bar goes on where this one ends:
//!    its range holds this range and this close, and more of it, or more shares were traded. If
//!    the bars do not tell, nobody decides.
//! 3. **Nothing.** The returns differ.
//!
//! Volumes are compared with the usual ratio of the two around the day, as a source may count
//! shares of today.

mod evidence;
mod explain;
mod index;
mod remarks;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use index::{EarlyCloseDay, EarlySymbol, IndexEvidence, IndexPolicy, early_closes_by_index};

use crate::adjust::PriceTerms;
use crate::bar::Bar;
use crate::corporate_action::CorporateAction;
use crate::price::{Price, ROUNDING_LIRA};
use crate::quantity::Shares;
use crate::source::Source;
use crate::statistics::{correlation, count, median, share};
use explain::Explanations;

/// What one source says of a symbol.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The source.
    pub source: Source,
    /// Its daily bars, oldest first.
    pub bars: &'a [Bar],
    /// What its prices have been adjusted for; `None` when nobody knows.
    pub terms: Option<PriceTerms>,
}

/// What two sources may differ by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconcilePolicy {
    /// How far two returns may lie apart beyond the rounding of prices to four decimals, a share.
    pub return_tolerance_share: f64,
    /// For how many common days a wrong close may last before it is a new level.
    pub wrong_closes_max: usize,
    /// How far a ratio of volumes may lie from the usual one, a share.
    pub volume_tolerance_share: f64,
    /// How many common days before and after a day make the usual ratio.
    pub volume_window_days: usize,
}

impl Default for ReconcilePolicy {
    fn default() -> Self {
        Self {
            return_tolerance_share: 0.001,
            wrong_closes_max: 3,
            volume_tolerance_share: 0.05,
            volume_window_days: 10,
        }
    }
}

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SideName {
    /// The first.
    A,
    /// The second.
    B,
}

/// What is to be said about the closes of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum DayVerdict {
    /// The returns are the same but for rounding.
    Agrees,
    /// They differ by the factor of our corporate actions: one side is adjusted for them.
    ExplainedByActions,
    /// They differ by what an adjusted close says: one side is adjusted for it.
    ExplainedByAdjustment,
    /// One side took its close before the session ended.
    EarlyClose {
        /// Which.
        side: SideName,
    },
    /// The close of one side is wrong, as the returns over the days around it agree; which side is
    /// not decided.
    WrongClose,
    /// The day after a wrong close: the returns differ, and both closes are right.
    AfterWrongClose,
    /// The returns differ, and nothing explains it.
    Differs,
}

impl DayVerdict {
    /// Whether the closes of the two sides can both be right.
    pub const fn agrees(self) -> bool {
        match self {
            Self::Agrees
            | Self::ExplainedByActions
            | Self::ExplainedByAdjustment
            | Self::AfterWrongClose => true,
            Self::EarlyClose { .. } | Self::WrongClose | Self::Differs => false,
        }
    }
}

/// One common day of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DayComparison {
    /// The session.
    pub day: Date,
    /// The close of the first side.
    pub close_a: Price,
    /// The close of the second side.
    pub close_b: Price,
    /// The return of the first side since the common day before, a share.
    pub return_share_a: f64,
    /// The return of the second side since the common day before, a share.
    pub return_share_b: f64,
    /// Shares traded by the first side.
    pub volume_a: Option<Shares>,
    /// Shares traded by the second side.
    pub volume_b: Option<Shares>,
    /// What is to be said about the closes.
    pub verdict: DayVerdict,
    /// Whether the volumes stand in their usual ratio; `None` when one side has none, or both are
    /// zero.
    pub volume_agrees: Option<bool>,
}

/// What two sources of one symbol have in common.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reconciliation {
    /// The first source.
    pub source_a: Source,
    /// The second source.
    pub source_b: Source,
    /// Days whose returns were compared: all common days but the first.
    pub compared_count: u64,
    /// Those of them whose closes can both be right.
    pub agreeing_count: u64,
    /// The same as a share of the compared days, 0..=1; `None` when there are none.
    pub agreement_share: Option<f64>,
    /// Pearson's correlation of the returns, -1..=1; `None` for less than three days, or when one
    /// side does not move.
    pub return_correlation: Option<f64>,
    /// Days whose volumes were compared.
    pub volume_compared_count: u64,
    /// Those of them that stand in the usual ratio.
    pub volume_agreeing_count: u64,
    /// The median of the volume of the first side over that of the second; `None` without volumes.
    pub volume_ratio_median: Option<f64>,
    /// Days of the common period that only the first side has.
    pub only_a_count: u64,
    /// Days of the common period that only the second side has.
    pub only_b_count: u64,
    /// The compared days, oldest first.
    pub days: Vec<DayComparison>,
}

/// The same day on both sides.
#[derive(Clone, Copy, Debug)]
struct Pair<'a> {
    a: &'a Bar,
    b: &'a Bar,
}

impl Pair<'_> {
    fn day(&self) -> Date {
        self.a.day
    }

    /// The close of the first side over that of the second.
    fn level(&self) -> f64 {
        self.a.close.lira() / self.b.close.lira()
    }

    /// By what share rounding to four decimals can have moved the level.
    fn rounding_share(&self) -> f64 {
        ROUNDING_LIRA / self.a.close.lira() + ROUNDING_LIRA / self.b.close.lira()
    }

    /// The volume of the first side over that of the second, where both are positive.
    fn volume_ratio(&self) -> Option<f64> {
        let (a, b) = (self.a.volume?.count(), self.b.volume?.count());
        (a > 0.0 && b > 0.0).then_some(a / b)
    }
}

/// Compares what two sources say of one symbol.
///
/// `actions` are all of that symbol, in any order. Days before the second common day have no return
/// and are not judged.
pub fn reconcile(
    a: &Side<'_>,
    b: &Side<'_>,
    actions: &[CorporateAction],
    policy: ReconcilePolicy,
) -> Reconciliation {
    let pairs = common(a.bars, b.bars);
    let usual_ratios = usual_volume_ratios(&pairs, policy.volume_window_days);
    let explanations = Explanations::new(a, b, actions);
    let verdicts = verdicts(&pairs, &usual_ratios, &explanations, policy);

    let days: Vec<DayComparison> = pairs
        .windows(2)
        .zip(verdicts.into_iter().zip(&usual_ratios).skip(1))
        .map(|(pair, (verdict, usual))| {
            let [before, now] = pair else { unreachable!("windows of two") };
            DayComparison {
                day: now.day(),
                close_a: now.a.close,
                close_b: now.b.close,
                return_share_a: now.a.close.lira() / before.a.close.lira() - 1.0,
                return_share_b: now.b.close.lira() / before.b.close.lira() - 1.0,
                volume_a: now.a.volume,
                volume_b: now.b.volume,
                verdict,
                volume_agrees: volume_agrees(now, *usual, policy),
            }
        })
        .collect();

    let counted = |keep: &dyn Fn(&DayComparison) -> bool| count(days.iter().filter(|d| keep(d)));
    let (compared_count, agreeing_count) = (count(days.iter()), counted(&|d| d.verdict.agrees()));
    let returns: Vec<(f64, f64)> =
        days.iter().map(|day| (day.return_share_a, day.return_share_b)).collect();
    Reconciliation {
        source_a: a.source,
        source_b: b.source,
        compared_count,
        agreeing_count,
        agreement_share: (compared_count > 0).then(|| share(agreeing_count, compared_count)),
        return_correlation: correlation(&returns),
        volume_compared_count: counted(&|d| d.volume_agrees.is_some()),
        volume_agreeing_count: counted(&|d| d.volume_agrees == Some(true)),
        volume_ratio_median: median(pairs.iter().filter_map(Pair::volume_ratio).collect()),
        only_a_count: alone(a.bars, b.bars),
        only_b_count: alone(b.bars, a.bars),
        days,
    }
}

/// The days that both sides have.
fn common<'a>(a: &'a [Bar], b: &'a [Bar]) -> Vec<Pair<'a>> {
    let mut others = b.iter().peekable();
    a.iter()
        .filter_map(|bar| {
            while others.next_if(|other| other.day < bar.day).is_some() {}
            others.next_if(|other| other.day == bar.day).map(|other| Pair { a: bar, b: other })
        })
        .collect()
}

/// How many days within the period of `others` only `bars` has.
fn alone(bars: &[Bar], others: &[Bar]) -> u64 {
    let (Some(first), Some(last)) = (others.first(), others.last()) else { return 0 };
    let within = bars.iter().filter(|bar| (first.day..=last.day).contains(&bar.day));
    count(within.filter(|bar| others.binary_search_by_key(&bar.day, |other| other.day).is_err()))
}

/// For each pair, what is to be said about its closes; the first has nothing before it.
fn verdicts(
    pairs: &[Pair<'_>],
    usual_ratios: &[Option<f64>],
    explanations: &Explanations,
    policy: ReconcilePolicy,
) -> Vec<DayVerdict> {
    let same = |base: &Pair<'_>, now: &Pair<'_>| {
        let tolerance =
            policy.return_tolerance_share + base.rounding_share() + now.rounding_share();
        explanations.of_shift(base, now, tolerance)
    };
    let wrong = |base: &Pair<'_>, index: usize| {
        evidence::early_side(base, &pairs[index], usual_ratios[index], policy)
            .map(|side| DayVerdict::EarlyClose { side })
    };

    let mut verdicts = vec![DayVerdict::Agrees; pairs.len().min(1)];
    while verdicts.len() < pairs.len() {
        let index = verdicts.len();
        // The last day on which the closes of both sides were right, or a new level began.
        let base = &pairs[index - 1];
        if let Some(verdict) = same(base, &pairs[index]) {
            verdicts.push(verdict);
            continue;
        }
        let ahead = index + 1..pairs.len().min(index + 1 + policy.wrong_closes_max);
        let back = ahead.into_iter().find(|later| same(base, &pairs[*later]).is_some());
        match back {
            Some(back) => {
                verdicts.extend(
                    (index..back).map(|day| wrong(base, day).unwrap_or(DayVerdict::WrongClose)),
                );
                verdicts.push(DayVerdict::AfterWrongClose);
            }
            // The newest day has no day after it; only its own bars can tell.
            None if index + 1 == pairs.len() => {
                verdicts.push(wrong(base, index).unwrap_or(DayVerdict::Differs));
            }
            None => verdicts.push(DayVerdict::Differs),
        }
    }
    verdicts
}

/// For each pair, the median ratio of volumes on the days around it.
fn usual_volume_ratios(pairs: &[Pair<'_>], window_days: usize) -> Vec<Option<f64>> {
    let ratios: Vec<Option<f64>> = pairs.iter().map(Pair::volume_ratio).collect();
    (0..pairs.len())
        .map(|index| {
            let around =
                index.saturating_sub(window_days)..pairs.len().min(index + window_days + 1);
            median(ratios[around].iter().flatten().copied().collect())
        })
        .collect()
}

/// Whether the volumes of a pair stand in their usual ratio.
fn volume_agrees(pair: &Pair<'_>, usual: Option<f64>, policy: ReconcilePolicy) -> Option<bool> {
    let (a, b) = (pair.a.volume?, pair.b.volume?);
    match (pair.volume_ratio(), usual) {
        (Some(ratio), Some(usual)) => {
            Some((ratio / usual - 1.0).abs() <= policy.volume_tolerance_share)
        }
        _ => (a != b).then_some(false),
    }
}
