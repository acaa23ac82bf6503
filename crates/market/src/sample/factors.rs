//! The shocks that move prices: one of the market, one of each sector, one of each symbol.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StudentT};

use super::Session;
use super::companies::SECTORS_COUNT;

/// Standard deviations of a session's log-return, by factor; together about 2.2 %.
const MARKET_DEVIATION: f64 = 0.012;
const SECTOR_DEVIATION: f64 = 0.008;
const OWN_DEVIATION: f64 = 0.016;

/// GARCH(1,1): the weights of the last squared shock and of the last variance.
const LAST_SHOCK: f64 = 0.08;
const LAST_VARIANCE: f64 = 0.90;

/// Degrees of freedom of the shocks; five gives fat tails with a finite fourth moment.
const FREEDOM: f64 = 5.0;

/// Sessions thrown away, so that the first volatility is as random as the last.
const BURN_IN_SESSIONS: usize = 250;

/// What part of a symbol's own chance a generator is for; each gets a stream of its own, so that
/// one more draw in one does not move another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Market,
    Sector(usize),
    OwnShocks(u64),
    Path(u64),
    Actions(u64),
    Defects(u64),
}

/// The generator for one purpose.
pub(super) fn rng(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(match purpose {
        Purpose::Market => 0,
        Purpose::Sector(sector) => 1 + sector as u64,
        Purpose::OwnShocks(symbol) => 1_000 + 4 * symbol,
        Purpose::Path(symbol) => 1_001 + 4 * symbol,
        Purpose::Actions(symbol) => 1_002 + 4 * symbol,
        Purpose::Defects(symbol) => 1_003 + 4 * symbol,
    });
    rng
}

/// The shocks that symbols share.
#[derive(Debug)]
pub(super) struct Shocks {
    seed: u64,
    market: Vec<Shock>,
    sectors: Vec<Vec<Shock>>,
}

/// One session's shock to a log-return.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shock {
    /// What happened.
    pub(super) value: f64,
    /// The standard deviation that was to be expected.
    pub(super) deviation: f64,
}

impl Shocks {
    pub(super) fn new(seed: u64, sessions: usize) -> Self {
        let sector = |index| garch(seed, Purpose::Sector(index), SECTOR_DEVIATION, sessions);
        Self {
            seed,
            market: garch(seed, Purpose::Market, MARKET_DEVIATION, sessions),
            sectors: (0..SECTORS_COUNT).map(sector).collect(),
        }
    }

    /// The sum of the three shocks of one symbol, session by session.
    pub(super) fn of_symbol(&self, symbol: u64, sector: usize, sessions: &[Session]) -> Vec<Shock> {
        let own = garch(self.seed, Purpose::OwnShocks(symbol), OWN_DEVIATION, sessions.len());
        let shared = self.market.iter().zip(&self.sectors[sector]);
        own.iter()
            .zip(shared)
            .map(|(own, (market, sector))| Shock {
                value: own.value + market.value + sector.value,
                deviation: own.deviation.hypot(market.deviation).hypot(sector.deviation),
            })
            .collect()
    }
}

fn garch(seed: u64, purpose: Purpose, deviation: f64, sessions: usize) -> Vec<Shock> {
    let mut rng = rng(seed, purpose);
    let student = StudentT::new(FREEDOM).expect("five degrees of freedom are positive");
    // A Student-t variable has the variance n / (n - 2).
    let scale = ((FREEDOM - 2.0) / FREEDOM).sqrt();
    let floor = deviation * deviation * (1.0 - LAST_SHOCK - LAST_VARIANCE);
    let mut variance: f64 = deviation * deviation;
    let mut shocks = Vec::with_capacity(sessions);
    for step in 0..sessions + BURN_IN_SESSIONS {
        let draw: f64 = student.sample(&mut rng);
        let value = variance.sqrt() * scale * draw;
        if step >= BURN_IN_SESSIONS {
            shocks.push(Shock { value, deviation: variance.sqrt() });
        }
        variance = floor + LAST_SHOCK * value * value + LAST_VARIANCE * variance;
    }
    shocks
}
