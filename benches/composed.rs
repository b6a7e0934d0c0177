//! The fusions as a user of candle-core would compose them of tensor operations on the CPU. They check nothing and know no
//! missing source; ours do. Candle runs on as many threads as `RAYON_NUM_THREADS` allows.

#[path = "../examples/gpu_bench/rivals/candle/fusions.rs"]
mod fusions;

use candle_core::{Device, Result, Tensor};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Throughput};

use self::fusions::{bayesian_average, ensemble, linear, log_pool, vote};
use crate::workload::{self, Workload, cpu};

type Composed = fn(&Tensor) -> Result<Tensor>;

/// Measures them on the workload, after a check that they compute what ours do.
pub fn bench(group: &mut BenchmarkGroup<'_, WallTime>, workload: &Workload) {
    let items = workload.planes[0].len() / workload.classes;
    let shape = (workload.planes.len(), items, workload.classes);
    let stacked = Tensor::from_vec(workload.planes.concat(), shape, &Device::Cpu).expect("a tensor");
    let composed: [Composed; 5] = [linear, vote, bayesian_average, log_pool, ensemble];
    let engine = cpu(None);
    for ((name, fusion), compose) in workload::fusions().into_iter().zip(composed) {
        let theirs = compose(&stacked).and_then(|t| t.flatten_all()?.to_vec1::<f32>()).expect("a posterior");
        let ours = engine.fuse(&fusion, &workload.evidence()).expect("valid evidence");
        let apart = theirs.iter().zip(ours.posterior()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-5, "{name}: candle's composition differs by {apart}");
        group.throughput(Throughput::Bytes(workload.bytes()));
        group.bench_function(BenchmarkId::new(name, "candle"), |b| b.iter(|| compose(&stacked).expect("a posterior")));
    }
}
