//! Arrays that an executor holds, and kernels over them.

use std::ops::Range;
use std::sync::Arc;

use bytemuck::{cast_slice, cast_slice_mut};

use crate::backend::gpu;
use crate::error::{DeviceError, Result};
use crate::kernel::Kernel;
use crate::plan::batch::{Batch, Per, Slot};

/// What an array looks like: planes of so many items of so many words each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub planes: usize,
    pub items: usize,
    /// Words of four bytes of an item.
    pub words: usize,
}

impl Shape {
    /// Bytes of a plane.
    pub fn plane_bytes(self) -> usize {
        4 * self.words * self.items
    }
}

/// Where something lies that an executor holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// In the host's memory: the CPU holds it.
    Host,
    /// In a device's.
    Device,
}

/// An array that an executor holds.
#[derive(Debug)]
pub(crate) enum HeldArray {
    /// In the host's memory.
    Host(HostArray),
    /// In a device's.
    #[cfg_attr(not(feature = "gpu"), expect(dead_code, reason = "in a build without a GPU executor there is none"))]
    Device(gpu::DeviceArray),
}

/// An array in the host's memory.
#[derive(Debug)]
pub(crate) struct HostArray {
    pub shape: Shape,
    words: Words,
}

#[derive(Debug)]
enum Words {
    /// Planes begin where a word of eight bytes does, so that values of any type lie where they may.
    Own(Vec<u64>),
    /// One plane of values of four bytes, which others may have too. Who writes it alone gets a copy, unless nobody has.
    Given(Arc<Vec<u32>>),
}

impl HeldArray {
    pub const fn home(&self) -> Home {
        match self {
            Self::Host(_) => Home::Host,
            Self::Device(_) => Home::Device,
        }
    }
}

impl HostArray {
    pub fn new(shape: Shape) -> Self {
        Self { shape, words: Words::Own(vec![0; shape.planes * Self::words_of_plane(shape)]) }
    }

    /// Of one plane, whose words these are.
    pub fn given(shape: Shape, words: Arc<Vec<u32>>) -> Self {
        Self { shape, words: Words::Given(words) }
    }

    /// Takes the words out that it was given, if nobody else has them.
    pub fn take_given(&mut self) -> Option<Vec<u32>> {
        let Words::Given(words) = &mut self.words else { return None };
        Arc::get_mut(words).map(std::mem::take)
    }

    /// What such an array takes, in bytes.
    pub fn bytes(shape: Shape) -> u64 {
        (shape.planes * Self::words_of_plane(shape)) as u64 * 8
    }

    fn words_of_plane(shape: Shape) -> usize {
        shape.plane_bytes().div_ceil(8)
    }

    /// The bytes of each plane.
    pub fn planes(&self) -> impl Iterator<Item = &[u8]> {
        let (each, bytes) = (Self::words_of_plane(self.shape).max(1), self.shape.plane_bytes());
        let (own, given): (&[u64], &[u32]) = match &self.words {
            Words::Own(words) => (words, &[]),
            Words::Given(words) => (&[], words),
        };
        let own = own.chunks_exact(each).map(move |plane| &cast_slice(plane)[..bytes]);
        own.chain(given.chunks_exact((bytes / 4).max(1)).map(cast_slice))
    }

    /// The same, to be written.
    pub fn planes_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let (each, bytes) = (Self::words_of_plane(self.shape).max(1), self.shape.plane_bytes());
        let (own, given): (&mut [u64], &mut [u32]) = match &mut self.words {
            Words::Own(words) => (words, &mut []),
            Words::Given(words) => (&mut [], Arc::<Vec<u32>>::make_mut(words).as_mut_slice()),
        };
        let own = own.chunks_exact_mut(each).map(move |plane| &mut cast_slice_mut(plane)[..bytes]);
        own.chain(given.chunks_exact_mut((bytes / 4).max(1)).map(cast_slice_mut))
    }
}

/// A kernel over arrays that an executor holds: [`Batch`] with arrays in the place of planes.
#[derive(Debug)]
pub(crate) struct HeldBatch<'a> {
    pub kernel: Kernel,
    pub items: usize,
    pub block: usize,
    pub operations: usize,
    pub params: &'a [u8],
    /// In the order of bindings.
    pub inputs: Vec<HeldInput<'a>>,
    /// In the order of bindings, behind the inputs.
    pub outputs: Vec<HeldOutput<'a>>,
}

/// What a kernel reads.
#[derive(Debug, Clone)]
pub(crate) enum HeldInput<'a> {
    /// One value per item in each plane: some planes of arrays of as many items and words, one behind the other.
    Items(Vec<(&'a HeldArray, Range<usize>)>),
    /// The same words for all items, from the host.
    Shared(&'a [u8]),
    /// The same words for all items: an array of one plane, whatever it has for how many items.
    Table(&'a HeldArray),
}

/// What a kernel writes.
#[derive(Debug)]
pub(crate) struct HeldOutput<'a> {
    /// Items or blocks.
    pub per: Per,
    pub array: &'a mut HeldArray,
    /// Whether the kernel reads what stands there.
    pub is_read: bool,
}

impl<'a> HeldBatch<'a> {
    /// The same over the host's memory.
    pub fn on_host(self) -> Result<Batch<'a>> {
        let input = |input: HeldInput<'a>| match input {
            HeldInput::Items(parts) => {
                let (mut words, mut planes) = (1, Vec::new());
                for (array, some) in parts {
                    let HeldArray::Host(array) = array else { return Err(DeviceError::HeldElsewhere.into()) };
                    words = array.shape.words;
                    planes.extend(array.planes().skip(some.start).take(some.len()));
                }
                Ok(Slot::of_words(Per::Item, words, planes, true))
            }
            HeldInput::Table(HeldArray::Host(array)) => {
                let planes: Vec<&[u8]> = array.planes().collect();
                Ok(Slot::of_words(Per::Batch, array.shape.words * array.shape.items, planes, true))
            }
            HeldInput::Table(HeldArray::Device(_)) => Err(DeviceError::HeldElsewhere.into()),
            HeldInput::Shared(bytes) => Ok(Slot::of_words(Per::Batch, bytes.len() / 4, vec![bytes], true)),
        };
        let output = |HeldOutput { per, array, is_read }: HeldOutput<'a>| match array {
            HeldArray::Host(array) => {
                let words = array.shape.words;
                Ok(Slot::of_words(per, words, array.planes_mut().collect(), is_read))
            }
            HeldArray::Device(_) => Err(DeviceError::HeldElsewhere.into()),
        };
        let Self { kernel, items, block, operations, params, inputs, outputs } = self;
        let inputs = inputs.into_iter().map(input).collect::<Result<_>>()?;
        let outputs = outputs.into_iter().map(output).collect::<Result<_>>()?;
        Ok(Batch { kernel, items, block, operations, params, inputs, outputs })
    }
}
