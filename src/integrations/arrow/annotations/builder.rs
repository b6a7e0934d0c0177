//! Annotations out of arrays, one batch after another.

use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::Field;

use super::classes::{self, Classes};
use super::names::{AT_MOST, Names, Refused};
use super::options::{EmptyLabel, NamedAnnotationsOptions};
use super::origin::Origin;
use super::{LABEL_NAMES, NamedAnnotations, SOURCE_NAMES};
use crate::error::{Error, ErrorKind, LengthError, Result, TruthError};
use crate::integrations::arrow::ids::Ids;
use crate::integrations::arrow::layout::ID_NAMES;
use crate::methods::truth::{ABSTAINED, Annotations, AnnotationsOptions};

/// Takes annotations batch by batch: 12 bytes each, and every name once.
///
/// # Examples
///
/// *Two batches; labels are sorted into classes by number.*
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_array::{ArrayRef, Int32Array, StringArray};
/// use consilience::arrow::{NamedAnnotationsBuilder, NamedAnnotationsOptions};
///
/// let text = |values: &[&str]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
/// let numbers = |values: &[i32]| -> ArrayRef { Arc::new(Int32Array::from(values.to_vec())) };
/// let mut builder = NamedAnnotationsBuilder::new(&NamedAnnotationsOptions::default())?;
/// builder.push(&text(&["x", "y"]), &numbers(&[7, 7]), &numbers(&[10, 2]))?;
/// builder.push(&text(&["x"]), &numbers(&[8]), &numbers(&[2]))?;
/// let named = builder.finish()?;
/// assert_eq!(named.classes(), ["2", "10"]);
/// assert_eq!(named.annotations().of_item(0).collect::<Vec<_>>(), [(0, 1), (1, 0)]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct NamedAnnotationsBuilder {
    options: NamedAnnotationsOptions,
    origin: Origin,
    /// Of items, sources and labels.
    columns: [Column; 3],
    /// The row each label was first seen in.
    label_rows: Vec<u64>,
    /// Rows that are no annotation.
    left_out: Vec<u64>,
    rows: u64,
}

/// One of the three columns: its distinct names, and which of them stands in each row.
#[derive(Debug)]
struct Column {
    name: String,
    names: Option<Names>,
    indices: Vec<u32>,
}

impl NamedAnnotationsBuilder {
    /// Of nothing yet. The names of the columns in the options are those that errors name.
    ///
    /// # Errors
    ///
    /// No class, two of one name, or one that is an abstention.
    pub fn new(options: &NamedAnnotationsOptions) -> Result<Self> {
        let name = |wanted: &Option<String>, default: &str| wanted.clone().unwrap_or_else(|| default.to_owned());
        let names = [
            name(&options.item, ID_NAMES[0]),
            name(&options.source, SOURCE_NAMES[0]),
            name(&options.label, LABEL_NAMES[0]),
        ];
        Self::of(options, Origin::Arrays, names)
    }

    pub(super) fn of(options: &NamedAnnotationsOptions, origin: Origin, names: [String; 3]) -> Result<Self> {
        classes::check(options, &origin, &names[2])?;
        let columns = names.map(|name| Column { name, names: None, indices: Vec::new() });
        let (options, label_rows, left_out) = (options.clone(), Vec::new(), Vec::new());
        Ok(Self { options, origin, columns, label_rows, left_out, rows: 0 })
    }

    /// Makes room for so many, where there is.
    pub(super) fn reserve(&mut self, annotations: u64) {
        let annotations = annotations.min(AT_MOST as u64) as usize;
        // A file may say anything of its rows; where it lies, room is made as they come.
        let _ = self.columns.iter_mut().try_for_each(|column| column.indices.try_reserve_exact(annotations));
    }

    /// Appends annotations: who (`sources`) said what (`labels`) of what (`items`); integers or strings.
    ///
    /// # Errors
    ///
    /// Arrays of different lengths or of a type that holds no ids, or another one than before; an item or a source that is
    /// null; an empty label where they are rejected; more than 2^32 - 2 annotations, items or sources. After an error the
    /// builder is of no use.
    pub fn push(&mut self, items: &ArrayRef, sources: &ArrayRef, labels: &ArrayRef) -> Result<()> {
        LengthError::check("the array of sources", items.len(), sources.len())?;
        LengthError::check("the array of labels", items.len(), labels.len())?;
        let first = self.rows;
        self.rows += items.len() as u64;
        let [of_items, of_sources, of_labels] = &mut self.columns;
        let (origin, start) = (&self.origin, of_items.indices.len());
        for (column, array) in [(&mut *of_items, items), (&mut *of_sources, sources)] {
            if let Some(row) = nulls(array).and_then(|nulls| nulls.iter().position(|valid| !valid)) {
                let why = "it is null; every row needs a value here".to_owned();
                return Err(origin.value(&column.name, first + row as u64, why));
            }
            column.push(origin, array, None, first, |_| {})?;
        }
        let (rows, empty) = (&mut self.label_rows, empty(labels));
        of_labels.push(origin, labels, empty.as_ref(), first, |row| rows.push(first + row as u64))?;
        if let Some(empty) = empty {
            self.empty_labels(&empty, first, start)?;
        }
        let given = self.columns[0].indices.len();
        if given > AT_MOST {
            return Err(
                TruthError::TooMany { what: "annotations", given: given as u64, at_most: AT_MOST as u64 }.into()
            );
        }
        Ok(())
    }

    /// What becomes of labels that are none, among the annotations from `start` on.
    fn empty_labels(&mut self, empty: &NullBuffer, first: u64, start: usize) -> Result<()> {
        let rows = (0..empty.len()).filter(|&row| empty.is_null(row)).map(|row| first + row as u64);
        match self.options.empty {
            EmptyLabel::Abstained => {}
            EmptyLabel::Missing => {
                self.left_out.extend(rows);
                for column in &mut self.columns {
                    let mut kept = start;
                    for row in empty.valid_indices() {
                        column.indices[kept] = column.indices[start + row];
                        kept += 1;
                    }
                    column.indices.truncate(kept);
                }
            }
            EmptyLabel::Reject => {
                if let Some(row) = rows.into_iter().next() {
                    let why = "the label is empty; every row needs one here".to_owned();
                    return Err(self.origin.value(&self.columns[2].name, row, why));
                }
            }
        }
        Ok(())
    }

    /// The annotations, sorted.
    ///
    /// # Errors
    ///
    /// No annotation; a label that is none of the classes; a number that is no integer among labels whose classes were not
    /// given; nobody gave a label, and no classes were given; a duplicate where they are rejected: the first. More than
    /// 2^32 - 2 labels of sources.
    pub fn finish(self) -> Result<NamedAnnotations> {
        let Self { options, origin, columns: [items, sources, labels], label_rows, left_out, .. } = self;
        let (Some(of_items), Some(of_sources), Some(of_labels)) = (items.names, sources.names, labels.names) else {
            return Err(origin.column(&items.name, "it has no rows; at least one annotation is needed"));
        };
        if items.indices.is_empty() {
            return Err(origin.column(&labels.name, "all labels are missing; at least one annotation is needed"));
        }
        let field = |name: &str, ids: &ArrayRef| Field::new(name, ids.data_type().clone(), false);
        let (item_ids, source_ids) = (of_items.finish(), of_sources.finish());
        let classes = Classes::of(&of_labels.finish(), &label_rows, &options, &origin, &labels.name)?;
        let mut codes = labels.indices;
        for code in codes.iter_mut().filter(|code| **code != ABSTAINED) {
            *code = classes.of_label[*code as usize];
        }
        let sizes = AnnotationsOptions {
            items: Some(item_ids.len()),
            sources: Some(source_ids.len()),
            duplicates: options.duplicates,
        };
        let annotations = Annotations::with(classes.names.len(), &items.indices, &sources.indices, &codes, &sizes)
            .map_err(|error| duplicate(error, &origin, &items.name, [&item_ids, &source_ids], &left_out))?;
        Ok(NamedAnnotations {
            annotations,
            item_field: field(&items.name, &item_ids),
            items: item_ids,
            source_field: field(&sources.name, &source_ids),
            sources: source_ids,
            classes: classes.names,
        })
    }
}

impl Column {
    /// Numbers the names in an array.
    fn push(
        &mut self,
        origin: &Origin,
        array: &ArrayRef,
        nulls: Option<&NullBuffer>,
        first: u64,
        seen: impl FnMut(usize),
    ) -> Result<()> {
        let Some(ids) = Ids::of(array) else {
            let why = format!("it is of type {}; integers or strings are needed", array.data_type());
            return Err(origin.column(&self.name, &why));
        };
        let names = self.names.get_or_insert_with(|| Names::new(array.data_type(), &ids));
        names.index(&ids, nulls, &mut self.indices, seen).map_err(|refused| match refused {
            Refused::OtherKind => {
                let why = format!("it is of type {} here and of type {} before", array.data_type(), names.data_type());
                origin.column(&self.name, &why)
            }
            Refused::TooMany { row } => {
                let why = format!("it is the name after {AT_MOST} others; so many are possible");
                origin.value(&self.name, first + row as u64, why)
            }
        })
    }
}

/// Which rows are null, if any is.
fn nulls(array: &ArrayRef) -> Option<NullBuffer> {
    array.logical_nulls().filter(|nulls| nulls.null_count() > 0)
}

/// Which labels are none, as nulls, if any is: nulls, and blanks.
fn empty(labels: &ArrayRef) -> Option<NullBuffer> {
    let nulls = nulls(labels);
    let Some(texts @ Ids::Text(_)) = Ids::of(labels) else { return nulls };
    let blank = NullBuffer::from_iter((0..texts.len()).map(|row| !classes::is_empty(texts.get(row))));
    NullBuffer::union(nulls.as_ref(), Some(&blank)).filter(|empty| empty.null_count() > 0)
}

/// A duplicate by its names and rows; other errors as they are.
fn duplicate(error: Error, origin: &Origin, column: &str, [items, sources]: [&ArrayRef; 2], left_out: &[u64]) -> Error {
    let ErrorKind::Truth(TruthError::Duplicate { first, second, source_index, item }) = error.kind() else {
        return error;
    };
    let name = |array: &ArrayRef, index: u32| Ids::of(array).map(|ids| ids.get(index as usize).to_string());
    let (item, source) = (name(items, *item).unwrap_or_default(), name(sources, *source_index).unwrap_or_default());
    let why = format!(
        "source `{source}` labelled item `{item}` before, in row {}; keep all, or the last",
        row_of(*first, left_out)
    );
    origin.value(column, row_of(*second, left_out), why)
}

/// The row of an annotation among those that are none.
fn row_of(annotation: usize, left_out: &[u64]) -> u64 {
    let mut row = annotation as u64;
    for &other in left_out {
        if other > row {
            break;
        }
        row += 1;
    }
    row
}
