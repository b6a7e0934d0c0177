//! One row per item and source: rows are gathered into items.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow_array::{ArrayRef, UInt64Array};

use crate::error::{FileError, Result};
use crate::integrations::arrow::chunk::Rows;
use crate::integrations::arrow::ids::{Id, Ids};
use crate::integrations::arrow::layout::{Opinion, Origin};
use crate::integrations::arrow::plane::Plane;
use crate::integrations::arrow::table::{Column, Scan, Table};
use crate::integrations::arrow::{Format, failure};

/// Floats read together; a chunk takes as many such batches as it needs.
const FLOATS_PER_BATCH: usize = 1 << 20;

/// Gathers the rows of a file that is sorted by item.
pub(super) struct Long {
    origin: Arc<Origin>,
    format: Format,
    scan: Scan,
    opinion: Opinion,
    source_column: String,
    places: HashMap<String, usize>,
    /// Items per chunk.
    items: usize,
    batch: Option<Batch>,
    /// The item that the row before the current batch belongs to.
    last: Option<Id>,
}

/// Rows that were read, and how far they were gathered.
struct Batch {
    first_row: u64,
    column: ArrayRef,
    ids: Ids,
    sources: Ids,
    plane: Plane,
    next: usize,
}

impl Long {
    pub fn start(
        table: &Table,
        origin: &Arc<Origin>,
        id: usize,
        source: usize,
        opinion: Opinion,
        items: usize,
    ) -> Result<Self> {
        let mut columns = [id, source].map(|index| Column { index, float: false }).to_vec();
        columns.extend(opinion.columns());
        Ok(Self {
            origin: Arc::clone(origin),
            format: table.format(),
            scan: table.scan(&columns, FLOATS_PER_BATCH / origin.classes.max(1))?,
            opinion,
            source_column: table.fields()[source].name().clone(),
            places: origin.sources.iter().cloned().zip(0..).collect(),
            items,
            batch: None,
            last: None,
        })
    }

    pub fn bytes(&self) -> u64 {
        self.scan.bytes()
    }

    pub fn next(&mut self) -> Result<Option<(ArrayRef, Vec<Plane>, Rows)>> {
        let mut gathered = Gathered::new(self.origin.sources.len(), self.origin.classes);
        let mut ids: Vec<ArrayRef> = Vec::new();
        loop {
            let batch = match self.batch.take() {
                Some(batch) => batch,
                None => match self.read()? {
                    Some(batch) => batch,
                    None => break,
                },
            };
            let (batch, taken, full) = self.gather(batch, &mut gathered);
            if !taken.is_empty() {
                let taken = arrow_select::take::take(&batch.column, &UInt64Array::from(taken), None);
                ids.push(taken.map_err(|error| failure::reading(&self.origin.path, self.format, error))?);
            }
            if full {
                self.batch = Some(batch);
                break;
            }
            self.last = batch.ids.len().checked_sub(1).map(|end| batch.ids.get(end).to_owned()).or(self.last.take());
        }
        if gathered.items == 0 {
            return Ok(None);
        }
        let parts: Vec<&dyn arrow_array::Array> = ids.iter().map(AsRef::as_ref).collect();
        let ids = arrow_select::concat::concat(&parts)
            .map_err(|error| failure::reading(&self.origin.path, self.format, error))?;
        let (planes, rows) = gathered.finish();
        Ok(Some((ids, planes, Rows::Long(rows))))
    }

    fn read(&mut self) -> Result<Option<Batch>> {
        let Some(batch) = self.scan.next()? else { return Ok(None) };
        let path = &self.origin.path;
        let ids = Ids::of_file(path, self.origin.id.name(), &batch.columns[0], batch.first_row)?;
        let sources = Ids::of_file(path, &self.source_column, &batch.columns[1], batch.first_row)?;
        let plane = match &self.opinion {
            Opinion::List(_) => Plane::from_lists(&batch.columns[2], self.origin.classes),
            Opinion::Scalars(_) => Plane::from_scalars(&batch.columns[2..]),
        };
        let plane = plane.map_err(|fault| FileError::Value {
            path: path.clone(),
            column: self.origin.column(0, fault.class),
            row: batch.first_row + fault.row as u64,
            why: fault.why,
        })?;
        Ok(Some(Batch {
            first_row: batch.first_row,
            column: Arc::clone(&batch.columns[0]),
            ids,
            sources,
            plane,
            next: 0,
        }))
    }

    /// Takes rows until the batch ends or a row would begin one item too many; answers the rows that began items, and
    /// which of the two it was.
    fn gather(&self, mut batch: Batch, gathered: &mut Gathered) -> (Batch, Vec<u64>, bool) {
        let classes = self.origin.classes;
        let mut began = Vec::new();
        while batch.next < batch.ids.len() {
            let row = batch.next;
            let before = if row > 0 { Some(batch.ids.get(row - 1)) } else { self.last.as_ref().map(Id::as_ref) };
            if before != Some(batch.ids.get(row)) {
                if gathered.items == self.items {
                    return (batch, began, true);
                }
                gathered.begin();
                began.push(row as u64);
            }
            let place = batch.sources.get(row).look_up(&self.places);
            let present = batch.plane.presence.as_ref().is_none_or(|presence| presence[row]);
            if let (Some(source), true) = (place, present) {
                let values = &batch.plane.values[row * classes..][..classes];
                gathered.put(source, values, batch.first_row + row as u64);
            }
            batch.next += 1;
        }
        (batch, began, false)
    }
}

/// The items of a chunk while they are gathered.
struct Gathered {
    classes: usize,
    items: usize,
    values: Vec<Vec<f32>>,
    presence: Vec<Vec<bool>>,
    rows: Vec<Vec<u64>>,
}

impl Gathered {
    fn new(sources: usize, classes: usize) -> Self {
        let (values, presence, rows) =
            (vec![Vec::new(); sources], vec![Vec::new(); sources], vec![Vec::new(); sources]);
        Self { classes, items: 0, values, presence, rows }
    }

    fn begin(&mut self) {
        self.items += 1;
        self.values.iter_mut().for_each(|values| values.resize(self.items * self.classes, 0.0));
        self.presence.iter_mut().for_each(|presence| presence.push(false));
        self.rows.iter_mut().for_each(|rows| rows.push(0));
    }

    fn put(&mut self, source: usize, values: &[f32], row: u64) {
        let item = self.items - 1;
        self.values[source][item * self.classes..].copy_from_slice(values);
        self.presence[source][item] = true;
        self.rows[source][item] = row;
    }

    fn finish(self) -> (Vec<Plane>, Vec<Vec<u64>>) {
        let planes = self.values.into_iter().zip(self.presence).map(|(values, presence)| Plane {
            values: values.into(),
            presence: presence.contains(&false).then_some(presence),
        });
        (planes.collect(), self.rows)
    }
}

impl fmt::Debug for Long {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Long").field("opinion", &self.opinion).field("items", &self.items).finish_non_exhaustive()
    }
}
