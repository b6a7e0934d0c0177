//! Every executor of this machine, opened once for the whole test binary.

use std::sync::LazyLock;

use consilience::fault::Faults;
use consilience::{Device, Engine, EngineOptions, OnDeviceFailure, SimdLevel};

/// What an engine is called in a failure.
pub type Named = (String, Engine);

static ALL: LazyLock<Vec<Named>> = LazyLock::new(|| {
    let cpu = |simd, threads| {
        let options =
            EngineOptions { device: Device::Cpu, simd: Some(simd), threads: Some(threads), ..Default::default() };
        (format!("cpu {simd} x {threads}"), Engine::open(&options).expect("a CPU engine"))
    };
    let levels = SimdLevel::ALL.into_iter().filter(|level| level.is_supported());
    let mut engines: Vec<Named> = levels.map(|level| cpu(level, 1)).collect();
    engines.push(cpu(SimdLevel::best(), 3));
    engines.extend(gpu(None).map(|engine| ("gpu".to_owned(), engine)));
    engines
});

/// The GPU with sums by subgroups and by trees.
static BOTH_WAYS: LazyLock<Vec<Named>> = LazyLock::new(|| {
    let opened = [(true, "gpu by subgroups"), (false, "gpu by trees")].map(|(by_subgroups, name)| {
        let options = EngineOptions { subgroups: Some(by_subgroups), ..on_the_gpu_alone(None) };
        open(&options, None).map(|engine| (name.to_owned(), engine))
    });
    opened.into_iter().flatten().collect()
});

/// The GPU in each way it can sum, for kernels that have two texts.
pub fn both_ways() -> &'static [Named] {
    &BOTH_WAYS
}

/// All executors: the CPU at every level of SIMD this machine has, on one thread and on three, and the GPU.
pub fn all() -> &'static [Named] {
    &ALL
}

/// The executors of [`all`] that run on the CPU.
pub fn cpus() -> impl Iterator<Item = &'static Named> {
    all().iter().filter(|(name, _)| name.starts_with("cpu"))
}

/// A GPU engine with the memory budget given, that leaves nothing to the CPU.
pub fn gpu(memory_bytes: Option<u64>) -> Option<Engine> {
    open(&on_the_gpu_alone(memory_bytes), None)
}

fn on_the_gpu_alone(memory_bytes: Option<u64>) -> EngineOptions {
    let on_device_failure = OnDeviceFailure::Error;
    EngineOptions { device: Device::Gpu, memory_bytes, on_device_failure, ..EngineOptions::default() }
}

/// A GPU engine. A build without the feature has none, nor has a machine without any adapter; with
/// `CONSILIENCE_REQUIRE_GPU` set the latter is a failure, so that no GPU test is skipped unseen.
pub fn open(options: &EngineOptions, faults: Option<Faults>) -> Option<Engine> {
    if !cfg!(feature = "gpu") {
        return None;
    }
    match Engine::open_with(options, faults) {
        Ok(engine) => Some(engine),
        Err(error) if std::env::var_os("CONSILIENCE_REQUIRE_GPU").is_some() => {
            panic!("CONSILIENCE_REQUIRE_GPU is set, but: {error}")
        }
        Err(error) => {
            eprintln!("no GPU test runs here: {error}");
            None
        }
    }
}
