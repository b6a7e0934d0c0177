//! Greedy selection against the engine's linear pool of every candidate.

use consilience::stacking::{Metric, Selection};
use consilience::{Encoding, Fusion, Output, Rule, Weighting};

use super::Labelled;
use crate::support::engines;

/// The metric of a linear pool with the counts as weights.
fn metric(labelled: &Labelled, counts: &[u32], metric: Metric) -> f64 {
    let weights = counts.iter().map(|&n| n as f32).collect();
    let fusion = Fusion::new(Rule::Linear).weighting(Weighting::Fixed(weights));
    let (_, engine) = &engines::all()[0];
    let evidence = labelled.evidence();
    let fused = engine.fuse(&fusion.outputs(&[Output::Posterior, Output::Decision]), &evidence).expect("valid");
    let heard = |item: &usize| (0..evidence.sources()).any(|n| evidence.presence(n).is_none_or(|p| p[*item]));
    let heard: Vec<usize> = (0..evidence.items()).filter(heard).collect();
    let of = |&item: &usize| {
        let label = labelled.labels[item] as usize;
        match metric {
            Metric::Nll => -f64::from(fused.posterior()[item * evidence.classes() + label].max(1e-7)).ln(),
            Metric::Error => f64::from(u8::from(fused.decision()[item] as usize != label)),
        }
    };
    heard.iter().map(of).sum::<f64>() / heard.len() as f64
}

#[test]
fn every_round_takes_the_best_candidate() {
    for (kind, seed) in [(Metric::Nll, 1), (Metric::Nll, 2), (Metric::Error, 3), (Metric::Error, 4)] {
        let labelled = Labelled::random(Encoding::Probabilities, 4, 150, 3, seed).with_holes(seed);
        let selection = Selection { metric: kind, rounds: 8, ..Selection::default() };
        let selected = selection.fit(&labelled.evidence(), &labelled.labels).expect("labelled");
        let trace = &selected.traces[0];
        assert_eq!((selected.traces.len(), trace.len()), (1, 8));
        let mut counts = vec![0; 4];
        for (round, reached) in trace.iter().enumerate() {
            let with = |source: usize| {
                let mut counts = counts.clone();
                counts[source] += 1;
                metric(&labelled, &counts, kind)
            };
            let all: Vec<f64> = (0..4).map(with).collect();
            let least = all.iter().copied().fold(f64::INFINITY, f64::min);
            assert!((reached - least).abs() < 1e-5, "round {round} of {kind:?}: {reached} is not {least}");
            counts[all.iter().position(|&value| (value - least).abs() < 1e-9).expect("one")] += 1;
        }
        let best = trace.iter().copied().fold(f64::INFINITY, f64::min);
        assert!((metric(&labelled, &selected.counts, kind) - best).abs() < 1e-5, "{selected:?}");
        let picks = 1 + trace.iter().position(|&value| value == best).expect("one");
        assert_eq!(selected.counts.iter().sum::<u32>() as usize, picks);
        assert!((selected.weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
}

#[test]
fn bags_pick_from_half_of_the_sources_and_repeat() {
    let labelled = Labelled::random(Encoding::Probabilities, 6, 100, 3, 5);
    let fit = |seed| {
        let selection = Selection { rounds: 5, bags: 4, seed, ..Selection::default() };
        selection.fit(&labelled.evidence(), &labelled.labels).expect("labelled")
    };
    assert_eq!(fit(1), fit(1));
    assert_ne!(fit(1).traces, fit(2).traces);
    assert_eq!(fit(1).traces.len(), 4);
    let one = Selection { rounds: 5, ..Selection::default() }.fit(&labelled.evidence(), &labelled.labels);
    let best = one.expect("labelled").traces[0].iter().copied().fold(f64::INFINITY, f64::min);
    assert!(fit(1).traces.iter().flatten().all(|&value| value >= best - 1e-12));
}

#[test]
fn one_source_is_picked_once() {
    let labelled = Labelled::random(Encoding::Probabilities, 1, 50, 3, 5);
    let selected = Selection::default().fit(&labelled.evidence(), &labelled.labels).expect("labelled");
    assert_eq!(selected.weights, [1.0]);
}
