//! Queries on a cluster, beside the same in this process and on an engine.

use std::path::Path;

use consilience::{Engine, Evidence, Fusion, Rule, Weighting};
use consilience_cluster::{connect, session_config};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Float32Type, Int64Type};
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{CLASSES, ITEMS, QUERY, SOURCES, client, in_the_clear, read, scratch, succeeded};

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
    let cluster = in_the_clear(folder.path(), 2);
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
            let got = f32::from_bits(*got);
            assert!((got - want).abs() < 1e-6, "item {item}: {got} {want}");
        }
    }
}

/// Dawid and Skene's method has the same bits on a cluster as in one process.
#[test]
fn truth_inference_is_the_same_on_a_cluster() {
    use consilience::datafusion::SqlAnnotations;
    use consilience::truth::DawidSkene;
    use datafusion::prelude::ParquetReadOptions;

    let (folder, table) = scratch();
    let cluster = in_the_clear(folder.path(), 2);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let fit = |url: &str| {
        runtime.block_on(async {
            let config = session_config(None).with_target_partitions(4);
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
