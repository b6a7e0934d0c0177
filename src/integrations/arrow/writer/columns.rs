//! The columns of a fused file.

use std::sync::Arc;

use arrow_array::{ArrayRef, FixedSizeListArray, Float32Array, UInt32Array};
use arrow_schema::{DataType, Field, Schema};

use crate::integrations::arrow::Format;
use crate::tensor::{Fused, Output, Outputs};

/// Values of an output per item.
pub(super) fn width(output: Output, classes: usize) -> usize {
    if output == Output::Posterior { classes } else { 1 }
}

/// The id's field, then the outputs' in the order of `Output::ALL`.
pub(super) fn schema(id: &Field, classes: usize, outputs: Outputs, format: Format) -> Schema {
    let mut fields = vec![id.clone()];
    for output in outputs.iter() {
        match (output, format) {
            (Output::Posterior, Format::Parquet) => fields.push(Field::new(output.name(), lists_of(classes), false)),
            (Output::Posterior, Format::Csv) => fields.extend(
                (0..classes).map(|class| Field::new(format!("{}.{class}", output.name()), DataType::Float32, false)),
            ),
            (Output::Decision | Output::Flags, _) => fields.push(Field::new(output.name(), DataType::UInt32, false)),
            _ => fields.push(Field::new(output.name(), DataType::Float32, false)),
        }
    }
    Schema::new(fields)
}

/// The columns of that schema.
pub(super) fn columns(
    ids: &ArrayRef,
    fused: &Fused,
    classes: usize,
    outputs: Outputs,
    format: Format,
) -> Vec<ArrayRef> {
    let mut columns: Vec<ArrayRef> = vec![Arc::clone(ids)];
    for output in outputs.iter() {
        let values = fused.values(output).unwrap_or_default();
        match (output, format) {
            (Output::Posterior, Format::Parquet) => columns.extend(lists(values, classes)),
            (Output::Posterior, Format::Csv) => columns.extend((0..classes).map(|class| -> ArrayRef {
                Arc::new(Float32Array::from_iter_values(values.iter().skip(class).step_by(classes).copied()))
            })),
            _ => columns.push(match fused.integers(output) {
                Some(integers) => Arc::new(UInt32Array::from_iter_values(integers.iter().copied())),
                None => Arc::new(Float32Array::from_iter_values(values.iter().copied())),
            }),
        }
    }
    columns
}

fn lists_of(classes: usize) -> DataType {
    DataType::FixedSizeList(Arc::new(element()), i32::try_from(classes).unwrap_or(i32::MAX))
}

fn lists(values: &[f32], classes: usize) -> Option<ArrayRef> {
    let values: ArrayRef = Arc::new(Float32Array::from_iter_values(values.iter().copied()));
    let lists = FixedSizeListArray::try_new(Arc::new(element()), i32::try_from(classes).ok()?, values, None).ok()?;
    Some(Arc::new(lists))
}

fn element() -> Field {
    Field::new("element", DataType::Float32, false)
}
