//! Whoever goes takes every call with him.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use consilience::orchestration::{Opinion, ParallelFusion, Question, Source, source};
use futures_util::{FutureExt, StreamExt};
use tokio::time::sleep;

use super::super::engine::engine;
use super::options;

/// Counts itself out when it is dropped.
struct Held(Arc<AtomicUsize>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A source that takes a minute; `running` counts its calls.
fn holding(n: usize, running: &Arc<AtomicUsize>) -> Arc<dyn Source<str>> {
    let running = Arc::clone(running);
    Arc::new(source::of(format!("source {n}"), move |_: Question<str>| {
        running.fetch_add(1, Ordering::SeqCst);
        let held = Held(Arc::clone(&running));
        async move {
            let _held = held;
            sleep(Duration::from_secs(60)).await;
            Ok(Opinion::Abstained.into())
        }
    }))
}

#[tokio::test(start_paused = true)]
async fn no_call_outlives_its_request() {
    let running = Arc::new(AtomicUsize::new(0));
    let sources = (0..4).map(|n| holding(n, &running)).collect();
    let asked = Arc::new(ParallelFusion::new(engine(), 2, sources, options()).expect("a fusion"));
    let count = || running.load(Ordering::SeqCst);

    let request = tokio::spawn({
        let asked = Arc::clone(&asked);
        async move { asked.ask("?").await }
    });
    sleep(Duration::from_millis(1)).await;
    assert_eq!(count(), 4);
    request.abort();
    assert!(request.await.is_err());
    assert_eq!(count(), 0);

    let mut events = Box::pin(asked.follow("?"));
    assert!(events.next().now_or_never().is_none());
    assert_eq!(count(), 4);
    drop(events);
    assert_eq!(count(), 0);

    // Nor its deadline.
    assert!(asked.ask("?").await.expect_err("nobody answers").is_deadline());
    assert_eq!(count(), 0);
}
