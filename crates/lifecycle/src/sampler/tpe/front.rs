//! The best of several objectives: by fronts, and within a front by hypervolume.

use std::collections::BTreeMap;

use crate::study::history::dominates;

/// So many trials are ranked exactly; when there are more, the worst half is forgotten.
const KEPT_MAX: usize = 400;

/// Complete trials of a study with several objectives, so many that the best can be told.
#[derive(Clone, Debug, Default)]
pub(super) struct Front {
    /// Losses by number.
    losses: BTreeMap<u64, Vec<f64>>,
}

impl Front {
    /// Takes one more trial.
    pub(super) fn insert(&mut self, number: u64, losses: Vec<f64>) {
        self.losses.insert(number, losses);
        if self.losses.len() > KEPT_MAX {
            let kept = self.best(KEPT_MAX / 2);
            self.losses.retain(|number, _| kept.contains(number));
        }
    }

    /// The numbers of the `count` best trials: whole fronts, and of the last one a part with a large
    /// hypervolume.
    ///
    /// Source: Ozaki et al. (2022), "Multiobjective Tree-Structured Parzen Estimator", section 4.
    pub(super) fn best(&self, count: usize) -> Vec<u64> {
        let mut rest: Vec<(u64, &[f64])> =
            self.losses.iter().map(|(&number, losses)| (number, losses.as_slice())).collect();
        let mut best = Vec::new();
        while best.len() < count && !rest.is_empty() {
            let is_beaten = |losses: &[f64]| rest.iter().any(|(_, other)| dominates(other, losses));
            let (front, others): (Vec<_>, Vec<_>) =
                rest.iter().partition(|(_, losses)| !is_beaten(losses));
            let room = count - best.len();
            if front.len() <= room {
                best.extend(front.iter().map(|(number, _)| *number));
            } else {
                let losses: Vec<&[f64]> = front.iter().map(|(_, losses)| *losses).collect();
                best.extend(large_subset(&losses, room).into_iter().map(|at| front[at].0));
            }
            rest = others;
        }
        best.sort_unstable();
        best
    }
}

/// The places of `count` of the points that together have a large hypervolume: each next one adds
/// most, which is at least `1 - 1/e` of what is possible.
///
/// Source: Guerreiro, Fonseca and Paquete (2016), "Greedy Hypervolume Subset Selection in Low
/// Dimensions"; the reference point, a tenth beyond the worst of each objective, is Optuna's.
fn large_subset(points: &[&[f64]], count: usize) -> Vec<usize> {
    let objectives_count = points.first().map_or(0, |point| point.len());
    let reference: Vec<f64> = (0..objectives_count)
        .map(|objective| {
            let losses = points.iter().map(|point| point[objective]);
            let worst = losses.fold(f64::NEG_INFINITY, f64::max);
            let beyond = (1.1 * worst).max(0.9 * worst);
            if beyond.abs() < f64::MIN_POSITIVE { 1e-12 } else { beyond }
        })
        .collect();
    if !reference.iter().all(|bound| bound.is_finite()) {
        return (0..count).collect();
    }
    let mut chosen: Vec<usize> = Vec::with_capacity(count);
    let mut rest: Vec<usize> = (0..points.len()).collect();
    // What a point adds only shrinks while others are chosen: the last known is an upper bound.
    let mut bounds: Vec<f64> =
        points.iter().map(|point| hypervolume(&[point.to_vec()], &reference)).collect();
    while chosen.len() < count {
        let mut most: Option<(f64, usize)> = None;
        rest.sort_by(|&a, &b| bounds[b].total_cmp(&bounds[a]).then(a.cmp(&b)));
        for &at in &rest {
            if most.is_some_and(|(added, _)| bounds[at] <= added) {
                break;
            }
            bounds[at] = added_by(points[at], &chosen, points, &reference);
            if most.is_none_or(|(added, _)| bounds[at] > added) {
                most = Some((bounds[at], at));
            }
        }
        let Some((_, at)) = most else { break };
        chosen.push(at);
        rest.retain(|&other| other != at);
    }
    chosen
}

/// The hypervolume of `point` that none of the chosen ones has.
fn added_by(point: &[f64], chosen: &[usize], points: &[&[f64]], reference: &[f64]) -> f64 {
    let shared: Vec<Vec<f64>> = chosen
        .iter()
        .map(|&at| point.iter().zip(points[at]).map(|(a, b)| a.max(*b)).collect())
        .collect();
    hypervolume(&[point.to_vec()], reference) - hypervolume(&shared, reference)
}

/// The volume of all that is dominated by one of `points` and lies before `reference`, by slices
/// along the last objective.
fn hypervolume(points: &[Vec<f64>], reference: &[f64]) -> f64 {
    let Some((&end, before)) = reference.split_last() else { return 1.0 };
    let mut points: Vec<&Vec<f64>> =
        points.iter().filter(|point| point.iter().zip(reference).all(|(a, b)| a < b)).collect();
    points.sort_by(|a, b| a[before.len()].total_cmp(&b[before.len()]));
    let mut volume = 0.0;
    for (rank, point) in points.iter().enumerate() {
        let next = points.get(rank + 1).map_or(end, |next| next[before.len()]);
        let depth = next - point[before.len()];
        if depth > 0.0 {
            let section: Vec<Vec<f64>> =
                points[..=rank].iter().map(|point| point[..before.len()].to_vec()).collect();
            let area = if before.len() == 1 {
                before[0] - section.iter().map(|p| p[0]).fold(f64::INFINITY, f64::min)
            } else {
                hypervolume(&section, before)
            };
            volume += depth * area;
        }
    }
    volume
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hypervolume_is_that_of_the_union_of_boxes() {
        let volume = |points: &[&[f64]], reference: &[f64]| {
            let points: Vec<Vec<f64>> = points.iter().map(|point| point.to_vec()).collect();
            hypervolume(&points, reference)
        };
        let check = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        };
        check(volume(&[&[1.0]], &[3.0]), 2.0);
        check(volume(&[&[0.0, 2.0], &[1.0, 1.0], &[2.0, 0.0]], &[3.0, 3.0]), 6.0);
        check(volume(&[&[0.0, 0.0], &[1.0, 1.0], &[4.0, 0.0]], &[3.0, 3.0]), 9.0);
        check(volume(&[&[0.0, 0.0, 1.0], &[1.0, 1.0, 0.0]], &[2.0, 2.0, 2.0]), 5.0);
    }

    #[test]
    fn whole_fronts_come_first_and_of_the_last_the_spread_ones() {
        let mut front = Front::default();
        let losses =
            [[0.0, 4.0], [4.0, 0.0], [2.0, 2.0], [2.1, 1.95], [5.0, 5.0], [9.0, 9.0], [6.0, 4.5]];
        for (number, losses) in (0..).zip(losses) {
            front.insert(number, losses.to_vec());
        }
        assert_eq!(front.best(4), [0, 1, 2, 3]);
        assert_eq!(front.best(6), [0, 1, 2, 3, 4, 6]);
        // Of the first front the one in the middle has the largest box, its twin adds least.
        assert_eq!(front.best(3), [0, 1, 2]);
        assert_eq!(front.best(0), [0_u64; 0]);
        assert_eq!(front.best(99).len(), 7);
    }
}
