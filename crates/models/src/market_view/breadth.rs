//! How many shares go with the market.

use super::standing::{MEAN_SESSIONS, Standing};

/// How many shares closed above their mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AboveMean {
    /// Closes of the mean.
    pub sessions: usize,
    /// Shares above it.
    pub above_count: usize,
    /// Shares that have so many closes.
    pub known_count: usize,
}

/// How many shares rose, fell, lie above their means, and are higher or lower than in a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breadth {
    /// Shares that rose on the day.
    pub advancers_count: usize,
    /// Shares that fell.
    pub decliners_count: usize,
    /// Shares that closed where they did before.
    pub unchanged_count: usize,
    /// Shares of which that is not known.
    pub unknown_count: usize,
    /// By length of the mean.
    pub above_means: [AboveMean; MEAN_SESSIONS.len()],
    /// Shares with a new high of 52 weeks.
    pub new_highs_count: usize,
    /// Shares with a new low of 52 weeks.
    pub new_lows_count: usize,
    /// Shares that have so many bars.
    pub year_known_count: usize,
}

impl Breadth {
    /// The breadth of some shares on one day.
    pub fn of<'a>(standings: impl IntoIterator<Item = &'a Standing>) -> Self {
        let above_means =
            MEAN_SESSIONS.map(|sessions| AboveMean { sessions, above_count: 0, known_count: 0 });
        let mut breadth = Self {
            advancers_count: 0,
            decliners_count: 0,
            unchanged_count: 0,
            unknown_count: 0,
            above_means,
            new_highs_count: 0,
            new_lows_count: 0,
            year_known_count: 0,
        };
        for standing in standings {
            let counted = match standing.changes[0] {
                None => &mut breadth.unknown_count,
                Some(change) if change > 0.0 => &mut breadth.advancers_count,
                Some(change) if change < 0.0 => &mut breadth.decliners_count,
                Some(_) => &mut breadth.unchanged_count,
            };
            *counted += 1;
            for (above, over) in breadth.above_means.iter_mut().zip(standing.over_means) {
                above.known_count += usize::from(over.is_some());
                above.above_count += usize::from(over.is_some_and(|over| over > 0.0));
            }
            breadth.year_known_count += usize::from(standing.is_new_high.is_some());
            breadth.new_highs_count += usize::from(standing.is_new_high == Some(true));
            breadth.new_lows_count += usize::from(standing.is_new_low == Some(true));
        }
        breadth
    }
}

#[cfg(test)]
pub(super) mod tests {
    use bist_market::{Price, Symbol};

    use super::*;

    /// A share with these changes over 1 and 21 sessions, and this place over its means.
    pub(in crate::market_view) fn share(
        name: &str,
        day: Option<f64>,
        month: Option<f64>,
        over: Option<f64>,
    ) -> Standing {
        Standing {
            symbol: Symbol::parse(name).unwrap(),
            close: Price::parse("10").unwrap(),
            changes: [day, None, month, None, None, None],
            turnover_try: None,
            turnover_multiple: None,
            volume_multiple: None,
            volatility_20_share: None,
            rsi_14: None,
            adx_14: None,
            over_means: [over, None, over],
            from_high_252_share: None,
            from_low_252_share: None,
            is_new_high: over.map(|over| over > 0.5),
            is_new_low: over.map(|over| over < -0.5),
        }
    }

    #[test]
    fn every_share_is_counted_once_and_what_is_unknown_is_no_fall() {
        let shares = [
            share("A1", Some(0.01), None, Some(0.6)),
            share("A2", Some(0.02), None, Some(0.1)),
            share("B1", Some(-0.01), None, Some(-0.6)),
            share("C1", Some(0.0), None, None),
            share("D1", None, None, None),
        ];
        let breadth = Breadth::of(&shares);
        let counts = [
            breadth.advancers_count,
            breadth.decliners_count,
            breadth.unchanged_count,
            breadth.unknown_count,
        ];
        assert_eq!(counts, [2, 1, 1, 1]);
        let above = breadth.above_means.map(|above| (above.above_count, above.known_count));
        assert_eq!(above, [(2, 3), (0, 0), (2, 3)]);
        let year = [breadth.new_highs_count, breadth.new_lows_count, breadth.year_known_count];
        assert_eq!(year, [1, 1, 3]);
    }
}
