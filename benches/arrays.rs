//! What benchmarks of operations over arrays share: one core, all cores and the GPU, a software driver named as such, from
//! call to return; the GPU's kernels also on its own clock, with the arrays already there. Each stands beside a copy of half
//! the bytes that it reads and writes, which moves as many.

use std::time::Duration;

use consilience::{Device, Engine, EngineOptions, Timing};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};

/// The CPU on one core and on all, and the GPU if there is one.
pub fn engines() -> Vec<(&'static str, Engine)> {
    let cpu = |threads| {
        let options = EngineOptions { device: Device::Cpu, threads, ..EngineOptions::default() };
        Engine::open(&options).expect("a CPU engine")
    };
    let mut engines = vec![("cpu-1", cpu(Some(1))), ("cpu-all", cpu(None))];
    if let Ok(gpu) = Engine::gpu() {
        let software = gpu.describe().contains("software driver");
        engines.push((if software { "software-gpu" } else { "gpu" }, gpu));
    }
    engines
}

/// Copies of so many bytes moved, on one core and where a device has a clock on the device.
fn bench_copy(group: &mut BenchmarkGroup<'_, WallTime>, engines: &[(&str, Engine)], items: usize, moved: usize) {
    let (from, mut to) = (vec![1_u8; moved / 2], vec![0_u8; moved / 2]);
    group.bench_function(BenchmarkId::new("copy/cpu-1", items), |b| b.iter(|| to.copy_from_slice(&from)));
    for (name, engine) in engines {
        if let Ok(Some(_)) = engine.copy_time(moved as u64 / 2) {
            group.bench_function(BenchmarkId::new(format!("copy/{name}-resident"), items), |b| {
                let copy = |_| engine.copy_time(moved as u64 / 2).ok().flatten();
                b.iter_custom(|iterations| (0..iterations).filter_map(copy).sum::<Duration>());
            });
        }
    }
}

/// One operation on every engine, beside copies.
pub fn bench(
    c: &mut Criterion,
    name: &str,
    engines: &[(&str, Engine)],
    items: usize,
    bytes_per_item: usize,
    mut run: impl FnMut(&Engine) -> Timing,
) {
    let mut group = c.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(500));
    group.throughput(Throughput::Elements(items as u64));
    bench_copy(&mut group, engines, items, items * bytes_per_item);
    for (device, engine) in engines {
        group.bench_function(BenchmarkId::new(*device, items), |b| b.iter(|| run(engine)));
        // Where nothing is read back from a device there is no device apart.
        if run(engine).read_back > Duration::ZERO && run(engine).kernels.is_some() {
            group.bench_function(BenchmarkId::new(format!("{device}-resident"), items), |b| {
                b.iter_custom(|iterations| (0..iterations).filter_map(|_| run(engine).kernels).sum::<Duration>());
            });
        }
    }
    group.finish();
}
