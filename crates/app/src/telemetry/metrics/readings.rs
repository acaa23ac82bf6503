//! What stands at a scrape: numbers that are read and not counted.

use std::fmt;

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};

use super::families::{FAMILIES, Family, Kind};

/// Numbers that were read.
#[derive(Clone, Debug, Default)]
pub struct Readings(Vec<Reading>);

/// A number of a family.
#[derive(Clone, Debug)]
struct Reading {
    family: &'static Family,
    labels: Vec<(&'static str, String)>,
    value: f64,
}

impl Readings {
    /// Tells a number of the family `name`; `values` are those of its labels, in their order.
    ///
    /// # Panics
    ///
    /// When there is no such family, or it has other labels.
    pub(crate) fn tell<const N: usize>(&mut self, name: &str, values: [&str; N], value: f64) {
        let family = Family::named(name);
        assert_eq!(family.labels.len(), N, "{name} has the labels {:?}", family.labels);
        let labels = family.labels.iter().copied().zip(values.map(str::to_owned)).collect();
        self.0.push(Reading { family, labels, value });
    }

    /// The same of a fact that is so or not.
    pub(crate) fn tell_fact<const N: usize>(&mut self, name: &str, values: [&str; N], so: bool) {
        self.tell(name, values, f64::from(u8::from(so)));
    }

    /// Adds what others have told.
    pub(crate) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

/// An instant in seconds of Unix.
pub(super) fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "what is counted is far below 2^53")]
pub(super) const fn number(count: u64) -> f64 {
    count as f64
}

impl Collector for Readings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in FAMILIES {
            let mut own = self.0.iter().filter(|one| one.family.name == family.name).peekable();
            if own.peek().is_none() {
                continue;
            }
            let help = format!("{}.", family.help);
            let kind = family.kind.metric_type();
            let mut all = encoder.encode_descriptor(family.bare_name(), &help, None, kind)?;
            for Reading { labels, value, .. } in own {
                if labels.is_empty() {
                    encode_value(&mut all, family.kind, *value)?;
                } else {
                    encode_value(&mut all.encode_family(labels)?, family.kind, *value)?;
                }
            }
        }
        Ok(())
    }
}

fn encode_value(encoder: &mut MetricEncoder<'_>, kind: Kind, value: f64) -> fmt::Result {
    match kind {
        Kind::Counter => encoder.encode_counter::<NoLabelSet, f64, f64>(&value, None),
        // Histograms are counted, and never read.
        Kind::Gauge | Kind::Histogram => encoder.encode_gauge(&value),
    }
}
