//! Telling people: deliveries are taken up, tried, and tried again.

use std::sync::Arc;
use std::time::Duration;

use bist_market::bar::istanbul;
use bist_market::breaker::BreakerState;
use bist_store::{ClaimedDelivery, DeliveryOutcome, NotAsked, OutsidePart, StoreError};
use bist_trading::alert::ChannelAddress;
use bist_trading::{Channel, Language};
use jiff::SignedDuration;
use tokio::task::JoinSet;

use super::problem::DeliveryProblem;
use crate::App;

/// Deliveries that are tried at once.
const AT_ONCE_MAX: u32 = 8;

/// How long sending one message may take, with all that is said in between.
const SENDING_TIME_MAX: Duration = Duration::from_secs(20);

/// For how long a delivery is somebody's; far longer than an attempt may take.
const LEASE: SignedDuration = SignedDuration::from_mins(2);

/// Attempts until a delivery is given up: over three quarters of a day.
const ATTEMPTS_MAX: u32 = 8;

/// The wait after the first attempt; each is four times the one before.
const WAIT_FIRST: Duration = Duration::from_secs(30);

/// The longest wait between attempts.
const WAIT_MAX: Duration = Duration::from_secs(6 * 3_600);

/// What a message says, in the language of whom it is for.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// Its first line.
    pub(super) subject: String,
    /// What has happened, and when that was seen.
    pub(super) body: String,
}

impl App {
    /// Tries what is due, and returns how many deliveries were tried. What fails is noted with them, and
    /// tried again later or given up.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn deliver_alerts(&self) -> Result<usize, StoreError> {
        let [web, email, telegram, webhook] = Channel::ALL.map(|channel| self.deliver_by(channel));
        let (web, email, telegram, webhook) = tokio::join!(web, email, telegram, webhook);
        Ok(web? + email? + telegram? + webhook?)
    }

    /// The same by one channel, so that who waits for one waits for no other. What is outside and left
    /// alone is not asked: then nothing is taken up, and no attempt is used up.
    pub(super) async fn deliver_by(&self, channel: Channel) -> Result<usize, StoreError> {
        let at_once_max = match self.alerting.part(channel).map(OutsidePart::state) {
            None | Some(BreakerState::Closed { .. }) => AT_ONCE_MAX,
            // One shows whether it is back.
            Some(BreakerState::Open { retry_in, .. }) if retry_in.is_zero() => 1,
            Some(BreakerState::Open { .. } | BreakerState::HalfOpen) => return Ok(0),
        };
        let now = self.now();
        let claimed = self.store.claim_deliveries(channel, now, now + LEASE, at_once_max).await?;
        let count = claimed.len();
        let mut attempts = JoinSet::new();
        for delivery in claimed {
            let app = Arc::new(self.clone());
            attempts.spawn(async move {
                let outcome = app.try_delivery(&delivery).await;
                app.store.note_delivery(&delivery, &outcome, app.now()).await
            });
        }
        while let Some(noted) = attempts.join_next().await {
            match noted {
                Ok(noted) => {
                    noted?;
                }
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        if count > 0 {
            self.live.stir();
        }
        Ok(count)
    }

    async fn try_delivery(&self, delivery: &ClaimedDelivery) -> DeliveryOutcome {
        let Err(problem) = self.deliver(delivery).await else { return DeliveryOutcome::Delivered };
        let DeliveryProblem { text, is_final, wait, is_away: _ } = problem;
        let channel = delivery.channel.as_str();
        if is_final || delivery.attempt >= ATTEMPTS_MAX {
            tracing::warn!(alert.id = %delivery.alert, channel, "an alert is not delivered: {text}");
            return DeliveryOutcome::Failed { problem: text };
        }
        let usual = WAIT_FIRST.saturating_mul(4_u32.saturating_pow(delivery.attempt - 1));
        let wait = usual.min(WAIT_MAX).max(wait.unwrap_or_default());
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_hours(6));
        DeliveryOutcome::Again { due_at: self.now() + wait, problem: text }
    }

    async fn deliver(&self, delivery: &ClaimedDelivery) -> Result<(), DeliveryProblem> {
        let gone = || DeliveryProblem::lasting("the channel is not set up");
        let settings = &self.alerting.settings;
        let told = self.told(delivery);
        match (delivery.channel, delivery.address.as_ref()) {
            (Channel::Web, _) => Ok(()),
            (Channel::Email, Some(ChannelAddress::Email { address })) => match &settings.smtp {
                Some(smtp) => {
                    let sending = self.send_mail(smtp, address, delivery, &told);
                    ask(&self.alerting.mail, sending).await
                }
                None => Err(unavailable(Channel::Email)),
            },
            (Channel::Telegram, Some(ChannelAddress::Telegram { chat_id })) => {
                match &settings.telegram {
                    Some(telegram) => {
                        let sending = self.send_telegram(telegram, *chat_id, &told);
                        ask(&self.alerting.telegram, sending).await
                    }
                    None => Err(unavailable(Channel::Telegram)),
                }
            }
            (Channel::Webhook, Some(ChannelAddress::Webhook { url })) => {
                self.send_webhook(url, delivery).await
            }
            (Channel::Email | Channel::Telegram | Channel::Webhook, _) => Err(gone()),
        }
    }

    fn told(&self, delivery: &ClaimedDelivery) -> Told {
        let language = delivery.settings.as_ref().map_or(Language::Tr, |of| of.language);
        let document = &delivery.document;
        let at = istanbul().to_datetime(delivery.fired_at).strftime("%d.%m.%Y %H:%M");
        let text = document.text.in_language(language);
        let mut body = match language {
            Language::Tr => format!("{text}\n\n{at} (İstanbul). Yatırım tavsiyesi değildir."),
            Language::En => format!("{text}\n\n{at} (Istanbul). This is no investment advice."),
        };
        if let Some(url) = &self.alerting.settings.public_url {
            body += &format!("\n{}/settings/alerts", url.trim_end_matches('/'));
        }
        let subject = match language {
            Language::Tr => format!("BIST uyarısı: {}", document.rule_name),
            Language::En => format!("BIST alert: {}", document.rule_name),
        };
        Told { subject, body }
    }
}

/// Sends something by what is outside, unless that is left alone. A refusal is an answer; only that nobody
/// is there counts against it.
async fn ask(
    part: &OutsidePart,
    sending: impl Future<Output = Result<(), DeliveryProblem>>,
) -> Result<(), DeliveryProblem> {
    let asking = async {
        match sending.await {
            Err(problem) if problem.is_away => Err(problem),
            answer => Ok(answer),
        }
    };
    match part.ask(SENDING_TIME_MAX, asking).await {
        Ok(answer) => answer,
        Err(NotAsked::Failed(problem)) => Err(problem),
        Err(NotAsked::Slow(budget)) => {
            Err(DeliveryProblem::passing(format!("no answer within {} s", budget.as_secs())))
        }
        Err(NotAsked::LeftAlone(alone)) => {
            let problem = DeliveryProblem::passing(format!("it is left alone: {}", alone.last));
            Err(DeliveryProblem { wait: Some(alone.retry_in), ..problem })
        }
    }
}

fn unavailable(channel: Channel) -> DeliveryProblem {
    DeliveryProblem::lasting(format!("this server tells nobody by {channel} any more"))
}
