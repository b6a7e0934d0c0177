//! Weights on the simplex for the pools.

use consilience::stacking::{LinearWeights, LogWeights, Weights};
use consilience::{Encoding, Fusion, Output, Rule, Weighting};
use proptest::prelude::*;

use super::Labelled;
use crate::support::cases::config;
use crate::support::engines;

/// The mean of -ln P(label) over the items that any source says something of, by the engine.
fn nll(rule: &Rule, labelled: &Labelled, weights: &[f32]) -> f64 {
    let fusion = Fusion::new(rule.clone()).weighting(Weighting::Fixed(weights.to_vec())).outputs(&[Output::Posterior]);
    let (_, engine) = &engines::all()[0];
    let evidence = labelled.evidence();
    let fused = engine.fuse(&fusion, &evidence).expect("valid");
    let heard = |item: &usize| (0..evidence.sources()).any(|n| evidence.presence(n).is_none_or(|p| p[*item]));
    let classes = evidence.classes();
    let heard: Vec<usize> = (0..evidence.items()).filter(heard).collect();
    let loss = |&item: &usize| -f64::from(fused.posterior()[item * classes + labelled.labels[item] as usize]).ln();
    heard.iter().map(loss).sum::<f64>() / heard.len() as f64
}

fn both(labelled: &Labelled) -> [(Rule, Weights); 2] {
    let evidence = labelled.evidence();
    let linear = LinearWeights { tolerance: 1e-12, ..LinearWeights::default() }.fit(&evidence, &labelled.labels);
    let log = LogWeights::default().fit(&evidence, &labelled.labels);
    [(Rule::Linear, linear.expect("labelled")), (Rule::LogPool, log.expect("labelled"))]
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn the_fit_is_on_the_simplex_falls_and_is_what_the_engine_fuses(n in 1..5_usize, c in 2..6_usize, b in 30..200_usize, seed: u64) {
        let labelled = Labelled::random(Encoding::Probabilities, n, b, c, seed).with_holes(seed);
        let linear = LinearWeights::default().fit(&labelled.evidence(), &labelled.labels).expect("labelled");
        prop_assert!(linear.nll.windows(2).all(|step| step[1] <= step[0] + 1e-12), "{:?}", linear.nll);
        for (rule, fit) in both(&labelled) {
            prop_assert!((fit.weights.iter().sum::<f32>() - 1.0).abs() < 1e-6 && fit.weights.iter().all(|&w| w >= 0.0));
            prop_assert!(fit.nll.last() <= fit.nll.first());
            let equal = vec![1.0; n];
            prop_assert!((nll(&rule, &labelled, &equal) - fit.nll[0]).abs() < 1e-5, "{} {:?}", rule, fit);
            let last = fit.nll[fit.nll.len() - 1];
            prop_assert!((nll(&rule, &labelled, &fit.weights) - last).abs() < 1e-4, "{} {:?}", rule, fit);
        }
    }
}

#[test]
fn no_weights_on_a_grid_are_better() {
    for seed in [1, 2, 3] {
        let labelled = Labelled::random(Encoding::Probabilities, 3, 120, 3, seed).with_holes(seed);
        for (rule, fit) in both(&labelled) {
            let reached = nll(&rule, &labelled, &fit.weights);
            for i in 0..=20 {
                for j in 0..=20 - i {
                    let weights = [i as f32 / 20.0, j as f32 / 20.0, (20 - i - j) as f32 / 20.0];
                    // Zero weights where nobody else speaks are another pool.
                    if weights.iter().all(|&w| w > 0.0) {
                        let there = nll(&rule, &labelled, &weights);
                        assert!(reached <= there + 1e-5, "{rule}: {:?} {reached}, {weights:?} {there}", fit.weights);
                    }
                }
            }
            assert!(fit.converged || rule == Rule::Linear, "{rule}");
        }
    }
}

#[test]
fn a_mixture_of_known_shares_is_found() {
    // Two sources that are certain, the first right on 3 of 4 items: the likelihood is w^3 (1 - w).
    let (a, b) = ([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    let evidence = consilience::Evidence::probabilities(2, &[&a, &b]).expect("planes");
    let labels = [0, 0, 0, 1];
    let linear =
        LinearWeights { tolerance: 1e-12, ..LinearWeights::default() }.fit(&evidence, &labels).expect("labelled");
    assert!((linear.weights[0] - 0.75).abs() < 1e-5, "{linear:?}");
    // The log pool of the two: P_0 = s(L (2w - 1)) with L = ln 1e7, which is 3/4 where L (2w - 1) = ln 3.
    let log = LogWeights::default().fit(&evidence, &labels).expect("labelled");
    let want = 0.5 + 0.5 * 3.0_f64.ln() / 1e7_f64.ln();
    assert!((f64::from(log.weights[0]) - want).abs() < 1e-4, "{log:?}, not {want}");
    let none =
        LinearWeights { max_iterations: 0, ..LinearWeights::default() }.fit(&evidence, &labels).expect("labelled");
    assert_eq!((none.weights, none.nll.len(), none.converged), (vec![0.5, 0.5], 1, false));
}
