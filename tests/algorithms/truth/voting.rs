//! The methods that count votes in one pass or step by step, against their formulas.

use consilience::truth::{Annotations, Known, LogOdds, Majority, Ties, Wawa, ZeroBasedSkill, majority};

use super::{Naive, Told, agree};
use crate::support::annotated::Annotated;

const CASES: [(usize, usize, usize, u64); 4] = [(800, 10, 2, 1), (1000, 20, 4, 2), (400, 40, 7, 3), (25, 9, 3, 4)];

/// The weighted votes for each class of each item.
fn tally(crowd: &Annotated, weights: &[f64]) -> Vec<Vec<f64>> {
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

/// Rows but where the class is known.
fn settled(mut rows: Vec<Vec<f64>>, told: &Told) -> Vec<Vec<f64>> {
    for (item, row) in rows.iter_mut().enumerate() {
        if let Some(class) = told.class(item) {
            row.fill(0.0);
            row[class] = 1.0;
        }
    }
    rows
}

fn decided(tally: &[Vec<f64>], told: &Told) -> Vec<Vec<f64>> {
    settled(tally.iter().map(|row| (0..row.len()).map(|class| won(row, class)).collect()).collect(), told)
}

/// Votes of a source, and how many of them rows agree with, and the same before.
fn record(crowd: &Annotated, told: &Told, rows: &[Vec<f64>], source: usize, default: [f64; 2]) -> (f64, f64) {
    let [right, wrong] = told.before(source, default);
    let (mut count, mut agrees) = (right + wrong, right);
    for (votes, row) in crowd.table().iter().zip(rows) {
        for vote in votes.iter().filter(|vote| vote.0 == source) {
            count += 1.0;
            agrees += row[vote.1];
        }
    }
    (count, agrees)
}

/// Cases, and each with what is known.
fn cases() -> impl Iterator<Item = (Annotated, Told)> {
    CASES.into_iter().flat_map(|(labels, sources, classes, seed)| {
        let crowd = Annotated::crowd(labels, sources, classes, seed);
        let told = Told::of(&crowd);
        [(crowd.clone(), Told::default()), (crowd, told)]
    })
}

fn shares(tally: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let share = |row: Vec<f64>| {
        let all: f64 = row.iter().sum();
        row.iter().map(|x| if all == 0.0 { 1.0 / row.len() as f64 } else { x / all }).collect()
    };
    tally.into_iter().map(share).collect()
}

fn quadratic(crowd: &Annotated, told: &Told, tally: &[Vec<f64>], skill: &[f64]) -> f64 {
    let rows = decided(tally, told);
    let of = |(source, &s): (usize, &f64)| {
        let (count, agrees) = record(crowd, told, &rows, source, [0.0; 2]);
        agrees * s - count * s * s / 2.0
    };
    skill.iter().enumerate().map(of).sum()
}

#[test]
fn wawa_weighs_by_agreement() {
    for (crowd, told) in cases() {
        let n = crowd.of_sources;
        let even = decided(&tally(&crowd, &vec![1.0; n]), &told);
        let skill: Vec<f64> = (0..n)
            .map(|source| match record(&crowd, &told, &even, source, [0.0; 2]) {
                (0.0, _) => 1.0 / crowd.classes as f64,
                (count, agrees) => agrees / count,
            })
            .collect();
        let sums = tally(&crowd, &skill);
        let objective = quadratic(&crowd, &told, &sums, &skill);
        let naive = Naive { posterior: settled(shares(sums), &told), skill, objective };
        agree("wawa", &Wawa.fit_with(&crowd.annotations(), &told.known()).expect("a fit"), &naive);
    }
}

#[test]
fn zero_based_skill_steps_towards_agreement() {
    for (crowd, told) in cases() {
        let mut skill = vec![1.0 / crowd.classes as f64; crowd.of_sources];
        let mut rate = 0.7;
        for iteration in 1..=9 {
            rate = if iteration % 4 == 0 { rate / 2.0 } else { rate };
            let rows = decided(&tally(&crowd, &skill), &told);
            for (source, s) in skill.iter_mut().enumerate() {
                let (count, agrees) = record(&crowd, &told, &rows, source, [0.0; 2]);
                if count > 0.0 {
                    *s += rate * (agrees / count - *s);
                }
            }
        }
        let sums = tally(&crowd, &skill);
        let objective = quadratic(&crowd, &told, &sums, &skill);
        let naive = Naive { posterior: settled(shares(sums), &told), skill, objective };
        let method = ZeroBasedSkill { iterations: 9, rate: 0.7, halve_every: 4 };
        let fit = method.fit_with(&crowd.annotations(), &told.known()).expect("a fit");
        agree("zero-based skill", &fit, &naive);
        assert_eq!((fit.iterations(), fit.objective().len()), (9, 9));
    }
}

/// The posterior of sources of these accuracies, and the log-likelihood.
pub fn one_coin(crowd: &Annotated, told: &Told, accuracies: &[f64], prior: &[f64]) -> (Vec<Vec<f64>>, f64) {
    let others = crowd.classes as f64 - 1.0;
    let (mut likelihood, mut posterior) = (0.0, Vec::new());
    for (item, votes) in crowd.table().iter().enumerate() {
        let of = |k: usize| {
            let of = |vote: &(usize, usize)| match vote.1 == k {
                true => accuracies[vote.0],
                false => (1.0 - accuracies[vote.0]) / others,
            };
            let possible = told.class(item).is_none_or(|known| known == k);
            if possible { votes.iter().map(of).product::<f64>() * prior[k] } else { 0.0 }
        };
        let joint: Vec<f64> = (0..crowd.classes).map(of).collect();
        let all: f64 = joint.iter().sum();
        likelihood += all.ln();
        posterior.push(joint.iter().map(|p| p / all).collect());
    }
    (posterior, likelihood)
}

#[test]
fn log_odds_are_those_of_agreement() {
    for (crowd, told) in cases() {
        let (n, classes) = (crowd.of_sources, crowd.classes as f64);
        let prior = vec![1.0 / classes; crowd.classes];
        let even = settled(shares(tally(&crowd, &vec![1.0; n])), &told);
        let accuracies = |rows: &[Vec<f64>]| -> Vec<f64> {
            let of = |source| record(&crowd, &told, rows, source, [0.5, 0.5 * (classes - 1.0)]);
            (0..n).map(of).map(|(count, agrees)| agrees / count).collect()
        };
        let skill = accuracies(&even);
        let (posterior, likelihood) = one_coin(&crowd, &told, &skill, &prior);
        let again = accuracies(&posterior);
        let naive = Naive { posterior, skill, objective: likelihood };
        let method = LogOdds { smoothing: 0.5 };
        let fit = method.fit_with(&crowd.annotations(), &told.known()).expect("a fit");
        agree("log-odds", &fit, &naive);
        // Once more, from there.
        let known = Known { warm: Some(&fit), ..told.known() };
        let (posterior, likelihood) = one_coin(&crowd, &told, &again, &prior);
        let naive = Naive { posterior, skill: again, objective: likelihood };
        agree("log-odds again", &method.fit_with(&crowd.annotations(), &known).expect("a fit"), &naive);
    }
}

#[test]
fn a_fit_goes_on_from_the_skills_of_another() {
    let crowd = Annotated::crowd(600, 15, 3, 6);
    let (annotations, told) = (crowd.annotations(), Told::of(&crowd));
    let steps = |iterations, known: &Known<'_>| {
        let method = ZeroBasedSkill { iterations, rate: 0.3, halve_every: 100 };
        method.fit_with(&annotations, known).expect("a fit")
    };
    let four = steps(4, &told.known());
    let warm = Known { warm: Some(&four), ..told.known() };
    let (five, nine) = (steps(5, &warm), steps(9, &told.known()));
    assert_eq!((five.skill(), five.posterior()), (nine.skill(), nine.posterior()));
    assert!(five.skill() != four.skill());
    let rows = decided(&tally(&crowd, four.skill()), &told);
    let wawa = Wawa.fit_with(&annotations, &warm).expect("a fit");
    for (source, skill) in wawa.skill().iter().enumerate() {
        let (count, agrees) = record(&crowd, &told, &rows, source, [0.0; 2]);
        assert!((skill - agrees / count).abs() < 1e-12, "source {source}: {skill}");
    }
    assert!(wawa.skill() != Wawa.fit_with(&annotations, &told.known()).expect("a fit").skill());
}

#[test]
fn ties_are_split_or_drawn() {
    let crowd = Annotated::crowd(2000, 20, 3, 5);
    let annotations = crowd.annotations();
    let even = tally(&crowd, &[1.0; 20]);
    let split = Majority::default().fit(&annotations).expect("a fit");
    assert_eq!(split.posterior(), majority(&annotations));
    let rows = decided(&even, &Told::default());
    let agreed: f64 = (0..20).map(|source| record(&crowd, &Told::default(), &rows, source, [0.0; 2]).1).sum();
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
