//! From the caller's memory to the device's, through a ring of staging buffers that are mapped again after use:
//! `Queue::write_buffer` allocates on every call and takes several times as long.

use std::collections::VecDeque;

use wgpu::{Buffer, BufferDescriptor, BufferUsages, CommandEncoderDescriptor, MapMode, SubmissionIndex};

use crate::backend::gpu::adapter::Opened;
use crate::backend::gpu::link::{Mapping, view_mut};
use crate::error::Result;

/// Bytes of one staging buffer.
const SLICE_BYTES: u64 = 8 << 20;

/// Staging buffers: one is filled while others are copied from.
const SLICES: usize = 3;

/// The ring. Its memory on the host is bounded by `SLICES` times `SLICE_BYTES`.
#[derive(Debug)]
pub(super) struct Upload {
    /// The one being filled.
    open: Option<Open>,
    /// Mapped and empty.
    free: Vec<Buffer>,
    /// Being copied from, oldest first.
    busy: VecDeque<(Buffer, SubmissionIndex, Mapping)>,
}

/// A staging buffer being filled, mapped.
#[derive(Debug)]
struct Open {
    buffer: Buffer,
    filled: u64,
    parts: Vec<Part>,
}

/// What becomes of a part of a staging buffer.
#[derive(Debug)]
struct Part {
    from: u64,
    to: Buffer,
    to_offset: u64,
    bytes: u64,
}

impl Upload {
    /// A ring of mapped buffers.
    pub(super) fn new(opened: &Opened) -> Self {
        let create = |_| {
            opened.device.create_buffer(&BufferDescriptor {
                label: Some("upload"),
                size: SLICE_BYTES,
                usage: BufferUsages::MAP_WRITE | BufferUsages::COPY_SRC,
                mapped_at_creation: true,
            })
        };
        Self { open: None, free: (0..SLICES).map(create).collect(), busy: VecDeque::new() }
    }

    /// Copies to the device. Both the offset and the length are multiples of four bytes.
    pub(super) fn write(&mut self, opened: &Opened, to: &Buffer, to_offset: u64, mut data: &[u8]) -> Result<()> {
        let mut to_offset = to_offset;
        while !data.is_empty() {
            let mut open = match self.open.take() {
                Some(open) => open,
                None => Open { buffer: self.mapped(opened)?, filled: 0, parts: Vec::new() },
            };
            let room = usize::try_from(SLICE_BYTES - open.filled).unwrap_or(usize::MAX);
            let (now, later) = data.split_at(room.min(data.len()));
            let (from, bytes) = (open.filled, now.len() as u64);
            view_mut(&open.buffer, from..from + bytes)?.copy_from_slice(now);
            open.parts.push(Part { from, to: to.clone(), to_offset, bytes });
            // Views of mapped memory start at multiples of eight.
            open.filled = (from + bytes).next_multiple_of(8);
            (to_offset, data) = (to_offset + bytes, later);
            let is_full = open.filled == SLICE_BYTES;
            self.open = Some(open);
            if is_full {
                self.flush(opened)?;
            }
        }
        Ok(())
    }

    /// Hands all that was written to the device: what is submitted later finds it there.
    pub(super) fn flush(&mut self, opened: &Opened) -> Result<()> {
        let Some(Open { buffer, parts, .. }) = self.open.take() else { return Ok(()) };
        buffer.unmap();
        let mut encoder = opened.device.create_command_encoder(&CommandEncoderDescriptor { label: Some("upload") });
        for Part { from, to, to_offset, bytes } in &parts {
            encoder.copy_buffer_to_buffer(&buffer, *from, to, *to_offset, *bytes);
        }
        let submission = opened.submit(encoder);
        let mapping = opened.map(&buffer, MapMode::Write);
        self.busy.push_back((buffer, submission, mapping));
        opened.alive()
    }

    /// An empty mapped buffer, after a wait for the oldest if there is none.
    fn mapped(&mut self, opened: &Opened) -> Result<Buffer> {
        if let Some(buffer) = self.free.pop() {
            return Ok(buffer);
        }
        match self.busy.pop_front() {
            Some((buffer, submission, mapping)) => {
                opened.wait_mapped(submission, &mapping)?;
                Ok(buffer)
            }
            // Not reached: every buffer is free, open or busy, and the open one is at hand where this is called.
            None => Ok(Self::new(opened).free.swap_remove(0)),
        }
    }
}
