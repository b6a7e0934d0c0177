//! The fusion kernels.

mod pool;
mod pool_wide;

use consilience::{Encoding, Fusion, Member, OnInvalid, Output, Rule, Weighting};

use crate::support::compare::{against_oracle, bits, bits_of};
use crate::support::engines;
use crate::support::problem::{Problem, Random};

/// Every rule alone, the default ensemble, and all rules together in unequal shares.
fn rules() -> Vec<Rule> {
    let mut rules = Rule::SIMPLE.to_vec();
    rules.push(Rule::default());
    let member = |(i, rule): (usize, &Rule)| Member { rule: rule.clone(), weight: 1.0 + i as f32 };
    rules.push(Rule::Ensemble(Rule::SIMPLE.iter().enumerate().map(member).collect()));
    rules
}

/// Every weighting for so many sources, one of them with weights of zero.
fn weightings(sources: usize) -> Vec<Weighting> {
    let mut random = Random::new(sources as u64);
    let mut list = || (0..sources).map(|_| if random.unit() < 0.4 { 0.0 } else { random.unit() }).collect::<Vec<f32>>();
    vec![
        Weighting::default(),
        Weighting::Fixed(list()),
        Weighting::Confidence { gamma: 1.0 },
        Weighting::Confidence { gamma: 2.5 },
        Weighting::Adaptive { beta: 0.5, learned: list() },
    ]
}

/// Fuses on every executor and compares every output with the oracle.
fn check(fusion: &Fusion, problem: &Problem) {
    let fusion = fusion.clone().outputs(&Output::ALL);
    let evidence = problem.evidence();
    for (name, engine) in engines::all() {
        let shape = (evidence.sources(), evidence.items(), evidence.classes());
        let fused = engine.fuse(&fusion, &evidence).unwrap_or_else(|e| panic!("{name}, {shape:?}: {e}"));
        if let Err(difference) = against_oracle(&fusion, &evidence, &fused) {
            panic!("{name}, {shape:?} {:?}, {fusion:?}: {difference}", problem.encoding);
        }
    }
}

/// Every rule in every encoding, under each weighting in turn: probabilities of all sources, log-probabilities with
/// holes, logits with holes and given confidences. A GPU compiles a kernel anew for each of these, so there are no more.
fn check_everything(sources: usize, items: usize, classes: usize) {
    let encodings = [Encoding::Probabilities, Encoding::LogProbabilities, Encoding::Logits];
    for (i, rule) in rules().into_iter().enumerate() {
        for (j, weighting) in weightings(sources).into_iter().enumerate() {
            let encoding = encodings[(i + j) % 3];
            let seed = (1000 * i + 100 * j + sources) as u64;
            let mut problem = Problem::random(encoding, sources, items, classes, seed);
            if encoding != Encoding::Probabilities {
                problem = problem.with_holes(seed);
            }
            if encoding == Encoding::Logits {
                problem = problem.with_confidences(seed);
            }
            let priors = (0..sources).map(|n| (n % 3) as f32 + f32::from(u8::from(sources == 1))).collect();
            let fusion = Fusion::new(rule.clone()).weighting(weighting);
            check(&if j == 2 { fusion.source_priors(priors) } else { fusion }, &problem);
        }
    }
}

/// The same items alone, in another order, in smaller batches and in chunks give the same bits on the same executor.
fn check_composition(problem: &Problem) {
    let fusion = Fusion::new(rules().pop().expect("rules")).outputs(&Output::ALL);
    let fusion = fusion.weighting(Weighting::Confidence { gamma: 1.5 });
    let items = problem.items();
    let reversed: Vec<usize> = (0..items).rev().collect();
    for (name, engine) in engines::all() {
        let whole = engine.fuse(&fusion, &problem.evidence()).expect("valid evidence");
        let backwards = engine.fuse(&fusion, &problem.select(&reversed).evidence()).expect("valid evidence");
        for item in 0..items {
            let mirrored = bits_of(&backwards, items - 1 - item);
            assert_eq!(bits_of(&whole, item), mirrored, "{name}: item {item} in another order");
        }
        for item in [0, items / 2, items - 1] {
            let alone = engine.fuse(&fusion, &problem.select(&[item]).evidence()).expect("valid evidence");
            assert_eq!(bits(&alone), bits_of(&whole, item), "{name}: item {item} alone");
        }
    }
    // A budget of a few hundred items' worth cuts the job into many chunks.
    let per_item = 4 * (problem.planes.len() + 1) * problem.classes + 64;
    if let Some(small) = engines::gpu(Some((per_item * 96) as u64)) {
        let (_, whole) = engines::all().last().expect("engines");
        let whole = whole.fuse(&fusion, &problem.evidence()).expect("valid evidence");
        let mut cut = consilience::Fused::default();
        let timing = small.fuse_into(&fusion, &problem.evidence(), &mut cut).expect("valid evidence");
        assert!(items < 192 || timing.chunks > 1, "{items} items in {} chunk", timing.chunks);
        assert_eq!(bits(&cut), bits(&whole), "gpu: in {} chunks", timing.chunks);
    }
}

/// Invalid values are found wherever they stand, left out or mended where asked.
fn check_invalid(classes: usize) {
    let (sources, items) = (9, 70);
    let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.25, 0.75];
    for (i, value) in bad.into_iter().enumerate() {
        for (source, item, class) in [(0, 0, 0), (8, 69, classes - 1), (4, 33, classes / 2)] {
            let mut problem = Problem::random(Encoding::Probabilities, sources, items, classes, 3);
            let row = &mut problem.planes[source][item * classes..][..classes];
            row[class] = if value == 0.75 { row[class] + value } else { value };
            let fusion = Fusion::default().outputs(&Output::ALL);
            for (name, engine) in engines::all() {
                let error = engine.fuse(&fusion, &problem.evidence()).expect_err("an invalid opinion");
                let opinion = error.invalid_opinion().unwrap_or_else(|| panic!("{name}: {error}"));
                let class = (value != 0.75).then_some(class);
                assert_eq!((opinion.source, opinion.item, opinion.class), (source, item, class), "{name}: {error}");
            }
            check(&fusion.clone().on_invalid(OnInvalid::Missing), &problem);
            if i == 4 {
                check(&fusion.on_invalid(OnInvalid::Renormalise), &problem);
            } else {
                for (name, engine) in engines::all() {
                    let mend = fusion.clone().on_invalid(OnInvalid::Renormalise);
                    let error = engine.fuse(&mend, &problem.evidence()).expect_err("no division mends this");
                    assert_eq!(error.invalid_opinion().map(|o| o.item), Some(item), "{name}: {error}");
                }
            }
        }
    }
}
