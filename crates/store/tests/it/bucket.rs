//! Settings of a bucket: what is taken, what is refused, and that keys are never told.

use bist_access::Secret;
use bist_store::bucket::BucketUrl;
use bist_store::{BucketSettings, BucketSettingsError, Keys, ObjectStoreUrl};

#[track_caller]
fn check(text: &str, expected: Result<&str, BucketSettingsError>) {
    let told = text.parse().map(|url| match url {
        ObjectStoreUrl::DataDirectory => "file:".to_owned(),
        ObjectStoreUrl::Bucket(url) => url.to_string(),
    });
    assert_eq!(told, expected.map(str::to_owned), "{text}");
}

#[test]
fn an_object_store_is_the_data_directory_or_a_place_in_a_bucket() {
    check("file:", Ok("file:"));
    check("s3://models-1", Ok("s3://models-1"));
    check("s3://models-1/", Ok("s3://models-1"));
    check("s3://models.of.ours/team_1/Bist", Ok("s3://models.of.ours/team_1/Bist"));
    for text in ["", "file:/srv/models", "models-1", "gs://models-1", "S3://models-1"] {
        check(text, Err(BucketSettingsError::Url));
    }
    for text in ["s3://", "s3://ab", "s3://Models", "s3://-models", "s3://key:secret@models"] {
        check(text, Err(BucketSettingsError::BucketName));
    }
    for text in ["s3://models//a", "s3://models/a/../b", "s3://models/a b", "s3://models/a?b=c"] {
        check(text, Err(BucketSettingsError::Prefix));
    }
}

fn url() -> BucketUrl {
    match "s3://models/team".parse() {
        Ok(ObjectStoreUrl::Bucket(url)) => url,
        other => panic!("{other:?}"),
    }
}

fn keys() -> Keys {
    let [id, secret, token] = ["AKIAHIDDEN", "hidden-secret", "hidden-token"].map(Secret::new);
    Keys::new(id, secret, Some(token)).unwrap()
}

#[test]
fn without_tls_only_this_machine_is_asked() {
    let with = |endpoint| {
        let settings = BucketSettings::new(url(), "eu-central-1".into()).unwrap();
        settings.with_endpoint(endpoint).map(drop)
    };
    for endpoint in [
        "https://s3.example.org",
        "https://s3.example.org:9000/base/",
        "http://127.0.0.1:9000",
        "http://[::1]:9000",
        "http://localhost:9000",
    ] {
        assert_eq!(with(endpoint), Ok(()), "{endpoint}");
    }
    for endpoint in
        ["http://s3.example.org", "http://10.0.0.1:9000", "http://localhost.example.org"]
    {
        assert_eq!(with(endpoint), Err(BucketSettingsError::PlainHttp), "{endpoint}");
    }
    for endpoint in
        ["", "s3.example.org", "ftp://s3.example.org", "https://key:secret@s3.example.org"]
    {
        assert_eq!(with(endpoint), Err(BucketSettingsError::Endpoint), "{endpoint}");
    }
    let region = BucketSettings::new(url(), "eu central".into()).map(drop);
    assert_eq!(region, Err(BucketSettingsError::Region));
}

#[test]
fn keys_are_never_told() {
    let settings = BucketSettings::new(url(), "eu-central-1".into()).unwrap();
    let told = format!("{settings:?} {:?}", keys());
    assert!(told.contains("[secret]") && !told.contains("idden"), "{told}");
    for (key, secret) in [("", "secret"), ("key", ""), ("k ey", "secret"), ("key", "secret\n")] {
        let refused = Keys::new(Secret::new(key), Secret::new(secret), None).map(drop);
        assert_eq!(refused, Err(BucketSettingsError::Keys));
    }
}
