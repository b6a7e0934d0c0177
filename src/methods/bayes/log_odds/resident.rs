//! Cells in log odds that an engine holds, and the evidence that changes them.

use bytemuck::{bytes_of, cast_slice};

use super::evidence::Meaning;
use super::{BLOCK, CellCounts, InverseModel, LogOddsGrid, Terms, check_planes, operations, params};
use crate::engine::{Engine, Operation, Read, ResidentArray, ResidentPlanes};
use crate::error::{LengthError, Result};
use crate::kernel::Kernel;

/// [`LogOddsGrid`] in the memory of the engine that computes. Dropped, the memory is free.
///
/// # Examples
///
/// *Two echoes and one ray through, then what another sensor says; the grid is read once.*
///
/// ```
/// use consilience::Engine;
/// use consilience::bayes::{CellCounts, InverseModel, LogOddsGrid, ResidentCellEvidence};
///
/// let engine = Engine::cpu()?;
/// let mut grid = LogOddsGrid::new(1).upload(&engine)?;
/// let counts = engine.upload_array(&[CellCounts::new(2, 1)])?;
/// let model = InverseModel { hit: 0.7, miss: 0.3 };
/// grid.update(&engine, &[ResidentCellEvidence::Counts { counts: &counts, model }])?;
/// let says = engine.upload_array(&[1.0_f32])?;
/// grid.update(&engine, &[ResidentCellEvidence::LogOdds((&says).into())])?;
/// assert!((grid.read(&engine)?.log_odds()[0] - (1.0 + (7_f32 / 3.0).ln())).abs() < 1e-4);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct ResidentLogOddsGrid {
    prior: f32,
    limits: [f32; 2],
    log_odds: ResidentArray<f32>,
    /// What the next update writes; made by the first.
    spare: Option<ResidentArray<f32>>,
}

/// A plane of evidence that is held, as [`CellEvidence`](super::CellEvidence).
#[derive(Debug, Clone)]
pub enum ResidentCellEvidence<'a> {
    /// Hits and misses, each worth what the model says.
    Counts {
        /// Of each cell.
        counts: &'a ResidentArray<CellCounts>,
        /// What they mean.
        model: InverseModel,
    },
    /// Log odds given this evidence alone, under the grid's prior; one plane.
    LogOdds(ResidentPlanes<'a, f32>),
    /// Probabilities given this evidence alone, under the grid's prior; one plane.
    Probabilities(ResidentPlanes<'a, f32>),
}

impl ResidentCellEvidence<'_> {
    const fn meaning(&self) -> Meaning {
        match *self {
            Self::Counts { model, .. } => Meaning::Counts(model),
            Self::LogOdds(_) => Meaning::LogOdds,
            Self::Probabilities(_) => Meaning::Probabilities,
        }
    }

    /// Planes and cells.
    fn shape(&self) -> [usize; 2] {
        match self {
            Self::Counts { counts, .. } => [counts.planes(), counts.items()],
            Self::LogOdds(entries) | Self::Probabilities(entries) => [entries.planes(), entries.items()],
        }
    }

    fn reading(&self, engine: &Engine) -> Result<Read<'_>> {
        match self {
            Self::Counts { counts, .. } => counts.reading(engine),
            Self::LogOdds(entries) | Self::Probabilities(entries) => entries.reading(engine),
        }
    }
}

impl LogOddsGrid {
    /// Uploads the cells.
    ///
    /// # Errors
    ///
    /// They pass what may be held, or the device fails.
    pub fn upload(&self, engine: &Engine) -> Result<ResidentLogOddsGrid> {
        let log_odds = engine.upload_array(&self.log_odds)?;
        Ok(ResidentLogOddsGrid { prior: self.prior, limits: self.limits, log_odds, spare: None })
    }
}

impl ResidentLogOddsGrid {
    /// Number of cells, B.
    #[must_use]
    pub const fn cells(&self) -> usize {
        self.log_odds.items()
    }

    /// ln(p / (1 - p)) of every cell.
    #[must_use]
    pub const fn log_odds(&self) -> &ResidentArray<f32> {
        &self.log_odds
    }

    /// The grid on the host.
    ///
    /// # Errors
    ///
    /// Another engine holds it; an update met an entry that is none, and the grid is lost; the device fails.
    pub fn read(&self, engine: &Engine) -> Result<LogOddsGrid> {
        let Self { prior, limits, .. } = *self;
        Ok(LogOddsGrid { prior, limits, log_odds: self.log_odds.read(engine)?, spare: Vec::new() })
    }

    /// [`LogOddsGrid::update`] by planes that are held.
    ///
    /// # Errors
    ///
    /// More than 120 planes, one of another length than the grid, a model that is none, another engine holds something, the
    /// second copy of the cells that updates write in turn passes what may be held: the grid is as it was. The device fails. Of
    /// an entry that is none whoever reads the grid from here on is told.
    pub fn update(&mut self, engine: &Engine, planes: &[ResidentCellEvidence<'_>]) -> Result<()> {
        check_planes(planes.len())?;
        let (mut terms, mut entries) = (Vec::with_capacity(planes.len()), Read::none());
        for (plane, evidence) in planes.iter().enumerate() {
            let [planes, cells] = evidence.shape();
            LengthError::check(format!("plane {plane}: the list of planes"), 1, planes)?;
            LengthError::check(format!("plane {plane}"), self.cells(), cells)?;
            terms.push(evidence.meaning().terms(plane, self.prior)?);
            entries = entries.and(evidence.reading(engine)?);
        }
        let mut results = match self.spare.take() {
            Some(spare) => spare,
            None => engine.new_array(1, self.cells())?,
        };
        let outcome = self.run(engine, entries, &terms, false, &mut results);
        if outcome.is_ok() {
            std::mem::swap(&mut self.log_odds, &mut results);
        }
        self.spare = Some(results);
        outcome
    }

    /// [`LogOddsGrid::probabilities`]; they are held as well.
    ///
    /// # Errors
    ///
    /// Another engine holds the grid, they pass what may be held, the device fails.
    pub fn probabilities(&self, engine: &Engine) -> Result<ResidentArray<f32>> {
        let mut results = engine.new_array(1, self.cells())?;
        self.run(engine, Read::none(), &[], true, &mut results)?;
        Ok(results)
    }

    /// One run of the kernel.
    fn run(
        &self,
        engine: &Engine,
        planes: Read<'_>,
        terms: &[Terms],
        probabilities: bool,
        results: &mut ResidentArray<f32>,
    ) -> Result<()> {
        engine.operate(Operation {
            kernel: Kernel::LogOdds,
            items: self.cells(),
            block: BLOCK,
            operations: operations(terms, probabilities),
            params: bytes_of(&params(self.limits, terms, probabilities)),
            inputs: vec![self.log_odds.reading(engine)?, planes, Read::Shared(cast_slice(terms))],
            outputs: vec![results.written()],
            refuses: Some((1, "have finite log odds, or probabilities from 0 to 1, in every plane")),
        })?;
        Ok(())
    }
}
