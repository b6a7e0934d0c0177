//! Opinions that stand side by side, fused by any rule on an engine.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::Float32Type;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::ColumnarValue;

use crate::engine::Engine;
use crate::integrations::datafusion::failure::invalid;
use crate::integrations::datafusion::list::{ListType, Lists};
use crate::spec::{Fusion, Rule};
use crate::tensor::{Evidence, Output};

/// The posteriors of rows; of one without any opinion, NULL.
pub(super) fn fused(rule: &ColumnarValue, opinions: &[ArrayRef], rows: usize, list: ListType) -> Result<ArrayRef> {
    let fusion = fusion(rule)?;
    let mut classes = None;
    let mut lists = Vec::with_capacity(opinions.len());
    for opinion in opinions {
        let read = Lists::of(opinion, classes, "an opinion")?;
        classes = read.length;
        lists.push(read);
    }
    let Some(classes) = classes.filter(|_| rows > 0) else {
        return list.array::<Float32Type>(0, Vec::new(), (rows > 0).then(|| NullBuffer::new_null(rows)), rows);
    };
    let planes: Vec<Cow<'_, [f32]>> = lists.iter().map(|list| plane(list, rows, classes)).collect();
    let planes: Vec<&[f32]> = planes.iter().map(|plane| &**plane).collect();
    let present: Vec<Option<Vec<bool>>> =
        lists.iter().map(|list| list.nulls().map(|nulls| nulls.iter().collect())).collect();
    let failed = |error| invalid("fuse", error);
    let mut evidence = Evidence::probabilities(classes, &planes).map_err(failed)?;
    for (source, present) in present.iter().enumerate() {
        if let Some(present) = present {
            evidence = evidence.with_presence(source, present).map_err(failed)?;
        }
    }
    let posterior = engine()?.fuse(&fusion, &evidence).map_err(failed)?.posterior().to_vec();
    let nulls = NullBuffer::from_iter((0..rows).map(|row| lists.iter().any(|list| list.is_there(row))));
    list.array::<Float32Type>(classes, posterior, (nulls.null_count() > 0).then_some(nulls), rows)
}

/// The opinions of one column end to end; of those that are not there, whatever.
fn plane(list: &Lists, rows: usize, classes: usize) -> Cow<'_, [f32]> {
    let whole = (0..rows).all(|row| list.place(row) == (row * classes..(row + 1) * classes));
    if whole {
        return Cow::Borrowed(&list.values()[..rows * classes]);
    }
    let mut plane = vec![0.0; rows * classes];
    for (row, to) in plane.chunks_exact_mut(classes).enumerate() {
        if let Some(opinion) = list.row(row) {
            to.copy_from_slice(opinion);
        }
    }
    Cow::Owned(plane)
}

/// What the first argument says: the name of a rule, or a fusion as JSON.
fn fusion(rule: &ColumnarValue) -> Result<Fusion> {
    let ColumnarValue::Scalar(ScalarValue::Utf8(Some(text))) = rule else {
        return exec_err!("the rule of fuse must be a constant text: the name of a rule, or a fusion as JSON");
    };
    let fusion = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| {
            datafusion::common::DataFusionError::External(Box::new(error)).context("the fusion of fuse")
        })?
    } else {
        Fusion::new(Rule::from_str(text).map_err(|error| invalid("fuse", error))?)
    };
    Ok(fusion.outputs(&[Output::Posterior]))
}

/// The engine of all queries of this process: partitions are already one to a core, and a batch is too small for a GPU.
fn engine() -> Result<Arc<Engine>> {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    if let Some(engine) = ENGINE.get() {
        return Ok(Arc::clone(engine));
    }
    let engine = Arc::new(Engine::cpu().map_err(|error| invalid("fuse", error))?);
    Ok(Arc::clone(ENGINE.get_or_init(|| engine)))
}
