//! An alert in words, in the two languages of the product.

use bist_models::Horizon;
use serde::{Deserialize, Serialize};

use super::condition::{Condition, Direction};
use super::judge::{Fact, Observed};
use crate::signal::Action;
use crate::user_settings::Language;

/// A sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertText {
    /// In Turkish.
    pub tr: String,
    /// In English.
    pub en: String,
}

impl AlertText {
    /// The sentence in `language`.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Tr => &self.tr,
            Language::En => &self.en,
        }
    }
}

/// What has happened, in one sentence; it tells facts and advises nothing.
pub fn sentence(condition: &Condition, fact: &Fact) -> AlertText {
    let symbol = condition.symbol().map(|symbol| symbol.to_string()).unwrap_or_default();
    let as_of = &fact.as_of;
    let (en, tr) = match (condition, &fact.observed) {
        (Condition::Price { direction, price, .. }, Observed::Price { last_close }) => {
            let (en, tr) = match direction {
                Direction::Up => ("at or above", "seviyesinde veya üstünde"),
                Direction::Down => ("at or below", "seviyesinde veya altında"),
            };
            (
                format!("{symbol}: the close of {as_of} is {last_close} TRY, {en} {price} TRY."),
                format!(
                    "{symbol}: {as_of} kapanışı {} TL, {} TL {tr}.",
                    comma(last_close),
                    comma(price)
                ),
            )
        }
        (_, Observed::Price { last_close }) => (
            format!("{symbol}: the close of {as_of} is {last_close} TRY."),
            format!("{symbol}: {as_of} kapanışı {} TL.", comma(last_close)),
        ),
        (_, Observed::Change { change_share, last_close }) => {
            let percent = format!("{:+.2}", change_share * 100.0);
            (
                format!("{symbol}: {percent} % on {as_of}, close {last_close} TRY."),
                format!(
                    "{symbol}: {as_of} günü %{}, kapanış {} TL.",
                    comma(&percent),
                    comma(last_close)
                ),
            )
        }
        (_, Observed::VolumeSpike { volume_shares, mean_shares, sessions_count }) => {
            let times = format!("{:.1}", times(*volume_shares, *mean_shares));
            (
                format!(
                    "{symbol}: {volume_shares} shares were traded on {as_of}, {times} times the mean \
                     of the {sessions_count} sessions before."
                ),
                format!(
                    "{symbol}: {as_of} günü {volume_shares} pay işlem gördü; önceki {sessions_count} seans \
                     ortalamasının {} katı.",
                    comma(&times)
                ),
            )
        }
        (_, Observed::SignalChange { from, to, horizon }) => (
            format!(
                "{symbol}: the signal for {} is {to} as of {as_of}; it was {from}.",
                ahead_en(*horizon)
            ),
            format!(
                "{symbol}: {} sinyali {as_of} itibarıyla {}; önceki {} idi.",
                ahead_tr(*horizon),
                action_tr(*to),
                action_tr(*from)
            ),
        ),
        (_, Observed::BandBreach { last_close, low, high, forecast_as_of }) => (
            format!(
                "{symbol}: the close of {as_of}, {last_close} TRY, lies outside of the 80 % band from \
                 {low} to {high} TRY that was forecast on {forecast_as_of}."
            ),
            format!(
                "{symbol}: {as_of} kapanışı {} TL, {forecast_as_of} tarihinde öngörülen {}–{} TL %80 \
                 bandının dışında.",
                comma(last_close),
                comma(low),
                comma(high)
            ),
        ),
        (_, Observed::DataQuality { score_share }) => {
            let percent = format!("{:.2}", score_share * 100.0);
            let (of_en, of_tr) = match symbol.is_empty() {
                true => ("all data".to_owned(), "Tüm veriler".to_owned()),
                false => (symbol.clone(), symbol),
            };
            (
                format!("Quality of {of_en}: {percent} % as of {as_of}."),
                format!("{of_tr}: {as_of} itibarıyla veri kalitesi %{}.", comma(&percent)),
            )
        }
        (_, Observed::Drift { model_version, horizon }) => (
            format!(
                "Drift was found in the model {model_version} for {} on {as_of}.",
                ahead_en(*horizon)
            ),
            format!(
                "{model_version} modelinde ({}) {as_of} tarihinde sapma bulundu.",
                ahead_tr(*horizon)
            ),
        ),
    };
    AlertText { tr, en }
}

#[expect(clippy::cast_precision_loss, reason = "volumes are far below 2^53 shares")]
fn times(volume_shares: u64, mean_shares: f64) -> f64 {
    volume_shares as f64 / mean_shares
}

/// A number as it is written in Turkish.
fn comma(number: &impl ToString) -> String {
    number.to_string().replace('.', ",")
}

fn action_tr(action: Action) -> &'static str {
    match action {
        Action::Buy => "AL",
        Action::Sell => "SAT",
        Action::Hold => "TUT",
    }
}

fn ahead_en(horizon: Horizon) -> String {
    match horizon {
        Horizon::Sessions(sessions) if sessions.get() == 1 => "1 session".to_owned(),
        Horizon::Sessions(sessions) => format!("{sessions} sessions"),
        Horizon::NextHour => "the next hour".to_owned(),
        Horizon::EndOfDay => "the end of the session".to_owned(),
    }
}

fn ahead_tr(horizon: Horizon) -> String {
    match horizon {
        Horizon::Sessions(sessions) => format!("{sessions} seanslık"),
        Horizon::NextHour => "bir sonraki saat".to_owned(),
        Horizon::EndOfDay => "seans sonu".to_owned(),
    }
}
