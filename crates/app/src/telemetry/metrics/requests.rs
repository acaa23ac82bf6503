//! Requests that were answered, counted by method, route and status.
//!
//! This is done for every request, so nothing here makes a label anew that was seen before: what is
//! counted stands behind the method and the route, and is found by one look into a map. Of the requests that
//! come at the same time one in each bucket is an example, and not each in the place of the one before.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use foldhash::fast::RandomState;
use jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;

use crate::telemetry::{Answered, METHODS, NO_ROUTE};

/// The upper ends of the buckets of durations, seconds. One is a quarter of a second, by which the
/// service level is judged.
pub(super) const DURATIONS_S: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How long an example of a bucket stays at least, milliseconds.
const EXAMPLE_FOR_MS: u64 = 20;

/// The longest id of a request that an exemplar names, bytes.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// What a series of requests is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfStatus {
    method: &'static str,
    route: Arc<str>,
    status: u16,
}

/// What a series of durations is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfRoute {
    method: &'static str,
    route: Arc<str>,
}

/// The request that an exemplar names.
#[derive(Clone, Copy, Debug, EncodeLabelSet)]
pub(super) struct Example {
    request_id: RequestName,
}

/// The id of a request, held in place.
#[derive(Clone, Copy)]
struct RequestName {
    bytes: [u8; REQUEST_ID_BYTES_MAX],
    length: usize,
}

impl RequestName {
    fn of(id: &str) -> Option<Self> {
        let mut bytes = [0; REQUEST_ID_BYTES_MAX];
        bytes.get_mut(..id.len())?.copy_from_slice(id.as_bytes());
        Some(Self { bytes, length: id.len() })
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl fmt::Debug for RequestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl EncodeLabelValue for RequestName {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.as_str())
    }
}

pub(super) type Durations = HistogramWithExemplars<Example>;

/// All requests that were answered. Cloning shares the counts.
#[derive(Clone, Debug)]
pub(super) struct Requests {
    pub(super) counts: Counts,
    pub(super) durations: DurationsOfRoutes,
    /// What is counted of each route, by the place of the method.
    known: Arc<[RwLock<Routes>; METHODS.len()]>,
}

/// What is counted of each route of one method, by its name.
type Routes = HashMap<Arc<str>, Arc<Route>, RandomState>;

/// The counts of answers.
pub(super) type Counts = Family<OfStatus, Counter>;

/// The durations, by route.
pub(super) type DurationsOfRoutes = Family<OfRoute, Durations>;

/// What is counted of a method and a route.
#[derive(Debug)]
struct Route {
    name: Arc<str>,
    durations: Durations,
    /// When each bucket, and what is beyond the last, got its example; milliseconds since 1970.
    examples_at: [AtomicI64; DURATIONS_S.len() + 1],
    by_status: RwLock<Vec<(u16, Counter)>>,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            counts: Counts::default(),
            durations: DurationsOfRoutes::new_with_constructor(|| {
                Durations::new(DURATIONS_S.into_iter())
            }),
            known: Arc::default(),
        }
    }
}

impl Route {
    /// Whether a request that took so long is to be an example from `at` on.
    fn wants_example(&self, took_s: f64, at: Timestamp) -> bool {
        let now_ms = at.as_millisecond();
        let example_at = &self.examples_at[DURATIONS_S.partition_point(|edge| *edge < took_s)];
        // Of two that ask at once both may be; a clock that was put back does not keep the old one.
        if now_ms.abs_diff(example_at.load(Ordering::Relaxed)) < EXAMPLE_FOR_MS {
            return false;
        }
        example_at.store(now_ms, Ordering::Relaxed);
        true
    }
}

impl Requests {
    pub(super) fn note(&self, answered: &Answered) {
        let other = METHODS.len() - 1;
        let place = METHODS.iter().position(|method| *method == answered.method).unwrap_or(other);
        let name = answered.route.as_deref().unwrap_or(NO_ROUTE);
        let known = self.known[place].read().unwrap_or_else(PoisonError::into_inner);
        match known.get(name) {
            Some(route) => self.note_of(route, place, answered),
            None => {
                drop(known);
                let route = self.learn(place, name);
                self.note_of(&route, place, answered);
            }
        }
    }

    /// Counts a route from now on that was not asked for before.
    fn learn(&self, place: usize, name: &str) -> Arc<Route> {
        let mut known = self.known[place].write().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = known.get(name) {
            return Arc::clone(route);
        }
        let name: Arc<str> = name.into();
        let labels = OfRoute { method: METHODS[place], route: Arc::clone(&name) };
        let durations = self.durations.get_or_create_owned(&labels);
        let route = Arc::new(Route {
            name: Arc::clone(&name),
            durations,
            examples_at: Default::default(),
            by_status: RwLock::default(),
        });
        known.insert(name, Arc::clone(&route));
        route
    }

    fn note_of(&self, route: &Route, place: usize, answered: &Answered) {
        let took_s = answered.took.as_secs_f64();
        let is_wanted = route.wants_example(took_s, answered.at);
        let name = is_wanted.then(|| RequestName::of(&answered.request_id));
        let example = name.flatten().map(|request_id| Example { request_id });
        let example_at = example.and_then(|_| SystemTime::try_from(answered.at).ok());
        route.durations.observe(took_s, example, example_at);
        {
            let by_status = route.by_status.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, count)) = by_status.iter().find(|known| known.0 == answered.status) {
                count.inc();
                return;
            }
        }
        let (method, status) = (METHODS[place], answered.status);
        let labels = OfStatus { method, route: Arc::clone(&route.name), status };
        let count = self.counts.get_or_create_owned(&labels);
        count.inc();
        let mut by_status = route.by_status.write().unwrap_or_else(PoisonError::into_inner);
        if !by_status.iter().any(|known| known.0 == status) {
            by_status.push((status, count));
        }
    }
}

#[cfg(test)]
mod tests;
