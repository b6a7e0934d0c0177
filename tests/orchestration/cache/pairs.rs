//! Requests that differ in one small thing, or in none.

use std::collections::HashMap;
use std::time::Duration;

use consilience::orchestration::cache::{
    Ask, Cache, Combination, Eviction, Expiry, Footprint, Input, Lifetime, Made, Recipe, Version,
};
use consilience::orchestration::{Cost, Opinion, Peer, Stop};
use consilience::{Fusion, Rule, Weighting};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{reply, room};

/// A request from a world so small that near misses are common. It says all there is of itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Request {
    input: String,
    classes: usize,
    sources: Vec<(String, String)>,
    attempt: u32,
    peers: Vec<(String, u32, Option<String>)>,
    /// Bits of the weights.
    weights: Vec<u32>,
    rule: usize,
    quorum: usize,
    settings: Vec<u8>,
}

/// An answer by its number.
struct Numbered(usize);

impl Footprint for Numbered {
    fn heap_bytes(&self) -> usize {
        0
    }
}

/// Up to `most` letters of two.
fn text(random: &mut StdRng, most: usize) -> String {
    (0..random.random_range(0..=most)).map(|_| if random.random() { 'a' } else { 'b' }).collect()
}

fn several<T>(random: &mut StdRng, least: usize, most: usize, mut one: impl FnMut(&mut StdRng) -> T) -> Vec<T> {
    (0..random.random_range(least..=most)).map(|_| one(random)).collect()
}

fn bits(random: &mut StdRng) -> u32 {
    [0.0, -0.0, 1.0, f32::NAN, -f32::NAN][random.random_range(0..5)].to_bits()
}

impl Request {
    fn draw(random: &mut StdRng) -> Self {
        Self {
            input: text(random, 2),
            classes: random.random_range(2..4),
            sources: several(random, 1, 2, |random| (text(random, 2), text(random, 2))),
            attempt: random.random_range(0..2),
            peers: several(random, 0, 1, |random| {
                let content = random.random::<bool>().then(|| text(random, 1));
                (text(random, 1), bits(random), content)
            }),
            weights: several(random, 0, 2, bits),
            rule: random.random_range(0..2),
            quorum: random.random_range(0..2),
            settings: several(random, 0, 1, |random| random.random_range(0..2)),
        }
    }

    /// The same, or with one thing drawn anew.
    fn beside(&self, random: &mut StdRng) -> Self {
        let (mut beside, other) = (self.clone(), Self::draw(random));
        match random.random_range(0..10) {
            0 => beside.input = other.input,
            1 => beside.classes = other.classes,
            2 => beside.sources = other.sources,
            3 => beside.attempt = other.attempt,
            4 => beside.peers = other.peers,
            5 => beside.weights = other.weights,
            6 => beside.rule = other.rule,
            7 => beside.quorum = other.quorum,
            8 => beside.settings = other.settings,
            _ => {}
        }
        beside
    }

    /// What of it an opinion of its first source depends on.
    fn question(&self) -> Self {
        let sources = self.sources[..1].to_vec();
        Self { sources, weights: vec![], rule: 0, quorum: 0, settings: vec![], ..self.clone() }
    }

    /// What of it a fused answer depends on.
    fn recipe(&self) -> Self {
        Self { attempt: 0, peers: vec![], ..self.clone() }
    }
}

/// The cache, and the numbers of the answers that were given to it, by all that there is to a request.
struct Both {
    cache: Cache<Numbered>,
    opinions: HashMap<Request, usize>,
    posteriors: HashMap<Request, usize>,
}

impl Both {
    /// Asks for both answers to a request; gives the number to what is missing.
    fn ask(&mut self, request: &Request, number: usize) {
        let cache = &self.cache;
        let input = Input::of(request.input.as_str()).unwrap();
        let versions: Vec<_> = request.sources.iter().map(|(name, rev)| Version::new(name.as_str(), rev)).collect();
        let peer = |(name, p, content): &(String, u32, Option<String>)| Peer {
            name: name.as_str().into(),
            opinion: Opinion::Binary(f32::from_bits(*p)),
            content: content.clone(),
        };
        let peers: Vec<_> = request.peers.iter().map(peer).collect();
        let (classes, attempt) = (request.classes, request.attempt);
        let key = cache.opinion_key(&Ask { input: &input, classes, source: &versions[0], attempt, peers: &peers });
        let found = cache.opinion(&key).map(|hit| hit.saved.cost.micros as usize);
        assert_eq!(found, self.opinions.get(&request.question()).copied(), "{request:?}");
        if found.is_none() {
            cache.insert_opinion(&key, reply(number as u32), Duration::ZERO);
            self.opinions.insert(request.question(), number);
        }

        let weights = request.weights.iter().map(|&bits| f32::from_bits(bits)).collect();
        let fusion = Fusion::new([Rule::Linear, Rule::Vote][request.rule].clone()).weighting(Weighting::Fixed(weights));
        let stop = Stop { quorum: request.quorum, ..Stop::default() };
        let combination = Combination::of(&Recipe {
            classes,
            sources: &versions,
            judge: None,
            fusion: &fusion,
            stop: &stop,
            penalty: 0.9,
            settings: &request.settings,
        });
        let key = cache.posterior_key(&input, &combination.unwrap());
        let found = cache.posterior(&key).map(|hit| hit.value.0);
        assert_eq!(found, self.posteriors.get(&request.recipe()).copied(), "{request:?}");
        if found.is_none() {
            let expiry = Expiry::of(Lifetime::of(Duration::MAX));
            cache.insert_posterior(&key, Made { value: Numbered(number), cost: Cost::CALL, expiry }, Duration::ZERO);
            self.posteriors.insert(request.recipe(), number);
        }
    }
}

#[test]
fn a_hundred_thousand_pairs_of_requests_never_get_each_others_answers() {
    let mut random = StdRng::seed_from_u64(8);
    let options = super::Options { lifetime: Lifetime::of(Duration::MAX), ..room(1 << 40, Eviction::Lru) };
    let cache = Cache::new(options).expect("options");
    let mut both = Both { cache, opinions: HashMap::new(), posteriors: HashMap::new() };
    let mut same = 0;
    for pair in 0..100_000 {
        let one = Request::draw(&mut random);
        let other = one.beside(&mut random);
        same += usize::from(one == other);
        both.ask(&one, 2 * pair);
        both.ask(&other, 2 * pair + 1);
    }
    // Neither kind of pair is rare.
    assert!((10_000..90_000).contains(&same), "{same} pairs were of one request");
    let stats = both.cache.stats();
    assert_eq!(stats.opinions.entries, both.opinions.len() as u64);
    assert_eq!(stats.posteriors.entries, both.posteriors.len() as u64);
    assert_eq!((stats.opinions.lookups(), stats.posteriors.lookups()), (200_000, 200_000));
}
