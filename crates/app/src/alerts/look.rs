//! Looking at the rules, whenever something has changed that they may ask about.

use std::time::{Duration, Instant};

use bist_access::AlertId;
use bist_store::{AlertDocument, ChangeMarks, NewAlert, StoreError, StoredRule};
use bist_trading::Channel;
use bist_trading::alert::{Fact, judge, sentence, step};
use jiff::Timestamp;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use tokio::time::MissedTickBehavior;

use super::facts::Known;
use crate::App;

/// Without any change rules are looked at as often: a rule cools down, and days pass.
const LOOK_EVERY_MAX: Duration = Duration::from_secs(60);

/// What came of a look at the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlertsLook {
    /// Rules that were looked at.
    pub rules_count: usize,
    /// Of those, the ones that fired.
    pub fired_count: usize,
}

impl App {
    /// Looks at all rules, and keeps what they fired.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; what was kept until then stays, and the next look goes on.
    pub async fn look_at_alert_rules(&self) -> Result<AlertsLook, StoreError> {
        let rules = self.store.alert_rules_in_force().await?;
        let mut look = AlertsLook { rules_count: rules.len(), fired_count: 0 };
        let mut known = Known::default();
        for stored in rules {
            let facts = self.facts_of(&stored.rule.value.condition, &mut known).await?;
            if self.take_step(&stored, &facts).await? {
                look.fired_count += 1;
            }
        }
        if look.fired_count > 0 {
            self.live.stir();
        }
        Ok(look)
    }

    /// Whether `stored` fires by `facts`; what becomes of it is kept.
    async fn take_step(
        &self,
        stored: &StoredRule,
        facts: &bist_trading::alert::Facts,
    ) -> Result<bool, StoreError> {
        let (rule, now) = (&stored.rule.value, self.now());
        let step = step(rule, &stored.state, judge(&rule.condition, facts), now);
        if step.state == stored.state {
            return Ok(false);
        }
        let alert = step.fires.as_ref().map(|fact| new_alert(stored, fact, now));
        let kept = self.store.save_rule_step(stored, &step.state, alert.as_ref()).await?;
        Ok(kept && alert.is_some())
    }

    /// Looks at the rules whenever data change, and tells people of what they fired, for as long as it is
    /// asked to.
    pub async fn follow_alerts(&self) {
        tokio::join!(self.follow_rules(), self.follow_deliveries());
    }

    async fn follow_rules(&self) {
        let mut looks = tokio::time::interval(self.live.settings().look_every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen: Option<(ChangeMarks, Instant)> = None;
        loop {
            looks.tick().await;
            match self.look_if_changed(seen).await {
                Ok(now) => seen = now,
                Err(error) => {
                    tracing::warn!(%error, "the alert rules could not be looked at: {error}");
                }
            }
        }
    }

    /// Looks at the rules unless nothing has changed since a moment ago.
    async fn look_if_changed(
        &self,
        seen: Option<(ChangeMarks, Instant)>,
    ) -> Result<Option<(ChangeMarks, Instant)>, StoreError> {
        // What is put on record is no rule's affair, and neither is what is ordered.
        let marks =
            ChangeMarks { audit_seq: None, orders: None, ..self.store.change_marks().await? };
        if let Some((before, at)) = seen
            && before == marks
            && at.elapsed() < LOOK_EVERY_MAX
        {
            return Ok(seen);
        }
        let at = Instant::now();
        self.look_at_alert_rules().await?;
        // Half of the time at most, however quickly the data change.
        tokio::time::sleep(at.elapsed()).await;
        Ok(Some((marks, at)))
    }

    async fn follow_deliveries(&self) {
        let [web, email, telegram, webhook] =
            Channel::ALL.map(|channel| self.follow_channel(channel));
        tokio::join!(web, email, telegram, webhook);
    }

    async fn follow_channel(&self, channel: Channel) {
        let mut looks = tokio::time::interval(self.live.settings().look_every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            if let Err(error) = self.deliver_by(channel).await {
                tracing::warn!(%error, "alerts by {channel} could not be told: {error}");
            }
        }
    }
}

fn new_alert(stored: &StoredRule, fact: &Fact, now: Timestamp) -> NewAlert {
    let rule = &stored.rule.value;
    let outside = rule.channels.iter().copied().filter(|channel| *channel != Channel::Web);
    NewAlert {
        id: AlertId::generate(&mut UnwrapErr(SysRng)),
        account: stored.account.clone(),
        rule: Some(stored.id.clone()),
        fact: NewAlert::fact_of(stored.rule.revision, fact),
        fired_at: now,
        document: AlertDocument {
            rule_name: rule.name.clone(),
            condition: Some(rule.condition.clone()),
            as_of: Some(fact.as_of.clone()),
            observed: Some(fact.observed.clone()),
            text: sentence(&rule.condition, fact),
        },
        channels: outside.collect(),
        due_at: rule.quiet_hours.and_then(|hours| hours.end(now)).unwrap_or(now),
    }
}
