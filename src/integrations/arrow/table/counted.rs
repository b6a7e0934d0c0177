//! A file that counts the bytes read from it.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// Reads, and adds to a count that others may watch.
#[derive(Debug)]
pub(super) struct Counted<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    pub fn new(inner: R, bytes: Arc<AtomicU64>) -> Self {
        Self { inner, bytes }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        self.bytes.fetch_add(len as u64, Ordering::Relaxed);
        Ok(len)
    }
}

impl Length for Counted<File> {
    fn len(&self) -> u64 {
        Length::len(&self.inner)
    }
}

impl ChunkReader for Counted<File> {
    type T = Counted<BufReader<File>>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(Counted::new(self.inner.get_read(start)?, Arc::clone(&self.bytes)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<bytes::Bytes> {
        // A damaged footer may ask for more than there is memory.
        if start.saturating_add(length as u64) > Length::len(self) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} are beyond the end of the file")));
        }
        self.bytes.fetch_add(length as u64, Ordering::Relaxed);
        self.inner.get_bytes(start, length)
    }
}
