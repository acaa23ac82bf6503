//! Adjusted series, made from our own corporate actions and not taken from a vendor.
//!
//! **Factor.** The exchange sets a theoretical price for the ex-day: the previous close, less what
//! the holder receives, more what is paid in, over the shares that one share has become
//! ([`CorporateAction::theoretical_base`]). The factor of an ex-day is that price over the previous
//! close, and the factor of a day is the product of the factors of all later ex-days. That is the
//! cumulative factor of CRSP ("factor to adjust price", and "factor to adjust shares" for
//! volumes), taken backward so that the newest prices stay as they are. The return of an adjusted
//! series over an ex-day is the close over the theoretical price, as the exchange counts it.
//!
//! **Two flavours.** [`ReturnFlavour::Price`] removes what changes the number of shares (bonus and
//! rights issues, splits, capital decreases); [`ReturnFlavour::Total`] removes cash dividends too,
//! gross, as if they were reinvested at the theoretical price.
//!
//! **Point in time.** Only actions effective on or before `as_of` count, and only closes before
//! each ex-day are read; what becomes known later never changes the answer for an earlier `as_of`.
//! That holds for [`PriceTerms::Raw`] and [`PriceTerms::SplitAdjusted`]. A fully adjusted series
//! has lost it: its old prices contain every later dividend, and nothing here brings them back.

mod factors;
mod unadjust;
mod vendor;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use factors::{AdjustmentFactors, AdjustmentStep, RefusedAdjustment};
pub use unadjust::unadjust;
pub(crate) use vendor::ratio;
pub use vendor::{VendorComparison, VendorEvent, compare_with_vendor};

use crate::bar::Bar;
use crate::corporate_action::CorporateAction;
use crate::source::PriceBasis;

/// What the prices of a series have already been adjusted for.
///
/// The same as [`PriceBasis`] with the day to which it reaches, and without "unknown": who does not
/// know has to decide before anything can be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "basis", rename_all = "snake_case")]
pub enum PriceTerms {
    /// As traded.
    Raw,
    /// Divided by all splits, bonus issues and capital decreases up to and including a day; not by
    /// rights issues and dividends. Volumes are multiplied by the same.
    SplitAdjusted {
        /// The day on which the source made its adjustment: the day of the download.
        until: Date,
    },
    /// Adjusted for everything.
    FullyAdjusted,
}

impl PriceTerms {
    /// The terms of a source, which adjusted its prices on `until`; `None` when the source does not
    /// say.
    pub const fn of(basis: PriceBasis, until: Date) -> Option<Self> {
        match basis {
            PriceBasis::Raw => Some(Self::Raw),
            PriceBasis::SplitAdjusted => Some(Self::SplitAdjusted { until }),
            PriceBasis::FullyAdjusted => Some(Self::FullyAdjusted),
            PriceBasis::Unknown => None,
        }
    }
}

/// Which corporate actions an adjusted series removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnFlavour {
    /// All but cash dividends.
    Price,
    /// All, cash dividends too.
    Total,
}

/// A bar whose prices nobody traded at: numbers for statistics, in lira.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiraBar {
    /// The session.
    pub day: Date,
    /// First price, lira; `None` when the source has none.
    pub open: Option<f64>,
    /// Highest price, lira.
    pub high: f64,
    /// Lowest price, lira.
    pub low: f64,
    /// Last price, lira.
    pub close: f64,
    /// Shares traded, in shares of the terms; `None` when the source does not say.
    pub volume_shares: Option<f64>,
}

impl LiraBar {
    /// The bar with prices times `price_factor` and volume times `volume_factor`.
    fn scaled(&self, price_factor: f64, volume_factor: f64) -> Self {
        Self {
            day: self.day,
            open: self.open.map(|lira| lira * price_factor),
            high: self.high * price_factor,
            low: self.low * price_factor,
            close: self.close * price_factor,
            volume_shares: self.volume_shares.map(|shares| shares * volume_factor),
        }
    }
}

impl From<&Bar> for LiraBar {
    fn from(bar: &Bar) -> Self {
        Self {
            day: bar.day,
            open: bar.open.map(crate::price::Price::lira),
            high: bar.high.lira(),
            low: bar.low.lira(),
            close: bar.close.lira(),
            volume_shares: bar.volume.map(crate::quantity::Shares::count),
        }
    }
}

/// The series as one would have seen it adjusted on `as_of`: prices in lira of that day, volumes in
/// shares of that day, bars up to that day.
///
/// `bars` are of one symbol, oldest first, on `terms`; `actions` are all of that symbol, in any
/// order. A fully adjusted series comes back as it is, whatever the flavour. Days whose actions make
/// no sense at their price are left out and named in [`AdjustmentFactors::refused`].
pub fn adjusted(
    bars: &[Bar],
    actions: &[CorporateAction],
    terms: PriceTerms,
    as_of: Date,
    flavour: ReturnFlavour,
) -> Vec<LiraBar> {
    let factors = AdjustmentFactors::new(bars, actions, terms, as_of);
    let mut series = as_traded(bars, actions, terms);
    series.retain(|bar| bar.day <= as_of);
    for (bar, factor) in series.iter_mut().zip(factors.of_days(bars)) {
        *bar = bar.scaled(factor.price(flavour), factor.shares);
    }
    series
}

/// The prices at which shares were traded, as far as the terms allow to know them.
fn as_traded(bars: &[Bar], actions: &[CorporateAction], terms: PriceTerms) -> Vec<LiraBar> {
    match terms {
        PriceTerms::Raw | PriceTerms::FullyAdjusted => bars.iter().map(LiraBar::from).collect(),
        PriceTerms::SplitAdjusted { until } => unadjust(bars, actions, until),
    }
}
