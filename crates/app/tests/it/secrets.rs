//! Secrets of a process that goes on while they are changed.

use std::path::Path;
use std::sync::Arc;

use bist_access::{Secret, SecretName};
use bist_app::App;
use bist_app::fetch::Reuse;
use bist_app::secrets::{
    MasterKeySource, ReadKeyError, SecretStoreError, StoredCredential, generate_key_file,
};
use bist_feeds::evds::Evds;
use bist_feeds::{Provider, SourceSettings, SystemWaits, Wanted};
use bist_market::{SeriesCode, Source, ValidationPolicy};
use bist_testkit::hand_clock::HandClock;
use bist_testkit::http_server::{HttpServer, Reply, Script};
use jiff::civil::date;
use tempfile::TempDir;

async fn process(folder: &Path) -> App {
    let clock = Arc::new(HandClock::at("2025-11-01T12:00:00+03:00"));
    let app = App::open(&folder.join("data"), clock, ValidationPolicy::default()).await.unwrap();
    app.with_master_key(MasterKeySource::File(folder.join("master.key")))
}

#[tokio::test]
async fn a_rotation_reaches_a_process_that_goes_on() {
    let folder = TempDir::new().unwrap();
    generate_key_file(&folder.path().join("master.key")).await.unwrap();
    let name: SecretName = "evds".parse().unwrap();
    let operator = process(folder.path()).await;
    operator.add_secret(&name, &Secret::new("first")).await.unwrap();

    let nothing = Reply::json(r#"{"totalCount":0,"items":[]}"#);
    let server = HttpServer::start(Script::new().on("/", nothing));
    let mut settings = SourceSettings::of(Source::EVDS).unwrap();
    settings.requests_per_minute = u32::MAX;
    let settings = settings.with_base_url("data", &server.url("/dis")).unwrap();
    let credential =
        StoredCredential { name: name.clone(), credential: settings.credential.clone() };
    let provider: Arc<dyn Provider> =
        Arc::new(Evds::new(&settings, Arc::new(SystemWaits::start())).unwrap());
    let app = process(folder.path())
        .await
        .with_providers(vec![provider])
        .with_stored_credentials([(Source::EVDS, credential)].into());

    let series = vec![SeriesCode::parse("TP.DK.USD.A.YTL").unwrap()];
    let wanted = Wanted { series, ..Wanted::of_days(date(2025, 10, 30), date(2025, 10, 31)) };
    let ingest =
        || app.ingest_source(Source::EVDS, wanted.clone(), Reuse::Nothing, Arc::new(|_| {}));
    ingest().await.unwrap();
    operator.rotate_secret(&name, &Secret::new("second")).await.unwrap();
    ingest().await.unwrap();
    let requests = server.requests();
    let keys: Vec<_> = requests.iter().map(|request| request.header("key")).collect();
    assert_eq!(keys, [Some("first"), Some("second")]);

    // Under another master key the process opens nothing any more, and asks nobody.
    let new = folder.path().join("new.key");
    generate_key_file(&new).await.unwrap();
    operator.rekey_secrets(&MasterKeySource::File(new)).await.unwrap();
    let told = ingest().await.unwrap_err().to_string();
    let expected = "credentials.evds is the secret 'evds': the master key is not the one";
    assert!(told.starts_with(expected), "{told}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn what_holds_no_key_is_refused_without_being_repeated() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("credential");
    for text in [&b"password"[..], &[0xff; 32], &[b'p'; 100_000]] {
        std::fs::write(&path, text).unwrap();
        let refused = MasterKeySource::Credential(path.clone()).read().await.unwrap_err();
        assert!(matches!(refused, ReadKeyError::NoKey { .. }), "{refused}");
        assert!(!refused.to_string().contains("pass") && !format!("{refused:?}").contains("pp"));
    }
    let app = process(folder.path()).await;
    let added = app.add_secret(&"evds".parse().unwrap(), &Secret::new("x")).await;
    let error = added.unwrap_err();
    assert!(matches!(error, SecretStoreError::Key(ReadKeyError::Read { .. })), "{error}");
}
