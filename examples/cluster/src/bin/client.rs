//! A client of a cluster: runs a query there, and shows or writes what comes.

#![expect(clippy::print_stdout, reason = "that is how a program answers")]

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::Uri;
use clap::Parser;
use consilience_cluster::link::{ask, reach};
use consilience_cluster::token::TokenFile;
use consilience_cluster::{connect, exact, session_config, tls};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use futures::StreamExt;

use self::whole_file::WholeFile;

#[path = "../../../../src/methods/whole_file.rs"]
mod whole_file;

#[derive(Parser)]
#[command(about)]
struct Arguments {
    /// The scheduler, as in `df://localhost:50050`, or `local`: this process alone.
    #[arg(long, default_value = "df://127.0.0.1:50050")]
    url: String,

    /// A Parquet file, or a folder of them, that a query calls by a name, under a path that every executor sees.
    #[arg(long = "table", value_name = "NAME=PATH")]
    tables: Vec<String>,

    /// The query.
    #[arg(long)]
    sql: String,

    /// A Parquet file for the answer, which is shown else.
    #[arg(long)]
    output: Option<PathBuf>,

    /// Into how many parts groups are divided.
    #[arg(long, default_value_t = 8)]
    partitions: usize,

    /// Settings of DataFusion and Ballista.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,

    /// How many seconds the scheduler has to answer, and an executor to be alive.
    #[arg(long, default_value_t = 30)]
    patience: u64,

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
    let mut config = session_config(tls.as_ref()).with_target_partitions(arguments.partitions);
    for setting in &arguments.settings {
        let (key, value) = setting.split_once('=').ok_or_else(|| format!("`{setting}` is no KEY=VALUE"))?;
        config.options_mut().set(key, value)?;
    }
    if let Some(token) = arguments.token.read(tls.is_some())? {
        config = token.session(config);
    }
    let context = connect(&arguments.url, config).await?;
    for table in &arguments.tables {
        let (name, path) = table.split_once('=').ok_or_else(|| format!("`{table}` is no NAME=PATH"))?;
        context.register_parquet(name, path, ParquetReadOptions::default()).await?;
    }
    if arguments.url == "local" {
        return run(&context, &arguments).await;
    }
    let scheduler: Uri = arguments.url.parse()?;
    let host = scheduler.host().ok_or_else(|| format!("`{}` names no host", arguments.url))?;
    let scheduler = format!("{host}:{}", scheduler.port_u16().unwrap_or(50050));
    reach(&scheduler, tls.as_ref(), Duration::from_secs(arguments.patience), true).await?;
    let Err(error) = exact::ask(|| run(&context, &arguments)).await else { return Ok(()) };
    let state = match ask(&scheduler, tls.as_ref(), "/healthz").await {
        Ok(_) => "",
        Err(_) => " does not answer any more",
    };
    Err(format!("the scheduler at {scheduler}{state}: {error}").into())
}

async fn run(context: &SessionContext, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let answer = context.sql(&arguments.sql).await?;
    let Some(path) = &arguments.output else {
        println!("{}", pretty_format_batches(&answer.collect().await?)?);
        return Ok(());
    };
    let mut answer = answer.execute_stream().await?;
    let named = |error: &dyn Error| format!("{}: {error}", path.display());
    let whole = WholeFile::create(path).map_err(|error| named(&error))?;
    let mut writer = ArrowWriter::try_new(whole.file(), answer.schema(), None).map_err(|error| named(&error))?;
    while let Some(batch) = answer.next().await {
        writer.write(&batch?).map_err(|error| named(&error))?;
    }
    let rows = writer.close().map_err(|error| named(&error))?.file_metadata().num_rows();
    whole.finish().map_err(|error| named(&error))?;
    println!("{rows} rows in {}", path.display());
    Ok(())
}
