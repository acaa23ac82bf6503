//! Everything that decides what training makes of a panel.

use bist_models::{ElasticNet, FeatureSpec, GbdtParams, Horizon, LstmParams, ProphetParams};
use bist_trading::{CostModel, SignalPolicy};
use serde::{Deserialize, Serialize};

use crate::members::MemberParams;
use crate::walk_forward::WalkForward;

/// Everything that decides what training makes of a panel.
///
/// What was not part of a specification once is not written while it is as it was then, so that what
/// names a configuration ([`crate::trial::spec_sha256`]) stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSpec {
    /// How far ahead to forecast; that of the panel.
    pub horizon: Horizon,
    /// Hyperparameters of the ensemble's members.
    pub members: MemberParams,
    /// Hyperparameters of the trees of the outlook; their objective is not read.
    pub outlook: GbdtParams,
    /// Penalty of the ridge regression that the ensemble is compared with.
    pub ridge_alpha: f64,
    /// The elastic net that the ensemble is compared with.
    pub elastic_net: ElasticNet,
    /// Layout of the folds.
    pub walk_forward: WalkForward,
    /// The windows of the features.
    #[serde(default, skip_serializing_if = "FeatureSpec::is_default")]
    pub features: FeatureSpec,
    /// How strongly the members' weights are drawn towards equal ones, zero or more, see
    /// [`bist_models::StackingWeights::fit`].
    #[serde(default = "stacking_prior_share", skip_serializing_if = "is_usual_prior_share")]
    pub stacking_prior_share: f64,
    /// How sure a forecast has to be before it is acted on.
    #[serde(default, skip_serializing_if = "SignalPolicy::is_default")]
    pub signal: SignalPolicy,
    /// The seed of everything random.
    pub seed: u64,
    /// What trading costs.
    pub costs: CostModel,
}

impl TrainingSpec {
    /// The one configuration that we stand by, for a weak signal among much noise: trees of four
    /// leaves, large leaves, a slow learning rate; an elastic net that drops what is hardly seen; a
    /// network of one small layer that sees two weeks; Prophet as its authors set it. The trees
    /// were chosen on generated markets, whose truth is known, before any record on real prices was
    /// looked at; the others were not chosen at all.
    ///
    /// Horizons within a session have the same but for the layout of the folds, and without Prophet,
    /// which learns series of days.
    pub fn of(horizon: Horizon, seed: u64) -> Self {
        let trees = GbdtParams {
            num_iterations: 300,
            learning_rate: 0.03,
            num_leaves: 4,
            min_data_in_leaf: 300,
            min_gain_to_split: 0.0,
            lambda_l2: 10.0,
            feature_fraction: 0.7,
            bagging_fraction: 0.7,
            bagging_freq: 1,
            max_bin: 63,
            early_stopping_rounds: 60,
            ..GbdtParams::default()
        };
        let (prophet, walk_forward) = match horizon {
            Horizon::Sessions(_) => (Some(ProphetParams::default()), WalkForward::default()),
            Horizon::NextHour | Horizon::EndOfDay => (None, WalkForward::HOURLY),
        };
        // Drops a feature whose correlation with the target is below a hundredth or so.
        let elastic_net = ElasticNet { alpha: 0.001, l1_ratio: 0.5 };
        Self {
            horizon,
            members: MemberParams {
                gbdt: trees,
                given: None,
                elastic_net: Some(elastic_net),
                lstm: Some(LstmParams {
                    steps: 10,
                    layers: 1,
                    hidden: 16,
                    batch_size: 256,
                    epochs_max: 8,
                    early_stopping_epochs: 2,
                    ..LstmParams::default()
                }),
                prophet,
            },
            outlook: GbdtParams {
                num_iterations: 100,
                learning_rate: 0.05,
                early_stopping_rounds: 0,
                ..trees
            },
            ridge_alpha: 1000.0,
            elastic_net,
            walk_forward,
            features: FeatureSpec::default(),
            stacking_prior_share: stacking_prior_share(),
            signal: SignalPolicy::default(),
            seed,
            costs: CostModel::default(),
        }
    }
}

/// Forecasts of returns are small beside what comes, so that their errors tell little of who is
/// better: the prior counts as much as all that the forecasts themselves vary.
const fn stacking_prior_share() -> f64 {
    1.0
}

fn is_usual_prior_share(share: &f64) -> bool {
    share.to_bits() == stacking_prior_share().to_bits()
}
