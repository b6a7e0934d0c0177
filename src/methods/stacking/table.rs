//! Opinions as plain probabilities beside their labels, for what is fitted by source rather than by class.

use crate::error::{FitError, Result};
use crate::methods::stacking::examples::check_labels;
use crate::tensor::{Answer, Evidence};

/// The opinions on all items, with no item without any.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    pub sources: usize,
    pub classes: usize,
    /// [B].
    pub labels: Vec<usize>,
    /// [B, N, C]; zeros where nothing is given.
    pub rows: Vec<f32>,
    /// [B, N].
    pub given: Vec<bool>,
}

impl Table {
    /// The labelled items on which any source says something.
    pub(super) fn of(evidence: &Evidence<'_>, labels: &[u32]) -> Result<Self> {
        check_labels(evidence, labels)?;
        let (sources, classes) = (evidence.sources(), evidence.classes());
        let mut table = Self { sources, classes, labels: Vec::new(), rows: Vec::new(), given: Vec::new() };
        let mut row = vec![0.0; classes];
        for (item, &label) in labels.iter().enumerate() {
            let (rows, given) = (table.rows.len(), table.given.len());
            for source in 0..sources {
                let answer = evidence.opinion(source, item, &mut row)?;
                if answer != Answer::Given {
                    row.fill(0.0);
                }
                table.rows.extend_from_slice(&row);
                table.given.push(answer == Answer::Given);
            }
            if table.given[given..].contains(&true) {
                table.labels.push(label as usize);
            } else {
                table.rows.truncate(rows);
                table.given.truncate(given);
            }
        }
        if table.labels.is_empty() {
            return Err(FitError::NoOpinions.into());
        }
        Ok(table)
    }

    /// Number of items.
    pub(super) fn items(&self) -> usize {
        self.labels.len()
    }

    /// Each item: its label, which sources say something, and their rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[bool], &[f32])> {
        let rows = self.rows.chunks_exact(self.sources * self.classes);
        self.labels.iter().zip(self.given.chunks_exact(self.sources)).zip(rows).map(|((&l, g), r)| (l, g, r))
    }

    /// What each source gives to the label of each item, [B, N], no less than `floor`; `None` where it says nothing.
    pub(super) fn likelihoods(&self, floor: f32) -> Vec<Option<f64>> {
        let of = |(label, given, rows): (usize, &[bool], &[f32])| {
            let row = rows.chunks_exact(self.classes).zip(given);
            row.map(|(row, given)| given.then(|| f64::from(row[label].max(floor)))).collect::<Vec<_>>()
        };
        self.iter().flat_map(of).collect()
    }
}
