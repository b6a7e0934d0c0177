//! Normal distributions in up to six dimensions, and what several sources say of them together.

mod resident;

use bytemuck::bytes_of;

pub use self::resident::{
    ResidentGaussians, ResidentIntersection, covariance_intersection_resident, fuse_gaussians_resident,
};
use crate::engine::Engine;
use crate::error::{BayesError, LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::bayes::gaussian::{
    BLOCK, LEAST_PIVOT, LEAST_VARIANCE, MOST, MOST_DIMENSIONS, MOST_SOURCES, Mode, Params, entries, operations,
};
use crate::plan::batch::{Batch, Slot, lowest_refused};

/// A normal distribution per item in D dimensions: means [D, B], and of the covariances the lower triangles row by row,
/// [D (D + 1) / 2, B]; each plane has one entry per item.
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussians {
    dimensions: usize,
    mean: Vec<f32>,
    covariance: Vec<f32>,
}

impl Gaussians {
    /// Of these planes. Whether covariances are positive definite is found where they are used.
    ///
    /// # Errors
    ///
    /// Not from 1 to 6 dimensions, or planes that do not fit together.
    pub fn new(dimensions: usize, mean: Vec<f32>, covariance: Vec<f32>) -> Result<Self> {
        if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
            let what = "the number of dimensions";
            return Err(BayesError::Setting { what, value: dimensions as f32, must: "from 1 to 6" }.into());
        }
        let items = mean.len() / dimensions;
        LengthError::check("the mean", dimensions * items, mean.len())?;
        LengthError::check("the covariance", entries(dimensions) * items, covariance.len())?;
        Ok(Self { dimensions, mean, covariance })
    }

    /// Number of dimensions, D.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.mean.len() / self.dimensions
    }

    /// The means, [D, B].
    #[must_use]
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// The lower triangles of the covariances, row by row, [D (D + 1) / 2, B].
    #[must_use]
    pub fn covariance(&self) -> &[f32] {
        &self.covariance
    }

    /// Why the item is none; else its smallest pivot, over its variance, as an error of its own.
    fn diagnose(&self, by: usize, item: usize) -> (f64, BayesError) {
        let items = self.items();
        let worst = |what, value, must| (f64::NEG_INFINITY, BayesError::Source { what, by, item, value, must });
        let is_none = |x: &f32| !(-MOST..=MOST).contains(x);
        let mean = self.mean.iter().skip(item).step_by(items);
        let triangle: Vec<f32> = self.covariance.iter().skip(item).step_by(items).copied().collect();
        for (what, found) in
            [("the mean", mean.copied().find(is_none)), ("the covariance", triangle.iter().copied().find(is_none))]
        {
            if let Some(value) = found {
                return worst(what, value, "from -1e9 to 1e9");
            }
        }
        let at = |i: usize, j: usize| i * (i + 1) / 2 + j;
        let mut least = (f64::INFINITY, BayesError::Covariance { by, item, dimension: 0, variance: 0.0, left: 0.0 });
        let mut l: Vec<f64> = triangle.iter().map(|&x| f64::from(x)).collect();
        for dimension in 0..self.dimensions {
            let variance = triangle[at(dimension, dimension)];
            if variance < LEAST_VARIANCE {
                return worst("the variance", variance, "at least 1e-9");
            }
            let row: f64 = (0..dimension).map(|k| l[at(dimension, k)].powi(2)).sum();
            let left = f64::from(variance) - row;
            let share = left / f64::from(variance);
            if share < least.0 {
                least = (share, BayesError::Covariance { by, item, dimension, variance, left });
            }
            if share <= f64::from(LEAST_PIVOT) {
                break;
            }
            l[at(dimension, dimension)] = left.sqrt();
            for i in dimension + 1..self.dimensions {
                let sum: f64 = (0..dimension).map(|k| l[at(i, k)] * l[at(dimension, k)]).sum();
                l[at(i, dimension)] = (l[at(i, dimension)] - sum) / left.sqrt();
            }
        }
        least
    }
}

/// What covariance intersection makes least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Least {
    /// The determinant: the volume of the region that holds the truth.
    #[default]
    Determinant,
    /// The trace: the expected squared error. It depends on the units.
    Trace,
}

impl Least {
    const fn mode(self) -> Mode {
        match self {
            Self::Determinant => Mode::Determinant,
            Self::Trace => Mode::Trace,
        }
    }
}

/// What covariance intersection answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Intersection {
    /// Mean and covariance of each item.
    pub fused: Gaussians,
    /// Of each step the weight of what was there before it, [N - 1, B]; the source that came got the rest.
    pub omega: Vec<f32>,
}

/// Fuses what N sources with independent errors say: precisions add up, times the sources' weights, and means are weighted
/// by them. Weights below one discount a source; with weights that sum to one no correlation makes it too sure.
///
/// # Errors
///
/// No source or more than 128, sources of different shapes, weights of another number or not within [1e-6, 1e6]; a mean or
/// covariance that is none, with its source and item; the device fails.
///
/// # Examples
///
/// *Two thermometers, one twice as precise.*
///
/// ```
/// use consilience::Engine;
/// use consilience::bayes::{Gaussians, fuse_gaussians};
///
/// let sure = Gaussians::new(1, vec![20.0], vec![0.5])?;
/// let unsure = Gaussians::new(1, vec![23.0], vec![1.0])?;
/// let fused = fuse_gaussians(&Engine::cpu()?, &[&sure, &unsure], &[1.0, 1.0])?;
/// assert!((fused.mean()[0] - 21.0).abs() < 1e-5 && (fused.covariance()[0] - 1.0 / 3.0).abs() < 1e-6);
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn fuse_gaussians(engine: &Engine, sources: &[&Gaussians], weights: &[f32]) -> Result<Gaussians> {
    check(sources)?;
    check_weights(sources.len(), weights)?;
    Ok(run(engine, Mode::Precision, 0, sources, weights)?.fused)
}

/// Fuses what N sources say whose errors may be correlated in any way: P^-1 = omega P_1^-1 + (1 - omega) P_2^-1, with the omega
/// that makes P least, never claims to know more than is known, whatever the correlation (Julier and Uhlmann, 1997). The
/// first two are intersected, then what came out with the third, and so on: of more than two the order matters.
///
/// # Errors
///
/// No source, sources of different shapes; a mean or covariance that is none, with its source and item; the device fails.
///
/// # Examples
///
/// *Each source knows one direction better.*
///
/// ```
/// use consilience::Engine;
/// use consilience::bayes::{Gaussians, Least, covariance_intersection};
///
/// let east = Gaussians::new(2, vec![0.0, 0.0], vec![1.0, 0.0, 4.0])?;
/// let north = Gaussians::new(2, vec![1.0, 1.0], vec![4.0, 0.0, 1.0])?;
/// let both = covariance_intersection(&Engine::cpu()?, &[&east, &north], Least::Determinant)?;
/// assert_eq!((both.omega[0], both.fused.covariance()), (0.5, &[1.6, 0.0, 1.6][..]));
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn covariance_intersection(engine: &Engine, sources: &[&Gaussians], least: Least) -> Result<Intersection> {
    let first = check(sources)?;
    let mode = least.mode();
    if sources.len() == 1 {
        // What is checked where it is fused.
        let fused = run(engine, Mode::Precision, 0, sources, &[1.0])?.fused;
        return Ok(Intersection { fused, omega: Vec::new() });
    }
    let mut fused: Option<Gaussians> = None;
    let mut omega = Vec::new();
    for (by, pair) in sources.windows(2).enumerate() {
        let pair = [fused.as_ref().unwrap_or(pair[0]), pair[1]];
        let step = run(engine, mode, by, &pair, &[1.0; 2])?;
        fused = Some(step.fused);
        omega.extend(step.omega);
    }
    // There are at least two sources.
    let fused = fused.unwrap_or_else(|| first.clone());
    Ok(Intersection { fused, omega })
}

/// That so many sources can be fused at once, with these weights.
fn check_weights(sources: usize, weights: &[f32]) -> Result<()> {
    if sources > MOST_SOURCES {
        let (what, value) = ("the number of sources", sources as f32);
        return Err(BayesError::Setting { what, value, must: "from 1 to 128" }.into());
    }
    LengthError::check("the list of weights", sources, weights.len())?;
    if let Some(by) = weights.iter().position(|weight| !(1e-6..=1e6).contains(weight)) {
        let (what, value) = ("the weight", weights[by]);
        return Err(BayesError::Model { what, plane: by, value, must: "from 1e-6 to 1e6" }.into());
    }
    Ok(())
}

fn no_source() -> BayesError {
    BayesError::Setting { what: "the number of sources", value: 0.0, must: "at least 1" }
}

fn params(mode: Mode, dimensions: usize, sources: usize) -> Params {
    Params { sources: sources as u32, dimensions: dimensions as u32, mode: mode as u32, ..Params::default() }
}

/// The first source, if there is one and all are of its shape.
fn check<'a>(sources: &[&'a Gaussians]) -> Result<&'a Gaussians> {
    let Some(&first) = sources.first() else { return Err(no_source().into()) };
    for (by, source) in sources.iter().enumerate() {
        LengthError::check(format!("the mean's dimensions by source {by}"), first.dimensions, source.dimensions)?;
        LengthError::check(format!("the mean by source {by}"), first.mean.len(), source.mean.len())?;
    }
    Ok(first)
}

/// One run of the kernel; the first of the sources has this number.
fn run(engine: &Engine, mode: Mode, number: usize, sources: &[&Gaussians], weights: &[f32]) -> Result<Intersection> {
    let (items, dimensions) = sources.first().map_or((0, 1), |source| (source.items(), source.dimensions));
    let mut mean = vec![0.0; dimensions * items];
    let mut covariance = vec![0.0; entries(dimensions) * items];
    let mut omega = vec![0.0; items];
    let mut planes: Vec<&[f32]> = Vec::new();
    for source in sources {
        planes.extend(source.mean.chunks_exact(items.max(1)));
        planes.extend(source.covariance.chunks_exact(items.max(1)));
    }
    let mut status = vec![u32::MAX; items.div_ceil(BLOCK)];
    let results = mean.chunks_exact_mut(items.max(1)).chain(covariance.chunks_exact_mut(items.max(1)));
    engine.run_batch(Batch {
        kernel: Kernel::Gaussian,
        items,
        block: BLOCK,
        operations: operations(mode, dimensions, sources.len()),
        params: bytes_of(&params(mode, dimensions, sources.len())),
        inputs: vec![Slot::<&[u8]>::items(&planes), Slot::shared(weights)],
        outputs: vec![Slot::<&mut [u8]>::items(results.chain([&mut omega[..]])), Slot::blocks(&mut status)],
    })?;
    if let Some(item) = lowest_refused(status, BLOCK) {
        let all = (number..).zip(sources).map(|(by, source)| source.diagnose(by, item));
        // Where rounding alone made the difference, the source that is nearest to being none.
        let worst = all.reduce(|worst, next| if next.0 < worst.0 { next } else { worst });
        if let Some((_, error)) = worst {
            return Err(error.into());
        }
    }
    Ok(Intersection { fused: Gaussians { dimensions, mean, covariance }, omega })
}
