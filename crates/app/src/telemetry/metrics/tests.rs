//! What is told in both formats, and that the document names it.

use std::collections::BTreeMap;

use super::*;

/// The rows of the document that name a family: kind and labels.
fn documented() -> BTreeMap<String, (String, Vec<String>)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/METRICS.md");
    let text = std::fs::read_to_string(path).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, _of, what] = cells[..] else { return None };
        let name = name.strip_prefix('`')?.strip_suffix('`')?;
        assert!(!what.is_empty(), "{name} has no meaning");
        let labels = labels.split(',').map(|label| label.trim().trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        Some((name.to_owned(), (kind.to_owned(), labels)))
    };
    let rows: Vec<_> = text.lines().filter_map(row).collect();
    let all: BTreeMap<_, _> = rows.iter().cloned().collect();
    assert_eq!(rows.len(), all.len(), "a family stands twice");
    all
}

#[test]
fn the_document_names_every_family_and_no_other() {
    let told = FAMILIES.iter().map(|family| {
        let labels = family.labels.iter().map(|label| (*label).to_owned()).collect();
        (family.name.to_owned(), (family.kind.as_str().to_owned(), labels))
    });
    let told: BTreeMap<String, (String, Vec<String>)> = told.collect();
    assert_eq!(told.len(), FAMILIES.len(), "a family stands twice");
    assert_eq!(told, documented(), "left: the program, right: docs/METRICS.md");
}

#[test]
fn names_say_what_is_counted_and_in_which_unit() {
    for Family { name, kind, help, .. } in FAMILIES {
        assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
        assert!(name.starts_with("bist_") || name.starts_with("process_"), "{name}");
        assert!(!help.ends_with('.') && !help.contains(['\n', '\\', '"']), "{name}: {help}");
    }
}

#[test]
fn everything_that_is_counted_begins_at_zero_and_is_told_in_both_formats() {
    let metrics = Metrics::default();
    let mut readings = Readings::default();
    readings.tell("bist_users", ["admin"], 2.0);
    readings.tell("bist_build_info", ["0.1.0"], 1.0);
    readings.tell("process_cpu_seconds_total", [], 0.25);
    let text = metrics.written(Format::Text, readings.clone());
    for line in [
        "# HELP bist_users Active accounts by role.\n# TYPE bist_users gauge\nbist_users{role=\"admin\"} 2.0\n",
        "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 0.25\n",
        "bist_job_runs_total{job=\"backup\",outcome=\"failed\"} 0\n",
        "bist_sign_ins_total{outcome=\"nobody\"} 0\n",
        "bist_cache_requests_total{cache=\"explanations\",outcome=\"hit\"} 0\n",
        "bist_live_clients{transport=\"sse\"} 0\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let open = metrics.written(Format::OpenMetrics, readings);
    assert!(open.contains("# TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total 0.25\n"));
    assert!(open.ends_with("# EOF\n") && open.matches("# EOF").count() == 1);
}

#[test]
fn who_listens_and_what_is_under_way_is_told_until_it_ends() {
    let metrics = Metrics::default();
    let told = |line: &str| metrics.written(Format::Text, Readings::default()).contains(line);
    let (first, second) = (metrics.under_way(), metrics.under_way());
    let listening = metrics.listens(Transport::Events);
    listening.sent(3);
    listening.left_out(7);
    drop(first);
    assert!(told("bist_http_requests_in_flight 1\n"));
    assert!(told("bist_live_clients{transport=\"sse\"} 1\n"));
    drop((second, listening));
    assert!(told("bist_http_requests_in_flight 0\n"));
    assert!(told("bist_live_clients{transport=\"sse\"} 0\n"));
    assert!(told("bist_live_messages_total{transport=\"sse\"} 3\n"));
    assert!(told("bist_live_conflated_total 7\n"));
}
