//! Answers that stay on the device.

use std::ops::Range;

use wgpu::Buffer;

use crate::backend::gpu::buffers::storage;
use crate::backend::gpu::chain::Fate;
use crate::backend::gpu::enabled::{Gpu, State, outputs};
use crate::backend::gpu::encode::Chunk;
use crate::backend::gpu::readback::Piece as Read;
use crate::backend::gpu::record::Places;
use crate::backend::gpu::resident::{Piece, Resident};
use crate::backend::held::HeldArray;
use crate::error::{DeviceError, Result};
use crate::plan::partition::{COLUMNS, POSTERIOR};
use crate::plan::{Program, Step};
use crate::tensor::{FusedMut, Outline};

/// The answers of a fusion in the device's memory, piece by piece as its evidence lies. Dropped, the memory is free.
#[derive(Debug)]
pub(crate) struct DeviceFused {
    /// The number of the device.
    pub(super) device: u64,
    classes: usize,
    pieces: Vec<Answers>,
    fate: Fate,
}

/// The answers of some of the items.
#[derive(Debug)]
struct Answers {
    start: usize,
    items: usize,
    posterior: Buffer,
    columns: Buffer,
    status: Buffer,
}

impl DeviceFused {
    /// What the answers of a program over evidence that is held take, in bytes.
    pub(super) fn bytes(program: &Program, resident: &Resident) -> u64 {
        let of = |piece: &Piece, step: &Step| {
            let bytes = Chunk::whole(step, piece.items).bytes();
            bytes[POSTERIOR] + bytes[COLUMNS] + 4
        };
        program.steps.iter().flat_map(|step| resident.pieces().iter().map(move |piece| of(piece, step))).sum()
    }

    fn ranges(&self) -> impl Iterator<Item = (Range<usize>, &Answers)> {
        self.pieces.iter().map(|piece| (piece.start..piece.start + piece.items, piece))
    }
}

impl Gpu {
    /// Records the program over evidence that is held.
    pub(super) fn fuse_resident(&self, program: &Program, resident: &Resident) -> Result<DeviceFused> {
        self.alone(DeviceFused::bytes(program, resident), |state| {
            let mut fused =
                DeviceFused { device: self.opened.number, classes: 0, pieces: Vec::new(), fate: Fate::default() };
            // A fusion is one step.
            for step in &program.steps {
                fused.classes = step.pool.classes;
                for piece in resident.pieces() {
                    let answers = Answers::new(self, step, piece);
                    self.opened.queue.write_buffer(&answers.status, 0, &u32::MAX.to_ne_bytes());
                    let target = piece.target();
                    let places = Places {
                        evidence: target.evidence.as_entire_buffer_binding(),
                        presence: target.presence.as_entire_buffer_binding(),
                        confidence: target.confidence.as_entire_buffer_binding(),
                        posterior: answers.posterior.as_entire_buffer_binding(),
                        columns: answers.columns.as_entire_buffer_binding(),
                        status: answers.status.as_entire_buffer_binding(),
                        in_place: false,
                    };
                    fused.fate = state.record(self, Chunk::whole(step, piece.items), &places)?;
                    fused.pieces.push(answers);
                }
            }
            Ok(fused)
        })
    }

    /// Reads the answers back, all in one go; of each the lowest item with an invalid opinion, if there is one.
    pub(super) fn read_answers(&self, fused: &[&DeviceFused], out: Vec<FusedMut<'_>>) -> Result<Vec<Option<usize>>> {
        for fused in fused {
            self.settle(Some(&fused.fate))?;
        }
        let mut statuses: Vec<Vec<[u8; 4]>> = fused.iter().map(|fused| vec![[0; 4]; fused.pieces.len()]).collect();
        let mut pieces = Vec::new();
        for ((fused, mut out), statuses) in fused.iter().zip(out).zip(&mut statuses) {
            for (piece, status) in fused.pieces.iter().zip(statuses) {
                let (now, rest) = out.split_at(piece.items);
                out = rest;
                pieces.push(Read { from: &piece.status, from_offset: 0, to: status });
                pieces.extend(outputs(&piece.posterior, &piece.columns, now));
            }
        }
        self.alone(0, |state| state.readback.read(&self.opened, pieces))?;
        let first_invalid = |(fused, statuses): (&&DeviceFused, Vec<[u8; 4]>)| {
            let statuses = statuses.into_iter().map(u32::from_ne_bytes);
            let mut invalid = fused.pieces.iter().zip(statuses).filter(|(_, status)| *status != u32::MAX);
            invalid.next().map(|(piece, status)| piece.start + status as usize)
        };
        Ok(fused.iter().zip(statuses).map(first_invalid).collect())
    }

    /// Copies the posterior to a plane of an array of rows when the chain runs.
    pub(super) fn copy_rows(&self, fused: &DeviceFused, array: &mut HeldArray, plane: usize) -> Result<()> {
        if fused.fate.is_abandoned() {
            return Err(DeviceError::Abandoned.into());
        }
        let (to, begin) = self.plane(array, plane)?;
        let fate = self.alone(0, |state| {
            let mut fate = fused.fate.clone();
            for (items, answers) in fused.ranges() {
                let [first, end] = [items.start, items.end].map(|item| 4 * (item * fused.classes) as u64);
                fate = state.chain.copy(&self.opened, (&answers.posterior, 0..end - first), (to, begin + first));
            }
            Ok(fate)
        })?;
        self.filled(array, fate);
        Ok(())
    }

    /// Evidence whose sources are the posteriors given, copied on the device when the chain runs.
    pub(super) fn stack_posteriors(&self, posteriors: &[&DeviceFused], outline: Outline) -> Result<Resident> {
        if posteriors.iter().any(|fused| fused.fate.is_abandoned()) {
            return Err(DeviceError::Abandoned.into());
        }
        let resident = Resident::empty(self, outline)?;
        self.alone(0, |state| {
            for piece in resident.pieces() {
                for (source, fused) in posteriors.iter().enumerate() {
                    copy_rows(self, state, fused, source, piece);
                }
            }
            Ok(())
        })?;
        Ok(resident)
    }
}

/// Copies the rows of one posterior that fall into a piece of evidence to where the source's plane lies there.
fn copy_rows(gpu: &Gpu, state: &mut State, fused: &DeviceFused, source: usize, to: &Piece) {
    let bytes = |items: usize| 4 * (items * fused.classes) as u64;
    for (from, answers) in fused.ranges() {
        let (first, end) = (from.start.max(to.start), from.end.min(to.start + to.items));
        if first >= end {
            continue;
        }
        let at = bytes(source * to.items + first - to.start);
        let part = bytes(first - from.start)..bytes(end - from.start);
        state.chain.copy(&gpu.opened, (&answers.posterior, part), (to.target().evidence, at));
    }
}

impl Answers {
    fn new(gpu: &Gpu, step: &Step, piece: &Piece) -> Self {
        let bytes = Chunk::whole(step, piece.items).bytes();
        let create = |name, bytes| storage(&gpu.opened, name, bytes);
        Self {
            start: piece.start,
            items: piece.items,
            posterior: create("held posterior", bytes[POSTERIOR]),
            columns: create("held columns", bytes[COLUMNS]),
            status: create("held status", 4),
        }
    }
}
