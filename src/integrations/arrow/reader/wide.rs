//! One row per item.

use std::fmt;
use std::sync::Arc;

use arrow_array::ArrayRef;

use crate::error::{FileError, Result};
use crate::integrations::arrow::chunk::Rows;
use crate::integrations::arrow::ids::refuse_nulls;
use crate::integrations::arrow::layout::{Opinion, Origin};
use crate::integrations::arrow::plane::Plane;
use crate::integrations::arrow::table::{Column, Scan, Table};

/// Turns batches of rows into planes.
pub(super) struct Wide {
    origin: Arc<Origin>,
    scan: Scan,
    opinions: Vec<Opinion>,
}

impl Wide {
    pub fn start(table: &Table, origin: &Arc<Origin>, id: usize, opinions: Vec<Opinion>, items: usize) -> Result<Self> {
        let mut columns = vec![Column { index: id, float: false }];
        opinions.iter().for_each(|opinion| columns.extend(opinion.columns()));
        Ok(Self { origin: Arc::clone(origin), scan: table.scan(&columns, items)?, opinions })
    }

    pub fn bytes(&self) -> u64 {
        self.scan.bytes()
    }

    pub fn next(&mut self) -> Result<Option<(ArrayRef, Vec<Plane>, Rows)>> {
        let Some(batch) = self.scan.next()? else { return Ok(None) };
        let mut columns = batch.columns.iter();
        let Some(ids) = columns.next() else { return Ok(None) };
        refuse_nulls(&self.origin.path, self.origin.id.name(), ids, batch.first_row)?;
        let mut planes = Vec::with_capacity(self.opinions.len());
        for (source, opinion) in self.opinions.iter().enumerate() {
            let own: Vec<ArrayRef> = columns.by_ref().take(opinion.columns().len()).cloned().collect();
            let plane = match (opinion, own.as_slice()) {
                (Opinion::List(_), [list]) => Plane::from_lists(list, self.origin.classes),
                (_, scalars) => Plane::from_scalars(scalars),
            };
            planes.push(plane.map_err(|fault| FileError::Value {
                path: self.origin.path.clone(),
                column: self.origin.column(source, fault.class),
                row: batch.first_row + fault.row as u64,
                why: fault.why,
            })?);
        }
        Ok(Some((Arc::clone(ids), planes, Rows::Wide)))
    }
}

impl fmt::Debug for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wide").field("opinions", &self.opinions).finish_non_exhaustive()
    }
}
