//! Kernels over arrays: cut in ranges over the cores, each range given to the kernel's twin.

use std::time::Instant;

use fearless_simd::{Level, dispatch};

use super::{BYTES_PER_THREAD, Cpu, RANGES_PER_THREAD, bayes, beam, calibration, em, reduce, vortex};
use crate::backend::Timing;
use crate::kernel::Kernel;
use crate::plan::batch::Batch;

impl Cpu {
    /// Runs the kernel over all items.
    pub(super) fn run_in_ranges(&self, batch: Batch<'_>) -> Timing {
        let start = Instant::now();
        let cost = batch.cost() as f64;
        match &self.pool {
            Some(pool) if cost > 2.0 * BYTES_PER_THREAD => {
                let ranges = (self.threads() * RANGES_PER_THREAD).min((cost / BYTES_PER_THREAD) as usize);
                let items = batch.items.div_ceil(ranges).next_multiple_of(batch.block);
                pool.install(|| in_ranges(self.level, batch, items));
            }
            _ => run(self.level, batch),
        }
        Timing { kernels: Some(start.elapsed()), chunks: 1, ..Timing::default() }
    }
}

/// In ranges of at most `items`, whole blocks, on all threads.
fn in_ranges(level: Level, batch: Batch<'_>, items: usize) {
    if batch.items <= items {
        return run(level, batch);
    }
    let half = (batch.items / 2).next_multiple_of(items);
    let (left, right) = batch.split_at(half);
    rayon::join(|| in_ranges(level, left, items), || in_ranges(level, right, items));
}

/// All items, on this thread.
fn run(level: Level, batch: Batch<'_>) {
    match batch.kernel {
        Kernel::BeamFuse => dispatch!(level, simd => beam::fuse::run(simd, batch)),
        Kernel::Coherence => dispatch!(level, _simd => vortex::coherence::run(batch)),
        Kernel::Cycle => dispatch!(level, simd => vortex::cycle::run(simd, batch)),
        Kernel::BeamMeasure => dispatch!(level, simd => beam::measure::run(simd, batch)),
        Kernel::BeamSimilarity => dispatch!(level, simd => beam::similarity::run(simd, batch)),
        Kernel::BeamNearest => dispatch!(level, simd => beam::nearest::run(simd, batch)),
        Kernel::BeamIntervene => dispatch!(level, simd => beam::intervene::run(simd, batch)),
        Kernel::BeamRelax => dispatch!(level, simd => beam::relax::run(simd, batch)),
        Kernel::BeamEigen => dispatch!(level, simd => beam::eigen::run(simd, batch)),
        Kernel::BeamMoments => dispatch!(level, simd => beam::moments::run(simd, batch)),
        Kernel::BeamSubspace => dispatch!(level, simd => beam::subspace::run(simd, batch)),
        Kernel::DigitalRoot => dispatch!(level, simd => vortex::digital_root::run(simd, batch)),
        Kernel::Orbit => dispatch!(level, _simd => vortex::orbit::run(batch)),
        Kernel::Relax => dispatch!(level, _simd => vortex::relax::run(batch)),
        Kernel::Special => dispatch!(level, simd => bayes::special::run(simd, batch)),
        Kernel::Statistics => dispatch!(level, _simd => vortex::statistics::run(batch)),
        Kernel::Conjugate => dispatch!(level, simd => bayes::conjugate::run(simd, batch)),
        Kernel::Gaussian => dispatch!(level, simd => bayes::gaussian::run(simd, batch)),
        Kernel::Information => dispatch!(level, simd => bayes::information::run(simd, batch)),
        Kernel::LogOdds => dispatch!(level, simd => bayes::log_odds::run(simd, batch)),
        Kernel::Likelihood => dispatch!(level, simd => calibration::likelihood::run(simd, batch)),
        Kernel::Outcome => dispatch!(level, _simd => calibration::outcome::run(batch)),
        Kernel::Expect => dispatch!(level, simd => em::expect::run(simd, batch)),
        Kernel::Collect => dispatch!(level, _simd => em::collect::run(batch)),
        Kernel::Normalise => dispatch!(level, simd => em::normalise::run(simd, batch)),
        Kernel::Domain => dispatch!(level, _simd => reduce::domain::run(batch)),
        // Fusions and fits have their own paths.
        Kernel::Pool | Kernel::PoolWide | Kernel::SoftmaxRegression => {}
    }
}
