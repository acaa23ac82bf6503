//! Weights as safetensors, under the names and in the shapes of `PyTorch`.
//!
//! `PyTorch` has a second bias of the gates, `bias_hh`, which is only ever added to the first: here
//! it is not written, and is zero.

use std::borrow::Cow;

use safetensors::{Dtype, SafeTensorError, SafeTensors, View};

use super::cell::GATES;
use super::network::{Layout, Network, Shape};

/// Why bytes are not the weights of a network of this shape.
#[derive(Debug, thiserror::Error)]
pub(super) enum WeightsError {
    /// Not safetensors, or a tensor is absent.
    #[error("the weights cannot be read as safetensors: {0}")]
    Format(#[from] SafeTensorError),
    /// A tensor has another shape or type.
    #[error("tensor '{name}' is {dtype} {actual:?}, and must be F32 {expected:?}")]
    Tensor { name: String, dtype: Dtype, actual: Vec<usize>, expected: Vec<usize> },
    /// More tensors than the network has.
    #[error("{actual} tensors, and the network has {expected}")]
    Count { actual: usize, expected: usize },
    /// A weight is NaN or infinite.
    #[error("tensor '{name}' has a weight that is {value}")]
    NotFinite { name: String, value: f32 },
}

/// Name, shape, and place of the first weight of each tensor.
fn tensors(shape: &Shape, layout: &Layout) -> Vec<(String, Vec<usize>, usize)> {
    let rows = GATES * shape.hidden;
    let mut tensors = Vec::new();
    if shape.embedding > 0 {
        let of_symbols = vec![shape.symbols, shape.embedding];
        tensors.push(("embedding.weight".to_owned(), of_symbols, layout.embedding.start));
    }
    for (k, layer) in layout.layers.iter().enumerate() {
        let of_input = vec![rows, shape.width(k)];
        tensors.push((format!("lstm.weight_ih_l{k}"), of_input, layer.input.start));
        let of_recurrent = vec![rows, shape.hidden];
        tensors.push((format!("lstm.weight_hh_l{k}"), of_recurrent, layer.recurrent.start));
        tensors.push((format!("lstm.bias_ih_l{k}"), vec![rows], layer.bias.start));
        if let Some((factor, summand)) = &layer.norm {
            tensors.push((format!("norm.{k}.weight"), vec![shape.hidden], factor.start));
            tensors.push((format!("norm.{k}.bias"), vec![shape.hidden], summand.start));
        }
    }
    tensors.push(("head.weight".to_owned(), vec![1, shape.hidden], layout.head.start));
    tensors.push(("head.bias".to_owned(), vec![1], layout.head_bias));
    tensors
}

/// A part of the weights on its way out.
struct Tensor<'a> {
    shape: Vec<usize>,
    weights: &'a [f32],
}

impl View for Tensor<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.weights.iter().flat_map(|weight| weight.to_le_bytes()).collect()
    }

    fn data_len(&self) -> usize {
        size_of_val(self.weights)
    }
}

/// Writes the weights.
pub(super) fn to_safetensors(network: &Network) -> Vec<u8> {
    let views = tensors(&network.shape, &network.layout).into_iter().map(|(name, shape, start)| {
        let count: usize = shape.iter().product();
        (name, Tensor { weights: &network.weights[start..start + count], shape })
    });
    safetensors::serialize(views, None).expect("tensors have the sizes that they say")
}

/// Reads the weights of a network of this shape.
pub(super) fn from_safetensors(shape: Shape, bytes: &[u8]) -> Result<Network, WeightsError> {
    let layout = Layout::of(&shape);
    let given = SafeTensors::deserialize(bytes)?;
    let expected = tensors(&shape, &layout);
    if given.len() != expected.len() {
        return Err(WeightsError::Count { actual: given.len(), expected: expected.len() });
    }
    let mut weights = vec![0.0; layout.weights_count()];
    for (name, expected, start) in expected {
        let tensor = given.tensor(&name)?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != expected {
            let (dtype, actual) = (tensor.dtype(), tensor.shape().to_vec());
            return Err(WeightsError::Tensor { name, dtype, actual, expected });
        }
        let (numbers, _) = tensor.data().as_chunks::<4>();
        for (slot, number) in weights[start..].iter_mut().zip(numbers) {
            *slot = f32::from_le_bytes(*number);
            if !slot.is_finite() {
                return Err(WeightsError::NotFinite { name, value: *slot });
            }
        }
    }
    Ok(Network { shape, layout, weights })
}
