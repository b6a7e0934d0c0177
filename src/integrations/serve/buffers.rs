//! Memory of large bodies that is used again.

use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::orchestration::lock::locked;

/// Memory that bodies were read into, for the next ones. What the system has just given costs a fault for each page when it is
/// written, which together take as long as the bytes themselves.
pub(super) struct Buffers {
    free: Mutex<Vec<Vec<u8>>>,
    /// Bytes of memory that are kept, all buffers together.
    most: usize,
}

/// Memory that goes back when nobody reads it any more.
struct Lent {
    bytes: Vec<u8>,
    from: Arc<Buffers>,
}

impl Buffers {
    pub(super) fn new(most: usize) -> Self {
        Self { free: Mutex::default(), most }
    }

    /// The largest that there is, or none.
    pub(super) fn take(&self) -> Vec<u8> {
        let mut free = locked(&self.free);
        let largest = (0..free.len()).max_by_key(|&place| free[place].capacity());
        largest.map(|place| free.swap_remove(place)).unwrap_or_default()
    }

    /// Takes memory back, unless that is more than is kept.
    fn give(&self, mut bytes: Vec<u8>) {
        let mut free = locked(&self.free);
        let kept: usize = free.iter().map(Vec::capacity).sum();
        if bytes.capacity() > 0 && kept + bytes.capacity() <= self.most {
            bytes.clear();
            free.push(bytes);
        }
    }

    /// What was written, to be read; the memory comes back after that.
    pub(super) fn lend(self: &Arc<Self>, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent { bytes, from: Arc::clone(self) })
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.from.give(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_when_the_last_who_reads_it_is_done() {
        let buffers = Arc::new(Buffers::new(1_000));
        let mut bytes = buffers.take();
        assert_eq!(bytes.capacity(), 0);
        bytes.extend_from_slice(&[7; 600]);
        let at = bytes.as_ptr();
        let body = buffers.lend(bytes);
        let part = body.slice(100..200);
        drop(body);
        assert_eq!((buffers.take().capacity(), part[99]), (0, 7));
        drop(part);
        let again = buffers.take();
        assert_eq!((again.as_ptr(), again.len()), (at, 0));
    }

    #[test]
    fn no_more_is_kept_than_may_be() {
        let buffers = Arc::new(Buffers::new(1_000));
        for length in [1_001, 300, 600, 200] {
            drop(buffers.lend(Vec::with_capacity(length)));
        }
        let kept: Vec<usize> = std::iter::repeat_with(|| buffers.take().capacity()).take(3).collect();
        assert_eq!(kept, [600, 300, 0]);
    }
}
