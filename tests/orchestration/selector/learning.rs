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
fn rewards_are_shares_of_the_work_times_correctness() {
    // A reward of r in one of no expectation makes the posterior Beta(1 + r, 2 - r), which exceeds a uniform variable with
    // the probability of its mean, (1 + r) / 3.
    let learning = Learning { strength: 0.0, discount: 1.0, ..Learning::default() };
    let two = Situation { masks: super::Masks { parallel_cpu: None, ..Default::default() }, ..Situation::new(3, 0) };
    let sixty = Situation { work: Some(ms(60)), ..two };
    for (situation, success, latency, correctness, reward) in [
        (sixty, true, ms(60), None, 0.5),
        (sixty, true, ms(20), None, 0.75),
        (sixty, true, ms(20), Some(0.5), 0.375),
        (sixty, true, ms(20), Some(0.0), 0.0),
        (sixty, false, ms(1), None, 0.0),
        (two, true, ms(300), None, 0.25),
        (Situation { work: Some(Duration::ZERO), ..two }, true, ms(300), None, 0.25),
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

#[test]
fn a_full_hit_is_no_lesson_in_how_to_ask() {
    let mut selector = selector(Mode::Active);
    let hit = selector.choose(&Situation::new(2, 2), 0).unwrap();
    selector.update(&hit, &answered(ms(1))).unwrap();
    assert_eq!(Arm::ALL.map(|arm| selector.rewards(hit.context, arm)), [0.0; 5]);
    assert_eq!(selector.estimate(hit.context, Arm::Cache).map(|estimate| estimate.latencies), Some(1.0));
}

#[test]
fn contexts_are_told_apart_by_work_share_and_items() {
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
            for (items, batch) in [(1_023, false), (1_024, true)] {
                let situation = Situation { work: work.map(ms), items, masks: OPEN, ..Situation::new(4, held) };
                let context = of(situation);
                assert_eq!(context, Context { work: level, held: share, batch });
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
        ("{\"reward\":0.0,\"weight\":0.0},", ""),
        ("\"reward\":0.5,\"weight\":1.0", "\"reward\":1.5,\"weight\":1.0"),
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
