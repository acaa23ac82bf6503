//! The registry for people.

use super::{InForce, Row};
use bist_app::registry::{Moved, VersionWithHistory};
use bist_app::reproduction::Reproduction;
use bist_lifecycle::{Figure, ModelDifference, ModelState, StateChange};

pub(super) fn list(rows: &[Row<'_>]) -> String {
    if rows.is_empty() {
        return "there is no such version; bist train makes them\n".to_owned();
    }
    let heading = format!(
        "{:<22} {:<10} {:>7}  {:<7} {:<17} {:<24} {}\n",
        "version", "state", "horizon", "origin", "trained", "days learned from", "rank IC"
    );
    let line = |row: &Row<'_>| {
        let rank_ic = row.rank_ic.map_or_else(|| "-".to_owned(), |known| format!("{known:.3}"));
        let shown = if row.skill_shown { ", skill shown" } else { "" };
        let tuned = if row.is_tuned { ", tuned" } else { "" };
        format!(
            "{:<22} {:<10} {:>7}  {:<7} {:<17} {} to {} {rank_ic}{shown}{tuned}\n",
            row.id,
            row.state,
            row.horizon.to_string(),
            row.origin.as_str(),
            row.trained_at.strftime("%Y-%m-%d %H:%MZ").to_string(),
            row.first_day,
            row.last_day,
        )
    };
    std::iter::once(heading).chain(rows.iter().map(line)).collect()
}

pub(super) fn version(with_history: &VersionWithHistory) -> String {
    let VersionWithHistory { version, changes } = with_history;
    let lineage = &version.lineage;
    let mut text = format!(
        "{} ({}): {}, trained {:.0} by bist {} with seed {}\n\
         learned from {} rows of {} symbols, {} to {}; bars {}\n\
         artefact {}\n",
        version.id,
        version.origin,
        version.state,
        version.trained_at,
        lineage.code_version,
        lineage.spec.seed,
        lineage.rows_count,
        lineage.symbols.len(),
        lineage.first_day,
        lineage.last_day,
        lineage.snapshot_hash,
        version.artifact_sha256,
    );
    for out in &lineage.excluded {
        text.push_str(&format!("left out: {}\n", out.reason));
    }
    for tuned in &lineage.tuned {
        text.push_str(&format!(
            "{} tuned: trial {} of {} in study {}\n",
            tuned.part, tuned.trial_number, tuned.trials_count, tuned.study
        ));
    }
    text.push_str(&format!("\n{}\n\n{}", version.evaluation, self::changes(changes)));
    text
}

/// The changes in the order in which they are given.
pub(super) fn changes(changes: &[StateChange]) -> String {
    if changes.is_empty() {
        return "nothing has changed yet; bist train makes the first version\n".to_owned();
    }
    changes.iter().map(change).collect()
}

fn change(change: &StateChange) -> String {
    let from = change.from.map_or("new", ModelState::as_str);
    format!(
        "{:.0} {} ({}): {from} -> {}, by {}\n    {}\n",
        change.signed.at,
        change.version,
        change.horizon.in_words(),
        change.to,
        change.signed.by,
        change.signed.reason,
    )
}

pub(super) fn moved(moved: &Moved) -> String {
    let Moved { version, changes } = moved;
    match changes.is_empty() {
        true => format!("{} is {} already", version.id, version.state),
        false => self::changes(changes).trim_end().to_owned(),
    }
}

pub(super) fn reproductions(all: &[Reproduction]) -> String {
    let one = |one: &Reproduction| {
        let name = one.signal.as_deref().unwrap_or(&one.version);
        let verdict = if one.reproduced { "all bytes are equal" } else { "DIFFERS" };
        let lines = one.differences.iter().map(|difference| format!("    {difference}\n"));
        format!("{name}: {verdict}\n{}", lines.collect::<String>())
    };
    all.iter().map(one).collect()
}

pub(super) fn signals(report: &InForce<'_>) -> String {
    let id = report.version.id;
    match &report.without_signals {
        None => format!("{id} is in force; it gave {} signals\n", report.signals_count),
        Some(reason) => format!(
            "{id} is in force, and what it said last is shown; it gave no new signals: {reason}\n"
        ),
    }
}

pub(super) fn difference(difference: &ModelDifference) -> String {
    let ModelDifference { before, after, .. } = difference;
    let same = |is_same: bool, what: &str, other: &str| match is_same {
        true => format!("the same {what}"),
        false => format!("{other} {what}"),
    };
    let mut text = format!(
        "{before} -> {after}: {}, {}\n",
        same(difference.same_bars, "bars", "other"),
        same(difference.same_artifact, "artefact", "another"),
    );
    for (what, exchanged) in [
        ("symbols", as_texts(&difference.symbols.added, &difference.symbols.removed)),
        ("features", as_texts(&difference.features.added, &difference.features.removed)),
    ] {
        for (sign, names) in [("+", exchanged.0), ("-", exchanged.1)] {
            if !names.is_empty() {
                text.push_str(&format!("{sign} {} {what}: {}\n", names.len(), names.join(" ")));
            }
        }
    }
    text.extend(difference.lineage.iter().map(|field| format!("  {field}\n")));
    text.push_str(&format!("\n{:<22}{:>28}{:>28}\n", "out of sample", "before", "after"));
    for metric in &difference.metrics {
        text.push_str(&format!(
            "{:<22}{:>28}{:>28}\n",
            metric.metric.in_words(),
            figure(metric.before),
            figure(metric.after)
        ));
    }
    if !difference.same_test_days {
        text.push_str("the records are of other days: their figures differ by the days as well\n");
    }
    text
}

fn as_texts<T: ToString>(added: &[T], removed: &[T]) -> (Vec<String>, Vec<String>) {
    let texts = |names: &[T]| names.iter().map(T::to_string).collect();
    (texts(added), texts(removed))
}

fn figure(figure: Option<Figure>) -> String {
    match figure {
        None => "-".to_owned(),
        Some(Figure { value, interval: None }) => format!("{value:.4}"),
        Some(Figure { value, interval: Some((low, high)) }) => {
            format!("{value:.4} ({low:.4} to {high:.4})")
        }
    }
}
