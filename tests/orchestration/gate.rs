//! Experts chosen by a gate, by reason; their room, and what is counted.

mod counters;
mod mixture;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use consilience::calibration::Curve;
use consilience::orchestration::Gate;
use consilience::orchestration::gate::{Calibration, Expert, Options, Reason, Score, Selection};
use proptest::prelude::*;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn gate(options: Options) -> Gate {
    Gate::new(NAMES.map(Expert::new), options).unwrap()
}

/// Scores of the experts in their order; one above 1 is less by 1 and with evidence.
fn scores<const N: usize>(confidences: [f64; N]) -> Vec<Score<'static>> {
    let score = |(name, c): (&'static str, f64)| {
        if c > 1.0 { Score::new(name, c - 1.0).with_evidence() } else { Score::new(name, c) }
    };
    NAMES.into_iter().zip(confidences).map(score).collect()
}

fn names(selection: &Selection) -> String {
    selection.chosen.iter().map(|chosen| chosen.name()).collect::<Vec<_>>().join(" ")
}

#[test]
fn experts_are_chosen_for_a_reason() {
    for (options, given, chosen, reason) in [
        (Options::default(), [0.2, 0.5, 0.4, 0.3], "b c", Reason::Top),
        (Options::default(), [0.5, 0.5, 0.5, 0.5], "a b", Reason::Top),
        (Options { k: 3, ..Options::default() }, [0.2, 0.5, 0.4, 0.3], "b c d", Reason::Top),
        (Options { k: 9, ..Options::default() }, [0.2, 0.4, 0.3, 0.3], "b c d a", Reason::Few),
        (Options { margin: 0.25, ..Options::default() }, [0.25, 0.5, 0.25, 0.0], "b", Reason::Lead),
        (Options { margin: 0.25, ..Options::default() }, [0.25, 0.49, 0.25, 0.0], "b a", Reason::Top),
        (Options { margin: 0.0, ..Options::default() }, [0.5, 0.5, 0.0, 0.0], "a", Reason::Lead),
        (Options { margin: 2.0, ..Options::default() }, [1.0, 0.1, 0.0, 0.0], "a b", Reason::Top),
        (Options::default(), [0.1, 0.09, 0.05, 0.0], "a", Reason::Few),
        (Options::default(), [0.05, 0.09, 0.09, 0.0], "b", Reason::Unsure),
        (Options { least_confidence: 0.0, ..Options::default() }, [0.0, 0.0, 0.0, 0.0], "a b", Reason::Top),
        (Options { k: 1, ..Options::default() }, [0.5, 1.484_375, 0.0, 0.0], "b", Reason::Evidence),
        (Options { k: 1, ..Options::default() }, [0.5, 1.468_75, 0.0, 0.0], "a", Reason::Top),
        (Options { k: 1, ..Options::default() }, [0.5, 1.5, 0.0, 0.0], "b", Reason::Top),
        (Options { k: 1, evidence: 0.0, ..Options::default() }, [0.5, 1.5, 0.0, 0.0], "a", Reason::Top),
        (Options { evidence: 0.25, ..Options::default() }, [0.5, 1.5, 0.0, 0.0], "b a", Reason::Top),
        // Evidence ranks, it does not make confident.
        (Options { evidence: 0.25, ..Options::default() }, [1.0625, 0.5, 0.0, 0.0], "b", Reason::Few),
    ] {
        let gate = gate(options);
        let selection = gate.choose(&scores(given)).unwrap();
        assert_eq!((&names(&selection)[..], selection.reason), (chosen, reason), "{options:?} {given:?}");
    }
}

#[test]
fn weights_are_shares_of_the_chosen_confidences() {
    let selection = gate(Options::default()).choose(&scores([0.125, 0.5, 0.25, 0.125])).unwrap();
    let weights: Vec<f64> = selection.chosen.iter().map(|chosen| chosen.weight).collect();
    assert_eq!(weights, [0.5 / 0.75, 0.25 / 0.75]);
    let nothing = Options { least_confidence: 0.0, ..Options::default() };
    let selection = gate(nothing).choose(&scores([0.0; 4])).unwrap();
    assert!(selection.chosen.iter().all(|chosen| chosen.weight == 0.5));
}

#[test]
fn confidences_are_calibrated_first() {
    let curve = Curve::fit(&[0.0, 1.0], &[0.0, 0.5], &[1.0, 1.0]).unwrap();
    let experts = [
        Expert::new("a").calibration(Calibration::Temperature(2.0)),
        Expert::new("b").calibration(Calibration::Curve(curve)),
        Expert::new("c").calibration(Calibration::Temperature(1.0)),
        Expert::new("d"),
    ];
    let gate = Gate::new(experts, Options { k: 4, margin: 2.0, ..Options::default() }).unwrap();
    // Odds of 9 at T = 2 are odds of 3.
    let selection = gate.choose(&scores([0.9, 0.9, 0.9, 0.8])).unwrap();
    assert_eq!(names(&selection), "c d a b");
    let expected = [0.9, 0.8, 0.75, 0.45];
    assert!(selection.chosen.iter().zip(expected).all(|(chosen, c)| (chosen.confidence - c).abs() < 1e-12));
    let certain = gate.choose(&scores([1.0, 0.0, 0.0, 0.0])).unwrap();
    // Logs are of at least 1e-7: odds of 1e7 at T = 2.
    assert!((certain.chosen[0].confidence - 1.0 / (1.0 + 1e-7_f64.sqrt())).abs() < 1e-12);
}

#[tokio::test(start_paused = true)]
async fn busy_experts_are_passed_over_until_they_have_room() {
    let gate = Gate::new(NAMES.map(|name| Expert::new(name).at_once(2)), Options::default()).unwrap();
    let given = scores([0.5, 0.4, 0.3, 0.0]);
    let held: Vec<Selection> = (0..2).map(|_| gate.choose(&given).unwrap()).collect();
    assert!(held.iter().all(|selection| names(selection) == "a b" && selection.reason == Reason::Top));
    assert_eq!(NAMES.map(|name| gate.in_flight(name).unwrap()), [2, 2, 0, 0]);
    let third = gate.choose(&given).unwrap();
    assert_eq!((&names(&third)[..], third.reason, third.chosen[0].weight), ("c", Reason::Busy, 1.0));
    let _fourth = gate.choose(&given).unwrap();
    // Nobody who is confident has room, and nothing was measured yet.
    let error = gate.choose(&given).unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_millis(100)));
    assert_eq!(error.to_string(), "every expert that could be asked is full; try again in 100ms");
    assert_eq!(NAMES.map(|name| gate.in_flight(name).unwrap()), [2, 2, 2, 0]);
    // `c` held one of its two permits for 600 ms, so one of them comes back every 300 ms.
    tokio::time::advance(Duration::from_millis(600)).await;
    drop(third);
    let fifth = gate.choose(&given).unwrap();
    assert_eq!(names(&fifth), "c");
    assert_eq!(gate.choose(&given).unwrap_err().retry_after(), Some(Duration::from_millis(300)));
    // (9 x 600 + 1 600) / 10 = 700, shared by two.
    tokio::time::advance(Duration::from_millis(1_600)).await;
    drop(fifth);
    let _sixth = gate.choose(&given).unwrap();
    assert_eq!(gate.choose(&given).unwrap_err().retry_after(), Some(Duration::from_millis(350)));
    drop(held);
    assert_eq!((gate.in_flight("a").unwrap(), names(&gate.choose(&given).unwrap())), (0, "a b".to_owned()));
}

#[test]
fn no_expert_is_ever_busier_than_it_may_be() {
    let gate = Gate::new(NAMES.map(|name| Expert::new(name).at_once(3)), Options::default()).unwrap();
    let running = NAMES.map(|_| AtomicUsize::new(0));
    let (mut granted, mut refused) = (0, 0);
    thread::scope(|scope| {
        let work = |thread: usize| {
            let (gate, running) = (&gate, &running);
            move || {
                let mut counts = (0, 0);
                for round in 0..2_000 {
                    let confidence = |place: usize| 0.25 + ((thread + round * 7 + place * 3) % 11) as f64 / 40.0;
                    let Ok(selection) = gate.choose(&scores([0, 1, 2, 3].map(confidence))) else {
                        counts.1 += 1;
                        continue;
                    };
                    counts.0 += 1;
                    let of = |name: &str| &running[NAMES.iter().position(|&known| known == name).unwrap()];
                    for chosen in &selection.chosen {
                        assert!(of(chosen.name()).fetch_add(1, Ordering::SeqCst) < 3, "{}", chosen.name());
                    }
                    thread::yield_now();
                    for chosen in &selection.chosen {
                        of(chosen.name()).fetch_sub(1, Ordering::SeqCst);
                    }
                }
                counts
            }
        };
        let threads: Vec<_> = (0..12).map(|thread| scope.spawn(work(thread))).collect();
        for thread in threads {
            let counts = thread.join().unwrap();
            (granted, refused) = (granted + counts.0, refused + counts.1);
        }
    });
    assert_eq!(granted + refused, 24_000);
    assert!(granted > 0);
    assert_eq!(NAMES.map(|name| gate.in_flight(name).unwrap()), [0; 4]);
}

#[test]
fn experts_and_options_that_cannot_be_are_refused() {
    let refused = |experts: Vec<Expert>, options| Gate::new(experts, options).unwrap_err().to_string();
    let (one, options) = (|| vec![Expert::new("a")], Options::default());
    let calibrated = |calibration| vec![Expert::new("a").calibration(calibration)];
    let beyond = Curve::fit(&[0.0, 1.0], &[0.0, 1.5], &[1.0, 1.0]).unwrap();
    for (error, message) in [
        (refused(Vec::new(), options), "there are no sources; add at least one"),
        (refused([one(), one()].concat(), options), "there are two experts named `a`; names must differ"),
        (refused(one(), Options { k: 0, ..options }), "k, the number of experts to ask is 0, it must be at least 1"),
        (refused(one(), Options { margin: f64::NAN, ..options }), "the margin is NaN, it must be in [0, 2]"),
        (
            refused(one(), Options { least_confidence: 1.5, ..options }),
            "the least confidence is 1.5, it must be in [0, 1]",
        ),
        (refused(one(), Options { evidence: -0.5, ..options }), "what evidence is worth is -0.5, it must be in [0, 1]"),
        (
            refused(vec![Expert::new("a").at_once(0)], options),
            "the number of requests that the expert `a` takes at once is 0, it must be at least 1",
        ),
        (
            refused(calibrated(Calibration::Temperature(0.0)), options),
            "the temperature of the expert `a` is 0, it must be above 0 and finite",
        ),
        (
            refused(calibrated(Calibration::Curve(beyond)), options),
            "the curve of the expert `a` at 1 is 1.5, it must be in [0, 1]",
        ),
    ] {
        assert_eq!(error, message);
    }
}

#[test]
fn scores_that_cannot_be_are_refused_and_take_up_no_room() {
    let gate = gate(Options::default());
    let refused = |scores: &[Score<'_>]| gate.choose(scores).unwrap_err().to_string();
    let good = Score::new("a", 0.5);
    assert_eq!(refused(&[]), "there are no sources; add at least one");
    assert_eq!(refused(&[good, Score::new("z", 0.5)]), "there is no expert named `z`; there are a, b, c, d");
    assert_eq!(refused(&[good, good]), "there are two scores of an expert named `a`; names must differ");
    for wrong in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
        let message = format!("the confidence of the expert `b` is {wrong}, it must be in [0, 1]");
        assert_eq!(refused(&[good, Score::new("b", wrong)]), message);
    }
    assert_eq!(gate.in_flight("a").unwrap(), 0);
    assert_eq!(gate.in_flight("z").unwrap_err().to_string(), "there is no expert named `z`; there are a, b, c, d");
}

proptest! {
    #[test]
    fn the_chosen_are_the_first_in_rank_whatever_the_order_of_scores(
        confidences in prop::array::uniform4((0_u32..=16).prop_map(|x| f64::from(x) / 16.0)),
        evidence in prop::array::uniform4(any::<bool>()),
        k in 1_usize..6,
        turn in 0_usize..4,
    ) {
        let options = Options { k, margin: 2.0, ..Options::default() };
        let mut given: Vec<Score<'_>> = scores(confidences);
        given.iter_mut().zip(evidence).for_each(|(score, evidence)| score.evidence = evidence);
        let selection = gate(options).choose(&given).unwrap();
        let rank = |name: &str| {
            let place = NAMES.iter().position(|&known| known == name).unwrap();
            confidences[place] + if evidence[place] { 0.02 } else { 0.0 }
        };
        let chosen = names(&selection);
        let confident = confidences.iter().filter(|&&c| c >= 0.1).count();
        prop_assert_eq!(selection.chosen.len(), if confident == 0 { 1 } else { k.min(confident) });
        let least = chosen.split(' ').map(rank).fold(f64::INFINITY, f64::min);
        for (name, c) in NAMES.iter().zip(confidences) {
            let left_out = !chosen.split(' ').any(|other| other == *name) && (c >= 0.1 || confident == 0);
            prop_assert!(!left_out || rank(name) <= least, "{} of {}", name, chosen);
        }
        let sum: f64 = selection.chosen.iter().map(|chosen| chosen.weight).sum();
        prop_assert!((sum - 1.0).abs() < 1e-12);
        given.rotate_left(turn);
        let turned = gate(options).choose(&given).unwrap();
        prop_assert_eq!((names(&turned), turned.reason), (chosen, selection.reason));
    }
}
