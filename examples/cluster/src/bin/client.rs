//! A client of a cluster: runs a query there, and shows or writes what comes.

#![expect(clippy::print_stdout, reason = "that is how a program answers")]

use std::error::Error;
use std::path::PathBuf;

use ballista_core::extension::SessionConfigExt;
use clap::Parser;
use consilience_cluster::connect;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::prelude::{ParquetReadOptions, SessionConfig};
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
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    env_logger::init();
    let arguments = Arguments::parse();
    let mut config = SessionConfig::new_with_ballista().with_target_partitions(arguments.partitions);
    for setting in &arguments.settings {
        let (key, value) = setting.split_once('=').ok_or_else(|| format!("`{setting}` is no KEY=VALUE"))?;
        config.options_mut().set(key, value)?;
    }
    let context = connect(&arguments.url, config).await?;
    for table in &arguments.tables {
        let (name, path) = table.split_once('=').ok_or_else(|| format!("`{table}` is no NAME=PATH"))?;
        context.register_parquet(name, path, ParquetReadOptions::default()).await?;
    }
    let answer = context.sql(&arguments.sql).await?;
    let Some(path) = arguments.output else {
        println!("{}", pretty_format_batches(&answer.collect().await?)?);
        return Ok(());
    };
    let named = |error: &dyn Error| format!("{}: {error}", path.display());
    let mut rows = answer.execute_stream().await?;
    let whole = WholeFile::create(&path).map_err(|error| named(&error))?;
    let mut writer = ArrowWriter::try_new(whole.file(), rows.schema(), None).map_err(|error| named(&error))?;
    while let Some(batch) = rows.next().await {
        writer.write(&batch?).map_err(|error| named(&error))?;
    }
    let rows = writer.close().map_err(|error| named(&error))?.file_metadata().num_rows();
    whole.finish().map_err(|error| named(&error))?;
    println!("{rows} rows in {}", path.display());
    Ok(())
}
