//! How much of a batch fits a device at once, and the grid of a chunk.

use super::{Batch, OPERATIONS_PER_BYTE, Per, Slot};
use crate::error::{DeviceError, Result};
use crate::plan::partition::{Limits, MAX_GROUPS_PER_ROW};

/// Strides are multiples of so many items: each plane can be read as vec4s.
pub const STRIDE_ITEMS: u64 = 4;

/// Nothing smaller is bound: a vec4.
pub const LEAST_BYTES: u64 = 16;

/// More items than any device holds.
const MOST_ITEMS: u64 = 1 << 31;

/// How a batch is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sizes {
    /// Items of a chunk, at most.
    pub chunk: usize,
    /// Bytes of each binding of the largest chunk.
    pub bytes: Vec<u64>,
}

/// Where a chunk's planes begin and how its workgroups lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Items of the chunk.
    pub items: u32,
    /// Items between planes.
    pub stride: u32,
    /// Workgroups in a row.
    pub groups_per_row: u32,
    /// Rows.
    pub rows: u32,
}

impl Layout {
    /// That of a chunk of so many items.
    #[must_use]
    pub fn of(items: usize, block: usize) -> Self {
        let groups = items.div_ceil(block) as u32;
        let groups_per_row = groups.min(MAX_GROUPS_PER_ROW);
        let stride = (items as u64).next_multiple_of(STRIDE_ITEMS) as u32;
        Self { items: items as u32, stride, groups_per_row, rows: groups.div_ceil(groups_per_row.max(1)) }
    }

    /// That of a chunk of so many items whose planes are longer: they go on behind it.
    #[must_use]
    pub fn within(items: usize, block: usize, stride: usize) -> Self {
        Self { stride: stride as u32, ..Self::of(items, block) }
    }

    /// The parameter block with the first words set.
    #[must_use]
    pub fn params(&self, params: &[u8]) -> Vec<u8> {
        let first = [self.items, self.stride, self.groups_per_row];
        let mut params = params.to_vec();
        for (to, word) in params.chunks_exact_mut(4).zip(first) {
            to.copy_from_slice(&word.to_ne_bytes());
        }
        params
    }
}

/// What an item costs that moves so many words and takes so many operations, in words moved; at least one.
#[must_use]
pub fn work(words: usize, operations: usize) -> u64 {
    words.max(operations / OPERATIONS_PER_BYTE / 4).max(1) as u64
}

impl<D> Slot<D> {
    /// Its bytes in a chunk of so many items.
    fn bytes(&self, items: u64, block: u64) -> u64 {
        let (planes, bytes) = (self.planes.len() as u64, 4 * self.words as u64);
        let bytes = match self.per {
            Per::Item => planes * bytes * items.next_multiple_of(STRIDE_ITEMS),
            Per::Block => planes * bytes * items.div_ceil(block),
            Per::Batch => bytes,
        };
        bytes.next_multiple_of(LEAST_BYTES).max(LEAST_BYTES)
    }

    /// Where each plane begins on the device, in bytes.
    fn offsets(&self, layout: Layout) -> impl Iterator<Item = u64> + use<D> {
        let bytes = 4 * self.words as u64 * u64::from(layout.stride);
        (0..self.planes.len() as u64).map(move |plane| plane * bytes)
    }
}

impl<'a> Slot<&'a [u8]> {
    /// The bytes of each plane and where they begin on the device.
    pub fn placed(&self, layout: Layout) -> impl Iterator<Item = (u64, &'a [u8])> {
        self.offsets(layout).zip(self.planes.iter().copied())
    }
}

impl<'a> Slot<&'a mut [u8]> {
    /// What the kernel reads of it, if it does: the bytes of each plane and where they begin on the device.
    pub fn loaded(&self, layout: Layout) -> impl Iterator<Item = (u64, &[u8])> {
        self.offsets(layout).zip(self.planes.iter().map(|plane| &**plane)).filter(|_| self.is_read)
    }

    /// The bytes of each plane and where they begin on the device.
    pub fn into_placed(self, layout: Layout) -> impl Iterator<Item = (u64, &'a mut [u8])> {
        self.offsets(layout).zip(self.planes)
    }
}

impl Batch<'_> {
    /// Whether it may be cut between blocks only.
    fn has_blocks(&self) -> bool {
        self.outputs.iter().any(|slot| slot.per == Per::Block)
    }

    /// Bytes of each binding of a chunk of so many items.
    fn binding_bytes(&self, items: u64) -> Vec<u64> {
        let block = self.block as u64;
        let inputs = self.inputs.iter().map(|slot| slot.bytes(items, block));
        let outputs = self.outputs.iter().map(|slot| slot.bytes(items, block));
        [self.params.len() as u64].into_iter().chain(inputs).chain(outputs).collect()
    }

    /// Words of an item, read and written.
    fn words_per_item(&self) -> u64 {
        let words = |per, words: usize, planes: usize| if per == Per::Item { words * planes } else { 0 };
        let inputs = self.inputs.iter().map(|slot| words(slot.per, slot.words, slot.planes.len()));
        let outputs = self.outputs.iter().map(|slot| words(slot.per, slot.words, slot.planes.len()));
        inputs.chain(outputs).sum::<usize>() as u64
    }

    /// Cuts it for a device: whole blocks, but where not even one fits and nothing is per block.
    ///
    /// # Errors
    ///
    /// Not even one item fits, or not one block where something is per block.
    pub fn sizes(&self, limits: Limits) -> Result<Sizes> {
        let fits = |items: u64| {
            let bytes = self.binding_bytes(items);
            bytes.iter().all(|&bytes| bytes <= limits.binding_bytes) && bytes.iter().sum::<u64>() <= limits.chunk_bytes
        };
        let words = self.words_per_item().max(1);
        let work = work(words as usize, self.operations);
        // Indices are 32 bits wide in the shaders, and planes begin at multiples of the stride.
        let most = (limits.dispatch_values / work).clamp(1, u64::from(u32::MAX) / words - STRIDE_ITEMS);
        let (block, all) = (self.block as u64, self.items as u64);
        let most = if self.has_blocks() { most.max(block) } else { most }.min(MOST_ITEMS).min(all);
        let (mut items, mut too_many) = (0, most + 1);
        while items + 1 < too_many {
            let middle = u64::midpoint(items, too_many);
            if fits(middle) { items = middle } else { too_many = middle }
        }
        if items < all && (items >= block || self.has_blocks()) {
            items = items / block * block;
        }
        if items == 0 && all > 0 {
            let needed = self.binding_bytes(if self.has_blocks() { block.min(all) } else { 1 }).iter().sum();
            let allowed = limits.binding_bytes.min(limits.chunk_bytes);
            return Err(DeviceError::ItemTooLarge { needed, allowed }.into());
        }
        Ok(Sizes { chunk: items as usize, bytes: self.binding_bytes(items) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Kernel;

    const LIMITS: Limits =
        Limits { binding_bytes: 128 << 20, chunk_bytes: 256 << 20, dispatch_values: 1 << 28, loop_steps: None };

    /// Two planes of words and a table of three in; a value of two words per item out, and where asked a word per block.
    fn sizes(items: usize, has_blocks: bool, limits: Limits) -> Result<Sizes> {
        let (words, table) = (vec![0_u32; items], [0_f32; 3]);
        let (mut wide, mut sums) = (vec![0_u64; items], vec![0_u32; items.div_ceil(256)]);
        let mut outputs = vec![Slot::<&mut [u8]>::items([&mut wide[..]])];
        if has_blocks {
            outputs.push(Slot::blocks(&mut sums));
        }
        let inputs = vec![Slot::<&[u8]>::items(&[&words[..], &words]), Slot::shared(&table)];
        Batch { kernel: Kernel::DigitalRoot, items, block: 256, operations: 0, params: &[0; 16], inputs, outputs }
            .sizes(limits)
    }

    #[test]
    fn a_chunk_is_what_the_tightest_limit_holds() {
        let whole = Sizes { chunk: 1001, bytes: vec![16, 8 * 1004, 16, 8 * 1004] };
        assert_eq!(sizes(1001, false, LIMITS).unwrap(), whole);
        let with = |limits| sizes(5000, true, limits).unwrap().chunk;
        assert_eq!(with(LIMITS), 5000);
        assert_eq!(with(Limits { dispatch_values: 4 * 1000, ..LIMITS }), 768);
        // A block is the least where something is per block.
        assert_eq!(with(Limits { dispatch_values: 4, ..LIMITS }), 256);
        assert_eq!(with(Limits { binding_bytes: 8 * 700, ..LIMITS }), 512);
        let one = 16 + 16 + 2 * 8 * 256 + 16;
        assert_eq!(with(Limits { chunk_bytes: one, ..LIMITS }), 256);
        let error = sizes(5000, true, Limits { chunk_bytes: one - 1, ..LIMITS }).unwrap_err();
        assert!(error.is_device() && error.to_string().contains(&one.to_string()), "{error}");
    }

    #[test]
    fn without_blocks_a_chunk_may_be_an_item() {
        let with = |chunk_bytes| sizes(5000, false, Limits { chunk_bytes, ..LIMITS });
        let one = 16 + 16 + 2 * 8 * 4;
        assert_eq!(with(one).unwrap().chunk, 4);
        assert_eq!(sizes(5000, false, Limits { dispatch_values: 1, ..LIMITS }).unwrap().chunk, 1);
        let error = with(one - 1).unwrap_err().to_string();
        assert!(error.contains(&format!("needs {one} bytes")), "{error}");
        assert_eq!(sizes(0, true, LIMITS).unwrap().chunk, 0);
    }

    #[test]
    fn a_grid_covers_every_block_once() {
        for items in [0, 1, 255, 256, 257, 70_000 * 256, 1 << 30] {
            let layout = Layout::of(items, 256);
            let groups = u64::from(layout.groups_per_row) * u64::from(layout.rows);
            assert!(groups * 256 >= items as u64 && layout.groups_per_row.max(layout.rows) <= MAX_GROUPS_PER_ROW);
            assert!(layout.stride >= layout.items && layout.stride.is_multiple_of(4));
        }
        let want = Layout { items: 257, stride: 260, groups_per_row: 2, rows: 1 };
        assert_eq!(Layout::of(257, 256), want);
        let params = want.params(bytemuck::cast_slice(&[0_u32, 0, 0, 7]));
        assert_eq!(bytemuck::pod_collect_to_vec::<u8, u32>(&params), [257, 260, 2, 7]);
    }

    #[test]
    fn planes_lie_a_stride_apart() {
        let words = [0_u64; 6];
        let slot = Slot::<&[u8]>::items(&[&words[..], &words]);
        let places: Vec<u64> = slot.placed(Layout::of(6, 256)).map(|(offset, _)| offset).collect();
        assert_eq!(places, [0, 64]);
    }
}
