//! Every derivative against central differences of the plain formulas in double precision.

use super::network::{Layout, Network, Pass, Shape};
use super::product::LANES;
use super::sequences::Group;
use super::torch_golden::numbers;

/// The loss in double precision, one sequence and one number at a time: the answer of each sequence
/// times its share.
struct Reference<'a> {
    shape: Shape,
    layout: Layout,
    group: &'a Group,
    /// For each layer, unit and sequence.
    kept: Vec<Vec<f32>>,
    shares: [f32; LANES],
}

impl Reference<'_> {
    fn loss(&self, weights: &[f64], inputs: &[f64]) -> f64 {
        let lanes = (0..LANES).filter(|lane| self.shares[*lane].abs() > 0.0);
        lanes.map(|lane| f64::from(self.shares[lane]) * self.answer(weights, inputs, lane)).sum()
    }

    fn answer(&self, weights: &[f64], inputs: &[f64], lane: usize) -> f64 {
        let Shape { steps, inputs: inputs_count, embedding, hidden, .. } = self.shape;
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let vector: Vec<f64> = (0..embedding)
            .map(|k| {
                let symbol = self.group.symbols[lane].unwrap();
                weights[self.layout.embedding.start + symbol * embedding + k]
            })
            .collect();
        let mut below: Vec<Vec<f64>> = (0..steps)
            .filter(|step| self.group.live[step * LANES + lane] > 0.0)
            .map(|step| {
                let x = (0..inputs_count).map(|j| inputs[(step * inputs_count + j) * LANES + lane]);
                x.chain(vector.iter().copied()).collect()
            })
            .collect();
        for (layer, ranges) in self.layout.layers.iter().enumerate() {
            let (mut c, mut h) = (vec![0.0; hidden], vec![0.0; hidden]);
            let width = self.shape.width(layer);
            for x in &mut below {
                let sums: Vec<f64> = (0..4 * hidden)
                    .map(|row| {
                        let of_x = x.iter().enumerate();
                        let of_h = h.iter().enumerate();
                        weights[ranges.bias.start + row]
                            + of_x
                                .map(|(k, x)| weights[ranges.input.start + row * width + k] * x)
                                .sum::<f64>()
                            + of_h
                                .map(|(k, h)| {
                                    weights[ranges.recurrent.start + row * hidden + k] * h
                                })
                                .sum::<f64>()
                    })
                    .collect();
                for unit in 0..hidden {
                    let gate = |gate: usize| sums[gate * hidden + unit];
                    c[unit] = sigmoid(gate(1)) * c[unit] + sigmoid(gate(0)) * gate(2).tanh();
                    h[unit] = sigmoid(gate(3)) * c[unit].tanh();
                }
                let mut output = h.clone();
                if let Some((factor, summand)) = &ranges.norm {
                    let mean = h.iter().sum::<f64>() / hidden as f64;
                    let variance =
                        h.iter().map(|h| (h - mean).powi(2)).sum::<f64>() / hidden as f64;
                    for (unit, output) in output.iter_mut().enumerate() {
                        *output = (*output - mean) / (variance + 1e-5).sqrt()
                            * weights[factor.start + unit]
                            + weights[summand.start + unit];
                    }
                }
                for (unit, output) in output.iter_mut().enumerate() {
                    *output *= f64::from(self.kept[layer][unit * LANES + lane]);
                }
                *x = output;
            }
        }
        let last = below.last().unwrap().iter().zip(&weights[self.layout.head.clone()]);
        weights[self.layout.head_bias] + last.map(|(x, weight)| x * weight).sum::<f64>()
    }
}

#[test]
fn every_derivative_is_the_central_difference_of_the_loss() {
    for (layer_norm, embedding) in [(false, 0), (false, 3), (true, 3)] {
        let shape =
            Shape { steps: 5, inputs: 3, symbols: 2, embedding, layers: 2, hidden: 6, layer_norm };
        let layout = Layout::of(&shape);
        let weights: Vec<f32> = numbers(11, layout.weights_count());
        let network = Network { shape, layout: layout.clone(), weights };
        // Three sequences of 5, 3 and 1 steps; the last has no part in the loss, and neither have
        // the empty places.
        let mut group = Group {
            inputs: numbers(12, shape.steps * shape.inputs * LANES),
            live: vec![0.0; shape.steps * LANES],
            ..Group::default()
        };
        for (lane, (length, symbol)) in [(5, 0), (3, 1), (1, 1)].into_iter().enumerate() {
            group.symbols[lane] = Some(symbol);
            for step in shape.steps - length..shape.steps {
                group.live[step * LANES + lane] = 1.0;
            }
        }
        let mut shares = [0.0; LANES];
        shares[..2].copy_from_slice(&[0.7, -1.3]);

        let mut pass = Pass::new(&shape, true);
        for (layer, kept) in pass.kept().enumerate() {
            for (place, kept) in kept.iter_mut().enumerate() {
                *kept = if (place + layer) % 3 == 0 { 0.0 } else { 1.5 };
            }
        }
        let kept = pass.kept().map(|kept| kept.to_vec()).collect();
        let (mut packed, mut back) = (Vec::new(), Vec::new());
        network.pack_forward(&mut packed);
        network.pack_back(&mut back);
        pass.forward(&network, &packed, &group);
        let mut gradient = vec![0.0; network.weights.len()];
        pass.backward(&network, &back, &group, &shares, &mut gradient, true);

        let reference = Reference { shape, layout, group: &group, kept, shares };
        let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<f64>>();
        let (weights, inputs) = (wide(&network.weights), wide(&group.inputs));
        for lane in 0..3 {
            let expected = reference.answer(&weights, &inputs, lane);
            assert!((f64::from(pass.answers[lane]) - expected).abs() < 2e-6);
        }
        let difference = |values: &[f64], place: usize, loss: &dyn Fn(&[f64]) -> f64| {
            let at = |shift: f64| {
                let mut moved = values.to_vec();
                moved[place] += shift;
                loss(&moved)
            };
            (at(1e-5) - at(-1e-5)) / 2e-5
        };
        for (place, actual) in gradient.iter().enumerate() {
            let expected = difference(&weights, place, &|weights| reference.loss(weights, &inputs));
            let error = (f64::from(*actual) - expected).abs();
            assert!(error < 3e-6, "{actual} for {expected} by weight {place}");
        }
        let width = shape.width(0);
        for place in 0..inputs.len() {
            let (step, rest) = (place / (shape.inputs * LANES), place % (shape.inputs * LANES));
            if rest % LANES > 2 {
                continue;
            }
            let actual = pass.d_inputs[step * width * LANES + rest];
            let expected = difference(&inputs, place, &|inputs| reference.loss(&weights, inputs));
            let error = (f64::from(actual) - expected).abs();
            assert!(error < 3e-6, "{actual} for {expected} by input {place}");
        }
    }
}
