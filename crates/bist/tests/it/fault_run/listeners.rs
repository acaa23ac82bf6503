//! Somebody who listens to the live stream through the proxy, comes back whenever the connection is lost,
//! and goes on from where they were.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::http::Page;

/// What is listened to: everything that a viewer may.
const TOPICS: [&str; 7] =
    ["prices", "signals", "jobs", "quality", "watchlists", "settings", "alerts"];

/// The pause before another connection is tried.
const PAUSE: Duration = Duration::from_millis(50);

/// How often it is looked whether this is to end.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What a listener has heard.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// How everything stands, as a page would show it.
    pub(super) items: BTreeMap<String, Value>,
    /// The stretches that were heard, in their order.
    pub(super) stretches: Vec<Stretch>,
    /// Why snapshots were sent, in their order.
    pub(super) reasons: Vec<String>,
    /// How often this came back to where it was.
    pub(super) resumed_count: usize,
    /// How often a connection was lost.
    pub(super) lost_count: usize,
    epoch: String,
    seq: u64,
}

/// What was heard of a life of the stream, from one snapshot to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Stretch {
    pub(super) epoch: String,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) events: BTreeSet<u64>,
}

/// A listener at work.
pub(super) struct Listener {
    stop: Arc<AtomicBool>,
    heard: Arc<Mutex<Heard>>,
    thread: JoinHandle<()>,
}

impl Listener {
    /// Begins to listen as the owner of `page`.
    pub(super) fn start(proxy: &str, page: &Page) -> Self {
        let (stop, heard) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Heard>>::default());
        let (stopped, told) = (Arc::clone(&stop), Arc::clone(&heard));
        let (proxy, cookie) = (proxy.to_owned(), page.cookie.clone());
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                while !stopped.load(Ordering::Relaxed) {
                    listen(&proxy, &cookie, &told, &stopped).await;
                    told.lock().unwrap().lost_count += 1;
                    sleep(PAUSE).await;
                }
            });
        });
        Self { stop, heard, thread }
    }

    /// What was heard so far.
    pub(super) fn heard(&self) -> Heard {
        self.heard.lock().unwrap().clone()
    }

    pub(super) fn finish(self) -> Heard {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the stream had a gap or a double; the reason stands above");
        self.heard.lock().unwrap().clone()
    }
}

/// How everything stands for the owner of `page`, as somebody sees it who comes anew.
pub(super) fn standing(proxy: &str, page: &Page) -> Option<BTreeMap<String, Value>> {
    let path = format!("/api/v1/live/poll?topics={}", TOPICS.join(","));
    let answer = page.ask(proxy, "GET", &path, &Value::Null).ok()?;
    let items = answer.body["items"].as_array()?;
    let snapshot = items.iter().find(|envelope| envelope["type"] == "snapshot")?;
    Some(items_of(snapshot))
}

fn items_of(snapshot: &Value) -> BTreeMap<String, Value> {
    let items = snapshot["data"]["items"].as_array().unwrap();
    let item = |item: &Value| (item["topic"].as_str().unwrap().to_owned(), item["data"].clone());
    items.iter().map(item).collect()
}

/// Listens over one connection, until it is lost.
async fn listen(proxy: &str, cookie: &str, heard: &Mutex<Heard>, stop: &AtomicBool) {
    let Ok(stream) = TcpStream::connect(proxy).await else { return };
    let mut request = format!("ws://{proxy}/api/v1/live").into_client_request().unwrap();
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    let Ok((mut socket, _)) = tokio_tungstenite::client_async(request, stream).await else {
        return;
    };
    while !stop.load(Ordering::Relaxed) {
        let message = match timeout(LOOK_EVERY, socket.next()).await {
            Err(_) => continue,
            Ok(Some(Ok(Message::Text(text)))) => serde_json::from_str::<Value>(&text).unwrap(),
            Ok(Some(Ok(Message::Close(_) | Message::Binary(_)) | Err(_)) | None) => return,
            // The library answers pings.
            Ok(Some(Ok(_))) => continue,
        };
        let answer = heard.lock().unwrap().hear(&message);
        if let Some(answer) = answer
            && socket.send(Message::text(answer.to_string())).await.is_err()
        {
            return;
        }
    }
}

impl Heard {
    /// Takes an envelope in, and gives what is to be said to it.
    fn hear(&mut self, envelope: &Value) -> Option<Value> {
        let data = &envelope["data"];
        let seq = envelope["seq"].as_u64().unwrap();
        let position = || data["position"].as_str().unwrap().rsplit_once('-').unwrap().0.to_owned();
        match envelope["type"].as_str().unwrap() {
            "hello" if self.epoch.is_empty() => {
                return Some(json!({"op": "subscribe", "topics": TOPICS}));
            }
            "hello" => {
                let position = format!("{}-{}", self.epoch, self.seq);
                return Some(json!({"op": "resume", "position": position, "topics": TOPICS}));
            }
            "snapshot" => {
                let reason = data["reason"].as_str().unwrap();
                self.reasons.push(reason.to_owned());
                self.items = items_of(envelope);
                let before = std::mem::replace(&mut self.epoch, position());
                assert!(
                    before != self.epoch || reason == "subscribed",
                    "a snapshot of the life that was heard already: {reason}"
                );
                // A life that all servers tell goes on when Redis is back and has kept it.
                let of_it = self.stretches.iter().filter(|before| before.epoch == self.epoch);
                let before = of_it.map(|before| before.to).max().unwrap_or_default();
                assert!(seq >= before, "{seq} of a life that was heard until {before}");
                let (epoch, events) = (self.epoch.clone(), BTreeSet::new());
                self.stretches.push(Stretch { epoch, from: seq, to: seq, events });
                self.seq = seq;
            }
            "resumed" => {
                assert_eq!((position(), seq), (self.epoch.clone(), self.seq), "resumed elsewhere");
                self.resumed_count += 1;
            }
            kind @ ("update" | "gone") => {
                assert!(seq > self.seq, "event {seq} comes after {}", self.seq);
                let topic = envelope["topic"].as_str().unwrap().to_owned();
                if kind == "gone" {
                    self.items.remove(&topic);
                } else {
                    self.items.insert(topic, data.clone());
                }
                let stretch = self.stretches.last_mut().expect("a snapshot came before");
                stretch.events.insert(seq);
                (stretch.to, self.seq) = (seq, seq);
            }
            "heartbeat" => {
                assert_eq!(position(), self.epoch, "another life without a snapshot");
                assert!(seq >= self.seq, "heartbeat {seq} comes after {}", self.seq);
                let stretch = self.stretches.last_mut().expect("a snapshot came before");
                (stretch.to, self.seq) = (seq, seq);
            }
            kind => panic!("nobody reckons with '{kind}' here: {envelope}"),
        }
        None
    }
}

/// What two listeners with the same rights have both heard of is the same.
pub(super) fn assert_alike(one: &Heard, other: &Heard) {
    let pairs =
        one.stretches.iter().flat_map(|ours| other.stretches.iter().map(move |of| (ours, of)));
    for (ours, theirs) in pairs.filter(|(ours, theirs)| ours.epoch == theirs.epoch) {
        let (from, to) = (ours.from.max(theirs.from), ours.to.min(theirs.to));
        let both = |events: &BTreeSet<u64>| -> Vec<u64> {
            events.iter().copied().filter(|seq| (from + 1..=to).contains(seq)).collect()
        };
        assert_eq!(both(&ours.events), both(&theirs.events), "{} from {from} to {to}", ours.epoch);
    }
}
