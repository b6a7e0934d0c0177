//! What goes first where there is no more room, and what takes how much of it.

use std::time::Duration;

use consilience::orchestration::cache::{Cache, Eviction, Footprint, Lifetime, Options};
use consilience::orchestration::fuse::Verdict;
use consilience::orchestration::{Opinion, Reply};

use super::trace::{micros, mixed, replay};
use super::{POLICIES, WORTH, cache, key, made, posterior, reply, room};

/// What an opinion takes that holds nothing on the heap.
fn each() -> u64 {
    let cache = cache(Options::default());
    cache.insert_opinion(&key(&cache, "model", "a"), reply(0), Duration::ZERO);
    cache.stats().opinions.bytes
}

/// A cache that holds ten opinions, if they have no words.
fn ten(eviction: Eviction) -> Cache {
    cache(room(10 * each(), eviction))
}

fn insert(cache: &Cache, text: &str, micros: u32) {
    cache.insert_opinion(&key(cache, "model", text), reply(micros), Duration::ZERO);
}

fn is_there(cache: &Cache, text: &str) -> bool {
    cache.opinion(&key(cache, "model", text)).is_some()
}

#[test]
fn what_costs_much_outlives_a_scan_of_what_costs_little() {
    let survives = |eviction| {
        let cache = ten(eviction);
        insert(&cache, "dear", 1_000);
        (0..100).for_each(|n| insert(&cache, &n.to_string(), 10));
        is_there(&cache, "dear")
    };
    assert!(survives(Eviction::ByWorth(WORTH)));
    assert!(!survives(Eviction::Lru));
}

#[test]
fn what_nobody_asks_for_goes_in_the_end() {
    let cache = ten(Eviction::ByWorth(WORTH));
    insert(&cache, "dear", 1_000);
    // Each round raises the rank of what went last by what an entry of ten is worth, and takes ten others.
    (0..2_000).for_each(|n| insert(&cache, &n.to_string(), 10));
    assert!(!is_there(&cache, "dear"));
}

#[test]
fn what_is_asked_for_often_stays() {
    let cache = ten(Eviction::ByWorth(WORTH));
    insert(&cache, "often", 10);
    insert(&cache, "once", 10);
    for n in 0..40 {
        assert!(is_there(&cache, "often"));
        insert(&cache, &n.to_string(), 10);
    }
    assert!(!is_there(&cache, "once"));
    // An answer that takes its place goes on with how often it was asked for.
    insert(&cache, "often", 10);
    (40..80).for_each(|n| insert(&cache, &n.to_string(), 10));
    assert!(is_there(&cache, "often"));
}

#[test]
fn time_is_worth_something_too_and_so_is_room() {
    let cache = ten(Eviction::ByWorth(WORTH));
    cache.insert_opinion(&key(&cache, "model", "slow"), reply(0), Duration::from_millis(1));
    let wordy = reply(20).content("x".repeat(3 * each() as usize));
    cache.insert_opinion(&key(&cache, "model", "wordy"), wordy, Duration::ZERO);
    (0..20).for_each(|n| insert(&cache, &n.to_string(), 10));
    assert!(is_there(&cache, "slow"));
    assert!(!is_there(&cache, "wordy"));
}

#[test]
fn what_alone_takes_too_much_is_not_kept() {
    for eviction in POLICIES {
        let cache = ten(eviction);
        insert(&cache, "small", 10);
        let large = |bytes: u64| {
            let key = key(&cache, "model", "large");
            cache.insert_opinion(&key, reply(10).content("x".repeat(bytes as usize)), Duration::ZERO);
            cache.opinion(&key).is_some()
        };
        assert!(!large(9 * each() + 1));
        let stats = cache.stats().opinions;
        assert_eq!((stats.too_large, stats.inserted, stats.entries), (1, 1, 1));
        assert!(is_there(&cache, "small"));
        // To the byte.
        let alone = ten(eviction);
        let key = key(&alone, "model", "large");
        alone.insert_opinion(&key, reply(10).content("x".repeat(9 * each() as usize)), Duration::ZERO);
        let stats = alone.stats().opinions;
        assert_eq!((stats.too_large, stats.entries, stats.bytes), (0, 1, 10 * each()));
    }
}

#[test]
fn bytes_are_those_on_the_heap_and_some_for_each_entry() {
    let bytes = |reply: Reply| {
        let cache = cache(Options::default());
        cache.insert_opinion(&key(&cache, "model", "a"), reply, Duration::ZERO);
        cache.stats().opinions.bytes
    };
    let row = |room: usize| {
        let mut row = Vec::with_capacity(room);
        row.extend([0.25_f32, 0.75]);
        row
    };
    assert_eq!(bytes(Opinion::Probabilities(row(2)).into()), each() + 8);
    assert_eq!(bytes(Opinion::LogProbabilities(row(7)).into()), each() + 28);
    assert_eq!(bytes(Opinion::Logits(row(100)).into()), each() + 400);
    assert_eq!(bytes(reply(0).content("x".repeat(50))), each() + 50);
    assert_eq!(bytes(Opinion::label(1).into()), each());

    let mut verdict = Verdict::default();
    (verdict.posterior, verdict.contributions) = (row(2), row(3));
    assert_eq!(verdict.heap_bytes(), 20);
    // Of more sources, by so much more of what says so.
    let of = |sources: &[&str]| {
        let cache = cache(Options::default());
        cache.insert_posterior(&posterior(&cache, sources, "a"), made(cache.expiry("a")), Duration::ZERO);
        cache.stats().posteriors.bytes
    };
    assert_eq!(of(&["a", "b", "c"]) - of(&["a"]), 2 * 24);
}

/// What is measured in `benches/` is measured on the same requests everywhere.
#[test]
fn the_recorded_workload_is_always_the_same() {
    let trace = mixed(8, 50_000);
    assert_eq!(blake3::hash(format!("{trace:?}").as_bytes()).to_hex()[..16], *"2bee66eb6844dd98");
}

#[test]
fn on_the_recorded_workload_going_by_worth_saves_most() {
    let trace = mixed(8, 50_000);
    let [lru, tiny_lfu, by_worth] = POLICIES.map(|eviction| {
        let cache = cache(Options { lifetime: Lifetime::of(Duration::MAX), ..room(2_000_000, eviction) });
        replay(&cache, &trace, true);
        let stats = cache.stats().opinions;
        assert_eq!(stats.lookups(), 50_000);
        stats.saved.micros
    });
    assert!(by_worth > tiny_lfu && tiny_lfu > lru, "{by_worth}, {tiny_lfu}, {lru} of {}", micros(&trace));
}
