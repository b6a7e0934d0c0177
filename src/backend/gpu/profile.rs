//! The device's own clock.

use std::time::Duration;

use wgpu::{
    Buffer, BufferDescriptor, BufferUsages, CommandEncoder, CommandEncoderDescriptor, ComputePassDescriptor,
    ComputePassTimestampWrites, Features, QuerySet, QuerySetDescriptor, QueryType,
};

use crate::backend::gpu::adapter::Opened;
use crate::backend::gpu::readback::{Piece, Readback};
use crate::error::{DeviceError, Result};

/// Copies that one measurement of the yardstick takes the best of.
const COPIES: usize = 20;

/// Two timestamps and where they are resolved to.
#[derive(Debug)]
pub(super) struct Clock {
    queries: QuerySet,
    pub resolved: Buffer,
    nanoseconds_per_tick: f64,
}

/// Bytes of two timestamps.
pub(super) const CLOCK_BYTES: usize = 16;

impl Clock {
    /// A clock, where the device has one.
    pub(super) fn new(opened: &Opened) -> Option<Self> {
        if !opened.device.features().contains(Features::TIMESTAMP_QUERY) {
            return None;
        }
        let device = &opened.device;
        let queries =
            device.create_query_set(&QuerySetDescriptor { label: Some("clock"), ty: QueryType::Timestamp, count: 2 });
        let resolved = device.create_buffer(&BufferDescriptor {
            label: Some("clock"),
            size: CLOCK_BYTES as u64,
            usage: BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        Some(Self { queries, resolved, nanoseconds_per_tick: f64::from(opened.queue.get_timestamp_period()) })
    }

    /// Writes both ends of a pass.
    pub(super) fn whole_pass(&self) -> ComputePassTimestampWrites<'_> {
        self.writes(Some(0), Some(1))
    }

    /// Writes the beginning of the first of several passes, and the end of the last.
    pub(super) fn one_of(&self, is_first: bool, is_last: bool) -> Option<ComputePassTimestampWrites<'_>> {
        (is_first || is_last).then(|| self.writes(is_first.then_some(0), is_last.then_some(1)))
    }

    fn writes(&self, begin: Option<u32>, end: Option<u32>) -> ComputePassTimestampWrites<'_> {
        ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: begin,
            end_of_pass_write_index: end,
        }
    }

    /// Makes what was written readable.
    pub(super) fn resolve(&self, encoder: &mut CommandEncoder) {
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
    }

    /// The time between both timestamps.
    pub(super) fn between(&self, ticks: [u8; CLOCK_BYTES]) -> Duration {
        let [begin, end]: [u64; 2] = bytemuck::cast(ticks);
        Duration::from_secs_f64(end.saturating_sub(begin) as f64 * self.nanoseconds_per_tick * 1e-9)
    }

    /// The best time of several copies of so many bytes within the device's memory, after a first that does not count.
    pub(super) fn copy_time(&self, opened: &Opened, readback: &Readback, bytes: u64) -> Result<Duration> {
        let (bytes, allowed) = (bytes.next_multiple_of(4).max(4), opened.device.limits().max_buffer_size);
        if bytes > allowed {
            return Err(DeviceError::ItemTooLarge { needed: bytes, allowed }.into());
        }
        let buffer = |label| {
            let usage = BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
            opened.device.create_buffer(&BufferDescriptor { label, size: bytes, usage, mapped_at_creation: false })
        };
        let (from, to) = (buffer(Some("copy from")), buffer(Some("copy to")));
        let mut best = Duration::MAX;
        for copy in 0..=COPIES {
            let mut encoder = opened.device.create_command_encoder(&CommandEncoderDescriptor { label: Some("copy") });
            // Empty passes carry the timestamps: not every device writes them between passes.
            let stamp = |encoder: &mut CommandEncoder, writes| {
                drop(encoder.begin_compute_pass(&ComputePassDescriptor {
                    label: Some("stamp"),
                    timestamp_writes: Some(writes),
                }));
            };
            stamp(&mut encoder, self.writes(None, Some(0)));
            encoder.copy_buffer_to_buffer(&from, 0, &to, 0, bytes);
            stamp(&mut encoder, self.writes(Some(1), None));
            self.resolve(&mut encoder);
            opened.submit(encoder);
            let mut ticks = [0; CLOCK_BYTES];
            readback.read(opened, vec![Piece { from: &self.resolved, from_offset: 0, to: &mut ticks }])?;
            if copy > 0 {
                best = best.min(self.between(ticks));
            }
        }
        Ok(best)
    }
}
