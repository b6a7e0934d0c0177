//! What a query finds, beside a filter over a list.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use consilience::orchestration::ledger::{Entry, Ledger, Options, Order, Query};
use proptest::prelude::*;

use super::{all, entry, ids, open, place};

/// What a query is for, by its definition.
fn oracle(kept: &[(u64, u64, Entry)], query: &Query) -> Vec<u64> {
    let mut found: Vec<u64> = kept
        .iter()
        .filter(|(_, at_ms, entry)| {
            query.time_ms.contains(at_ms)
                && query.decision.is_none_or(|decision| entry.decision == decision)
                && query.confidence.contains(&entry.confidence)
        })
        .map(|(id, ..)| *id)
        .collect();
    found.sort_unstable();
    if query.order == Order::NewestFirst {
        found.reverse();
    }
    found.truncate(query.limit.unwrap_or(usize::MAX));
    found
}

fn entries() -> impl Strategy<Value = Vec<(u64, Entry)>> {
    // Confidences at and around hundredths, where the index of confidences has its borders.
    let confidence = prop_oneof![
        (0_u8..=100).prop_map(|hundredth| f32::from(hundredth) / 100.0),
        (1_u8..=100).prop_map(|hundredth| (f32::from(hundredth) / 100.0).next_down()),
        0.0_f32..=1.0,
    ];
    let one = (0_u64..4, 0_u32..4, confidence)
        .prop_map(|(step, decision, confidence)| (step, Entry { decision, confidence, ..entry(7) }));
    proptest::collection::vec(one, 0..60)
}

fn query() -> impl Strategy<Value = Query> {
    let range = prop_oneof![Just((0.0, 1.0)), (0.0_f32..=1.0, 0.0_f32..=1.0)];
    let time = prop_oneof![Just((0, u64::MAX)), (0_u64..100, 0_u64..100)];
    (time, proptest::option::of(0_u32..5), range, any::<bool>(), proptest::option::of(0_usize..20)).prop_map(
        |((t0, t1), decision, (c0, c1), newest, limit)| Query {
            time_ms: t0.min(t1)..t0.max(t1),
            decision,
            confidence: c0.min(c1)..=c0.max(c1),
            order: if newest { Order::NewestFirst } else { Order::OldestFirst },
            limit,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_query_finds_what_a_filter_over_all_finds(
        entries in entries(),
        queries in proptest::collection::vec(query(), 30),
        forgotten in proptest::option::of(0_u64..60),
    ) {
        let (_directory, path) = place();
        let hand = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&hand);
        let clock = move || UNIX_EPOCH + Duration::from_millis(seen.load(Ordering::Relaxed));
        let options = Options { threshold: 0.0, ..Options::default() };
        let ledger = Ledger::open_with_clock(&path, options, clock).unwrap();
        let mut kept = Vec::new();
        for (step, entry) in entries {
            let at_ms = hand.fetch_add(step, Ordering::Relaxed) + step;
            let id = ledger.record(&entry).unwrap().unwrap();
            kept.push((id, at_ms, entry));
        }
        if let Some(before) = forgotten {
            ledger.forget_before(before).unwrap();
            kept.retain(|(_, at_ms, _)| *at_ms >= before);
        }
        ledger.audit().unwrap();
        for query in queries {
            prop_assert_eq!(ids(&ledger, &query), oracle(&kept, &query), "{:?}", &query);
            let unlimited = Query { limit: None, ..query.clone() };
            prop_assert_eq!(ledger.count(&query).unwrap() as usize, oracle(&kept, &unlimited).len());
        }
    }
}

#[test]
fn an_iterator_shows_the_ledger_as_it_was() {
    let (_directory, path) = place();
    let ledger = open(&path);
    ledger.record_all(&[entry(0), entry(1), entry(2)]).unwrap();
    let mut records = ledger.query(&Query::default()).unwrap();
    assert_eq!(records.next().unwrap().unwrap().id, 2);
    ledger.record(&entry(3)).unwrap();
    assert_eq!(ledger.forget_before(u64::MAX).unwrap(), 4);
    assert_eq!(records.map(|record| record.unwrap().entry).collect::<Vec<_>>(), [entry(1), entry(0)]);
    assert_eq!(all(&ledger, &Query::default()), []);
}

#[test]
fn a_range_that_is_none_is_refused() {
    let (_directory, path) = place();
    let ledger = open(&path);
    let message = |query: Query| {
        assert!(ledger.count(&query).is_err());
        ledger.query(&query).unwrap_err().to_string()
    };
    assert_eq!(
        message(Query { confidence: 0.9..=0.75, ..Query::default() }),
        "the end of the range of confidence is 0.75, which must be at least its start"
    );
    assert_eq!(
        message(Query { confidence: f32::NAN..=1.0, ..Query::default() }),
        "an end of the range of confidence is NaN, which must be a number"
    );
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is refused")]
    let backwards = 7..3;
    assert_eq!(
        message(Query { time_ms: backwards, ..Query::default() }),
        "the end of the range of time is 3, which must be at least its start"
    );
    let above = Query { confidence: 2.0..=f32::INFINITY, ..Query::default() };
    ledger.record(&Entry { confidence: 1.0, ..entry(0) }).unwrap();
    assert_eq!(ids(&ledger, &above), [0; 0]);
}
