//! Explanations in the words that traders use, in Turkish and in English.

mod number;
mod phrase;

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

use bist_market::Interval;

use crate::horizon::Horizon;
use number::locative;
use phrase::{COMPONENTS, MEMBERS, PHRASES, Phrase, Reading, Unit, Words};

/// How many reasons a sentence names.
const NAMED_COUNT: usize = 3;

/// A language that explanations are told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Turkish.
    Turkish,
    /// English.
    English,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Turkish, Self::English];

    /// The code of ISO 639-1.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Turkish => "tr",
            Self::English => "en",
        }
    }

    /// That of two texts which is in this language.
    pub const fn pick(self, turkish: &'static str, english: &'static str) -> &'static str {
        match self {
            Self::Turkish => turkish,
            Self::English => english,
        }
    }

    const fn choose(self, (turkish, english): Words) -> &'static str {
        self.pick(turkish, english)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// A text that is the code of no [`Language`] of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a language that explanations are told in; give tr or en")]
pub struct UnknownLanguage(String);

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        let found = Self::ALL.into_iter().find(|language| language.code() == text);
        found.ok_or_else(|| UnknownLanguage(text.to_owned()))
    }
}

/// How far ahead a forecast for `horizon` looks: `5 seans sonrası`, `5 sessions ahead`.
pub fn ahead(horizon: Horizon, language: Language) -> String {
    match (language, horizon) {
        (Language::English, horizon) => horizon.in_words(),
        (Language::Turkish, Horizon::Sessions(sessions)) => format!("{sessions} seans sonrası"),
        (Language::Turkish, Horizon::NextHour) => "sonraki saat".to_owned(),
        (Language::Turkish, Horizon::EndOfDay) => "gün sonu".to_owned(),
    }
}

/// What a feature, or a component of Prophet, is called: `14-day RSI`. One without words here keeps
/// its own name, underscores as spaces.
///
/// Windows of bars are said in days or hours, as the bars are.
pub fn feature_name(feature: &str, bars: Interval, language: Language) -> String {
    if let Some(phrase) = phrase_of(feature) {
        let windows = (numbers_of(phrase.feature), numbers_of(feature));
        return with_windows(language.choose(phrase.name), &windows, bars, language);
    }
    let component = feature.strip_prefix("prophet_");
    let known = |name: &str| COMPONENTS.iter().find(|(known, _)| *known == name);
    match component.and_then(known) {
        Some((_, words)) => language.choose(*words).to_owned(),
        None => feature.replace('_', " "),
    }
}

/// What a member of the ensemble is called; one without words here keeps its own name.
pub fn member_name(kind: &str, language: Language) -> String {
    let known = MEMBERS.iter().find(|(known, _)| *known == kind);
    known.map_or_else(|| kind.replace('_', " "), |(_, words)| language.choose(*words).to_owned())
}

/// The value of a feature in its own unit, without the feature's name: `71`, `-3.2%`, `1.8 times`.
pub fn feature_value(feature: &str, value: f64, language: Language) -> String {
    match phrase_of(feature) {
        Some(phrase) => value_text(phrase, value, language),
        None => language.number(value, 3),
    }
}

/// A feature with its value and what traders read in it: `14-day RSI 71: overbought`.
///
/// A feature whose value is not known says so; a component of Prophet, which has no value, is only
/// named.
pub fn feature_text(
    feature: &str,
    value: Option<f64>,
    bars: Interval,
    language: Language,
) -> String {
    let name = feature_name(feature, bars, language);
    let Some(value) = value else {
        let is_component = feature.starts_with("prophet_");
        let unknown = language.choose(("bilinmiyor", "unknown"));
        return if is_component { name } else { format!("{name}: {unknown}") };
    };
    let said = feature_value(feature, value, language);
    let Some(phrase) = phrase_of(feature) else { return format!("{name} {said}") };
    match phrase.unit {
        Unit::Reading | Unit::Rank => format!("{name}: {said}"),
        Unit::Return
        | Unit::PercentReturn
        | Unit::Share
        | Unit::Index
        | Unit::Times
        | Unit::Atr
        | Unit::Count
        | Unit::Number => match reading(phrase.reading, value) {
            Some(words) => format!("{name} {said}: {}", language.choose(words)),
            None => format!("{name} {said}"),
        },
    }
}

/// One reason for a forecast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reason<'a> {
    /// The feature, or the component of Prophet.
    pub feature: &'a str,
    /// Its value, where it is known.
    pub value: Option<f64>,
    /// What it adds to the forecast, log-return.
    pub contribution: f64,
}

/// Whose forecast a sentence is about. Log-returns over the horizon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told<'a> {
    /// The ticker.
    pub symbol: &'a str,
    /// How far ahead it looks.
    pub horizon: Horizon,
    /// The forecast.
    pub forecast: f64,
    /// The forecast for a share of which nothing is known.
    pub base: f64,
}

/// A forecast with its three strongest reasons, their direction and size, and its base.
///
/// The forecast and the base are said as simple returns. What a reason adds is said in percentage
/// points of log-return, for only those add up.
pub fn sentence(told: &Told<'_>, reasons: &[Reason<'_>], language: Language) -> String {
    let strongest = strongest(reasons);
    let expected = language.signed_percent(told.forecast.exp_m1(), 2);
    let base = language.signed_percent(told.base.exp_m1(), 2);
    let bars = told.horizon.interval();
    let listed: Vec<String> = strongest
        .iter()
        .map(|reason| {
            let text = feature_text(reason.feature, reason.value, bars, language);
            let points = language.signed_number(100.0 * reason.contribution, 2);
            let is_up = reason.contribution > 0.0;
            match language {
                Language::Turkish => {
                    format!("{text} ({} {points} puan)", if is_up { "yukarı" } else { "aşağı" })
                }
                Language::English => {
                    format!("{text} ({} {points} points)", if is_up { "up" } else { "down" })
                }
            }
        })
        .collect();
    let listed = listed.join("; ");
    let Told { symbol, horizon, .. } = *told;
    match language {
        Language::Turkish => {
            let until = until_in_turkish(horizon);
            let reasons = match strongest.len() {
                0 => "Bu tahmini tabandan ayıran bir neden yok.".to_owned(),
                1 => format!("Tek neden: {listed}."),
                2 => format!("İki neden: {listed}."),
                _ => format!("En güçlü üç neden: {listed}."),
            };
            format!(
                "{symbol} için {until} {expected} bekleniyor. {reasons} Hakkında hiçbir şey \
                 bilinmeyen bir hisse için tahmin {base} olurdu."
            )
        }
        Language::English => {
            let until = until_in_english(horizon);
            let reasons = match strongest.len() {
                0 => "Nothing moves this forecast from its base.".to_owned(),
                1 => format!("The only reason: {listed}."),
                2 => format!("The two reasons: {listed}."),
                _ => format!("The three strongest reasons: {listed}."),
            };
            format!(
                "{symbol} is expected to return {expected} {until}. {reasons} For a share of which \
                 nothing is known the forecast would be {base}."
            )
        }
    }
}

/// The strongest of the reasons that add something, the strongest first.
fn strongest<'a>(reasons: &[Reason<'a>]) -> Vec<Reason<'a>> {
    let adds = |reason: &&Reason<'_>| reason.contribution.abs() > 0.0;
    let mut reasons: Vec<Reason<'a>> = reasons.iter().filter(adds).copied().collect();
    reasons.sort_by(|a, b| {
        let by_size = b.contribution.abs().total_cmp(&a.contribution.abs());
        by_size.then_with(|| a.feature.cmp(b.feature))
    });
    reasons.truncate(NAMED_COUNT);
    reasons
}

fn until_in_turkish(horizon: Horizon) -> String {
    match horizon {
        Horizon::Sessions(sessions) => format!("{sessions} seans içinde"),
        Horizon::NextHour => "sonraki saatte".to_owned(),
        Horizon::EndOfDay => "gün sonuna kadar".to_owned(),
    }
}

fn until_in_english(horizon: Horizon) -> String {
    match horizon {
        Horizon::Sessions(NonZeroU8::MIN) => "over the next session".to_owned(),
        Horizon::Sessions(sessions) => format!("over {sessions} sessions"),
        Horizon::NextHour => "over the next hour".to_owned(),
        Horizon::EndOfDay => "to the end of the day".to_owned(),
    }
}

/// The words of a feature; where it is a known one over other windows, those of that one.
fn phrase_of(feature: &str) -> Option<&'static Phrase> {
    let family = family_of(feature);
    let exact = PHRASES.iter().find(|phrase| phrase.feature == feature);
    exact.or_else(|| PHRASES.iter().find(|phrase| family_of(phrase.feature) == family))
}

/// The name of a feature with its windows left open: `rsi_#`.
fn family_of(feature: &str) -> String {
    let mut family = String::new();
    for character in feature.chars() {
        match (character.is_ascii_digit(), family.ends_with('#')) {
            (true, true) => {}
            (true, false) => family.push('#'),
            (false, _) => family.push(character),
        }
    }
    family
}

/// The windows in the name of a feature.
fn numbers_of(feature: &str) -> Vec<&str> {
    feature.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty()).collect()
}

/// `name` with each `{14}` as `14-day` or its like; `windows` are those that the words were written
/// for, and those that stand in their places.
fn with_windows(
    name: &str,
    windows: &(Vec<&str>, Vec<&str>),
    bars: Interval,
    language: Language,
) -> String {
    let (written_for, actual) = windows;
    let mut written = String::new();
    let mut rest = name;
    while let Some((before, behind)) = rest.split_once('{') {
        let (window, behind) = behind.split_once('}').unwrap_or((behind, ""));
        let unit = match (language, bars) {
            (Language::Turkish, Interval::Daily) => " günlük",
            (Language::Turkish, Interval::Minutes(_)) => " saatlik",
            (Language::English, Interval::Daily) => "-day",
            (Language::English, Interval::Minutes(_)) => "-hour",
        };
        let place = written_for.iter().position(|known| *known == window);
        written.push_str(before);
        written.push_str(place.and_then(|place| actual.get(place)).unwrap_or(&window));
        written.push_str(unit);
        rest = behind;
    }
    written.push_str(rest);
    written
}

fn value_text(phrase: &Phrase, value: f64, language: Language) -> String {
    match phrase.unit {
        Unit::Return => language.signed_percent(value.exp_m1(), 2),
        Unit::PercentReturn => language.signed_percent(value / 100.0, 1),
        Unit::Share => language.percent(value, 1),
        Unit::Index | Unit::Count => language.number(value, 0),
        Unit::Times => {
            let number = language.number(value, 2);
            format!("{number} {}", language.choose(("kat", "times")))
        }
        Unit::Atr => format!("{} ATR", language.signed_number(value, 1)),
        Unit::Number => language.number(value, 2),
        Unit::Rank => rank_text(phrase.reading, value, language),
        Unit::Reading => match reading(phrase.reading, value) {
            Some(words) => language.choose(words).to_owned(),
            None => language.number(value, 2),
        },
    }
}

fn reading(reading: Reading, value: f64) -> Option<Words> {
    match reading {
        Reading::None | Reading::Ends(..) => None,
        Reading::Zones(low, of_low, middle, high, of_high) => match value {
            // Where two zones touch, what is on the border is neither.
            value if value >= high && (high > low || value > high) => Some(of_high),
            value if value <= low && (high > low || value < low) => Some(of_low),
            _ => middle,
        },
        Reading::Choice(first, choices) => {
            let choices = choices.iter().scan(first, |number, words| {
                let of_words = *number;
                *number += 1.0;
                Some((of_words, *words))
            });
            let mut near = choices.filter(|(number, _)| (number - value).abs() < 0.5);
            near.next().map(|(_, words)| words)
        }
    }
}

/// A rank as the end of the field it lies in: `strongest 10%`, to the next five percent.
fn rank_text(ends: Reading, rank: f64, language: Language) -> String {
    let Reading::Ends(low, high) = ends else { return language.percent(rank, 0) };
    let (words, from_end) = if rank < 0.5 { (low, rank) } else { (high, 1.0 - rank) };
    let mut percentage: u32 = 5;
    while percentage < 50 && f64::from(percentage) < 100.0 * from_end - 1e-9 {
        percentage += 5;
    }
    let words = language.choose(words);
    let share = language.percent(f64::from(percentage) / 100.0, 0);
    match language {
        Language::Turkish => format!("{words} {share}{}", locative(percentage)),
        Language::English => format!("{words} {share}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::features::FeatureSpec;
    use crate::prophet::ProphetParams;

    const DAILY: Interval = Interval::Daily;

    #[test]
    fn every_feature_and_component_has_words_in_both_languages() {
        for bars in [DAILY, Interval::HOURLY] {
            let mut seen = BTreeSet::new();
            for feature in &FeatureSpec::default().names(bars) {
                assert!(phrase_of(feature).is_some(), "{feature} has no words");
                for language in Language::ALL {
                    let name = feature_name(feature, bars, language);
                    let is_clean = !name.is_empty() && !name.contains(['_', '{', '}']);
                    assert!(is_clean, "{feature} is called {name}");
                    assert!(seen.insert((language, name)), "{feature} is called as another");
                    for value in [-150.0, -1.0, -0.02, 0.0, 0.5, 1.0, 3.0, 71.0] {
                        let text = feature_text(feature, Some(value), bars, language);
                        assert!(!text.contains(['_', '{', '}']), "{text}");
                    }
                }
            }
        }
        let names = |bars| FeatureSpec::default().names(bars);
        let used: BTreeSet<String> =
            [DAILY, Interval::HOURLY].into_iter().flat_map(names).collect();
        let worded: BTreeSet<String> =
            PHRASES.iter().map(|phrase| phrase.feature.to_owned()).collect();
        assert_eq!(worded, used, "no words for what is no feature");
        assert_eq!(worded.len(), PHRASES.len(), "each feature has words once");

        let seasonal = ProphetParams::default().seasonalities.into_iter().map(|s| s.name);
        for name in seasonal.chain(["trend", "holidays"].map(str::to_owned)) {
            assert!(COMPONENTS.iter().any(|(known, _)| *known == name), "{name}");
            let told = feature_text(&format!("prophet_{name}"), None, DAILY, Language::Turkish);
            assert!(told.starts_with("Prophet: ") && !told.contains("bilinmiyor"), "{told}");
        }
    }

    #[track_caller]
    fn check(feature: &str, value: f64, turkish: &str, english: &str) {
        let text = |language| feature_text(feature, Some(value), DAILY, language);
        assert_eq!(text(Language::Turkish), turkish);
        assert_eq!(text(Language::English), english);
    }

    #[test]
    fn values_are_said_in_their_own_unit_and_read() {
        check("rsi_14", 71.2, "14 günlük RSI 71: aşırı alım", "14-day RSI 71: overbought");
        check("rsi_14", 30.0, "14 günlük RSI 30: aşırı satım", "14-day RSI 30: oversold");
        check("rsi_9", 30.0, "9 günlük RSI 30: aşırı satım", "9-day RSI 30: oversold");
        check("return_5", -0.04_f64, "5 günlük getiri -%3,92", "5-day return -3.92%");
        check(
            "volume_ratio_5_20",
            1.83,
            "5 günlük hacmin 20 günlük ortalamaya oranı 1,83 kat: olağanın üzerinde",
            "5-day volume to its 20-day average 1.83 times: above usual",
        );
        check(
            "rank_return_20",
            0.93,
            "20 günlük getiri sırası: en güçlü %10'da",
            "rank by 20-day return: strongest 10%",
        );
        check(
            "rank_volatility_20",
            0.03,
            "20 günlük oynaklık sırası: en sakin %5'te",
            "rank by 20-day volatility: calmest 5%",
        );
        check(
            "sma_distance_50",
            1.34,
            "50 günlük ortalamaya uzaklık +1,3 ATR: üzerinde",
            "distance to the 50-day average +1.3 ATR: above it",
        );
        check(
            "limit_hit",
            1.0,
            "günlük fiyat sınırı: tavanda kapandı",
            "daily price limit: closed limit up",
        );
        check("day_of_week", 5.0, "haftanın günü: cuma", "day of the week: Friday");
        check(
            "regime_turbulent",
            0.82,
            "çalkantılı piyasa olasılığı %82,0: piyasa çalkantılı",
            "probability of a turbulent market 82.0%: the market is turbulent",
        );
        check("macd_histogram_atr", 0.0, "MACD histogramı 0,0 ATR", "MACD histogram 0.0 ATR");
        let unknown = feature_text("beta_60", None, DAILY, Language::English);
        assert_eq!(unknown, "60-day beta: unknown");
        let hourly = feature_text("rsi_14", Some(50.0), Interval::HOURLY, Language::Turkish);
        assert_eq!(hourly, "14 saatlik RSI 50: nötr");
        assert_eq!(feature_text("driver", Some(0.5), DAILY, Language::English), "driver 0.500");
    }

    #[test]
    fn the_sentence_names_the_three_strongest_reasons_and_the_base() {
        let reason = |feature, value, contribution| Reason { feature, value, contribution };
        let reasons = [
            reason("beta_60", Some(1.3), 0.0004),
            reason("rsi_14", Some(71.2), -0.0031),
            reason("prophet_weekly", None, 0.0007),
            reason("return_5", Some(0.05), 0.0052),
            reason("mfi_14", Some(50.0), 0.0),
        ];
        let horizon = Horizon::from_sessions(5).unwrap();
        let told = Told { symbol: "THYAO", horizon, forecast: 0.0087, base: 0.0012 };
        assert_eq!(
            sentence(&told, &reasons, Language::Turkish),
            "THYAO için 5 seans içinde +%0,87 bekleniyor. En güçlü üç neden: 5 günlük getiri +%5,13 \
             (yukarı +0,52 puan); 14 günlük RSI 71: aşırı alım (aşağı -0,31 puan); Prophet: \
             haftanın günü (yukarı +0,07 puan). Hakkında hiçbir şey bilinmeyen bir hisse için \
             tahmin +%0,12 olurdu."
        );
        assert_eq!(
            sentence(&told, &reasons, Language::English),
            "THYAO is expected to return +0.87% over 5 sessions. The three strongest reasons: 5-day \
             return +5.13% (up +0.52 points); 14-day RSI 71: overbought (down -0.31 points); \
             Prophet: day of the week (up +0.07 points). For a share of which nothing is known the \
             forecast would be +0.12%."
        );
        let alone = sentence(
            &Told { horizon: Horizon::EndOfDay, ..told },
            &reasons[..1],
            Language::English,
        );
        assert!(
            alone.contains("to the end of the day. The only reason: 60-hour beta 1.30"),
            "{alone}"
        );
        let none = sentence(&told, &[], Language::Turkish);
        assert!(none.contains("ayıran bir neden yok"), "{none}");
    }

    #[test]
    fn only_two_languages_are_known() {
        assert_eq!("tr".parse(), Ok(Language::Turkish));
        assert_eq!("en".parse(), Ok(Language::English));
        let refused = "de".parse::<Language>().unwrap_err();
        assert!(refused.to_string().contains("give tr or en"));
    }
}
