//! The device's buffers of chunks: one per binding, kept between runs and replaced by larger ones where they are small.

use wgpu::{BindGroupEntry, Buffer, BufferDescriptor, BufferUsages};

use crate::backend::gpu::adapter::Opened;
use crate::backend::gpu::encode::Target;
use crate::kernel::{Access, Binding};
use crate::plan::partition::{CONFIDENCE, EVIDENCE, PRESENCE};

/// One buffer per binding, in the order of binding numbers.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    buffers: Vec<Buffer>,
}

/// Two sets of buffers that chunks take in turn: while what one holds is read back, the other is filled.
#[derive(Debug, Default)]
pub(super) struct Sets {
    sets: [Buffers; 2],
}

impl Sets {
    /// Makes room for so many bytes in each binding of so many sets, all of them together within the budget.
    pub(super) fn reserve(&mut self, opened: &Opened, bindings: &[Binding], bytes: &[u64], sets: usize, budget: u64) {
        let [first, second] = &mut self.sets;
        if sets == 2 {
            second.reserve(opened, bindings, bytes, budget / 2);
            first.reserve(opened, bindings, bytes, budget / 2);
            return;
        }
        if second.bytes() + bytes.iter().sum::<u64>() > budget {
            *second = Buffers::default();
        }
        first.reserve(opened, bindings, bytes, budget - second.bytes().min(budget));
    }

    /// One of the two.
    pub(super) fn at(&self, set: usize) -> &Buffers {
        &self.sets[set]
    }
}

impl Buffers {
    /// Makes room for so many bytes in each binding. Where a buffer is too small and all of them together would pass the
    /// budget, those that are larger than they need be go too.
    pub(super) fn reserve(&mut self, opened: &Opened, bindings: &[Binding], bytes: &[u64], budget: u64) {
        let held = |i: usize| self.buffers.get(i).map_or(0, Buffer::size);
        let grown: u64 = bytes.iter().enumerate().map(|(i, &bytes)| bytes.max(held(i))).sum();
        let fits = |i: usize| held(i) >= bytes[i] && (grown <= budget || held(i) == bytes[i]);
        let stays = (0..bindings.len()).map(fits).collect::<Vec<_>>();
        let old = std::mem::take(&mut self.buffers);
        let mut old = old.into_iter().zip(&stays).map(|(buffer, &stays)| stays.then_some(buffer)).collect::<Vec<_>>();
        old.resize(bindings.len(), None);
        for ((binding, &bytes), buffer) in bindings.iter().zip(bytes).zip(old) {
            self.buffers.push(buffer.unwrap_or_else(|| create(opened, binding, bytes)));
        }
    }

    /// Where the evidence of a fusion goes.
    pub(super) fn target(&self) -> Target<'_> {
        Target { evidence: self.at(EVIDENCE), presence: self.at(PRESENCE), confidence: self.at(CONFIDENCE) }
    }

    /// Bytes of all of them.
    pub(super) fn bytes(&self) -> u64 {
        self.buffers.iter().map(Buffer::size).sum()
    }

    /// The buffer of a binding.
    pub(super) fn at(&self, binding: usize) -> &Buffer {
        &self.buffers[binding]
    }

    /// All of them, bound whole, but for those in whose place others are.
    pub(super) fn entries<'a>(&'a self, others: &[(usize, &'a Buffer)]) -> Vec<BindGroupEntry<'a>> {
        let entry = |(place, own): (usize, &'a Buffer)| {
            let buffer = others.iter().find(|(other, _)| *other == place).map_or(own, |(_, other)| other);
            BindGroupEntry { binding: place as u32, resource: buffer.as_entire_binding() }
        };
        self.buffers.iter().enumerate().map(entry).collect()
    }
}

/// What is bound where there is nothing to read or write: some words that are never looked at.
#[derive(Debug, Clone)]
pub(super) struct Nothing {
    pub read: Buffer,
    pub written: Buffer,
}

impl Nothing {
    pub(super) fn new(opened: &Opened) -> Self {
        let create = |name, access| create(opened, &Binding { name, access }, 16);
        Self { read: create("nothing read", Access::Read), written: create("nothing written", Access::ReadWrite) }
    }
}

/// A buffer that kernels read and write, and that may be copied to and from.
pub(super) fn storage(opened: &Opened, name: &'static str, bytes: u64) -> Buffer {
    create(opened, &Binding { name, access: Access::ReadWrite }, bytes)
}

/// A buffer for a binding.
pub(super) fn create(opened: &Opened, binding: &Binding, bytes: u64) -> Buffer {
    let usage = match binding.access {
        Access::Uniform => BufferUsages::UNIFORM | BufferUsages::COPY_DST,
        Access::Read => BufferUsages::STORAGE | BufferUsages::COPY_DST,
        Access::ReadWrite => BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC,
    };
    opened.device.create_buffer(&BufferDescriptor {
        label: Some(binding.name),
        size: bytes,
        usage,
        mapped_at_creation: false,
    })
}
