//! Which of two bars was taken before the session ended.

use super::{Pair, ReconcilePolicy, SideName};
use crate::bar::Bar;

/// The side whose bar ends before the other's; `None` when the bars do not tell.
///
/// `base` is a day on which both closes were right, which gives the scale of the prices;
/// `usual_ratio` is that of the volumes, first side over second.
pub(super) fn early_side(
    base: &Pair<'_>,
    pair: &Pair<'_>,
    usual_ratio: Option<f64>,
    policy: ReconcilePolicy,
) -> Option<SideName> {
    let tolerance = policy.return_tolerance_share + base.rounding_share() + pair.rounding_share();
    let shortfall = pair.volume_ratio().zip(usual_ratio).map(|(ratio, usual)| ratio / usual);
    let short = |ratio: f64| ratio < 1.0 - policy.volume_tolerance_share;
    let a = Piece { bar: pair.a, scale: 1.0, short: shortfall.is_some_and(short) };
    let b = Piece {
        bar: pair.b,
        scale: base.level(),
        short: shortfall.is_some_and(|ratio| short(1.0 / ratio)),
    };
    match (a.is_part_of(&b, tolerance), b.is_part_of(&a, tolerance)) {
        (true, false) => Some(SideName::A),
        (false, true) => Some(SideName::B),
        (true, true) | (false, false) => None,
    }
}

/// A bar, on the scale of the first side.
struct Piece<'a> {
    bar: &'a Bar,
    scale: f64,
    /// Whether fewer shares were traded than the other side leads to expect.
    short: bool,
}

impl Piece<'_> {
    fn low(&self) -> f64 {
        self.bar.low.lira() * self.scale
    }

    fn high(&self) -> f64 {
        self.bar.high.lira() * self.scale
    }

    /// Whether this bar is the beginning of the other: nothing in it lies outside the other, and
    /// something of the other is missing in it.
    fn is_part_of(&self, other: &Self, tolerance: f64) -> bool {
        let inside = self.low() >= other.low() * (1.0 - tolerance)
            && self.high() <= other.high() * (1.0 + tolerance);
        let narrower = self.low() > other.low() * (1.0 + tolerance)
            || self.high() < other.high() * (1.0 - tolerance);
        inside && (narrower || self.short)
    }
}
