//! Relaxation to a fixed point.

use bytemuck::{bytes_of, cast_slice};

use super::beams::Beams;
use super::digits::{Digits, MUST_BE_DIGITS, check_planes};
use super::resident::ResidentBeams;
use crate::backend::Timing;
use crate::engine::{Engine, Operation, Read, ResidentArray, ResidentPlanes, Within};
use crate::error::{BeamError, LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::beam::fuse::DIGITS;
use crate::kernel::beam::relax::{BLOCK, COUPLED, MOST_STEPS, OPERATIONS, Params, ROW, STARTED};
use crate::plan::batch::{Batch, Slot};

/// How far a row of a coupling may be from one.
const ROW_TOLERANCE: f64 = 1e-4;

/// How beams relax: x <- (1 - a) x0 + a T(x) with x0 the beam's digits, until nothing moves.
///
/// T is either a coupling of the digits, x C with rows that sum to one, or the blend towards the position's anchor. Neither
/// lengthens a difference in L1, so that each step brings any two starts nearer by at least [`Relax::contraction`], and there
/// is one fixed point; after a step with an L1 change c it is no further than c a / (1 - a).
#[derive(Debug, Clone, PartialEq)]
pub struct Relax {
    alpha: f32,
    pull: f32,
    /// None: the identity.
    coupling: Option<[[f32; DIGITS]; DIGITS]>,
    tolerance: f32,
    steps: u32,
}

/// A row of the coupling of digits with themselves, one half, and their neighbours on the ring 1 to 9, a quarter each.
fn ring(digit: usize) -> [f32; DIGITS] {
    std::array::from_fn(|other| match (DIGITS + other - digit) % DIGITS {
        0 => 0.5,
        1 | 8 => 0.25,
        _ => 0.0,
    })
}

impl Relax {
    /// By so much, a, in [0, 1), each digit coupled with itself by a half and with its neighbours on the ring 1 to 9 by a
    /// quarter. Until no digit changes by more than 1e-6, and at most 1024 steps.
    ///
    /// For a = 0 the fixed point is x0 at once.
    ///
    /// # Errors
    ///
    /// a is below 0, is no number, or is 1 or more, where no step need come nearer to anything.
    pub fn new(alpha: f32) -> Result<Self> {
        if !(0.0..1.0).contains(&alpha) {
            let (what, allowed) = ("alpha", "at least 0 and below 1, else steps need not converge");
            return Err(BeamError::Range { what, value: alpha, allowed }.into());
        }
        let coupling = Some(std::array::from_fn(ring));
        Ok(Self { alpha, pull: 0.0, coupling, tolerance: 1e-6, steps: 1024 })
    }

    /// T(x) = x C with this C, whose row i says what becomes of the digit i + 1.
    ///
    /// # Errors
    ///
    /// An entry below 0, or a row that does not sum to one within 1e-4.
    pub fn coupling(self, rows: &[[f32; DIGITS]; DIGITS]) -> Result<Self> {
        let mut coupling = *rows;
        for (number, row) in coupling.iter_mut().enumerate() {
            let sum: f64 = row.iter().map(|entry| f64::from(*entry)).sum();
            if row.iter().any(|entry| !(0.0..=2.0).contains(entry)) || (sum - 1.0).abs() > ROW_TOLERANCE {
                return Err(BeamError::Row { row: number + 1, entries: *row, sum }.into());
            }
            for entry in row {
                *entry = (f64::from(*entry) / sum) as f32;
            }
        }
        Ok(Self { coupling: Some(coupling), pull: 0.0, ..self })
    }

    /// T(x) = (1 - s) x + s e with e certain of the anchor of the beam's position ([`ANCHORS`]).
    ///
    /// # Errors
    ///
    /// s is outside [0, 1].
    ///
    /// [`ANCHORS`]: super::ANCHORS
    pub fn anchors(self, share: f32) -> Result<Self> {
        if !(0.0..=1.0).contains(&share) {
            let (what, allowed) = ("the share of the anchor", "at least 0 and at most 1");
            return Err(BeamError::Range { what, value: share, allowed }.into());
        }
        Ok(Self { coupling: None, pull: share, ..self })
    }

    /// An item has converged after a step in which no digit changes by more than this.
    ///
    /// # Errors
    ///
    /// Less than 1e-7, which rounding alone can change a digit by, or more than 1.
    pub fn tolerance(self, tolerance: f32) -> Result<Self> {
        if !(1e-7..=1.0).contains(&tolerance) {
            let (what, allowed) = ("the tolerance of a fixed point", "at least 1e-7 and at most 1");
            return Err(BeamError::Range { what, value: tolerance, allowed }.into());
        }
        Ok(Self { tolerance, ..self })
    }

    /// An item stops after so many steps, converged or not.
    ///
    /// # Errors
    ///
    /// None, or more than 4096.
    pub fn steps(self, steps: u32) -> Result<Self> {
        if !(1..=MOST_STEPS).contains(&steps) {
            let (what, allowed) = ("the number of steps", "at least 1 and at most 4096");
            return Err(BeamError::Range { what, value: steps as f32, allowed }.into());
        }
        Ok(Self { steps, ..self })
    }

    /// The factor by which a step at least shortens the L1 distance of two starts: a, or a (1 - s) with anchors.
    #[must_use]
    pub fn contraction(&self) -> f32 {
        self.alpha * (1.0 - self.pull)
    }

    /// Relaxes each beam from its own digits.
    ///
    /// # Errors
    ///
    /// The device fails.
    ///
    /// # Examples
    ///
    /// *Half of what a digit has is shared out again at every step; the rest stays.*
    ///
    /// ```
    /// use consilience::Engine;
    /// use consilience::beam::{Beams, Relax};
    ///
    /// let digits = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    /// let beams = Beams::new(&digits, &[3.0, 2.0, 1.0], &[0.5], &[7])?;
    /// let engine = Engine::cpu()?;
    /// // Half way to the anchor, 6, of which half is kept: x = x0 / 2 + (x / 2 + e / 2) / 2 has x = 2/3 x0 + 1/3 e.
    /// let relaxed = Relax::new(0.5)?.anchors(0.5)?.relax(&engine, &beams)?;
    /// assert!(relaxed.all_converged());
    /// assert!((relaxed.digits()[1] - 2.0 / 3.0).abs() < 2e-6 && (relaxed.digits()[5] - 1.0 / 3.0).abs() < 2e-6);
    /// // With alpha 0 nothing moves.
    /// let still = Relax::new(0.0)?.relax(&engine, &beams)?;
    /// assert_eq!((still.digits(), still.steps()), (&digits[..], &[1][..]));
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn relax(&self, engine: &Engine, beams: &Beams) -> Result<Relaxed> {
        let mut relaxed = Relaxed::default();
        self.run(engine, beams, None, &mut relaxed)?;
        Ok(relaxed)
    }

    /// The same into memory that an earlier batch left; says where the time went.
    ///
    /// # Errors
    ///
    /// As [`Relax::relax`]; what the memory then holds means nothing.
    pub fn relax_into(&self, engine: &Engine, beams: &Beams, relaxed: &mut Relaxed) -> Result<Timing> {
        self.run(engine, beams, None, relaxed)
    }

    /// Relaxes each beam from another start, say where an earlier relaxation ended.
    ///
    /// # Errors
    ///
    /// Starts of another number than the beams', or that are no distributions; the device fails.
    pub fn relax_from(&self, engine: &Engine, beams: &Beams, starts: &Digits<'_>) -> Result<Relaxed> {
        LengthError::check("starts", beams.items(), starts.items())?;
        if let Some(error) = (0..starts.items()).find_map(|item| starts.diagnose("the start", item)) {
            return Err(error.into());
        }
        let mut relaxed = Relaxed::default();
        self.run(engine, beams, Some(starts), &mut relaxed)?;
        Ok(relaxed)
    }

    /// [`Relax::relax`] of beams that are held; where they come to rest is held as well.
    ///
    /// # Errors
    ///
    /// Another engine holds them, the answer passes what may be held, the device fails.
    pub fn relax_resident(&self, engine: &Engine, beams: &ResidentBeams) -> Result<ResidentRelaxed> {
        self.run_resident(engine, beams, None)
    }

    /// [`Relax::relax_from`] of beams and starts that are held; where they come to rest is held as well.
    ///
    /// # Errors
    ///
    /// As [`Relax::relax_resident`], or starts of another number, or not nine planes. Of starts that are no distributions
    /// whoever reads the answer is told.
    pub fn relax_from_resident<'a>(
        &self,
        engine: &Engine,
        beams: &ResidentBeams,
        starts: impl Into<ResidentPlanes<'a, f32>>,
    ) -> Result<ResidentRelaxed> {
        let starts = starts.into();
        check_planes("starts", &starts)?;
        LengthError::check("starts", beams.items(), starts.items())?;
        let within = Within {
            operation: Kernel::BeamRelax.name(),
            must: MUST_BE_DIGITS,
            ranges: &[[0.0, f32::MAX]; DIGITS],
            sum: Some((DIGITS, [f32::MIN_POSITIVE, f32::MAX])),
        };
        let check = engine.within(starts.clone(), within)?;
        self.run_resident(engine, beams, Some(starts.reading(engine)?.subject_to(check)))
    }

    fn run_resident(
        &self,
        engine: &Engine,
        beams: &ResidentBeams,
        starts: Option<Read<'_>>,
    ) -> Result<ResidentRelaxed> {
        let items = beams.items();
        let (params, coupling) = self.params(starts.is_some());
        let mut digits = engine.new_array(DIGITS, items)?;
        let mut changes = engine.new_array(1, items)?;
        let mut steps = engine.new_array(1, items)?;
        engine.operate(Operation {
            kernel: Kernel::BeamRelax,
            items,
            block: BLOCK,
            operations: self.operations(),
            params: bytes_of(&params),
            inputs: vec![
                beams.digits().reading(engine)?,
                starts.unwrap_or(Read::none()),
                beams.position().reading(engine)?,
                Read::Shared(cast_slice(&coupling)),
            ],
            outputs: vec![digits.written(), changes.written(), steps.written()],
            refuses: None,
        })?;
        Ok(ResidentRelaxed { digits, changes, steps, tolerance: self.tolerance })
    }

    /// What the kernel is told, and the coupling row by row.
    fn params(&self, is_started: bool) -> (Params, [f32; DIGITS * ROW]) {
        let mut coupling = [0.0_f32; DIGITS * ROW];
        for (to, row) in coupling.chunks_exact_mut(ROW).zip(self.coupling.iter().flatten()) {
            to[..DIGITS].copy_from_slice(row);
        }
        let options = if self.coupling.is_some() { COUPLED } else { 0 } | if is_started { STARTED } else { 0 };
        let Self { alpha, pull, tolerance, steps: most, .. } = *self;
        (Params { most, alpha, pull, tolerance, options, ..Params::default() }, coupling)
    }

    /// Arithmetic operations of an item.
    fn operations(&self) -> usize {
        // How many steps a change of 1 takes to come below the tolerance, roughly.
        let expected = self.tolerance.ln() / self.contraction().max(1e-3).ln();
        let expected = expected.clamp(1.0, self.steps as f32) as usize;
        OPERATIONS * expected * if self.coupling.is_some() { DIGITS } else { 1 }
    }

    fn run(
        &self,
        engine: &Engine,
        beams: &Beams,
        starts: Option<&Digits<'_>>,
        relaxed: &mut Relaxed,
    ) -> Result<Timing> {
        let items = beams.items();
        let Relaxed { digits, changes, steps, tolerance } = relaxed;
        digits.resize(DIGITS * items, 0.0);
        changes.resize(items, 0.0);
        steps.resize(items, 0);
        *tolerance = self.tolerance;
        if items == 0 {
            return Ok(Timing::default());
        }
        let (params, coupling) = self.params(starts.is_some());
        let planes: Vec<&[f32]> = beams.digits.chunks_exact(items).collect();
        engine.run_batch(Batch {
            kernel: Kernel::BeamRelax,
            items,
            block: BLOCK,
            operations: self.operations(),
            params: bytes_of(&params),
            inputs: vec![
                Slot::<&[u8]>::items(&planes),
                Slot::<&[u8]>::items(&starts.map(Digits::planes).unwrap_or_default()),
                Slot::<&[u8]>::items(&[&beams.position[..]]),
                Slot::shared(&coupling),
            ],
            outputs: vec![
                Slot::<&mut [u8]>::items(digits.chunks_exact_mut(items)),
                Slot::<&mut [u8]>::items([&mut changes[..]]),
                Slot::<&mut [u8]>::items([&mut steps[..]]),
            ],
        })
    }
}

/// Where beams came to rest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Relaxed {
    digits: Vec<f32>,
    changes: Vec<f32>,
    steps: Vec<u32>,
    tolerance: f32,
}

impl Relaxed {
    /// The distributions, [9, B].
    #[must_use]
    pub fn digits(&self) -> &[f32] {
        &self.digits
    }

    /// The largest change of a digit in each item's last step.
    #[must_use]
    pub fn changes(&self) -> &[f32] {
        &self.changes
    }

    /// The steps each item took.
    #[must_use]
    pub fn steps(&self) -> &[u32] {
        &self.steps
    }

    /// Whether every item converged; one has where its last change is not above the tolerance.
    #[must_use]
    pub fn all_converged(&self) -> bool {
        self.changes.iter().all(|change| *change <= self.tolerance)
    }
}

/// Where beams came to rest, held by an engine. Dropped, the memory is free.
#[derive(Debug)]
pub struct ResidentRelaxed {
    digits: ResidentArray<f32>,
    changes: ResidentArray<f32>,
    steps: ResidentArray<u32>,
    tolerance: f32,
}

impl ResidentRelaxed {
    /// The distributions, [9, B].
    #[must_use]
    pub const fn digits(&self) -> &ResidentArray<f32> {
        &self.digits
    }

    /// The largest change of a digit in each item's last step.
    #[must_use]
    pub const fn changes(&self) -> &ResidentArray<f32> {
        &self.changes
    }

    /// The steps each item took.
    #[must_use]
    pub const fn steps(&self) -> &ResidentArray<u32> {
        &self.steps
    }

    /// All of it on the host.
    ///
    /// # Errors
    ///
    /// Another engine holds it; an operation that led to it refused an item; the device fails.
    pub fn read(&self, engine: &Engine) -> Result<Relaxed> {
        let Self { digits, changes, steps, tolerance } = self;
        let (digits, changes, steps) = (digits.read(engine)?, changes.read(engine)?, steps.read(engine)?);
        Ok(Relaxed { digits, changes, steps, tolerance: *tolerance })
    }
}
