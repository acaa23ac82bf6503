//! Training: admit the data, learn, prove, put in force; and the proof again, on demand.

use std::sync::Arc;

use bist_lifecycle::{
    Evaluation, ExcludedSymbol, FittedModel, Lineage, ModelState, ModelVersion, TrainError,
    Trained, TrainingProgress, TrainingSpec, TrainingStage, train,
};
use bist_market::calendar::Calendar;
use bist_market::{Origin, Symbol, Universe, UniverseError, admit, snapshot_hash};
use bist_models::{Horizon, Panel, features};
use bist_store::StoreError;
use serde::Serialize;

use crate::progress::{Progress, ProgressSink};
use crate::{App, blocking};

/// How many sessions ahead the product forecasts.
const HORIZON_SESSIONS: u8 = 5;

/// Steps in which the share of the training done is told.
const PROGRESS_STEPS: u64 = 1000;

/// Why there is no model, or no proof.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// Nothing was ingested yet.
    #[error(
        "the data directory has no bars yet; bring some with `bist ingest csv PATH` or `bist sample`"
    )]
    NoBars,
    /// A symbol that the store does not have.
    #[error("there are no daily bars of {0}; `bist validate --all` names what there is")]
    UnknownSymbol(Symbol),
    /// No model is in force.
    #[error(
        "no model has been trained yet; run `bist train`, after `bist ingest csv PATH` or `bist sample`"
    )]
    NoModel,
    /// The data are not good enough.
    #[error("training refused: {0}")]
    Refused(#[from] UniverseError),
    /// The data do not support a model.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The model's file is not the one that was trained.
    #[error(
        "the file of model {id} is not the one that was trained ({reason}); run `bist train` again"
    )]
    Artifact {
        /// The version.
        id: String,
        /// What is wrong with the file.
        reason: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The proof, run again.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluationReport {
    /// The version whose configuration was evaluated.
    pub model_version: String,
    /// Whether the data are real.
    pub origin: Origin,
    /// Hash of the bars it was evaluated on.
    pub snapshot_hash: String,
    /// Whether these are the bars that the version was trained on.
    pub same_bars: bool,
    /// When they are: whether the model and its evaluation came out the same, bit for bit.
    pub reproduced: Option<bool>,
    /// The symbols left out, with the reason.
    pub excluded: Vec<ExcludedSymbol>,
    /// The proof.
    pub evaluation: Evaluation,
}

/// The admitted bars as a panel, with what names them.
pub(crate) struct Admitted {
    pub(crate) universe: Universe,
    pub(crate) panel: Panel,
    pub(crate) snapshot_hash: String,
    pub(crate) origin: Origin,
}

impl Admitted {
    fn excluded(&self) -> Vec<ExcludedSymbol> {
        let excluded = self.universe.excluded().iter();
        excluded.map(|out| ExcludedSymbol { symbol: out.symbol, reason: out.to_string() }).collect()
    }

    fn lineage(&self, spec: TrainingSpec, trained: &Trained) -> Lineage {
        Lineage {
            snapshot_hash: self.snapshot_hash.clone(),
            feature_names: self.panel.known.features.names().to_vec(),
            spec,
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
            symbols: self.universe.series().iter().map(|series| series.symbol()).collect(),
            excluded: self.excluded(),
            first_day: trained.first_day,
            last_day: trained.last_day,
            rows_count: trained.rows_count as u64,
        }
    }
}

impl App {
    /// Trains on the admitted daily bars (of `symbols`, or of all), keeps the model with its proof,
    /// and puts it in force.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Refused`] below the required quality, and the others as named; the model
    /// before then stays in force.
    pub async fn train(
        &self,
        symbols: Option<&[Symbol]>,
        seed: u64,
        progress: Arc<ProgressSink>,
    ) -> Result<ModelVersion, TrainingError> {
        let admitted = self.admit(symbols, &*progress).await?;
        let spec = TrainingSpec::of(horizon(), seed);
        let (admitted, trained) = run_training(admitted, spec.clone(), progress).await?;
        let artifact = trained.model.to_bytes();
        let version = ModelVersion::candidate(
            admitted.origin,
            self.now(),
            admitted.lineage(spec, &trained),
            trained.evaluation,
            &artifact,
        );
        self.store.save_champion(&version, &artifact).await?;
        Ok(ModelVersion { state: ModelState::Champion, ..version })
    }

    /// Runs the proof of the champion's configuration again, on the bars as they are now.
    ///
    /// # Errors
    ///
    /// [`TrainingError::NoModel`] without a champion, and the others as named.
    pub async fn evaluate(
        &self,
        progress: Arc<ProgressSink>,
    ) -> Result<EvaluationReport, TrainingError> {
        let champion = self.champion().await?;
        let spec = champion.lineage.spec.clone();
        let wanted = known_symbols(&champion);
        let admitted = self.admit(Some(&wanted), &*progress).await?;
        let (admitted, trained) = run_training(admitted, spec, progress).await?;
        let same_bars = admitted.snapshot_hash == champion.lineage.snapshot_hash;
        let reproduced = same_bars.then(|| {
            champion.owns(&trained.model.to_bytes()) && trained.evaluation == champion.evaluation
        });
        Ok(EvaluationReport {
            model_version: champion.id,
            origin: admitted.origin,
            same_bars,
            reproduced,
            excluded: admitted.excluded(),
            snapshot_hash: admitted.snapshot_hash,
            evaluation: trained.evaluation,
        })
    }

    /// The version in force.
    pub(crate) async fn champion(&self) -> Result<ModelVersion, TrainingError> {
        match self.store.champion().await? {
            Some(champion) => Ok(champion),
            None => Err(TrainingError::NoModel),
        }
    }

    /// The model of `version`, its bytes checked against the hash that was recorded.
    pub(crate) fn fitted_model(
        &self,
        version: &ModelVersion,
    ) -> Result<FittedModel, TrainingError> {
        let bytes = self.store.artifact(version)?;
        let wrong = |reason: String| TrainingError::Artifact { id: version.id.clone(), reason };
        if !version.owns(&bytes) {
            return Err(wrong("its SHA-256 differs".to_owned()));
        }
        FittedModel::from_bytes(&bytes).map_err(|error| wrong(error.to_string()))
    }

    /// The daily bars of `symbols` (of all, when `None`) that are good enough, as a panel.
    pub(crate) async fn admit(
        &self,
        symbols: Option<&[Symbol]>,
        progress: &ProgressSink,
    ) -> Result<Admitted, TrainingError> {
        progress(Progress { stage: "building features", done: 0, total: 1 });
        let bars = self.daily_bars().await?;
        if bars.series.is_empty() {
            return Err(TrainingError::NoBars);
        }
        let wanted: Vec<Symbol> = match symbols {
            Some(symbols) => symbols.to_vec(),
            None => bars.series.keys().copied().collect(),
        };
        if let Some(unknown) = wanted.iter().find(|symbol| !bars.series.contains_key(*symbol)) {
            return Err(TrainingError::UnknownSymbol(*unknown));
        }
        let origin = self.store.origin().await?.unwrap_or(Origin::Market);
        let instruments = self.store.instruments().await?;
        let policy = self.policy;
        let admitted = blocking(move || {
            let series = bars.series.values().filter(|series| wanted.contains(&series.symbol()));
            let universe = admit(series.cloned().collect(), policy)?;
            let panel =
                features::build(universe.series(), &instruments, Calendar::bist(), horizon());
            let snapshot_hash = snapshot_hash(universe.series());
            Ok::<_, UniverseError>(Admitted { universe, panel, snapshot_hash, origin })
        })
        .await?;
        progress(Progress { stage: "building features", done: 1, total: 1 });
        Ok(admitted)
    }
}

/// The symbols that `version` was trained on or left out: the same question is asked again.
pub(crate) fn known_symbols(version: &ModelVersion) -> Vec<Symbol> {
    let excluded = version.lineage.excluded.iter().map(|out| out.symbol);
    let mut symbols: Vec<Symbol> =
        version.lineage.symbols.iter().copied().chain(excluded).collect();
    symbols.sort_unstable();
    symbols
}

/// How far ahead the product forecasts.
pub(crate) fn horizon() -> Horizon {
    const HORIZON: Horizon = match Horizon::from_sessions(HORIZON_SESSIONS) {
        Some(horizon) => horizon,
        None => panic!("a horizon has at least one session"),
    };
    HORIZON
}

async fn run_training(
    admitted: Admitted,
    spec: TrainingSpec,
    progress: Arc<ProgressSink>,
) -> Result<(Admitted, Trained), TrainingError> {
    blocking(move || {
        let told = |now: TrainingProgress| tell(now, &*progress);
        let trained = train(&admitted.panel, &spec, &told)?;
        Ok((admitted, trained))
    })
    .await
}

/// One bar for the whole training; its text says what is being done.
fn tell(now: TrainingProgress, progress: &ProgressSink) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of 0..=1 times a thousand"
    )]
    let done = (now.done_share.clamp(0.0, 1.0) * PROGRESS_STEPS as f64) as u64;
    let stage = match now.stage {
        TrainingStage::Fold { .. } => "training on folds",
        TrainingStage::Evaluation => "evaluating",
        TrainingStage::FinalFit => "fitting the final model",
    };
    progress(Progress { stage, done, total: PROGRESS_STEPS });
}
