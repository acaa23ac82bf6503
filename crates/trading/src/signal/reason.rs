//! Why a signal says what it says.

use std::fmt;

use bist_market::Price;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::record::SkillCondition;

/// The reason of a signal, with its numbers. Shown as one English sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Buy: the expected return exceeds the costs.
    ExpectedGainAboveCosts {
        /// Simple return expected over the horizon.
        expected_return_share: f64,
        /// Cost of a purchase and its sale.
        cost_share: f64,
    },
    /// Sell: the expected loss exceeds the costs.
    ExpectedLossAboveCosts {
        /// Simple return expected over the horizon, negative.
        expected_return_share: f64,
        /// Cost of a purchase and its sale.
        cost_share: f64,
    },
    /// Hold: out of sample, the model has not shown that it knows anything.
    NoSkillShown {
        /// Rank information coefficient over all symbols; absent when there was too little to tell.
        rank_ic: Option<Estimate>,
        /// The conditions that are not met.
        unmet: Vec<SkillCondition>,
    },
    /// Hold: the model has shown skill, but not on this symbol.
    NoSkillForSymbol {
        /// Rank information coefficient on this symbol over time.
        rank_ic: Estimate,
    },
    /// Hold: the model's record on this symbol is too short to judge.
    SymbolRecordTooShort {
        /// Days in the record.
        days_count: u64,
        /// Days needed.
        days_count_min: u64,
    },
    /// Hold: trading would cost more than the forecast promises.
    WithinCosts {
        /// Simple return expected over the horizon.
        expected_return_share: f64,
        /// Cost of a purchase and its sale.
        cost_share: f64,
        /// How many times the costs have to be exceeded.
        #[serde(default = "once", skip_serializing_if = "is_once")]
        costs_multiple: f64,
    },
    /// Hold: once costs are paid, the band of the expected return holds gains and losses.
    BandSpansZero {
        /// How often such a band holds the expected return.
        level: f64,
        /// Lower end of the band, simple return over the horizon.
        low: f64,
        /// Upper end of the band, simple return over the horizon.
        high: f64,
        /// Cost of a purchase and its sale.
        cost_share: f64,
    },
    /// Hold: the calendar does not know the next session, so no price can be checked.
    NextSessionUnknown {
        /// The day of the last bar.
        as_of: Date,
    },
    /// Hold: the price limits of the session are not known.
    LimitsUnknown {
        /// The session.
        day: Date,
    },
    /// Hold: between the last close and the limits there is no price step that the forecast
    /// reaches.
    WithinOneStep {
        /// The last close.
        last_close: Price,
        /// The price step at the last close.
        tick: Price,
        /// Simple return expected over the horizon.
        expected_return_share: f64,
    },
}

/// How many times costs are exceeded unless somebody asks for more.
const fn once() -> f64 {
    1.0
}

fn is_once(costs_multiple: &f64) -> bool {
    *costs_multiple <= once()
}

impl Reason {
    /// The stable word for this reason in the API and the files.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ExpectedGainAboveCosts { .. } => "expected_gain_above_costs",
            Self::ExpectedLossAboveCosts { .. } => "expected_loss_above_costs",
            Self::NoSkillShown { .. } => "no_skill_shown",
            Self::NoSkillForSymbol { .. } => "no_skill_for_symbol",
            Self::SymbolRecordTooShort { .. } => "symbol_record_too_short",
            Self::WithinCosts { .. } => "within_costs",
            Self::BandSpansZero { .. } => "band_spans_zero",
            Self::NextSessionUnknown { .. } => "next_session_unknown",
            Self::LimitsUnknown { .. } => "limits_unknown",
            Self::WithinOneStep { .. } => "within_one_step",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: &f64| share * 100.0;
        match self {
            Self::ExpectedGainAboveCosts { expected_return_share, cost_share } => write!(
                f,
                "The expected return of {:+.2} % exceeds the costs of {:.2} %.",
                percent(expected_return_share),
                percent(cost_share)
            ),
            Self::ExpectedLossAboveCosts { expected_return_share, cost_share } => write!(
                f,
                "The expected return of {:+.2} % is a loss beyond the costs of {:.2} %.",
                percent(expected_return_share),
                percent(cost_share)
            ),
            Self::NoSkillShown { rank_ic, unmet } => {
                f.write_str("The model has shown no skill out of sample: ")?;
                for (index, condition) in unmet.iter().enumerate() {
                    write!(f, "{}{condition}", if index == 0 { "" } else { ", " })?;
                }
                match rank_ic {
                    Some(rank_ic) => write!(f, "; rank IC {rank_ic:.3}."),
                    None => f.write_str("; there are too few days to measure the rank IC."),
                }
            }
            Self::NoSkillForSymbol { rank_ic } => write!(
                f,
                "The model has shown no skill on this symbol: the interval of its rank IC, \
                 {rank_ic:.3}, is not above zero."
            ),
            Self::SymbolRecordTooShort { days_count, days_count_min } => write!(
                f,
                "The model's record on this symbol is {days_count} days long; {days_count_min} are \
                 needed to judge it."
            ),
            Self::WithinCosts { expected_return_share, cost_share, costs_multiple } => {
                let times = match is_once(costs_multiple) {
                    true => String::new(),
                    false => format!("{costs_multiple:.2} times "),
                };
                write!(
                    f,
                    "The expected return of {:+.2} % does not exceed {times}the costs of {:.2} %.",
                    percent(expected_return_share),
                    percent(cost_share)
                )
            }
            Self::BandSpansZero { level, low, high, cost_share } => write!(
                f,
                "By the model's record the expected return lies between {1:+.2} % and {2:+.2} % \
                 ({0:.0} %): after costs of {3:.2} % it may be a gain or a loss.",
                percent(level),
                percent(low),
                percent(high),
                percent(cost_share)
            ),
            Self::NextSessionUnknown { as_of } => {
                write!(f, "The calendar does not know the session after {as_of}.")
            }
            Self::LimitsUnknown { day } => write!(f, "The price limits of {day} are not known."),
            Self::WithinOneStep { last_close, tick, expected_return_share } => write!(
                f,
                "The expected return of {:+.2} % does not reach a valid price beyond the last close \
                 of {last_close} (price step {tick}).",
                percent(expected_return_share)
            ),
        }
    }
}
