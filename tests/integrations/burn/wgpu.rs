//! What is said of burn's wgpu devices: on the software driver's where there is no other.

use std::sync::OnceLock;
use std::thread;

use ::burn::tensor::wgpu::WgpuSetup;
use ::burn::tensor::{Device, Tensor};
use consilience::burn::{Fused, Input, WgpuEngine, fuse};
use consilience::{Encoding, Engine, EngineOptions, Error, Fusion, InvalidReason, OnInvalid, Rule};

use super::fuse::{numbers, stacked};
use super::oracle::{POOLS, opinions};
use crate::support::compare::agree;
use crate::support::engines;
use crate::support::problem::Problem;

/// Burn's device, opened once for the whole test binary, and the engine on it.
fn opened() -> Option<&'static (WgpuSetup, WgpuEngine)> {
    static OPENED: OnceLock<Option<(WgpuSetup, WgpuEngine)>> = OnceLock::new();
    let open = || {
        // Drivers do not stand several threads that open devices at once.
        engines::all();
        match Device::wgpu_options().init_with_setup() {
            Ok((device, setup)) => {
                let engine = WgpuEngine::new(&device, &setup, &EngineOptions::default()).expect("an engine");
                Some((setup, engine))
            }
            Err(error) if std::env::var_os("CONSILIENCE_REQUIRE_GPU").is_some() => {
                panic!("CONSILIENCE_REQUIRE_GPU is set, but: {error}")
            }
            Err(error) => {
                eprintln!("no test of burn's wgpu runs here: {error}");
                None
            }
        }
    };
    OPENED.get_or_init(open).as_ref()
}

pub fn engine() -> Option<&'static WgpuEngine> {
    opened().map(|(_, engine)| engine)
}

fn probabilities<'a>(on: &'a WgpuEngine, fusion: &Fusion, input: impl Into<Input>) -> Fused<'a> {
    fuse(on, fusion, Encoding::Probabilities, input).expect("a posterior")
}

fn linear(on: &WgpuEngine, input: impl Into<Input>) -> Vec<f32> {
    numbers(&probabilities(on, &Fusion::new(Rule::Linear), input).checked().expect("valid opinions"))
}

/// What the CPU makes of [N, B, C], which is right by other tests.
fn on_cpu(fusion: &Fusion, values: &[f32], shape: [usize; 3]) -> Vec<f32> {
    let engine = Engine::cpu().expect("an engine");
    let tensor = stacked(values, shape, &Device::flex());
    numbers(&fuse(&engine, fusion, Encoding::Probabilities, tensor).expect("a posterior").into_posterior())
}

fn check(got: &[f32], want: &[f32], of: &str) {
    assert_eq!(got.len(), want.len(), "{of}");
    let apart = got.iter().zip(want).position(|(&got, &want)| !agree(got, f64::from(want)));
    assert_eq!(apart, None, "{of}: {got:?}, not {want:?}");
}

#[test]
fn one_source_shares_a_buffer_with_its_posterior() {
    // Tensors of one size come out of one buffer, which wgpu lets nobody read and write at once but by one binding kind.
    let Some(on) = engine() else { return };
    let values = &opinions(Encoding::Probabilities, 8, 21)[..24];
    for _ in 0..4 {
        let tensor = stacked(values, [1, 8, 3], on.device());
        check(&linear(on, tensor), values, "one source");
    }
}

#[test]
fn rows_of_many_classes_and_of_one() {
    let Some(on) = engine() else { return };
    for (seed, shape) in [(1, [3, 5, 300]), (2, [2, 70, 1]), (3, [1, 1, 1]), (4, [9, 1, 257])] {
        let [n, items, classes] = shape;
        let problem = Problem::random(Encoding::Probabilities, n, items, classes, seed);
        let values: Vec<f32> = problem.planes.iter().flat_map(|plane| plane.f32s().to_vec()).collect();
        let want = on_cpu(&Fusion::new(Rule::Linear), &values, shape);
        check(&linear(on, stacked(&values, shape, on.device())), &want, &format!("{shape:?}"));
    }
}

#[test]
fn what_burn_has_not_submitted_yet_comes_first() {
    // As many operations before and after, and temporaries whose memory is free for the posterior.
    let Some(on) = engine() else { return };
    let values = opinions(Encoding::Probabilities, 40, 22);
    let want = on_cpu(&Fusion::new(Rule::Linear), &values, [3, 40, 3]);
    let tensor = stacked(&values, [3, 40, 3], on.device());
    for round in 0..24 {
        let before = (0..round % 6).fold(tensor.clone() + round as f32, |tensor, _| tensor * 1.0);
        let temporary = tensor.clone().sum_dim(0).reshape([40, 3]) * 5.0;
        let kept = temporary.clone() + 1.0;
        drop(temporary);
        let fused = probabilities(on, &Fusion::new(Rule::Linear), before - round as f32).into_posterior();
        let after = (0..round % 4).fold(fused + 1.0, |tensor, _| tensor * 1.0);
        // What 1 is added to and taken from is rounded there, and so is what `round` is.
        let rounding: f32 = 4e-6 * (1.0 + round as f32);
        let got = numbers(&(after - 1.0));
        let apart = got.iter().zip(&want).map(|(got, want)| (got - want).abs()).fold(0.0, f32::max);
        assert!(apart <= rounding, "round {round}: {apart}");
        let sums = numbers(&kept);
        assert!(sums.chunks(3).all(|row| (row.iter().sum::<f32>() - 18.0).abs() < 1e-4), "round {round}: {sums:?}");
    }
}

#[test]
fn tensors_of_other_threads_are_as_good() {
    let Some(on) = engine() else { return };
    let values = opinions(Encoding::Probabilities, 16, 23);
    let want = on_cpu(&Fusion::new(Rule::Linear), &values, [3, 16, 3]);
    let made = thread::scope(|scope| {
        scope.spawn(|| stacked(&values, [3, 16, 3], on.device()) * 2.0).join().expect("a tensor")
    });
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..4 {
                    check(&linear(on, made.clone() / 2.0), &want, "a thread's");
                }
            });
        }
    });
}

#[test]
fn a_list_is_fused_wherever_its_tensors_lie() {
    let Some(on) = engine() else { return };
    let values = opinions(Encoding::Probabilities, 10, 24);
    let tensor = stacked(&values, [3, 10, 3], on.device());
    let view = |n: usize| tensor.clone().narrow(0, n, 1).squeeze_dim::<2>(0);
    let alone = |n: usize| stacked(&values[30 * n..30 * n + 30], [1, 10, 3], on.device()).squeeze_dim::<2>(0);
    let order = |order: [usize; 3]| order.map(|n| values[30 * n..30 * n + 30].to_vec()).concat();
    for (name, list, order) in [
        ("views in line", [view(0), view(1), view(2)], order([0, 1, 2])),
        ("views in reverse", [view(2), view(1), view(0)], order([2, 1, 0])),
        ("one view twice", [view(1), view(1), view(2)], order([1, 1, 2])),
        ("the last one out of line", [view(0), view(1), view(0)], order([0, 1, 0])),
        ("apart", [alone(2), alone(0), alone(1)], order([2, 0, 1])),
        ("a view and others", [alone(1), view(2), alone(0)], order([1, 2, 0])),
    ] {
        for pool in POOLS {
            let want = on_cpu(&pool.fusion(), &order, [3, 10, 3]);
            let fused = probabilities(on, &pool.fusion(), list.clone());
            check(&numbers(&fused.checked().expect("valid opinions")), &want, name);
        }
    }
}

#[test]
fn an_invalid_opinion_is_told_by_whoever_asks() {
    let Some(on) = engine() else { return };
    let mut values = opinions(Encoding::Probabilities, 300, 25);
    values[(2 * 300 + 123) * 3 + 1] = -0.5;
    let tensor = stacked(&values, [3, 300, 3], on.device());
    let list: Vec<Tensor<2>> = tensor.clone().iter_dim(0).map(|source| source.squeeze_dim(0)).collect();
    let tracked = tensor.clone().autodiff().require_grad();
    for input in [Input::from(&tensor), Input::from(list), Input::from(tracked)] {
        let fused = probabilities(on, &Fusion::new(Rule::Linear), input);
        // In place where nobody else holds it: burn must not, for it is to be looked at yet.
        let error = fused.checked().expect_err("an invalid opinion");
        let found = error.invalid_opinion().expect("which one");
        assert_eq!((found.source, found.item, found.class, found.value), (2, 123, Some(1), -0.5));
        assert_eq!(found.reason, InvalidReason::Negative);
    }
    let fused = probabilities(on, &Fusion::new(Rule::Linear), &tensor);
    assert_eq!(fused.into_posterior().dims(), [300, 3]);
    // Mended, it is no error.
    let mut missing = Fusion::new(Rule::Linear);
    missing.on_invalid = OnInvalid::Missing;
    let want = on_cpu(&missing, &values, [3, 300, 3]);
    let mended = probabilities(on, &missing, tensor).checked().expect("a mended opinion");
    check(&numbers(&mended), &want, "mended");
}

#[test]
fn opinions_stay_until_it_is_told_whether_they_are_valid() {
    let Some(on) = engine() else { return };
    let mut values = opinions(Encoding::Probabilities, 50, 26);
    values[10] = -0.5;
    let tensor = stacked(&values, [3, 50, 3], on.device());
    let fused = probabilities(on, &Fusion::new(Rule::Linear), &tensor);
    // Without anybody who holds them, burn would write these into the opinions' own memory.
    let changed = tensor * 0.0 + 0.5;
    let error = fused.checked().expect_err("an invalid opinion");
    let found = error.invalid_opinion().map(|found| (found.source, found.item, found.class, found.value));
    assert_eq!(found, Some((0, 3, Some(1), -0.5)));
    drop(changed);
}

#[test]
fn tensors_elsewhere_are_refused() {
    let Some((setup, on)) = opened() else { return };
    let refusal = |error: Error| {
        assert!(error.is_burn(), "{error:?}");
        error.to_string()
    };
    let half = |device: &Device| Tensor::<3>::full([2, 3, 2], 0.5, device);
    let linear = Fusion::new(Rule::Linear);
    let cpu = Engine::cpu().expect("an engine");
    let of = |device: &Device| format!("{device:?}");

    let message = refusal(fuse(&cpu, &linear, Encoding::Probabilities, half(on.device())).expect_err("a refusal"));
    let supported = "those of flex are, by any engine, and those of wgpu by a `WgpuEngine` (feature `burn-wgpu`)";
    assert_eq!(message, format!("tensors on {} are not fused; {supported}", of(on.device())));

    // A second device of burn's, though of the same handles.
    let WgpuSetup { instance, adapter, device, queue, backend } = setup;
    let again = WgpuSetup {
        instance: instance.clone(),
        adapter: adapter.clone(),
        device: device.clone(),
        queue: queue.clone(),
        backend: *backend,
    };
    let second = Device::wgpu_options().setup(again).init().expect("a second device");
    for plain in [second, Device::flex()] {
        let tensor = half(&plain);
        let message =
            refusal(fuse(on, &linear, Encoding::Probabilities, tensor.clone().autodiff()).expect_err("a refusal"));
        assert_eq!(refusal(fuse(on, &linear, Encoding::Probabilities, tensor).expect_err("a refusal")), message);
        let (plain, engine) = (of(&plain), of(on.device()));
        let want = format!(
            "the tensors are on {plain}, the engine on {engine}; make the engine of that device, or move the tensors"
        );
        assert_eq!(message, want);
    }

    let list = [half(on.device()), half(&Device::flex())].map(|tensor| tensor.narrow(0, 0, 1).squeeze_dim::<2>(0));
    let message = refusal(fuse(on, &linear, Encoding::Probabilities, list).expect_err("a refusal"));
    let (device, first) = (of(&Device::flex()), of(on.device()));
    let want = format!("the tensor of source 1 is on {device}, others are on {first}; all must be on one device");
    assert_eq!(message, want);
}
