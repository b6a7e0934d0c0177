//! From the device's memory to the caller's, through two staging buffers: one is read while the other is filled.

use std::collections::VecDeque;

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

/// Pieces of which the first are on their way, as far as there are staging buffers.
#[derive(Debug)]
pub(super) struct Reading {
    flying: VecDeque<Flight>,
}

/// What is on its way through one staging buffer.
#[derive(Debug)]
struct Flight {
    slice: usize,
    submission: SubmissionIndex,
    mapping: Mapping,
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
    pub(super) fn read(&self, opened: &Opened, mut pieces: Vec<Piece<'_>>) -> Result<()> {
        let again = pieces.iter_mut().map(|piece| Piece { to: &mut *piece.to, ..*piece }).collect();
        let reading = self.begin(opened, again);
        self.finish(opened, reading, pieces)
    }

    /// Sends the first of the pieces on their way; what is submitted from here on does not hold them up. No other may be
    /// begun before this one is finished, and the rest is read only then.
    pub(super) fn begin(&self, opened: &Opened, pieces: Vec<Piece<'_>>) -> Reading {
        let first = into_slices(pieces).into_iter().zip(0..self.slices.len());
        Reading { flying: first.map(|(group, slice)| self.start(opened, slice, &group)).collect() }
    }

    /// Waits for the pieces, the same as were begun, and hands them over.
    pub(super) fn finish(&self, opened: &Opened, reading: Reading, pieces: Vec<Piece<'_>>) -> Result<()> {
        let Reading { mut flying } = reading;
        let mut groups = VecDeque::from(into_slices(pieces));
        while let Some((flight, group)) = flying.pop_front().zip(groups.pop_front()) {
            let slice = flight.slice;
            self.land(opened, flight, group)?;
            if let Some(next) = groups.get(flying.len()) {
                flying.push_back(self.start(opened, slice, next));
            }
        }
        Ok(())
    }

    /// Copies pieces that fit one staging buffer into it.
    fn start(&self, opened: &Opened, slice: usize, group: &[Piece<'_>]) -> Flight {
        let mut encoder = opened.device.create_command_encoder(&CommandEncoderDescriptor { label: Some("read back") });
        let mut at = 0;
        for piece in group {
            let bytes = piece.to.len() as u64;
            encoder.copy_buffer_to_buffer(piece.from, piece.from_offset, &self.slices[slice], at, bytes);
            at += bytes;
        }
        let submission = opened.submit(encoder);
        let mapping = opened.map(&self.slices[slice], MapMode::Read);
        Flight { slice, submission, mapping }
    }

    /// Waits for the copy and hands the pieces over.
    fn land(&self, opened: &Opened, flight: Flight, group: Vec<Piece<'_>>) -> Result<()> {
        opened.wait_mapped(flight.submission, &flight.mapping)?;
        let buffer = &self.slices[flight.slice];
        let bytes = group.iter().map(|piece| piece.to.len()).sum::<usize>();
        let view = view(buffer, 0..bytes as u64)?;
        let mut rest = &view[..];
        for piece in group {
            let (now, later) = rest.split_at(piece.to.len());
            piece.to.copy_from_slice(now);
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

#[cfg(test)]
mod tests {
    use wgpu::{Buffer, BufferDescriptor, BufferUsages};

    use super::*;
    use crate::backend::gpu::Wanted;
    use crate::backend::gpu::adapter::{Opened, open};
    use crate::backend::gpu::upload::Upload;

    /// A device and a buffer on it; without an adapter nothing is tested, unless one must be there.
    fn device(bytes: usize) -> Option<(Opened, Buffer)> {
        let opened = match open(&Wanted::Any, None) {
            Ok(opened) => opened,
            Err(error) if std::env::var_os("CONSILIENCE_REQUIRE_GPU").is_some() => panic!("{error}"),
            Err(_) => return None,
        };
        let buffer = opened.device.create_buffer(&BufferDescriptor {
            label: None,
            size: bytes as u64,
            usage: BufferUsages::COPY_SRC | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Some((opened, buffer))
    }

    fn piece<'a>(from: &'a Buffer, from_offset: u64, to: &'a mut [u8]) -> Piece<'a> {
        Piece { from, from_offset, to }
    }

    #[test]
    fn what_was_begun_is_read_as_it_was_and_the_rest_in_order() {
        let slice = SLICE_BYTES as usize;
        // Five staging buffers full, and a little.
        let (head, len) = (20, 4 * slice + 1000);
        let Some((opened, buffer)) = device(head + len) else { return };
        let (mut upload, readback) = (Upload::new(&opened), Readback::new(&opened));
        let bytes: Vec<u8> = (0..head + len).map(|i| (i / 4 % 251) as u8).collect();
        upload.write(&opened, &buffer, 0, &bytes).unwrap();
        upload.flush(&opened).unwrap();
        let (mut first, mut second) = (vec![0; head], vec![0; len]);
        let reading =
            readback.begin(&opened, vec![piece(&buffer, 0, &mut first), piece(&buffer, head as u64, &mut second)]);
        // The head is on its way: what overwrites it now comes too late.
        upload.write(&opened, &buffer, 0, &[7; 20]).unwrap();
        upload.flush(&opened).unwrap();
        readback
            .finish(&opened, reading, vec![piece(&buffer, 0, &mut first), piece(&buffer, head as u64, &mut second)])
            .unwrap();
        assert!(first == bytes[..head] && second == bytes[head..]);
        readback.read(&opened, vec![piece(&buffer, 0, &mut first)]).unwrap();
        assert_eq!(first, [7; 20]);
    }
}
