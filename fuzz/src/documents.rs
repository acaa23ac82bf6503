//! Documents of people and of programs beside this one, as JSON: what is read is written as a document that
//! is read as the same, and what is accepted keeps its bounds.

use std::fmt::Debug;
use std::path::Path;

use bist_lifecycle::experiment::{DeclaredExperiment, ExperimentDesign};
use bist_lifecycle::search_space::Distribution;
use bist_market::{Shares, Snapshot};
use bist_models::{FeatureSpec, GbdtParams, LstmParams, ProphetParams};
use bist_trading::alert::QuietHours;
use bist_trading::{
    AlertRule, CancelReason, CostModel, Order, OrderIntent, Portfolio, RiskLimits, SignalPolicy,
    UserSettings, Watchlist,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) fn check(bytes: &[u8], _: &Path) -> bool {
    let understood = [
        read::<AlertRule>(bytes).map(alert_rule).is_some(),
        read::<Watchlist>(bytes).map(watchlist).is_some(),
        read::<UserSettings>(bytes).map(user_settings).is_some(),
        read::<OrderIntent>(bytes).is_some(),
        read::<Order>(bytes).map(order).is_some(),
        read::<RiskLimits>(bytes).map(risk_limits).is_some(),
        read::<CostModel>(bytes).is_some(),
        read::<SignalPolicy>(bytes).is_some(),
        read::<Portfolio>(bytes).map(portfolio).is_some(),
        read::<Distribution>(bytes).map(distribution).is_some(),
        read::<ExperimentDesign>(bytes).map(experiment).is_some(),
        read::<Snapshot>(bytes).is_some(),
        read::<FeatureSpec>(bytes).is_some(),
        read::<GbdtParams>(bytes).is_some(),
        read::<LstmParams>(bytes).is_some(),
        read::<ProphetParams>(bytes).is_some(),
    ];
    understood.contains(&true)
}

/// The document, if it is one; then it is one for good.
fn read<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(bytes).ok()?;
    let written = serde_json::to_vec(&read).expect("what was read can be written");
    let again: T = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(again, read);
    Some(read)
}

fn alert_rule(rule: AlertRule) {
    if let Some(hours) = rule.quiet_hours {
        assert_eq!(QuietHours::new(hours.from(), hours.to()), Ok(hours));
    }
    if let Ok(checked) = rule.checked() {
        assert_eq!(checked.clone().checked(), Ok(checked));
    }
}

fn watchlist(list: Watchlist) {
    if let Ok(checked) = Watchlist::new(&list.name, list.symbols) {
        assert_eq!(Watchlist::new(&checked.name, checked.symbols.clone()), Ok(checked));
    }
}

fn user_settings(settings: UserSettings) {
    if let Ok(checked) = settings.checked() {
        let shares = [checked.highlight_change_share, checked.confidence_share_min];
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
    }
}

/// An order ends once, never binds money that it cannot spend, and never has more shares than it wants.
fn order(order: Order) {
    let quantity = order.intent.quantity;
    assert!(order.remaining() <= quantity && order.last_session() >= order.first_session);
    assert!(order.reserve(&CostModel::default()).units() >= 0);
    let mut cancelled = order.clone();
    assert_eq!(cancelled.cancel(CancelReason::Owner, order.placed_at).is_ok(), order.is_open());
    assert!(!cancelled.is_open() && cancelled.cancel(CancelReason::Halt, order.placed_at).is_err());
    let mut filled = order.clone();
    if filled.fill(Shares(u64::MAX), order.first_session).is_ok() {
        assert!(!filled.is_open() && filled.filled == quantity.max(order.filled));
    }
}

fn risk_limits(limits: RiskLimits) {
    if let Ok(checked) = RiskLimits::new(limits.order_notional_max, limits.position_share_max) {
        assert_eq!(checked, limits);
    }
}

fn portfolio(portfolio: Portfolio) {
    let Portfolio { name, opening_cash, costs, limits, through, .. } = &portfolio;
    if let Ok(opened) = Portfolio::open(name, *opening_cash, *costs, *limits, *through) {
        assert_eq!(opened.buying_power(&[]), *opening_cash);
    }
    portfolio.value(|_| None);
    portfolio.settled_cash(*through);
}

/// A sound distribution has both of its ends, and what people see of a value leads back to it.
fn distribution(distribution: Distribution) {
    if distribution.check().is_err() {
        return;
    }
    let ends = match &distribution {
        Distribution::Float { low, high, .. } => [*low, *high],
        #[expect(clippy::cast_precision_loss, reason = "as parameters are kept")]
        Distribution::Int { low, high, .. } => [*low as f64, *high as f64],
        #[expect(clippy::cast_precision_loss, reason = "choices are few")]
        Distribution::Categorical { choices } => [0.0, (choices.len() - 1) as f64],
    };
    for end in ends {
        let value = distribution.value(end).expect("an end is a value");
        let back = distribution.internal(&value).expect("a value is one of those");
        // The first of choices that are the same, and the nearest number that parameters are kept as.
        assert!(back <= end && distribution.value(back).is_some());
    }
    if distribution.is_single() && !matches!(distribution, Distribution::Int { step: 2.., .. }) {
        let step = matches!(distribution, Distribution::Float { step: Some(_), .. });
        assert!(step || ends[0] >= ends[1], "{distribution:?} is not single");
    }
}

fn experiment(design: ExperimentDesign) {
    if let Ok(declared) = design.clone().declare() {
        assert_eq!(*declared.design(), design);
        let again = read::<DeclaredExperiment>(&serde_json::to_vec(&declared).expect("a design"));
        assert_eq!(again.expect("what was declared").design_sha256(), declared.design_sha256());
    }
}
