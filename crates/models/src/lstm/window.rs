//! One sequence alone, as when a new bar of one symbol arrives.
//!
//! With nothing beside it the units fill the registers, so weights are kept the other way round
//! than for groups, and the gates of a few units lie together, so that the step of those units is
//! finished while the sums of the next are under way. Every sum has the order it has there: a
//! sequence has the same bits alone and in a group, which a test demands.

use pulp::{Arch, Simd, WithSimd};

use super::aligned::Aligned;
use super::cell::{self, GATES};
use super::layer::normalise;
use super::network::{Network, Shape, head_answers};

/// Units whose gates lie together, filled up with zeros; a multiple of every register.
const UNITS_STEP: usize = 16;

/// Sums that lie together for each input: gate after gate of [`UNITS_STEP`] units.
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
    input: Aligned,
    /// For the outputs of the step before.
    recurrent: Aligned,
    bias: Aligned,
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
            let mut blocks = Aligned::zeros(inputs * GATES * units);
            for (row, weights) in weights.chunks_exact(inputs).enumerate() {
                let (gate, unit) = (row / hidden, row % hidden);
                let place = gate * UNITS_STEP + unit % UNITS_STEP;
                for (input, weight) in weights.iter().enumerate() {
                    blocks[(unit / UNITS_STEP * inputs + input) * BLOCK + place] = *weight;
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
        let mut gates = Aligned::zeros(steps * GATES * units);
        let mut memory = Aligned::zeros(units);
        let mut output = Aligned::zeros(units);
        let mut output_before = Aligned::zeros(units);
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
                std::mem::swap(&mut output, &mut output_before);
                let before = &output_before[..hidden];
                step(simd, &layer.recurrent, before, gates, &mut memory, &mut output, t % 2 == 1);
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

/// Takes all units through a step: from their memory and all outputs `before` to memory and output.
///
/// Steps run through the blocks to and fro, as the last ones are still in the nearest cache.
#[inline(always)]
fn step<S: Simd>(
    simd: S,
    blocks: &[f32],
    before: &[f32],
    gates: &[f32],
    memory: &mut [f32],
    output: &mut [f32],
    backwards: bool,
) {
    let blocks_count = gates.len() / BLOCK;
    for index in 0..blocks_count {
        let index = if backwards { blocks_count - 1 - index } else { index };
        let block = &blocks[index * before.len() * BLOCK..][..before.len() * BLOCK];
        let gates = &gates[index * BLOCK..][..BLOCK];
        let units = index * UNITS_STEP..(index + 1) * UNITS_STEP;
        let (memory, output) = (&mut memory[units.clone()], &mut output[units]);
        match UNITS_STEP / S::F32_LANES {
            1 => step_block::<S, 1>(simd, block, before, gates, memory, output),
            2 => step_block::<S, 2>(simd, block, before, gates, memory, output),
            4 => step_block::<S, 4>(simd, block, before, gates, memory, output),
            _ => step_block::<S, UNITS_STEP>(simd, block, before, gates, memory, output),
        }
    }
}

/// Takes the units of a block through a step; a gate of them fills `WIDTH` registers.
#[inline(always)]
fn step_block<S: Simd, const WIDTH: usize>(
    simd: S,
    block: &[f32],
    before: &[f32],
    gates: &[f32],
    memory: &mut [f32],
    output: &mut [f32],
) {
    let gates = S::as_simd_f32s(gates).0;
    let mut sums: [[S::f32s; WIDTH]; GATES] =
        std::array::from_fn(|gate| std::array::from_fn(|v| gates[gate * WIDTH + v]));
    for (x, weights) in before.iter().zip(block.as_chunks::<BLOCK>().0) {
        let x = simd.splat_f32s(*x);
        let weights = &S::as_simd_f32s(weights).0[..GATES * WIDTH];
        for gate in 0..GATES {
            for v in 0..WIDTH {
                let weights = weights[gate * WIDTH + v];
                sums[gate][v] = simd.mul_add_e_f32s(weights, x, sums[gate][v]);
            }
        }
    }
    let (memory, output) = (S::as_mut_simd_f32s(memory).0, S::as_mut_simd_f32s(output).0);
    for v in 0..WIDTH {
        let gates = cell::activate(simd, std::array::from_fn(|gate| sums[gate][v]));
        (memory[v], _, output[v]) = cell::advance(simd, gates, memory[v]);
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
