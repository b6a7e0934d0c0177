//! Temperatures of posteriors that an engine holds.

use bytemuck::bytes_of;

use super::Temperature;
use super::likelihood::minimise;
use crate::engine::{Engine, Operation, ResidentArray, ResidentFused, ResidentPlanes};
use crate::error::{DeviceError, Error, Result};
use crate::kernel::Kernel;
use crate::kernel::calibration::likelihood::{BLOCK, OPERATIONS, Params, WORDS};
use crate::methods::calibration::outcomes::{Held, MUST};
use crate::plan::batch::lowest_refused;
use crate::spec::{Fusion, Rule};

/// The relative change of the sharpness at which the iteration ends: where the kernel's roundings end, which are of single
/// items and mostly cancel. Newton's error after that step is of the order of its square.
const TOLERANCE: f64 = 1e-5;

impl Temperature {
    /// [`Temperature::fit`] of a posterior that is held and labels that are held, one class for each item. The posterior stays
    /// where it is: for each step of the fit, seven numbers for 1024 items come to the host.
    ///
    /// The temperature is the host's within 1e-4 relative, and so are the likelihoods within 1e-5.
    ///
    /// # Errors
    ///
    /// No items, another number of labels than of items, a posterior that was not asked for; another engine holds one, the copy
    /// of the posterior or the sums pass what may be held, the device fails. An opinion that led to the posterior is invalid,
    /// or an item's label names no class: the error names the item.
    ///
    /// # Examples
    ///
    /// *How much too sure of itself a pool is, and the same pool with that taken off.*
    ///
    /// ```
    /// use consilience::calibration::Temperature;
    /// use consilience::{Engine, Evidence, Fusion, Rule};
    ///
    /// let engine = Engine::cpu()?;
    /// let boastful = [0.99, 0.01].repeat(4);
    /// let evidence = engine.upload(&Evidence::probabilities(2, &[&boastful])?)?;
    /// let posterior = engine.fuse_resident(&Fusion::new(Rule::Linear), &evidence)?;
    /// let labels = engine.upload_array(&[0_u32, 0, 0, 1])?;
    /// let fitted = Temperature::fit_resident(&engine, &posterior, &labels)?;
    /// assert!((fitted.value() - 99_f32.ln() / 3_f32.ln()).abs() < 1e-4);
    /// let tempered = fitted.apply_resident(&engine, &posterior)?;
    /// assert!((tempered.read(&engine)?.posterior()[0] - 0.75).abs() < 1e-5);
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn fit_resident<'a>(
        engine: &Engine,
        posterior: &ResidentFused,
        labels: impl Into<ResidentPlanes<'a, u32>>,
    ) -> Result<Self> {
        let held = Held::new(engine, posterior, labels.into())?;
        let mut likelihood = Likelihood { engine, found: engine.new_blocks(WORDS, held.items.div_ceil(BLOCK))?, held };
        // All that waits runs with it; then the posterior can be told from nothing.
        likelihood.run(1.0)?;
        posterior.look(engine)?;
        let [nll_before, slope, curvature] = likelihood.means()?;
        let mut start = Some((slope, curvature));
        let minimum = minimise(TOLERANCE, |sharpness| {
            if let Some(start) = start.take() {
                return Ok::<_, Error>(start);
            }
            likelihood.run(sharpness)?;
            let [_, slope, curvature] = likelihood.means()?;
            Ok((slope, curvature))
        })?;
        likelihood.run(1.0 / minimum.value)?;
        let [nll_after, ..] = likelihood.means()?;
        Ok(Self::at(&minimum, likelihood.held.items, [nll_before, nll_after]))
    }

    /// [`Temperature::apply`] to a posterior that is held: the tempered one, with its decisions and confidences, which is held
    /// as well. It is part of the chain, as other fusions are; where two probabilities a rounding apart become one, the lower
    /// class is decided for.
    ///
    /// # Errors
    ///
    /// The posterior was not asked for, another engine holds it, what is made of it passes what may be held, the device fails. Of
    /// an invalid opinion that led to it [`ResidentFused::read`] of the posterior itself tells.
    pub fn apply_resident(&self, engine: &Engine, posterior: &ResidentFused) -> Result<ResidentFused> {
        engine.fuse_resident(&Fusion::new(Rule::Linear).temperature(self.value()), &engine.stack(&[posterior])?)
    }
}

/// The objective over items that are held.
struct Likelihood<'a> {
    engine: &'a Engine,
    held: Held<'a>,
    found: ResidentArray<u32>,
}

impl Likelihood<'_> {
    /// Lets each block's sums be found at a sharpness.
    fn run(&mut self, sharpness: f64) -> Result<()> {
        let Self { engine, held, found } = self;
        engine.check_steps(&held.rows, 2 * held.classes as u64)?;
        let (classes, sharpness) = (held.classes as u32, sharpness as f32);
        engine.operate(Operation {
            kernel: Kernel::Likelihood,
            items: held.items,
            block: BLOCK,
            operations: OPERATIONS * held.classes,
            params: bytes_of(&Params { classes, sharpness, ..Params::default() }),
            inputs: vec![held.rows.reading(engine)?, held.labels.reading(engine)?],
            outputs: vec![found.written_by_block()],
            refuses: None,
        })?;
        Ok(())
    }

    /// The mean negative log-likelihood, its slope and its curvature.
    fn means(&self) -> Result<[f64; 3]> {
        let found = self.found.read(self.engine)?;
        let blocks = found.as_chunks::<WORDS>().0;
        if let Some(item) = lowest_refused(blocks.iter().map(|block| block[WORDS - 1]), BLOCK) {
            let operation = Kernel::Likelihood.name();
            return Err(DeviceError::ItemRefused { operation, item, must: MUST }.into());
        }
        let mut sums = [0.0; 3];
        for block in blocks {
            for (sum, words) in sums.iter_mut().zip(block.chunks_exact(2)) {
                *sum += words.iter().map(|&word| f64::from(f32::from_bits(word))).sum::<f64>();
            }
        }
        Ok(sums.map(|sum| sum / self.held.items as f64))
    }
}
