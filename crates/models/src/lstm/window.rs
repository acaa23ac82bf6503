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

/// Units that lie together, filled up with zeros; a multiple of every register.
const BLOCK: usize = 32;

/// Registers of a gate whose sums are computed together. Each sum waits for the one before it, so
/// that those of all gates are just as many as keep the multipliers busy.
const WIDTH: usize = 2;

/// The weights of all layers in panels, each for one gate of a block of units; within a panel one
/// input after the other.
///
/// The panels of a block's gates are read side by side: four runs of memory come out of the second
/// cache faster than one of the same size.
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
    shape.hidden.next_multiple_of(BLOCK)
}

impl WindowWeights {
    pub(super) fn of(network: &Network) -> Self {
        let shape = &network.shape;
        let (hidden, units) = (shape.hidden, units(shape));
        // Of a row of `inputs` weights for each gate of each unit.
        let panels = |weights: &[f32], inputs: usize| {
            let mut panels = Aligned::zeros(inputs * GATES * units);
            for (row, weights) in weights.chunks_exact(inputs).enumerate() {
                let (gate, unit) = (row / hidden, row % hidden);
                let panel = unit / BLOCK * GATES + gate;
                let slots = panels[panel * inputs * BLOCK..].iter_mut();
                let slots = slots.skip(unit % BLOCK).step_by(BLOCK);
                for (slot, weight) in slots.zip(weights) {
                    *slot = *weight;
                }
            }
            panels
        };
        let layers = (network.layout.layers.iter().enumerate())
            .map(|(layer, ranges)| WindowLayer {
                input: panels(&network.weights[ranges.input.clone()], shape.width(layer)),
                recurrent: panels(&network.weights[ranges.recurrent.clone()], hidden),
                bias: panels(&network.weights[ranges.bias.clone()], 1),
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
            read_inputs(simd, layer, &below, shape.width(index), &mut gates);
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

/// Writes to the gates of all steps their biases and the products with the inputs.
#[inline(always)]
fn read_inputs<S: Simd>(simd: S, layer: &WindowLayer, x: &[f32], width: usize, gates: &mut [f32]) {
    let (steps, of_step) = (x.len() / width, layer.bias.len());
    let panels = layer.input.chunks_exact(width * BLOCK).zip(layer.bias.chunks_exact(BLOCK));
    for (index, (weights, bias)) in panels.enumerate() {
        let panel =
            InputPanel { weights: weights.as_chunks().0, bias, start: index * BLOCK, of_step };
        let mut step = 0;
        while step < steps {
            let (x, gates) = (&x[step * width..], &mut gates[step * of_step..]);
            step += match steps - step {
                6.. => panel.multiply::<S, 6>(simd, x, gates),
                2.. => panel.multiply::<S, 2>(simd, x, gates),
                _ => panel.multiply::<S, 1>(simd, x, gates),
            };
        }
    }
}

/// What one gate of a block makes of the inputs.
struct InputPanel<'a> {
    /// For each input.
    weights: &'a [[f32; BLOCK]],
    bias: &'a [f32],
    /// Where it is among the gates of a step.
    start: usize,
    /// How many numbers the gates of a step are.
    of_step: usize,
}

impl InputPanel<'_> {
    /// Writes to the gates of `STEPS` steps the biases and the products with their inputs `x`, so
    /// that weights are loaded once for all of them; returns `STEPS`.
    #[inline(always)]
    fn multiply<S: Simd, const STEPS: usize>(
        &self,
        simd: S,
        x: &[f32],
        gates: &mut [f32],
    ) -> usize {
        let width = self.weights.len();
        let x: [&[f32]; STEPS] = std::array::from_fn(|t| &x[t * width..(t + 1) * width]);
        let bias = S::as_simd_f32s(self.bias).0;
        for first in (0..BLOCK / S::F32_LANES).step_by(WIDTH) {
            let bias: [S::f32s; WIDTH] = std::array::from_fn(|v| bias[first + v]);
            let mut sums = [bias; STEPS];
            for (k, weights) in self.weights.iter().enumerate() {
                let weights = S::as_simd_f32s(weights).0;
                for t in 0..STEPS {
                    let x = simd.splat_f32s(x[t][k]);
                    for v in 0..WIDTH {
                        sums[t][v] = simd.mul_add_e_f32s(weights[first + v], x, sums[t][v]);
                    }
                }
            }
            for (t, sums) in sums.into_iter().enumerate() {
                let gates = &mut gates[t * self.of_step + self.start..][..BLOCK];
                S::as_mut_simd_f32s(gates).0[first..first + WIDTH].copy_from_slice(&sums);
            }
        }
        STEPS
    }
}

/// Takes all units through a step: from their memory and all outputs `before` to memory and output.
///
/// Steps run through the blocks to and fro, as the last ones are still in the nearest cache.
#[inline(always)]
fn step<S: Simd>(
    simd: S,
    recurrent: &[f32],
    before: &[f32],
    gates: &[f32],
    memory: &mut [f32],
    output: &mut [f32],
    backwards: bool,
) {
    let of_block = before.len() * GATES * BLOCK;
    let blocks_count = memory.len() / BLOCK;
    for block in 0..blocks_count {
        let block = if backwards { blocks_count - 1 - block } else { block };
        let recurrent = &recurrent[block * of_block..][..of_block];
        let gates = &gates[block * GATES * BLOCK..][..GATES * BLOCK];
        let units = block * BLOCK..(block + 1) * BLOCK;
        let (memory, output) = (&mut memory[units.clone()], &mut output[units]);
        step_block(simd, recurrent, before, gates, memory, output);
    }
}

/// Takes the units of a block through a step.
#[inline(always)]
fn step_block<S: Simd>(
    simd: S,
    recurrent: &[f32],
    before: &[f32],
    gates: &[f32],
    memory: &mut [f32],
    output: &mut [f32],
) {
    let recurrent = recurrent.as_chunks::<BLOCK>().0;
    let [i, f, g, o]: [&[[f32; BLOCK]]; GATES] =
        std::array::from_fn(|gate| &recurrent[gate * before.len()..][..before.len()]);
    let gates = S::as_simd_f32s(gates).0;
    let (memory, output) = (S::as_mut_simd_f32s(memory).0, S::as_mut_simd_f32s(output).0);
    let registers = BLOCK / S::F32_LANES;
    for first in (0..registers).step_by(WIDTH) {
        let mut sums: [[S::f32s; WIDTH]; GATES] = std::array::from_fn(|gate| {
            std::array::from_fn(|v| gates[gate * registers + first + v])
        });
        for ((((x, i), f), g), o) in before.iter().zip(i).zip(f).zip(g).zip(o) {
            let x = simd.splat_f32s(*x);
            for (sums, weights) in sums.iter_mut().zip([i, f, g, o]) {
                let weights = S::as_simd_f32s(weights).0;
                for v in 0..WIDTH {
                    sums[v] = simd.mul_add_e_f32s(weights[first + v], x, sums[v]);
                }
            }
        }
        for v in 0..WIDTH {
            let gates = cell::activate(simd, sums.map(|sums| sums[v]));
            let (memory, output) = (&mut memory[first + v], &mut output[first + v]);
            (*memory, _, *output) = cell::advance(simd, gates, *memory);
        }
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

#[cfg(test)]
mod tests {
    use pulp::{Scalar, Scalar128b, Scalar256b, Scalar512b};

    use super::super::network::Layout;
    use super::super::torch_golden::numbers;
    use super::*;

    #[test]
    fn answers_do_not_depend_on_how_much_a_register_holds() {
        for (steps, hidden) in [(1, 5), (9, 40), (20, 64)] {
            let (inputs, layers) = (3, 2);
            let shape =
                Shape { steps, inputs, symbols: 1, embedding: 0, layers, hidden, layer_norm: true };
            let layout = Layout::of(&shape);
            let weights = numbers(1, layout.weights_count());
            let network = Network { shape, layout, weights };
            let weights = WindowWeights::of(&network);
            let inputs = numbers(2, steps * inputs);
            let answer = || Answer { weights: &weights, network: &network, inputs: inputs.clone() };
            let expected = answer().with_simd(Scalar);
            let answers = [
                answer().with_simd(Scalar128b),
                answer().with_simd(Scalar256b),
                answer().with_simd(Scalar512b),
                weights.answer(&network, inputs.clone()),
            ];
            // Products and sums may be rounded together or one after the other.
            for actual in answers {
                assert!((actual - expected).abs() < 1e-5, "{actual} for {expected}");
            }
        }
    }
}
