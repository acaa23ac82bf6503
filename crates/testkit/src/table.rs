//! A table of numbers with a known rule behind it, the same in Rust and in
//! `crates/models/tests/golden/table.py`, bit for bit.

/// A table for regression: columns with holes, and a target.
#[derive(Clone, Debug)]
pub struct Table {
    /// `Column_0`, `Column_1`, ... as LightGBM names columns without names.
    pub names: Vec<String>,
    /// Column after column; uniform in -1..1, one value in twenty unknown (NaN).
    pub columns: Vec<Vec<f64>>,
    /// `2 x0 x1 + |x2| + [x3 > 0.3] + x4^2 + noise` of the values before some became unknown; the
    /// noise is half the sum of four uniform numbers less their mean.
    pub y: Vec<f64>,
}

impl Table {
    /// Generates the table; at least five columns.
    pub fn generate(rows_count: usize, columns_count: usize, seed: u64) -> Self {
        let draws_per_row = 2 * columns_count + 4;
        let mut columns = vec![Vec::with_capacity(rows_count); columns_count];
        let mut y = Vec::with_capacity(rows_count);
        for row in 0..rows_count {
            let draw = |k: usize| uniform(seed, (row * draws_per_row + k) as u64);
            let x: Vec<f64> = (0..columns_count).map(|j| 2.0 * draw(j) - 1.0).collect();
            let noise: f64 = (0..4).map(|k| draw(2 * columns_count + k)).sum::<f64>() - 2.0;
            let step = if x[3] > 0.3 { 1.0 } else { 0.0 };
            y.push(2.0 * x[0] * x[1] + x[2].abs() + step + x[4] * x[4] + 0.5 * noise);
            for (j, column) in columns.iter_mut().enumerate() {
                column.push(if draw(columns_count + j) < 0.05 { f64::NAN } else { x[j] });
            }
        }
        let names = (0..columns_count).map(|j| format!("Column_{j}")).collect();
        Self { names, columns, y }
    }
}

/// The `index`-th number of a stream in 0..1.
///
/// Source: Steele, Lea, Flood (2014), "Fast Splittable Pseudorandom Number Generators"
/// (`SplitMix64`), read by position.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
fn uniform(seed: u64, index: u64) -> f64 {
    let mut z = seed.wrapping_add((index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}
