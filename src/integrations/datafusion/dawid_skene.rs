//! Dawid and Skene's method over a table of annotations.

mod items;
mod pass;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::expr_fn::{array_agg, count, max, min};
use datafusion::logical_expr::{Expr, cast, lit};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::prelude::{ParquetReadOptions, SessionContext, col};
use futures_util::StreamExt;
use tempfile::{NamedTempFile, TempDir};

use self::items::counted_first;
pub(super) use self::pass::{Pass, posterior_type, posteriors};
use super::aggregate::Aggregate;
use super::failure::invalid;
use super::parameter::{Kind, Parameter};
use super::scalar::Scalar;
use crate::methods::truth::passes::{Model, Passes, Shape};
use crate::methods::truth::{DawidSkene, Fit};

/// Annotations in a table, from which [`DawidSkene`] finds the classes of items and the confusions of sources.
///
/// Columns `item` (of any type that can be grouped by), `source` and `label`, integers from 0; a label of NULL is that of a
/// source that was asked and abstained. Names become integers by `dense_rank() OVER (ORDER BY source) - 1`.
///
/// Annotations are grouped by item once. Each iteration is a query over the items: what is known of sources so far goes with
/// it, each partition finds posteriors and counts, in integers, and the sums of the counts come back as one row of
/// 2 + C + N L C numbers of 8 bytes, for N sources, C classes and L answers. So the fit has the same bits on any cluster; it is
/// in f64, and differs from the engine's by what rounding in f32 comes to.
///
/// # Examples
///
/// *Three sources, one of which is of another mind.*
///
/// ```
/// use consilience::datafusion::{SqlAnnotations, register};
/// use consilience::truth::DawidSkene;
/// use datafusion::prelude::*;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let context = SessionContext::new();
/// register(&mut *context.state_ref().write())?;
/// let labels = "VALUES ('x', 0, 1), ('x', 1, 1), ('x', 2, 0), ('y', 0, 0), ('y', 1, 0), ('y', 2, 1)";
/// let table = context.sql(&format!("SELECT * FROM ({labels}) AS t (item, source, label)")).await?;
/// let annotations = SqlAnnotations::in_memory(&context, table).await?;
/// let fit = annotations.fit(&DawidSkene::default()).await?;
/// let skill = fit.found.skill();
/// assert!(skill[0] == skill[1] && skill[2] < 0.5);
/// let rows = fit.posterior.sort(vec![col("item").sort(true, false)])?.collect().await?;
/// # assert_eq!(rows.iter().map(|batch| batch.num_rows()).sum::<usize>(), 2);
/// # Ok::<(), datafusion::error::DataFusionError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SqlAnnotations {
    /// `item`, `sources`, `labels`.
    items: DataFrame,
    shape: Shape,
    /// Where models go that are too large for a plan.
    folder: Arc<Folder>,
}

/// A folder of the caller's, or one that goes with the annotations.
#[derive(Debug)]
enum Folder {
    Given(PathBuf),
    Own(TempDir),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Own(folder) => folder.path(),
        }
    }
}

/// What a fit in SQL found.
#[derive(Debug, Clone)]
pub struct SqlFit {
    /// What was found of sources. Its posteriors and decisions are empty: those are in the table.
    pub found: Fit,
    /// `item` and `posterior`, worked out when it is asked for.
    pub posterior: DataFrame,
    /// With the model that the posteriors are by.
    _folder: Arc<Folder>,
}

/// What functions of annotations take: those of an item, and a model.
pub(super) const PARAMETERS: [Parameter; 3] = [
    Parameter::integers("the sources"),
    Parameter::integers("the labels"),
    Parameter { name: "the model", kind: Kind::Bytes },
];

/// A model up to so many bytes is part of the plan, which is shown, compared and sent again and again; a larger one is a file.
const MOST_IN_PLAN: usize = 1 << 16;

impl SqlAnnotations {
    /// Groups annotations, and keeps them in memory: of a session on one machine. A model that is too large for a plan becomes
    /// a file in the system's folder for such, for as long as the annotations are kept.
    ///
    /// # Errors
    ///
    /// No such columns; an item or a source of NULL, an index below 0 or far past what so few annotations number; the query
    /// fails.
    pub async fn in_memory(context: &SessionContext, annotations: DataFrame) -> Result<Self> {
        let shape = shape(&annotations).await?;
        let grouped = by_item(annotations)?;
        let schema = Arc::new(grouped.schema().as_arrow().clone());
        let parts = grouped.collect_partitioned().await?;
        let table = datafusion::datasource::MemTable::try_new(schema, parts)?;
        let folder = Arc::new(Folder::Own(TempDir::new()?));
        Ok(Self { items: context.read_table(Arc::new(table))?, shape, folder })
    }

    /// The same by way of a folder that this process and every executor see under the same path: the grouped annotations become
    /// a Parquet file in it, and a model that is too large for a plan a file for as long as it is needed. What posteriors are made
    /// of is left there.
    ///
    /// The rows come through this process, so that a task that was run again leaves nothing twice.
    ///
    /// # Errors
    ///
    /// As [`SqlAnnotations::in_memory`]; the folder cannot be written.
    pub async fn shared(context: &SessionContext, annotations: DataFrame, folder: impl Into<PathBuf>) -> Result<Self> {
        let (shape, folder) = (shape(&annotations).await?, folder.into());
        let file = NamedTempFile::new_in(&folder)?;
        let mut rows = by_item(annotations)?.execute_stream().await?;
        let mut writer = ArrowWriter::try_new(file, rows.schema(), None)?;
        while let Some(batch) = rows.next().await {
            writer.write(&batch?)?;
        }
        let path = folder.join(format!("items-{}.parquet", unique()));
        let file = writer.into_inner()?;
        file.persist(&path).map_err(|error| DataFusionError::from(error.error))?;
        let items = context.read_parquet(path.display().to_string(), ParquetReadOptions::default()).await?;
        Ok(Self { items, shape, folder: Arc::new(Folder::Given(folder)) })
    }

    /// Over how many classes, by the largest label.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.shape.classes
    }

    /// How many sources, by the largest.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.shape.sources
    }

    /// Fits: as [`DawidSkene::fit`].
    ///
    /// # Errors
    ///
    /// An option out of its range; a query fails.
    pub async fn fit(&self, method: &DawidSkene) -> Result<SqlFit> {
        let failed = |error| invalid("Dawid and Skene's method", error);
        let mut passes = Passes::new(method, self.shape).map_err(failed)?;
        let mut sums = self.pass(&Model::start(self.shape)).await?;
        let model = loop {
            let model = passes.maximise(&sums);
            sums = self.pass(&model).await?;
            if !passes.took(&model, &sums) {
                break model;
            }
        };
        let posterior = Scalar::DawidSkenePosterior.call(vec![col("sources"), col("labels"), self.plant(&model)?.0]);
        let posterior = self.items.clone().select(vec![col("item"), posterior.alias("posterior")])?;
        Ok(SqlFit { found: passes.fit(&model), posterior, _folder: Arc::clone(&self.folder) })
    }

    /// The sums of one pass over all items.
    async fn pass(&self, model: &Model) -> Result<Vec<i64>> {
        let (model, file) = self.plant(model)?;
        let call = Aggregate::DawidSkenePass.call(vec![col("sources"), col("labels"), model]);
        let rows = self.items.clone().aggregate(Vec::new(), vec![call.alias("sums")])?.collect().await?;
        if let Some(file) = file {
            fs::remove_file(file)?;
        }
        match rows.iter().find(|batch| batch.num_rows() > 0).map(|batch| batch.column(0).as_list::<i32>()) {
            Some(sums) if sums.is_valid(0) => Ok(sums.value(0).as_primitive::<Int64Type>().values().to_vec()),
            _ => exec_err!("there are no annotations; at least one is needed"),
        }
    }

    /// A model as a constant of a plan: its bytes, or the path of a file that was made for it.
    fn plant(&self, model: &Model) -> Result<(Expr, Option<PathBuf>)> {
        let bytes = model.to_bytes();
        if bytes.len() <= MOST_IN_PLAN {
            return Ok((lit(ScalarValue::Binary(Some(bytes))), None));
        }
        let path = self.folder.path().join(format!("model-{}.bin", unique()));
        fs::write(&path, bytes)?;
        Ok((lit(path.display().to_string()), Some(path)))
    }
}

/// A name that no other file of any process has.
fn unique() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{SystemTime, UNIX_EPOCH};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("{}-{since}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What annotations number.
async fn shape(annotations: &DataFrame) -> Result<Shape> {
    let integer = |name: &str| cast(col(name), DataType::Int64);
    let counted = vec![
        count(lit(1)),
        count(col("item")),
        count(col("source")),
        count(col("label")),
        min(integer("source")),
        max(integer("source")),
        min(integer("label")),
        max(integer("label")),
    ];
    let rows = annotations.clone().aggregate(Vec::new(), counted)?.collect().await?;
    let Some(row) = rows.iter().find(|batch| batch.num_rows() > 0) else {
        return exec_err!("counting annotations gave no row");
    };
    counted_first(&numbers(row))
}

fn numbers(row: &RecordBatch) -> Vec<Option<i64>> {
    row.columns().iter().map(|c| c.as_primitive::<Int64Type>()).map(|c| c.is_valid(0).then(|| c.value(0))).collect()
}

/// Annotations grouped by item.
fn by_item(annotations: DataFrame) -> Result<DataFrame> {
    let list = |name: &str| array_agg(cast(col(name), DataType::Int64));
    annotations
        .aggregate(vec![col("item")], vec![list("source").alias("sources"), list("label").alias("labels")])?
        .select(vec![col("item"), col("sources"), col("labels")])
}
