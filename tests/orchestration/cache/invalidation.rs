//! What a source has said before, gone at once and to the last.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use consilience::orchestration::cache::{Cache, Origin};
use tokio::sync::oneshot;
use tokio::task::yield_now;

use super::{POLICIES, cache, key, made, posterior, reply, room, seconds};

const SOURCES: [&str; 3] = ["a", "b", "c"];

/// Every set of the sources but the empty one.
fn sets() -> impl Iterator<Item = Vec<&'static str>> {
    (1..8_usize).map(|bits| (0..3).filter(|n| bits & (1 << n) != 0).map(|n| SOURCES[n]).collect())
}

fn fill(cache: &Cache) {
    for number in 0..50 {
        let text = format!("text {number}");
        for source in SOURCES {
            cache.insert_opinion(&key(cache, source, &text), reply(number), seconds(0));
        }
        for set in sets() {
            cache.insert_posterior(&posterior(cache, &set, &text), made(cache.expiry("a")), seconds(0));
        }
    }
}

#[test]
fn what_a_source_went_into_is_gone_and_counted() {
    for eviction in POLICIES {
        let cache = cache(room(1 << 30, eviction));
        fill(&cache);
        assert_eq!(cache.invalidate_source("nobody"), 0);
        // Its own opinions and those four of seven combinations that it is in.
        assert_eq!(cache.invalidate_source("b"), 50 + 4 * 50);
        assert_eq!(cache.invalidate_source("b"), 0);
        for number in 0..50 {
            let text = format!("text {number}");
            for source in SOURCES {
                assert_eq!(cache.opinion(&key(&cache, source, &text)).is_some(), source != "b");
            }
            for set in sets() {
                assert_eq!(cache.posterior(&posterior(&cache, &set, &text)).is_some(), !set.contains(&"b"));
            }
        }
        let stats = cache.stats();
        assert_eq!((stats.opinions.invalidated, stats.opinions.entries), (50, 100));
        assert_eq!((stats.posteriors.invalidated, stats.posteriors.entries), (200, 150));
        assert_eq!(cache.invalidate_all(), 250);
        let stats = cache.stats();
        assert_eq!((stats.opinions.entries, stats.opinions.bytes), (0, 0));
        assert_eq!((stats.posteriors.entries, stats.posteriors.bytes), (0, 0));
        // A new generation is kept as the old one was.
        fill(&cache);
        assert_eq!(cache.invalidate_all(), 500);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_being_asked_then_is_given_and_not_kept() {
    let cache = Arc::new(cache(Default::default()));
    let before = key(&cache, "model", "cat or dog?");
    let (answer, answered) = oneshot::channel();
    let waiting = tokio::spawn({
        let (cache, before) = (Arc::clone(&cache), before.clone());
        async move { cache.opinion_or_ask(&before, || async { Ok(answered.await.unwrap()) }).await }
    });
    yield_now().await;
    assert_eq!(cache.invalidate_source("model"), 0);
    // Who comes now has a key of the new generation and does not wait for the old answer.
    let after = key(&cache, "model", "cat or dog?");
    let new = cache.opinion_or_ask(&after, async || Ok(reply(2))).await.unwrap();
    assert_eq!((new.origin, &*new.value), (Origin::Made, &reply(2)));
    answer.send(reply(1)).unwrap();
    assert_eq!(*waiting.await.unwrap().unwrap().value, reply(1));
    assert!(cache.opinion(&before).is_none());
    assert_eq!(*cache.opinion(&after).unwrap().value, reply(2));
    let stats = cache.stats().opinions;
    assert_eq!((stats.outdated, stats.inserted), (1, 1));

    // The same at the other level, for any of the sources, and for all at once.
    for invalidate in [|cache: &Cache| cache.invalidate_source("b"), Cache::invalidate_all] {
        let old = posterior(&cache, &["a", "b"], "cat or dog?");
        let unrelated = posterior(&cache, &["a"], "cat or dog?");
        invalidate(&cache);
        cache.insert_posterior(&old, made(cache.expiry("a")), seconds(0));
        assert!(cache.posterior(&old).is_none());
        cache.insert_posterior(&unrelated, made(cache.expiry("a")), seconds(0));
    }
    // The second of the unrelated ones is outdated as well.
    let stats = cache.stats().posteriors;
    assert_eq!((stats.outdated, stats.inserted), (3, 1));
}

/// Threads that insert and look up while another invalidates: what is counted is what there was.
#[test]
fn counts_are_exact_under_load() {
    for eviction in POLICIES {
        let cache = Arc::new(cache(room(40_000, eviction)));
        let (over, gone) = (AtomicBool::new(false), AtomicU64::new(0));
        let lookups = AtomicU64::new(0);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..3_u32)
                .map(|thread| {
                    let (cache, lookups) = (&cache, &lookups);
                    scope.spawn(move || {
                        for number in 0..3_000 {
                            let text = format!("text {}", number * (thread + 1) % 101);
                            let key = key(cache, SOURCES[number as usize % 3], &text);
                            lookups.fetch_add(1, Ordering::Relaxed);
                            if cache.opinion(&key).is_none() {
                                cache.insert_opinion(&key, reply(number), seconds(0));
                            }
                        }
                    })
                })
                .collect();
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    gone.fetch_add(cache.invalidate_source("b"), Ordering::Relaxed);
                    gone.fetch_add(cache.invalidate_source("c"), Ordering::Relaxed);
                    thread::yield_now();
                }
            });
            for worker in workers {
                worker.join().unwrap();
            }
            over.store(true, Ordering::Relaxed);
        });
        gone.fetch_add(cache.invalidate_source("b") + cache.invalidate_source("c"), Ordering::Relaxed);
        let stats = cache.stats().opinions;
        assert_eq!(stats.lookups(), lookups.into_inner());
        assert_eq!(stats.invalidated, gone.into_inner());
        let went = stats.replaced + stats.evicted + stats.expired + stats.invalidated;
        assert_eq!(stats.inserted, went + stats.entries, "{eviction:?}: {stats:?}");
        assert!(stats.bytes <= 40_000, "{stats:?}");
        // Only those of the third source are left, and they are there.
        let texts = (0..101).map(|n| key(&cache, "a", &format!("text {n}")));
        let found = texts.filter(|key| cache.opinion(key).is_some()).count() as u64;
        assert_eq!(found, stats.entries, "{eviction:?}");
    }
}
