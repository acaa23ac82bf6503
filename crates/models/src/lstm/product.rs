//! Products of matrices for groups of sequences that lie beside each other.
//!
//! A group is [`LANES`] sequences; a value of a unit at a step is [`LANES`] numbers in a row, one
//! for each sequence. Weights are then the operand that is broadcast, and they are packed once for
//! all steps, which no general routine does. Every sum runs over the inputs in their order, so a
//! sequence has the same bits in any company, and alone (`window.rs`).

use pulp::{Arch, Simd, WithSimd};

/// Sequences in a group.
pub(super) const LANES: usize = 16;

/// Outputs that are computed together.
const PANEL: usize = 12;

/// A matrix of weights in panels of [`PANEL`] outputs; within a panel one input after the other.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Packed {
    panels: Vec<f32>,
    outputs: usize,
    inputs: usize,
}

impl Packed {
    /// Takes the weights anew, reusing the memory.
    pub(super) fn pack(
        &mut self,
        outputs: usize,
        inputs: usize,
        weight: impl Fn(usize, usize) -> f32,
    ) {
        (self.outputs, self.inputs) = (outputs, inputs);
        self.panels.clear();
        self.panels.resize(outputs.div_ceil(PANEL) * inputs * PANEL, 0.0);
        if inputs == 0 {
            return;
        }
        for (first, panel) in
            (0..outputs).step_by(PANEL).zip(self.panels.chunks_exact_mut(inputs * PANEL))
        {
            let count = PANEL.min(outputs - first);
            for (input, weights) in panel.chunks_exact_mut(PANEL).enumerate() {
                for (output, slot) in weights[..count].iter_mut().enumerate() {
                    *slot = weight(first + output, input);
                }
            }
        }
    }

    /// What `start` gives for each output, plus the product with the inputs `x` followed by those in
    /// `then`, written to `out`.
    pub(super) fn multiply(&self, start: Start<'_>, x: &[f32], then: &[f32], out: &mut [f32]) {
        Arch::new().dispatch(Multiply { packed: self, start, x, then, out });
    }
}

/// [`Packed::multiply`]; chooses its registers itself, so that it is compiled once for each kind.
struct Multiply<'a> {
    packed: &'a Packed,
    start: Start<'a>,
    x: &'a [f32],
    then: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { packed, start, x, then, out } = self;
        debug_assert_eq!(x.len() + then.len(), packed.inputs * LANES);
        debug_assert_eq!(out.len(), packed.outputs * LANES);
        let depth = packed.inputs * PANEL;
        if depth == 0 {
            return;
        }
        for (index, panel) in packed.panels.chunks_exact(depth).enumerate() {
            let first = index * PANEL;
            let count = PANEL.min(packed.outputs - first);
            let out = &mut out[first * LANES..(first + count) * LANES];
            let start = match start {
                Start::Zero => Start::Zero,
                Start::Bias(bias) => Start::Bias(&bias[first..first + count]),
            };
            // As many sums as the registers hold beside what they are made of.
            if S::F32_LANES >= LANES && count == PANEL {
                multiply_rows::<S, 12, 1>(simd, panel, 0, start, x, then, out);
                continue;
            }
            let mut row = 0;
            while row < count {
                row += match count - row {
                    6.. => multiply_rows::<S, 6, 2>(simd, panel, row, start, x, then, out),
                    4.. => multiply_rows::<S, 4, 2>(simd, panel, row, start, x, then, out),
                    _ => multiply_rows::<S, 1, 2>(simd, panel, row, start, x, then, out),
                };
            }
        }
    }
}

/// What a product is added to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start<'a> {
    /// Nothing.
    Zero,
    /// One number for each output.
    Bias(&'a [f32]),
}

/// Outputs `row..row + ROWS` of a panel, `WIDTH` registers of the group at a time; returns `ROWS`.
#[inline(always)]
fn multiply_rows<S: Simd, const ROWS: usize, const WIDTH: usize>(
    simd: S,
    panel: &[f32],
    row: usize,
    start: Start<'_>,
    x: &[f32],
    then: &[f32],
    out: &mut [f32],
) -> usize {
    let begin: [S::f32s; ROWS] = std::array::from_fn(|r| match start {
        Start::Zero => simd.splat_f32s(0.0),
        Start::Bias(bias) => simd.splat_f32s(bias[row + r]),
    });
    let (panel_x, panel_then) = panel.split_at(x.len() / LANES * PANEL);
    let registers = LANES / S::F32_LANES;
    for first in (0..registers).step_by(WIDTH) {
        let width = WIDTH.min(registers - first);
        let mut sums: [[S::f32s; WIDTH]; ROWS] = std::array::from_fn(|r| [begin[r]; WIDTH]);
        add_products(simd, &mut sums, panel_x, row, x, first);
        add_products(simd, &mut sums, panel_then, row, then, first);
        for (r, sums) in sums.into_iter().enumerate() {
            let (out, _) = S::as_mut_simd_f32s(&mut out[(row + r) * LANES..][..LANES]);
            out[first..first + width].copy_from_slice(&sums[..width]);
        }
    }
    ROWS
}

/// Adds the products of the inputs `x` for `WIDTH` registers of the group from `first` on.
#[inline(always)]
fn add_products<S: Simd, const ROWS: usize, const WIDTH: usize>(
    simd: S,
    sums: &mut [[S::f32s; WIDTH]; ROWS],
    panel: &[f32],
    row: usize,
    x: &[f32],
    first: usize,
) {
    let (panel, _) = panel.as_chunks::<PANEL>();
    let (x, _) = x.as_chunks::<LANES>();
    let registers = LANES / S::F32_LANES;
    for (weights, x) in panel.iter().zip(x) {
        let (x, _) = S::as_simd_f32s(x);
        let x: [S::f32s; WIDTH] = std::array::from_fn(|v| x[(first + v) % registers]);
        for r in 0..ROWS {
            let weight = simd.splat_f32s(weights[(row + r) % PANEL]);
            for v in 0..WIDTH {
                sums[r][v] = simd.mul_add_e_f32s(weight, x[v], sums[r][v]);
            }
        }
    }
}

/// Numbers between the steps of a run of values, beyond the values: without them the steps of 64
/// units would be a power of two apart, and all fall into the same few sets of the cache.
pub(super) const STEP_GAP: usize = LANES;

/// Adds to `sums` (a row of inputs for each output) the products of `left` and `right` at every
/// step, summed over the sequences of the group. Steps have a gap behind them.
pub(super) fn add_outer_products(
    left: &[f32],
    outputs: usize,
    right: &[f32],
    inputs: usize,
    sums: &mut [f32],
) {
    Arch::new().dispatch(OuterProducts { left, outputs, right, inputs, sums });
}

/// [`add_outer_products`], compiled as [`Multiply`].
struct OuterProducts<'a> {
    left: &'a [f32],
    outputs: usize,
    right: &'a [f32],
    inputs: usize,
    sums: &'a mut [f32],
}

impl WithSimd for OuterProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { left, outputs, right, inputs, sums } = self;
        let rows_max = if S::F32_LANES >= LANES { 4 } else { 3 };
        let mut i = 0;
        while i < outputs {
            let rows = if i + rows_max <= outputs { rows_max } else { 1 };
            let mut j = 0;
            while j < inputs {
                let columns = if j + 4 <= inputs { 4 } else { 1 };
                let place = Place { left, outputs, right, inputs, i, j };
                match (rows, columns) {
                    (4, 4) => place.add::<S, 4, 4>(simd, sums),
                    (4, _) => place.add::<S, 4, 1>(simd, sums),
                    (3, 4) => place.add::<S, 3, 4>(simd, sums),
                    (3, _) => place.add::<S, 3, 1>(simd, sums),
                    (_, 4) => place.add::<S, 1, 4>(simd, sums),
                    _ => place.add::<S, 1, 1>(simd, sums),
                }
                j += columns;
            }
            i += rows;
        }
    }
}

/// A block of the sums of [`add_outer_products`].
struct Place<'a> {
    left: &'a [f32],
    outputs: usize,
    right: &'a [f32],
    inputs: usize,
    i: usize,
    j: usize,
}

impl Place<'_> {
    #[inline(always)]
    fn add<S: Simd, const I: usize, const J: usize>(&self, simd: S, sums: &mut [f32]) {
        let mut block = [[simd.splat_f32s(0.0); J]; I];
        let steps = (self.left.chunks_exact(self.outputs * LANES + STEP_GAP))
            .zip(self.right.chunks_exact(self.inputs * LANES + STEP_GAP));
        for (left, right) in steps {
            let (left, _) = left[self.i * LANES..][..I * LANES].as_chunks::<LANES>();
            let (right, _) = right[self.j * LANES..][..J * LANES].as_chunks::<LANES>();
            for v in 0..LANES / S::F32_LANES {
                let left: [S::f32s; I] = std::array::from_fn(|i| S::as_simd_f32s(&left[i]).0[v]);
                for j in 0..J {
                    let right = S::as_simd_f32s(&right[j]).0[v];
                    for i in 0..I {
                        block[i][j] = simd.mul_add_e_f32s(left[i], right, block[i][j]);
                    }
                }
            }
        }
        for (i, block) in block.into_iter().enumerate() {
            for (j, sum) in block.into_iter().enumerate() {
                sums[(self.i + i) * self.inputs + self.j + j] += simd.reduce_sum_f32s(sum);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::{Scalar, Scalar512b};

    use super::*;

    /// Small whole numbers, whose sums are exact in any order.
    fn numbers(count: usize, seed: u8) -> Vec<f32> {
        (0..count).map(|k| ((k * 37 + usize::from(seed)) % 13) as f32 - 6.0).collect()
    }

    #[test]
    fn a_product_is_the_sum_over_its_inputs_for_any_size() {
        for (outputs, first, second) in [(1, 1, 0), (8, 3, 2), (13, 5, 7), (32, 0, 8), (22, 20, 1)]
        {
            let inputs = first + second;
            let weights = numbers(outputs * inputs, 1);
            let (bias, x) = (numbers(outputs, 2), numbers(inputs * LANES, 3));
            let mut packed = Packed::default();
            packed.pack(outputs, inputs, |o, i| weights[o * inputs + i]);
            let mut expected = Vec::new();
            for o in 0..outputs {
                for lane in 0..LANES {
                    let terms = (0..inputs).map(|i| weights[o * inputs + i] * x[i * LANES + lane]);
                    expected.push(bias[o] + terms.sum::<f32>());
                }
            }
            let (x, then) = x.split_at(first * LANES);
            let with = |multiply: &dyn Fn(Multiply<'_>)| {
                let mut out = vec![f32::NAN; outputs * LANES];
                let (packed, start) = (&packed, Start::Bias(&bias));
                multiply(Multiply { packed, start, x, then, out: &mut out });
                out
            };
            assert_eq!(with(&|product| Arch::new().dispatch(product)), expected);
            assert_eq!(with(&|product| product.with_simd(Scalar)), expected);
            assert_eq!(with(&|product| product.with_simd(Scalar512b)), expected);
        }
    }

    #[test]
    fn outer_products_are_summed_over_steps_and_sequences_for_any_size() {
        for (outputs, inputs) in [(1, 1), (4, 4), (7, 5), (12, 9), (6, 3)] {
            let steps = 3;
            let (left_step, right_step) = (outputs * LANES + STEP_GAP, inputs * LANES + STEP_GAP);
            let left = numbers(steps * left_step, 4);
            let right = numbers(steps * right_step, 5);
            let mut expected = Vec::new();
            for i in 0..outputs {
                for j in 0..inputs {
                    let mut sum = 1.0;
                    for t in 0..steps {
                        for lane in 0..LANES {
                            sum += left[t * left_step + i * LANES + lane]
                                * right[t * right_step + j * LANES + lane];
                        }
                    }
                    expected.push(sum);
                }
            }
            let with = |add: &dyn Fn(OuterProducts<'_>)| {
                let mut sums = vec![1.0; outputs * inputs];
                let (left, right) = (&left, &right);
                add(OuterProducts { left, outputs, right, inputs, sums: &mut sums });
                sums
            };
            assert_eq!(with(&|products| Arch::new().dispatch(products)), expected);
            assert_eq!(with(&|products| products.with_simd(Scalar)), expected);
            assert_eq!(with(&|products| products.with_simd(Scalar512b)), expected);
        }
    }
}
