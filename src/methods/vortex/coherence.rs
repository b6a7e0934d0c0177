//! How far sequences follow a ring.

use bytemuck::{bytes_of, cast_slice};

use super::Ring;
use crate::backend::Timing;
use crate::engine::{Engine, Operation, Read, ResidentArray, ResidentPlanes};
use crate::error::{LengthError, Result, VortexError};
use crate::kernel::Kernel;
use crate::kernel::vortex::coherence::{BLOCK, LONGEST, Params};
use crate::plan::batch::{Batch, Slot, lowest_refused};

impl Ring {
    /// How far each of B sequences of positions follows this ring: the share of its steps that are steps of the ring, or of
    /// those that are steps back, whichever is larger. A perfect cycle scores 1 in either direction, positions at random
    /// about 1 / m.
    ///
    /// `sequences` is [L, B]: the first position of all sequences first.
    ///
    /// # Errors
    ///
    /// A length L that is not 2 to 32,768, or that the entries are no multiple of; a position that is not on the ring: the
    /// first sequence with one; the device fails.
    ///
    /// # Examples
    ///
    /// *The flow and its reverse, one beside the other, and one step that leaves it.*
    ///
    /// ```
    /// use consilience::{Engine, vortex::Ring};
    ///
    /// let ring = Ring::new(9, 2)?;
    /// let sequences = [1, 5, 1, /**/ 2, 7, 2, /**/ 4, 8, 4, /**/ 8, 4, 9, /**/ 7, 2, 9];
    /// assert_eq!(ring.coherence(&Engine::cpu()?, 5, &sequences)?, [1.0, 1.0, 0.75]);
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn coherence(&self, engine: &Engine, length: usize, sequences: &[u32]) -> Result<Vec<f32>> {
        let mut scores = vec![0.0; sequences.len().checked_div(length).unwrap_or(0)];
        self.coherence_into(engine, length, sequences, &mut scores)?;
        Ok(scores)
    }

    /// The same into memory at hand; says where the time went.
    ///
    /// # Errors
    ///
    /// As [`Ring::coherence`]; what `scores` holds then means nothing.
    pub fn coherence_into(
        &self,
        engine: &Engine,
        length: usize,
        sequences: &[u32],
        scores: &mut [f32],
    ) -> Result<Timing> {
        let (params, next) = self.coherence_params(length)?;
        let items = sequences.len() / length;
        LengthError::check("the array of sequences", length * items, sequences.len())?;
        LengthError::check("scores", items, scores.len())?;
        if items == 0 {
            return Ok(Timing::default());
        }
        let planes: Vec<&[u32]> = sequences.chunks_exact(items).collect();
        let mut refused = vec![u32::MAX; items.div_ceil(BLOCK)];
        let timing = engine.run_batch(Batch {
            kernel: Kernel::Coherence,
            items,
            block: BLOCK,
            operations: 0,
            params: bytes_of(&params),
            inputs: vec![Slot::<&[u8]>::items(&planes), Slot::shared(&next)],
            outputs: vec![Slot::<&mut [u8]>::items([scores]), Slot::blocks(&mut refused)],
        })?;
        let Some(item) = lowest_refused(refused, BLOCK) else { return Ok(timing) };
        let m = self.modulus();
        let position = planes.iter().map(|plane| plane[item]).find(|&position| position > m).unwrap_or(u32::MAX);
        Err(VortexError::Position { item, position, most: m }.into())
    }

    /// [`Ring::coherence`] of sequences that are held, as long as there are planes; the scores are held as well.
    ///
    /// # Errors
    ///
    /// Not 2 to 32,768 planes, another engine holds them, the scores pass what may be held, the device fails. Of a position that
    /// is not on the ring whoever reads the scores is told.
    pub fn coherence_resident<'a>(
        &self,
        engine: &Engine,
        sequences: impl Into<ResidentPlanes<'a, u32>>,
    ) -> Result<ResidentArray<f32>> {
        let sequences = sequences.into();
        let (params, next) = self.coherence_params(sequences.planes())?;
        let mut scores = engine.new_array(1, sequences.items())?;
        engine.operate(Operation {
            kernel: Kernel::Coherence,
            items: sequences.items(),
            block: BLOCK,
            operations: 0,
            params: bytes_of(&params),
            inputs: vec![sequences.reading(engine)?, Read::Shared(cast_slice(&next))],
            outputs: vec![scores.written()],
            refuses: Some((1, "be a sequence of positions of the ring")),
        })?;
        Ok(scores)
    }

    /// What the kernel is told, and where a step leads from each position.
    fn coherence_params(&self, length: usize) -> Result<(Params, Vec<u32>)> {
        if !(2..=LONGEST).contains(&length) {
            return Err(VortexError::Sequence { length }.into());
        }
        let modulus = self.modulus();
        let next = (0..=modulus).filter_map(|x| self.orbit(x, 1).ok()).collect();
        Ok((Params { length: length as u32, modulus, ..Params::default() }, next))
    }
}
