//! The rule of an experiment, declared before anything is seen.

use bist_models::Horizon;
use serde::{Deserialize, Serialize};

use super::blocks::Blocks;
use super::design_error::{DesignError, check};
use super::metric::Metric;
use crate::forecast::sha256_hex;
use crate::rank_ic::count;

/// Most challengers of an experiment.
pub const CHALLENGERS_MAX: usize = 8;

/// Fewest blocks of independent days before anything is decided, see [`Blocks`].
pub const BLOCKS_MIN: u32 = 5;

/// How the name of an experiment ends that watches a champion that was replaced.
pub const WATCH_SUFFIX: &str = "-watch";

/// What is compared, by what, and when which decision is made.
///
/// It is a plain document; [`DeclaredExperiment`] is one that passed the checks and can be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentDesign {
    /// Its name; another name gives another assignment.
    pub id: String,
    /// How far ahead the forecasts look that are compared.
    pub horizon: Horizon,
    /// The version in force.
    pub champion: String,
    /// The versions that want its place, 1..=8.
    pub challengers: Vec<String>,
    /// Who forecasts what, and what is shown.
    pub mode: Mode,
    /// What decides.
    pub metric: Metric,
    /// The probability that anything is ever said of any challenger by the metric that is not so,
    /// however often one looks.
    #[serde(default = "error_level_default")]
    pub error_level: f64,
    /// Judged days before anything is decided; a broken guardrail need not wait.
    pub days_min: u32,
    /// Judged days after which it ends without a decision.
    pub days_max: u32,
    /// A challenger is promoted when it is certain to improve the metric by more than this, in the
    /// unit of the metric.
    #[serde(default)]
    pub improvement_min: f64,
    /// Other metrics that a challenger must not spoil.
    #[serde(default)]
    pub guardrails: Vec<Guardrail>,
    /// What is known of a day or unit beforehand and is taken off by CUPED.
    #[serde(default)]
    pub covariate: Option<Covariate>,
    /// In shadow mode, the share of the days' units that may lack a forecast of any one arm before
    /// the experiment is invalid.
    #[serde(default = "missing_share_max_default")]
    pub missing_share_max: f64,
    /// Judged days over which a champion that is replaced is watched beside the one that took its
    /// place, so that it comes back by the same rule, see [`DeclaredExperiment::watch`]; zero for
    /// none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub watch_days: u32,
}

/// Who forecasts what, and what is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mode {
    /// All arms forecast for every unit, the champion is shown; they are compared on the same units.
    /// An arm that was stopped need not forecast any longer.
    Shadow,
    /// Every unit belongs to one arm, in proportion to the weights. The units of an arm that was
    /// stopped leave the experiment: they are shown the champion and nothing is logged.
    Split {
        /// The weights of the champion and then of the challengers, each above zero.
        weights: Vec<u32>,
    },
}

/// A metric that a challenger must not spoil.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guardrail {
    /// Which.
    pub metric: Metric,
    /// By how much it may be worse than the champion, in the unit of the metric. The challenger is
    /// stopped when it is certain to be worse by more, and not promoted while it seems to be, or while
    /// nobody can tell because the metric was not measured.
    pub loss_max: f64,
}

/// What is known of a day or unit before its forecast, see [`super::Exposure::covariate`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covariate {
    /// What it is, in words.
    pub name: String,
    /// Its mean before the experiment. In shadow mode the improvement that is judged is that at this
    /// mean; in split mode arms are compared with each other and it does not count.
    pub mean: f64,
}

const fn error_level_default() -> f64 {
    0.05
}

const fn missing_share_max_default() -> f64 {
    0.01
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over by reference")]
const fn is_zero(days: &u32) -> bool {
    *days == 0
}

impl ExperimentDesign {
    /// Checks the rule, after which it cannot be changed.
    ///
    /// # Errors
    ///
    /// [`DesignError`] tells the first field that makes no sense, why, and what to do.
    ///
    /// # Panics
    ///
    /// Never: a design has no maps with keys that JSON cannot hold.
    pub fn declare(self) -> Result<DeclaredExperiment, DesignError> {
        check(&self)?;
        let sha256 = sha256_hex(&serde_json::to_vec(&self).expect("a design is plain data"));
        Ok(DeclaredExperiment { design: self, sha256 })
    }
}

/// A rule that passed its checks; there is no way to change it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ExperimentDesign", into = "ExperimentDesign")]
pub struct DeclaredExperiment {
    design: ExperimentDesign,
    sha256: String,
}

impl TryFrom<ExperimentDesign> for DeclaredExperiment {
    type Error = DesignError;

    fn try_from(design: ExperimentDesign) -> Result<Self, DesignError> {
        design.declare()
    }
}

impl From<DeclaredExperiment> for ExperimentDesign {
    fn from(declared: DeclaredExperiment) -> Self {
        declared.design
    }
}

impl DeclaredExperiment {
    /// The rule.
    pub const fn design(&self) -> &ExperimentDesign {
        &self.design
    }

    /// SHA-256 of the rule as JSON, in lower-case hexadecimal: another rule has another one.
    pub fn design_sha256(&self) -> &str {
        &self.sha256
    }

    /// The versions that forecast: the champion, then the challengers in their order.
    pub fn arms(&self) -> impl Iterator<Item = &str> {
        let challengers = self.design.challengers.iter().map(String::as_str);
        std::iter::once(self.design.champion.as_str()).chain(challengers)
    }

    /// The probability of an error about one challenger: the level divided by their number
    /// (Bonferroni), so that the intervals of all of them hold together.
    pub fn error_level_per_challenger(&self) -> f64 {
        self.design.error_level / count(self.design.challengers.len())
    }

    /// The metrics that are compared: the one that decides, then those of the guardrails.
    pub fn metrics(&self) -> impl Iterator<Item = Metric> {
        let guardrails = self.design.guardrails.iter().map(|guardrail| guardrail.metric);
        std::iter::once(self.design.metric).chain(guardrails)
    }

    /// The rule by which the champion comes back after `winner`, one of the challengers, took its
    /// place: an experiment of its own in shadow mode, with the metric and the level of this one, of
    /// [`ExperimentDesign::watch_days`]; `None` when none were declared.
    ///
    /// It asks for no least improvement and has no guardrails: who proves worse by the metric that
    /// decided gives way.
    pub fn watch(&self, winner: &str) -> Option<ExperimentDesign> {
        let design = &self.design;
        (design.watch_days > 0).then(|| ExperimentDesign {
            id: format!("{}{WATCH_SUFFIX}", design.id),
            champion: winner.to_owned(),
            challengers: vec![design.champion.clone()],
            mode: Mode::Shadow,
            days_max: design.watch_days,
            improvement_min: 0.0,
            guardrails: Vec::new(),
            watch_days: 0,
            ..design.clone()
        })
    }

    /// Whether it is one of [`Self::watch`].
    pub fn is_watch(&self) -> bool {
        self.design.id.ends_with(WATCH_SUFFIX)
    }

    /// Blocks of independent days that the experiment can have at most.
    pub fn blocks_max(&self) -> u32 {
        Blocks::in_days(self.design.horizon, self.design.days_max)
    }
}
