//! Requests as they go over the wire, each over a connection of its own.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long an answer is waited for: longer than any server takes until it answers that it has none.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) cookie: Option<String>,
    pub(crate) body: Value,
}

/// The page of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) cookie: String,
    pub(crate) csrf_token: String,
}

/// Asks the server at `address`.
///
/// # Errors
///
/// When it cannot be reached, or the connection ends before the answer.
pub(crate) fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &[&str],
    document: &Value,
) -> io::Result<Answer> {
    let body = if document.is_null() { String::new() } else { document.to_string() };
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    if !body.is_empty() {
        request.push_str("content-type: application/json\r\n");
    }
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    let to: SocketAddr = address.parse().map_err(io::Error::other)?;
    let mut stream = TcpStream::connect_timeout(&to, ANSWER_TIME_MAX)?;
    stream.set_read_timeout(Some(ANSWER_TIME_MAX))?;
    stream.write_all(format!("{request}\r\n{body}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the answer ends in its middle");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut)?;
    let header = |name: &str| {
        let of = |line: &str| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        };
        head.lines().find_map(of)
    };
    if header("content-length").is_some_and(|length| length != body.len().to_string()) {
        return Err(cut());
    }
    Ok(Answer {
        status: head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?,
        cookie: header("set-cookie").map(|line| line.split(';').next().unwrap().to_owned()),
        body: serde_json::from_str(body).unwrap_or(Value::Null),
    })
}

impl Page {
    /// Asks as somebody who has this page open.
    ///
    /// # Errors
    ///
    /// As [`ask`].
    pub(crate) fn ask(
        &self,
        address: &str,
        method: &str,
        path: &str,
        document: &Value,
    ) -> io::Result<Answer> {
        let Self { cookie, csrf_token } = self;
        let headers = [format!("cookie: {cookie}"), format!("x-csrf-token: {csrf_token}")];
        ask(address, method, path, &headers.each_ref().map(String::as_str), document)
    }

    /// The page after an answer that began a session.
    pub(crate) fn after(address: &str, answer: &Answer) -> Self {
        let cookie = answer.cookie.clone().unwrap_or_else(|| panic!("{answer:?}"));
        let cookie_line = format!("cookie: {cookie}");
        let session = ask(address, "GET", "/api/v1/auth/session", &[&cookie_line], &Value::Null);
        let csrf_token = session.unwrap().body["csrf_token"].as_str().unwrap().to_owned();
        Self { cookie, csrf_token }
    }
}
