//! Experiments for people.

use std::fmt::Write as _;

use bist_app::experiments::{ExperimentStep, ExperimentView};
use bist_lifecycle::experiment::{
    ChallengerReport, ExperimentDesign, GuardrailReport, Metric, Mode, Verdict,
};
use bist_trading::Estimate;

use super::Row;

/// Characters of the line that shows how far the sample is.
const PROGRESS_WIDTH: usize = 40;

pub(super) fn list(rows: &[Row<'_>]) -> String {
    if rows.is_empty() {
        return "there is no such experiment; stage a version with bist models stage, and declare \
                one with bist experiments declare --reason TEXT\n"
            .to_owned();
    }
    let heading = format!(
        "{:<24} {:<14} {:>7}  {:<11} {:>16}  {}\n",
        "experiment", "state", "horizon", "declared", "days judged", "arms"
    );
    let line = |row: &Row<'_>| {
        format!(
            "{:<24} {:<14} {:>7}  {:<11} {:>16}  {} against {}\n",
            row.id,
            row.state.as_str().replace('_', " "),
            row.horizon.to_string(),
            row.declared_at.strftime("%Y-%m-%d").to_string(),
            format!("{} of {}..{}", row.days_count, row.days_min, row.days_max),
            row.challengers.join(", "),
            row.champion,
        )
    };
    std::iter::once(heading).chain(rows.iter().map(line)).collect()
}

pub(super) fn experiment(view: &ExperimentView) -> String {
    let ExperimentView { id, design, report, .. } = view;
    let mut out = format!(
        "experiment {id} ({}): {}\n{}\n\n",
        view.horizon.in_words(),
        view.state.as_str().replace('_', " "),
        report.sentence.en
    );
    if view.concluded.is_none() && report.state.is_final() {
        out.push_str("it takes effect with the next bist signals or bist experiments judge\n\n");
    }
    let mut line = |name: &str, text: String| {
        writeln!(out, "{name:<12} {text}").ok();
    };
    line("compared", mode(design));
    line("decides", decides(design));
    line("days", sample(view));
    line("forecasts", forecasts(view));
    if let Some(p_value) = report.sample_ratio_p_value {
        let counts = report.units_by_arm.iter().map(u64::to_string).collect::<Vec<_>>();
        line("split", format!("{} symbols by arm, p = {p_value:.3}", counts.join(" : ")));
    } else {
        let missing = report.missing_by_arm.iter().map(u64::to_string).collect::<Vec<_>>();
        line(
            "missing",
            format!(
                "{} of {} forecasts by arm; {} % are tolerated",
                missing.join(" : "),
                report.unit_days_count,
                100.0 * design.missing_share_max
            ),
        );
    }
    writeln!(out, "\n{:<24} {:<34} {:>7}  verdict", "arm", "improvement", "p").ok();
    writeln!(out, "{:<24} {:<34} {:>7}  champion", design.champion, "-", "-").ok();
    for challenger in &report.challengers {
        writeln!(out, "{}", arm(design, challenger)).ok();
        for guardrail in &challenger.guardrails {
            writeln!(out, "{}", self::guardrail(guardrail)).ok();
        }
    }
    writeln!(out).ok();
    let signed = |what: &str, signed: &bist_lifecycle::Signed| {
        format!("{what} {:.0} by {}: {}\n", signed.at, signed.by, signed.reason)
    };
    out.push_str(&signed("declared", &view.declared));
    if let Some(concluded) = &view.concluded {
        out.push_str(&signed("ended", concluded));
    }
    writeln!(out, "rule {}", view.design_sha256).ok();
    out
}

fn mode(design: &ExperimentDesign) -> String {
    match &design.mode {
        Mode::Shadow => {
            "in the shadow: all arms forecast the same, the champion's word is shown".to_owned()
        }
        Mode::Split { weights } => {
            let weights = weights.iter().map(u32::to_string).collect::<Vec<_>>().join(" : ");
            format!("split: each symbol is shown one arm, weights {weights}")
        }
    }
}

fn decides(design: &ExperimentDesign) -> String {
    let ExperimentDesign { metric, error_level, improvement_min, .. } = design;
    let more = if *improvement_min > 0.0 {
        format!(", better by more than {}", amount(*metric, *improvement_min))
    } else {
        String::new()
    };
    let cuped = design.covariate.as_ref();
    let cuped =
        cuped.map_or_else(String::new, |covariate| format!(", less what {} tells", covariate.name));
    format!(
        "{} at {} %, however often one looks{more}{cuped}",
        metric.in_english(),
        100.0 * error_level
    )
}

/// How far the sample is on its way from nothing to the least and the most days.
fn sample(view: &ExperimentView) -> String {
    let (days, design) = (view.report.days_count, &view.design);
    let place = |days: u32| PROGRESS_WIDTH * days as usize / design.days_max.max(1) as usize;
    let bar: String = (0..PROGRESS_WIDTH)
        .map(|at| match at {
            _ if at < place(days) => '=',
            _ if at == place(design.days_min) => '|',
            _ => '.',
        })
        .collect();
    format!(
        "[{bar}] {days} judged, {} before a decision, {} at most",
        design.days_min, design.days_max
    )
}

fn forecasts(view: &ExperimentView) -> String {
    let waiting = view.open_from.map_or_else(String::new, |day| format!(", from {day} on"));
    format!("{}, of which {} wait for what comes{waiting}", view.exposures_count, view.open_count)
}

fn arm(design: &ExperimentDesign, challenger: &ChallengerReport) -> String {
    format!(
        "{:<24} {:<34} {:>7.3}  {}",
        challenger.version,
        estimate(design.metric, challenger.improvement),
        challenger.p_value,
        verdict(challenger.verdict),
    )
}

fn guardrail(guardrail: &GuardrailReport) -> String {
    let GuardrailReport { metric, loss_max, improvement } = guardrail;
    let stands = match improvement {
        None => "not known yet",
        Some(known) if known.high < -loss_max => "BROKEN",
        Some(known) if known.value < -loss_max => "in doubt",
        Some(_) => "holds",
    };
    format!(
        "  {:<22} {:<34} {:>7}  {stands}; it may be worse by {}",
        metric.as_str().replace('_', " "),
        estimate(*metric, *improvement),
        "",
        amount(*metric, *loss_max)
    )
}

fn estimate(metric: Metric, estimate: Option<Estimate>) -> String {
    let amount = |value| metric.amount_in_english(value).replace(" points", "");
    let unit = match metric {
        Metric::RankIc | Metric::Brier => "",
        Metric::ReturnAfterCosts | Metric::CoverageError => " points",
    };
    estimate.map_or_else(
        || "-".to_owned(),
        |Estimate { value, low, high, .. }| {
            format!("{} ({} to {}){unit}", amount(value), amount(low), amount(high))
        },
    )
}

fn amount(metric: Metric, value: f64) -> String {
    metric.amount_in_english(value).trim_start_matches('+').to_owned()
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::TooEarly | Verdict::Undecided => "too early to say".to_owned(),
        Verdict::Better => "better".to_owned(),
        Verdict::Worse => "worse, stopped".to_owned(),
        Verdict::TooSmall => "not better by enough, stopped".to_owned(),
        Verdict::GuardrailBroken { metric } => {
            format!("stopped by the guardrail of its {}", metric.in_english())
        }
    }
}

pub(super) fn steps(steps: &[ExperimentStep]) -> String {
    if steps.is_empty() {
        return "no experiment goes on; bist experiments list names those that did\n".to_owned();
    }
    steps.iter().map(step).collect()
}

/// What a run did for an experiment.
pub(in super::super) fn step(step: &ExperimentStep) -> String {
    let mut out = format!("experiment {}: {}\n", step.experiment, step.sentence.en);
    let mut line = |text: String| writeln!(out, "    {text}").ok();
    line(format!(
        "{} forecasts and {} outcomes were added",
        step.exposures_added, step.outcomes_added
    ));
    for change in &step.changes {
        let from = change.from.map_or("new", bist_lifecycle::ModelState::as_str);
        line(format!("{}: {from} -> {}", change.version, change.to));
    }
    if let Some(follow_up) = &step.follow_up {
        line(format!("declared {follow_up}, in which the former champion may come back"));
    }
    for problem in &step.problems {
        line(format!("missing: {problem}"));
    }
    out
}
