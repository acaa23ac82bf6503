//! Our side of each task.

mod indicators;

use std::path::Path;

use anyhow::Context as _;
use bist_market::Symbol;
use bist_models::{
    FeatureMatrix, FittedForecaster as _, FittedGbdt, FittedLstm, Gbdt, GbdtParams, Known, Lstm,
    LstmParams, Objective, ProphetParams, RowKey,
};
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday, date};

use super::super::side_by_side::{Measured, Stopwatch, Times};
use super::Task;
use super::data::{
    SYMBOLS_COUNT, TABLE_COLUMNS, TABLES_COUNT, WINDOW_FEATURES, WINDOW_STEPS, WINDOWS_COUNT,
    all_rows, matrix, read_f32, read_f64,
};

/// Numbers of a bar in the file.
const BAR_NUMBERS: usize = 5;

/// The closes that Prophet learns from.
const PROPHET_CLOSES: usize = 2520;

const PROPHET_SYMBOLS: usize = 5;

const PROPHET_AHEAD: usize = 30;

/// Windows timed one by one for one figure.
const LATENCIES: usize = 500;

const EXPLAINED_ROWS: usize = 1000;

/// Does `task` on the files of `folder`, once to warm up and then `runs` times.
pub(super) fn measure(task: Task, folder: &Path, runs: u16) -> anyhow::Result<Measured> {
    let (times, found) = match task {
        Task::Indicators => indicators::measure(folder, runs)?,
        Task::Prophet => prophet(folder, runs)?,
        Task::LstmTraining => lstm_training(folder, runs)?,
        Task::LstmInference => lstm_inference(folder, runs)?,
        Task::TreesTraining => trees_training(folder, runs)?,
        Task::TreesPrediction => trees_prediction(folder, runs)?,
        Task::TreesExplanation => trees_explanation(folder, runs)?,
    };
    Ok(times.measured(found))
}

/// The closes of the first symbols of the bars' file, the latest of each.
fn prophet_closes(folder: &Path) -> anyhow::Result<Vec<Vec<f64>>> {
    let numbers = read_f64(folder, "bars.f64")?;
    let of_symbol = numbers.len() / SYMBOLS_COUNT as usize;
    let closes = numbers.chunks_exact(of_symbol).take(PROPHET_SYMBOLS).map(|bars| {
        let closes: Vec<f64> = bars.iter().skip(3).step_by(BAR_NUMBERS).copied().collect();
        closes[closes.len().saturating_sub(PROPHET_CLOSES)..].to_vec()
    });
    Ok(closes.collect())
}

fn prophet(folder: &Path, runs: u16) -> anyhow::Result<(Times, String)> {
    let series = prophet_closes(folder)?;
    let weekdays: Vec<Date> = date(2016, 1, 4)
        .series(1.day())
        .filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday))
        .take(PROPHET_CLOSES + PROPHET_AHEAD)
        .collect();
    let days = &weekdays[..PROPHET_CLOSES];
    let params = ProphetParams { holidays: None, ..ProphetParams::default() };
    let (times, fits) = Times::of(runs, || {
        let fit = |closes: &Vec<f64>| -> anyhow::Result<_> {
            let fitted = params.fit_series(days, closes, &[])?;
            let forecast = fitted.forecast(&weekdays, &[]);
            Ok((fitted, forecast.yhat.last().copied().unwrap_or(f64::NAN)))
        };
        series.iter().map(fit).collect::<anyhow::Result<Vec<_>>>()
    })?;
    let log_posterior: f64 = (fits.iter().zip(&series))
        .map(|((fitted, _), closes)| fitted.log_posterior(days, closes, &[]))
        .sum();
    let last: f64 = fits.iter().map(|(_, last)| last).sum();
    Ok((
        times,
        format!("last forecasts of {last:.3} together, log-posteriors of {log_posterior:.2}"),
    ))
}

/// Windows as rows of one symbol, each window an unbroken stretch whose last row has the target.
struct Windows {
    known: Known,
    y: Vec<f64>,
    /// The last row of each window.
    rows: Vec<usize>,
}

impl Windows {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let windows = read_f32(folder, "windows.f32")?;
        let targets = read_f32(folder, "targets.f32")?;
        let rows_count = WINDOWS_COUNT * WINDOW_STEPS;
        let key = RowKey::daily(date(2024, 1, 2), Symbol::parse("XU100")?);
        let known = Known {
            keys: vec![key; rows_count],
            features: matrix(&windows, WINDOW_FEATURES)?,
            log_close: vec![0.0; rows_count],
            stretch: (0..rows_count)
                .map(|row| u32::try_from(row / WINDOW_STEPS))
                .collect::<Result<_, _>>()?,
        };
        let rows: Vec<usize> =
            (1..=WINDOWS_COUNT).map(|window| window * WINDOW_STEPS - 1).collect();
        let mut y = vec![0.0; rows_count];
        for (&row, target) in rows.iter().zip(&targets) {
            y[row] = f64::from(*target);
        }
        Ok(Self { known, y, rows })
    }

    /// Two layers of 64, plain Adam.
    fn fit(&self, epochs_max: u32) -> anyhow::Result<FittedLstm> {
        let params = LstmParams {
            steps: u32::try_from(WINDOW_STEPS)?,
            layers: 2,
            hidden: 64,
            embedding: 0,
            dropout: 0.0,
            weight_decay: 0.0,
            gradient_norm_max: 1e9,
            batch_size: 64,
            epochs_max,
            ..LstmParams::default()
        };
        Ok(Lstm { params, seed: 1 }.fit_network(&self.known, &self.y, &self.rows, &[])?)
    }
}

/// A step is a share of the difference between one epoch and `runs + 1`: what is done once a
/// training is no part of it.
fn lstm_training(folder: &Path, runs: u16) -> anyhow::Result<(Times, String)> {
    let windows = Windows::read(folder)?;
    windows.fit(1)?;
    let more = u32::from(runs);
    let steps = f64::from(more) * f64::from(u32::try_from(WINDOWS_COUNT.div_ceil(64))?);
    let once = Stopwatch::start();
    windows.fit(1)?;
    let (wall_once, cpu_once) = once.stop();
    let all = Stopwatch::start();
    let fitted = windows.fit(1 + more)?;
    let (wall, cpu) = all.stop();
    let predicted = fitted.predict(&windows.known, &windows.rows);
    let errors = predicted.iter().zip(&windows.rows).map(|(p, &row)| (p - windows.y[row]).powi(2));
    let error = errors.sum::<f64>() / f64::from(u32::try_from(WINDOWS_COUNT)?);
    let times = Times {
        wall_s: vec![(wall - wall_once) / steps],
        cpu_s: cpu.zip(cpu_once).map(|(all, once)| (all - once) / steps).into_iter().collect(),
    };
    Ok((times, format!("a mean squared error of {error:.5} after {} epochs", more + 1)))
}

fn lstm_inference(folder: &Path, runs: u16) -> anyhow::Result<(Times, String)> {
    let windows = Windows::read(folder)?;
    let fitted = windows.fit(1)?;
    let one = &windows.rows[..1];
    let mut times = Times::default();
    for run in 0..=runs {
        let mut took: Vec<f64> = (0..LATENCIES)
            .map(|_| {
                let watch = Stopwatch::start();
                std::hint::black_box(fitted.predict(&windows.known, one));
                watch.wall_s()
            })
            .collect();
        took.sort_by(f64::total_cmp);
        if run > 0 {
            times.wall_s.push(took[LATENCIES / 2]);
        }
    }
    Ok((times, format!("medians of {LATENCIES} windows")))
}

/// The table that the trees learn from.
struct Trees {
    train: FeatureMatrix,
    train_y: Vec<f64>,
    test: FeatureMatrix,
    test_y: Vec<f32>,
}

impl Trees {
    fn read(folder: &Path, table: u64) -> anyhow::Result<Self> {
        let numbers = |name: &str| read_f32(folder, &format!("{table}_{name}.f32"));
        Ok(Self {
            train: matrix(&numbers("train_x")?, TABLE_COLUMNS)?,
            train_y: numbers("train_y")?.into_iter().map(f64::from).collect(),
            test: matrix(&numbers("test_x")?, TABLE_COLUMNS)?,
            test_y: numbers("test_y")?,
        })
    }

    /// LightGBM's defaults: 31 leaves, 255 bins, a learning rate of a tenth.
    fn fit(&self) -> anyhow::Result<FittedGbdt> {
        let params = GbdtParams {
            objective: Objective::Binary,
            num_iterations: 300,
            ..GbdtParams::default()
        };
        let rows = all_rows(&self.train);
        Ok(Gbdt { params, seed: 1 }.fit_trees(&self.train, &self.train_y, &rows, &[])?)
    }

    fn auc(&self, predicted: &[f64]) -> f64 {
        auc(predicted, &self.test_y)
    }
}

/// Each table `runs` times.
fn trees_training(folder: &Path, runs: u16) -> anyhow::Result<(Times, String)> {
    let mut times = Times::default();
    let mut areas = Vec::new();
    for table in 0..TABLES_COUNT {
        let trees = Trees::read(folder, table)?;
        for _ in 0..runs {
            let watch = Stopwatch::start();
            let fitted = trees.fit()?;
            times.push(watch);
            areas.push(trees.auc(&fitted.predict_features(&trees.test, &all_rows(&trees.test))));
        }
    }
    let mean = areas.iter().sum::<f64>() / f64::from(u32::try_from(areas.len())?);
    Ok((times, format!("a mean AUC of {mean:.5}")))
}

fn trees_prediction(folder: &Path, runs: u16) -> anyhow::Result<(Times, String)> {
    let trees = Trees::read(folder, 0)?;
    let (fitted, rows) = (trees.fit()?, all_rows(&trees.test));
    let (times, predicted) = Times::of(runs, || Ok(fitted.predict_features(&trees.test, &rows)))?;
    Ok((times, format!("an AUC of {:.5}", trees.auc(&predicted))))
}

fn trees_explanation(folder: &Path, runs: u16) -> anyhow::Result<(Times, String)> {
    let trees = Trees::read(folder, 0)?;
    let fitted = trees.fit()?;
    let rows: Vec<usize> = (0..EXPLAINED_ROWS).collect();
    let (times, explained) =
        Times::of(runs, || Ok(fitted.contributions_batch(&trees.test, &rows)))?;
    let base = explained.first().context("there are rows")?.base;
    Ok((times, format!("a base value of {base:.4}")))
}

/// The area under the receiver operating characteristic: how often a row of class one is ranked
/// above a row of class zero (the statistic of Mann and Whitney).
fn auc(predicted: &[f64], y: &[f32]) -> f64 {
    let mut order: Vec<(f64, bool)> =
        predicted.iter().copied().zip(y.iter().map(|y| *y > 0.5)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut zeros, mut pairs, mut ones) = (0.0, 0.0, 0.0);
    for (_, is_one) in order {
        if is_one {
            ones += 1.0;
            pairs += zeros;
        } else {
            zeros += 1.0;
        }
    }
    pairs / (zeros * ones)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_under_the_curve_is_the_share_of_pairs_in_their_order() {
        // Of six pairs of a one and a zero five are in their order.
        let area = auc(&[0.1, 0.4, 0.35, 0.8, 0.9], &[0.0, 0.0, 1.0, 1.0, 1.0]);
        assert!((area - 5.0 / 6.0).abs() < 1e-12, "{area}");
    }
}
