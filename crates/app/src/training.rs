//! Training: admit the data, learn, prove, put in force; and the proof again, on demand.

mod admitted;
mod lessons;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bist_lifecycle::evaluation::PathsEvaluation;
use bist_lifecycle::trial::{configurations_count, spec_sha256};
use bist_lifecycle::tuning::TunedPart;
use bist_lifecycle::{
    Evaluation, ExcludedSymbol, ExplanationError, FittedModel, FittedModelError, GivenTreesError,
    ModelVersion, Signed, TrainError, Trained, TrainingContext, TrainingProgress, TrainingSpec,
    TrainingStage, Trial, TrialPurpose, evaluate_paths, train,
};
use bist_market::bar::day_of;
use bist_market::{
    InstrumentClass, Interval, Origin, Received, Snapshot, Symbol, UniverseError, ValidatedBars,
    admit, snapshot_hash,
};
use bist_models::{FeatureSpec, Horizon};
use bist_store::{Registration, StoreError};
use jiff::Timestamp;
use serde::Serialize;

use crate::progress::{Progress, ProgressSink};
use crate::{App, blocking};

use admitted::panels;

pub(crate) use admitted::Admitted;
pub(crate) use lessons::{KnownLessons, LessonBars, PanelPlace};

/// The version of the program.
pub(crate) const CODE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Steps in which the share of the training of one model is told.
const PROGRESS_STEPS: u64 = 1000;

/// Why there is no model, or no proof.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// Nothing was ingested yet.
    #[error(
        "the data directory has no daily bars yet; bring some with `bist ingest csv PATH` or `bist sample`"
    )]
    NoBars,
    /// Nothing hourly was ingested yet.
    #[error(
        "the data directory has no hourly bars, from which forecasts of hours are made; bring some \
         with `bist ingest csv PATH` (files such as THYAO_60m.csv) or `bist ingest yahoo --interval \
         60m`"
    )]
    NoHourlyBars,
    /// A symbol that the store does not have.
    #[error(
        "there are no bars of {symbol} every {interval}; `bist validate --all` names what there is"
    )]
    UnknownSymbol {
        /// Which.
        symbol: Symbol,
        /// The bars that are wanted.
        interval: Interval,
    },
    /// No model is in force.
    #[error(
        "no model that looks {} has been trained yet; run `bist train{}`, after `bist ingest csv \
         PATH`{}",
        .0.in_words(),
        flag(.0.interval()),
        if .0.interval() == Interval::Daily { " or `bist sample`" } else { " with hourly bars" }
    )]
    NoModel(Horizon),
    /// The data are not good enough.
    #[error("training refused: {0}")]
    Refused(#[from] UniverseError),
    /// The data do not support a model.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The model is one of another version of the program.
    #[error("model {id} cannot be read ({source}); run `bist train` again")]
    Model {
        /// The version.
        id: String,
        /// What is wrong with it.
        source: FittedModelError,
    },
    /// The trees that were given to a version are not those of its record.
    #[error(transparent)]
    GivenTrees(#[from] GivenTreesError),
    /// The parts of a forecast do not add up to it, so that it is not served.
    #[error(transparent)]
    Explanation(#[from] ExplanationError),
    /// The bars that a run has begun with are not the ones that there are.
    #[error(
        "the bars have changed since the run has begun, and the old ones cannot be had again; the run \
         begins again with the new ones"
    )]
    OtherBars,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What asks the command line for models of such bars.
fn flag(interval: Interval) -> String {
    match interval {
        Interval::Daily => String::new(),
        Interval::Minutes(_) => format!(" --interval {interval}"),
    }
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

/// How far the record depends on which days were the test.
#[derive(Clone, Debug, Serialize)]
pub struct PathsReport {
    /// The version whose configuration was evaluated.
    pub model_version: String,
    /// Whether the data are real.
    pub origin: Origin,
    /// Hash of the bars it was evaluated on.
    pub snapshot_hash: String,
    /// How far ahead it looks.
    #[serde(flatten, with = "bist_models::horizon::fields")]
    pub horizon: Horizon,
    /// The paths.
    pub paths: PathsEvaluation,
}

impl App {
    /// Trains a model for each of `horizons`, which look ahead from the same bars, on those that are
    /// admitted (of `symbols`, or of all), keeps the models with their proof, and puts them in force
    /// together once the last is done.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Refused`] below the required quality, and the others as named; the models
    /// before then stay in force.
    pub async fn train(
        &self,
        symbols: Option<&[Symbol]>,
        horizons: &[Horizon],
        seed: u64,
        progress: Arc<ProgressSink>,
    ) -> Result<Vec<ModelVersion>, TrainingError> {
        self.check_audit().await?;
        let mut specs = Vec::new();
        let mut tuned = BTreeMap::new();
        for &horizon in horizons {
            let (spec, parts) = self.spec_in_force(horizon, seed).await?;
            specs.push(spec);
            tuned.insert(horizon, parts);
        }
        let asked: Vec<_> = specs.iter().map(|spec| (spec.horizon, spec.features)).collect();
        let admitted = self.admit(symbols, &asked, &*progress).await?;
        let trials = self.record_trials(TrialPurpose::Train, &admitted, &specs).await?;
        let origin = admitted.origin;
        let runs = specs.into_iter().map(|spec| {
            let count = configurations_count(&trials, origin, spec.horizon);
            (spec, count)
        });
        let (admitted, trained) = run_training(admitted, runs.collect(), progress).await?;
        let trained_at = self.now();
        let versions: Vec<(ModelVersion, Vec<u8>)> = trained
            .into_iter()
            .map(|learned| {
                let tuned = tuned.remove(&learned.spec.horizon).unwrap_or_default();
                admitted.version(&learned, tuned, trained_at)
            })
            .collect();
        let signed = Signed {
            at: trained_at,
            by: "bist train".to_owned(),
            reason: "trained on the bars as they are and put in force at once".to_owned(),
        };
        self.store.save_snapshot(&admitted.snapshot_hash, &admitted.snapshot).await?;
        Ok(self
            .store
            .register(&versions, Registration::Champions, &signed, &self.audit().await?)
            .await?)
    }

    /// Runs the proof of the configuration of the champion for `horizon` again, on the bars as they
    /// are now.
    ///
    /// # Errors
    ///
    /// [`TrainingError::NoModel`] without a champion, and the others as named.
    pub async fn evaluate(
        &self,
        horizon: Horizon,
        progress: Arc<ProgressSink>,
    ) -> Result<EvaluationReport, TrainingError> {
        let champion = self.champion(horizon).await?;
        let spec = self.spec_of(&champion).await?;
        let wanted = known_symbols(&champion);
        let asked = [(spec.horizon, spec.features)];
        let admitted = self.admit(Some(&wanted), &asked, &*progress).await?;
        self.record_trials(TrialPurpose::Evaluate, &admitted, std::slice::from_ref(&spec)).await?;
        // As many as then: the same question must have the same answer.
        let count = champion.evaluation.protocol.configurations_tried_count;
        let (admitted, mut learned) = run_training(admitted, vec![(spec, count)], progress).await?;
        let trained = learned.remove(0).trained;
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

    /// Judges the configuration of the champion for `horizon` by combinatorial purged
    /// cross-validation, on the bars as they are now.
    ///
    /// # Errors
    ///
    /// As [`Self::evaluate`].
    pub async fn evaluate_paths(
        &self,
        horizon: Horizon,
        progress: Arc<ProgressSink>,
    ) -> Result<PathsReport, TrainingError> {
        let champion = self.champion(horizon).await?;
        let spec = self.spec_of(&champion).await?;
        let wanted = known_symbols(&champion);
        let asked = [(horizon, spec.features)];
        let admitted = self.admit(Some(&wanted), &asked, &*progress).await?;
        self.record_trials(TrialPurpose::Evaluate, &admitted, std::slice::from_ref(&spec)).await?;
        let (origin, snapshot_hash) = (admitted.origin, admitted.snapshot_hash.clone());
        let paths = blocking(move || {
            let told = |now: TrainingProgress| tell(now, horizon, (0, 1), &*progress);
            evaluate_paths(&admitted.panels[0], &spec, &told)
        })
        .await?;
        Ok(PathsReport { model_version: champion.id, origin, snapshot_hash, horizon, paths })
    }

    /// The configuration that is trained for `horizon`: a tuned one that was promoted stays, and with
    /// it where it came from; the default otherwise.
    pub(crate) async fn spec_in_force(
        &self,
        horizon: Horizon,
        seed: u64,
    ) -> Result<(TrainingSpec, Vec<TunedPart>), StoreError> {
        Ok(match self.store.champion(horizon).await? {
            Some(ModelVersion { lineage, .. }) if !lineage.tuned.is_empty() => {
                (TrainingSpec { seed, ..lineage.spec }, lineage.tuned)
            }
            _ => (TrainingSpec::of(horizon, seed), Vec::new()),
        })
    }

    /// The configuration of `version`, with the trees that were given to it.
    pub(crate) async fn spec_of(
        &self,
        version: &ModelVersion,
    ) -> Result<TrainingSpec, TrainingError> {
        let mut spec = version.lineage.spec.clone();
        if let Some(given) = &mut spec.members.given {
            given.attach(self.fitted_model(version).await?.members.gbdt)?;
        }
        Ok(spec)
    }

    /// Puts down that the records of `specs` are about to be looked at; returns all trials so far.
    pub(crate) async fn record_trials(
        &self,
        purpose: TrialPurpose,
        admitted: &Admitted,
        specs: &[TrainingSpec],
    ) -> Result<Vec<Trial>, StoreError> {
        let trials: Vec<Trial> = specs
            .iter()
            .map(|spec| Trial {
                at: self.now(),
                purpose,
                origin: admitted.origin,
                horizon: spec.horizon,
                spec_sha256: spec_sha256(spec),
                snapshot_hash: admitted.snapshot_hash.clone(),
                code_version: CODE_VERSION.to_owned(),
            })
            .collect();
        self.store.record_trials(&trials).await?;
        self.store.trials().await
    }

    /// The version in force for `horizon`.
    pub(crate) async fn champion(&self, horizon: Horizon) -> Result<ModelVersion, TrainingError> {
        match self.store.champion(horizon).await? {
            Some(champion) => Ok(champion),
            None => Err(TrainingError::NoModel(horizon)),
        }
    }

    /// The model of `version`, its bytes checked against the hash that was recorded.
    pub(crate) async fn fitted_model(
        &self,
        version: &ModelVersion,
    ) -> Result<FittedModel, TrainingError> {
        let bytes = self.store.artifact(version).await?;
        FittedModel::from_bytes(&bytes)
            .map_err(|source| TrainingError::Model { id: version.id.clone(), source })
    }

    /// The bars of `symbols` (of all, when `None`) that are good enough, as a panel for each horizon
    /// and windows of `asked`; the horizons look ahead from the same bars.
    pub(crate) async fn admit(
        &self,
        symbols: Option<&[Symbol]>,
        asked: &[(Horizon, FeatureSpec)],
        progress: &ProgressSink,
    ) -> Result<Admitted, TrainingError> {
        progress(Progress::of("building features", 0, 1));
        let series = match interval_of(asked) {
            Interval::Daily => self.daily_series().await?,
            Interval::Minutes(_) => self.hourly_series().await?,
        };
        self.admit_series(series, symbols, asked, progress).await
    }

    /// The bars that `snapshot` is of, as far as they are still there, for `asked`; what has come
    /// since `made_at` or later than the last bar of each symbol is left out before anything is
    /// checked.
    pub(crate) async fn admit_again(
        &self,
        snapshot: &Snapshot,
        made_at: Timestamp,
        asked: &[(Horizon, FeatureSpec)],
        progress: &ProgressSink,
    ) -> Result<Admitted, TrainingError> {
        progress(Progress::of("building features", 0, 1));
        let mut series = self.series_until(Interval::Daily, snapshot, made_at).await?;
        if let interval @ Interval::Minutes(_) = interval_of(asked) {
            let is_share = |symbol: Symbol| symbol.class() == InstrumentClass::Share;
            series.retain(|symbol, _| !is_share(*symbol));
            let mut shares = self.series_until(interval, snapshot, made_at).await?;
            shares.retain(|symbol, _| is_share(*symbol));
            series.extend(shares);
        }
        let wanted: Vec<Symbol> =
            snapshot.symbols.keys().copied().filter(|symbol| series.contains_key(symbol)).collect();
        self.admit_series(series, Some(&wanted), asked, progress).await
    }

    /// The validated bars of `interval` as they were when `snapshot` was made.
    async fn series_until(
        &self,
        interval: Interval,
        snapshot: &Snapshot,
        made_at: Timestamp,
    ) -> Result<BTreeMap<Symbol, ValidatedBars>, TrainingError> {
        let until = |received: &mut Received| {
            let Some(symbol) = snapshot.symbols.get(&received.series.symbol) else {
                return false;
            };
            let last_day = day_of(symbol.last);
            received.series.bars.retain(|bar| bar.opened_at <= symbol.last);
            received.refused.retain(|row| row.day.is_none_or(|day| day <= last_day));
            received.decisions.retain(|decision| decision.decided_at <= made_at);
            true
        };
        Ok(self.check_received(interval, until, Arc::new(|_| {})).await?.into_primary())
    }

    async fn admit_series(
        &self,
        series: BTreeMap<Symbol, ValidatedBars>,
        symbols: Option<&[Symbol]>,
        asked: &[(Horizon, FeatureSpec)],
        progress: &ProgressSink,
    ) -> Result<Admitted, TrainingError> {
        let interval = interval_of(asked);
        let wanted: Vec<Symbol> = match symbols {
            Some(symbols) => symbols.to_vec(),
            None => series.keys().copied().collect(),
        };
        if let Some(&symbol) = wanted.iter().find(|symbol| !series.contains_key(*symbol)) {
            return Err(TrainingError::UnknownSymbol { symbol, interval });
        }
        let origin = self.store.origin().await?.unwrap_or(Origin::Market);
        let instruments = self.store.instruments().await?;
        let (policy, asked) = (self.policy, asked.to_vec());
        let admitted = blocking(move || {
            let series = series.into_values().filter(|series| wanted.contains(&series.symbol()));
            let universe = admit(series.collect(), policy)?;
            let panels = panels(universe.series(), &instruments, &asked);
            let snapshot_hash = snapshot_hash(universe.series());
            let snapshot = Snapshot::of(universe.series(), &instruments);
            Ok::<_, UniverseError>(Admitted {
                universe,
                instruments,
                panels,
                snapshot_hash,
                snapshot,
                origin,
            })
        })
        .await?;
        progress(Progress::of("building features", 1, 1));
        Ok(admitted)
    }
}

impl App {
    /// The validated daily bars by symbol.
    async fn daily_series(&self) -> Result<BTreeMap<Symbol, ValidatedBars>, TrainingError> {
        let bars = self.daily_bars().await?;
        if bars.series.is_empty() { Err(TrainingError::NoBars) } else { Ok(bars.series.clone()) }
    }

    /// The validated hourly bars of shares by symbol, and the daily ones of all that is no share: the
    /// context.
    async fn hourly_series(&self) -> Result<BTreeMap<Symbol, ValidatedBars>, TrainingError> {
        let is_share = |symbol: Symbol| symbol.class() == InstrumentClass::Share;
        let checked = self.check_interval(Interval::HOURLY, Arc::new(|_| {})).await?;
        let mut series = checked.into_primary();
        series.retain(|symbol, _| is_share(*symbol));
        if series.is_empty() {
            return Err(TrainingError::NoHourlyBars);
        }
        let daily = self.daily_bars().await?;
        let context = daily.series.iter().filter(|(symbol, _)| !is_share(**symbol));
        series.extend(context.map(|(symbol, bars)| (*symbol, bars.clone())));
        Ok(series)
    }
}

/// The bars that the horizons of `asked` look ahead from.
fn interval_of(asked: &[(Horizon, FeatureSpec)]) -> Interval {
    asked.first().map_or(Interval::Daily, |(horizon, _)| horizon.interval())
}

/// The symbols that `version` was trained on or left out: the same question is asked again.
pub(crate) fn known_symbols(version: &ModelVersion) -> Vec<Symbol> {
    let excluded = version.lineage.excluded.iter().map(|out| out.symbol);
    let mut symbols: Vec<Symbol> =
        version.lineage.symbols.iter().copied().chain(excluded).collect();
    symbols.sort_unstable();
    symbols
}

/// Trains on each panel by the spec of the same place, after as many configurations as stand beside
/// it.
pub(crate) async fn run_training(
    admitted: Admitted,
    runs: Vec<(TrainingSpec, u32)>,
    progress: Arc<ProgressSink>,
) -> Result<(Admitted, Vec<Learned>), TrainingError> {
    run_training_until(Arc::default(), admitted, runs, progress).await
}

/// The same; ends with [`TrainError::Cancelled`] soon after `cancelled` is set.
pub(crate) async fn run_training_until(
    cancelled: Arc<AtomicBool>,
    admitted: Admitted,
    runs: Vec<(TrainingSpec, u32)>,
    progress: Arc<ProgressSink>,
) -> Result<(Admitted, Vec<Learned>), TrainingError> {
    blocking(move || {
        let total = runs.len();
        let train_one = |(index, (spec, count)): (usize, (TrainingSpec, u32))| {
            let lesson = PanelLesson { admitted: &admitted, index, spec: &spec, count };
            lesson.train((index, total), &cancelled, &*progress)
        };
        let trained = runs.into_iter().enumerate().map(train_one);
        let trained = trained.collect::<Result<_, TrainingError>>()?;
        Ok((admitted, trained))
    })
    .await
}

/// What training gave.
pub(crate) struct Learned {
    /// By which configuration.
    pub(crate) spec: TrainingSpec,
    pub(crate) trained: Trained,
    /// How long it took.
    pub(crate) took: Duration,
}

/// What is to be learned from one of the panels that were admitted.
pub(crate) struct PanelLesson<'a> {
    pub(crate) admitted: &'a Admitted,
    /// Which panel.
    pub(crate) index: usize,
    /// By which configuration.
    pub(crate) spec: &'a TrainingSpec,
    /// After how many.
    pub(crate) count: u32,
}

impl PanelLesson<'_> {
    /// Trains, as the model at the place of so many; ends at the next part once `cancelled` is set.
    pub(crate) fn train(
        &self,
        place: (usize, usize),
        cancelled: &AtomicBool,
        progress: &ProgressSink,
    ) -> Result<Learned, TrainingError> {
        let Self { admitted, index, spec, count } = *self;
        let began = Instant::now();
        let told = |now: TrainingProgress| {
            tell(now, spec.horizon, place, progress);
            match cancelled.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let context = TrainingContext {
            configurations_count: count,
            sectors: &admitted.sectors(),
            other_future: &|day| admitted.other_future(spec, day),
        };
        let trained = train(&admitted.panels[index], spec, &context, &told)?;
        Ok(Learned { spec: spec.clone(), trained, took: began.elapsed() })
    }
}

/// One bar for the whole training, of which this is model `index` of `total`; its text says what is
/// being done.
fn tell(
    now: TrainingProgress,
    horizon: Horizon,
    (index, total): (usize, usize),
    progress: &ProgressSink,
) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of 0..=1 times a thousand"
    )]
    let done_of_model = (now.done_share.clamp(0.0, 1.0) * PROGRESS_STEPS as f64) as u64;
    let what = match now.stage {
        TrainingStage::WarmUp => "warming up".to_owned(),
        TrainingStage::Fold { number, folds_count } => format!("fold {number} of {folds_count}"),
        TrainingStage::Split { number, splits_count } => {
            format!("split {number} of {splits_count}")
        }
        TrainingStage::LeakGate => "looking for leaks".to_owned(),
        TrainingStage::Evaluation => "evaluating".to_owned(),
        TrainingStage::FinalFit => "fitting the final model".to_owned(),
    };
    progress(Progress {
        stage: "training",
        part: &format!("{}, {what}", horizon.in_words()),
        done: index as u64 * PROGRESS_STEPS + done_of_model,
        total: total as u64 * PROGRESS_STEPS,
    });
}
