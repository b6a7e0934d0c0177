//! Answers that are kept: never another's, never too long, never made twice, and counted to the last.

mod flights;
mod invalidation;
mod keys;
mod lifetimes;
mod model;
mod pairs;
mod refreshes;
#[path = "../../benches/orchestration/trace.rs"]
mod trace;
mod worth;

use std::time::Duration;

use consilience::Fusion;
use consilience::orchestration::cache::{
    Ask, Cache, Combination, Eviction, Expiry, Footprint, Input, Lifetime, Made, OpinionKey, Options, PosteriorKey,
    Recipe, Room, Version,
};
use consilience::orchestration::fuse::Verdict;
use consilience::orchestration::router::Worth;
use consilience::orchestration::{Cost, Opinion, Reply, Stop};

/// A second is worth one, a million micros another.
const WORTH: Worth = Worth { second: 1.0, million: 1.0 };

const POLICIES: [Eviction; 3] = [Eviction::Lru, Eviction::TinyLfu, Eviction::ByWorth(WORTH)];

fn version(name: &str) -> Version {
    Version::new(name, "1")
}

/// A reply that cost what its number says.
fn reply(number: u32) -> Reply {
    Reply::from(Opinion::Binary(f32::from_bits(number))).cost(cost(number))
}

fn cost(number: u32) -> Cost {
    Cost { calls: 1, micros: number.into(), ..Cost::default() }
}

/// A room of so many bytes at both levels.
fn room(bytes: u64, eviction: Eviction) -> Options {
    let room = Room { bytes, eviction };
    Options { opinions: room, posteriors: room, ..Options::default() }
}

/// Lifetimes in seconds for every source.
fn lasting(fresh: u64, grace: u64) -> Options {
    let lifetime = Lifetime { fresh: seconds(fresh), grace: seconds(grace) };
    Options { lifetime, ..Options::default() }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn cache(options: Options) -> Cache {
    Cache::new(options).expect("options")
}

/// What the answer of a source to a text is kept under.
fn key<P: Footprint>(cache: &Cache<P>, source: &str, text: &str) -> OpinionKey {
    let (input, source) = (Input::of(text).expect("text"), version(source));
    cache.opinion_key(&Ask { input: &input, classes: 2, source: &source, attempt: 0, peers: &[] })
}

/// What the answer of several sources to a text is kept under.
fn posterior<P: Footprint>(cache: &Cache<P>, sources: &[&str], text: &str) -> PosteriorKey {
    let versions: Vec<_> = sources.iter().map(|name| version(name)).collect();
    let combination = Combination::of(&recipe(&versions, &Fusion::default(), &Stop::default())).expect("sources");
    cache.posterior_key(&Input::of(text).expect("text"), &combination)
}

fn recipe<'a>(sources: &'a [Version], fusion: &'a Fusion, stop: &'a Stop) -> Recipe<'a> {
    Recipe { classes: 2, sources, judge: None, fusion, stop, penalty: 0.9, settings: &[] }
}

fn made(expiry: Expiry) -> Made<Verdict> {
    Made { value: Verdict::default(), cost: Cost::CALL, expiry }
}
