//! A server of HTTP/1.1 on this machine, no more than chat completions need.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::chat::Chat;

/// The most bytes of a request.
const MOST: usize = 1 << 20;

/// The server; dropped, it ends with all its connections.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    chat: Chat,
    /// One permit for each call that is processed.
    places: Semaphore,
    requests: AtomicU64,
}

impl Server {
    /// Answers on a free port of this machine, `at_once` calls at a time; others wait.
    pub async fn start(chat: Chat, at_once: usize) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { chat, places: Semaphore::new(at_once), requests: AtomicU64::new(0) });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, _tasks: tasks })
    }

    /// Where it answers, as a client is told.
    pub fn base(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Requests that have come.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        // A connection that breaks is its client's to notice.
        connections.spawn(async move { serve(stream, &shared).await.unwrap_or_default() });
        while connections.try_join_next().is_some() {}
    }
}

/// Answers the requests of one connection, one after the other, until it is closed.
async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    while let Some((line, body)) = read(&mut stream).await? {
        shared.requests.fetch_add(1, Ordering::Relaxed);
        let (status, answer) = if line.starts_with("POST /v1/chat/completions ") {
            // Never closed.
            let _place = shared.places.acquire().await;
            let (status, answer, takes) = shared.chat.answer(&body);
            sleep(takes).await;
            (status, answer.to_string())
        } else {
            ("404 Not Found", r#"{"error": {"message": "only chat completions are here"}}"#.to_owned())
        };
        let len = answer.len();
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len}\r\n\r\n");
        stream.write_all((head + &answer).as_bytes()).await?;
    }
    Ok(())
}

/// The first line and the body of the next request; `None` where there is none, or it is too large.
async fn read(stream: &mut TcpStream) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let head_len = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if bytes.len() > MOST || stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let mut body = bytes.split_off(head_len + 4);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let length = head.lines().filter_map(|line| line.split_once(':'));
    let length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.filter_map(|(_, value)| value.trim().parse().ok()).next().unwrap_or_default();
    if length > MOST {
        return Ok(None);
    }
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some((head.lines().next().unwrap_or_default().to_owned(), body)))
}
