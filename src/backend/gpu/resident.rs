//! Evidence that stays on the device.

use std::ops::Range;

use bytemuck::{cast_slice, cast_slice_mut};
use wgpu::Buffer;

use crate::backend::gpu::adapter::Opened;
use crate::backend::gpu::buffers::storage;
use crate::backend::gpu::enabled::Gpu;
use crate::backend::gpu::encode::{NOT_GIVEN, Target, upload_opinions};
use crate::backend::gpu::readback::Piece as Read;
use crate::error::{DeviceError, Result};
use crate::plan::partition::{Limits, held_items, held_words, plane_words};
use crate::tensor::{Evidence, Form, Outline, OwnedEvidence, OwnedPlane, words};

/// Evidence in the device's memory, in pieces that its bindings hold. Dropped, the memory is free.
#[derive(Debug)]
pub(crate) struct Resident {
    /// The number of the device.
    pub(super) device: u64,
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
        Ok(bytes_of(outline, &ranges(outline, limits)?))
    }

    /// Uploads the evidence.
    pub(super) fn new(gpu: &Gpu, evidence: &Evidence<'_>) -> Result<Self> {
        let resident = Self::empty(gpu, evidence.outline())?;
        gpu.alone(bytes_of(&resident.outline, &resident.ranges()), |state| {
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
        let ranges = ranges(&outline, gpu.limits)?;
        Self::in_pieces(gpu, outline, ranges)
    }

    fn in_pieces(gpu: &Gpu, outline: Outline, ranges: Vec<Range<usize>>) -> Result<Self> {
        let pieces = gpu.alone(bytes_of(&outline, &ranges), |_| {
            Ok(ranges.into_iter().map(|range| Piece::new(&gpu.opened, &outline, range)).collect())
        })?;
        Ok(Self { device: gpu.opened.number, outline, pieces })
    }

    fn ranges(&self) -> Vec<Range<usize>> {
        self.pieces.iter().map(|piece| piece.start..piece.start + piece.items).collect()
    }

    /// What some of the sources take by themselves, in bytes.
    pub(super) fn selected_bytes(&self, sources: &[usize]) -> u64 {
        bytes_of(&self.outline.select(sources), &self.ranges())
    }

    /// Some of the sources, copied on the device when the chain runs, in pieces of the same items.
    pub(super) fn select(&self, gpu: &Gpu, sources: &[usize]) -> Result<Self> {
        let selected = Self::in_pieces(gpu, self.outline.select(sources), self.ranges())?;
        let classes = self.outline.classes as u64;
        gpu.alone(0, |state| {
            for (from, to) in self.pieces.iter().zip(&selected.pieces) {
                let items = from.items as u64;
                let words = |source: usize| plane_words(self.outline.forms[source], items, classes);
                let mut at = 0;
                for (place, &source) in sources.iter().enumerate() {
                    let start = (0..source).map(words).sum::<u64>();
                    let (presence, each) = (items.div_ceil(32), |plane: usize, words: u64| plane as u64 * words);
                    let mut copy = |from: &Buffer, first: u64, to: &Buffer, at: u64, words: u64| {
                        state.chain.copy(&gpu.opened, (from, 4 * first..4 * (first + words)), (to, 4 * at));
                    };
                    copy(&from.evidence, start, &to.evidence, at, words(source));
                    if self.outline.presence {
                        copy(&from.presence, each(source, presence), &to.presence, each(place, presence), presence);
                    }
                    if self.outline.confidence {
                        copy(&from.confidence, each(source, items), &to.confidence, each(place, items), items);
                    }
                    at += words(source);
                }
            }
            Ok(())
        })?;
        Ok(selected)
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
        Ok(OwnedEvidence::new(self.outline.classes, self.read_part(gpu, piece, place..place + 1)?))
    }

    /// All items, read back.
    pub(super) fn read(&self, gpu: &Gpu) -> Result<OwnedEvidence> {
        let parts = self.pieces.iter().map(|piece| self.read_part(gpu, piece, 0..piece.items));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let whole = |(source, &form): (usize, &Form)| {
            let parts = || parts.iter().map(|planes| &planes[source]);
            let bytes: Vec<u8> = parts().flat_map(|plane| &cast_slice(&plane.words)[..plane.bytes]).copied().collect();
            let join = |presence: Vec<&Vec<bool>>| presence.into_iter().flatten().copied().collect::<Vec<_>>();
            let presence = Some(join(parts().filter_map(|plane| plane.presence.as_ref()).collect()));
            let confidence = parts().map(|plane| plane.confidence.clone()).collect::<Option<Vec<_>>>();
            OwnedPlane {
                form,
                words: words(&bytes),
                bytes: bytes.len(),
                presence: presence.filter(|presence| presence.contains(&false)),
                confidence: confidence.map(|parts| parts.concat()).filter(|given| !given.is_empty()),
            }
        };
        let planes = self.outline.forms.iter().enumerate().map(whole).collect();
        Ok(OwnedEvidence::new(self.outline.classes, planes))
    }

    /// Some of the items of a piece, counted from its first, read back.
    fn read_part(&self, gpu: &Gpu, piece: &Piece, places: Range<usize>) -> Result<Vec<OwnedPlane>> {
        gpu.settle(None)?;
        let mut start = 0;
        let plane = |(source, &form): (usize, &Form)| {
            let each = form.bytes_per_item(self.outline.classes);
            let bytes = 4 * start + places.start * each..4 * start + places.end * each;
            start += plane_words(form, piece.items as u64, self.outline.classes as u64) as usize;
            let len = bytes.len();
            let words = read(gpu, &piece.evidence, bytes)?;
            let presence = if self.outline.presence {
                let (first, plane) = (places.start / 32, 4 * source * piece.items.div_ceil(32));
                let bits = read(gpu, &piece.presence, plane + 4 * first..plane + 4 * places.end.div_ceil(32))?;
                let bit = |place: usize| bits[place / 32 - first] >> (place % 32) & 1 == 1;
                Some(places.clone().map(bit).collect())
            } else {
                None
            };
            let confidence = if self.outline.confidence {
                let plane = source * piece.items;
                let given = read(gpu, &piece.confidence, 4 * (plane + places.start)..4 * (plane + places.end))?;
                let given: Vec<f32> = given.into_iter().map(f32::from_bits).collect();
                // One that is given is never this number.
                given.iter().all(|&c| c != NOT_GIVEN).then_some(given)
            } else {
                None
            };
            Ok(OwnedPlane { form, words, bytes: len, presence, confidence })
        };
        self.outline.forms.iter().enumerate().map(plane).collect()
    }
}

impl Piece {
    fn new(opened: &Opened, outline: &Outline, range: Range<usize>) -> Self {
        let [evidence_words, presence_words, confidence_words] = held_words(outline, range.len() as u64);
        let create = |name, words: u64| storage(opened, name, 4 * words.max(1));
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

/// What evidence that looks like this takes in these pieces, in bytes.
fn bytes_of(outline: &Outline, ranges: &[Range<usize>]) -> u64 {
    let of = |range: &Range<usize>| held_words(outline, range.len() as u64).map(|words| 4 * words.max(1));
    ranges.iter().flat_map(of).sum()
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
