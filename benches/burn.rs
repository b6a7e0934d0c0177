//! What it costs the host to fuse burn's tensors: beside the same fusion without burn, and beside a log pool composed of
//! burn's own operations. On wgpu the time is that of the call alone, which begins when the device is idle and does not wait
//! for it; what the kernels take is not in it, and on a software driver would mean nothing.
//!
//! ```sh
//! cargo bench --no-default-features --features burn-wgpu --bench burn
//! ```
#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use consilience::burn::{WgpuEngine, fuse};
use consilience::gpu::wgpu::{BufferDescriptor, BufferUsages};
use consilience::gpu::{AnswerBuffers, EvidenceBuffer};
use consilience::{Encoding, Engine, EngineOptions, Evidence, Fusion, Output, Rule};
use criterion::{Criterion, criterion_group, criterion_main};

const SOURCES: usize = 8;
const CLASSES: usize = 10;

/// Logits of no particular kind.
fn logits(items: usize) -> Vec<f32> {
    (0..SOURCES * items * CLASSES).map(|i| ((i * 2_654_435_761) % 1000) as f32 / 200.0 - 2.5).collect()
}

fn stacked(items: usize, device: &Device) -> Tensor<3> {
    Tensor::<1>::from_floats(&logits(items)[..], device).reshape([SOURCES, items, CLASSES])
}

fn fusion() -> Fusion {
    Fusion::new(Rule::LogPool).outputs(&[Output::Posterior])
}

/// The log pool of logits under equal weights: the softmax of their mean.
fn composed(logits: Tensor<3>) -> Tensor<2> {
    let [_, items, classes] = logits.dims();
    softmax(logits.mean_dim(0).reshape([items, classes]), 1)
}

/// The time of so many calls, none of which finds the device at work.
fn idle<T>(device: &Device, calls: u64, mut call: impl FnMut() -> T) -> Duration {
    let one = |_| {
        device.sync().expect("an idle device");
        let start = Instant::now();
        let result = call();
        let time = start.elapsed();
        drop(result);
        time
    };
    (0..calls).map(one).sum()
}

fn wgpu(c: &mut Criterion) {
    let (device, setup) = Device::wgpu_options().init_with_setup().expect("a wgpu device");
    let on = WgpuEngine::new(&device, &setup, &EngineOptions::default()).expect("an engine");
    let mut group = c.benchmark_group(format!("burn/wgpu: {}", setup.adapter.get_info().name));
    for items in [1, 1000] {
        let tensor = stacked(items, &device);
        let shape = [SOURCES, items, CLASSES];
        let buffer = |values: usize| {
            let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
            let size = 4 * values as u64;
            setup.device.create_buffer(&BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
        };
        let (evidence, posterior) = (buffer(SOURCES * items * CLASSES), buffer(items * CLASSES));
        setup.queue.write_buffer(&evidence, 0, bytemuck::cast_slice(&logits(items)));
        group.bench_function(format!("direct, {items} items"), |b| {
            let call = || {
                let from = EvidenceBuffer::new(&evidence, Encoding::Logits, shape);
                on.engine().fuse_buffers(&fusion(), &from, &AnswerBuffers::posterior(&posterior)).expect("a fusion")
            };
            b.iter_custom(|calls| idle(&device, calls, call));
        });
        group.bench_function(format!("fuse, {items} items"), |b| {
            let call = || fuse(&on, &fusion(), Encoding::Logits, &tensor).expect("a posterior").into_posterior();
            b.iter_custom(|calls| idle(&device, calls, call));
        });
        group.bench_function(format!("composed, {items} items"), |b| {
            let call = || {
                let posterior = composed(tensor.clone());
                // Burn submits when it has enough, or is told to.
                device.flush().expect("a flush");
                posterior
            };
            b.iter_custom(|calls| idle(&device, calls, call));
        });
    }
    group.finish();
}

fn flex(c: &mut Criterion) {
    let (device, engine) = (Device::flex(), Engine::cpu().expect("an engine"));
    let mut group = c.benchmark_group("burn/flex");
    for items in [1, 1000] {
        let (tensor, values) = (stacked(items, &device), logits(items));
        let planes: Vec<&[f32]> = values.chunks(items * CLASSES).collect();
        group.bench_function(format!("direct, {items} items"), |b| {
            b.iter(|| {
                let evidence = Evidence::logits(CLASSES, &planes).expect("evidence");
                engine.fuse(&fusion(), &evidence).expect("a posterior")
            });
        });
        group.bench_function(format!("fuse, {items} items"), |b| {
            b.iter(|| fuse(&engine, &fusion(), Encoding::Logits, &tensor).expect("a posterior").into_posterior());
        });
        group.bench_function(format!("composed, {items} items"), |b| b.iter(|| black_box(composed(tensor.clone()))));
    }
    group.finish();
}

criterion_group!(benches, wgpu, flex);
criterion_main!(benches);
