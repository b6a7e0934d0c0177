//! KOS against its messages, summed one by one.

use consilience::truth::{Annotations, Kos};

use super::{Naive, agree};
use crate::support::crowd::Crowd;

/// Item, source and sign.
type Vote = (usize, usize, f64);

#[test]
fn messages_leave_out_whom_they_go_to() {
    for (labels, sources, seed) in [(200, 10, 1), (300, 25, 2), (25, 9, 3)] {
        let crowd = Crowd::random(labels, sources, 2, seed);
        let votes: Vec<Vote> = (crowd.table().iter().enumerate())
            .flat_map(|(item, votes)| {
                votes.iter().map(move |vote| (item, vote.0, [-1.0, 1.0][vote.1])).collect::<Vec<_>>()
            })
            .collect();
        let others = |at: usize, messages: &[f64], same: fn(Vote, Vote) -> bool| -> f64 {
            let of = |i: &usize| *i != at && same(votes[*i], votes[at]);
            (0..votes.len()).filter(of).map(|i| votes[i].2 * messages[i]).sum()
        };
        let (mut x, mut y) = (Vec::new(), vec![1.0; votes.len()]);
        for _ in 0..5 {
            x = (0..votes.len()).map(|at| others(at, &y, |a, b| a.0 == b.0)).collect();
            y = (0..votes.len()).map(|at| others(at, &x, |a, b| a.1 == b.1)).collect();
        }
        let ratio = |messages: &[f64], of: &dyn Fn(Vote) -> bool| {
            let chosen = || (0..votes.len()).filter(|&i| of(votes[i]));
            let all: f64 = chosen().map(|i| f64::abs(messages[i])).sum();
            if all == 0.0 { 0.0 } else { chosen().map(|i| votes[i].2 * messages[i]).sum::<f64>() / all }
        };
        let leads = (0..crowd.truth.len()).map(|item| ratio(&y, &|vote| vote.0 == item));
        let posterior = leads.map(|lead| vec![(1.0 - lead) / 2.0, (1.0 + lead) / 2.0]).collect();
        let skill = (0..crowd.number_of_sources()).map(|source| ratio(&x, &|vote| vote.1 == source)).collect();
        let fit = Kos { iterations: 5, seed: None }.fit(&crowd.annotations()).expect("a fit");
        agree("kos", &fit, &Naive { posterior, skill, objective: None });
    }
}

#[test]
fn order_does_not_matter_and_names_of_classes_are_names() {
    let crowd = Crowd::random(600, 12, 2, 4);
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
fn other_than_two_classes_are_refused() {
    let said = |classes, kos: Kos| {
        let annotations = Annotations::new(classes, &[0], &[0], &[0]).expect("fine");
        kos.fit(&annotations).expect_err("refused").to_string()
    };
    let three = "the number of classes is 3; it must be 2 for messages, whose sign is the class";
    assert_eq!(said(3, Kos::default()), three);
    let none = Kos { iterations: 0, ..Kos::default() };
    assert_eq!(said(2, none), "the number of iterations is 0; it must be at least 1");
    // One vote alone is confirmed by nobody.
    let fit = Kos::default().fit(&Annotations::new(2, &[0], &[0], &[1]).expect("fine")).expect("a fit");
    assert_eq!((fit.posterior(), fit.skill()), (&[0.5, 0.5][..], &[0.0][..]));
}
