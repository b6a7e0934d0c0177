//! Two learners' counts add up.

use consilience::Error;
use consilience::learning::{Hedge, HedgeOptions, Reliability, ReliabilityOptions};
use proptest::prelude::*;

use super::updates::{Learners, learners};
use super::*;

fn merged(one: &Learners, two: &Learners) -> Learners {
    let mut merged = one.clone();
    merged.0.merge(&two.0).expect("the same options");
    merged.1.merge(&two.1).expect("the same options");
    merged.2.merge(&two.2).expect("the same options");
    merged.3.merge(&two.3).expect("the same options");
    merged
}

/// Everything a learner says, as numbers.
fn numbers(learners: &Learners) -> Vec<f64> {
    let Learners(reliability, weights, confusion, hedge) = learners;
    let single = [
        reliability.reliabilities(),
        weights.weights(),
        weights.reliability().reliabilities(),
        confusion.matrices(),
        hedge.weights(),
    ];
    let mut numbers: Vec<f64> = single.concat().into_iter().map(f64::from).collect();
    numbers.extend(reliability.observations());
    numbers.extend(confusion.counts());
    numbers.extend(hedge.regrets());
    numbers.extend(hedge.source_losses());
    numbers.extend([weights.observations() as f64, hedge.rounds() as f64, hedge.loss(), hedge.bound()]);
    numbers
}

fn same(one: &Learners, two: &Learners) -> bool {
    let (one, two) = (numbers(one), numbers(two));
    one.len() == two.len() && one.iter().zip(two).all(|(&a, b)| near(a, b, 1e-6))
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn order_and_grouping_are_irrelevant(n in 1..6_usize, c in 1..6_usize, forgetful: bool, seed: u64) {
        let part = |i: u64| {
            let stream = Stream::random(n, 7 * i as usize, c, seed.wrapping_add(i));
            let mut learners = learners(&stream, forgetful);
            learners.learn(&stream);
            learners
        };
        // The first has seen nothing.
        let (empty, one, two, three) = (part(0), part(1), part(2), part(3));
        prop_assert!(same(&merged(&one, &two), &merged(&two, &one)));
        prop_assert!(same(&merged(&merged(&one, &two), &three), &merged(&one, &merged(&two, &three))));
        prop_assert!(same(&merged(&one, &empty), &one) && same(&merged(&empty, &one), &one));
    }

    /// Where nothing is forgotten, counts know no order: apart and merged is the same as one after the other.
    #[test]
    fn two_streams_make_one(n in 1..6_usize, b in 0..30_usize, c in 1..6_usize, seed: u64) {
        let (one, two) = (Stream::full(n, b, c, seed), Stream::full(n, 2 * b, c, seed ^ 1));
        let mut after = learners(&one, false);
        let (mut first, mut second) = (after.clone(), after.clone());
        after.learn(&one);
        after.learn(&two);
        first.learn(&one);
        second.learn(&two);
        let merged = merged(&first, &second);
        let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(&a, &b)| near(f64::from(a), f64::from(b), 1e-6));
        prop_assert!(close(&merged.0.reliabilities(), &after.0.reliabilities()));
        prop_assert!(close(&merged.2.matrices(), &after.2.matrices()));
        prop_assert!(close(&merged.3.weights(), &after.3.weights()));
        prop_assert!(merged.3.source_losses().iter().zip(after.3.source_losses()).all(|(&a, b)| near(a, b, 1e-9)));
        prop_assert_eq!(merged.3.rounds(), after.3.rounds());
        prop_assert_eq!(merged.1.observations(), after.1.observations());
    }
}

#[test]
fn the_mean_of_weights_counts_observations() {
    let (one, two) = (Stream::full(2, 5, 3, 1), Stream::full(2, 15, 3, 2));
    let (mut a, mut b) = (learners(&one, false), learners(&two, false));
    a.learn(&one);
    b.learn(&two);
    let (wa, wb, both) = (a.1.weights(), b.1.weights(), merged(&a, &b).1.weights());
    for n in 0..2 {
        assert!((both[n] - (0.25 * wa[n] + 0.75 * wb[n])).abs() < 1e-6);
    }
}

#[test]
fn only_like_merges_with_like() {
    let mut two = Learners::new(2, 3, true);
    let before = two.clone();
    let says = |result: Result<(), Error>, text: &str| {
        let error = result.expect_err("learners that differ");
        assert!(error.is_state() && error.to_string().starts_with(text), "{error}");
    };
    let all_say = |two: &mut Learners, other: &Learners, text| {
        says(two.0.merge(&other.0), text);
        says(two.1.merge(&other.1), text);
        says(two.2.merge(&other.2), text);
        says(two.3.merge(&other.3), text);
    };
    let three = Learners::new(3, 3, true);
    all_say(&mut two, &three, "only learners with the same sources merge: one has 2, the other 3");
    says(
        two.2.merge(&Learners::new(2, 4, true).2),
        "only learners with the same classes merge: one has 3, the other 4",
    );
    let text = "only learners with the same options merge";
    all_say(&mut two, &Learners::new(2, 3, false), text);
    assert_eq!(two, before);
    let mut plain = Reliability::new(2, ReliabilityOptions::default()).expect("valid options");
    let options = ReliabilityOptions { discount: 0.5, ..Default::default() };
    let error = plain.merge(&Reliability::new(2, options).expect("valid options")).expect_err("another discount");
    assert!(error.to_string().contains("discount: 1.0") && error.to_string().contains("discount: 0.5"), "{error}");
    let hedge = Hedge::new(2, HedgeOptions::default()).expect("valid options");
    says(two.3.merge(&hedge), text);
}
