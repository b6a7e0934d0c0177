//! Each job where it is expected to take less: what is printed is what is done, and the answer is right on either side.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use consilience::fault::{Fault, Faults};
use consilience::kernel::Kernel;
use consilience::stacking::{Fit, LabelledLoss, Stacked, Stacking};
use consilience::vortex::{Cycles, Direction, Path as Ring, digital_roots, digital_roots_into};
use consilience::{
    Choice, Device, Encoding, Engine, EngineOptions, Estimate, Executor, Fused, Fusion, Happening, Reason, Rule,
    SimdLevel,
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
    // One that takes what is expected, to the nanosecond, corrects nothing.
    let changed = (0..10).any(|_| {
        engine.fuse(&fusion, &problem.evidence()).expect("valid");
        let after = describe();
        match before.executor {
            Executor::Cpu => before.cpu != after.cpu,
            _ => before.gpu != after.gpu,
        }
    });
    assert!(changed, "{before}");
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

/// Labelled items of four sources and five classes.
struct Labelled {
    problem: Problem,
    labels: Vec<u32>,
}

impl Labelled {
    fn of(items: usize) -> Self {
        let mut random = Random::new(23);
        let labels = (0..items).map(|item| if item < 5 { item } else { random.below(5) } as u32).collect();
        Self { problem: Problem::random(Encoding::Probabilities, 4, items, 5, 23), labels }
    }

    fn fit(&self, engine: &Engine) -> Fit {
        let few = Stacking { max_iterations: 12, ..Stacking::default() };
        few.fit(engine, &self.problem.evidence(), &self.labels).expect("labelled items")
    }

    /// What one evaluation takes, at the least of some.
    fn evaluation(&self, engine: &Engine) -> Duration {
        let labels: Vec<Option<u32>> = self.labels.iter().copied().map(Some).collect();
        let mut loss = LabelledLoss::new(engine, &self.problem.evidence(), &labels).expect("labelled items");
        let zeros = Stacked::new(4, 5, vec![0.0; 100], vec![0.0; 5]).expect("a model");
        let took = (0..5).map(|_| {
            let begin = Instant::now();
            loss.at(&zeros).expect("a model of its shape");
            begin.elapsed()
        });
        took.min().expect("five")
    }
}

/// Where the last evaluation was, and how many there were.
fn evaluated(engine: &Engine) -> (Executor, u64) {
    let spent = engine.spent(Kernel::SoftmaxRegression);
    (spent.timing.executor, spent.runs)
}

/// What a fit is expected to take: as many evaluations as `describe_fit_choice` says.
fn expected(choice: &Choice) -> u64 {
    let about = choice.job.split_once(", about ").and_then(|(_, rest)| rest.strip_suffix(" evaluations"));
    about.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{choice}"))
}

#[test]
fn fits_run_where_an_evaluation_was_measured_to_take_less() {
    // On one lane a core may well take longer than a software driver on all of them.
    for simd in [SimdLevel::ALL[0], SimdLevel::best()] {
        let (directory, faults) = (tempfile::tempdir().expect("a directory"), Faults::new());
        // Features are packed on the host, whose SIMD they are rounded by.
        let host = EngineOptions { simd: Some(simd), threads: Some(1), ..EngineOptions::default() };
        let cache_dir = Some(directory.path().to_owned());
        let options = EngineOptions { software_gpu: true, cache_dir, ..host.clone() };
        let Some(engine) = engines::open(&options, Some(faults.clone())) else { return };
        let [cpu, gpu] = [Device::Cpu, Device::Gpu]
            .map(|device| Engine::open(&EngineOptions { device, ..host.clone() }).expect("what the engine has"));
        for items in [20, 1_000] {
            let labelled = Labelled::of(items);
            let choice = engine.describe_fit_choice(4, 5, items).expect("a size");
            check(&choice);
            let on = [labelled.fit(&cpu), labelled.fit(&gpu)];
            let before = evaluated(&engine).1;
            let fit = labelled.fit(&engine);
            let (executor, evaluations) = evaluated(&engine);
            assert_eq!((executor, evaluations - before), (choice.executor, fit.report.evaluations), "{choice}");
            assert!(fit == on[executor as usize], "{items} items: not the model of the {executor}");
            // Where one takes much less than the other, that one it is.
            let [on_cpu, on_gpu] = [&cpu, &gpu].map(|engine| labelled.evaluation(engine));
            eprintln!("{items} items, {simd}: {on_cpu:?} on the CPU, {on_gpu:?} on the GPU\n{choice}");
            if on_cpu.max(on_gpu) > 4 * on_cpu.min(on_gpu) {
                let faster = if on_cpu < on_gpu { Executor::Cpu } else { Executor::Gpu };
                assert_eq!(executor, faster, "{on_cpu:?} and {on_gpu:?}: {choice}");
            }
        }
        assert!(engine.events().is_empty(), "{:?}", engine.events());
    }
}

#[test]
fn a_fit_is_expected_to_evaluate_as_those_before_it_and_the_features_go_once() {
    let (directory, faults) = (tempfile::tempdir().expect("a directory"), Faults::new());
    let Some(engine) = auto(directory.path(), &faults) else { return };
    let labelled = Labelled::of(1_000);
    let describe = |engine: &Engine| engine.describe_fit_choice(4, 5, 1_000).expect("a size");
    let first = describe(&engine);
    check(&first);
    assert_eq!(expected(&first), 2, "where it begins and where it ends");
    assert_eq!(describe(&engine), first, "a look changes nothing once all is measured");
    let fit = labelled.fit(&engine);
    let then = describe(&engine);
    assert_eq!(expected(&then), fit.report.evaluations, "{then}");
    assert!(fit.report.evaluations > 4, "{:?}", fit.report);
    // Of the way to the GPU the features are the most: many evaluations take it little further than two.
    let ways = [first, then.clone()].map(|choice| choice.gpu.expect("an estimate").upload.as_secs_f64());
    assert!(ways[1] < 1.5 * ways[0], "{ways:?}");
    // A loss of an optimiser of the caller's own is no fit, nor is one evaluation.
    labelled.evaluation(&engine);
    Stacking::default()
        .objective(&engine, &labelled.problem.evidence(), &labelled.labels, &fit.model)
        .expect("a model");
    assert_eq!(expected(&describe(&engine)), fit.report.evaluations);
    let measured = describe(&engine);
    drop(engine);

    // It is kept with what an evaluation takes, and measured anew where the driver is another.
    let path = file(directory.path());
    let kept = fs::read_to_string(&path).expect("text");
    assert!(
        kept.contains("\"stacking/softmax_regression: whole\"") && kept.contains("\"fit_evaluations\": "),
        "{kept}"
    );
    let before = faults.submissions();
    let engine = auto(directory.path(), &faults).expect("the GPU that there was");
    assert_eq!(describe(&engine), measured);
    let opening = faults.submissions() - before;
    drop(engine);
    let driver = kept.split_once("\"gpu\": \"").expect("a GPU").1.split('"').next().expect("its name");
    fs::write(&path, kept.replace(driver, "another driver")).expect("a file");
    let before = faults.submissions();
    let engine = auto(directory.path(), &faults).expect("the GPU that there was");
    let anew = describe(&engine);
    check(&anew);
    assert_eq!(expected(&anew), 2, "{anew}");
    assert!(faults.submissions() - before > opening, "nothing was measured");
    let [event] = &engine.events()[..] else { panic!("{:?}", engine.events()) };
    assert!(matches!(&event.what, Happening::MeasurementsIgnored { why, .. } if why.contains("another driver")));
}

#[test]
fn a_fit_that_is_lost_while_it_is_measured_is_the_cpus() {
    let (directory, faults) = (tempfile::tempdir().expect("a directory"), Faults::new());
    let Some(engine) = auto(directory.path(), &faults) else { return };
    let labelled = Labelled::of(1_000);
    let want = labelled.fit(&cpu());
    faults.plan(0, Fault::Lost);
    let fit = labelled.fit(&engine);
    if faults.devices() == 0 {
        assert!(fit == want && evaluated(&engine).0 == Executor::Cpu);
    }
}

#[test]
fn a_kernel_is_chosen_by_what_its_items_asked_before() {
    let (directory, faults) = (tempfile::tempdir().expect("a directory"), Faults::new());
    let Some(engine) = auto(directory.path(), &faults) else { return };
    let describe = |items| engine.describe_kernel_choice(Kernel::DigitalRoot, items);
    assert_eq!(describe(1_000), None, "no job says what an item takes");
    for fusions in [Kernel::Pool, Kernel::PoolWide, Kernel::SoftmaxRegression] {
        assert_eq!(engine.describe_kernel_choice(fusions, 1_000), None);
    }
    let values: Vec<u32> = (0..1_500_000).collect();
    let mut roots = vec![0; values.len()];
    for items in [1_000, 1_500_000] {
        // Where the first was held up, so that the GPU may be faster, it is measured by the second.
        let told = (0..2).find_map(|_| {
            digital_roots_into(&engine, &values[..items], &mut roots[..items]).expect("numbers");
            describe(items)
        });
        let choice = told.expect("there was such a job");
        check(&choice);
        assert_eq!(choice.job, "vortex/digital_root");
        let timing = digital_roots_into(&engine, &values[..items], &mut roots[..items]).expect("numbers");
        assert_eq!(timing.executor, choice.executor, "{choice}");
    }
    // Eight bytes an item on the way there and four back, where four and four went before.
    let narrow = describe(1_000_000).expect("less than there was").gpu.expect("an estimate").upload;
    let wide: Vec<u64> = values.iter().map(|&value| value.into()).collect();
    digital_roots_into(&engine, &wide, &mut roots).expect("numbers");
    let wide = describe(1_000_000).expect("less than there was").gpu.expect("an estimate").upload;
    let ratio = wide.as_secs_f64() / narrow.as_secs_f64();
    // A job corrects what a byte takes by 8^(1/4) at most.
    assert!((2.0 / 1.69..2.0 * 1.69).contains(&ratio), "{narrow:?} and {wide:?}");
}

#[test]
fn without_a_choice_its_reason_is_said_of_any_size() {
    let describe = |engine: &Engine| {
        let kernel = engine.describe_kernel_choice(Kernel::BeamFuse, 1 << 20).expect("no choice");
        [kernel, engine.describe_fit_choice(8, 10, 200_000).expect("a size")]
    };
    let want = |executor, reason| {
        ["beam/fuse", "stacking/softmax_regression"].map(|job: &str| {
            format!("{job}\n   cpu     not estimated\n   gpu     not estimated\n   chosen  {executor}: {reason}\n")
        })
    };
    let texts = |engine: &Engine| describe(engine).map(|choice| choice.to_string());
    for (_, engine) in engines::cpus() {
        assert_eq!(texts(engine), want("cpu", "there is no GPU in use"));
    }
    if let Some(engine) = engines::gpu(None) {
        assert_eq!(texts(&engine), want("gpu", "the engine was asked for the GPU"));
    }
}

#[test]
fn a_fit_of_no_size_is_refused() {
    let cpu = cpu();
    let refused = |sources, classes, items, said: &str| match cpu.describe_fit_choice(sources, classes, items) {
        Err(error) => assert!(error.to_string().contains(said), "{error}"),
        Ok(choice) => panic!("{choice}"),
    };
    refused(0, 3, 9, "evidence has no sources");
    refused(2, 0, 9, "evidence has no classes");
    refused(2, 3, 0, "no labelled items");
    refused(usize::MAX, usize::MAX, 9, "weights are more than the 4194304 a fit takes on");
    refused(2, 3, usize::MAX, "items must stay below 2^31");
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
