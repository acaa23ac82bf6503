//! Secrets as their users meet them: kept, used by a service, found nowhere else, and refused with a
//! sentence when the master key is not the right one.

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use bist_testkit::http_server::{HttpServer, Reply, Script};
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{bist, text};

/// A value that is found nowhere by accident.
const PLANTED: &str = "planted-8QdTz3vKx0";

/// A rate of the central bank; made up.
const RATES: &str = r#"{"totalCount":1,"items":[{"Tarih":"30-10-2025","TP_DK_USD_A_YTL":"41.9512","UNIXTIME":{"$numberLong":"1761771600"}}]}"#;

/// A data directory with a master key.
struct Place {
    folder: TempDir,
    data: PathBuf,
    key: PathBuf,
}

/// What a command said.
struct Told {
    status: Option<i32>,
    out: String,
    errors: String,
}

impl From<Output> for Told {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let (data, key) = (folder.path().join("data"), folder.path().join("master.key"));
        let place = Self { folder, data, key };
        place.generate_key("master.key");
        place
    }

    fn generate_key(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        let made =
            run(bist(&self.data).args(["secrets", "generate-key", "--out", text(&path)]), "");
        assert_eq!(made.status, Some(0), "{}", made.errors);
        path
    }

    /// A command that has the master key.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = bist(&self.data);
        command.args(args).env("BIST_MASTER_KEY_FILE", &self.key);
        command
    }

    /// Runs a command that must succeed, with `input`, and returns its JSON document.
    #[track_caller]
    fn json(&self, args: &[&str], input: &str) -> Value {
        let told = run(self.command(args).args(["--json", "--quiet"]), input);
        assert_eq!((told.status, told.errors.as_str()), (Some(0), ""), "{args:?}");
        serde_json::from_str(&told.out).unwrap()
    }

    /// A configuration by which the central bank is asked at `address` with the secret evds.
    fn config(&self, address: &str) -> PathBuf {
        let path = self.folder.path().join("bist.toml");
        let settings = format!(
            "[sources.evds]\nbase_urls = {{ data = '{address}' }}\nattempts_max = 1\n\
             [credentials]\nevds = 'secret:evds'\n"
        );
        fs::write(&path, settings).unwrap();
        path
    }
}

/// Runs `command` with `input` on its standard input.
fn run(command: &mut Command, input: &str) -> Told {
    let mut child = spawn(command.stdin(Stdio::piped()));
    // A command that is refused may end before anybody writes to it.
    let written = child.stdin.take().unwrap().write_all(input.as_bytes());
    assert!(written.is_ok() || written.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe));
    child.wait_with_output().unwrap().into()
}

fn spawn(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The sentence with which `command` must be refused.
#[track_caller]
fn refusal(command: &mut Command) -> String {
    let told = run(command.arg("--quiet"), PLANTED);
    assert_eq!((told.status, told.out.as_str()), (Some(1), ""), "{}", told.errors);
    assert_eq!(told.errors.lines().count(), 1, "one sentence: {}", told.errors);
    assert!(!told.errors.contains(PLANTED), "{}", told.errors);
    told.errors
}

const INGEST: [&str; 8] =
    ["ingest", "evds", "--series", "TP.DK.USD.A.YTL", "--from", "2025-10-30", "--to", "2025-10-31"];

#[test]
fn a_secret_is_set_got_listed_rotated_and_removed() {
    let place = Place::new();
    let set = place.json(&["secrets", "set", "evds"], "first\n");
    assert_eq!((&set["name"], &set["revision"]), (&"evds".into(), &1.into()));
    assert_eq!(place.json(&["secrets", "get", "evds"], "")["value"], "first");

    let again = refusal(&mut place.command(&["secrets", "set", "evds"]));
    assert!(again.contains("there is a secret 'evds' already, revision 1"), "{again}");
    let file = place.folder.path().join("value");
    fs::write(&file, "second\n").unwrap();
    let rotate = ["secrets", "rotate", "evds", "--from-file", text(&file)];
    assert_eq!(place.json(&rotate, "")["revision"], 2);
    place.json(&["secrets", "set", "kap"], "user:password");
    let got = run(&mut place.command(&["secrets", "get", "evds"]), "");
    assert_eq!((got.out.as_str(), got.errors.as_str()), ("second\n", ""));

    // Names are no secrets, so no key is needed.
    let list = run(bist(&place.data).args(["secrets", "list"]), "");
    let names: Vec<Vec<&str>> =
        list.out.lines().map(|line| line.split_whitespace().take(2).collect()).collect();
    assert_eq!(names, [["name", "revision"], ["bist.audit-key", "1"], ["evds", "2"], ["kap", "1"]]);
    let own: Vec<&str> = list.out.lines().filter(|line| line.contains("own")).collect();
    assert!(own.len() == 1 && own[0].starts_with("bist.audit-key"), "{}", list.out);
    assert!(!list.out.contains("second") && !list.out.contains("password"), "{}", list.out);

    assert_eq!(place.json(&["secrets", "remove", "evds"], "")["removed"], "evds");
    for verb in ["get", "rotate", "remove"] {
        let gone = refusal(&mut place.command(&["secrets", verb, "evds"]));
        assert!(gone.contains("there is no secret 'evds'; `bist secrets list`"), "{gone}");
    }
}

#[test]
fn a_value_is_never_an_argument_and_one_that_is_none_is_refused() {
    let place = Place::new();
    let told = run(&mut place.command(&["secrets", "set", "evds", PLANTED]), "");
    assert_eq!(told.status, Some(2));
    let told = run(place.command(&["secrets", "set", "evds", "--quiet"]).arg("--json"), " \n");
    assert!(told.errors.contains("standard input is refused: it is empty"), "{}", told.errors);
    let told = run(&mut place.command(&["secrets", "set", "evds"]), "two\nlines");
    assert!(told.errors.contains("several lines"), "{}", told.errors);
    let told = run(&mut place.command(&["secrets", "set", "Key of EVDS"]), "x");
    assert!(told.errors.contains("it is no name of a secret"), "{}", told.errors);
}

#[test]
fn a_new_master_key_takes_over_all_secrets_and_the_old_one_is_refused() {
    let mut place = Place::new();
    for name in ["evds", "kap"] {
        place.json(&["secrets", "set", name], &format!("value of {name}"));
    }
    let new = place.generate_key("new.key");
    let same =
        refusal(&mut place.command(&["secrets", "rekey", "--new-key-file", text(&place.key)]));
    assert!(same.contains("the new master key is the one in force"), "{same}");
    let rekeyed = place.json(&["secrets", "rekey", "--new-key-file", text(&new)], "");
    assert_eq!(rekeyed["secrets_count"], 3, "the key of the audit is one");
    let old = refusal(&mut place.command(&["secrets", "get", "evds"]));
    assert!(old.contains("the master key is not the one under which the secrets"), "{old}");
    place.key = new;
    assert_eq!(place.json(&["secrets", "get", "kap"], "")["value"], "value of kap");
    assert_eq!(place.json(&["secrets", "list"], "")["items"][0]["revision"], 1);
}

#[test]
fn a_key_file_is_made_once_and_for_its_owner_only() {
    let place = Place::new();
    let before = fs::read(&place.key).unwrap();
    let mut again = bist(&place.data);
    let kept = refusal(again.args(["secrets", "generate-key", "--out", text(&place.key)]));
    assert!(kept.contains("is there already and is not overwritten"), "{kept}");
    assert_eq!(fs::read(&place.key).unwrap(), before);
    assert_ne!(fs::read(place.generate_key("new.key")).unwrap(), before);
    assert!(!place.data.exists(), "making a key needs no data directory");
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let mode = fs::metadata(&place.key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(&place.key, fs::Permissions::from_mode(mode)).unwrap();
        let told = refusal(&mut place.command(&["secrets", "set", "evds"]));
        let expected = format!("by others than its owner (mode {mode:o}); run `chmod 600 ");
        assert!(told.contains(&expected), "{told}");
        let told = refusal(&mut place.command(&["serve", "--bind", "127.0.0.1:0"]));
        assert!(told.contains(&expected), "{told}");
    }
}

#[test]
fn without_the_right_master_key_what_needs_a_secret_does_not_start() {
    let place = Place::new();
    place.json(&["secrets", "set", "evds"], PLANTED);
    let config = place.config("http://127.0.0.1:9");
    let with_config = ["--config", text(&config)];
    let serve = ["serve", "--bind", "127.0.0.1:0"];
    let needing = [vec!["secrets", "get", "evds"], INGEST.to_vec(), serve.to_vec()];

    for args in &needing {
        let told = refusal(bist(&place.data).args(args).args(with_config));
        assert!(told.contains("no master key is configured"), "{args:?}: {told}");
    }
    let wrong = place.generate_key("wrong.key");
    for args in &needing {
        let mut command = bist(&place.data);
        command.args(args).args(with_config).env("BIST_MASTER_KEY_FILE", &wrong);
        let told = refusal(&mut command);
        assert!(told.contains("the master key is not the one under which"), "{args:?}: {told}");
    }
    let told = refusal(bist(&place.data).args(INGEST).args(with_config));
    assert!(told.contains("credentials.evds is the secret 'evds'"), "{told}");
    // A server is refused by a wrong key also when no setting names a secret.
    let told = refusal(bist(&place.data).args(serve).env("BIST_MASTER_KEY_FILE", &wrong));
    assert!(told.contains("the master key is not the one under which"), "{told}");
    place.json(&["secrets", "remove", "evds"], "");
    let told = refusal(place.command(&serve).args(with_config));
    assert!(told.contains("there is no secret 'evds'"), "{told}");
}

#[test]
fn names_of_the_products_own_secrets_are_refused() {
    let place = Place::new();
    place.json(&["secrets", "set", "evds"], PLANTED);
    for (verb, name) in
        [("set", "bist.mine"), ("rotate", "bist.audit-key"), ("remove", "bist.audit-key")]
    {
        let told = refusal(&mut place.command(&["secrets", verb, name]));
        assert!(told.contains(&format!("the secret '{name}' is the product's own")), "{told}");
    }
}

#[test]
fn a_server_without_secrets_serves_without_a_master_key() {
    let place = Place::new();
    let mut serve = bist(&place.data);
    let mut child = spawn(serve.args(["serve", "--bind", "127.0.0.1:0"]));
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.starts_with("serving http://127.0.0.1:"), "{line}");
    assert!(!place.data.join("master.key").exists(), "nothing has needed one");
}

#[cfg(unix)]
#[test]
fn the_master_key_comes_from_systemd_a_descriptor_or_a_command() {
    let place = Place::new();
    place.json(&["secrets", "set", "evds"], PLANTED);
    let get = ["secrets", "get", "evds"];
    let config = place.folder.path().join("key.toml");
    let with_command = |words: &str| {
        fs::write(&config, format!("[secrets]\nmaster_key_command = {words}\n")).unwrap();
        let mut command = bist(&place.data);
        command.args(get).args(["--config", text(&config)]);
        command
    };

    let credentials = place.folder.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::copy(&place.key, credentials.join("bist-master-key")).unwrap();
    let told = run(bist(&place.data).args(get).env("CREDENTIALS_DIRECTORY", &credentials), "");
    assert_eq!((told.out.trim(), told.errors.as_str()), (PLANTED, ""));

    let mut shell = Command::new("sh");
    shell.args(["-c", "\"$BIST\" secrets get evds 3< \"$KEY\""]);
    let shell = shell.env("BIST", env!("CARGO_BIN_EXE_bist")).env("KEY", &place.key);
    let told = run(shell.env("BIST_DATA_DIR", &place.data).env("BIST_MASTER_KEY_FD", "3"), "");
    assert_eq!((told.out.trim(), told.errors.as_str()), (PLANTED, ""));

    let told = run(&mut with_command(&format!("['cat', '{}']", text(&place.key))), "");
    assert_eq!((told.out.trim(), told.errors.as_str()), (PLANTED, ""));
    for (words, sentence) in [
        ("['false']", "the master key of the command 'false' was not written: it ended with exit"),
        ("['echo', 'password']", "is refused: it holds no master key: give 32 random bytes"),
        ("['no-such-program']", "the master key of the command 'no-such-program' cannot be read"),
        ("[]", "secrets.master_key_command is empty"),
        ("['cat']\nmaster_key_file = 'a'", "both say where the master key is; give one"),
    ] {
        let told = refusal(&mut with_command(words));
        assert!(told.contains(sentence) && !told.contains("password"), "{told}");
    }
    let told = refusal(place.command(&get).env("BIST_MASTER_KEY_FD", "3"));
    assert!(told.contains("both say where the master key is; give one"), "{told}");
    let told = refusal(bist(&place.data).args(get).env("BIST_MASTER_KEY_FD", "1"));
    assert!(told.contains("BIST_MASTER_KEY_FD is no number of a file descriptor"), "{told}");
}

#[test]
fn a_service_is_asked_with_the_key_that_is_a_secret_now() {
    let place = Place::new();
    place.json(&["secrets", "set", "evds"], "first");
    let server = HttpServer::start(Script::new().on("/", Reply::json(RATES)));
    let config = place.config(&server.url("/dis"));
    let ingest = [&INGEST[..], &["--refresh", "--config", text(&config)]].concat();
    assert_eq!(place.json(&ingest, "")["observations_stored"], 1);
    place.json(&["secrets", "rotate", "evds"], "second");
    place.json(&ingest, "");
    let requests = server.requests();
    let keys: Vec<_> = requests.iter().map(|request| request.header("key")).collect();
    assert_eq!(keys, [Some("first"), Some("second")]);
}

#[test]
fn the_keys_of_a_bucket_may_be_secrets() {
    let place = Place::new();
    let bucket = [
        ("BIST_OBJECT_STORE_URL", "s3://models"),
        ("AWS_ACCESS_KEY_ID", "secret:aws-id"),
        ("AWS_SECRET_ACCESS_KEY", "secret:aws-key"),
    ];
    let list = ["models", "list"];
    place.json(&["secrets", "set", "aws-id"], "AKIA");
    let told = refusal(place.command(&list).envs(bucket));
    assert!(told.contains("AWS_SECRET_ACCESS_KEY is the secret 'aws-key': there is no"), "{told}");
    let told = refusal(bist(&place.data).args(list).envs(bucket));
    assert!(told.contains("AWS_ACCESS_KEY_ID is the secret 'aws-id': no master key"), "{told}");
    // The secrets themselves can be put right all the same.
    let told = run(place.command(&["secrets", "set", "aws-key"]).envs(bucket), PLANTED);
    assert_eq!(told.status, Some(0), "{}", told.errors);
    let told = run(place.command(&list).envs(bucket), "");
    assert_eq!(told.status, Some(0), "{}", told.errors);
    let told = refusal(place.command(&list).envs(bucket).env("AWS_SESSION_TOKEN", "secret:A b"));
    assert!(told.contains("AWS_SESSION_TOKEN: what follows 'secret:'"), "{told}");
}

/// The forms in which a value would be found.
fn forms() -> [Vec<u8>; 3] {
    let hex: String = PLANTED.bytes().map(|byte| format!("{byte:02x}")).collect();
    let utf_16 = PLANTED.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [PLANTED.into(), hex.into(), utf_16]
}

#[track_caller]
fn check_clean(what: &str, bytes: &[u8]) {
    for form in forms() {
        let found = bytes.windows(form.len()).any(|window| window == form);
        assert!(!found, "the value is found in {what}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The server of this test answers when the process that asks has been looked at.
#[cfg(target_os = "linux")]
#[test]
fn a_secret_is_found_in_no_file_no_log_no_argument_and_no_environment() {
    let place = Place::new();
    place.json(&["secrets", "set", "evds"], PLANTED);
    place.json(&["secrets", "set", "kap"], "another");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = place.config(&format!("http://{}/dis", listener.local_addr().unwrap()));
    let mut ingest = place.command(&INGEST);
    let mut child = spawn(ingest.args(["--log", "trace", "--config", text(&config)]));
    let mut errors = child.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        errors.read_to_end(&mut bytes).unwrap();
        bytes
    });

    let (mut connection, _) = listener.accept().unwrap();
    let request = BufReader::new(connection.try_clone().unwrap()).lines();
    let request: Vec<String> =
        request.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
    assert!(request.contains(&format!("key: {PLANTED}")), "the request carries the key");
    for file in ["cmdline", "environ"] {
        let bytes = fs::read(format!("/proc/{}/{file}", child.id())).unwrap();
        assert!(!bytes.is_empty());
        check_clean(file, &bytes);
    }
    let during = files(&place.data);
    assert!(during.iter().any(|path| path.ends_with("bist.sqlite-wal")), "{during:?}");
    for path in during {
        check_clean(text(&path), &fs::read(&path).unwrap());
    }
    let length = RATES.len();
    write!(
        connection,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{RATES}"
    )
    .unwrap();

    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    check_clean("standard output", &output.stdout);
    let log = log.join().unwrap();
    assert!(String::from_utf8_lossy(&log).contains("TRACE"), "the log is as full as it can be");
    check_clean("the log", &log);
    let files = files(place.folder.path());
    assert!(files.iter().any(|path| path.ends_with("bist.sqlite")));
    for path in files {
        check_clean(text(&path), &fs::read(&path).unwrap());
    }
}
