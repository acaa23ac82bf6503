//! What a version is for, what it is not for, and what its figures do not say, in both languages.

use bist_market::Origin;
use bist_models::Horizon;
use bist_models::explain::words::{Language, ahead};

use crate::evaluation::{
    Caveat, CaveatCode, Evaluation, FALSE_SHARE_MAX, LearningTarget, Sentence, percent, with_comma,
};
use crate::model_version::ModelState;

fn said(tr: impl Into<String>, en: impl Into<String>) -> Sentence {
    Sentence { tr: tr.into(), en: en.into() }
}

/// What has to be known before anything else.
pub(super) fn headline(origin: Origin, state: ModelState, record: &Evaluation) -> Sentence {
    if record.alarm.is_some() {
        return said(
            "Sicili gerçek olamayacak kadar iyi: nedeni bulunana kadar bu sürüme güvenilmemeli.",
            "Its record is too good to be true: until the cause is found it must not be relied on.",
        );
    }
    match (origin, record.skill.shown) {
        (Origin::Sample, _) => said(
            "Örnek piyasadan öğrendi: hiçbir gerçek hisse hakkında bir şey söylemez.",
            "It learned from a sample market: it says nothing about any real share.",
        ),
        (Origin::Market, false) => said(
            "Görmediği günlerde beceri göstermedi: sinyalleri eyleme dayanak olmaz.",
            "It has shown no skill on days that it had not seen: its signals are no ground to act on.",
        ),
        (Origin::Market, true) => match state {
            ModelState::Champion => said(
                "Görmediği günlerde beceri gösterdi; gösterilen tahminler onundur.",
                "It has shown skill on days that it had not seen; the forecasts shown are its own.",
            ),
            ModelState::Candidate | ModelState::Staged | ModelState::Retired => said(
                "Görmediği günlerde beceri gösterdi; yürürlükte değildir.",
                "It has shown skill on days that it had not seen; it is not in force.",
            ),
        },
    }
}

pub(super) fn intended_use(horizon: Horizon) -> Vec<Sentence> {
    let [tr, en] = Language::ALL.map(|language| ahead(horizon, language));
    vec![
        said(
            format!(
                "Borsa İstanbul paylarının {tr} için getiri tahmini, bu tahminin bandı ve yükseliş \
                 olasılığı."
            ),
            format!(
                "Forecasts of the return of shares of Borsa Istanbul {en}, with a band around them \
                 and the probability of a rise."
            ),
        ),
        said(
            "Aynı günün paylarını sıralamak ve bir karara, öteki bilgilerin yanında, dayanak olmak.",
            "To rank the shares of one day, and to support a decision beside other information.",
        ),
    ]
}

pub(super) fn not_for(origin: Origin, record: &Evaluation) -> Vec<Sentence> {
    let mut not_for = vec![
        said(
            "Kendiliğinden emir vermek: emir kararını insan verir.",
            "To place orders by itself: a person decides on orders.",
        ),
        said(
            "Öğrendiği semboller dışındaki paylar, başka borsalar, başka ufuklar.",
            "Shares other than those it learned from, other exchanges, other horizons.",
        ),
    ];
    if record.protocol.learning_target == LearningTarget::RelativeToDay {
        not_for.push(said(
            "Piyasanın yönünü söylemek: paylar birbiriyle karşılaştırılarak öğrenildi.",
            "To tell where the market goes: it learned by comparing shares with each other.",
        ));
    }
    if matches!(record.horizon, Horizon::Sessions(_)) {
        not_for.push(said(
            "Gün içi işlemler: yalnız kapanmış seansların barlarını okur.",
            "Trading within a session: it reads bars of finished sessions only.",
        ));
    }
    if origin == Origin::Sample {
        not_for.push(said(
            "Gerçek parayla ilgili herhangi bir karar: verisi üretilmiştir.",
            "Any decision about real money: its data were generated.",
        ));
    }
    not_for
}

/// What the figures of `record` do not say.
pub(super) fn limits(origin: Origin, record: &Evaluation) -> Vec<Sentence> {
    let mut limits = Vec::new();
    if origin == Origin::Sample {
        limits.push(said(
            "Veri üretilmiştir; bütün ölçümler üretecin kurallarını yansıtır.",
            "The data were generated; all figures reflect the rules of the generator.",
        ));
    }
    limits.extend(record.caveats.iter().map(|caveat| in_both(caveat, record)));
    limits
}

/// `caveat` in both languages.
fn in_both(caveat: &Caveat, record: &Evaluation) -> Sentence {
    let judged = record.by_symbol.iter().filter(|symbol| symbol.rank_ic.is_some()).count();
    let shown = record.by_symbol.iter().filter(|symbol| symbol.skill_shown).count();
    let tr = match caveat.code {
        CaveatCode::SurvivorshipUnknown => {
            "Semboller, verisi verilenlerdir; borsadan ayrılan şirketler eksik olabilir, bu da ortalama \
             getiriyi yüksek gösterir."
                .to_owned()
        }
        CaveatCode::VendorAdjustedPrices => {
            "Getiriler, varsa veri sağlayıcının düzeltilmiş kapanışıyla hesaplanır; yanlış düzeltme \
             yanlış getiridir."
                .to_owned()
        }
        CaveatCode::FillsAssumed => {
            let next = match record.horizon {
                Horizon::Sessions(_) => "seansın",
                Horizon::NextHour | Horizon::EndOfDay => "saatin",
            };
            format!(
                "Alımların sonraki {next} açılış fiyatından, her miktarda ve pay tavana kilitliyken \
                 de gerçekleştiği varsayılır."
            )
        }
        CaveatCode::CostsAssumed => {
            let slippage = record.protocol.costs.slippage_share * 10_000.0;
            let slippage = with_comma(&format!("{slippage:.1}"));
            format!("Her yönde {slippage} baz puan kayma bir varsayımdır; ölçülmemiştir.")
        }
        CaveatCode::ConfigurationsTried => format!(
            "{} yapılandırma denendi. Beceriyi sınayan aralık bunu hesaba katar, öteki aralıklar \
             katmaz.",
            record.protocol.configurations_tried_count
        ),
        CaveatCode::ManySymbolsJudged => format!(
            "{judged} sembol sınandı, {shown} tanesi geçti; aralıklar, geçenlerin en çok %{} kadarı \
             rastlantıyla geçecek genişliktedir.",
            percent(FALSE_SHARE_MAX)
        ),
        CaveatCode::BandsSupposeStability => {
            "Bantlar, gelecek hatalar geçmiştekilere benzediği sürece sözünü tutar; tutma oranı bunun \
             ne kadar doğru çıktığını gösterir."
                .to_owned()
        }
        CaveatCode::OrderNotDirection => {
            "Model, bir günün paylarının birbirinden nasıl ayrıldığını öğrenir ve öyle sınanır; \
             piyasanın yönü hakkında, sıfıra çekilmiş ortalamasından fazlasını bilmez."
                .to_owned()
        }
        CaveatCode::FewSymbols => {
            "Çoğu günde beşten az sembol olduğu için rank IC zaman içinde ölçüldü; bir günün sembolleri \
             piyasanın hareketini paylaşır."
                .to_owned()
        }
        CaveatCode::SectorsUnknown => {
            "Sembollerin sektörü bilinmiyor; bu yüzden sicili tek bir sektörün taşıyıp taşımadığı \
             söylenemiyor."
                .to_owned()
        }
        CaveatCode::TreesGiven => {
            let day = record.protocol.given_trees_known_until.map(|day| day.to_string());
            format!(
                "Ağaçlar başka yerde öğrendi. Onları veren, {} gününden sonraki hiçbir fiyatı \
                 bilmediklerini söylüyor; biliyorlarsa sicil olduğundan iyi görünür ve bu burada \
                 anlaşılamaz.",
                day.unwrap_or_default()
            )
        }
    };
    Sentence { tr, en: caveat.text.clone() }
}
