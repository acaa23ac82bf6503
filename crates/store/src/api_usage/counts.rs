//! Answers that were counted together, and how long they took.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::Timestamp;
use sketches_ddsketch::{Config, DDSketch};

use crate::columns::{count, impossible, instant_us};
use crate::db::Row;
use crate::error::StoreError;

/// How far a quantile may be from the exact one, as a share of it.
pub const SKETCH_ERROR: f64 = 0.01;

/// How often a number of answers came to what, and how long they took.
///
/// Quantiles come from a `DDSketch` (Masson, Rim and Lee, 2019), so that those of two counts together
/// are found from both, in whichever order they are merged, and are as good as of one count.
#[derive(Clone)]
pub struct UsageCounts {
    /// Answers below 400.
    pub succeeded_count: u64,
    /// Answers from 400 to 499 but 429.
    pub client_errors_count: u64,
    /// Answers 429: a limit refused.
    pub refused_count: u64,
    /// Answers from 500 on.
    pub errors_count: u64,
    latency_sum_ns: u64,
    last_at: Timestamp,
    /// Milliseconds.
    sketch: DDSketch,
}

impl Default for UsageCounts {
    fn default() -> Self {
        Self {
            succeeded_count: 0,
            client_errors_count: 0,
            refused_count: 0,
            errors_count: 0,
            latency_sum_ns: 0,
            last_at: Timestamp::MIN,
            sketch: DDSketch::new(Config::defaults()),
        }
    }
}

impl fmt::Debug for UsageCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { succeeded_count, client_errors_count, refused_count, errors_count, .. } = self;
        f.debug_struct("UsageCounts")
            .field("succeeded_count", succeeded_count)
            .field("client_errors_count", client_errors_count)
            .field("refused_count", refused_count)
            .field("errors_count", errors_count)
            .field("latency_sum_ns", &self.latency_sum_ns)
            .field("last_at", &self.last_at)
            .finish_non_exhaustive()
    }
}

impl UsageCounts {
    /// Counts an answer of `status` that was made at `at` and took so long.
    pub fn count(&mut self, status: u16, took: Duration, at: Timestamp) {
        match status {
            429 => self.refused_count += 1,
            500.. => self.errors_count += 1,
            400..=499 => self.client_errors_count += 1,
            _ => self.succeeded_count += 1,
        }
        let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.latency_sum_ns = self.latency_sum_ns.saturating_add(took_ns);
        self.last_at = self.last_at.max(at);
        self.sketch.add(took.as_secs_f64() * 1000.0);
    }

    /// Counts all that `other` has counted.
    ///
    /// # Panics
    ///
    /// Never: all sketches here are of one configuration, which is checked when one is read.
    pub fn merge(&mut self, other: &Self) {
        self.succeeded_count += other.succeeded_count;
        self.client_errors_count += other.client_errors_count;
        self.refused_count += other.refused_count;
        self.errors_count += other.errors_count;
        self.latency_sum_ns = self.latency_sum_ns.saturating_add(other.latency_sum_ns);
        self.last_at = self.last_at.max(other.last_at);
        self.sketch.merge(&other.sketch).expect("all sketches here are of one configuration");
    }

    /// All answers.
    pub fn requests_count(&self) -> u64 {
        self.succeeded_count + self.client_errors_count + self.refused_count + self.errors_count
    }

    /// The share of answers from 500 on; `None` when there was none at all.
    pub fn errors_share(&self) -> Option<f64> {
        let all = self.requests_count();
        (all > 0).then(|| self.errors_count as f64 / all as f64)
    }

    /// The latency below which the share `quantile` of all answers was made, milliseconds; `None` when
    /// there was none. It is off by [`SKETCH_ERROR`] at most.
    pub fn latency_ms(&self, quantile: f64) -> Option<f64> {
        self.sketch.quantile(quantile).ok().flatten()
    }

    /// The mean latency, milliseconds; `None` when there was no answer.
    pub fn latency_mean_ms(&self) -> Option<f64> {
        let all = self.requests_count();
        (all > 0).then(|| self.latency_sum_ns as f64 / all as f64 / 1e6)
    }

    /// When the last of them was made.
    pub fn last_at(&self) -> Option<Timestamp> {
        (self.requests_count() > 0).then_some(self.last_at)
    }

    /// The counts of a row with the columns of `api_usage`.
    pub(super) fn of_row(row: &Row) -> Result<Self, StoreError> {
        let bytes =
            STANDARD_NO_PAD.decode(row.try_get::<&str, _>("sketch")?).map_err(impossible)?;
        let read = DDSketch::from_java_bytes(&bytes).map_err(impossible)?;
        let mut counts = Self {
            succeeded_count: count(row, "succeeded_count")?,
            client_errors_count: count(row, "client_errors_count")?,
            refused_count: count(row, "refused_count")?,
            errors_count: count(row, "errors_count")?,
            latency_sum_ns: count(row, "latency_sum_ns")?,
            last_at: instant_us(row.try_get("last_at_us")?)?,
            ..Self::default()
        };
        counts.sketch.merge(&read).map_err(impossible)?;
        Ok(counts)
    }

    pub(super) const fn latency_sum_ns(&self) -> u64 {
        self.latency_sum_ns
    }

    pub(super) fn last_at_us(&self) -> i64 {
        self.last_at.as_microsecond()
    }

    /// The sketch as the text of a column.
    pub(super) fn sketch_text(&self) -> String {
        STANDARD_NO_PAD.encode(self.sketch.to_java_bytes())
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

    use super::*;

    const QUANTILES: [f64; 7] = [0.01, 0.1, 0.25, 0.5, 0.95, 0.99, 0.999];

    /// A draw from 0 to 1, neither of which it is.
    fn draw(rng: &mut ChaCha20Rng) -> f64 {
        (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0
    }

    /// Latencies of several kinds, in nanoseconds: alike, with a long tail, with two humps, a few values.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "latencies and ranks are above nothing and far below 2^53"
    )]
    fn latencies() -> Vec<Vec<u64>> {
        let mut rng = ChaCha20Rng::seed_from_u64(23);
        let kinds: [fn(&mut ChaCha20Rng) -> f64; 4] = [
            |rng| 20_000.0 + 9e6 * draw(rng),
            |rng| 30_000.0 * draw(rng).powf(-0.9),
            |rng| if draw(rng) < 0.9 { 8e4 * (1.0 + draw(rng)) } else { 4e8 * (1.0 + draw(rng)) },
            |rng| [1e3, 1e6, 3e10][rng.next_u32() as usize % 3],
        ];
        let mut drawn = |kind: fn(&mut ChaCha20Rng) -> f64| {
            (0..20_000).map(|_| kind(&mut rng) as u64).collect::<Vec<u64>>()
        };
        kinds.map(&mut drawn).into()
    }

    fn counted(latencies: &[u64]) -> UsageCounts {
        let mut counts = UsageCounts::default();
        for took_ns in latencies {
            counts.count(200, Duration::from_nanos(*took_ns), Timestamp::UNIX_EPOCH);
        }
        counts
    }

    fn read_again(counts: &UsageCounts) -> UsageCounts {
        let bytes = STANDARD_NO_PAD.decode(counts.sketch_text()).unwrap();
        let mut again = UsageCounts { sketch: UsageCounts::default().sketch, ..counts.clone() };
        again.sketch.merge(&DDSketch::from_java_bytes(&bytes).unwrap()).unwrap();
        again
    }

    /// Everything that can be asked of counts.
    fn told(counts: &UsageCounts) -> (u64, [Option<f64>; 7], Option<f64>) {
        let quantiles = QUANTILES.map(|quantile| counts.latency_ms(quantile));
        (counts.requests_count(), quantiles, counts.latency_mean_ms())
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "latencies and ranks are above nothing and far below 2^53"
    )]
    #[test]
    fn quantiles_are_within_the_stated_error_of_the_exact_ones() {
        for mut latencies in latencies() {
            let counts = counted(&latencies);
            latencies.sort_unstable();
            for quantile in QUANTILES {
                let rank = (quantile * (latencies.len() - 1) as f64) as usize;
                let exact_ms = latencies[rank] as f64 / 1e6;
                let told_ms = counts.latency_ms(quantile).unwrap();
                let error = (told_ms - exact_ms).abs() / exact_ms;
                assert!(error <= SKETCH_ERROR + 1e-9, "{quantile}: {told_ms}, exactly {exact_ms}");
            }
            let sum: u64 = latencies.iter().sum();
            let mean_ms = sum as f64 / latencies.len() as f64 / 1e6;
            assert!((counts.latency_mean_ms().unwrap() / mean_ms - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn in_whichever_order_counts_are_merged_and_written_down_they_say_what_one_count_would() {
        for latencies in latencies() {
            let whole = told(&counted(&latencies));
            let parts: Vec<UsageCounts> = latencies.chunks(777).map(counted).collect();
            let mut forwards = UsageCounts::default();
            parts.iter().for_each(|part| forwards.merge(part));
            let mut backwards = UsageCounts::default();
            for part in parts.iter().rev() {
                // Written down and read at each step, as a row is.
                backwards.merge(&read_again(part));
                backwards = read_again(&backwards);
            }
            assert_eq!(told(&forwards), whole);
            assert_eq!(told(&backwards), whole);
        }
    }

    #[test]
    fn every_status_is_in_one_class() {
        let mut counts = UsageCounts::default();
        for status in 100..600 {
            counts.count(status, Duration::from_millis(1), Timestamp::UNIX_EPOCH);
        }
        let UsageCounts {
            succeeded_count, client_errors_count, refused_count, errors_count, ..
        } = counts;
        assert_eq!(
            (succeeded_count, client_errors_count, refused_count, errors_count),
            (300, 99, 1, 100)
        );
        assert_eq!(counts.requests_count(), 500);
        assert_eq!(counts.errors_share(), Some(0.2));
    }

    #[test]
    fn of_nothing_nothing_is_said() {
        let none = UsageCounts::default();
        assert_eq!(told(&none), (0, [None; 7], None));
        assert_eq!((none.last_at(), none.errors_share()), (None, None));
        assert_eq!(told(&read_again(&none)), told(&none));
    }
}
