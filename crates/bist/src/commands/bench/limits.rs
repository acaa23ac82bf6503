//! What it costs to count a request.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Context as _;
use bist_access::RateLimiter;
use bist_app::{Class, SharedLimiter};
use clap::Args;
use serde::Serialize;

use super::side_by_side::{Stopwatch, peak_mib};
use crate::commands::open;
use crate::config::Config;
use crate::terminal::Terminal;

/// Keys beside each other in the large run.
const KEYS: usize = 1_000_000;

/// How many requests of the shared count are timed.
const SHARED_REQUESTS: u32 = 2_000;

/// What a request may cost in this process.
const GOAL_NS: f64 = 1_000.0;

#[derive(Args, Debug)]
pub(crate) struct LimitsBenchArgs {
    /// Requests that are timed in this process
    #[arg(long, value_name = "COUNT", default_value_t = 4_000_000)]
    requests: u32,
}

/// The JSON document.
#[derive(Serialize)]
struct Report {
    /// Nanoseconds of a request, when all have one key.
    one_key_ns: f64,
    /// The same among a million keys, each as often as any other.
    million_keys_ns: f64,
    /// Whether both are below a microsecond.
    below_one_us: bool,
    /// Memory that a million keys take, bytes each; absent where the system does not tell.
    bytes_per_key: Option<f64>,
    /// Microseconds of a request that Redis counts, one after the other; absent when none is configured,
    /// or it does not answer.
    redis_us: Option<f64>,
}

impl LimitsBenchArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let keys: Vec<String> = (0..KEYS).map(|n| format!("account:u{n:016x}")).collect();
        let first = keys.first().context("there are keys")?;
        let one_key_ns = self.time(&RateLimiter::default(), |_| first, config);
        let before_mib = peak_mib();
        let limiter = RateLimiter::default();
        // A prime, so that every key comes as often as any other and none beside its neighbour.
        let key = |n: usize| &keys[n.wrapping_mul(7_368_787) % KEYS];
        self.time(&limiter, key, config);
        let million_keys_ns = self.time(&limiter, key, config);
        let taken_mib = peak_mib().zip(before_mib).map(|(after, before)| after - before);
        let report = Report {
            one_key_ns,
            million_keys_ns,
            below_one_us: one_key_ns.max(million_keys_ns) < GOAL_NS,
            bytes_per_key: taken_mib.map(|mib| mib * 1024.0 * 1024.0 / KEYS as f64),
            redis_us: redis_us(config).await?,
        };
        terminal.result(&report, || report.text())
    }

    /// Nanoseconds of a request, on the processor where the system tells: others on a busy machine are
    /// not counted.
    fn time<'a>(
        &self,
        limiter: &RateLimiter,
        key: impl Fn(usize) -> &'a String,
        config: &Config,
    ) -> f64 {
        let quota = config.edge.quotas().default;
        let watch = Stopwatch::start();
        for n in 0..self.requests {
            let now_us = u64::from(n);
            black_box(limiter.check(Class::Default, key(n as usize), quota, now_us));
        }
        let (wall_s, cpu_s) = watch.stop();
        cpu_s.unwrap_or(wall_s) * 1e9 / f64::from(self.requests)
    }
}

/// Microseconds of a request that Redis counts.
async fn redis_us(config: &Config) -> anyhow::Result<Option<f64>> {
    let app = open(config).await?;
    let link = config.edge.redis_link(&app).await?;
    app.close().await;
    let Some(link) = link else { return Ok(None) };
    let limiter = SharedLimiter::new(link);
    let quota = config.edge.quotas().default;
    let ask = async |n: u32| limiter.check(Class::Default, &format!("bench:{n}"), quota).await;
    // The first connects.
    if ask(0).await.is_err() {
        return Ok(None);
    }
    let began = Instant::now();
    for n in 0..SHARED_REQUESTS {
        ask(n).await?;
    }
    Ok(Some(began.elapsed().as_secs_f64() * 1e6 / f64::from(SHARED_REQUESTS)))
}

impl Report {
    fn text(&self) -> String {
        let below = if self.below_one_us { "yes" } else { "no" };
        let mut text = format!(
            "one key        {:>7.0} ns a request\na million keys {:>7.0} ns a request\n\
             below 1 us: {below}\n",
            self.one_key_ns, self.million_keys_ns
        );
        if let Some(bytes) = self.bytes_per_key {
            text += &format!("memory: {bytes:.0} bytes a key\n");
        }
        text += &match self.redis_us {
            Some(us) => format!("Redis: {us:.0} us a request, one after the other\n"),
            None => "Redis: not asked (redis_url is not set, or it does not answer)\n".to_owned(),
        };
        text
    }
}
