//! Which columns of a file are evidence, and in which of the two layouts.

mod detect;

#[cfg(feature = "serve")]
pub(super) use self::detect::is_list;
pub(super) use self::detect::{ID_NAMES, id_column, named_column};

use std::path::PathBuf;

use arrow_schema::Field;

use super::table::Column;

/// Where the evidence stands in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Layout {
    /// One row per item: the sources and their columns.
    Wide(Vec<(String, Opinion)>),
    /// One row per item and source.
    Long { source: usize, opinion: Opinion },
}

/// The columns that hold one source's opinion.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Opinion {
    /// One column of lists.
    List(usize),
    /// One column per class.
    Scalars(Vec<usize>),
}

/// What was found out about a file from its columns alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub id: usize,
    pub layout: Layout,
    /// Names of the classes, where columns are named after them.
    pub class_names: Option<Vec<String>>,
}

/// Where evidence came from, so that it can be pointed at.
#[derive(Debug)]
pub(super) struct Origin {
    pub path: PathBuf,
    /// The id column: its name, its type, whether it may be null.
    pub id: Field,
    pub sources: Vec<String>,
    pub classes: usize,
    pub class_names: Option<Vec<String>>,
    /// Per source the names of its columns: one, or one per class.
    pub columns: Vec<Vec<String>>,
}

impl Opinion {
    pub fn columns(&self) -> Vec<Column> {
        match self {
            Self::List(index) => vec![Column { index: *index, float: false }],
            Self::Scalars(indices) => indices.iter().map(|&index| Column { index, float: true }).collect(),
        }
    }
}

impl Origin {
    /// The column to look at for what a source says, of one class or of all.
    pub fn column(&self, source: usize, class: Option<usize>) -> String {
        let columns = &self.columns[source];
        match (columns.as_slice(), class) {
            ([only], _) => only.clone(),
            (columns, Some(class)) => columns[class].clone(),
            ([first, .., last], None) => format!("{first}` to `{last}"),
            ([], None) => self.sources[source].clone(),
        }
    }
}
