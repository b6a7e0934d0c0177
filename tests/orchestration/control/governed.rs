//! A governed source: what it measures of each fate, whom it asks, and its probes.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use consilience::SourceError;
use consilience::orchestration::control::{Governed, Probe, Setting};
use consilience::orchestration::parallel_fusion::{Fate, Options};
use consilience::orchestration::{Cost, Opinion, ParallelFusion, Question, Source, source};
use tokio::time::{Instant, advance, sleep, timeout};

use super::plant::normal;
use crate::orchestration::engine::engine;
use crate::orchestration::scripted::{Act, in_turn, source as scripted};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn governed(source: Arc<dyn Source<str>>) -> Governed<str> {
    Governed::new(source, 2 * SECOND).unwrap()
}

fn trusting(name: &str, trust: f64) -> Setting {
    Setting { trust: BTreeMap::from([(name.to_owned(), trust)]), ..normal() }
}

fn question(within: Duration) -> Question<str> {
    Question::new(Arc::from("cat or dog?"), 2, Instant::now() + within)
}

/// Within 1 %.
fn near(latency: Duration, millis: u64) -> bool {
    (latency.as_secs_f64() * 1e3 / millis as f64 - 1.0).abs() < 0.011
}

#[tokio::test(start_paused = true)]
async fn every_fate_is_counted_as_what_it_says_of_the_source() {
    for (what, act, calls, failures, cancelled) in [
        ("an answer", Act::say(&[0.5, 0.5]), 1, 0, 0),
        ("an abstention", Act::Say(Opinion::Abstained), 1, 0, 0),
        ("a failure", Act::Fail, 1, 1, 0),
        ("a panic", Act::Panic, 1, 1, 0),
        ("of three classes", Act::say(&[0.5, 0.25, 0.25]), 1, 1, 0),
        ("not a number", Act::say(&[f32::NAN, 0.5]), 1, 1, 0),
        ("what a division mends", Act::say(&[2.0, 2.0]), 1, 0, 0),
    ] {
        let source = Arc::new(governed(scripted("a", act)));
        let asked = tokio::spawn({
            let source = Arc::clone(&source);
            async move { source.ask(question(SECOND)).await.is_ok() }
        });
        let _ = asked.await;
        let taken = source.take();
        assert_eq!((taken.calls, taken.failures, taken.cancelled), (calls, failures, cancelled), "{what}");
        assert_eq!(taken.name, "a");
        let again = source.take();
        assert_eq!((again.calls, again.latency), (0, None), "{what} is taken once");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_took_at_least_as_long_as_it_did() {
    let source = governed(scripted("a", Act::Never));
    // Dropped after 30 ms of a second: nothing is known of it but that.
    assert!(timeout(30 * MS, source.ask(question(SECOND))).await.is_err());
    let taken = source.take();
    assert_eq!((taken.calls, taken.failures, taken.cancelled), (0, 0, 1));
    assert!(near(taken.latency.unwrap().p95, 30), "{taken:?}");
    // Dropped at its deadline: it timed out.
    assert!(timeout(SECOND, source.ask(question(SECOND))).await.is_err());
    let taken = source.take();
    assert_eq!((taken.calls, taken.failures, taken.cancelled), (1, 1, 0));
    assert!(near(taken.latency.unwrap().p95, 1_000), "{taken:?}");
    // Never polled, it was not asked.
    drop(source.ask(question(SECOND)));
    assert_eq!(source.take().latency, None);
}

#[tokio::test(start_paused = true)]
async fn latencies_are_those_of_the_calls() {
    let source = governed(in_turn("a", (1..=100).map(|n| Act::say_after(10 * n, &[0.5, 0.5])).collect()));
    for _ in 0..100 {
        source.ask(question(2 * SECOND)).await.unwrap();
    }
    let latency = source.take().latency.unwrap();
    assert!(near(latency.p50, 500) && near(latency.p95, 950) && near(latency.p99, 990), "{latency:?}");
}

#[tokio::test(start_paused = true)]
async fn it_is_asked_in_the_share_of_the_requests_that_the_setting_says() {
    for (trust, asked) in [(1.0, 100), (0.5, 50), (0.25, 25), (0.3, 30), (0.0, 0)] {
        let source = governed(scripted("a", Act::say(&[0.5, 0.5])));
        source.obey(&trusting("a", trust));
        assert_eq!(source.trust(), trust);
        let mut answers = 0;
        for _ in 0..100 {
            let question = question(SECOND);
            match source.ask(question.clone()).await {
                Ok(_) => answers += 1,
                Err(error) => assert!(matches!(error, SourceError::Abstained), "{error}"),
            }
        }
        assert_eq!((answers, source.take().calls), (asked, asked), "{trust}");
    }
    let source = governed(scripted("a", Act::Fail));
    for wrong in [-0.5, 1.5, f64::NAN] {
        source.obey(&trusting("a", wrong));
        assert_eq!(source.trust(), 1.0, "{wrong}");
    }
    source.obey(&trusting("b", 0.0));
    assert_eq!(source.trust(), 1.0, "another's trust");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_rests_is_neither_an_opinion_nor_a_failure_of_a_fusion() {
    let failing = Arc::new(governed(scripted("b", Act::Fail)));
    let sources: Vec<Arc<dyn Source<str>>> = vec![scripted("a", Act::say(&[0.25, 0.75])), failing.clone()];
    let fusion = ParallelFusion::new(engine(), 2, sources, Options::parallel_fusion()).unwrap();
    let before = fusion.ask("cat or dog?").await.unwrap();
    assert_eq!((before.confidence, before.reports[1].fate), (0.75 * 0.9, Fate::Failed));
    failing.obey(&trusting("b", 0.0));
    let after = fusion.ask("cat or dog?").await.unwrap();
    assert_eq!((after.confidence, after.reports[1].fate), (0.75, Fate::Abstained));
    assert_eq!((after.posterior, after.reports[1].cost), (vec![0.25, 0.75], Cost::default()));
}

/// Says how often it was asked, and how many calls are under way.
struct Counted {
    asked: AtomicU32,
    under_way: Arc<()>,
}

#[tokio::test(start_paused = true)]
async fn one_probe_at_a_time_and_one_in_two_seconds() {
    let counted = Arc::new(Counted { asked: AtomicU32::new(0), under_way: Arc::new(()) });
    let inner = {
        let counted = Arc::clone(&counted);
        source::of("a", move |_: Question<str>| {
            let (n, guard) = (counted.asked.fetch_add(1, Ordering::SeqCst), Arc::clone(&counted.under_way));
            async move {
                let _guard = guard;
                match n {
                    0 => Ok(Opinion::label(0).into()),
                    1 => Err(SourceError::failed("out of order")),
                    2 => {
                        sleep(300 * MS).await;
                        Ok(Opinion::Abstained.into())
                    }
                    3 => {
                        sleep(5 * SECOND).await;
                        Ok(Opinion::label(0).into())
                    }
                    _ => pending().await,
                }
            }
        })
    };
    let source = governed(Arc::new(inner));
    source.obey(&trusting("a", 0.0));
    // Ten requests a second for 9.9 seconds; probes at 0, 2, 4 and 6 s, the last given up at the time between probes.
    for _ in 0..99 {
        let began = Instant::now();
        assert!(matches!(source.ask(question(SECOND)).await, Err(SourceError::Abstained)));
        assert_eq!(began.elapsed(), Duration::ZERO, "a probe is no part of the request");
        sleep(100 * MS).await;
    }
    let taken = source.take();
    let probe = |answered, millis: u32| Probe { answered, latency: millis * MS };
    assert_eq!(taken.probes, [probe(true, 0), probe(false, 0), probe(true, 300), probe(false, 2_000)]);
    assert_eq!((taken.calls, taken.latency, counted.asked.load(Ordering::SeqCst)), (0, None, 5));
    assert_eq!(Arc::strong_count(&counted.under_way), 2, "the fifth is under way");
    drop(source);
    advance(MS).await;
    tokio::task::yield_now().await;
    assert_eq!(Arc::strong_count(&counted.under_way), 1, "it ends with its owner");
}

#[tokio::test(start_paused = true)]
async fn probes_have_as_long_as_the_request() {
    let source = governed(scripted("a", Act::say_after(3_000, &[0.5, 0.5])));
    source.obey(&trusting("a", 0.0));
    assert!(source.ask(question(4 * SECOND)).await.is_err());
    sleep(5 * SECOND).await;
    assert_eq!(source.take().probes, [Probe { answered: true, latency: 3 * SECOND }]);
}

#[tokio::test(start_paused = true)]
async fn probes_that_nobody_takes_are_not_kept_for_ever() {
    let source = governed(scripted("a", Act::say(&[0.5, 0.5])));
    source.obey(&trusting("a", 0.0));
    for _ in 0..100 {
        assert!(source.ask(question(SECOND)).await.is_err());
        sleep(2 * SECOND).await;
    }
    assert_eq!(source.take().probes.len(), 64);
}

#[tokio::test(start_paused = true)]
async fn what_it_wraps_is_still_asked_for() {
    let inner: Arc<dyn Source<str>> = Arc::new(
        source::batched("model", |questions: &[Question<str>]| {
            questions.iter().map(|_| Ok(Opinion::label(0).into())).collect()
        })
        .build()
        .unwrap(),
    );
    let source = governed(Arc::clone(&inner));
    assert_eq!((source.name(), source.expected_cost()), (inner.name(), inner.expected_cost()));
    assert!(!source.may_be_asked_twice());
}
