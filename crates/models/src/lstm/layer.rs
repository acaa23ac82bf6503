//! One layer for a group of sequences: forward through all steps, and back.
//!
//! After the recurrence its output may be normalised over the units of each step (layer norm, Ba,
//! Kiros and Hinton 2016) and thinned by dropout; both leave the recurrence itself alone. Dropout
//! drops the same units at all steps of a sequence (Gal and Ghahramani 2016).

use pulp::Simd;

use super::aligned::Aligned;
use super::cell::{self, GATES, Step, StepBack};
use super::product::{LANES, Packed, STEP_GAP, Start, add_outer_products};

/// Added to the variance in layer norm, as in `PyTorch`.
pub(super) const NORM_EPSILON: f32 = 1e-5;

/// Weights of a layer, or the derivatives of the loss by them.
pub(super) struct LayerWeights<'a> {
    /// Four biases a unit, gate after gate.
    pub(super) bias: &'a [f32],
    /// Factor and summand of each unit's normalised output.
    pub(super) norm: Option<(&'a [f32], &'a [f32])>,
}

/// Derivatives of the loss by the weights of a layer, which are added to.
pub(super) struct LayerGradient<'a> {
    /// By the weights of the inputs, one row for each gate of each unit.
    pub(super) input: &'a mut [f32],
    /// By the weights of the outputs of the step before.
    pub(super) recurrent: &'a mut [f32],
    /// By the biases.
    pub(super) bias: &'a mut [f32],
    /// By factor and summand of layer norm.
    pub(super) norm: Option<(&'a mut [f32], &'a mut [f32])>,
}

/// What a layer remembers of a group between forward and backward.
#[derive(Clone, Debug)]
pub(super) struct LayerPass {
    width: usize,
    hidden: usize,
    /// Steps x four gates; after `backward` the derivatives by their sums before activation.
    gates: Aligned,
    /// One more than steps; the first is the zero before the first step.
    memory: Aligned,
    tanh_memory: Aligned,
    /// One more than steps, as `memory`.
    hidden_output: Aligned,
    /// What the layer above sees, where that is not `hidden_output`.
    output: Option<Aligned>,
    norm: Option<NormPass>,
    /// A number for each unit of each sequence: 0 for a dropped one, else 1 / (1 - dropout).
    pub(super) kept: Option<Aligned>,
    /// Derivatives by the output, set by the layer above.
    pub(super) d_output: Aligned,
    d_hidden: Aligned,
    d_memory: Aligned,
}

#[derive(Clone, Debug)]
struct NormPass {
    /// Output less its mean, over its standard deviation.
    normalised: Aligned,
    /// One over the standard deviation, for each sequence at each step.
    scale: Aligned,
}

impl LayerPass {
    /// Room for a group; `thinned` when there will be dropout.
    pub(super) fn new(
        steps: usize,
        width: usize,
        hidden: usize,
        layer_norm: bool,
        thinned: bool,
    ) -> Self {
        let zeros = |count: usize| Aligned::zeros(count * LANES);
        let of_steps =
            |steps: usize, values: usize| Aligned::zeros(steps * (values * LANES + STEP_GAP));
        Self {
            width,
            hidden,
            gates: of_steps(steps, GATES * hidden),
            memory: zeros((steps + 1) * hidden),
            tanh_memory: zeros(steps * hidden),
            hidden_output: of_steps(steps + 1, hidden),
            output: (layer_norm || thinned).then(|| of_steps(steps, hidden)),
            norm: layer_norm
                .then(|| NormPass { normalised: zeros(steps * hidden), scale: zeros(steps) }),
            kept: thinned.then(|| zeros(hidden)),
            d_output: zeros(steps * hidden),
            d_hidden: zeros(hidden),
            d_memory: zeros(hidden),
        }
    }

    /// The outputs of all steps, with gaps.
    pub(super) fn output(&self) -> &[f32] {
        self.output.as_deref().unwrap_or(&self.hidden_output[self.hidden * LANES + STEP_GAP..])
    }

    /// The outputs of the last step.
    pub(super) fn last_output(&self) -> &[f32] {
        let output = self.output();
        &output[output.len() - STEP_GAP - self.hidden * LANES..output.len() - STEP_GAP]
    }

    /// Runs through all steps of the inputs `x`; `live` says which sequences have begun at each.
    #[inline(always)]
    pub(super) fn forward<S: Simd>(
        &mut self,
        simd: S,
        weights: &LayerWeights<'_>,
        packed: &Packed,
        x: &[f32],
        live: &[f32],
    ) {
        let run = self.hidden * LANES;
        let stride = run + STEP_GAP;
        let width = self.width * LANES;
        let steps = (x.chunks_exact(width + STEP_GAP))
            .zip(self.gates.chunks_exact_mut(GATES * run + STEP_GAP))
            .zip(self.tanh_memory.chunks_exact_mut(run))
            .zip(live.chunks_exact(LANES));
        for (t, (((x, gates), tanh_memory), live)) in steps.enumerate() {
            let (memory_before, memory) = self.memory[t * run..(t + 2) * run].split_at_mut(run);
            let (output_before, output) =
                self.hidden_output[t * stride..(t + 2) * stride].split_at_mut(stride);
            let (output_before, output) = (&output_before[..run], &mut output[..run]);
            let gates = &mut gates[..GATES * run];
            packed.multiply(Start::Bias(weights.bias), &x[..width], output_before, gates);
            let step = Step { gates, memory_before, memory, tanh_memory, output };
            cell::forward(simd, step, live);
        }
        let Some(output) = &mut self.output else { return };
        output.copy_from_slice(&self.hidden_output[stride..]);
        if let (Some((factor, summand)), Some(norm)) = (weights.norm, &mut self.norm) {
            let steps = (output.chunks_exact_mut(stride))
                .zip(norm.normalised.chunks_exact_mut(run))
                .zip(norm.scale.chunks_exact_mut(LANES));
            for ((output, normalised), scale) in steps {
                normalise(simd, &mut output[..run], normalised, scale, factor, summand);
            }
        }
        if let Some(kept) = &self.kept {
            for output in output.chunks_exact_mut(stride) {
                for (output, kept) in output.iter_mut().zip(kept.iter()) {
                    *output *= kept;
                }
            }
        }
    }

    /// Takes `d_output` back through all steps: adds to the `gradient` of the weights, and writes
    /// the derivatives by the inputs to `d_x` where they are wanted.
    #[inline(always)]
    pub(super) fn backward<S: Simd>(
        &mut self,
        simd: S,
        weights: &LayerWeights<'_>,
        packed: &PackedBack,
        x: &[f32],
        gradient: LayerGradient<'_>,
        d_x: Option<&mut [f32]>,
    ) {
        let run = self.hidden * LANES;
        if let Some(kept) = &self.kept {
            for d_output in self.d_output.chunks_exact_mut(run) {
                for (d_output, kept) in d_output.iter_mut().zip(kept.iter()) {
                    *d_output *= kept;
                }
            }
        }
        if let (Some((factor, _)), Some(norm), Some((d_factor, d_summand))) =
            (weights.norm, &self.norm, gradient.norm)
        {
            let steps = (self.d_output.chunks_exact_mut(run))
                .zip(norm.normalised.chunks_exact(run))
                .zip(norm.scale.chunks_exact(LANES));
            for ((d_output, normalised), scale) in steps {
                normalise_back(simd, d_output, normalised, scale, factor, d_factor, d_summand);
            }
        }

        self.d_memory.fill(0.0);
        let gates_stride = GATES * run + STEP_GAP;
        let steps = self.tanh_memory.len() / run;
        for t in (0..steps).rev() {
            let gates = &mut self.gates[t * gates_stride..][..GATES * run];
            let d_output = &mut self.d_output[t * run..(t + 1) * run];
            if t + 1 < steps {
                for (d_output, later) in d_output.iter_mut().zip(self.d_hidden.iter()) {
                    *d_output += later;
                }
            }
            let step = StepBack {
                gates: &mut *gates,
                memory_before: &self.memory[t * run..(t + 1) * run],
                tanh_memory: &self.tanh_memory[t * run..(t + 1) * run],
                d_output,
                d_memory: &mut self.d_memory,
            };
            cell::backward(simd, step);
            if t > 0 {
                packed.recurrent.multiply(Start::Zero, gates, &[], &mut self.d_hidden);
            }
        }

        let rows = GATES * self.hidden;
        add_outer_products(&self.gates, rows, x, self.width, gradient.input);
        let before = &self.hidden_output[..steps * (run + STEP_GAP)];
        add_outer_products(&self.gates, rows, before, self.hidden, gradient.recurrent);
        for gates in self.gates.chunks_exact(gates_stride) {
            for (bias, gates) in gradient.bias.iter_mut().zip(gates.chunks_exact(LANES)) {
                *bias += lane_sum(simd, gates);
            }
        }
        if let Some(d_x) = d_x {
            let steps = (self.gates.chunks_exact(gates_stride))
                .zip(d_x.chunks_exact_mut(self.width * LANES));
            for (gates, d_x) in steps {
                packed.input.multiply(Start::Zero, &gates[..GATES * run], &[], d_x);
            }
        }
    }
}

/// Weights of a layer as the way back reads them.
#[derive(Clone, Debug, Default)]
pub(super) struct PackedBack {
    /// From gates to the outputs of the step before.
    pub(super) recurrent: Packed,
    /// From gates to the inputs.
    pub(super) input: Packed,
}

/// The sum over the sequences of a group.
#[inline(always)]
pub(super) fn lane_sum<S: Simd>(simd: S, lanes: &[f32]) -> f32 {
    let mut sum = simd.splat_f32s(0.0);
    for values in S::as_simd_f32s(lanes).0 {
        sum = simd.add_f32s(sum, *values);
    }
    simd.reduce_sum_f32s(sum)
}

/// The sum over units of what `term` makes of each, for one register of each unit's run of
/// `registers`.
#[inline(always)]
fn unit_sum<S: Simd>(simd: S, units: usize, term: impl Fn(usize, S::f32s) -> S::f32s) -> S::f32s {
    let mut sum = simd.splat_f32s(0.0);
    for unit in 0..units {
        sum = term(unit, sum);
    }
    sum
}

/// Normalises one step over its units, each of which has `scale.len()` sequences.
#[inline(always)]
pub(super) fn normalise<S: Simd>(
    simd: S,
    output: &mut [f32],
    normalised: &mut [f32],
    scale: &mut [f32],
    factor: &[f32],
    summand: &[f32],
) {
    let units = factor.len();
    let output = S::as_mut_simd_f32s(output).0;
    let normalised = S::as_mut_simd_f32s(normalised).0;
    let scale = S::as_mut_simd_f32s(scale).0;
    let registers = scale.len();
    #[expect(clippy::cast_precision_loss, reason = "there are at most 1024 units")]
    let share = simd.splat_f32s(1.0 / units as f32);
    for (v, scale) in scale.iter_mut().enumerate() {
        let at = |unit: usize| unit * registers + v;
        let sum = unit_sum(simd, units, |unit, sum| simd.add_f32s(sum, output[at(unit)]));
        let mean = simd.mul_f32s(sum, share);
        for unit in 0..units {
            normalised[at(unit)] = simd.sub_f32s(output[at(unit)], mean);
        }
        let squares = unit_sum(simd, units, |unit, sum| {
            simd.mul_add_e_f32s(normalised[at(unit)], normalised[at(unit)], sum)
        });
        let variance = simd.mul_add_e_f32s(squares, share, simd.splat_f32s(NORM_EPSILON));
        *scale = simd.div_f32s(simd.splat_f32s(1.0), simd.sqrt_f32s(variance));
        for unit in 0..units {
            normalised[at(unit)] = simd.mul_f32s(normalised[at(unit)], *scale);
            output[at(unit)] = simd.mul_add_e_f32s(
                normalised[at(unit)],
                simd.splat_f32s(factor[unit]),
                simd.splat_f32s(summand[unit]),
            );
        }
    }
}

/// Takes derivatives by the normalised output of one step back to derivatives by the output.
#[inline(always)]
fn normalise_back<S: Simd>(
    simd: S,
    d_output: &mut [f32],
    normalised: &[f32],
    scale: &[f32],
    factor: &[f32],
    d_factor: &mut [f32],
    d_summand: &mut [f32],
) {
    let units = factor.len();
    let runs = d_output.chunks_exact(LANES).zip(normalised.chunks_exact(LANES));
    for ((d, n), (d_factor, d_summand)) in runs.zip(d_factor.iter_mut().zip(d_summand)) {
        let mut product = simd.splat_f32s(0.0);
        for (d, n) in S::as_simd_f32s(d).0.iter().zip(S::as_simd_f32s(n).0) {
            product = simd.mul_add_e_f32s(*d, *n, product);
        }
        *d_factor += simd.reduce_sum_f32s(product);
        *d_summand += lane_sum(simd, d);
    }
    let d_output = S::as_mut_simd_f32s(d_output).0;
    let normalised = S::as_simd_f32s(normalised).0;
    let scale = S::as_simd_f32s(scale).0;
    let registers = scale.len();
    #[expect(clippy::cast_precision_loss, reason = "there are at most 1024 units")]
    let share = simd.splat_f32s(1.0 / units as f32);
    for (v, scale) in scale.iter().enumerate() {
        let at = |unit: usize| unit * registers + v;
        for unit in 0..units {
            d_output[at(unit)] = simd.mul_f32s(d_output[at(unit)], simd.splat_f32s(factor[unit]));
        }
        let sum = unit_sum(simd, units, |unit, sum| simd.add_f32s(sum, d_output[at(unit)]));
        let product = unit_sum(simd, units, |unit, sum| {
            simd.mul_add_e_f32s(d_output[at(unit)], normalised[at(unit)], sum)
        });
        let (mean, slope) = (simd.mul_f32s(sum, share), simd.mul_f32s(product, share));
        for unit in 0..units {
            let centred = simd.sub_f32s(d_output[at(unit)], mean);
            let rest = simd.negate_mul_add_e_f32s(normalised[at(unit)], slope, centred);
            d_output[at(unit)] = simd.mul_f32s(rest, *scale);
        }
    }
}
