//! Normal distributions that an engine holds, and what several sources say of them together.

use bytemuck::{bytes_of, cast_slice};

use super::{BLOCK, Gaussians, Intersection, Least, Mode, check_weights, entries, no_source, operations, params};
use crate::engine::{Engine, Operation, Read, ResidentArray, ResidentPlanes};
use crate::error::{LengthError, Result};
use crate::kernel::Kernel;

/// [`Gaussians`] in the memory of the engine that computes. Dropped, the memory is free.
///
/// # Examples
///
/// *What two thermometers say, intersected with what a third says.*
///
/// ```
/// use consilience::Engine;
/// use consilience::bayes::{Gaussians, Least, covariance_intersection_resident, fuse_gaussians_resident};
///
/// let engine = Engine::cpu()?;
/// let says = |mean, variance| Gaussians::new(1, vec![mean], vec![variance])?.upload(&engine);
/// let both = fuse_gaussians_resident(&engine, &[&says(20.0, 1.0)?, &says(22.0, 1.0)?], &[1.0, 1.0])?;
/// let all = covariance_intersection_resident(&engine, &[&both, &says(21.0, 2.0)?], Least::Determinant)?;
/// assert_eq!(all.read(&engine)?.fused.mean(), [21.0]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct ResidentGaussians {
    dimensions: usize,
    /// The means, then the lower triangles of the covariances, then what the kernel wrote beside them.
    planes: ResidentArray<f32>,
}

/// What covariance intersection answers, where an engine holds it.
#[derive(Debug)]
pub struct ResidentIntersection {
    /// What came of each step; the last is the answer.
    steps: Vec<ResidentGaussians>,
    /// Whether there was more than one source, so that each step has weights.
    has_weights: bool,
}

impl Gaussians {
    /// Uploads the planes.
    ///
    /// # Errors
    ///
    /// They pass what may be held, or the device fails.
    pub fn upload(&self, engine: &Engine) -> Result<ResidentGaussians> {
        let planes = self.dimensions + entries(self.dimensions);
        let planes = engine.upload_planes(&[&self.mean[..], &self.covariance].concat(), planes)?;
        Ok(ResidentGaussians { dimensions: self.dimensions, planes })
    }
}

impl ResidentGaussians {
    /// Number of dimensions, D.
    #[must_use]
    pub const fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Number of items, B.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.planes.items()
    }

    /// The means, [D, B].
    #[must_use]
    pub fn mean(&self) -> ResidentPlanes<'_, f32> {
        self.planes.planes_from(0, self.dimensions)
    }

    /// The lower triangles of the covariances, row by row, [D (D + 1) / 2, B].
    #[must_use]
    pub fn covariance(&self) -> ResidentPlanes<'_, f32> {
        self.planes.planes_from(self.dimensions, entries(self.dimensions))
    }

    /// Means and covariances on the host.
    ///
    /// # Errors
    ///
    /// Another engine holds them; a mean or covariance that led to them is none; the device fails.
    pub fn read(&self, engine: &Engine) -> Result<Gaussians> {
        Ok(self.read_all(engine)?.0)
    }

    /// The same, and the weights of a step.
    fn read_all(&self, engine: &Engine) -> Result<(Gaussians, Vec<f32>)> {
        let mut mean = self.planes.read(engine)?;
        let mut covariance = mean.split_off(self.dimensions * self.items());
        let omega = covariance.split_off(entries(self.dimensions) * self.items());
        Ok((Gaussians::new(self.dimensions, mean, covariance)?, omega))
    }

    /// Planes of means and covariances.
    const fn distributions(&self) -> usize {
        self.dimensions + entries(self.dimensions)
    }
}

impl ResidentIntersection {
    /// Mean and covariance of each item.
    #[must_use]
    pub fn fused(&self) -> Option<&ResidentGaussians> {
        self.steps.last()
    }

    /// The answer on the host.
    ///
    /// # Errors
    ///
    /// As [`ResidentGaussians::read`].
    pub fn read(&self, engine: &Engine) -> Result<Intersection> {
        let mut omega = Vec::new();
        let mut last = None;
        for step in &self.steps {
            let (fused, weights) = step.read_all(engine)?;
            omega.extend(weights);
            last = Some(fused);
        }
        if !self.has_weights {
            omega.clear();
        }
        Ok(Intersection { fused: last.ok_or_else(no_source)?, omega })
    }
}

/// [`fuse_gaussians`](super::fuse_gaussians) of distributions that are held; what comes of them is held as well.
///
/// # Errors
///
/// No source or more than 128, sources of different shapes, weights that are none; another engine holds something, the answer
/// passes what may be held, the device fails. Of a mean or covariance that is none whoever reads what is made of it is told.
pub fn fuse_gaussians_resident(
    engine: &Engine,
    sources: &[&ResidentGaussians],
    weights: &[f32],
) -> Result<ResidentGaussians> {
    check(sources)?;
    check_weights(sources.len(), weights)?;
    run(engine, Mode::Precision, sources, weights)
}

/// [`covariance_intersection`](super::covariance_intersection) of distributions that are held; what comes of them is held as
/// well.
///
/// # Errors
///
/// As [`fuse_gaussians_resident`], with any number of sources from one on.
pub fn covariance_intersection_resident(
    engine: &Engine,
    sources: &[&ResidentGaussians],
    least: Least,
) -> Result<ResidentIntersection> {
    check(sources)?;
    let has_weights = sources.len() > 1;
    if !has_weights {
        // What is checked where it is fused.
        let steps = vec![run(engine, Mode::Precision, sources, &[1.0])?];
        return Ok(ResidentIntersection { steps, has_weights });
    }
    let mut steps: Vec<ResidentGaussians> = Vec::with_capacity(sources.len() - 1);
    for pair in sources.windows(2) {
        let pair = [steps.last().unwrap_or(pair[0]), pair[1]];
        let step = run(engine, least.mode(), &pair, &[1.0; 2])?;
        steps.push(step);
    }
    Ok(ResidentIntersection { steps, has_weights })
}

/// That there is a source and all are of one shape.
fn check(sources: &[&ResidentGaussians]) -> Result<()> {
    let first = sources.first().ok_or_else(no_source)?;
    for (by, source) in sources.iter().enumerate() {
        LengthError::check(format!("the mean's dimensions by source {by}"), first.dimensions, source.dimensions)?;
        LengthError::check(format!("a plane by source {by}"), first.items(), source.items())?;
    }
    Ok(())
}

/// One run of the kernel.
fn run(engine: &Engine, mode: Mode, sources: &[&ResidentGaussians], weights: &[f32]) -> Result<ResidentGaussians> {
    let (items, dimensions) = sources.first().map_or((0, 1), |source| (source.items(), source.dimensions));
    let given = sources.iter().map(|source| source.planes.planes_from(0, source.distributions()));
    let given = given.collect::<ResidentPlanes<'_, f32>>();
    let mut planes = engine.new_array(dimensions + entries(dimensions) + 1, items)?;
    engine.operate(Operation {
        kernel: Kernel::Gaussian,
        items,
        block: BLOCK,
        operations: operations(mode, dimensions, sources.len()),
        params: bytes_of(&params(mode, dimensions, sources.len())),
        inputs: vec![given.reading(engine)?, Read::Shared(cast_slice(weights))],
        outputs: vec![planes.written()],
        refuses: Some((
            1,
            "have means from -1e9 to 1e9 and positive definite covariances with variances of at least 1e-9",
        )),
    })?;
    Ok(ResidentGaussians { dimensions, planes })
}
