//! From the device's memory to the caller's, through two staging buffers: one is read while the other is filled.

use wgpu::{Buffer, BufferDescriptor, BufferUsages, CommandEncoderDescriptor, MapMode, SubmissionIndex};

use crate::backend::gpu::adapter::Opened;
use crate::backend::gpu::link::{Mapping, view};
use crate::error::Result;

/// Bytes of one staging buffer.
const SLICE_BYTES: u64 = 8 << 20;

/// The staging buffers. Their memory on the host is bounded by twice `SLICE_BYTES`.
#[derive(Debug)]
pub(super) struct Readback {
    slices: [Buffer; 2],
}

/// One piece of device memory and where it goes.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub from: &'a Buffer,
    pub from_offset: u64,
    pub to: &'a mut [u8],
}

/// Pieces on their way through one staging buffer.
struct Flight<'a> {
    slice: usize,
    submission: SubmissionIndex,
    mapping: Mapping,
    to: Vec<&'a mut [u8]>,
}

impl Readback {
    /// Two buffers, not mapped.
    pub(super) fn new(opened: &Opened) -> Self {
        let create = || {
            opened.device.create_buffer(&BufferDescriptor {
                label: Some("read back"),
                size: SLICE_BYTES,
                usage: BufferUsages::MAP_READ | BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        };
        Self { slices: [create(), create()] }
    }

    /// Copies the pieces, whose offsets and lengths are multiples of four bytes, once all that was submitted before has
    /// run.
    pub(super) fn read(&self, opened: &Opened, pieces: Vec<Piece<'_>>) -> Result<()> {
        let mut flying: Option<Flight<'_>> = None;
        for (index, group) in into_slices(pieces).into_iter().enumerate() {
            let next = self.start(opened, index % 2, group);
            if let Some(flight) = flying.replace(next) {
                self.land(opened, flight)?;
            }
        }
        flying.map_or(Ok(()), |flight| self.land(opened, flight))
    }

    /// Copies pieces that fit one staging buffer into it.
    fn start<'a>(&self, opened: &Opened, slice: usize, group: Vec<Piece<'a>>) -> Flight<'a> {
        let mut encoder = opened.device.create_command_encoder(&CommandEncoderDescriptor { label: Some("read back") });
        let mut at = 0;
        let mut to = Vec::with_capacity(group.len());
        for piece in group {
            let bytes = piece.to.len() as u64;
            encoder.copy_buffer_to_buffer(piece.from, piece.from_offset, &self.slices[slice], at, bytes);
            at += bytes;
            to.push(piece.to);
        }
        let submission = opened.submit(encoder);
        let mapping = opened.map(&self.slices[slice], MapMode::Read);
        Flight { slice, submission, mapping, to }
    }

    /// Waits for the copy and hands the pieces over.
    fn land(&self, opened: &Opened, flight: Flight<'_>) -> Result<()> {
        opened.wait_mapped(flight.submission, &flight.mapping)?;
        let buffer = &self.slices[flight.slice];
        let bytes = flight.to.iter().map(|to| to.len()).sum::<usize>();
        let view = view(buffer, 0..bytes as u64)?;
        let mut rest = &view[..];
        for to in flight.to {
            let (now, later) = rest.split_at(to.len());
            to.copy_from_slice(now);
            rest = later;
        }
        drop(view);
        buffer.unmap();
        Ok(())
    }
}

/// The pieces, cut and grouped so that each group fits a staging buffer; empty pieces fall away.
fn into_slices(pieces: Vec<Piece<'_>>) -> Vec<Vec<Piece<'_>>> {
    let mut groups = vec![Vec::new()];
    let mut room = SLICE_BYTES;
    for Piece { from, mut from_offset, mut to } in pieces {
        while !to.is_empty() {
            if room == 0 {
                groups.push(Vec::new());
                room = SLICE_BYTES;
            }
            let len = to.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            let (now, later) = to.split_at_mut(len);
            let bytes = now.len() as u64;
            if let Some(group) = groups.last_mut() {
                group.push(Piece { from, from_offset, to: now });
            }
            (from_offset, room, to) = (from_offset + bytes, room - bytes, later);
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}
