//! Recording from async code.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use consilience::orchestration::ledger::{Entry, Ledger, Options, Query, Recorder};
use consilience::{ErrorKind, RequestError};
use futures_util::future::join_all;
use tokio::task::{JoinSet, unconstrained};

use super::{all, entry, open, place};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_writer_is_told_the_id_of_its_own_entry() {
    let (_directory, path) = place();
    let recorder = Arc::new(Recorder::start(Arc::new(open(&path))).unwrap());
    let mut writers = JoinSet::new();
    for writer in 0..64 {
        let recorder = Arc::clone(&recorder);
        writers.spawn(async move {
            let mut told = Vec::new();
            for number in (writer * 20)..(writer * 20 + 20) {
                told.push((recorder.record(&entry(number)).await.unwrap().unwrap(), number));
            }
            told
        });
    }
    let told: BTreeMap<u64, u32> = writers.join_all().await.into_iter().flatten().collect();
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), (0..64 * 20).collect::<Vec<_>>());
    let records = all(recorder.ledger(), &Query::default());
    assert_eq!(records.len(), told.len());
    for record in records {
        assert_eq!(record.entry, entry(told[&record.id]));
    }
    recorder.ledger().audit().unwrap();
}

#[tokio::test]
async fn what_is_wrong_or_below_the_threshold_is_told_at_once() {
    let (_directory, path) = place();
    let recorder = Recorder::start(Arc::new(open(&path))).unwrap();
    assert_eq!(recorder.record(&Entry { confidence: 0.5, ..entry(1) }).await.unwrap(), None);
    let error = recorder.record(&Entry { confidence: -1.0, ..entry(1) }).await.unwrap_err();
    assert_eq!(error.to_string(), "the confidence of an entry is -1, which must be in [0, 1]");
    assert_eq!(recorder.record(&entry(1)).await.unwrap(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_answers_everyone_and_frees_the_file() {
    let (_directory, path) = place();
    let recorder = Arc::new(Recorder::start(Arc::new(open(&path))).unwrap());
    let mut writers = JoinSet::new();
    // More than wait at once, so that some are still outside when the doors close.
    for number in 0..3000 {
        let recorder = Arc::clone(&recorder);
        writers.spawn(async move { (number, recorder.record(&entry(number)).await) });
    }
    recorder.record(&entry(9999)).await.unwrap();
    recorder.shutdown().await;
    recorder.shutdown().await;
    let (mut recorded, mut rejected) = (BTreeMap::new(), 0);
    for (number, answer) in writers.join_all().await {
        match answer {
            Ok(id) => assert_eq!(recorded.insert(id.unwrap(), number), None),
            Err(error) => {
                let closed = matches!(error.kind(), ErrorKind::Request(RequestError::Closed { .. }));
                assert!(closed, "{error}");
                rejected += 1;
            }
        }
    }
    assert_eq!(recorded.len() + rejected, 3000);
    drop(recorder);
    // Nobody holds the file any more, and what was acknowledged, and nothing else, is there.
    let ledger = open(&path);
    assert_eq!(ledger.count(&Query::default()).unwrap() as usize, recorded.len() + 1);
    for (id, number) in recorded {
        assert_eq!(ledger.get(id).unwrap().unwrap().entry, entry(number));
    }
}

#[tokio::test]
async fn what_is_waiting_at_shutdown_is_written() {
    let (_directory, path) = place();
    let recorder = Arc::new(Recorder::start(Arc::new(open(&path))).unwrap());
    let entries: Vec<Entry> = (0..100).map(entry).collect();
    // Without tokio's budget, which would let some of the calls wait before they have sent anything.
    let mut writers = pin!(unconstrained(join_all(entries.iter().map(|entry| recorder.record(entry)))));
    // Polled once, each of them waits for the disk, or is done already.
    let told = poll_fn(|context| Poll::Ready(writers.as_mut().poll(context))).await;
    recorder.shutdown().await;
    let told = match told {
        Poll::Ready(told) => told,
        Poll::Pending => writers.await,
    };
    let ids: BTreeSet<u64> = told.into_iter().map(|id| id.unwrap().unwrap()).collect();
    assert_eq!(ids, (0..100).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorder_that_is_dropped_writes_what_is_waiting() {
    let (_directory, path) = place();
    let recorder = Recorder::start(Arc::new(open(&path))).unwrap();
    for number in 0..100 {
        // Polled once, a call is waiting; then whoever made it goes.
        let entry = entry(number);
        tokio::select! {
            biased;
            _ = recorder.record(&entry) => {}
            () = std::future::ready(()) => {}
        }
        tokio::task::yield_now().await;
    }
    drop(recorder);
    let ledger = loop {
        match Ledger::open(&path, Options::default()) {
            Ok(ledger) => break ledger,
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    };
    assert_eq!(ledger.count(&Query::default()).unwrap(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_larger_than_all_the_room_there_is_pass_one_by_one() {
    let (_directory, path) = place();
    let options = Options { most_entry_bytes: 64 << 20, ..Options::default() };
    let recorder = Arc::new(Recorder::start(Arc::new(Ledger::open(&path, options).unwrap())).unwrap());
    let huge = Entry { content: Some("x".repeat(40 << 20)), ..entry(1) };
    let small = entry(2);
    let (first, second) = tokio::join!(recorder.record(&huge), recorder.record(&small));
    assert_eq!((first.unwrap(), second.unwrap()), (Some(0), Some(1)));
    assert_eq!(recorder.ledger().get(0).unwrap().unwrap().entry, huge);
}
