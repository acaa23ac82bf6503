//! Runs of jobs for people, and as JSON.

use bist_app::jobs::{JobLine, JobPart, JobSchedule, JobStage, JobState, JobView, StageProgress};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) fn document(view: &JobView) -> Value {
    let run = &view.run;
    json!({
        "id": run.id,
        "job": run.name,
        "state": run.state.as_str(),
        "due_at": run.due_at,
        "asked_by": run.asked_by,
        "reason": run.reason,
        "plan": run.plan,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "attempts_count": run.attempts_count,
        "cancel_asked_by": run.cancel_asked_by,
        "retry_at": run.retry_at,
        "detail": run.detail,
        "is_silent": view.is_silent,
        "done_share": view.done_share,
        "eta": view.eta,
        "stages": view.stages.iter().map(stage_document).collect::<Vec<_>>(),
        "parts": view.parts.iter().map(part_document).collect::<Vec<_>>(),
        "lines": view.lines.iter().map(line_document).collect::<Vec<_>>(),
    })
}

fn stage_document(stage: &JobStage) -> Value {
    json!({
        "name": stage.name,
        "state": stage.state.as_str(),
        "began_at": stage.began_at,
        "ended_at": stage.ended_at,
        "part": stage.progress.part,
        "done": stage.progress.done,
        "total": stage.progress.total,
        "told": stage.told,
        "result": stage.result,
    })
}

fn part_document(part: &JobPart) -> Value {
    let JobPart { run, progress } = part;
    json!({
        "id": run.id,
        "name": part.title(),
        "state": run.state.as_str(),
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "attempts_count": run.attempts_count,
        "part": progress.part,
        "done": progress.done,
        "total": progress.total,
        "detail": run.detail,
    })
}

fn line_document(line: &JobLine) -> Value {
    json!({ "number": line.number, "at": line.at, "is_failure": line.is_failure, "line": line.line })
}

pub(super) fn schedule_document(schedule: &JobSchedule) -> Value {
    json!({
        "job": schedule.job.as_str(),
        "is_enabled": schedule.is_enabled,
        "next_at": schedule.next_at,
    })
}

pub(super) fn list(views: &[JobView], schedules: &[JobSchedule]) -> String {
    let mut text = String::new();
    for schedule in schedules {
        let when = match (schedule.is_enabled, schedule.next_at) {
            (false, _) => "does not run by itself".to_owned(),
            (true, Some(at)) => format!("is due next at {}, if bist serve runs", minute(at)),
            (true, None) => "is due beyond the calendar".to_owned(),
        };
        text.push_str(&format!("{} {when}\n", schedule.job.as_str()));
    }
    if views.is_empty() {
        text.push_str("\nnothing has run yet; bist jobs run retraining does it now\n");
        return text;
    }
    text.push_str(&format!(
        "\n{:>5}  {:<14} {:<9} {:<17} {:>8}  what came of it\n",
        "run", "job", "state", "begun", "took"
    ));
    for view in views {
        let run = &view.run;
        let begun = run.started_at.map_or_else(|| "-".to_owned(), minute);
        let took = run.started_at.zip(run.finished_at);
        let took = took.map_or_else(|| "-".to_owned(), |(from, to)| span(from, to));
        let what = match run.detail.as_deref() {
            Some(detail) => detail.to_owned(),
            None if run.state == JobState::Running => how_far(view),
            None => run.reason.clone().unwrap_or_default(),
        };
        text.push_str(&format!(
            "{:>5}  {:<14} {:<9} {begun:<17} {took:>8}  {what}\n",
            run.id, run.name, run.state
        ));
    }
    text
}

pub(super) fn run(view: &JobView) -> String {
    let run = &view.run;
    let mut text = format!("run {} of the {}: {}", run.id, run.name, run.state);
    if view.is_silent {
        text.push_str(", but not heard of; its process may have died");
    }
    if let Some(by) = &run.asked_by {
        let reason = run.reason.as_deref().unwrap_or_default();
        text.push_str(&format!("\nasked for by {by}: {reason}"));
    }
    if let Some(retry_at) = run.retry_at {
        text.push_str(&format!("\nbegun again at {}", minute(retry_at)));
    }
    if let Some(by) = &run.cancel_asked_by {
        text.push_str(&format!("\nto end, by {by}"));
    }
    if let Some(detail) = &run.detail {
        text.push_str(&format!("\n{detail}"));
    }
    text.push_str("\n\n");
    for stage in &view.stages {
        let took = stage.began_at.zip(stage.ended_at);
        let took = took.map_or_else(|| "-".to_owned(), |(from, to)| span(from, to));
        let told = stage.told.clone().unwrap_or_else(|| progress(&stage.progress));
        let told = told.replace(" | ", &format!("\n{:<36}", ""));
        text.push_str(&format!("  {:<12} {:<9} {took:>8}   {told}\n", stage.name, stage.state));
    }
    if !view.parts.is_empty() {
        text.push_str("\nparts, which any process takes up\n");
    }
    for part in &view.parts {
        let run = &part.run;
        let took = run.started_at.zip(run.finished_at);
        let took = took.map_or_else(|| "-".to_owned(), |(from, to)| span(from, to));
        let told = run.detail.clone().unwrap_or_else(|| progress(&part.progress));
        text.push_str(&format!("  {:<20} {:<9} {took:>8}   {told}\n", part.title(), run.state));
    }
    if !view.lines.is_empty() {
        text.push('\n');
    }
    for said in &view.lines {
        text.push_str(&line(said));
        text.push('\n');
    }
    text
}

pub(super) fn line(line: &JobLine) -> String {
    let mark = if line.is_failure { "!" } else { " " };
    format!("{} {mark} {}", line.at.strftime("%H:%M:%SZ"), line.line)
}

/// How far a run is: its stage, the share that is done, and how long the rest may take.
pub(super) fn how_far(view: &JobView) -> String {
    let running = view.stages.iter().find(|stage| stage.state == JobState::Running);
    let Some(stage) = running else { return String::new() };
    let place = view.stages.iter().position(|other| other.name == stage.name).unwrap_or_default();
    let mut text = format!("stage {} of {}, {}", place + 1, view.stages.len(), stage.name);
    let progress = progress(&stage.progress);
    if !progress.is_empty() {
        text.push_str(&format!(": {progress}"));
    }
    if let Some(eta) = view.eta {
        text.push_str(&format!(", done at about {}", minute(eta)));
    }
    text
}

fn progress(progress: &StageProgress) -> String {
    match progress.total {
        0 => progress.part.clone(),
        total => format!("{} ({} %)", progress.part, 100 * progress.done / total),
    }
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

/// How long it took, in words.
fn span(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
