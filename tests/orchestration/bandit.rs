//! The adaptive strategy: its probabilities against drawn posteriors, and a change of regime that it follows.

use std::time::Duration;

use consilience::orchestration::Router;
use consilience::orchestration::router::{
    Choice, Complexity, Group, Learning, Mode, Options, Outcome, Reason, Strategy, Way,
};
use rand_distr::{Beta, Distribution};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

const SECOND: Duration = Duration::from_secs(1);
const SIMPLE: Complexity = Complexity { words: 5, sentences: 2, question: false, code: false, math: false };

fn adaptive(options: Options) -> Router {
    let options = Options { strategy: Strategy::Adaptive, ..options };
    Router::new(vec![Group::ai("model"), Group::runtime("table")], options).unwrap()
}

fn rewarded(reward: f64) -> Outcome {
    Outcome { reward: Some(reward), attempts: Vec::new() }
}

/// A choice of that way, whatever the router would have drawn.
fn choice_of(router: &Router, complexity: Complexity, way: Way) -> Choice {
    (0..100_000).map(|draw| router.route(complexity, SECOND, draw)).find(|choice| choice.way == way).unwrap()
}

/// The share of joint draws from three Beta posteriors in which each is the largest.
fn shares(posteriors: [(f64, f64); 3], draws: u32) -> [f64; 3] {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    let betas = posteriors.map(|(a, b)| Beta::new(a, b).unwrap());
    let mut wins = [0_u32; 3];
    for _ in 0..draws {
        let x = betas.map(|beta| beta.sample(&mut random));
        wins[(0..3).max_by(|&i, &j| x[i].total_cmp(&x[j])).unwrap()] += 1;
    }
    wins.map(|won| f64::from(won) / f64::from(draws))
}

/// The posterior of a mean of rewards of which nothing was expected, as many trials as their scatter says.
fn posterior(rewards: &[f64]) -> (f64, f64) {
    let n = rewards.len() as f64;
    if rewards.is_empty() {
        return (1.0, 1.0);
    }
    let mean = rewards.iter().sum::<f64>() / n;
    let of_a_coin = mean * (1.0 - mean);
    let apart: f64 = rewards.iter().map(|reward| (reward - mean).powi(2)).sum();
    let variance = (of_a_coin + apart) / n;
    let trials = if variance > 1e-12 { (n * of_a_coin / variance).min(1000.0).max(n) } else { n };
    (1.0 + trials * mean, 1.0 + trials * (1.0 - mean))
}

#[test]
fn propensities_are_how_often_each_posterior_is_the_largest() {
    let learning = Learning { discount: 1.0, strength: 0.0, ..Learning::default() };
    let mut router = adaptive(Options { learning, ..Options::default() });
    let context = router.route(SIMPLE, SECOND, 0).context;
    assert_eq!(router.propensities(context).map(|p| (p * 1e9).round() / 1e9), [0.333_333_333; 3]);
    let mut given: [Vec<f64>; 3] = Default::default();
    for (round, (way, rewards)) in [
        (0, [1.0, 0.0, 1.0]),
        (1, [0.5, 0.25, 1.0]),
        (2, [1.0, 1.0, 1.0]),
        (0, [0.0; 3]),
        (2, [0.0, 1.0, 0.9]),
        (1, [0.6; 3]),
    ]
    .into_iter()
    .enumerate()
    {
        for reward in rewards {
            let choice = choice_of(&router, SIMPLE, Way::ALL[way]);
            router.update(&choice, &rewarded(reward)).unwrap();
            given[way].push(reward);
        }
        let posteriors = given.each_ref().map(|rewards| posterior(rewards));
        let (found, drawn) = (router.propensities(context), shares(posteriors, 100_000));
        for (p, share) in found.into_iter().zip(drawn) {
            // Four standard errors of a share, and the integral's own.
            assert!((p - share).abs() < 4.0 * (0.25_f64 / 100_000.0).sqrt() + 1e-3, "{round}: {found:?} for {drawn:?}");
        }
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

#[test]
fn propensities_are_those_of_the_closed_form() {
    let learning = Learning { discount: 1.0, strength: 0.0, ..Learning::default() };
    let mut router = adaptive(Options { learning, ..Options::default() });
    for a in 2..6 {
        let choice = choice_of(&router, SIMPLE, Way::AiFirst);
        router.update(&choice, &rewarded(1.0)).unwrap();
        // Beta(a, 1) exceeds two uniform variables with probability a / (a + 2).
        let won = f64::from(a) / f64::from(a + 2);
        let expected = [won, (1.0 - won) / 2.0, (1.0 - won) / 2.0];
        let found = router.propensities(choice.context);
        for (p, expected) in found.into_iter().zip(expected) {
            assert!((p - expected).abs() < 1e-4, "{a}: {found:?}");
        }
    }
}

#[test]
fn before_anything_is_learned_the_rule_is_the_likeliest() {
    let router = adaptive(Options::default());
    let simple = router.route(SIMPLE, SECOND, 0).context;
    let [ai, runtime, at_once] = router.propensities(simple);
    // Beta(4, 2) against two of Beta(3, 3).
    let drawn = shares([(3.0, 3.0), (4.0, 2.0), (3.0, 3.0)], 400_000);
    for (p, share) in [ai, runtime, at_once].into_iter().zip(drawn) {
        assert!((p - share).abs() < 4e-3, "{:?} for {drawn:?}", [ai, runtime, at_once]);
    }
    let complex = Complexity { code: true, ..SIMPLE };
    let [ai_of_complex, ..] = router.propensities(router.route(complex, SECOND, 0).context);
    assert_eq!(ai_of_complex, runtime);
}

#[test]
fn ways_are_drawn_as_often_as_their_propensities_say() {
    let router = adaptive(Options { probe: 0.3, ..Options::default() });
    let mut taken = [0_u32; 3];
    for draw in 0..40_000 {
        let choice = router.route(SIMPLE, SECOND, draw);
        let advice = choice.advice.unwrap();
        assert_eq!((choice.way, choice.reason), (advice.way, Reason::Drawn));
        assert_eq!(choice.propensity, advice.propensities[choice.way as usize]);
        taken[choice.way as usize] += 1;
    }
    let propensities = router.propensities(router.route(SIMPLE, SECOND, 0).context);
    for (taken, p) in taken.into_iter().zip(propensities) {
        let share = f64::from(taken) / 40_000.0;
        assert!((share - p).abs() < 4.0 * (p * (1.0 - p) / 40_000.0).sqrt(), "{share} for {p}");
    }
}

#[test]
fn no_way_falls_below_the_floor() {
    let learning = Learning { floor: 0.1, ..Learning::default() };
    let mut router = adaptive(Options { learning, ..Options::default() });
    for _ in 0..300 {
        let choice = choice_of(&router, SIMPLE, Way::AtOnce);
        router.update(&choice, &rewarded(1.0)).unwrap();
    }
    let [ai, runtime, at_once] = router.propensities(router.route(SIMPLE, SECOND, 0).context);
    assert!((0.1..0.12).contains(&ai) && (0.1..0.14).contains(&runtime) && (0.75..=0.8).contains(&at_once));
}

#[test]
fn all_ways_of_a_context_forget_and_other_contexts_do_not() {
    let learning = Learning { discount: 0.5, ..Learning::default() };
    let mut router = adaptive(Options { learning, ..Options::default() });
    let complex = Complexity { code: true, ..SIMPLE };
    for (complexity, way) in [(SIMPLE, Way::AiFirst), (complex, Way::AtOnce), (SIMPLE, Way::RuntimeFirst)] {
        let choice = choice_of(&router, complexity, way);
        router.update(&choice, &rewarded(1.0)).unwrap();
    }
    let of = |complexity| router.route(complexity, SECOND, 0).context;
    assert_eq!(Way::ALL.map(|way| router.rewards(of(SIMPLE), way)), [0.5, 1.0, 0.0]);
    assert_eq!(Way::ALL.map(|way| router.rewards(of(complex), way)), [0.0, 0.0, 1.0]);
}

#[test]
fn advice_stands_beside_the_rule_and_is_learned_from() {
    let mut router = adaptive(Options { mode: Mode::Advisory, ..Options::default() });
    let mut advised = [0; 3];
    for draw in 0..200 {
        let choice = router.route(SIMPLE, SECOND, draw);
        assert_eq!((choice.way, choice.reason, choice.propensity), (Way::RuntimeFirst, Reason::Simple, 1.0));
        advised[choice.advice.unwrap().way as usize] += 1;
        router.update(&choice, &rewarded(0.0)).unwrap();
    }
    // What the rule does never works here: in the end the advice is against it.
    assert!(advised[0] > 20 && advised[2] > 20 && advised[1] < 60, "{advised:?}");
    router.set_mode(Mode::Fixed);
    let fixed = router.route(SIMPLE, SECOND, 0);
    assert_eq!((fixed.way, fixed.reason, fixed.advice), (Way::RuntimeFirst, Reason::Simple, None));
    router.set_mode(Mode::Active);
    let active = (0..200).filter(|&draw| router.route(SIMPLE, SECOND, draw).way == Way::RuntimeFirst).count();
    assert!(active < 10, "{active}");
}

/// One request of each context that texts reach.
const REQUESTS: [Complexity; 6] = [
    Complexity { words: 5, sentences: 1, question: false, code: false, math: false },
    Complexity { words: 10, sentences: 1, question: true, code: false, math: false },
    Complexity { words: 5, sentences: 1, question: false, code: false, math: true },
    Complexity { words: 30, sentences: 3, question: false, code: false, math: false },
    Complexity { words: 10, sentences: 1, question: false, code: true, math: false },
    Complexity { words: 30, sentences: 3, question: true, code: true, math: false },
];

/// Requests before the change, and after it.
const STEPS: usize = 2_000;

/// Mean expected rewards after the change.
#[derive(Debug)]
struct Run {
    bandit: f64,
    rule: f64,
    best_fixed: f64,
    best_per_context: f64,
}

/// A world drawn by a seed: in each context the three ways succeed with probabilities drawn uniformly from [0, 1]; first
/// the rule's way has the largest, then all are dealt anew in any order. Contexts are equally frequent. A success is a
/// reward of one, and all that the router learns; the run is counted by the probabilities of the ways taken. The best
/// fixed way is the one with the largest mean probability after the change, as nobody could know before.
fn run(seed: u64) -> Run {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut uniform = move || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let mut router = adaptive(Options { seed, ..Options::default() });
    let rule = adaptive(Options { mode: Mode::Fixed, ..Options::default() });
    let of_rule = REQUESTS.map(|complexity| rule.route(complexity, SECOND, 0).way as usize);
    let before: [[f64; 3]; 6] = std::array::from_fn(|context| {
        let mut p = [uniform(), uniform(), uniform()];
        let best = (0..3).max_by(|&i, &j| p[i].total_cmp(&p[j])).unwrap();
        p.swap(best, of_rule[context]);
        p
    });
    let after = before.map(|mut p| {
        for last in [2, 1] {
            p.swap(last, (uniform() * (last + 1) as f64) as usize);
        }
        p
    });
    let mut earned = 0.0;
    for step in 0..2 * STEPS {
        let context = (uniform() * 6.0) as usize;
        let world = if step < STEPS { &before } else { &after };
        let choice = router.route(REQUESTS[context], SECOND, step as u64);
        let p = world[context][choice.way as usize];
        let reward = f64::from(u8::from(uniform() < p));
        router.update(&choice, &rewarded(reward)).unwrap();
        if step >= STEPS {
            earned += p;
        }
    }
    let mean = |of: &dyn Fn(usize) -> f64| (0..6).map(of).sum::<f64>() / 6.0;
    Run {
        bandit: earned / STEPS as f64,
        rule: mean(&|context| after[context][of_rule[context]]),
        best_fixed: (0..3).map(|way| mean(&|context| after[context][way])).fold(0.0, f64::max),
        best_per_context: mean(&|context| after[context].iter().copied().fold(0.0, f64::max)),
    }
}

/// Mean and 95 % interval, by Student's t with 99 degrees of freedom.
fn interval(values: &[f64]) -> (f64, [f64; 2]) {
    assert_eq!(values.len(), 100);
    let mean = values.iter().sum::<f64>() / 100.0;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 99.0;
    let half = 1.984_217 * (variance / 100.0).sqrt();
    (mean, [mean - half, mean + half])
}

#[test]
fn after_a_change_of_regime_the_bandit_beats_the_rule_and_the_best_fixed_way() {
    let runs: Vec<Run> = (0..100).map(run).collect();
    let of = |value: &dyn Fn(&Run) -> f64| interval(&runs.iter().map(value).collect::<Vec<_>>());
    println!("{:24} {:>6}  95 % interval, 100 seeds", "mean reward after change", "mean");
    for (name, (mean, [low, high])) in [
        ("bandit", of(&|run| run.bandit)),
        ("rule", of(&|run| run.rule)),
        ("best fixed way", of(&|run| run.best_fixed)),
        ("best way per context", of(&|run| run.best_per_context)),
        ("bandit - rule", of(&|run| run.bandit - run.rule)),
        ("bandit - best fixed", of(&|run| run.bandit - run.best_fixed)),
    ] {
        println!("{name:24} {mean:6.4}  [{low:.4}, {high:.4}]");
    }
    let (_, [over_rule, _]) = of(&|run| run.bandit - run.rule);
    let (_, [over_fixed, _]) = of(&|run| run.bandit - run.best_fixed);
    assert!(over_rule > 0.0 && over_fixed > 0.0, "{over_rule} {over_fixed}");
    // Forgetting and looking around cost something, but not much of what there is to gain.
    let (_, [_, lost]) = of(&|run| run.best_per_context - run.bandit);
    assert!(lost < 0.08, "{lost}");
}

#[test]
fn intervals_are_those_of_student() {
    let values: Vec<f64> = (0..100).map(f64::from).collect();
    let (mean, [low, high]) = interval(&values);
    // 49.5 -+ 1.984217 x 29.011492 / 10
    assert_eq!(mean, 49.5);
    assert!((low - 43.743_490).abs() < 1e-4 && (high - 55.256_510).abs() < 1e-4, "{low} {high}");
}
