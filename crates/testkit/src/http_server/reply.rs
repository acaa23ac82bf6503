//! One answer of the server, and the ways in which it can go wrong.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One answer.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delivery: Delivery,
}

/// How an answer is sent.
#[derive(Clone, Copy, Debug)]
enum Delivery {
    /// As it should be.
    Whole,
    /// The announced length is right, the connection is closed after so many bytes of the body.
    CutAfter(usize),
    /// In chunks, and closed after so many bytes, without the last chunk.
    ChunkedCutAfter(usize),
    /// After so many bytes of the body nothing more is sent, and the connection stays open.
    StallAfter(usize),
    /// In chunks, the body again and again until the client goes away.
    Endless,
    /// The connection is reset without an answer.
    Reset,
    /// The body is all that is sent, head and all.
    Raw,
}

impl Reply {
    /// 200 with a body of this media type.
    pub fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body).header("Content-Type", content_type)
    }

    /// 200 with JSON.
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::ok("application/json; charset=utf-8", body)
    }

    /// 200 with a page.
    pub fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::ok("text/html; charset=utf-8", body)
    }

    /// Any status with a body.
    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), delivery: Delivery::Whole }
    }

    /// Exactly these bytes, head and all, then the connection is closed.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { delivery: Delivery::Raw, ..Self::status(0, bytes) }
    }

    /// No answer: the connection is reset.
    pub fn reset() -> Self {
        Self { delivery: Delivery::Reset, ..Self::status(0, "") }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Announces the whole body and closes after `bytes` of it.
    #[must_use]
    pub fn cut_after(self, bytes: usize) -> Self {
        Self { delivery: Delivery::CutAfter(bytes), ..self }
    }

    /// Sends `bytes` of the body as a chunk and closes without the last chunk.
    #[must_use]
    pub fn chunked_cut_after(self, bytes: usize) -> Self {
        Self { delivery: Delivery::ChunkedCutAfter(bytes), ..self }
    }

    /// Sends `bytes` of the body, then nothing, until the client goes away.
    #[must_use]
    pub fn stall_after(self, bytes: usize) -> Self {
        Self { delivery: Delivery::StallAfter(bytes), ..self }
    }

    /// Sends the body as chunks again and again, until the client goes away.
    #[must_use]
    pub fn endless(self) -> Self {
        Self { delivery: Delivery::Endless, ..self }
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let chunked = matches!(self.delivery, Delivery::ChunkedCutAfter(_) | Delivery::Endless);
        head.push_str(&match (chunked, self.status) {
            (true, _) => "Transfer-Encoding: chunked\r\n".to_owned(),
            // These have no body by definition.
            (false, 204 | 304) => String::new(),
            (false, _) => format!("Content-Length: {}\r\n", self.body.len()),
        });
        head.push_str("Connection: close\r\n\r\n");
        head
    }

    /// Sends the answer; an error means that the client went away, which it may.
    pub(crate) async fn deliver(&self, stream: &mut TcpStream) -> io::Result<()> {
        let part = |bytes: usize| &self.body[..bytes.min(self.body.len())];
        match self.delivery {
            Delivery::Raw => stream.write_all(&self.body).await?,
            Delivery::Reset => return stream.set_zero_linger(),
            Delivery::Whole => {
                stream.write_all(self.head().as_bytes()).await?;
                stream.write_all(&self.body).await?;
            }
            Delivery::CutAfter(bytes) => {
                stream.write_all(self.head().as_bytes()).await?;
                stream.write_all(part(bytes)).await?;
            }
            Delivery::ChunkedCutAfter(bytes) => {
                stream.write_all(self.head().as_bytes()).await?;
                stream.write_all(&chunk(part(bytes))).await?;
            }
            Delivery::StallAfter(bytes) => {
                stream.write_all(self.head().as_bytes()).await?;
                stream.write_all(part(bytes)).await?;
                stream.flush().await?;
                // Whatever the client still says, this waits until it goes away.
                while stream.read(&mut [0; 64]).await? > 0 {}
            }
            Delivery::Endless => {
                stream.write_all(self.head().as_bytes()).await?;
                loop {
                    stream.write_all(&chunk(&self.body)).await?;
                }
            }
        }
        stream.shutdown().await
    }
}

/// One chunk of a chunked body; an empty one would end it.
fn chunk(bytes: &[u8]) -> Vec<u8> {
    if bytes.is_empty() {
        return Vec::new();
    }
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}
