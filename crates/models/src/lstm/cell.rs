//! One step of long short-term memory for a run of values: gates, memory and output.
//!
//! With `i`, `f`, `g`, `o` for input gate, forget gate, candidate and output gate:
//! `c = f c' + i g`, `h = o tanh(c)`, where `c'` is the memory of the step before.
//!
//! Sources: Hochreiter and Schmidhuber (1997), "Long Short-Term Memory"; Gers, Schmidhuber and
//! Cummins (2000), "Learning to Forget". The order of the gates is `PyTorch`'s.

use pulp::Simd;

use super::activation::{sigmoid, tanh};

/// Gates in the order in which their weights and values follow each other.
pub(super) const GATES: usize = 4;

/// Where a step is read from and written to; all runs are equally long, `gates` four times so.
pub(super) struct Step<'a> {
    /// Sums before activation; afterwards the gates `i`, `f`, `g`, `o`.
    pub(super) gates: &'a mut [f32],
    /// Memory of the step before.
    pub(super) memory_before: &'a [f32],
    /// Memory.
    pub(super) memory: &'a mut [f32],
    /// Hyperbolic tangent of the memory.
    pub(super) tanh_memory: &'a mut [f32],
    /// Output.
    pub(super) output: &'a mut [f32],
}

/// Computes a step; where `live` (repeated along the run) is 0 there is no step yet, and gates,
/// memory and output are 0, where it is 1 there is.
#[inline(always)]
pub(super) fn forward<S: Simd>(simd: S, step: Step<'_>, live: &[f32]) {
    let Step { gates, memory_before, memory, tanh_memory, output } = step;
    let run = output.len();
    let (i, rest) = gates.split_at_mut(run);
    let (f, rest) = rest.split_at_mut(run);
    let (g, o) = rest.split_at_mut(run);
    let (i, f, g, o) = (
        S::as_mut_simd_f32s(i).0,
        S::as_mut_simd_f32s(f).0,
        S::as_mut_simd_f32s(g).0,
        S::as_mut_simd_f32s(o).0,
    );
    let before = S::as_simd_f32s(memory_before).0;
    let memory = S::as_mut_simd_f32s(memory).0;
    let tanh_memory = S::as_mut_simd_f32s(tanh_memory).0;
    let output = S::as_mut_simd_f32s(output).0;
    let live = S::as_simd_f32s(live).0.iter().cycle();
    let gates = i.iter_mut().zip(f).zip(g).zip(o);
    let states = before.iter().zip(memory).zip(tanh_memory).zip(output);
    for ((gates, states), live) in gates.zip(states).zip(live) {
        let (((i, f), g), o) = gates;
        let (((before, memory), tanh_memory), output) = states;
        let activated = activate(simd, [*i, *f, *g, *o]).map(|gate| simd.mul_f32s(gate, *live));
        [*i, *f, *g, *o] = activated;
        (*memory, *tanh_memory, *output) = advance(simd, activated, *before);
    }
}

/// The gates `i`, `f`, `g`, `o` from their sums.
#[inline(always)]
pub(super) fn activate<S: Simd>(simd: S, [i, f, g, o]: [S::f32s; GATES]) -> [S::f32s; GATES] {
    [sigmoid(simd, i), sigmoid(simd, f), tanh(simd, g), sigmoid(simd, o)]
}

/// Memory, its hyperbolic tangent and output from the gates and the memory of the step before.
#[inline(always)]
pub(super) fn advance<S: Simd>(
    simd: S,
    [i, f, g, o]: [S::f32s; GATES],
    before: S::f32s,
) -> (S::f32s, S::f32s, S::f32s) {
    let memory = simd.mul_add_e_f32s(f, before, simd.mul_f32s(i, g));
    let tanh_memory = tanh(simd, memory);
    (memory, tanh_memory, simd.mul_f32s(o, tanh_memory))
}

/// Derivatives of the loss at a step; all runs are equally long, `gates` four times so.
pub(super) struct StepBack<'a> {
    /// The gates; afterwards the derivatives by their sums before activation.
    pub(super) gates: &'a mut [f32],
    /// Memory of the step before.
    pub(super) memory_before: &'a [f32],
    /// Hyperbolic tangent of the memory.
    pub(super) tanh_memory: &'a [f32],
    /// Derivatives by the output.
    pub(super) d_output: &'a [f32],
    /// Derivatives by the memory that come from the step after; afterwards those for the step
    /// before.
    pub(super) d_memory: &'a mut [f32],
}

/// Takes the derivatives through a step. Where there was no step all gates are 0, and so is every
/// derivative.
#[inline(always)]
pub(super) fn backward<S: Simd>(simd: S, step: StepBack<'_>) {
    let StepBack { gates, memory_before, tanh_memory, d_output, d_memory } = step;
    let run = d_output.len();
    let (i, rest) = gates.split_at_mut(run);
    let (f, rest) = rest.split_at_mut(run);
    let (g, o) = rest.split_at_mut(run);
    let (i, f, g, o) = (
        S::as_mut_simd_f32s(i).0,
        S::as_mut_simd_f32s(f).0,
        S::as_mut_simd_f32s(g).0,
        S::as_mut_simd_f32s(o).0,
    );
    let before = S::as_simd_f32s(memory_before).0;
    let tanh_memory = S::as_simd_f32s(tanh_memory).0;
    let d_output = S::as_simd_f32s(d_output).0;
    let d_memory = S::as_mut_simd_f32s(d_memory).0;
    let one = simd.splat_f32s(1.0);
    let gates = i.iter_mut().zip(f).zip(g).zip(o);
    let states = before.iter().zip(tanh_memory).zip(d_output).zip(d_memory);
    for (gates, states) in gates.zip(states) {
        let (((i, f), g), o) = gates;
        let (((before, tanh_memory), d_output), d_memory) = states;
        // s (1 - s) of a logistic gate, 1 - t^2 of a tangent.
        let slope = |s: S::f32s| simd.mul_f32s(s, simd.sub_f32s(one, s));
        let tanh_slope = |t: S::f32s| simd.negate_mul_add_e_f32s(t, t, one);
        let d_c =
            simd.mul_add_e_f32s(simd.mul_f32s(*d_output, *o), tanh_slope(*tanh_memory), *d_memory);
        let d_o = simd.mul_f32s(simd.mul_f32s(*d_output, *tanh_memory), slope(*o));
        let d_i = simd.mul_f32s(simd.mul_f32s(d_c, *g), slope(*i));
        let d_g = simd.mul_f32s(simd.mul_f32s(d_c, *i), tanh_slope(*g));
        let d_f = simd.mul_f32s(simd.mul_f32s(d_c, *before), slope(*f));
        *d_memory = simd.mul_f32s(d_c, *f);
        (*i, *f, *g, *o) = (d_i, d_f, d_g, d_o);
    }
}
