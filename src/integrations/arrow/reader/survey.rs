//! What must be known of a file before its opinions are read.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::error::{Error, FileError, Result};
use crate::integrations::arrow::ids::{Id, IdRef, Ids};
use crate::integrations::arrow::layout::{Layout, Opinion};
use crate::integrations::arrow::plane::list_len;
use crate::integrations::arrow::table::{Column, Table};

/// Rows looked at together; without opinions they are small.
const ROWS: usize = 1 << 16;

/// Rows of lists looked at together while none was found that is not null.
const LIST_ROWS: usize = 1 << 10;

/// More sources than this are a sign that the column holds something else, and would not fit memory.
const MOST_SOURCES: usize = 1 << 16;

/// A long file's sources and the number of its items. Taking it checks that the rows are sorted by item, which needs no
/// memory, unlike checking that they are grouped.
#[derive(Debug)]
pub(super) struct Survey {
    pub sources: Vec<String>,
    pub items: u64,
}

impl Survey {
    pub fn of(table: &Table, id: usize, source: usize, wanted: Option<&[String]>) -> Result<Self> {
        let mut scan = table.scan(&[id, source].map(|index| Column { index, float: false }), ROWS)?;
        let name = |column: usize| table.fields()[column].name();
        let (mut order, mut last, mut seen) = (None, None::<Id>, Seen::new());
        let mut items = 0;
        while let Some(batch) = scan.next()? {
            let ids = Ids::of_file(table.path(), name(id), &batch.columns[0], batch.first_row)?;
            let sources = Ids::of_file(table.path(), name(source), &batch.columns[1], batch.first_row)?;
            for row in 0..ids.len() {
                let here = ids.get(row);
                let before = if row > 0 { Some(ids.get(row - 1)) } else { last.as_ref().map(Id::as_ref) };
                let step = before.map_or(Ordering::Less, |before| before.cmp(&here));
                let value_error = |column: usize, why| {
                    Error::from(FileError::Value {
                        path: table.path().to_owned(),
                        column: name(column).clone(),
                        row: batch.first_row + row as u64,
                        why,
                    })
                };
                if step != Ordering::Equal {
                    if before.is_some() && *order.get_or_insert(step) != step {
                        return Err(value_error(
                            id,
                            format!(
                                "the rows are not sorted by item: `{here}` stands {} the ids before it; sort the file by `{}`",
                                if order == Some(Ordering::Less) { "below" } else { "above" },
                                name(id),
                            ),
                        ));
                    }
                    items += 1;
                }
                match seen.see(sources.get(row), items, batch.first_row + row as u64) {
                    Sight::Fine => {}
                    Sight::Again(first) => {
                        let source = sources.get(row);
                        return Err(value_error(
                            id,
                            format!(
                                "item `{here}` has source `{source}` twice, in row {first} and here; keep one of them"
                            ),
                        ));
                    }
                    Sight::TooMany => {
                        return Err(value_error(
                            source,
                            format!("more than {MOST_SOURCES} sources; is this the source?"),
                        ));
                    }
                }
            }
            if let Some(end) = ids.len().checked_sub(1) {
                last = Some(ids.get(end).to_owned());
            }
        }
        let sources = match wanted {
            None => seen.sorted(),
            Some(wanted) => match wanted.iter().find(|name| !seen.met(name)) {
                None => wanted.to_vec(),
                Some(name) => {
                    let why = format!("no row has source `{name}`; there are {}", seen.sorted().join(", "));
                    return Err(FileError::Layout { path: table.path().to_owned(), why }.into());
                }
            },
        };
        if sources.is_empty() {
            let why = "it has no rows, so that its sources are unknown".to_owned();
            return Err(FileError::Layout { path: table.path().to_owned(), why }.into());
        }
        Ok(Self { sources, items })
    }
}

/// The sources met so far, and in which item and row each was met last.
struct Seen {
    places: HashMap<String, usize>,
    names: Vec<Id>,
    last: Vec<(u64, u64)>,
}

enum Sight {
    Fine,
    /// Met in this item already, in the row given.
    Again(u64),
    TooMany,
}

impl Seen {
    fn new() -> Self {
        Self { places: HashMap::new(), names: Vec::new(), last: Vec::new() }
    }

    /// Sorted, so that the order of sources does not hang on who was asked about the first items.
    fn sorted(&self) -> Vec<String> {
        let mut names = self.names.clone();
        names.sort();
        names.iter().map(|name| name.as_ref().to_string()).collect()
    }

    fn met(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    fn see(&mut self, source: IdRef<'_>, item: u64, row: u64) -> Sight {
        match source.look_up(&self.places) {
            Some(place) => match std::mem::replace(&mut self.last[place], (item, row)) {
                (last, first) if last == item => Sight::Again(first),
                _ => Sight::Fine,
            },
            None if self.names.len() == MOST_SOURCES => Sight::TooMany,
            None => {
                self.places.insert(source.to_string(), self.names.len());
                self.names.push(source.to_owned());
                self.last.push((item, row));
                Sight::Fine
            }
        }
    }
}

/// The number of classes: that of the scalar columns, of lists of one size, or of the first list that is not null.
pub(super) fn class_count(table: &Table, layout: &Layout) -> Result<usize> {
    let opinions: Vec<&Opinion> = match layout {
        Layout::Wide(sources) => sources.iter().map(|(_, opinion)| opinion).collect(),
        Layout::Long { opinion, .. } => vec![opinion],
    };
    let mut lists = Vec::new();
    for opinion in opinions {
        match opinion {
            Opinion::Scalars(columns) => return Ok(columns.len()),
            Opinion::List(index) => lists.push(Column { index: *index, float: false }),
        }
    }
    let fixed = lists.iter().find_map(|column| match table.fields()[column.index].data_type() {
        arrow_schema::DataType::FixedSizeList(_, len) => usize::try_from(*len).ok(),
        _ => None,
    });
    if let Some(classes) = fixed {
        return Ok(classes);
    }
    let mut scan = table.scan(&lists, LIST_ROWS)?;
    while let Some(batch) = scan.next()? {
        if let Some(classes) = batch.columns.iter().find_map(list_len) {
            return Ok(classes);
        }
    }
    let why = "no list in it says the number of classes: it has no rows, or all its lists are null; write the opinions as \
               lists of one fixed size";
    Err(FileError::Layout { path: table.path().to_owned(), why: why.to_owned() }.into())
}
