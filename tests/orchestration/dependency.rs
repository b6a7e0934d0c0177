//! What sources have to do with each other: against everything that was observed, kept.

mod errors;
mod merging;

use std::collections::BTreeMap;
use std::time::Duration;

use consilience::orchestration::Dependencies;
use consilience::orchestration::dependency::{Basis, Benefit, Options, Part};
use proptest::prelude::*;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn graph(options: Options) -> Dependencies {
    Dependencies::new(options).unwrap()
}

/// So slow a decay that none is seen.
const KEPT: Options = Options { sources: 64, classes: 64, sets: 256, half_life: 1e12, shrinkage: 10.0 };

fn asked(source: &str, millis: u64) -> Part<'_> {
    Part { source, held: false, work: Some(ms(millis)), bytes: 100 }
}

fn held(source: &str) -> Part<'_> {
    Part { source, held: true, work: None, bytes: 100 }
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs().max(1e-3)
}

#[test]
fn nothing_is_told_before_five_observations() {
    let mut graph = graph(KEPT);
    for observations in 0..=5 {
        let told = [
            graph.demand("a", "b").is_some(),
            graph.pair_benefit("a", "b").is_some(),
            graph.benefit(&["a", "b"]).is_some(),
            graph.correlation("a", "b").is_some(),
            graph.work("a").is_some(),
            graph.cache_worth("a").is_some(),
            graph.error_rate("class", "a").is_some(),
            !graph.select("class", 1).is_empty(),
        ];
        assert_eq!(told, [observations == 5; 8], "after {observations}");
        graph.observe(&[asked("a", 10), asked("b", 20)], Some(ms(20))).unwrap();
        graph.learn("class", &[("a", false), ("b", false)]).unwrap();
    }
    assert_eq!((graph.demand("a", "nobody"), graph.benefit(&["a", "nobody"])), (None, None));
    assert_eq!((graph.demand("a", "a"), graph.benefit(&[])), (None, None));
    assert_eq!(graph.sources().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn the_benefit_of_a_pair_is_that_of_requests_with_both() {
    let mut graph = graph(KEPT);
    // Long requests with a third source, and short ones of which nothing is gained.
    for _ in 0..3 {
        graph.observe(&[asked("a", 100), asked("b", 200), asked("c", 300)], Some(ms(300))).unwrap();
        graph.observe(&[asked("b", 1), asked("a", 2)], Some(ms(3))).unwrap();
        // One of them held, or one after another: no measure of the pair.
        graph.observe(&[asked("a", 500), held("b"), asked("c", 500)], Some(ms(500))).unwrap();
        graph.observe(&[asked("a", 500), asked("b", 500)], None).unwrap();
    }
    let benefit = graph.pair_benefit("b", "a").unwrap();
    assert!(close(benefit.ratio, 603.0 / 303.0), "{benefit:?}");
    assert_eq!((benefit.basis, benefit.observations), (Basis::Measured, 6));
    // The mean over requests would be 1.5, that over pairs less.
    assert_eq!(graph.pair_benefit("b", "c"), None);
}

#[test]
fn the_benefit_of_a_set_is_measured_where_it_was_and_estimated_elsewhere() {
    let mut graph = graph(KEPT);
    for _ in 0..5 {
        graph.observe(&[asked("a", 100), asked("b", 200), held("c")], Some(ms(240))).unwrap();
        graph.observe(&[asked("c", 300)], Some(ms(300))).unwrap();
    }
    let measured = graph.benefit(&["b", "a"]).unwrap();
    assert!(close(measured.ratio, 1.25) && measured.basis == Basis::Measured, "{measured:?}");
    let estimated = graph.benefit(&["a", "c", "b", "a"]).unwrap();
    assert!(close(estimated.ratio, 2.0), "{estimated:?}");
    assert_eq!((estimated.basis, estimated.observations), (Basis::Estimated, 5));
    assert_eq!(graph.benefit(&["c"]), Some(Benefit { ratio: 1.0, ..estimated }));
}

#[test]
fn cache_worth_is_reuse_times_time_saved_over_bytes() {
    let mut graph = graph(KEPT);
    for (work, bytes) in
        [(Some(100), 40), (None, 60), (Some(200), 40), (Some(300), 60), (Some(100), 40), (Some(300), 60)]
    {
        graph.observe(&[Part { source: "a", held: work.is_none(), work: work.map(ms), bytes }], None).unwrap();
    }
    let worth = graph.cache_worth("a").unwrap();
    assert!(close(worth.reuse, 1.0 / 6.0) && close(worth.bytes, 50.0) && worth.saved == ms(200), "{worth:?}");
    assert!(close(worth.seconds_per_byte, 0.2 / 6.0 / 50.0), "{worth:?}");
}

#[test]
fn demand_follows_change() {
    let mut graph = graph(Options { half_life: 10.0, ..KEPT });
    for _ in 0..100 {
        graph.observe(&[asked("a", 1), asked("b", 1)], None).unwrap();
    }
    let before = graph.demand("a", "b").unwrap();
    assert!(close(before.share, 1.0) && close(before.of_either, 1.0), "{before:?}");
    for _ in 0..10 {
        graph.observe(&[asked("a", 1), asked("c", 1)], None).unwrap();
    }
    // Half of the old weight is left; the new has half of all that can be.
    let after = graph.demand("b", "a").unwrap();
    assert!((after.share - 0.5).abs() < 1e-3 && (after.of_either - 0.5).abs() < 1e-3, "{after:?}");
    assert_eq!(after.observations, 100);
}

#[test]
fn what_is_too_much_or_nothing_is_refused_and_not_learned() {
    let mut graph = graph(Options { sources: 2, classes: 1, ..KEPT });
    graph.observe(&[asked("a", 1)], None).unwrap();
    graph.learn("class", &[("a", true)]).unwrap();
    let before = graph.clone();
    for (error, said) in [
        (graph.observe(&[], None), "there are no sources; add at least one"),
        (graph.learn("class", &[]), "there are no sources; add at least one"),
        (graph.observe(&[held("b"), held("b")], None), "there are two sources named `b`; names must differ"),
        (
            graph.observe(&[held("b"), held("c")], None),
            "the number of sources is 3, it must be at most that of the options",
        ),
        (graph.learn("other", &[("a", true)]), "the number of classes is 2, it must be at most that of the options"),
        (
            graph.learn("class", &[("b", true), ("c", true)]),
            "the number of sources is 3, it must be at most that of the options",
        ),
    ] {
        assert_eq!(error.unwrap_err().to_string(), said);
    }
    assert_eq!(graph, before);
    for (options, said) in [
        (Options { sources: 65, ..KEPT }, "the most sources is 65, it must be in [1, 64]"),
        (Options { classes: 0, ..KEPT }, "the most classes is 0, it must be in [1, 65536]"),
        (Options { sets: 0, ..KEPT }, "the most sets is 0, it must be in [1, 65536]"),
        (Options { half_life: 0.5, ..KEPT }, "the half-life is 0.5, it must be in [1, 10^12]"),
        (Options { shrinkage: f64::NAN, ..KEPT }, "the shrinkage is NaN, it must be in [0, 10^6]"),
    ] {
        assert_eq!(Dependencies::new(options).unwrap_err().to_string(), said);
    }
    for threshold in [0.0, 1.1, f64::NAN] {
        assert!(before.independent(threshold).unwrap_err().to_string().starts_with("the threshold of independence is"));
    }
}

#[test]
fn the_set_not_seen_for_longest_is_given_up() {
    let mut graph = graph(Options { sets: 2, ..KEPT });
    let mut see = |names: [&str; 2], times| {
        for _ in 0..times {
            graph.observe(&[asked(names[0], 100), asked(names[1], 100)], Some(ms(160))).unwrap();
        }
        let basis = |a, b| graph.benefit(&[a, b]).map(|benefit| benefit.basis);
        [basis("a", "b"), basis("c", "d"), basis("e", "f")]
    };
    let (measured, estimated) = (Some(Basis::Measured), Some(Basis::Estimated));
    see(["a", "b"], 5);
    assert_eq!(see(["c", "d"], 5), [measured, measured, None]);
    see(["a", "b"], 1);
    assert_eq!(see(["e", "f"], 5), [measured, estimated, measured]);
    assert_eq!(see(["c", "d"], 1), [estimated, estimated, measured]);
}

#[test]
fn sixty_four_sources_are_told_apart() {
    let mut graph = graph(KEPT);
    let names: Vec<String> = (0..64).map(|source| format!("source-{source}")).collect();
    for _ in 0..5 {
        graph.observe(&names.iter().map(|name| asked(name, 10)).collect::<Vec<_>>(), Some(ms(40))).unwrap();
    }
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(close(graph.benefit(&all).unwrap().ratio, 16.0));
    assert_eq!(graph.benefit(&all[..63]).unwrap().basis, Basis::Estimated);
    assert!(close(graph.pair_benefit("source-0", "source-63").unwrap().ratio, 16.0));
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// One request: the part of each source, if it was needed, and the wall time if they were asked side by side.
type Request = ([Option<(Option<u64>, u64)>; 5], Option<u64>);

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let part = prop::option::of((prop::option::of(1_u64..500), 1_u64..100));
    let request = (prop::array::uniform5(part), prop::option::of(1_u64..900));
    prop::collection::vec(request, 0..60)
}

fn parts(request: &Request) -> Vec<Part<'static>> {
    let part = |(source, part): (&&'static str, Option<(Option<u64>, u64)>)| {
        part.map(|(work, bytes)| Part { source, held: work.is_none(), work: work.map(ms), bytes })
    };
    NAMES.iter().zip(request.0).filter_map(part).collect()
}

proptest! {
    #[test]
    fn what_is_told_is_what_was_observed(requests in requests(), half_life in prop_oneof![Just(1e12), 3.0..50.0_f64]) {
        let options = Options { half_life, ..KEPT };
        let mut graph = graph(options);
        let requests: Vec<Request> = requests.into_iter().filter(|request| !parts(request).is_empty()).collect();
        for request in &requests {
            graph.observe(&parts(request), request.1.map(ms)).unwrap();
        }
        let kept = |age: usize| 0.5_f64.powf(age as f64 / half_life);
        let asked = |request: &Request, source: usize| request.0[source].and_then(|(work, _)| work);
        // The latest first; each weighs by its age among those that are counted.
        let ratio = |counted: Vec<(f64, f64)>| {
            let weighted = |pick: fn(&(f64, f64)) -> f64| {
                counted.iter().rev().enumerate().map(|(age, value)| kept(age) * pick(value)).sum::<f64>()
            };
            (counted.len() >= 5).then(|| weighted(|value| value.0) / weighted(|value| value.1))
        };
        let mut sets = BTreeMap::<Vec<usize>, Vec<(f64, f64)>>::new();
        for request in &requests {
            let set: Vec<usize> = (0..5).filter(|&source| asked(request, source).is_some()).collect();
            if let Some(wall) = request.1.filter(|_| set.len() > 1) {
                let work = set.iter().map(|&source| asked(request, source).unwrap() as f64).sum();
                sets.entry(set).or_default().push((work, wall as f64));
            }
        }
        for (set, counted) in sets {
            let names: Vec<&str> = set.iter().map(|&source| NAMES[source]).collect();
            let found = graph.benefit(&names).filter(|benefit| benefit.basis == Basis::Measured);
            match (found.map(|benefit| benefit.ratio), ratio(counted)) {
                (Some(found), Some(expected)) => prop_assert!(close(found, expected), "{found} for {expected}"),
                (found, expected) => prop_assert_eq!(found, expected),
            }
        }
        for (a, of_a) in NAMES.into_iter().enumerate() {
            for (b, of_b) in NAMES.into_iter().enumerate().skip(a + 1) {
                let needs = |request: &Request, source: usize| request.0[source].is_some();
                let share = |which: &dyn Fn(&Request) -> bool| -> f64 {
                    requests.iter().rev().enumerate().filter(|(_, request)| which(request)).map(|(age, _)| kept(age)).sum()
                };
                let together = requests.iter().filter(|request| needs(request, a) && needs(request, b)).count();
                let found = graph.demand(of_a, of_b);
                prop_assert_eq!(found.is_some(), together >= 5);
                if let Some(found) = found {
                    let both = share(&|request| needs(request, a) && needs(request, b));
                    prop_assert!(close(found.share, both / share(&|_| true)));
                    prop_assert!(close(found.of_either, both / share(&|request| needs(request, a) || needs(request, b))));
                }
                let counted = requests.iter().filter_map(|request| {
                    let wall = request.1.filter(|_| asked(request, a).and(asked(request, b)).is_some())?;
                    Some(((0..5).filter_map(|source| asked(request, source)).sum::<u64>() as f64, wall as f64))
                });
                let (found, expected) = (graph.pair_benefit(of_a, of_b), ratio(counted.collect()));
                prop_assert_eq!(found.is_some(), expected.is_some());
                if let (Some(found), Some(expected)) = (found, expected) {
                    prop_assert!(close(found.ratio, expected), "{found:?} for {expected}");
                }
            }
        }
    }
}
