//! A server that speaks as much of S3 as artefacts need, and fails on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, Response};
use bist_access::Secret;
use bist_app::{BucketSettings, Keys, ObjectStoreUrl};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The key by which the tests ask, and its secret: neither may ever be told.
pub(crate) const KEY: &str = "AKIAOFTHETEST";
pub(crate) const SECRET: &str = "secret-of-the-test";

/// What the server does, whatever it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Serving,
    /// Answers with this status, and a document that tells the key.
    Refusing(u16),
}

#[derive(Debug)]
struct Held {
    objects: BTreeMap<String, Vec<u8>>,
    /// Method and path of what was asked.
    requests: Vec<String>,
    mood: Mood,
}

/// A running server with the bucket `models`; it goes away when it is dropped.
#[derive(Debug)]
pub(crate) struct S3 {
    endpoint: String,
    held: Arc<Mutex<Held>>,
    serving: JoinHandle<()>,
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl S3 {
    pub(crate) async fn start() -> Self {
        let held = Held { objects: BTreeMap::new(), requests: Vec::new(), mood: Mood::Serving };
        let held = Arc::new(Mutex::new(held));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&held));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { endpoint, held, serving }
    }

    /// What reaches the place `team/one` in the bucket.
    pub(crate) fn settings(&self) -> BucketSettings {
        let Ok(ObjectStoreUrl::Bucket(url)) = "s3://models/team/one".parse() else {
            panic!("the address is that of a bucket")
        };
        let settings = BucketSettings::new(url, "us-east-1".to_owned()).unwrap();
        settings.with_endpoint(&self.endpoint).unwrap()
    }

    /// The keys that it is asked by.
    pub(crate) fn keys() -> Keys {
        Keys::new(Secret::new(KEY), Secret::new(SECRET), None).unwrap()
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.held.lock().unwrap().mood = mood;
    }

    /// No longer answers, as one that was stopped.
    pub(crate) async fn stop(mut self) {
        self.serving.abort();
        // It ends as one that was cut off.
        (&mut self.serving).await.unwrap_err();
    }

    /// What was asked since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.held.lock().unwrap().requests)
    }

    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.held.lock().unwrap().objects.clone()
    }

    /// Changes the one object that is there.
    pub(crate) fn change_object(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut held = self.held.lock().unwrap();
        change(held.objects.values_mut().next().unwrap());
    }
}

async fn answer(State(held): State<Arc<Mutex<Held>>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut held = held.lock().unwrap();
    held.requests.push(format!("{} {path}", parts.method));
    // Nothing stays open, so that a server that is stopped answers no more.
    let answer = Response::builder()
        .header("Connection", "close")
        .header("ETag", "\"1\"")
        .header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT");
    if let Mood::Refusing(status) = held.mood {
        let text =
            format!("<Error><Code>NotToday</Code><AWSAccessKeyId>{KEY}</AWSAccessKeyId></Error>");
        return answer.status(status).body(Body::from(text)).unwrap();
    }
    if parts.method == Method::PUT {
        held.objects.insert(path, body.to_vec());
        return answer.body(Body::empty()).unwrap();
    }
    match held.objects.get(&path) {
        Some(object) => answer.body(Body::from(object.clone())).unwrap(),
        None => {
            answer.status(404).body(Body::from("<Error><Code>NoSuchKey</Code></Error>")).unwrap()
        }
    }
}
