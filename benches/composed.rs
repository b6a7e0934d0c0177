//! The fusions as a user of candle-core would compose them of tensor operations on the CPU. They check nothing and know no
//! missing source; ours do. Candle runs on as many threads as `RAYON_NUM_THREADS` allows.

use candle_core::{D, DType, Device, Result, Tensor};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Throughput};

use crate::workload::{Workload, cpu, fusions};

type Composed = fn(&Tensor) -> Result<Tensor>;

/// [N, B, C] to [B, C].
fn linear(x: &Tensor) -> Result<Tensor> {
    x.mean(0)
}

fn log_pool(x: &Tensor) -> Result<Tensor> {
    let logs = x.clamp(1e-7_f32, 1.0_f32)?.log()?.mean(0)?;
    let powers = logs.broadcast_sub(&logs.max_keepdim(D::Minus1)?)?.exp()?;
    powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)
}

fn vote(x: &Tensor) -> Result<Tensor> {
    let (_, _, classes) = x.dims3()?;
    let classes = Tensor::arange(0_u32, classes as u32, x.device())?;
    x.argmax_keepdim(D::Minus1)?.broadcast_eq(&classes)?.to_dtype(DType::F32)?.mean(0)
}

fn bayesian_average(x: &Tensor) -> Result<Tensor> {
    let confidence = x.max_keepdim(D::Minus1)?;
    x.broadcast_mul(&confidence)?.sum(0)?.broadcast_div(&confidence.sum(0)?)
}

/// The default ensemble; decision, confidence and entropy are computed as well.
fn ensemble(x: &Tensor) -> Result<Tensor> {
    let posterior = ((linear(x)? + vote(x)?)? + bayesian_average(x)?)?.affine(1.0 / 3.0, 0.0)?;
    std::hint::black_box(posterior.argmax(D::Minus1)?);
    std::hint::black_box(posterior.max(D::Minus1)?);
    std::hint::black_box((&posterior * posterior.clamp(1e-30_f32, 1.0_f32)?.log()?)?.sum(D::Minus1)?);
    Ok(posterior)
}

/// Measures them on the workload, after a check that they compute what ours do.
pub fn bench(group: &mut BenchmarkGroup<'_, WallTime>, workload: &Workload) {
    let items = workload.planes[0].len() / workload.classes;
    let shape = (workload.planes.len(), items, workload.classes);
    let stacked = Tensor::from_vec(workload.planes.concat(), shape, &Device::Cpu).expect("a tensor");
    let composed: [Composed; 5] = [linear, vote, bayesian_average, log_pool, ensemble];
    let engine = cpu(None);
    for ((name, fusion), compose) in fusions().into_iter().zip(composed) {
        let theirs = compose(&stacked).and_then(|t| t.flatten_all()?.to_vec1::<f32>()).expect("a posterior");
        let ours = engine.fuse(&fusion, &workload.evidence()).expect("valid evidence");
        let apart = theirs.iter().zip(ours.posterior()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-5, "{name}: candle's composition differs by {apart}");
        group.throughput(Throughput::Bytes(workload.bytes()));
        group.bench_function(BenchmarkId::new(name, "candle"), |b| b.iter(|| compose(&stacked).expect("a posterior")));
    }
}
