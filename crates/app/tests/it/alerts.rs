//! Rules that fire, and the channels by which people are told.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bist_access::{Account, Outside, Role, Secret, SecretName, WebhookKey};
use bist_app::access::Visit;
use bist_app::alerts::{AlertSettings, SmtpSecurity, SmtpSettings, TelegramSettings};
use bist_app::personal::PersonalError;
use bist_app::{Alert, App, DeliveryState};
use bist_market::{Price, Symbol, ValidationPolicy};
use bist_testkit::hand_clock::HandClock;
use bist_testkit::http_server::{HttpServer, Reply, Script};
use bist_trading::alert::{ChannelAddress, Direction, QuietHours};
use bist_trading::{AlertRule, Channel, Condition};
use jiff::civil::{date, time};
use serde_json::Value;
use tempfile::TempDir;

use crate::mail_server::MailServer;
use crate::market::{ingest, walks};

const ALL: [Channel; 4] = Channel::ALL;

async fn process(folder: &Path, clock: &Arc<HandClock>, settings: AlertSettings) -> App {
    let app = App::open(folder, clock.clone(), ValidationPolicy::default()).await.unwrap();
    app.with_alerts(settings)
}

/// A share up to Friday, 20 November 2026, on the evening of that day, and somebody who has an account.
async fn market(settings: AlertSettings) -> (TempDir, App, Arc<HandClock>, Account) {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(HandClock::at("2026-11-20T19:00"));
    let app = process(folder.path(), &clock, settings).await;
    let series = walks(&["AAAA1"], date(2026, 9, 1), date(2026, 11, 23));
    ingest(&app, &series, date(2026, 11, 20), None).await;
    let invited = app.invite("ayse", Role::Viewer).await.unwrap();
    let password = Secret::new("kirmizi bisiklet yagmur 7");
    let signed_in =
        app.accept_invitation(invited.token.expose(), &password, &Visit::default()).await.unwrap();
    (folder, app, clock, signed_in.account)
}

/// A rule that any close meets.
fn any_close(channels: &[Channel]) -> AlertRule {
    AlertRule {
        name: "her kapanış".to_owned(),
        enabled: true,
        condition: Condition::Price {
            symbol: Symbol::parse("AAAA1").unwrap(),
            direction: Direction::Up,
            price: Price::parse("0.01").unwrap(),
        },
        channels: channels.iter().copied().collect::<BTreeSet<_>>(),
        cool_down_minutes: 0,
        quiet_hours: None,
    }
}

async fn history(app: &App, account: &Account) -> Vec<Alert> {
    app.alerts(account, None, 100).await.unwrap()
}

/// Where the deliveries of an alert stand, by channel.
fn states(alert: &Alert) -> Vec<(Channel, DeliveryState, u64)> {
    let of = alert.deliveries.iter();
    let mut states: Vec<_> = of.map(|of| (of.channel, of.state, of.attempts_count)).collect();
    states.sort_by_key(|state| state.0);
    states
}

#[tokio::test]
async fn a_fact_fires_once_by_two_processes_and_each_channel_tells_it_after_it_failed() {
    let http = HttpServer::start(
        Script::new()
            .on("/hook", Reply::status(503, "busy").header("Retry-After", "90"))
            .on("/hook", Reply::status(204, ""))
            .on(
                "/bot12:token/sendMessage",
                Reply::status(429, r#"{"ok":false,"parameters":{"retry_after":3}}"#),
            )
            .on("/bot12:token/sendMessage", Reply::json(r#"{"ok":true}"#)),
    );
    let mail = MailServer::start(&["451 later"]);
    let token: SecretName = "telegram".parse().unwrap();
    let settings = AlertSettings {
        smtp: Some(
            SmtpSettings::new("127.0.0.1", mail.port, SmtpSecurity::None, None, "bist@example.com")
                .unwrap(),
        ),
        telegram: Some(TelegramSettings { base_url: http.url(""), token: token.clone() }),
        outside: Outside::and(vec!["127.0.0.0/8".parse().unwrap()]),
        public_url: Some("https://bist.example.com".to_owned()),
    };
    let (folder, app, clock, ayse) = market(settings.clone()).await;
    app.add_secret(&token, &Secret::new("12:token")).await.unwrap();
    let mail_box = ChannelAddress::Email { address: "ayse@example.com".to_owned() };
    let hook = ChannelAddress::Webhook { url: http.url("/hook") };
    let chat = ChannelAddress::Telegram { chat_id: 42 };
    assert_eq!(app.set_alert_channel(&ayse, &mail_box).await.unwrap(), None);
    assert_eq!(app.set_alert_channel(&ayse, &chat).await.unwrap(), None);
    let key = app.set_alert_channel(&ayse, &hook).await.unwrap().unwrap();

    app.add_alert_rule(&ayse, any_close(&ALL)).await.unwrap();
    let other = process(folder.path(), &clock, settings).await;
    let (ours, theirs) = tokio::join!(app.look_at_alert_rules(), other.look_at_alert_rules());
    assert_eq!(ours.unwrap().fired_count + theirs.unwrap().fired_count, 1);
    assert_eq!(app.look_at_alert_rules().await.unwrap().fired_count, 0);
    assert_eq!(history(&app, &ayse).await.len(), 1);
    assert_eq!(app.unread_alerts_count(&ayse).await.unwrap(), 1);

    // Each is tried by one of the two, and fails.
    let (ours, theirs) = tokio::join!(app.deliver_alerts(), other.deliver_alerts());
    assert_eq!(ours.unwrap() + theirs.unwrap(), 3);
    let alert = history(&app, &ayse).await.remove(0);
    use DeliveryState::{Delivered, Waiting};
    let tried = [Channel::Email, Channel::Telegram, Channel::Webhook].map(|of| (of, Waiting, 1));
    assert_eq!(states(&alert), [&[(Channel::Web, Delivered, 0)][..], &tried].concat());
    let waits: Vec<i64> = alert
        .deliveries
        .iter()
        .filter(|of| of.state == Waiting)
        .map(|of| (of.due_at - alert.fired_at).as_secs())
        .collect();
    assert_eq!(waits, [30, 30, 90], "the webhook asked for 90 seconds");
    assert!(alert.deliveries.iter().all(|of| {
        of.channel == Channel::Web
            || of.problem.as_ref().is_some_and(|said| !said.contains("12:token"))
    }));
    assert_eq!(app.deliver_alerts().await.unwrap(), 0, "nothing is due");

    clock.set("2026-11-20T19:02");
    assert_eq!(app.deliver_alerts().await.unwrap(), 3);
    let alert = history(&app, &ayse).await.remove(0);
    assert!(alert.deliveries.iter().all(|of| of.state == Delivered), "{alert:?}");
    assert_eq!(app.deliver_alerts().await.unwrap(), 0);

    let mails = mail.mails();
    assert_eq!(mails.len(), 1);
    for part in [
        format!("Message-ID: <{}@example.com>", alert.id),
        "To: ayse@example.com".to_owned(),
        "https://bist.example.com/settings/alerts".to_owned(),
    ] {
        assert!(mails[0].contains(&part), "{part} in {}", mails[0]);
    }
    let hooks: Vec<_> = http.requests().into_iter().filter(|of| of.path == "/hook").collect();
    assert_eq!(hooks.len(), 2);
    let key = WebhookKey::from_text(&key).unwrap();
    for request in &hooks {
        assert_eq!(
            request.header("webhook-id"),
            Some(alert.id.as_str()),
            "one id for all attempts"
        );
        let timestamp = request.header("webhook-timestamp").unwrap().parse().unwrap();
        let signature = key.signature(alert.id.as_str(), timestamp, &request.body);
        assert_eq!(request.header("webhook-signature"), Some(signature.as_str()));
    }
    let body: Value = serde_json::from_slice(&hooks[1].body).unwrap();
    assert_eq!(body["type"], "alert.fired");
    assert_eq!(body["data"]["as_of"], "2026-11-20");
    let chats: Vec<_> =
        http.requests().into_iter().filter(|of| of.path.starts_with("/bot")).collect();
    let said: Value = serde_json::from_slice(&chats[1].body).unwrap();
    assert_eq!((chats.len(), &said["chat_id"]), (2, &Value::from(42)));

    // Who is forgotten leaves neither rules nor alerts, nor the key.
    app.erase_user("ayse").await.unwrap();
    assert!(app.alert_rules(&ayse).await.unwrap().is_empty());
    assert!(history(&app, &ayse).await.is_empty());
    assert!(app.alert_channels(&ayse).await.unwrap().is_empty());
    let name: SecretName = format!("bist.webhook.{}", ayse.id).parse().unwrap();
    assert!(app.secret(&name).await.is_err());
}

#[tokio::test]
async fn quiet_hours_hold_back_and_stale_data_fire_nothing() {
    let (_folder, app, clock, ayse) = market(AlertSettings::default()).await;
    let mut quiet = any_close(&[Channel::Webhook]);
    let hours = QuietHours::new(time(18, 0, 0, 0), time(8, 0, 0, 0)).unwrap();
    quiet.quiet_hours = Some(hours);
    app.add_alert_rule(&ayse, quiet).await.unwrap();
    assert_eq!(app.look_at_alert_rules().await.unwrap().fired_count, 1);
    assert_eq!(app.deliver_alerts().await.unwrap(), 0, "the hours are quiet");
    clock.set("2026-11-21T08:00");
    assert_eq!(app.deliver_alerts().await.unwrap(), 1);
    let alert = history(&app, &ayse).await.remove(0);
    use DeliveryState::{Delivered, Failed};
    assert_eq!(states(&alert), [(Channel::Web, Delivered, 0), (Channel::Webhook, Failed, 1)]);
    assert_eq!(
        alert.deliveries.iter().find_map(|of| of.problem.as_deref()),
        Some("the channel is not set up")
    );

    // Monday is over, and nobody has its bars.
    clock.set("2026-11-24T09:00");
    let rule = app.add_alert_rule(&ayse, any_close(&[])).await.unwrap();
    assert_eq!(app.look_at_alert_rules().await.unwrap().fired_count, 0);
    let rules = app.alert_rules(&ayse).await.unwrap();
    let state = &rules.iter().find(|of| of.id == rule.id).unwrap().state;
    assert_eq!(state.silence.map(|of| of.as_str()), Some("stale_bars"));
    assert_eq!((state.is_met, state.fired_at), (None, None));
    let series = walks(&["AAAA1"], date(2026, 9, 1), date(2026, 11, 23));
    ingest(&app, &series, date(2026, 11, 23), None).await;
    assert_eq!(app.look_at_alert_rules().await.unwrap().fired_count, 1, "the new rule alone");
}

#[tokio::test]
async fn a_webhook_reaches_nothing_inside_and_is_sent_on_to_nobody() {
    let http = HttpServer::start(
        Script::new().on("/hook", Reply::status(302, "").header("Location", "/in")),
    );
    let inside = AlertSettings {
        outside: Outside::and(vec!["127.0.0.0/8".parse().unwrap()]),
        ..AlertSettings::default()
    };
    let (folder, app, clock, ayse) = market(inside).await;
    let hook = ChannelAddress::Webhook { url: http.url("/hook") };
    app.set_alert_channel(&ayse, &hook).await.unwrap();
    app.test_alert_channel(&ayse, Channel::Webhook).await.unwrap();
    assert_eq!(app.deliver_alerts().await.unwrap(), 1);
    let alert = history(&app, &ayse).await.remove(0);
    use DeliveryState::{Delivered, Failed};
    assert_eq!(states(&alert), [(Channel::Web, Delivered, 0), (Channel::Webhook, Failed, 1)]);
    assert_eq!(http.requests().len(), 1, "nobody is sent on");

    // The operator names no network any more: what was set up is not reached either.
    let outside = process(folder.path(), &clock, AlertSettings::default()).await;
    let refused = outside.set_alert_channel(&ayse, &hook).await.unwrap_err();
    assert!(matches!(refused, PersonalError::Address { channel: Channel::Webhook, .. }));
    // A name that leads inside is found out when it is looked up.
    let named = ChannelAddress::Webhook { url: "https://localhost/hook".to_owned() };
    outside.set_alert_channel(&ayse, &named).await.unwrap();
    outside.test_alert_channel(&ayse, Channel::Webhook).await.unwrap();
    assert_eq!(outside.deliver_alerts().await.unwrap(), 1);
    let alert = history(&app, &ayse).await.remove(0);
    let problem = alert.deliveries.iter().find_map(|of| of.problem.clone()).unwrap();
    assert!(problem.contains("no address of the public Internet"), "{problem}");
    assert_eq!(http.requests().len(), 1);

    for _ in 2..5 {
        app.test_alert_channel(&ayse, Channel::Web).await.unwrap();
    }
    let refused = app.test_alert_channel(&ayse, Channel::Web).await.unwrap_err();
    assert!(matches!(refused, PersonalError::TooManyTests(5)));
    let refused = app
        .set_alert_channel(&ayse, &ChannelAddress::Email { address: "a@example.com".to_owned() })
        .await
        .unwrap_err();
    assert!(matches!(refused, PersonalError::Unavailable(Channel::Email)));
}

/// By mail through a server on `port`, and by webhooks on this machine.
fn mail_by(port: u16) -> AlertSettings {
    let security = SmtpSecurity::None;
    let smtp = SmtpSettings::new("127.0.0.1", port, security, None, "bist@example.com").unwrap();
    AlertSettings {
        smtp: Some(smtp),
        outside: Outside::and(vec!["127.0.0.0/8".parse().unwrap()]),
        ..AlertSettings::default()
    }
}

#[tokio::test]
async fn a_server_of_mail_that_says_nothing_keeps_no_other_message() {
    // The system takes connections, and nobody speaks.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let http = HttpServer::start(Script::new().on("/hook", Reply::status(204, "")));
    let settings = mail_by(silent.local_addr().unwrap().port());
    let (_folder, app, _clock, ayse) = market(settings).await;
    let mail_box = ChannelAddress::Email { address: "ayse@example.com".to_owned() };
    app.set_alert_channel(&ayse, &mail_box).await.unwrap();
    let hook = ChannelAddress::Webhook { url: http.url("/hook") };
    app.set_alert_channel(&ayse, &hook).await.unwrap();
    app.test_alert_channel(&ayse, Channel::Email).await.unwrap();
    app.test_alert_channel(&ayse, Channel::Webhook).await.unwrap();

    let state_of = async |channel| {
        let alerts = history(&app, &ayse).await;
        let mut deliveries = alerts.into_iter().flat_map(|alert| alert.deliveries);
        deliveries.find(|of| of.channel == channel).map(|of| (of.state, of.attempts_count))
    };
    let told = async {
        while state_of(Channel::Webhook).await != Some((DeliveryState::Delivered, 1)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = told => {}
        delivered = app.deliver_alerts() => panic!("the mail did not wait: {delivered:?}"),
    }
    assert_ne!(state_of(Channel::Email).await.unwrap().0, DeliveryState::Delivered);
}

#[tokio::test]
async fn a_server_of_mail_that_is_away_is_left_alone_and_uses_up_no_attempts() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (_folder, app, clock, ayse) = market(mail_by(closed)).await;
    let mail_box = ChannelAddress::Email { address: "ayse@example.com".to_owned() };
    app.set_alert_channel(&ayse, &mail_box).await.unwrap();
    for _ in 0..3 {
        app.test_alert_channel(&ayse, Channel::Email).await.unwrap();
    }
    let parts = |app: &App| {
        app.outside().into_iter().map(|part| (part.is_well(), part.name)).collect::<Vec<_>>()
    };
    assert_eq!(parts(&app), [(true, "mail".to_owned())]);
    assert_eq!(app.deliver_alerts().await.unwrap(), 3);
    assert_eq!(parts(&app), [(false, "mail".to_owned())]);
    clock.set("2026-11-20T19:10");
    assert_eq!(app.deliver_alerts().await.unwrap(), 0, "they are due, and it is left alone");
    for alert in history(&app, &ayse).await {
        let mail = alert.deliveries.iter().find(|of| of.channel == Channel::Email).unwrap();
        assert_eq!((mail.state, mail.attempts_count), (DeliveryState::Waiting, 1));
    }
}
