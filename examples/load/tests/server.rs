//! A server whose answers take as long as a test wants.

use std::convert::Infallible;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Answers on a thread of its own; dropped, it ends.
pub struct Server {
    pub address: SocketAddr,
    /// Connections that there were.
    pub connections: Arc<AtomicUsize>,
    _stop: oneshot::Sender<()>,
}

/// An answer: its status and its text.
pub type Text = (u16, String);

impl Server {
    /// `answer` is given the path, the body, and the time since the beginning.
    pub fn start<F, A>(answer: F) -> Self
    where
        F: Fn(String, Bytes, Duration) -> A + Send + Sync + 'static,
        A: Future<Output = Text> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let accepted = Arc::clone(&connections);
        let (stop, stopped) = oneshot::channel::<()>();
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, Arc::new(answer), &accepted) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, connections, _stop: stop }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn accept<F, A>(listener: TcpListener, answer: Arc<F>, connections: &AtomicUsize)
where
    F: Fn(String, Bytes, Duration) -> A + Send + Sync + 'static,
    A: Future<Output = Text> + Send + 'static,
{
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let began = Instant::now();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.fetch_add(1, Relaxed);
        stream.set_nodelay(true).unwrap();
        let answer = Arc::clone(&answer);
        tokio::spawn(async move {
            let serve = service_fn(|request: Request<Incoming>| {
                let answer = Arc::clone(&answer);
                async move {
                    let path = request.uri().path().to_owned();
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let (status, text) = answer(path, body, began.elapsed()).await;
                    let mut response = Response::new(Full::new(Bytes::from(text)));
                    *response.status_mut() = status.try_into().unwrap();
                    Ok::<_, Infallible>(response)
                }
            });
            // A client that goes away is no fault.
            http1::Builder::new().serve_connection(TokioIo::new(stream), serve).await.unwrap_or_default();
        });
    }
}
