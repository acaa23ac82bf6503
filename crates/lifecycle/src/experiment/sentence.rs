//! What an experiment says in one plain sentence, in the two languages of the product.

use jiff::civil::Date;

use super::design::ExperimentDesign;
use super::metric::Metric;
use super::report::{ChallengerReport, ExperimentReport, InvalidReason, State, Verdict};
use super::sample_ratio::MISMATCH_LEVEL;
use crate::evaluation::{Sentence, percent, with_comma};

/// Of one challenger.
pub(super) fn of_challenger(design: &ExperimentDesign, report: &ChallengerReport) -> Sentence {
    Sentence { en: english(design, report), tr: turkish(design, report) }
}

/// Of all together.
pub(super) fn of_experiment(design: &ExperimentDesign, report: &ExperimentReport) -> Sentence {
    Sentence { en: state_in_english(design, report), tr: state_in_turkish(design, report) }
}

fn english(design: &ExperimentDesign, report: &ChallengerReport) -> String {
    let ChallengerReport { version, days_count, blocks_count, .. } = report;
    let metric = design.metric;
    let Some(estimate) = report.improvement else {
        return format!(
            "After {days_count} days ({blocks_count} independent blocks) there are too few to compare \
             {version} with the champion: {}.",
            verdict_in_english(design, report)
        );
    };
    format!(
        "Over {days_count} days ({blocks_count} independent blocks) the improvement of {version} on \
         the champion in {} is {}, between {} and {} at {} % however often one looks: {}.",
        metric.in_english(),
        metric.amount_in_english(estimate.value),
        metric.amount_in_english(estimate.low),
        metric.amount_in_english(estimate.high),
        percent(estimate.level),
        verdict_in_english(design, report)
    )
}

fn verdict_in_english(design: &ExperimentDesign, report: &ChallengerReport) -> String {
    match report.verdict {
        Verdict::TooEarly => {
            format!("too early to say, {} days are the least that was declared", design.days_min)
        }
        Verdict::Undecided => "too early to say, it cannot be told from luck yet".to_owned(),
        Verdict::Better => "it is better".to_owned(),
        Verdict::Worse => "it is worse and was stopped".to_owned(),
        Verdict::TooSmall => format!(
            "it is not better by {}, as was asked for, and was stopped",
            design.metric.amount_in_english(design.improvement_min)
        ),
        Verdict::GuardrailBroken { metric } => {
            let (loss_max, loss) = broken_guardrail(report, metric);
            format!(
                "it was stopped because its {} is worse by at least {} and may be by {} at most",
                metric.in_english(),
                unsigned(&metric.amount_in_english(loss)),
                unsigned(&metric.amount_in_english(loss_max))
            )
        }
    }
}

fn turkish(design: &ExperimentDesign, report: &ChallengerReport) -> String {
    let ChallengerReport { version, days_count, blocks_count, .. } = report;
    let metric = design.metric;
    let Some(estimate) = report.improvement else {
        return format!(
            "{days_count} günde ({blocks_count} bağımsız blok) {version} ile şampiyonu \
             karşılaştırmaya yetecek kadar veri yok: {}.",
            verdict_in_turkish(design, report)
        );
    };
    let amount = |value| metric.amount_in_turkish(value);
    format!(
        "{days_count} günde ({blocks_count} bağımsız blok) {version} modelinin şampiyona göre {} \
         iyileşmesi {} (ne kadar sık bakılırsa bakılsın geçerli %{} aralığı {} ile {} arası): {}.",
        metric.in_turkish(),
        amount(estimate.value),
        with_comma(&percent(estimate.level).to_string()),
        amount(estimate.low),
        amount(estimate.high),
        verdict_in_turkish(design, report)
    )
}

fn verdict_in_turkish(design: &ExperimentDesign, report: &ChallengerReport) -> String {
    match report.verdict {
        Verdict::TooEarly => format!(
            "bir şey söylemek için erken, önceden bildirilen en az gün sayısı {}",
            design.days_min
        ),
        Verdict::Undecided => {
            "bir şey söylemek için erken, henüz rastlantıdan ayırt edilemiyor".to_owned()
        }
        Verdict::Better => "daha iyi".to_owned(),
        Verdict::Worse => "daha kötü, durduruldu".to_owned(),
        Verdict::TooSmall => format!(
            "istenen {} kadar iyileştirmiyor, durduruldu",
            design.metric.amount_in_turkish(design.improvement_min)
        ),
        Verdict::GuardrailBroken { metric } => {
            let (loss_max, loss) = broken_guardrail(report, metric);
            format!(
                "{} en az {} kötüleştiği, en çok {} kötüleşmesine izin verildiği için durduruldu",
                metric.in_turkish(),
                unsigned(&metric.amount_in_turkish(loss)),
                unsigned(&metric.amount_in_turkish(loss_max))
            )
        }
    }
}

/// By how much a metric may be worse, and is at least.
fn broken_guardrail(report: &ChallengerReport, metric: Metric) -> (f64, f64) {
    let found = report.guardrails.iter().find(|guardrail| guardrail.metric == metric);
    let high = found.and_then(|guardrail| guardrail.improvement).map_or(0.0, |value| value.high);
    (found.map_or(0.0, |guardrail| guardrail.loss_max), -high)
}

/// Without its sign.
fn unsigned(amount: &str) -> &str {
    amount.trim_start_matches('+')
}

fn state_in_english(design: &ExperimentDesign, report: &ExperimentReport) -> String {
    let (days, champion) = (report.days_count, &design.champion);
    let finding = match &report.state {
        State::TooEarly => format!(
            "it is too early to say anything, {} days are the least that was declared",
            design.days_min
        ),
        State::Running => format!(
            "it is too early to say which is better; it ends after {} days at the latest",
            design.days_max
        ),
        State::Promoted { challenger } => {
            format!("{challenger} is better and takes the place of {champion}")
        }
        State::ChampionStays => format!("every challenger was stopped, {champion} stays"),
        State::NoDecision => {
            format!("the last declared day came without a decision, {champion} stays")
        }
        State::Invalid { reason: InvalidReason::SampleRatioMismatch } => format!(
            "the experiment is invalid: the arms have {} units, which the declared weights do not \
             give (p = {:.1e}, alarm at {MISMATCH_LEVEL}); look for what loses units, {champion} stays",
            listed(&report.units_by_arm),
            report.sample_ratio_p_value.unwrap_or(1.0)
        ),
        State::Invalid { reason: InvalidReason::MissingForecasts } => format!(
            "the experiment is invalid: of {} units the arms lacked the forecasts of {}; look for what \
             failed, {champion} stays",
            report.unit_days_count,
            listed(&report.missing_by_arm)
        ),
    };
    let Some((from, to)) = report.from.zip(report.to) else {
        return format!("No day is judged yet: {finding}.");
    };
    format!("After {days} day{} from {from} to {to}, {finding}.", if days == 1 { "" } else { "s" })
}

fn state_in_turkish(design: &ExperimentDesign, report: &ExperimentReport) -> String {
    let (days, champion) = (report.days_count, &design.champion);
    let finding = match &report.state {
        State::TooEarly => format!(
            "bir şey söylemek için erken, önceden bildirilen en az gün sayısı {}",
            design.days_min
        ),
        State::Running => format!(
            "hangisinin daha iyi olduğunu söylemek için erken; deney en geç {} gün sonra biter",
            design.days_max
        ),
        State::Promoted { challenger } => {
            format!("{challenger} daha iyi, {champion} yerine yürürlüğe kondu")
        }
        State::ChampionStays => format!("bütün adaylar durduruldu, {champion} yürürlükte kaldı"),
        State::NoDecision => {
            format!("bildirilen son güne kararsız varıldı, {champion} yürürlükte kaldı")
        }
        State::Invalid { reason: InvalidReason::SampleRatioMismatch } => format!(
            "deney geçersiz: kollara düşen birim sayıları {}, bildirilen ağırlıklara uymuyor (p = \
             {}); birimlerin nerede kaybolduğu aranmalı, {champion} yürürlükte kaldı",
            listed(&report.units_by_arm),
            with_comma(&format!("{:.1e}", report.sample_ratio_p_value.unwrap_or(1.0)))
        ),
        State::Invalid { reason: InvalidReason::MissingForecasts } => format!(
            "deney geçersiz: {} birim için kollarda eksik kalan tahmin sayıları {}; neyin aksadığı \
             aranmalı, {champion} yürürlükte kaldı",
            report.unit_days_count,
            listed(&report.missing_by_arm)
        ),
    };
    let written = |day: Date| day.strftime("%d.%m.%Y").to_string();
    let Some((from, to)) = report.from.zip(report.to) else {
        return format!("Henüz değerlendirilen gün yok: {finding}.");
    };
    format!("{} ile {} arasındaki {days} günde: {finding}.", written(from), written(to))
}

fn listed(counts: &[u64]) -> String {
    counts.iter().map(u64::to_string).collect::<Vec<_>>().join(" : ")
}
