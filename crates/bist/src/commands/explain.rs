//! `bist explain`: why a forecast is what it is, and what it would be.

mod picture;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use bist_app::explanations::words::{Language, feature_text};
use bist_app::explanations::{ForecastExplanation, Method};
use bist_app::{App, HORIZON_DEFAULT, Horizon, parse_horizon};
use bist_market::Symbol;
use bist_market::rename::current_name;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::open;
use super::picture::{Format, Ground, canvas, origin_word};
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// Whose forecast
    #[arg(value_name = "SYMBOL", value_parser = Symbol::parse)]
    symbol: Symbol,
    /// That of the model that looks so far ahead: 1, 5 or 20 sessions, 1h or eod
    #[arg(long, value_name = "HORIZON", default_value_t = HORIZON_DEFAULT, value_parser = parse_horizon)]
    horizon: Horizon,
    /// That of this signal of the symbol, and not the newest
    #[arg(long, value_name = "ID", conflicts_with_all = ["horizon", "what_if"])]
    signal: Option<String>,
    /// shap: the exact parts, as kept; lime: a line around the row; kernel: Shapley values of the
    /// ensemble as a whole, beside rows of the last year
    #[arg(long, value_name = "METHOD", default_value_t = Method::Shap)]
    method: Method,
    /// Draw it as well: a file that ends in .svg or .png
    #[arg(long, value_name = "FILE", conflicts_with = "what_if")]
    plot: Option<PathBuf>,
    /// What to draw; without it a waterfall, and the weights for lime
    #[arg(long, value_enum, requires = "plot")]
    kind: Option<PlotKind>,
    /// The feature of a dependence plot; without it the one that matters most
    #[arg(long, value_name = "FEATURE", requires = "plot")]
    feature: Option<String>,
    /// How many of the last days, or hours, the kinds that show many forecasts show
    #[arg(long, value_name = "COUNT", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=250))]
    window: u16,
    /// The ground of the plot
    #[arg(long, value_enum, default_value_t = Ground::Light)]
    theme: Ground,
    /// Put this value in the place of a feature's, and see the forecast move; may be given again
    #[arg(long, value_name = "FEATURE=VALUE", value_parser = change)]
    what_if: Vec<(String, f64)>,
    /// The language: tr or en
    #[arg(long, value_name = "LANGUAGE", default_value_t = Language::Turkish)]
    lang: Language,
    /// Decides what lime and kernel draw
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PlotKind {
    /// From the base to the forecast, step by step
    Waterfall,
    /// What pushes up against what pushes down
    Force,
    /// The weights of lime, with their spread
    Lime,
    /// Each feature in the latest forecasts of all symbols
    Beeswarm,
    /// How much each feature mattered in them
    Bar,
    /// A feature's value against what it added in them
    Dependence,
    /// Which two features the trees took together in them
    Interaction,
}

impl PlotKind {
    /// Whether it shows many forecasts.
    const fn is_of_many(self) -> bool {
        match self {
            Self::Waterfall | Self::Force | Self::Lime => false,
            Self::Beeswarm | Self::Bar | Self::Dependence | Self::Interaction => true,
        }
    }
}

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    explanation: &'a ForecastExplanation,
    residual: f64,
    reasons: BTreeMap<&'static str, String>,
    /// Each feature in words.
    texts: BTreeMap<&'a str, BTreeMap<&'static str, String>>,
}

impl<'a> Document<'a> {
    fn of(explanation: &'a ForecastExplanation) -> Self {
        let bars = explanation.horizon.interval();
        let in_both = |text: &dyn Fn(Language) -> String| {
            Language::ALL.into_iter().map(|language| (language.code(), text(language))).collect()
        };
        let texts = explanation.features.iter().map(|share| {
            let text = |language| feature_text(&share.feature, share.value, bars, language);
            (share.feature.as_str(), in_both(&text))
        });
        Self {
            explanation,
            residual: explanation.residual(),
            reasons: in_both(&|language| explanation.sentence(language)),
            texts: texts.collect(),
        }
    }
}

impl ExplainArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        let symbol = current_name(self.symbol);
        if !self.what_if.is_empty() {
            if self.method != Method::Shap {
                bail!("--what-if tells how the exact parts move; leave out --method");
            }
            let changes = self.what_if.iter().cloned().collect();
            let report = app.what_if(symbol, self.horizon, changes, terminal.progress()).await?;
            app.close().await;
            return terminal.result(&report, || table::what_if(&report, self.lang));
        }
        let explained = self.explanation(&app, symbol, terminal).await?;
        if let Some(path) = &self.plot {
            self.draw(&app, &explained, path, terminal).await?;
        }
        app.close().await;
        terminal.result(&Document::of(&explained), || table::explanation(&explained, self.lang))
    }

    async fn explanation(
        &self,
        app: &App,
        symbol: Symbol,
        terminal: &Terminal,
    ) -> anyhow::Result<ForecastExplanation> {
        let Some(id) = &self.signal else {
            let (horizon, method) = (self.horizon, self.method);
            return Ok(app
                .explain(symbol, horizon, method, self.seed, terminal.progress())
                .await?);
        };
        if self.method != Method::Shap {
            bail!(
                "a kept signal is explained by the parts that were kept with it; leave out --method \
                 or --signal"
            );
        }
        let explained = app.signal_explanation(id).await?;
        if explained.symbol != symbol {
            bail!("the signal '{id}' is of {} and not of {symbol}", explained.symbol);
        }
        Ok(explained)
    }

    async fn draw(
        &self,
        app: &App,
        explained: &ForecastExplanation,
        path: &Path,
        terminal: &Terminal,
    ) -> anyhow::Result<()> {
        let format = Format::of(path)?;
        let of_method =
            if self.method == Method::Lime { PlotKind::Lime } else { PlotKind::Waterfall };
        let kind = self.kind.unwrap_or(of_method);
        if (kind == PlotKind::Lime) != (self.method == Method::Lime) && !kind.is_of_many() {
            bail!(
                "--kind lime goes with --method lime, and the other methods with the other kinds"
            );
        }
        if self.feature.is_some() && kind != PlotKind::Dependence {
            bail!("--feature chooses what --kind dependence shows");
        }
        let canvas = canvas(self.theme, self.lang);
        let (horizon, window) = (explained.horizon, usize::from(self.window));
        let drawing = if kind == PlotKind::Interaction {
            let (count, progress) = (picture::INTERACTING_MAX, terminal.progress());
            let report = app.explanation_interactions(horizon, window, count, progress).await?;
            picture::of_interactions(&report, self.lang, &canvas)?
        } else if kind.is_of_many() {
            let summary = app.explanation_summary(horizon, window, terminal.progress()).await?;
            picture::of_summary(kind, &summary, self.feature.as_deref(), self.lang, &canvas)?
        } else {
            picture::of_forecast(kind, explained, self.lang, &canvas)?
        };
        format.write(&drawing, path)
    }
}

/// Reads `FEATURE=VALUE`.
fn change(text: &str) -> Result<(String, f64), String> {
    let wrong = || format!("'{text}' is not a change; give it as rsi_14=30");
    let (feature, value) = text.split_once('=').ok_or_else(wrong)?;
    Ok((feature.to_owned(), value.parse().map_err(|_| wrong())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_feature_and_a_number() {
        assert_eq!(change("rsi_14=30"), Ok(("rsi_14".to_owned(), 30.0)));
        for text in ["rsi_14", "rsi_14=high", ""] {
            assert!(change(text).unwrap_err().contains("rsi_14=30"), "{text}");
        }
    }
}
