//! Explanations as plots.

use anyhow::bail;
use bist_app::explanations::words::{Language, ahead, feature_name, feature_text};
use bist_app::explanations::{
    ForecastExplanation, InteractionReport, Quality, SummaryFeature, SummaryReport,
};
use bist_models::explain::plot::{
    Beeswarm, BeeswarmFeature, Canvas, Contribution, Dependence, Drawing, Force, Heading,
    Importance, ImportanceBars, Interaction, LimeBars, LimeWeight, Unit, Waterfall,
};
use jiff::civil::Date;

use super::{PlotKind, origin_word};

/// Features with a row of their own.
const SHOWN_MAX: usize = 15;

/// Features of a map of interactions.
pub(super) const INTERACTING_MAX: usize = 10;

fn axis_label(language: Language) -> String {
    language.pick("log-getiri katkısı", "contribution to the log-return").to_owned()
}

/// A plot of one forecast.
pub(super) fn of_forecast(
    kind: PlotKind,
    explained: &ForecastExplanation,
    language: Language,
    canvas: &Canvas,
) -> anyhow::Result<Drawing> {
    let bars = explained.horizon.interval();
    let heading = Heading {
        title: format!("{}, {}", explained.symbol, ahead(explained.horizon, language)),
        subtitle: format!(
            "{}, {} ({})",
            explained.as_of,
            explained.model_version,
            origin_word(explained.origin, language)
        ),
    };
    let (unit, axis_label) = (Unit::LogReturn, axis_label(language));
    let (base, forecast) = (explained.base, explained.forecast);
    let text = |feature: &str, value| feature_text(feature, value, bars, language);
    let contributions: Vec<Contribution> = explained
        .features
        .iter()
        .map(|share| Contribution {
            label: text(&share.feature, share.value),
            effect: share.contribution,
        })
        .collect();
    if let (
        PlotKind::Lime,
        Some(Quality::Lime { r_squared, samples_count, stability, runs_count, deviations, .. }),
    ) = (kind, &explained.quality)
    {
        let weights = explained.features.iter().map(|share| LimeWeight {
            condition: text(&share.feature, share.value),
            weight: share.contribution,
            std_dev: deviations.get(&share.feature).copied().unwrap_or(0.0),
        });
        let plot = LimeBars {
            heading,
            unit,
            axis_label,
            weights: weights.collect(),
            local_r2: *r_squared,
            local_forecast: forecast - explained.residual(),
            forecast,
            samples: *samples_count,
            runs: usize::try_from(*runs_count)?,
            overlap: *stability,
        };
        return Ok(plot.draw(canvas)?);
    }
    Ok(if kind == PlotKind::Force {
        let shown_max = SHOWN_MAX;
        Force { heading, unit, base, contributions, forecast, shown_max }.draw(canvas)?
    } else {
        let shown_max = SHOWN_MAX;
        Waterfall { heading, unit, axis_label, base, contributions, forecast, shown_max }
            .draw(canvas)?
    })
}

/// Which forecasts a plot of many shows.
fn span(
    (from, to): (Date, Date),
    rows_count: usize,
    model_version: &str,
    origin: &str,
    language: Language,
) -> String {
    let forecasts = language.pick("tahmin", "forecasts");
    format!("{from} - {to}, {rows_count} {forecasts}, {model_version} ({origin})")
}

/// A map of the features that the trees take together.
pub(super) fn of_interactions(
    report: &InteractionReport,
    language: Language,
    canvas: &Canvas,
) -> anyhow::Result<Drawing> {
    let bars = report.horizon.interval();
    let title = language.pick("Birlikte etkiyen öznitelikler", "Features that act together");
    let days = (report.from, report.to);
    let origin = origin_word(report.origin, language);
    let plot = Interaction {
        heading: Heading {
            title: format!("{title}: {}", ahead(report.horizon, language)),
            subtitle: span(days, report.rows_count, &report.model_version, origin, language),
        },
        unit: Unit::Share,
        labels: report.features.iter().map(|name| feature_name(name, bars, language)).collect(),
        strengths: report.shares.clone(),
    };
    Ok(plot.draw(canvas)?)
}

/// A plot of many forecasts.
pub(super) fn of_summary(
    kind: PlotKind,
    summary: &SummaryReport,
    feature: Option<&str>,
    language: Language,
    canvas: &Canvas,
) -> anyhow::Result<Drawing> {
    let bars = summary.horizon.interval();
    let name = |feature: &SummaryFeature| feature_name(&feature.feature, bars, language);
    let subtitle = span(
        (summary.from, summary.to),
        summary.rows_count,
        &summary.model_version,
        origin_word(summary.origin, language),
        language,
    );
    let heading = |title: String| Heading { title, subtitle: subtitle.clone() };
    let ahead = ahead(summary.horizon, language);
    let effects = |feature: &SummaryFeature| -> Vec<f64> {
        feature.points.iter().map(|(_, contribution)| *contribution).collect()
    };
    let values = |feature: &SummaryFeature| -> Vec<f64> {
        feature.points.iter().map(|(value, _)| value.unwrap_or(f64::NAN)).collect()
    };
    let unit = Unit::LogReturn;
    if kind == PlotKind::Dependence {
        let wanted = match feature {
            Some(wanted) => summary.features.iter().find(|known| known.feature == wanted),
            None => summary.features.first(),
        };
        let Some(wanted) = wanted else {
            bail!("the model reads no feature '{}'", feature.unwrap_or_default());
        };
        let plot = Dependence {
            heading: heading(format!("{}: {ahead}", name(wanted))),
            value_label: name(wanted),
            value_unit: Unit::Plain,
            values: values(wanted),
            effect_label: axis_label(language),
            effect_unit: unit,
            effects: effects(wanted),
            coloured_by: None,
        };
        return Ok(plot.draw(canvas)?);
    }
    let title = language.pick("Öznitelikler", "Features");
    let heading = heading(format!("{title}: {ahead}"));
    Ok(if kind == PlotKind::Beeswarm {
        let features = summary.features.iter().map(|feature| BeeswarmFeature {
            label: name(feature),
            effects: effects(feature),
            values: values(feature),
        });
        Beeswarm {
            heading,
            unit,
            axis_label: axis_label(language),
            features: features.collect(),
            shown_max: SHOWN_MAX,
        }
        .draw(canvas)?
    } else {
        let bars = summary.features.iter().map(|feature| Importance {
            label: name(feature),
            value: feature.mean_abs,
            std_dev: None,
        });
        ImportanceBars {
            heading,
            unit,
            axis_label: language
                .pick("ortalama mutlak katkı", "mean size of the contribution")
                .to_owned(),
            bars: bars.collect(),
            shown_max: SHOWN_MAX,
            note: String::new(),
        }
        .draw(canvas)?
    })
}
