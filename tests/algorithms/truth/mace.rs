//! MACE against variational Bayes written out source by source and class by class.

use consilience::truth::{Annotations, Known, Mace};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use statrs::function::gamma::{digamma, ln_gamma};

use super::{Naive, Told, agree};
use crate::support::annotated::Annotated;

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
fn naive(mace: &Mace, crowd: &Annotated, told: &Told, warm: Option<&[f64]>) -> Naive {
    let (classes, n, table) = (crowd.classes, crowd.of_sources, crowd.table());
    let mut random = SplitMix64::seed_from_u64(mace.seed);
    let mut best: Option<Naive> = None;
    let before: Vec<[f64; 2]> =
        (0..n).map(|source| told.before(source, [mace.knows, mace.guesses]).map(|count| count.max(1e-3))).collect();
    for _ in 0..if warm.is_some() { 1 } else { mace.restarts } {
        let mut frequencies = vec![mace.frequencies.unwrap_or(1.0); classes];
        let count = |source, label| table.iter().flatten().filter(|&&vote| vote == (source, label)).count() as f64;
        let mut habits: Vec<Vec<f64>> =
            (0..n).map(|source| (0..classes).map(|label| mace.habit + count(source, label)).collect()).collect();
        let mut knows: Vec<[f64; 2]> = (0..n)
            .map(|source| {
                let all: f64 = (0..classes).map(|label| count(source, label)).sum();
                let drawn = || (random.next_u64() >> 11) as f64 / 2.0_f64.powi(53);
                let share = warm.map_or_else(drawn, |warm| warm[source]);
                [before[source][0] + all * share, before[source][1] + all * (1.0 - share)]
            })
            .collect();
        let mut found = Naive { posterior: Vec::new(), skill: Vec::new(), objective: f64::NAN };
        for iteration in 0..mace.iterations {
            let known = |source: usize| mean_log(&knows[source], 0).exp();
            let guessed = |(source, label): (usize, usize)| {
                (mean_log(&knows[source], 1) + mean_log(&habits[source], label)).exp()
            };
            let frequent = |k: usize| match mace.frequencies {
                Some(_) => mean_log(&frequencies, k).exp(),
                None => 1.0 / classes as f64,
            };
            let mut bound = 0.0;
            found.posterior.clear();
            for (item, votes) in table.iter().enumerate() {
                let joint: Vec<f64> = (0..classes)
                    .map(|k| {
                        let of = |&vote: &(usize, usize)| guessed(vote) + if vote.1 == k { known(vote.0) } else { 0.0 };
                        let possible = told.class(item).is_none_or(|known| known == k);
                        if possible { votes.iter().map(of).product::<f64>() * frequent(k) } else { 0.0 }
                    })
                    .collect();
                let all: f64 = joint.iter().sum();
                bound += all.ln();
                found.posterior.push(joint.iter().map(|p| p / all).collect());
            }
            for source in 0..n {
                bound -= divergence(&knows[source], &before[source]);
                bound -= divergence(&habits[source], &vec![mace.habit; classes]);
            }
            if let Some(parameter) = mace.frequencies {
                bound -= divergence(&frequencies, &vec![parameter; classes]);
            }
            found.objective = bound;
            found.skill = knows.iter().map(|[a, b]| a / (a + b)).collect();
            if iteration + 1 == mace.iterations {
                break;
            }
            let mut next_knows = before.clone();
            let mut next_frequencies = vec![mace.frequencies.unwrap_or(1.0); classes];
            for row in &found.posterior {
                next_frequencies.iter_mut().zip(row).for_each(|(sum, p)| *sum += p);
            }
            let mut next_habits = vec![vec![mace.habit; classes]; n];
            for (votes, row) in table.iter().zip(&found.posterior) {
                for &(source, label) in votes {
                    let looked = row[label] * known(source) / (known(source) + guessed((source, label)));
                    next_knows[source][0] += looked;
                    next_knows[source][1] += 1.0 - looked;
                    next_habits[source][label] += 1.0 - looked;
                }
            }
            (knows, habits, frequencies) = (next_knows, next_habits, next_frequencies);
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
        let crowd = Annotated::crowd(labels, sources, classes, seed);
        let frequencies = (seed != 2).then_some(1.5);
        let mace = Mace { restarts: 3, iterations: 8, seed, knows: 0.7, guesses: 0.4, habit: 2.0, frequencies };
        let annotations = crowd.annotations();
        for told in [Told::default(), Told::of(&crowd)] {
            let fit = mace.fit_with(&annotations, &told.known()).expect("a fit");
            agree("mace", &fit, &naive(&mace, &crowd, &told, None));
            let known = Known { warm: Some(&fit), ..told.known() };
            let again = mace.fit_with(&annotations, &known).expect("a fit");
            agree("mace again", &again, &naive(&mace, &crowd, &told, Some(fit.skill())));
        }
    }
}

/// Of an item with so many votes the products are beyond what can be held.
#[test]
fn many_votes_are_weighed_like_few() {
    let (mut items, mut sources, mut labels) = (vec![0; 400], (0..400).collect::<Vec<_>>(), Vec::new());
    labels.extend((0..400).map(|source| if source % 3 == 0 { source % 5 } else { 2 }));
    for item in 1..40 {
        for place in 0..5 {
            items.push(item);
            sources.push((37 * item + 80 * place) % 400);
            labels.push(if place == 0 { item % 3 } else { item % 5 });
        }
    }
    let truth = (0..40).map(|item| if item == 0 { 2 } else { item % 5 }).collect();
    let crowd = Annotated { classes: 5, items, sources, labels, truth, of_sources: 400 };
    let mace = Mace { restarts: 1, iterations: 6, ..Mace::default() };
    let naive = naive(&mace, &crowd, &Told::default(), None);
    assert!(naive.objective.is_finite());
    agree("mace", &mace.fit(&crowd.annotations()).expect("a fit"), &naive);
}

#[test]
fn every_iteration_raises_the_objective() {
    for seed in 0..6 {
        let annotations = Annotated::crowd(400, 20, 4, seed).annotations();
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
    let annotations = Annotated::crowd(150, 30, 4, 8).annotations();
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
        assert_eq!(said(Mace { frequencies: Some(value), ..mace }), format!("the prior of frequencies {must}"));
    }
}
