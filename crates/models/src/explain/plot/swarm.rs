//! Places for the dots of one row, so that as few as possible cover each other.

/// Columns that a dot is wide.
const COLUMNS_PER_DOT: usize = 4;

/// Offsets from the middle of the row, px, one for each x, in their order.
///
/// In the order in which they come, dots go to the first layer, from the middle outwards, that has
/// no dot within `diameter`: no two dots of one layer overlap, and the swarm is as thick as its
/// dots are many. Layers are a diameter apart where all of them fit into `height`, so that no dots
/// overlap at all, and closer where they do not.
pub(super) fn offsets(xs: &[f64], diameter: f64, height: f64) -> Vec<f64> {
    let leftmost = xs.iter().copied().fold(f64::INFINITY, f64::min);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least zero, and within a canvas"
    )]
    let column_of = |x: f64| ((x - leftmost) / diameter * COLUMNS_PER_DOT as f64) as usize;
    let mut columns: Vec<LayerSet> = Vec::new();
    let mut layers_count = 0;
    let mut layer_of = Vec::with_capacity(xs.len());
    for &x in xs {
        let column = column_of(x);
        let last = column + COLUMNS_PER_DOT;
        if columns.len() <= last {
            columns.resize(last + 1, LayerSet::default());
        }
        // Dots that are a column farther away are at least a diameter away.
        let layer = first_free(&columns[column.saturating_sub(COLUMNS_PER_DOT)..=last]);
        columns[column].insert(layer);
        layers_count = layers_count.max(layer + 1);
        layer_of.push(layer);
    }

    let above_middle = (layers_count / 2).max(1) as f64;
    let gap = diameter.min((height - diameter).max(0.0) / 2.0 / above_middle);
    let offset = |layer: usize| {
        let steps = layer.div_ceil(2) as f64 * gap;
        if layer.is_multiple_of(2) { steps } else { -steps }
    };
    layer_of.into_iter().map(offset).collect()
}

/// Layers of a column that have a dot, one bit each.
#[derive(Clone, Debug, Default)]
struct LayerSet(Vec<u64>);

impl LayerSet {
    fn insert(&mut self, layer: usize) {
        let word = layer / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (layer % 64);
    }
}

/// The lowest layer that none of the columns has.
fn first_free(columns: &[LayerSet]) -> usize {
    let word_of = |word: usize| {
        columns.iter().fold(0, |all, column| all | column.0.get(word).copied().unwrap_or(0))
    };
    let mut word = 0;
    loop {
        let taken = word_of(word);
        if taken != u64::MAX {
            return word * 64 + taken.trailing_ones() as usize;
        }
        word += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places on a line that crowd in its middle, from a fixed sequence.
    fn crowd(count: u32, width: f64) -> Vec<f64> {
        let place = |i: u32| {
            let share = f64::from(i.wrapping_mul(2_654_435_761) >> 8) / f64::from(1_u32 << 24);
            (share - 0.5).powi(3) * 4.0 * width
        };
        (1..=count).map(place).collect()
    }

    fn overlaps(xs: &[f64], ys: &[f64], distance: f64) -> usize {
        let dots: Vec<(f64, f64)> = xs.iter().copied().zip(ys.iter().copied()).collect();
        let close = |a: &(f64, f64), b: &(f64, f64)| (a.0 - b.0).hypot(a.1 - b.1) < distance - 1e-9;
        (0..dots.len())
            .map(|i| dots[i + 1..].iter().filter(|other| close(&dots[i], other)).count())
            .sum()
    }

    #[test]
    fn dots_do_not_overlap_where_there_is_room() {
        let xs = crowd(120, 400.0);
        let ys = offsets(&xs, 5.0, 400.0);
        assert_eq!(overlaps(&xs, &ys, 5.0), 0);
        assert!(overlaps(&xs, &vec![0.0; xs.len()], 5.0) > 100);
    }

    #[test]
    fn dots_of_one_layer_never_overlap() {
        let xs = crowd(1000, 400.0);
        let ys = offsets(&xs, 5.0, 34.0);
        assert!(ys.iter().all(|y| y.abs() <= 14.5 + 1e-9));
        let mut dots: Vec<(f64, f64)> = ys.iter().copied().zip(xs.iter().copied()).collect();
        dots.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let neighbours = || dots.windows(2).filter(|p| (p[0].0 - p[1].0).abs() < 1e-9);
        let count = neighbours().count();
        assert!(count > 500, "{count} neighbours are too few to tell");
        assert!(neighbours().all(|p| p[1].1 - p[0].1 >= 5.0));
    }

    #[test]
    fn many_equal_values_stay_within_the_row() {
        let ys = offsets(&[7.0; 3000], 5.0, 30.0);
        let (low, high) = ys.iter().fold((0.0_f64, 0.0_f64), |(l, h), y| (l.min(*y), h.max(*y)));
        assert!((low + 12.5).abs() < 0.02 && (high - 12.5).abs() < 0.02, "{low} to {high}");
    }

    #[test]
    fn a_dot_alone_is_in_the_middle() {
        assert_eq!(offsets(&[3.0], 5.0, 30.0), [0.0]);
        assert!(offsets(&[], 5.0, 30.0).is_empty());
    }
}
