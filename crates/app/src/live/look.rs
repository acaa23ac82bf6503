//! Looking at what the database says, and publishing what was not told yet: whoever changed it.
//!
//! What this process does itself is looked at as soon as it is done, what others do at an interval.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bist_lifecycle::{HORIZONS, HORIZONS_HOURLY};
use bist_market::bar::day_of;
use bist_store::{ChangeMarks, JobRun, PersonalTopic, StoreError};
use jiff::civil::Date;
use tokio::time::MissedTickBehavior;

use super::event::{Change, PriceNow, QualityNow};
use super::shared::LookError;
use super::stream::RUNS_MAX;
use super::topic::{Section, Topic};
use super::{Hub, Live, LiveSettings};
use crate::App;
use crate::symbols::SymbolView;

/// The shortest time between two looks.
const PAUSE_MIN: Duration = Duration::from_millis(100);

/// What was seen at the last look.
#[derive(Debug, Default)]
pub(super) struct Looked {
    at: Option<Instant>,
    marks: Option<ChangeMarks>,
    /// The day on which prices were told.
    prices_on: Option<Date>,
    /// Runs that had ended, by number.
    ended: BTreeMap<i64, (JobRun, Change)>,
}

impl App {
    /// What has just changed, for those who listen.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// The same with a stream that is kept otherwise.
    #[must_use]
    pub fn with_live(self, settings: LiveSettings) -> Self {
        Self { live: Live::new(settings), ..self }
    }

    /// Publishes what the database says and was not told yet; to all servers, where this one tells what
    /// they do and leads.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; what was not told is told the next time.
    pub async fn look_at_changes(&self) -> Result<(), StoreError> {
        self.look_held(&mut *self.live.0.looked.lock().await).await
    }

    /// The same, unless that was done a moment ago: for somebody who begins to listen.
    ///
    /// # Errors
    ///
    /// As [`Self::look_at_changes`].
    pub async fn look_if_due(&self) -> Result<(), StoreError> {
        let mut looked = self.live.0.looked.lock().await;
        let every = self.live.0.settings.look_every;
        if looked.at.is_some_and(|at| at.elapsed() < every) {
            return Ok(());
        }
        self.look_held(&mut looked).await
    }

    /// Looks again and again while somebody listens, for as long as it is asked to.
    pub async fn follow_changes(&self) {
        match &self.live.0.shared {
            None => self.look_again_and_again().await,
            Some(shared) => {
                tokio::join!(self.look_again_and_again(), self.follow_shared(shared));
            }
        }
    }

    async fn look_again_and_again(&self) {
        let Hub { listeners_count, stirred, nudged, settings, .. } = &*self.live.0;
        let (mut listeners, mut leavers) =
            (listeners_count.subscribe(), listeners_count.subscribe());
        let mut looks = tokio::time::interval(settings.look_every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = async {
                listeners.wait_for(|count| *count > 0).await.ok();
                tokio::select! {
                    _ = looks.tick() => {}
                    () = nudged.notified() => {}
                }
            };
            let leads = self.live.0.is_leader.load(Ordering::Relaxed);
            let is_stirred = tokio::select! {
                () = due => false,
                () = stirred.notified() => true,
                _ = leavers.wait_for(|count| *count == 0), if leads => false,
            };
            let began = Instant::now();
            let is_heard = *listeners_count.borrow() > 0;
            if is_heard && let Err(error) = self.look_at_changes().await {
                tracing::warn!(%error, "what has changed could not be looked at: {error}");
            }
            if let Some(shared) = self.live.joined() {
                let leads = self.live.0.is_leader.load(Ordering::Relaxed);
                if !leads && is_stirred {
                    shared.nudge().await;
                }
                if leads && !is_heard {
                    self.live.0.is_leader.store(false, Ordering::Relaxed);
                    shared.resign().await;
                }
            }
            // Half of the time at most, however quickly the bars change.
            tokio::time::sleep(began.elapsed().max(PAUSE_MIN)).await;
        }
    }

    /// Looks, unless another server does.
    async fn look_held(&self, looked: &mut Looked) -> Result<(), StoreError> {
        if let Some(shared) = self.live.joined() {
            let leads = shared.leads().await.unwrap_or_else(|error| {
                tracing::debug!(%error, "who looks for all is not known: {error}");
                false
            });
            self.live.0.is_leader.store(leads, Ordering::Relaxed);
            if !leads {
                return Ok(());
            }
        }
        if self.live.0.is_looked_anew.swap(false, Ordering::Relaxed) {
            *looked = Looked::default();
        }
        match self.look(looked).await {
            Ok(()) => Ok(()),
            Err(LookError::Store(error)) => Err(error),
            Err(error @ (LookError::Redis(_) | LookError::Behind)) => {
                tracing::debug!(%error, "what has changed is told at the next look: {error}");
                Ok(())
            }
        }
    }

    async fn look(&self, looked: &mut Looked) -> Result<(), LookError> {
        let marks = self.store.change_marks().await?;
        let before = looked.marks;
        let at = self.now();
        let is_new = |same: fn(&ChangeMarks, &ChangeMarks) -> bool| {
            before.is_none_or(|before| !same(&before, &marks))
        };
        let told = |section, now| self.live.tell(at, section, now);
        // With the day, bars become old.
        let today = day_of(at);
        let is_other_day = looked.prices_on.is_none_or(|day| day != today);
        if (is_other_day || is_new(|a, b| a.bars == b.bars)) && !self.live.is_replay() {
            let views = self.symbols().await?;
            told(Section::Prices, views.iter().map(price).collect()).await?;
            looked.prices_on = Some(today);
        }
        if is_new(|a, b| a.signals == b.signals) {
            told(Section::Signals, self.signals_now().await?).await?;
        }
        if is_new(|a, b| a.validated_at_us == b.validated_at_us) {
            let overview = self.quality_overview().await?;
            let (score_share, validated_at) = (overview.score_share, overview.validated_at);
            let now = QualityNow { score_share, validated_at };
            told(Section::Quality, vec![(Topic::Quality, Change::Quality(now))]).await?;
        }
        if is_new(|a, b| a.audit_seq == b.audit_seq) {
            let newest = marks.audit_seq.map(|seq| (Topic::Audit, Change::Audit(seq)));
            told(Section::Audit, newest.into_iter().collect()).await?;
        }
        if is_new(|a, b| (a.personal, a.orders) == (b.personal, b.orders)) {
            let all = self.store.personal_marks().await?;
            for topic in PersonalTopic::ALL {
                let of_topic = all.iter().filter(|of| of.topic == topic).map(|of| {
                    (Topic::Personal(topic, (&of.account).into()), Change::Personal(of.mark))
                });
                told(Section::Personal(topic), of_topic.collect()).await?;
            }
        }
        told(Section::Jobs, self.runs_now(looked).await?).await?;
        looked.marks = Some(marks);
        looked.at = Some(Instant::now());
        Ok(())
    }

    /// The signals in force for all horizons.
    async fn signals_now(&self) -> Result<Vec<(Topic, Change)>, StoreError> {
        let mut now = Vec::new();
        for horizon in HORIZONS.into_iter().chain(HORIZONS_HOURLY) {
            for record in self.signals(horizon, None).await? {
                let topic = Topic::Signal(record.signal.symbol, horizon);
                now.push((topic, Change::Signal(Box::new(record))));
            }
        }
        Ok(now)
    }

    /// The newest runs; of those that have ended and are as they were, nothing is read again.
    async fn runs_now(&self, looked: &mut Looked) -> Result<Vec<(Topic, Change)>, StoreError> {
        let mut now = Vec::new();
        let mut ended = BTreeMap::new();
        for run in self.store.jobs(None, None, RUNS_MAX).await? {
            let id = run.id;
            let known = looked.ended.remove(&id).filter(|(before, _)| *before == run);
            let change = match known {
                Some((_, change)) => change,
                None => Change::Job(Box::new(self.job(id, 0, 1).await?)),
            };
            if run.state.has_ended() {
                ended.insert(id, (run, change.clone()));
            }
            now.push((Topic::Job(id), change));
        }
        looked.ended = ended;
        Ok(now)
    }
}

/// The price of a symbol: that of this moment, where there is one, otherwise that of its bars.
fn price(view: &SymbolView) -> (Topic, Change) {
    let now = view.quote.unwrap_or_else(|| stored_price(view));
    (Topic::Price(now.symbol), Change::Price(now))
}

/// The price of a symbol as the database has it.
fn stored_price(view: &SymbolView) -> PriceNow {
    PriceNow {
        symbol: view.instrument.symbol,
        origin: view.instrument.origin,
        as_of: view.as_of,
        last_close: view.last_close,
        previous_close: view.previous_close,
        change_share: view.change_share,
        priced_at: view.age.priced_at,
        is_stale: view.age.is_stale,
        live_source: None,
        replay: None,
    }
}
