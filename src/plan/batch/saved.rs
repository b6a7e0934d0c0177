//! What a batch updates in place, kept for the case that it is run again.

use super::{Batch, Slot};

/// Copies of the planes that are read and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved(Vec<Vec<u8>>);

impl Slot<&mut [u8]> {
    fn reborrow(&mut self) -> Slot<&mut [u8]> {
        let planes = self.planes.iter_mut().map(|plane| &mut **plane).collect();
        Slot { per: self.per, words: self.words, planes, is_read: self.is_read }
    }
}

impl Batch<'_> {
    /// The same batch, lent on.
    pub fn reborrow(&mut self) -> Batch<'_> {
        Batch {
            kernel: self.kernel,
            items: self.items,
            block: self.block,
            operations: self.operations,
            params: self.params,
            inputs: self.inputs.clone(),
            outputs: self.outputs.iter_mut().map(Slot::reborrow).collect(),
        }
    }

    /// What it updates in place, as it is now.
    #[must_use]
    pub fn saved(&self) -> Saved {
        let updated = self.outputs.iter().filter(|slot| slot.is_read);
        Saved(updated.flat_map(|slot| &slot.planes).map(|plane| plane.to_vec()).collect())
    }

    /// What it updates in place, as it was.
    pub fn restore(&mut self, saved: &Saved) {
        let updated = self.outputs.iter_mut().filter(|slot| slot.is_read);
        let planes = updated.flat_map(|slot| &mut slot.planes);
        planes.zip(&saved.0).for_each(|(plane, saved)| plane.copy_from_slice(saved));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Kernel;

    #[test]
    fn only_what_is_updated_in_place_comes_back() {
        let input = [1_u32, 2, 3];
        let (mut updated, mut written) = ([[4_u32, 5, 6], [7, 8, 9]], [10_u32, 11, 12]);
        let [first, second] = &mut updated;
        let mut batch = Batch {
            kernel: Kernel::Cycle,
            items: 3,
            block: 4,
            operations: 0,
            params: &[],
            inputs: vec![Slot::<&[u8]>::items(&[&input[..]])],
            outputs: vec![
                Slot::<&mut [u8]>::items([&mut written[..]]),
                Slot::updated([&mut first[..], &mut second[..]]),
            ],
        };
        let saved = batch.saved();
        assert_eq!(saved.0, [[4_u32, 5, 6], [7, 8, 9]].map(|plane| bytemuck::cast_slice::<u32, u8>(&plane).to_vec()));
        let mut lent = batch.reborrow();
        assert_eq!((lent.items, lent.inputs[0].plane::<u32>(0)), (3, &input[..]));
        for slot in &mut lent.outputs {
            slot.planes_mut::<u32>().for_each(|plane| plane.fill(0));
        }
        batch.restore(&saved);
        assert_eq!((updated, written), ([[4, 5, 6], [7, 8, 9]], [0, 0, 0]));
    }
}
