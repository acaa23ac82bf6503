//! The worst that the market did in so many sessions, as it really happened.

use jiff::civil::Date;

use super::history::MarketReturns;

/// A stretch of sessions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Episode {
    /// The session at whose close it begins.
    pub from: Date,
    /// The session at whose close it ends.
    pub to: Date,
    /// What the market did, a share.
    pub market_share: f64,
}

/// The `count` worst stretches of `sessions` sessions in a row, the worst first; none shares a
/// session with a worse one.
pub fn worst_windows(market: &MarketReturns, sessions: usize, count: usize) -> Vec<Episode> {
    let steps: Vec<((Date, Date), f64)> =
        market.0.iter().map(|(days, value)| (*days, *value)).collect();
    let mut windows: Vec<Episode> = steps
        .windows(sessions.max(1))
        .filter(|window| window.windows(2).all(|pair| pair[0].0.1 == pair[1].0.0))
        .map(|window| Episode {
            from: window[0].0.0,
            to: window[window.len() - 1].0.1,
            market_share: window.iter().map(|(_, value)| value).sum::<f64>().exp_m1(),
        })
        .collect();
    windows.sort_by(|a, b| a.market_share.total_cmp(&b.market_share).then(a.from.cmp(&b.from)));
    let mut worst: Vec<Episode> = Vec::new();
    for window in windows {
        if worst.len() == count {
            break;
        }
        if worst.iter().all(|worse| window.to <= worse.from || window.from >= worse.to) {
            worst.push(window);
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_worst_stretches_share_no_session_and_reach_across_no_gap() {
        let mut market = MarketReturns::default();
        for (day, value) in [(1, 0.01), (2, -0.05), (3, -0.04), (4, 0.02), (5, -0.03), (6, -0.03)] {
            market.0.insert((date(2024, 1, day), date(2024, 1, day + 1)), value);
        }
        // The day after the next step begins is missing.
        market.0.insert((date(2024, 1, 9), date(2024, 1, 10)), -0.5);
        let worst = worst_windows(&market, 2, 5);
        let days: Vec<(i8, i8)> =
            worst.iter().map(|episode| (episode.from.day(), episode.to.day())).collect();
        assert_eq!(days, [(2, 4), (5, 7)]);
        assert!((worst[0].market_share - (-0.09_f64).exp_m1()).abs() < 1e-12);
    }
}
