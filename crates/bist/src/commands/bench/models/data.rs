//! What both sides work on, as little-endian numbers in files.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use bist_market::sample::{SampleSpec, generate};
use bist_models::FeatureMatrix;
use rand::{Rng, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::Task;

/// Symbols of the indicators' bars.
pub(super) const SYMBOLS_COUNT: u32 = 100;

/// Windows of the recurrent network.
pub(super) const WINDOWS_COUNT: usize = 4096;

/// Rows of each window.
pub(super) const WINDOW_STEPS: usize = 60;

/// Features of each row of a window.
pub(super) const WINDOW_FEATURES: usize = 20;

/// Rows of a table of the trees to learn from.
pub(super) const TRAIN_ROWS: usize = 300_000;

/// Rows of a table of the trees to predict.
pub(super) const TEST_ROWS: usize = 60_000;

/// Tables to train trees on. Trees of one worth differ by a thousandth in the area under the curve,
/// by how their bins happen to fall: the mean over several tables tells more.
pub(super) const TABLES_COUNT: u64 = 3;

/// Columns of the tables.
pub(in crate::commands::bench) const TABLE_COLUMNS: usize = 40;

/// The columns from here on have few different values.
const COARSE_FROM: usize = 30;

const SEED: u64 = 20_261_128;

/// Writes what `task` needs into `folder`, unless it is there.
pub(super) fn write(task: Task, folder: &Path) -> anyhow::Result<()> {
    match task {
        Task::Indicators | Task::Prophet => write_bars(folder),
        Task::LstmTraining | Task::LstmInference => write_windows(folder),
        Task::TreesTraining => (0..TABLES_COUNT).try_for_each(|table| write_table(folder, table)),
        Task::TreesPrediction | Task::TreesExplanation => write_table(folder, 0),
    }
}

/// The 64-bit numbers of `name`.
pub(in crate::commands::bench) fn read_f64(folder: &Path, name: &str) -> anyhow::Result<Vec<f64>> {
    let bytes = read(folder, name)?;
    Ok(bytes.as_chunks::<8>().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect())
}

/// The 32-bit numbers of `name`.
pub(in crate::commands::bench) fn read_f32(folder: &Path, name: &str) -> anyhow::Result<Vec<f32>> {
    let bytes = read(folder, name)?;
    Ok(bytes.as_chunks::<4>().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect())
}

/// Numbers row after row, of so many columns, as columns.
pub(in crate::commands::bench) fn matrix(
    numbers: &[f32],
    columns_count: usize,
) -> anyhow::Result<FeatureMatrix> {
    let column = |j| numbers.iter().skip(j).step_by(columns_count).map(|v| f64::from(*v)).collect();
    let names = (0..columns_count).map(|j| format!("Column_{j}")).collect();
    Ok(FeatureMatrix::from_columns(names, (0..columns_count).map(column).collect())?)
}

/// The numbers of all rows.
pub(in crate::commands::bench) fn all_rows(x: &FeatureMatrix) -> Vec<usize> {
    (0..x.rows_count()).collect()
}

fn read(folder: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let path = folder.join(name);
    fs::read(&path).with_context(|| format!("reading {}", path.display()))
}

/// Writes numbers, each as its bytes.
pub(in crate::commands::bench) fn save<const N: usize>(
    folder: &Path,
    name: &str,
    numbers: impl Iterator<Item = [u8; N]>,
) -> anyhow::Result<()> {
    let path = folder.join(name);
    fs::write(&path, numbers.flatten().collect::<Vec<u8>>())
        .with_context(|| format!("writing {}", path.display()))
}

/// `bars.f64`: open, high, low, close and volume of each bar, one symbol after the other, all of
/// the same length.
fn write_bars(folder: &Path) -> anyhow::Result<()> {
    if folder.join("bars.f64").exists() {
        return Ok(());
    }
    let until = jiff::civil::date(2025, 12, 31);
    let spec = SampleSpec { symbols_count: SYMBOLS_COUNT, years: 15, seed: SEED, until };
    let market = generate(&spec)?;
    let length = market.series.iter().map(|series| series.bars.len()).min().unwrap_or_default();
    let numbers = market.series.iter().flat_map(|series| {
        series.bars[series.bars.len() - length..].iter().flat_map(|bar| {
            let open = bar.open_units.unwrap_or(bar.close_units);
            let prices = [open, bar.high_units, bar.low_units, bar.close_units].map(price);
            #[expect(clippy::cast_precision_loss, reason = "no day has that many shares traded")]
            let volume = bar.volume_shares.unwrap_or_default() as f64;
            prices.into_iter().chain([volume])
        })
    });
    save(folder, "bars.f64", numbers.map(f64::to_le_bytes))
}

#[expect(clippy::cast_precision_loss, reason = "prices have few digits")]
fn price(units: i64) -> f64 {
    units as f64 / 10_000.0
}

/// `windows.f32` and `targets.f32`: a target is the mean of one feature over the last 5 steps less
/// half the mean of another over the last 10.
fn write_windows(folder: &Path) -> anyhow::Result<()> {
    if folder.join("windows.f32").exists() {
        return Ok(());
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let windows = normals(&mut random, WINDOWS_COUNT * WINDOW_STEPS * WINDOW_FEATURES);
    let targets = windows.chunks_exact(WINDOW_STEPS * WINDOW_FEATURES).map(|window| {
        let newest = |feature: usize, steps: u8| {
            let values = window.chunks_exact(WINDOW_FEATURES).rev().take(usize::from(steps));
            values.map(|row| row[feature]).sum::<f32>() / f32::from(steps)
        };
        newest(0, 5) - 0.5 * newest(1, 10)
    });
    save(folder, "targets.f32", targets.map(f32::to_le_bytes))?;
    save(folder, "windows.f32", windows.iter().map(|value| value.to_le_bytes()))
}

/// `0_train_x.f32`, `0_train_y.f32`, `0_test_x.f32` and `0_test_y.f32` for table 0, and so on: rows
/// of features, and whether a function of eleven of them and logistic noise is positive.
pub(in crate::commands::bench) fn write_table(folder: &Path, table: u64) -> anyhow::Result<()> {
    if folder.join(format!("{table}_test_y.f32")).exists() {
        return Ok(());
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED + table);
    for (name, rows_count) in [("train", TRAIN_ROWS), ("test", TEST_ROWS)] {
        let name = format!("{table}_{name}");
        let mut x = normals(&mut random, rows_count * TABLE_COLUMNS);
        for row in x.chunks_exact_mut(TABLE_COLUMNS) {
            for value in &mut row[COARSE_FROM..] {
                *value = (*value * 2.0).round();
            }
        }
        let y: Vec<f32> = x
            .chunks_exact(TABLE_COLUMNS)
            .map(|row| {
                let share = f64::from(random.next_u32() >> 1) / f64::from(1_u32 << 31);
                let share = share.clamp(1e-9, 1.0 - 1e-9);
                f32::from(u8::from(score(row) + (share / (1.0 - share)).ln() > 0.0))
            })
            .collect();
        save(folder, &format!("{name}_x.f32"), x.iter().map(|value| value.to_le_bytes()))?;
        save(folder, &format!("{name}_y.f32"), y.iter().map(|value| value.to_le_bytes()))?;
    }
    Ok(())
}

/// The log-odds of a row of the table.
fn score(row: &[f32]) -> f64 {
    let x = |column: usize| f64::from(row[column]);
    let step = if x(5) > 0.3 { 0.5 * x(6) } else { 0.0 };
    1.2 * x(0) - 0.8 * x(1) + (2.0 * x(2)).sin() + x(3) * x(4) + step - 0.3 * x(7).abs()
        + 0.2 * x(30)
        + 0.15 * x(31) * x(8)
}

fn normals(random: &mut impl Rng, count: usize) -> Vec<f32> {
    StandardNormal.sample_iter(random).take(count).collect()
}
