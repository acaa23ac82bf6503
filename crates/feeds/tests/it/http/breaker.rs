//! A source that fails again and again is left alone.

use bist_feeds::SourceSettings;
use bist_feeds::http::BreakerState;
use bist_testkit::http_server::Reply;

use super::{SECOND, Scene};

/// Two attempts a request, two failed requests open, for a minute.
fn impatient(settings: &mut SourceSettings) {
    settings.attempts_max = 2;
    settings.breaker_failures_max = 2;
    settings.breaker_open_for = 60 * SECOND;
}

#[tokio::test]
async fn failures_open_it_and_a_success_closes_it_again() {
    let bad = || Reply::status(503, "");
    let replies = [bad(), bad(), bad(), bad(), bad(), Reply::json("{}")];
    let scene = Scene::with(replies, impatient);
    let open =
        BreakerState::Open { retry_in: 60 * SECOND, last: scene.server.url("/a answered 503") };

    scene.failure("/a").await;
    assert_eq!(scene.client.breaker(), BreakerState::Closed { failures_count: 1 });
    scene.waits.pass(SECOND);
    scene.failure("/a").await;
    assert_eq!(scene.client.breaker(), open);
    assert_eq!(scene.server.requests().len(), 4);

    scene.waits.pass(20 * SECOND);
    let expected = "isyatirim failed 2 times in a row and is left alone for 40 s more; the last \
                    failure: /a answered 503";
    assert_eq!(scene.failure("/a").await, expected);
    assert_eq!(scene.server.requests().len(), 4, "nothing is sent while it is open");

    scene.waits.pass(40 * SECOND);
    scene.failure("/a").await;
    assert_eq!(scene.server.requests().len(), 5, "a probe is not repeated");
    assert_eq!(scene.client.breaker(), open);

    scene.waits.pass(60 * SECOND);
    assert_eq!(scene.get("/a").await.unwrap(), "{}");
    assert_eq!(scene.client.breaker(), BreakerState::Closed { failures_count: 0 });
    assert_eq!(scene.waits.slept_s(), [1.0, 1.0], "an open breaker makes nobody wait");
}

#[tokio::test]
async fn an_answer_that_is_no_use_is_not_a_failure_of_the_source() {
    for useless in [Reply::status(404, ""), Reply::html("<html>closed today</html>")] {
        let replies = [Reply::reset(), Reply::reset(), useless];
        let scene = Scene::with(replies, impatient);
        scene.failure("/a").await;
        assert_eq!(scene.client.breaker(), BreakerState::Closed { failures_count: 1 });
        scene.failure("/a").await;
        assert_eq!(scene.client.breaker(), BreakerState::Closed { failures_count: 0 });
    }
}

#[tokio::test]
async fn while_a_probe_is_on_its_way_others_are_refused() {
    let bad = || Reply::status(503, "");
    let scene = Scene::with([bad(), bad(), Reply::json("{}").stall_after(1)], |settings| {
        impatient(settings);
        settings.breaker_failures_max = 1;
        settings.answer_timeout = SECOND * 3 / 10;
    });
    scene.failure("/a").await;
    scene.waits.pass(60 * SECOND);
    // The probe is sent by the first poll, and the second request only looks at the breaker.
    let (probe, (refused, state)) = tokio::join!(scene.failure("/a"), async {
        (scene.failure("/a").await, scene.client.breaker())
    });
    assert_eq!(probe, "/a did not answer within 0.3 s");
    assert!(refused.contains("is left alone for 60 s more"), "{refused}");
    assert_eq!(state, BreakerState::HalfOpen);
    assert_eq!(scene.server.requests().len(), 3);
}
