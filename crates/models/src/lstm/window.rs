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
const UNITS_STEP: usize = 16;

/// Gates that lie together for each input; four gates of [`UNITS_STEP`] units fill it.
const BLOCK: usize = GATES * UNITS_STEP;

/// Steps whose inputs are multiplied together, so that weights are loaded once for all of them.
const STEPS_TOGETHER: usize = 4;

/// The weights of all layers in blocks of gates; within a block one input after the other.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WindowWeights {
    layers: Vec<WindowLayer>,
}

#[derive(Clone, Debug, PartialEq)]
struct WindowLayer {
    input: Vec<f32>,
    /// For the outputs of the step before.
    recurrent: Vec<f32>,
    bias: Vec<f32>,
}

fn units(shape: &Shape) -> usize {
    shape.hidden.next_multiple_of(UNITS_STEP)
}

impl WindowWeights {
    pub(super) fn of(network: &Network) -> Self {
        let shape = &network.shape;
        let (hidden, units) = (shape.hidden, units(shape));
        // Where the weights of a gate are, with those of `inputs` inputs in a row, and whither they go.
        let blocks = |weights: &[f32], inputs: usize| {
            let mut blocks = vec![0.0; inputs * GATES * units];
            for (row, weights) in weights.chunks_exact(inputs).enumerate() {
                let place = row / hidden * units + row % hidden;
                for (input, weight) in weights.iter().enumerate() {
                    blocks[(place / BLOCK * inputs + input) * BLOCK + place % BLOCK] = *weight;
                }
            }
            blocks
        };
        let layers = (network.layout.layers.iter().enumerate())
            .map(|(layer, ranges)| WindowLayer {
                input: blocks(&network.weights[ranges.input.clone()], shape.width(layer)),
                recurrent: blocks(&network.weights[ranges.recurrent.clone()], hidden),
                bias: blocks(&network.weights[ranges.bias.clone()], 1),
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
        let mut gates = vec![0.0; steps * GATES * units];
        let mut memory = vec![0.0; units];
        let mut memory_before = vec![0.0; units];
        let mut tanh_memory = vec![0.0; units];
        let mut output = vec![0.0; units];
        let live = [1.0; UNITS_STEP];
        for (index, layer) in weights.layers.iter().enumerate() {
            let width = shape.width(index);
            for gates in gates.chunks_exact_mut(GATES * units) {
                gates.copy_from_slice(&layer.bias);
            }
            add_inputs(simd, &layer.input, &below, width, &mut gates);
            let mut above = vec![0.0; steps * hidden];
            memory.fill(0.0);
            output.fill(0.0);
            let of_steps =
                gates.chunks_exact_mut(GATES * units).zip(above.chunks_exact_mut(hidden));
            for (t, (gates, above)) in of_steps.enumerate() {
                std::mem::swap(&mut memory, &mut memory_before);
                add_outputs(simd, &layer.recurrent, &output[..hidden], gates, t % 2 == 1);
                let step = Step {
                    gates,
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

/// Adds the products with the inputs of all steps to their gates.
#[inline(always)]
fn add_inputs<S: Simd>(simd: S, blocks: &[f32], x: &[f32], width: usize, gates: &mut [f32]) {
    let of_step = gates.len() / (x.len() / width);
    let gates = gates.chunks_mut(STEPS_TOGETHER * of_step);
    for (gates, x) in gates.zip(x.chunks(STEPS_TOGETHER * width)) {
        for (b, block) in blocks.chunks_exact(width * BLOCK).enumerate() {
            for first in (0..BLOCK / S::F32_LANES).step_by(2) {
                if x.len() == STEPS_TOGETHER * width {
                    add_to_steps::<S, STEPS_TOGETHER>(simd, block, x, gates, b * BLOCK, first);
                } else {
                    let steps = gates.chunks_exact_mut(of_step).zip(x.chunks_exact(width));
                    for (gates, x) in steps {
                        add_to_steps::<S, 1>(simd, block, x, gates, b * BLOCK, first);
                    }
                }
            }
        }
    }
}

/// Adds to two registers of the gates of `STEPS` steps, which begin at `start` and are `first`
/// registers further.
#[inline(always)]
fn add_to_steps<S: Simd, const STEPS: usize>(
    simd: S,
    block: &[f32],
    x: &[f32],
    gates: &mut [f32],
    start: usize,
    first: usize,
) {
    let (of_step, width) = (gates.len() / STEPS, x.len() / STEPS);
    let x: [&[f32]; STEPS] = std::array::from_fn(|t| &x[t * width..(t + 1) * width]);
    let place = |t: usize| t * of_step + start..t * of_step + start + BLOCK;
    let mut sums: [[S::f32s; 2]; STEPS] = std::array::from_fn(|t| {
        let gates = S::as_simd_f32s(&gates[place(t)]).0;
        [gates[first], gates[first + 1]]
    });
    for (k, weights) in block.as_chunks::<BLOCK>().0.iter().enumerate() {
        let weights = S::as_simd_f32s(weights).0;
        let weights = [weights[first], weights[first + 1]];
        for t in 0..STEPS {
            let x = simd.splat_f32s(x[t][k]);
            for v in 0..2 {
                sums[t][v] = simd.mul_add_e_f32s(weights[v], x, sums[t][v]);
            }
        }
    }
    for (t, sums) in sums.into_iter().enumerate() {
        let gates = S::as_mut_simd_f32s(&mut gates[place(t)]).0;
        gates[first..first + 2].copy_from_slice(&sums);
    }
}

/// Adds the products with the outputs of the step before to the gates of a step.
///
/// Steps run through the blocks to and fro, as the last ones are still in the nearest cache.
#[inline(always)]
fn add_outputs<S: Simd>(
    simd: S,
    blocks: &[f32],
    before: &[f32],
    gates: &mut [f32],
    backwards: bool,
) {
    let blocks_count = gates.len() / BLOCK;
    for index in 0..blocks_count {
        let index = if backwards { blocks_count - 1 - index } else { index };
        let block = &blocks[index * before.len() * BLOCK..][..before.len() * BLOCK];
        let gates = &mut gates[index * BLOCK..][..BLOCK];
        if S::F32_LANES >= 16 {
            add_to_block::<S, 4>(simd, block, before, gates);
        } else {
            add_to_block::<S, 8>(simd, block, before, gates);
        }
    }
}

/// Adds to the gates of a block, `WIDTH` registers at a time.
#[inline(always)]
fn add_to_block<S: Simd, const WIDTH: usize>(
    simd: S,
    block: &[f32],
    before: &[f32],
    gates: &mut [f32],
) {
    for (part, gates) in S::as_mut_simd_f32s(gates).0.chunks_exact_mut(WIDTH).enumerate() {
        let mut sums: [S::f32s; WIDTH] = std::array::from_fn(|v| gates[v]);
        for (x, weights) in before.iter().zip(block.as_chunks::<BLOCK>().0) {
            let x = simd.splat_f32s(*x);
            let weights = &S::as_simd_f32s(weights).0[part * WIDTH..][..WIDTH];
            for v in 0..WIDTH {
                sums[v] = simd.mul_add_e_f32s(weights[v], x, sums[v]);
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
