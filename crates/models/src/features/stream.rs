//! The features of one symbol, bar by bar.

use bist_market::{Bar, ExchangeRules};

use super::momentum::{self, Momentum};
use super::patterns::{self, Patterns};
use super::returns::{self, Returns};
use super::run::Scale;
use super::spec::FeatureSpec;
use super::volatility::{self, Volatility};
use super::volume::{self, Liquidity, Volume};

/// How many features one symbol's bars give by themselves.
pub(crate) const OWN_COUNT: usize = returns::DEFINITIONS.len()
    + momentum::DEFINITIONS.len()
    + patterns::DEFINITIONS.len()
    + volatility::DEFINITIONS.len()
    + volume::DEFINITIONS.len();

/// The state of the features that one symbol's bars give by themselves: what [`super::build`]
/// drives over a whole series, and what a live bar updates.
#[derive(Clone, Debug)]
pub struct SymbolStream {
    spec: FeatureSpec,
    scale: Scale,
    state: State,
}

/// What one bar of a symbol gives by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnValues {
    /// The features, in the order of the first columns.
    pub(crate) values: [f64; OWN_COUNT],
    pub(crate) liquidity: Liquidity,
    /// Whether the bar is the first of its run.
    pub(crate) begins: bool,
}

/// Begins anew with each run.
#[derive(Clone, Debug)]
struct State {
    returns: Returns,
    momentum: Momentum,
    patterns: Patterns,
    volatility: Volatility,
    volume: Volume,
}

impl SymbolStream {
    /// Before the first bar, with the windows of `spec`.
    pub fn new(rules: &'static ExchangeRules, spec: FeatureSpec) -> Self {
        Self { spec, scale: Scale::new(rules), state: State::new(&spec) }
    }

    /// The values as of `bar`, in the order of the first columns of [`super::build`]; NaN where one
    /// is not known yet. `continues` says whether the bar may be compared with the one before it
    /// ([`bist_market::ValidatedBars::continues`]).
    pub fn push(&mut self, bar: &Bar, continues: bool) -> Vec<f64> {
        self.advance(bar, continues).values.to_vec()
    }

    pub(crate) fn advance(&mut self, bar: &Bar, continues: bool) -> OwnValues {
        let (of_run, begins) = self.scale.push(bar, continues);
        if begins {
            self.state = State::new(&self.spec);
        }
        let (volume, liquidity) = self.state.volume.push(&of_run);
        let parts = (self.state.returns.push(&of_run).into_iter())
            .chain(self.state.momentum.push(&of_run))
            .chain(self.state.patterns.push(&of_run))
            .chain(self.state.volatility.push(&of_run))
            .chain(volume);
        let mut values = [f64::NAN; OWN_COUNT];
        for (slot, value) in values.iter_mut().zip(parts) {
            *slot = value;
        }
        OwnValues { values, liquidity, begins }
    }
}

impl State {
    fn new(spec: &FeatureSpec) -> Self {
        Self {
            returns: Returns::new(spec),
            momentum: Momentum::new(spec),
            patterns: Patterns::new(),
            volatility: Volatility::new(spec),
            volume: Volume::new(spec),
        }
    }
}
