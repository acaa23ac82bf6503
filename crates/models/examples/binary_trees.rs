//! Trains boosted trees for log loss on a table in `NumPy` files, predicts, prints how long each part
//! took, and writes the model and its predictions, for `scripts/bench_binary_trees.py` to compare
//! with LightGBM.
//!
//! Usage: `binary_trees DATA TREES LEAVES FOLDER`. DATA holds `train_X.npy`, `train_y.npy` and
//! `test_X.npy`, all of 32-bit floats, row after row.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use bist_models::{FeatureMatrix, Gbdt, GbdtParams, Objective};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, trees, leaves, folder] = arguments.as_slice() else {
        return Err("usage: binary_trees DATA TREES LEAVES FOLDER".into());
    };
    let data = Path::new(data);
    let train_x = matrix(&data.join("train_X.npy"))?;
    let train_y = read_npy(&data.join("train_y.npy"))?.1;
    let test_x = matrix(&data.join("test_X.npy"))?;
    let train: Vec<usize> = (0..train_x.rows_count()).collect();
    let test: Vec<usize> = (0..test_x.rows_count()).collect();

    let params = GbdtParams {
        objective: Objective::Binary,
        num_iterations: trees.parse()?,
        num_leaves: leaves.parse()?,
        ..GbdtParams::default()
    };
    let started = Instant::now();
    let fitted = Gbdt { params, seed: 1 }.fit_trees(&train_x, &train_y, &train, &[])?;
    println!("train {:.3} s, {} trees", started.elapsed().as_secs_f64(), fitted.trees_count());
    let started = Instant::now();
    let predicted = fitted.predict_features(&test_x, &test);
    println!("predict {} rows {:.3} s", test.len(), started.elapsed().as_secs_f64());

    let folder = Path::new(folder);
    std::fs::write(folder.join("ours_model.txt"), fitted.to_lightgbm_text())?;
    let lines: Vec<String> = predicted.iter().map(f64::to_string).collect();
    std::fs::write(folder.join("ours_predicted.txt"), lines.join("\n"))?;
    Ok(())
}

/// A table as columns named as LightGBM names them.
fn matrix(path: &Path) -> Result<FeatureMatrix, Box<dyn Error>> {
    let (columns_count, values) = read_npy(path)?;
    let names = (0..columns_count).map(|j| format!("Column_{j}")).collect();
    let columns = (0..columns_count)
        .map(|j| values.iter().skip(j).step_by(columns_count).copied().collect())
        .collect();
    Ok(FeatureMatrix::from_columns(names, columns)?)
}

/// The length of a row, 1 for a vector, and the values of a file in `NumPy`'s format 1.0.
fn read_npy(path: &Path) -> Result<(usize, Vec<f64>), Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let header_end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..header_end])?;
    if !header.contains("'<f4'") || !header.contains("'fortran_order': False") {
        return Err(format!("{}: 32-bit floats row after row are needed", path.display()).into());
    }
    let shape = header.split(['(', ')']).nth(1).ok_or("no shape")?;
    let columns_count = match shape.split(',').nth(1).map(str::trim) {
        None | Some("") => 1,
        Some(count) => count.parse()?,
    };
    let values = bytes[header_end..]
        .chunks_exact(4)
        .map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])))
        .collect();
    Ok((columns_count, values))
}
