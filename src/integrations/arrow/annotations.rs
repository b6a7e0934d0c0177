//! Annotations by name: files and arrays whose items, sources and classes are integers or strings.

mod builder;
mod classes;
mod names;
mod options;
mod origin;
mod write;

use std::path::Path;

use arrow_array::ArrayRef;
use arrow_schema::Field;

pub use self::builder::NamedAnnotationsBuilder;
pub(super) use self::classes::{is_empty, listed};
pub use self::options::{EmptyLabel, NamedAnnotationsOptions};
use self::origin::Origin;
use super::Labels;
use super::layout::{ID_NAMES, named_column};
use super::table::{Column, Table};
use crate::error::{FileError, Result};
use crate::methods::truth::Annotations;

/// Names under which columns are looked for when none is given.
const SOURCE_NAMES: [&str; 4] = ["source", "worker", "annotator", "rater"];
const LABEL_NAMES: [&str; 3] = ["label", "answer", "class"];

/// Rows read together.
const ROWS: usize = 1 << 16;

/// Annotations with the names of their items, sources and classes.
///
/// Items and sources are numbered in the order in which they are first seen; classes are sorted, or stand in the order given
/// ([`NamedAnnotationsOptions::classes`]). While it is read, an annotation takes 12 bytes, and an integer id 13 or so, once.
///
/// # Examples
///
/// *Three judges, one of whom gave no answer, and what is known of one item.*
///
/// ```
/// use consilience::arrow::{LabelOptions, Labels, NamedAnnotations, NamedAnnotationsOptions};
/// use consilience::truth::{Annotations, majority};
///
/// let dir = tempfile::tempdir()?;
/// let (labels, truth) = (dir.path().join("labels.csv"), dir.path().join("truth.csv"));
/// std::fs::write(&labels, "item,worker,label\nq1,ann,yes\nq1,bob,no\nq2,ann,no\nq1,eve,yes\nq2,eve,\n")?;
/// std::fs::write(&truth, "item,truth\nq1,yes\nq9,no\n")?;
///
/// let named = NamedAnnotations::read(&labels, &NamedAnnotationsOptions::default())?;
/// assert_eq!(named.classes(), ["no", "yes"]);
/// assert_eq!(majority(named.annotations()), [1.0 / 3.0, 2.0 / 3.0, 1.0, 0.0]);
///
/// let gold = named.gold(&Labels::read_named(&truth, named.classes(), &LabelOptions::default())?);
/// assert_eq!((gold.pairs, gold.unknown), (vec![(0, 1)], 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct NamedAnnotations {
    annotations: Annotations,
    items: ArrayRef,
    item_field: Field,
    sources: ArrayRef,
    source_field: Field,
    classes: Vec<String>,
}

/// What is known of annotated items.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gold {
    /// Items and their classes, as [`Known::gold`](field@crate::truth::Known::gold) takes them, in the order of items.
    pub pairs: Vec<(u32, u32)>,
    /// How many labelled items nobody annotated.
    pub unknown: usize,
}

impl NamedAnnotations {
    /// Reads a `.parquet` or `.csv` file, batch by batch.
    ///
    /// # Errors
    ///
    /// The file cannot be read or has no such columns; those of [`NamedAnnotationsBuilder`].
    pub fn read(path: impl AsRef<Path>, options: &NamedAnnotationsOptions) -> Result<Self> {
        let path = path.as_ref();
        let table = Table::open(path)?;
        let item = named_column(&table, "ids", options.item.as_deref(), &ID_NAMES)?;
        let source = named_column(&table, "sources", options.source.as_deref(), &SOURCE_NAMES)?;
        let label = named_column(&table, "labels", options.label.as_deref(), &LABEL_NAMES)?;
        let columns = [item, source, label];
        let names = columns.map(|column| table.fields()[column].name().clone());
        for (a, b, roles) in [(0, 1, "items and sources"), (0, 2, "items and labels"), (1, 2, "sources and labels")] {
            if columns[a] == columns[b] {
                let why = format!("column `{}` cannot be both {roles}", names[a]);
                return Err(FileError::Layout { path: path.to_owned(), why }.into());
            }
        }
        let mut builder = NamedAnnotationsBuilder::of(options, Origin::File(path.to_owned()), names)?;
        builder.reserve(table.rows().unwrap_or_default());
        let mut scan = table.scan(&columns.map(|index| Column { index, float: false }), ROWS)?;
        while let Some(batch) = scan.next()? {
            builder.push(&batch.columns[0], &batch.columns[1], &batch.columns[2])?;
        }
        builder.finish()
    }

    /// Of arrays in memory: who (`sources`) said what (`labels`) of what (`items`); integers or strings.
    ///
    /// # Errors
    ///
    /// Those of [`NamedAnnotationsBuilder`].
    pub fn of_arrays(
        items: &ArrayRef,
        sources: &ArrayRef,
        labels: &ArrayRef,
        options: &NamedAnnotationsOptions,
    ) -> Result<Self> {
        let mut builder = NamedAnnotationsBuilder::new(options)?;
        builder.push(items, sources, labels)?;
        builder.finish()
    }

    /// The annotations by index.
    #[must_use]
    pub fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    /// The items' ids, of the type they came in.
    #[must_use]
    pub fn items(&self) -> &ArrayRef {
        &self.items
    }

    /// The column of items: its name and its type.
    #[must_use]
    pub fn item_field(&self) -> &Field {
        &self.item_field
    }

    /// The sources' names, of the type they came in.
    #[must_use]
    pub fn sources(&self) -> &ArrayRef {
        &self.sources
    }

    /// The column of sources: its name and its type.
    #[must_use]
    pub fn source_field(&self) -> &Field {
        &self.source_field
    }

    /// The names of the classes.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// What labels say of the annotated items.
    #[must_use]
    pub fn gold(&self, labels: &Labels) -> Gold {
        let of_items = labels.of_any_kind(&self.items);
        let pairs: Vec<(u32, u32)> = (0..).zip(of_items).filter_map(|(item, class)| Some((item, class?))).collect();
        let unknown = labels.len() - pairs.len();
        Gold { pairs, unknown }
    }
}
