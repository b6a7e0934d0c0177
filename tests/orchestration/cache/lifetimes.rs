//! How long an answer is given, and what of.

use std::time::Duration;

use consilience::Error;
use consilience::orchestration::cache::{Cache, Eviction, Expiry, Lifetime, Options, Origin, Room};
use consilience::orchestration::fuse::Verdict;
use consilience::orchestration::router::Worth;
use tokio::time::{Instant, advance};

use super::{POLICIES, WORTH, cache, cost, key, lasting, made, posterior, reply, room, seconds};

#[tokio::test(start_paused = true)]
async fn an_answer_is_fresh_then_stale_then_gone() {
    for eviction in POLICIES {
        let cache = cache(Options { lifetime: Lifetime::of(seconds(10)).grace(seconds(5)), ..room(1 << 20, eviction) });
        let key = key(&cache, "model", "cat or dog?");
        cache.insert_opinion(&key, reply(3), seconds(2));
        let look = || cache.opinion(&key).map(|hit| (hit.origin, hit.age, hit.saved.cost, hit.saved.latency));
        assert_eq!(look(), Some((Origin::Fresh, seconds(0), cost(3), seconds(2))));
        advance(seconds(10) - Duration::from_nanos(1)).await;
        assert_eq!(look().map(|hit| hit.0), Some(Origin::Fresh));
        advance(Duration::from_nanos(1)).await;
        assert_eq!(look(), Some((Origin::Stale, seconds(10), cost(3), seconds(2))));
        advance(seconds(5) - Duration::from_nanos(1)).await;
        assert_eq!(look().map(|hit| hit.0), Some(Origin::Stale));
        let held = cache.stats().opinions;
        assert_eq!((held.entries, held.expired), (1, 0));
        advance(Duration::from_nanos(1)).await;
        assert_eq!(look(), None);
        let stats = cache.stats().opinions;
        assert_eq!((stats.entries, stats.bytes, stats.expired), (0, 0, 1));
        assert_eq!((stats.hits, stats.stale_hits, stats.misses), (4, 2, 1));
        assert_eq!((stats.saved.micros, stats.saved_latency), (12, seconds(8)));
    }
}

#[tokio::test(start_paused = true)]
async fn every_source_has_its_own_lifetime() {
    let cache = cache(
        lasting(60, 0).lifetime_of("slow", Lifetime::of(seconds(600))).lifetime_of("live", Lifetime::of(seconds(0))),
    );
    let now = Instant::now();
    let fresh = |source: &str| {
        let expiry = cache.insert_opinion(&key(&cache, source, "cat or dog?"), reply(0), seconds(0));
        assert_eq!((expiry, expiry.grace), (cache.expiry(source), expiry.fresh));
        expiry.fresh - now
    };
    assert_eq!((fresh("model"), fresh("slow"), fresh("live")), (seconds(60), seconds(600), seconds(0)));
    // What is never good is not kept.
    let stats = cache.stats().opinions;
    assert_eq!((stats.entries, stats.short_lived), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_combination_lasts_as_long_as_what_is_left_of_its_parts() {
    let cache = cache(lasting(60, 30).lifetime_of("quick", Lifetime::of(seconds(20)).grace(seconds(1))));
    let now = Instant::now();
    let model = cache.insert_opinion(&key(&cache, "model", "cat or dog?"), reply(0), seconds(0));
    advance(seconds(50)).await;
    let quick = cache.insert_opinion(&key(&cache, "quick", "cat or dog?"), reply(0), seconds(0));
    let key = posterior(&cache, &["model", "quick"], "cat or dog?");
    let expiry = cache.insert_posterior(&key, made(model.min(quick)), seconds(0));
    // Ten seconds are left of the first, and the grace of the second ends after 21.
    assert_eq!((expiry.fresh - now, expiry.grace - now), (seconds(60), seconds(71)));
    assert_eq!(cache.posterior(&key).map(|hit| hit.expiry), Some(expiry));
    advance(seconds(10)).await;
    assert_eq!(cache.posterior(&key).map(|hit| (hit.origin, hit.age)), Some((Origin::Stale, seconds(10))));
    advance(seconds(11)).await;
    assert!(cache.posterior(&key).is_none());

    // Whoever makes it may not say more than its sources.
    let far = Expiry::of(Lifetime::of(Duration::MAX));
    let expiry = cache.insert_posterior(&key, made(far), seconds(0));
    assert_eq!((expiry.fresh - now, expiry.grace - now), (seconds(71 + 20), seconds(71 + 21)));
    // What is made of stale parts is not kept.
    assert_eq!(cache.stats().posteriors.short_lived, 0);
    let other = posterior(&cache, &["model", "quick"], "cat?");
    cache.insert_posterior(&other, made(Expiry { fresh: Instant::now(), grace: far.grace }), seconds(0));
    assert!(cache.posterior(&other).is_none());
    assert_eq!(cache.stats().posteriors.short_lived, 1);
}

#[tokio::test(start_paused = true)]
async fn no_lifetime_is_too_long() {
    let forever = Lifetime { fresh: Duration::MAX, grace: Duration::MAX };
    let cache = cache(lasting(1, 0).lifetime_of("model", forever));
    let key = key(&cache, "model", "cat or dog?");
    cache.insert_opinion(&key, reply(0), Duration::MAX);
    advance(seconds(365 * 24 * 3600)).await;
    assert_eq!(cache.opinion(&key).map(|hit| hit.origin), Some(Origin::Fresh));
    assert_eq!(cache.opinion(&key).map(|hit| hit.saved.latency), Some(Duration::MAX));
}

#[test]
fn options_outside_their_range_are_refused() {
    let refusal = |options| Cache::<Verdict>::new(options).map(|_| ()).map_err(|e: Error| e.to_string()).unwrap_err();
    assert_eq!(refusal(room(0, Eviction::Lru)), "the bytes of opinions in a cache is 0, it must be at least 1");
    let priced = |second, million| {
        let worth = Worth { second, million };
        refusal(room(1, Eviction::ByWorth(worth)))
    };
    assert_eq!(priced(-1.0, 1.0), "the price of a second in a cache is -1, it must be finite and not negative");
    assert!(priced(f64::NAN, 1.0).starts_with("the price of a second in a cache is NaN"));
    assert!(priced(1.0, f64::INFINITY).starts_with("the price of a million micros in a cache is inf"));
    assert_eq!(priced(0.0, 0.0), "the sum of both prices in a cache is 0, it must be above 0");
}

#[test]
fn options_are_data() {
    let text = r#"{
        "opinions": { "bytes": 1000, "eviction": { "by_worth": { "second": 1.0, "million": 1.0 } } },
        "lifetimes": { "model": { "fresh": { "secs": 5, "nanos": 0 }, "grace": { "secs": 1, "nanos": 0 } } }
    }"#;
    let read: Options = serde_json::from_str(text).unwrap();
    let mut want = Options::default().lifetime_of("model", Lifetime::of(seconds(5)).grace(seconds(1)));
    want.opinions = Room { bytes: 1000, eviction: Eviction::ByWorth(WORTH) };
    assert_eq!(read, want);
}
