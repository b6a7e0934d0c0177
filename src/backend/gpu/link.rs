//! Submitting work and waiting for it, with every way it can fail turned into our error.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use wgpu::{
    Buffer, BufferAsyncError, BufferView, BufferViewMut, CommandEncoder, ErrorFilter, MapMode, PollError, PollType,
    SubmissionIndex,
};

use crate::backend::gpu::adapter::Opened;
use crate::error::{DeviceError, Error, Result};

/// How long one submission may take. A driver that is alive ends a chunk in well under a second.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Tells whether a buffer is mapped, once the device is through with it.
pub(super) type Mapping = Receiver<std::result::Result<(), BufferAsyncError>>;

impl Opened {
    /// Does the work inside error scopes. `bytes` are what it means to allocate, for the message where they are not had.
    pub(super) fn guarded<T>(&self, bytes: u64, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let memory = self.device.push_error_scope(ErrorFilter::OutOfMemory);
        let internal = self.device.push_error_scope(ErrorFilter::Internal);
        let validation = self.device.push_error_scope(ErrorFilter::Validation);
        let result = work();
        let validation = pollster::block_on(validation.pop());
        let internal = pollster::block_on(internal.pop());
        let memory = pollster::block_on(memory.pop());
        // What a scope caught is the cause; what the work answered after it, a consequence.
        self.alive()?;
        if let Some(error) = memory {
            return Err(DeviceError::OutOfMemory { bytes, message: error.to_string() }.into());
        }
        if let Some(error) = validation.or(internal) {
            return Err(DeviceError::Refused { message: error.to_string() }.into());
        }
        result
    }

    /// Fails if the device is lost.
    pub(super) fn alive(&self) -> Result<()> {
        match self.lost.get() {
            Some(message) => Err(DeviceError::Lost { message: message.clone() }.into()),
            None => Ok(()),
        }
    }

    /// Hands the commands to the device.
    pub(super) fn submit(&self, encoder: CommandEncoder) -> SubmissionIndex {
        self.submissions.fetch_add(1, Ordering::Relaxed);
        self.queue.submit([encoder.finish()])
    }

    /// Waits until a submission is done and the mappings it frees are announced.
    pub(super) fn wait(&self, submission: SubmissionIndex) -> Result<()> {
        let poll = PollType::Wait { submission_index: Some(submission), timeout: Some(TIMEOUT) };
        let polled = self.device.poll(poll);
        self.alive()?;
        match polled {
            Ok(_) => Ok(()),
            Err(PollError::Timeout) => Err(DeviceError::TimedOut { seconds: TIMEOUT.as_secs() }.into()),
            // The submission itself was refused; the error scope has the cause.
            Err(error) => Err(DeviceError::Refused { message: error.to_string() }.into()),
        }
    }

    /// Asks for a buffer to be mapped as soon as the device is through with it.
    pub(super) fn map(&self, buffer: &Buffer, mode: MapMode) -> Mapping {
        let (sender, mapping) = channel();
        buffer.map_async(mode, .., move |result| {
            // Nobody listens after an error elsewhere.
            let _ = sender.send(result);
        });
        mapping
    }

    /// Waits until the submission is done and the buffer, asked for before, is mapped.
    pub(super) fn wait_mapped(&self, submission: SubmissionIndex, mapping: &Mapping) -> Result<()> {
        self.wait(submission)?;
        match mapping.try_recv() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(refused(error)),
            Err(error @ (TryRecvError::Empty | TryRecvError::Disconnected)) => Err(refused(error)),
        }
    }
}

/// The bytes of a mapped buffer, to be read.
pub(super) fn view(buffer: &Buffer, bytes: Range<u64>) -> Result<BufferView> {
    buffer.get_mapped_range(bytes).map_err(refused)
}

/// The bytes of a mapped buffer, to be written and never read: they lie in memory that is slow to read.
pub(super) fn view_mut(buffer: &Buffer, bytes: Range<u64>) -> Result<BufferViewMut> {
    buffer.get_mapped_range_mut(bytes).map_err(refused)
}

fn refused(error: impl std::fmt::Display) -> Error {
    DeviceError::Refused { message: error.to_string() }.into()
}
