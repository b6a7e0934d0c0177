//! What is kept, under which id and time, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use consilience::orchestration::ledger::{Entry, Ledger, Options, Order, Query};
use consilience::{Error, ErrorKind, LedgerError, RequestError};
use proptest::prelude::*;

use super::{all, entry, ids, open, place};

/// A clock that shows what it is set to, in milliseconds since the epoch.
fn clock() -> (Arc<AtomicU64>, impl Fn() -> std::time::SystemTime + Send + Sync + 'static) {
    let hand = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&hand);
    (hand, move || UNIX_EPOCH + Duration::from_millis(seen.load(Ordering::Relaxed)))
}

fn oldest_first() -> Query {
    Query { order: Order::OldestFirst, ..Query::default() }
}

#[test]
fn what_is_recorded_comes_back_and_outlives_the_ledger() {
    let (_directory, path) = place();
    let ledger = open(&path);
    for number in 0..50 {
        assert_eq!(ledger.record(&entry(number)).unwrap(), Some(number.into()));
    }
    drop(ledger);
    let ledger = open(&path);
    let records = all(&ledger, &oldest_first());
    assert_eq!(records.len(), 50);
    for (number, record) in (0..50).zip(&records) {
        assert_eq!((record.id, &record.entry), (number.into(), &entry(number)));
        assert_eq!(ledger.get(record.id).unwrap().as_ref(), Some(record));
    }
    assert_eq!(ledger.get(50).unwrap(), None);
    assert_eq!(ledger.record(&entry(50)).unwrap(), Some(50));
    ledger.audit().unwrap();
}

#[test]
fn the_threshold_is_kept_to_exactly() {
    let (_directory, path) = place();
    let ledger = open(&path);
    let at = |confidence| Entry { confidence, ..entry(1) };
    assert_eq!(ledger.record(&at(0.6_f32.next_down())).unwrap(), None);
    assert_eq!(ledger.record(&at(0.6)).unwrap(), Some(0));
    let batch = [at(0.7), at(0.1), at(1.0), at(0.0)];
    assert_eq!(ledger.record_all(&batch).unwrap(), [Some(1), None, Some(2), None]);
    assert_eq!(ledger.count(&Query::default()).unwrap(), 3);
    drop(ledger);
    let ledger = Ledger::open(&path, Options { threshold: 0.0, ..Options::default() }).unwrap();
    assert_eq!(ledger.record(&at(-0.0)).unwrap(), Some(3));
    assert_eq!(ids(&ledger, &Query { confidence: 0.0..=0.0, ..Query::default() }), [3]);
    ledger.audit().unwrap();
}

#[test]
fn times_never_fall_however_the_clock_goes() {
    let (_directory, path) = place();
    let (hand, now) = clock();
    let ledger = Ledger::open_with_clock(&path, Options::default(), now).unwrap();
    for at_ms in [1000, 1000, 5000, 2000, 0, 4999, 5001] {
        hand.store(at_ms, Ordering::Relaxed);
        ledger.record(&entry(0)).unwrap();
    }
    drop(ledger);
    // Nor does a restart under a clock that lags.
    let before_the_epoch = || UNIX_EPOCH - Duration::from_secs(60);
    let ledger = Ledger::open_with_clock(&path, Options::default(), before_the_epoch).unwrap();
    ledger.record(&entry(0)).unwrap();
    let times: Vec<u64> = all(&ledger, &oldest_first()).iter().map(|record| record.at_ms).collect();
    assert_eq!(times, [1000, 1000, 5000, 5000, 5000, 5000, 5001, 5001]);
    ledger.audit().unwrap();
}

#[test]
fn what_is_forgotten_is_gone_from_every_index_and_its_id_is_not_given_again() {
    let (_directory, path) = place();
    let (hand, now) = clock();
    let ledger = Ledger::open_with_clock(&path, Options::default(), now).unwrap();
    for number in 0..20 {
        hand.store(u64::from(number / 2) * 10, Ordering::Relaxed);
        ledger.record(&entry(number)).unwrap();
    }
    assert_eq!(ledger.forget_before(0).unwrap(), 0);
    assert_eq!(ledger.forget_before(45).unwrap(), 10);
    assert_eq!(ids(&ledger, &oldest_first()), (10..20).collect::<Vec<_>>());
    assert_eq!(ids(&ledger, &Query { time_ms: 0..60, ..oldest_first() }), [10, 11]);
    assert_eq!(ids(&ledger, &Query { decision: Some(0), ..oldest_first() }), [10, 15]);
    ledger.audit().unwrap();
    assert_eq!(ledger.forget_before(u64::MAX).unwrap(), 10);
    assert_eq!(ledger.count(&Query::default()).unwrap(), 0);
    assert_eq!(ids(&ledger, &Query { confidence: 0.6..=0.99, ..Query::default() }), [0; 0]);
    drop(ledger);
    let ledger = open(&path);
    assert_eq!(ledger.record(&entry(0)).unwrap(), Some(20));
    ledger.audit().unwrap();
}

#[test]
fn more_is_forgotten_than_one_commit_removes() {
    let (_directory, path) = place();
    let ledger = open(&path);
    let entries: Vec<Entry> = (0..5000).map(entry).collect();
    ledger.record_all(&entries).unwrap();
    assert_eq!(ledger.forget_before(u64::MAX).unwrap(), 5000);
    ledger.audit().unwrap();
}

#[test]
fn the_oldest_makes_room() {
    let (_directory, path) = place();
    let options = Options { most_entries: Some(7), ..Options::default() };
    let ledger = Ledger::open(&path, options).unwrap();
    for number in 0..20_u32 {
        ledger.record(&entry(number)).unwrap();
        let newest = u64::from(number);
        assert_eq!(ids(&ledger, &oldest_first()), (newest.saturating_sub(6)..=newest).collect::<Vec<_>>());
        ledger.audit().unwrap();
    }
    let batch: Vec<Entry> = (0..30).map(entry).collect();
    assert_eq!(ledger.record_all(&batch).unwrap().last(), Some(&Some(49)));
    assert_eq!(ids(&ledger, &oldest_first()), (43..50).collect::<Vec<_>>());
    drop(ledger);
    // Bytes: each of these takes more than 1000 and less than 1500.
    let options = Options { most_bytes: Some(6000), ..Options::default() };
    let ledger = Ledger::open(&path, options).unwrap();
    let large = Entry { content: Some("x".repeat(1000)), ..entry(1) };
    for _ in 0..10 {
        ledger.record(&large).unwrap();
    }
    let kept = ledger.count(&Query::default()).unwrap();
    assert!((4..6).contains(&kept), "{kept} entries kept");
    let huge = Entry { content: Some("x".repeat(10_000)), ..entry(1) };
    let id = ledger.record(&huge).unwrap();
    assert_eq!(ids(&ledger, &oldest_first()), [id.unwrap()]);
    ledger.audit().unwrap();
}

#[test]
fn an_entry_that_cannot_be_is_refused_and_nothing_of_its_batch_is_kept() {
    let (_directory, path) = place();
    let ledger = Ledger::open(&path, Options { most_entry_bytes: 2000, ..Options::default() }).unwrap();
    let message = |wrong: Entry| ledger.record_all(&[entry(1), wrong]).unwrap_err().to_string();
    let confidence = |confidence| message(Entry { confidence, ..entry(1) });
    assert_eq!(confidence(f32::NAN), "the confidence of an entry is NaN, which must be in [0, 1]");
    assert_eq!(confidence(1.5), "the confidence of an entry is 1.5, which must be in [0, 1]");
    let posterior = vec![0.5, f32::INFINITY];
    assert_eq!(
        message(Entry { decision: 0, posterior, ..entry(1) }),
        "a value of the posterior of an entry is inf, which must be in [0, 1]"
    );
    assert_eq!(
        message(Entry { decision: 5, ..entry(1) }),
        "the decision of an entry is 5, which must be below the length of its posterior"
    );
    let error = ledger.record(&Entry { content: Some("x".repeat(2000)), ..entry(1) }).unwrap_err();
    let ErrorKind::Request(RequestError::TooLarge { bytes, limit: 2000 }) = error.kind() else { panic!("{error}") };
    assert!((2000..2500).contains(bytes), "{bytes}");
    assert_eq!(ledger.count(&Query::default()).unwrap(), 0);
    assert_eq!(ledger.record(&Entry { posterior: vec![], decision: 9, ..entry(1) }).unwrap(), Some(0));
}

#[test]
fn an_option_outside_its_range_is_refused() {
    let (_directory, path) = place();
    let message = |options| Ledger::open(&path, options).unwrap_err().to_string();
    let default = Options::default();
    assert_eq!(
        message(Options { threshold: f32::NAN, ..default }),
        "the threshold of a ledger is NaN, which must be in [0, 1]"
    );
    assert_eq!(
        message(Options { most_entries: Some(0), ..default }),
        "the most entries of a ledger is 0, which must be at least 1"
    );
    assert!(!path.exists());
}

#[test]
fn a_second_ledger_on_the_same_file_is_refused() {
    let (_directory, path) = place();
    let ledger = open(&path);
    let error: Error = Ledger::open(&path, Options::default()).unwrap_err();
    assert!(error.is_io());
    assert!(matches!(error.kind(), ErrorKind::Ledger(LedgerError::Store { doing: "opening", .. })), "{error}");
    assert!(error.to_string().ends_with("opening: Database already open. Cannot acquire lock."), "{error}");
    drop(ledger);
    open(&path).audit().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every number comes back with the bits it had.
    #[test]
    fn numbers_keep_their_bits(
        confidence in 0.6_f32..=1.0,
        posterior in proptest::collection::vec(0.0_f32..=1.0, 1..20),
        content in ".*",
        elapsed in any::<u64>(),
    ) {
        let (_directory, path) = place();
        let ledger = open(&path);
        let entry = Entry {
            decision: 0,
            confidence,
            posterior,
            content: Some(content),
            elapsed: Duration::from_nanos(elapsed),
            ..entry(7)
        };
        let id = ledger.record(&entry).unwrap().unwrap();
        let back = ledger.get(id).unwrap().unwrap().entry;
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&back.posterior), bits(&entry.posterior));
        prop_assert_eq!(back, entry);
    }
}
