//! Signing in, in two steps.

use std::sync::Arc;

use bist_access::Secret;
use bist_feeds::algolab::{AlgoLabKeys, SignIn};
use bist_feeds::{HttpClient, SourceSettings};
use bist_market::Source;
use bist_testkit::http_server::{HttpServer, Reply, Script};

use super::KEYS;
use crate::http::FakeWaits;

const TOKEN: &str = r#"{"success":true,"message":"","content":{"token":"1234567890123456"}}"#;
const HASH: &str = r#"{"success":true,"message":"","content":{"hash":"eyJ0.eyJ1.c2ln"}}"#;

fn client(server: &HttpServer) -> HttpClient {
    let settings = SourceSettings::of(Source::ALGOLAB).unwrap();
    let settings = settings.with_base_url("api", &server.url("/api")).unwrap();
    HttpClient::new(Source::ALGOLAB, &settings, Arc::<FakeWaits>::default()).unwrap()
}

fn keys() -> AlgoLabKeys {
    AlgoLabKeys::parse(&Secret::new(KEYS)).unwrap()
}

#[tokio::test]
async fn a_person_signs_in_with_a_password_and_a_code() {
    let script = Script::new()
        .on("/api/api/LoginUser", Reply::json(TOKEN))
        .on("/api/api/LoginUserControl", Reply::json(HASH));
    let server = HttpServer::start(script);
    let (client, keys) = (client(&server), keys());
    let sign_in = SignIn::new(&client, &keys);
    let token = sign_in.begin().await.unwrap();
    let session = sign_in.finish(&token, &Secret::new("1234567890123456")).await.unwrap();
    assert_eq!(session.expose(), "eyJ0.eyJ1.c2ln");
    let seen = server.requests();
    // What openssl makes of the same texts under the same key.
    let sealed = "jGMnyGSCs4xq0lyqlvH/abW9hWHifjyQeJkjuaq1drQ=";
    let first = String::from_utf8(seen[0].body.clone()).unwrap();
    assert!(first.contains(r#""username":"RPsGQvV1APsMGVM20NIuag==""#), "{first}");
    assert!(!first.contains("12345678901") && !first.contains(":\"word"), "{first}");
    let second = String::from_utf8(seen[1].body.clone()).unwrap();
    assert_eq!(second, format!(r#"{{"password":"{sealed}","token":"{sealed}"}}"#));
}

#[tokio::test]
async fn a_refusal_is_told_in_the_words_of_the_broker() {
    for (reply, expected) in [
        (
            Reply::json(r#"{"success":false,"message":"Kullanıcı bulunamadı","content":null}"#),
            "algolab refused LoginUser: Kullanıcı bulunamadı",
        ),
        (
            Reply::json(r#"{"success":true,"message":"","content":{}}"#),
            "the answer of algolab for LoginUser cannot be understood: the document: it has another shape",
        ),
        (
            Reply::json("<html>"),
            "the answer of algolab for LoginUser cannot be understood: the document: it has another shape",
        ),
    ] {
        let server = HttpServer::start(Script::new().on("/", reply));
        let (client, keys) = (client(&server), keys());
        let error = SignIn::new(&client, &keys).begin().await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}
