//! KOS against its messages, summed one by one.

use consilience::truth::{Annotations, Kos};

use super::{Naive, Told, agree};
use crate::support::annotated::Annotated;

/// Item, source and sign.
type Vote = (usize, usize, f64);

/// The lead of a class of each item, and of each source the sum of what it heard, and of its size.
fn messages(kos: &Kos, crowd: &Annotated, told: &Told, class: usize) -> (Vec<f64>, Vec<[f64; 2]>) {
    let sign = |label: usize| if label == class { 1.0 } else { -1.0 };
    let votes: Vec<Vote> = (crowd.table().iter().enumerate())
        .flat_map(|(item, votes)| votes.iter().map(|vote| (item, vote.0, sign(vote.1))).collect::<Vec<_>>())
        .collect();
    let others = |at: usize, messages: &[f64], same: fn(Vote, Vote) -> bool| -> (f64, f64) {
        let of = |i: &usize| *i != at && same(votes[*i], votes[at]);
        let chosen = || (0..votes.len()).filter(of);
        (chosen().map(|i| votes[i].2 * messages[i]).sum(), chosen().count() as f64)
    };
    let largest = |messages: &[f64]| messages.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let (mut x, mut y) = (Vec::new(), vec![1.0; votes.len()]);
    for _ in 0..kos.iterations {
        x = (0..votes.len()).map(|at| others(at, &y, |a, b| a.0 == b.0).0).collect();
        let most = largest(&x);
        for (x, vote) in x.iter_mut().zip(&votes) {
            *x = told.class(vote.0).map_or(*x / most, sign);
        }
        let of = |at: usize| {
            let [right, wrong] = told.before(votes[at].1, [0.0; 2]);
            let (sum, count) = others(at, &x, |a, b| a.1 == b.1);
            (sum + right - wrong) / if kos.sums { 1.0 } else { (count + right + wrong).max(1.0) }
        };
        y = (0..votes.len()).map(of).collect();
        let most = largest(&y);
        y.iter_mut().for_each(|y| *y /= most);
    }
    let sums = |messages: &[f64], of: &dyn Fn(Vote) -> bool| {
        let chosen = || (0..votes.len()).filter(|&i| of(votes[i]));
        [chosen().map(|i| votes[i].2 * messages[i]).sum(), chosen().map(|i| f64::abs(messages[i])).sum()]
    };
    let lead = |item| {
        let [says, all]: [f64; 2] = sums(&y, &|vote| vote.0 == item);
        if all == 0.0 { 0.0 } else { says / all }
    };
    let heard = |source| {
        let ([says, all], [right, wrong]) = (sums(&x, &|vote| vote.1 == source), told.before(source, [0.0; 2]));
        [says + right - wrong, all + right + wrong]
    };
    ((0..crowd.truth.len()).map(lead).collect(), (0..crowd.of_sources).map(heard).collect())
}

#[test]
fn messages_leave_out_whom_they_go_to() {
    for (labels, sources, classes, seed) in [(200, 10, 2, 1), (300, 25, 3, 2), (25, 9, 2, 3)] {
        let crowd = Annotated::crowd(labels, sources, classes, seed);
        for (told, sums) in [(Told::default(), false), (Told::default(), true), (Told::of(&crowd), false)] {
            let kos = Kos { sums, ..Kos::default() };
            let of: Vec<_> = (0..classes).map(|class| messages(&kos, &crowd, &told, class)).collect();
            let leads = |item: usize| of.iter().map(move |(leads, _)| leads[item]);
            let decided = |item: usize| match told.class(item) {
                Some(known) => leads(item).nth(known).unwrap_or(f64::NAN),
                None => leads(item).fold(f64::MIN, f64::max),
            };
            let objective = (0..crowd.truth.len()).map(decided).sum();
            let posterior = (0..crowd.truth.len())
                .map(|item| match told.class(item) {
                    Some(known) => (0..classes).map(|k| if k == known { 1.0 } else { 0.0 }).collect(),
                    None => {
                        let all: f64 = of.iter().map(|(leads, _)| 1.0 + leads[item]).sum();
                        of.iter().map(|(leads, _)| (1.0 + leads[item]) / all).collect()
                    }
                })
                .collect();
            let skill = (0..crowd.of_sources)
                .map(|source| {
                    let sum = |k: usize| of[usize::from(classes == 2)..].iter().map(|(_, told)| told[source][k]).sum();
                    let (says, all): (f64, f64) = (sum(0), sum(1));
                    if all == 0.0 { 0.0 } else { says / all }
                })
                .collect();
            let fit = kos.fit_with(&crowd.annotations(), &told.known()).expect("a fit");
            agree("kos", &fit, &Naive { posterior, skill, objective });
        }
    }
}

/// Two sources vote on everything, and know nothing; the rest vote seldom, and are mostly right.
#[test]
fn means_keep_those_with_most_votes_from_deciding_all() {
    let mut crowd = Annotated::crowd(3000, 120, 2, 7);
    for item in 0..crowd.truth.len() as u32 {
        for source in 120..122 {
            let drawn = (item * 122 + source).wrapping_mul(2_654_435_761) >> 31;
            crowd.items.push(item);
            crowd.sources.push(source);
            crowd.labels.push(drawn);
        }
    }
    crowd.of_sources = 122;
    let right = |sums| {
        let fit = Kos { sums, iterations: 20, seed: None }.fit(&crowd.annotations()).expect("a fit");
        fit.decision().iter().zip(&crowd.truth).filter(|(a, b)| a == b).count()
    };
    assert!(right(false) > 450 && right(true) < 400, "{} {}", right(false), right(true));
}

#[test]
fn order_does_not_matter_and_names_of_classes_are_names() {
    let crowd = Annotated::crowd(600, 12, 2, 4);
    for seed in [None, Some(3)] {
        let kos = Kos { seed, ..Kos::default() };
        let fit = kos.fit(&crowd.annotations()).expect("a fit");
        assert_eq!(fit, kos.fit(&crowd.shuffled(5).annotations()).expect("a fit"));
        let right = fit.decision().iter().zip(&crowd.truth).filter(|(a, b)| a == b).count();
        assert!(right > 96, "{right} of 120");
    }
    let (a, b) = (Kos::default().fit(&crowd.annotations()), Kos::default().fit(&crowd.relabelled().annotations()));
    let (a, b) = (a.expect("a fit"), b.expect("a fit"));
    for (a, b) in a.posterior().chunks(2).zip(b.posterior().chunks(2)) {
        assert!((a[0] - b[1]).abs() < 1e-5, "{a:?} {b:?}");
    }
}

#[test]
fn no_iteration_is_refused() {
    let lone = Annotations::new(2, &[0], &[0], &[1]).expect("fine");
    let none = Kos { iterations: 0, ..Kos::default() }.fit(&lone).expect_err("refused").to_string();
    assert_eq!(none, "the number of iterations is 0; it must be at least 1");
    // One vote alone is confirmed by nobody.
    let fit = Kos::default().fit(&lone).expect("a fit");
    assert_eq!((fit.posterior(), fit.skill()), (&[0.5, 0.5][..], &[0.0][..]));
}
