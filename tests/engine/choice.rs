//! Each job where it is expected to take less: what is printed is what is done, and the answer is right on either side.

use std::fs;
use std::path::{Path, PathBuf};

use consilience::fault::{Fault, Faults};
use consilience::kernel::Kernel;
use consilience::vortex::{Cycles, Direction, Path as Ring, digital_roots, digital_roots_into};
use consilience::{
    Choice, Encoding, Engine, EngineOptions, Estimate, Executor, Fused, Fusion, Happening, Reason, Rule,
};

use super::cpu;
use crate::support::compare::{against_oracle, bits};
use crate::support::engines;
use crate::support::problem::{Problem, Random};

/// An engine that chooses between the CPU and any GPU, and keeps what it measures in the directory.
fn auto(directory: &Path, faults: &Faults) -> Option<Engine> {
    let cache_dir = Some(directory.to_owned());
    let options = EngineOptions { software_gpu: true, cache_dir, ..EngineOptions::default() };
    engines::open(&options, Some(faults.clone()))
}

/// That the executor is the one with the lesser of the estimates, as they are printed.
fn check(choice: &Choice) {
    let (cpu, gpu) = (choice.cpu.expect("an estimate"), choice.gpu.expect("an estimate"));
    let least = if gpu.total() < cpu.total() { Executor::Gpu } else { Executor::Cpu };
    assert_eq!(choice.executor, least, "{choice}");
    assert!(matches!(choice.reason, Reason::Faster | Reason::TransferAlone), "{choice}");
    let text = choice.to_string();
    for part in [cpu.to_string(), gpu.to_string(), format!("chosen  {}: {}", choice.executor, choice.reason)] {
        assert!(text.contains(&part), "{part} is not in {text}");
    }
    let parts = |estimate: Estimate| estimate.launch + estimate.upload + estimate.kernels + estimate.read_back;
    assert_eq!((parts(cpu), parts(gpu)), (cpu.total(), gpu.total()));
    assert!(cpu.upload.is_zero() && cpu.read_back.is_zero() && !gpu.upload.is_zero(), "{choice}");
}

#[test]
fn fusions_run_where_it_is_said_and_come_out_right() {
    let (directory, faults) = (tempfile::tempdir().expect("a directory"), Faults::new());
    let Some(engine) = auto(directory.path(), &faults) else { return };
    assert!(
        engine.is_gpu() && engine.describe().contains("where it is expected to take less"),
        "{}",
        engine.describe()
    );
    let mut seen = [0; 2];
    for rule in [Rule::Linear, Rule::LogPool] {
        let fusion = Fusion::new(rule);
        for (items, classes) in [(1, 2), (40, 3), (3_000, 5), (30_000, 5)] {
            let problem = Problem::random(Encoding::Probabilities, 4, items, classes, 17);
            let evidence = problem.evidence();
            let mut fused = Fused::default();
            for _ in 0..2 {
                let choice = engine.describe_choice(&fusion, &evidence).expect("valid");
                check(&choice);
                let timing = engine.fuse_into(&fusion, &evidence, &mut fused).expect("valid");
                assert_eq!(timing.executor, choice.executor, "{choice}");
                assert_eq!(against_oracle(&fusion, &evidence, &fused), Ok(()), "{items} items on {}", timing.executor);
                seen[timing.executor as usize] += 1;
            }
        }
    }
    eprintln!("{} fusions on the CPU, {} on the GPU", seen[0], seen[1]);
    assert!(engine.events().is_empty(), "{:?}", engine.events());
}

#[test]
fn small_jobs_never_see_the_gpu() {
    let (directory, faults) = (tempfile::tempdir().expect("a directory"), Faults::new());
    let Some(engine) = auto(directory.path(), &faults) else { return };
    let before = faults.submissions();
    let problem = Problem::random(Encoding::Probabilities, 2, 1, 2, 18);
    for _ in 0..50 {
        engine.fuse(&Fusion::new(Rule::Linear), &problem.evidence()).expect("valid");
        assert_eq!(digital_roots(&engine, &[38_u32, 9]).expect("two numbers"), [2, 9]);
    }
    let choice = engine.describe_choice(&Fusion::new(Rule::Linear), &problem.evidence()).expect("valid");
    assert_eq!((choice.executor, choice.reason), (Executor::Cpu, Reason::TransferAlone), "{choice}");
    assert!(choice.to_string().contains("gpu     at least "), "{choice}");
    assert_eq!(faults.submissions(), before, "a small job went to the GPU");
}

#[test]
fn jobs_correct_what_is_expected() {
    let (directory, faults) = (tempfile::tempdir().expect("a directory"), Faults::new());
    let Some(engine) = auto(directory.path(), &faults) else { return };
    let (fusion, problem) = (Fusion::new(Rule::Vote), Problem::random(Encoding::Probabilities, 3, 2_000, 4, 19));
    let describe = || engine.describe_choice(&fusion, &problem.evidence()).expect("valid");
    let before = describe();
    assert_eq!(describe(), before, "a look changes nothing once all is measured");
    engine.fuse(&fusion, &problem.evidence()).expect("valid");
    let after = describe();
    let changed = match before.executor {
        Executor::Cpu => before.cpu != after.cpu,
        _ => before.gpu != after.gpu,
    };
    assert!(changed, "{before}{after}");
}

#[test]
fn measuring_leaves_what_is_updated_in_place_as_it_was() {
    let (directory, faults) = (tempfile::tempdir().expect("a directory"), Faults::new());
    let (Some(engine), Some(gpu)) = (auto(directory.path(), &faults), engines::gpu(None)) else { return };
    let (cpu, items, mut random) = (cpu(), 9_000, Random::new(20));
    let places = (0..items).map(|_| random.below(6) as u32).collect();
    let velocities = (0..items).map(|_| random.unit()).collect();
    let start = Cycles::new(Ring::flow(), places, vec![Direction::Backward; items], velocities).expect("objects");
    let moved = |engine: &Engine| {
        let mut cycles = start.clone();
        let timing = cycles.tick(engine, 0.125, 40).expect("ticks");
        (timing.executor, cycles)
    };
    for _ in 0..2 {
        let (executor, got) = moved(&engine);
        let (_, want) = moved(if executor == Executor::Gpu { &gpu } else { &cpu });
        assert!(got == want, "{executor}: it was moved more than once");
    }
}

#[test]
fn uploaded_evidence_is_fused_where_it_is() {
    let (directory, faults) = (tempfile::tempdir().expect("a directory"), Faults::new());
    let Some(engine) = auto(directory.path(), &faults) else { return };
    let (fusion, problem) = (Fusion::default(), Problem::random(Encoding::Probabilities, 3, 500, 4, 21));
    let resident = engine.upload(&problem.evidence()).expect("room");
    let mut fused = Fused::default();
    let timing = engine.fuse_into(&fusion, &resident, &mut fused).expect("valid");
    let choice = engine.describe_choice(&fusion, &resident).expect("valid");
    assert_eq!(
        (timing.executor, choice.executor, choice.reason),
        (Executor::Gpu, Executor::Gpu, Reason::EvidenceIsThere)
    );
    let gpu = choice.gpu.expect("it ran there");
    assert!(gpu.upload.is_zero() && !gpu.launch.is_zero() && !gpu.read_back.is_zero(), "{choice}");
    assert_eq!(choice.cpu, None);
    assert!(choice.to_string().ends_with("chosen  gpu: the evidence is there\n"), "{choice}");
    assert_eq!(against_oracle(&fusion, &problem.evidence(), &fused), Ok(()));
}

/// The one file of measurements.
fn file(directory: &Path) -> PathBuf {
    let mut files = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    let file = files.next().expect("a file");
    assert_eq!(files.next(), None);
    file
}

#[test]
fn measurements_are_kept_and_what_is_damaged_is_measured_anew() {
    let (directory, faults) = (tempfile::tempdir().expect("a directory"), Faults::new());
    let fusion = Fusion::default();
    let problem = Problem::random(Encoding::Probabilities, 3, 2_000, 4, 22);
    let want = bits(&cpu().fuse(&fusion, &problem.evidence()).expect("valid"));
    let describe = |engine: &Engine| engine.describe_choice(&fusion, &problem.evidence()).expect("valid");
    let Some(engine) = auto(directory.path(), &faults) else { return };
    let measured = describe(&engine);
    check(&measured);
    drop(engine);
    let kept = fs::read_to_string(file(directory.path())).expect("text");
    assert!(kept.contains("\"version\": \"0.1.0\"") && kept.contains("fusion/pool"), "{kept}");

    // Nothing is measured again: opening takes the self-test's submissions and no more.
    let before = faults.submissions();
    let engine = auto(directory.path(), &faults).expect("the GPU that there was");
    assert_eq!(describe(&engine), measured);
    assert!(engine.events().is_empty());
    let opening = faults.submissions() - before;
    drop(engine);

    let other = |text: &str| kept.replace(text, "another");
    let damages: [(&str, Vec<u8>); 4] = [
        ("truncated", kept.as_bytes()[..kept.len() / 2].to_vec()),
        ("another driver", other("llvmpipe").into_bytes()),
        ("another version", kept.replace("\"0.1.0\"", "\"0.0.9\"").into_bytes()),
        ("no number", kept.replacen("\"cpu_launch\": ", "\"cpu_launch\": NaN, \"x\": ", 1).into_bytes()),
    ];
    for (name, damage) in damages {
        if damage == kept.as_bytes() {
            // Another driver than llvmpipe.
            continue;
        }
        fs::write(file(directory.path()), &damage).expect("a file");
        let before = faults.submissions();
        let engine = auto(directory.path(), &faults).expect("the GPU that there was");
        assert!(faults.submissions() - before > opening, "{name}: nothing was measured");
        let events = engine.events();
        let [event] = &events[..] else { panic!("{name}: {events:?}") };
        let Happening::MeasurementsIgnored { path, why } = &event.what else { panic!("{name}: {event:?}") };
        assert_eq!(*path, file(directory.path()));
        let says = match name {
            "truncated" => "EOF",
            "no number" => "expected",
            _ => "of another machine",
        };
        assert!(why.contains(says), "{name}: {why}");
        check(&describe(&engine));
        let mut fused = Fused::default();
        let timing = engine.fuse_into(&fusion, &problem.evidence(), &mut fused).expect("valid");
        assert_eq!(bits(&fused) == want, timing.executor == Executor::Cpu, "{name}");
        drop(engine);
        // What was measured anew replaces it.
        let engine = auto(directory.path(), &faults).expect("the GPU that there was");
        assert!(engine.events().is_empty(), "{name}: {:?}", engine.events());
    }
}

#[test]
fn a_gpu_that_computes_wrongly_is_left_out_and_the_reason_is_said() {
    let (directory, faults) = (tempfile::tempdir().expect("a directory"), Faults::new());
    faults.poison(Kernel::DigitalRoot, "29127u", "28127u");
    let Some(engine) = auto(directory.path(), &faults) else { return };
    let said = engine.describe();
    assert!(!engine.is_gpu() && said.starts_with("cpu: "), "{said}");
    if cfg!(feature = "gpu") && std::env::var_os("CONSILIENCE_REQUIRE_GPU").is_some() {
        assert!(said.contains("computes vortex/digital_root wrongly"), "{said}");
    }
    assert_eq!(digital_roots(&engine, &[u32::MAX]).expect("the CPU"), [3]);
}

#[test]
fn a_loss_while_measuring_loses_no_job() {
    let (directory, faults) = (tempfile::tempdir().expect("a directory"), Faults::new());
    let Some(engine) = auto(directory.path(), &faults) else { return };
    // So many that the GPU is looked at.
    let values: Vec<u32> = (0..3_000_000).collect();
    let mut roots = vec![0; values.len()];
    faults.plan(0, Fault::Lost);
    let timing = digital_roots_into(&engine, &values, &mut roots).expect("the CPU");
    assert!(roots.iter().zip(&values).all(|(&root, &value)| root == if value == 0 { 0 } else { 1 + (value - 1) % 9 }));
    if faults.devices() == 0 {
        assert_eq!((timing.executor, engine.health().given_up), (Executor::Cpu, 1));
    }
}
