//! Going back to a backup while servers run: asked for over HTTP or by the command, done for all of them, and
//! every one begins anew where it was.

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use bist_access::{Secret, TotpSeed};
use bist_testkit::postgres_database::PostgresDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{self, bist, text};
use crate::http::Page;
use crate::installation::{Installation, Process};
use crate::sign_in::now_s;

const PASSWORD: &str = "kirmizi-bisiklet-yagmur-7";

const BACKUPS: &str = "/api/v1/admin/backups";

/// Limits that let whoever waits ask often.
const LIMITS: &str = "[limits]\ndefault = '1000000/min'\naddress_multiple = 1000\n";

/// How long something may take to come about.
const PATIENCE: Duration = Duration::from_secs(120);

/// An installation whose backups can be made and opened, and the folder of what opens them.
fn installation(settings: &str) -> (Installation, TempDir) {
    let folder = TempDir::new().unwrap();
    let identity = folder.path().join("identity.txt");
    let made = cli::json(folder.path(), &["backup", "generate-key", "--out", text(&identity)]);
    let recipient = made["recipient"].as_str().unwrap();
    let identity = text(&identity);
    let backup = format!("[backup]\nrecipients = ['{recipient}']\nidentity = '{identity}'\n");
    (Installation::new(&format!("{settings}{LIMITS}{backup}")), folder)
}

/// Sets the first administrator up at `process`; their page, with a code given a moment ago.
fn administrator(place: &Installation, process: &Process) -> Page {
    let address = process.address();
    let made = place.json(&["users", "create-admin"]);
    let token = made["link"].as_str().unwrap().split('#').nth(1).unwrap().to_owned();
    let post = |page: &Page, path: &str, document: &Value| {
        let answer = page.ask(address, "POST", path, document).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer
    };
    let document = json!({"token": token, "password": PASSWORD});
    let accepted = post(&Page::default(), "/api/v1/auth/invitation", &document);
    let page = Page::after(address, &accepted);
    let enrolment = post(&page, "/api/v1/auth/2fa/setup", &Value::Null).body;
    let seed = Secret::new(enrolment["secret"].as_str().unwrap());
    let code = TotpSeed::from_base32(&seed).unwrap().code_at(now_s());
    let confirmed = post(&page, "/api/v1/auth/2fa/confirm", &json!({"code": code.expose()}));
    Page::after(address, &confirmed)
}

/// Asks again and again for `path`, of a server that may be away, until the answer is as `is_wanted`.
#[track_caller]
fn once(address: &str, page: &Page, path: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let answer = page.ask(address, "GET", path, &Value::Null);
        let body = answer.ok().filter(|answer| answer.status == 200).map(|answer| answer.body);
        if let Some(body) = &body
            && is_wanted(body)
        {
            return body.clone();
        }
        assert!(began.elapsed() < PATIENCE, "it does not come about; the last answer: {body:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until a backup that is made has another name than those before, which tells the second.
fn wait_for_next_second() {
    let before = now_s();
    while now_s() == before {
        thread::sleep(Duration::from_millis(20));
    }
}

/// Has a backup made over HTTP; its name.
fn back_up(address: &str, page: &Page) -> String {
    // A server makes one by itself when it is started the first time.
    once(address, page, "/api/v1/jobs?job=backup", |body| body["items"][0]["state"] == "done");
    let first = once(address, page, BACKUPS, |_| true)["items"][0]["name"].clone();
    wait_for_next_second();
    let asked = page.ask(address, "POST", BACKUPS, &json!({"reason": "a try"})).unwrap();
    assert_eq!(asked.status, 202, "{}", asked.body);
    let listed = once(address, page, BACKUPS, |body| body["items"][0]["name"] != first);
    wait_for_next_second();
    listed["items"][0]["name"].as_str().unwrap().to_owned()
}

/// Goes back to the backup `name`, until the server has begun anew.
fn go_back(address: &str, page: &Page, name: &str) {
    let wish = json!({"backup": name, "confirmation": name, "reason": "a mistake"});
    let asked = page.ask(address, "POST", &format!("{BACKUPS}/restore"), &wish).unwrap();
    assert_eq!((asked.status, &asked.body["what"]), (202, &json!(name)), "{}", asked.body);
    once(address, page, BACKUPS, |body| {
        assert_ne!(body["restoring"]["stage"], "failed", "{body}");
        // What a process remembers of it ends when it begins anew.
        body["restored_at"].is_string() && body["restoring"].is_null()
    });
}

/// The names of all accounts.
fn users(listed: &Value) -> Vec<&str> {
    let items = listed["items"].as_array().unwrap();
    items.iter().map(|item| item["user_name"].as_str().unwrap()).collect()
}

/// Shows that the audit is whole and tells of one time that somebody went back, for `reason`; the backup of
/// before.
fn before_of(place: &Installation, reason: &str) -> String {
    assert_eq!(place.json(&["audit", "verify"])["verified"], true);
    let records = |action: &str| {
        let listed = place.json(&["audit", "list", "--action", action]);
        let items = listed["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), 1, "{action}: {items:?}");
        items[0].clone()
    };
    let (asked, restored) = (records("backup.restore_asked"), records("backup.restored"));
    assert_eq!(asked["actor"], restored["actor"]);
    assert_eq!(asked["details"]["reason"], reason);
    asked["details"]["before"].as_str().unwrap().to_owned()
}

/// The accounts in the backup `name` of `place`, restored into a directory of its own by `identity`.
fn users_in(place: &Installation, name: &str, identity: &Path) -> Vec<String> {
    let (data, to) = (place.folder.path().join("data"), place.folder.path().join("looked-at"));
    fs::create_dir(&to).unwrap();
    fs::copy(data.join("master.key"), to.join("master.key")).unwrap();
    let file = data.join("backups").join(name);
    let restore = ["backup", "restore", text(&file), "--identity", text(identity), "--quiet"];
    assert!(bist(&to).args(restore).status().unwrap().success());
    users(&cli::json(&to, &["users", "list"])).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_server_goes_back_to_a_backup_and_what_came_after_it_is_in_another_one() {
    let (place, keys) = installation("");
    let (tell, _heard) = mpsc::channel();
    let mut server = place.start("all", "127.0.0.1:0", 0, &tell);
    let address = server.address().to_owned();
    let page = administrator(&place, &server);
    let name = back_up(&address, &page);
    place.json(&["users", "create", "later", "--role", "viewer"]);
    assert_eq!(users(&place.json(&["users", "list"])), ["admin", "later"]);

    go_back(&address, &page, &name);
    server.wait_for_new_beginning();
    assert_eq!(users(&place.json(&["users", "list"])), ["admin"]);
    let before = before_of(&place, "a mistake");
    assert_ne!(before, name);
    let mut had = users_in(&place, &before, &keys.path().join("identity.txt"));
    had.sort();
    assert_eq!(had, ["admin", "later"], "what is gone is in the backup of before");
    server.signal("-TERM");
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn every_server_on_postgresql_begins_anew_when_one_goes_back_to_a_backup() {
    let Some(database) = PostgresDatabase::make() else { return };
    let (place, _keys) = installation(&format!("database_url = '{}'\n", database.url()));
    let (tell, _heard) = mpsc::channel();
    let mut asked = place.start("all", "127.0.0.1:0", 0, &tell);
    let mut other = place.start("api", "127.0.0.1:0", 1, &tell);
    let page = administrator(&place, &asked);
    let (here, there) = (asked.address().to_owned(), other.address().to_owned());
    let name = back_up(&here, &page);
    place.json(&["users", "create", "later", "--role", "viewer"]);
    go_back(&here, &page, &name);
    asked.wait_for_new_beginning();
    other.wait_for_new_beginning();
    assert_eq!(users(&place.json(&["users", "list"])), ["admin"]);
    assert_ne!(before_of(&place, "a mistake"), name);
    // Both answer who had signed in before the backup.
    for address in [here, there] {
        once(&address, &page, BACKUPS, |body| body["restored_at"].is_string());
    }
}

#[test]
fn the_command_replaces_a_database_of_postgresql_while_servers_run_and_they_begin_anew() {
    let Some(database) = PostgresDatabase::make() else { return };
    let (place, _keys) = installation(&format!("database_url = '{}'\n", database.url()));
    let (tell, _heard) = mpsc::channel();
    // It does no jobs: one that makes a backup keeps others from it meanwhile.
    let mut server = place.start("api", "127.0.0.1:0", 0, &tell);
    let address = server.address().to_owned();
    let page = administrator(&place, &server);
    let name = place.json(&["backup", "create"])["backup"].as_str().unwrap().to_owned();
    wait_for_next_second();
    place.json(&["users", "create", "later", "--role", "viewer"]);

    let restored = place.json(&["backup", "restore", &name, "--replace"]);
    assert_eq!(restored["backup"], name.as_str());
    server.wait_for_new_beginning();
    assert_eq!(users(&place.json(&["users", "list"])), ["admin"]);
    let before = before_of(&place, "bist backup restore --replace");
    assert_eq!(restored["before"], before.as_str());
    once(&address, &page, BACKUPS, |body| body["restored_at"].is_string());

    // What was there before is what there is of its moment, though something newer is backed up meanwhile.
    wait_for_next_second();
    let listed = place.json(&["backup", "list"])["items"].clone();
    let items = listed.as_array().unwrap();
    let was = items.iter().find(|item| item["name"] == before.as_str()).unwrap();
    let at = was["created_at"].as_str().unwrap();
    let restored = place.json(&["backup", "restore", "--at", at, "--replace"]);
    assert_eq!(restored["backup"], before.as_str());
    assert_ne!(restored["before"], before.as_str());
    server.wait_for_new_beginning();
    let listed = place.json(&["users", "list"]);
    let mut there = users(&listed);
    there.sort_unstable();
    assert_eq!(there, ["admin", "later"]);
    assert_eq!(place.json(&["audit", "verify"])["verified"], true);
}

#[test]
fn a_database_of_postgresql_that_could_not_be_backed_up_is_not_replaced() {
    let place = TempDir::new().unwrap();
    let (config, identity) = (place.path().join("bist.toml"), place.path().join("identity.txt"));
    // Nobody is asked.
    fs::write(&config, "database_url = 'postgres://bist@127.0.0.1:1/none'\n").unwrap();
    cli::json(place.path(), &["backup", "generate-key", "--out", text(&identity)]);
    let restore = ["backup", "restore", "--at", "now", "--replace"];
    let settings = ["--identity", text(&identity), "--config", text(&config)];
    let told = cli::refusal(place.path(), &[&restore[..], &settings].concat());
    assert!(told.contains("backup.recipients") && told.contains("make an empty one"), "{told}");
}
