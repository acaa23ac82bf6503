//! The networks of a trial learn side by side, so that one that promises little ends early.

use bist_models::{FittedLstm, LstmTraining};
use serde_json::json;

use crate::rank_ic::mean;
use crate::study::{Trial, TrialEnd};
use crate::walk_forward::Fold;

/// The user attribute with the number of epochs that the networks of a trial were trained for, over
/// all folds.
pub const EPOCHS_ATTR: &str = "bist:epochs";

/// Trains the network of each fold, all of them for one epoch before any begins the next.
///
/// After each epoch the trial reports the mean daily rank information coefficient on the validation
/// rows of all folds, by the weights that each network keeps as things stand: a few epochs of all
/// folds tell more than many of the first one, whose validation days are few. `daily_rank_ics` gives
/// the coefficients of the validation days of a fold by what is forecast for its validation rows.
///
/// # Errors
///
/// As [`go_on`].
pub(super) fn learn_side_by_side<'f>(
    folds: Vec<(&'f Fold, LstmTraining)>,
    trial: &mut Trial<'_>,
    daily_rank_ics: impl Fn(&Fold, &[f64]) -> Vec<f64>,
) -> Result<Vec<(&'f Fold, FittedLstm)>, TrialEnd> {
    let mut learning: Vec<Learning<'f>> = folds
        .into_iter()
        .map(|(fold, training)| Learning { fold, training, kept: Vec::new() })
        .collect();
    let mut trained_count = 0_u64;
    for step in 1.. {
        let before = trained_count;
        for of_fold in &mut learning {
            trained_count += u64::from(of_fold.go_on(&daily_rank_ics));
            if trial.is_cancelled() {
                return Err(TrialEnd::Interrupted);
            }
        }
        if trained_count == before {
            break;
        }
        trial.set_user_attr(EPOCHS_ATTR, &json!(trained_count))?;
        let daily: Vec<f64> = learning.iter().flat_map(|of_fold| &of_fold.kept).copied().collect();
        go_on(trial, step, mean(&daily))?;
    }
    Ok(learning.into_iter().map(|of_fold| (of_fold.fold, of_fold.training.finish())).collect())
}

/// The network of one fold.
struct Learning<'f> {
    fold: &'f Fold,
    training: LstmTraining,
    /// The coefficients of its validation days, by the weights that it keeps.
    kept: Vec<f64>,
}

impl Learning<'_> {
    /// Trains one more epoch; false when it is over.
    fn go_on(&mut self, daily_rank_ics: impl Fn(&Fold, &[f64]) -> Vec<f64>) -> bool {
        let Some(epoch) = self.training.epoch() else { return false };
        if epoch.is_best {
            self.kept = daily_rank_ics(self.fold, &epoch.validation);
        }
        true
    }
}

/// Reports `value` on the way.
///
/// # Errors
///
/// [`TrialEnd::Pruned`] when it promises little, [`TrialEnd::Interrupted`] when the run is cancelled,
/// and [`TrialEnd::Storage`].
pub(super) fn go_on(trial: &mut Trial<'_>, step: u64, value: f64) -> Result<(), TrialEnd> {
    trial.report(step, value)?;
    if trial.should_prune()? {
        return Err(TrialEnd::Pruned);
    }
    match trial.is_cancelled() {
        true => Err(TrialEnd::Interrupted),
        false => Ok(()),
    }
}
