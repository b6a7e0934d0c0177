//! One connection, kept alive.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
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
        let result = asked.unwrap_or(Err(Ending::TimedOut));
        if result.is_err() {
            // Its answer may yet come, and would be taken for the next one's.
            *open = None;
        }
        result
    }
}

async fn exchange(
    open: &mut Option<Open>,
    target: &Target,
    mut request: Request<Full<Bytes>>,
) -> Result<Answer, Ending> {
    loop {
        let (mut connection, is_new) = match open.take() {
            Some(connection) if !connection.sender.is_closed() => (connection, false),
            _ => (connect(target).await.map_err(|_| Ending::Connect)?, true),
        };
        match connection.sender.try_send_request(request).await {
            Ok(response) => {
                let status = response.status().as_u16();
                let body = response.into_body().collect().await.map_err(|_| Ending::Broken)?.to_bytes();
                // Ready at once, or the server wants it closed.
                if connection.sender.ready().await.is_ok() {
                    *open = Some(connection);
                }
                return Ok(Answer { status, body });
            }
            // The server closed it while nothing was under way, and has seen nothing of the request.
            Err(mut error) => match error.take_message() {
                Some(unsent) if !is_new => request = unsent,
                _ => return Err(Ending::Broken),
            },
        }
    }
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
