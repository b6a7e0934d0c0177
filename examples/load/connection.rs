//! One connection, kept alive.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;

use crate::Failure;
use crate::tally::Ending;
use crate::target::Target;

/// One connection, kept alive and opened anew where it ended. It blocks.
#[derive(Debug)]
pub struct Connection {
    runtime: Runtime,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    sender: SendRequest<Full<Bytes>>,
    /// What reads and writes; it ends with this.
    _driver: JoinSet<()>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
}

impl Connection {
    pub fn new() -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, open: None })
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// # Errors
    ///
    /// How it ended where there was none within this time.
    pub fn ask(&mut self, target: &Target, request: Request<Full<Bytes>>, within: Duration) -> Result<Answer, Ending> {
        let Self { runtime, open } = self;
        let asked = runtime.block_on(async { timeout(within, exchange(open, target, request)).await });
        asked.unwrap_or(Err(Ending::TimedOut))
    }
}

/// Takes the connection, and puts it back once the answer is whole: one that comes late is not taken for the next one's.
async fn exchange(open: &mut Option<Open>, target: &Target, request: Request<Full<Bytes>>) -> Result<Answer, Ending> {
    if open.is_some() {
        // The server may have closed it since; the first lets that be heard, the second lets the driver see it.
        yield_now().await;
        yield_now().await;
    }
    let mut connection = match open.take() {
        Some(connection) if !connection.sender.is_closed() => connection,
        _ => connect(target).await.map_err(|_| Ending::Connect)?,
    };
    let response = connection.sender.send_request(request).await.map_err(|_| Ending::Broken)?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(|_| Ending::Broken)?.to_bytes();
    *open = Some(connection);
    Ok(Answer { status, body })
}

async fn connect(target: &Target) -> Result<Open, Failure> {
    let stream = TcpStream::connect(&target.addresses[..]).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut driver = JoinSet::new();
    // Whoever waits for an answer hears that it broke.
    driver.spawn(async { connection.await.unwrap_or_default() });
    Ok(Open { sender, _driver: driver })
}
