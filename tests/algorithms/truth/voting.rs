//! The methods that count votes in one pass or step by step, against their formulas.

use consilience::truth::{Annotations, LogOdds, Majority, Ties, Wawa, ZeroBasedSkill, majority};

use super::{Naive, agree};
use crate::support::crowd::Crowd;

const CASES: [(usize, usize, usize, u64); 4] = [(800, 10, 2, 1), (1000, 20, 4, 2), (400, 40, 7, 3), (25, 9, 3, 4)];

/// The weighted votes for each class of each item.
fn tally(crowd: &Crowd, weights: &[f64]) -> Vec<Vec<f64>> {
    let row = |votes: &Vec<(usize, usize)>| {
        let of = |class: usize| votes.iter().filter(|vote| vote.1 == class).map(|vote| weights[vote.0]).sum();
        (0..crowd.classes).map(of).collect()
    };
    crowd.table().iter().map(row).collect()
}

/// How much of an item is decided to be of a class.
fn won(row: &[f64], class: usize) -> f64 {
    let top = row.iter().copied().fold(f64::MIN, f64::max);
    let tied = row.iter().filter(|&&x| (x - top).abs() < 1e-10).count() as f64;
    if (row[class] - top).abs() < 1e-10 { 1.0 / tied } else { 0.0 }
}

/// Votes of a source, and how many of them a tally decides so.
fn record(crowd: &Crowd, tally: &[Vec<f64>], source: usize) -> (f64, f64) {
    let (mut count, mut agrees) = (0.0, 0.0);
    for (votes, row) in crowd.table().iter().zip(tally) {
        for vote in votes.iter().filter(|vote| vote.0 == source) {
            count += 1.0;
            agrees += won(row, vote.1);
        }
    }
    (count, agrees)
}

fn shares(tally: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let share = |row: Vec<f64>| {
        let all: f64 = row.iter().sum();
        row.iter().map(|x| if all == 0.0 { 1.0 / row.len() as f64 } else { x / all }).collect()
    };
    tally.into_iter().map(share).collect()
}

fn quadratic(crowd: &Crowd, tally: &[Vec<f64>], skill: &[f64]) -> f64 {
    let of = |(source, &s): (usize, &f64)| {
        let (count, agrees) = record(crowd, tally, source);
        agrees * s - count * s * s / 2.0
    };
    skill.iter().enumerate().map(of).sum()
}

#[test]
fn wawa_weighs_by_agreement() {
    for (labels, sources, classes, seed) in CASES {
        let crowd = Crowd::random(labels, sources, classes, seed);
        let n = crowd.number_of_sources();
        let even = tally(&crowd, &vec![1.0; n]);
        let skill: Vec<f64> = (0..n)
            .map(|source| match record(&crowd, &even, source) {
                (0.0, _) => 1.0 / classes as f64,
                (count, agrees) => agrees / count,
            })
            .collect();
        let sums = tally(&crowd, &skill);
        let objective = Some(quadratic(&crowd, &sums, &skill));
        let naive = Naive { posterior: shares(sums), skill, objective };
        agree("wawa", &Wawa.fit(&crowd.annotations()).expect("a fit"), &naive);
    }
}

#[test]
fn zero_based_skill_steps_towards_agreement() {
    for (labels, sources, classes, seed) in CASES {
        let crowd = Crowd::random(labels, sources, classes, seed);
        let mut skill = vec![1.0 / classes as f64; crowd.number_of_sources()];
        let mut rate = 0.7;
        for iteration in 1..=9 {
            rate = if iteration % 4 == 0 { rate / 2.0 } else { rate };
            let sums = tally(&crowd, &skill);
            for (source, s) in skill.iter_mut().enumerate() {
                let (count, agrees) = record(&crowd, &sums, source);
                if count > 0.0 {
                    *s += rate * (agrees / count - *s);
                }
            }
        }
        let sums = tally(&crowd, &skill);
        let objective = Some(quadratic(&crowd, &sums, &skill));
        let naive = Naive { posterior: shares(sums), skill, objective };
        let method = ZeroBasedSkill { iterations: 9, rate: 0.7, halve_every: 4 };
        let fit = method.fit(&crowd.annotations()).expect("a fit");
        agree("zero-based skill", &fit, &naive);
        assert_eq!((fit.iterations(), fit.objective().len()), (9, 9));
    }
}

#[test]
fn log_odds_are_those_of_agreement() {
    for (labels, sources, classes, seed) in CASES {
        let crowd = Crowd::random(labels, sources, classes, seed);
        let (n, others) = (crowd.number_of_sources(), classes as f64 - 1.0);
        let even = tally(&crowd, &vec![1.0; n]);
        let accuracy = |source| {
            let (count, agrees) = record(&crowd, &even, source);
            (agrees + 0.5) / (count + 0.5 * classes as f64)
        };
        let skill: Vec<f64> = (0..n).map(accuracy).collect();
        let mut likelihood = 0.0;
        let mut posterior = Vec::new();
        for votes in crowd.table() {
            let joint: Vec<f64> = (0..classes)
                .map(|k| {
                    let of = |vote: &(usize, usize)| {
                        if vote.1 == k { skill[vote.0] } else { (1.0 - skill[vote.0]) / others }
                    };
                    votes.iter().map(of).product::<f64>() / classes as f64
                })
                .collect();
            let all: f64 = joint.iter().sum();
            likelihood += all.ln();
            posterior.push(joint.iter().map(|p| p / all).collect());
        }
        let naive = Naive { posterior, skill, objective: Some(likelihood) };
        agree("log-odds", &LogOdds { smoothing: 0.5 }.fit(&crowd.annotations()).expect("a fit"), &naive);
    }
}

#[test]
fn ties_are_split_or_drawn() {
    let crowd = Crowd::random(2000, 20, 3, 5);
    let annotations = crowd.annotations();
    let even = tally(&crowd, &[1.0; 20]);
    let split = Majority::default().fit(&annotations).expect("a fit");
    assert_eq!(split.posterior(), majority(&annotations));
    let agreed: f64 = (0..20).map(|source| record(&crowd, &even, source).1).sum();
    assert!((split.objective()[0] - agreed).abs() < 1e-9);
    let drawn = Majority { ties: Ties::Seeded(1) }.fit(&annotations).expect("a fit");
    let (mut tied, mut changed) = (0, 0);
    for (item, row) in even.iter().enumerate() {
        let (a, b) = (split.decision()[item] as usize, drawn.decision()[item] as usize);
        assert!(won(row, b) > 0.0, "item {item} is {b} of {row:?}");
        tied += usize::from(won(row, a) < 1.0);
        changed += usize::from(a != b);
    }
    assert!(drawn.posterior().iter().zip(split.posterior()).all(|(drawn, split)| drawn >= split));
    // Half of the ties of two go to the other class.
    assert!(tied > 20 && changed > tied / 4 && changed < 3 * tied / 4 + 1, "{changed} of {tied}");
    // An item's draw is its own: what stands before it makes no difference.
    assert_eq!(drawn, Majority { ties: Ties::Seeded(1) }.fit(&crowd.shuffled(2).annotations()).expect("a fit"));
}

#[test]
fn options_out_of_range_are_refused() {
    let annotations = Annotations::new(2, &[0], &[0], &[0]).expect("fine");
    let zbs = ZeroBasedSkill::default();
    let said =
        |result: consilience::Result<_>| result.map(|_: consilience::truth::Fit| ()).expect_err("refused").to_string();
    for rate in [0.0, 1.5, f64::NAN] {
        let message = said(ZeroBasedSkill { rate, ..zbs }.fit(&annotations));
        assert_eq!(message, format!("the rate is {rate}; it must be above 0 and at most 1"));
    }
    let message = said(ZeroBasedSkill { iterations: 0, ..zbs }.fit(&annotations));
    assert_eq!(message, "the number of iterations is 0; it must be at least 1");
    let message = said(ZeroBasedSkill { halve_every: 0, ..zbs }.fit(&annotations));
    assert_eq!(message, "the number of iterations between two halvings is 0; it must be at least 1");
    for smoothing in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let message = said(LogOdds { smoothing }.fit(&annotations));
        assert_eq!(message, format!("the smoothing is {smoothing}; it must be a finite number of at least 1e-6"));
    }
}
