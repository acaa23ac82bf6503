//! A fitted model as bytes, and back.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::drift::FittedDrift;
use crate::elastic_net::FittedElasticNet;
use crate::ets::FittedEts;
use crate::forecaster::FittedForecaster;
use crate::gbdt::FittedGbdt;
use crate::lstm::FittedLstm;
use crate::prophet::FittedProphet;
use crate::ridge::FittedRidge;
use crate::seasonal_naive::FittedSeasonalNaive;

/// First word of every artifact; the number rises when the form changes.
const MAGIC: &str = "bist-artifact/1";

/// A fitted model in the form in which it is kept. Equal fits have equal bytes.
///
/// The bytes are one line `bist-artifact/1 sha256=<hex of the rest>` and then JSON; boosted trees
/// are inside it as LightGBM's text, the weights of a network as safetensors in base 64.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "model", rename_all = "snake_case", deny_unknown_fields)]
pub enum Artifact {
    /// Ridge regression.
    Ridge(FittedRidge),
    /// The seasonal naive baseline.
    SeasonalNaive(FittedSeasonalNaive),
    /// The random walk with drift.
    Drift(FittedDrift),
    /// The elastic net.
    ElasticNet(FittedElasticNet),
    /// Exponential smoothing of the closes.
    Ets(FittedEts),
    /// Gradient-boosted trees.
    Gbdt(FittedGbdt),
    /// Prophet models of the closes.
    Prophet(FittedProphet),
    /// Long short-term memory.
    Lstm(FittedLstm),
}

/// Why bytes are not a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// The first line is not ours.
    #[error("not a model artifact: the first line is not '{MAGIC} sha256=...'")]
    Header,
    /// The content is not what was written.
    #[error("checksum mismatch: the artifact says {expected} and its content has {actual}")]
    Checksum {
        /// What the first line says.
        expected: String,
        /// What the content has.
        actual: String,
    },
    /// The content has the right checksum and is not a model of this version.
    #[error("the artifact's content is not a model this version knows: {0}")]
    Content(#[from] serde_json::Error),
}

impl Artifact {
    /// Writes the model.
    ///
    /// # Panics
    ///
    /// Never: a fitted model has no maps with keys that JSON cannot hold.
    pub fn to_bytes(&self) -> Vec<u8> {
        let content = serde_json::to_vec(self).expect("a fitted model is plain data");
        let mut bytes = format!("{MAGIC} sha256={}\n", checksum(&content)).into_bytes();
        bytes.extend(content);
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// [`ArtifactError`] when the bytes are something else, are damaged, or hold a model that this
    /// version does not know.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let line_end = bytes.iter().position(|b| *b == b'\n').ok_or(ArtifactError::Header)?;
        let (line, content) = (&bytes[..line_end], &bytes[line_end + 1..]);
        let expected = std::str::from_utf8(line)
            .ok()
            .and_then(|line| line.strip_prefix(MAGIC)?.strip_prefix(" sha256="))
            .ok_or(ArtifactError::Header)?;
        let actual = checksum(content);
        if expected != actual {
            return Err(ArtifactError::Checksum { expected: expected.to_owned(), actual });
        }
        Ok(serde_json::from_slice(content)?)
    }

    /// The model inside, ready to predict.
    pub fn into_forecaster(self) -> Box<dyn FittedForecaster> {
        match self {
            Self::Ridge(fitted) => Box::new(fitted),
            Self::SeasonalNaive(fitted) => Box::new(fitted),
            Self::Drift(fitted) => Box::new(fitted),
            Self::ElasticNet(fitted) => Box::new(fitted),
            Self::Ets(fitted) => Box::new(fitted),
            Self::Gbdt(fitted) => Box::new(fitted),
            Self::Prophet(fitted) => Box::new(fitted),
            Self::Lstm(fitted) => Box::new(fitted),
        }
    }
}

fn checksum(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}
