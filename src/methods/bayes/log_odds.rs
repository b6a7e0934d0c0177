//! Yes-or-no cells in log odds, and the planes of evidence that change them.

mod evidence;
mod resident;

use bytemuck::{bytes_of, cast_slice};

pub use self::evidence::{CellCounts, CellEvidence, InverseModel};
pub use self::resident::{ResidentCellEvidence, ResidentLogOddsGrid};
use crate::backend::Timing;
use crate::engine::Engine;
use crate::error::{BayesError, LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::bayes::log_odds::{
    BLOCK, FLOOR, Kind, LIMIT, OPERATIONS, OPERATIONS_OF_A_PROBABILITY, PLANES, Params, Terms, UNITS,
};
use crate::plan::batch::{Batch, Slot, lowest_refused};

/// ln(p / (1 - p)) in units.
fn units(p: f32) -> f64 {
    let p = f64::from(p);
    let floor = f64::from(FLOOR);
    (p.max(floor).ln() - (1.0 - p).max(floor).ln()) * f64::from(UNITS)
}

/// That one call takes so many planes.
fn check_planes(given: usize) -> Result<(), BayesError> {
    if given > PLANES { Err(BayesError::Planes { given, most: PLANES }) } else { Ok(()) }
}

fn params(limits: [f32; 2], terms: &[Terms], probabilities: bool) -> Params {
    let [low, high] = limits.map(|limit| (limit * UNITS).round());
    let probabilities = u32::from(probabilities);
    Params { planes: terms.len() as u32, low, high, probabilities, ..Params::default() }
}

/// Arithmetic operations of a cell.
fn operations(terms: &[Terms], probabilities: bool) -> usize {
    let rare = terms.iter().filter(|term| term.kind == Kind::Probabilities as u32).count();
    OPERATIONS + OPERATIONS_OF_A_PROBABILITY * (rare + usize::from(probabilities))
}

/// What is believed of B cells, each of which is occupied or not, as log odds: multiples of 2^-16, so that sums are exact and
/// neither the order of evidence nor the number of threads changes a bit.
///
/// # Examples
///
/// *Two echoes and one ray through, by a scanner that is right seven times out of ten.*
///
/// ```
/// use consilience::Engine;
/// use consilience::bayes::{CellCounts, CellEvidence, InverseModel, LogOddsGrid};
///
/// let engine = Engine::cpu()?;
/// let mut counts = [CellCounts::default(); 2];
/// counts[1].hit();
/// counts[1].hit();
/// counts[1].miss();
/// let mut grid = LogOddsGrid::new(2);
/// let model = InverseModel { hit: 0.7, miss: 0.3 };
/// grid.update(&engine, &[CellEvidence::Counts { counts: &counts, model }])?;
/// let probabilities = grid.probabilities(&engine)?;
/// assert_eq!(probabilities[0], 0.5);
/// assert!((probabilities[1] - 0.7).abs() < 1e-5);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LogOddsGrid {
    prior: f32,
    limits: [f32; 2],
    log_odds: Vec<f32>,
    /// What the next update writes.
    spare: Vec<f32>,
}

impl LogOddsGrid {
    /// Of cells that are as likely occupied as not; log odds stay within 16.
    #[must_use]
    pub fn new(cells: usize) -> Self {
        Self { prior: 0.5, limits: [-16.0, 16.0], log_odds: vec![0.0; cells], spare: Vec::new() }
    }

    /// Cells that are occupied with another probability before anything is known. Forgets all evidence.
    ///
    /// # Errors
    ///
    /// It is not above 0 and below 1, or its log odds lie outside the limits.
    pub fn with_prior(self, prior: f32) -> Result<Self> {
        if !(prior > 0.0 && prior < 1.0) {
            return Err(BayesError::Setting { what: "the prior", value: prior, must: "above 0 and below 1" }.into());
        }
        Self { prior, ..self }.started()
    }

    /// Where log odds stop, so that a cell that changes can be learned anew. Forgets all evidence.
    ///
    /// # Errors
    ///
    /// They are outside [-64, 64], or the prior's log odds are not between them.
    pub fn with_limits(self, low: f32, high: f32) -> Result<Self> {
        for (what, value) in [("the lower limit", low), ("the upper limit", high)] {
            if !(-LIMIT..=LIMIT).contains(&value) {
                return Err(BayesError::Setting { what, value, must: "from -64 to 64" }.into());
            }
        }
        Self { limits: [low, high], ..self }.started()
    }

    fn started(mut self) -> Result<Self> {
        let start = (units(self.prior).round() / f64::from(UNITS)) as f32;
        let [low, high] = self.limits;
        if !(low..=high).contains(&start) {
            let what = "the log odds of the prior";
            return Err(BayesError::Setting { what, value: start, must: "between the limits" }.into());
        }
        self.log_odds.fill(start);
        Ok(self)
    }

    /// Number of cells, B.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.log_odds.len()
    }

    /// ln(p / (1 - p)) of every cell.
    #[must_use]
    pub fn log_odds(&self) -> &[f32] {
        &self.log_odds
    }

    /// Adds what every plane of evidence says, the prior counted once, and says where the time went. Planes that come in one
    /// call, up to 120, are limited together, at its end; one plane adds 256 at most.
    ///
    /// # Errors
    ///
    /// More than 120 planes, a plane of another length than the grid, an entry that is not finite or no probability, a model that is none, with
    /// its plane and cell: the grid is as it was. The device fails.
    pub fn update(&mut self, engine: &Engine, planes: &[CellEvidence<'_>]) -> Result<Timing> {
        check_planes(planes.len())?;
        let mut terms = Vec::with_capacity(planes.len());
        for (plane, evidence) in planes.iter().enumerate() {
            LengthError::check(format!("plane {plane}"), self.cells(), evidence.cells())?;
            terms.push(evidence.meaning().terms(plane, self.prior)?);
        }
        let entries: Vec<&[u32]> = planes.iter().map(CellEvidence::words).collect();
        let mut results = std::mem::take(&mut self.spare);
        results.resize(self.cells(), 0.0);
        let outcome = self.run(engine, &entries, &terms, false, &mut results);
        if let Ok((_, None)) = outcome {
            std::mem::swap(&mut self.log_odds, &mut results);
        }
        self.spare = results;
        match outcome? {
            (timing, None) => Ok(timing),
            (_, Some(cell)) => Err(CellEvidence::diagnose(planes, cell).into()),
        }
    }

    /// The probability that a cell is occupied, of every cell.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub fn probabilities(&self, engine: &Engine) -> Result<Vec<f32>> {
        let mut results = vec![0.0; self.cells()];
        self.run(engine, &[], &[], true, &mut results)?;
        Ok(results)
    }

    /// One run of the kernel; the lowest cell with an entry that is none, if there is one.
    fn run(
        &self,
        engine: &Engine,
        planes: &[&[u32]],
        terms: &[Terms],
        probabilities: bool,
        results: &mut [f32],
    ) -> Result<(Timing, Option<usize>)> {
        let mut status = vec![u32::MAX; self.cells().div_ceil(BLOCK)];
        let timing = engine.run_batch(Batch {
            kernel: Kernel::LogOdds,
            items: self.cells(),
            block: BLOCK,
            operations: operations(terms, probabilities),
            params: bytes_of(&params(self.limits, terms, probabilities)),
            inputs: vec![
                Slot::<&[u8]>::items(&[&self.log_odds[..]]),
                Slot::<&[u8]>::items(planes),
                Slot::shared(terms),
            ],
            outputs: vec![Slot::<&mut [u8]>::items([results]), Slot::blocks(&mut status)],
        })?;
        Ok((timing, lowest_refused(status, BLOCK)))
    }
}
