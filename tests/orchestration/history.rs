//! Records of requests: against a model that keeps them all.

mod recommendations;
mod statistics;

use std::time::Duration;

use consilience::orchestration::history::{Diagnostics, Record};
use consilience::orchestration::selector::{Arm, Estimate};
use consilience::orchestration::{Cost, History};
use proptest::prelude::*;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn estimate(median: Duration, interval: Option<[Duration; 2]>) -> Estimate {
    Estimate { median, mean: median, interval, latencies: 2.0 }
}

fn of(records: &[Record]) -> History {
    let mut history = History::default();
    for &record in records {
        history.record(record).unwrap();
    }
    history
}

#[test]
fn nothing_is_told_of_no_records() {
    let found = History::default().diagnostics(None);
    let nothing = Diagnostics {
        records: 0,
        overwritten: 0,
        quality: None,
        arms: vec![],
        classes: vec![],
        trend: None,
        recommendations: vec![],
    };
    assert_eq!(found, nothing);
}

#[test]
fn one_record_has_means_and_no_spread() {
    let cost = Cost { micros: 7, ..Cost::CALL };
    let expected = Some(estimate(ms(50), None));
    let record = Record { hits: 1, misses: 3, cost, estimate: expected, ..Record::new(4, Arm::Distributed, ms(100)) };
    let found = of(&[record]).diagnostics(None);
    let quality = found.quality.unwrap();
    assert!((quality.bias - 2_f64.ln()).abs() < 1e-12, "{quality:?}");
    assert_eq!((quality.records, quality.spread, quality.interval, quality.coverage), (1, None, None, None));
    let [effect] = found.arms[..] else { panic!("{found:?}") };
    assert_eq!((effect.arm, effect.success.of, effect.latency, effect.cost), (Arm::Distributed, 1, ms(100), cost));
    assert_eq!((effect.against, effect.agreement, effect.correctness), (None, None, None));
    let [insight] = found.classes[..] else { panic!("{found:?}") };
    assert_eq!((insight.class, insight.latency, insight.quickest, insight.trend), (4, ms(100), None, None));
    assert_eq!(insight.hits.map(|hits| (hits.count, hits.of)), Some((1, 4)));
    assert_eq!(insight.expired.map(|expired| (expired.count, expired.of)), Some((0, 3)));
}

#[test]
fn ten_thousand_are_kept() {
    let mut history = History::default();
    for number in 0..10_001 {
        assert_eq!(history.record(Record::new(number, Arm::Cache, ms(1))).unwrap(), u64::from(number));
    }
    let classes: Vec<u32> = history.records().map(|record| record.class).collect();
    assert_eq!(classes, (1..10_001).collect::<Vec<u32>>());
    assert!(!history.learn(0, 0.5).unwrap() && history.learn(1, 0.5).unwrap());
}

#[test]
fn what_cannot_be_is_refused_and_not_recorded() {
    let good = Record::new(0, Arm::Cache, ms(1));
    let mut history = of(&[good]);
    for (record, said) in [
        (Record { misses: 1, expired: 2, ..good }, "the number expired is 2, it must be at most the misses"),
        (Record { agreement: Some(f32::NAN), ..good }, "the agreement is NaN, it must be in [0, 1]"),
        (Record { correctness: Some(1.5), ..good }, "the correctness is 1.5, it must be in [0, 1]"),
    ] {
        assert_eq!(history.record(record).unwrap_err().to_string(), said);
    }
    assert_eq!(history.learn(0, -1.0).unwrap_err().to_string(), "the correctness is -1, it must be in [0, 1]");
    assert_eq!(history, of(&[good]));
    for capacity in [0, (1 << 24) + 1] {
        let said = format!("the capacity of the history is {capacity}, it must be in [1, 2^24]");
        assert_eq!(History::new(capacity).unwrap_err().to_string(), said);
    }
}

#[test]
fn diagnostics_come_back_from_text() {
    let records: Vec<Record> = (0..60)
        .map(|number| Record {
            estimate: Some(estimate(ms(10), Some([ms(5), ms(20)]))),
            ..Record::new(number % 2, Arm::ALL[number as usize % 3], ms(u64::from(number) + 1))
        })
        .collect();
    let found = of(&records).diagnostics(None);
    assert!(found.trend.is_some() && found.arms.len() == 3 && !found.recommendations.is_empty());
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Diagnostics>(&text).unwrap(), found);
}

#[derive(Debug, Clone)]
enum Step {
    Record(Record),
    Learn(u64, f32),
}

fn record() -> impl Strategy<Value = Record> {
    let unit = || prop::option::of((0_u8..=4).prop_map(|quarters| f32::from(quarters) / 4.0));
    let estimate = prop::option::of((1_u64..50, prop::option::of(1_u64..30)).prop_map(|(median, half)| {
        estimate(ms(median), half.map(|half| [ms(median.saturating_sub(half)), ms(median + half)]))
    }));
    let counts = (0_u32..4, 0_u32..4, 0_u32..4);
    (0_u32..3, 0_usize..5, counts, estimate, 0_u64..60, 0_u64..9, unit(), any::<bool>(), unit()).prop_map(
        |(class, arm, (hits, misses, expired), estimate, millis, micros, agreement, success, correctness)| Record {
            class,
            arm: Arm::ALL[arm],
            hits,
            misses,
            expired: expired.min(misses),
            estimate,
            latency: ms(millis),
            cost: Cost { micros, ..Cost::CALL },
            agreement,
            success,
            correctness,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![4 => record().prop_map(Step::Record), 1 => (0_u64..60, 0.0..=1.0_f32).prop_map(|(n, c)| Step::Learn(n, c))]
}

proptest! {
    #[test]
    fn the_ring_is_the_end_of_all_records(steps in prop::collection::vec(step(), 0..80), capacity in 1_usize..20) {
        let mut history = History::new(capacity).unwrap();
        let mut all: Vec<Record> = Vec::new();
        for step in steps {
            let kept = all.len().saturating_sub(capacity);
            match step {
                Step::Record(record) => {
                    prop_assert_eq!(history.record(record).unwrap(), all.len() as u64);
                    all.push(record);
                }
                Step::Learn(number, correctness) => {
                    let there = (kept..all.len()).contains(&(number as usize));
                    prop_assert_eq!(history.learn(number, correctness).unwrap(), there);
                    if there {
                        all[number as usize].correctness = Some(correctness);
                    }
                }
            }
            let kept = &all[all.len().saturating_sub(capacity)..];
            prop_assert_eq!(history.records().copied().collect::<Vec<_>>(), kept);
            prop_assert_eq!(history.recorded(), all.len() as u64);
        }
        let kept = all.len().saturating_sub(capacity);
        let found = history.diagnostics(None);
        let fresh = of(&all[kept..]).diagnostics(None);
        prop_assert_eq!(found.overwritten, kept as u64);
        prop_assert_eq!(Diagnostics { overwritten: 0, ..found }, fresh);
    }
}
