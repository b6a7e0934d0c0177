//! Where tensors lie in burn's buffers.

use std::any::Any;

use ::burn::backend::ops::FloatTensorOps;
use burn_cubecl::cubecl::client::Client;
use burn_cubecl::cubecl::wgpu::{AutoCompiler, WgpuServer};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, CubeDevice};

use crate::backend::gpu::foreign::EvidenceBuffer;
use crate::backend::gpu::foreign::wgpu::Buffer;
use crate::error::{BurnError, EvidenceError, Result};
use crate::integrations::burn::fuse::Call;
use crate::tensor::Outline;

/// Keeps burn from giving memory to another tensor.
pub(super) type Pin = Box<dyn Any + Send>;

/// Where a tensor begins.
pub(super) struct Place {
    pub buffer: Buffer,
    /// In bytes.
    pub offset: u64,
    pub pin: Pin,
}

impl Place {
    /// Burn hands all that it queued to write there to the device.
    pub(super) fn of(tensor: &CubeTensor) -> Result<Self> {
        let failed = |error: &dyn ToString| BurnError::Failed { message: error.to_string() };
        let resource = tensor.client.get_resource::<WgpuServer<AutoCompiler>>(tensor.handle.clone());
        let resource = resource.map_err(|error| failed(&error))?;
        let (buffer, offset) = (resource.resource().buffer.clone(), resource.resource().offset);
        Ok(Self { buffer, offset, pin: Box::new(resource) })
    }
}

/// Opinions in one buffer.
pub(super) struct Opinions {
    tensors: Vec<CubeTensor>,
    first: Place,
    /// What else keeps memory in place.
    pins: Vec<Pin>,
    /// Between the sources and between the items, in values.
    strides: [usize; 2],
}

impl Opinions {
    /// Those of one tensor [N, B, C] or N of [B, C], in place where their rows lie in one buffer, the sources at equal
    /// distances; else after a copy on the device.
    pub(super) fn of(tensors: Vec<CubeTensor>, outline: &Outline) -> Result<Self> {
        match <[CubeTensor; 1]>::try_from(tensors) {
            Ok([tensor]) => Self::stacked(tensor, outline),
            Err(tensors) => {
                let places = tensors.iter().map(Place::of).collect::<Result<Vec<_>>>()?;
                match distances(&tensors, &places, outline) {
                    Some(strides) => {
                        let mut places = places.into_iter();
                        let first = places.next().ok_or(EvidenceError::NoSources)?;
                        Ok(Self { tensors, first, pins: places.map(|place| place.pin).collect(), strides })
                    }
                    None => {
                        let shape = [1, outline.items, outline.classes];
                        let planes = tensors.into_iter().map(|t| CubeBackend::float_reshape(t, shape.into()));
                        Self::stacked(CubeBackend::float_cat(planes.collect(), 0), outline)
                    }
                }
            }
        }
    }

    fn stacked(tensor: CubeTensor, outline: &Outline) -> Result<Self> {
        let (tensor, strides) = match strides(&tensor, outline) {
            Some(strides) => (tensor, strides),
            None => (into_contiguous(tensor), [outline.items * outline.classes, outline.classes]),
        };
        Ok(Self { first: Place::of(&tensor)?, tensors: vec![tensor], pins: Vec::new(), strides })
    }

    /// Where new tensors beside them are made.
    pub(super) fn home(&self) -> Result<(Client, CubeDevice)> {
        let first = self.tensors.first().ok_or(EvidenceError::NoSources)?;
        Ok((first.client.clone(), first.device.clone()))
    }

    /// Where the first of them begins.
    #[cfg(test)]
    pub(super) const fn place(&self) -> &Place {
        &self.first
    }

    /// Between the sources and between the items, in values.
    #[cfg(test)]
    pub(super) const fn strides(&self) -> [usize; 2] {
        self.strides
    }

    /// The same for the engine.
    pub(super) fn buffer(&self, call: &Call<'_>) -> EvidenceBuffer<'_> {
        let outline = call.outline;
        let shape = [outline.sources(), outline.items, outline.classes];
        let [source, item] = self.strides;
        EvidenceBuffer::new(&self.first.buffer, call.encoding, shape).offset(self.first.offset).strides(source, item)
    }

    /// The tensors, and what keeps their memory in place.
    pub(super) fn into_parts(self) -> (Vec<CubeTensor>, Vec<Pin>) {
        let Self { tensors, first, mut pins, .. } = self;
        pins.push(first.pin);
        (tensors, pins)
    }
}

/// Between sources and between items of one tensor; `None` where rows do not stand as the engine reads them.
fn strides(tensor: &CubeTensor, outline: &Outline) -> Option<[usize; 2]> {
    let (items, classes) = (outline.items, outline.classes);
    if tensor.meta.is_tiled() {
        return None;
    }
    let (planes, source, item, class) = match *tensor.meta.strides().as_ref() {
        [source, item, class] => (outline.sources(), source, item, class),
        [item, class] => (1, 0, item, class),
        _ => return None,
    };
    let stands = (classes == 1 || class == 1) && (items == 1 || item >= classes) && (planes == 1 || source >= classes);
    let item = if items == 1 { classes } else { item };
    stands.then_some([if planes == 1 { item * items } else { source }, item])
}

/// The same of one tensor a source.
fn distances(tensors: &[CubeTensor], places: &[Place], outline: &Outline) -> Option<[usize; 2]> {
    let items =
        tensors.iter().map(|tensor| strides(tensor, outline).map(|[_, item]| item)).collect::<Option<Vec<_>>>()?;
    let item = *items.first()?;
    let [first, second, ..] = places else { return None };
    let distance = second.offset.checked_sub(first.offset)?;
    let source = usize::try_from(distance / 4).ok()?;
    let in_line = places
        .windows(2)
        .all(|pair| pair[0].buffer == pair[1].buffer && pair[1].offset.checked_sub(pair[0].offset) == Some(distance));
    (in_line && source >= outline.classes && items.iter().all(|&other| other == item)).then_some([source, item])
}
