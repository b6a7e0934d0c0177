//! Objects that go round a path, where an engine holds them.

use bytemuck::bytes_of;

use super::{BLOCK, Cycles, Direction, MOST_TICKS, Path, operations};
use crate::engine::{Engine, Operation, ResidentArray};
use crate::error::Result;
use crate::kernel::Kernel;

/// [`Cycles`] in the memory of the engine that computes, where they move in place. Dropped, the memory is free.
///
/// # Examples
///
/// *A while in two steps, read once.*
///
/// ```
/// use consilience::Engine;
/// use consilience::vortex::{Cycles, Direction, Path};
///
/// let engine = Engine::cpu()?;
/// let directions = vec![Direction::Forward, Direction::Backward];
/// let mut cycles = Cycles::new(Path::new(vec![3, 6, 9], 1.0)?, vec![0, 0], directions, vec![1.0, 2.0])?.upload(&engine)?;
/// cycles.advance(&engine, 1.25)?;
/// cycles.tick(&engine, 0.25, 4)?;
/// let cycles = cycles.read(&engine)?;
/// assert_eq!((cycles.hops(), cycles.positions().collect::<Vec<_>>()), (&[2, 4][..], vec![9, 9]));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct ResidentCycles {
    path: Path,
    places: ResidentArray<u32>,
    directions: ResidentArray<u32>,
    velocities: ResidentArray<f32>,
    hops: ResidentArray<u32>,
    phases: ResidentArray<f32>,
}

impl Cycles {
    /// Uploads the objects.
    ///
    /// # Errors
    ///
    /// They pass what may be held, or the device fails.
    pub fn upload(&self, engine: &Engine) -> Result<ResidentCycles> {
        let directions: Vec<u32> = self.directions.iter().map(|direction| *direction as u32).collect();
        Ok(ResidentCycles {
            path: self.path.clone(),
            places: engine.upload_array(&self.places)?,
            directions: engine.upload_array(&directions)?,
            velocities: engine.upload_array(&self.velocities)?,
            hops: engine.upload_array(&self.hops)?,
            phases: engine.upload_array(&self.phases)?,
        })
    }
}

impl ResidentCycles {
    /// Number of objects, B.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.places.items()
    }

    /// The path.
    #[must_use]
    pub const fn path(&self) -> &Path {
        &self.path
    }

    /// Where on the path each object is, counted from 0.
    #[must_use]
    pub const fn places(&self) -> &ResidentArray<u32> {
        &self.places
    }

    /// Which way each object goes: 0 forward, 1 backward.
    #[must_use]
    pub const fn directions(&self) -> &ResidentArray<u32> {
        &self.directions
    }

    /// Hops a second, at the first hop.
    #[must_use]
    pub const fn velocities(&self) -> &ResidentArray<f32> {
        &self.velocities
    }

    /// Hops made.
    #[must_use]
    pub const fn hops(&self) -> &ResidentArray<u32> {
        &self.hops
    }

    /// How much of the next hop is done, in [0, 1).
    #[must_use]
    pub const fn phases(&self) -> &ResidentArray<f32> {
        &self.phases
    }

    /// The objects on the host.
    ///
    /// # Errors
    ///
    /// Another engine holds them, an object would have passed 2^24 hops, the device fails.
    pub fn read(&self, engine: &Engine) -> Result<Cycles> {
        let way = |direction| if direction == 0 { Direction::Forward } else { Direction::Backward };
        let directions = self.directions.read(engine)?.into_iter().map(way).collect();
        let cycles =
            Cycles::new(self.path.clone(), self.places.read(engine)?, directions, self.velocities.read(engine)?)?;
        cycles.with_progress(self.hops.read(engine)?, self.phases.read(engine)?)
    }

    /// [`Cycles::tick`].
    ///
    /// # Errors
    ///
    /// A `dt` that is not from 0 to 2^40, another engine holds the objects, the device fails. Of an object that would pass 2^24
    /// hops whoever reads the objects from here on is told.
    pub fn tick(&mut self, engine: &Engine, dt: f32, ticks: u32) -> Result<()> {
        let mut left = ticks;
        while left > 0 {
            let now = left.min(MOST_TICKS);
            self.pass(engine, dt, now)?;
            left -= now;
        }
        Ok(())
    }

    /// [`Cycles::advance`].
    ///
    /// # Errors
    ///
    /// As [`ResidentCycles::tick`]; with rho > 1 also of an object whose hops all end before the time does.
    pub fn advance(&mut self, engine: &Engine, seconds: f32) -> Result<()> {
        self.pass(engine, seconds, 0)
    }

    fn pass(&mut self, engine: &Engine, elapsed: f32, ticks: u32) -> Result<()> {
        let params = self.path.params(elapsed, ticks)?;
        engine.operate(Operation {
            kernel: Kernel::Cycle,
            items: self.places.items(),
            block: BLOCK,
            operations: operations(ticks),
            params: bytes_of(&params),
            inputs: vec![self.velocities.reading(engine)?, self.directions.reading(engine)?],
            outputs: vec![self.places.updated(engine)?, self.hops.updated(engine)?, self.phases.updated(engine)?],
            refuses: Some((1, "make at most 2^24 hops in a time that its hops last")),
        })?;
        Ok(())
    }
}
