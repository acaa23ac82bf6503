//! `bist doctor`: what an installation stands on is told with advice. `bist doctor --security`: a service that is set up as the documents say scores high, and each
//! protection that is taken away costs.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{bist, text};
use crate::metrics::Process;

/// A data directory with its master key elsewhere, and the settings of a service in production.
struct Place {
    folder: TempDir,
    data: PathBuf,
    settings: String,
}

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        let signing_key = KeyPair::generate().unwrap();
        let certificate = |last_year| {
            let mut params = CertificateParams::new(["bist.example".to_owned()]).unwrap();
            params.not_after = date_time_ymd(last_year, 1, 1);
            params.self_signed(&signing_key).unwrap().pem()
        };
        let file = |name: &str, content: &str| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            private(&path);
            path
        };
        file("old.pem", &certificate(2020));
        let certificate = file("certificate.pem", &certificate(2090));
        let key = file("key.pem", &signing_key.serialize_pem());
        let settings = format!(
            "[server]\nbind = '0.0.0.0:8443'\npublic_url = 'https://bist.example'\n\n[server.tls]\n\
             certificate = '{}'\nkey = '{}'\n",
            text(&certificate),
            text(&key)
        );
        let place = Self { folder, data, settings };
        let key = place.folder.path().join("master.key");
        let made = place.command().args(["secrets", "generate-key", "--out", text(&key)]).output();
        assert!(made.unwrap().status.success());
        place
    }

    fn command(&self) -> std::process::Command {
        let mut command = bist(&self.data);
        command.env("BIST_MASTER_KEY_FILE", self.folder.path().join("master.key"));
        command
    }

    /// The report with these settings.
    #[track_caller]
    fn report(&self, settings: &str) -> Value {
        self.examined(&mut self.command(), settings)
    }

    #[track_caller]
    fn examined(&self, command: &mut std::process::Command, settings: &str) -> Value {
        let config = self.folder.path().join("bist.toml");
        fs::write(&config, settings).unwrap();
        command.args(["doctor", "--security", "--json", "--config", text(&config)]);
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

#[cfg(unix)]
fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_: &Path) {}

fn score(report: &Value) -> f64 {
    report["score"].as_f64().unwrap()
}

/// The checks that failed, but for the one of the user: tests may run as root.
fn failed(report: &Value) -> Vec<&str> {
    let checks = report["checks"].as_array().unwrap().iter();
    let failed = checks.filter(|check| check["result"] == "failed");
    let ids = failed.map(|check| check["id"].as_str().unwrap());
    ids.filter(|id| *id != "process.user").collect()
}

#[test]
fn a_service_in_production_scores_high_and_less_without_each_protection() {
    let place = Place::new();
    let made = place.command().args(["users", "create-admin", "--quiet"]).output().unwrap();
    assert!(made.status.success());
    let report = place.report(&place.settings);
    assert_eq!(failed(&report), Vec::<&str>::new(), "{report:#}");
    let best = score(&report);
    assert!(best >= 9.5, "{best}");

    let less = |settings: &str, expected: &[&str]| {
        let report = place.report(settings);
        assert_eq!(failed(&report), expected, "{report:#}");
        assert!(score(&report) < best, "{expected:?}");
    };
    let with = |more: &str| format!("{}\n{more}\n", place.settings);
    less(
        &with("[limits]\nauth = '1000/min'"),
        &["limits.passwords", "limits.codes", "limits.made_up_addresses"],
    );
    less(&with("[limits]\nai = '100000/min'"), &["limits.forecasts"]);
    less(&with("[limits]\ndefault = '100000/min'"), &["limits.requests"]);
    less(&with("[server.connections]\nhead_time_s_max = 300"), &["limits.connections"]);
    let believing =
        place.settings.replace("[server.tls]", "trusted_proxies = ['0.0.0.0/0']\n[server.tls]");
    less(&believing, &["limits.made_up_addresses", "limits.proxies"]);
    less(&place.settings.replace("certificate.pem", "old.pem"), &["transport.certificate"]);
    // Without a certificate it would not start.
    let clear = place.settings.split("[server.tls]").next().unwrap().to_owned();
    less(&clear, &["transport.tls"]);
    let redis = format!("redis_url = 'redis://127.0.0.1:9'\n{}", place.settings);
    less(&redis, &["limits.shared"]);
}

#[test]
fn what_lies_open_is_named() {
    let place = Place::new();
    place.report(&place.settings);
    let key = place.folder.path().join("evds.key");
    fs::write(&key, "plain").unwrap();
    let settings = format!("{}\n[credentials]\nevds = '{}'\n", place.settings, text(&key));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&place.data, fs::Permissions::from_mode(0o755)).unwrap();
    }
    // Without a word about it, the master key is made beside the data.
    let report = place.examined(&mut bist(&place.data), &settings);
    let expected = ["secrets.master_key", "files.data_directory", "secrets.settings"];
    assert_eq!(failed(&report), expected, "{report:#}");
    let mut told = place.command();
    let config = place.folder.path().join("bist.toml");
    told.args(["doctor", "--security", "--fail-under", "10", "--config", text(&config)]);
    let output = told.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("chmod 700") && text.contains("bist secrets set NAME"), "{text}");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("lower than 10"), "{errors}");
}

#[test]
fn records_that_were_changed_cost_most() {
    let place = Place::new();
    let made = place.command().args(["users", "create-admin", "--quiet"]).output().unwrap();
    assert!(made.status.success());
    let whole = score(&place.report(&place.settings));
    let database = place.data.join("bist.sqlite");
    let bytes = fs::read(&database).unwrap();
    let from = b"user.created";
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    let changed = [&bytes[..at], b"user.erased!".as_slice(), &bytes[at + from.len()..]].concat();
    fs::write(&database, changed).unwrap();
    let report = place.report(&place.settings);
    assert_eq!(failed(&report), ["audit.whole"], "{report:#}");
    assert!(score(&report) < whole);
}

#[test]
fn what_an_installation_stands_on_is_told_and_what_fails_with_advice() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let looked = bist(&data).args(["doctor", "--json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&looked.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let names: Vec<&str> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["database", "migrations", "clock", "disk", "web_app"]);
    for check in &checks[..3] {
        assert_eq!((&check["status"], &check["advice"]), (&"ok".into(), &Value::Null), "{check}");
    }
    let failed = checks.iter().any(|check| check["status"] == "failed");
    assert_eq!(looked.status.success(), !failed, "{report}");

    let away = "postgres://nobody@127.0.0.1:1/nothing";
    let mut asked = bist(&data);
    let told = asked.args(["doctor", "--json", "--database-url", away]).output().unwrap();
    assert_eq!(told.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(
        (&report["status"], &report["checks"][0]["name"]),
        (&"failed".into(), &"database".into())
    );
    assert!(report["checks"][0]["advice"].is_string());
    assert!(String::from_utf8(told.stderr).unwrap().contains("not ready: database"));
}

#[test]
fn a_server_is_asked_whether_it_is_ready_and_nothing_else_is_touched() {
    let folder = TempDir::new().unwrap();
    let untouched = folder.path().join("data");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, told) in [
        (format!("http://{nobody}"), "is not ready: it does not answer"),
        ("ftp://127.0.0.1".to_owned(), "is no address of a server"),
        ("here".to_owned(), "is no address of a server"),
    ] {
        let asked = bist(&untouched).args(["doctor", "--ready", &url]).output().unwrap();
        let said = String::from_utf8(asked.stderr).unwrap();
        assert_eq!((asked.status.code(), said.contains(told)), (Some(1), true), "{url}: {said}");
    }
    let server = Process::start(&folder.path().join("served"), &[]);
    let url = format!("http://{}", server.address);
    let asked = bist(&untouched).args(["doctor", "--ready", &url, "--json"]).output().unwrap();
    // Without the web app in the binary it is not.
    let is_ready = server.get("/health/ready", &[]).status == 200;
    assert_eq!(asked.status.success(), is_ready, "{}", String::from_utf8_lossy(&asked.stderr));
    assert!(!untouched.exists());
}
