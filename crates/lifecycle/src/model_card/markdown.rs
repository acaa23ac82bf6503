//! The card as Markdown.

use std::fmt::{self, Write as _};

use bist_market::Origin;
use bist_models::explain::words::{Language, ahead, member_name};
use bist_trading::{Estimate, SkillCondition};
use jiff::Timestamp;
use jiff::civil::Date;

use super::{CardSkill, ModelCard};
use crate::evaluation::{LearningTarget, Sentence};
use crate::forecast::FittedModel;
use crate::model_version::ModelState;
use crate::signal_record::{RecordSummary, Tally};

impl ModelCard {
    /// The card as Markdown in `language`, with tables as GitHub writes them.
    ///
    /// # Panics
    ///
    /// Never: a text takes what is written to it.
    pub fn markdown(&self, language: Language) -> String {
        let mut page = Page { language, text: String::new() };
        page.write(self).expect("a text takes what is written to it");
        page.text
    }
}

/// A page under way.
struct Page {
    language: Language,
    text: String,
}

impl Page {
    fn say(&self, turkish: &'static str, english: &'static str) -> &'static str {
        self.language.pick(turkish, english)
    }

    fn of<'a>(&self, sentence: &'a Sentence) -> &'a str {
        match self.language {
            Language::Turkish => &sentence.tr,
            Language::English => &sentence.en,
        }
    }

    fn write(&mut self, card: &ModelCard) -> fmt::Result {
        self.details(card)?;
        self.list(self.say("Ne içindir", "Intended use"), &card.intended_use)?;
        self.list(self.say("Ne için değildir", "Not for"), &card.not_for)?;
        self.data(card)?;
        self.making(card)?;
        self.skill(&card.skill)?;
        self.record(card.record.as_ref())?;
        self.drift(card)?;
        self.list(self.say("Sınırlar", "Limits"), &card.limits)?;
        self.changes(card)
    }

    fn details(&mut self, card: &ModelCard) -> fmt::Result {
        let title = self.say("Model kartı", "Model card");
        writeln!(self.text, "# {title}: {}\n", card.version)?;
        let headline = self.of(&card.headline).to_owned();
        writeln!(self.text, "> **{headline}**\n")?;
        let origin = match card.origin {
            Origin::Sample => self.say("örnek (üretilmiş) veri", "sample (generated) data"),
            Origin::Market => self.say("gerçek veri", "real data"),
        };
        self.table(
            [self.say("Alan", "Field"), self.say("Değer", "Value")],
            [
                [self.say("Ufuk", "Horizon").to_owned(), ahead(card.horizon, self.language)],
                [self.say("Veri", "Data").to_owned(), origin.to_owned()],
                [self.say("Durum", "State").to_owned(), self.state(card.state).to_owned()],
                [self.say("Tür", "Kind").to_owned(), self.kind(&card.kind)],
                [self.say("Kartın tarihi", "Card made at").to_owned(), instant(card.made_at)],
            ],
        )
    }

    fn data(&mut self, card: &ModelCard) -> fmt::Result {
        let data = &card.data;
        self.heading("Veri", "Data")?;
        let days = self.range(data.first_day, data.last_day);
        self.table(
            [self.say("Alan", "Field"), self.say("Değer", "Value")],
            [
                [self.say("Günler", "Days").to_owned(), days],
                [self.say("Satırlar", "Rows").to_owned(), self.count(data.rows_count)],
                [
                    self.say("Öznitelikler", "Features").to_owned(),
                    data.feature_names.len().to_string(),
                ],
                [
                    self.say("Barların parmak izi", "Fingerprint of the bars").to_owned(),
                    code(&data.snapshot_hash),
                ],
            ],
        )?;
        let symbols: Vec<&str> = data.symbols.iter().map(bist_market::Symbol::as_str).collect();
        let heading = self.say("Semboller", "Symbols");
        writeln!(self.text, "\n{heading} ({}): {}", symbols.len(), symbols.join(", "))?;
        if !data.excluded.is_empty() {
            let heading = self.say("Dışarıda bırakılanlar", "Left out");
            writeln!(self.text, "\n{heading}:\n")?;
            for out in &data.excluded {
                writeln!(self.text, "- {}: {}", out.symbol, out.reason)?;
            }
        }
        Ok(())
    }

    fn making(&mut self, card: &ModelCard) -> fmt::Result {
        let making = &card.making;
        self.heading("Nasıl yapıldı", "How it was made")?;
        let took = match making.training_seconds {
            Some(seconds) => format!("{} s", self.number(seconds, 1)),
            None => self.unknown().to_owned(),
        };
        let target = match making.learning_target {
            LearningTarget::RelativeToDay => {
                self.say("günün ortalamasına göre getiri", "the return relative to the day's mean")
            }
            LearningTarget::Absolute => self.say("getirinin kendisi", "the return itself"),
        };
        let tuned = match making.tuned.is_empty() {
            true => self.say("hayır", "no").to_owned(),
            false => making
                .tuned
                .iter()
                .map(|part| format!("{}: {} #{}", part.part, part.study, part.trial_number))
                .collect::<Vec<_>>()
                .join("; "),
        };
        let tried = making.configurations_tried_count.to_string();
        self.table(
            [self.say("Alan", "Field"), self.say("Değer", "Value")],
            [
                [self.say("Eğitim", "Trained at").to_owned(), instant(making.trained_at)],
                [self.say("Eğitimin süresi", "Training took").to_owned(), took],
                [
                    self.say("Program sürümü", "Program version").to_owned(),
                    making.code_version.clone(),
                ],
                [self.say("Tohum", "Seed").to_owned(), making.seed.to_string()],
                [self.say("Öğrendiği", "Learns").to_owned(), target.to_owned()],
                [self.say("Denenen yapılandırmalar", "Configurations tried").to_owned(), tried],
                [self.say("Ayarlanmış", "Tuned").to_owned(), tuned],
                [
                    self.say("Dosyanın SHA-256'sı", "SHA-256 of the artefact").to_owned(),
                    code(&making.artifact_sha256),
                ],
            ],
        )?;
        self.text.push('\n');
        let rows: Vec<_> = making
            .members
            .iter()
            .map(|member| {
                [
                    member_name(&member.kind, self.language),
                    self.percent(member.weight.calm, 1),
                    self.percent(member.weight.turbulent, 1),
                    self.estimate(member.rank_ic, 3),
                ]
            })
            .collect();
        self.table(
            [
                self.say("Üye", "Member"),
                self.say("Ağırlık, sakin", "Weight, calm"),
                self.say("Ağırlık, çalkantılı", "Weight, turbulent"),
                "Rank IC",
            ],
            rows,
        )
    }

    fn skill(&mut self, skill: &CardSkill) -> fmt::Result {
        self.heading("Görmediği günlerdeki beceri", "Skill on days that it had not seen")?;
        let sentence = self.of(&skill.sentence).to_owned();
        writeln!(self.text, "{sentence}\n")?;
        let days = self.range(skill.from, skill.to);
        let after_costs = skill.after_costs.as_ref();
        let mut rows = vec![
            [self.say("Günler", "Days").to_owned(), format!("{days} ({})", skill.days_count)],
            [self.say("Tahminler", "Forecasts").to_owned(), self.count(skill.rows_count)],
            ["Rank IC".to_owned(), self.estimate(skill.rank_ic, 3)],
            [
                self.say("Yön isabeti", "Hit rate").to_owned(),
                self.share_estimate(skill.hit_rate, 1),
            ],
            [
                self.say("Hep yükseliş demenin isabeti", "Hit rate of always saying up").to_owned(),
                skill.up_share.map_or_else(|| self.unknown().to_owned(), |s| self.percent(s, 1)),
            ],
            [
                self.say("Kalibrasyon eğimi", "Calibration slope").to_owned(),
                self.estimate(skill.calibration_slope, 2),
            ],
        ];
        if let Some(direction) = &skill.direction {
            rows.push([
                self.say("Yükseliş olasılığı: Brier", "Probability of a rise: Brier").to_owned(),
                self.number(direction.calibrated.brier, 4),
            ]);
            rows.push([
                self.say(
                    "Brier kazancı (geçmişin oranına göre)",
                    "Brier gain (over the share of the past)",
                )
                .to_owned(),
                self.estimate(direction.brier_gain, 4),
            ]);
        }
        for band in &skill.coverage {
            let level = self.percent(band.level, 0);
            let what = match self.language {
                Language::Turkish => format!("{level} bandının tuttuğu"),
                Language::English => format!("Held by the {level} band"),
            };
            rows.push([what, self.share_estimate(band.covered, 1)]);
        }
        rows.push([
            self.say("Dönem başına net getiri", "Net return of a period").to_owned(),
            self.share_estimate(after_costs.and_then(|costs| costs.net_return_share), 2),
        ]);
        rows.push([
            self.say("Al ve tut'a göre fazlası", "Excess over holding").to_owned(),
            self.share_estimate(after_costs.and_then(|costs| costs.excess_return_share), 2),
        ]);
        self.table(
            [self.say("Ölçüm", "Measure"), self.say("Değer (aralık)", "Value (interval)")],
            rows,
        )?;
        self.conditions(skill)?;
        self.folds(skill)
    }

    fn conditions(&mut self, skill: &CardSkill) -> fmt::Result {
        let verdict = match skill.shown {
            true => self.say(
                "Beceri kuralının bütün koşulları sağlandı:",
                "All conditions of the rule of skill are met:",
            ),
            false => self.say(
                "Beceri kuralının bütün koşulları sağlanmış değil:",
                "Not all conditions of the rule of skill are met:",
            ),
        };
        writeln!(self.text, "\n{verdict}\n")?;
        for condition in &skill.conditions {
            let tick = if condition.met { "x" } else { " " };
            let what = self.condition(condition.condition);
            let measured = condition
                .measured
                .map_or_else(|| self.unknown().to_owned(), |measured| self.number(measured, 4));
            let bound = self.number(condition.bound, 4);
            let (found, needed) = (self.say("ölçülen", "measured"), self.say("sınır", "bound"));
            writeln!(self.text, "- [{tick}] {what} ({found} {measured}, {needed} {bound})")?;
        }
        Ok(())
    }

    fn folds(&mut self, skill: &CardSkill) -> fmt::Result {
        self.text.push('\n');
        let rows: Vec<_> = skill
            .folds
            .iter()
            .map(|fold| {
                let known = |value: Option<f64>, show: &dyn Fn(f64) -> String| {
                    value.map_or_else(|| self.unknown().to_owned(), show)
                };
                [
                    self.range(fold.layout.test_from, fold.layout.test_to),
                    self.count(fold.layout.test_rows_count),
                    known(fold.rank_ic, &|value| self.number(value, 3)),
                    known(fold.hit_share, &|value| self.percent(value, 1)),
                ]
            })
            .collect();
        self.table(
            [
                self.say("Sınama dilimi", "Test block"),
                self.say("Satırlar", "Rows"),
                "Rank IC",
                self.say("Yön isabeti", "Hit rate"),
            ],
            rows,
        )
    }

    fn record(&mut self, record: Option<&RecordSummary>) -> fmt::Result {
        self.heading("Gösterilen sinyallerin sonucu", "What came of the signals shown")?;
        let Some(record) = record else {
            let none = self.say(
                "Bu sürümün ufku dolmuş bir sinyali yok.",
                "No signal of this version has reached the end of its horizon.",
            );
            return writeln!(self.text, "{none}");
        };
        let early = match record.is_too_early {
            true => self.say(
                "Sayılardan fazlasını söylemek için erken.",
                "It is too early to say more than counts.",
            ),
            false => "",
        };
        if !early.is_empty() {
            writeln!(self.text, "{early}\n")?;
        }
        let days = record.days_count;
        self.table(
            [self.say("Ölçüm", "Measure"), self.say("Değer (aralık)", "Value (interval)")],
            [
                [
                    self.say("Puanlanan sinyaller", "Signals scored").to_owned(),
                    match self.language {
                        Language::Turkish => format!("{} ({days} günde)", record.scored_count),
                        Language::English => format!("{} (on {days} days)", record.scored_count),
                    },
                ],
                [self.say("Yön isabeti", "Hit rate").to_owned(), self.tally(record.hits)],
                [
                    self.say("%50 bandının tuttuğu", "Held by the 50% band").to_owned(),
                    self.tally(record.held_50),
                ],
                [
                    self.say("%80 bandının tuttuğu", "Held by the 80% band").to_owned(),
                    self.tally(record.held_80),
                ],
            ],
        )
    }

    fn drift(&mut self, card: &ModelCard) -> fmt::Result {
        self.heading("Kayma", "Drift")?;
        let Some(drift) = &card.drift else {
            let none = self.say(
                "Bu sürüm için kaymaya bakılmadı: yalnız yürürlükteki sürümlere, her yeniden eğitimde \
                 bakılır.",
                "Nobody has looked for drift of this version: it is looked for of versions in force, \
                 with every retraining.",
            );
            return writeln!(self.text, "{none}");
        };
        let (at, sentence) = (instant(drift.at), self.of(&drift.sentence).to_owned());
        let alarm = if drift.is_alarm { "ALARM. " } else { "" };
        writeln!(self.text, "{at}: {alarm}{sentence}")
    }

    fn changes(&mut self, card: &ModelCard) -> fmt::Result {
        self.heading("Durumu nasıl değişti", "How it came to stand where it stands")?;
        for change in &card.changes {
            let from = change.from.map_or(self.say("yeni", "new"), |from| self.state(from));
            writeln!(
                self.text,
                "- {}: {from} → {}, {}: {}",
                instant(change.signed.at),
                self.state(change.to),
                change.signed.by,
                one_line(&change.signed.reason)
            )?;
        }
        Ok(())
    }

    fn heading(&mut self, turkish: &'static str, english: &'static str) -> fmt::Result {
        let heading = self.say(turkish, english);
        writeln!(self.text, "\n## {heading}\n")
    }

    fn list(&mut self, heading: &str, sentences: &[Sentence]) -> fmt::Result {
        writeln!(self.text, "\n## {heading}\n")?;
        for sentence in sentences {
            let sentence = self.of(sentence).to_owned();
            writeln!(self.text, "- {sentence}")?;
        }
        Ok(())
    }

    fn table<const N: usize>(
        &mut self,
        head: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> fmt::Result {
        writeln!(self.text, "| {} |", head.join(" | "))?;
        writeln!(self.text, "|{}", " --- |".repeat(N))?;
        for row in rows {
            writeln!(self.text, "| {} |", row.map(|cell| one_line(&cell)).join(" | "))?;
        }
        Ok(())
    }

    fn state(&self, state: ModelState) -> &'static str {
        match state {
            ModelState::Candidate => self.say("aday", "candidate"),
            ModelState::Staged => self.say("denemede", "staged"),
            ModelState::Champion => self.say("yürürlükte", "in force (champion)"),
            ModelState::Retired => self.say("emekli", "retired"),
        }
    }

    fn kind(&self, kind: &str) -> String {
        match kind {
            FittedModel::KIND => self.say("topluluk", "ensemble").to_owned(),
            _ => member_name(kind, self.language),
        }
    }

    fn condition(&self, condition: SkillCondition) -> &'static str {
        match condition {
            SkillCondition::RankIcAboveZero => self.say(
                "Rank IC'nin aralığı sıfırın üstünde",
                "The interval of the rank IC lies above zero",
            ),
            SkillCondition::PlausibleRankIc => {
                self.say("Rank IC inanılır büyüklükte", "The rank IC is not too high to be true")
            }
            SkillCondition::PositiveInMostFolds => self.say(
                "Rank IC sınama dilimlerinin en az üçte ikisinde pozitif",
                "The rank IC is positive in at least two thirds of the test blocks",
            ),
            SkillCondition::ErrorBelowZeroForecast => self.say(
                "Hatası hep sıfır demekten küçük",
                "Its error is below that of forecasting zero",
            ),
            SkillCondition::ErrorBelowTrainingMean => self.say(
                "Hatası geçmişin ortalamasını söylemekten küçük",
                "Its error is below that of forecasting the mean of the past",
            ),
            SkillCondition::ErrorBelowSeasonalNaive => self.say(
                "Hatası son getiriyi yinelemekten küçük",
                "Its error is below that of repeating the last return",
            ),
        }
    }

    fn unknown(&self) -> &'static str {
        self.say("bilinmiyor", "unknown")
    }

    fn number(&self, number: f64, decimals: usize) -> String {
        self.language.number(number, decimals)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts far below what is exact")]
    fn count(&self, count: u64) -> String {
        self.number(count as f64, 0)
    }

    fn percent(&self, share: f64, decimals: usize) -> String {
        self.language.percent(share, decimals)
    }

    fn estimate(&self, estimate: Option<Estimate>, decimals: usize) -> String {
        self.interval(estimate, |value| self.number(value, decimals))
    }

    fn share_estimate(&self, estimate: Option<Estimate>, decimals: usize) -> String {
        self.interval(estimate, |value| self.percent(value, decimals))
    }

    fn interval(&self, estimate: Option<Estimate>, show: impl Fn(f64) -> String) -> String {
        let Some(Estimate { value, low, high, level }) = estimate else {
            return self.unknown().to_owned();
        };
        let (value, low, high) = (show(value), show(low), show(high));
        let level = self.percent(level, 0);
        match self.language {
            Language::Turkish => format!("{value} ({level} aralığı {low} ile {high} arası)"),
            Language::English => format!("{value} ({low} to {high} at {level})"),
        }
    }

    fn tally(&self, tally: Tally) -> String {
        let Tally { of_count, count, share } = tally;
        let counts = match self.language {
            Language::Turkish => format!("{of_count} sinyalin {count} tanesi"),
            Language::English => format!("{count} of {of_count}"),
        };
        match share {
            Some(_) => format!("{counts}, {}", self.share_estimate(share, 1)),
            None => counts,
        }
    }

    fn range(&self, from: Date, to: Date) -> String {
        match self.language {
            Language::Turkish => {
                format!("{} – {}", from.strftime("%d.%m.%Y"), to.strftime("%d.%m.%Y"))
            }
            Language::English => format!("{from} to {to}"),
        }
    }
}

fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// `text` as it may stand in a cell or an item: on one line, and without what ends a cell.
fn one_line(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}
