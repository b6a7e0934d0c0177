//! The fusion kernels.

#[cfg(feature = "gpu")]
mod foreign;
mod forms;
mod half_precision;
mod pool;
mod pool_wide;
mod resident;
mod walks;

use consilience::{DeviceError, Engine, ErrorKind, Fused, Fusion, Measure, OnInvalid, Output, Rule, Weighting};

use crate::support::compare::{against, bits, bits_of};
use crate::support::problem::{Problem, Random};
use crate::support::{engines, oracle, specs};

/// Fuses on the executors given and compares every output that there is of the rule with the oracle: the first difference.
fn difference<'a>(
    engines: impl IntoIterator<Item = &'a (String, Engine)>,
    fusion: &Fusion,
    problem: &Problem,
) -> Result<(), String> {
    difference_as_asked(engines, &with_every_output(fusion), problem)
}

/// The same of the outputs that the fusion asks for.
fn difference_as_asked<'a>(
    engines: impl IntoIterator<Item = &'a (String, Engine)>,
    fusion: &Fusion,
    problem: &Problem,
) -> Result<(), String> {
    let evidence = problem.evidence();
    let wanted = oracle::answers(fusion, &evidence)?;
    for (name, engine) in engines {
        let fused = engine.fuse(fusion, &evidence).map_err(|error| format!("{name}: {error}"))?;
        against(&wanted, fusion, &fused).map_err(|difference| {
            let forms: Vec<String> = problem.planes.iter().map(|plane| plane.form.to_string()).collect();
            let shape = (evidence.sources(), evidence.items(), evidence.classes());
            let said: String = format!("{fusion:?}").chars().take(400).collect();
            format!("{name}, {shape:?}: {difference}; {forms:?}, {said}")
        })?;
    }
    Ok(())
}

fn check(fusion: &Fusion, problem: &Problem) {
    assert_eq!(difference(executors(problem.classes), fusion, problem), Ok(()));
}

/// All executors, the GPU with both texts of its kernel where there are two.
fn executors(classes: usize) -> Vec<&'static (String, Engine)> {
    if classes > 256 { engines::cpus().chain(both_ways(classes)).collect() } else { engines::all().iter().collect() }
}

/// The GPU with both texts of its kernel where there are two.
fn both_ways(classes: usize) -> &'static [(String, Engine)] {
    if classes > 256 { engines::both_ways() } else { &[] }
}

/// Panics if there is any difference, and tells all.
fn expect_none(differences: &[String]) {
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

fn with_every_output(fusion: &Fusion) -> Fusion {
    let is_there = |output: &Output| *output != Output::Contributions || specs::has_contributions(&fusion.rule);
    fusion.clone().outputs(&Output::ALL.into_iter().filter(is_there).collect::<Vec<_>>())
}

/// A fusion with every parameter beside the rule and the weighting: priors of which some are zero, reliabilities of which
/// some are 0 and 1, temperatures of which some are 1.
fn parametrised(fusion: Fusion, sources: usize, classes: usize, seed: u64) -> Fusion {
    let mut random = Random::new(seed);
    let priors = (0..sources).map(|n| (n % 3) as f32 + f32::from(u8::from(sources == 1))).collect();
    let reliabilities = (0..sources).map(|n| [random.unit(), 0.9, 1.0, random.unit(), 0.0][n % 5]).collect();
    let heat = (0..sources).map(|n| if n % 2 == 0 { 0.5 + 2.0 * random.unit() } else { 1.0 }).collect();
    fusion
        .source_priors(priors)
        .reliabilities(reliabilities)
        .source_temperatures(heat)
        .class_prior(random.list(classes, 0.1, 1.0))
}

/// Every rule under some weighting, on every executor. A GPU compiles a kernel anew for each of these, so there is one
/// problem for each; what is switched on depends on the rule alone.
fn check_every_rule(sources: usize, items: usize, classes: usize) {
    let weightings = specs::weightings(sources, classes, 5);
    let mut rules = specs::rules(sources, classes, 5);
    rules.push(Rule::default());
    rules.push(specs::everything(sources, classes, 5));
    let mut differences = Vec::new();
    for (i, rule) in rules.into_iter().enumerate() {
        let seed = (1000 * i + sources) as u64;
        let problem = Problem::mixed(sources, items, classes, seed).with_confidences(seed).with_holes(seed);
        let fusion = Fusion::new(rule).weighting(weightings[i % weightings.len()].clone());
        let parametrised = parametrised(fusion.clone(), sources, classes, seed);
        let fusion = if i % 2 == 0 { fusion } else { parametrised.temperature(1.5) };
        differences.extend(difference(executors(classes), &fusion, &problem).err());
    }
    expect_none(&differences);
}

/// Every rule under every weighting, with and without everything else, on the CPU.
fn check_everything(sources: usize, items: usize, classes: usize) {
    let mut rules = specs::rules(sources, classes, 6);
    rules.push(Rule::default());
    rules.push(specs::everything(sources, classes, 6));
    let mut differences = Vec::new();
    for (i, rule) in rules.iter().enumerate() {
        for (j, weighting) in specs::weightings(sources, classes, 6).into_iter().enumerate() {
            let seed = (1000 * i + 10 * j + sources) as u64;
            let mut problem = Problem::mixed(sources, items, classes, seed);
            if (i + j) % 3 > 0 {
                problem = problem.with_holes(seed);
            }
            if (i + j) % 3 > 1 {
                problem = problem.with_confidences(seed);
            }
            let plain = Fusion::new(rule.clone()).weighting(weighting);
            let fusion = match (i + 2 * j) % 5 {
                0 => parametrised(plain, sources, classes, seed),
                1 => parametrised(plain, sources, classes, seed).temperature(2.0),
                2 => plain.temperature(0.5),
                _ => plain,
            };
            differences.extend(difference(engines::cpus(), &fusion, &problem).err());
        }
    }
    expect_none(&differences);
}

/// The same items alone, in another order, in a smaller batch of an odd size and in chunks give the same bits on the same
/// executor.
fn check_composition(fusion: &Fusion, problem: &Problem) {
    let fusion = with_every_output(fusion);
    let (evidence, items) = (problem.evidence(), problem.items());
    let reversed: Vec<usize> = (0..items).rev().collect();
    // Not from the first on, so that opinions of 8 and 16 bits lie elsewhere in their words.
    let odd: Vec<usize> = (1..items / 4 * 2).collect();
    for (name, engine) in engines::all().iter().chain(both_ways(problem.classes)) {
        let mut whole = Fused::default();
        let chunks = engine.fuse_into(&fusion, &evidence, &mut whole).expect("valid evidence").chunks;
        for batch in [&reversed, &odd, &vec![0], &vec![items / 2], &vec![items - 1]] {
            let part = engine.fuse(&fusion, &problem.select(batch).evidence()).expect("valid evidence");
            for (place, &item) in batch.iter().enumerate() {
                let (part, whole) = (bits_of(&part, place), bits_of(&whole, item));
                assert_eq!(part, whole, "{name}: item {item} in a batch of {}, {fusion:?}", batch.len());
            }
        }
        if name == "gpu" {
            check_chunks(&fusion, problem, &whole, chunks);
        }
    }
}

/// A GPU engine with memory for a few items cuts the job into more chunks than it took, and gives the same bits.
fn check_chunks(fusion: &Fusion, problem: &Problem, whole: &Fused, chunks: usize) {
    let fuse = |memory_bytes| {
        let mut cut = Fused::default();
        let engine = engines::gpu(Some(memory_bytes)).expect("the GPU that there was");
        engine.fuse_into(fusion, &problem.evidence(), &mut cut).map(|timing| (timing.chunks, cut))
    };
    let error = fuse(1).expect_err("a byte is not enough");
    let ErrorKind::Device(DeviceError::ItemTooLarge { needed, .. }) = error.kind() else { panic!("{error}") };
    // Three more items than the one that was refused, or some more where opinions are of fewer bits.
    let per_item = 4 * (problem.planes.len() + 1) * problem.classes + 64;
    let (finer, cut) = fuse(needed + 3 * per_item as u64).expect("valid evidence");
    assert!(finer > chunks, "{} items in {finer} chunks, before in {chunks}", problem.items());
    assert_eq!(bits(&cut), bits(whole), "gpu: in {finer} chunks");
}

/// What the bits test fuses: every rule together, and what has contributions.
fn composed(sources: usize, classes: usize) -> [Fusion; 2] {
    let weighting = Weighting::Confidence { gamma: 1.5, measure: Measure::Max };
    let everything = Fusion::new(specs::everything(sources, classes, 7)).weighting(weighting);
    let contributions = Fusion::new(Rule::default()).weighting(specs::weightings(sources, classes, 7).swap_remove(10));
    [parametrised(everything, sources, classes, 7).temperature(1.5), contributions]
}

/// Invalid values are found wherever they stand, left out or mended where asked.
fn check_invalid(classes: usize) {
    let (sources, items) = (9, 70);
    let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.25, 0.75];
    for (i, value) in bad.into_iter().enumerate() {
        for (source, item, class) in [(0, 0, 0), (8, 69, classes - 1), (4, 33, classes / 2)] {
            let mut problem = Problem::random(consilience::Encoding::Probabilities, sources, items, classes, 3);
            let row = &mut problem.planes[source].f32s_mut()[item * classes..][..classes];
            row[class] = if value == 0.75 { row[class] + value } else { value };
            let fusion = Fusion::default().outputs(&Output::ALL);
            for (name, engine) in executors(classes) {
                let error = engine.fuse(&fusion, &problem.evidence()).expect_err("an invalid opinion");
                let opinion = error.invalid_opinion().unwrap_or_else(|| panic!("{name}: {error}"));
                let class = (value != 0.75).then_some(class);
                assert_eq!((opinion.source, opinion.item, opinion.class), (source, item, class), "{name}: {error}");
            }
            check(&fusion.clone().on_invalid(OnInvalid::Missing), &problem);
            if i == 4 {
                check(&fusion.on_invalid(OnInvalid::Renormalise), &problem);
            } else {
                for (name, engine) in executors(classes) {
                    let mend = fusion.clone().on_invalid(OnInvalid::Renormalise);
                    let error = engine.fuse(&mend, &problem.evidence()).expect_err("no division mends this");
                    assert_eq!(error.invalid_opinion().map(|o| o.item), Some(item), "{name}: {error}");
                }
            }
        }
    }
}
