//! Why the ensemble forecasts what it does: the parts of its members on one scale.
//!
//! The forecast is the drift and the members' forecasts, each times its weight. A member's forecast
//! is a base and parts: of the trees by `TreeSHAP`, of the elastic net its coefficients times the
//! standard scores, of the network integrated gradients summed over its steps, of Prophet its
//! components. Weighted alike, they are the parts of the whole. The weights, which follow the
//! regime, are taken as they are at the row: what the regime does to the weights is nobody's part.
//!
//! Parts that do not add up are refused, so that nothing wrong is shown or kept.

use bist_market::Symbol;
use bist_models::{Contributions, ElasticNet, Gbdt, Lstm, Prophet, SequenceAttribution};
use bist_trading::Contribution;
use serde::{Deserialize, Serialize};

use crate::forecast::Forecast;

/// How far the parts of a member that counts in double precision may be from adding up.
const MEMBER_GAP_MAX: f64 = 1e-9;

/// How far the parts of the network, which counts in single precision, and those of the whole may be
/// from adding up.
const WHOLE_GAP_MAX: f64 = 1e-6;

/// A forecast with its explanation.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// What is expected.
    pub forecast: Forecast,
    /// Why.
    pub explanation: Explanation,
}

/// What a forecast is made of. Log-returns over the horizon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// What is added to the members' forecasts.
    pub drift: f64,
    /// The forecast for a row of which nothing is known: the drift and the members' bases.
    pub base: f64,
    /// The forecast.
    pub forecast: f64,
    /// The members, in the order of their weights.
    pub members: Vec<MemberShare>,
    /// What each feature adds, in the order of the columns, and then each component of Prophet. With
    /// the base they add up to the forecast within 1e-6.
    pub features: Vec<FeatureShare>,
}

/// What one member adds to a forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberShare {
    /// The kind of model.
    pub kind: String,
    /// How much it counts.
    pub weight: f64,
    /// Its own forecast, before it is weighted; relative to the drift.
    pub forecast: f64,
    /// What it forecasts for a row of which nothing is known, weighted.
    pub base: f64,
    /// What its parts add to that, weighted.
    pub contribution: f64,
}

/// What one feature, or one component of Prophet, adds to a forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureShare {
    /// The feature's name; that of a component begins with `prophet_`.
    pub feature: String,
    /// Its value in this row; `None` when it is not known, and for a component.
    pub value: Option<f64>,
    /// What it adds.
    pub contribution: f64,
    /// What it adds through each member, weighted, in the order of the members; 0 where a member
    /// does not look at it.
    pub by_member: Vec<f64>,
}

/// Parts that do not add up: the explanation is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "the parts of the {of} forecast of {symbol} add up to {parts:e} and not to {forecast:e}: the \
     explanation is refused"
)]
pub struct ExplanationError {
    /// Whose forecast.
    pub symbol: Symbol,
    /// Which forecast: the kind of a member, or `ensemble`.
    pub of: &'static str,
    /// What the base and the parts add up to.
    pub parts: f64,
    /// The forecast.
    pub forecast: f64,
}

/// What a member says of a row, and why.
pub(crate) struct MemberParts {
    kind: &'static str,
    weight: f64,
    forecast: f64,
    base: f64,
    /// One a feature, in the order of the columns; empty for one that reads no feature.
    by_feature: Vec<f64>,
    components: Vec<(String, f64)>,
    gap_max: f64,
}

impl MemberParts {
    pub(crate) fn of_trees(parts: Contributions) -> Self {
        Self::by_feature(Gbdt::KIND, parts.base, parts.values, MEMBER_GAP_MAX)
    }

    pub(crate) fn of_elastic_net(parts: Contributions) -> Self {
        Self::by_feature(ElasticNet::KIND, parts.base, parts.values, MEMBER_GAP_MAX)
    }

    pub(crate) fn of_network(parts: SequenceAttribution) -> Self {
        Self::by_feature(Lstm::KIND, parts.base, parts.values, WHOLE_GAP_MAX)
    }

    pub(crate) fn of_prophet(components: Vec<(String, f64)>) -> Self {
        let nothing = Self::by_feature(Prophet::KIND, 0.0, Vec::new(), MEMBER_GAP_MAX);
        Self { components, ..nothing }
    }

    fn by_feature(kind: &'static str, base: f64, by_feature: Vec<f64>, gap_max: f64) -> Self {
        let (weight, forecast, components) = (0.0, 0.0, Vec::new());
        Self { kind, weight, forecast, base, by_feature, components, gap_max }
    }

    /// The same of a member that forecasts this and counts so much.
    pub(crate) fn weighted(self, forecast: f64, weight: f64) -> Self {
        Self { forecast, weight, ..self }
    }

    fn contribution(&self) -> f64 {
        let of_components = self.components.iter().map(|(_, value)| value);
        self.by_feature.iter().chain(of_components).sum()
    }

    fn check(&self, symbol: Symbol) -> Result<(), ExplanationError> {
        let (of, forecast) = (self.kind, self.forecast);
        adds_up(symbol, of, self.base + self.contribution(), forecast, self.gap_max)
    }
}

impl Explanation {
    /// Puts the parts of the members together and sees that they add up to `forecast`.
    ///
    /// # Errors
    ///
    /// [`ExplanationError`] when those of a member do not, or those of all.
    pub(crate) fn of(
        symbol: Symbol,
        (names, values): (&[String], &[f64]),
        drift: f64,
        members: &[MemberParts],
        forecast: f64,
    ) -> Result<Self, ExplanationError> {
        for member in members {
            member.check(symbol)?;
        }
        let by_member = |part: &dyn Fn(&MemberParts) -> f64| -> Vec<f64> {
            members.iter().map(|member| member.weight * part(member)).collect()
        };
        let share = |feature: String, value: Option<f64>, by_member: Vec<f64>| FeatureShare {
            feature,
            value,
            contribution: by_member.iter().sum(),
            by_member,
        };
        let mut features: Vec<FeatureShare> = names
            .iter()
            .zip(values)
            .enumerate()
            .map(|(j, (name, value))| {
                let parts = by_member(&|member| member.by_feature.get(j).copied().unwrap_or(0.0));
                share(name.clone(), Some(*value).filter(|value| value.is_finite()), parts)
            })
            .collect();
        for (index, member) in members.iter().enumerate() {
            features.extend(member.components.iter().map(|(name, value)| {
                let mut parts = vec![0.0; members.len()];
                parts[index] = member.weight * value;
                share(format!("{}_{name}", member.kind), None, parts)
            }));
        }
        let members: Vec<MemberShare> = members
            .iter()
            .map(|member| MemberShare {
                kind: member.kind.to_owned(),
                weight: member.weight,
                forecast: member.forecast,
                base: member.weight * member.base,
                contribution: member.weight * member.contribution(),
            })
            .collect();
        let base = drift + members.iter().map(|member| member.base).sum::<f64>();
        let explanation = Self { drift, base, forecast, members, features };
        adds_up(symbol, "ensemble", explanation.sum(), forecast, WHOLE_GAP_MAX)?;
        Ok(explanation)
    }

    /// What the base and all features add up to.
    pub fn sum(&self) -> f64 {
        self.base + self.features.iter().map(|feature| feature.contribution).sum::<f64>()
    }

    /// What each feature adds, as a signal names it.
    pub fn contributions(&self) -> Vec<Contribution> {
        let of_feature = |share: &FeatureShare| Contribution {
            feature: share.feature.clone(),
            value: share.value,
            contribution_share: share.contribution,
        };
        self.features.iter().map(of_feature).collect()
    }
}

fn adds_up(
    symbol: Symbol,
    of: &'static str,
    parts: f64,
    forecast: f64,
    gap_max: f64,
) -> Result<(), ExplanationError> {
    let gap = parts - forecast;
    if gap.is_nan() || gap.abs() > gap_max {
        return Err(ExplanationError { symbol, of, parts, forecast });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol() -> Symbol {
        Symbol::parse("THYAO").unwrap()
    }

    fn members(trees_base: f64) -> Vec<MemberParts> {
        let contributions = |base, values: &[f64]| Contributions { base, values: values.to_vec() };
        let components = vec![("trend".to_owned(), 0.004), ("weekly".to_owned(), -0.001)];
        vec![
            MemberParts::of_trees(contributions(trees_base, &[0.002, -0.001])).weighted(0.011, 0.5),
            MemberParts::of_elastic_net(contributions(0.0, &[0.0, 0.004])).weighted(0.004, 0.3),
            MemberParts::of_prophet(components).weighted(0.003, 0.2),
        ]
    }

    fn explain(trees_base: f64, forecast: f64) -> Result<Explanation, ExplanationError> {
        let names = ["rsi_14", "return_5"].map(str::to_owned);
        let row = (&names[..], &[71.0, f64::NAN][..]);
        Explanation::of(symbol(), row, 0.001, &members(trees_base), forecast)
    }

    #[test]
    fn weighted_parts_add_up_by_feature_and_by_member() {
        let explained = explain(0.01, 0.001 + 0.0055 + 0.0012 + 0.0006).unwrap();
        assert!((explained.base - 0.006).abs() < 1e-15);
        let told: Vec<(&str, Option<f64>)> =
            explained.features.iter().map(|f| (f.feature.as_str(), f.value)).collect();
        let of_prophet = [("prophet_trend", None), ("prophet_weekly", None)];
        assert_eq!(told, [&[("rsi_14", Some(71.0)), ("return_5", None)], &of_prophet[..]].concat());
        let expected = [0.001, 0.0007, 0.0008, -0.0002];
        for (feature, expected) in explained.features.iter().zip(expected) {
            assert!((feature.contribution - expected).abs() < 1e-15, "{}", feature.feature);
            let sum: f64 = feature.by_member.iter().sum();
            assert!((sum - expected).abs() < 1e-15);
        }
        for (member, expected) in explained.members.iter().zip([0.0005, 0.0012, 0.0006]) {
            assert!((member.contribution - expected).abs() < 1e-15, "{}", member.kind);
        }
        assert!((explained.sum() - explained.forecast).abs() < 1e-15);
        assert_eq!(explained.contributions().len(), 4);
    }

    #[test]
    fn an_explanation_that_does_not_add_up_is_refused_with_both_numbers() {
        let refused = explain(0.01 + 2e-9, 0.0083).unwrap_err();
        assert_eq!(refused.of, "gbdt");
        assert!((refused.parts - refused.forecast - 2e-9).abs() < 1e-15);
        let refused = explain(0.01, 0.0083 + 2e-6).unwrap_err();
        assert_eq!((refused.of, refused.symbol), ("ensemble", symbol()));
        assert!((refused.forecast - refused.parts - 2e-6).abs() < 1e-15);
        assert_eq!(explain(f64::NAN, 0.0083).unwrap_err().of, "gbdt");
        let text = refused.to_string();
        assert!(
            text.contains("THYAO") && text.contains("8.3") && text.contains("refused"),
            "{text}"
        );
    }
}
