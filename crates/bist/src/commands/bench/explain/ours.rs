//! Our side of each task.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use bist_models::{
    FeatureMatrix, FittedGbdt, KernelShapParams, Lime, LimeParams, Neighbourhood, kernel_shap,
};

use super::super::models::data::{TABLE_COLUMNS, all_rows, matrix, read_f32};
use super::super::side_by_side::{Measured, Times};
use super::Task;

/// Rows explained by path-dependent `TreeSHAP`.
const TREE_SHAP_ROWS: usize = 1_000;

/// Rows explained by interventional `TreeSHAP`.
const INTERVENTIONAL_ROWS: usize = 100;

/// The rows that unknown features are taken from.
const BACKGROUND: std::ops::Range<usize> = 1_000..1_100;

/// Rows from which LIME learns how the features spread.
const LIME_ROWS: usize = 20_000;

/// Rows that are predicted again and again to make up as many as `KernelSHAP` asks for.
const FLOOR_ROWS: usize = 40_960;

/// Does `task` on the files of `folder`, once to warm up and then `runs` times.
pub(super) fn measure(task: Task, folder: &Path, runs: u16) -> anyhow::Result<Measured> {
    let path = folder.join("model.txt");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let fitted = FittedGbdt::from_lightgbm_text(&text)?;
    let x = matrix(&read_f32(folder, "0_test_x.f32")?, TABLE_COLUMNS)?;
    let predict = |x: &FeatureMatrix| fitted.predict_features(x, &all_rows(x));
    let rows: Vec<usize> = (0..TREE_SHAP_ROWS).collect();
    let (times, found) = match task {
        Task::TreeShap => {
            let (times, explained) = Times::of(runs, || Ok(fitted.contributions_batch(&x, &rows)))?;
            (times, sizes(explained.iter().map(|explained| explained.values.as_slice())))
        }
        Task::TreeShapRow => {
            let row = x.row(0);
            let (times, explained) = Times::of(runs, || Ok(fitted.row_contributions(&row)))?;
            (times, sizes([explained.values.as_slice()].into_iter()))
        }
        Task::Interventional => {
            let (rows, background) = (&rows[..INTERVENTIONAL_ROWS], BACKGROUND.collect::<Vec<_>>());
            let (times, explained) = Times::of(runs, || {
                Ok(fitted.interventional_contributions(&x, rows, &x, &background)?)
            })?;
            (times, sizes(explained.iter().map(|explained| explained.values.as_slice())))
        }
        Task::LimeQuartiles => lime(&x, predict, Neighbourhood::Quartiles, runs)?,
        Task::LimeNormal => lime(&x, predict, Neighbourhood::Normal, runs)?,
        Task::LimeFloor => {
            let samples = some(&x, 0..LimeParams::default().samples_count)?;
            let (times, answers) = Times::of(runs, || Ok(predict(&samples)))?;
            (times, mean(&answers))
        }
        Task::KernelShap => {
            let background = some(&x, BACKGROUND)?;
            let (row, params) = (x.row(0), KernelShapParams::default());
            let (times, explained) =
                Times::of(runs, || Ok(kernel_shap(predict, &row, &background, params)?))?;
            (times, sizes([explained.contributions.values.as_slice()].into_iter()))
        }
        Task::KernelFloor => {
            let samples = some(&x, 0..FLOOR_ROWS)?;
            let rows_asked_for = KernelShapParams::default().sets_count * BACKGROUND.len();
            let rows: Vec<usize> = (0..rows_asked_for).map(|row| row % FLOOR_ROWS).collect();
            let (times, answers) =
                Times::of(runs, || Ok(fitted.predict_features(&samples, &rows)))?;
            (times, mean(&answers))
        }
    };
    Ok(times.measured(found))
}

fn lime(
    x: &FeatureMatrix,
    predict: impl Fn(&FeatureMatrix) -> Vec<f64>,
    neighbourhood: Neighbourhood,
    runs: u16,
) -> anyhow::Result<(Times, String)> {
    let lime = Lime::new(&some(x, 0..LIME_ROWS)?, neighbourhood)?;
    let row = x.row(0);
    let (times, explained) =
        Times::of(runs, || Ok(lime.explain(&predict, &row, LimeParams::default())?))?;
    let weights: Vec<f64> = explained.features.iter().map(|feature| feature.weight).collect();
    Ok((times, sizes([weights.as_slice()].into_iter())))
}

/// Some rows as a table of their own.
fn some(x: &FeatureMatrix, rows: std::ops::Range<usize>) -> anyhow::Result<FeatureMatrix> {
    let columns = (0..x.columns_count()).map(|j| x.column(j)[rows.clone()].to_vec()).collect();
    Ok(FeatureMatrix::from_columns(x.names().to_vec(), columns)?)
}

/// The mean over the rows of the sizes of their values together.
#[expect(clippy::cast_precision_loss, reason = "there are few rows")]
fn sizes<'a>(rows: impl ExactSizeIterator<Item = &'a [f64]>) -> String {
    let count = rows.len() as f64;
    let sizes: f64 = rows.flatten().map(|value| value.abs()).sum();
    format!("sizes of {:.4} together", sizes / count)
}

#[expect(clippy::cast_precision_loss, reason = "there are few rows")]
fn mean(answers: &[f64]) -> String {
    format!("a mean of {:.5}", answers.iter().sum::<f64>() / answers.len() as f64)
}
