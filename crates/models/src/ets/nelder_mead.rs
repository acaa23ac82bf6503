//! The downhill simplex of Nelder and Mead, for functions of a few numbers.

/// The point with the least value of `f` that the simplex about `start` finds; `edge`
/// is the length of the simplex's edges. Ends when the values at its corners differ by less than
/// `tolerance`, or after `evaluations_max` values.
///
/// Source: Nelder and Mead (1965), "A Simplex Method for Function Minimization", with its
/// coefficients 1, 2 and 1/2.
pub(super) fn minimise<const N: usize>(
    f: impl Fn(&[f64; N]) -> f64,
    start: [f64; N],
    edge: f64,
    tolerance: f64,
    evaluations_max: usize,
) -> [f64; N] {
    #[expect(clippy::cast_precision_loss, reason = "there are a few axes")]
    let corners_count = N as f64;
    let corner = |i: usize| {
        let mut point = start;
        if let Some(value) = i.checked_sub(1).and_then(|axis| point.get_mut(axis)) {
            *value += edge;
        }
        (point, f(&point))
    };
    let mut simplex: Vec<([f64; N], f64)> = (0..=N).map(corner).collect();
    let mut evaluations_count = N + 1;
    loop {
        simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (best, second_worst, worst) = (simplex[0], simplex[N - 1], simplex[N]);
        if worst.1 - best.1 < tolerance || evaluations_count >= evaluations_max {
            return best.0;
        }
        let centre: [f64; N] = std::array::from_fn(|i| {
            simplex[..N].iter().map(|(point, _)| point[i]).sum::<f64>() / corners_count
        });
        let at = |reach: f64| {
            let point = std::array::from_fn(|i| centre[i] + reach * (centre[i] - worst.0[i]));
            (point, f(&point))
        };
        let reflected = at(1.0);
        evaluations_count += 2;
        simplex[N] = if reflected.1 < best.1 {
            let expanded = at(2.0);
            if expanded.1 < reflected.1 { expanded } else { reflected }
        } else if reflected.1 < second_worst.1 {
            reflected
        } else {
            let contracted = if reflected.1 < worst.1 { at(0.5) } else { at(-0.5) };
            if contracted.1 < reflected.1.min(worst.1) {
                contracted
            } else {
                for (point, value) in &mut simplex[1..] {
                    *point = std::array::from_fn(|i| (point[i] + best.0[i]) / 2.0);
                    *value = f(point);
                }
                evaluations_count += N;
                continue;
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bottom_of_a_bent_valley_is_found() {
        let rosenbrock = |[x, y]: &[f64; 2]| (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
        let [x, y] = minimise(rosenbrock, [-1.2, 1.0], 0.5, 1e-14, 1000);
        assert!((x - 1.0).abs() < 1e-5 && (y - 1.0).abs() < 1e-5, "{x} {y}");
        let [x] = minimise(|[x]: &[f64; 1]| (x - 3.0).powi(2), [0.0], 0.5, 1e-14, 1000);
        assert!((x - 3.0).abs() < 1e-6, "{x}");
    }

    #[test]
    fn the_search_ends_where_there_is_no_bottom() {
        let [x] = minimise(|[x]: &[f64; 1]| *x, [0.0], 1.0, 1e-9, 50);
        assert!(x < -1000.0);
    }
}
