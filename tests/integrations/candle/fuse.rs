//! Tensors fused where they lie.

use std::sync::{Arc, LazyLock};

use ::candle_core::{CpuStorage, DType, Device, Storage, Tensor};
use consilience::candle::{Fused, fuse, fuse_outputs, fuse_sources, with_evidence};
use consilience::{Encoding, Engine, Evidence, Fusion, Opinions, Output, Rule, Weighting};
use half::bf16;

use crate::support::engines;

/// The CPU, and the GPU where there is one.
pub static ENGINES: LazyLock<Vec<Arc<Engine>>> = LazyLock::new(|| {
    let cpu = Engine::cpu().expect("a CPU engine");
    [Some(cpu), engines::gpu(None)].into_iter().flatten().map(Arc::new).collect()
});

/// [2, 4, 3]: each number tells its place.
fn numbers() -> Tensor {
    Tensor::arange(0.0_f32, 24.0, &Device::Cpu).and_then(|t| (t / 10.0)?.reshape((2, 4, 3))).expect("a tensor")
}

/// Where a tensor's first value lies.
fn first(tensor: &Tensor) -> *const f32 {
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(CpuStorage::F32(values)) = &*storage else { panic!("no f32 on the CPU") };
    &raw const values[layout.start_offset()]
}

/// Where the engine reads each source, and how much.
fn planes(tensor: &Tensor) -> Vec<(*const f32, usize)> {
    let planes = |evidence: &Evidence<'_>| {
        let plane = |n| match evidence.opinions(n) {
            Some(Opinions::Logits(values)) => (values.as_ptr(), values.len()),
            other => panic!("{other:?}"),
        };
        (0..evidence.sources()).map(plane).collect()
    };
    with_evidence(tensor, Encoding::Logits, planes).expect("evidence")
}

fn rows(tensor: &Tensor) -> Vec<Vec<f32>> {
    tensor.to_vec2().expect("rows")
}

/// A log pool of logits by the formula, in f64; [N, B, C] values in, [B, C] out.
fn log_pool(values: &[Vec<Vec<f32>>], weights: &[f64]) -> Vec<Vec<f64>> {
    let total: f64 = weights.iter().sum();
    let row = |item: usize| {
        let ln = |k: usize| values.iter().zip(weights).map(|(v, w)| w / total * f64::from(v[item][k])).sum::<f64>();
        let powers: Vec<f64> = (0..values[0][item].len()).map(|k| ln(k).exp()).collect();
        powers.iter().map(|power| power / powers.iter().sum::<f64>()).collect()
    };
    (0..values[0].len()).map(row).collect()
}

fn check(opinions: &Tensor) {
    let fusion = Fusion::new(Rule::LogPool).weighting(Weighting::Fixed(vec![2.0, 1.0]));
    let want = log_pool(&opinions.to_vec3().expect("values"), &[2.0, 1.0]);
    for engine in &*ENGINES {
        let posterior = fuse(engine, &fusion, Encoding::Logits, opinions).expect("a posterior");
        assert_eq!((posterior.dims(), posterior.dtype()), (&opinions.dims()[1..], DType::F32));
        for (found, want) in rows(&posterior).concat().into_iter().zip(want.concat()) {
            assert!((f64::from(found) - want).abs() < 2e-6, "{}: {found}, not {want}", engine.describe());
        }
    }
}

#[test]
fn whole_tensors_are_read_in_place() {
    let tensor = numbers();
    let start = first(&tensor);
    assert_eq!(planes(&tensor), [(start, 12), (start.wrapping_add(12), 12)]);
    check(&tensor);
}

#[test]
fn a_range_of_sources_or_of_items_is_read_in_place() {
    let tensor =
        Tensor::arange(0.0_f32, 48.0, &Device::Cpu).and_then(|t| (t / 20.0)?.reshape((4, 4, 3))).expect("a tensor");
    let start = first(&tensor);
    let sources = tensor.narrow(0, 1, 2).expect("two sources");
    assert_eq!(planes(&sources), [(start.wrapping_add(12), 12), (start.wrapping_add(24), 12)]);
    check(&sources);
    // Rows side by side, but the sources apart.
    let items = sources.narrow(1, 1, 2).expect("two items");
    assert_eq!(planes(&items), [(start.wrapping_add(15), 6), (start.wrapping_add(27), 6)]);
    check(&items);
    // One source that is heard twice.
    let twice = tensor.narrow(0, 3, 1).and_then(|t| t.expand((2, 4, 3))).expect("a source twice");
    assert_eq!(planes(&twice), [(start.wrapping_add(36), 12); 2]);
    check(&twice);
}

#[test]
fn other_layouts_are_copied_and_right() {
    let tensor = numbers();
    let classes = tensor.narrow(2, 1, 2).expect("two classes");
    let transposed = tensor.transpose(1, 2).expect("a transposed tensor");
    let by_item = Tensor::stack(&[&tensor.get(0).expect("a source"), &tensor.get(1).expect("a source")], 1);
    let by_item = by_item.and_then(|t| t.transpose(0, 1)).expect("items first");
    for tensor in [classes, transposed, by_item] {
        assert!(with_evidence(&tensor, Encoding::Logits, |evidence| evidence.items()).is_err());
        check(&tensor);
    }
}

#[test]
fn a_posterior_is_the_memory_that_the_engine_wrote() {
    let engine = Engine::cpu().expect("an engine");
    let tensor = numbers();
    let fusion = Fusion::new(Rule::LogPool).outputs(&[Output::Posterior, Output::Entropy]);
    let fused = with_evidence(&tensor, Encoding::Logits, |evidence| engine.fuse(&fusion, evidence));
    let fused = fused.expect("evidence").expect("an answer");
    let wrote = (fused.posterior().as_ptr(), fused.entropy().as_ptr());
    let fused = Fused::new(fused).expect("tensors");
    let at = |output| first(fused.get(output).expect("an output"));
    assert_eq!((at(Output::Posterior), at(Output::Entropy)), wrote);
}

#[test]
fn every_output_is_the_engines() {
    let tensor = numbers();
    let fusion = Fusion::new(Rule::LogPool).outputs(&Output::ALL);
    for engine in &*ENGINES {
        let want = with_evidence(&tensor, Encoding::Logits, |evidence| engine.fuse(&fusion, evidence));
        let want = want.expect("evidence").expect("an answer");
        let fused = fuse_outputs(engine, &fusion, Encoding::Logits, &tensor).expect("outputs");
        for output in Output::ALL {
            let column = fused.get(output).expect("an output");
            let shape = match output {
                Output::Posterior => vec![4, 3],
                Output::Contributions => vec![4, 2],
                _ => vec![4],
            };
            assert_eq!(column.dims(), shape, "{output}");
            let column = column.flatten_all().expect("a row");
            match want.integers(output) {
                Some(integers) => assert_eq!(column.to_vec1::<u32>().expect("integers"), integers, "{output}"),
                None => assert_eq!(Some(&*column.to_vec1::<f32>().expect("numbers")), want.values(output), "{output}"),
            }
        }
        let decision = fusion.clone().outputs(&[Output::Decision]);
        let fused = fuse_outputs(engine, &decision, Encoding::Logits, &tensor.transpose(1, 2).expect("a copy"));
        let fused = fused.expect("decisions");
        assert!(fused.get(Output::Posterior).is_none());
        assert_eq!(fused.get(Output::Decision).and_then(|d| d.to_vec1().ok()), Some(vec![3_u32; 3]));
    }
}

#[test]
fn sources_apart_are_stacked() {
    let tensor = numbers();
    let sources = [tensor.get(0).expect("a source"), tensor.get(1).expect("a source")];
    for engine in &*ENGINES {
        let fusion = Fusion::new(Rule::LogPool);
        let whole = fuse(engine, &fusion, Encoding::Logits, &tensor).expect("a posterior");
        let apart = fuse_sources(engine, &fusion, Encoding::Logits, &sources).expect("a posterior");
        assert_eq!(rows(&apart), rows(&whole));
    }
}

#[test]
fn rows_in_16_bits_are_read_in_place() {
    let engine = &ENGINES[0];
    let values = [0.25, 0.75, 0.5, 0.5].map(bf16::from_f32);
    let tensor = Tensor::from_slice(&values, (2, 1, 2), &Device::Cpu).expect("a tensor");
    let lies = {
        let (storage, _) = tensor.storage_and_layout();
        let Storage::Cpu(CpuStorage::BF16(values)) = &*storage else { panic!("no bf16 on the CPU") };
        values.as_ptr()
    };
    let seen = with_evidence(&tensor, Encoding::Probabilities, |evidence| match evidence.opinions(0) {
        Some(Opinions::ProbabilitiesBf16(values)) => values.as_ptr(),
        other => panic!("{other:?}"),
    });
    assert_eq!(seen.expect("evidence"), lies);
    let posterior = fuse(engine, &Fusion::new(Rule::Linear), Encoding::Probabilities, &tensor).expect("a posterior");
    assert_eq!(rows(&posterior), [[0.375, 0.625]]);
    let tensor = tensor.to_dtype(DType::F16).expect("a tensor");
    let lies = {
        let (storage, _) = tensor.storage_and_layout();
        let Storage::Cpu(CpuStorage::F16(values)) = &*storage else { panic!("no f16 on the CPU") };
        values.as_ptr()
    };
    let seen = with_evidence(&tensor, Encoding::Probabilities, |evidence| match evidence.opinions(0) {
        Some(Opinions::ProbabilitiesF16(values)) => values.as_ptr(),
        other => panic!("{other:?}"),
    });
    assert_eq!(seen.expect("evidence"), lies);
    let posterior = fuse(engine, &Fusion::new(Rule::Linear), Encoding::Probabilities, &tensor).expect("a posterior");
    assert_eq!(rows(&posterior), [[0.375, 0.625]]);
    // Logarithms count as logits: -1.390625 and -0.287109375 are the nearest to ln 1/4 and ln 3/4.
    let logs = [-1.390_625, -0.287_109_38].map(bf16::from_f32);
    let logs = Tensor::from_slice(&logs, (1, 1, 2), &Device::Cpu).expect("a tensor");
    let posterior = fuse(engine, &Fusion::new(Rule::Linear), Encoding::LogProbabilities, &logs).expect("a posterior");
    let want = 1.0 / (1.0 + (1.390_625_f64 - 0.287_109_38).exp());
    assert!((f64::from(rows(&posterior)[0][0]) - want).abs() < 1e-6);
}

#[test]
fn no_items_have_an_empty_posterior() {
    let none = Tensor::zeros((2, 0, 3), DType::F32, &Device::Cpu).expect("a tensor");
    for engine in &*ENGINES {
        let posterior = fuse(engine, &Fusion::default(), Encoding::Logits, &none).expect("a posterior");
        assert_eq!(posterior.dims(), [0, 3]);
    }
}
