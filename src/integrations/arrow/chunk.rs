//! A bounded part of an evidence file, in memory.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};

use super::layout::Origin;
use super::plane::Plane;
use crate::error::{Error, FileError, Result};
use crate::tensor::{Encoding, Evidence};

/// Consecutive items of a file: their ids, and what each source says of them.
#[derive(Debug, Clone)]
pub struct EvidenceChunk {
    pub(super) origin: Arc<Origin>,
    pub(super) ids: ArrayRef,
    pub(super) planes: Vec<Plane>,
    pub(super) first_item: u64,
    pub(super) rows: Rows,
}

/// In which rows of the file the opinions stand.
#[derive(Debug, Clone)]
pub(super) enum Rows {
    /// One row per item.
    Wide,
    /// Per source the row of each item; those of missing opinions mean nothing.
    Long(Vec<Vec<u64>>),
}

impl EvidenceChunk {
    /// The items' ids, of the type they have in the file.
    #[must_use]
    pub fn ids(&self) -> &ArrayRef {
        &self.ids
    }

    /// Number of items.
    #[must_use]
    pub fn items(&self) -> usize {
        self.ids.len()
    }

    /// The place of the first item among all of the file.
    #[must_use]
    pub fn first_item(&self) -> u64 {
        self.first_item
    }

    /// Number of sources.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.planes.len()
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.origin.classes
    }

    /// What a source says of all items, row-major [B, C]; rows of missing opinions hold anything. Empty for a source that
    /// there is not.
    #[must_use]
    pub fn plane(&self, source: usize) -> &[f32] {
        self.planes.get(source).map_or(&[], |plane| &plane.values)
    }

    /// Which items a source was asked about; `None`: all.
    #[must_use]
    pub fn presence(&self, source: usize) -> Option<&[bool]> {
        self.planes.get(source)?.presence.as_deref()
    }

    /// The chunk as evidence, nothing copied.
    ///
    /// # Errors
    ///
    /// As [`Evidence::new`].
    pub fn evidence(&self, encoding: Encoding) -> Result<Evidence<'_>> {
        let planes: Vec<&[f32]> = self.planes.iter().map(|plane| &plane.values[..]).collect();
        let mut evidence = Evidence::new(encoding, self.classes(), &planes)?;
        for (source, plane) in self.planes.iter().enumerate() {
            if let Some(presence) = &plane.presence {
                evidence = evidence.with_presence(source, presence)?;
            }
        }
        Ok(evidence)
    }

    /// The memory of its values and masks, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let plane = |plane: &Plane| 4 * plane.values.len() + plane.presence.as_ref().map_or(0, Vec::len);
        self.planes.iter().map(plane).sum::<usize>() as u64
    }

    /// An engine's complaint about an opinion of this chunk as one that names file, column and row; other errors as they
    /// are.
    #[must_use]
    pub fn locate(&self, error: Error) -> Error {
        let Some(opinion) = error.invalid_opinion() else { return error };
        let item = self.first_item + opinion.item as u64;
        let row = match &self.rows {
            Rows::Wide => item,
            Rows::Long(rows) => rows[opinion.source][opinion.item],
        };
        let mut absolute = opinion.clone();
        absolute.item = usize::try_from(item).unwrap_or(opinion.item);
        let why = format!("{absolute} (source `{}`)", self.origin.sources[opinion.source]);
        let column = self.origin.column(opinion.source, opinion.class);
        FileError::Value { path: self.origin.path.clone(), column, row, why }.into()
    }
}
