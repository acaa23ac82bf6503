//! A service behind one line of configuration: what comes is stored, what fails is told, and the
//! next run goes on.

use std::fs;
use std::path::{Path, PathBuf};

use bist_testkit::http_server::{HttpServer, Reply, Script};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{bist, text};

/// Three sessions of March 2024; made up.
fn chart(symbol: &str) -> String {
    json!({"chart": {"result": [{
        "meta": {
            "currency": "TRY", "symbol": symbol, "instrumentType": "EQUITY",
            "exchangeTimezoneName": "Europe/Istanbul", "gmtoffset": 10_800,
            "dataGranularity": "1d", "regularMarketTime": 1_709_739_000
        },
        "timestamp": [1_709_535_600, 1_709_622_000, 1_709_708_400],
        "events": {},
        "indicators": {
            "quote": [{
                "open": [10.0, 10.1, 10.2], "high": [10.2, 10.3, 10.4],
                "low": [9.9, 10.0, 10.1], "close": [10.1, 10.2, 10.3],
                "volume": [1000, 1100, 1200]
            }],
            "adjclose": [{"adjclose": [10.1, 10.2, 10.3]}]
        }
    }], "error": null}})
    .to_string()
}

fn config(folder: &Path, server: &HttpServer) -> PathBuf {
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
            .on("/v8/finance/chart/KOZAL.IS", Reply::json(chart("KOZAL.IS")))
            .on("/v8/finance/chart/THYAO.IS", Reply::status(503, "busy"))
            .on("/v8/finance/chart/THYAO.IS", Reply::json(chart("THYAO.IS"))),
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
