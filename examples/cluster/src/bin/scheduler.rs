//! The scheduler of a cluster: plans queries, hands tasks to executors, and hands them out again where an executor is lost.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::start_server;
use clap::Parser;
use consilience_cluster::link::endpoint;
use consilience_cluster::token::TokenFile;
use consilience_cluster::{LEAST_EXECUTOR_TIMEOUT, exact, service, session_state, tls};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:50050")]
    bind: SocketAddr,

    /// By what name or address executors reach it, if not by that.
    #[arg(long)]
    external_host: Option<String>,

    /// How many executors there must be before `/readyz` says that the cluster is ready.
    #[arg(long, default_value_t = 1)]
    executors: usize,

    /// After how many seconds without a sign of life an executor is given up, and its tasks are handed to others; one that is
    /// busy gives one every five, so ten is the least.
    #[arg(long, default_value_t = 60)]
    executor_timeout: u64,

    /// The largest message in bytes: results that come to a client are to fit.
    #[arg(long, default_value_t = 64 << 20)]
    message_bytes: u32,

    #[command(flatten)]
    tls: tls::Files,

    #[command(flatten)]
    token: TokenFile,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    env_logger::init();
    let arguments = Arguments::parse();
    let tls = arguments.tls.read()?;
    let token = arguments.token.read(tls.is_some())?;
    if arguments.executor_timeout < LEAST_EXECUTOR_TIMEOUT {
        return Err(format!("--executor-timeout is {LEAST_EXECUTOR_TIMEOUT} s at least").into());
    }
    let config = SchedulerConfig {
        // Executors ask for tasks. Those that hand them out lose count of a task that is cancelled as its stage is rolled back,
        // and an executor with no other place has nothing to do for ever.
        scheduling_policy: TaskSchedulingPolicy::PullStaged,
        bind_host: arguments.bind.ip().to_string(),
        external_host: arguments.external_host.unwrap_or_else(|| arguments.bind.ip().to_string()),
        bind_port: arguments.bind.port(),
        min_ready_executors: arguments.executors,
        executor_timeout_seconds: arguments.executor_timeout,
        expire_dead_executor_interval_seconds: arguments.executor_timeout.div_ceil(4).max(1),
        no_executors_grace_period_seconds: arguments.executor_timeout,
        grpc_server_max_decoding_message_size: arguments.message_bytes,
        grpc_server_max_encoding_message_size: arguments.message_bytes,
        grpc_client_max_message_size: arguments.message_bytes,
        override_session_builder: Some(Arc::new(session_state)),
        override_create_grpc_client_endpoint: Some(endpoint(tls.clone())),
        ..SchedulerConfig::default()
    };
    if let Some(tls) = &tls {
        return service::serve(config, arguments.bind, tls, token).await;
    }
    let cluster = exact::cluster(&config).await?;
    start_server(cluster, arguments.bind, Arc::new(config)).await?;
    Ok(())
}
