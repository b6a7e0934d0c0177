//! Graphs that are saved and merged.

use consilience::learning::State;
use consilience::orchestration::Dependencies;
use consilience::orchestration::dependency::Options;
use proptest::prelude::*;

use super::{KEPT, NAMES, Request, asked, graph, ms, parts, requests};

fn learned(options: Options, requests: &[Request], backwards: bool) -> Dependencies {
    let mut graph = graph(options);
    for (index, request) in requests.iter().enumerate() {
        let mut parts = parts(request);
        if backwards {
            parts.reverse();
        }
        if parts.is_empty() {
            continue;
        }
        graph.observe(&parts, request.1.map(ms)).unwrap();
        // Errors that differ from source to source, and go together for some.
        let wrong: Vec<(&str, bool)> = parts.iter().map(|part| (part.source, part.bytes % 3 == 0)).collect();
        graph.learn(["sums", "words"][index % 2], &wrong).unwrap();
    }
    graph
}

/// All that a graph tells, by name.
fn told(graph: &Dependencies) -> Vec<(String, Vec<f64>)> {
    let mut told = Vec::new();
    for (i, a) in NAMES.iter().enumerate() {
        let worth = graph.cache_worth(a).map(|worth| vec![worth.reuse, worth.bytes, worth.seconds_per_byte]);
        told.push((format!("worth of {a}"), worth.unwrap_or_default()));
        let rates = ["sums", "words"].into_iter().filter_map(|class| graph.error_rate(class, a));
        told.push((format!("errors of {a}"), rates.collect()));
        for b in &NAMES[i + 1..] {
            let demand = graph.demand(a, b).map(|demand| vec![demand.share, demand.of_either]);
            let benefit = graph.pair_benefit(a, b).map(|benefit| vec![benefit.ratio, benefit.observations as f64]);
            let set = graph.benefit(&[a, b]).map(|benefit| vec![benefit.ratio, benefit.observations as f64]);
            let errors = graph.correlation(a, b).map(|errors| vec![errors.phi, errors.deviation]);
            told.extend([demand, benefit, set, errors].map(|told| (format!("{a} and {b}"), told.unwrap_or_default())));
        }
    }
    told
}

#[test]
fn what_does_not_fit_does_not_merge() {
    let mut mine = graph(Options { sources: 2, classes: 1, ..KEPT });
    mine.learn("class", &[("a", true), ("b", true)]).unwrap();
    let before = mine.clone();
    let mut theirs = graph(*mine.options());
    theirs.observe(&[asked("c", 1)], None).unwrap();
    assert_eq!(
        mine.merge(&theirs).unwrap_err().to_string(),
        "the number of sources is 3, it must be at most that of the options"
    );
    let mut theirs = graph(*mine.options());
    theirs.learn("other", &[("a", true)]).unwrap();
    assert_eq!(
        mine.merge(&theirs).unwrap_err().to_string(),
        "the number of classes is 2, it must be at most that of the options"
    );
    let error = mine.merge(&graph(KEPT)).unwrap_err().to_string();
    assert!(error.starts_with("only learners with the same options merge: one has Options { sources: 2,"), "{error}");
    mine.merge(&graph(*before.options())).unwrap();
    assert_eq!(mine, before);
}

#[test]
fn each_half_of_a_merge_has_forgotten_what_it_had() {
    let options = Options { half_life: 10.0, ..KEPT };
    let (mut mine, mut theirs) = (graph(options), graph(options));
    for _ in 0..10 {
        mine.observe(&[asked("b", 1), asked("a", 1)], None).unwrap();
        theirs.observe(&[asked("a", 1), asked("b", 1)], None).unwrap();
    }
    for _ in 0..10 {
        theirs.observe(&[asked("c", 1)], None).unwrap();
    }
    let of = |half: u32| (0..10).map(|age| 0.5_f64.powf(f64::from(age) / 10.0 + f64::from(half))).sum::<f64>();
    let (together, all) = (of(0) + of(1), 2.0 * of(0) + of(1));
    let mut back = theirs.clone();
    mine.merge(&theirs).unwrap();
    back.merge(&graph(options)).unwrap();
    assert!((mine.demand("a", "b").unwrap().share - together / all).abs() < 1e-12);
    assert!((back.demand("a", "b").unwrap().share - of(1) / (of(0) + of(1))).abs() < 1e-12);
}

#[test]
fn saved_graphs_that_nothing_taught_are_refused() {
    let mut graph = graph(KEPT);
    for _ in 0..2 {
        graph.observe(&[asked("a", 1), asked("b", 2)], Some(ms(2))).unwrap();
        graph.learn("class", &[("a", true), ("b", true)]).unwrap();
    }
    let state = serde_json::to_string(&graph).unwrap();
    for (from, to) in [
        ("\"requests\":2", "\"requests\":1"),
        ("\"name\":\"b\"", "\"name\":\"a\""),
        ("\"sets\":{\"3\"", "\"sets\":{\"5\""),
        ("\"sets\":{\"3\"", "\"sets\":{\"1\""),
        ("\"at\":2,\"observations\":2", "\"at\":3,\"observations\":2"),
        ("\"at\":2,\"observations\":2", "\"at\":2,\"observations\":1"),
        ("\"top\":0.0", "\"top\":-1.0"),
        ("\"observations\":2}}],\"sets\"", "\"observations\":1}}],\"sets\""),
        ("\"both\":1.", "\"both\":2."),
        ("\"half_life\":1000000000000.0", "\"half_life\":0.1"),
        ("\"shrinkage\"", "\"shrunk\""),
    ] {
        let altered = state.replacen(from, to, 1);
        assert_ne!(altered, state, "{from} is not in {state}");
        assert!(serde_json::from_str::<Dependencies>(&altered).is_err(), "{to}");
    }
    let mut value: serde_json::Value = serde_json::from_str(&state).unwrap();
    value["pairs"].as_array_mut().unwrap().clear();
    assert!(
        serde_json::from_value::<Dependencies>(value.clone()).unwrap_err().to_string().contains("0 pairs of 2 sources")
    );
}

proptest! {
    #[test]
    fn merged_graphs_tell_what_one_would_that_saw_both(requests in requests(), cut in 0_usize..60) {
        let cut = cut.min(requests.len());
        let one = learned(KEPT, &requests, false);
        let (mut mine, theirs) = (learned(KEPT, &requests[..cut], false), learned(KEPT, &requests[cut..], true));
        mine.merge(&theirs).unwrap();
        // Classes alternate from where each began.
        let errors = |name: &str| name.starts_with("errors") && cut % 2 == 1;
        for ((what, found), (_, expected)) in told(&mine).into_iter().zip(told(&one)) {
            if errors(&what) {
                continue;
            }
            prop_assert_eq!(found.len(), expected.len(), "{}", what);
            for (found, expected) in found.into_iter().zip(expected) {
                prop_assert!((found - expected).abs() <= 1e-8 * expected.abs().max(1e-3), "{what}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn what_is_saved_comes_back_and_goes_on_alike(before in requests(), after in requests(), half_life in 1.0..100.0_f64) {
        let options = Options { half_life, ..KEPT };
        let mut kept = learned(options, &before, false);
        let mut back = Dependencies::from_text(&kept.to_text().unwrap()).unwrap();
        prop_assert_eq!(&back, &kept);
        let more = learned(options, &after, true);
        kept.merge(&more).unwrap();
        back.merge(&more).unwrap();
        prop_assert_eq!(&back, &kept);
        prop_assert_eq!(Dependencies::from_text(&kept.to_text().unwrap()).unwrap(), kept);
    }
}
