//! Clusters, clients and what they answer.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use consilience_cluster::opinions;
use consilience_cluster::processes::{Cluster, Part, Plan, elsewhere, free_port};
use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Float32Type, Int64Type};
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

pub const ITEMS: usize = 4000;
pub const SOURCES: usize = 6;
pub const CLASSES: usize = 3;

pub const QUERY: &str = "SELECT item, fuse_log_pool(opinion, weight) AS log_pool, fuse_ensemble(opinion, weight) AS ensemble \
                         FROM opinions GROUP BY item ORDER BY item";

/// The query with a pause in one of its stages: before anything is handed on, and after.
pub fn paused_in_stages() -> [(usize, String); 2] {
    let pooled = "fuse_log_pool(opinion, weight)";
    [
        (1, QUERY.replace("opinion,", "pause(opinion, 300),")),
        (2, QUERY.replace(pooled, &format!("pause({pooled}, 600)"))),
    ]
}

/// The time in which a program that is refused has said so: less than it would wait for somebody to listen.
pub const AT_ONCE: Duration = Duration::from_secs(20);

/// The time in which a job is over, come what may.
pub const IN_THE_END: Duration = Duration::from_secs(300);

pub fn programs() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_scheduler")).parent().expect("a folder")
}

/// A folder, and a table in it.
pub fn scratch() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("opinions");
    opinions::write(&table, ITEMS, SOURCES, CLASSES, 5).expect("opinions");
    (folder, table)
}

/// A cluster without TLS, of executors with these arguments.
pub fn of_parts(folder: &Path, executors: Vec<Part>) -> Cluster {
    let scheduler = Part::default();
    let plan = Plan { programs: programs(), folder, scheduler, executors, tls: None };
    Cluster::start(&plan).expect("a cluster")
}

/// A cluster without TLS.
pub fn in_the_clear(folder: &Path, executors: usize) -> Cluster {
    of_parts(folder, vec![Part::default(); executors])
}

/// An address at which nobody listened a moment ago.
pub fn free_address() -> String {
    format!("127.0.0.1:{}", free_port().expect("a port"))
}

/// A program of the cluster, elsewhere if a command is put before it.
pub fn start(prefix: &[String], program: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Child {
    let mut command = elsewhere(prefix, &programs().join(program));
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("a program")
}

/// A client as a process of its own, whose answer goes to a file.
pub fn client(url: &str, table: &Path, query: &str, output: &Path, further: &[&str]) -> Child {
    client_elsewhere(&[], url, table, query, output, further)
}

pub fn client_elsewhere(
    prefix: &[String],
    url: &str,
    table: &Path,
    query: &str,
    output: &Path,
    further: &[&str],
) -> Child {
    let (table, output) = (format!("opinions={}", table.display()), output.display().to_string());
    let arguments = ["--url", url, "--table", &table, "--sql", query, "--output", &output];
    start(prefix, "client", arguments.iter().chain(further))
}

/// How a program ended, and what it complained of, within a time.
pub fn ended(mut program: Child, within: Duration) -> Output {
    let began = Instant::now();
    while program.try_wait().expect("a state").is_none() {
        if began.elapsed() > within {
            program.kill().expect("killed");
            let mut said = String::new();
            program.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
            panic!("no end in {within:?}: {said}");
        }
        thread::sleep(Duration::from_millis(25));
    }
    program.wait_with_output().expect("an end")
}

pub fn succeeded(client: Child) {
    let Output { status, stderr, .. } = ended(client, IN_THE_END);
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
}

/// What a program says that fails, within a time.
pub fn failed(program: Child, within: Duration) -> String {
    let Output { status, stderr, .. } = ended(program, within);
    let said = String::from_utf8_lossy(&stderr).into_owned();
    assert!(status.code().is_some_and(|code| code != 0), "{status}: {said}");
    said
}

/// Items, and two posteriors of each as bits.
pub fn read(path: &Path) -> Vec<(i64, Vec<u32>, Vec<u32>)> {
    let file = std::fs::File::open(path).expect("an answer");
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build().expect("a reader");
    let batches: Vec<RecordBatch> = batches.collect::<Result<_, _>>().expect("batches");
    let list = |batch: &RecordBatch, column: usize, row: usize| {
        let values = batch.column(column).as_fixed_size_list().value(row);
        values.as_primitive::<Float32Type>().values().iter().map(|value| value.to_bits()).collect()
    };
    (batches.iter())
        .flat_map(|batch| {
            let items = batch.column(0).as_primitive::<Int64Type>();
            (0..batch.num_rows()).map(|row| (items.value(row), list(batch, 1, row), list(batch, 2, row)))
        })
        .collect()
}
