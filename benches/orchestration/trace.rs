//! A recorded workload for caches, which one seed gives the same on every machine: nothing but integers and divisions go
//! into it.

use std::time::Duration;

use consilience::orchestration::cache::{Ask, Cache, Input, OpinionKey, Version};
use consilience::orchestration::{Cost, Opinion, Reply};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

/// Questions that come again: the k-th most frequent 1/k as often as the first.
const KNOWN: usize = 20_000;

/// One in so many requests begins a scan, which asks so many things that never come again.
const SCAN_IN: u64 = 1_000;
const SCAN: u64 = 250;

/// One in so many asks the same as one of the last so many.
const BURST_IN: u64 = 10;
const BURST: usize = 16;

/// What a call of each source costs, a hundredfold from the first to the last, and how long it takes.
pub const SOURCES: [(&str, u64, Duration); 4] = [
    ("rules", 10, Duration::from_millis(1)),
    ("small model", 50, Duration::from_millis(50)),
    ("large model", 300, Duration::from_millis(400)),
    ("panel", 1_000, Duration::from_millis(2_000)),
];

/// A question to one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    pub question: u64,
    pub source: usize,
    /// Of the answer's words: from 200 to 2000, the same for the same question.
    pub bytes: usize,
}

/// So many requests.
pub fn mixed(seed: u64, requests: usize) -> Vec<Request> {
    let mut random = SplitMix64::seed_from_u64(seed);
    let mut sums: Vec<f64> = (1..=KNOWN).map(|k| 1.0 / k as f64).collect();
    for k in 1..KNOWN {
        sums[k] += sums[k - 1];
    }
    let mut trace: Vec<Request> = Vec::with_capacity(requests);
    let (mut fresh, mut scan) = (KNOWN as u64, 0);
    while trace.len() < requests {
        if scan == 0 && below(&mut random, SCAN_IN) == 0 {
            scan = SCAN;
        }
        let recent = trace.len().saturating_sub(BURST);
        let next = if scan > 0 {
            scan -= 1;
            fresh += 1;
            request(fresh)
        } else if !trace.is_empty() && below(&mut random, BURST_IN) == 0 {
            trace[recent + below(&mut random, (trace.len() - recent) as u64) as usize]
        } else {
            let at = unit(&mut random) * sums[KNOWN - 1];
            request(sums.partition_point(|&sum| sum < at) as u64)
        };
        trace.push(next);
    }
    trace
}

/// Source and size go by the question, and not by how often it comes.
fn request(question: u64) -> Request {
    let mut random = SplitMix64::seed_from_u64(question);
    let source = below(&mut random, SOURCES.len() as u64) as usize;
    Request { question, source, bytes: 200 + below(&mut random, 1_801) as usize }
}

/// What a request's answer is kept under.
pub fn key(cache: &Cache, versions: &[Version], request: Request) -> OpinionKey {
    let input = Input::bytes(&request.question.to_le_bytes());
    cache.opinion_key(&Ask { input: &input, classes: 2, source: &versions[request.source], attempt: 0, peers: &[] })
}

pub fn versions() -> Vec<Version> {
    SOURCES.iter().map(|(name, ..)| Version::new(*name, "1")).collect()
}

/// Looks for every answer, and keeps those that are missing. `settled` has every store do at once what it would put off.
pub fn replay(cache: &Cache, trace: &[Request], settled: bool) {
    let versions = versions();
    for &request in trace {
        let key = key(cache, &versions, request);
        if cache.opinion(&key).is_none() {
            let (_, micros, latency) = SOURCES[request.source];
            let cost = Cost { calls: 1, micros, ..Cost::default() };
            let reply = Reply::from(Opinion::label(0)).content("x".repeat(request.bytes)).cost(cost);
            cache.insert_opinion(&key, reply, latency);
        }
        if settled {
            let _ = cache.stats();
        }
    }
}

/// What all answers cost if nothing is kept.
pub fn micros(trace: &[Request]) -> u64 {
    trace.iter().map(|request| SOURCES[request.source].1).sum()
}

fn below(random: &mut SplitMix64, n: u64) -> u64 {
    ((u128::from(random.next_u64()) * u128::from(n)) >> 64) as u64
}

fn unit(random: &mut SplitMix64) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}
