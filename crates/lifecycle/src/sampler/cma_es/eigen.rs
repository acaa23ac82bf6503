//! Eigenvalues of small symmetric matrices.

/// Sweeps after which nothing is left to turn; ten suffice for hundreds of rows.
const SWEEPS_MAX: usize = 50;

/// The eigenvalues of a symmetric matrix of `size` rows, row by row, and their eigenvectors as the
/// columns of a matrix of the same shape.
///
/// Source: Golub and Van Loan, "Matrix Computations", section 8.5: cyclic Jacobi rotations.
pub(super) fn eigen(matrix: &[f64], size: usize) -> (Vec<f64>, Vec<f64>) {
    let mut a = matrix.to_vec();
    let mut vectors = vec![0.0; size * size];
    for row in 0..size {
        vectors[row * size + row] = 1.0;
    }
    for _ in 0..SWEEPS_MAX {
        let at = |row: usize, column: usize| a[row * size + column].powi(2);
        let sum = |of: &dyn Fn(usize, usize) -> bool| -> f64 {
            let all = (0..size).flat_map(|row| (0..size).map(move |column| (row, column)));
            all.filter(|&(row, column)| of(row, column)).map(|(r, c)| at(r, c)).sum()
        };
        if sum(&|row, column| row != column) <= 1e-30 * sum(&|row, column| row == column) {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(&mut a, &mut vectors, size, p, q);
            }
        }
    }
    ((0..size).map(|row| a[row * size + row]).collect(), vectors)
}

/// Turns the plane of `p` and `q` so that `a[p][q]` becomes zero.
fn rotate(a: &mut [f64], vectors: &mut [f64], size: usize, p: usize, q: usize) {
    let across = a[p * size + q];
    if across.abs() < f64::MIN_POSITIVE {
        return;
    }
    let tau = (a[q * size + q] - a[p * size + p]) / (2.0 * across);
    let t = tau.signum() / (tau.abs() + (1.0 + tau * tau).sqrt());
    let c = 1.0 / (1.0 + t * t).sqrt();
    let s = t * c;
    for k in 0..size {
        let (kp, kq) = (a[k * size + p], a[k * size + q]);
        a[k * size + p] = c * kp - s * kq;
        a[k * size + q] = s * kp + c * kq;
    }
    for k in 0..size {
        let (pk, qk) = (a[p * size + k], a[q * size + k]);
        a[p * size + k] = c * pk - s * qk;
        a[q * size + k] = s * pk + c * qk;
        let (vp, vq) = (vectors[k * size + p], vectors[k * size + q]);
        vectors[k * size + p] = c * vp - s * vq;
        vectors[k * size + q] = s * vp + c * vq;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_make_up_the_matrix() {
        let matrix = [4.0, 1.0, -2.0, 1.0, 2.0, 0.0, -2.0, 0.0, 3.0];
        let (values, vectors) = eigen(&matrix, 3);
        let product = |row: usize, column: usize| -> f64 {
            let part = |k: usize| vectors[row * 3 + k] * values[k] * vectors[column * 3 + k];
            (0..3).map(part).sum()
        };
        for row in 0..3 {
            for column in 0..3 {
                let (found, expected) = (product(row, column), matrix[row * 3 + column]);
                assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
                let scalar: f64 =
                    (0..3).map(|k| vectors[k * 3 + row] * vectors[k * 3 + column]).sum();
                assert!((scalar - f64::from(u8::from(row == column))).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_diagonal_is_left_alone() {
        assert_eq!(eigen(&[2.0, 0.0, 0.0, 5.0], 2), (vec![2.0, 5.0], vec![1.0, 0.0, 0.0, 1.0]));
    }
}
