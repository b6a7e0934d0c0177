//! Planes of evidence on cells.

use bytemuck::{Pod, Zeroable};

use super::{cast_slice, units};
use crate::error::{BayesError, Result};
use crate::kernel::bayes::log_odds::{Kind, Terms};

/// How often a cell was hit, and how often a ray went through it: up to 65,535 each, one word.
///
/// Counting is of integers, so whoever counts in parallel and adds up gets the same in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct CellCounts(u32);

impl CellCounts {
    /// Of so many.
    #[must_use]
    pub fn new(hits: u16, misses: u16) -> Self {
        Self(u32::from(hits) | u32::from(misses) << 16)
    }

    /// How often it was hit.
    #[must_use]
    pub fn hits(self) -> u16 {
        self.0 as u16
    }

    /// How often a ray went through it.
    #[must_use]
    pub fn misses(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// One hit more; at 65,535 it stays.
    pub fn hit(&mut self) {
        *self = Self::new(self.hits().saturating_add(1), self.misses());
    }

    /// One miss more; at 65,535 it stays.
    pub fn miss(&mut self) {
        *self = Self::new(self.hits(), self.misses().saturating_add(1));
    }
}

/// What one observation of a cell means: how likely the cell is occupied given it, under the grid's prior. The prior's own
/// value says that it means nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InverseModel {
    /// Given a hit.
    pub hit: f32,
    /// Given a ray that went through.
    pub miss: f32,
}

/// A plane of evidence, an entry per cell. Planes are taken as independent given what is the case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CellEvidence<'a> {
    /// Hits and misses, each worth what the model says; a cell without any learns nothing.
    Counts {
        /// Of each cell.
        counts: &'a [CellCounts],
        /// What they mean.
        model: InverseModel,
    },
    /// Log odds given this evidence alone, under the grid's prior; the prior's log odds add nothing.
    LogOdds(&'a [f32]),
    /// Probabilities given this evidence alone, under the grid's prior, counted as no nearer to 0 and 1 than 1e-7; the
    /// prior adds nothing.
    Probabilities(&'a [f32]),
}

impl<'a> CellEvidence<'a> {
    pub(super) fn cells(&self) -> usize {
        self.words().len()
    }

    pub(super) fn words(&self) -> &'a [u32] {
        match *self {
            Self::Counts { counts, .. } => cast_slice(counts),
            Self::LogOdds(entries) | Self::Probabilities(entries) => cast_slice(entries),
        }
    }

    pub(super) const fn meaning(&self) -> Meaning {
        match *self {
            Self::Counts { model, .. } => Meaning::Counts(model),
            Self::LogOdds(_) => Meaning::LogOdds,
            Self::Probabilities(_) => Meaning::Probabilities,
        }
    }

    /// Which of the planes has an entry in this cell that is none.
    pub(super) fn diagnose(planes: &[Self], item: usize) -> BayesError {
        for (plane, evidence) in planes.iter().enumerate() {
            let (what, value, must, holds) = match evidence {
                Self::Counts { .. } => continue,
                Self::LogOdds(x) => ("the log odds", x[item], "finite", x[item].is_finite()),
                Self::Probabilities(x) => ("the probability", x[item], "from 0 to 1", (0.0..=1.0).contains(&x[item])),
            };
            if !holds {
                return BayesError::Entry { what, plane, item, value, must };
            }
        }
        // The kernel found what is not there.
        BayesError::Entry { what: "an entry", plane: 0, item, value: f32::NAN, must: "as it was given" }
    }
}

/// What a plane of evidence holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    Counts(InverseModel),
    LogOdds,
    Probabilities,
}

impl Meaning {
    /// How the kernel reads the plane of this number.
    pub(super) fn terms(self, plane: usize, prior: f32) -> Result<Terms> {
        let whole = units(prior).round() as f32;
        Ok(match self {
            Self::Counts(InverseModel { hit, miss }) => {
                for (what, value) in
                    [("the model's probability of a hit", hit), ("the model's probability of a miss", miss)]
                {
                    if !(value > 0.0 && value < 1.0) {
                        return Err(BayesError::Model { what, plane, value, must: "above 0 and below 1" }.into());
                    }
                }
                let [first, second] = [hit, miss].map(|p| (units(p) - units(prior)) as f32);
                Terms { kind: Kind::Counts as u32, first, second, reserved: 0 }
            }
            Self::LogOdds => Terms { kind: Kind::LogOdds as u32, second: whole, ..Terms::default() },
            Self::Probabilities => Terms { kind: Kind::Probabilities as u32, first: prior, second: whole, reserved: 0 },
        })
    }
}
