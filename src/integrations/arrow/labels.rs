//! Labels: what is known to be true of items.

use std::collections::HashMap;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::DataType;

use super::annotations::{is_empty, listed};
use super::failure;
use super::ids::{IdRef, Ids};
use super::layout::{ID_NAMES, id_column, named_column};
use super::table::{Column, Table};
use crate::error::{Error, FileError, Result};

/// Rows read together.
const ROWS: usize = 1 << 16;

/// Columns in which names of classes are looked for.
const NAME_COLUMNS: [&str; 4] = ["label", "truth", "class", "answer"];

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
        Self::scan(&table, [id, label], |labels, to| {
            let options = CastOptions { safe: false, ..CastOptions::default() };
            let values = cast_with_options(labels, &DataType::Int64, &options)
                .map_err(|error| failure::reading(path, table.format(), error))?;
            to.extend(values.as_primitive::<Int64Type>().iter().map(|value| {
                let Some(value) = value else { return Ok(None) };
                let class = u32::try_from(value).ok().filter(|&class| (class as usize) < classes);
                class.map(Some).ok_or_else(|| {
                    format!("label {value} is no class; of {classes} classes they are 0 to {}", classes - 1)
                })
            }));
            Ok(())
        })
    }

    /// Reads a `.parquet` or `.csv` file of ids and names of classes; integers are names in decimal. A null label is none, and
    /// one of nothing but blanks.
    ///
    /// Where no columns are named, the ids stand in `item`, `item_id`, `id` or `task` and the labels in `label`, `truth`, `class`
    /// or `answer`: the first that there is.
    ///
    /// # Errors
    ///
    /// The file cannot be read, has no such columns, names an id twice, or has a label that names none of the `classes`.
    pub fn read_named(path: impl AsRef<Path>, classes: &[String], options: &LabelOptions) -> Result<Self> {
        let table = Table::open(path.as_ref())?;
        let id = named_column(&table, "ids", options.id.as_deref(), &ID_NAMES)?;
        let label = named_column(&table, "labels", options.label.as_deref(), &NAME_COLUMNS)?;
        if id == label {
            return Err(both(&table, id));
        }
        let places: HashMap<String, usize> = classes.iter().cloned().zip(0..).collect();
        Self::scan(&table, [id, label], |labels, to| {
            let Some(names) = Ids::of(labels) else { return Ok(()) };
            to.extend((0..names.len()).map(|row| {
                let name = names.get(row);
                if labels.is_null(row) || is_empty(name) {
                    return Ok(None);
                }
                let class = name.look_up(&places).map(|class| Some(class as u32));
                class.ok_or_else(|| format!("label `{name}` is none of the classes, {}", listed(classes)))
            }));
            Ok(())
        })
    }

    /// Reads columns of ids and labels; `classes` appends the class of each label, or what is wrong with it.
    fn scan(
        table: &Table,
        [id, label]: [usize; 2],
        classes: impl Fn(&ArrayRef, &mut Vec<Result<Option<u32>, String>>) -> Result<()>,
    ) -> Result<Self> {
        let path = table.path();
        let (id_name, label_name) = (table.fields()[id].name(), table.fields()[label].name());
        let mut scan = table.scan(&[id, label].map(|index| Column { index, float: false }), ROWS)?;
        let (mut labels, mut of_rows) = (Self::default(), Vec::new());
        while let Some(batch) = scan.next()? {
            let ids = Ids::of_file(path, id_name, &batch.columns[0], batch.first_row)?;
            classes(&batch.columns[1], &mut of_rows)?;
            for (row, class) in of_rows.drain(..).enumerate() {
                let at = |column: &String, why| FileError::Value {
                    path: path.to_owned(),
                    column: column.clone(),
                    row: batch.first_row + row as u64,
                    why,
                };
                let Some(class) = class.map_err(|why| at(label_name, why))? else { continue };
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

    /// The same, where a number is what text says in decimal, too: of two CSV files of the same items one may have numbers
    /// alone, and the other text as well.
    pub(super) fn of_any_kind(&self, ids: &ArrayRef) -> Vec<Option<u32>> {
        let Some(column) = Ids::of(ids) else { return vec![None; ids.len()] };
        let get = |row: usize| {
            let id = column.get(row);
            self.get(id).or_else(|| match id {
                IdRef::Number(number) if !self.texts.is_empty() => self.texts.get(&number.to_string()).copied(),
                IdRef::Text(text) if !self.numbers.is_empty() => {
                    let number = text.parse::<i64>().ok().filter(|number| number.to_string() == text)?;
                    self.numbers.get(&number).copied()
                }
                _ => None,
            })
        };
        (0..column.len()).map(get).collect()
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
    if column == id {
        return Err(both(table, id));
    }
    // A column without any value yet is one of labels without any label yet.
    if !(is_integer(column) || table.fields()[column].data_type().is_null()) {
        let field = &table.fields()[column];
        let why = format!("column `{}` is of type {}; labels are class indices", field.name(), field.data_type());
        return Err(FileError::Layout { path: table.path().to_owned(), why }.into());
    }
    Ok(column)
}

fn both(table: &Table, column: usize) -> Error {
    let why = format!("column `{}` cannot be both the id and the label", table.fields()[column].name());
    FileError::Layout { path: table.path().to_owned(), why }.into()
}
