//! Queries on a cluster of processes, beside the same in this process and on an engine.

#![expect(clippy::expect_used, reason = "a test that cannot run fails")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use consilience::{Engine, Evidence, Fusion, Rule, Weighting};
use consilience_cluster::processes::{Cluster, Plan, wait};
use consilience_cluster::{connect, opinions};
use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Float32Type, Int64Type};
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

const ITEMS: usize = 4000;
const SOURCES: usize = 6;
const CLASSES: usize = 3;

const QUERY: &str = "SELECT item, fuse_log_pool(opinion, weight) AS log_pool, fuse_ensemble(opinion, weight) AS ensemble \
                     FROM opinions GROUP BY item ORDER BY item";

fn programs() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_scheduler")).parent().expect("a folder")
}

fn start(folder: &Path, executors: &[&[&str]]) -> Cluster {
    let executors =
        executors.iter().map(|further| further.iter().map(|&argument| argument.to_owned()).collect()).collect();
    Cluster::start(&Plan { programs: programs(), folder, executors, executor_timeout: 4 }).expect("a cluster")
}

/// A client as a process of its own, whose answer goes to a file.
fn client(url: &str, table: &Path, query: &str, output: &Path, further: &[&str]) -> Child {
    Command::new(programs().join("client"))
        .args(["--url", url, "--table", &format!("opinions={}", table.display()), "--sql", query])
        .arg("--output")
        .arg(output)
        .args(further)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a client")
}

fn succeeded(client: Child) {
    let Output { status, stderr, .. } = client.wait_with_output().expect("an end");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
}

/// Items, and two posteriors of each as bits.
fn read(path: &Path) -> Vec<(i64, Vec<f32>, Vec<f32>)> {
    let file = std::fs::File::open(path).expect("an answer");
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build().expect("a reader");
    let batches: Vec<RecordBatch> = batches.collect::<Result<_, _>>().expect("batches");
    let list = |batch: &RecordBatch, column: usize, row: usize| {
        let values = batch.column(column).as_fixed_size_list().value(row);
        values.as_primitive::<Float32Type>().values().to_vec()
    };
    (batches.iter())
        .flat_map(|batch| {
            let items = batch.column(0).as_primitive::<Int64Type>();
            (0..batch.num_rows()).map(|row| (items.value(row), list(batch, 1, row), list(batch, 2, row)))
        })
        .collect()
}

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("opinions");
    opinions::write(&table, ITEMS, SOURCES, CLASSES, 5).expect("opinions");
    (folder, table)
}

/// What an engine says of the same opinions.
fn by_engine(table: &Path) -> Vec<(Vec<f32>, Vec<f32>)> {
    let mut planes = vec![vec![0.0; ITEMS * CLASSES]; SOURCES];
    for file in std::fs::read_dir(table).expect("a folder") {
        let file = std::fs::File::open(file.expect("an entry").path()).expect("a file");
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build().expect("a reader") {
            let batch = batch.expect("a batch");
            let [items, sources] = [0, 1].map(|column| batch.column(column).as_primitive::<Int64Type>());
            for row in 0..batch.num_rows() {
                let opinion = batch.column(3).as_fixed_size_list().value(row);
                let at = items.value(row) as usize * CLASSES;
                planes[sources.value(row) as usize][at..at + CLASSES]
                    .copy_from_slice(opinion.as_primitive::<Float32Type>().values());
            }
        }
    }
    let planes: Vec<&[f32]> = planes.iter().map(|plane| &plane[..]).collect();
    let evidence = Evidence::probabilities(CLASSES, &planes).expect("opinions");
    let weights: Vec<f32> = (0..SOURCES).map(|source| 0.5 + source as f32).collect();
    let engine = Engine::cpu().expect("an engine");
    let [log_pool, ensemble] = [Rule::LogPool, Rule::default()].map(|rule| {
        let fusion = Fusion::new(rule).weighting(Weighting::Fixed(weights.clone()));
        engine.fuse(&fusion, &evidence).expect("posteriors").posterior().to_vec()
    });
    let rows = log_pool.chunks(CLASSES).zip(ensemble.chunks(CLASSES));
    rows.map(|(a, b)| (a.to_vec(), b.to_vec())).collect()
}

/// On a cluster, in this process and on an engine: the first two to the bit, whatever the partitions.
#[test]
fn a_cluster_answers_as_one_process_and_as_an_engine() {
    let (folder, table) = scratch();
    let cluster = start(folder.path(), &[&[], &[]]);
    let mut answers = Vec::new();
    for (url, partitions) in [("local", "1"), ("local", "5"), (&cluster.url[..], "3"), (&cluster.url, "8")] {
        let output = folder.path().join(format!("answer-{}.parquet", answers.len()));
        succeeded(client(url, &table, QUERY, &output, &["--partitions", partitions]));
        answers.push(read(&output));
    }
    assert_eq!(answers[0].len(), ITEMS);
    for answer in &answers[1..] {
        assert!(*answer == answers[0], "another answer");
    }
    for (item, (row, (log_pool, ensemble))) in answers[0].iter().zip(by_engine(&table)).enumerate() {
        assert_eq!(row.0, item as i64);
        for (got, want) in row.1.iter().zip(&log_pool).chain(row.2.iter().zip(&ensemble)) {
            assert!((got - want).abs() < 1e-6, "item {item}: {got} {want}");
        }
    }
}

/// An executor is killed with work behind it, which others have not fetched, and more before it.
#[test]
fn an_executor_that_is_killed_leaves_the_answer_as_it_was() {
    let (folder, table) = scratch();
    let mut cluster = start(folder.path(), &[&[], &[]]);
    let [calm, hurt] = ["calm", "hurt"].map(|name| folder.path().join(format!("{name}.parquet")));
    succeeded(client("local", &table, QUERY, &calm, &[]));
    let paused = QUERY.replace("opinion,", "pause(opinion, 300),");
    let mut job = client(&cluster.url, &table, &paused, &hurt, &[]);
    wait("output of the one to be killed", || cluster.executors[0].has_written()).expect("output");
    cluster.executors[0].kill().expect("killed");
    assert!(job.try_wait().expect("a state").is_none(), "the job was over before");
    succeeded(job);
    assert!(read(&hurt) == read(&calm), "another answer");
    wait("the loss to be noticed", || !cluster.is_ready()).expect("noticed");
}

/// Functions are taken by name: a job that meets an executor without them fails, and that executor's log says what it lacks.
#[test]
fn an_executor_without_the_functions_says_so() {
    let (folder, table) = scratch();
    let cluster = start(folder.path(), &[&["--built-in-only"]]);
    let output = folder.path().join("never.parquet");
    let Output { status, stderr, .. } =
        client(&cluster.url, &table, QUERY, &output, &[]).wait_with_output().expect("an end");
    let message = String::from_utf8_lossy(&stderr);
    assert!(!status.success() && message.contains("rejected by executor"), "{message}");
    let log = std::fs::read_to_string(folder.path().join("executor-0.log")).expect("a log");
    assert!(log.contains("fuse_log_pool"), "{log}");
}

/// Dawid and Skene's method has the same bits on a cluster as in one process.
#[test]
fn truth_inference_is_the_same_on_a_cluster() {
    use ballista_core::extension::SessionConfigExt;
    use consilience::datafusion::SqlAnnotations;
    use consilience::truth::DawidSkene;
    use datafusion::prelude::{ParquetReadOptions, SessionConfig};

    let (folder, table) = scratch();
    let cluster = start(folder.path(), &[&[], &[]]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let fit = |url: &str| {
        runtime.block_on(async {
            let config = SessionConfig::new_with_ballista().with_target_partitions(4);
            let context = connect(url, config).await?;
            let path = table.display().to_string();
            context.register_parquet("opinions", path, ParquetReadOptions::default()).await?;
            let labels = context.sql("SELECT item, source, decision(opinion) AS label FROM opinions").await?;
            let shared = folder.path().join("shared");
            std::fs::create_dir_all(&shared)?;
            let annotations = SqlAnnotations::shared(&context, labels, shared).await?;
            annotations.fit(&DawidSkene { max_iterations: 5, ..DawidSkene::default() }).await.map(|fit| fit.found)
        })
    };
    let (there, here) = (fit(&cluster.url).expect("a fit"), fit("local").expect("a fit"));
    assert_eq!(there, here);
    assert_eq!(there.skill().len(), SOURCES);
}
