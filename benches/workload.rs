//! What the benchmarks run on: evidence of a stated size, the engines of this machine, a copy of the same bytes.

use std::time::Duration;

use consilience::{Device, Engine, EngineOptions, Evidence, Fused, Fusion, Output, Rule};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Throughput};

/// Planes of probabilities.
pub struct Workload {
    pub classes: usize,
    pub planes: Vec<Vec<f32>>,
}

impl Workload {
    /// About so many bytes of evidence.
    pub fn of_bytes(bytes: usize, sources: usize, classes: usize) -> Self {
        Self::of_items((bytes / (4 * sources * classes)).max(1), sources, classes)
    }

    pub fn of_items(items: usize, sources: usize, classes: usize) -> Self {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut unit = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1 << 24) as f32
        };
        let mut plane = || {
            let mut values: Vec<f32> = (0..items * classes).map(|_| 0.01 + unit()).collect();
            for row in values.chunks_mut(classes) {
                let sum: f32 = row.iter().sum();
                row.iter_mut().for_each(|p| *p /= sum);
            }
            values
        };
        Self { classes, planes: (0..sources).map(|_| plane()).collect() }
    }

    pub fn evidence(&self) -> Evidence<'_> {
        let planes: Vec<&[f32]> = self.planes.iter().map(Vec::as_slice).collect();
        Evidence::probabilities(self.classes, &planes).expect("planes of one length")
    }

    pub fn bytes(&self) -> u64 {
        self.planes.iter().map(|plane| 4 * plane.len() as u64).sum()
    }
}

/// The rules measured, by what is asked of them: the posterior, and of the ensemble also decision, confidence, entropy.
pub fn fusions() -> Vec<(&'static str, Fusion)> {
    let posterior = |rule| Fusion::new(rule).outputs(&[Output::Posterior]);
    let asked = [Output::Posterior, Output::Decision, Output::Confidence, Output::Entropy];
    vec![
        ("linear", posterior(Rule::Linear)),
        ("vote", posterior(Rule::Vote)),
        ("bayesian_average", posterior(Rule::BayesianAverage)),
        ("log_pool", posterior(Rule::LogPool)),
        ("ensemble+dce", Fusion::default().outputs(&asked)),
    ]
}

/// The CPU on so many threads.
pub fn cpu(threads: Option<usize>) -> Engine {
    Engine::open(&EngineOptions { device: Device::Cpu, threads, ..EngineOptions::default() }).expect("a CPU engine")
}

/// The GPU, if there is one; a software driver is named as such.
pub fn gpu() -> Option<(Engine, &'static str)> {
    gpu_with(&EngineOptions { device: Device::Gpu, ..EngineOptions::default() })
}

/// The same with other options.
pub fn gpu_with(options: &EngineOptions) -> Option<(Engine, &'static str)> {
    let engine = Engine::open(options).ok()?;
    let software = engine.describe().contains("software driver");
    Some((engine, if software { "software-gpu" } else { "gpu" }))
}

/// A copy of the evidence's bytes into memory that was written before: the baseline of everything here.
pub fn bench_copy(group: &mut BenchmarkGroup<'_, WallTime>, workload: &Workload, parameter: &str) {
    let mut target = workload.planes.clone();
    group.throughput(Throughput::Bytes(workload.bytes()));
    group.bench_function(BenchmarkId::new("copy", parameter), |b| {
        b.iter(|| {
            for (to, from) in target.iter_mut().zip(&workload.planes) {
                to.copy_from_slice(from);
            }
        });
    });
}

/// From call to return, into memory that an earlier answer left.
pub fn bench_call(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    engine: &Engine,
    fusion: &Fusion,
    w: &Workload,
) {
    let evidence = w.evidence();
    let mut fused = Fused::default();
    group.throughput(Throughput::Bytes(w.bytes()));
    group.bench_function(id, |b| b.iter(|| engine.fuse_into(fusion, &evidence, &mut fused).expect("valid evidence")));
}

/// The kernels alone, on the device's own clock, with the evidence already there.
pub fn bench_resident(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    engine: &Engine,
    fusion: &Fusion,
    w: &Workload,
) {
    let evidence = w.evidence();
    let mut fused = Fused::default();
    let mut run = || engine.fuse_into(fusion, &evidence, &mut fused).expect("valid evidence").kernels;
    if run().is_none() {
        eprintln!("this device has no clock of its own: no resident rows");
        return;
    }
    group.throughput(Throughput::Bytes(w.bytes()));
    group.bench_function(id, |b| {
        b.iter_custom(|iterations| (0..iterations).filter_map(|_| run()).sum::<Duration>());
    });
}
