//! A service behind one line of configuration: what comes is stored, what fails is told, and the
//! next run goes on.

use std::fs;
use std::path::{Path, PathBuf};

use bist_market::bar::midnight_of;
use bist_market::calendar::Calendar;
use bist_testkit::http_server::{HttpServer, Reply, Script};
use jiff::civil::{Date, date};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{bist, text};

/// The first sessions from the 4th of March 2024 on; made up.
pub(crate) fn chart(symbol: &str, rows_count: usize) -> String {
    let sessions = Calendar::bist().sessions(date(2024, 3, 4), date(2026, 6, 30)).take(rows_count);
    let opened_at_s = |day: Date| midnight_of(day).as_second() + 10 * 3_600;
    let timestamps: Vec<i64> = sessions.map(|(day, _)| opened_at_s(day)).collect();
    let prices = |first: f64| -> Vec<f64> {
        (0..rows_count).map(|row| first + 0.1 * (row % 50) as f64).collect()
    };
    let volumes: Vec<usize> = (0..rows_count).map(|row| 1_000 + 100 * row).collect();
    json!({"chart": {"result": [{
        "meta": {
            "currency": "TRY", "symbol": symbol, "instrumentType": "EQUITY",
            "exchangeTimezoneName": "Europe/Istanbul", "gmtoffset": 10_800,
            "dataGranularity": "1d", "regularMarketTime": 1_709_739_000
        },
        "timestamp": timestamps,
        "events": {},
        "indicators": {
            "quote": [{
                "open": prices(10.0), "high": prices(10.2), "low": prices(9.9),
                "close": prices(10.1), "volume": volumes
            }],
            "adjclose": [{"adjclose": prices(10.1)}]
        }
    }], "error": null}})
    .to_string()
}

/// A configuration by which Yahoo is the server, asked as often as may be.
pub(crate) fn config(folder: &Path, server: &HttpServer) -> PathBuf {
    let path = folder.join("bist.toml");
    let address = server.url("");
    let address = address.trim_end_matches('/');
    let settings = format!(
        "[sources.yahoo]\nbase_urls = {{ chart = '{address}' }}\nrequests_per_minute = 600\n\
         attempts_max = 1\n"
    );
    fs::write(&path, settings).unwrap();
    path
}

/// Exit status, the JSON document, and what stands on standard error.
fn ingest(data: &Path, config: &Path) -> (Option<i32>, Value, String) {
    let output = bist(data)
        .args(["ingest", "yahoo", "--symbols", "KOZAL,THYAO", "--from", "2024-03-04"])
        .args(["--to", "2024-03-08", "--json", "--quiet", "--config", text(config)])
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code(), report, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_service_is_stored_piece_by_piece_and_a_failed_piece_is_fetched_by_the_next_run() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let server = HttpServer::start(
        Script::new()
            .on("/v8/finance/chart/KOZAL.IS", Reply::json(chart("KOZAL.IS", 3)))
            .on("/v8/finance/chart/THYAO.IS", Reply::status(503, "busy"))
            .on("/v8/finance/chart/THYAO.IS", Reply::json(chart("THYAO.IS", 3))),
    );
    let config = config(folder.path(), &server);

    let (status, report, told) = ingest(&data, &config);
    assert_eq!((status, &report["rows_stored"]), (Some(1), &json!(3)), "{told}");
    let pieces = &report["pieces"];
    assert_eq!(json!([pieces["fetched_count"], pieces["planned_count"]]), json!([1, 2]));
    assert!(told.contains("THYAO") && told.contains("run the same command again"), "{told}");

    let (status, report, told) = ingest(&data, &config);
    assert_eq!((status, &report["rows_stored"]), (Some(0), &json!(3)), "{told}");
    assert_eq!(report["pieces"]["had_before_count"], 1, "what is final is not asked for again");
    assert_eq!(server.requests().len(), 3);

    // The renamed share has its present name.
    let report = crate::cli::json(&data, &["validate", "TRALT", "THYAO"]);
    assert_eq!(report["series"].as_array().unwrap().len(), 2);
}
