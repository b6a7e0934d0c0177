//! Connections from their first byte to their last.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::document;
use super::shared::Shared;

/// How long nothing is accepted after the system could not: most often it has no more files to give.
const BREATHER: Duration = Duration::from_millis(50);

/// Serves those who connect until `enough` ends, and then those who are being served.
pub(super) async fn serve(shared: &Arc<Shared>, listener: TcpListener, enough: impl Future<Output = ()>) {
    let service = TowerToHyperService::new(document::router(shared));
    let room = Arc::new(Semaphore::new(shared.options.most_connections));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(shared.options.head_time);
    let mut enough = pin!(enough);
    loop {
        let next = async {
            // It is never closed.
            let place = Arc::clone(&room).acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = &mut enough => break,
            next = next => next,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "no connection was accepted");
                sleep(BREATHER).await;
                continue;
            }
        };
        // An answer is written at once, and there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service.clone()));
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    shared.set_ready(false);
    shared.ends.send_replace(true);
    if timeout(shared.options.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way when the time for them was over");
    }
}
