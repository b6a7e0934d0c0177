//! How one program of a cluster reaches another, and notices that it no longer does.

use std::error::Error;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use ballista_core::extension::EndpointOverrideFn;
use tokio::time::{Instant, sleep, timeout};
use tonic::client::GrpcService;
use tonic::transport::Endpoint;

use crate::tls::Tls;

/// For how long nothing may come of a machine that is being connected to, or from one that owes an answer, before it is asked
/// for a sign of life.
const SILENCE: Duration = Duration::from_secs(5);

/// How every link is made: over TLS if that is asked for, and with an end if the other side falls silent. Ballista's own links
/// for what tasks hand on have none: where a cable is pulled, a task waits for ever.
#[must_use]
pub fn endpoint(tls: Option<Tls>) -> EndpointOverrideFn {
    Arc::new(move |endpoint| {
        let endpoint = match &tls {
            Some(tls) => tls.secure(endpoint)?,
            None => endpoint,
        };
        Ok(endpoint
            .connect_timeout(SILENCE)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(SILENCE)
            .keep_alive_timeout(SILENCE)
            .keep_alive_while_idle(true))
    })
}

/// What a scheduler at an address, as in `localhost:50050`, says of itself under a path, as in `/readyz`.
///
/// # Errors
///
/// It does not answer.
pub async fn ask(
    address: &str,
    tls: Option<&Tls>,
    path: &str,
) -> Result<(StatusCode, String), Box<dyn Error + Send + Sync>> {
    let answer = async {
        let url = format!("http://{address}");
        let endpoint = endpoint(tls.cloned())(Endpoint::from_shared(url.clone())?)?;
        let mut channel = endpoint.connect().await?;
        std::future::poll_fn(|context| GrpcService::poll_ready(&mut channel, context)).await?;
        let request = Request::get(format!("{url}{path}")).body(tonic::body::Body::empty())?;
        let (head, body) = GrpcService::call(&mut channel, request).await?.into_parts();
        let body = to_bytes(Body::new(body), 1 << 16).await?;
        Ok((head.status, String::from_utf8_lossy(&body).into_owned()))
    };
    timeout(2 * SILENCE, answer).await.map_err(|_| "no answer in time")?
}

/// Waits until a scheduler answers and, for a client, until any executor is alive, as long as either may yet start.
///
/// # Errors
///
/// It does not in so long or, at once, is no scheduler, or none that trusts this program and is trusted.
pub async fn reach(
    address: &str,
    tls: Option<&Tls>,
    patience: Duration,
    executors: bool,
) -> Result<(), Box<dyn Error>> {
    let until = Instant::now() + patience;
    loop {
        let not_yet = match ask(address, tls, "/readyz").await {
            Ok((StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE, said)) => {
                if !(executors && said.contains("ready: 0")) {
                    return Ok(());
                }
                "no executor is alive".to_owned()
            }
            Ok((status, _)) => return Err(format!("what answers at {address} is no scheduler: {status}").into()),
            Err(error) if may_yet_start(&*error) => causes(&*error),
            Err(error) => {
                let hint =
                    if tls.is_some() { "does it use TLS, of the same authority?" } else { "does it ask for TLS?" };
                return Err(format!("the scheduler at {address}: {} ({hint})", causes(&*error)).into());
            }
        };
        if Instant::now() > until {
            return Err(format!("the scheduler at {address}, after {} s: {not_yet}", patience.as_secs()).into());
        }
        sleep(Duration::from_millis(250)).await;
    }
}

/// An error and what led to it.
#[must_use]
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = chain(error).map(ToString::to_string).collect();
    said.dedup();
    said.join(": ")
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Whether nobody listens, or not yet.
fn may_yet_start(error: &(dyn Error + 'static)) -> bool {
    use ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, TimedOut};
    chain(error)
        .filter_map(|error| error.downcast_ref::<std::io::Error>())
        .any(|error| matches!(error.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable | TimedOut))
}
