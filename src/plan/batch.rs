//! A kernel over arrays of items, which is no fusion: what it reads and writes, and how that is cut along items.

mod saved;
#[cfg(feature = "gpu")]
pub(crate) mod sizes;

use bytemuck::{AnyBitPattern, NoUninit, cast_slice, cast_slice_mut, pod_read_unaligned};

use crate::kernel::Kernel;

/// Operations of a core, or of a device, in the time of a byte moved, roughly.
pub(super) const OPERATIONS_PER_BYTE: usize = 4;

/// One run of a kernel over all items, or over the items of a chunk or a range.
///
/// The kernel's first binding is its parameter block, whose first three words are `items`, `stride` and `groups_per_row`;
/// then come the inputs, then the outputs, in this order. On the GPU a workgroup takes one block of items, the block's place
/// is `workgroup_id.x + groups_per_row * workgroup_id.y`, and plane p of a slot begins at item p `stride`, a multiple of
/// four. What lies behind the last item of a plane may be read and written; it means nothing.
#[derive(Debug)]
pub struct Batch<'a> {
    /// Which.
    pub kernel: Kernel,
    /// Their number.
    pub items: usize,
    /// Items of a block: what a workgroup takes, and what a slot per block has one of. A multiple of four.
    pub block: usize,
    /// Arithmetic operations of an item beyond a few for each word moved, roughly: decides from how many items on a second
    /// thread is worth it, and how many one dispatch takes.
    pub operations: usize,
    /// The bytes of the kernel's `Params`. The first three words are set for each chunk on the GPU and are zero here.
    pub params: &'a [u8],
    /// In the order of bindings.
    pub inputs: Vec<Slot<&'a [u8]>>,
    /// In the order of bindings, behind the inputs.
    pub outputs: Vec<Slot<&'a mut [u8]>>,
}

/// What a binding of a batch holds.
#[derive(Debug, Clone)]
pub struct Slot<D> {
    per: Per,
    /// Words of four bytes of one item or one block in a plane; of what all share, in the plane.
    words: usize,
    planes: Vec<D>,
    /// Whether the kernel reads what stands there.
    is_read: bool,
}

/// What a slot has one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// A value per item in each plane.
    Item,
    /// Values per block.
    Block,
    /// The same values for all items.
    Batch,
}

/// Words of a value.
const fn words<T>() -> usize {
    assert!(size_of::<T>() > 0 && size_of::<T>().is_multiple_of(4), "slots hold whole words");
    size_of::<T>() / 4
}

impl<'a> Slot<&'a [u8]> {
    /// One value per item in each plane.
    #[must_use]
    pub fn items<T: NoUninit>(planes: &[&'a [T]]) -> Self {
        let planes = planes.iter().map(|plane| cast_slice(plane)).collect();
        Self { per: Per::Item, words: const { words::<T>() }, planes, is_read: true }
    }

    /// The same values for all items.
    #[must_use]
    pub fn shared<T: NoUninit>(values: &'a [T]) -> Self {
        Self {
            per: Per::Batch,
            words: const { words::<T>() } * values.len(),
            planes: vec![cast_slice(values)],
            is_read: true,
        }
    }
}

impl<'a> Slot<&'a mut [u8]> {
    /// One value per item in each plane.
    #[must_use]
    pub fn items<T: NoUninit + AnyBitPattern>(planes: impl IntoIterator<Item = &'a mut [T]>) -> Self {
        let planes = planes.into_iter().map(cast_slice_mut).collect();
        Self { per: Per::Item, words: const { words::<T>() }, planes, is_read: false }
    }

    /// One value per item in each plane, which the kernel reads and writes in place.
    #[must_use]
    pub fn updated<T: NoUninit + AnyBitPattern>(planes: impl IntoIterator<Item = &'a mut [T]>) -> Self {
        Self { is_read: true, ..Self::items(planes) }
    }

    /// One value per block: a part of a sum, say, which the host adds up in the order of blocks, so that its bits depend
    /// neither on the device's scheduling nor on chunks, which are whole blocks.
    #[must_use]
    pub fn blocks<T: NoUninit + AnyBitPattern>(values: &'a mut [T]) -> Self {
        Self::of_blocks(values, 1)
    }

    /// So many values per block.
    #[must_use]
    pub fn of_blocks<T: NoUninit + AnyBitPattern>(values: &'a mut [T], values_per_block: usize) -> Self {
        let words = const { words::<T>() } * values_per_block;
        Self { per: Per::Block, words, planes: vec![cast_slice_mut(values)], is_read: false }
    }

    /// The planes as what they hold.
    pub fn planes_mut<T: NoUninit + AnyBitPattern>(&mut self) -> impl Iterator<Item = &mut [T]> {
        self.planes.iter_mut().map(|plane| cast_slice_mut(plane))
    }
}

impl<'a> Slot<&'a [u8]> {
    /// A plane as what it holds.
    #[must_use]
    pub fn plane<T: AnyBitPattern>(&self, plane: usize) -> &'a [T] {
        cast_slice(self.planes[plane])
    }
}

impl<D> Slot<D> {
    /// Planes of so many words for each item or block.
    #[must_use]
    pub const fn of_words(per: Per, words: usize, planes: Vec<D>, is_read: bool) -> Self {
        Self { per, words, planes, is_read }
    }

    /// The bytes of a plane up to an item that is a block's first, or the last one's end.
    fn bytes_before(&self, item: usize, block: usize) -> Option<usize> {
        match self.per {
            Per::Item => Some(4 * self.words * item),
            Per::Block => Some(4 * self.words * item.div_ceil(block)),
            Per::Batch => None,
        }
    }
}

impl<'a> Batch<'a> {
    /// The parameter block.
    #[must_use]
    pub fn params<P: AnyBitPattern>(&self) -> P {
        pod_read_unaligned(self.params)
    }

    /// Bytes read and written.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let inputs = self.inputs.iter().flat_map(|slot| &slot.planes).map(|plane| plane.len());
        let times = |slot: &Slot<_>| if slot.is_read { 2 } else { 1 };
        let outputs =
            self.outputs.iter().flat_map(|slot| slot.planes.iter().map(move |plane| times(slot) * plane.len()));
        inputs.chain(outputs).sum()
    }

    /// Bytes that go to a device and come back.
    #[must_use]
    pub fn transferred(&self) -> (usize, usize) {
        let outputs = |slot: &Slot<&mut [u8]>| slot.planes.iter().map(|plane| plane.len()).sum::<usize>();
        let back = self.outputs.iter().map(outputs).sum();
        let updated: usize = self.outputs.iter().filter(|slot| slot.is_read).map(outputs).sum();
        let inputs = self.inputs.iter().flat_map(|slot| &slot.planes).map(|plane| plane.len());
        (inputs.sum::<usize>() + updated, back)
    }

    /// Bytes that take as long to move as the whole takes, roughly.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.bytes().max(self.operations / OPERATIONS_PER_BYTE * self.items)
    }

    /// The first `items`, whole blocks or all where anything is per block, and the rest.
    #[must_use]
    pub fn split_at(self, items: usize) -> (Self, Self) {
        let Self { kernel, items: all, block, operations, params, inputs, outputs } = self;
        let items = items.min(all);
        let (mut left_inputs, mut right_inputs) = (Vec::new(), Vec::new());
        for slot in inputs {
            let (left, right) = match slot.bytes_before(items, block) {
                Some(bytes) => slot.planes.iter().map(|plane| plane.split_at(bytes)).unzip(),
                None => (slot.planes.clone(), slot.planes),
            };
            left_inputs.push(Slot { planes: left, ..slot });
            right_inputs.push(Slot { planes: right, ..slot });
        }
        let (mut left_outputs, mut right_outputs) = (Vec::new(), Vec::new());
        for slot in outputs {
            // No output is shared by all items.
            let bytes = slot.bytes_before(items, block).unwrap_or_default();
            let (left, right) = slot.planes.into_iter().map(|plane| plane.split_at_mut(bytes)).unzip();
            left_outputs.push(Slot { planes: left, ..slot });
            right_outputs.push(Slot { planes: right, ..slot });
        }
        let left = Self { kernel, items, block, operations, params, inputs: left_inputs, outputs: left_outputs };
        let right = Self {
            kernel,
            items: all - items,
            block,
            operations,
            params,
            inputs: right_inputs,
            outputs: right_outputs,
        };
        (left, right)
    }
}

/// The lowest item that a kernel refused, by what stands for each block: the lowest in it, or `u32::MAX`.
#[must_use]
pub fn lowest_refused(blocks: impl IntoIterator<Item = u32>, block: usize) -> Option<usize> {
    let refused = blocks.into_iter().enumerate().find(|(_, lowest)| *lowest != u32::MAX);
    refused.map(|(number, lowest)| block * number + lowest as usize)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn a_split_cuts_planes_and_blocks_and_keeps_what_is_shared() {
        let (a, b, table): (Vec<u32>, Vec<u32>, Vec<f32>) = ((0..10).collect(), (10..20).collect(), vec![0.5; 3]);
        let (mut wide, mut sums) = ([0_u64; 10], [0_u32; 3]);
        let batch = Batch {
            kernel: Kernel::DigitalRoot,
            items: 10,
            block: 4,
            operations: 0,
            params: &[],
            inputs: vec![Slot::<&[u8]>::items(&[&a[..], &b]), Slot::shared(&table)],
            outputs: vec![Slot::<&mut [u8]>::items([&mut wide[..]]), Slot::blocks(&mut sums)],
        };
        assert_eq!(batch.bytes(), 10 * 16 + 12 + 12);
        let (mut left, mut right) = batch.split_at(8);
        assert_eq!((left.items, right.items), (8, 2));
        assert_eq!((left.inputs[0].plane::<u32>(1), right.inputs[0].plane::<u32>(1)), (&b[..8], &b[8..]));
        assert_eq!((left.inputs[1].plane::<f32>(0), right.inputs[1].plane::<f32>(0)), (&table[..], &table[..]));
        let lens = |batch: &mut Batch<'_>| {
            let wide: Vec<_> = batch.outputs[0].planes_mut::<u64>().map(|plane| plane.len()).collect();
            let sums: Vec<_> = batch.outputs[1].planes_mut::<u32>().map(|plane| plane.len()).collect();
            (wide, sums)
        };
        assert_eq!((lens(&mut left), lens(&mut right)), ((vec![8], vec![2]), (vec![2], vec![1])));
        let (all, none) = right.split_at(100);
        assert_eq!((all.items, none.items, none.bytes()), (2, 0, 12));
    }
}
