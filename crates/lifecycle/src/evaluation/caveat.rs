//! What the numbers of an evaluation do not say.

use bist_models::Horizon;
use serde::{Deserialize, Serialize};

use super::symbols::FALSE_SHARE_MAX;
use super::{InformationCoefficient, Protocol, RankIcMethod, SectorEvaluation, SymbolEvaluation};

/// A limit of what an evaluation claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caveat {
    /// Its stable word.
    pub code: CaveatCode,
    /// The same in a sentence.
    pub text: String,
}

/// The limits, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CaveatCode {
    /// Companies that left the exchange may be missing.
    SurvivorshipUnknown,
    /// Returns rest on a vendor's adjusted closes.
    VendorAdjustedPrices,
    /// Orders are taken to be filled at the opening price.
    FillsAssumed,
    /// Slippage is assumed, not measured.
    CostsAssumed,
    /// Many symbols are judged one by one.
    ManySymbolsJudged,
    /// The rule and the numbers of configurations tried.
    ConfigurationsTried,
    /// The coefficient says nothing on the direction of the market.
    OrderNotDirection,
    /// The coefficient is measured over time, where a common trend counts.
    FewSymbols,
    /// No symbol's sector is known.
    SectorsUnknown,
    /// The band's promise supposes that the future resembles the past.
    BandsSupposeStability,
    /// What trees that learned elsewhere have seen cannot be told here.
    TreesGiven,
}

/// The caveats that apply.
pub(super) fn caveats(
    rank_ic: &InformationCoefficient,
    symbols: &[SymbolEvaluation],
    sectors: &[SectorEvaluation],
    protocol: &Protocol,
    horizon: Horizon,
) -> Vec<Caveat> {
    let judged = symbols.iter().filter(|symbol| symbol.rank_ic.is_some()).count();
    let shown = symbols.iter().filter(|symbol| symbol.skill_shown).count();
    let tried = protocol.configurations_tried_count;
    let method = match rank_ic.method {
        RankIcMethod::CrossSectional => (
            CaveatCode::OrderNotDirection,
            "The model learns and is judged by how symbols differ on a day; of where the market \
             goes it knows no more than its average, shrunk towards zero."
                .to_owned(),
        ),
        RankIcMethod::TimeSeries => (
            CaveatCode::FewSymbols,
            "There are fewer than five symbols on most days, so the rank IC is measured over time; \
             the symbols of a day share the market's move."
                .to_owned(),
        ),
    };
    let all = [
        (
            CaveatCode::SurvivorshipUnknown,
            "The symbols are those whose bars were given; companies that have left the exchange may \
             be missing, which flatters average returns."
                .to_owned(),
        ),
        (
            CaveatCode::VendorAdjustedPrices,
            "Returns use the vendor's adjusted closes where there are any; a wrong adjustment is a \
             wrong return."
                .to_owned(),
        ),
        (
            CaveatCode::FillsAssumed,
            format!(
                "Purchases are taken to be filled at the {}'s opening price, for any amount and also \
                 when the share is locked at its price limit.",
                match horizon {
                    Horizon::Sessions(_) => "next session",
                    Horizon::NextHour | Horizon::EndOfDay => "next hour",
                }
            ),
        ),
        (
            CaveatCode::CostsAssumed,
            format!(
                "Slippage of {:.1} basis points a side is an assumption; it was not measured.",
                protocol.costs.slippage_share * 10_000.0
            ),
        ),
        (
            CaveatCode::ConfigurationsTried,
            format!(
                "{tried} configuration{} tried. The interval by which skill is judged allows for \
                 it; the other intervals do not.",
                if tried == 1 { " was" } else { "s were" }
            ),
        ),
        (
            CaveatCode::ManySymbolsJudged,
            format!(
                "{judged} symbols were judged and {shown} passed, by intervals so wide that {:.0} % of \
                 those that pass do so by luck at most.",
                FALSE_SHARE_MAX * 100.0
            ),
        ),
        (
            CaveatCode::BandsSupposeStability,
            "The bands hold their level when errors to come resemble those of the past; the \
             coverage says how far that was so."
                .to_owned(),
        ),
        method,
    ];
    let sectors_unknown = sectors.is_empty().then(|| {
        let text = "The sectors of the symbols are unknown, so whether one sector carries the record \
                    is not told.";
        (CaveatCode::SectorsUnknown, text.to_owned())
    });
    let trees_given = protocol.given_trees_known_until.map(|day| {
        let text = format!(
            "The trees learned elsewhere. Whoever gave them says that they know no price after {day}; \
             if they do, the record is too good, and that cannot be told here."
        );
        (CaveatCode::TreesGiven, text)
    });
    all.into_iter()
        .chain(sectors_unknown)
        .chain(trees_given)
        .map(|(code, text)| Caveat { code, text })
        .collect()
}
