//! The regime of each day as the models know it, and what the market did in either.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::history::History;
use super::{count, mean};
use crate::features::regime;

/// Sessions by which a volatility of a session is made one of a year.
const SESSIONS_OF_YEAR: f64 = 252.0;

/// One session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegimeDay {
    /// Which.
    pub day: Date,
    /// The filtered probability that the market is turbulent, the feature `regime_turbulent`: from
    /// this day and those before alone; `None` in the first years.
    pub turbulent_probability: Option<f64>,
    /// Mean log-return of the shares; `None` without any.
    pub mean_log_return: Option<f64>,
}

/// Days in a row in one regime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegimeSpell {
    /// Whether turbulent was the more probable.
    pub is_turbulent: bool,
    /// The first day.
    pub first_day: Date,
    /// The last day.
    pub last_day: Date,
    /// How many sessions.
    pub sessions_count: usize,
}

/// What the market did in one regime.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegimeStatistics {
    /// Sessions in it.
    pub sessions_count: usize,
    /// Spells that have ended; the first began before it could be known, and counts with what is
    /// known of it.
    pub ended_spells_count: usize,
    /// Mean length of those, in sessions; `None` without any.
    pub mean_spell_sessions: Option<f64>,
    /// Mean log-return of the sessions in it.
    pub mean_log_return: Option<f64>,
    /// Mean log-return of the sessions that followed one in it, which could still be acted on.
    pub next_mean_log_return: Option<f64>,
    /// Standard deviation of the log-returns in it, made one of a year; `None` below two.
    pub volatility_share: Option<f64>,
}

/// The regimes of a market.
#[derive(Clone, Debug, PartialEq)]
pub struct RegimeHistory {
    /// The sessions, oldest first.
    pub days: Vec<RegimeDay>,
    /// Oldest first; the last goes on.
    pub spells: Vec<RegimeSpell>,
    /// While calm is the more probable.
    pub calm: RegimeStatistics,
    /// While turbulent is.
    pub turbulent: RegimeStatistics,
}

impl RegimeHistory {
    /// The regimes of the market of these shares, which are in the order of their symbols.
    pub fn of(histories: &[History]) -> Self {
        let mut by_day: BTreeMap<Date, Vec<f64>> = BTreeMap::new();
        for history in histories {
            for ((_, day), log_return) in history.log_returns() {
                by_day.entry(day).or_default().push(log_return);
            }
        }
        let (dates, returns): (Vec<Date>, Vec<Vec<f64>>) = by_day.into_iter().unzip();
        let probabilities = regime::of_days(&dates, |t| &returns[t]);
        let days: Vec<RegimeDay> = dates
            .iter()
            .zip(&returns)
            .zip(probabilities)
            .map(|((day, returns), probability)| RegimeDay {
                day: *day,
                turbulent_probability: (!probability.is_nan()).then_some(probability),
                mean_log_return: mean(returns),
            })
            .collect();
        let spells = spells(&days);
        Self {
            calm: statistics(&days, &spells, false),
            turbulent: statistics(&days, &spells, true),
            days,
            spells,
        }
    }
}

fn is_turbulent(day: &RegimeDay) -> Option<bool> {
    day.turbulent_probability.map(|probability| probability >= 0.5)
}

fn spells(days: &[RegimeDay]) -> Vec<RegimeSpell> {
    let mut spells: Vec<RegimeSpell> = Vec::new();
    for day in days {
        let Some(is_turbulent) = is_turbulent(day) else { continue };
        match spells.last_mut() {
            Some(spell) if spell.is_turbulent == is_turbulent => {
                spell.last_day = day.day;
                spell.sessions_count += 1;
            }
            _ => spells.push(RegimeSpell {
                is_turbulent,
                first_day: day.day,
                last_day: day.day,
                sessions_count: 1,
            }),
        }
    }
    spells
}

fn statistics(days: &[RegimeDay], spells: &[RegimeSpell], turbulent: bool) -> RegimeStatistics {
    let within = days.iter().filter(|day| is_turbulent(day) == Some(turbulent));
    let returns: Vec<f64> = within.clone().filter_map(|day| day.mean_log_return).collect();
    let next = days.windows(2).filter(|pair| is_turbulent(&pair[0]) == Some(turbulent));
    let next: Vec<f64> = next.filter_map(|pair| pair[1].mean_log_return).collect();
    let (_, ended) = spells.split_last().map_or((None, &[][..]), |(last, rest)| (Some(last), rest));
    let lengths: Vec<f64> = ended
        .iter()
        .filter(|spell| spell.is_turbulent == turbulent)
        .map(|spell| count(spell.sessions_count))
        .collect();
    let mean_log_return = mean(&returns);
    let deviation = mean_log_return.filter(|_| returns.len() > 1).map(|mean| {
        let squares: f64 = returns.iter().map(|value| (value - mean).powi(2)).sum();
        (squares / (count(returns.len()) - 1.0)).sqrt()
    });
    RegimeStatistics {
        sessions_count: within.count(),
        ended_spells_count: lengths.len(),
        mean_spell_sessions: mean(&lengths),
        mean_log_return,
        next_mean_log_return: mean(&next),
        volatility_share: deviation.map(|deviation| deviation * SESSIONS_OF_YEAR.sqrt()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bist_market::{Calendar, ValidatedBars};
    use bist_testkit::bars::{random_walk, validated};
    use jiff::civil::date;

    use super::*;
    use crate::features;
    use crate::{FeatureSpec, Horizon};

    #[test]
    fn the_regime_that_is_shown_is_the_feature_that_the_models_read() {
        let series: Vec<ValidatedBars> = (1..=5)
            .map(|seed| {
                let name = format!("TEST{seed}");
                validated(random_walk(&name, date(2020, 12, 1), date(2023, 6, 30), seed))
            })
            .collect();
        let spec = FeatureSpec::default();
        let horizons = [Horizon::Sessions(std::num::NonZero::new(5).unwrap())];
        let panel = features::build_with(spec, &series, &[], Calendar::bist(), &horizons).remove(0);
        let column = panel.known.features.column_index("regime_turbulent").unwrap();
        let feature: BTreeMap<Date, f64> = (panel.known.keys.iter().enumerate())
            .map(|(row, key)| (key.day, panel.known.features.value(row, column)))
            .collect();

        let histories: Vec<History> =
            series.iter().map(|series| History::of(series, date(2023, 6, 30))).collect();
        let regimes = RegimeHistory::of(&histories);
        let mut known_count = 0;
        for day in &regimes.days {
            let of_model = Some(feature[&day.day]).filter(|value| !value.is_nan());
            assert_eq!(
                day.turbulent_probability.map(f64::to_bits),
                of_model.map(f64::to_bits),
                "{}",
                day.day
            );
            known_count += usize::from(of_model.is_some());
        }
        assert!(known_count > 300, "{known_count}");
        assert_eq!(regimes.days[100].turbulent_probability, None);
        let sessions = regimes.calm.sessions_count + regimes.turbulent.sessions_count;
        assert_eq!(sessions, known_count);
        let of_spells: usize = regimes.spells.iter().map(|spell| spell.sessions_count).sum();
        assert_eq!(of_spells, known_count);
    }
}
