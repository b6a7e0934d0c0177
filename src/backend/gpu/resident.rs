//! Evidence that stays on the device.

use std::ops::Range;

use bytemuck::{cast_slice, cast_slice_mut};
use wgpu::{Buffer, BufferDescriptor, BufferUsages};

use crate::backend::gpu::adapter::Opened;
use crate::backend::gpu::enabled::Gpu;
use crate::backend::gpu::encode::{NOT_GIVEN, Target, upload_opinions};
use crate::backend::gpu::readback::Piece as Read;
use crate::error::{DeviceError, Result};
use crate::plan::partition::{Limits, held_items, held_words, plane_words};
use crate::tensor::{Evidence, Form, Outline, OwnedEvidence, OwnedPlane, words};

/// Evidence in the device's memory, in pieces that its bindings hold. Dropped, the memory is free.
#[derive(Debug)]
pub(crate) struct Resident {
    outline: Outline,
    /// In the order of their items.
    pieces: Vec<Piece>,
}

/// Some of the items, laid out as the kernels read a chunk.
#[derive(Debug)]
pub(super) struct Piece {
    pub start: usize,
    pub items: usize,
    evidence: Buffer,
    presence: Buffer,
    confidence: Buffer,
}

impl Resident {
    /// What evidence that looks like this takes, in bytes.
    pub(super) fn bytes(outline: &Outline, limits: Limits) -> Result<u64> {
        let of = |range: Range<usize>| held_words(outline, range.len() as u64).map(|words| 4 * words.max(1));
        Ok(ranges(outline, limits)?.into_iter().flat_map(of).sum())
    }

    /// Uploads the evidence.
    pub(super) fn new(gpu: &Gpu, evidence: &Evidence<'_>) -> Result<Self> {
        let resident = Self::empty(gpu, evidence.outline())?;
        gpu.alone(0, |state| {
            for piece in &resident.pieces {
                let range = piece.start..piece.start + piece.items;
                upload_opinions(&gpu.opened, &mut state.upload, evidence, &resident.outline, range, piece.target())?;
                state.upload.flush(&gpu.opened)?;
            }
            Ok(())
        })?;
        Ok(resident)
    }

    /// Room for evidence that looks like this.
    pub(super) fn empty(gpu: &Gpu, outline: Outline) -> Result<Self> {
        let pieces = gpu.alone(Self::bytes(&outline, gpu.limits)?, |_| {
            let ranges = ranges(&outline, gpu.limits)?.into_iter();
            Ok(ranges.map(|range| Piece::new(&gpu.opened, &outline, range)).collect())
        })?;
        Ok(Self { outline, pieces })
    }

    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Items of the largest piece.
    pub(super) fn largest(&self) -> usize {
        self.pieces.iter().map(|piece| piece.items).max().unwrap_or_default()
    }

    /// One item, read back.
    pub(super) fn item(&self, gpu: &Gpu, item: usize) -> Result<OwnedEvidence> {
        // Whoever asks got the item from a run over what is held.
        let piece = self.pieces.iter().find(|piece| (piece.start..piece.start + piece.items).contains(&item));
        let piece = piece.ok_or(DeviceError::HeldElsewhere)?;
        let place = item - piece.start;
        let mut start = 0;
        let plane = |(source, &form): (usize, &Form)| {
            let each = form.bytes_per_item(self.outline.classes);
            let from = 4 * start + place * each;
            start += plane_words(form, piece.items as u64, self.outline.classes as u64) as usize;
            let words = read(gpu, &piece.evidence, from..from + each)?;
            let presence = if self.outline.presence {
                let at = source * piece.items.div_ceil(32) + place / 32;
                let word = read(gpu, &piece.presence, 4 * at..4 * at + 4)?;
                Some(vec![word[0] >> (place % 32) & 1 == 1])
            } else {
                None
            };
            let confidence = if self.outline.confidence {
                let at = source * piece.items + place;
                let given = f32::from_bits(read(gpu, &piece.confidence, 4 * at..4 * at + 4)?[0]);
                (given != NOT_GIVEN).then(|| vec![given])
            } else {
                None
            };
            Ok(OwnedPlane { form, words, bytes: each, presence, confidence })
        };
        let planes = self.outline.forms.iter().enumerate().map(plane).collect::<Result<Vec<_>>>()?;
        Ok(OwnedEvidence::new(self.outline.classes, planes))
    }
}

impl Piece {
    fn new(opened: &Opened, outline: &Outline, range: Range<usize>) -> Self {
        let [evidence_words, presence_words, confidence_words] = held_words(outline, range.len() as u64);
        let create = |label, words: u64| {
            opened.device.create_buffer(&BufferDescriptor {
                label: Some(label),
                size: 4 * words.max(1),
                usage: BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            })
        };
        Self {
            start: range.start,
            items: range.len(),
            evidence: create("held evidence", evidence_words),
            presence: create("held presence", presence_words),
            confidence: create("held confidence", confidence_words),
        }
    }

    pub(super) fn target(&self) -> Target<'_> {
        Target { evidence: &self.evidence, presence: &self.presence, confidence: &self.confidence }
    }
}

/// The items of each piece.
fn ranges(outline: &Outline, limits: Limits) -> Result<Vec<Range<usize>>> {
    let at_most = held_items(outline, limits)? as usize;
    let range = |start: usize| start..outline.items.min(start + at_most);
    Ok((0..outline.items).step_by(at_most).map(range).collect())
}

/// Some bytes of a buffer, from the beginning of the words on.
fn read(gpu: &Gpu, from: &Buffer, bytes: Range<usize>) -> Result<Vec<u32>> {
    let (begin, end) = (bytes.start / 4 * 4, bytes.end.next_multiple_of(4));
    let mut whole = vec![0_u32; (end - begin) / 4];
    gpu.alone((end - begin) as u64, |state| {
        let to = cast_slice_mut(&mut whole);
        state.readback.read(&gpu.opened, vec![Read { from, from_offset: begin as u64, to }])
    })?;
    let bytes = &cast_slice::<u32, u8>(&whole)[bytes.start - begin..bytes.end - begin];
    Ok(words(bytes))
}
