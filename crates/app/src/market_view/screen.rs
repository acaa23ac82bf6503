//! The screener: which shares meet some conditions, in which order, and how many do not and why.

use std::cmp::Ordering;

use bist_models::topsis::{Wanted, rank};
use bist_trading::signal::Action;

use super::{MarketView, ShareSignal, ShareSignals, ShareView};

/// A number that shares can be filtered, sorted and ranked by.
#[derive(Debug)]
pub struct ScreenField {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    value: fn(&ShareView, Option<&ShareSignal>) -> Option<f64>,
}

const fn field(
    name: &'static str,
    about: &'static str,
    value: fn(&ShareView, Option<&ShareSignal>) -> Option<f64>,
) -> ScreenField {
    ScreenField { name, about, value }
}

/// All numbers, in the order in which conditions are looked at.
pub static SCREEN_FIELDS: [ScreenField; 21] = [
    field("close", "Close as it was traded, lira", |share, _| Some(share.standing.close.lira())),
    field("change_1_share", "Adjusted change over a session", |share, _| share.standing.changes[0]),
    field("change_5_share", "Adjusted change over 5 sessions", |share, _| {
        share.standing.changes[1]
    }),
    field("change_21_share", "Adjusted change over 21 sessions", |share, _| {
        share.standing.changes[2]
    }),
    field("change_63_share", "Adjusted change over 63 sessions", |share, _| {
        share.standing.changes[3]
    }),
    field("change_126_share", "Adjusted change over 126 sessions", |share, _| {
        share.standing.changes[4]
    }),
    field("change_252_share", "Adjusted change over 252 sessions", |share, _| {
        share.standing.changes[5]
    }),
    field("turnover_try", "Turnover of the day, lira", |share, _| share.standing.turnover_try),
    field("turnover_multiple", "Turnover over its mean of 20 sessions", |share, _| {
        share.standing.turnover_multiple
    }),
    field("volume_multiple", "Volume over its mean of 20 sessions", |share, _| {
        share.standing.volume_multiple
    }),
    field("volatility_20_share", "Standard deviation of 20 daily log-returns", |share, _| {
        share.standing.volatility_20_share
    }),
    field("rsi_14", "Relative strength index of 14 sessions, 0..100", |share, _| {
        share.standing.rsi_14
    }),
    field("adx_14", "Average directional index of 14 sessions, 0..100", |share, _| {
        share.standing.adx_14
    }),
    field("over_mean_20_share", "Close over its mean of 20 sessions, less one", |share, _| {
        share.standing.over_means[0]
    }),
    field("over_mean_50_share", "Close over its mean of 50 sessions, less one", |share, _| {
        share.standing.over_means[1]
    }),
    field("over_mean_200_share", "Close over its mean of 200 sessions, less one", |share, _| {
        share.standing.over_means[2]
    }),
    field("from_high_252_share", "Close over the high of 252 sessions, less one", |share, _| {
        share.standing.from_high_252_share
    }),
    field("from_low_252_share", "Close over the low of 252 sessions, less one", |share, _| {
        share.standing.from_low_252_share
    }),
    field("quality_share", "Quality of the series, 0..1", |share, _| Some(share.quality_share)),
    field("expected_return_share", "Return expected over 5 sessions", |_, signal| {
        signal.map(|signal| signal.expected_return_share)
    }),
    field("probability_up", "Probability of a rise over 5 sessions", |_, signal| {
        signal.map(|signal| signal.probability_up)
    }),
];

/// The place of the field `name` among [`SCREEN_FIELDS`].
pub fn field_named(name: &str) -> Option<usize> {
    SCREEN_FIELDS.iter().position(|field| field.name == name)
}

/// Bounds of a field, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Its place among [`SCREEN_FIELDS`].
    pub field: usize,
    /// The least value.
    pub min: Option<f64>,
    /// The largest value.
    pub max: Option<f64>,
}

/// What the rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sorting {
    /// The ticker.
    Symbol,
    /// The composite ranking.
    Composite,
    /// A field, by its place among [`SCREEN_FIELDS`].
    Field(usize),
}

/// A criterion of the composite ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Criterion {
    /// Its place among [`SCREEN_FIELDS`].
    pub field: usize,
    /// Whether more of it is better.
    pub wanted: Wanted,
}

/// Which shares are wanted, and in which order.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreenQuery {
    /// Part of the ticker or the name, in lower case.
    pub text: Option<String>,
    /// The name of the sector.
    pub sector: Option<String>,
    /// What the signal says.
    pub action: Option<Action>,
    /// Whether the model has shown skill on the share.
    pub is_skill_shown: Option<bool>,
    /// Bounds of fields.
    pub ranges: Vec<Range>,
    /// What the composite ranking weighs.
    pub criteria: Vec<Criterion>,
    /// What the rows are sorted by.
    pub sorting: Sorting,
    /// The largest first.
    pub is_descending: bool,
}

/// One share that meets the conditions.
#[derive(Clone, Copy, Debug)]
pub struct ScreenedRow<'a> {
    /// The share.
    pub share: &'a ShareView,
    /// What the model says of it.
    pub signal: Option<&'a ShareSignal>,
    /// Its closeness to the best in all criteria, 0..=1; `None` where one of them is not known.
    pub composite: Option<f64>,
}

impl ScreenedRow<'_> {
    /// The value of a field.
    pub fn value(&self, field: usize) -> Option<f64> {
        (SCREEN_FIELDS[field].value)(self.share, self.signal)
    }
}

/// Shares that a condition left out, of those that met the conditions before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The parameter, or the field of a range.
    pub condition: &'static str,
    /// Known not to meet it.
    pub unmet_count: usize,
    /// Nothing is known that could meet it.
    pub unknown_count: usize,
}

/// What the screener found.
#[derive(Debug)]
pub struct Screened<'a> {
    /// The shares that meet all conditions, in the order asked for.
    pub rows: Vec<ScreenedRow<'a>>,
    /// What each condition left out, in the order in which they were looked at.
    pub left_out: Vec<LeftOut>,
    /// The weight of each criterion; empty where nothing could be ranked.
    pub weights: Vec<f64>,
}

impl MarketView {
    /// The shares that meet `query`.
    pub fn screen<'a>(&'a self, signals: &'a ShareSignals, query: &ScreenQuery) -> Screened<'a> {
        let mut rows: Vec<ScreenedRow<'a>> = self
            .shares
            .iter()
            .map(|share| ScreenedRow {
                share,
                signal: signals.get(&share.standing.symbol),
                composite: None,
            })
            .collect();
        let mut left_out = Vec::new();
        let mut keep = |condition, meets: &dyn Fn(&ScreenedRow<'_>) -> Option<bool>| {
            let (mut unmet_count, mut unknown_count) = (0, 0);
            rows.retain(|row| {
                let meets = meets(row);
                unmet_count += usize::from(meets == Some(false));
                unknown_count += usize::from(meets.is_none());
                meets == Some(true)
            });
            left_out.push(LeftOut { condition, unmet_count, unknown_count });
        };
        if let Some(text) = &query.text {
            keep("q", &|row| {
                let symbol = row.share.standing.symbol.as_str().to_lowercase();
                let name = row.share.name.as_ref().map(|name| name.to_lowercase());
                Some(symbol.contains(text) || name.is_some_and(|name| name.contains(text)))
            });
        }
        if let Some(sector) = &query.sector {
            keep("sector", &|row| row.share.sector.as_ref().map(|known| known == sector));
        }
        if let Some(action) = query.action {
            keep("action", &|row| row.signal.map(|signal| signal.action == action));
        }
        if let Some(wanted) = query.is_skill_shown {
            keep("skill_shown", &|row| row.signal.map(|signal| signal.is_skill_shown == wanted));
        }
        for range in &query.ranges {
            keep(SCREEN_FIELDS[range.field].name, &|row| {
                let value = row.value(range.field)?;
                let above = range.min.is_none_or(|min| value >= min);
                Some(above && range.max.is_none_or(|max| value <= max))
            });
        }
        let weights = weigh(&mut rows, &query.criteria);
        sort(&mut rows, query.sorting, query.is_descending);
        Screened { rows, left_out, weights }
    }
}

/// Gives the rows of which all criteria are known their closeness, and returns the weights.
fn weigh(rows: &mut [ScreenedRow<'_>], criteria: &[Criterion]) -> Vec<f64> {
    let values = |row: &ScreenedRow<'_>| -> Option<Vec<f64>> {
        criteria.iter().map(|criterion| row.value(criterion.field)).collect()
    };
    let (mut ranked, alternatives): (Vec<_>, Vec<_>) =
        rows.iter_mut().filter_map(|row| values(row).map(|values| (row, values))).unzip();
    let wanted: Vec<Wanted> = criteria.iter().map(|criterion| criterion.wanted).collect();
    let Some(ranking) = rank(&alternatives, &wanted) else { return Vec::new() };
    for (row, closeness) in ranked.iter_mut().zip(ranking.closeness) {
        row.composite = Some(closeness);
    }
    ranking.weights
}

/// Sorts, what is unknown last in either direction, and what is alike by ticker.
fn sort(rows: &mut [ScreenedRow<'_>], sorting: Sorting, is_descending: bool) {
    let key = |row: &ScreenedRow<'_>| match sorting {
        Sorting::Symbol => None,
        Sorting::Composite => row.composite,
        Sorting::Field(field) => row.value(field),
    };
    rows.sort_by(|a, b| {
        let by_value = match (key(a), key(b)) {
            (Some(a), Some(b)) if is_descending => b.total_cmp(&a),
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        let by_symbol = a.share.standing.symbol.cmp(&b.share.standing.symbol);
        let turned = sorting == Sorting::Symbol && is_descending;
        by_value.then(if turned { by_symbol.reverse() } else { by_symbol })
    });
}
