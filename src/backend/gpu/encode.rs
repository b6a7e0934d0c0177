//! One chunk of one step in bytes: what each binding holds, and what is uploaded to it.

use bytemuck::{bytes_of, cast_slice};

use crate::backend::gpu::adapter::Opened;
use crate::backend::gpu::buffers::Buffers;
use crate::backend::gpu::upload::Upload;
use crate::error::Result;
use crate::kernel::fusion::pool::Params;
use crate::plan::Step;
use crate::plan::partition::{Grid, grid};
use crate::tensor::{Evidence, Output};

/// Binding numbers: places in `pool::BINDINGS`.
const PARAMS: usize = 0;
const EVIDENCE: usize = 1;
const PRESENCE: usize = 2;
const CONFIDENCE: usize = 3;
const TABLES: usize = 4;
pub(super) const POSTERIOR: usize = 5;
pub(super) const COLUMNS: usize = 6;
pub(super) const STATUS: usize = 7;

/// What `confidence` holds where a source gives none.
const NOT_GIVEN: f32 = f32::NEG_INFINITY;

/// Confidences that are made ready for upload at a time.
const BATCH: usize = 16 << 10;

/// Items `start` to `start + items` of a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub step: &'a Step,
    pub start: usize,
    pub items: usize,
}

impl Chunk<'_> {
    fn sources(&self) -> usize {
        self.step.pool.sources.len()
    }

    fn presence_words(&self) -> usize {
        self.items.div_ceil(32)
    }

    /// The grid that covers it.
    pub(super) fn grid(&self) -> Grid {
        grid(self.step.kernel, self.items as u32, self.step.pool.classes as u32)
    }

    /// Bytes of each binding; of one that is not used, a word, because nothing cannot be bound.
    pub(super) fn bytes(&self) -> [u64; 8] {
        let (n, items, classes) = (self.sources(), self.items, self.step.pool.classes);
        let asked = |output| self.step.pool.outputs.contains(output);
        let columns = self.step.pool.outputs.iter().filter(|&output| output != Output::Posterior).count();
        let words = [
            size_of::<Params>() / 4,
            n * items * classes,
            if self.step.presence { n * self.presence_words() } else { 0 },
            if self.step.confidence { n * items } else { 0 },
            4 * n + classes,
            if asked(Output::Posterior) { items * classes } else { 0 },
            columns * items,
            1,
        ];
        words.map(|words| 4 * words.max(1) as u64)
    }

    fn params(&self) -> Params {
        let pool = &self.step.pool;
        let grid = self.grid();
        let [mix_linear, mix_vote, mix_max_vote, mix_bayesian_average, mix_log_pool] = pool.mix;
        Params {
            items: self.items as u32,
            sources: self.sources() as u32,
            classes: pool.classes as u32,
            stride: self.items as u32,
            items_per_group: grid.items_per_group,
            groups_per_row: grid.groups_per_row,
            presence_words: self.presence_words() as u32,
            gamma: pool.gamma,
            ln_floor: pool.ln_floor(),
            inverse_ln_classes: pool.inverse_ln_classes(),
            mix_linear,
            mix_vote,
            mix_max_vote,
            mix_bayesian_average,
            mix_log_pool,
            reserved: 0,
        }
    }

    /// Uploads all that the kernel reads.
    pub(super) fn upload(
        &self,
        opened: &Opened,
        upload: &mut Upload,
        buffers: &Buffers,
        evidence: &Evidence<'_>,
    ) -> Result<()> {
        let pool = &self.step.pool;
        let mut write =
            |binding: usize, offset: usize, data: &[u8]| upload.write(opened, buffers.at(binding), offset as u64, data);
        write(PARAMS, 0, bytes_of(&self.params()))?;
        write(TABLES, 0, cast_slice(&pool.sources))?;
        write(TABLES, 16 * pool.sources.len(), cast_slice(&pool.class_prior))?;
        write(STATUS, 0, bytes_of(&u32::MAX))?;
        let range = self.start..self.start + self.items;
        let values = range.start * pool.classes..range.end * pool.classes;
        for source in 0..self.sources() {
            let plane = &evidence.plane(source)[values.clone()];
            write(EVIDENCE, 4 * source * plane.len(), cast_slice(plane))?;
            if self.step.presence {
                let bits = presence_bits(evidence.presence(source).map(|mask| &mask[range.clone()]), self.items);
                write(PRESENCE, 4 * source * bits.len(), cast_slice(&bits))?;
            }
            if self.step.confidence {
                let given = evidence.confidence(source).map(|given| &given[range.clone()]);
                for at in (0..self.items).step_by(BATCH) {
                    let len = BATCH.min(self.items - at);
                    let batch = given_or_not(given.map(|given| &given[at..at + len]), len);
                    write(CONFIDENCE, 4 * (source * self.items + at), cast_slice(&batch))?;
                }
            }
        }
        upload.flush(opened)
    }
}

/// One bit per item, lowest first; all ones without a mask.
fn presence_bits(mask: Option<&[bool]>, items: usize) -> Vec<u32> {
    let Some(mask) = mask else { return vec![u32::MAX; items.div_ceil(32)] };
    let word = |present: &[bool]| present.iter().rev().fold(0, |word, &bit| word << 1 | u32::from(bit));
    mask.chunks(32).map(word).collect()
}

/// The given confidences so that none reads as not given, or `len` that do.
fn given_or_not(given: Option<&[f32]>, len: usize) -> Vec<f32> {
    let Some(given) = given else { return vec![NOT_GIVEN; len] };
    // As invalid as any number below zero.
    given.iter().map(|&c| if c == NOT_GIVEN { -1.0 } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presence_takes_one_bit_an_item_lowest_first() {
        let mut mask = [true; 34];
        (mask[1], mask[33]) = (false, false);
        assert_eq!(presence_bits(Some(&mask), 34), [0xffff_fffd, 1]);
        assert_eq!(presence_bits(None, 33), [u32::MAX; 2]);
    }

    #[test]
    fn no_given_confidence_reads_as_not_given() {
        assert_eq!(given_or_not(Some(&[0.5, f32::NEG_INFINITY]), 2), [0.5, -1.0]);
        assert_eq!(given_or_not(None, 1), [f32::NEG_INFINITY]);
    }
}
