//! What a record says, in one plain sentence: can it be told from luck?

use bist_trading::Estimate;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The sentence in the two languages of the product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// In Turkish.
    pub tr: String,
    /// In English.
    pub en: String,
}

/// What the sentence is made of.
pub(super) struct Told {
    /// The rank information coefficient, with the interval by which it is judged.
    pub(super) rank_ic: Option<Estimate>,
    /// Days measured.
    pub(super) days_count: u64,
    /// First day judged.
    pub(super) from: Date,
    /// Last day judged.
    pub(super) to: Date,
    pub(super) configurations_tried_count: u32,
    pub(super) alarmed: bool,
    pub(super) skill_shown: bool,
}

/// What the numbers come to.
enum Finding {
    TooGood,
    Skill,
    OrderOnly,
    Luck,
    Reverse,
}

impl Told {
    pub(super) fn sentence(&self) -> Sentence {
        match self.rank_ic {
            Some(rank_ic) => {
                let finding = self.finding(rank_ic);
                Sentence {
                    tr: self.turkish(rank_ic, &finding),
                    en: self.english(rank_ic, &finding),
                }
            }
            None => self.too_few_days(),
        }
    }

    fn finding(&self, rank_ic: Estimate) -> Finding {
        if self.alarmed {
            Finding::TooGood
        } else if rank_ic.high < 0.0 {
            Finding::Reverse
        } else if rank_ic.low <= 0.0 {
            Finding::Luck
        } else if self.skill_shown {
            Finding::Skill
        } else {
            Finding::OrderOnly
        }
    }

    fn english(&self, rank_ic: Estimate, finding: &Finding) -> String {
        let Self { days_count, from, to, configurations_tried_count: tried, .. } = self;
        let Estimate { value, low, high, level } = rank_ic;
        let finding = match finding {
            Finding::TooGood => "which is too good to be true: look for a leak before believing it",
            Finding::Skill => {
                "which can be told from luck, and every other condition of skill is met"
            }
            Finding::OrderOnly => {
                "which can be told from luck, but other conditions of skill are not met"
            }
            Finding::Luck => "which cannot be told from luck",
            Finding::Reverse => "which can be told from luck, in the wrong direction",
        };
        format!(
            "Over {days_count} days from {from} to {to}, and after {tried} configuration{} tried, the \
             rank IC is {value:.3}, between {low:.3} and {high:.3} at {} %, {finding}.",
            if *tried == 1 { "" } else { "s" },
            percent(level)
        )
    }

    fn turkish(&self, rank_ic: Estimate, finding: &Finding) -> String {
        let Self { days_count, configurations_tried_count: tried, .. } = self;
        let Estimate { value, low, high, level } = rank_ic;
        let finding = match finding {
            Finding::TooGood => {
                "gerçek olamayacak kadar iyi, inanmadan önce geleceği gören bir veri aranmalı"
            }
            Finding::Skill => {
                "rastlantıdan ayırt edilebiliyor ve becerinin öteki koşulları da sağlanıyor"
            }
            Finding::OrderOnly => {
                "rastlantıdan ayırt edilebiliyor, ama becerinin öteki koşulları sağlanmıyor"
            }
            Finding::Luck => "rastlantıdan ayırt edilemiyor",
            Finding::Reverse => "rastlantıdan ayırt edilebiliyor, ama ters yönde",
        };
        let number = |number: f64| with_comma(&format!("{number:.3}"));
        format!(
            "{} ile {} arasındaki {days_count} günde ve denenen {tried} yapılandırma hesaba \
             katıldığında rank IC {} (%{} aralığı {} ile {} arası): {finding}.",
            self.from.strftime("%d.%m.%Y"),
            self.to.strftime("%d.%m.%Y"),
            number(value),
            with_comma(&percent(level).to_string()),
            number(low),
            number(high)
        )
    }

    fn too_few_days(&self) -> Sentence {
        let Self { days_count, configurations_tried_count: tried, .. } = self;
        Sentence {
            tr: format!(
                "Denenen {tried} yapılandırmadan sonra tahminleri rastlantıdan ayırt etmeye yetecek \
                 kadar gün yok ({days_count})."
            ),
            en: format!(
                "There are too few days ({days_count}) to tell the forecasts from luck, after {tried} \
                 configuration{} tried.",
                if *tried == 1 { "" } else { "s" }
            ),
        }
    }
}

/// A level in percent, to a hundredth where it needs one.
pub(crate) fn percent(level: f64) -> f64 {
    (level * 10_000.0).round() / 100.0
}

/// The number as it is written in Turkish.
pub(crate) fn with_comma(number: &str) -> String {
    number.replace('.', ",")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn told(low: f64, value: f64, high: f64) -> Told {
        Told {
            rank_ic: Some(Estimate { value, low, high, level: 0.987_26 }),
            days_count: 731,
            from: date(2023, 1, 2),
            to: date(2025, 12, 30),
            configurations_tried_count: 4,
            alarmed: false,
            skill_shown: false,
        }
    }

    #[test]
    fn the_sentence_has_the_interval_the_days_and_the_trials_in_both_languages() {
        let Sentence { tr, en } = told(-0.0041, 0.0213, 0.0467).sentence();
        assert_eq!(
            en,
            "Over 731 days from 2023-01-02 to 2025-12-30, and after 4 configurations tried, the rank IC is 0.021, between -0.004 and 0.047 at 98.73 %, which cannot be told from luck."
        );
        assert_eq!(
            tr,
            "02.01.2023 ile 30.12.2025 arasındaki 731 günde ve denenen 4 yapılandırma hesaba katıldığında rank IC 0,021 (%98,73 aralığı -0,004 ile 0,047 arası): rastlantıdan ayırt edilemiyor."
        );
    }

    #[test]
    fn every_finding_has_words_of_its_own() {
        let check = |told: &Told, en: &str, tr: &str| {
            let sentence = told.sentence();
            assert!(sentence.en.ends_with(en) && sentence.tr.ends_with(tr), "{sentence:?}");
        };
        let above = told(0.01, 0.03, 0.05);
        check(&above, "conditions of skill are not met.", "öteki koşulları sağlanmıyor.");
        let shown = Told { skill_shown: true, ..above };
        check(&shown, "every other condition of skill is met.", "koşulları da sağlanıyor.");
        let alarmed = Told { alarmed: true, ..shown };
        check(&alarmed, "look for a leak before believing it.", "veri aranmalı.");
        check(&told(-0.05, -0.03, -0.01), "in the wrong direction.", "ters yönde.");
        let unknown = Told { rank_ic: None, days_count: 1, ..alarmed };
        check(&unknown, "after 4 configurations tried.", "yetecek kadar gün yok (1).");
    }
}
