//! HTTP as it stands on the wire.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest that anything may take here.
pub const SOON: Duration = Duration::from_secs(20);

/// What was answered.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    /// In lower case.
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    pub fn of(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or_else(|| {
            panic!("no head in {:?}", String::from_utf8_lossy(bytes));
        });
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }

    /// What a refusal says, which is in the form of one.
    pub fn detail(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}: {}", self.head, self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        problem["detail"].as_str().unwrap().to_owned()
    }
}

/// A request by itself, on a connection of its own.
pub async fn send(to: SocketAddr, head: &str, body: &[u8]) -> Response {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let head = format!("{head}\r\nhost: test\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server may refuse what it has not read.
    let _ = stream.write_all(body).await;
    Response::of(&rest(&mut stream).await)
}

/// All that comes until the server has no more to say.
pub async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = timeout(SOON, stream.read_to_end(&mut bytes)).await.unwrap();
    assert!(read.is_ok() || !bytes.is_empty(), "{read:?}");
    bytes
}

pub async fn get(to: SocketAddr, path: &str) -> Response {
    send(to, &format!("GET {path} HTTP/1.1"), b"").await
}

pub async fn json(to: SocketAddr, request: &str, body: &str) -> Response {
    send(to, &format!("{request} HTTP/1.1\r\ncontent-type: application/json"), body.as_bytes()).await
}

pub async fn ask(to: SocketAddr, question: &str) -> Response {
    json(to, "POST /api/v1/unified/process", &format!(r#"{{"question": "{question}"}}"#)).await
}

/// A series of the metrics.
pub async fn series(to: SocketAddr, name: &str) -> f64 {
    let text = get(to, "/metrics").await.text();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}
