//! The bars that are good enough, as panels.

use std::collections::BTreeMap;

use bist_lifecycle::tuning::TunedPart;
use bist_lifecycle::{ExcludedSymbol, Lineage, ModelVersion, Trained, TrainingSpec};
use bist_market::calendar::Calendar;
use bist_market::{Instrument, Origin, Snapshot, Symbol, Universe, ValidatedBars};
use bist_models::{FeatureSpec, Horizon, Panel, RowKey, features};
use jiff::Timestamp;
use jiff::civil::Date;

use super::{CODE_VERSION, Learned};

/// The admitted bars as panels, with what names them.
pub(crate) struct Admitted {
    pub(crate) universe: Universe,
    pub(crate) instruments: Vec<Instrument>,
    /// One for each horizon and windows asked for, in their order.
    pub(crate) panels: Vec<Panel>,
    pub(crate) snapshot_hash: String,
    /// What is kept of the bars, so that they can be had again.
    pub(crate) snapshot: Snapshot,
    pub(crate) origin: Origin,
}

impl Admitted {
    /// The row of the newest bar.
    pub(crate) fn newest(&self) -> Option<RowKey> {
        self.panels.first()?.known.keys.last().copied()
    }

    /// The same with a panel for each of `asked`.
    pub(crate) fn with_panels(&self, asked: &[(Horizon, FeatureSpec)]) -> Self {
        Self {
            universe: self.universe.clone(),
            instruments: self.instruments.clone(),
            panels: panels(self.universe.series(), &self.instruments, asked),
            snapshot_hash: self.snapshot_hash.clone(),
            snapshot: self.snapshot.clone(),
            origin: self.origin,
        }
    }

    /// The panel for `horizon` with windows of one's choice.
    pub(crate) fn panel_of(&self, horizon: Horizon, features: FeatureSpec) -> Panel {
        panels(self.universe.series(), &self.instruments, &[(horizon, features)]).remove(0)
    }

    /// The panel of `spec` as it would be if all bars after `day` were other ones.
    pub(super) fn other_future(&self, spec: &TrainingSpec, day: Date) -> Panel {
        let series: Vec<ValidatedBars> =
            self.universe.series().iter().map(|series| series.with_another_future(day)).collect();
        panels(&series, &self.instruments, &[(spec.horizon, spec.features)]).remove(0)
    }

    /// The sectors of the symbols, as far as they are known.
    pub(super) fn sectors(&self) -> BTreeMap<Symbol, String> {
        let known = self.instruments.iter();
        known.filter_map(|known| Some((known.symbol, known.sector.clone()?))).collect()
    }

    pub(crate) fn excluded(&self) -> Vec<ExcludedSymbol> {
        let excluded = self.universe.excluded().iter();
        excluded.map(|out| ExcludedSymbol { symbol: out.symbol, reason: out.to_string() }).collect()
    }

    /// The candidate that training gave, and its artefact.
    pub(crate) fn version(
        &self,
        learned: &Learned,
        tuned: Vec<TunedPart>,
        trained_at: Timestamp,
    ) -> (ModelVersion, Vec<u8>) {
        let Learned { spec, trained, took } = learned;
        let artifact = trained.model.to_bytes();
        let lineage = Lineage { tuned, ..self.lineage(spec.clone(), trained) };
        let evaluation = trained.evaluation.clone();
        let version =
            ModelVersion::candidate(self.origin, trained_at, lineage, evaluation, &artifact);
        (ModelVersion { training_seconds: Some(took.as_secs_f64()), ..version }, artifact)
    }

    fn lineage(&self, spec: TrainingSpec, trained: &Trained) -> Lineage {
        Lineage {
            snapshot_hash: self.snapshot_hash.clone(),
            feature_names: spec.features.names(spec.horizon.interval()),
            spec,
            code_version: CODE_VERSION.to_owned(),
            symbols: self.universe.series().iter().map(|series| series.symbol()).collect(),
            excluded: self.excluded(),
            first_day: trained.first_day,
            last_day: trained.last_day,
            rows_count: trained.rows_count as u64,
            tuned: Vec::new(),
        }
    }
}

/// A panel for each of `asked`, in their order; those with the same windows share their rows.
pub(super) fn panels(
    series: &[ValidatedBars],
    instruments: &[Instrument],
    asked: &[(Horizon, FeatureSpec)],
) -> Vec<Panel> {
    let mut panels: BTreeMap<usize, Panel> = BTreeMap::new();
    for (first, (_, spec)) in asked.iter().enumerate() {
        if panels.contains_key(&first) {
            continue;
        }
        let alike = asked.iter().enumerate().filter(|(_, (_, other))| other == spec);
        let (places, horizons): (Vec<usize>, Vec<Horizon>) =
            alike.map(|(place, (horizon, _))| (place, *horizon)).unzip();
        let built = features::build_with(*spec, series, instruments, Calendar::bist(), &horizons);
        panels.extend(places.into_iter().zip(built));
    }
    panels.into_values().collect()
}
