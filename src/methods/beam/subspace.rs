//! The subspace in which beams differ most.

use bytemuck::{bytes_of, cast_slice};

use super::beams::Beams;
use super::eigen::symmetric;
use super::noise;
use super::resident::ResidentBeams;
use crate::backend::Timing;
use crate::engine::{Engine, Operation, Read, ResidentArray};
use crate::error::{BeamError, LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::beam::fuse::DIGITS;
use crate::kernel::beam::moments::{self, SUMS, WORDS};
use crate::kernel::beam::subspace::{BLOCK, COLUMN, OPERATIONS, Params};
use crate::plan::batch::{Batch, Slot};

/// The largest factor of a magnification.
const LARGEST_FACTOR: f32 = 1024.0;

/// The mean of n beams and the k directions in which they differ most: the leading eigenvectors of their covariance.
///
/// # Examples
///
/// *Beams that differ in one direction, from 1 to 9, and a little in another.*
///
/// ```
/// use consilience::Engine;
/// use consilience::beam::{Beams, Subspace};
///
/// let mut digits = vec![0.1; 9 * 4];
/// digits[..4].copy_from_slice(&[0.2, 0.1, 0.2, 0.1]); // Digit 1 of four beams,
/// digits[32..].copy_from_slice(&[0.1, 0.2, 0.1, 0.2]); // digit 9,
/// digits[8..12].copy_from_slice(&[0.11, 0.11, 0.09, 0.09]); // digit 3,
/// digits[12..16].copy_from_slice(&[0.09, 0.09, 0.11, 0.11]); // digit 4.
/// let beams = Beams::new(&digits, &[0.0; 12], &[0.0; 4], &[0; 4])?;
/// let engine = Engine::cpu()?;
/// let subspace = Subspace::fit(&engine, &beams, 1)?;
/// assert!((subspace.strength() - 0.01 / 0.0104).abs() < 1e-4 && subspace.beams() == 4);
/// // Twice as far along that direction.
/// let magnified = subspace.magnify(&engine, &beams, 2.0)?;
/// assert!((magnified[0] - 0.25).abs() < 1e-5 && (magnified[32] - 0.05).abs() < 1e-5);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Subspace {
    beams: usize,
    dimensions: usize,
    mean: [f64; DIGITS],
    values: [f64; DIGITS],
    vectors: [[f64; DIGITS]; DIGITS],
    noise: f64,
}

impl Subspace {
    /// Of so many dimensions, k, from the covariance of the beams' digits around their mean, over n - 1.
    ///
    /// Digits sum to one, so that nothing differs along (1, ..., 1): this direction is the ninth, with the eigenvalue 0.
    ///
    /// # Errors
    ///
    /// Fewer than two beams; k is 0, above 9 or above the number of beams; the device fails.
    pub fn fit(engine: &Engine, beams: &Beams, dimensions: usize) -> Result<Self> {
        check_dimensions(beams.items(), dimensions)?;
        Ok(Self::of(covariance(engine, beams)?, beams.items(), dimensions))
    }

    /// [`Subspace::fit`] to beams that are held. Each block's sums come to the host, which adds them up: this waits for the
    /// device.
    ///
    /// # Errors
    ///
    /// As [`Subspace::fit`]; another engine holds the beams, an operation that led to them refused an item.
    pub fn fit_resident(engine: &Engine, beams: &ResidentBeams, dimensions: usize) -> Result<Self> {
        check_dimensions(beams.items(), dimensions)?;
        Ok(Self::of(covariance_resident(engine, beams)?, beams.items(), dimensions))
    }

    fn of((mean, mut covariance): Spread, items: usize, dimensions: usize) -> Self {
        // What the ninth direction has less than 0, no rounding makes more than another's.
        let trace: f64 = (0..DIGITS).map(|i| covariance[i][i]).sum();
        let less = (trace + f64::MIN_POSITIVE) / DIGITS as f64;
        for entry in covariance.as_flattened_mut() {
            *entry -= less;
        }
        let (mut values, vectors) = symmetric(covariance);
        values[DIGITS - 1] = 0.0;
        // Variances; what is below 0 is a rounding.
        let values = values.map(|value| value.max(0.0));
        let noise = noise::strength(items, dimensions);
        Self { beams: items, dimensions, mean, values, vectors, noise }
    }

    /// The number of beams it was fitted to, n.
    #[must_use]
    pub fn beams(&self) -> usize {
        self.beams
    }

    /// Its dimensions, k.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The beams' mean.
    #[must_use]
    pub fn mean(&self) -> &[f64; DIGITS] {
        &self.mean
    }

    /// The variances along all nine directions; the first k are the subspace's.
    #[must_use]
    pub fn variances(&self) -> &[f64; DIGITS] {
        &self.values
    }

    /// The directions, each of length one.
    #[must_use]
    pub fn directions(&self) -> &[[f64; DIGITS]; DIGITS] {
        &self.vectors
    }

    /// Signal strength: the share of the variance that lies in the subspace; 0 where all beams are the same. A spectral
    /// statistic, to be read with n and beside [`Subspace::noise_strength`]; it is no confidence.
    #[must_use]
    pub fn strength(&self) -> f64 {
        let all: f64 = self.values.iter().sum();
        if all > 0.0 { self.values[..self.dimensions].iter().sum::<f64>() / all } else { 0.0 }
    }

    /// The strength to be expected of n beams that differ by isotropic Gaussian noise in the eight free dimensions: by Monte
    /// Carlo with a fixed seed, with a standard error of 0.004 for three beams and 0.002 from twelve on.
    #[must_use]
    pub fn noise_strength(&self) -> f64 {
        self.noise
    }

    /// By how much the strength is above that of noise; 0 where all beams are the same.
    #[must_use]
    pub fn excess(&self) -> f64 {
        if self.values[0] > 0.0 { self.strength() - self.noise } else { 0.0 }
    }

    /// Of each beam the nearest point of the subspace through the mean, [9, B]. It sums to one, but what lies far out may
    /// have digits below 0; a second projection changes nothing.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub fn project(&self, engine: &Engine, beams: &Beams) -> Result<Vec<f32>> {
        let mut out = vec![0.0; DIGITS * beams.items()];
        self.project_into(engine, beams, &mut out)?;
        Ok(out)
    }

    /// The same into memory at hand; says where the time went.
    ///
    /// # Errors
    ///
    /// As [`Subspace::project`], or `out` is not [9, B]; what it then holds means nothing.
    pub fn project_into(&self, engine: &Engine, beams: &Beams, out: &mut [f32]) -> Result<Timing> {
        self.run(engine, Mapping::PROJECTION, beams, out)
    }

    /// Each beam with its part inside the subspace times a factor: x + (factor - 1) P (x - mean), digits below 0 cut off and
    /// the rest normalised, [9, B]. A factor of 1 changes nothing, of 0 leaves what is outside the subspace.
    ///
    /// # Errors
    ///
    /// A factor outside [0, 1024]; the device fails.
    pub fn magnify(&self, engine: &Engine, beams: &Beams, factor: f32) -> Result<Vec<f32>> {
        let mut out = vec![0.0; DIGITS * beams.items()];
        self.magnify_into(engine, beams, factor, &mut out)?;
        Ok(out)
    }

    /// The same into memory at hand; says where the time went.
    ///
    /// # Errors
    ///
    /// As [`Subspace::magnify`], or `out` is not [9, B]; what it then holds means nothing.
    pub fn magnify_into(&self, engine: &Engine, beams: &Beams, factor: f32, out: &mut [f32]) -> Result<Timing> {
        self.run(engine, Mapping::magnification(factor)?, beams, out)
    }

    /// The part of the coordinates (i, j) that P keeps.
    fn kept(&self, i: usize, j: usize) -> f64 {
        self.vectors[..self.dimensions].iter().map(|vector| vector[i] * vector[j]).sum()
    }

    /// [`Subspace::project`] of beams that are held; the points are held as well.
    ///
    /// # Errors
    ///
    /// Another engine holds them, the points pass what may be held, the device fails.
    pub fn project_resident(&self, engine: &Engine, beams: &ResidentBeams) -> Result<ResidentArray<f32>> {
        self.run_resident(engine, Mapping::PROJECTION, beams)
    }

    /// [`Subspace::magnify`] of beams that are held; what becomes of them is held as well.
    ///
    /// # Errors
    ///
    /// As [`Subspace::project_resident`], or a factor outside [0, 1024].
    pub fn magnify_resident(&self, engine: &Engine, beams: &ResidentBeams, factor: f32) -> Result<ResidentArray<f32>> {
        self.run_resident(engine, Mapping::magnification(factor)?, beams)
    }

    fn run_resident(&self, engine: &Engine, how: Mapping, beams: &ResidentBeams) -> Result<ResidentArray<f32>> {
        let (params, map) = self.params(how);
        let mut mapped = engine.new_array(DIGITS, beams.items())?;
        engine.operate(Operation {
            kernel: Kernel::BeamSubspace,
            items: beams.items(),
            block: BLOCK,
            operations: OPERATIONS,
            params: bytes_of(&params),
            inputs: vec![beams.digits().reading(engine)?, Read::Shared(cast_slice(&map))],
            outputs: vec![mapped.written()],
            refuses: None,
        })?;
        Ok(mapped)
    }

    /// What the kernel is told: the map column by column, and what is added.
    fn params(&self, Mapping { whole, inside, distributes }: Mapping) -> (Params, [f32; (DIGITS + 1) * COLUMN]) {
        let mut map = [0.0_f32; (DIGITS + 1) * COLUMN];
        for i in 0..DIGITS {
            let mut offset = (1.0 - whole) * self.mean[i];
            for j in 0..DIGITS {
                let kept = inside * self.kept(i, j);
                map[j * COLUMN + i] = (kept + if i == j { whole } else { 0.0 }) as f32;
                offset -= kept * self.mean[j];
            }
            map[DIGITS * COLUMN + i] = offset as f32;
        }
        (Params { distributes: u32::from(distributes), ..Params::default() }, map)
    }

    fn run(&self, engine: &Engine, how: Mapping, beams: &Beams, out: &mut [f32]) -> Result<Timing> {
        let items = beams.items();
        LengthError::check("mapped beams", DIGITS * items, out.len())?;
        if items == 0 {
            return Ok(Timing::default());
        }
        let (params, map) = self.params(how);
        let digits: Vec<&[f32]> = beams.digits.chunks_exact(items).collect();
        engine.run_batch(Batch {
            kernel: Kernel::BeamSubspace,
            items,
            block: BLOCK,
            operations: OPERATIONS,
            params: bytes_of(&params),
            inputs: vec![Slot::<&[u8]>::items(&digits), Slot::shared(&map)],
            outputs: vec![Slot::<&mut [u8]>::items(out.chunks_exact_mut(items))],
        })
    }
}

/// That so many beams have so many dimensions.
fn check_dimensions(beams: usize, dimensions: usize) -> Result<(), BeamError> {
    if beams < 2 || !(1..=DIGITS.min(beams)).contains(&dimensions) {
        return Err(BeamError::Dimensions { dimensions, beams });
    }
    Ok(())
}

/// y = `whole` x + `inside` P (x - mean) + (1 - `whole`) mean.
#[derive(Debug, Clone, Copy)]
struct Mapping {
    whole: f64,
    inside: f64,
    /// Whether what is below 0 is cut off and the rest normalised.
    distributes: bool,
}

impl Mapping {
    const PROJECTION: Self = Self { whole: 0.0, inside: 1.0, distributes: false };

    fn magnification(factor: f32) -> Result<Self> {
        if !(0.0..=LARGEST_FACTOR).contains(&factor) {
            let (what, allowed) = ("the factor of a magnification", "at least 0 and at most 1024");
            return Err(BeamError::Range { what, value: factor, allowed }.into());
        }
        Ok(Self { whole: 1.0, inside: f64::from(factor) - 1.0, distributes: true })
    }
}

/// The mean and the covariance over n - 1.
type Spread = ([f64; DIGITS], [[f64; DIGITS]; DIGITS]);

/// A point near the beams: the mean of the first of them.
fn pivot<'a>(first: impl IntoIterator<Item = &'a [f32]>) -> [f32; DIGITS] {
    let mut pivot = [0.0_f32; DIGITS];
    for (pivot, plane) in pivot.iter_mut().zip(first) {
        *pivot = plane.iter().sum::<f32>() / plane.len() as f32;
    }
    pivot
}

fn covariance(engine: &Engine, beams: &Beams) -> Result<Spread> {
    let items = beams.items();
    let digits: Vec<&[f32]> = beams.digits.chunks_exact(items).collect();
    let pivot = pivot(digits.iter().map(|plane| &plane[..items.min(moments::BLOCK)]));
    let mut blocks = vec![[0.0_f32; WORDS]; items.div_ceil(moments::BLOCK)];
    engine.run_batch(Batch {
        kernel: Kernel::BeamMoments,
        items,
        block: moments::BLOCK,
        operations: moments::OPERATIONS,
        params: bytes_of(&moments::Params::default()),
        inputs: vec![Slot::<&[u8]>::items(&digits), Slot::shared(&pivot)],
        outputs: vec![Slot::blocks(&mut blocks)],
    })?;
    Ok(spread(items, &pivot, &blocks))
}

/// The same of beams that are held.
fn covariance_resident(engine: &Engine, beams: &ResidentBeams) -> Result<Spread> {
    let items = beams.items();
    let first = beams.digits().read_first(engine, moments::BLOCK)?;
    let pivot = pivot(first.iter().map(Vec::as_slice));
    let mut blocks = engine.new_array::<[f32; WORDS]>(1, items.div_ceil(moments::BLOCK))?;
    engine.operate(Operation {
        kernel: Kernel::BeamMoments,
        items,
        block: moments::BLOCK,
        operations: moments::OPERATIONS,
        params: bytes_of(&moments::Params::default()),
        inputs: vec![beams.digits().reading(engine)?, Read::Shared(cast_slice(&pivot))],
        outputs: vec![blocks.written_by_block()],
        refuses: None,
    })?;
    Ok(spread(items, &pivot, &blocks.read(engine)?))
}

/// Of each block's sums about the pivot.
fn spread(items: usize, pivot: &[f32; DIGITS], blocks: &[[f32; WORDS]]) -> Spread {
    let mut sums = [0.0_f64; SUMS];
    for block in blocks {
        for (sum, part) in sums.iter_mut().zip(block) {
            *sum += f64::from(*part);
        }
    }
    let n = items as f64;
    let shift: [f64; DIGITS] = std::array::from_fn(|i| sums[i] / n);
    let mut covariance = [[0.0; DIGITS]; DIGITS];
    let mut products = sums[DIGITS..].iter();
    for i in 0..DIGITS {
        for j in i..DIGITS {
            let product = products.next().copied().unwrap_or_default();
            covariance[i][j] = (product - n * shift[i] * shift[j]) / (n - 1.0);
            covariance[j][i] = covariance[i][j];
        }
    }
    (std::array::from_fn(|i| f64::from(pivot[i]) + shift[i]), covariance)
}
