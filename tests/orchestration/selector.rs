//! How requests are carried out: the rule, arms that cannot be taken, what is learned.

mod estimates;
mod learning;

use std::time::Duration;

use consilience::orchestration::Selector;
use consilience::orchestration::selector::{
    Arm, Choice, Infeasible, Learning, Masks, Mode, Options, Outcome, Reason, Situation,
};
use proptest::prelude::*;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const OPEN: Masks = Masks { parallel_cpu: None, parallel_gpu: None, distributed: None };

fn selector(mode: Mode) -> Selector {
    Selector::new(Options { mode, ..Options::default() }).unwrap()
}

fn answered(latency: Duration) -> Outcome {
    Outcome { success: true, latency, correctness: None }
}

/// Three sources of four missing, a batch, no arm masked.
fn batch() -> Situation {
    Situation { items: 1_024, masks: OPEN, ..Situation::new(4, 1) }
}

#[test]
fn the_rule_takes_each_arm_in_its_place() {
    let selector = selector(Mode::Fixed);
    let gains = Situation { benefit: Some(1.51), complexity: 0.69, ..batch() };
    let some = Situation { benefit: Some(1.21), work: Some(ms(501)), ..batch() };
    let single = |situation| Situation { items: 1, ..situation };
    for (situation, arm, reason) in [
        (Situation { held: 4, ..gains }, Arm::Cache, Reason::Held),
        (Situation { needed: 100, held: 76, ..gains }, Arm::Sequential, Reason::MostlyHeld),
        (Situation { needed: 100, held: 75, ..gains }, Arm::ParallelGpu, Reason::Parallel),
        (Situation { coming: 0.76, ..gains }, Arm::Sequential, Reason::MostlyHeld),
        (Situation { coming: 0.75, ..gains }, Arm::ParallelGpu, Reason::Parallel),
        (single(gains), Arm::ParallelCpu, Reason::Parallel),
        (Situation { items: 1_023, ..gains }, Arm::ParallelCpu, Reason::Parallel),
        (Situation { benefit: Some(1.5), ..gains }, Arm::Sequential, Reason::Otherwise),
        (Situation { complexity: 0.7, ..gains }, Arm::Sequential, Reason::Otherwise),
        (Situation { complexity: 0.7, work: Some(ms(501)), ..gains }, Arm::Distributed, Reason::Costly),
        (some, Arm::Distributed, Reason::Costly),
        (single(some), Arm::Sequential, Reason::Otherwise),
        (Situation { work: Some(ms(500)), ..some }, Arm::Sequential, Reason::Otherwise),
        (Situation { benefit: Some(1.2), ..some }, Arm::Sequential, Reason::Otherwise),
        (Situation { benefit: None, ..some }, Arm::Sequential, Reason::Otherwise),
        (Situation { work: None, ..some }, Arm::Sequential, Reason::Otherwise),
    ] {
        let choice = selector.choose(&situation, 0).unwrap();
        assert_eq!((choice.arm, choice.reason), (arm, reason), "{situation:?}");
        assert_eq!((choice.propensity, choice.advice), (1.0, None));
    }
}

#[test]
fn what_is_masked_says_why_and_the_rule_goes_on() {
    let selector = selector(Mode::Fixed);
    let masks = Masks { parallel_gpu: Some(Infeasible::Unwell), parallel_cpu: Some(Infeasible::Full), ..OPEN };
    let situation = Situation { benefit: Some(3.0), work: Some(ms(900)), masks, ..batch() };
    let choice = selector.choose(&situation, 0).unwrap();
    assert_eq!((choice.arm, choice.reason), (Arm::Distributed, Reason::Costly));
    assert_eq!(
        choice.masked,
        [Some(Infeasible::NotHeld), None, Some(Infeasible::Full), Some(Infeasible::Unwell), None]
    );
    assert_eq!(choice.fallbacks, [Arm::Sequential]);
    let alone = Situation { items: 1, held: 3, masks: OPEN, ..situation };
    let masked = selector.choose(&Situation { held: 2, ..alone }, 0).unwrap().masked;
    assert_eq!(masked[2..], [None, Some(Infeasible::NotABatch), Some(Infeasible::NotABatch)]);
    let masked = selector.choose(&alone, 0).unwrap().masked;
    assert_eq!(masked[2..], [Infeasible::NothingBeside, Infeasible::NotABatch, Infeasible::NotABatch].map(Some));
    let held = selector.choose(&Situation { held: 4, ..alone }, 0).unwrap().masked;
    assert_eq!(held[..2], [None, Some(Infeasible::Held)]);
}

#[test]
fn what_would_take_too_long_is_not_asked_one_after_another() {
    let long = Situation { work: Some(ms(901)), within: Some(ms(900)), ..batch() };
    let gone = Some(Infeasible::Absent);
    for (situation, arm, reason) in [
        (long, Arm::Distributed, Reason::Pressed),
        (Situation { masks: Masks { distributed: gone, ..OPEN }, ..long }, Arm::ParallelGpu, Reason::Pressed),
        (Situation { items: 1, ..long }, Arm::ParallelCpu, Reason::Pressed),
        (Situation { needed: 10, held: 9, ..long }, Arm::Distributed, Reason::Pressed),
        (Situation { benefit: Some(1.6), ..long }, Arm::ParallelGpu, Reason::Parallel),
        (Situation { work: Some(ms(900)), ..long }, Arm::Sequential, Reason::Otherwise),
        (Situation { within: None, ..long }, Arm::Sequential, Reason::Otherwise),
        (Situation { work: None, ..long }, Arm::Sequential, Reason::Otherwise),
        // There is nothing else.
        (Situation { items: 1, held: 3, ..long }, Arm::Sequential, Reason::Otherwise),
    ] {
        let choice = selector(Mode::Fixed).choose(&situation, 0).unwrap();
        assert_eq!((choice.arm, choice.reason), (arm, reason), "{situation:?}");
        let masked = (reason == Reason::Pressed || arm == Arm::ParallelGpu).then_some(Infeasible::TooLong);
        assert_eq!(choice.masked[Arm::Sequential as usize], masked, "{situation:?}");
        // Better late than never.
        assert!(arm == Arm::Sequential || choice.fallbacks.last() == Some(&Arm::Sequential));
    }
    for draw in 0..200 {
        assert_ne!(selector(Mode::Active).choose(&long, draw).unwrap().arm, Arm::Sequential);
    }
}

#[test]
fn fallbacks_need_less_and_end_one_after_another() {
    let selector = selector(Mode::Active);
    let mut seen = Vec::new();
    for draw in 0..200 {
        let choice = selector.choose(&batch(), draw).unwrap();
        if !seen.iter().any(|(arm, _)| *arm == choice.arm) {
            seen.push((choice.arm, choice.fallbacks));
        }
    }
    seen.sort();
    let (cpu, gpu) = (Arm::ParallelCpu, Arm::ParallelGpu);
    let expected = [
        (Arm::Sequential, vec![]),
        (cpu, vec![Arm::Sequential]),
        (gpu, vec![cpu, Arm::Sequential]),
        (Arm::Distributed, vec![gpu, cpu, Arm::Sequential]),
    ];
    assert_eq!(seen, expected);
    assert_eq!(selector.choose(&Situation::new(2, 2), 0).unwrap().fallbacks, [Arm::Sequential]);
}

#[test]
fn what_cannot_be_is_refused() {
    let good = batch();
    for (situation, said) in [
        (Situation { needed: 0, held: 0, ..good }, "the number of opinions needed is 0, it must be at least 1"),
        (Situation { held: 5, ..good }, "the number of opinions held is 5, it must be at most those needed"),
        (Situation { items: 0, ..good }, "the number of items is 0, it must be at least 1"),
        (Situation { coming: 1.5, ..good }, "the share of the rest that is coming is 1.5, it must be in [0, 1]"),
        (Situation { complexity: f64::NAN, ..good }, "the complexity is NaN, it must be in [0, 1.3]"),
        (Situation { benefit: Some(0.0), ..good }, "the parallel benefit is 0, it must be above 0 and finite"),
        (
            Situation { benefit: Some(f64::INFINITY), ..good },
            "the parallel benefit is inf, it must be above 0 and finite",
        ),
    ] {
        assert_eq!(selector(Mode::Fixed).choose(&situation, 0).unwrap_err().to_string(), said);
    }
    let good = Options::default();
    let learning = Learning { floor: 0.26, ..Learning::default() };
    for (options, said) in [
        (Options { cached: -0.1, ..good }, "the share held is -0.1, it must be in [0, 1]"),
        (Options { complexity: 1.4, ..good }, "the complexity is 1.4, it must be in [0, 1.3]"),
        (
            Options { parallel_benefit: f64::NAN, ..good },
            "the parallel benefit is NaN, it must be at least 0 and finite",
        ),
        (Options { batch: 1, ..good }, "the number of items of a batch is 1, it must be at least 2"),
        (Options { scale: Duration::ZERO, ..good }, "the scale is 0, it must be above 0 s"),
        (
            Options { learning, ..good },
            "the least probability of a way is 0.26, it must be at least 0 and at most one over the number of ways",
        ),
    ] {
        assert_eq!(Selector::new(options).unwrap_err().to_string(), said);
    }
    let mut selector = selector(Mode::Fixed);
    let before = selector.clone();
    let choice = selector.choose(&batch(), 0).unwrap();
    let wrong = Outcome { correctness: Some(1.1), ..answered(ms(1)) };
    assert_eq!(
        selector.update(&choice, &wrong).unwrap_err().to_string(),
        "the correctness is 1.1, it must be in [0, 1]"
    );
    assert_eq!(selector, before);
}

/// The rule once more, as it is written.
fn restated(situation: &Situation) -> Arm {
    let Situation { needed, held, coming, items, complexity, work, benefit, within, busy: _, masks } = *situation;
    let benefit = benefit.unwrap_or(1.0);
    let batch = items >= 1_024;
    let gpu = batch && masks.parallel_gpu.is_none();
    let cpu = masks.parallel_cpu.is_none() && (needed - held > 1 || items > 1);
    let is_another = cpu || gpu || batch && masks.distributed.is_none();
    let pressed = is_another && work.zip(within).is_some_and(|(work, within)| work > within);
    if held == needed {
        Arm::Cache
    } else if !pressed && (4 * held > 3 * needed || coming > 0.75) {
        Arm::Sequential
    } else if benefit > 1.5 && complexity < 0.7 && (gpu || cpu) {
        if gpu { Arm::ParallelGpu } else { Arm::ParallelCpu }
    } else if work > Some(ms(500)) && benefit > 1.2 && batch && masks.distributed.is_none() {
        Arm::Distributed
    } else if pressed {
        let distributed = batch && masks.distributed.is_none();
        if distributed {
            Arm::Distributed
        } else if gpu {
            Arm::ParallelGpu
        } else {
            Arm::ParallelCpu
        }
    } else {
        Arm::Sequential
    }
}

fn mask() -> impl Strategy<Value = Option<Infeasible>> {
    prop_oneof![2 => Just(None), 1 => Just(Some(Infeasible::Absent)), 1 => Just(Some(Infeasible::Full))]
}

fn situation() -> impl Strategy<Value = Situation> {
    let held = (1_u32..9).prop_flat_map(|needed| (Just(needed), 0..=needed));
    let benefit = prop::option::of(prop_oneof![0.5..3.0_f64, Just(1.5), Just(1.2)]);
    let work = prop::option::of((0_u64..1_500).prop_map(ms));
    let items = prop_oneof![Just(1_u64), 2_u64..2_000];
    let masks = (mask(), mask(), mask());
    let when = (prop::option::of((1_u64..1_500).prop_map(ms)), any::<bool>());
    (held, 0.0..1.0_f64, items, 0.0..1.3_f64, work, benefit, when, masks).prop_map(
        |((needed, held), coming, items, complexity, work, benefit, (within, busy), masks)| {
            let (parallel_cpu, parallel_gpu, distributed) = masks;
            let masks = Masks { parallel_cpu, parallel_gpu, distributed };
            Situation { needed, held, coming: coming * coming, items, complexity, work, benefit, within, busy, masks }
        },
    )
}

fn taught(lessons: &[(Situation, u64, bool)]) -> Selector {
    let mut selector = selector(Mode::Active);
    for (draw, (situation, millis, success)) in lessons.iter().enumerate() {
        let choice = selector.choose(situation, draw as u64).unwrap();
        selector.update(&choice, &Outcome { success: *success, ..answered(ms(*millis)) }).unwrap();
    }
    selector
}

fn lessons() -> impl Strategy<Value = Vec<(Situation, u64, bool)>> {
    prop::collection::vec((situation(), 0_u64..2_000, any::<bool>()), 0..30)
}

proptest! {
    #[test]
    fn fixed_is_the_rule(lessons in lessons(), situation in situation()) {
        let mut selector = taught(&lessons);
        selector.set_mode(Mode::Fixed);
        let choice = selector.choose(&situation, 7).unwrap();
        prop_assert_eq!(choice.arm, restated(&situation));
        prop_assert_eq!(choice.propensity, 1.0);
        selector.set_mode(Mode::Advisory);
        prop_assert_eq!(selector.choose(&situation, 7).unwrap().arm, choice.arm);
    }

    #[test]
    fn no_masked_arm_is_taken(lessons in lessons(), situation in situation(), draw in any::<u64>()) {
        let selector = taught(&lessons);
        let choice = selector.choose(&situation, draw).unwrap();
        let open = |arm: Arm| choice.masked[arm as usize].is_none();
        prop_assert!(open(choice.arm));
        if let Some(advice) = choice.advice {
            prop_assert_eq!((advice.arm, advice.propensities[advice.arm as usize]), (choice.arm, choice.propensity));
            prop_assert!((advice.propensities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            for arm in Arm::ALL {
                prop_assert_eq!(advice.propensities[arm as usize] > 0.0, open(arm), "{:?}", arm);
            }
        } else {
            prop_assert_eq!(Arm::ALL.into_iter().filter(|&arm| open(arm)).count(), 1);
        }
        let Choice { arm, fallbacks, .. } = &choice;
        prop_assert_eq!(*fallbacks.last().unwrap_or(arm), Arm::Sequential);
        prop_assert!(fallbacks.iter().all(|fallback| open(*fallback) || *fallback == Arm::Sequential) && !fallbacks.contains(arm));
    }
}
