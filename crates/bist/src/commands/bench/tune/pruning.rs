//! What ending trials early saves of a network's epochs, and what it costs of what is found.

use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use bist_app::Horizon;
use bist_app::tuning::{Part, PrunerChoice};
use bist_lifecycle::TrainingSpec;
use bist_lifecycle::sampler::TpeSampler;
use bist_lifecycle::study::{
    FrozenTrial, InMemoryStorage, OptimizeSettings, Optimizer, StudyDirection, StudyStorage as _,
    TrialState, enqueue,
};
use bist_lifecycle::tuning::{
    EPOCHS_ATTR, HoldOut, Objective, PanelOf, SpaceError, spec_of, values_of,
};
use bist_market::sample::{SampleSpec, generate};
use bist_market::{
    Calendar, ExchangeRules, Received, Source, ValidatedBars, ValidationPolicy, validate,
};
use bist_models::{FeatureSpec, Panel, features};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use serde::Serialize;

/// Shares and years of a market: small, since each market is searched twice.
const SYMBOLS_COUNT: u32 = 12;
const YEARS: u32 = 4;

/// Last day of the markets.
const UNTIL: Date = date(2025, 12, 31);

/// How far ahead the network forecasts, sessions.
const HORIZON: Horizon = bist_app::HORIZON_DEFAULT;

/// The share of the epochs that ending trials early means to spare.
const GOAL_SAVED_SHARE: f64 = 0.5;

/// Two searches of one market, one of which ends trials early.
#[derive(Debug, Serialize)]
pub(super) struct MarketSearched {
    /// The seed of the market, of the networks and of the sampler.
    seed: u64,
    to_the_end: Searched,
    pruned: Searched,
}

/// What a search cost and found.
#[derive(Debug, Serialize)]
struct Searched {
    /// Epochs of all trials together.
    epochs_count: u64,
    /// Trials that were ended early.
    pruned_count: usize,
    /// The value of the best trial: mean daily rank IC before the hold-out.
    value: f64,
    /// That of its configuration on the hold-out, which no trial saw.
    held_out: f64,
}

impl MarketSearched {
    pub(super) fn in_words(&self) -> String {
        let Self { seed, to_the_end, pruned } = self;
        format!(
            "market {seed}: {} epochs to the end, {} with {} trials ended early; best {:.4} and \
             {:.4}, on the hold-out {:.4} and {:.4}",
            to_the_end.epochs_count,
            pruned.epochs_count,
            pruned.pruned_count,
            to_the_end.value,
            pruned.value,
            to_the_end.held_out,
            pruned.held_out,
        )
    }
}

/// All markets together.
#[derive(Debug, Serialize)]
pub(super) struct Pruning {
    /// Trials of each search.
    trials: u64,
    markets: Vec<MarketSearched>,
    /// The share of the epochs that were spared.
    saved_share: f64,
    /// Mean difference of what was found, by the value of the search and on the hold-out, pruned
    /// less to the end, each with its standard error over markets.
    value_difference: [f64; 2],
    held_out_difference: [f64; 2],
}

impl Pruning {
    #[expect(clippy::cast_precision_loss, reason = "counts of epochs")]
    pub(super) fn of(trials: u64, markets: Vec<MarketSearched>) -> Self {
        let epochs = |of: fn(&MarketSearched) -> &Searched| -> u64 {
            markets.iter().map(|market| of(market).epochs_count).sum()
        };
        let spent = epochs(|market| &market.pruned) as f64;
        let difference = |of: fn(&Searched) -> f64| {
            let each = markets.iter().map(|market| of(&market.pruned) - of(&market.to_the_end));
            mean_and_standard_error(&each.collect::<Vec<_>>())
        };
        Self {
            trials,
            saved_share: 1.0 - spent / epochs(|market| &market.to_the_end) as f64,
            value_difference: difference(|searched| searched.value),
            held_out_difference: difference(|searched| searched.held_out),
            markets,
        }
    }

    /// Whether half of the epochs was spared.
    pub(super) fn saves_enough(&self) -> bool {
        self.saved_share >= GOAL_SAVED_SHARE
    }

    /// Whether what was found is as good on the hold-out, as far as can be told: not worse by more
    /// than two standard errors.
    pub(super) fn keeps_quality(&self) -> bool {
        let [difference, standard_error] = self.held_out_difference;
        difference + 2.0 * standard_error >= 0.0
    }

    pub(super) fn text(&self) -> String {
        let met = |is_met: bool| if is_met { "met" } else { "MISSED" };
        let [value, value_error] = self.value_difference;
        let [held_out, held_out_error] = self.held_out_difference;
        let markets: Vec<String> =
            self.markets.iter().map(|market| format!("{}\n", market.in_words())).collect();
        format!(
            "{}of the network's epochs {:.0} % were spared in searches of {} trials, goal {:.0} %: \
             {}\n\
             best value {value:+.4} (standard error {value_error:.4}), on the hold-out \
             {held_out:+.4} (standard error {held_out_error:.4}), goal not worse than chance \
             explains: {}",
            markets.concat(),
            100.0 * self.saved_share,
            self.trials,
            100.0 * GOAL_SAVED_SHARE,
            met(self.saves_enough()),
            met(self.keeps_quality()),
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "few numbers")]
fn mean_and_standard_error(numbers: &[f64]) -> [f64; 2] {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    [mean, (squares / (count - 1.0) / count).sqrt()]
}

/// Searches the generated market of `seed` twice, `trials` each.
pub(super) fn search_market(seed: u64, trials: u64) -> anyhow::Result<MarketSearched> {
    let market = Market::generate(seed)?;
    Ok(MarketSearched {
        seed,
        to_the_end: market.search(PrunerChoice::None, trials)?,
        pruned: market.search(PrunerChoice::default(), trials)?,
    })
}

struct Market {
    panel: Panel,
    base: TrainingSpec,
    hold_out: HoldOut,
    seed: u64,
}

impl Market {
    fn generate(seed: u64) -> anyhow::Result<Self> {
        let spec = SampleSpec { symbols_count: SYMBOLS_COUNT, years: YEARS, seed, until: UNTIL };
        let market = generate(&spec)?;
        let (calendar, rules) = (Calendar::bist(), ExchangeRules::bist());
        let check = |series| {
            let received = Received {
                actions: market.actions.clone(),
                ..Received::bars(series, Source::SAMPLE)
            };
            validate(&received, calendar, rules, ValidationPolicy::default())
        };
        let series: Vec<ValidatedBars> = market.series.iter().cloned().map(check).collect();
        let panels = features::build(&series, &market.instruments, calendar, &[HORIZON]);
        let panel = panels.into_iter().next().context("one horizon, one panel")?;
        let hold_out = HoldOut::of(&panel)?;
        Ok(Self { panel, base: TrainingSpec::of(HORIZON, seed), hold_out, seed })
    }

    /// A study of the network as `bist tune` makes it, with one worker.
    fn search(&self, pruner: PrunerChoice, trials: u64) -> anyhow::Result<Searched> {
        let done = self.study(&self.base, self.hold_out, pruner, trials)?;
        let complete = done.iter().filter(|trial| trial.state == TrialState::Complete);
        let best = complete.max_by(|a, b| a.value().partial_cmp(&b.value()).expect("no NaN"));
        let best = best.context("no trial was completed")?;
        let epochs = |trial: &FrozenTrial| trial.user_attrs.get(EPOCHS_ATTR)?.as_u64();
        let spec = spec_of::<SpaceError>(Part::Lstm, &self.base, &mut |name, _| {
            let value = best.params.get(name).and_then(|param| param.value());
            value.ok_or_else(|| SpaceError::Missing(name.to_owned()))
        })?;
        Ok(Searched {
            epochs_count: done.iter().filter_map(epochs).sum(),
            pruned_count: done.iter().filter(|trial| trial.state == TrialState::Pruned).count(),
            value: best.value().context("it is complete")?,
            held_out: self.hold_out_value(&spec)?,
        })
    }

    /// The value of `spec` on the hold-out: that of a study of it alone whose folds all lie there.
    fn hold_out_value(&self, spec: &TrainingSpec) -> anyhow::Result<f64> {
        let HoldOut { sessions_count, tuning_sessions_count, .. } = self.hold_out;
        let mut spec = spec.clone();
        spec.walk_forward.folds_count = 2;
        // The newest sessions have no outcome yet: the share is of fewer days.
        #[expect(clippy::cast_precision_loss, reason = "counts of sessions")]
        let share = |part: u64| part as f64 / (sessions_count + tuning_sessions_count) as f64;
        let unknown_count = 2 * u64::from(HORIZON.sessions());
        spec.walk_forward.test_share = share(sessions_count.saturating_sub(unknown_count));
        let nothing = HoldOut { from: UNTIL.tomorrow()?, ..self.hold_out };
        let done = self.study(&spec, nothing, PrunerChoice::None, 1)?;
        done.first().and_then(FrozenTrial::value).context("the best configuration cannot be judged")
    }

    /// The trials of a study before `hold_out`, of which `base` is the first.
    fn study(
        &self,
        base: &TrainingSpec,
        hold_out: HoldOut,
        pruner: PrunerChoice,
        trials: u64,
    ) -> anyhow::Result<Vec<FrozenTrial>> {
        let panel_of: Box<PanelOf<'_>> = Box::new(|_: FeatureSpec| self.panel.clone());
        let objective = Objective::prepare(Part::Lstm, base.clone(), hold_out, panel_of)?;
        let storage = InMemoryStorage::new();
        let id = storage.create_study("bench", &[StudyDirection::Maximize])?;
        enqueue(&storage, id, &values_of(Part::Lstm, base), Timestamp::UNIX_EPOCH)?;
        let study = storage.find_study("bench")?.context("it was made")?;
        let optimizer = Optimizer {
            storage: &storage,
            study: &study,
            sampler: Box::new(TpeSampler::new(self.seed)),
            pruner: pruner.pruner(Part::Lstm),
            settings: OptimizeSettings { results_max: Some(trials), ..OptimizeSettings::default() },
            clock: &|| Timestamp::UNIX_EPOCH,
            cancelled: &AtomicBool::new(false),
        };
        optimizer.run(&|trial| objective.run(trial, &|_| Ok(())), &|_| {})?;
        let done = storage.trials_after(id, 0, &[])?;
        Ok(done.iter().map(|trial| FrozenTrial::clone(trial)).collect())
    }
}
