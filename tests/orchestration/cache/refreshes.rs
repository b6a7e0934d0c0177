//! Stale answers, given at once and made anew meanwhile.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use consilience::SourceError;
use consilience::orchestration::cache::{Cache, Options, Origin};
use tokio::task::yield_now;
use tokio::time::{advance, sleep};

use super::{cache, key, lasting, made, posterior, reply, seconds};

/// Counts itself as running for as long as it lives.
struct Running(Arc<AtomicU32>);

impl Running {
    fn new(count: &Arc<AtomicU32>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_is_given_at_once_and_made_anew_once() {
    let cache = cache(lasting(10, 10));
    let key = key(&cache, "model", "cat or dog?");
    cache.insert_opinion(&key, reply(0), seconds(1));
    advance(seconds(12)).await;
    let calls = Arc::new(AtomicU32::new(0));
    for _ in 0..100 {
        let calls = Arc::clone(&calls);
        let ask = move || async move {
            calls.fetch_add(1, Ordering::SeqCst);
            sleep(seconds(3)).await;
            Ok(reply(1))
        };
        let hit = cache.opinion_or_ask(&key, ask).await.unwrap();
        assert_eq!((hit.origin, hit.age, &*hit.value), (Origin::Stale, seconds(12), &reply(0)));
        yield_now().await;
    }
    sleep(seconds(4)).await;
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let hit = cache.opinion(&key).unwrap();
    assert_eq!(
        (hit.origin, hit.age, &*hit.value, hit.saved.latency),
        (Origin::Fresh, seconds(1), &reply(1), seconds(3))
    );
    let stats = cache.stats().opinions;
    assert_eq!((stats.hits, stats.stale_hits, stats.misses), (101, 100, 0));
    assert_eq!((stats.refreshes, stats.refreshes_refused, stats.made), (1, 0, 1));
    assert_eq!((stats.inserted, stats.replaced, stats.entries), (2, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn whoever_finds_nothing_left_waits_for_the_refresh() {
    let cache = cache(lasting(10, 10));
    let key = key(&cache, "model", "cat or dog?");
    cache.insert_opinion(&key, reply(0), seconds(1));
    advance(seconds(19)).await;
    let began = cache.refresh_opinion(&key, async || {
        sleep(seconds(3)).await;
        Ok(reply(1))
    });
    assert!(began);
    yield_now().await;
    advance(seconds(1)).await;
    let joined = cache.opinion_or_ask(&key, async || unreachable!("somebody asks already")).await.unwrap();
    assert_eq!((joined.origin, &*joined.value), (Origin::Joined, &reply(1)));
    assert_eq!(cache.stats().opinions.expired, 1);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_leaves_the_stale_answer_for_the_next() {
    let cache = cache(lasting(10, 10));
    let key = key(&cache, "model", "cat or dog?");
    cache.insert_opinion(&key, reply(0), seconds(1));
    advance(seconds(12)).await;
    let fail = async || Err(SourceError::failed("out of order"));
    assert_eq!(cache.opinion_or_ask(&key, fail).await.unwrap().origin, Origin::Stale);
    yield_now().await;
    let panic = async || panic!("a test asked for this panic");
    assert_eq!(cache.opinion_or_ask(&key, panic).await.unwrap().origin, Origin::Stale);
    yield_now().await;
    assert_eq!(cache.opinion_or_ask(&key, async || Ok(reply(1))).await.unwrap().origin, Origin::Stale);
    yield_now().await;
    assert_eq!(*cache.opinion(&key).unwrap().value, reply(1));
    let stats = cache.stats().opinions;
    assert_eq!((stats.refreshes, stats.made, stats.failed), (3, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn fused_answers_are_made_anew_too() {
    let cache = cache(lasting(10, 10));
    let key = posterior(&cache, &["model"], "cat or dog?");
    cache.insert_posterior(&key, made(cache.expiry("model")), seconds(1));
    advance(seconds(12)).await;
    let expiry = cache.expiry("model");
    let stale = cache.posterior_or_make(&key, move || async move { Ok(made(expiry)) }).await.unwrap();
    assert_eq!((stale.origin, stale.age), (Origin::Stale, seconds(12)));
    yield_now().await;
    assert_eq!(cache.posterior(&key).unwrap().origin, Origin::Fresh);
    assert!(cache.refresh_posterior(&key, || async { pending().await }));
    assert_eq!(cache.stats().posteriors.refreshes, 2);
}

#[tokio::test(start_paused = true)]
async fn refreshes_are_bounded_and_end_with_the_cache() {
    let cache = cache(Options { most_refreshes: 2, ..lasting(10, 10) });
    let running = Arc::new(AtomicU32::new(0));
    let begin = |cache: &Cache, text: &str| {
        let running = Arc::clone(&running);
        cache.refresh_opinion(&key(cache, "model", text), move || async move {
            let _running = Running::new(&running);
            pending().await
        })
    };
    let count = || running.load(Ordering::SeqCst);
    assert!(begin(&cache, "a"));
    assert!(!begin(&cache, "a"), "that is under way");
    assert!(begin(&cache, "b"));
    assert!(!begin(&cache, "c"), "there is no room");
    yield_now().await;
    assert_eq!(count(), 2);
    let stats = cache.stats().opinions;
    assert_eq!((stats.refreshes, stats.refreshes_refused), (2, 1));

    // Whoever waits for one that is ended asks himself.
    let key_of_a = key(&cache, "model", "a");
    let waiting = cache.opinion_or_ask(&key_of_a, async || Ok(reply(1)));
    let (waiting, ()) = tokio::join!(waiting, cache.shutdown());
    assert_eq!((count(), waiting.unwrap().origin), (0, Origin::Made));
    assert!(!begin(&cache, "d"), "it is shut down");
    assert_eq!(cache.opinion(&key_of_a).unwrap().origin, Origin::Fresh);

    let cache = super::cache(lasting(10, 10));
    assert!(begin(&cache, "a"));
    yield_now().await;
    assert_eq!(count(), 1);
    drop(cache);
    yield_now().await;
    assert_eq!(count(), 0);
}

#[test]
fn without_a_runtime_nothing_is_made_in_the_background() {
    let cache = cache(lasting(10, 10));
    assert!(!cache.refresh_opinion(&key(&cache, "model", "a"), || async { pending().await }));
    assert_eq!(cache.stats().opinions.refreshes_refused, 1);
}
