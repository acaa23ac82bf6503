//! Which colour of the scale a dot has, and when it is painted.

use super::theme::{SCALE_STEPS, scale_step};

/// Dots are painted in as many turns.
const TURNS: usize = 8;

/// Where each value stands on the scale, whose ends are the 5th and the 95th percentile, as in shap,
/// so that one far value does not leave all others without a difference.
pub(super) fn value_steps(values: &[f64]) -> Vec<usize> {
    let mut known: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    if known.is_empty() {
        return vec![SCALE_STEPS; values.len()];
    }
    let ends = known.len() / 20;
    let last = known.len() - 1;
    let mut nth = |n: usize| *known.select_nth_unstable_by(n, f64::total_cmp).1;
    let (mut low, mut high) = (nth(ends), nth(last - ends));
    if high <= low {
        (low, high) = (nth(0), nth(last));
    }
    let share = |value: f64| {
        if !value.is_finite() {
            f64::NAN
        } else if high > low {
            (value - low) / (high - low)
        } else {
            0.5
        }
    };
    values.iter().map(|&value| scale_step(share(value))).collect()
}

/// The order in which dots of these steps are painted: in turns, each from low to high, so that
/// neither hides the other and neighbours still share a colour.
pub(super) fn in_turns(steps: &[usize]) -> impl Iterator<Item = usize> {
    let turn = |(i, step): (usize, &usize)| (i % TURNS, *step, i);
    let mut order: Vec<(usize, usize, usize)> = steps.iter().enumerate().map(turn).collect();
    order.sort_unstable();
    order.into_iter().map(|(.., i)| i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_value_leaves_the_others_their_colours() {
        let mut values: Vec<f64> = (0..100).map(f64::from).collect();
        values[99] = 1e9;
        let steps = value_steps(&values);
        assert_eq!((steps[0], steps[99]), (0, SCALE_STEPS - 1));
        assert!((9..=14).contains(&steps[50]), "{}", steps[50]);
    }

    #[test]
    fn values_that_are_mostly_one_still_show_the_others() {
        let mut values = vec![0.0; 100];
        values[3] = 1.0;
        let steps = value_steps(&values);
        assert_eq!((steps[0], steps[3]), (0, SCALE_STEPS - 1));
    }

    #[test]
    fn what_is_missing_is_grey() {
        assert_eq!(value_steps(&[f64::NAN, 1.0, 1.0]), [SCALE_STEPS, 12, 12]);
        assert_eq!(value_steps(&[f64::NAN]), [SCALE_STEPS]);
    }

    #[test]
    fn every_dot_is_painted_once() {
        let steps: Vec<usize> = (0..100).map(|i| i * 7 % 24).collect();
        let mut order: Vec<usize> = in_turns(&steps).collect();
        assert!(order[..12].is_sorted_by_key(|&i| steps[i]));
        order.sort_unstable();
        assert!(order.into_iter().eq(0..100));
    }
}
