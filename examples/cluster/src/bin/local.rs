//! A cluster on this machine: a scheduler and executors are started, opinions made up and fused there, an executor killed in
//! the middle if that is asked for, and the answer compared with that of this process alone.

#![expect(clippy::print_stdout, reason = "that is how a program answers")]

use std::error::Error;
use std::thread;
use std::time::Instant;

use clap::Parser;
use consilience_cluster::processes::{Cluster, Part, Plan, wait};
use consilience_cluster::token::TokenFile;
use consilience_cluster::{connect, exact, opinions, session_config, tls};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::{ParquetReadOptions, SessionConfig};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    /// How many executors.
    #[arg(long, default_value_t = 2)]
    executors: usize,

    /// How many items, of 8 sources and 4 classes.
    #[arg(long, default_value_t = 100_000)]
    items: usize,

    /// Kills an executor once it has handed something on.
    #[arg(long)]
    kill: bool,

    #[command(flatten)]
    tls: tls::Files,

    #[command(flatten)]
    token: TokenFile,
}

const QUERY: &str = "SELECT decision(posterior) AS decision, count(*) AS items, \
                     min(confidence(posterior)) AS least, max(confidence(posterior)) AS most \
                     FROM (SELECT item, fuse_log_pool(PAUSED, weight) AS posterior FROM opinions GROUP BY item) \
                     GROUP BY decision ORDER BY decision";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    env_logger::init();
    let arguments = Arguments::parse();
    let tls = arguments.tls.read()?;
    let mut config = session_config(tls.as_ref()).with_target_partitions(8);
    if let Some(token) = arguments.token.read(tls.is_some())? {
        config = token.session(config);
    }
    let folder = tempfile::tempdir()?;
    let table = folder.path().join("opinions");
    opinions::write(&table, arguments.items, 8, 4, 8)?;
    let table = table.display().to_string();
    let program = std::env::current_exe()?;
    let programs = program.parent().ok_or("a program lies in a folder")?;
    let mut cluster = Cluster::start(&Plan {
        programs,
        folder: folder.path(),
        scheduler: Part {
            arguments: [arguments.tls.arguments(), arguments.token.arguments()].concat(),
            ..Part::default()
        },
        executors: vec![Part { arguments: arguments.tls.arguments(), ..Part::default() }; arguments.executors],
        tls,
    })?;
    println!("{} executors at {}", arguments.executors, cluster.url);
    // Without a pause a job of a second is over before anybody is killed.
    let query = QUERY.replace("PAUSED", if arguments.kill { "pause(opinion, 100)" } else { "opinion" });
    let began = Instant::now();
    let asked = (cluster.url.clone(), config.clone(), table.clone());
    let there = tokio::spawn(async move {
        let (url, config, table) = asked;
        exact::ask(|| answer(url.clone(), config.clone(), table.clone(), query.clone())).await
    });
    if arguments.kill {
        let victim = &mut cluster.executors[0];
        thread::scope(|scope| scope.spawn(|| wait("an executor's output", || victim.has_written(1))).join())
            .map_err(|_| "waiting failed")??;
        cluster.executors[0].kill()?;
        println!("killed an executor after {:.1} s", began.elapsed().as_secs_f64());
    }
    let there = there.await??;
    println!("{}\nin {:.1} s", pretty_format_batches(&there)?, began.elapsed().as_secs_f64());
    let here = answer("local".to_owned(), config, table, QUERY.replace("PAUSED", "opinion")).await?;
    let [there, here] = [there, here].map(|answer| pretty_format_batches(&answer).map(|table| table.to_string()));
    if there? != here? {
        return Err("this process alone answers something else".into());
    }
    println!("this process alone answers the same");
    Ok(())
}

async fn answer(
    url: String,
    config: SessionConfig,
    table: String,
    query: String,
) -> datafusion::common::Result<Vec<RecordBatch>> {
    let context = connect(&url, config).await?;
    context.register_parquet("opinions", table, ParquetReadOptions::default()).await?;
    context.sql(&query).await?.collect().await
}
