//! Dawid and Skene's method over a table, compared with the engine's own.

use std::sync::Arc;

use consilience::Engine;
use consilience::datafusion::{SqlAnnotations, register};
use consilience::truth::{ABSTAINED, DawidSkene, Ending, Estimate, Fit};
use datafusion::arrow::array::{Int32Array, StringArray};
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext, col};

use super::{posteriors, record, run};
use crate::support::annotated::Annotated;

/// A session with so many partitions, and the annotations as a table: items are named, labels of none are NULL.
fn table(of: &Annotated, partitions: usize) -> (SessionContext, DataFrame) {
    let config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(64);
    let context = SessionContext::new_with_config(config);
    register(&mut *context.state_ref().write()).expect("registered");
    let items: Vec<String> = of.items.iter().map(|item| format!("item {item:06}")).collect();
    let labels = of.labels.iter().map(|&label| (label != ABSTAINED).then_some(label as i32));
    let batch = record(vec![
        ("item", Arc::new(StringArray::from(items))),
        ("source", Arc::new(Int32Array::from_iter_values(of.sources.iter().map(|&source| source as i32)))),
        ("label", Arc::new(labels.collect::<Int32Array>())),
    ]);
    let rows = batch.num_rows().div_ceil(partitions);
    let parts = (0..partitions).map(|part| vec![batch.slice(part * rows, rows.min(batch.num_rows() - part * rows))]);
    let table = MemTable::try_new(batch.schema(), parts.collect()).expect("a table");
    let frame = context.read_table(Arc::new(table)).expect("a table");
    (context, frame)
}

/// The posteriors in the order of items, and what was found of sources.
async fn fitted(annotations: &SqlAnnotations, method: &DawidSkene) -> Result<(Vec<f32>, Fit)> {
    let fit = annotations.fit(method).await?;
    let rows = fit.posterior.sort(vec![col("item").sort(true, false)])?.collect().await?;
    let all: Vec<f32> = rows.iter().flat_map(|batch| posteriors(batch, "posterior")).flatten().flatten().collect();
    Ok((all, fit.found))
}

fn methods() -> [DawidSkene; 4] {
    let fixed = DawidSkene { max_iterations: 10, tolerance: 0.0, ..DawidSkene::default() };
    [
        fixed.clone(),
        DawidSkene { estimate: Estimate::MaximumLikelihood, ..fixed.clone() },
        DawidSkene { estimate: Estimate::Hard, ..fixed.clone() },
        DawidSkene { one_coin: true, ..fixed },
    ]
}

/// Within 1e-6 of the engine's, on annotations some of which are abstentions and some not.
#[test]
fn a_fit_in_sql_is_the_engines() -> Result<()> {
    run(async {
        let engine = Engine::cpu().expect("an engine");
        for (of, what) in [
            (Annotated::random(400, 9, 5, 3, 0.1, 1), "random with abstentions"),
            (Annotated::random(300, 6, 4, 2, 0.0, 2), "random"),
            (Annotated::crowd(2000, 20, 4, 3), "crowd"),
        ] {
            let annotations = of.annotations();
            let (context, frame) = table(&of, 3);
            let in_sql = SqlAnnotations::in_memory(&context, frame).await?;
            assert_eq!((in_sql.classes(), in_sql.sources()), (of.classes, of.of_sources));
            for method in methods() {
                let own = method.fit(&engine, &annotations).expect("a fit");
                let (posterior, found) = fitted(&in_sql, &method).await?;
                assert_eq!(posterior.len(), own.posterior().len());
                let off = posterior.iter().zip(own.posterior()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(off < 1e-6, "{what} {method:?}: {off}");
                let off = found.skill().iter().zip(own.skill()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(off < 1e-6, "{what} {method:?}: skills {off}");
                assert_eq!(found.iterations(), 10);
                let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-6 * b.abs();
                assert_eq!(found.objective().len(), own.objective().len());
                assert!(found.objective().iter().zip(own.objective()).all(near), "{what}: {found:?}");
            }
        }
        Ok(())
    })
}

/// In one partition and in seven, in memory and by way of a folder.
#[test]
fn a_fit_has_the_same_bits_in_any_partitions() -> Result<()> {
    run(async {
        let of = Annotated::random(300, 9, 5, 3, 0.1, 4);
        let method = DawidSkene::default();
        let (context, frame) = table(&of, 1);
        let want = fitted(&SqlAnnotations::in_memory(&context, frame).await?, &method).await?;
        assert_eq!(want.1.ending(), Ending::Converged);
        let folder = tempfile::tempdir()?;
        let (context, frame) = table(&of, 7);
        assert_eq!(fitted(&SqlAnnotations::in_memory(&context, frame.clone()).await?, &method).await?, want);
        assert_eq!(fitted(&SqlAnnotations::shared(&context, frame, folder.path()).await?, &method).await?, want);
        Ok(())
    })
}

/// More sources than a plan's constant is to hold.
#[test]
fn a_large_model_is_a_file() -> Result<()> {
    run(async {
        let mut of = Annotated::random(40, 5, 4, 5, 0.0, 4);
        // Numbered up to 20 000: 25 logarithms of 8 bytes each are four megabytes.
        of.sources.iter_mut().for_each(|source| *source = *source * 4_999 + 4);
        let folder = tempfile::tempdir()?;
        let (context, frame) = table(&of, 2);
        let method = DawidSkene { max_iterations: 2, ..DawidSkene::default() };
        let want = fitted(&SqlAnnotations::in_memory(&context, frame.clone()).await?, &method).await?;
        assert_eq!(fitted(&SqlAnnotations::shared(&context, frame, folder.path()).await?, &method).await?, want);
        // The items, and the model that the posteriors are by.
        let mut files: Vec<_> =
            std::fs::read_dir(folder.path())?.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect();
        files.sort();
        assert!(
            matches!(&files[..], [items, model] if items.starts_with("items-") && model.starts_with("model-")),
            "{files:?}"
        );
        Ok(())
    })
}

#[test]
fn annotations_that_are_none_are_refused() -> Result<()> {
    run(async {
        let context = SessionContext::new();
        register(&mut *context.state_ref().write())?;
        for (rows, what) in [
            ("('a', 0, 0), ('b', NULL, 1)", "of 2 annotations 1 have NULL for their source"),
            ("('a', 0, 0), (NULL, 0, 1)", "of 2 annotations 1 have NULL for their item"),
            ("('a', -1, 0), ('b', 0, 1)", "there is a source of -1"),
            ("('a', 0, 0), ('b', 0, -2)", "there is a label of -2"),
            ("('a', 0, 0), ('b', 99999999, 1)", "there is a source of 99999999"),
            ("('a', 0, CAST(NULL AS INT))", "all labels are NULL"),
        ] {
            let table = context.sql(&format!("SELECT * FROM (VALUES {rows}) AS t (item, source, label)")).await?;
            let error = SqlAnnotations::in_memory(&context, table).await.expect_err(rows);
            assert!(error.to_string().contains(what), "{rows}: {error}");
        }
        let table = context.sql("SELECT * FROM (VALUES ('a', 0, 0)) AS t (item, source, label)").await?;
        let none = table.clone().filter(col("item").is_null())?;
        assert!(
            SqlAnnotations::in_memory(&context, none).await.expect_err("none").to_string().contains("no annotations")
        );
        let annotations = SqlAnnotations::in_memory(&context, table).await?;
        let error =
            annotations.fit(&DawidSkene { max_iterations: 0, ..DawidSkene::default() }).await.expect_err("none");
        assert!(error.to_string().contains("the number of iterations"), "{error}");
        let bytes = context.sql("SELECT dawid_skene_pass([0], [0], X'0011') AS sums").await?.collect().await;
        assert!(bytes.expect_err("two bytes").to_string().contains("a model of sources"));
        Ok(())
    })
}
