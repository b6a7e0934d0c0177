//! A server that does as it is told, however wrong, and keeps what it was sent.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// One thing the server does in answer to a request.
#[derive(Clone)]
pub enum Step {
    Send(Vec<u8>),
    Pause(Duration),
    /// Sends this again and again until the other end hangs up.
    Endlessly(Vec<u8>),
    /// Waits until the other end hangs up.
    Hold,
    Close,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub connection: usize,
    pub head: String,
    pub body: Vec<u8>,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// A header, named in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// The server; dropped, it ends with all its connections.
pub struct Server {
    scheme: &'static str,
    address: SocketAddr,
    shared: Arc<Shared>,
    /// How many connections the other end has closed.
    hung_up: watch::Receiver<usize>,
    _tasks: JoinSet<()>,
}

struct Shared {
    /// What to do for the next requests; the last is repeated.
    answers: Mutex<VecDeque<Vec<Step>>>,
    received: Mutex<Vec<Received>>,
    hang_up: watch::Sender<usize>,
}

impl Server {
    pub async fn start(answers: impl IntoIterator<Item = Vec<Step>>) -> Self {
        Self::start_with(answers, None).await
    }

    /// One that speaks TLS where it is given how.
    pub async fn start_with(answers: impl IntoIterator<Item = Vec<Step>>, tls: Option<TlsAcceptor>) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (hang_up, hung_up) = watch::channel(0);
        let answers = Mutex::new(answers.into_iter().collect());
        let shared = Arc::new(Shared { answers, received: Mutex::default(), hang_up });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, tls, Arc::clone(&shared)));
        Self { scheme, address, shared, hung_up, _tasks: tasks }
    }

    pub fn base(&self) -> String {
        format!("{}://{}/v1", self.scheme, self.address)
    }

    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("not poisoned").clone()
    }

    /// Returns once so many connections were closed by the other end, long before any deadline would close them.
    pub async fn until_hung_up(&mut self, count: usize) {
        let hung_up = self.hung_up.wait_for(|hung_up| *hung_up >= count);
        timeout(Duration::from_secs(10), hung_up).await.expect("in time").expect("a server");
    }

    /// Returns once so many requests have come.
    pub async fn until_received(&self, count: usize) {
        while self.received().len() < count {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            match tls {
                // A client that does not trust it hangs up.
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => serve(stream, number, &shared).await,
                    Err(_) => shared.hang_up.send_modify(|hung_up| *hung_up += 1),
                },
                None => serve(stream, number, &shared).await,
            }
        });
        number += 1;
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, connection: usize, shared: &Shared) {
    while let Some(request) = read_request(&mut stream, connection).await {
        shared.received.lock().expect("not poisoned").push(request);
        let steps = {
            let mut answers = shared.answers.lock().expect("not poisoned");
            if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
        };
        for step in steps.expect("an answer") {
            match step {
                Step::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                        break;
                    }
                }
                Step::Pause(pause) => sleep(pause).await,
                Step::Endlessly(bytes) => while stream.write_all(&bytes).await.is_ok() {},
                // The other end sends nothing more; what ends the read is its hanging up.
                Step::Hold => _ = stream.read(&mut [0; 1]).await,
                Step::Close => return,
            }
        }
    }
    shared.hang_up.send_modify(|hung_up| *hung_up += 1);
}

/// The next request of a connection; `None` when the other end has hung up.
async fn read_request(stream: &mut (impl AsyncRead + Unpin), connection: usize) -> Option<Received> {
    let mut bytes = Vec::new();
    let head_len = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let body = bytes.split_off(head_len + 4);
    bytes.truncate(head_len);
    let head = String::from_utf8(bytes).expect("a head in ASCII");
    let mut received = Received { connection, head, body };
    let len: usize = received.header("content-length").map_or(0, |len| len.parse().expect("a length"));
    while received.body.len() < len {
        if stream.read_buf(&mut received.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(received)
}

/// An answer of a status and further headers, each `name: value\r\n`, with its length stated.
pub fn answer(status: &str, headers: &str, body: &str) -> Vec<Step> {
    vec![Step::Send(format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into_bytes())]
}

pub fn ok(body: &str) -> Vec<Step> {
    answer("200 OK", "content-type: application/json\r\n", body)
}

/// A successful answer in chunks, without its end.
pub fn chunks<'a>(kind: &str, parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<Step> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
    let part = |part: &[u8]| Step::Send([format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat());
    [Step::Send(head.into_bytes())].into_iter().chain(parts.into_iter().map(part)).collect()
}

/// What ends an answer in chunks.
pub fn last_chunk() -> Step {
    Step::Send(b"0\r\n\r\n".to_vec())
}
