//! Errors that go together: phi against its definition, its interval against drawn errors, selection against the information
//! in the joint distribution.

use consilience::orchestration::Dependencies;
use consilience::orchestration::dependency::Options;
use proptest::prelude::*;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use super::{KEPT, graph};

const UNSHRUNK: Options = Options { shrinkage: 0.0, ..KEPT };

/// A graph that learned so many requests on which both, the first, the second and neither erred.
fn table(options: Options, [both, first, second, neither]: [usize; 4]) -> Dependencies {
    let mut graph = graph(options);
    for (count, a, b) in [(both, true, true), (first, true, false), (second, false, true), (neither, false, false)] {
        for _ in 0..count {
            graph.learn("class", &[("b", b), ("a", a)]).unwrap();
        }
    }
    graph
}

#[test]
fn phi_is_shrunk_to_independence() {
    // 40 of 100: (0.3 - 0.16) / 0.24 from the table itself; margins are 40.5 / 101.
    let margin = 40.5 / 101.0;
    let phi = (0.3 - 0.16) / (margin * (1.0 - margin));
    let found = table(UNSHRUNK, [30, 10, 10, 50]).correlation("a", "b").unwrap();
    assert!((found.phi - phi).abs() < 1e-9, "{found:?} for {phi}");
    let shrunk = table(Options { shrinkage: 100.0, ..KEPT }, [30, 10, 10, 50]).correlation("b", "a").unwrap();
    assert!((shrunk.phi - phi / 2.0).abs() < 1e-9 && shrunk.observations == 100, "{shrunk:?}");
    let wide = shrunk.interval[1] - shrunk.interval[0];
    assert!((wide - 2.0 * 1.96 * shrunk.deviation).abs() < 1e-12, "{shrunk:?}");
}

#[test]
fn of_independent_errors_the_deviation_is_one_over_the_root_of_their_number() {
    // The variance of phi where it is zero is 1 / n, whatever the margins.
    for counts in [[25, 25, 25, 25], [1, 9, 9, 81], [10, 40, 10, 40]] {
        let found = table(UNSHRUNK, counts).correlation("a", "b").unwrap();
        assert!(found.phi.abs() < 1e-9 && (found.deviation - 0.1).abs() < 1e-3, "{found:?} of {counts:?}");
    }
}

#[test]
fn sources_that_never_err_or_always_together_have_a_finite_phi() {
    let never = table(KEPT, [0, 0, 0, 20]).correlation("a", "b").unwrap();
    assert!(never.phi.abs() < 1e-9 && never.deviation > 0.1, "{never:?}");
    let copies = table(UNSHRUNK, [5, 0, 0, 5]).correlation("a", "b").unwrap();
    assert!(copies.phi > 0.95 && copies.phi <= 1.0 && copies.interval[0] < 0.5, "{copies:?}");
}

/// Errors with these probabilities that both, the first and the second err.
fn drawn(random: &mut Xoshiro256PlusPlus, [both, first, second]: [f64; 3]) -> (bool, bool) {
    let at = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    (at < both + first, at < both || (both + first..both + first + second).contains(&at))
}

#[test]
fn intervals_cover_rare_errors_and_common_ones() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(5);
    // Of margins a = b and phi: both = a^2 + phi a (1 - a).
    for (margin, phi) in [(0.5, 0.0), (0.1, 0.0), (0.3, 0.4), (0.1, 0.4), (0.2, 0.7)] {
        let both = margin * margin + phi * margin * (1.0 - margin);
        let mut covered = 0;
        for _ in 0..400 {
            let mut graph = graph(UNSHRUNK);
            for _ in 0..300 {
                let (a, b) = drawn(&mut random, [both, margin - both, margin - both]);
                graph.learn("class", &[("a", a), ("b", b)]).unwrap();
            }
            let [low, high] = graph.correlation("a", "b").unwrap().interval;
            covered += u32::from((low..=high).contains(&phi));
        }
        // 95 % less four standard errors, and what a normal distribution is off.
        assert!(covered >= 360, "{covered} of 400 at {margin}, {phi}");
    }
}

#[test]
fn one_that_errs_elsewhere_is_selected_before_a_copy() {
    let mut graph = graph(Options { shrinkage: 1.0, ..KEPT });
    for request in 0..400 {
        let (good, other) = (request % 10 == 0, request % 4 == 1);
        let wrong =
            [("good", good), ("copy", good), ("other", other), ("coin", request % 5 < 3), ("liar", request % 5 > 0)];
        graph.learn("class", &wrong).unwrap();
    }
    let selected = graph.select("class", 5);
    let names: Vec<&str> = selected.iter().map(|selected| &selected.source[..]).collect();
    assert_eq!(names[..2], ["good", "other"]);
    // A source no better than chance is never asked; what the copy adds is what shrinking left.
    assert!(!names.contains(&"coin") && !names.contains(&"liar"), "{names:?}");
    assert!(selected.iter().all(|selected| selected.source != "copy" || selected.information < 0.01), "{selected:?}");
    assert_eq!(graph.select("class", 1).len(), 1);
    assert_eq!(graph.select("class", 0), []);
    let redundant = graph.redundant(0.8);
    assert_eq!(redundant.len(), 1);
    assert_eq!((&redundant[0].source[..], &redundant[0].beside[..]), ("good", "copy"));
}

#[test]
fn a_class_is_judged_by_its_own_errors_once_there_are_enough() {
    let mut graph = graph(KEPT);
    for request in 0..100 {
        graph.learn("sums", &[("a", request % 2 == 0), ("b", false)]).unwrap();
    }
    for request in 0..4 {
        graph.learn("words", &[("a", false), ("b", true)]).unwrap();
        let expected = 50.5 / (102.0 + f64::from(request));
        assert!((graph.error_rate("words", "a").unwrap() - expected).abs() < 1e-9);
    }
    graph.learn("words", &[("a", false), ("b", true)]).unwrap();
    assert_eq!(graph.error_rate("words", "a").map(|rate| (rate * 1e9).round()), Some((0.5_f64 / 6.0 * 1e9).round()));
    let first = |class| graph.select(class, 1)[0].source.clone();
    assert_eq!((first("sums"), first("words")), ("b".to_owned(), "a".to_owned()));
    assert_eq!(first("unheard of"), "b");
}

fn x_log_x(p: f64) -> f64 {
    if p > 0.0 { p * p.ln() } else { 0.0 }
}

/// I(T; X | Y) of a truth that is either, from the eight probabilities of T, X and Y; `errors` are those of X erring with Y,
/// X alone, Y alone, and neither.
fn naive_information(errors: [f64; 4]) -> f64 {
    let mut joint = [[[0.0; 2]; 2]; 2];
    for truth in 0..2 {
        for (index, p) in errors.into_iter().enumerate() {
            let (x_errs, y_errs) = (usize::from(index < 2), usize::from(index % 2 == 0));
            joint[truth][truth ^ x_errs][truth ^ y_errs] += p / 2.0;
        }
    }
    let sum = |of: &dyn Fn(usize, usize, usize) -> usize, cells: usize| -> f64 {
        let mut sums = vec![0.0; cells];
        for t in 0..2 {
            for x in 0..2 {
                for y in 0..2 {
                    sums[of(t, x, y)] += joint[t][x][y];
                }
            }
        }
        -sums.into_iter().map(x_log_x).sum::<f64>()
    };
    // H(T, Y) + H(X, Y) - H(Y) - H(T, X, Y)
    sum(&|t, _, y| 2 * t + y, 4) + sum(&|_, x, y| 2 * x + y, 4)
        - sum(&|_, _, y| y, 2)
        - sum(&|t, x, y| 4 * t + 2 * x + y, 8)
}

/// As [`Dependencies::select`] promises, from rates and phis.
fn naive_selection(rates: &[f64], phi: &dyn Fn(usize, usize) -> f64, k: usize) -> Vec<(usize, f64)> {
    let beyond = |i: usize, j: usize| {
        let (a, b) = (rates[i], rates[j]);
        let both = a * b + phi(i, j) * (a * (1.0 - a) * b * (1.0 - b)).sqrt();
        let both = both.max(0.0).min(a).min(b);
        naive_information([both, a - both, b - both, 1.0 - a - b + both])
    };
    let mut chosen: Vec<(usize, f64)> = Vec::new();
    while chosen.len() < k {
        let worth = |i: usize| {
            let least = chosen.iter().map(|&(j, _)| beyond(i, j)).fold(f64::INFINITY, f64::min);
            if chosen.is_empty() { 2_f64.ln() + x_log_x(rates[i]) + x_log_x(1.0 - rates[i]) } else { least }
        };
        let open = (0..rates.len()).filter(|i| rates[*i] < 0.5 && !chosen.iter().any(|(j, _)| i == j));
        let scored: Vec<(usize, f64)> = open.map(|i| (i, worth(i))).collect();
        let Some(best) = scored.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|best| best.1 > 1e-9) else {
            break;
        };
        chosen.push(best);
    }
    chosen
}

proptest! {
    #[test]
    fn selection_has_the_information_of_the_joint_distribution(
        wrong in prop::collection::vec(prop::array::uniform5(prop::bool::weighted(0.3)), 5..80),
        copied in 0.0..1.0_f64,
        k in 1_usize..6,
    ) {
        let mut graph = graph(KEPT);
        for (request, errors) in wrong.iter().enumerate() {
            let mut errors = *errors;
            // Some of the second's errors are the first's.
            if (request as f64) < copied * wrong.len() as f64 {
                errors[1] = errors[0];
            }
            let named: Vec<(&str, bool)> = super::NAMES.into_iter().zip(errors).collect();
            graph.learn("class", &named).unwrap();
        }
        let rates: Vec<f64> = super::NAMES.iter().map(|name| graph.error_rate("class", name).unwrap()).collect();
        let phi = |i: usize, j: usize| graph.correlation(super::NAMES[i], super::NAMES[j]).unwrap().phi;
        let (found, expected) = (graph.select("class", k), naive_selection(&rates, &phi, k));
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            // Of two as good, either; what they tell is the same, until they are followed by another.
            prop_assert!((found.information - expected.1).abs() < 1e-9, "{found:?} for {expected:?}");
            if found.source != super::NAMES[expected.0] {
                break;
            }
        }
    }

    #[test]
    fn groups_are_of_sources_that_err_apart(
        wrong in prop::collection::vec(prop::array::uniform5(prop::option::of(any::<bool>())), 0..40),
        threshold in 0.05..1.0_f64,
    ) {
        let mut graph = graph(KEPT);
        for errors in &wrong {
            let named: Vec<(&str, bool)> =
                super::NAMES.into_iter().zip(errors).filter_map(|(name, error)| Some((name, (*error)?))).collect();
            if !named.is_empty() {
                graph.learn("class", &named).unwrap();
            }
        }
        let groups = graph.independent(threshold).unwrap();
        let apart = |a: &str, b: &str| graph.correlation(a, b).is_none_or(|correlation| correlation.phi.abs() >= threshold);
        for group in &groups {
            for (i, a) in group.iter().enumerate() {
                prop_assert!(group[i + 1..].iter().all(|b| !apart(a, b)), "{group:?}");
            }
        }
        let mut members: Vec<&str> = groups.concat();
        let mut all: Vec<&str> = graph.sources().collect();
        members.sort_unstable();
        all.sort_unstable();
        prop_assert_eq!(&members, &all);
        let most = all.iter().map(|a| all.iter().filter(|b| a != *b && apart(a, b)).count()).max();
        prop_assert!(groups.len() <= most.map_or(0, |most| most + 1), "{groups:?}");
    }
}
