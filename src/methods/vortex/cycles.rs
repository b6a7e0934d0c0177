//! Objects that go round a path.

mod resident;

use bytemuck::{NoUninit, bytes_of};

pub use self::resident::ResidentCycles;

use crate::backend::Timing;
use crate::engine::Engine;
use crate::error::{LengthError, Result, VortexError};
use crate::kernel::Kernel;
use crate::kernel::vortex::cycle::{BLOCK, LARGEST, MOST_HOPS, MOST_PLACES, MOST_TICKS, OPERATIONS, Params};
use crate::plan::batch::{Batch, Slot, lowest_refused};

/// A closed path: positions in the order in which objects come to them, and rho, the ratio of the speeds of two successive
/// hops.
///
/// # Examples
///
/// *The flow, on which each hop takes 1.41 times as long as the one before.*
///
/// ```
/// use consilience::vortex::Path;
///
/// assert_eq!(Path::flow().positions(), [1, 2, 4, 8, 7, 5]);
/// assert_eq!(Path::new(vec![3, 6], 1.0)?.rho(), 1.0);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    positions: Vec<u32>,
    rho: f32,
}

impl Path {
    /// The path through these positions, the first after the last. With a rho below 1 objects become slower by it from hop
    /// to hop, with 1 every hop takes as long.
    ///
    /// # Errors
    ///
    /// No position or more than 65,535; a rho that is not from 0.001 to 1000.
    pub fn new(positions: Vec<u32>, rho: f32) -> Result<Self> {
        if !(1..=MOST_PLACES).contains(&positions.len()) {
            return Err(VortexError::Path { places: positions.len() }.into());
        }
        if !(0.001..=1000.0).contains(&rho) {
            return Err(VortexError::Ratio { rho }.into());
        }
        Ok(Self { positions, rho })
    }

    /// The path 1, 2, 4, 8, 7, 5 with rho = 1 / sqrt 2.
    #[must_use]
    pub fn flow() -> Self {
        Self { positions: vec![1, 2, 4, 8, 7, 5], rho: std::f32::consts::FRAC_1_SQRT_2 }
    }

    /// The positions in order.
    #[must_use]
    pub fn positions(&self) -> &[u32] {
        &self.positions
    }

    /// The ratio of the speeds of two successive hops.
    #[must_use]
    pub fn rho(&self) -> f32 {
        self.rho
    }
}

impl Path {
    /// What the kernel is told for so many ticks of so many seconds, or for as many at once.
    fn params(&self, elapsed: f32, ticks: u32) -> Result<Params> {
        if !(0.0..=LARGEST).contains(&elapsed) {
            return Err(VortexError::Elapsed { elapsed }.into());
        }
        let q = 1.0 / f64::from(self.rho);
        let length = self.positions.len();
        Ok(Params {
            length: length as u32,
            ticks,
            elapsed,
            ln_q: q.ln() as f32,
            log2_q: q.log2() as f32,
            growth: (q - 1.0) as f32,
            per_ln_q: (1.0 / q.ln()) as f32,
            per_growth: (1.0 / (q - 1.0)) as f32,
            per_length: 1.0 / length as f32,
            ..Params::default()
        })
    }
}

/// Arithmetic operations of an object.
fn operations(ticks: u32) -> usize {
    OPERATIONS * ticks.max(1) as usize
}

/// Which way an object goes round its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, NoUninit)]
#[repr(u32)]
pub enum Direction {
    /// In the order of the positions.
    #[default]
    Forward = 0,
    /// Against it.
    Backward = 1,
}

/// Objects on one path, a structure of arrays: each has a place, a direction, a velocity, the hops it made and the phase of
/// the next in [0, 1). Hop n takes rho^-n / velocity.
///
/// # Examples
///
/// *Two objects, one forward at 1 hop a second, one backward at 2. The hops of the first take 1, 1.41, 2, 2.83 seconds.*
///
/// ```
/// use consilience::Engine;
/// use consilience::vortex::{Cycles, Direction, Path};
///
/// let directions = [Direction::Forward, Direction::Backward];
/// let mut cycles = Cycles::new(Path::flow(), vec![0, 0], directions.to_vec(), vec![1.0, 2.0])?;
/// cycles.advance(&Engine::cpu()?, 4.5)?;
/// assert_eq!((cycles.hops(), cycles.positions().collect::<Vec<_>>()), (&[3, 4][..], vec![8, 4]));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Cycles {
    path: Path,
    places: Vec<u32>,
    directions: Vec<Direction>,
    velocities: Vec<f32>,
    hops: Vec<u32>,
    phases: Vec<f32>,
}

/// That every value is in its range.
fn check<T: Copy + Into<f64>>(
    what: &'static str,
    values: &[T],
    holds: impl Fn(T) -> bool,
    must: impl Fn() -> String,
) -> Result<()> {
    match values.iter().position(|&value| !holds(value)) {
        Some(item) => Err(VortexError::Object { what, item, value: values[item].into(), must: must() }.into()),
        None => Ok(()),
    }
}

impl Cycles {
    /// B objects at these places of the path, counted from 0, that have made no hop.
    ///
    /// # Errors
    ///
    /// Arrays that differ in length, a place that the path has not, a velocity that is negative, not a number or above 2^40
    /// hops a second.
    pub fn new(path: Path, places: Vec<u32>, directions: Vec<Direction>, velocities: Vec<f32>) -> Result<Self> {
        let items = places.len();
        LengthError::check("directions", items, directions.len())?;
        LengthError::check("velocities", items, velocities.len())?;
        let length = path.positions.len() as u32;
        check("place", &places, |place| place < length, || format!("below {length}, the number of places"))?;
        let is_velocity = |v| (0.0..=LARGEST).contains(&v);
        check("velocity", &velocities, is_velocity, || "from 0 to 2^40 hops a second".to_owned())?;
        Ok(Self { path, places, directions, velocities, hops: vec![0; items], phases: vec![0.0; items] })
    }

    /// The same objects with hops already made and phases of the next.
    ///
    /// # Errors
    ///
    /// Arrays of another length, more than 2^24 hops, a phase that is not in [0, 1).
    pub fn with_progress(self, hops: Vec<u32>, phases: Vec<f32>) -> Result<Self> {
        LengthError::check("hops", self.items(), hops.len())?;
        LengthError::check("phases", self.items(), phases.len())?;
        check("number of hops", &hops, |n| n <= MOST_HOPS as u32, || "at most 2^24".to_owned())?;
        check("phase", &phases, |p| (0.0..1.0).contains(&p), || "at least 0 and below 1".to_owned())?;
        Ok(Self { hops, phases, ..self })
    }

    /// Number of objects, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.places.len()
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where on the path each object is, counted from 0.
    #[must_use]
    pub fn places(&self) -> &[u32] {
        &self.places
    }

    /// The position at each object's place.
    pub fn positions(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.places.iter().map(|&place| self.path.positions[place as usize])
    }

    /// Which way each object goes.
    #[must_use]
    pub fn directions(&self) -> &[Direction] {
        &self.directions
    }

    /// Hops a second, at the first hop.
    #[must_use]
    pub fn velocities(&self) -> &[f32] {
        &self.velocities
    }

    /// Hops made.
    #[must_use]
    pub fn hops(&self) -> &[u32] {
        &self.hops
    }

    /// How much of the next hop is done, in [0, 1).
    #[must_use]
    pub fn phases(&self) -> &[f32] {
        &self.phases
    }

    /// Lets so many ticks of `dt` seconds pass. Within a tick an object keeps the speed that it began with, so that ticks
    /// come to what [`Cycles::advance`] gives as `dt` becomes small, with an error in proportion to it. Ticks of one call
    /// cost one transfer.
    ///
    /// # Errors
    ///
    /// A `dt` that is not from 0 to 2^40; an object would pass 2^24 hops: such objects stay as they are, all others have
    /// moved; the device fails: what the objects are then means nothing.
    pub fn tick(&mut self, engine: &Engine, dt: f32, ticks: u32) -> Result<Timing> {
        let mut timing = Timing::default();
        let (mut left, mut refused) = (ticks, None);
        while left > 0 {
            let now = left.min(MOST_TICKS);
            let (took, stayed) = self.pass(engine, dt, now)?;
            timing += took;
            refused = refused.or(stayed);
            left -= now;
        }
        self.report(refused, timing)
    }

    /// Lets `seconds` pass at once, in closed form: an object that begins a hop makes
    /// floor(log(1 + (q - 1) v t) / log q) hops, q = 1 / rho and v its speed at that hop.
    ///
    /// # Errors
    ///
    /// As [`Cycles::tick`]; with rho > 1 also an object whose hops all end before the time does.
    pub fn advance(&mut self, engine: &Engine, seconds: f32) -> Result<Timing> {
        let (timing, refused) = self.pass(engine, seconds, 0)?;
        self.report(refused, timing)
    }

    fn report(&self, refused: Option<usize>, timing: Timing) -> Result<Timing> {
        refused.map_or(Ok(timing), |item| Err(VortexError::Hops { item }.into()))
    }

    /// Runs the kernel; answers the first object that stayed.
    fn pass(&mut self, engine: &Engine, elapsed: f32, ticks: u32) -> Result<(Timing, Option<usize>)> {
        let params = self.path.params(elapsed, ticks)?;
        let items = self.items();
        let mut refused = vec![u32::MAX; items.div_ceil(BLOCK)];
        let timing = engine.run_batch(Batch {
            kernel: Kernel::Cycle,
            items,
            block: BLOCK,
            operations: operations(ticks),
            params: bytes_of(&params),
            inputs: vec![Slot::<&[u8]>::items(&[&self.velocities[..]]), Slot::<&[u8]>::items(&[&self.directions[..]])],
            outputs: vec![
                Slot::<&mut [u8]>::updated([&mut self.places[..]]),
                Slot::<&mut [u8]>::updated([&mut self.hops[..]]),
                Slot::<&mut [u8]>::updated([&mut self.phases[..]]),
                Slot::blocks(&mut refused),
            ],
        })?;
        Ok((timing, lowest_refused(refused, BLOCK)))
    }
}
