//! The nearest beams of a corpus.

mod resident;

use std::borrow::Cow;

use bytemuck::bytes_of;

pub use self::resident::{ResidentCorpus, ResidentNeighbours};
use super::digits::Digits;
use crate::backend::Timing;
use crate::engine::Engine;
use crate::error::{BeamError, Result};
use crate::kernel::Kernel;
use crate::kernel::beam::fuse::DIGITS;
use crate::kernel::beam::nearest::{BLOCK, MOST, OPERATIONS, Params, STEPS, STRIPE};
use crate::plan::batch::{Batch, Slot};

/// Beams of the corpus that the device has at a time: 36 MiB.
const PART: usize = 1 << 20;

/// Queries and segments together that are looked through at a time, at least.
const ITEMS: usize = 1 << 16;

/// Similarities and indices that wait to be merged, at most: 64 MiB.
const CANDIDATES: usize = 1 << 23;

/// Beams in which neighbours are looked for, as directions: checked and divided by their length once.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    beams: usize,
    directions: Vec<f32>,
}

/// The nearest beams of each query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Neighbours {
    per_query: usize,
    similarity: Vec<f32>,
    index: Vec<usize>,
}

impl Neighbours {
    /// Of each query, k.
    #[must_use]
    pub fn per_query(&self) -> usize {
        self.per_query
    }

    /// The cosines, [Q, k]: of each query from the nearest on.
    #[must_use]
    pub fn similarity(&self) -> &[f32] {
        &self.similarity
    }

    /// Which beams of the corpus these are, [Q, k]; the lower first among equals.
    #[must_use]
    pub fn index(&self) -> &[usize] {
        &self.index
    }
}

/// The distributions divided by their Euclidean length.
fn directions(digits: &Digits<'_>, what: &'static str) -> Result<Vec<f32>> {
    let items = digits.items();
    let planes = digits.planes();
    let (mut sums, mut squares, mut fine) = (vec![0.0_f64; items], vec![0.0_f64; items], vec![true; items]);
    for plane in &planes {
        for (((sum, square), fine), &x) in sums.iter_mut().zip(&mut squares).zip(&mut fine).zip(*plane) {
            let x64 = f64::from(x);
            *sum += x64;
            *square += x64 * x64;
            *fine &= x.is_finite() && x >= 0.0;
        }
    }
    let is_sum = |sum: f64| (f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&sum);
    if let Some(item) = (0..items).find(|&item| !fine[item] || !is_sum(sums[item])) {
        return Err(digits.refuse(what, item).into());
    }
    let mut directions = Vec::with_capacity(DIGITS * items);
    for plane in planes {
        directions.extend(plane.iter().zip(&squares).map(|(&x, square)| (f64::from(x) / square.sqrt()) as f32));
    }
    Ok(directions)
}

impl Corpus {
    /// The directions of the beams.
    ///
    /// # Errors
    ///
    /// Digits that are not a number, infinite or negative, or sum to 0 or to more than f32 holds: the first such beam.
    pub fn new(beams: &Digits<'_>) -> Result<Self> {
        Ok(Self { beams: beams.items(), directions: directions(beams, "the corpus")? })
    }

    /// Number of beams.
    #[must_use]
    pub fn beams(&self) -> usize {
        self.beams
    }

    /// The k beams with the largest cosine of the angle to each query, from the largest on, the lower index first among
    /// equals. The cosines of all pairs are never held.
    ///
    /// # Errors
    ///
    /// k is 0, above 64 or above the number of beams; a query that is no distribution; the device fails.
    ///
    /// # Examples
    ///
    /// ```
    /// use consilience::Engine;
    /// use consilience::beam::{Corpus, Digits};
    ///
    /// // Three beams: certain of 1, certain of 2, and between both.
    /// let mut planes = [0.0; 27];
    /// (planes[0], planes[4], planes[2], planes[5]) = (1.0, 1.0, 0.5, 0.5);
    /// let corpus = Corpus::new(&Digits::new(&planes)?)?;
    /// let query = [0.2, 0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    /// let found = corpus.nearest(&Engine::cpu()?, &Digits::new(&query)?, 2)?;
    /// assert_eq!(found.index(), [1, 2]);
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn nearest(&self, engine: &Engine, queries: &Digits<'_>, neighbours: usize) -> Result<Neighbours> {
        let mut found = Neighbours::default();
        self.nearest_into(engine, queries, neighbours, &mut found)?;
        Ok(found)
    }

    /// The same into memory that an earlier search left; says where the time went.
    ///
    /// # Errors
    ///
    /// As [`Corpus::nearest`]; what the memory then holds means nothing.
    pub fn nearest_into(
        &self,
        engine: &Engine,
        queries: &Digits<'_>,
        neighbours: usize,
        found: &mut Neighbours,
    ) -> Result<Timing> {
        check(neighbours, self.beams)?;
        let count = queries.items();
        let directions = directions(queries, "the query")?;
        *found = Neighbours { per_query: neighbours, similarity: vec![0.0; count * neighbours], index: Vec::new() };
        found.index.resize(count * neighbours, usize::MAX);
        let mut timing = Timing::default();
        for begin in (0..self.beams).step_by(PART) {
            let part = Part::new(self, begin, neighbours, count);
            let mut first = 0;
            while first < count {
                let len = part.queries_at_once.min(count - first);
                timing += part.search(engine, &directions, first, len, found)?;
                first += len;
            }
        }
        Ok(timing)
    }
}

/// How many neighbours are looked for, if there can be so many.
fn check(neighbours: usize, beams: usize) -> Result<(), BeamError> {
    if (1..=MOST.min(beams)).contains(&neighbours) {
        return Ok(());
    }
    Err(BeamError::Neighbours { neighbours, beams, most: MOST })
}

/// Part of a corpus, cut in segments.
struct Part<'a> {
    begin: usize,
    beams: usize,
    directions: Cow<'a, [f32]>,
    neighbours: usize,
    segments: usize,
    queries_at_once: usize,
}

impl<'a> Part<'a> {
    fn new(corpus: &'a Corpus, begin: usize, neighbours: usize, queries: usize) -> Self {
        let beams = PART.min(corpus.beams - begin);
        let directions = if beams == corpus.beams {
            Cow::from(&corpus.directions)
        } else {
            let planes = corpus.directions.chunks_exact(corpus.beams);
            planes.flat_map(|plane| &plane[begin..begin + beams]).copied().collect()
        };
        // A step a beam, and a move of all places for each in the worst case.
        let most = STEPS / (neighbours + 2);
        let least = 1024.max(32 * neighbours).min(most);
        let segments = ITEMS.div_ceil(queries.max(1)).min(beams / least).max(beams.div_ceil(most - STRIPE));
        let segments = segments.clamp(1, beams.div_ceil(STRIPE));
        let queries_at_once = (CANDIDATES / (neighbours * segments)).max(1);
        Self { begin, beams, directions, neighbours, segments, queries_at_once }
    }

    /// Looks through all segments for some of the queries and merges what is found with what was found before.
    fn search(
        &self,
        engine: &Engine,
        directions: &[f32],
        first: usize,
        len: usize,
        found: &mut Neighbours,
    ) -> Result<Timing> {
        let (k, count) = (self.neighbours, directions.len() / DIGITS);
        let items = self.segments * len;
        let queries: Vec<f32> =
            directions.chunks_exact(count).flat_map(|plane| plane[first..first + len].repeat(self.segments)).collect();
        let segments: Vec<u32> = (0..self.segments as u32).flat_map(|segment| (0..len).map(move |_| segment)).collect();
        let (mut similarities, mut indices) = (vec![0.0_f32; k * items], vec![0_u32; k * items]);
        let params = Params {
            neighbours: k as u32,
            beams: self.beams as u32,
            segments: self.segments as u32,
            queries: len as u32,
            last: self.beams as u32,
            ..Params::default()
        };
        let timing = engine.run_batch(Batch {
            kernel: Kernel::BeamNearest,
            items,
            block: BLOCK,
            operations: OPERATIONS * (self.beams / self.segments),
            params: bytes_of(&params),
            inputs: vec![
                Slot::<&[u8]>::items(&queries.chunks_exact(items).collect::<Vec<_>>()),
                Slot::<&[u8]>::items(&[&segments[..]]),
                Slot::shared(&self.directions),
            ],
            outputs: vec![
                Slot::<&mut [u8]>::items(similarities.chunks_exact_mut(items)),
                Slot::<&mut [u8]>::items(indices.chunks_exact_mut(items)),
            ],
        })?;
        let mut candidates: Vec<(f32, usize)> = Vec::new();
        for query in 0..len {
            let places = (first + query) * k..(first + query + 1) * k;
            let before =
                found.similarity[places.clone()].iter().copied().zip(found.index[places.clone()].iter().copied());
            candidates.clear();
            candidates.extend(before.filter(|(_, index)| *index != usize::MAX));
            for entry in (query..k * items).step_by(len).filter(|&entry| indices[entry] != u32::MAX) {
                candidates.push((similarities[entry].clamp(0.0, 1.0), self.begin + indices[entry] as usize));
            }
            candidates.sort_unstable_by(|(s, i), (t, j)| t.total_cmp(s).then(i.cmp(j)));
            for (place, &(similarity, index)) in places.zip(&candidates) {
                (found.similarity[place], found.index[place]) = (similarity, index);
            }
        }
        Ok(timing)
    }
}
