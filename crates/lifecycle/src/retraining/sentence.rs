//! A decision in words, with its numbers.

use bist_trading::Estimate;

use super::{RetrainingComparison, RetrainingRule, Verdict};
use crate::evaluation::{Sentence, percent, with_comma};

pub(super) fn of(
    verdict: Verdict,
    rule: &RetrainingRule,
    comparison: Option<&RetrainingComparison>,
) -> Sentence {
    let finding = finding(verdict, rule, comparison);
    let Some(comparison) = comparison else { return finding };
    let Some(Estimate { value, low, high, level }) = comparison.difference else { return finding };
    let RetrainingComparison { days_count, from, to, .. } = comparison;
    let of = |estimate: Option<Estimate>| {
        estimate.map_or_else(|| "-".to_owned(), |estimate| format!("{:.3}", estimate.value))
    };
    let (candidate, champion) = (of(comparison.candidate), of(comparison.champion));
    let number = |number: f64| with_comma(&format!("{number:+.3}"));
    let days = if *days_count == 1 { "day" } else { "days" };
    Sentence {
        en: format!(
            "On {days_count} {days} from {from} to {to} that neither has learned from, the rank IC of \
             the new model is {candidate} and the champion's {champion}; the difference is \
             {value:+.3}, between {low:+.3} and {high:+.3} at {} %. {}",
            percent(level),
            finding.en
        ),
        tr: format!(
            "İkisinin de öğrenmediği {} ile {} arasındaki {days_count} günde yeni modelin rank IC \
             değeri {}, şampiyonunki {}; fark {} (%{} aralığı {} ile {} arası). {}",
            from.strftime("%d.%m.%Y"),
            to.strftime("%d.%m.%Y"),
            with_comma(&candidate),
            with_comma(&champion),
            number(value),
            with_comma(&percent(level).to_string()),
            number(low),
            number(high),
            finding.tr
        ),
    }
}

/// What the verdict says.
fn finding(
    verdict: Verdict,
    rule: &RetrainingRule,
    comparison: Option<&RetrainingComparison>,
) -> Sentence {
    let (en, tr) = match verdict {
        Verdict::FirstModel => (
            "There is no champion that could be used: the new model is put in force.".to_owned(),
            "Kullanılabilecek bir şampiyon yok: yeni model yürürlüğe kondu.".to_owned(),
        ),
        Verdict::Better => (
            "It is better than luck: the new model is put in force.".to_owned(),
            "Fark rastlantıdan ayırt edilebiliyor: yeni model yürürlüğe kondu.".to_owned(),
        ),
        Verdict::Refreshed => (
            "It is not worse and has learned from newer days: the new model is put in force."
                .to_owned(),
            "Daha kötü değil ve daha yeni günlerden öğrendi: yeni model yürürlüğe kondu.".to_owned(),
        ),
        Verdict::TooEarly => {
            let days_min = comparison.map_or(rule.days_min, |comparison| comparison.days_min);
            (
                format!("Fewer than {days_min} days are too early to say: the champion stays."),
                format!("{days_min} günden azı karar için erken: şampiyon yürürlükte kaldı."),
            )
        }
        Verdict::Worse => (
            "It is told worse: the champion stays.".to_owned(),
            "Daha kötü olduğu ayırt edilebiliyor: şampiyon yürürlükte kaldı.".to_owned(),
        ),
        Verdict::LossTooLarge => (
            format!(
                "A loss of more than {} is not risked: the champion stays.",
                rule.loss_max
            ),
            format!(
                "{} üzerindeki bir kayıp göze alınmıyor: şampiyon yürürlükte kaldı.",
                with_comma(&rule.loss_max.to_string())
            ),
        ),
        Verdict::WorseThanBaseline => {
            let of = |comparison: &RetrainingComparison| comparison.worse_than.join(", ");
            let baselines = comparison.map(of).unwrap_or_default();
            (
                format!("Its errors are told larger than those of {baselines}: the champion stays."),
                format!(
                    "Hataları {baselines} karşılaştırma modelinden büyük: şampiyon yürürlükte kaldı."
                ),
            )
        }
        Verdict::Alarmed => (
            "Its record is too good to be true: the champion stays, look for a leak.".to_owned(),
            "Sicili gerçek olamayacak kadar iyi: şampiyon yürürlükte kaldı, geleceği gören bir veri \
             aranmalı."
                .to_owned(),
        ),
    };
    Sentence { tr, en }
}
