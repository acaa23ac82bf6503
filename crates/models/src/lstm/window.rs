//! One sequence alone, as when a new bar of one symbol arrives.
//!
//! With nothing beside it the units fill the registers, so weights are kept the other way round
//! than for groups. Every sum has the order it has there: a sequence has the same bits alone and
//! in a group, which a test demands.

use pulp::{Arch, Simd, WithSimd};

use super::cell::{self, GATES, Step};
use super::layer::normalise;
use super::network::{Network, Shape, head_answers};

/// Units are filled up with zeros to a multiple of this, a multiple of every register.
const UNITS_STEP: usize = 32;

/// Registers that are summed at the same time.
const REGISTERS: usize = 8;

/// The weights of all layers, one row of all gates for each input.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WindowWeights {
    layers: Vec<WindowLayer>,
}

#[derive(Clone, Debug, PartialEq)]
struct WindowLayer {
    /// Rows of `4 * units` for the inputs and then the outputs of the step before.
    rows: Vec<f32>,
    bias: Vec<f32>,
}

fn units(shape: &Shape) -> usize {
    shape.hidden.next_multiple_of(UNITS_STEP)
}

impl WindowWeights {
    pub(super) fn of(network: &Network) -> Self {
        let shape = &network.shape;
        let (hidden, units) = (shape.hidden, units(shape));
        let layers = (network.layout.layers.iter().enumerate())
            .map(|(layer, ranges)| {
                let width = shape.width(layer);
                let mut rows = vec![0.0; (width + hidden) * GATES * units];
                let mut bias = vec![0.0; GATES * units];
                for gate in 0..GATES {
                    for unit in 0..hidden {
                        let (from, to) = (gate * hidden + unit, gate * units + unit);
                        bias[to] = network.weights[ranges.bias.start + from];
                        for column in 0..width {
                            rows[column * GATES * units + to] =
                                network.weights[ranges.input.start + from * width + column];
                        }
                        for column in 0..hidden {
                            rows[(width + column) * GATES * units + to] =
                                network.weights[ranges.recurrent.start + from * hidden + column];
                        }
                    }
                }
                WindowLayer { rows, bias }
            })
            .collect();
        Self { layers }
    }

    /// The answer for the sequence whose steps are the rows of `inputs`, embeddings included, the
    /// earliest first; there may be fewer steps than in training.
    pub(super) fn answer(&self, network: &Network, inputs: Vec<f32>) -> f32 {
        Arch::new().dispatch(Answer { weights: self, network, inputs })
    }
}

struct Answer<'a> {
    weights: &'a WindowWeights,
    network: &'a Network,
    inputs: Vec<f32>,
}

impl WithSimd for Answer<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let Self { weights, network, inputs: mut below } = self;
        let shape = &network.shape;
        let (hidden, units) = (shape.hidden, units(shape));
        let steps = below.len() / shape.width(0);
        let mut gates = vec![0.0; GATES * units];
        let mut memory = vec![0.0; units];
        let mut memory_before = vec![0.0; units];
        let mut tanh_memory = vec![0.0; units];
        let mut output = vec![0.0; units];
        let live = [1.0; UNITS_STEP];
        for (index, layer) in weights.layers.iter().enumerate() {
            let width = shape.width(index);
            let mut above = vec![0.0; steps * hidden];
            memory.fill(0.0);
            output.fill(0.0);
            for (x, above) in below.chunks_exact(width).zip(above.chunks_exact_mut(hidden)) {
                std::mem::swap(&mut memory, &mut memory_before);
                add_rows(simd, layer, x, &output[..hidden], &mut gates);
                let step = Step {
                    gates: &mut gates,
                    memory_before: &memory_before,
                    memory: &mut memory,
                    tanh_memory: &mut tanh_memory,
                    output: &mut output,
                };
                cell::forward(simd, step, &live);
                match network.layer(index).norm {
                    Some((factor, summand)) => {
                        normalise_alone(simd, &output[..hidden], above, factor, summand);
                    }
                    None => above.copy_from_slice(&output[..hidden]),
                }
            }
            below = above;
        }
        let last: Vec<S::f32s> =
            below[below.len() - hidden..].iter().map(|value| simd.splat_f32s(*value)).collect();
        let head = &network.weights[network.layout.head.clone()];
        let mut answer = [simd.splat_f32s(0.0)];
        head_answers(simd, head, network.weights[network.layout.head_bias], &last, &mut answer);
        first::<S>(answer[0])
    }
}

/// Writes the biases plus the rows of all inputs to `gates`.
#[inline(always)]
fn add_rows<S: Simd>(simd: S, layer: &WindowLayer, x: &[f32], before: &[f32], gates: &mut [f32]) {
    let width = gates.len() / S::F32_LANES;
    let rows = S::as_simd_f32s(&layer.rows).0;
    let (rows_x, rows_before) = rows.split_at(x.len() * width);
    let bias = S::as_simd_f32s(&layer.bias).0.chunks_exact(REGISTERS);
    let gates = S::as_mut_simd_f32s(gates).0.chunks_exact_mut(REGISTERS);
    for (block, (gates, bias)) in gates.zip(bias).enumerate() {
        let mut sums: [S::f32s; REGISTERS] = std::array::from_fn(|k| bias[k]);
        for (x, rows) in [(x, rows_x), (before, rows_before)] {
            for (x, row) in x.iter().zip(rows.chunks_exact(width)) {
                let x = simd.splat_f32s(*x);
                let row = &row[block * REGISTERS..][..REGISTERS];
                for (sum, weight) in sums.iter_mut().zip(row) {
                    *sum = simd.mul_add_e_f32s(*weight, x, *sum);
                }
            }
        }
        gates.copy_from_slice(&sums);
    }
}

/// Layer norm of one step of one sequence, through the same code as for groups.
#[inline(always)]
fn normalise_alone<S: Simd>(
    simd: S,
    output: &[f32],
    above: &mut [f32],
    factor: &[f32],
    summand: &[f32],
) {
    let lanes = S::F32_LANES;
    let mut spread: Vec<f32> =
        output.iter().flat_map(|value| std::iter::repeat_n(*value, lanes)).collect();
    let mut normalised = vec![0.0; spread.len()];
    let mut scale = vec![0.0; lanes];
    normalise(simd, &mut spread, &mut normalised, &mut scale, factor, summand);
    for (above, value) in above.iter_mut().zip(spread.chunks_exact(lanes)) {
        *above = value[0];
    }
}

/// The first number of a register.
#[inline(always)]
fn first<S: Simd>(register: S::f32s) -> f32 {
    pulp::bytemuck::cast_slice::<S::f32s, f32>(&[register])[0]
}
