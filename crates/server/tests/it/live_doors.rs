//! What is told, through the three doors.

use bist_app::live::LiveSettings;
use bist_server::LiveLimits;
use serde_json::{Value, json};

use crate::live::{LiveServer, client, position, position_of, told};

/// What a door tells of the same: envelopes without their time.
async fn through_the_socket(server: &LiveServer, topics: &str, since: Option<&str>) -> Vec<Value> {
    let topics: Vec<&str> = topics.split(',').collect();
    let mut socket = server.socket().await;
    let mut heard = Vec::new();
    match since {
        None => heard.push(socket.subscribe(&topics).await),
        Some(since) => {
            let first = socket.resume(since, &topics).await;
            if first["type"] == "snapshot" {
                heard.push(first);
            } else {
                assert_eq!(first["type"], "resumed", "{first}");
                let newest = server.app.live().position().seq;
                while heard.last().is_none_or(|last: &Value| last["seq"] != newest) {
                    heard.push(socket.hear().await);
                }
            }
        }
    }
    heard
}

async fn through_events(server: &LiveServer, topics: &str, since: Option<&str>) -> Vec<Value> {
    let url = format!("http://{}/api/v1/live/events?topics={topics}", server.address);
    let client = client();
    let mut request = client.get(url).header("cookie", &server.test_app.administrator.cookie);
    if let Some(since) = since {
        request = request.header("last-event-id", since);
    }
    let mut answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let newest = server.app.live().position().to_string();
    let mut text = String::new();
    let mut heard: Vec<Value> = Vec::new();
    loop {
        let chunk = answer.chunk().await.unwrap().unwrap();
        text += std::str::from_utf8(&chunk).unwrap();
        while let Some((event, rest)) = text.split_once("\n\n") {
            let line = |name: &str| {
                event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
            };
            let (id, data) = (line("id: "), line("data: "));
            text = rest.to_owned();
            let (Some(id), Some(data)) = (id, data) else { continue };
            let envelope: Value = serde_json::from_str(&data).unwrap();
            if envelope["type"] != "resumed" {
                heard.push(envelope);
            }
            if id == newest {
                return heard;
            }
        }
    }
}

async fn through_polling(server: &LiveServer, topics: &str, since: Option<&str>) -> Vec<Value> {
    let mut since = since.map(str::to_owned);
    let newest = server.app.live().position().to_string();
    let mut heard = Vec::new();
    while since.as_deref() != Some(newest.as_str()) {
        let after = since.map_or_else(String::new, |since| format!("&since={since}"));
        let path = format!("/api/v1/live/poll?topics={topics}&wait=0{after}");
        let page = server.test_app.get(&path).await.ok();
        heard.extend(page["items"].as_array().unwrap().iter().cloned());
        since = Some(page["position"].as_str().unwrap().to_owned());
    }
    heard
}

/// The same scenario through each door.
async fn check_doors(
    server: &LiveServer,
    topics: &str,
    since: Option<&str>,
    expected: &[(&str, u64)],
) {
    let doors = [
        ("socket", through_the_socket(server, topics, since).await),
        ("events", through_events(server, topics, since).await),
        ("poll", through_polling(server, topics, since).await),
    ];
    for (door, heard) in &doors {
        let events: Vec<Value> = match heard.first() {
            Some(first) if first["type"] == "snapshot" => {
                first["data"]["items"].as_array().unwrap().clone()
            }
            _ => heard.clone(),
        };
        let events: Vec<_> = events.iter().map(told).collect();
        let events: Vec<_> = events.iter().map(|(topic, seq)| (topic.as_str(), *seq)).collect();
        assert_eq!(events, expected, "{door}");
        assert_eq!(*heard, doors[0].1, "{door}");
    }
}

#[tokio::test]
async fn the_three_doors_tell_the_same() {
    let server = LiveServer::start().await;
    server.app.look_at_changes().await.unwrap();
    let first = server.app.live().position();
    let at = first.seq;
    server.price("THYAO", "300.00");
    server.quality(0.9);
    server.price("GARAN", "100.00");
    server.price("THYAO", "301.00");
    let all = [("prices/GARAN", at + 3), ("prices/THYAO", at + 4), ("quality", at + 2)];
    check_doors(&server, "prices,quality", None, &all).await;
    check_doors(&server, "prices/THYAO", None, &all[1..2]).await;
    let since = first.to_string();
    let all = [
        ("prices/THYAO", at + 1),
        ("quality", at + 2),
        ("prices/GARAN", at + 3),
        ("prices/THYAO", at + 4),
    ];
    check_doors(&server, "prices,quality", Some(&since), &all).await;
    let of_share = [all[0], all[3]];
    check_doors(&server, "prices/THYAO", Some(&since), &of_share).await;
    // Another life of the server: how everything stands.
    let standing = [("prices/GARAN", at + 3), ("prices/THYAO", at + 4)];
    check_doors(&server, "prices", Some("0000000000000000-1"), &standing).await;
}

#[tokio::test]
async fn whoever_was_cut_off_after_any_envelope_goes_on_without_gap_or_double() {
    let server = LiveServer::start().await;
    server.app.look_at_changes().await.unwrap();
    let topics = ["prices", "quality"];
    for cut_after in 0..6 {
        let mut socket = server.socket().await;
        let snapshot = socket.subscribe(&topics).await;
        let begin = snapshot["seq"].as_u64().unwrap();
        let mut known = position(&snapshot);
        let mut heard = Vec::new();
        for number in 0..3 {
            server.price("THYAO", &format!("{}.00", 300 + number));
            server.quality(0.5 + f64::from(number) / 10.0);
        }
        for _ in 0..cut_after {
            let event = socket.hear().await;
            known = position_of(&known, &event);
            heard.push(told(&event).1);
        }
        drop(socket);
        server.price("GARAN", "100.00");
        let mut socket = server.socket().await;
        let resumed = socket.resume(&known, &topics).await;
        assert_eq!(resumed["type"], "resumed", "{resumed}");
        while heard.len() < 7 {
            heard.push(told(&socket.hear().await).1);
        }
        assert_eq!(heard, (begin + 1..=begin + 7).collect::<Vec<u64>>(), "cut after {cut_after}");
    }
}

#[tokio::test]
async fn whoever_comes_back_too_late_is_told_so_and_how_everything_stands() {
    let kept = LiveSettings { kept_events_max: 4, ..LiveSettings::default() };
    let server = LiveServer::with(kept, LiveLimits::default()).await;
    let mut socket = server.socket().await;
    let known = position(&socket.subscribe(&["prices"]).await);
    drop(socket);
    for number in 0..5 {
        server.price("THYAO", &format!("{}.00", 300 + number));
    }
    let mut socket = server.socket().await;
    let snapshot = socket.resume(&known, &["prices"]).await;
    assert_eq!(
        (&snapshot["type"], &snapshot["data"]["reason"]),
        (&json!("snapshot"), &json!("too_old"))
    );
    assert_eq!(snapshot["data"]["items"][0]["data"]["last_close"], "304.00");
    // And goes on from there.
    server.price("THYAO", "310.00");
    assert_eq!(socket.hear().await["data"]["last_close"], "310.00");
    let mut socket = server.socket().await;
    let snapshot = socket.resume("ffffffffffffffff-0", &["prices"]).await;
    assert_eq!(snapshot["data"]["reason"], "other_epoch");
}

#[tokio::test]
async fn whoever_is_behind_gets_the_newest_prices_and_a_word_about_the_others() {
    let kept = LiveSettings { conflate_after_events: 3, ..LiveSettings::default() };
    let server = LiveServer::with(kept, LiveLimits::default()).await;
    server.app.look_at_changes().await.unwrap();
    let since = server.app.live().position();
    server.price("THYAO", "300.00");
    server.quality(0.9);
    server.quality(0.8);
    server.price("THYAO", "301.00");
    let path = format!("/api/v1/live/poll?topics=prices,quality&since={since}");
    let page = server.test_app.get(&path).await.ok();
    let items = page["items"].as_array().unwrap();
    assert_eq!(items[0]["type"], "conflated");
    // Whoever is cut off here still gets what follows.
    assert_eq!(
        (&items[0]["seq"], &items[0]["data"]["omitted_count"]),
        (&json!(since.seq), &json!(1))
    );
    let numbers: Vec<u64> = items[1..].iter().map(|item| told(item).1 - since.seq).collect();
    assert_eq!(numbers, [2, 3, 4]);
}

#[tokio::test]
async fn what_other_processes_do_to_the_database_is_told() {
    let server = LiveServer::start().await;
    let mut socket = server.socket().await;
    let snapshot = socket.subscribe(&["prices", "jobs", "quality", "audit"]).await;
    let jobs = |snapshot: &Value| {
        let items = snapshot["data"]["items"].as_array().unwrap().clone();
        items.into_iter().filter(|item| item["topic"].as_str().unwrap().starts_with("jobs")).count()
    };
    assert_eq!(jobs(&snapshot), 0);
    // Another application on the same directory is what another process is.
    let other = crate::test_app::open(server.app.directory()).await;
    let asked = bist_app::jobs::JobAsked { by: "ayse", reason: "the market has changed" };
    let order = bist_app::jobs::JobOrder::of(bist_app::jobs::Job::Retraining);
    let run = other.ask_for_job(&order, asked).await.unwrap().run;
    server.app.look_at_changes().await.unwrap();
    let told = socket.hear().await;
    assert_eq!(told["topic"], "audit");
    let told = socket.hear().await;
    assert_eq!(told["topic"], format!("jobs/{}", run.id));
    assert_eq!(
        (&told["data"]["state"], &told["data"]["job"]),
        (&json!("waiting"), &json!("retraining"))
    );
    let listed = server.test_app.get("/api/v1/jobs").await.ok();
    assert_eq!(told["data"], listed["items"][0], "a run looks as it does elsewhere");
    other.close().await;
    // Nothing has changed since, so nothing is told.
    let before = server.app.live().position();
    server.app.look_at_changes().await.unwrap();
    assert_eq!(server.app.live().position(), before);
}

#[tokio::test]
async fn prices_and_quality_come_from_what_is_stored() {
    let app = crate::test_app::TestApp::with_files().await;
    let page = app.get("/api/v1/live/poll?topics=prices,quality").await.ok();
    let items = page["items"][0]["data"]["items"].as_array().unwrap().clone();
    let price = items.iter().find(|item| item["topic"] == "prices/TEST1").unwrap();
    assert_eq!(price["data"]["last_close"], "100.50");
    assert_eq!(price["data"]["as_of"], "2026-11-20");
    assert_eq!(price["data"]["priced_at"], "2026-11-20T15:10:00Z");
    assert_eq!(
        (&price["data"]["age_s"], &price["data"]["stale"]),
        (&json!(334_200), &json!(false))
    );
    assert_eq!(price["data"]["live_source"], Value::Null);
    assert_eq!(price["data"]["replay_time"], Value::Null);
    assert!(price["replay"].is_null());
    assert!(items.iter().any(|item| item["topic"] == "quality"));
    let since = page["position"].as_str().unwrap();
    let path = format!("/api/v1/live/poll?topics=prices&wait=0&since={since}");
    let page = app.get(&path).await.ok();
    assert_eq!(page, json!({"position": since, "items": []}));
}
