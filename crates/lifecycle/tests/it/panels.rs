//! Panels with a known amount of signal.

use std::collections::BTreeMap;
use std::num::Wrapping;
use std::ops::ControlFlow;
use std::sync::Arc;

use bist_lifecycle::evaluation::OutlookRecord;
use bist_lifecycle::outlook::Outlook;
use bist_lifecycle::{TrainError, Trained, TrainingContext, TrainingProgress, TrainingSpec};
use bist_market::{Calendar, Symbol};
use bist_models::{FeatureMatrix, Horizon, Known, Panel, RowKey, Targets};
use jiff::civil::{Date, date};

pub(crate) const HORIZON: Horizon = Horizon::from_sessions(5).unwrap();

/// What a panel is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe {
    pub(crate) symbols_count: usize,
    pub(crate) days_count: usize,
    /// Daily return that one unit of the hidden driver adds, in units of daily volatility.
    pub(crate) strength: f64,
    pub(crate) seed: u64,
}

/// The spec of the tests: that of the product with fewer and shorter folds and fewer trees.
pub(crate) fn spec(seed: u64) -> TrainingSpec {
    let mut spec = TrainingSpec::of(HORIZON, seed);
    spec.members.gbdt.num_iterations = 60;
    spec.members.gbdt.learning_rate = 0.1;
    spec.members.gbdt.early_stopping_rounds = 10;
    spec.walk_forward.folds_count = 4;
    spec.walk_forward.training_days_min = 100;
    spec
}

/// Trains as one configuration of one, with an honest future to change.
pub(crate) fn train(panel: &Panel, spec: &TrainingSpec) -> Result<Trained, TrainError> {
    train_with(panel, spec, &|day| with_another_future(panel, day), &|_| {})
}

/// The same with a future of one's choice, and told how far it has come.
pub(crate) fn train_with(
    panel: &Panel,
    spec: &TrainingSpec,
    other_future: &dyn Fn(Date) -> Panel,
    progress: &dyn Fn(TrainingProgress),
) -> Result<Trained, TrainError> {
    let sectors = BTreeMap::new();
    let context = TrainingContext { configurations_count: 1, sectors: &sectors, other_future };
    bist_lifecycle::train(panel, spec, &context, &|now| {
        progress(now);
        ControlFlow::Continue(())
    })
}

/// The panel as it would be if everything after `day` were another: the features of later rows, and
/// the outcomes that were not known on that day.
pub(crate) fn with_another_future(panel: &Panel, day: Date) -> Panel {
    let mut changed = panel.clone();
    for row in 0..panel.known.keys.len() {
        if changed.targets.known_on[row].is_none_or(|known_on| known_on > day) {
            for returns in &mut changed.targets.step_returns {
                returns[row] = 0.5 - 3.0 * returns[row];
            }
            changed.targets.tradable_return[row] *= -7.0;
            changed.targets.realised_volatility[row] *= 3.0;
        }
    }
    let columns = (0..panel.known.features.columns_count()).map(|j| {
        let column = panel.known.features.column(j).iter().zip(&panel.known.keys);
        column.map(|(v, key)| if key.day > day { 2.0 - 5.0 * v } else { *v }).collect()
    });
    let (names, columns) = (panel.known.features.names().to_vec(), columns.collect());
    let known = Arc::make_mut(&mut changed.known);
    known.features = FeatureMatrix::from_columns(names, columns).unwrap();
    for (close, key) in known.log_close.iter_mut().zip(&panel.known.keys) {
        if key.day > day {
            *close = -*close;
        }
    }
    changed
}

/// A record in which nothing was said besides the return.
pub(crate) fn no_outlook() -> OutlookRecord {
    let nothing = Outlook { up_share: 0.5, volatility: None, barriers: None };
    OutlookRecord {
        said: nothing,
        average: nothing,
        rose: None,
        realised_volatility: f64::NAN,
        barrier: None,
    }
}

pub(crate) fn sessions(days_count: usize) -> Vec<Date> {
    Calendar::bist()
        .sessions(date(2018, 1, 2), Calendar::bist().last_day())
        .map(|(day, _)| day)
        .take(days_count)
        .collect()
}

impl Recipe {
    /// Daily returns driven by a slow hidden state that is one of the features, a move common to all
    /// symbols, and noise; the other features are slow noise.
    pub(crate) fn panel(self) -> Panel {
        const VOLATILITY: f64 = 0.02;
        const NOISE_FEATURES_COUNT: usize = 5;
        let horizon = usize::from(HORIZON.sessions());
        let days = sessions(self.days_count);
        let mut draw = Draw(Wrapping(self.seed));
        let market: Vec<f64> = days.iter().map(|_| 0.01 * draw.normal()).collect();
        let mut columns = vec![Vec::new(); NOISE_FEATURES_COUNT + 2];
        let mut daily = Vec::new();
        for _ in 0..self.symbols_count {
            let driver = draw.slow(days.len());
            let returns: Vec<f64> = (0..days.len())
                .map(|t| {
                    let known = if t == 0 { 0.0 } else { self.strength * driver[t - 1] };
                    market[t] + VOLATILITY * (known + draw.normal())
                })
                .collect();
            let trailing = (0..days.len()).map(|t| {
                if t < horizon { f64::NAN } else { returns[t + 1 - horizon..=t].iter().sum() }
            });
            columns[0].push(driver);
            columns[1].push(trailing.collect());
            for column in &mut columns[2..] {
                column.push(draw.slow(days.len()));
            }
            daily.push(returns);
        }
        let rows = || (0..days.len()).flat_map(|t| (0..self.symbols_count).map(move |s| (t, s)));
        let sum = |symbol: usize, from: usize, to: usize| -> f64 {
            daily[symbol].get(from..to).map_or(f64::NAN, |returns| returns.iter().sum())
        };
        let names = (0..NOISE_FEATURES_COUNT).map(|j| format!("noise_{j}"));
        let names = ["driver".to_owned(), format!("return_{HORIZON}")].into_iter().chain(names);
        let spread = |column: &Vec<Vec<f64>>| {
            rows().map(|(t, symbol)| column[symbol][t]).collect::<Vec<_>>()
        };
        Panel {
            known: Arc::new(Known {
                keys: rows().map(|(t, s)| RowKey::daily(days[t], symbol(s))).collect(),
                features: FeatureMatrix::from_columns(
                    names.collect(),
                    columns.iter().map(spread).collect(),
                )
                .unwrap(),
                log_close: rows().map(|(t, s)| sum(s, 0, t + 1)).collect(),
                stretch: vec![0; days.len() * self.symbols_count],
            }),
            targets: Targets {
                horizon: HORIZON,
                step_returns: (1..=horizon)
                    .map(|k| rows().map(|(t, s)| sum(s, t + 1, t + 1 + k)).collect())
                    .collect(),
                tradable_return: rows().map(|(t, s)| sum(s, t + 1, t + 1 + horizon)).collect(),
                known_on: rows()
                    .map(|(t, _)| {
                        Calendar::bist().session_after(days[t], HORIZON.sessions().into())
                    })
                    .collect(),
                realised_volatility: rows().map(|_| VOLATILITY).collect(),
                barrier: rows().map(|_| None).collect(),
                volatility: rows().map(|_| VOLATILITY).collect(),
            },
        }
    }
}

pub(crate) fn symbol(index: usize) -> Symbol {
    Symbol::parse(&format!("S{index:02}")).unwrap()
}

/// A small generator (`SplitMix64`), so that panels depend on no crate's stream.
struct Draw(Wrapping<u64>);

impl Draw {
    fn uniform(&mut self) -> f64 {
        self.0 += Wrapping(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)) * Wrapping(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)) * Wrapping(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)).0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Twelve uniform draws less six: nearly normal, with variance one.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    /// A slow series with variance one: each value keeps 0.9 of the one before.
    fn slow(&mut self, length: usize) -> Vec<f64> {
        let mut value = self.normal();
        (0..length)
            .map(|_| {
                value = 0.9 * value + (1.0 - 0.9_f64 * 0.9).sqrt() * self.normal();
                value
            })
            .collect()
    }
}
