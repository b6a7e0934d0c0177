//! Arrays that stay on the device, and kernels over them: dispatches of the chain.

use std::ops::Range;

use wgpu::{BindGroupDescriptor, BindGroupEntry, BindingResource, Buffer, BufferBinding};

use crate::backend::gpu::adapter::Opened;
use crate::backend::gpu::buffers::storage;
use crate::backend::gpu::chain::{Chain, Constants, Fate};
use crate::backend::gpu::enabled::Gpu;
use crate::backend::gpu::pipelines::Constants as Overrides;
use crate::backend::gpu::readback::Piece;
use crate::backend::held::{HeldArray, HeldBatch, HeldInput, HeldOutput, Shape};
use crate::error::{DeviceError, Result};
use crate::plan::batch::Per;
use crate::plan::batch::sizes::{LEAST_BYTES, Layout, STRIDE_ITEMS, work};

/// Blocks after which a dispatch may begin: 64 words are a multiple of what any device wants offsets to be.
const BLOCKS: usize = 64;

/// An array on the device. Dropped, the memory is free.
#[derive(Debug)]
pub(crate) struct DeviceArray {
    shape: Shape,
    buffer: Buffer,
    /// Of what is to write it; `None` where the host did.
    fate: Option<Fate>,
    /// The number of the device it is on.
    device: u64,
}

/// Items between planes.
const fn stride(items: usize) -> usize {
    items.next_multiple_of(STRIDE_ITEMS as usize)
}

impl DeviceArray {
    /// What such an array takes, in bytes.
    pub(super) fn bytes(shape: Shape) -> u64 {
        (4 * shape.words as u64 * stride(shape.items) as u64 * shape.planes as u64)
            .next_multiple_of(LEAST_BYTES)
            .max(LEAST_BYTES)
    }

    /// Where a plane begins, in bytes.
    fn offset(&self, plane: usize) -> u64 {
        (4 * self.shape.words * stride(self.shape.items) * plane) as u64
    }
}

impl Gpu {
    /// An array whose values mean nothing yet.
    pub(super) fn new_array(&self, shape: Shape) -> Result<DeviceArray> {
        let (needed, allowed) = (DeviceArray::bytes(shape), self.limits.binding_bytes);
        if needed > allowed {
            return Err(DeviceError::ArrayTooLarge { needed, allowed }.into());
        }
        let buffer = self.alone(needed, |_| Ok(storage(&self.opened, "held array", needed)))?;
        Ok(DeviceArray { shape, buffer, fate: None, device: self.opened.number })
    }

    /// Uploads the planes.
    pub(super) fn write_array(&self, array: &DeviceArray, planes: &[&[u8]]) -> Result<()> {
        self.alone(0, |state| {
            for (plane, bytes) in planes.iter().enumerate() {
                state.upload.write(&self.opened, &array.buffer, array.offset(plane), bytes)?;
            }
            state.upload.flush(&self.opened)
        })
    }

    /// Reads the planes back.
    pub(super) fn read_array(&self, array: &DeviceArray, planes: Vec<&mut [u8]>) -> Result<()> {
        self.is_home(array.device)?;
        self.settle(array.fate.as_ref())?;
        let piece = |(plane, to)| Piece { from: &array.buffer, from_offset: array.offset(plane), to };
        self.alone(0, |state| state.readback.read(&self.opened, planes.into_iter().enumerate().map(piece).collect()))
    }

    /// Submits what waits, and makes sure that what was to write something is among it or was before.
    pub(super) fn settle(&self, fate: Option<&Fate>) -> Result<()> {
        self.alone(0, |state| {
            state.chain.submit(&self.opened);
            Ok(())
        })?;
        if fate.is_some_and(|fate| !fate.is_submitted()) {
            return Err(DeviceError::Abandoned.into());
        }
        Ok(())
    }

    /// The array, if it is on this device.
    pub(super) fn home<'a>(&self, array: &'a HeldArray) -> Result<&'a DeviceArray> {
        let HeldArray::Device(array) = array else { return Err(DeviceError::HeldElsewhere.into()) };
        self.is_home(array.device)?;
        if array.fate.as_ref().is_some_and(Fate::is_abandoned) {
            return Err(DeviceError::Abandoned.into());
        }
        Ok(array)
    }

    /// Where a plane of the array begins.
    pub(super) fn plane<'a>(&self, array: &'a HeldArray, plane: usize) -> Result<(&'a Buffer, u64)> {
        let array = self.home(array)?;
        Ok((&array.buffer, array.offset(plane)))
    }

    /// Notes what is to write the array.
    pub(super) fn filled(&self, array: &mut HeldArray, fate: Fate) {
        if let HeldArray::Device(array) = array {
            array.fate = Some(fate);
        }
    }

    /// Records the kernel over all items.
    pub(super) fn record_batch(&self, batch: HeldBatch<'_>) -> Result<()> {
        let HeldBatch { kernel, items, block, operations, params, inputs, mut outputs } = batch;
        let inputs = inputs.into_iter().map(|input| self.source(input)).collect::<Result<Vec<_>>>()?;
        let mut words: usize = inputs.iter().map(Source::words).sum();
        for HeldOutput { per, array, .. } in &outputs {
            let shape = self.home(array)?.shape;
            words += if *per == Per::Item { shape.words * shape.planes } else { 0 };
        }
        let opened = &self.opened;
        let fate = self.alone(0, |state| {
            inputs.iter().for_each(|input| input.gather(opened, &mut state.chain));
            let (pipeline, layout) = state.pipelines.get(opened, kernel, Overrides::of(kernel, params));
            let each = work(words, operations);
            let whole = block * BLOCKS;
            let at_most = usize::try_from(self.limits.dispatch_values / each).unwrap_or(usize::MAX);
            let at_most = (at_most / whole * whole).max(whole);
            let mut fate = Fate::default();
            for first in (0..items).step_by(at_most) {
                let now = at_most.min(items - first);
                let piece = Layout::within(now, block, stride(items));
                let read = each * now as u64;
                if state.chain.work() + read > self.limits.dispatch_values {
                    state.chain.submit(opened);
                }
                let shared = inputs.iter().filter_map(|input| match input {
                    Source::Shared(bytes) => Some(padded(bytes)),
                    Source::Array(..) | Source::Gathered(..) | Source::Table(_) => None,
                });
                let shared = shared.collect::<Vec<_>>();
                let bytes = params.len() + shared.iter().map(Vec::len).sum::<usize>();
                state.chain.make_room(opened, 1 + shared.len() as u64, bytes as u64);
                let params = state.chain.constants(opened, &piece.params(params));
                let shared: Vec<Constants> = shared.iter().map(|bytes| state.chain.constants(opened, bytes)).collect();
                let mut shared = shared.iter();
                let mut bound = vec![params.binding()];
                for input in &inputs {
                    match input {
                        Source::Array(array, _) => bound.push(array.from(Per::Item, first, block)),
                        Source::Gathered(array, _) => bound.push(array.from(Per::Item, first, block)),
                        Source::Table(array) => bound.push(array.from(Per::Batch, 0, block)),
                        Source::Shared(_) => bound.extend(shared.next().map(Constants::binding)),
                    }
                }
                for HeldOutput { per, array, .. } in &outputs {
                    if let HeldArray::Device(array) = array {
                        bound.push(array.from(*per, first, block));
                    }
                }
                let entry = |(binding, buffer)| BindGroupEntry { binding, resource: BindingResource::Buffer(buffer) };
                let group = opened.device.create_bind_group(&BindGroupDescriptor {
                    label: Some(kernel.name()),
                    layout: &layout,
                    entries: &(0..).zip(bound).map(entry).collect::<Vec<_>>(),
                });
                fate = state.chain.dispatch(opened, &pipeline, &group, [piece.groups_per_row, piece.rows], read);
            }
            Ok(fate)
        })?;
        for output in &mut outputs {
            self.filled(output.array, fate.clone());
        }
        Ok(())
    }

    /// Where a kernel reads an input.
    fn source<'a>(&self, input: HeldInput<'a>) -> Result<Source<'a>> {
        let parts = match input {
            HeldInput::Shared(bytes) => return Ok(Source::Shared(bytes)),
            HeldInput::Table(array) => return Ok(Source::Table(self.home(array)?)),
            HeldInput::Items(parts) => parts,
        };
        let home = |(array, planes): (&'a HeldArray, Range<usize>)| Ok((self.home(array)?, planes));
        let parts = parts.into_iter().map(home).collect::<Result<Vec<_>>>()?;
        match &parts[..] {
            // A kernel that reads no planes of a binding reads none of it.
            [] => Ok(Source::Shared(&[])),
            [(array, planes)] if planes.start == 0 => Ok(Source::Array(array, planes.end)),
            [(first, _), ..] => {
                let planes = parts.iter().map(|(_, planes)| planes.len()).sum();
                Ok(Source::Gathered(self.new_array(Shape { planes, ..first.shape })?, parts))
            }
        }
    }
}

/// Where a kernel reads an input.
enum Source<'a> {
    /// The first planes of an array, in their place.
    Array(&'a DeviceArray, usize),
    /// Planes that are copied there first. The memory is free once that has run.
    Gathered(DeviceArray, Vec<(&'a DeviceArray, Range<usize>)>),
    /// What all items share.
    Shared(&'a [u8]),
    /// The same, in its place.
    Table(&'a DeviceArray),
}

impl Source<'_> {
    /// Words of an item.
    fn words(&self) -> usize {
        match self {
            Self::Array(array, planes) => array.shape.words * planes,
            Self::Gathered(array, _) => array.shape.words * array.shape.planes,
            Self::Shared(_) | Self::Table(_) => 0,
        }
    }

    /// Records the copies that bring the planes together.
    fn gather(&self, opened: &Opened, chain: &mut Chain) {
        let Self::Gathered(to, parts) = self else { return };
        let mut plane = 0;
        for (from, planes) in parts {
            let bytes = from.offset(planes.start)..from.offset(planes.end);
            if !bytes.is_empty() {
                chain.copy(opened, (&from.buffer, bytes), (&to.buffer, to.offset(plane)));
            }
            plane += planes.len();
        }
    }
}

impl DeviceArray {
    /// The array from an item, or its block, on, to the end: planes stay as far apart as they are.
    fn from(&self, per: Per, first: usize, block: usize) -> BufferBinding<'_> {
        // Without planes there is nothing to begin in.
        let before = match per {
            _ if self.shape.planes == 0 => 0,
            Per::Block => first / block,
            Per::Item | Per::Batch => first,
        };
        BufferBinding { buffer: &self.buffer, offset: (4 * self.shape.words * before) as u64, size: None }
    }
}

/// What all items share, as long as anything has to be that is bound.
fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(LEAST_BYTES as usize).max(LEAST_BYTES as usize), 0);
    padded
}
