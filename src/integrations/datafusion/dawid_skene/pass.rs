//! A pass over items, with what is known of sources.

use std::fs;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, ListArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Float32Type};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err};

use super::items::Items;
use crate::error::PartialError;
use crate::integrations::datafusion::failure::invalid;
use crate::integrations::datafusion::groups::{Tally, failed};
use crate::integrations::datafusion::list::ListType;
use crate::methods::partial::add;
use crate::methods::truth::passes::{Model, Shape};

/// What is counted of items, their posteriors being by a model.
#[derive(Debug)]
pub(in crate::integrations::datafusion) struct Pass(pub Model);

impl Pass {
    /// With the model that a constant is, or whose file it names; without one, a pass whose type alone matters.
    pub(in crate::integrations::datafusion) fn with(model: Option<&ScalarValue>) -> Result<Self> {
        let shape = Shape { sources: 0, classes: 1, symbols: 1 };
        Ok(Self(model.map(read).transpose()?.unwrap_or_else(|| Model::start(shape))))
    }
}

fn read(model: &ScalarValue) -> Result<Model> {
    let model = match model {
        ScalarValue::Binary(Some(bytes)) => Model::from_bytes(bytes),
        ScalarValue::Utf8(Some(path)) => {
            let bytes = fs::read(path).map_err(|error| {
                DataFusionError::from(error)
                    .context(format!("the model of sources in {path}, which every executor must see"))
            })?;
            Model::from_bytes(&bytes)
        }
        other => return exec_err!("a model of sources is its bytes or the path of its file, and not {other}"),
    };
    model.map_err(|error| invalid("Dawid and Skene's method", error))
}

impl Tally for Pass {
    type Rows = Items;

    const BY_CLASS: bool = false;

    fn read(&self, arguments: &[ArrayRef], _: Option<usize>) -> Result<Items> {
        Items::of(arguments, self.0.shape)
    }

    fn classes(_: &Items) -> Option<usize> {
        Some(0)
    }

    fn width(&self, _: usize) -> usize {
        self.0.shape.width()
    }

    fn classes_of(&self, _: usize) -> usize {
        0
    }

    fn write(&self, items: &Items, row: usize, part: &mut [i64]) -> Result<bool> {
        part.fill(0);
        self.add(items, row, &mut [], part)
    }

    /// A part would be as long as all sums, of which an item touches few.
    fn add(&self, items: &Items, row: usize, _: &mut [i64], sums: &mut [i64]) -> Result<bool> {
        let mut posterior = vec![0.0; self.0.shape.classes];
        self.0.count(items.said(row), &mut posterior, sums).map_err(failed)?;
        Ok(true)
    }

    fn merge(&self, sums: &mut [i64], part: &[i64]) -> Result<(), PartialError> {
        add(sums, part)
    }

    fn finish(&self, sums: &[i64], groups: usize, _: Option<usize>) -> Result<ArrayRef> {
        let item = Arc::new(Field::new_list_field(DataType::Int64, true));
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(self.width(0), groups));
        Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(Int64Array::from(sums.to_vec())), None)?))
    }
}

/// The type of posteriors by a model.
pub(in crate::integrations::datafusion) fn posterior_type(model: Option<&ScalarValue>) -> Result<DataType> {
    match model {
        Some(model) => Ok(ListType(Some(read(model)?.shape.classes)).with(DataType::Float32)),
        None => exec_err!("a model of sources must be a constant"),
    }
}

/// The posterior of each item by a model.
pub(in crate::integrations::datafusion) fn posteriors(arguments: &[ArrayRef], model: &ScalarValue) -> Result<ArrayRef> {
    let model = read(model)?;
    let (items, classes) = (Items::of(arguments, model.shape)?, model.shape.classes);
    let mut values = Vec::with_capacity(items.len() * classes);
    let mut posterior = vec![0.0; classes];
    for row in 0..items.len() {
        model.expect(items.said(row), &mut posterior);
        values.extend(posterior.iter().map(|&p| p as f32));
    }
    ListType(Some(classes)).array::<Float32Type>(classes, values, None, items.len())
}
