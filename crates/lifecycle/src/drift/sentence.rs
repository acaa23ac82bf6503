//! What has drifted, in words.

use super::{FeatureDrift, InputDrift, PerformanceCheck, PerformanceMeasure};
use crate::evaluation::{Sentence, with_comma};

/// Features that are named.
const NAMED_COUNT: usize = 3;

pub(super) fn of(
    inputs: Option<&InputDrift>,
    label: Option<&FeatureDrift>,
    performance: &[PerformanceCheck],
) -> Sentence {
    let mut sentence = of_inputs(inputs);
    let mut add = |part: Sentence| {
        sentence.en.push(' ');
        sentence.en.push_str(&part.en);
        sentence.tr.push(' ');
        sentence.tr.push_str(&part.tr);
    };
    if label.is_some_and(|label| label.has_drifted) {
        add(Sentence {
            en: "The returns themselves are unlike those that it learned from.".to_owned(),
            tr: "Getirilerin kendisi de öğrendiklerine benzemiyor.".to_owned(),
        });
    }
    let told = performance.iter().filter(|check| check.estimate.is_some());
    let alarms: Vec<&PerformanceCheck> = told.clone().filter(|check| check.is_alarm).collect();
    for check in &alarms {
        add(of_alarm(check));
    }
    if alarms.is_empty() {
        add(match told.count() {
            0 => Sentence {
                en:
                    "There are too few new days to tell whether it still does what its record says."
                        .to_owned(),
                tr: "Sicilindeki gibi sürüp sürmediğini söylemek için yeni gün sayısı az."
                    .to_owned(),
            },
            _ => Sentence {
                en: "It does what its record says, as far as the new days tell.".to_owned(),
                tr: "Yeni günlerin gösterdiği kadarıyla sicilindeki gibi sürüyor.".to_owned(),
            },
        });
    }
    sentence
}

fn of_inputs(inputs: Option<&InputDrift>) -> Sentence {
    let Some(inputs) = inputs else {
        return Sentence {
            en: "There is too little history to tell what is unusual in its features.".to_owned(),
            tr: "Özniteliklerde neyin olağan dışı olduğunu söylemek için geçmiş kısa.".to_owned(),
        };
    };
    let drifted: Vec<&str> = (inputs.features.iter().filter(|feature| feature.has_drifted))
        .take(NAMED_COUNT)
        .map(|feature| feature.name.as_str())
        .collect();
    let (count, all) = (inputs.drifted_count, inputs.features.len());
    let names = match drifted.is_empty() {
        true => String::new(),
        false => format!(" ({}{})", drifted.join(", "), if count > 3 { ", ..." } else { "" }),
    };
    let (verdict_en, verdict_tr) = match inputs.is_alarm {
        true => ("which is more than usual", "bu olağandan fazla"),
        false => ("which is not unusual", "bu olağan"),
    };
    Sentence {
        en: format!(
            "From {} to {} {count} of {all} features{names} are unlike what it learned from, \
             {verdict_en}.",
            inputs.from, inputs.to
        ),
        tr: format!(
            "{} ile {} arasında {all} öznitelikten {count} tanesi{names} öğrendiklerine benzemiyor, \
             {verdict_tr}.",
            inputs.from.strftime("%d.%m.%Y"),
            inputs.to.strftime("%d.%m.%Y"),
        ),
    }
}

fn of_alarm(check: &PerformanceCheck) -> Sentence {
    let PerformanceCheck { estimate: Some(estimate), days_count, .. } = check else {
        return Sentence { tr: String::new(), en: String::new() };
    };
    let value = format!("{:.3}", estimate.value);
    let (en, tr) = match check.measure {
        PerformanceMeasure::RankIc => (
            format!("its rank IC is {value}, below its record"),
            format!("rank IC değeri {}, sicilinin altında", with_comma(&value)),
        ),
        PerformanceMeasure::Brier => (
            format!("its Brier score is {value}, worse than saying one half"),
            format!("Brier skoru {}, yarı yarıya demekten kötü", with_comma(&value)),
        ),
        PerformanceMeasure::Coverage => (
            format!("its 80 % band has held a share of {value}"),
            format!("%80 bandının tuttuğu pay {}", with_comma(&value)),
        ),
    };
    Sentence {
        en: format!("Over {days_count} new days {en}."),
        tr: format!("{days_count} yeni günde {tr}."),
    }
}
