//! Trains boosted trees on the generated table of the tests and writes them in LightGBM's format as
//! `ours_model.txt`, for `tests/golden/trees_lightgbm.py` to be read by LightGBM.
//!
//! Usage: `boosted_trees ROWS COLUMNS TREES LEAVES MAX_BIN FOLDER`. Seven tenths of the rows are for
//! training, half of the rest for validation.

use std::path::Path;

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
    let (validation, _) = rest.split_at(rest.len() / 2);
    let params = GbdtParams {
        num_iterations: trees.parse()?,
        num_leaves: leaves.parse()?,
        max_bin: max_bin.parse()?,
        ..GbdtParams::default()
    };
    let fitted = Gbdt { params, seed: 1 }.fit_trees(&x, &table.y, train, validation)?;
    std::fs::write(Path::new(folder).join("ours_model.txt"), fitted.to_lightgbm_text())?;
    Ok(())
}
