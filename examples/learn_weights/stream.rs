//! What the sources say, one picture after another, and the break half way.

use std::ops::Range;

use consilience::Evidence;
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;

use crate::Failure;
use crate::digits::CLASSES;
use crate::eyesight::{self, Viewer};
use crate::random::below;

/// Opinions and truths in the order in which they come.
pub struct Stream {
    pub sources: Vec<Source>,
    /// [B].
    pub labels: Vec<u32>,
}

pub struct Source {
    pub name: &'static str,
    /// Standard deviation of the noise on the pixels it sees.
    pub noise: f64,
    /// Probabilities, [B, C].
    pub says: Vec<f32>,
}

impl Stream {
    /// Lets the sources look, and breaks the first of them in the second half: there it says what it said of a picture drawn
    /// at random. So it stays as sure as it was, and has no more to do with the truth than chance.
    pub fn new(seed: u64) -> Result<Self, Failure> {
        let (viewers, labels) = eyesight::viewers(seed)?;
        let source = |Viewer { name, noise, says }: Viewer| Source {
            name,
            noise,
            says: says.iter().map(|&p| p as f32).collect(),
        };
        let mut stream = Self { sources: viewers.into_iter().map(source).collect(), labels };
        let (items, middle) = (stream.items(), stream.middle());
        let mut random = SplitMix64::seed_from_u64(seed + 2);
        let said = stream.sources[0].says.clone();
        for row in stream.sources[0].says.chunks_exact_mut(CLASSES).skip(middle) {
            let other = below(&mut random, items) * CLASSES;
            row.copy_from_slice(&said[other..other + CLASSES]);
        }
        Ok(stream)
    }

    pub fn items(&self) -> usize {
        self.labels.len()
    }

    /// The first item after the break.
    pub fn middle(&self) -> usize {
        self.items() / 2
    }

    /// Before the break, after it, and all.
    pub fn parts(&self) -> [Range<usize>; 3] {
        [0..self.middle(), self.middle()..self.items(), 0..self.items()]
    }

    /// What all sources say of one item.
    pub fn evidence(&self, item: usize) -> Result<Evidence<'_>, Failure> {
        let rows: Vec<&[f32]> = self.sources.iter().map(|source| source.row(item)).collect();
        Ok(Evidence::probabilities(CLASSES, &rows)?)
    }
}

impl Source {
    pub fn row(&self, item: usize) -> &[f32] {
        &self.says[item * CLASSES..(item + 1) * CLASSES]
    }
}
