//! Plans by strategy, and groups that are asked last.

use std::time::Duration;

use consilience::learning::State;
use consilience::orchestration::router::{
    Attempt, Choice, Complexity, Demotion, Group, Learning, Mode, Options, Outcome, Reason, Strategy, Way, Worth,
};
use consilience::orchestration::{Cost, Router};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);
const SIMPLE: Complexity = Complexity { words: 5, sentences: 2, question: false, code: false, math: false };
const COMPLEX: Complexity = Complexity { words: 10, sentences: 1, question: false, code: true, math: false };

fn groups() -> Vec<Group> {
    let cost = |micros| Cost { micros, ..Cost::CALL };
    vec![Group::runtime("table").cost(cost(1)), Group::ai("large").cost(cost(50)), Group::ai("small").cost(cost(9))]
}

fn router(options: Options) -> Router {
    Router::new(groups(), options).unwrap()
}

fn of_strategy(strategy: Strategy) -> Router {
    router(Options { strategy, probe: 0.0, ..Options::default() })
}

fn attempts(group: &str, times: usize, success: bool, latency: Duration) -> Outcome {
    let attempt = Attempt { group: group.to_owned(), success, latency, cost: Cost::CALL };
    Outcome { reward: None, attempts: vec![attempt; times] }
}

fn steps(choice: &Choice) -> String {
    choice.plan.0.iter().map(|step| step.join("+")).collect::<Vec<_>>().join(", ")
}

#[test]
fn strategies_ask_in_their_order() {
    for (strategy, complexity, plan, way, reason) in [
        (Strategy::AiFirst, SIMPLE, "large, small, table", Way::AiFirst, Reason::Fixed),
        (Strategy::AiFirst, COMPLEX, "large, small, table", Way::AiFirst, Reason::Fixed),
        (Strategy::RuntimeFirst, COMPLEX, "table, large, small", Way::RuntimeFirst, Reason::Fixed),
        (Strategy::Hybrid, SIMPLE, "table, large, small", Way::RuntimeFirst, Reason::Simple),
        (Strategy::Hybrid, COMPLEX, "large, small, table", Way::AiFirst, Reason::Complex),
        (Strategy::ParallelFusion, SIMPLE, "table+large+small", Way::AtOnce, Reason::Fixed),
    ] {
        let choice = of_strategy(strategy).route(complexity, SECOND, 0);
        assert_eq!((&steps(&choice)[..], choice.way, choice.reason), (plan, way, reason), "{strategy:?}");
        assert_eq!((choice.propensity, choice.advice, choice.demoted), (1.0, None, Vec::new()), "{strategy:?}");
    }
}

#[test]
fn the_rule_asks_models_first_from_the_threshold_on() {
    let at = Complexity { words: 10, sentences: 2, question: false, code: false, math: true };
    let below = Complexity { words: 9, ..at };
    assert_eq!((at.score(), below.score()), (0.5, 0.49));
    let router = of_strategy(Strategy::Hybrid);
    assert_eq!(
        [at, below].map(|complexity| router.route(complexity, SECOND, 0).reason),
        [Reason::Complex, Reason::Simple]
    );
    for (threshold, reason) in [(0.0, Reason::Complex), (1.3, Reason::Simple)] {
        let router = self::router(Options { threshold, ..Options::default() });
        assert_eq!(router.route(at, SECOND, 0).reason, reason, "{threshold}");
    }
}

#[test]
fn what_the_first_step_costs_is_known_before() {
    for (strategy, calls, micros) in
        [(Strategy::AiFirst, 1, 50), (Strategy::RuntimeFirst, 1, 1), (Strategy::ParallelFusion, 3, 60)]
    {
        let cost = of_strategy(strategy).route(SIMPLE, SECOND, 0).cost;
        assert_eq!((cost.calls, cost.micros), (calls, micros), "{strategy:?}");
    }
}

#[test]
fn a_group_that_fails_is_asked_last_until_it_answers_again() {
    let mut router = of_strategy(Strategy::AiFirst);
    let choice = router.route(SIMPLE, SECOND, 0);
    router.update(&choice, &attempts("large", 9, false, SECOND / 2)).unwrap();
    assert_eq!(steps(&router.route(SIMPLE, SECOND, 0)), "large, small, table", "nine are too few to tell");
    router.update(&choice, &attempts("large", 1, false, SECOND / 2)).unwrap();
    let demoted = router.route(SIMPLE, SECOND, 0);
    assert_eq!((&steps(&demoted)[..], demoted.reason), ("small, table, large", Reason::Failing));
    assert_eq!(demoted.demoted, [Demotion::Failing { group: "large".to_owned(), success: 0.0 }]);
    // 1 - 0.9^7 = 0.52
    router.update(&demoted, &attempts("large", 6, true, SECOND / 2)).unwrap();
    assert_eq!(router.route(SIMPLE, SECOND, 0).reason, Reason::Failing);
    router.update(&demoted, &attempts("large", 1, true, SECOND / 2)).unwrap();
    assert_eq!(router.route(SIMPLE, SECOND, 0), choice);
}

#[test]
fn a_group_slower_than_there_is_time_is_asked_last() {
    let mut router = of_strategy(Strategy::ParallelFusion);
    let choice = router.route(SIMPLE, SECOND, 0);
    router.update(&choice, &attempts("large", 10, true, 2 * SECOND)).unwrap();
    let hurried = router.route(SIMPLE, SECOND, 0);
    assert_eq!((&steps(&hurried)[..], hurried.reason), ("table+small, large", Reason::Slow));
    assert_eq!(hurried.demoted, [Demotion::Slow { group: "large".to_owned(), latency: 2 * SECOND }]);
    assert_eq!(hurried.cost.micros, 10);
    assert_eq!(router.route(SIMPLE, 2 * SECOND, 0), choice);
}

#[test]
fn a_demotion_that_changes_nothing_is_no_reason() {
    let mut router = of_strategy(Strategy::AiFirst);
    router.update(&router.route(SIMPLE, SECOND, 0), &attempts("table", 10, false, SECOND)).unwrap();
    let choice = router.route(SIMPLE, SECOND, 0);
    assert_eq!((&steps(&choice)[..], choice.reason, choice.demoted.len()), ("large, small, table", Reason::Fixed, 1));
}

#[test]
fn the_reason_is_the_demotion_that_changed_the_plan() {
    let mut router = of_strategy(Strategy::AiFirst);
    let choice = router.route(SIMPLE, SECOND, 0);
    router.update(&choice, &attempts("table", 10, false, SECOND)).unwrap();
    router.update(&choice, &attempts("large", 10, true, 2 * SECOND)).unwrap();
    let found = router.route(SIMPLE, SECOND, 0);
    assert_eq!((&steps(&found)[..], found.reason), ("small, large, table", Reason::Slow));
}

#[test]
fn where_nobody_is_well_all_are_asked_as_ever() {
    let mut router = of_strategy(Strategy::ParallelFusion);
    let choice = router.route(SIMPLE, SECOND, 0);
    for group in ["table", "large", "small"] {
        router.update(&choice, &attempts(group, 10, false, SECOND)).unwrap();
    }
    let found = router.route(SIMPLE, SECOND, 0);
    assert_eq!((&steps(&found)[..], found.reason, found.demoted.len()), ("table+large+small", Reason::Fixed, 3));
}

#[test]
fn a_demoted_group_gets_its_place_back_now_and_then() {
    let mut router = router(Options { strategy: Strategy::AiFirst, probe: 0.1, ..Options::default() });
    assert!((0..1_000).all(|draw| !router.route(SIMPLE, SECOND, draw).probed), "there is nobody to probe");
    router.update(&router.route(SIMPLE, SECOND, 0), &attempts("large", 10, false, SECOND)).unwrap();
    let probes = (0..10_000).map(|draw| router.route(SIMPLE, SECOND, draw)).filter(|choice| {
        let first = &choice.plan.0[0][0];
        assert_eq!(choice.probed, first == "large");
        assert_eq!(choice.reason, if choice.probed { Reason::Fixed } else { Reason::Failing });
        choice.probed
    });
    let share = probes.count() as f64 / 10_000.0;
    assert!((share - 0.1).abs() < 4.0 * (0.09_f64 / 10_000.0).sqrt(), "{share}");
}

#[test]
fn nothing_is_learned_of_a_way_that_was_not_gone() {
    let mut router =
        router(Options { strategy: Strategy::Adaptive, mode: Mode::Fixed, probe: 0.0, ..Options::default() });
    let whole = router.route(COMPLEX, SECOND, 0);
    router.update(&whole, &attempts("large", 10, false, SECOND)).unwrap();
    let changed = router.route(COMPLEX, SECOND, 0);
    assert_eq!((changed.way, changed.reason), (Way::AiFirst, Reason::Failing));
    router.update(&changed, &Outcome { reward: Some(1.0), attempts: Vec::new() }).unwrap();
    assert_eq!(router.rewards(whole.context, Way::AiFirst), 0.0);
    router.update(&whole, &Outcome { reward: Some(1.0), attempts: Vec::new() }).unwrap();
    assert_eq!(router.rewards(whole.context, Way::AiFirst), 1.0);
}

#[test]
fn groups_that_cannot_be_routed_between_are_refused() {
    let refused = |groups| Router::new(groups, Options::default()).unwrap_err().to_string();
    assert_eq!(refused(Vec::new()), "there are no sources; add at least one");
    assert_eq!(refused(vec![Group::ai("a"), Group::runtime("a")]), "there are two groups named `a`; names must differ");
    assert_eq!(
        refused(vec![Group::ai("a"), Group::ai("b")]),
        "there is no group in the role named `runtime`; there are a (ai), b (ai)"
    );
}

#[test]
fn options_outside_their_range_are_refused() {
    let (options, learning) = (Options::default(), Learning::default());
    let of = |learning| Options { learning, ..options };
    for (what, wrong) in [
        ("the threshold is 1.31", Options { threshold: 1.31, ..options }),
        ("the threshold is NaN", Options { threshold: f64::NAN, ..options }),
        ("the discount is 0", of(Learning { discount: 0.0, ..learning })),
        ("the discount is 1.5", of(Learning { discount: 1.5, ..learning })),
        ("the reward expected of the rule is -0.1", of(Learning { rule: -0.1, ..learning })),
        ("the reward expected of other ways is 2", of(Learning { others: 2.0, ..learning })),
        ("the strength of expectations is inf", of(Learning { strength: f64::INFINITY, ..learning })),
        ("the least probability of a way is 0.5", of(Learning { floor: 0.5, ..learning })),
        ("the least success rate is 7", Options { least_success: 7.0, ..options }),
        ("the probability of a probe is -1", Options { probe: -1.0, ..options }),
    ] {
        let error = Router::new(groups(), wrong).unwrap_err();
        assert!(error.is_spec() && error.to_string().starts_with(what), "{error} is not {what}");
    }
}

#[test]
fn an_outcome_that_cannot_be_teaches_nothing() {
    let mut router = of_strategy(Strategy::AiFirst);
    let (before, choice) = (router.clone(), router.route(SIMPLE, SECOND, 0));
    for reward in [-0.1, 1.1, f64::NAN] {
        let outcome = Outcome { reward: Some(reward), ..attempts("large", 1, true, SECOND) };
        assert!(router.update(&choice, &outcome).unwrap_err().is_spec(), "{reward}");
    }
    let mut outcome = attempts("large", 1, true, SECOND);
    outcome.attempts.extend(attempts("huge", 1, true, SECOND).attempts);
    let error = router.update(&choice, &outcome).unwrap_err().to_string();
    assert_eq!(error, "there is no group named `huge`; there are table, large, small");
    assert_eq!(router.track("huge").unwrap_err().to_string(), error);
    assert_eq!(router, before);
}

#[test]
fn what_time_and_money_take_off_stays_in_the_unit_interval() {
    let worth = Worth { second: 0.25, million: 0.5 };
    let cost = Cost { micros: 500_000, ..Cost::CALL };
    assert_eq!(worth.reward(1.0, SECOND, cost), 0.5);
    assert_eq!(worth.reward(0.0, SECOND, cost), 0.0);
    assert_eq!(Worth { second: -1.0, million: 0.0 }.reward(1.0, SECOND, cost), 1.0);
}

/// A router that has seen something, by a seed.
fn taught(seed: u64, rounds: u64) -> Router {
    let mut router = router(Options { strategy: Strategy::Adaptive, seed, ..Options::default() });
    for draw in 0..rounds {
        let choice = router.route(if draw % 3 == 0 { SIMPLE } else { COMPLEX }, SECOND, draw);
        let attempts = attempts(&choice.plan.0[0][0], 1, draw % 4 != 0, Duration::from_millis(10 * draw)).attempts;
        router.update(&choice, &Outcome { reward: Some((draw % 5) as f64 / 4.0), attempts }).unwrap();
    }
    router
}

#[test]
fn merged_routers_know_what_both_knew() {
    let (mut a, b) = (taught(1, 20), taught(2, 30));
    let context = a.route(COMPLEX, SECOND, 0).context;
    let sums = Way::ALL.map(|way| a.rewards(context, way) + b.rewards(context, way));
    let observed = a.track("table").unwrap().observations() + b.track("table").unwrap().observations();
    a.merge(&b).unwrap();
    assert_eq!(Way::ALL.map(|way| a.rewards(context, way)), sums);
    assert_eq!(a.track("table").unwrap().observations(), observed);
    let other = router(Options { threshold: 0.6, strategy: Strategy::Adaptive, ..Options::default() });
    assert!(a.merge(&other).unwrap_err().to_string().starts_with("only learners with the same options merge"));
    let two = Router::new(groups()[..2].to_vec(), *b.options()).unwrap();
    assert!(a.merge(&two).unwrap_err().to_string().starts_with("only learners with the same groups merge"));
}

#[test]
fn saved_routers_that_nothing_taught_are_refused() {
    let text = taught(3, 10).to_text().unwrap();
    let state = text.lines().nth(1).unwrap();
    for (from, to) in [
        ("\"name\":\"table\"", "\"name\":\"large\""),
        ("\"threshold\":0.5", "\"threshold\":9.5"),
        ("\"weight\":0.9", "\"weight\":-0.9"),
        ("\"reward\":0.", "\"reward\":77."),
    ] {
        let altered = state.replacen(from, to, 1);
        assert_ne!(altered, state, "{from} is not in {state}");
        assert!(serde_json::from_str::<Router>(&altered).is_err(), "{to}");
    }
    let mut fewer: serde_json::Value = serde_json::from_str(state).unwrap();
    fewer["tracks"].as_array_mut().unwrap().pop();
    let error = serde_json::from_value::<Router>(fewer).unwrap_err();
    assert_eq!(error.to_string(), "2 tracks of 3 groups");
    assert!(Router::from_text(&text.replacen("\"threshold\":0.5", "\"threshold\":0.6", 1)).is_err(), "checksum");
}

proptest! {
    #[test]
    fn the_same_router_request_and_draw_give_the_same_choice(seed: u64, draw: u64, rounds in 0_u64..40) {
        let router = taught(seed, rounds);
        let again = Router::from_text(&router.to_text().unwrap()).unwrap();
        prop_assert_eq!(&again, &router);
        let choice = router.route(COMPLEX, SECOND, draw);
        prop_assert_eq!(&again.route(COMPLEX, SECOND, draw), &choice);
        let stored: Choice = serde_json::from_str(&serde_json::to_string(&choice).unwrap()).unwrap();
        prop_assert_eq!(stored, choice);
    }

    #[test]
    fn every_group_is_in_every_plan_once(seed: u64, draw: u64, rounds in 0_u64..80, millis in 0_u64..500) {
        let choice = taught(seed, rounds).route(COMPLEX, Duration::from_millis(millis), draw);
        let mut names: Vec<String> = choice.plan.0.concat();
        names.sort();
        prop_assert_eq!(names, ["large", "small", "table"]);
        prop_assert!(choice.plan.0.iter().all(|step| !step.is_empty()));
    }
}
