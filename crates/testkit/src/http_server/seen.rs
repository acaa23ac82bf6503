//! A request as the server saw it.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Longest request that is read: an artefact, or a part of a large file, and its head.
const REQUEST_BYTES_MAX: usize = 64 << 20;

/// A request as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// Such as `GET`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Behind the question mark, as it stood; empty without one.
    pub query: String,
    /// In the order in which they came, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl SeenRequest {
    /// The first value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn parse(head: &str, body: Vec<u8>) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Self { method, path: path.to_owned(), query: query.to_owned(), headers, body })
    }

    pub(crate) fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }
}

/// Reads one request with its body; `None` when it is none or the client went away.
pub(crate) async fn read_request(stream: &mut TcpStream) -> io::Result<Option<SeenRequest>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let Some(request) = SeenRequest::parse(&head, Vec::new()) else { return Ok(None) };
            let length = request.header("content-length").and_then(|text| text.parse().ok());
            let body_end = end + 4 + length.unwrap_or(0_usize);
            if bytes.len() >= body_end {
                return Ok(Some(SeenRequest {
                    body: bytes[end + 4..body_end].to_vec(),
                    ..request
                }));
            }
        }
        if bytes.len() > REQUEST_BYTES_MAX || stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}
