//! Annotations as a table has them.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::{Result, exec_err, internal_err};

use crate::methods::truth::passes::Shape;

/// The most sources, and the most classes: more are rather no indices.
const MOST: i64 = 1 << 24;

/// What annotations number, from their counts (of all, of items, of sources, of labels) and from the least and the largest
/// source and label.
pub(super) fn counted_first(numbers: &[Option<i64>]) -> Result<Shape> {
    let [Some(all), Some(items), Some(sources), Some(labels), least_source, most_source, least_label, most_label] =
        *numbers
    else {
        return internal_err!("counting annotations gave {numbers:?}");
    };
    if all == 0 {
        return exec_err!("there are no annotations; at least one is needed");
    }
    for (what, present) in [("item", items), ("source", sources)] {
        if present < all {
            return exec_err!("of {all} annotations {} have NULL for their {what}; leave them out", all - present);
        }
    }
    let count = |what: &str, least: Option<i64>, most: Option<i64>| match (least, most) {
        (Some(0..), Some(most @ ..MOST)) => Ok(most as usize + 1),
        (Some(least @ ..0), _) => exec_err!("there is a {what} of {least}; {what}s are integers from 0"),
        (_, Some(most)) => exec_err!("there is a {what} of {most}; number those that there are, from 0"),
        _ => exec_err!("all {what}s are NULL; at least one is needed"),
    };
    let classes = count("label", least_label, most_label)?;
    let sources = count("source", least_source, most_source)?;
    Ok(Shape { sources, classes, symbols: classes + usize::from(labels < all) })
}

/// Items of a batch: of each the sources, and what they said.
#[derive(Debug)]
pub(in crate::integrations::datafusion) struct Items {
    classes: usize,
    sources: ListArray,
    labels: ListArray,
    source_values: Int64Array,
    label_values: Int64Array,
}

impl Items {
    /// Reads columns of lists of integers, each pair of lists of one length, all within the shape.
    pub(in crate::integrations::datafusion) fn of(arguments: &[ArrayRef], shape: Shape) -> Result<Self> {
        let [sources, labels] = [0, 1].map(|place| arguments[place].as_list::<i32>().clone());
        let [source_values, label_values] =
            [&sources, &labels].map(|lists| lists.values().as_primitive::<Int64Type>().clone());
        let items = Self { classes: shape.classes, sources, labels, source_values, label_values };
        for row in 0..items.len() {
            let Self { sources, labels, .. } = &items;
            if sources.is_null(row) || labels.is_null(row) || sources.value_length(row) != labels.value_length(row) {
                return exec_err!("row {row} of a batch of items has not as many labels as sources");
            }
            let is_in = |&(source, symbol): &(usize, usize)| source < shape.sources && symbol < shape.symbols;
            if let Some((source, label)) = items.said(row).find(|said| !is_in(said)) {
                return exec_err!(
                    "row {row} of a batch of items has label {label} of source {source}; the model has {} sources and {} answers",
                    shape.sources,
                    shape.symbols
                );
            }
        }
        Ok(items)
    }

    pub(in crate::integrations::datafusion) fn len(&self) -> usize {
        self.sources.len()
    }

    /// The sources of an item, each with its label; that of none is the number of classes.
    pub(in crate::integrations::datafusion) fn said(&self, row: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
        let place = |lists: &ListArray| {
            let offsets = lists.value_offsets();
            offsets[row] as usize..offsets[row + 1] as usize
        };
        let index = |value: i64| usize::try_from(value).unwrap_or(usize::MAX);
        let label = move |at: usize| {
            if self.label_values.is_valid(at) { index(self.label_values.value(at)) } else { self.classes }
        };
        place(&self.sources)
            .zip(place(&self.labels))
            .map(move |(source, at)| (index(self.source_values.value(source)), label(at)))
    }
}
