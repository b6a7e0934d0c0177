//! What benchmarks go by: how a device describes itself, copies by a kernel, the account of what kernels took; and the parts
//! of the report that compute.

mod report;

use std::time::Duration;

use consilience::kernel::Kernel;
use consilience::stacking::{LabelledLoss, Stacked};
use consilience::{AdapterKind, Engine, Evidence, Fusion, Output, Rule, vortex};

use crate::support::engines;

fn gpus() -> impl Iterator<Item = &'static Engine> {
    engines::all().iter().map(|(_, engine)| engine).filter(|engine| engine.is_gpu())
}

#[test]
fn a_cpu_has_neither_adapter_nor_copies() {
    for (name, engine) in engines::cpus() {
        assert_eq!(engine.adapter(), None, "{name}");
        assert_eq!(engine.copy_kernel_times(1 << 20, 3).expect("nothing to do"), None, "{name}");
    }
}

#[test]
fn an_adapter_is_described_as_the_engine_says() {
    for engine in gpus() {
        let (adapter, line) = (engine.adapter().expect("a GPU has an adapter"), engine.describe());
        for text in [&adapter.name, &adapter.driver, &adapter.driver_info, &adapter.api] {
            assert!(line.contains(text.as_str()), "`{text}` is not in `{line}`");
        }
        assert_eq!(adapter.is_software(), line.contains("; a software driver"), "{line}");
        if adapter.name.contains("llvmpipe") {
            assert_eq!((adapter.kind, adapter.api.as_str()), (AdapterKind::Software, "vulkan"));
            assert!(adapter.timestamps && adapter.subgroups && adapter.f16, "{adapter:?}");
            assert!(adapter.driver_info.contains("Mesa"), "{adapter:?}");
        }
        let [fewest, most] = adapter.subgroup_lanes;
        assert!(1 <= fewest && fewest <= most && most <= 128, "{adapter:?}");
        let limits = adapter.limits;
        // What the kernels need at least.
        assert!(limits.workgroup_lanes >= 256 && limits.workgroup_bytes >= 16 << 10, "{limits:?}");
        assert!(limits.storage_buffers >= 8 && limits.groups_per_dimension >= 65_535, "{limits:?}");
        assert!(limits.binding_bytes >= 128 << 20 && limits.buffer_bytes >= limits.binding_bytes, "{limits:?}");
    }
}

/// Around a vec4, around what a workgroup of 256 copies in one round of four, and several rounds with a last that is not
/// full. Each call compares the beginning and the end of the copy.
#[test]
fn a_kernel_copies_every_byte_and_is_timed_as_often_as_asked() {
    let round = 256 * 4 * 16;
    for engine in gpus() {
        for bytes in [0, 1, 16, 17, round - 16, round, round + 16, 4096 * round + 5 * round + 48] {
            let times = engine.copy_kernel_times(bytes, 2).expect("the device copies").expect("it has a clock");
            assert_eq!(times.len(), 2, "{bytes}");
            assert!(times.iter().all(|&time| time > Duration::ZERO && time < Duration::from_secs(60)), "{times:?}");
        }
        let error = engine.copy_kernel_times(1 << 31, 1).expect_err("no binding holds 2 GiB");
        assert!(error.is_device() && error.to_string().contains("2147483648 bytes"), "{error}");
    }
}

/// 24 bytes are 2 x 2 probabilities read and 2 written; a digital root reads eight and writes four.
#[test]
fn what_kernels_took_is_put_to_their_account() {
    let (a, b) = ([0.75, 0.25], [0.5, 0.5]);
    let evidence = Evidence::probabilities(2, &[&a, &b]).expect("two rows");
    let average = Fusion::new(Rule::Linear).outputs(&[Output::Posterior]);
    let mut all: Vec<(String, Engine)> = vec![("cpu".to_owned(), Engine::cpu().expect("a CPU engine"))];
    all.extend(engines::gpu(None).map(|engine| ("gpu".to_owned(), engine)));
    for (name, engine) in &all {
        let before = engine.spent(Kernel::Pool);
        assert_eq!((before.runs, before.bytes, before.timing.chunks), (0, 0, 0), "{name}");
        engine.fuse(&average, &evidence).expect("valid evidence");
        let resident = engine.upload(&evidence).expect("room for it");
        let timing = engine.fuse_into(&average, &resident, &mut Default::default()).expect("valid evidence");
        let spent = engine.spent(Kernel::Pool);
        assert_eq!((spent.runs, spent.bytes, spent.timing.chunks), (2, 48, 2), "{name}");
        assert!(spent.timing.total >= timing.total && spent.timing.kernels >= timing.kernels, "{name}: {spent:?}");

        vortex::digital_roots(engine, &[18_u64, 19, 20]).expect("three roots");
        let first = engine.spent(Kernel::DigitalRoot);
        vortex::digital_roots(engine, &[18_u64]).expect("a root");
        let second = engine.spent(Kernel::DigitalRoot).since(&first);
        assert_eq!((first.runs, first.bytes, second.runs, second.bytes), (1, 36, 1, 12), "{name}");
        assert!(second.timing.total > Duration::ZERO && second.timing.kernels > Some(Duration::ZERO), "{name}");

        // Nothing ran.
        vortex::digital_roots::<u32>(engine, &[]).expect("no roots");
        engine.fuse(&average, &Evidence::probabilities(2, &[&[], &[]]).expect("no rows")).expect("nothing to fuse");
        let nan = [f32::NAN, 0.5];
        engine.fuse(&average, &Evidence::probabilities(2, &[&nan]).expect("a row")).expect_err("not a number");
        assert_eq!(engine.spent(Kernel::DigitalRoot).since(&first).runs, 1, "{name}");
        assert_eq!(engine.spent(Kernel::Pool), spent, "{name}");
        assert_eq!(engine.spent(Kernel::PoolWide).runs, 0, "{name}");
    }
}

/// Of 17 items two tiles of 16 are packed, for 2 features and the label: 6 rows of 64 bytes; 6 parameters are read and as
/// many sums written. Forth and back there are two products and two sums for each parameter and item.
#[test]
fn evaluations_of_a_regression_are_put_to_account() {
    let says: Vec<f32> = (0..17).flat_map(|item| [0.25 + 0.03 * item as f32, 0.75 - 0.03 * item as f32]).collect();
    let labels: Vec<Option<u32>> = (0..17).map(|item| Some(item % 2)).collect();
    let model = Stacked::new(1, 2, vec![0.0; 4], vec![0.0; 2]).expect("a model");
    for (name, engine) in engines::all() {
        let evidence = Evidence::probabilities(2, &[&says]).expect("rows");
        let before = engine.spent(Kernel::SoftmaxRegression);
        let mut loss = LabelledLoss::new(engine, &evidence, &labels).expect("labelled evidence");
        let value = loss.at(&model).expect("a loss").value;
        assert!((value - 17.0 * 2.0_f64.ln()).abs() < 1e-4, "{name}: {value}");
        loss.at(&model).expect("a loss");
        let spent = engine.spent(Kernel::SoftmaxRegression).since(&before);
        // Other tests may evaluate on the same engine meanwhile.
        assert!(spent.runs >= 2 && spent.bytes >= 2 * (6 * 64 + 48), "{name}: {spent:?}");
        if spent.runs == 2 {
            assert_eq!((spent.bytes, spent.operations), (2 * (6 * 64 + 48), 2 * 4 * 17 * 6), "{name}");
        }
        let kernels = spent.timing.kernels.expect("a clock");
        assert!(kernels > Duration::ZERO && kernels < spent.timing.total, "{name}: {spent:?}");
    }
}
