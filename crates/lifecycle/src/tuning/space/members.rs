//! What a study may change of each member.

use bist_models::prophet::{Effect, Seasonality};
use bist_models::{ElasticNet, LstmParams, Objective, ProphetParams};

use super::Knob;
use crate::search_space::Distribution;
use crate::training::TrainingSpec;

/// Where the loss becomes linear until a study says otherwise: a usual return over some sessions.
const HUBER_ALPHA: f64 = 0.05;

/// Prophet's name of the yearly curve.
const YEARLY: &str = "yearly";

/// LightGBM's names. Bagging and early stopping have a number only where they are used.
pub(super) fn of_trees() -> Vec<Knob> {
    vec![
        Knob::float(
            "learning_rate",
            Distribution::log_float(0.005, 0.2),
            |spec| spec.members.gbdt.learning_rate,
            |spec, value| {
                spec.members.gbdt.learning_rate = value;
                Ok(())
            },
        ),
        Knob::int(
            "num_iterations",
            Distribution::log_int(50, 600),
            |spec| spec.members.gbdt.num_iterations,
            |spec, count| spec.members.gbdt.num_iterations = count,
        ),
        Knob::int(
            "num_leaves",
            Distribution::log_int(2, 32),
            |spec| spec.members.gbdt.num_leaves,
            |spec, count| spec.members.gbdt.num_leaves = count,
        ),
        Knob::int(
            "min_data_in_leaf",
            Distribution::log_int(50, 2000),
            |spec| spec.members.gbdt.min_data_in_leaf,
            |spec, count| spec.members.gbdt.min_data_in_leaf = count,
        ),
        Knob::float(
            "lambda_l2",
            Distribution::log_float(0.1, 100.0),
            |spec| spec.members.gbdt.lambda_l2,
            |spec, value| {
                spec.members.gbdt.lambda_l2 = value;
                Ok(())
            },
        ),
        Knob::float(
            "feature_fraction",
            Distribution::float(0.2, 1.0),
            |spec| spec.members.gbdt.feature_fraction,
            |spec, value| {
                spec.members.gbdt.feature_fraction = value;
                Ok(())
            },
        ),
        Knob::flag(
            "bagging",
            |spec| spec.members.gbdt.bagging_freq > 0,
            |spec, used| spec.members.gbdt.bagging_freq = u32::from(used),
        ),
        Knob::float(
            "bagging_fraction",
            Distribution::float(0.4, 0.95),
            |spec| spec.members.gbdt.bagging_fraction,
            |spec, value| {
                spec.members.gbdt.bagging_fraction = value;
                Ok(())
            },
        )
        .only_if(|spec| spec.members.gbdt.bagging_freq > 0),
        Knob::flag(
            "early_stopping",
            |spec| spec.members.gbdt.early_stopping_rounds > 0,
            |spec, used| spec.members.gbdt.early_stopping_rounds = u32::from(used),
        ),
        Knob::int(
            "early_stopping_rounds",
            Distribution::int(10, 100),
            |spec| spec.members.gbdt.early_stopping_rounds,
            |spec, count| spec.members.gbdt.early_stopping_rounds = count,
        )
        .only_if(|spec| spec.members.gbdt.early_stopping_rounds > 0),
        Knob::word(
            "objective",
            &["regression", "huber", "quantile", "lambdarank"],
            |spec| word_of(spec.members.gbdt.objective),
            |spec, word| {
                let objective = objective_of(word);
                if let Some(objective) = objective {
                    spec.members.gbdt.objective = objective;
                }
                objective.is_some()
            },
        ),
        Knob::float(
            "huber_alpha",
            Distribution::log_float(0.005, 0.2),
            |spec| match spec.members.gbdt.objective {
                Objective::Huber { alpha } => alpha,
                Objective::Regression
                | Objective::Quantile { .. }
                | Objective::Binary
                | Objective::Lambdarank => HUBER_ALPHA,
            },
            |spec, alpha| {
                spec.members.gbdt.objective = Objective::Huber { alpha };
                Ok(())
            },
        )
        .only_if(|spec| matches!(spec.members.gbdt.objective, Objective::Huber { .. })),
    ]
}

/// The objective of that name, of those by which a return or an order of returns is forecast; the
/// quantile is the median.
fn objective_of(word: &str) -> Option<Objective> {
    Some(match word {
        "regression" => Objective::Regression,
        "huber" => Objective::Huber { alpha: HUBER_ALPHA },
        "quantile" => Objective::Quantile { alpha: 0.5 },
        "lambdarank" => Objective::Lambdarank,
        _ => return None,
    })
}

fn word_of(objective: Objective) -> &'static str {
    match objective {
        Objective::Regression => "regression",
        Objective::Huber { .. } => "huber",
        Objective::Quantile { .. } => "quantile",
        Objective::Binary => "binary",
        Objective::Lambdarank => "lambdarank",
    }
}

pub(super) fn of_elastic_net() -> Vec<Knob> {
    fn params(spec: &TrainingSpec) -> ElasticNet {
        spec.members.elastic_net.unwrap_or(spec.elastic_net)
    }
    fn change(spec: &mut TrainingSpec, change: impl FnOnce(&mut ElasticNet)) {
        change(spec.members.elastic_net.get_or_insert(spec.elastic_net));
    }
    vec![
        Knob::float(
            "alpha",
            Distribution::log_float(1e-5, 0.1),
            |spec| params(spec).alpha,
            |spec, value| {
                change(spec, |params| params.alpha = value);
                Ok(())
            },
        ),
        Knob::float(
            "l1_ratio",
            Distribution::float(0.0, 1.0),
            |spec| params(spec).l1_ratio,
            |spec, value| {
                change(spec, |params| params.l1_ratio = value);
                Ok(())
            },
        ),
    ]
}

pub(super) fn of_lstm() -> Vec<Knob> {
    fn params(spec: &TrainingSpec) -> LstmParams {
        spec.members.lstm.unwrap_or_default()
    }
    fn change(spec: &mut TrainingSpec, change: impl FnOnce(&mut LstmParams)) {
        change(spec.members.lstm.get_or_insert_default());
    }
    vec![
        Knob::int(
            "steps",
            Distribution::log_int(5, 40),
            |spec| params(spec).steps,
            |spec, count| change(spec, |params| params.steps = count),
        ),
        Knob::int(
            "layers",
            Distribution::int(1, 2),
            |spec| params(spec).layers,
            |spec, count| change(spec, |params| params.layers = count),
        ),
        Knob::int(
            "hidden",
            Distribution::log_int(8, 64),
            |spec| params(spec).hidden,
            |spec, count| change(spec, |params| params.hidden = count),
        ),
        Knob::int(
            "embedding",
            Distribution::int(0, 8),
            |spec| params(spec).embedding,
            |spec, count| change(spec, |params| params.embedding = count),
        ),
        Knob::float(
            "dropout",
            Distribution::float(0.0, 0.5),
            |spec| params(spec).dropout,
            |spec, value| {
                change(spec, |params| params.dropout = value);
                Ok(())
            },
        ),
        Knob::float(
            "learning_rate",
            Distribution::log_float(1e-4, 1e-2),
            |spec| params(spec).learning_rate,
            |spec, value| {
                change(spec, |params| params.learning_rate = value);
                Ok(())
            },
        ),
        Knob::float(
            "weight_decay",
            Distribution::log_float(1e-4, 0.1),
            |spec| params(spec).weight_decay,
            |spec, value| {
                change(spec, |params| params.weight_decay = value);
                Ok(())
            },
        ),
        Knob::int(
            "early_stopping_epochs",
            Distribution::int(1, 4),
            |spec| params(spec).early_stopping_epochs,
            |spec, count| change(spec, |params| params.early_stopping_epochs = count),
        ),
    ]
}

/// The yearly curve has an order only where there is one.
pub(super) fn of_prophet() -> Vec<Knob> {
    fn read<T>(spec: &TrainingSpec, read: impl FnOnce(&ProphetParams) -> T) -> T {
        match &spec.members.prophet {
            Some(params) => read(params),
            None => read(&ProphetParams::default()),
        }
    }
    fn change(spec: &mut TrainingSpec, change: impl FnOnce(&mut ProphetParams)) {
        change(spec.members.prophet.get_or_insert_default());
    }
    fn yearly(params: &ProphetParams) -> Option<&Seasonality> {
        params.seasonalities.iter().find(|curve| curve.name == YEARLY)
    }
    vec![
        Knob::float(
            "changepoint_prior_scale",
            Distribution::log_float(0.001, 0.5),
            |spec| read(spec, |params| params.changepoint_prior_scale),
            |spec, value| {
                change(spec, |params| params.changepoint_prior_scale = value);
                Ok(())
            },
        ),
        Knob::int(
            "n_changepoints",
            Distribution::int(5, 50),
            |spec| read(spec, |params| params.n_changepoints.into()),
            |spec, count| {
                change(spec, |params| {
                    params.n_changepoints = u16::try_from(count).unwrap_or(u16::MAX);
                });
            },
        ),
        Knob::float(
            "changepoint_range",
            Distribution::float(0.6, 0.95),
            |spec| read(spec, |params| params.changepoint_range),
            |spec, value| {
                change(spec, |params| params.changepoint_range = value);
                Ok(())
            },
        ),
        Knob::flag(
            "yearly_seasonality",
            |spec| read(spec, |params| yearly(params).is_some()),
            |spec, used| {
                change(spec, |params| {
                    if !used {
                        params.seasonalities.retain(|curve| curve.name != YEARLY);
                    } else if yearly(params).is_none() {
                        params.seasonalities.insert(0, Seasonality::yearly());
                    }
                });
            },
        ),
        Knob::int(
            "yearly_order",
            Distribution::int(2, 12),
            |spec| {
                read(spec, |params| yearly(params).map_or(0, |curve| curve.fourier_order.into()))
            },
            |spec, count| {
                change(spec, |params| {
                    let order = u16::try_from(count).unwrap_or(u16::MAX);
                    let curves = params.seasonalities.iter_mut();
                    for curve in curves.filter(|curve| curve.name == YEARLY) {
                        curve.fourier_order = order;
                    }
                });
            },
        )
        .only_if(|spec| read(spec, |params| yearly(params).is_some())),
        Knob::flag(
            "holidays",
            |spec| read(spec, |params| params.holidays.is_some()),
            |spec, used| change(spec, |params| params.holidays = used.then(Effect::default)),
        ),
    ]
}
