//! Rings and their orbits.

use bytemuck::{bytes_of, cast_slice};

use crate::backend::Timing;
use crate::engine::{Engine, Operation, Read, ResidentArray};
use crate::error::{LengthError, Result, VortexError};
use crate::kernel::Kernel;
use crate::kernel::vortex::orbit::{BLOCK, HALF, LARGEST_MODULUS, OPERATIONS, Params};
use crate::plan::batch::{Batch, Slot, lowest_refused};

/// The ring (m, g): positions 0 to m, on which a step takes 0 to 0 and any other x to 1 + (g x - 1) mod m.
///
/// Steps are permutations, because gcd(g, m) = 1; so many steps as [`Ring::cycle`] lead everywhere back. Any number of
/// steps, forward or back, costs the same.
///
/// # Examples
///
/// *Doubling and halving on the vortex ring.*
///
/// ```
/// use consilience::vortex::Ring;
///
/// let doubling = Ring::new(9, 2)?;
/// let orbit: Vec<u32> = (0..7).filter_map(|steps| doubling.orbit(1, steps).ok()).collect();
/// assert_eq!(orbit, [1, 2, 4, 8, 7, 5, 1]);
/// assert_eq!((doubling.orbit(3, 1)?, doubling.orbit(6, 1)?, doubling.orbit(9, 1)?), (6, 3, 9));
/// assert_eq!(doubling.orbit(1, 1_000_000_000_000)?, 7);
///
/// let halving = doubling.reversed();
/// assert_eq!((halving.factor(), halving.orbit(1, 1)?, doubling.orbit(1, -1)?), (5, 5, 5));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    modulus: u32,
    factor: u32,
    cycle: u32,
    /// g^(l - 2^31) for l below 256, then g^(256 h): what the kernel multiplies.
    powers: Vec<u32>,
}

impl Ring {
    /// The ring (m, g).
    ///
    /// # Errors
    ///
    /// m is not 1 to 65,535, or gcd(g, m) is not 1.
    pub fn new(modulus: u32, factor: u32) -> Result<Self> {
        if !(1..=LARGEST_MODULUS).contains(&modulus) {
            return Err(VortexError::Modulus { modulus }.into());
        }
        let gcd = gcd(factor, modulus);
        if gcd != 1 {
            return Err(VortexError::Factor { factor, modulus, gcd }.into());
        }
        let one = 1 % modulus;
        let factor = factor % modulus;
        let times = |a: u32, b: u32| (a * b) % modulus;
        let round = std::iter::successors(Some(factor), |&power| Some(times(power, factor)));
        let cycle = 1 + round.take_while(|&power| power != one).count() as u32;
        let power = |exponent: i64| power(factor, exponent.rem_euclid(cycle.into()) as u32, modulus);
        let series = |first, by| std::iter::successors(Some(first), move |&entry| Some(times(entry, by))).take(HALF);
        let powers = series(power(-(1 << 31)), factor).chain(series(one, power(HALF as i64))).collect();
        Ok(Self { modulus, factor, cycle, powers })
    }

    /// m, which is the last position too.
    #[must_use]
    pub fn modulus(&self) -> u32 {
        self.modulus
    }

    /// g modulo m.
    #[must_use]
    pub fn factor(&self) -> u32 {
        self.factor
    }

    /// The order of g modulo m: the length of the longest orbits, which that of every other divides.
    #[must_use]
    pub fn cycle(&self) -> u32 {
        self.cycle
    }

    /// The ring whose steps undo this one's.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let factor = power(self.factor, self.cycle - 1, self.modulus);
        // An inverse has an inverse.
        Self::new(self.modulus, factor).unwrap_or_else(|_| self.clone())
    }

    /// Where so many steps lead from a position; back where they are negative.
    ///
    /// # Errors
    ///
    /// The position is not on the ring.
    pub fn orbit(&self, start: u32, steps: i64) -> Result<u32> {
        if start > self.modulus {
            return Err(VortexError::Position { item: 0, position: start, most: self.modulus }.into());
        }
        let factor = power(self.factor, steps.rem_euclid(self.cycle.into()) as u32, self.modulus);
        let end = start * factor % self.modulus;
        Ok(if end == 0 { start } else { end })
    }

    /// The orbit of a position: itself, where a step leads, and so on until a step leads back to it.
    ///
    /// # Errors
    ///
    /// The position is not on the ring.
    pub fn round(&self, start: u32) -> Result<Vec<u32>> {
        let first = self.orbit(start, 0)?;
        let step = |&x: &u32| self.orbit(x, 1).ok().filter(|&x| x != first);
        Ok(std::iter::successors(Some(first), step).collect())
    }

    /// Where each item ends that starts at a position and goes so many steps, back where they are negative.
    ///
    /// # Errors
    ///
    /// The arrays differ in length, a position is not on the ring, or the device fails.
    ///
    /// # Examples
    ///
    /// ```
    /// use consilience::{Engine, vortex::Ring};
    ///
    /// let ends = Ring::new(9, 2)?.orbits(&Engine::cpu()?, &[1, 3, 9, 5], &[3, -1, 8, 1])?;
    /// assert_eq!(ends, [8, 6, 9, 1]);
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn orbits(&self, engine: &Engine, starts: &[u32], steps: &[i32]) -> Result<Vec<u32>> {
        let mut ends = vec![0; starts.len()];
        self.orbits_into(engine, starts, steps, &mut ends)?;
        Ok(ends)
    }

    /// The same of arrays that are held; the ends are held as well.
    ///
    /// # Errors
    ///
    /// The arrays differ in length, another engine holds one, the ends pass what may be held, the device fails. Of a position
    /// that is not on the ring whoever reads the ends is told.
    pub fn orbits_resident(
        &self,
        engine: &Engine,
        starts: &ResidentArray<u32>,
        steps: &ResidentArray<i32>,
    ) -> Result<ResidentArray<u32>> {
        LengthError::check("steps", starts.items(), steps.items())?;
        LengthError::check("the planes of starts and steps", 2, starts.planes() + steps.planes())?;
        let mut ends = engine.new_array(1, starts.items())?;
        let params = Params { modulus: self.modulus, cycle: self.cycle, ..Params::default() };
        engine.operate(Operation {
            kernel: Kernel::Orbit,
            items: starts.items(),
            block: BLOCK,
            operations: OPERATIONS,
            params: bytes_of(&params),
            inputs: vec![starts.reading(engine)?, steps.reading(engine)?, Read::Shared(cast_slice(&self.powers))],
            outputs: vec![ends.written()],
            refuses: Some((1, "start at a position of the ring")),
        })?;
        Ok(ends)
    }

    /// The same into memory at hand; says where the time went.
    ///
    /// # Errors
    ///
    /// As [`Ring::orbits`]; what `ends` holds then means nothing.
    pub fn orbits_into(&self, engine: &Engine, starts: &[u32], steps: &[i32], ends: &mut [u32]) -> Result<Timing> {
        LengthError::check("steps", starts.len(), steps.len())?;
        LengthError::check("ends", starts.len(), ends.len())?;
        let mut wrong = vec![u32::MAX; starts.len().div_ceil(BLOCK)];
        let params = Params { modulus: self.modulus, cycle: self.cycle, ..Params::default() };
        let timing = engine.run_batch(Batch {
            kernel: Kernel::Orbit,
            items: starts.len(),
            block: BLOCK,
            operations: OPERATIONS,
            params: bytes_of(&params),
            inputs: vec![Slot::<&[u8]>::items(&[starts]), Slot::<&[u8]>::items(&[steps]), Slot::shared(&self.powers)],
            outputs: vec![Slot::<&mut [u8]>::items([ends]), Slot::blocks(&mut wrong)],
        })?;
        match lowest_refused(wrong, BLOCK) {
            Some(item) => Err(VortexError::Position { item, position: starts[item], most: self.modulus }.into()),
            None => Ok(timing),
        }
    }
}

/// g^n mod m.
fn power(factor: u32, exponent: u32, modulus: u32) -> u32 {
    let (mut power, mut square, mut exponent) = (1 % modulus, factor, exponent);
    while exponent > 0 {
        if exponent % 2 == 1 {
            power = power * square % modulus;
        }
        square = square * square % modulus;
        exponent /= 2;
    }
    power
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
