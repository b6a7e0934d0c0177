//! Annotations as they could be, made up.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;

use crate::random::{below, shuffle, unit};

/// Classes, and how frequent they are.
pub const PRIOR: [f64; 4] = [0.4, 0.3, 0.2, 0.1];

/// Sources on an item, none of them twice.
const PER_ITEM: usize = 5;

/// Triples in no order.
#[derive(Debug, Clone)]
pub struct Simulation {
    pub items: Vec<u32>,
    pub sources: Vec<u32>,
    pub labels: Vec<u32>,
    /// The class of each item.
    pub truth: Vec<u32>,
}

impl Simulation {
    /// So many annotations by a two-hundredth as many sources, five at least.
    pub fn new(annotations: usize, seed: u64) -> Self {
        Self::with_sources(annotations, annotations / 200, seed)
    }

    /// The same by so many sources, five at least. Each source is right on a class with a probability of its own, drawn from
    /// Beta(6, 3); how it errs is drawn uniformly from all ways to err.
    pub fn with_sources(annotations: usize, sources: usize, seed: u64) -> Self {
        let mut random = SplitMix64::seed_from_u64(seed);
        let sources = sources.max(PER_ITEM);
        let confusions: Vec<[[f64; 4]; 4]> = (0..sources).map(|_| confusion(&mut random)).collect();
        let [mut items, mut of_sources, mut labels] = [const { Vec::new() }; 3];
        [&mut items, &mut of_sources, &mut labels].into_iter().for_each(|column| column.reserve_exact(annotations));
        let mut truth = Vec::with_capacity(annotations.div_ceil(PER_ITEM));
        while items.len() < annotations {
            let class = drawn(&PRIOR, &mut random);
            let mut chosen = [usize::MAX; PER_ITEM];
            for place in 0..PER_ITEM.min(annotations - items.len()) {
                let source = loop {
                    let source = below(&mut random, sources);
                    if !chosen.contains(&source) {
                        break source;
                    }
                };
                chosen[place] = source;
                items.push(truth.len() as u32);
                of_sources.push(source as u32);
                labels.push(drawn(&confusions[source][class], &mut random) as u32);
            }
            truth.push(class as u32);
        }
        // The same draws move each column alike, so that triples need not stand together as well.
        for column in [&mut items, &mut of_sources, &mut labels] {
            shuffle(&mut random.clone(), column);
        }
        Self { items, sources: of_sources, labels, truth }
    }
}

/// P(answer | class) of a source.
fn confusion(random: &mut SplitMix64) -> [[f64; 4]; 4] {
    // The sixth of eight uniform numbers in order of size is distributed as Beta(6, 3).
    let mut numbers: [f64; 8] = std::array::from_fn(|_| unit(random));
    numbers.sort_by(f64::total_cmp);
    let accuracy = numbers[5];
    std::array::from_fn(|class| {
        // Uniform on the simplex: exponential numbers, divided by their sum.
        let mut row: [f64; 4] = std::array::from_fn(|_| -(1.0 - unit(random)).ln());
        row[class] = 0.0;
        let sum: f64 = row.iter().sum();
        row = row.map(|share| share / sum * (1.0 - accuracy));
        row[class] = accuracy;
        row
    })
}

/// A place drawn with the probabilities given.
fn drawn(probabilities: &[f64], random: &mut SplitMix64) -> usize {
    let mut rest = unit(random);
    let place = probabilities.iter().position(|share| {
        rest -= share;
        rest < 0.0
    });
    place.unwrap_or(probabilities.len() - 1)
}
