//! A scheduler's service over TLS: Ballista's own serves in the clear alone.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpcServer;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::create_scheduler;
use ballista_scheduler::scheduler_server::SchedulerServer;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tonic::service::Routes;
use tonic::transport::Server;

use crate::exact;
use crate::link::causes;
use crate::tls::Tls;
use crate::token::{Token, check};

type Scheduler = SchedulerServer<LogicalPlanNode, PhysicalPlanNode>;

/// Serves at an address, to those who have a certificate, the calls of Ballista, and `/healthz` and `/readyz` as its own
/// service does; if there is a token, calls are taken with it alone.
///
/// # Errors
///
/// Settings that contradict each other, an address that is taken.
pub async fn serve(
    config: SchedulerConfig,
    address: SocketAddr,
    tls: &Tls,
    token: Option<Token>,
) -> Result<(), Box<dyn Error>> {
    config.validate()?;
    let cluster = exact::cluster(&config).await?;
    let scheduler: Scheduler = create_scheduler(cluster, Arc::new(config)).await?;
    let settings = &scheduler.state.config;
    let calls = SchedulerGrpcServer::new(scheduler.clone())
        .max_encoding_message_size(settings.grpc_server_max_encoding_message_size as usize)
        .max_decoding_message_size(settings.grpc_server_max_decoding_message_size as usize);
    let routes = Routes::new(calls)
        .into_axum_router()
        .layer(from_fn_with_state(token, check))
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(move || ready(scheduler.clone())));
    let mut server = Server::builder().tls_config(tls.server())?;
    let served = server.add_routes(Routes::from(routes)).serve(address).await;
    Ok(served.map_err(|error| format!("{address}: {}", causes(&error)))?)
}

/// In the words of Ballista's own.
async fn ready(scheduler: Scheduler) -> (StatusCode, String) {
    let settings = &scheduler.state.config;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let timeout = Duration::from_secs(settings.executor_timeout_seconds);
    let executors = scheduler.state.executor_manager.get_executors_state().await.unwrap_or_default();
    let alive =
        executors.iter().filter(|(_, seen, _)| seen.is_some_and(|seen| now.saturating_sub(seen) < timeout)).count();
    if scheduler.is_ready() {
        (StatusCode::OK, format!("ready: {alive} executors registered\n"))
    } else {
        let wanted = settings.min_ready_executors;
        (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {alive}/{wanted} executors registered\n"))
    }
}
