//! Dispatches that wait to be submitted together: of operations whose results stay on the device, and of those that a
//! caller's own work on the queue follows.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use wgpu::{
    BindGroup, Buffer, BufferBinding, BufferDescriptor, BufferSize, BufferUsages, CommandEncoder,
    CommandEncoderDescriptor, ComputePass, ComputePassDescriptor, ComputePipeline,
};

use crate::backend::gpu::adapter::Opened;

/// Bytes of the arena.
const ARENA_BYTES: u64 = 256 << 10;

/// Constants begin at multiples of so many bytes, which every device allows.
const ALIGNMENT: u64 = 256;

/// The dispatches, in their order, and the constants that they read.
#[derive(Debug)]
pub(super) struct Chain {
    /// Where constants of the waiting dispatches lie: the queue copies them there in one go, after all that was submitted
    /// before has run and before these do.
    arena: Buffer,
    constants: Vec<u8>,
    waiting: Option<Waiting>,
    fate: Fate,
    /// Of what was submitted, and may yet turn out to have been refused.
    submitted: Vec<Fate>,
}

/// Dispatches recorded and not submitted.
#[derive(Debug)]
struct Waiting {
    encoder: CommandEncoder,
    /// One pass for dispatches that follow each other; the device orders those that touch the same memory.
    pass: Option<ComputePass<'static>>,
    /// What they read, in values.
    work: u64,
}

/// What became of dispatches that were to write something.
#[derive(Debug, Clone, Default)]
pub(super) struct Fate(Arc<AtomicU8>);

/// They wait.
const WAITING: u8 = 0;
/// The device took them.
const SUBMITTED: u8 = 1;
/// Something failed before it did, and they are gone.
const ABANDONED: u8 = 2;

impl Fate {
    /// Whether the device took them.
    pub(super) fn is_submitted(&self) -> bool {
        self.0.load(Ordering::Acquire) == SUBMITTED
    }

    /// Whether they never will be carried out.
    pub(super) fn is_abandoned(&self) -> bool {
        self.0.load(Ordering::Acquire) == ABANDONED
    }

    fn set(&self, to: u8) {
        // What is settled stays so.
        let _ = self.0.compare_exchange(WAITING, to, Ordering::AcqRel, Ordering::Acquire);
    }
}

/// Constants on the device.
#[derive(Debug, Clone)]
pub(super) struct Constants {
    buffer: Buffer,
    offset: u64,
    size: Option<BufferSize>,
}

impl Constants {
    pub(super) fn binding(&self) -> BufferBinding<'_> {
        BufferBinding { buffer: &self.buffer, offset: self.offset, size: self.size }
    }
}

impl Chain {
    pub(super) fn new(opened: &Opened) -> Self {
        let arena = opened.device.create_buffer(&BufferDescriptor {
            label: Some("constants"),
            size: ARENA_BYTES,
            usage: BufferUsages::UNIFORM | BufferUsages::STORAGE | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Self { arena, constants: Vec::new(), waiting: None, fate: Fate::default(), submitted: Vec::new() }
    }

    /// Makes sure that so many groups of constants, of so many bytes together, lie in the arena side by side: of one
    /// dispatch none may be overwritten before it has run.
    pub(super) fn make_room(&mut self, opened: &Opened, groups: u64, bytes: u64) {
        if self.constants.len() as u64 + bytes + groups * ALIGNMENT > ARENA_BYTES {
            self.submit(opened);
        }
    }

    /// Puts constants, whole words and not none, where the dispatches recorded next read them.
    pub(super) fn constants(&mut self, opened: &Opened, bytes: &[u8]) -> Constants {
        let size = BufferSize::new(bytes.len() as u64);
        let offset = (self.constants.len() as u64).next_multiple_of(ALIGNMENT);
        if offset + bytes.len() as u64 > ARENA_BYTES {
            // More than the arena holds at all.
            let buffer = opened.device.create_buffer(&BufferDescriptor {
                label: Some("constants"),
                size: bytes.len() as u64,
                usage: BufferUsages::UNIFORM | BufferUsages::STORAGE | BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            opened.queue.write_buffer(&buffer, 0, bytes);
            return Constants { buffer, offset: 0, size };
        }
        self.constants.resize(offset as usize, 0);
        self.constants.extend_from_slice(bytes);
        Constants { buffer: self.arena.clone(), offset, size }
    }

    /// Records a dispatch that reads so many values, and answers its fate.
    pub(super) fn dispatch(
        &mut self,
        opened: &Opened,
        pipeline: &ComputePipeline,
        group: &BindGroup,
        [columns, rows]: [u32; 2],
        work: u64,
    ) -> Fate {
        let waiting = self.waiting(opened);
        let pass = waiting.pass.get_or_insert_with(|| {
            let descriptor = ComputePassDescriptor { label: Some("chain"), timestamp_writes: None };
            waiting.encoder.begin_compute_pass(&descriptor).forget_lifetime()
        });
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, group, &[]);
        pass.dispatch_workgroups(columns, rows, 1);
        waiting.work += work;
        self.fate.clone()
    }

    /// Records a copy of some bytes of one buffer to a byte of another, and answers its fate.
    pub(super) fn copy(&mut self, opened: &Opened, from: (&Buffer, Range<u64>), to: (&Buffer, u64)) -> Fate {
        let Waiting { encoder, pass, .. } = self.waiting(opened);
        *pass = None;
        encoder.copy_buffer_to_buffer(from.0, from.1.start, to.0, to.1, from.1.end - from.1.start);
        self.fate.clone()
    }

    fn waiting(&mut self, opened: &Opened) -> &mut Waiting {
        self.waiting.get_or_insert_with(|| {
            let descriptor = CommandEncoderDescriptor { label: Some("chain") };
            Waiting { encoder: opened.device.create_command_encoder(&descriptor), pass: None, work: 0 }
        })
    }

    /// What the waiting dispatches read, in values.
    pub(super) fn work(&self) -> u64 {
        self.waiting.as_ref().map_or(0, |waiting| waiting.work)
    }

    /// Submits what waits.
    pub(super) fn submit(&mut self, opened: &Opened) {
        let Some(Waiting { encoder, pass, .. }) = self.waiting.take() else { return };
        drop(pass);
        opened.queue.write_buffer(&self.arena, 0, &self.constants);
        self.constants.clear();
        opened.submit(encoder);
        self.submitted.push(std::mem::take(&mut self.fate));
    }

    /// Nothing of what was submitted so far has been refused.
    pub(super) fn confirm(&mut self) {
        self.submitted.drain(..).for_each(|fate| fate.set(SUBMITTED));
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.submitted.iter().chain([&self.fate]).for_each(|fate| fate.set(ABANDONED));
    }
}
