//! What batchers, ledgers and requests count for themselves.

use std::sync::Arc;
use std::time::Duration;

use consilience::orchestration::batcher::Submission;
use consilience::orchestration::ledger::{Entry, Ledger, Recorder};
use consilience::orchestration::parallel_fusion::Options;
use consilience::orchestration::telemetry::{Exporter, Label};
use consilience::orchestration::{Cost, Stop, Stopped};
use tokio::time::{Instant, advance};

use super::super::batcher::gate::{Act as Does, Ask, Gate, ask, begun};
use super::super::scripted::{Act, fusion};
use super::exposition::Scrape;
use super::telemetry;

/// The samples of one name, as `label value`.
fn counts(exporter: &Exporter, name: &str) -> Vec<String> {
    let scrape = Scrape::of(&exporter.render());
    let of = |series: &str| {
        let label = series.strip_prefix(name)?.strip_prefix('{')?.split('"').nth(1)?;
        let count = scrape.count(series);
        (count > 0).then(|| format!("{label} {count}"))
    };
    scrape.series().filter_map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn a_batcher_counts_its_requests_and_times_their_wait() {
    let exporter = Exporter::new();
    let gate = Gate::default();
    let batcher = metrics::with_local_recorder(&exporter.recorder(), || gate.batcher().batch_requests(2).build());
    let batcher = batcher.unwrap();
    let first = begun(batcher.submit(ask(1), Submission::default())).await;
    gate.wait_begun(1);
    let fails = Ask { act: Does::Fail, ..ask(2) };
    let second = begun(batcher.submit(fails, Submission::default())).await;
    let third = begun(batcher.submit(ask(3), Submission::default())).await;
    let dropped = begun(batcher.submit(ask(4), Submission::default())).await;
    assert_eq!(Scrape::of(&exporter.render()).value("consilience_batcher_queued"), 3.0);
    drop(dropped);
    assert_eq!(Scrape::of(&exporter.render()).value("consilience_batcher_queued"), 2.0);
    let soon = Submission::default().deadline(Instant::now() + Duration::from_millis(10));
    batcher.submit(ask(5), soon).await.unwrap_err();
    batcher.submit(ask(6), Submission::default().deadline(Instant::now())).await.unwrap_err();
    advance(Duration::from_millis(40)).await;
    gate.open(2);
    assert_eq!(first.await.unwrap(), 10);
    second.await.unwrap_err();
    assert_eq!(third.await.unwrap(), 30);
    let ended = counts(&exporter, "consilience_batcher_requests_total");
    assert_eq!(ended, ["answered 2", "cancelled 1", "expired 1", "failed 1", "rejected 1"]);
    let scrape = Scrape::of(&exporter.render());
    assert_eq!(scrape.value("consilience_batcher_queued"), 0.0);
    assert_eq!(
        (scrape.count("consilience_batch_requests_count"), scrape.count("consilience_batch_requests_sum")),
        (2, 3)
    );
    assert_eq!(scrape.count("consilience_batch_seconds_count"), 2);
    // The first began at once, the two of the second batch after ten milliseconds and forty; the clock counts whole ones.
    assert_eq!(scrape.count("consilience_batcher_queued_seconds_count"), 3);
    let waited = scrape.value("consilience_batcher_queued_seconds_sum");
    assert!((0.1..0.105).contains(&waited), "{waited}");
}

#[tokio::test]
async fn a_ledger_counts_what_it_is_given_and_times_its_commits() {
    let (exporter, directory) = (Exporter::new(), tempfile::tempdir().unwrap());
    let path = directory.path().join("results.redb");
    let ledger = metrics::with_local_recorder(&exporter.recorder(), || Ledger::open(path, Default::default()));
    let ledger = Arc::new(ledger.unwrap());
    let entry = |confidence| Entry {
        decision: 0,
        confidence,
        posterior: vec![confidence, 1.0 - confidence],
        content: None,
        sources: Vec::new(),
        cost: Cost::CALL,
        elapsed: Duration::ZERO,
    };
    ledger.record_all(&[entry(0.9), entry(0.5), entry(0.8)]).unwrap();
    ledger.record_all(&[entry(0.5)]).unwrap();
    let recorder = Recorder::start(Arc::clone(&ledger)).unwrap();
    recorder.record(&entry(0.7)).await.unwrap();
    recorder.record(&entry(0.4)).await.unwrap();
    recorder.shutdown().await;
    assert_eq!(counts(&exporter, "consilience_ledger_results_total"), ["below 3", "recorded 3"]);
    assert_eq!(Scrape::of(&exporter.render()).count("consilience_ledger_commit_seconds_count"), 2);
}

#[tokio::test(start_paused = true)]
async fn requests_are_counted_by_why_they_waited_no_longer() {
    let (exporter, telemetry) = telemetry();
    let telemetry = Arc::new(telemetry);
    let sure = || Act::say(&[0.97, 0.03]);
    let cases: [(&[Act], Stop, Stopped); 4] = [
        (&[sure(), sure()], Stop::default(), Stopped::Complete),
        (&[sure(), Act::Never], Stop::default(), Stopped::Deadline),
        (&[sure(), Act::Never], Stop::default().or_at(0.9, 1), Stopped::Confident),
        (&[sure(), sure(), sure(), Act::Never], Stop::LOCKED, Stopped::Locked),
    ];
    for (acts, stop, stopped) in cases {
        let options = Options { learning: None, fusion: Some(Default::default()), stop, ..Options::default() };
        let outcome = fusion(2, acts, options).with_telemetry(Arc::clone(&telemetry)).ask("?").await.unwrap();
        assert_eq!(outcome.stopped, stopped);
        let counted = counts(&exporter, "consilience_requests_stopped_total");
        assert!(counted.contains(&format!("{} 1", Label::name(stopped))), "{counted:?}");
    }
    assert_eq!(counts(&exporter, "consilience_requests_stopped_total").len(), 4);
}
