//! The CPU executor: SIMD chosen at run time, all cores, one source text per kernel.

mod batch;
mod bayes;
mod beam;
mod calibration;
mod em;
mod fusion;
mod level;
mod numbers;
mod reduce;
mod stacking;
mod sum;
mod tile;
mod transpose;
#[cfg(feature = "datafusion")]
mod vectorized;
mod vortex;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytemuck::cast_slice;
use fearless_simd::Level;
use rayon::{ThreadPool, ThreadPoolBuilder};

use self::fusion::pool::gradient::Range;
pub use self::level::SimdLevel;
use self::transpose::LANES;
#[cfg(feature = "datafusion")]
pub(crate) use self::vectorized::vectorized;
use crate::backend::held::{HeldArray, HeldBatch, HostArray, Shape};
use crate::backend::{Backend, Held, HeldFused, Regression, Run, Timing};
use crate::error::{DeviceError, InvalidOpinion, Result};
use crate::kernel::fusion::pool::Pool;
use crate::kernel::stacking::softmax_regression::Features;
use crate::plan::batch::Batch;
use crate::plan::{Program, Step};
use crate::tensor::{Evidence, Fused, FusedMut, Outline, Outputs, OwnedEvidence};

/// Below this many bytes a second thread costs more than it brings.
const BYTES_PER_THREAD: f64 = 524_288.0;

/// Ranges per thread, so that a thread that was held up does not hold up the others.
const RANGES_PER_THREAD: usize = 4;

/// Runs programs on this machine's cores.
#[derive(Debug)]
pub(crate) struct Cpu {
    name: SimdLevel,
    level: Level,
    /// `None`: the calling thread alone.
    pool: Option<ThreadPool>,
}

impl Cpu {
    /// An executor on so many threads, one per core where not said, at the level given, the machine's best where not said.
    pub(crate) fn open(threads: Option<usize>, level: Option<SimdLevel>) -> Result<Self> {
        let message = |error: &dyn ToString| DeviceError::Threads { message: error.to_string() };
        let threads = match threads {
            Some(0) => return Err(message(&"no engine runs on 0 threads; give at least 1").into()),
            Some(threads) => threads,
            None => std::thread::available_parallelism().map_err(|e| message(&e))?.get(),
        };
        let pool = match threads {
            1 => None,
            _ => {
                let name = |i| format!("consilience-cpu-{i}");
                let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build();
                Some(pool.map_err(|e| message(&e))?)
            }
        };
        let name = level.unwrap_or_else(SimdLevel::best);
        Ok(Self { name, level: name.level()?, pool })
    }

    /// The machine's best on all cores, opened when it is first asked for.
    pub(crate) fn shared() -> Result<Arc<Self>> {
        static SHARED: OnceLock<Arc<Cpu>> = OnceLock::new();
        match SHARED.get() {
            Some(cpu) => Ok(Arc::clone(cpu)),
            None => {
                let cpu = Arc::new(Self::open(None, None)?);
                Ok(Arc::clone(SHARED.get_or_init(|| cpu)))
            }
        }
    }

    /// The gradient by the numbers of each source's opinions, `[N, items, C]`, of something whose gradient by the posterior is
    /// `upstream`. Answers the lowest item with an invalid opinion, if the policy does not mend it.
    pub(crate) fn gradient(
        &self,
        pool: &Pool,
        evidence: &Evidence<'_>,
        posterior: &[f32],
        upstream: &[f32],
        gradient: &mut [f32],
    ) -> Option<usize> {
        let plane = posterior.len().max(1);
        let task = Slope { level: self.level, pool, evidence };
        let bytes = 8.0 * gradient.len() as f64;
        let range = Range { posterior, upstream, planes: gradient.chunks_exact_mut(plane).collect() };
        match &self.pool {
            Some(threads) if bytes > 2.0 * BYTES_PER_THREAD => {
                let ranges = (self.threads() * RANGES_PER_THREAD).min((bytes / BYTES_PER_THREAD) as usize);
                let items = evidence.items().div_ceil(ranges).next_multiple_of(LANES);
                threads.install(|| task.run_in_ranges(0, items, range))
            }
            _ => task.run(0, range),
        }
    }

    fn threads(&self) -> usize {
        self.pool.as_ref().map_or(1, ThreadPool::current_num_threads)
    }
}

impl Backend for Cpu {
    fn run(&self, program: &Program, evidence: &Evidence<'_>, mut out: FusedMut<'_>) -> Result<Run> {
        let start = Instant::now();
        let mut first_invalid = None;
        for step in &program.steps {
            let task = Task { level: self.level, step, evidence };
            let (read, written) = step.bytes_per_item();
            let bytes = (read + written) * evidence.items() as f64;
            first_invalid = match &self.pool {
                Some(pool) if bytes > 2.0 * BYTES_PER_THREAD => {
                    let ranges = (self.threads() * RANGES_PER_THREAD).min((bytes / BYTES_PER_THREAD) as usize);
                    let items = evidence.items().div_ceil(ranges).next_multiple_of(LANES);
                    pool.install(|| task.run_in_ranges(0, items, out.reborrow()))
                }
                _ => task.run(0, out.reborrow()),
            };
        }
        let kernels = Some(start.elapsed());
        Ok(Run { first_invalid, timing: Timing { kernels, chunks: 1, ..Timing::default() } })
    }

    fn held_bytes(&self, outline: &Outline) -> Result<u64> {
        Ok(outline.bytes())
    }

    fn hold(&self, evidence: &Evidence<'_>) -> Result<Held> {
        Ok(Held::Host(OwnedEvidence::of(evidence)))
    }

    fn run_held(&self, program: &Program, held: &Held, out: FusedMut<'_>) -> Result<Run> {
        self.run(program, &host(held)?.evidence()?, out)
    }

    fn diagnose_held(&self, held: &Held, item: usize) -> Result<InvalidOpinion> {
        Ok(host(held)?.evidence()?.diagnose(item))
    }

    fn run_batch(&self, batch: Batch<'_>) -> Result<Timing> {
        Ok(self.run_in_ranges(batch))
    }

    fn fused_bytes(&self, program: &Program, held: &Held) -> Result<u64> {
        let written: f64 = program.steps.iter().map(|step| step.bytes_per_item().1).sum();
        Ok(written as u64 * host(held)?.evidence()?.items() as u64)
    }

    fn fuse_held(&self, program: &Program, held: &Held, outline: &Outline) -> Result<HeldFused> {
        let mut fused = Fused::default();
        let outputs = program.steps.first().map_or(Outputs::NONE, |step| step.pool.outputs);
        let run = self.run(program, &host(held)?.evidence()?, fused.prepare(outline, outputs))?;
        Ok(HeldFused::Host { fused: Box::new(fused), first_invalid: run.first_invalid })
    }

    fn read_fused(&self, fused: &[&HeldFused], out: Vec<FusedMut<'_>>) -> Result<Vec<Option<usize>>> {
        let read = |(fused, out): (&&HeldFused, FusedMut<'_>)| {
            let HeldFused::Host { fused, first_invalid } = fused else { return Err(DeviceError::HeldElsewhere.into()) };
            fused.copy_to(out);
            Ok(*first_invalid)
        };
        fused.iter().zip(out).map(read).collect()
    }

    fn copy_posterior(&self, fused: &HeldFused, array: &mut HeldArray, plane: usize) -> Result<()> {
        let HeldArray::Host(array) = array else { return Err(DeviceError::HeldElsewhere.into()) };
        let posterior = cast_slice(posterior(fused)?);
        array.planes_mut().skip(plane).take(1).for_each(|to| to.copy_from_slice(posterior));
        Ok(())
    }

    fn stack(&self, posteriors: &[&HeldFused], outline: Outline) -> Result<Held> {
        let planes = posteriors.iter().map(|fused| posterior(fused)).collect::<Result<Vec<_>>>()?;
        Ok(Held::Host(OwnedEvidence::of(&Evidence::probabilities(outline.classes, &planes)?)))
    }

    fn read_held(&self, held: &Held) -> Result<OwnedEvidence> {
        Ok(host(held)?.clone())
    }

    fn selected_bytes(&self, held: &Held, sources: &[usize]) -> Result<u64> {
        self.held_bytes(&host(held)?.select(sources).evidence()?.outline())
    }

    fn select(&self, held: &Held, sources: &[usize]) -> Result<Held> {
        Ok(Held::Host(host(held)?.select(sources)))
    }

    fn array_bytes(&self, shape: Shape) -> u64 {
        HostArray::bytes(shape)
    }

    fn new_array(&self, shape: Shape) -> Result<HeldArray> {
        Ok(HeldArray::Host(HostArray::new(shape)))
    }

    fn write_array(&self, array: &mut HeldArray, planes: &[&[u8]]) -> Result<()> {
        let HeldArray::Host(array) = array else { return Err(DeviceError::HeldElsewhere.into()) };
        array.planes_mut().zip(planes).for_each(|(to, from)| to.copy_from_slice(from));
        Ok(())
    }

    fn give_array(&self, shape: Shape, words: &Arc<Vec<u32>>) -> Result<HeldArray> {
        Ok(HeldArray::Host(HostArray::given(shape, Arc::clone(words))))
    }

    fn read_array(&self, array: &HeldArray, planes: Vec<&mut [u8]>) -> Result<()> {
        let HeldArray::Host(array) = array else { return Err(DeviceError::HeldElsewhere.into()) };
        array.planes().zip(planes).for_each(|(from, to)| to.copy_from_slice(&from[..to.len()]));
        Ok(())
    }

    fn run_held_batch(&self, batch: HeldBatch<'_>) -> Result<()> {
        self.run_batch(batch.on_host()?)?;
        Ok(())
    }

    fn regression(self: Arc<Self>, features: Arc<Features>) -> Result<Box<dyn Regression>> {
        Ok(Box::new(stacking::Held::new(self, features)))
    }

    fn describe(&self) -> String {
        format!("cpu: {}, {} thread{}", self.name, self.threads(), if self.threads() == 1 { "" } else { "s" })
    }
}

fn host(held: &Held) -> Result<&OwnedEvidence> {
    match held {
        Held::Host(owned) => Ok(owned),
        Held::Device(_) => Err(DeviceError::HeldElsewhere.into()),
    }
}

fn posterior(held: &HeldFused) -> Result<&[f32]> {
    match held {
        HeldFused::Host { fused, .. } => Ok(fused.posterior()),
        HeldFused::Device(_) => Err(DeviceError::HeldElsewhere.into()),
    }
}

/// A gradient over the whole evidence.
#[derive(Debug, Clone, Copy)]
struct Slope<'a> {
    level: Level,
    pool: &'a Pool,
    evidence: &'a Evidence<'a>,
}

impl Slope<'_> {
    /// As [`Task::run_in_ranges`].
    fn run_in_ranges(&self, first: usize, items: usize, range: Range<'_>) -> Option<usize> {
        let len = range.posterior.len() / self.pool.classes;
        if len <= items {
            return self.run(first, range);
        }
        let half = (len / 2).next_multiple_of(items);
        let (left, right) = range.split_at(half, self.pool.classes);
        let (left, right) =
            rayon::join(|| self.run_in_ranges(first, items, left), || self.run_in_ranges(first + half, items, right));
        left.or(right)
    }

    fn run(&self, first: usize, range: Range<'_>) -> Option<usize> {
        fusion::pool::gradient::run(self.level, self.pool, self.evidence, first, range)
    }
}

/// One step over the whole evidence.
#[derive(Debug, Clone, Copy)]
struct Task<'a> {
    level: Level,
    step: &'a Step,
    evidence: &'a Evidence<'a>,
}

impl Task<'_> {
    /// The items from `first` on that `out` has room for, in ranges of at most `items`, on all threads. Answers the
    /// lowest item with an invalid opinion.
    fn run_in_ranges(&self, first: usize, items: usize, out: FusedMut<'_>) -> Option<usize> {
        if out.items <= items {
            return self.run(first, out);
        }
        let half = (out.items / 2).next_multiple_of(items);
        let (left, right) = out.split_at(half);
        let (left, right) =
            rayon::join(|| self.run_in_ranges(first, items, left), || self.run_in_ranges(first + half, items, right));
        left.or(right)
    }

    /// The items from `first` on that `out` has room for, on this thread.
    fn run(&self, first: usize, out: FusedMut<'_>) -> Option<usize> {
        let run = if self.step.pool.is_wide() { fusion::pool_wide::run } else { fusion::pool::run };
        run(self.level, &self.step.pool, self.evidence, first, out)
    }
}
