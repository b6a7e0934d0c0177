//! MACE against variational Bayes written out source by source and class by class.

use consilience::truth::{Annotations, Mace};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use statrs::function::gamma::{digamma, ln_gamma};

use super::{Naive, agree};
use crate::support::crowd::Crowd;

fn mean_log(parameters: &[f64], k: usize) -> f64 {
    digamma(parameters[k]) - digamma(parameters.iter().sum())
}

/// The logarithm of a Dirichlet density's constant.
fn constant(parameters: &[f64]) -> f64 {
    ln_gamma(parameters.iter().sum()) - parameters.iter().map(|&a| ln_gamma(a)).sum::<f64>()
}

fn divergence(a: &[f64], b: &[f64]) -> f64 {
    let cross: f64 = (0..a.len()).map(|k| (a[k] - b[k]) * mean_log(a, k)).sum();
    constant(a) - constant(b) + cross
}

/// One restart after another; the last value of the objective of each, and the best.
fn naive(mace: &Mace, crowd: &Crowd) -> Naive {
    let (classes, n, table) = (crowd.classes, crowd.number_of_sources(), crowd.table());
    let mut random = SplitMix64::seed_from_u64(mace.seed);
    let mut best: Option<Naive> = None;
    for _ in 0..mace.restarts {
        let count = |source, label| table.iter().flatten().filter(|&&vote| vote == (source, label)).count() as f64;
        let mut habits: Vec<Vec<f64>> =
            (0..n).map(|source| (0..classes).map(|label| mace.habit + count(source, label)).collect()).collect();
        let mut knows: Vec<[f64; 2]> = (0..n)
            .map(|source| {
                let all: f64 = (0..classes).map(|label| count(source, label)).sum();
                let share = (random.next_u64() >> 11) as f64 / 2.0_f64.powi(53);
                [mace.knows + all * share, mace.guesses + all * (1.0 - share)]
            })
            .collect();
        let mut found = Naive { posterior: Vec::new(), skill: Vec::new(), objective: None };
        for iteration in 0..mace.iterations {
            let known = |source: usize| mean_log(&knows[source], 0).exp();
            let guessed = |(source, label): (usize, usize)| {
                (mean_log(&knows[source], 1) + mean_log(&habits[source], label)).exp()
            };
            let mut bound = 0.0;
            found.posterior.clear();
            for votes in &table {
                let joint: Vec<f64> = (0..classes)
                    .map(|k| {
                        let of = |&vote: &(usize, usize)| guessed(vote) + if vote.1 == k { known(vote.0) } else { 0.0 };
                        votes.iter().map(of).product::<f64>() / classes as f64
                    })
                    .collect();
                let all: f64 = joint.iter().sum();
                bound += all.ln();
                found.posterior.push(joint.iter().map(|p| p / all).collect());
            }
            for source in 0..n {
                bound -= divergence(&knows[source], &[mace.knows, mace.guesses]);
                bound -= divergence(&habits[source], &vec![mace.habit; classes]);
            }
            found.objective = Some(bound);
            found.skill = knows.iter().map(|[a, b]| a / (a + b)).collect();
            if iteration + 1 == mace.iterations {
                break;
            }
            let mut next_knows = vec![[mace.knows, mace.guesses]; n];
            let mut next_habits = vec![vec![mace.habit; classes]; n];
            for (votes, row) in table.iter().zip(&found.posterior) {
                for &(source, label) in votes {
                    let looked = row[label] * known(source) / (known(source) + guessed((source, label)));
                    next_knows[source][0] += looked;
                    next_knows[source][1] += 1.0 - looked;
                    next_habits[source][label] += 1.0 - looked;
                }
            }
            (knows, habits) = (next_knows, next_habits);
        }
        if best.as_ref().is_none_or(|best| found.objective > best.objective) {
            best = Some(found);
        }
    }
    best.expect("a restart")
}

#[test]
fn mace_is_variational_bayes_of_the_best_restart() {
    for (labels, sources, classes, seed) in [(300, 10, 2, 1), (400, 12, 4, 2), (200, 20, 7, 3), (25, 9, 3, 4)] {
        let crowd = Crowd::random(labels, sources, classes, seed);
        let mace = Mace { restarts: 3, iterations: 8, seed, knows: 0.7, guesses: 0.4, habit: 2.0 };
        agree("mace", &mace.fit(&crowd.annotations()).expect("a fit"), &naive(&mace, &crowd));
    }
}

#[test]
fn every_iteration_raises_the_objective() {
    for seed in 0..6 {
        let annotations = Crowd::random(400, 20, 4, seed).annotations();
        let fit = Mace { restarts: 1, seed, ..Mace::default() }.fit(&annotations).expect("a fit");
        assert_eq!(fit.objective().len(), 50);
        for pair in fit.objective().windows(2) {
            assert!(pair[1] >= pair[0] - 1e-11 * pair[0].abs(), "fell from {} to {}", pair[0], pair[1]);
        }
        assert!(fit.objective()[49] > fit.objective()[0] + 1.0);
    }
}

#[test]
fn more_restarts_are_never_worse() {
    let annotations = Crowd::random(150, 30, 4, 8).annotations();
    let last = |restarts| {
        let fit = Mace { restarts, iterations: 3, ..Mace::default() }.fit(&annotations).expect("a fit");
        fit.objective()[2]
    };
    let one = last(1);
    assert!(last(10) >= one && last(40) > one, "{one} {} {}", last(10), last(40));
}

#[test]
fn options_out_of_range_are_refused() {
    let annotations = Annotations::new(2, &[0], &[0], &[0]).expect("fine");
    let said = |mace: Mace| mace.fit(&annotations).expect_err("refused").to_string();
    let mace = Mace::default();
    assert_eq!(said(Mace { restarts: 0, ..mace }), "the number of restarts is 0; it must be at least 1");
    assert_eq!(said(Mace { iterations: 0, ..mace }), "the number of iterations is 0; it must be at least 1");
    for value in [0.0, f64::NAN, f64::INFINITY] {
        let must = format!("is {value}; it must be between 1e-3 and 1e6");
        assert_eq!(said(Mace { knows: value, ..mace }), format!("the prior of knowing {must}"));
        assert_eq!(said(Mace { guesses: value, ..mace }), format!("the prior of guessing {must}"));
        assert_eq!(said(Mace { habit: value, ..mace }), format!("the prior of habits {must}"));
    }
}
