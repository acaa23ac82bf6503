//! How two versions differ: in what they were made from, and in what they were worth.

use std::collections::BTreeMap;
use std::fmt;

use bist_market::Symbol;
use bist_trading::Estimate;
use serde::Serialize;
use serde_json::Value;

use crate::evaluation::Evaluation;
use crate::model_version::{Lineage, ModelVersion};

/// Longest value of a field that stands in a line.
const VALUE_CHARS_MAX: usize = 60;

/// How two versions differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelDifference {
    /// The first version.
    pub before: String,
    /// The second one.
    pub after: String,
    /// Whether their artefacts are the same bytes.
    pub same_artifact: bool,
    /// Whether they learned from the same bars.
    pub same_bars: bool,
    /// Whether their records are of the same days, so that their figures may be set side by side.
    pub same_test_days: bool,
    /// Where their lineages differ, lists of symbols and features apart, by name.
    pub lineage: Vec<FieldDifference>,
    /// Symbols that only one of them learned from.
    pub symbols: Exchanged<Symbol>,
    /// Features that only one of them reads.
    pub features: Exchanged<String>,
    /// Their records.
    pub metrics: Vec<MetricDifference>,
}

/// What only one of two lists has, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exchanged<T> {
    /// Only the second.
    pub added: Vec<T>,
    /// Only the first.
    pub removed: Vec<T>,
}

/// A field with its two values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldDifference {
    /// Where it is in the lineage, as `spec.members.gbdt.num_leaves`.
    pub field: String,
    /// Its value in the first version; absent where that has no such field.
    pub before: Option<Value>,
    /// The same of the second.
    pub after: Option<Value>,
}

impl fmt::Display for FieldDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<Value>| match value {
            None => "nothing".to_owned(),
            Some(Value::String(text)) => shortened(text),
            Some(value) => shortened(&value.to_string()),
        };
        write!(f, "{}: {} -> {}", self.field, text(&self.before), text(&self.after))
    }
}

/// The beginning of a long text.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// A figure of both records.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricDifference {
    /// Which.
    pub metric: Metric,
    /// Of the first version; absent when it cannot be told.
    pub before: Option<Figure>,
    /// The same of the second.
    pub after: Option<Figure>,
}

/// A figure out of sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Mean daily rank information coefficient.
    RankIc,
    /// How often the sign was right, 0..=1.
    HitRate,
    /// Root mean squared error, log-return over the horizon.
    Rmse,
    /// Mean squared error of the probability of a rise.
    Brier,
    /// The share of outcomes within the band of 80 %.
    Coverage80,
    /// What buying by its signals would have earned a period after costs, a share.
    NetReturn,
}

/// A figure, with its interval where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The figure.
    pub value: f64,
    /// Ends of its interval.
    pub interval: Option<(f64, f64)>,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::RankIc, Self::HitRate, Self::Rmse, Self::Brier, Self::Coverage80, Self::NetReturn];

    /// The words of the command line.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::RankIc => "rank IC",
            Self::HitRate => "hit rate",
            Self::Rmse => "RMSE",
            Self::Brier => "Brier score",
            Self::Coverage80 => "80 % band holds",
            Self::NetReturn => "net return a period",
        }
    }

    fn of(self, evaluation: &Evaluation) -> Option<Figure> {
        match self {
            Self::RankIc => evaluation.rank_ic.estimate.map(Figure::from),
            Self::HitRate => evaluation.hit_rate.estimate.map(Figure::from),
            Self::Rmse => Some(Figure::alone(evaluation.rmse.model)),
            Self::Brier => {
                Some(Figure::alone(evaluation.outlook.direction.as_ref()?.calibrated.brier))
            }
            Self::Coverage80 => {
                let mut bands = evaluation.coverage.iter();
                bands
                    .rfind(|band| band.level.to_bits() == 0.8_f64.to_bits())?
                    .covered
                    .map(Figure::from)
            }
            Self::NetReturn => evaluation.after_costs.as_ref()?.net_return_share.map(Figure::from),
        }
    }
}

impl Figure {
    const fn alone(value: f64) -> Self {
        Self { value, interval: None }
    }
}

impl From<Estimate> for Figure {
    fn from(estimate: Estimate) -> Self {
        Self { value: estimate.value, interval: Some((estimate.low, estimate.high)) }
    }
}

impl ModelDifference {
    /// From `before` to `after`.
    ///
    /// # Panics
    ///
    /// Never: a lineage is plain data.
    pub fn of(before: &ModelVersion, after: &ModelVersion) -> Self {
        let test_days = |version: &ModelVersion| (version.evaluation.from, version.evaluation.to);
        Self {
            before: before.id.clone(),
            after: after.id.clone(),
            same_artifact: before.artifact_sha256 == after.artifact_sha256,
            same_bars: before.lineage.snapshot_hash == after.lineage.snapshot_hash,
            same_test_days: test_days(before) == test_days(after),
            lineage: field_differences(&before.lineage, &after.lineage),
            symbols: Exchanged::of(&before.lineage.symbols, &after.lineage.symbols),
            features: Exchanged::of(&before.lineage.feature_names, &after.lineage.feature_names),
            metrics: Metric::ALL
                .map(|metric| MetricDifference {
                    metric,
                    before: metric.of(&before.evaluation),
                    after: metric.of(&after.evaluation),
                })
                .into(),
        }
    }
}

impl<T: Clone + PartialEq> Exchanged<T> {
    fn of(before: &[T], after: &[T]) -> Self {
        let only = |of: &[T], not: &[T]| of.iter().filter(|v| !not.contains(v)).cloned().collect();
        Self { added: only(after, before), removed: only(before, after) }
    }
}

/// The fields of which the values differ, by name.
fn field_differences(before: &Lineage, after: &Lineage) -> Vec<FieldDifference> {
    let document = |lineage: &Lineage| {
        // The lists are compared apart.
        let lineage = Lineage {
            symbols: Vec::new(),
            excluded: Vec::new(),
            feature_names: Vec::new(),
            ..lineage.clone()
        };
        serde_json::to_value(lineage).expect("a lineage is plain data")
    };
    document_differences(document(before), document(after))
}

/// The fields of two documents of which the values differ, by name.
pub fn document_differences(before: Value, after: Value) -> Vec<FieldDifference> {
    let leaves = |document: Value| {
        let mut leaves = BTreeMap::new();
        collect_leaves("", document, &mut leaves);
        leaves
    };
    let (mut before, mut after) = (leaves(before), leaves(after));
    let mut names: Vec<String> = before.keys().chain(after.keys()).cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|field| {
            let (before, after) = (before.remove(&field), after.remove(&field));
            FieldDifference { field, before, after }
        })
        .filter(|difference| difference.before != difference.after)
        .collect()
}

/// The values within `value` that hold no others, by where they are.
fn collect_leaves(place: &str, value: Value, leaves: &mut BTreeMap<String, Value>) {
    let below = |name: &str| match place {
        "" => name.to_owned(),
        place => format!("{place}.{name}"),
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                collect_leaves(&below(&name), value, leaves);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (at, value) in items.into_iter().enumerate() {
                collect_leaves(&below(&at.to_string()), value, leaves);
            }
        }
        value @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)) => {
            leaves.insert(place.to_owned(), value);
        }
    }
}
