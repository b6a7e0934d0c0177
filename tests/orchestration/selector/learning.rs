//! A selector that learns: the better arm, a change, what is saved and merged.

use std::time::Duration;

use consilience::learning::State;
use consilience::orchestration::Selector;
use consilience::orchestration::selector::{Arm, Context, Held, Learning, Mode, Options, Outcome, Situation, Work};
use proptest::prelude::*;
use rand_distr::{Distribution, LogNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::{OPEN, answered, batch, lessons, ms, selector, taught};

/// How often each arm is taken in so many requests, in the order of [`Arm::ALL`], where an arm takes about so many
/// milliseconds.
fn taken(selector: &mut Selector, requests: u64, millis: [f64; 5], seed: u64) -> [u64; 5] {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let noise = LogNormal::new(0.0, 0.3).unwrap();
    let situation = Situation { work: Some(ms(200)), benefit: Some(1.4), ..batch() };
    let mut taken = [0; 5];
    for draw in 0..requests {
        let choice = selector.choose(&situation, seed << 32 | draw).unwrap();
        let latency = Duration::from_secs_f64(1e-3 * millis[choice.arm as usize] * noise.sample(&mut random));
        selector.update(&choice, &answered(latency)).unwrap();
        taken[choice.arm as usize] += 1;
    }
    taken
}

#[test]
fn the_better_arm_is_found_and_a_change_followed() {
    for seed in 1..=20 {
        let mut selector = selector(Mode::Active);
        taken(&mut selector, 500, [0.0, 200.0, 150.0, 30.0, 400.0], seed);
        let learned = taken(&mut selector, 200, [0.0, 200.0, 150.0, 30.0, 400.0], 100 + seed);
        assert!(learned[Arm::ParallelGpu as usize] >= 150, "{learned:?}");
        // The accelerator is now busy with something else.
        taken(&mut selector, 500, [0.0, 200.0, 40.0, 900.0, 400.0], 200 + seed);
        let changed = taken(&mut selector, 200, [0.0, 200.0, 40.0, 900.0, 400.0], 300 + seed);
        assert!(changed[Arm::ParallelCpu as usize] >= 150 && changed[Arm::ParallelGpu as usize] <= 20, "{changed:?}");
    }
}

#[test]
fn the_first_reward_of_a_context_is_three_quarters_times_correctness() {
    // A reward of r in one of no expectation makes the posterior Beta(1 + r, 2 - r), which exceeds a uniform variable with
    // the probability of its mean, (1 + r) / 3.
    let learning = Learning { strength: 0.0, discount: 1.0, ..Learning::default() };
    let two = Situation { masks: super::Masks { parallel_cpu: None, ..Default::default() }, ..Situation::new(3, 0) };
    let sixty = Situation { work: Some(ms(60)), ..two };
    for (situation, success, latency, correctness, reward) in [
        (sixty, true, ms(60), None, 0.75),
        (sixty, true, ms(20), None, 0.75),
        (sixty, true, ms(20), Some(0.5), 0.375),
        (sixty, true, ms(20), Some(0.0), 0.0),
        (sixty, false, ms(1), None, 0.0),
        (two, true, ms(300), None, 0.75),
        (Situation { work: Some(Duration::ZERO), ..two }, true, ms(300), None, 0.75),
    ] {
        let mut selector = Selector::new(Options { mode: Mode::Active, learning, ..Options::default() }).unwrap();
        let choice = (0..99).map(|draw| selector.choose(&situation, draw).unwrap());
        let choice = choice.into_iter().find(|choice| choice.arm == Arm::Sequential).unwrap();
        assert_eq!(choice.propensity, 0.5);
        selector.update(&choice, &Outcome { success, latency, correctness }).unwrap();
        let propensities = selector.choose(&situation, 0).unwrap().advice.unwrap().propensities;
        assert!((propensities[1] - (1.0 + reward) / 3.0).abs() < 5e-4, "{propensities:?} for {reward}");
    }
}

/// The sums of rewards, of squares and of ones of an arm, in a context of which it is the only one taken.
fn sums(selector: &Selector, context: Context, arm: Arm) -> [f64; 3] {
    let state = serde_json::to_value(selector).unwrap();
    let tallies: Vec<_> = (state["bandit"]["contexts"].as_array().unwrap().iter())
        .map(|arms| ["reward", "squares", "weight"].map(|sum| arms[arm as usize][sum].as_f64().unwrap()))
        .filter(|sums| sums[2] > 0.0)
        .collect();
    assert_eq!(tallies.len(), 1, "{context:?}");
    tallies[0]
}

#[test]
fn whoever_takes_three_times_as_long_as_the_quickest_earns_a_half() {
    let learning = Learning { discount: 1.0, ..Learning::default() };
    let mut selector = Selector::new(Options { mode: Mode::Active, learning, ..Options::default() }).unwrap();
    let situation = |work| Situation { work: Some(ms(work)), benefit: Some(1.4), ..batch() };
    let of = |selector: &Selector, work, arm: Arm| {
        let choices = (0..999).map(|draw| selector.choose(&situation(work), draw).unwrap());
        choices.into_iter().find(|choice| choice.arm == arm).unwrap()
    };
    // Tenfold work in tenfold time is the same pace.
    for (work, arm, latency) in [
        (60, Arm::ParallelGpu, ms(20)),
        (450, Arm::ParallelGpu, ms(150)),
        (60, Arm::Sequential, ms(60)),
        (400, Arm::Sequential, ms(400)),
    ] {
        let choice = of(&selector, work, arm);
        selector.update(&choice, &answered(latency)).unwrap();
    }
    let context = of(&selector, 60, Arm::Sequential).context;
    let close = |found: [f64; 3], expected: [f64; 3]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12);
    let quick = sums(&selector, context, Arm::ParallelGpu);
    assert!(close(quick, [1.5, 2.0 * 0.75 * 0.75, 2.0]), "{quick:?}");
    let slow = sums(&selector, context, Arm::Sequential);
    assert!(close(slow, [1.0, 0.5, 2.0]), "{slow:?}");
}

/// Rewards that scatter little tell two arms apart that are close, and those of coins do not.
#[test]
fn rewards_that_scatter_less_tell_more() {
    let situation = Situation { work: Some(ms(200)), benefit: Some(1.4), ..batch() };
    let learned = |latency: fn(Arm, u64) -> (bool, u64)| {
        let learning = Learning { discount: 1.0, floor: 0.2, ..Learning::default() };
        let mut selector = Selector::new(Options { mode: Mode::Active, learning, ..Options::default() }).unwrap();
        for draw in 0..800 {
            let choice = selector.choose(&situation, draw).unwrap();
            let (success, millis) = latency(choice.arm, draw);
            selector.update(&choice, &Outcome { success, ..answered(ms(millis)) }).unwrap();
        }
        selector.choose(&situation, 0).unwrap().advice.unwrap().propensities
    };
    // Rewards of .75 and .69: a fifth each is given, the rest goes to the quicker.
    let steady = learned(|arm, _| (true, if arm == Arm::ParallelCpu { 100 } else { 133 }));
    assert!(steady[Arm::ParallelCpu as usize] > 0.395, "{steady:?}");
    // About the same means of answers and failures.
    let coins = learned(|arm, draw| (arm == Arm::ParallelCpu && draw % 50 < 49 || draw % 25 < 23, 100));
    assert!(coins[Arm::ParallelCpu as usize] < 0.38, "{coins:?}");
}

#[test]
fn a_full_hit_is_no_lesson_in_how_to_ask() {
    let mut selector = selector(Mode::Active);
    let hit = selector.choose(&Situation::new(2, 2), 0).unwrap();
    selector.update(&hit, &answered(ms(1))).unwrap();
    assert_eq!(Arm::ALL.map(|arm| selector.rewards(hit.context, arm)), [0.0; 5]);
    assert_eq!(selector.estimate(hit.context, Arm::Cache).map(|estimate| estimate.latencies), Some(1.0));
}

#[test]
fn contexts_are_told_apart_by_work_share_items_and_load() {
    let selector = selector(Mode::Fixed);
    let of = |situation: Situation| selector.choose(&situation, 0).unwrap().context;
    let mut seen = Vec::new();
    for (work, level) in [
        (None, Work::Unknown),
        (Some(50), Work::Little),
        (Some(51), Work::Some),
        (Some(500), Work::Some),
        (Some(501), Work::Much),
    ] {
        for (held, share) in [(0, Held::Nothing), (1, Held::Part), (3, Held::Part), (4, Held::Most)] {
            for (items, batch, busy) in
                [(1_023, false, false), (1_024, true, false), (1, false, true), (9_999, true, true)]
            {
                let work = work.map(ms);
                let situation = Situation { work, items, busy, masks: OPEN, ..Situation::new(4, held) };
                let context = of(situation);
                assert_eq!(context, Context { work: level, held: share, batch, busy });
                seen.push(context);
            }
        }
    }
    let mut apart = selector.clone();
    for &context in &seen {
        let choice = apart.choose(&batch(), 0).unwrap();
        apart.update(&consilience::orchestration::selector::Choice { context, ..choice }, &answered(ms(1))).unwrap();
    }
    for context in &seen {
        let times = seen.iter().filter(|other| *other == context).count() as i32;
        let expected = (0..times).map(|age| 0.99_f64.powi(age)).sum::<f64>();
        assert!((apart.rewards(*context, Arm::Sequential) - expected).abs() < 1e-12, "{context:?}");
    }
}

#[test]
fn other_options_do_not_merge_and_other_modes_do() {
    let mut mine = selector(Mode::Fixed);
    mine.merge(&selector(Mode::Active)).unwrap();
    let other = Selector::new(Options { cached: 0.5, ..Options::default() }).unwrap();
    let error = mine.merge(&other).unwrap_err().to_string();
    assert!(
        error.starts_with("only learners with the same options merge: one has Options { mode: Fixed, cached: 0.75")
    );
}

#[test]
fn saved_selectors_that_nothing_taught_are_refused() {
    let mut selector = selector(Mode::Fixed);
    let choice = selector.choose(&Situation::new(2, 0), 0).unwrap();
    selector.update(&choice, &answered(ms(100))).unwrap();
    let state = serde_json::to_string(&selector).unwrap();
    for (from, to) in [
        ("\"weight\":1.0,\"squares\":1.0", "\"weight\":1.0,\"squares\":2.0"),
        ("\"weight\":1.0,\"squares\":1.0", "\"weight\":0.5,\"squares\":0.5"),
        ("\"scatter\":0.0", "\"scatter\":-1.0"),
        ("\"weight\":0.0,\"squares\":0.0,\"mean\":0.0", "\"weight\":0.0,\"squares\":0.0,\"mean\":1.0"),
        ("\"cached\":0.75", "\"cached\":1.75"),
        ("{\"reward\":0.0,\"squares\":0.0,\"weight\":0.0},", ""),
        ("\"reward\":0.75,\"squares\"", "\"reward\":1.5,\"squares\""),
        // A reward of .75 has a square of .5625; of rewards in one, squares are no more than they are.
        ("\"squares\":0.5625,\"weight\"", "\"squares\":0.56,\"weight\""),
        ("\"squares\":0.5625,\"weight\"", "\"squares\":0.76,\"weight\""),
        ("\"paces\":[[", "\"paces\":[[{\"weight\":0.0,\"squares\":0.0,\"mean\":0.0,\"scatter\":0.0},"),
        ("\"latencies\":[[", "\"latencies\":[[{\"weight\":0.0,\"squares\":0.0,\"mean\":0.0,\"scatter\":0.0},"),
        ("\"latencies\"", "\"lateness\""),
    ] {
        let altered = state.replacen(from, to, 1);
        assert_ne!(altered, state, "{from} is not in {state}");
        assert!(serde_json::from_str::<Selector>(&altered).is_err(), "{to}");
    }
}

proptest! {
    #[test]
    fn what_is_saved_comes_back_and_goes_on_alike(lessons in lessons(), more in lessons()) {
        let mut kept = taught(&lessons);
        let mut back = Selector::from_text(&kept.to_text().unwrap()).unwrap();
        prop_assert_eq!(&back, &kept);
        for (draw, (situation, millis, _)) in more.iter().enumerate() {
            let choice = kept.choose(situation, draw as u64).unwrap();
            prop_assert_eq!(&back.choose(situation, draw as u64).unwrap(), &choice);
            kept.update(&choice, &answered(ms(*millis))).unwrap();
            back.update(&choice, &answered(ms(*millis))).unwrap();
        }
        prop_assert_eq!(back, kept);
    }

    #[test]
    fn merged_selectors_saw_both(mine in prop::collection::vec(1_u64..1_000, 0..20), theirs in prop::collection::vec(1_u64..1_000, 0..20)) {
        // Without forgetting it is as if one had seen all.
        let learning = Learning { discount: 1.0, ..Learning::default() };
        let seen = |latencies: &[u64]| {
            let mut selector = Selector::new(Options { learning, ..Options::default() }).unwrap();
            for &millis in latencies {
                let choice = selector.choose(&Situation::new(2, 0), 0).unwrap();
                selector.update(&choice, &answered(ms(millis))).unwrap();
            }
            selector
        };
        let mut merged = seen(&mine);
        merged.merge(&seen(&theirs)).unwrap();
        let all = seen(&[mine, theirs].concat());
        let context = all.choose(&Situation::new(2, 0), 0).unwrap().context;
        prop_assert_eq!(merged.rewards(context, Arm::Sequential), all.rewards(context, Arm::Sequential));
        match (merged.estimate(context, Arm::Sequential), all.estimate(context, Arm::Sequential)) {
            (Some(merged), Some(all)) => {
                let apart = |a: Duration, b: Duration| (a.as_secs_f64().ln() - b.as_secs_f64().ln()).abs();
                prop_assert!(apart(merged.median, all.median) < 1e-6 && apart(merged.mean, all.mean) < 1e-6);
                prop_assert_eq!(merged.interval.is_some(), all.interval.is_some());
            }
            (merged, all) => prop_assert_eq!(merged, all),
        }
    }
}
