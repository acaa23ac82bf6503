//! The network on one sequence in double precision: its answer and the derivatives of that, for
//! explanations, whose parts must add up closer than single precision can tell.
//!
//! All inputs are multiplied by one share, so that what the inputs add to the gates of the first
//! layer grows in proportion to it: it is computed once, and so is the way back from the gates to
//! the inputs.

use super::cell::GATES;
use super::layer::NORM_EPSILON;
use super::network::Network;

/// A sequence and the network that reads it.
#[derive(Debug)]
pub(super) struct DoubleNetwork<'a> {
    network: &'a Network,
    layers: Vec<DoubleLayer<'a>>,
    head: &'a [f32],
    steps: usize,
    /// What the bias and the symbol's vector add to each gate, at every step.
    fixed: Vec<f64>,
    /// What the inputs add to each gate of the first layer: step after step.
    pub(super) of_inputs: Vec<f64>,
}

/// The weights of a layer, a row for each gate, and the same turned.
#[derive(Debug)]
struct DoubleLayer<'a> {
    width: usize,
    input: &'a [f32],
    recurrent: &'a [f32],
    input_turned: Vec<f32>,
    recurrent_turned: Vec<f32>,
    bias: &'a [f32],
    norm: Option<(&'a [f32], &'a [f32])>,
}

/// What a layer remembers of its way through a sequence: step after step.
#[derive(Debug)]
struct Trace {
    /// Input, forget, candidate and output gates.
    gates: Vec<f64>,
    /// The memory, and its hyperbolic tangent.
    memory: Vec<f64>,
    squashed: Vec<f64>,
    output: Vec<f64>,
    /// The outputs normalised, and one over the standard deviation of each step; empty without norm.
    normalised: Vec<f64>,
    scales: Vec<f64>,
    /// What the layer above reads.
    above: Vec<f64>,
}

impl<'a> DoubleNetwork<'a> {
    /// For a sequence of the symbol with this vector; `rows` are its inputs, the earliest first.
    pub(super) fn of(network: &'a Network, vector: &[f32], rows: &[&[f32]]) -> Self {
        let of = |range: &std::ops::Range<usize>| &network.weights[range.clone()];
        let hidden = network.shape.hidden;
        let layers: Vec<DoubleLayer<'a>> = (network.layout.layers.iter().enumerate())
            .map(|(index, ranges)| {
                let width = network.shape.width(index);
                let (input, recurrent) = (of(&ranges.input), of(&ranges.recurrent));
                DoubleLayer {
                    width,
                    input,
                    recurrent,
                    input_turned: turned(input, width),
                    recurrent_turned: turned(recurrent, hidden),
                    bias: of(&ranges.bias),
                    norm: ranges.norm.as_ref().map(|(factor, summand)| (of(factor), of(summand))),
                }
            })
            .collect();
        let first = &layers[0];
        let gates = GATES * hidden;
        let mut fixed: Vec<f64> = first.bias.iter().copied().map(f64::from).collect();
        let of_vector = &first.input_turned[network.shape.inputs * gates..];
        add_products(of_vector, vector.iter().copied().map(f64::from), &mut fixed);
        let mut of_inputs = vec![0.0; rows.len() * gates];
        for (sums, row) in of_inputs.chunks_exact_mut(gates).zip(rows) {
            add_products(&first.input_turned, row.iter().copied().map(f64::from), sums);
        }
        let head = of(&network.layout.head);
        Self { network, layers, head, steps: rows.len(), fixed, of_inputs }
    }

    /// The answer when all inputs are multiplied by `share`.
    pub(super) fn answer(&self, share: f64) -> f64 {
        let traces = self.forward(share);
        let top = &traces.last().expect("there is a layer").above;
        let last = &top[top.len() - self.network.shape.hidden..];
        let products = self.head.iter().zip(last).map(|(weight, x)| f64::from(*weight) * x);
        f64::from(self.network.weights[self.network.layout.head_bias]) + products.sum::<f64>()
    }

    /// The derivatives of the answer by the sums of the gates of the first layer, when all inputs
    /// are multiplied by `share`: step after step, in the order of `of_inputs`.
    pub(super) fn gate_gradient(&self, share: f64) -> Vec<f64> {
        let hidden = self.network.shape.hidden;
        let traces = self.forward(share);
        let mut d_above = vec![0.0; self.steps * hidden];
        let last = (self.steps - 1) * hidden;
        for (d, weight) in d_above[last..].iter_mut().zip(self.head) {
            *d = f64::from(*weight);
        }
        let mut d_gates = Vec::new();
        for (index, (layer, trace)) in self.layers.iter().zip(&traces).enumerate().rev() {
            d_gates = layer.backward(trace, d_above, hidden);
            d_above = Vec::new();
            if index > 0 {
                d_above = layer.to_inputs(&d_gates, hidden);
            }
        }
        d_gates
    }

    /// What derivatives by the gates of the first layer are by the inputs: step after step, the
    /// symbol's vector after the inputs.
    pub(super) fn by_inputs(&self, d_gates: &[f64]) -> Vec<f64> {
        self.layers[0].to_inputs(d_gates, self.network.shape.hidden)
    }

    fn forward(&self, share: f64) -> Vec<Trace> {
        let hidden = self.network.shape.hidden;
        let gates = GATES * hidden;
        let mut traces: Vec<Trace> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let sums: Vec<f64> = match traces.last() {
                None => (self.of_inputs.chunks_exact(gates))
                    .flat_map(|step| step.iter().zip(&self.fixed))
                    .map(|(of_input, fixed)| fixed + share * of_input)
                    .collect(),
                Some(below) => {
                    let bias = layer.bias.iter().copied().map(f64::from);
                    let mut sums: Vec<f64> = bias.cycle().take(self.steps * gates).collect();
                    for (sums, x) in
                        sums.chunks_exact_mut(gates).zip(below.above.chunks_exact(hidden))
                    {
                        add_products(&layer.input_turned, x.iter().copied(), sums);
                    }
                    sums
                }
            };
            traces.push(layer.forward(sums, hidden));
        }
        traces
    }
}

impl DoubleLayer<'_> {
    /// Takes the layer through the sequence, given all of each gate's sum but the recurrent part.
    fn forward(&self, sums: Vec<f64>, hidden: usize) -> Trace {
        let gates_count = GATES * hidden;
        let steps = sums.len() / gates_count;
        let mut trace = Trace {
            gates: sums,
            memory: vec![0.0; steps * hidden],
            squashed: vec![0.0; steps * hidden],
            output: vec![0.0; steps * hidden],
            normalised: Vec::new(),
            scales: Vec::new(),
            above: Vec::new(),
        };
        for step in 0..steps {
            let at = step * hidden;
            let gates = &mut trace.gates[step * gates_count..(step + 1) * gates_count];
            if step > 0 {
                let before = trace.output[at - hidden..at].iter().copied();
                add_products(&self.recurrent_turned, before, gates);
            }
            for unit in 0..hidden {
                let [i, f, g, o] = std::array::from_fn(|gate| gates[gate * hidden + unit]);
                let (i, f, g, o) = (sigmoid(i), sigmoid(f), g.tanh(), sigmoid(o));
                for (gate, value) in [i, f, g, o].into_iter().enumerate() {
                    gates[gate * hidden + unit] = value;
                }
                let before = if step > 0 { trace.memory[at - hidden + unit] } else { 0.0 };
                let memory = f * before + i * g;
                let squashed = memory.tanh();
                trace.memory[at + unit] = memory;
                trace.squashed[at + unit] = squashed;
                trace.output[at + unit] = o * squashed;
            }
        }
        let Some((factor, summand)) = self.norm else {
            trace.above.clone_from(&trace.output);
            return trace;
        };
        for output in trace.output.chunks_exact(hidden) {
            let scale = 1.0 / (variance(output) + f64::from(NORM_EPSILON)).sqrt();
            let mean = mean(output);
            trace.scales.push(scale);
            for (value, (factor, summand)) in output.iter().zip(factor.iter().zip(summand)) {
                let normalised = (value - mean) * scale;
                trace.normalised.push(normalised);
                trace.above.push(normalised * f64::from(*factor) + f64::from(*summand));
            }
        }
        trace
    }

    /// The derivatives by the sums of the gates, given those by what the layer above reads.
    fn backward(&self, trace: &Trace, d_above: Vec<f64>, hidden: usize) -> Vec<f64> {
        let gates_count = GATES * hidden;
        let mut d_output = self.before_norm(trace, d_above, hidden);
        let mut d_gates = vec![0.0; trace.gates.len()];
        let mut d_memory = vec![0.0; hidden];
        for step in (0..d_output.len() / hidden).rev() {
            let at = step * hidden;
            let gates = &trace.gates[step * gates_count..(step + 1) * gates_count];
            let d_sums = &mut d_gates[step * gates_count..(step + 1) * gates_count];
            for unit in 0..hidden {
                let [i, f, g, o] = std::array::from_fn(|gate| gates[gate * hidden + unit]);
                let (squashed, d_out) = (trace.squashed[at + unit], d_output[at + unit]);
                let d_cell = d_memory[unit] + d_out * o * (1.0 - squashed * squashed);
                let before = if step > 0 { trace.memory[at - hidden + unit] } else { 0.0 };
                let derivatives = [
                    d_cell * g * i * (1.0 - i),
                    d_cell * before * f * (1.0 - f),
                    d_cell * i * (1.0 - g * g),
                    d_out * squashed * o * (1.0 - o),
                ];
                for (gate, derivative) in derivatives.into_iter().enumerate() {
                    d_sums[gate * hidden + unit] = derivative;
                }
                d_memory[unit] = d_cell * f;
            }
            if step > 0 {
                let before = &mut d_output[at - hidden..at];
                add_products(self.recurrent, d_sums.iter().copied(), before);
            }
        }
        d_gates
    }

    /// The derivatives by the outputs before they are normalised.
    fn before_norm(&self, trace: &Trace, d_above: Vec<f64>, hidden: usize) -> Vec<f64> {
        let Some((factor, _)) = self.norm else { return d_above };
        let mut d_output = Vec::with_capacity(d_above.len());
        let steps = d_above.chunks_exact(hidden).zip(trace.normalised.chunks_exact(hidden));
        for ((d_above, normalised), scale) in steps.zip(&trace.scales) {
            let scaled: Vec<f64> =
                d_above.iter().zip(factor).map(|(d, factor)| d * f64::from(*factor)).collect();
            let along: Vec<f64> = scaled.iter().zip(normalised).map(|(d, x)| d * x).collect();
            let (level, along) = (mean(&scaled), mean(&along));
            let of_unit = scaled.iter().zip(normalised);
            d_output.extend(of_unit.map(|(d, x)| scale * (d - level - along * x)));
        }
        d_output
    }

    /// What derivatives by the sums of the gates are by what the layer reads.
    fn to_inputs(&self, d_gates: &[f64], hidden: usize) -> Vec<f64> {
        let steps = d_gates.chunks_exact(GATES * hidden);
        let mut d_inputs = vec![0.0; steps.len() * self.width];
        for (d_inputs, d_sums) in d_inputs.chunks_exact_mut(self.width).zip(steps) {
            add_products(self.input, d_sums.iter().copied(), d_inputs);
        }
        d_inputs
    }
}

/// Adds to `sums` the rows of `weights`, each times its number.
fn add_products(weights: &[f32], numbers: impl Iterator<Item = f64>, sums: &mut [f64]) {
    for (row, number) in weights.chunks_exact(sums.len()).zip(numbers) {
        for (sum, weight) in sums.iter_mut().zip(row) {
            *sum += number * f64::from(*weight);
        }
    }
}

/// The columns of a matrix with rows of `width`, one after the other.
fn turned(rows: &[f32], width: usize) -> Vec<f32> {
    let height = rows.len() / width;
    let mut columns = vec![0.0; rows.len()];
    for (i, row) in rows.chunks_exact(width).enumerate() {
        for (j, weight) in row.iter().enumerate() {
            columns[j * height + i] = *weight;
        }
    }
    columns
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[expect(clippy::cast_precision_loss, reason = "there are at most 512 units")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let centre = mean(values);
    mean(&values.iter().map(|value| (value - centre).powi(2)).collect::<Vec<_>>())
}
