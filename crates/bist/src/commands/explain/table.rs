//! Explanations as tables that a trader can read.

use std::fmt::Write as _;

use bist_app::explanations::words::{
    Language, ahead, feature_name, feature_text, feature_value, member_name,
};
use bist_app::explanations::{ForecastExplanation, Quality, WhatIfReport};

use super::origin_word;

/// Features that have a line of their own.
const SHOWN_COUNT: usize = 12;

/// Letters of the longest bar.
const BAR_WIDTH: f64 = 16.0;

/// Letters of the first column.
const NAME_WIDTH: usize = 58;

/// Log-returns in percent: of those the parts add up.
fn points(share: f64, language: Language) -> String {
    language.signed_number(100.0 * share, 3)
}

/// The forecast, its parts with bars, its members, how far it may be trusted, and the sentence.
pub(super) fn explanation(explained: &ForecastExplanation, language: Language) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{}", text.trim_end()).ok();
    let pick = |turkish, english| language.pick(turkish, english);
    let known_at = explained
        .as_of_time
        .map_or_else(String::new, |time| format!(" {}", time.strftime("%H:%M")));
    line(format!(
        "{}  {}  {}{known_at}  {} ({})",
        explained.symbol,
        ahead(explained.horizon, language),
        explained.as_of,
        explained.model_version,
        origin_word(explained.origin, language),
    ));
    line(String::new());
    let unit = pick("puan", "points");
    line(format!("{:NAME_WIDTH$} {unit:>10}  {:>6}", "", pick("pay", "share")));
    let base = pick(
        "taban: hakkında hiçbir şey bilinmeyen hisse",
        "base: a share of which nothing is known",
    );
    line(row(base, explained.base, "", "", language));
    let sizes: f64 = explained.features.iter().map(|share| share.contribution.abs()).sum();
    let largest = explained.features.first().map_or(0.0, |share| share.contribution.abs());
    let bars = explained.horizon.interval();
    for share in explained.features.iter().take(SHOWN_COUNT) {
        let text = feature_text(&share.feature, share.value, bars, language);
        let of_all = if sizes > 0.0 { share.contribution.abs() / sizes } else { 0.0 };
        let of_all = language.percent(of_all, 0);
        line(row(&text, share.contribution, &of_all, &bar(share.contribution, largest), language));
    }
    if let Some(others) = explained.features.get(SHOWN_COUNT..).filter(|rest| !rest.is_empty()) {
        let sum = others.iter().map(|share| share.contribution).sum();
        let text = format!("{} {}", others.len(), pick("öbür öznitelik", "others"));
        line(row(&text, sum, "", "", language));
    }
    if matches!(explained.quality, Some(Quality::Lime { .. })) {
        let text = pick("doğrunun anlatmadığı", "what the line does not tell");
        line(row(text, explained.residual(), "", "", language));
    }
    line(row(pick("tahmin", "forecast"), explained.forecast, "", "", language));
    if !explained.members.is_empty() {
        line(String::new());
        for member in &explained.members {
            let share = member.base + member.contribution;
            let weight = language.percent(member.weight, 0);
            line(row(&member_name(&member.kind, language), share, &weight, "", language));
        }
        if let Some(drift) = explained.drift {
            line(row(
                pick("piyasanın sürüklenmesi", "drift of the market"),
                drift,
                "",
                "",
                language,
            ));
        }
    }
    line(String::new());
    if let Some(quality) = &explained.quality {
        line(trust(quality, language));
    }
    line(explained.sentence(language));
    out
}

fn row(name: &str, share: f64, of_all: &str, bar: &str, language: Language) -> String {
    let name: String = if name.chars().count() > NAME_WIDTH {
        name.chars().take(NAME_WIDTH - 1).chain(['…']).collect()
    } else {
        name.to_owned()
    };
    format!("{name:NAME_WIDTH$} {:>10}  {of_all:>6}  {bar}", points(share, language))
}

/// A bar as long as the part is large, with its direction.
fn bar(share: f64, largest: f64) -> String {
    let width = if largest > 0.0 { BAR_WIDTH * share.abs() / largest } else { 0.0 };
    let mut bar = String::from(if share < 0.0 { "▼ " } else { "▲ " });
    let mut drawn = 0.5;
    while drawn < width {
        bar.push('█');
        drawn += 1.0;
    }
    bar
}

/// What a method says of itself.
fn trust(quality: &Quality, language: Language) -> String {
    match (quality, language) {
        (
            Quality::Lime { r_squared, kernel_width, samples_count, stability, runs_count, .. },
            language,
        ) => {
            let r_squared = language.number(*r_squared, 2);
            let width = language.number(*kernel_width, 2);
            let overlap = language.percent(*stability, 0);
            match language {
                Language::Turkish => format!(
                    "LIME: yerel R² {r_squared}, çekirdek genişliği {width}, {samples_count} örnek; \
                     {runs_count} çekimde özniteliklerin {overlap} kadarı ortak."
                ),
                Language::English => format!(
                    "LIME: local R² {r_squared}, kernel width {width}, {samples_count} samples; \
                     {overlap} of the features are shared by {runs_count} runs."
                ),
            }
        }
        (Quality::Kernel { samples_count, background_count, is_exact }, Language::Turkish) => {
            format!(
                "KernelSHAP: {samples_count} öznitelik kümesi, son yıldan {background_count} satır{}.",
                if *is_exact { ", kesin" } else { ", yaklaşık" }
            )
        }
        (Quality::Kernel { samples_count, background_count, is_exact }, Language::English) => {
            format!(
                "KernelSHAP: {samples_count} sets of features, {background_count} rows of the last \
             year{}.",
                if *is_exact { ", exact" } else { ", approximate" }
            )
        }
    }
}

/// What was changed, both forecasts, and the parts that moved.
pub(super) fn what_if(report: &WhatIfReport, language: Language) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{}", text.trim_end()).ok();
    let pick = |turkish, english| language.pick(turkish, english);
    let bars = report.horizon.interval();
    line(format!(
        "{}  {}  {}  {}",
        report.symbol,
        ahead(report.horizon, language),
        report.as_of,
        report.model_version
    ));
    for change in &report.changes {
        let value = |value: Option<f64>| match value {
            Some(value) => feature_value(&change.feature, value, language),
            None => pick("bilinmiyor", "unknown").to_owned(),
        };
        let name = feature_name(&change.feature, bars, language);
        line(format!("{name}: {} -> {}", value(change.before), value(Some(change.after))));
    }
    line(String::new());
    let (now, then) = (pick("şimdi", "now"), pick("o zaman", "then"));
    line(format!("{:NAME_WIDTH$} {now:>10} {then:>10}", ""));
    let both = |name: &str, before: String, after: String| {
        format!("{name:NAME_WIDTH$} {before:>10} {after:>10}")
    };
    let (before, after) = (&report.before, &report.after);
    let of = |share| points(share, language);
    line(both(pick("tahmin (puan)", "forecast (points)"), of(before.forecast), of(after.forecast)));
    let up = |share| language.percent(share, 1);
    let rise = pick("yükseliş olasılığı", "probability of a rise");
    line(both(rise, up(before.probability_up), up(after.probability_up)));
    let mut moved: Vec<(&str, f64, f64)> = after
        .features
        .iter()
        .map(|share| {
            let name = share.feature.as_str();
            (name, before.contribution(name), share.contribution)
        })
        .filter(|(_, before, after)| (after - before).abs() > 0.0)
        .collect();
    moved.sort_by(|a, b| (b.2 - b.1).abs().total_cmp(&(a.2 - a.1).abs()));
    for (feature, before, after) in moved.into_iter().take(SHOWN_COUNT) {
        line(both(&feature_name(feature, bars, language), of(before), of(after)));
    }
    line(String::new());
    line(
        pick(
            "Önceki satırlar, öbür öznitelikler ve gün olduğu gibi kalır; yinelemeli ağ değişikliği \
             yalnız son adımında görür.",
            "The rows before it, all other features and the day stay as they are; the recurrent \
             network sees the change at its last step only.",
        )
        .to_owned(),
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_parts_are_large() {
        assert_eq!(bar(0.02, 0.02), format!("▲ {}", "█".repeat(16)));
        assert_eq!(bar(-0.01, 0.02), format!("▼ {}", "█".repeat(8)));
        assert_eq!(bar(0.0, 0.0), "▲ ");
    }
}
