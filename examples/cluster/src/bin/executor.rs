//! An executor of a cluster: runs tasks, and keeps what they hand on in a folder of its own.

use std::error::Error;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use clap::Parser;
use consilience_cluster::link::{endpoint, reach};
use consilience_cluster::{function_registry, session_config, tls};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    /// The scheduler's name or address.
    #[arg(long, default_value = "127.0.0.1")]
    scheduler_host: String,

    /// The scheduler's port.
    #[arg(long, default_value_t = 50050)]
    scheduler_port: u16,

    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1")]
    bind: IpAddr,

    /// By what name or address others reach it, if not by that.
    #[arg(long)]
    external_host: Option<String>,

    /// The port from which others fetch what its tasks hand on.
    #[arg(long, default_value_t = 50051)]
    port: u16,

    /// The folder of what its tasks hand on.
    #[arg(long)]
    work_dir: PathBuf,

    /// How many tasks it runs at once; 0: one a core.
    #[arg(long, default_value_t = 0)]
    tasks: usize,

    /// The largest message in bytes.
    #[arg(long, default_value_t = 64 << 20)]
    message_bytes: u32,

    #[command(flatten)]
    tls: tls::Files,

    /// Knows the functions that are built in alone, which shows what an executor of another make answers.
    #[arg(long, hide = true)]
    built_in_only: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    env_logger::init();
    let arguments = Arguments::parse();
    let tls = arguments.tls.read()?;
    let work_dir = arguments.work_dir.display().to_string();
    fs::create_dir_all(&arguments.work_dir).map_err(|error| format!("--work-dir {work_dir}: {error}"))?;
    let tasks = if arguments.tasks == 0 { std::thread::available_parallelism()?.get() } else { arguments.tasks };
    let registry = if arguments.built_in_only { None } else { Some(function_registry()?) };
    let scheduler = format!("{}:{}", arguments.scheduler_host, arguments.scheduler_port);
    reach(&scheduler, tls.as_ref(), Duration::from_secs(20), false).await?;
    let message_bytes = arguments.message_bytes as usize;
    let config = ExecutorProcessConfig {
        task_scheduling_policy: TaskSchedulingPolicy::PullStaged,
        bind_host: arguments.bind.to_string(),
        external_host: Some(arguments.external_host.unwrap_or_else(|| arguments.bind.to_string())),
        scheduler_host: arguments.scheduler_host,
        scheduler_port: arguments.scheduler_port,
        scheduler_connect_timeout_seconds: 20,
        port: arguments.port,
        // Nothing listens for tasks: a scheduler that would cancel some is to meet nobody else here.
        grpc_port: arguments.port,
        work_dir: Some(work_dir),
        vcores: tasks,
        grpc_max_decoding_message_size: arguments.message_bytes,
        grpc_max_encoding_message_size: arguments.message_bytes,
        override_function_registry: registry,
        override_create_grpc_client_endpoint: Some(endpoint(tls.clone())),
        override_arrow_flight_service: tls.as_ref().map(|tls| tls.flight(message_bytes)),
        override_config_producer: Some(Arc::new(move || session_config(tls.as_ref()))),
        ..ExecutorProcessConfig::default()
    };
    start_executor_process(Arc::new(config)).await?;
    Ok(())
}
