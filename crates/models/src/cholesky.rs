//! Symmetric positive definite systems, as least squares leaves them.

/// The factor `L` of `A = L L'`, row after row of its lower triangle.
#[derive(Clone, Debug)]
pub(crate) struct Cholesky {
    lower: Vec<Vec<f64>>,
}

impl Cholesky {
    /// Factors the matrix whose lower triangle is `rows`, row `i` holding `i + 1` numbers; `None`
    /// when it is not positive definite, or a pivot is lost to rounding: below 1e-12 of its
    /// diagonal.
    pub(crate) fn of(mut rows: Vec<Vec<f64>>) -> Option<Self> {
        for i in 0..rows.len() {
            let (done, rest) = rows.split_at_mut(i);
            let row = &mut rest[0];
            for (j, earlier) in done.iter().enumerate() {
                row[j] = (row[j] - dot(&row[..j], &earlier[..j])) / earlier[j];
            }
            let diagonal = row[i];
            let pivot = diagonal - dot(&row[..i], &row[..i]);
            if pivot.is_nan() || pivot <= 1e-12 * diagonal {
                return None;
            }
            row[i] = pivot.sqrt();
        }
        Some(Self { lower: rows })
    }

    /// Replaces `b` by the solution of `L x = b`.
    pub(crate) fn solve_lower(&self, b: &mut [f64]) {
        for (i, row) in self.lower.iter().enumerate() {
            b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
        }
    }

    /// Replaces `b` by the solution of `L' x = b`.
    pub(crate) fn solve_upper(&self, b: &mut [f64]) {
        for (i, row) in self.lower.iter().enumerate().rev() {
            b[i] /= row[i];
            let solved = b[i];
            for (value, factor) in b[..i].iter_mut().zip(row) {
                *value -= factor * solved;
            }
        }
    }

    /// Replaces `b` by the solution of `A x = b`.
    pub(crate) fn solve(&self, b: &mut [f64]) {
        self.solve_lower(b);
        self.solve_upper(b);
    }
}

/// Dot product in eight running sums, so that the compiler may use wide registers; the order of
/// additions is fixed.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for k in 0..8 {
            sums[k] += x[k] * y[k];
        }
    }
    sums.iter().sum::<f64>() + rest
}
