//! Signing in as people do, with an authenticator that nobody here wrote; and what is left of their
//! secrets in files, logs, the memory of the process, and after a crash.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{bist, text};
use crate::http::{self, Answer, Page};

/// A password that is found nowhere by accident.
const PASSWORD: &str = "kirmizi-bisiklet-8QdTz3vKx0";

/// A key of a service that is found nowhere by accident.
const SERVICE_KEY: &str = "planted-Yx72LmQ0vBt";

/// What is said where there is no authenticator.
const NO_OATHTOOL: &str = "skipped: oathtool is not here; Debian has it";

/// The code that oathtool shows for the seed at a second of Unix time; `None` when it is not installed.
fn code(seed: &str, at_s: u64) -> Option<String> {
    let mut oathtool = Command::new("oathtool");
    let now = format!("@{at_s}");
    let output = oathtool.args(["--totp", "--base32", "--now", &now, seed]).output().ok()?;
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[expect(clippy::disallowed_methods, reason = "the server of this test goes by the wall clock too")]
pub(crate) fn now_s() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// A running server with an administrator who is invited, its log in a file.
struct Place {
    folder: TempDir,
    data: PathBuf,
    child: Child,
    address: String,
    /// What opens the invitation.
    invitation: String,
}

impl Place {
    /// Starts the server with a log as full as can be; it may write cores, if it would.
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        let made = bist(&data).args(["users", "create-admin", "--json"]).output().unwrap();
        let made: Value = serde_json::from_slice(&made.stdout).unwrap();
        let link = made["link"].as_str().unwrap();
        let invitation = link.split('#').nth(1).unwrap().to_owned();
        let value = folder.path().join("value");
        fs::write(&value, SERVICE_KEY).unwrap();
        let mut set = bist(&data);
        set.args(["secrets", "set", "evds", "--quiet", "--from-file", text(&value)]);
        assert!(set.status().unwrap().success());
        fs::remove_file(value).unwrap();

        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -c unlimited; exec \"$0\" \"$@\""]);
        shell.args([env!("CARGO_BIN_EXE_bist"), "serve", "--bind", "127.0.0.1:0", "--json"]);
        shell.args(["--log", "trace", "--data-dir", text(&data)]).current_dir(folder.path());
        let log = File::create(folder.path().join("log")).unwrap();
        let mut child = shell.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        // To the end of the document: a reader that goes away would stop the server.
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let document: String = lines.take_while(|line| line != "}").collect();
        let document: Value = serde_json::from_str(&format!("{document}}}")).unwrap();
        let address = document["address"].as_str().unwrap().strip_prefix("http://").unwrap();
        let address = address.to_owned();
        Self { folder, data, child, address, invitation }
    }

    /// Asks over a connection of its own.
    fn ask(&self, method: &str, path: &str, headers: &[&str], document: &Value) -> Answer {
        let answer = http::ask(&self.address, method, path, headers, document);
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn post(&self, path: &str, page: &Page, document: &Value) -> Answer {
        page.ask(&self.address, "POST", path, document).unwrap()
    }

    /// The page after an answer that began a session.
    fn page(&self, answer: &Answer) -> Page {
        Page::after(&self.address, answer)
    }

    fn log_in(&self) -> Page {
        let credentials = json!({"user_name": "admin", "password": PASSWORD});
        self.page(&self.post("/api/v1/auth/login", &Page::default(), &credentials))
    }

    /// Sets the password and puts a second factor in force by the code of the second `at_s`; the page
    /// then, the seed, and the recovery codes. `None` when there is no authenticator.
    fn enrolled(&self, at_s: u64) -> Option<(Page, String, Value)> {
        let document = json!({"token": self.invitation, "password": PASSWORD});
        let page = self.page(&self.post("/api/v1/auth/invitation", &Page::default(), &document));
        let enrolment = self.post("/api/v1/auth/2fa/setup", &page, &Value::Null).body;
        let seed = enrolment["secret"].as_str().unwrap().to_owned();
        let uri = enrolment["otpauth_uri"].as_str().unwrap();
        assert!(uri.starts_with("otpauth://totp/BIST%20AI%20Smart%20Trader:admin?"), "{uri}");
        let document = json!({"code": code(&seed, at_s)?});
        let confirmed = self.post("/api/v1/auth/2fa/confirm", &page, &document);
        assert_eq!(confirmed.status, 200, "{}", confirmed.body);
        Some((self.page(&confirmed), seed, confirmed.body["recovery_codes"].clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().unwrap();
    }
}

#[test]
fn oathtool_enrols_and_signs_in() {
    let place = Place::start();
    let at_s = now_s();
    let Some((_, seed, codes)) = place.enrolled(at_s) else {
        eprintln!("{NO_OATHTOOL}");
        return;
    };
    assert_eq!(codes.as_array().unwrap().len(), 10);
    let page = place.log_in();
    let give = |later_s| {
        let document = json!({"code": code(&seed, at_s + later_s).unwrap()});
        place.post("/api/v1/auth/2fa/verify", &page, &document)
    };
    assert_eq!(give(0).status, 401, "it was used to enrol");
    assert_eq!(
        give(90).status,
        401,
        "it is three steps ahead, or two since a step began meanwhile"
    );
    // The next one is taken: clocks of people are not quite right.
    let given = give(30);
    assert_eq!((given.status, &given.body["stage"]), (200, &json!("full")));
    assert_ne!(given.cookie.as_ref(), Some(&page.cookie));
}

/// Fails when one of the secrets is found in `bytes`, as text or as what its base32 stands for.
#[track_caller]
fn check_clean(what: &str, bytes: &[u8], secrets: &[(&str, String)]) {
    for (name, secret) in secrets {
        let found = memchr::memmem::find(bytes, secret.as_bytes()).map(|at| {
            // What stands around it tells where it comes from.
            let around = &bytes[at.saturating_sub(200)..bytes.len().min(at + 200)];
            String::from_utf8_lossy(around).into_owned()
        });
        assert_eq!(found, None, "the {name} is found in {what}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_of_what_people_typed_is_left_in_files_logs_memory_or_a_crash() {
    let mut place = Place::start();
    let Some((page, seed, codes)) = place.enrolled(now_s()) else {
        eprintln!("{NO_OATHTOOL}");
        return;
    };
    let request = json!({"name": "desk", "scopes": ["read"]});
    let key = place.post("/api/v1/api-keys", &page, &request).body["token"].clone();
    let key = key.as_str().unwrap().to_owned();
    // bist_ID_SECRET, in whose secret there may be more of them.
    let key_secret = key.splitn(3, '_').nth(2).unwrap().to_owned();
    let bearer = format!("authorization: Bearer {key}");
    assert_eq!(place.ask("GET", "/api/v1/symbols", &[&bearer], &Value::Null).status, 200);
    let cookie = page.cookie.split('=').nth(1).unwrap().to_owned();
    assert_eq!(place.post("/api/v1/auth/logout", &page, &Value::Null).status, 204);
    let secrets = [
        ("password", PASSWORD.to_owned()),
        ("key of a service", SERVICE_KEY.to_owned()),
        ("seed", seed),
        ("recovery code", codes[0].as_str().unwrap().to_owned()),
        ("API key", key_secret),
        ("invitation", place.invitation.clone()),
        ("session", cookie),
    ];
    // Who asks after that shows that all connections before are gone.
    for _ in 0..20 {
        assert_eq!(place.ask("GET", "/health/live", &[], &Value::Null).status, 200);
    }

    let id = place.child.id().to_string();
    for name in ["cmdline", "environ"] {
        match fs::read(format!("/proc/{id}/{name}")) {
            Ok(bytes) => check_clean(name, &bytes, &secrets),
            Err(error) => eprintln!("/proc/{id}/{name} is not for us to read: {error}"),
        }
    }
    // Requests are logged together, soon after they were answered.
    let log = loop {
        let log = fs::read_to_string(place.folder.path().join("log")).unwrap();
        if log.matches(r#""http.route":"/health/live","http.status":200"#).count() >= 20 {
            break log;
        }
        std::thread::yield_now();
    };
    for path in files(place.folder.path()) {
        check_clean(text(&path), &fs::read(&path).unwrap(), &secrets);
    }
    assert!(log.contains(r#""http.route":"/api/v1/auth/invitation","http.status":200"#), "{log}");
    assert!(log.contains(r#""caller":"account:u"#) && log.contains(r#""caller":"key:k"#), "{log}");

    // Whoever may do everything on this machine can still look into the process.
    let image = place.folder.path().join("image");
    let taken = Command::new("gcore").args(["-o", text(&image), &id]).output();
    match taken {
        Ok(_) if image.with_extension(&id).exists() => {
            let bytes = fs::read(image.with_extension(&id)).unwrap();
            assert!(bytes.len() > 1 << 20, "{}", bytes.len());
            check_clean("the memory", &bytes, &secrets);
            fs::remove_file(image.with_extension(&id)).unwrap();
        }
        _ => eprintln!(
            "skipped: no image of the memory can be taken (gcore of Debian's gdb, as root)"
        ),
    }

    // A crash leaves nothing behind; that a core would be written here is shown by another process.
    let crash = "ulimit -c unlimited; kill -ABRT $$";
    Command::new("sh").args(["-c", crash]).current_dir(place.folder.path()).status().unwrap();
    let cores = || {
        let is_core = |path: &PathBuf| text(path).rsplit('/').next().unwrap().starts_with("core");
        files(place.folder.path()).into_iter().filter(is_core).collect::<Vec<_>>()
    };
    if cores().is_empty() {
        eprintln!("skipped: this system writes no core dumps into the working directory");
    }
    for core in cores() {
        fs::remove_file(core).unwrap();
    }
    assert!(Command::new("kill").args(["-ABRT", &id]).status().unwrap().success());
    let ended = place.child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(6));
    assert_eq!(cores(), Vec::<PathBuf>::new());
    for path in files(&place.data) {
        check_clean(text(&path), &fs::read(&path).unwrap(), &secrets);
    }
}
