//! An answer found at either level, with all that its key takes; and what each way of making room saves on a recorded
//! workload.

use std::hint::black_box;
use std::time::Duration;

use consilience::Fusion;
use consilience::orchestration::cache::{
    Ask, Cache, Combination, Eviction, Input, Lifetime, Made, Options, Recipe, Room, Version,
};
use consilience::orchestration::fuse::Verdict;
use consilience::orchestration::router::Worth;
use consilience::orchestration::{Cost, Opinion, Stop};
use criterion::{Criterion, Throughput};

use super::trace::{micros, mixed, replay};

const POLICIES: [(&str, Eviction); 3] = [
    ("lru", Eviction::Lru),
    ("tiny_lfu", Eviction::TinyLfu),
    ("by_worth", Eviction::ByWorth(Worth { second: 0.0, million: 1.0 })),
];

fn cache(eviction: Eviction, bytes: u64) -> Cache {
    let room = Room { bytes, eviction };
    let lifetime = Lifetime::of(Duration::MAX);
    Cache::new(Options { opinions: room, posteriors: room, lifetime, ..Options::default() }).expect("options")
}

/// One of ten thousand answers, found by an input of 1 KiB that is hashed each time.
pub fn lookups(c: &mut Criterion) {
    let mut group = c.benchmark_group("cache/lookup");
    group.sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    let texts: Vec<String> = (0..10_000).map(|n| format!("{n:>16}").repeat(64)).collect();
    let versions: Vec<Version> = (0..8).map(|n| Version::new(format!("source number {n}"), "2026-11-29")).collect();
    let (fusion, stop) = (Fusion::default(), Stop::default());
    let recipe = Recipe {
        classes: 10,
        sources: &versions,
        judge: None,
        fusion: &fusion,
        stop: &stop,
        penalty: 0.9,
        settings: &[],
    };
    let combination = Combination::of(&recipe).expect("sources");
    let input = |n: usize| Input::of(texts[n % texts.len()].as_str()).expect("text");
    let of = |cache: &Cache, input: &Input| {
        cache.opinion_key(&Ask { input, classes: 10, source: &versions[0], attempt: 0, peers: &[] })
    };
    group.bench_function("1 KiB hashed, no lookup", |b| {
        let mut n = 0;
        b.iter(|| {
            n += 7;
            black_box(input(n))
        });
    });
    for (name, eviction) in POLICIES {
        let cache = cache(eviction, 1 << 30);
        for n in 0..texts.len() {
            cache.insert_opinion(&of(&cache, &input(n)), Opinion::label(3).into(), Duration::from_millis(300));
            let made = Made { value: Verdict::default(), cost: Cost::CALL, expiry: cache.expiry("") };
            cache.insert_posterior(&cache.posterior_key(&input(n), &combination), made, Duration::from_millis(300));
        }
        let _ = cache.stats();
        group.bench_function(format!("{name}/opinion"), |b| {
            let mut n = 0;
            b.iter(|| {
                n += 7;
                cache.opinion(&of(&cache, &input(n))).expect("kept")
            });
        });
        group.bench_function(format!("{name}/posterior of 8"), |b| {
            let mut n = 0;
            b.iter(|| {
                n += 7;
                cache.posterior(&cache.posterior_key(&input(n), &combination)).expect("kept")
            });
        });
        group.bench_function(format!("{name}/opinion, input hashed before"), |b| {
            let input = input(0);
            b.iter(|| cache.opinion(&of(&cache, &input)).expect("kept"));
        });
        // What a request takes of which no answer is there, before anybody is asked.
        group.bench_function(format!("{name}/posterior missing, opinion found"), |b| {
            let other = Combination::of(&Recipe { penalty: 0.8, ..recipe }).expect("sources");
            let mut n = 0;
            b.iter(|| {
                n += 7;
                let input = input(n);
                assert!(cache.posterior(&cache.posterior_key(&input, &other)).is_none());
                cache.opinion(&of(&cache, &input)).expect("kept")
            });
        });
    }
    group.finish();
}

/// A twentieth, and a fifth, of what would hold everything.
pub fn workload(c: &mut Criterion) {
    let trace = mixed(8, 200_000);
    let all = cache(Eviction::Lru, 1 << 40);
    replay(&all, &trace, false);
    let all = all.stats().opinions;
    println!("cache/workload: {} requests, {} distinct of {} MB", trace.len(), all.inserted, all.bytes / 1_000_000);
    let mut group = c.benchmark_group("cache/workload");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Elements(trace.len() as u64));
    for part in [20, 5] {
        for (name, eviction) in POLICIES {
            let room = all.bytes / part;
            let settled = cache(eviction, room);
            replay(&settled, &trace, true);
            let stats = settled.stats().opinions;
            let (rate, saved) = (stats.hits as f64 / trace.len() as f64, stats.saved.micros as f64);
            println!(
                "cache/workload: room for 1/{part}, {name:8}: {:.1} % hits, {:.1} % of the cost saved",
                100.0 * rate,
                100.0 * saved / micros(&trace) as f64
            );
            group.bench_function(format!("room for 1 in {part}/{name}"), |b| {
                b.iter(|| replay(&cache(eviction, room), &trace, false));
            });
        }
    }
    group.finish();
}
