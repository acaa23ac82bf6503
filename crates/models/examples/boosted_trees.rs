//! Trains boosted trees on a generated table, prints how long each part took, and writes the model
//! and its predictions, for `scripts/bench_trees.py` to compare with LightGBM.
//!
//! Usage: `boosted_trees ROWS COLUMNS TREES LEAVES MAX_BIN FOLDER`. Seven tenths of the rows are for
//! training, the rest for validation and test, half each.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::path::Path;
use std::time::Instant;

use bist_models::{FeatureMatrix, Gbdt, GbdtParams};
use bist_testkit::table::Table;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rows, columns, trees, leaves, max_bin, folder] = arguments.as_slice() else {
        return Err("usage: boosted_trees ROWS COLUMNS TREES LEAVES MAX_BIN FOLDER".into());
    };
    let rows_count: usize = rows.parse()?;
    let table = Table::generate(rows_count, columns.parse()?, 1);
    let x = FeatureMatrix::from_columns(table.names, table.columns)?;
    let all: Vec<usize> = (0..rows_count).collect();
    let (train, rest) = all.split_at(rows_count * 7 / 10);
    let (validation, test) = rest.split_at(rest.len() / 2);

    let params = GbdtParams {
        num_iterations: trees.parse()?,
        num_leaves: leaves.parse()?,
        max_bin: max_bin.parse()?,
        ..GbdtParams::default()
    };
    let started = Instant::now();
    let fitted = Gbdt { params, seed: 1 }.fit_trees(&x, &table.y, train, validation)?;
    println!("train {:.3} s, {} trees", started.elapsed().as_secs_f64(), fitted.trees_count());
    let started = Instant::now();
    let predicted = fitted.predict_features(&x, test);
    println!("predict {} rows {:.3} s", test.len(), started.elapsed().as_secs_f64());
    let explained = &test[..test.len().min(200)];
    let started = Instant::now();
    let sums: f64 = explained.iter().map(|&row| fitted.contributions(&x, row).base).sum();
    println!(
        "explain {} rows {:.3} s (base {:.6})",
        explained.len(),
        started.elapsed().as_secs_f64(),
        sums / explained.len() as f64
    );
    let errors = test.iter().zip(&predicted).map(|(&row, p)| (table.y[row] - p).powi(2));
    println!("test rmse {:.6}", (errors.sum::<f64>() / test.len() as f64).sqrt());

    let folder = Path::new(folder);
    std::fs::write(folder.join("ours_model.txt"), fitted.to_lightgbm_text())?;
    let lines: Vec<String> = predicted.iter().map(f64::to_string).collect();
    std::fs::write(folder.join("ours_predicted.txt"), lines.join("\n"))?;
    Ok(())
}
