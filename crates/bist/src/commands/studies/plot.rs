//! Plots of a study.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use bist_app::App;
use bist_app::studies::StudyWithTrials;
use bist_lifecycle::search_space::Distribution;
use bist_lifecycle::study::plots::{self, NoImportances, ParamAxis};
use bist_lifecycle::study::{StudyDirection, TrialState};
use bist_models::explain::plot::{
    Canvas, Direction, Drawing, Heading, Importance, ImportanceBars, Language, OptimisationHistory,
    Parallel, ParallelCoordinates, Parameter, ParetoFront, Scale, Slice, SlicedParameter,
    TrialValue, Unit,
};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::super::picture::{Format, Ground, canvas, origin_word};

/// Parameters with a bar of their own.
const SHOWN_MAX: usize = 15;

#[derive(Args, Debug)]
pub(crate) struct PlotArgs {
    /// The name of the study, as `bist studies list` tells it
    name: String,
    /// What to draw
    #[arg(long, value_enum)]
    kind: PlotKind,
    /// Draw it here: a file that ends in .svg or .png
    #[arg(long, value_name = "FILE")]
    plot: PathBuf,
    /// Only this parameter of a slice; may be given again [default: all]
    #[arg(long = "param", value_name = "PARAM")]
    params: Vec<String>,
    /// Which objective, from 0
    #[arg(long, value_name = "PLACE", default_value_t = 0)]
    objective: usize,
    /// The ground of the plot
    #[arg(long, value_enum, default_value_t = Ground::Light)]
    theme: Ground,
    /// The language: tr or en
    #[arg(long, value_name = "LANGUAGE", default_value_t = Language::Turkish)]
    lang: Language,
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum PlotKind {
    /// The trials in their order, and the best so far
    History,
    /// The objective against each parameter
    Slice,
    /// Each trial as a line through all parameters
    Parallel,
    /// Two objectives against each other
    Pareto,
    /// How much each parameter mattered
    Importances,
}

/// The JSON document.
#[derive(Debug, Serialize)]
pub(super) struct Drawn {
    study: String,
    kind: PlotKind,
    pub(super) file: PathBuf,
}

impl PlotArgs {
    /// Draws the plot into its file.
    pub(super) async fn draw(self, app: &App) -> anyhow::Result<Drawn> {
        let format = Format::of(&self.plot)?;
        if !self.params.is_empty() && self.kind != PlotKind::Slice {
            bail!("--param chooses what --kind slice shows");
        }
        let Some(study) = app.study(&self.name).await? else {
            bail!("there is no study '{}'; bist studies list tells which there are", self.name);
        };
        let count = study.overview.directions.len();
        if self.objective >= count {
            bail!("the study has {count} objectives and none at {}", self.objective);
        }
        let canvas = canvas(self.theme, self.lang);
        let drawing = match self.kind {
            PlotKind::History => self.history(&study, &canvas)?,
            PlotKind::Slice => self.slice(&study, &canvas)?,
            PlotKind::Parallel => self.parallel(&study, &canvas)?,
            PlotKind::Pareto => self.pareto(&study, &canvas)?,
            PlotKind::Importances => {
                let told = app.importances(&study, self.objective).await;
                let shares = match &told.shares {
                    Ok(shares) => shares,
                    Err(NoImportances::TooFewTrials) => bail!(
                        "{} complete trials are too few to tell what mattered",
                        told.trials_count
                    ),
                    Err(NoImportances::OneValue) => {
                        bail!("all trials have the same value, or no parameter varies")
                    }
                };
                self.importances(&study, shares, told.trials_count, &canvas)?
            }
        };
        format.write(&drawing, &self.plot)?;
        Ok(Drawn { study: self.name, kind: self.kind, file: self.plot })
    }

    fn heading(
        &self,
        study: &StudyWithTrials,
        (turkish, english): (&'static str, &'static str),
    ) -> Heading {
        let overview = &study.overview;
        let title = format!("{}: {}", overview.name, self.lang.pick(turkish, english));
        let count = overview.trials.complete;
        let mut subtitle = format!("{count} {}", self.lang.pick("biten deneme", "complete trials"));
        if let Some(origin) = overview.origin {
            subtitle.push_str(&format!(" ({})", origin_word(origin, self.lang)));
        }
        Heading { title, subtitle }
    }

    /// The objective that is asked for.
    fn objective(&self, study: &StudyWithTrials) -> Parameter {
        objective(study, self.objective)
    }

    fn history(&self, study: &StudyWithTrials, canvas: &Canvas) -> anyhow::Result<Drawing> {
        let direction = study.overview.directions[self.objective];
        let points = plots::history(study.history.trials(), self.objective, direction);
        let trials = points.into_iter().filter_map(|point| {
            let pruned = match point.state {
                TrialState::Complete => false,
                TrialState::Pruned => true,
                TrialState::Running | TrialState::Fail | TrialState::Waiting => return None,
            };
            Some(TrialValue { number: number(point.number), value: point.value?, pruned })
        });
        let plot = OptimisationHistory {
            heading: self.heading(study, ("denemeler", "trials")),
            objective: self.objective(study),
            direction: direction_of(direction),
            trials: trials.collect(),
        };
        Ok(plot.draw(canvas)?)
    }

    fn slice(&self, study: &StudyWithTrials, canvas: &Canvas) -> anyhow::Result<Drawing> {
        let trials = study.history.trials();
        let known: Vec<String> = plots::parallel_coordinates(trials, self.objective)
            .axes
            .into_iter()
            .map(|axis| axis.name)
            .collect();
        let wanted = if self.params.is_empty() { &known } else { &self.params };
        let sliced = |name: &String| -> anyhow::Result<SlicedParameter> {
            let (axis, points) = plots::slice(trials, name, self.objective).with_context(|| {
                let known = known.join(", ");
                format!("no complete trial has a parameter '{name}'; give one of: {known}")
            })?;
            Ok(SlicedParameter {
                parameter: parameter(axis),
                values: points.iter().map(|point| point.internal).collect(),
                objectives: points.iter().map(|point| point.value).collect(),
                numbers: points.iter().map(|point| number(point.number)).collect(),
            })
        };
        let parameters: anyhow::Result<Vec<SlicedParameter>> = wanted.iter().map(sliced).collect();
        let plot = Slice {
            heading: self.heading(study, ("parametreler", "parameters")),
            objective: self.objective(study),
            parameters: parameters?,
        };
        Ok(plot.draw(canvas)?)
    }

    fn parallel(&self, study: &StudyWithTrials, canvas: &Canvas) -> anyhow::Result<Drawing> {
        let plots::ParallelCoordinates { axes, lines } =
            plots::parallel_coordinates(study.history.trials(), self.objective);
        let trial = |line: plots::Line| Parallel { values: line.internals, objective: line.value };
        let plot = ParallelCoordinates {
            heading: self.heading(study, ("denemeler ve parametreler", "trials and parameters")),
            objective: self.objective(study),
            direction: direction_of(study.overview.directions[self.objective]),
            parameters: axes.into_iter().map(parameter).collect(),
            trials: lines.into_iter().map(trial).collect(),
        };
        Ok(plot.draw(canvas)?)
    }

    fn pareto(&self, study: &StudyWithTrials, canvas: &Canvas) -> anyhow::Result<Drawing> {
        let &[first, second] = study.overview.directions.as_slice() else {
            bail!(
                "a Pareto front is of two objectives; the study has {}",
                study.overview.directions.len()
            );
        };
        let trials = study.history.trials().iter().filter_map(|trial| {
            let values = trial.values.as_deref().filter(|_| trial.state == TrialState::Complete)?;
            let values: [f64; 2] = values.try_into().ok()?;
            values.iter().all(|value| value.is_finite()).then_some(values)
        });
        let plot = ParetoFront {
            heading: self.heading(study, ("iki hedef", "two objectives")),
            objectives: [objective(study, 0), objective(study, 1)],
            directions: [first, second].map(direction_of),
            trials: trials.collect(),
        };
        Ok(plot.draw(canvas)?)
    }

    fn importances(
        &self,
        study: &StudyWithTrials,
        shares: &[(String, f64)],
        trials_count: u64,
        canvas: &Canvas,
    ) -> anyhow::Result<Drawing> {
        let bar = |(name, share): &(String, f64)| Importance {
            label: name.clone(),
            value: *share,
            std_dev: None,
        };
        let share = ("açıklanan değişim payı", "share of the variation explained");
        let note = match self.lang {
            Language::Turkish => format!("fANOVA ile, biten {trials_count} denemeden."),
            Language::English => format!("By fANOVA, from {trials_count} complete trials."),
        };
        let plot = ImportanceBars {
            heading: self.heading(study, ("parametrelerin önemi", "importance of the parameters")),
            unit: Unit::Share,
            axis_label: self.lang.pick(share.0, share.1).to_owned(),
            bars: shares.iter().map(bar).collect(),
            shown_max: SHOWN_MAX,
            note,
        };
        Ok(plot.draw(canvas)?)
    }
}

fn objective(study: &StudyWithTrials, place: usize) -> Parameter {
    let label = study.overview.objectives[place].clone();
    Parameter { label, unit: Unit::Plain, scale: Scale::Linear }
}

fn parameter(ParamAxis { name, distribution }: ParamAxis) -> Parameter {
    let scale = match distribution {
        Distribution::Float { log: true, .. } | Distribution::Int { log: true, .. } => Scale::Log,
        Distribution::Float { .. } | Distribution::Int { .. } => Scale::Linear,
        Distribution::Categorical { choices } => {
            Scale::Categories(choices.iter().map(ToString::to_string).collect())
        }
    };
    Parameter { label: name, unit: Unit::Plain, scale }
}

const fn direction_of(direction: StudyDirection) -> Direction {
    match direction {
        StudyDirection::Minimize => Direction::Minimise,
        StudyDirection::Maximize => Direction::Maximise,
    }
}

/// The number of a trial on an axis.
fn number(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
