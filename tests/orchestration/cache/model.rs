//! Random operations, each compared with a model that looks at every entry.

mod level;

use std::time::Duration;

use consilience::orchestration::cache::{Cache, Eviction, Expiry, Footprint, Lifetime, Made, Options, Origin};
use consilience::orchestration::{Cost, Opinion, Reply};
use proptest::prelude::*;
use tokio::runtime::Builder;
use tokio::time::advance;

use self::level::{Entry, Model};
use super::{POLICIES, WORTH, cost, key, posterior, room, seconds};

const SOURCES: [&str; 3] = ["a", "b", "c"];
const SETS: [&[&str]; 4] = [&["a"], &["a", "b"], &["c"], &["a", "b", "c"]];
const TEXTS: [&str; 4] = ["", "?", "??", "cat or dog?"];

/// A fused answer by its number, with what it pretends to hold.
#[derive(Debug, PartialEq)]
struct Answer(u32, usize);

impl Footprint for Answer {
    fn heap_bytes(&self) -> usize {
        self.1
    }
}

#[derive(Debug, Clone)]
enum Op {
    /// An answer of so many bytes, that cost so many micros, after so many seconds.
    Insert {
        at: Place,
        bytes: usize,
        micros: u32,
        seconds: u64,
    },
    LookUp(Place),
    Invalidate(usize),
    InvalidateAll,
    Advance(u64),
}

/// Which answer: of a source, or of a set of them, to a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Opinion(usize, usize),
    Posterior(usize, usize),
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        (0..SOURCES.len(), 0..TEXTS.len()).prop_map(|(source, text)| Place::Opinion(source, text)),
        (0..SETS.len(), 0..TEXTS.len()).prop_map(|(set, text)| Place::Posterior(set, text)),
    ]
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let insert = (place(), 0..2_000_usize, 0..1_000_000_u32, 0..3_u64)
        .prop_map(|(at, bytes, micros, seconds)| Op::Insert { at, bytes, micros, seconds });
    let op = prop_oneof![
        5 => insert,
        6 => place().prop_map(Op::LookUp),
        1 => (0..SOURCES.len()).prop_map(Op::Invalidate),
        1 => Just(Op::InvalidateAll),
        3 => (1..5_u64).prop_map(Op::Advance),
    ];
    prop::collection::vec(op, 1..120)
}

/// Source a for four seconds and three of grace, b for eight, c for six and one of grace.
fn lifetimes(options: Options) -> Options {
    options
        .lifetime_of("a", Lifetime::of(seconds(4)).grace(seconds(3)))
        .lifetime_of("b", Lifetime::of(seconds(8)))
        .lifetime_of("c", Lifetime::of(seconds(6)).grace(seconds(1)))
}

/// What was found, as both sides tell it.
#[derive(Debug, PartialEq)]
struct Found {
    number: u32,
    origin: Origin,
    age: Duration,
    cost: Cost,
    latency: Duration,
}

impl Place {
    fn insert(self, cache: &Cache<Answer>, number: u32, bytes: usize, cost: Cost, latency: Duration) -> Expiry {
        match self {
            Self::Opinion(source, text) => {
                let binary = Opinion::Binary(f32::from_bits(number));
                let reply = Reply::from(binary).content("x".repeat(bytes)).cost(cost);
                cache.insert_opinion(&key(cache, SOURCES[source], TEXTS[text]), reply, latency)
            }
            Self::Posterior(set, text) => {
                let expiry = SETS[set].iter().map(|source| cache.expiry(source)).reduce(Expiry::min);
                let made = Made { value: Answer(number, bytes), cost, expiry: expiry.unwrap() };
                cache.insert_posterior(&posterior(cache, SETS[set], TEXTS[text]), made, latency)
            }
        }
    }

    fn look_up(self, cache: &Cache<Answer>) -> Option<Found> {
        match self {
            Self::Opinion(source, text) => cache.opinion(&key(cache, SOURCES[source], TEXTS[text])).map(|hit| {
                let Opinion::Binary(number) = hit.value.opinion else { panic!("another's opinion") };
                let (number, saved) = (number.to_bits(), hit.saved);
                Found { number, origin: hit.origin, age: hit.age, cost: saved.cost, latency: saved.latency }
            }),
            Self::Posterior(set, text) => cache.posterior(&posterior(cache, SETS[set], TEXTS[text])).map(|hit| {
                let (number, saved) = (hit.value.0, hit.saved);
                Found { number, origin: hit.origin, age: hit.age, cost: saved.cost, latency: saved.latency }
            }),
        }
    }

    fn is_of(self, source: &str) -> bool {
        match self {
            Self::Opinion(own, _) => SOURCES[own] == source,
            Self::Posterior(set, _) => SETS[set].contains(&source),
        }
    }

    /// What an entry takes that holds nothing on the heap: of the cache's own account, taken once for each kind.
    fn empty_bytes(self) -> u64 {
        let cache = Cache::new(room(1 << 30, Eviction::Lru)).unwrap();
        self.insert(&cache, 0, 0, Cost::CALL, Duration::ZERO);
        let stats = cache.stats();
        stats.opinions.bytes + stats.posteriors.bytes
    }
}

/// Both levels of a cache beside their models.
struct Pair {
    cache: Cache<Answer>,
    opinions: Model,
    posteriors: Model,
    next: u32,
}

impl Pair {
    /// `eviction` is what the model knows; without one there is room for all.
    fn new(eviction: Eviction, bytes: u64, modelled: Option<Eviction>) -> Self {
        let cache = Cache::new(lifetimes(room(bytes, eviction))).unwrap();
        let model = || Model::new(modelled, if modelled.is_some() { bytes } else { u64::MAX });
        Self { cache, opinions: model(), posteriors: model(), next: 0 }
    }

    fn model(&mut self, at: Place) -> &mut Model {
        match at {
            Place::Opinion(..) => &mut self.opinions,
            Place::Posterior(..) => &mut self.posteriors,
        }
    }

    /// Does one thing to both; what a lookup found in each.
    async fn step(&mut self, op: &Op) -> Option<(Option<Found>, Option<Found>)> {
        match *op {
            Op::Insert { at, bytes, micros, seconds } => {
                let (number, latency) = (self.next, Duration::from_secs(seconds));
                self.next += 1;
                let expiry = at.insert(&self.cache, number, bytes, cost(micros), latency);
                let bytes = at.empty_bytes() + bytes as u64;
                self.model(at).insert(at, Entry::new(number, expiry, cost(micros), latency, bytes));
                None
            }
            Op::LookUp(at) => Some((at.look_up(&self.cache), self.model(at).look_up(at))),
            Op::Invalidate(source) => {
                let gone = self.cache.invalidate_source(SOURCES[source]);
                let want =
                    self.opinions.invalidate(Some(SOURCES[source])) + self.posteriors.invalidate(Some(SOURCES[source]));
                // Without the model's knowing what was evicted, there may be fewer.
                assert!(gone <= want);
                assert!(self.opinions.eviction.is_none() || gone == want, "{gone} of {want}");
                None
            }
            Op::InvalidateAll => {
                let gone = self.cache.invalidate_all();
                let want = self.opinions.invalidate(None) + self.posteriors.invalidate(None);
                assert!(gone <= want);
                assert!(self.opinions.eviction.is_none() || gone == want, "{gone} of {want}");
                None
            }
            Op::Advance(by) => {
                advance(seconds(by)).await;
                None
            }
        }
    }
}

fn paused<T>(what: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(what)
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

/// Three entries or so.
const SMALL: u64 = 4_000;

proptest! {
    #![proptest_config(cases(300))]

    /// With room for all under any policy, and without under those whose choice is simply told.
    #[test]
    fn a_cache_is_what_its_model_is(ops in ops(), case in 0_usize..5) {
        let (eviction, bytes) = match case {
            0..3 => (POLICIES[case], 1 << 30),
            3 => (Eviction::Lru, SMALL),
            _ => (Eviction::ByWorth(WORTH), SMALL),
        };
        paused(async {
            let mut pair = Pair::new(eviction, bytes, Some(eviction));
            for op in &ops {
                if let Some((found, want)) = pair.step(op).await {
                    prop_assert_eq!(found, want);
                }
                let stats = pair.cache.stats();
                prop_assert_eq!(stats.opinions, pair.opinions.stats());
                prop_assert_eq!(stats.posteriors, pair.posteriors.stats());
            }
            Ok(())
        })?;
    }

    /// Whatever goes under TinyLFU, what is found is right, and every count and byte is accounted for.
    #[test]
    fn nothing_is_lost_of_what_is_counted(ops in ops(), often in any::<bool>()) {
        paused(async {
            let mut pair = Pair::new(Eviction::TinyLfu, SMALL, None);
            let mut lookups = [0, 0];
            for op in &ops {
                if let Some((Some(found), want)) = pair.step(op).await {
                    prop_assert_eq!(Some(found), want);
                }
                if let Op::LookUp(at) = op {
                    lookups[usize::from(matches!(at, Place::Posterior(..)))] += 1;
                }
                if often {
                    let _ = pair.cache.stats();
                }
            }
            let levels = |pair: &Pair| { let stats = pair.cache.stats(); [stats.opinions, stats.posteriors] };
            for (stats, lookups) in levels(&pair).iter().zip(lookups) {
                prop_assert_eq!(stats.lookups(), lookups);
                let went = stats.replaced + stats.evicted + stats.expired + stats.invalidated;
                prop_assert_eq!(stats.inserted, went + stats.entries);
                prop_assert!(stats.bytes <= SMALL);
            }
            // Every entry is looked for: those found are all there are.
            let mut held = [(0, 0); 2];
            let opinions = (0..SOURCES.len()).flat_map(|s| (0..TEXTS.len()).map(move |t| Place::Opinion(s, t)));
            let posteriors = (0..SETS.len()).flat_map(|s| (0..TEXTS.len()).map(move |t| Place::Posterior(s, t)));
            for at in opinions.chain(posteriors) {
                if at.look_up(&pair.cache).is_some() {
                    let level = &mut held[usize::from(matches!(at, Place::Posterior(..)))];
                    level.0 += 1;
                    level.1 += pair.model(at).entries[&at].bytes;
                }
            }
            for (stats, held) in levels(&pair).iter().zip(held) {
                prop_assert_eq!((stats.entries, stats.bytes), held);
            }
            Ok(())
        })?;
    }
}
