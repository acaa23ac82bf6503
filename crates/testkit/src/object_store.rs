//! An object store for tests that speaks as much of S3 as artefacts and copies of files need.
//!
//! Objects are put whole or in parts, looked at, read, listed by their folders, and removed. It refuses on
//! demand. Nobody's signature is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::http_server::{Listening, Reply, SeenRequest};

/// A running store on a free port of this machine; it ends when it is dropped.
#[derive(Debug)]
pub struct ObjectStore {
    listening: Listening,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    /// By bucket and name, as `bucket/folder/name`.
    objects: BTreeMap<String, Vec<u8>>,
    /// The parts of objects that are not whole yet, by upload and number.
    uploads: BTreeMap<u32, BTreeMap<u32, Vec<u8>>>,
    uploads_count: u32,
    /// What was asked and not told yet.
    requests: Vec<String>,
    /// The status that everything is answered with, while nothing is served.
    refusing: Option<u16>,
}

impl ObjectStore {
    /// Starts an empty one, which has every bucket that it is asked for.
    ///
    /// # Panics
    ///
    /// When this machine has no free port or thread.
    pub fn start() -> Self {
        let held = Arc::new(Mutex::new(Held::default()));
        let asked = Arc::clone(&held);
        let listening = Listening::start(move |request| lock(&asked).answer(&request));
        Self { listening, held }
    }

    /// Where it is asked.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.listening.address())
    }

    /// Puts the object `name`, which begins with its bucket, as `bucket/folder/name`.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        lock(&self.held).objects.insert(name.to_owned(), bytes.to_vec());
    }

    /// All objects, by names that begin with their buckets.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        lock(&self.held).objects.clone()
    }

    /// From now on answers whatever it is asked with the error `status`, in a document that tells by which key
    /// it was asked.
    pub fn refuse(&self, status: u16) {
        lock(&self.held).refusing = Some(status);
    }

    /// Serves again.
    pub fn serve(&self) {
        lock(&self.held).refusing = None;
    }

    /// What was asked since the last call: methods and names, as `GET bucket/folder/name`.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.held).requests)
    }
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Held {
    fn answer(&mut self, request: &SeenRequest) -> Reply {
        let method = request.method.as_str();
        self.requests.push(format!("{method} {}", request.path.trim_matches('/')));
        let reply = match self.refusing {
            Some(status) => refused_with_key(status, request),
            None => self.served(request),
        };
        // Whoever asks for the head alone is not sent more.
        if method == "HEAD" { reply.cut_after(0) } else { reply }
    }

    fn served(&mut self, request: &SeenRequest) -> Reply {
        let SeenRequest { method, path, query, body, .. } = request;
        let name = path.trim_matches('/');
        let number = |of: &str| parameter(query, of).and_then(|text| text.parse::<u32>().ok());
        match (method.as_str(), number("uploadId")) {
            ("POST", None) if query.starts_with("uploads") => {
                self.uploads_count += 1;
                let upload = self.uploads_count;
                self.uploads.insert(upload, BTreeMap::new());
                let told = format!("<UploadId>{upload}</UploadId>");
                document("InitiateMultipartUploadResult", &told)
            }
            ("PUT", Some(upload)) => {
                let (Some(parts), Some(part)) =
                    (self.uploads.get_mut(&upload), number("partNumber"))
                else {
                    return refused(404, "NoSuchUpload");
                };
                parts.insert(part, body.clone());
                kept()
            }
            ("POST", Some(upload)) => {
                let Some(parts) = self.uploads.remove(&upload) else {
                    return refused(404, "NoSuchUpload");
                };
                let whole = parts.into_values().flatten().collect();
                self.objects.insert(name.to_owned(), whole);
                document("CompleteMultipartUploadResult", "<ETag>\"1\"</ETag>")
            }
            ("DELETE", Some(upload)) => {
                self.uploads.remove(&upload);
                Reply::status(204, "")
            }
            ("PUT", None) => {
                self.objects.insert(name.to_owned(), body.clone());
                kept()
            }
            ("POST", None) if query.starts_with("delete") => self.remove(name, body),
            ("GET", None) if parameter(query, "list-type").is_some() => {
                self.list(name, &parameter(query, "prefix").unwrap_or_default())
            }
            ("GET" | "HEAD", None) => match self.objects.get(name) {
                Some(bytes) => Reply::ok("application/octet-stream", bytes.clone()),
                None => refused(404, "NoSuchKey"),
            },
            _ => refused(501, "NotImplemented"),
        }
    }

    /// The objects of `bucket` whose names begin with `prefix` and have no folder behind it, and the
    /// folders of the others.
    fn list(&self, bucket: &str, prefix: &str) -> Reply {
        let beginning = format!("{bucket}/{prefix}");
        let (mut listed, mut folders) = (String::new(), BTreeSet::new());
        for (name, bytes) in &self.objects {
            let Some(rest) = name.strip_prefix(&beginning) else { continue };
            if let Some((folder, _)) = rest.split_once('/') {
                folders.insert(folder);
            } else {
                listed.push_str(&format!(
                    "<Contents><Key>{prefix}{rest}</Key><Size>{}</Size>\
                     <LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>",
                    bytes.len()
                ));
            }
        }
        for folder in folders {
            let below = format!("<Prefix>{prefix}{folder}/</Prefix>");
            listed.push_str(&format!("<CommonPrefixes>{below}</CommonPrefixes>"));
        }
        document("ListBucketResult", &listed)
    }

    /// Removes the objects of `bucket` that the document `asked` names.
    fn remove(&mut self, bucket: &str, asked: &[u8]) -> Reply {
        let asked = String::from_utf8_lossy(asked);
        let mut removed = String::new();
        for rest in asked.split("<Key>").skip(1) {
            let name = rest.split("</Key>").next().unwrap_or_default();
            self.objects.remove(&format!("{bucket}/{name}"));
            removed.push_str(&format!("<Deleted><Key>{name}</Key></Deleted>"));
        }
        document("DeleteResult", &removed)
    }
}

/// The value of the parameter `name` of `query`; slashes are all that is escaped in names of objects.
fn parameter(query: &str, name: &str) -> Option<String> {
    let of = |pair: &str| pair.strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
    query.split('&').find_map(of).map(|value| value.replace("%2F", "/"))
}

/// That something was taken.
fn kept() -> Reply {
    Reply::status(200, "").header("ETag", "\"1\"")
}

fn document(root: &str, content: &str) -> Reply {
    Reply::ok("application/xml", format!("<{root}>{content}</{root}>"))
}

fn refused(status: u16, code: &str) -> Reply {
    error(status, &format!("<Code>{code}</Code>"))
}

/// A refusal that tells by which key `request` was signed, as some servers do.
fn refused_with_key(status: u16, request: &SeenRequest) -> Reply {
    let signed = request.header("authorization").unwrap_or_default();
    let key = signed.split_once("Credential=").and_then(|(_, rest)| rest.split('/').next());
    let key = key.unwrap_or_default();
    error(status, &format!("<Code>NotToday</Code><AWSAccessKeyId>{key}</AWSAccessKeyId>"))
}

fn error(status: u16, content: &str) -> Reply {
    let text = format!("<Error>{content}</Error>");
    Reply::status(status, text).header("Content-Type", "application/xml")
}
