//! What is outside of this process, and whether it is being asked: the one place that knows.

use bist_market::breaker::BreakerState;

use crate::App;

/// Something outside of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideState {
    /// What it is: `redis`, `object_store`, `backup_copies`, `mail`, `telegram`, `sentry`, `collector`, or
    /// the name of a source.
    pub name: String,
    /// Whether it is being asked.
    pub breaker: BreakerState,
}

impl OutsideState {
    /// Whether it is being asked as usual.
    pub fn is_well(&self) -> bool {
        matches!(self.breaker, BreakerState::Closed { .. })
    }
}

impl App {
    /// How everything outside is that this process asks, but for the database.
    pub fn outside(&self) -> Vec<OutsideState> {
        let state = |name: String, breaker| OutsideState { name, breaker };
        let redis = self.redis.as_ref().map(|redis| state("redis".to_owned(), redis.state()));
        let bucket = self.store.bucket_state();
        let bucket = bucket.map(|breaker| state("object_store".to_owned(), breaker));
        let copies = self.backup_copies.as_ref();
        let copies = copies.map(|bucket| state("backup_copies".to_owned(), bucket.state()));
        let told_by = self.alerting.states().map(|(name, breaker)| state(name.to_owned(), breaker));
        let sources = self.providers.iter().filter_map(|(source, provider)| {
            provider.breaker().map(|breaker| state(source.to_string(), breaker))
        });
        let followed = self.followed.as_ref().map(|followed| &followed.quotes.source);
        let sentry = self.sentry.state().map(|breaker| state("sentry".to_owned(), breaker));
        let collector = self.telemetry.traces();
        let collector = collector.map(|traces| state("collector".to_owned(), traces.state()));
        let live =
            followed.and_then(|live| Some(state(live.source().to_string(), live.breaker()?)));
        redis
            .into_iter()
            .chain(bucket)
            .chain(copies)
            .chain(told_by)
            .chain(sentry)
            .chain(collector)
            .chain(sources)
            .chain(live)
            .collect()
    }
}
