//! How a run looks: where it stands, its stages and parts, what they found and what it said.

use bist_app::jobs::{JobLine, JobPart, JobStage, JobState, JobView};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::schema::{Instant, document, schema, text};

/// Where a run or a stage stands.
#[derive(Clone, Copy, Debug, Serialize)]
struct StateWord(&'static str);

schema!(
    StateWord,
    "JobState",
    text(
        "Where a run or one of its stages stands: `waiting` for somebody to begin it, `running`, \
         `done`, `failed` or `cancelled`.",
        "running"
    )
    .enum_values(Some(JobState::ALL.map(JobState::as_str)))
);

/// What a run was to do, or what a stage found.
#[derive(Clone, Debug, Serialize)]
struct Kept(Value);

schema!(
    Kept,
    "JobDocument",
    document(
        "What a retraining was to do (`horizons`, `seed`, `rule` and its fingerprint) or a tuning \
         (`horizon`, `parts`, `trials_count`, `at_once`, `sampler`, `pruner`, `seed`), or what a stage \
         found; of the stage `decide` it is the list `decisions`."
    )
);

/// A run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobRun)]
pub(crate) struct RunResponse {
    /// Its number.
    #[schema(example = 12)]
    id: i64,
    /// Which job.
    #[schema(
        example = "retraining",
        pattern = "^(nightly-ingest|retraining|key-care|tuning|backup|restore-drill)$"
    )]
    job: String,
    /// Where it stands.
    state: StateWord,
    /// Whether it was not heard of for so long that its process may have died; whoever looks next
    /// goes on with it.
    is_silent: bool,
    /// When it was due, or asked for.
    due_at: Instant,
    /// Who asked for it; null for the schedule.
    #[schema(required)]
    asked_by: Option<String>,
    /// Why it was asked for.
    #[schema(required)]
    reason: Option<String>,
    /// When it was begun, for the last time if it was begun several times.
    #[schema(required)]
    started_at: Option<Instant>,
    /// When it ended.
    #[schema(required)]
    finished_at: Option<Instant>,
    /// How often it was begun.
    attempts_count: u64,
    /// Who wants it to end; it does at its next step.
    #[schema(required)]
    cancel_asked_by: Option<String>,
    /// When it is begun again, if it failed and is.
    #[schema(required)]
    retry_at: Option<Instant>,
    /// What came of it, in an English sentence.
    #[schema(required)]
    detail: Option<String>,
    /// The share of the work that is done, by how long the stages took the last time; null while that
    /// is not known.
    #[schema(required, minimum = 0, maximum = 1)]
    done_share: Option<f64>,
    /// When it will have ended, by how long the stages took the last time; null while that is not
    /// known.
    #[schema(required)]
    eta: Option<Instant>,
    /// Its stages, in their order; empty before it was begun.
    stages: Vec<StageResponse>,
    /// What it was cut into for whichever processes are free, in the order in which that was put in: the
    /// newest 50; empty where nothing was.
    parts: Vec<PartResponse>,
}

/// A part of a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobPart)]
struct PartResponse {
    /// Its number.
    #[schema(example = 13)]
    id: i64,
    /// What is done in it.
    #[schema(example = "train 5")]
    name: String,
    /// Where it stands.
    state: StateWord,
    /// When it was begun, for the last time if it was begun several times.
    #[schema(required)]
    started_at: Option<Instant>,
    /// When it ended.
    #[schema(required)]
    finished_at: Option<Instant>,
    /// How often it was begun.
    attempts_count: u64,
    /// What of it is being done, in English; empty when that has no name.
    part: String,
    /// How much of it is done.
    done: u64,
    /// How much there is; zero when that is not known.
    total: u64,
    /// What came of it, in an English sentence.
    #[schema(required)]
    detail: Option<String>,
}

/// A stage of a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobStage)]
struct StageResponse {
    /// What is done in it: a word, and of a training the horizon.
    #[schema(example = "train 5")]
    name: String,
    /// Where it stands.
    state: StateWord,
    /// When it was begun.
    #[schema(required)]
    began_at: Option<Instant>,
    /// When it ended.
    #[schema(required)]
    ended_at: Option<Instant>,
    /// Which part of it is being done; empty when it has none.
    part: String,
    /// How much of it is done.
    done: u64,
    /// How much there is; zero when that is not known.
    total: u64,
    /// What came of it, in an English sentence.
    #[schema(required)]
    told: Option<String>,
}

/// Something that a run said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobLine)]
struct LineResponse {
    /// Its place, from one.
    number: u64,
    /// When.
    at: Instant,
    /// Whether it tells of a failure.
    is_failure: bool,
    /// What, in English.
    line: String,
}

/// A run with what it is to do, what its stages found and what it said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobDetails)]
pub(super) struct DetailsResponse {
    /// The run.
    #[serde(flatten)]
    run: RunResponse,
    /// What it is to do, put down before it began; null where there is nothing to decide.
    #[schema(required)]
    plan: Option<Kept>,
    /// The decisions of a retraining, one a horizon, with the rule, both records, the difference and
    /// a `sentence` in `tr` and `en`; empty before they are made.
    decisions: Vec<Kept>,
    /// What a retraining found of drift, one champion each: `sentence` in `tr` and `en`, `inputs` with
    /// the features and their distances and thresholds, `label`, `performance` and `is_alarm`.
    drift: Vec<Kept>,
    /// What it said, in order.
    lines: Vec<LineResponse>,
}

impl RunResponse {
    pub(crate) fn of(view: &JobView) -> Self {
        let run = &view.run;
        Self {
            id: run.id,
            job: view.job().to_owned(),
            state: StateWord(run.state.as_str()),
            is_silent: view.is_silent,
            due_at: Instant(run.due_at),
            asked_by: run.asked_by.clone(),
            reason: run.reason.clone(),
            started_at: run.started_at.map(Instant),
            finished_at: run.finished_at.map(Instant),
            attempts_count: run.attempts_count,
            cancel_asked_by: run.cancel_asked_by.clone(),
            retry_at: run.retry_at.map(Instant),
            detail: run.detail.clone(),
            done_share: view.done_share,
            eta: view.eta.map(Instant),
            stages: view.stages.iter().map(StageResponse::of).collect(),
            parts: view.parts.iter().map(PartResponse::of).collect(),
        }
    }
}

impl PartResponse {
    fn of(part: &JobPart) -> Self {
        let JobPart { run, progress } = part;
        Self {
            id: run.id,
            name: part.title().to_owned(),
            state: StateWord(run.state.as_str()),
            started_at: run.started_at.map(Instant),
            finished_at: run.finished_at.map(Instant),
            attempts_count: run.attempts_count,
            part: progress.part.clone(),
            done: progress.done,
            total: progress.total,
            detail: run.detail.clone(),
        }
    }
}

impl DetailsResponse {
    pub(super) fn of(view: &JobView) -> Self {
        let plan = (!view.run.plan.is_null()).then(|| Kept(view.run.plan.clone()));
        let found = |name: &str| -> Vec<Kept> {
            let stage = view.stages.iter().find(|stage| stage.name == name);
            let found = stage.and_then(|stage| stage.result.as_array());
            found.into_iter().flatten().cloned().map(Kept).collect()
        };
        Self {
            run: RunResponse::of(view),
            plan,
            decisions: found("decide"),
            drift: found("drift"),
            lines: view.lines.iter().map(LineResponse::of).collect(),
        }
    }
}

impl StageResponse {
    fn of(stage: &JobStage) -> Self {
        Self {
            name: stage.name.clone(),
            state: StateWord(stage.state.as_str()),
            began_at: stage.began_at.map(Instant),
            ended_at: stage.ended_at.map(Instant),
            part: stage.progress.part.clone(),
            done: stage.progress.done,
            total: stage.progress.total,
            told: stage.told.clone(),
        }
    }
}

impl LineResponse {
    fn of(line: &JobLine) -> Self {
        let JobLine { number, at, is_failure, line } = line;
        Self { number: *number, at: Instant(*at), is_failure: *is_failure, line: line.clone() }
    }
}
