//! One chunk of one step in bytes: what is uploaded to each binding.

use std::ops::Range;

use bytemuck::{bytes_of, cast_slice};
use wgpu::Buffer;

use crate::backend::gpu::adapter::Opened;
use crate::backend::gpu::buffers::Buffers;
use crate::backend::gpu::upload::Upload;
use crate::error::Result;
use crate::kernel::fusion::pool::{BINDINGS, Params, Pool, SourceTerms};
use crate::plan::Step;
use crate::plan::partition::{Grid, PARAMS, STATUS, TABLES, grid, plane_words, words};
use crate::tensor::{Encoding, Evidence, Form, Outline};

/// What `confidence` holds where a source gives none.
pub(super) const NOT_GIVEN: f32 = f32::NEG_INFINITY;

/// Confidences that are made ready for upload at a time.
const BATCH: usize = 16 << 10;

/// The form of sources that are not all f32 rows alike, in the place of a form's number.
pub(super) const MIXED: u32 = 11;

/// The number of a form in the shaders.
pub(super) const fn number(form: Form) -> u32 {
    match form {
        Form::F32(Encoding::Probabilities) => 0,
        Form::F32(Encoding::LogProbabilities) => 1,
        Form::F32(Encoding::Logits) => 2,
        Form::ProbabilitiesBf16 => 3,
        Form::LogitsBf16 => 4,
        Form::QuantisedU8 => 5,
        Form::LabelsU8 => 6,
        Form::LabelsU16 => 7,
        Form::Binary => 8,
        Form::ProbabilitiesF16 => 9,
        Form::LogitsF16 => 10,
    }
}

/// What one dispatch of a step computes, and what its buffers hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub step: &'a Step,
    /// How many items the buffers hold.
    pub held: usize,
    /// The first of them that is computed.
    pub first: usize,
    /// How many are computed.
    pub items: usize,
    /// Where the rows of evidence lie, of f32 rows alike.
    pub evidence: Rows,
    /// Where the rows of the posterior go.
    pub posterior: Rows,
}

/// Where the rows of one buffer lie, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rows {
    /// The first.
    pub at: u32,
    /// From one source's first row to the next one's.
    pub plane: u32,
    /// From row to row.
    pub row: u32,
}

impl Rows {
    /// One behind the other.
    fn dense(items: usize, classes: usize) -> Self {
        Self { at: 0, plane: (items * classes) as u32, row: classes as u32 }
    }
}

impl<'a> Chunk<'a> {
    /// All that the buffers hold.
    pub(super) fn whole(step: &'a Step, items: usize) -> Self {
        let rows = Rows::dense(items, step.pool.classes);
        Self { step, held: items, first: 0, items, evidence: rows, posterior: rows }
    }

    fn pool(&self) -> &Pool {
        &self.step.pool
    }

    fn sources(&self) -> usize {
        self.pool().sources.len()
    }

    /// The grid that covers it.
    pub(super) fn grid(&self) -> Grid {
        grid(self.items as u32, self.pool().classes as u32)
    }

    /// Bytes of each binding; of one that is not used, a word, because nothing cannot be bound.
    pub(super) fn bytes(&self) -> [u64; BINDINGS.len()] {
        words(self.step, self.held as u64).map(|words| 4 * words.max(1))
    }

    /// The source terms, each with its form and the word at which its opinions begin, and that word.
    fn sources_placed(&self) -> Vec<SourceTerms> {
        let mut start = 0;
        let place = |(terms, &form): (&SourceTerms, &Form)| {
            let placed = SourceTerms { form: number(form), start: start as u32, ..*terms };
            start += plane_words(form, self.held as u64, self.pool().classes as u64);
            placed
        };
        self.pool().sources.iter().zip(&self.pool().forms).map(place).collect()
    }

    pub(super) fn params(&self) -> Params {
        let pool = self.pool();
        let grid = self.grid();
        let class_weights_at = size_of::<SourceTerms>() / 4 * pool.sources.len() + pool.classes;
        let confusion_at = class_weights_at + pool.class_weights.len();
        let [
            mix_linear,
            mix_vote,
            mix_max_vote,
            mix_bayesian_average,
            mix_log_pool,
            mix_extremised,
            mix_evidence,
            mix_power_mean,
            mix_median,
            mix_trimmed,
            mix_dempster_shafer,
            mix_belief,
            mix_confusion,
            mix_stacked,
            mix_adaptive,
        ] = pool.mix;
        Params {
            items: (self.first + self.items) as u32,
            sources: self.sources() as u32,
            classes: pool.classes as u32,
            stride: self.held as u32,
            items_per_group: grid.items_per_group,
            groups_per_row: grid.groups_per_row,
            presence_words: self.held.div_ceil(32) as u32,
            gamma: pool.gamma,
            ln_floor: pool.ln_floor(),
            inverse_ln_classes: pool.inverse_ln_classes(),
            steepness: pool.steepness,
            extremise: pool.extremise,
            power: pool.power,
            trim: pool.trim,
            belief_constant: pool.belief_constant(),
            inverse_temperature: pool.inverse_temperature,
            class_weights_at: class_weights_at as u32,
            confusion_at: confusion_at as u32,
            stack_at: (confusion_at + pool.confusion.len()) as u32,
            mix_linear,
            mix_vote,
            mix_max_vote,
            mix_bayesian_average,
            mix_log_pool,
            mix_extremised,
            mix_evidence,
            mix_power_mean,
            mix_median,
            mix_trimmed,
            mix_dempster_shafer,
            mix_belief,
            mix_confusion,
            mix_stacked,
            mix_adaptive,
            first: self.first as u32,
            plane: self.evidence.plane,
            row: self.evidence.row,
            evidence_at: self.evidence.at,
            answer_row: self.posterior.row,
            answer_at: self.posterior.at,
        }
    }

    /// Uploads what the kernel reads beside the evidence, and where it is to begin.
    pub(super) fn upload(&self, opened: &Opened, upload: &mut Upload, buffers: &Buffers) -> Result<()> {
        upload.write(opened, buffers.at(PARAMS), 0, bytes_of(&self.params()))?;
        if self.first > 0 {
            // The rest is there from the first of the chunk's dispatches.
            return upload.flush(opened);
        }
        upload.write(opened, buffers.at(STATUS), 0, bytes_of(&u32::MAX))?;
        upload.write(opened, buffers.at(TABLES), 0, &self.tables())?;
        upload.flush(opened)
    }

    /// What the kernel reads of sources and classes.
    pub(super) fn tables(&self) -> Vec<u8> {
        let (pool, placed) = (self.pool(), self.sources_placed());
        [
            cast_slice(&placed),
            cast_slice(&pool.class_prior),
            cast_slice(&pool.class_weights),
            cast_slice(&pool.confusion),
            cast_slice(&pool.stack),
            cast_slice(&pool.bias),
        ]
        .concat()
    }
}

/// Where evidence lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub evidence: &'a Buffer,
    pub presence: &'a Buffer,
    pub confidence: &'a Buffer,
}

/// Writes some of the items of evidence that looks like this; they are there after the next flush.
pub(super) fn upload_opinions(
    opened: &Opened,
    upload: &mut Upload,
    evidence: &Evidence<'_>,
    outline: &Outline,
    range: Range<usize>,
    to: Target<'_>,
) -> Result<()> {
    let (items, classes) = (range.len(), outline.classes);
    let mut start = 0;
    for (source, &form) in outline.forms.iter().enumerate() {
        let Some(opinions) = evidence.opinions(source) else { continue };
        let (whole, rest) = whole_words(opinions.bytes(range.clone(), classes));
        upload.write(opened, to.evidence, 4 * start, whole)?;
        upload.write(opened, to.evidence, 4 * start + whole.len() as u64, &rest)?;
        start += plane_words(form, items as u64, classes as u64);
        if outline.presence {
            let bits = presence_bits(evidence.presence(source).map(|mask| &mask[range.clone()]), items);
            upload.write(opened, to.presence, 4 * (source * bits.len()) as u64, cast_slice(&bits))?;
        }
        if outline.confidence {
            let given = evidence.confidence(source).map(|given| &given[range.clone()]);
            for at in (0..items).step_by(BATCH) {
                let len = BATCH.min(items - at);
                let batch = given_or_not(given.map(|given| &given[at..at + len]), len);
                upload.write(opened, to.confidence, 4 * (source * items + at) as u64, cast_slice(&batch))?;
            }
        }
    }
    Ok(())
}

/// The bytes that make up whole words, and what is left of a last one, filled up with zeros; nothing if none is.
fn whole_words(bytes: &[u8]) -> (&[u8], Vec<u8>) {
    let (whole, rest) = bytes.split_at(bytes.len() / 4 * 4);
    let mut last = rest.to_vec();
    last.resize(rest.len().next_multiple_of(4), 0);
    (whole, last)
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
    fn forms_have_the_numbers_of_the_shaders() {
        let shader = include_str!("../../../shaders/shared/fusion/layout.wgsl");
        for (name, want) in [
            ("PROBABILITIES", number(Form::F32(Encoding::Probabilities))),
            ("LOG_PROBABILITIES", number(Form::F32(Encoding::LogProbabilities))),
            ("LOGITS", number(Form::F32(Encoding::Logits))),
            ("PROBABILITIES_BF16", number(Form::ProbabilitiesBf16)),
            ("LOGITS_BF16", number(Form::LogitsBf16)),
            ("QUANTISED_U8", number(Form::QuantisedU8)),
            ("LABELS_U8", number(Form::LabelsU8)),
            ("LABELS_U16", number(Form::LabelsU16)),
            ("BINARY", number(Form::Binary)),
            ("PROBABILITIES_F16", number(Form::ProbabilitiesF16)),
            ("LOGITS_F16", number(Form::LogitsF16)),
            ("MIXED", MIXED),
        ] {
            let line = format!("const {name}: u32 = {want}u;");
            assert!(shader.lines().any(|found| found == line), "no line `{line}`");
        }
    }

    #[test]
    fn the_last_word_of_a_plane_is_filled_up() {
        assert_eq!(whole_words(&[1, 2, 3, 4, 5]), (&[1, 2, 3, 4][..], vec![5, 0, 0, 0]));
        assert_eq!(whole_words(&[1, 2, 3, 4]), (&[1, 2, 3, 4][..], vec![]));
    }

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
