//! The nearest beams of a corpus that an engine holds, to queries that it holds.

use bytemuck::bytes_of;

use super::{Corpus, Neighbours, PART, check};
use crate::engine::{Engine, Operation, Read, ResidentArray, ResidentPlanes, Within};
use crate::error::{LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::beam::fuse::DIGITS;
use crate::kernel::beam::nearest::{BLOCK, OPERATIONS, Params, STRIPE};

/// What a query sums to, at least: its largest digit is a normal number then.
const LEAST: f32 = DIGITS as f32 * f32::MIN_POSITIVE;

/// [`Corpus`] in the memory of the engine that looks through it. Dropped, the memory is free.
///
/// # Examples
///
/// *Where fused beams stand among others, without a beam on the host.*
///
/// ```
/// use consilience::Engine;
/// use consilience::beam::{Corpus, Digits};
///
/// let engine = Engine::cpu()?;
/// // Three beams: certain of 1, certain of 2, and between both.
/// let mut planes = [0.0; 27];
/// (planes[0], planes[4], planes[2], planes[5]) = (1.0, 1.0, 0.5, 0.5);
/// let corpus = Corpus::new(&Digits::new(&planes)?)?.upload(&engine)?;
/// let query = engine.upload_planes(&[0.2_f32, 0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 9)?;
/// let found = corpus.nearest(&engine, &query, 2)?;
/// assert_eq!(found.index().read(&engine)?, [1, 2]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct ResidentCorpus {
    beams: usize,
    /// Nine planes of beams, one after the other.
    directions: ResidentArray<f32>,
}

/// [`Neighbours`] in the memory of the engine that found them. Dropped, the memory is free.
#[derive(Debug)]
pub struct ResidentNeighbours {
    similarity: ResidentArray<f32>,
    index: ResidentArray<u32>,
}

impl Corpus {
    /// Uploads the directions of the beams.
    ///
    /// # Errors
    ///
    /// They pass what may be held, or the device fails.
    pub fn upload(&self, engine: &Engine) -> Result<ResidentCorpus> {
        Ok(ResidentCorpus { beams: self.beams, directions: engine.upload_array(&self.directions)? })
    }
}

impl ResidentCorpus {
    /// Number of beams.
    #[must_use]
    pub const fn beams(&self) -> usize {
        self.beams
    }

    /// [`Corpus::nearest`] of queries that are held, nine planes of digits: the neighbours are held as well. A lane looks
    /// through the whole corpus for its query, so that a device is at work with as many queries as it has lanes.
    ///
    /// Cosines are the host's within 1e-6, the neighbours where they differ by more.
    ///
    /// # Errors
    ///
    /// k is 0, above 64 or above the number of beams; queries of other than nine planes; another engine holds one, the
    /// neighbours pass what may be held, the device fails. Of a query that is no distribution, or sums to less than 1.1e-37,
    /// whoever reads the neighbours is told.
    pub fn nearest<'a>(
        &self,
        engine: &Engine,
        queries: impl Into<ResidentPlanes<'a, f32>>,
        neighbours: usize,
    ) -> Result<ResidentNeighbours> {
        let queries = queries.into();
        check(neighbours, self.beams)?;
        LengthError::check("the queries' list of planes", DIGITS, queries.planes())?;
        let items = queries.items();
        let within = Within {
            operation: Kernel::BeamNearest.name(),
            must: "have digits that are finite and not negative, and a sum that is a normal number",
            ranges: &[[0.0, f32::MAX]; DIGITS],
            sum: Some((DIGITS, [LEAST, f32::MAX])),
        };
        let fine = engine.within(queries.clone(), within)?;
        let (mut similarity, mut index) = (engine.new_array(neighbours, items)?, engine.new_array(neighbours, items)?);
        // A step a beam, and a move of all places for each in the worst case, behind those of what was found before.
        let steps = engine.loop_steps(&self.directions)?.map(|most| most as usize / (neighbours + 2) - neighbours);
        let at_once = steps.unwrap_or(PART).clamp(STRIPE, PART) / STRIPE * STRIPE;
        for first in (0..self.beams).step_by(at_once) {
            let last = self.beams.min(first + at_once);
            let params = Params {
                neighbours: neighbours as u32,
                beams: self.beams as u32,
                segments: 1,
                queries: items as u32,
                first: first as u32,
                last: last as u32,
                any_length: 1,
                ..Params::default()
            };
            let outputs = if first == 0 {
                vec![similarity.written(), index.written()]
            } else {
                vec![similarity.updated(engine)?, index.updated(engine)?]
            };
            engine.operate(Operation {
                kernel: Kernel::BeamNearest,
                items,
                block: BLOCK,
                operations: OPERATIONS * (last - first),
                params: bytes_of(&params),
                inputs: vec![
                    queries.reading(engine)?.subject_to(fine.clone()),
                    Read::none(),
                    self.directions.shared(engine)?,
                ],
                outputs,
                refuses: None,
            })?;
        }
        Ok(ResidentNeighbours { similarity, index })
    }
}

impl ResidentNeighbours {
    /// Of each query, k.
    #[must_use]
    pub const fn per_query(&self) -> usize {
        self.index.planes()
    }

    /// The cosines, [k, Q]: a plane of the nearest, then one of the next.
    #[must_use]
    pub const fn similarity(&self) -> &ResidentArray<f32> {
        &self.similarity
    }

    /// Which beams of the corpus these are, [k, Q]; the lower first among equals.
    #[must_use]
    pub const fn index(&self) -> &ResidentArray<u32> {
        &self.index
    }

    /// The neighbours on the host, [Q, k].
    ///
    /// # Errors
    ///
    /// Another engine holds them; a query is no distribution, or an operation that led to it refused it; the device fails.
    pub fn read(&self, engine: &Engine) -> Result<Neighbours> {
        let (similarity, index) = (self.similarity.read(engine)?, self.index.read(engine)?);
        let (k, queries) = (self.per_query(), self.index.items());
        let places = || (0..queries).flat_map(|query| (0..k).map(move |place| place * queries + query));
        Ok(Neighbours {
            per_query: k,
            similarity: places().map(|place| similarity[place].clamp(0.0, 1.0)).collect(),
            index: places().map(|place| index[place] as usize).collect(),
        })
    }
}
