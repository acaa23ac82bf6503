//! What a study may change of each part, and within which bounds.

mod members;

use std::collections::BTreeMap;

use bist_models::{FeatureSpecError, FeatureWindow};
use bist_trading::{PolicyError, SignalPolicy};

use super::Part;
use crate::search_space::{Choice, Distribution, ParamValue};
use crate::training::TrainingSpec;

/// One thing that a study may change of a configuration.
#[derive(Clone, Debug)]
pub struct Knob {
    /// The name of the parameter.
    pub name: &'static str,
    /// What it may be.
    pub distribution: Distribution,
    /// Whether it means anything, given what was chosen before it.
    asked: fn(&TrainingSpec) -> bool,
    access: Access,
}

/// How a value is read from a configuration, and put into one.
#[derive(Clone, Copy, Debug)]
enum Access {
    Float(fn(&TrainingSpec) -> f64, fn(&mut TrainingSpec, f64) -> Result<(), SpaceError>),
    Int(fn(&TrainingSpec) -> u32, fn(&mut TrainingSpec, u32)),
    Flag(fn(&TrainingSpec) -> bool, fn(&mut TrainingSpec, bool)),
    /// One of a few words; says whether the word is one.
    Word(fn(&TrainingSpec) -> &'static str, fn(&mut TrainingSpec, &str) -> bool),
    Window(FeatureWindow),
}

/// Why parameters make no configuration.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpaceError {
    /// A parameter that the part needs is not there.
    #[error("there is no parameter '{0}'")]
    Missing(String),
    /// A parameter of another kind.
    #[error("the parameter '{name}' cannot be {value}")]
    Kind {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: ParamValue,
    },
    /// A window outside its range.
    #[error(transparent)]
    Window(#[from] FeatureSpecError),
    /// A threshold outside its range.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// What a study of `part` may change, in the order in which it is asked: what a later one means may
/// depend on an earlier one.
pub fn knobs(part: Part) -> Vec<Knob> {
    match part {
        Part::Trees => members::of_trees(),
        Part::ElasticNet => members::of_elastic_net(),
        Part::Lstm => members::of_lstm(),
        Part::Prophet => members::of_prophet(),
        Part::Features => of_features(),
        Part::Ensemble => of_ensemble(),
        Part::Signal => of_signal(),
    }
}

/// `base` with the values that `ask` gives for the parameters of `part`; what means nothing, given
/// the others, is not asked for and stays as it is in `base`.
///
/// # Errors
///
/// Those of `ask`, and [`SpaceError`] when a value cannot be.
pub fn spec_of<E: From<SpaceError>>(
    part: Part,
    base: &TrainingSpec,
    ask: &mut dyn FnMut(&str, &Distribution) -> Result<ParamValue, E>,
) -> Result<TrainingSpec, E> {
    let mut spec = base.clone();
    for knob in knobs(part) {
        if (knob.asked)(&spec) {
            knob.turn(&mut spec, ask(knob.name, &knob.distribution)?)?;
        }
    }
    Ok(spec)
}

/// The values of the parameters of `part` in `spec`.
pub fn values_of(part: Part, spec: &TrainingSpec) -> BTreeMap<String, ParamValue> {
    let asked = knobs(part).into_iter().filter(|knob| (knob.asked)(spec));
    asked.map(|knob| (knob.name.to_owned(), knob.value(spec))).collect()
}

impl Knob {
    fn value(&self, spec: &TrainingSpec) -> ParamValue {
        match self.access {
            Access::Float(get, _) => ParamValue::Float(get(spec)),
            Access::Int(get, _) => ParamValue::Int(get(spec).into()),
            Access::Flag(get, _) => ParamValue::Choice(Choice::Bool(get(spec))),
            Access::Word(get, _) => ParamValue::Choice(get(spec).into()),
            Access::Window(window) => ParamValue::Int(spec.features.window(window).into()),
        }
    }

    fn turn(&self, spec: &mut TrainingSpec, value: ParamValue) -> Result<(), SpaceError> {
        let wrong = |value| Err(SpaceError::Kind { name: self.name, value });
        match (self.access, value) {
            (Access::Float(_, set), ParamValue::Float(value)) => set(spec, value),
            (Access::Flag(_, set), ParamValue::Choice(Choice::Bool(value))) => {
                set(spec, value);
                Ok(())
            }
            (Access::Word(_, set), ParamValue::Choice(Choice::Text(word))) => {
                if set(spec, &word) {
                    Ok(())
                } else {
                    wrong(ParamValue::Choice(Choice::Text(word)))
                }
            }
            (Access::Int(_, set), ParamValue::Int(value)) => match u32::try_from(value) {
                Ok(count) => {
                    set(spec, count);
                    Ok(())
                }
                Err(_) => wrong(ParamValue::Int(value)),
            },
            (Access::Window(window), ParamValue::Int(value)) => match u16::try_from(value) {
                Ok(bars_count) => {
                    spec.features = spec.features.with(window, bars_count)?;
                    Ok(())
                }
                Err(_) => wrong(ParamValue::Int(value)),
            },
            (_, value) => wrong(value),
        }
    }

    const fn only_if(mut self, asked: fn(&TrainingSpec) -> bool) -> Self {
        self.asked = asked;
        self
    }

    fn float(
        name: &'static str,
        distribution: Distribution,
        get: fn(&TrainingSpec) -> f64,
        set: fn(&mut TrainingSpec, f64) -> Result<(), SpaceError>,
    ) -> Self {
        Self { name, distribution, asked: |_| true, access: Access::Float(get, set) }
    }

    fn int(
        name: &'static str,
        distribution: Distribution,
        get: fn(&TrainingSpec) -> u32,
        set: fn(&mut TrainingSpec, u32),
    ) -> Self {
        Self { name, distribution, asked: |_| true, access: Access::Int(get, set) }
    }

    fn flag(
        name: &'static str,
        get: fn(&TrainingSpec) -> bool,
        set: fn(&mut TrainingSpec, bool),
    ) -> Self {
        let distribution = Distribution::categorical([false, true]);
        Self { name, distribution, asked: |_| true, access: Access::Flag(get, set) }
    }

    fn word(
        name: &'static str,
        words: &[&'static str],
        get: fn(&TrainingSpec) -> &'static str,
        set: fn(&mut TrainingSpec, &str) -> bool,
    ) -> Self {
        let distribution = Distribution::categorical(words.iter().copied());
        Self { name, distribution, asked: |_| true, access: Access::Word(get, set) }
    }
}

fn of_features() -> Vec<Knob> {
    let of_window = |window: FeatureWindow| {
        let (low, high) = (*window.range().start(), *window.range().end());
        Knob {
            name: window.name(),
            distribution: Distribution::log_int(low.into(), high.into()),
            asked: |_| true,
            access: Access::Window(window),
        }
    };
    FeatureWindow::ALL.map(of_window).into()
}

/// A member that the base lacks is not asked for.
fn of_ensemble() -> Vec<Knob> {
    vec![
        Knob::float(
            "stacking_prior_share",
            Distribution::log_float(0.01, 100.0),
            |spec| spec.stacking_prior_share,
            |spec, value| {
                spec.stacking_prior_share = value;
                Ok(())
            },
        ),
        Knob::flag(
            "with_elastic_net",
            |spec| spec.members.elastic_net.is_some(),
            |spec, used| spec.members.elastic_net = spec.members.elastic_net.filter(|_| used),
        )
        .only_if(|spec| spec.members.elastic_net.is_some()),
        Knob::flag(
            "with_lstm",
            |spec| spec.members.lstm.is_some(),
            |spec, used| spec.members.lstm = spec.members.lstm.filter(|_| used),
        )
        .only_if(|spec| spec.members.lstm.is_some()),
        Knob::flag(
            "with_prophet",
            |spec| spec.members.prophet.is_some(),
            |spec, used| spec.members.prophet = spec.members.prophet.take().filter(|_| used),
        )
        .only_if(|spec| spec.members.prophet.is_some()),
    ]
}

fn of_signal() -> Vec<Knob> {
    vec![
        Knob::float(
            "costs_multiple",
            Distribution::float(1.0, 5.0),
            |spec| spec.signal.costs_multiple(),
            |spec, value| {
                spec.signal = SignalPolicy::new(value, spec.signal.band_level())?;
                Ok(())
            },
        ),
        Knob::float(
            "band_level",
            Distribution::float(0.5, 0.95),
            |spec| spec.signal.band_level(),
            |spec, value| {
                spec.signal = SignalPolicy::new(spec.signal.costs_multiple(), value)?;
                Ok(())
            },
        ),
    ]
}

#[cfg(test)]
mod tests {
    use bist_models::Objective;

    use super::*;
    use crate::horizons::HORIZON_DEFAULT;

    fn base() -> TrainingSpec {
        TrainingSpec::of(HORIZON_DEFAULT, 7)
    }

    #[test]
    fn the_default_configuration_lies_in_the_space_of_every_part_and_is_made_from_its_values() {
        for part in Part::ALL {
            let values = values_of(part, &base());
            let mut asked_count = 0;
            let made = spec_of::<SpaceError>(part, &base(), &mut |name, distribution| {
                distribution.check().unwrap();
                asked_count += 1;
                let value = values[name].clone();
                let internal = distribution.internal(&value);
                assert!(internal.is_some_and(|internal| distribution.contains(internal)), "{name}");
                Ok(value)
            });
            assert_eq!(made.unwrap(), base(), "{part}");
            assert_eq!(asked_count, values.len(), "{part}");
        }
    }

    #[test]
    fn what_means_nothing_is_not_asked() {
        let asked = |part: Part, off: &[&str]| -> Vec<String> {
            let mut names = Vec::new();
            let values = values_of(part, &base());
            spec_of::<SpaceError>(part, &base(), &mut |name, _| {
                names.push(name.to_owned());
                let off = off.contains(&name);
                Ok(if off { ParamValue::Choice(Choice::Bool(false)) } else { values[name].clone() })
            })
            .unwrap();
            names
        };
        let trees = asked(Part::Trees, &["bagging", "early_stopping"]);
        assert!(!trees.contains(&"bagging_fraction".to_owned()));
        assert!(!trees.contains(&"early_stopping_rounds".to_owned()));
        assert!(asked(Part::Trees, &[]).contains(&"bagging_fraction".to_owned()));
        assert!(!asked(Part::Trees, &[]).contains(&"huber_alpha".to_owned()));
        let prophet = asked(Part::Prophet, &["yearly_seasonality"]);
        assert!(!prophet.contains(&"yearly_order".to_owned()));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let refused = |part: Part, value: ParamValue| {
            spec_of::<SpaceError>(part, &base(), &mut |_, _| Ok(value.clone())).unwrap_err()
        };
        let error = refused(Part::Trees, ParamValue::Int(3)).to_string();
        assert_eq!(error, "the parameter 'learning_rate' cannot be 3");
        let error = refused(Part::Features, ParamValue::Int(1)).to_string();
        assert_eq!(error, "the window return_long is 1 bars, and must be 30 to 250");
        let error = refused(Part::Signal, ParamValue::Float(0.0)).to_string();
        assert_eq!(error, "costs_multiple is 0, and must be 1 to 10");
    }

    #[test]
    fn trees_may_be_trained_for_each_objective_that_gives_a_return_or_an_order() {
        for (word, objective) in [
            ("regression", Objective::Regression),
            ("huber", Objective::Huber { alpha: 0.04 }),
            ("quantile", Objective::Quantile { alpha: 0.5 }),
            ("lambdarank", Objective::Lambdarank),
        ] {
            let values = values_of(Part::Trees, &base());
            let spec = spec_of::<SpaceError>(Part::Trees, &base(), &mut |name, _| {
                Ok(match name {
                    "objective" => ParamValue::Choice(word.into()),
                    "huber_alpha" => ParamValue::Float(0.04),
                    name => values[name].clone(),
                })
            });
            assert_eq!(spec.unwrap().members.gbdt.objective, objective);
        }
        let refused = spec_of::<SpaceError>(Part::Trees, &base(), &mut |name, _| {
            let values = values_of(Part::Trees, &base());
            Ok(if name == "objective" {
                ParamValue::Choice("binary".into())
            } else {
                values[name].clone()
            })
        });
        let sentence = refused.unwrap_err().to_string();
        assert_eq!(sentence, "the parameter 'objective' cannot be binary");
    }

    #[test]
    fn a_member_that_is_left_out_takes_no_part() {
        let spec = spec_of::<SpaceError>(Part::Ensemble, &base(), &mut |name, _| {
            Ok(match name {
                "stacking_prior_share" => ParamValue::Float(2.0),
                _ => ParamValue::Choice(Choice::Bool(name != "with_lstm")),
            })
        });
        let members = spec.unwrap().members;
        assert!(members.lstm.is_none());
        assert!(members.elastic_net.is_some() && members.prophet.is_some());
    }
}
