//! Artefacts in the data directory and in a bucket: each heals the other, and what is wrong is
//! refused by name.

use std::path::PathBuf;

use bist_access::Secret;
use bist_app::{BucketSettings, Keys, ObjectStoreUrl};
use bist_lifecycle::{FittedModel, ModelVersion, Signed};
use bist_store::{Registration, Store, StoreError};
use bist_testkit::object_store::ObjectStore;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::experiments::{copy, open, tomorrow, trained};

/// The key by which the bucket is asked, and its secret: neither may ever be told.
const KEY: &str = "AKIAOFTHETEST";
const SECRET: &str = "secret-of-the-test";

/// A copy of the data directory with a champion, and a bucket beside it.
struct Place {
    _folder: TempDir,
    bucket: ObjectStore,
    store: Store,
    champion: ModelVersion,
    artifact: Vec<u8>,
    /// The file of the champion.
    file: PathBuf,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(trained(), folder.path());
        let bucket = ObjectStore::start();
        let store = Store::open(folder.path()).await.unwrap();
        let store = store.with_bucket(&settings(&bucket), &keys()).unwrap();
        let champion = store.champion(tomorrow()).await.unwrap().unwrap();
        let file = folder.path().join(format!("models/{}.json", champion.artifact_sha256));
        let artifact = std::fs::read(&file).unwrap();
        Self { _folder: folder, bucket, store, champion, artifact, file }
    }

    async fn register(&self, version: ModelVersion, bytes: Vec<u8>) -> Result<(), StoreError> {
        let signed = Signed { at: Timestamp::UNIX_EPOCH, by: "ayse".into(), reason: "test".into() };
        let versions = [(version, bytes)];
        let audit = open(self.store.directory()).await.audit().await?;
        self.store.register(&versions, Registration::Candidates, &signed, &audit).await.map(drop)
    }

    async fn register_champion(&self) {
        self.register(self.champion.clone(), self.artifact.clone()).await.unwrap();
    }

    fn object(&self) -> String {
        format!("models/team/one/models/{}.json", self.champion.artifact_sha256)
    }

    /// Changes a byte of the file.
    fn damage_file(&self) {
        let mut bytes = self.artifact.clone();
        bytes[100] ^= 1;
        std::fs::write(&self.file, bytes).unwrap();
    }

    /// Changes the object.
    fn change_object(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let name = self.object();
        let mut bytes = self.bucket.objects()[&name].clone();
        change(&mut bytes);
        self.bucket.put(&name, &bytes);
    }

    async fn refusal(&self) -> String {
        self.store.artifact(&self.champion).await.unwrap_err().to_string()
    }
}

/// What reaches the place `team/one` in `bucket`.
fn settings(bucket: &ObjectStore) -> BucketSettings {
    let Ok(ObjectStoreUrl::Bucket(url)) = "s3://models/team/one".parse() else {
        panic!("the address is that of a bucket")
    };
    let settings = BucketSettings::new(url, "us-east-1".to_owned()).unwrap();
    settings.with_endpoint(&bucket.endpoint()).unwrap()
}

/// The keys that it is asked by.
fn keys() -> Keys {
    Keys::new(Secret::new(KEY), Secret::new(SECRET), None).unwrap()
}

#[tokio::test]
async fn a_registered_artifact_is_put_into_the_bucket_once() {
    let place = Place::new().await;
    let object = place.object();
    place.register_champion().await;
    assert_eq!(place.bucket.objects(), [(object.clone(), place.artifact.clone())].into());
    assert_eq!(place.bucket.requests(), [format!("HEAD {object}"), format!("PUT {object}")]);

    place.register_champion().await;
    assert_eq!(place.bucket.requests(), [format!("HEAD {object}")]);

    // One that was cut off is put again.
    place.change_object(|bytes| bytes.truncate(10));
    place.register_champion().await;
    assert_eq!(place.bucket.objects()[&object], place.artifact);
}

#[tokio::test]
async fn what_the_data_directory_lost_or_damaged_comes_back_from_the_bucket() {
    let place = Place::new().await;
    place.register_champion().await;
    place.bucket.requests();
    let artifact = async || place.store.artifact(&place.champion).await.unwrap();
    assert_eq!(artifact().await, place.artifact);
    assert!(place.bucket.requests().is_empty(), "the copy here is right");

    std::fs::remove_dir_all(place.file.parent().unwrap()).unwrap();
    assert_eq!(artifact().await, place.artifact);
    assert_eq!(std::fs::read(&place.file).unwrap(), place.artifact);
    place.damage_file();
    assert_eq!(artifact().await, place.artifact);
    assert_eq!(std::fs::read(&place.file).unwrap(), place.artifact);
    let get = format!("GET {}", place.object());
    assert_eq!(place.bucket.requests(), [get.clone(), get]);
    let others = std::fs::read_dir(place.file.parent().unwrap()).unwrap().count();
    assert_eq!(others, 1, "nothing half written lies about");
}

#[tokio::test]
async fn an_object_that_is_not_the_one_that_was_trained_is_refused_by_name() {
    let place = Place::new().await;
    place.register_champion().await;
    place.change_object(|bytes| bytes[100] ^= 1);
    std::fs::remove_file(&place.file).unwrap();
    let refused = place.refusal().await;
    let object = format!("s3://models/team/one/models/{}.json", place.champion.artifact_sha256);
    assert!(refused.starts_with(&format!("the object {object} is not the one")), "{refused}");
    assert!(refused.contains(&place.champion.id) && refused.contains("SHA-256"), "{refused}");
    assert!(!place.file.exists());
}

#[tokio::test]
async fn a_right_copy_serves_while_the_bucket_is_away_and_without_one_it_is_said_what_failed() {
    let place = Place::new().await;
    place.register_champion().await;
    place.bucket.requests();
    for (status, told) in [(403, "403 Forbidden (NotToday); see whether AWS_ACCESS"), (503, "503")]
    {
        place.bucket.refuse(status);
        assert_eq!(place.store.artifact(&place.champion).await.unwrap(), place.artifact);
        assert!(place.bucket.requests().is_empty());
        std::fs::remove_file(&place.file).unwrap();
        let refused = place.refusal().await;
        assert!(refused.starts_with("the object s3://models/team/one/models/"), "{refused}");
        assert!(
            refused.contains(&format!("cannot be read: the server answered {told}")),
            "{refused}"
        );
        assert!(refused.contains("; and the model file"), "{refused}");
        let attempts = place.bucket.requests().len();
        assert_eq!(attempts, if status == 403 { 1 } else { 3 }, "{status}");
        std::fs::write(&place.file, &place.artifact).unwrap();
    }
    place.damage_file();
    let Place { bucket, store, champion, _folder, .. } = place;
    drop(bucket);
    let refused = store.artifact(&champion).await.unwrap_err().to_string();
    assert!(refused.contains("Connection refused") && refused.contains("SHA-256"), "{refused}");
}

#[tokio::test]
async fn a_version_whose_artifact_cannot_be_put_is_not_registered() {
    let place = Place::new().await;
    let mut fitted = FittedModel::from_bytes(&place.artifact).unwrap();
    fitted.drift += 1e-3;
    let bytes = fitted.to_bytes();
    let ModelVersion { origin, trained_at, lineage, evaluation, .. } = place.champion.clone();
    let other = ModelVersion::candidate(origin, trained_at, lineage, evaluation, &bytes);
    place.bucket.refuse(403);
    let refused = place.register(other.clone(), bytes.clone()).await.unwrap_err().to_string();
    assert!(refused.contains("cannot be written: the server answered 403"), "{refused}");
    assert_eq!(place.store.model_version(&other.id).await.unwrap(), None);
    place.bucket.serve();
    place.register(other.clone(), bytes).await.unwrap();
    assert!(place.store.model_version(&other.id).await.unwrap().is_some());
}

#[tokio::test]
async fn keys_are_in_no_error_and_in_no_dump() {
    let place = Place::new().await;
    place.bucket.refuse(403);
    std::fs::remove_file(&place.file).unwrap();
    let error = place.store.artifact(&place.champion).await.unwrap_err();
    let (settings, keys) = (settings(&place.bucket), keys());
    let app = open(place.store.directory()).await.with_bucket(&settings, &keys).unwrap();
    let told = format!("{error} {error:?} {:?} {app:?} {settings:?} {keys:?}", place.store);
    assert!(told.contains("s3://models/team/one") || told.contains("team/one"), "{told}");
    assert!(!told.contains(KEY) && !told.contains(SECRET), "{told}");
    app.close().await;
}
