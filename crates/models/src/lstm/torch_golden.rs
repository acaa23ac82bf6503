//! Forward, backward, integrated gradients and steps of Adam against `PyTorch` (`tests/golden/lstm_torch.py`).

use serde::Deserialize;

use super::adam::{Adam, clip_factor};
use super::double::DoubleNetwork;
use super::network::{Layout, Network, Pass, Shape};
use super::product::LANES;
use super::sequences::Group;
use crate::explain::integrated_gradients::along_path;

const SHAPE: Shape = Shape {
    steps: 6,
    inputs: 5,
    symbols: 1,
    embedding: 0,
    layers: 2,
    hidden: 7,
    layer_norm: false,
};
const WINDOWS: usize = 4;

#[derive(Debug, Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
struct Case {
    layer_norm: bool,
    answers: Vec<f64>,
    d_inputs: Vec<f64>,
    gradient: Vec<f64>,
    answer_at_zeros: f64,
    integrated_gradients: Vec<f64>,
    answers_after_40_steps: Vec<f64>,
    weights_after_40_steps: Vec<f64>,
}

/// Numbers in -0.5..0.5 by their place; the first 24 bits of `SplitMix64`, read by position.
pub(super) fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let number = |place: u64| {
        let mut z = seed.wrapping_add((place + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1_u32 << 24) as f32 - 0.5
    };
    (0..count as u64).map(number).collect()
}

/// The windows of the golden file beside each other, all of full length.
fn group() -> Group {
    let x = numbers(2, WINDOWS * SHAPE.steps * SHAPE.inputs);
    let mut group = Group {
        inputs: vec![0.0; SHAPE.steps * SHAPE.inputs * LANES],
        live: vec![0.0; SHAPE.steps * LANES],
        ..Group::default()
    };
    for (window, x) in x.chunks_exact(SHAPE.steps * SHAPE.inputs).enumerate() {
        for (place, x) in x.iter().enumerate() {
            group.inputs[place * LANES + window] = 2.0 * x;
        }
        for live in group.live.chunks_exact_mut(LANES) {
            live[window] = 1.0;
        }
    }
    group
}

#[track_caller]
fn check_close(actual: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len());
    let size = expected.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
    for (place, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let error = (f64::from(*actual) - expected).abs();
        assert!(error <= tolerance * size, "{actual} for {expected} at {place}, of size {size}");
    }
}

#[test]
fn answers_gradients_and_forty_steps_of_adam_are_those_of_pytorch() {
    let text = include_str!("../../tests/golden/lstm_torch.json");
    let golden: Golden = serde_json::from_str(text).unwrap();
    assert_eq!(golden.cases.len(), 2);
    let group = group();
    let y = numbers(3, WINDOWS);
    for case in golden.cases {
        let shape = Shape { layer_norm: case.layer_norm, ..SHAPE };
        let layout = Layout::of(&shape);
        let weights = numbers(1, layout.weights_count());
        let mut network = Network { shape, layout, weights };
        let mut pass = Pass::new(&shape, false);
        let mut adam = Adam::new(network.weights.len(), 0.01, 0.05);
        for step in 0..40 {
            let (mut packed, mut back) = (Vec::new(), Vec::new());
            network.pack_forward(&mut packed);
            network.pack_back(&mut back);
            pass.forward(&network, &packed, &group);
            let mut d_answers = [0.0; LANES];
            for ((d, answer), y) in d_answers.iter_mut().zip(pass.answers).zip(&y) {
                *d = 2.0 * (answer - y) / WINDOWS as f32;
            }
            let mut gradient = vec![0.0; network.weights.len()];
            pass.backward(&network, &back, &group, &d_answers, &mut gradient, true);
            if step == 0 {
                check_close(&pass.answers[..WINDOWS], &case.answers, 1e-6);
                check_close(&gradient, &case.gradient, 2e-6);
                let d_inputs: Vec<f32> = (0..WINDOWS)
                    .flat_map(|window| pass.d_inputs.iter().skip(window).step_by(LANES))
                    .copied()
                    .collect();
                check_close(&d_inputs, &case.d_inputs, 2e-6);
            }
            let factor = clip_factor(&gradient, 0.1).unwrap();
            gradient.iter_mut().for_each(|g| *g *= factor);
            adam.step(&mut network.weights, &gradient);
        }
        check_close(&network.weights, &case.weights_after_40_steps, 1e-3);
        let mut packed = Vec::new();
        network.pack_forward(&mut packed);
        pass.forward(&network, &packed, &group);
        check_close(&pass.answers[..WINDOWS], &case.answers_after_40_steps, 1e-3);
    }
}

#[test]
fn integrated_gradients_are_those_of_pytorch() {
    let text = include_str!("../../tests/golden/lstm_torch.json");
    let golden: Golden = serde_json::from_str(text).unwrap();
    let x: Vec<f32> = numbers(2, WINDOWS * SHAPE.steps * SHAPE.inputs);
    let x: Vec<f32> = x.into_iter().map(|x| 2.0 * x).collect();
    for case in golden.cases {
        let shape = Shape { layer_norm: case.layer_norm, ..SHAPE };
        let layout = Layout::of(&shape);
        let weights = numbers(1, layout.weights_count());
        let network = Network { shape, layout, weights };
        let expected = case.integrated_gradients.chunks_exact(SHAPE.steps * SHAPE.inputs);
        let windows = x.chunks_exact(SHAPE.steps * SHAPE.inputs).zip(expected);
        for ((x, expected), answer) in windows.zip(&case.answers) {
            let rows: Vec<&[f32]> = x.chunks_exact(SHAPE.inputs).collect();
            let path = DoubleNetwork::of(&network, &[], &rows);
            let (from, to) = (path.answer(0.0), path.answer(1.0));
            assert!((from - case.answer_at_zeros).abs() < 1e-9, "{from}");
            assert!((to - answer).abs() < 1e-9, "{to} for {answer}");
            let gradient = |share| path.gate_gradient(share);
            let along = along_path(&path.of_inputs, to - from, 1e-12, gradient);
            let added = path.by_inputs(&along.mean);
            for ((d, x), expected) in added.iter().zip(x).zip(expected) {
                let added = d * f64::from(*x);
                assert!((added - expected).abs() < 1e-9, "{added} for {expected}");
            }
        }
    }
}
