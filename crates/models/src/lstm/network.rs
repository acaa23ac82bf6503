//! The whole network: symbol embedding, layers, and a linear head on the last step.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::aligned::Aligned;
use super::cell::GATES;
use super::layer::{LayerGradient, LayerPass, LayerWeights, PackedBack, lane_sum};
use super::product::{LANES, Packed, STEP_GAP};
use super::sequences::Group;
use super::train::uniform;

/// What the network is made of; decides how many weights there are and what each is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shape {
    /// Steps of a sequence.
    pub(super) steps: usize,
    /// Numbers that a row gives to each step.
    pub(super) inputs: usize,
    /// Symbols with a vector of their own.
    pub(super) symbols: usize,
    /// Length of a symbol's vector, which follows the inputs of each step.
    pub(super) embedding: usize,
    /// Layers, one on the other.
    pub(super) layers: usize,
    /// Units of each layer.
    pub(super) hidden: usize,
    /// Whether the output of each layer is normalised.
    pub(super) layer_norm: bool,
}

impl Shape {
    /// Numbers that a layer reads at each step.
    pub(super) fn width(&self, layer: usize) -> usize {
        if layer == 0 { self.inputs + self.embedding } else { self.hidden }
    }

    /// Whether a network can have this shape.
    pub(super) fn is_sound(&self) -> bool {
        (1..=250).contains(&self.steps)
            && (1..=4).contains(&self.layers)
            && (1..=512).contains(&self.hidden)
            && self.embedding <= 64
            && self.symbols >= 1
    }
}

/// Where the weights of a layer are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LayerRanges {
    pub(super) input: Range<usize>,
    pub(super) recurrent: Range<usize>,
    pub(super) bias: Range<usize>,
    pub(super) norm: Option<(Range<usize>, Range<usize>)>,
}

/// Where the weights are in their row of numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    pub(super) embedding: Range<usize>,
    pub(super) layers: Vec<LayerRanges>,
    pub(super) head: Range<usize>,
    pub(super) head_bias: usize,
}

impl Layout {
    pub(super) fn of(shape: &Shape) -> Self {
        let mut end = 0;
        let mut take = |count: usize| {
            end += count;
            end - count..end
        };
        let embedding = take(shape.symbols * shape.embedding);
        let rows = GATES * shape.hidden;
        let layers = (0..shape.layers)
            .map(|layer| LayerRanges {
                input: take(rows * shape.width(layer)),
                recurrent: take(rows * shape.hidden),
                bias: take(rows),
                norm: shape.layer_norm.then(|| (take(shape.hidden), take(shape.hidden))),
            })
            .collect();
        let head = take(shape.hidden);
        Self { embedding, layers, head_bias: take(1).start, head }
    }

    /// How many weights there are.
    pub(super) fn weights_count(&self) -> usize {
        self.head_bias + 1
    }
}

/// A network: its shape and its weights.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Network {
    pub(super) shape: Shape,
    pub(super) layout: Layout,
    pub(super) weights: Vec<f32>,
}

impl Network {
    /// A network that has learned nothing.
    ///
    /// Weights are uniform within one over the root of the units, as in `PyTorch`, and those of
    /// embeddings within a tenth. Biases are 0, but 1 for the forget gate, so that memory lasts at
    /// first (Jozefowicz, Zaremba and Sutskever 2015).
    #[expect(clippy::cast_precision_loss, reason = "there are at most 1024 units")]
    pub(super) fn draw(shape: Shape, rng: &mut ChaCha8Rng) -> Self {
        let layout = Layout::of(&shape);
        let bound = 1.0 / (shape.hidden as f32).sqrt();
        let mut weights: Vec<f32> =
            (0..layout.weights_count()).map(|_| bound * (2.0 * uniform(rng) - 1.0)).collect();
        for weight in &mut weights[layout.embedding.clone()] {
            *weight *= 0.1 / bound;
        }
        for layer in &layout.layers {
            let bias = &mut weights[layer.bias.clone()];
            bias.fill(0.0);
            bias[shape.hidden..2 * shape.hidden].fill(1.0);
            if let Some((factor, summand)) = &layer.norm {
                weights[factor.clone()].fill(1.0);
                weights[summand.clone()].fill(0.0);
            }
        }
        weights[layout.head_bias] = 0.0;
        Self { shape, layout, weights }
    }

    pub(super) fn layer(&self, layer: usize) -> LayerWeights<'_> {
        let ranges = &self.layout.layers[layer];
        let of = |range: &Range<usize>| &self.weights[range.clone()];
        LayerWeights {
            bias: of(&ranges.bias),
            norm: ranges.norm.as_ref().map(|(factor, summand)| (of(factor), of(summand))),
        }
    }

    /// The vector of a symbol; of one that was not learned, the mean of those that were.
    pub(super) fn embed(&self, symbol: Option<usize>) -> Vec<f32> {
        let Shape { embedding: length, symbols, .. } = self.shape;
        let vectors = &self.weights[self.layout.embedding.clone()];
        match symbol {
            Some(symbol) => vectors[symbol * length..(symbol + 1) * length].to_vec(),
            #[expect(clippy::cast_precision_loss, reason = "there are fewer symbols than rows")]
            None => (0..length)
                .map(|k| {
                    let all = (0..symbols).map(|symbol| vectors[symbol * length + k]);
                    all.sum::<f32>() / symbols as f32
                })
                .collect(),
        }
    }

    /// Writes the weights of each layer as the way forward reads them.
    pub(super) fn pack_forward(&self, packed: &mut Vec<Packed>) {
        let hidden = self.shape.hidden;
        packed.resize_with(self.shape.layers, Packed::default);
        for (layer, (packed, ranges)) in packed.iter_mut().zip(&self.layout.layers).enumerate() {
            let width = self.shape.width(layer);
            let input = &self.weights[ranges.input.clone()];
            let recurrent = &self.weights[ranges.recurrent.clone()];
            packed.pack(GATES * hidden, width + hidden, |row, column| {
                if column < width {
                    input[row * width + column]
                } else {
                    recurrent[row * hidden + column - width]
                }
            });
        }
    }

    /// Writes the weights of each layer as the way back reads them.
    pub(super) fn pack_back(&self, packed: &mut Vec<PackedBack>) {
        let hidden = self.shape.hidden;
        packed.resize_with(self.shape.layers, PackedBack::default);
        for (layer, (packed, ranges)) in packed.iter_mut().zip(&self.layout.layers).enumerate() {
            let width = self.shape.width(layer);
            let input = &self.weights[ranges.input.clone()];
            let recurrent = &self.weights[ranges.recurrent.clone()];
            let gates = GATES * hidden;
            packed.recurrent.pack(hidden, gates, |unit, gate| recurrent[gate * hidden + unit]);
            packed.input.pack(width, gates, |column, gate| input[gate * width + column]);
        }
    }
}

/// What the network remembers of a group between forward and backward.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    /// Inputs of each step, embeddings included, with gaps.
    inputs: Aligned,
    layers: Vec<LayerPass>,
    /// The answer for each sequence.
    pub(super) answers: [f32; LANES],
    /// Derivatives by the inputs of each step, where they were asked for.
    pub(super) d_inputs: Vec<f32>,
}

impl Pass {
    /// Room for a group; `thinned` when there will be dropout.
    pub(super) fn new(shape: &Shape, thinned: bool) -> Self {
        let layer = |layer| {
            LayerPass::new(shape.steps, shape.width(layer), shape.hidden, shape.layer_norm, thinned)
        };
        Self {
            inputs: Aligned::zeros(shape.steps * (shape.width(0) * LANES + STEP_GAP)),
            layers: (0..shape.layers).map(layer).collect(),
            answers: [0.0; LANES],
            d_inputs: Vec::new(),
        }
    }

    /// The numbers by which each layer's units are multiplied, to be drawn before a step of
    /// training.
    pub(super) fn kept(&mut self) -> impl Iterator<Item = &mut Aligned> {
        self.layers.iter_mut().filter_map(|layer| layer.kept.as_mut())
    }

    /// Computes the answers for a group.
    pub(super) fn forward(&mut self, network: &Network, packed: &[Packed], group: &Group) {
        let Shape { inputs, embedding, .. } = network.shape;
        let stride = (inputs + embedding) * LANES + STEP_GAP;
        for (row, values) in
            (self.inputs.chunks_exact_mut(stride)).zip(group.inputs.chunks_exact(inputs * LANES))
        {
            row[..values.len()].copy_from_slice(values);
        }
        if embedding > 0 {
            for (lane, symbol) in group.symbols.iter().enumerate() {
                let vector = network.embed(*symbol);
                for row in self.inputs.chunks_exact_mut(stride) {
                    for (k, value) in vector.iter().enumerate() {
                        row[(inputs + k) * LANES + lane] = *value;
                    }
                }
            }
        }
        Arch::new().dispatch(Forward { pass: self, network, packed, live: &group.live });
    }

    /// Adds to `gradient` the derivatives of the loss by all weights, and writes those by the
    /// inputs if they are wanted.
    ///
    /// `d_answers` are the derivatives of the loss by the answers of the last `forward`.
    pub(super) fn backward(
        &mut self,
        network: &Network,
        packed: &[PackedBack],
        group: &Group,
        d_answers: &[f32; LANES],
        gradient: &mut [f32],
        inputs_wanted: bool,
    ) {
        let Shape { inputs, embedding, .. } = network.shape;
        if embedding > 0 || inputs_wanted {
            let width = network.shape.width(0);
            self.d_inputs.resize(network.shape.steps * width * LANES, 0.0);
        }
        Arch::new().dispatch(Backward { pass: self, network, packed, d_answers, gradient });
        if embedding > 0 {
            let vectors = &mut gradient[network.layout.embedding.clone()];
            for row in self.d_inputs.chunks_exact((inputs + embedding) * LANES) {
                for (lane, symbol) in group.symbols.iter().enumerate() {
                    let Some(symbol) = symbol else { continue };
                    for k in 0..embedding {
                        vectors[symbol * embedding + k] += row[(inputs + k) * LANES + lane];
                    }
                }
            }
        }
    }
}

struct Forward<'a> {
    pass: &'a mut Pass,
    network: &'a Network,
    packed: &'a [Packed],
    live: &'a [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pass, network, packed, live } = self;
        let mut below: &[f32] = &pass.inputs;
        for (index, (layer, packed)) in pass.layers.iter_mut().zip(packed).enumerate() {
            layer.forward(simd, &network.layer(index), packed, below, live);
            below = layer.output();
        }
        let last = pass.layers.last().expect("there is a layer").last_output();
        let head = &network.weights[network.layout.head.clone()];
        let bias = network.weights[network.layout.head_bias];
        let answers = S::as_mut_simd_f32s(&mut pass.answers).0;
        let last = S::as_simd_f32s(last).0;
        head_answers(simd, head, bias, last, answers);
    }
}

/// The linear head on the outputs of the last step.
#[inline(always)]
pub(super) fn head_answers<S: Simd>(
    simd: S,
    head: &[f32],
    bias: f32,
    last: &[S::f32s],
    answers: &mut [S::f32s],
) {
    answers.fill(simd.splat_f32s(bias));
    for (weight, last) in head.iter().zip(last.chunks_exact(answers.len())) {
        for (answer, last) in answers.iter_mut().zip(last) {
            *answer = simd.mul_add_e_f32s(simd.splat_f32s(*weight), *last, *answer);
        }
    }
}

struct Backward<'a> {
    pass: &'a mut Pass,
    network: &'a Network,
    packed: &'a [PackedBack],
    d_answers: &'a [f32; LANES],
    gradient: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pass, network, packed, d_answers, gradient } = self;
        let layout = &network.layout;
        let head = &network.weights[layout.head.clone()];
        let run = network.shape.hidden * LANES;

        let top = pass.layers.last_mut().expect("there is a layer");
        gradient[layout.head_bias] += lane_sum(simd, d_answers);
        top.d_output.fill(0.0);
        let start = top.d_output.len() - run;
        for (unit, weight) in head.iter().enumerate() {
            let place = start + unit * LANES;
            let mut product = [0.0; LANES];
            let last = &top.last_output()[unit * LANES..][..LANES];
            for ((product, last), d) in product.iter_mut().zip(last).zip(d_answers) {
                *product = last * d;
            }
            gradient[layout.head.start + unit] += lane_sum(simd, &product);
            for (slot, d) in top.d_output[place..place + LANES].iter_mut().zip(d_answers) {
                *slot = weight * d;
            }
        }

        for index in (0..network.shape.layers).rev() {
            let (below, above) = pass.layers.split_at_mut(index);
            let layer = &mut above[0];
            let ranges = &layout.layers[index];
            // The ranges follow each other, so each part is cut off behind the one before.
            let (input, rest) = gradient[ranges.input.start..].split_at_mut(ranges.input.len());
            let (recurrent, rest) = rest.split_at_mut(ranges.recurrent.len());
            let (bias, rest) = rest.split_at_mut(ranges.bias.len());
            let norm = ranges.norm.as_ref().map(|(factor, summand)| {
                let (d_factor, rest) = rest.split_at_mut(factor.len());
                (d_factor, &mut rest[..summand.len()])
            });
            let sums = LayerGradient { input, recurrent, bias, norm };
            let weights = network.layer(index);
            let mut d_lower = Aligned::default();
            let (x, d_x) = match below.last_mut() {
                Some(lower) => {
                    d_lower = std::mem::take(&mut lower.d_output);
                    (lower.output(), Some(&mut *d_lower))
                }
                None => {
                    let wanted = !pass.d_inputs.is_empty();
                    let d_inputs = wanted.then_some(pass.d_inputs.as_mut_slice());
                    (&*pass.inputs, d_inputs)
                }
            };
            layer.backward(simd, &weights, &packed[index], x, sums, d_x);
            if let Some(lower) = below.last_mut() {
                lower.d_output = d_lower;
            }
        }
    }
}
