//! Tiles that the CPU executor walks over in a way of their own, every source giving f32 rows, or labels, and nothing
//! else: the answers are the oracle's, and those of an item alone, which no such walk takes, are the same bits.

use consilience::{
    ABSTAINED_U8, ABSTAINED_U16, Encoding, Form, Fusion, MISSING_U8, MISSING_U16, OnInvalid, Output, Rule, Weighting,
};

use super::difference_as_asked;
use crate::support::compare::bits_of;
use crate::support::problem::{Problem, Values};
use crate::support::{engines, specs};

/// More than two tiles and a part of one.
const ITEMS: usize = 37;

/// All that such a walk knows; with the conflict it is none.
const PLAIN: [Output; 8] = [
    Output::Posterior,
    Output::Decision,
    Output::Confidence,
    Output::Margin,
    Output::Entropy,
    Output::Disagreement,
    Output::EffectiveSources,
    Output::Flags,
];

fn fusions(sources: usize) -> Vec<Fusion> {
    let rules = [
        Rule::Linear,
        Rule::Vote,
        Rule::BayesianAverage,
        Rule::LogPool,
        Rule::Extremised { exponent: 2.5 },
        Rule::ensemble(&[Rule::Linear, Rule::Vote, Rule::LogPool, Rule::BayesianAverage]),
        Rule::ensemble(&[Rule::LogPool, Rule::Linear]),
    ];
    let weights = [(0..sources).map(|n| 0.3 + (n % 4) as f32).collect(), vec![0.0; sources]];
    let mut fusions = Vec::new();
    for (i, rule) in rules.into_iter().enumerate() {
        let fusion = Fusion::new(rule).source_priors((0..sources).map(|n| (n + 1) as f32).collect());
        fusions.push(fusion.clone().weighting(Weighting::Fixed(weights[i % 2].clone())).outputs(&PLAIN));
        let explained = if specs::has_contributions(&fusion.rule) {
            [&PLAIN[..], &[Output::Contributions]].concat()
        } else {
            PLAIN.to_vec()
        };
        fusions.push(fusion.temperature(1.0 + i as f32 / 4.0).outputs(&explained));
    }
    fusions
}

fn check(problem: &Problem) {
    for fusion in fusions(problem.planes.len()) {
        assert_eq!(difference_as_asked(engines::cpus(), &fusion, problem), Ok(()));
        for (name, engine) in engines::cpus() {
            let whole = engine.fuse(&fusion, &problem.evidence()).expect("valid evidence");
            for item in 0..problem.items() {
                let alone = engine.fuse(&fusion, &problem.select(&[item]).evidence()).expect("valid evidence");
                assert_eq!(bits_of(&alone, 0), bits_of(&whole, item), "{name}: item {item}, {fusion:?}");
            }
        }
    }
}

#[test]
fn rows_alone() {
    for encoding in [Encoding::Probabilities, Encoding::LogProbabilities, Encoding::Logits] {
        for (sources, classes) in [(1, 4), (3, 2), (8, 10), (5, 17), (2, 1), (2, 300)] {
            check(&Problem::random(encoding, sources, ITEMS, classes, 8));
        }
    }
}

#[test]
fn labels_alone() {
    for form in [Form::LabelsU8, Form::LabelsU16] {
        for (sources, classes) in [(1, 4), (3, 2), (8, 10), (5, 17), (4, 16), (2, 1), (3, 200)] {
            let mut problem = Problem::of(&vec![form; sources], ITEMS, classes, 9);
            check(&problem);
            // Some missing, some abstained; of the last tile but one everything.
            for (n, plane) in problem.planes.iter_mut().enumerate() {
                for item in 0..ITEMS {
                    let is_missing = (item + n) % 5 == 0 || (16..20).contains(&item);
                    let is_abstained = (item + 2 * n) % 7 == 0;
                    match &mut plane.values {
                        Values::U8(labels) if is_missing => labels[item] = MISSING_U8,
                        Values::U8(labels) if is_abstained => labels[item] = ABSTAINED_U8,
                        Values::U16(labels) if is_missing => labels[item] = MISSING_U16,
                        Values::U16(labels) if is_abstained => labels[item] = ABSTAINED_U16,
                        _ => {}
                    }
                }
            }
            check(&problem);
        }
    }
}

#[test]
fn an_invalid_opinion_is_found_in_the_middle() {
    for form in [Form::F32(Encoding::Probabilities), Form::F32(Encoding::Logits), Form::LabelsU8] {
        let mut problem = Problem::of(&[form; 3], ITEMS, 10, 10);
        match &mut problem.planes[1].values {
            Values::F32(values) => values[19 * 10 + 3] = f32::NAN,
            Values::U8(labels) => labels[19] = 10,
            _ => unreachable!("no other form is asked for"),
        }
        for (name, engine) in engines::cpus() {
            let error = engine.fuse(&Fusion::default(), &problem.evidence()).expect_err("an invalid opinion");
            assert_eq!(error.invalid_opinion().map(|o| (o.source, o.item)), Some((1, 19)), "{name}, {form}: {error}");
        }
        let fusion = Fusion::default().on_invalid(OnInvalid::Missing).outputs(&PLAIN);
        assert_eq!(difference_as_asked(engines::cpus(), &fusion, &problem), Ok(()));
    }
}
