//! Requests by method, route and status, with durations and examples.

use std::collections::BTreeSet;
use std::time::Duration;

use bist_market::FixedClock;

use super::*;
use crate::telemetry::metrics::{Format, Readings};
use crate::telemetry::{ProcessLog, Telemetry};

fn telemetry() -> Telemetry {
    Telemetry::new(Arc::new(FixedClock(Timestamp::UNIX_EPOCH)), ProcessLog::default())
}

fn answered(method: &'static str, route: Option<&str>, status: u16) -> Answered {
    Answered {
        method,
        route: route.map(Arc::from),
        status,
        took: Duration::from_millis(3),
        at: Timestamp::UNIX_EPOCH,
        caller: None,
        problem_code: None,
        limit_class: None,
        request_id: "0e2d667361b00932".into(),
    }
}

fn page(telemetry: &Telemetry, format: Format) -> String {
    telemetry.count();
    telemetry.metrics().written(format, Readings::default())
}

#[test]
fn a_request_is_counted_by_method_route_and_status() {
    let telemetry = telemetry();
    for (method, route, status, times) in [
        ("GET", Some("/api/v1/bars"), 200, 3),
        ("GET", Some("/api/v1/bars"), 400, 1),
        ("HEAD", Some("/api/v1/bars"), 200, 1),
        ("GET", None, 404, 2),
        ("other", None, 405, 1),
    ] {
        for _ in 0..times {
            telemetry.answered(answered(method, route, status));
        }
    }
    let page = page(&telemetry, Format::Text);
    let counts: BTreeSet<&str> =
        page.lines().filter(|line| line.starts_with("bist_http_requests_total{")).collect();
    let expected = [
        "bist_http_requests_total{method=\"GET\",route=\"(no route)\",status=\"404\"} 2",
        "bist_http_requests_total{method=\"GET\",route=\"/api/v1/bars\",status=\"200\"} 3",
        "bist_http_requests_total{method=\"GET\",route=\"/api/v1/bars\",status=\"400\"} 1",
        "bist_http_requests_total{method=\"HEAD\",route=\"/api/v1/bars\",status=\"200\"} 1",
        "bist_http_requests_total{method=\"other\",route=\"(no route)\",status=\"405\"} 1",
    ];
    assert_eq!(counts, expected.into());
    let of_bars = "{method=\"GET\",route=\"/api/v1/bars\"}";
    assert!(page.contains(&format!("bist_http_request_duration_seconds_count{of_bars} 4\n")));
}

#[test]
fn a_quarter_of_a_second_is_an_edge_and_one_request_of_each_moment_an_example() {
    let telemetry = telemetry();
    let begun = Timestamp::constant(1_800_000_000, 0);
    for (at_ms, took_ms, request_id) in [
        (0, 250, "first"),
        (1, 251, "second"),
        (2, 100, "third"),
        (20, 250, "last"),
        (39, 250, "too-soon"),
        (39, 50, "beside"),
    ] {
        let took = Duration::from_millis(took_ms);
        let of = answered("GET", Some("/api/v1/bars"), 200);
        let at = begun + Duration::from_millis(at_ms);
        telemetry.answered(Answered { took, at, request_id: request_id.into(), ..of });
    }
    let too_long = "x".repeat(65);
    let of = answered("GET", Some("/api/v1/jobs"), 200);
    telemetry.answered(Answered { request_id: too_long.as_str().into(), ..of });
    let page = page(&telemetry, Format::OpenMetrics);
    let bucket = |edge: &str| {
        let labels = format!("le=\"{edge}\",method=\"GET\",route=\"/api/v1/bars\"}}");
        page.lines().find(|line| line.contains(&labels)).unwrap()
    };
    let (count, example) = bucket("0.25").split_once(" # ").unwrap();
    assert!(count.ends_with("} 5"), "{count}");
    assert!(example.starts_with("{request_id=\"last\"} 0.25 "), "{example}");
    assert!(bucket("0.5").contains("} 6 # {request_id=\"second\"} 0.251 "));
    assert!(bucket("0.1").contains("} 2 # {request_id=\"third\"} 0.1 "));
    assert!(bucket("0.05").contains("} 1 # {request_id=\"beside\"} 0.05 "));
    assert!(bucket("1.0").ends_with("} 6"), "nobody was so slow: {}", bucket("1.0"));
    assert!(!page.contains(&too_long));
    assert!(page.ends_with("# EOF\n"));
}

#[test]
fn who_comes_at_the_same_time_is_counted_once_each() {
    let telemetry = telemetry();
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                for n in 0..1_000_u16 {
                    telemetry.answered(answered("GET", Some("/api/v1/bars"), 200 + n % 5));
                }
            });
        }
    });
    let page = page(&telemetry, Format::Text);
    for status in 200..205 {
        let of = format!("method=\"GET\",route=\"/api/v1/bars\",status=\"{status}\"}} 1600\n");
        assert!(page.contains(&of), "{status}");
    }
}
