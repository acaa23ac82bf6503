//! A trial as its objective sees it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::desk::Desk;
use super::{FIXED_PARAMS, TrialEnd};
use crate::search_space::{Choice, Distribution, ParamValue};
use crate::study::storage::StudyStorage;
use crate::study::{FrozenTrial, Param};

/// A trial that runs: gives its parameters and takes its reports.
pub struct Trial<'a> {
    storage: &'a dyn StudyStorage,
    desk: &'a Mutex<Desk>,
    cancelled: &'a AtomicBool,
    /// As this worker knows it.
    trial: FrozenTrial,
    /// What people see of the parameters that the trial was enqueued with.
    fixed: BTreeMap<String, Value>,
    proposed: BTreeMap<String, Param>,
}

impl<'a> Trial<'a> {
    pub(super) fn new(
        storage: &'a dyn StudyStorage,
        desk: &'a Mutex<Desk>,
        cancelled: &'a AtomicBool,
        trial: &Arc<FrozenTrial>,
        proposed: BTreeMap<String, Param>,
    ) -> Self {
        let fixed = trial.system_attrs.get(FIXED_PARAMS).and_then(Value::as_object);
        let fixed = fixed.map(|map| map.clone().into_iter().collect()).unwrap_or_default();
        Self { storage, desk, cancelled, trial: FrozenTrial::clone(trial), fixed, proposed }
    }

    /// Its number within the study.
    pub const fn number(&self) -> u64 {
        self.trial.number
    }

    /// The parameters that it has been asked for.
    pub const fn params(&self) -> &BTreeMap<String, Param> {
        &self.trial.params
    }

    pub(super) const fn frozen(&self) -> &FrozenTrial {
        &self.trial
    }

    /// The value of the parameter `name`; asked again, the same.
    ///
    /// # Errors
    ///
    /// [`TrialEnd::Failed`] when `distribution` makes no sense, or the study has a parameter of that
    /// name and another kind; [`TrialEnd::Storage`].
    ///
    /// # Panics
    ///
    /// Never: what is sampled is a value of the distribution.
    pub fn suggest(
        &mut self,
        name: &str,
        distribution: &Distribution,
    ) -> Result<ParamValue, TrialEnd> {
        let internal = self.internal(name, distribution)?;
        Ok(distribution.value(internal).expect("a value of the distribution"))
    }

    /// A real number between `low` and `high`.
    ///
    /// # Errors
    ///
    /// As [`Trial::suggest`].
    pub fn suggest_float(&mut self, name: &str, low: f64, high: f64) -> Result<f64, TrialEnd> {
        self.internal(name, &Distribution::float(low, high))
    }

    /// The same, where orders of magnitude count alike.
    ///
    /// # Errors
    ///
    /// As [`Trial::suggest`].
    pub fn suggest_log_float(&mut self, name: &str, low: f64, high: f64) -> Result<f64, TrialEnd> {
        self.internal(name, &Distribution::log_float(low, high))
    }

    /// A whole number from `low` to `high`.
    ///
    /// # Errors
    ///
    /// As [`Trial::suggest`].
    pub fn suggest_int(&mut self, name: &str, low: i64, high: i64) -> Result<i64, TrialEnd> {
        self.internal(name, &Distribution::int(low, high)).map(whole)
    }

    /// The same, where orders of magnitude count alike.
    ///
    /// # Errors
    ///
    /// As [`Trial::suggest`].
    pub fn suggest_log_int(&mut self, name: &str, low: i64, high: i64) -> Result<i64, TrialEnd> {
        self.internal(name, &Distribution::log_int(low, high)).map(whole)
    }

    /// The place of one of `choices`.
    ///
    /// # Errors
    ///
    /// As [`Trial::suggest`].
    ///
    /// # Panics
    ///
    /// Never: the internal value of a category is a place.
    pub fn suggest_choice<C: Into<Choice>>(
        &mut self,
        name: &str,
        choices: impl IntoIterator<Item = C>,
    ) -> Result<usize, TrialEnd> {
        let internal = self.internal(name, &Distribution::categorical(choices))?;
        Ok(usize::try_from(whole(internal)).expect("a place among the choices"))
    }

    fn internal(&mut self, name: &str, distribution: &Distribution) -> Result<f64, TrialEnd> {
        distribution.check().map_err(|error| TrialEnd::Failed(format!("{name}: {error}")))?;
        if let Some(param) = self.trial.params.get(name)
            && param.distribution.is_compatible_with(distribution)
            && distribution.contains(param.internal)
        {
            return Ok(param.internal);
        }
        let internal = self
            .fixed_value(name, distribution)
            .or_else(|| self.proposed_value(name, distribution))
            .unwrap_or_else(|| self.sampled_value(name, distribution));
        let param = Param { distribution: distribution.clone(), internal };
        self.storage.set_param(self.trial.id, name, &param)?;
        self.trial.params.insert(name.to_owned(), param);
        Ok(internal)
    }

    fn fixed_value(&self, name: &str, distribution: &Distribution) -> Option<f64> {
        let value = self.fixed.get(name)?.clone();
        distribution.internal(&serde_json::from_value(value).ok()?)
    }

    fn proposed_value(&self, name: &str, distribution: &Distribution) -> Option<f64> {
        let param = self.proposed.get(name)?;
        let fits = param.distribution.is_compatible_with(distribution)
            && distribution.contains(param.internal);
        fits.then_some(param.internal)
    }

    fn sampled_value(&self, name: &str, distribution: &Distribution) -> f64 {
        if let (true, Some(only)) = (distribution.is_single(), lowest(distribution)) {
            return only;
        }
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let Desk { history, sampler, .. } = &mut *desk;
        sampler.sample(history, &self.trial, name, distribution)
    }

    /// Remembers a value on the way, by which the trial may be pruned; at one step the last counts.
    ///
    /// # Errors
    ///
    /// [`TrialEnd::Storage`].
    pub fn report(&mut self, step: u64, value: f64) -> Result<(), TrialEnd> {
        self.storage.report(self.trial.id, step, value)?;
        self.trial.intermediate_values.insert(step, value);
        Ok(())
    }

    /// Whether the pruner would stop the trial after its last report; the objective then ends it with
    /// [`TrialEnd::Pruned`].
    ///
    /// # Errors
    ///
    /// [`TrialEnd::Storage`].
    pub fn should_prune(&mut self) -> Result<bool, TrialEnd> {
        let verdict = {
            let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
            desk.refresh(self.storage)?;
            let Desk { history, pruner, .. } = &mut *desk;
            pruner.review(history, &self.trial)
        };
        for (key, value) in verdict.system_attrs {
            self.storage.set_trial_system_attr(self.trial.id, &key, &value)?;
            self.trial.system_attrs.insert(key, value);
        }
        Ok(verdict.prune)
    }

    /// Whether the run was cancelled: an objective that takes long asks, and gives up with
    /// [`TrialEnd::Interrupted`].
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Remembers something of the trial.
    ///
    /// # Errors
    ///
    /// [`TrialEnd::Storage`].
    pub fn set_user_attr(&mut self, key: &str, value: &Value) -> Result<(), TrialEnd> {
        self.storage.set_trial_user_attr(self.trial.id, key, value)?;
        self.trial.user_attrs.insert(key.to_owned(), value.clone());
        Ok(())
    }
}

impl fmt::Debug for Trial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial").field("trial", &self.trial).finish_non_exhaustive()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the internal value of a whole number")]
fn whole(internal: f64) -> i64 {
    internal as i64
}

/// The lowest value, internally.
#[expect(clippy::cast_precision_loss, reason = "whole numbers of parameters are below 2^53")]
fn lowest(distribution: &Distribution) -> Option<f64> {
    Some(match distribution {
        Distribution::Float { low, .. } => *low,
        Distribution::Int { low, .. } => *low as f64,
        Distribution::Categorical { choices } if choices.is_empty() => return None,
        Distribution::Categorical { .. } => 0.0,
    })
}
