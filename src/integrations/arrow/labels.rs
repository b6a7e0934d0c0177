//! Labels: what is known to be true of items.

use std::collections::HashMap;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::DataType;

use super::failure;
use super::ids::{IdRef, Ids};
use super::layout::id_column;
use super::table::{Column, Table};
use crate::error::{FileError, Result};

/// Rows read together.
const ROWS: usize = 1 << 16;

/// How to read a file of labels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelOptions {
    /// The column of item ids; `None`: the first of `item`, `item_id` and `id` that there is.
    pub id: Option<String>,
    /// The column of class indices; `None`: `label`, or else the first integer column beside the id.
    pub label: Option<String>,
}

/// The class of each labelled item, by the item's id; an integer id is the same in any integer type.
///
/// All labels are held in memory.
///
/// # Examples
///
/// *One of two items is labelled.*
///
/// ```
/// use consilience::arrow::{LabelOptions, Labels};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("labels.csv");
/// std::fs::write(&path, "item,label\n7,1\n9,0\n")?;
/// let labels = Labels::read(&path, 2, &LabelOptions::default())?;
/// let ids: arrow_array::ArrayRef = std::sync::Arc::new(arrow_array::UInt8Array::from(vec![7, 8]));
/// assert_eq!(labels.of(&ids), [Some(1), None]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Labels {
    numbers: HashMap<i64, u32>,
    /// Text, and in decimal the few numbers that are too large for the above.
    texts: HashMap<String, u32>,
}

impl Labels {
    /// Reads a `.parquet` or `.csv` file of ids and class indices. A null label is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read, has no such columns, names an id twice, or has a label outside [0, `classes`).
    pub fn read(path: impl AsRef<Path>, classes: usize, options: &LabelOptions) -> Result<Self> {
        let path = path.as_ref();
        let table = Table::open(path)?;
        let id = id_column(&table, options.id.as_deref())?;
        let label = label_column(&table, id, options.label.as_deref())?;
        let (id_name, label_name) = (table.fields()[id].name(), table.fields()[label].name());
        let mut scan = table.scan(&[id, label].map(|index| Column { index, float: false }), ROWS)?;
        let mut labels = Self::default();
        while let Some(batch) = scan.next()? {
            let ids = Ids::of_file(path, id_name, &batch.columns[0], batch.first_row)?;
            let options = CastOptions { safe: false, ..CastOptions::default() };
            let values = cast_with_options(&batch.columns[1], &DataType::Int64, &options)
                .map_err(|error| failure::reading(path, table.format(), error))?;
            for (row, value) in values.as_primitive::<Int64Type>().iter().enumerate() {
                let Some(value) = value else { continue };
                let at = |column: &String, why| FileError::Value {
                    path: path.to_owned(),
                    column: column.clone(),
                    row: batch.first_row + row as u64,
                    why,
                };
                let class = u32::try_from(value).ok().filter(|&class| (class as usize) < classes).ok_or_else(|| {
                    at(
                        label_name,
                        format!("label {value} is no class; of {classes} classes they are 0 to {}", classes - 1),
                    )
                })?;
                if labels.insert(ids.get(row), class).is_some() {
                    return Err(
                        at(id_name, format!("item `{}` is labelled twice; keep one label", ids.get(row))).into()
                    );
                }
            }
        }
        Ok(labels)
    }

    /// Number of labelled items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len() + self.texts.len()
    }

    /// Whether no item is labelled.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The labels of the items given by id; none for an item without a label, and for a type that holds no ids.
    #[must_use]
    pub fn of(&self, ids: &ArrayRef) -> Vec<Option<u32>> {
        let Some(column) = Ids::of(ids) else { return vec![None; ids.len()] };
        (0..column.len()).map(|row| if ids.is_valid(row) { self.get(column.get(row)) } else { None }).collect()
    }

    fn get(&self, id: IdRef<'_>) -> Option<u32> {
        match id {
            IdRef::Text(text) => self.texts.get(text).copied(),
            IdRef::Number(number) => match i64::try_from(number) {
                Ok(number) => self.numbers.get(&number).copied(),
                Err(_) => self.texts.get(&number.to_string()).copied(),
            },
        }
    }

    fn insert(&mut self, id: IdRef<'_>, class: u32) -> Option<u32> {
        match id {
            IdRef::Text(text) => self.texts.insert(text.to_owned(), class),
            IdRef::Number(number) => match i64::try_from(number) {
                Ok(number) => self.numbers.insert(number, class),
                Err(_) => self.texts.insert(number.to_string(), class),
            },
        }
    }
}

fn label_column(table: &Table, id: usize, wanted: Option<&str>) -> Result<usize> {
    let is_integer = |column: usize| table.fields()[column].data_type().is_integer();
    let column = match wanted {
        Some(name) => table.column(name)?,
        None => match table.find("label").or_else(|| (0..table.fields().len()).find(|&c| c != id && is_integer(c))) {
            Some(column) => column,
            None => table.column("label")?,
        },
    };
    // A column without any value yet is one of labels without any label yet.
    if column == id || !(is_integer(column) || table.fields()[column].data_type().is_null()) {
        let field = &table.fields()[column];
        let why = match column == id {
            true => format!("column `{}` cannot be both the id and the label", field.name()),
            false => format!("column `{}` is of type {}; labels are class indices", field.name(), field.data_type()),
        };
        return Err(FileError::Layout { path: table.path().to_owned(), why }.into());
    }
    Ok(column)
}
