//! Submitting work and waiting for it, with every way it can fail turned into our error.

use std::ops::Range;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use wgpu::{
    Buffer, BufferAsyncError, BufferView, BufferViewMut, CommandEncoder, ErrorFilter, MapMode, PollError, PollType,
    SubmissionIndex,
};

use crate::backend::fault::{Fault, Faults};
use crate::backend::gpu::adapter::Opened;
use crate::error::{DeviceError, Error, Result};

/// How long one submission may take. A driver that is alive ends a chunk in well under a second.
const TIMEOUT: Duration = Duration::from_secs(120);

/// How long a device that failed is waited for at a time.
const LINGER: Duration = Duration::from_secs(1);

/// Tells whether a buffer is mapped, once the device is through with it.
pub(super) type Mapping = Receiver<std::result::Result<(), BufferAsyncError>>;

impl Opened {
    /// Does the work inside error scopes. `bytes` are what it means to allocate, for the message where they are not had.
    pub(super) fn guarded<T>(&self, bytes: u64, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.alive()?;
        let memory = self.device.push_error_scope(ErrorFilter::OutOfMemory);
        let internal = self.device.push_error_scope(ErrorFilter::Internal);
        let validation = self.device.push_error_scope(ErrorFilter::Validation);
        let result = work();
        let validation = pollster::block_on(validation.pop());
        let internal = pollster::block_on(internal.pop());
        let memory = pollster::block_on(memory.pop());
        // A loss is called back from a poll only, once nothing is under way; until then calls on a lost device do nothing,
        // or fail for reasons of their own.
        let poll = match &result {
            Ok(_) => PollType::Poll,
            Err(_) => PollType::Wait { submission_index: None, timeout: Some(LINGER) },
        };
        let _ = self.device.poll(poll);
        // What a scope caught is the cause; what the work answered after it, a consequence.
        self.alive()?;
        let put_in = || self.meets(Fault::OutOfMemory).then(|| "a fault was put in".to_owned());
        if let Some(message) = memory.map(|error| error.to_string()).or_else(put_in) {
            return Err(DeviceError::OutOfMemory { bytes, message }.into());
        }
        if let Some(error) = validation.or(internal) {
            return Err(refused(error));
        }
        match self.uncaptured.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(refused(error)),
            None => result,
        }
    }

    /// Fails if the device is lost.
    pub(super) fn alive(&self) -> Result<()> {
        self.lost.get().map_or(Ok(()), |error| Err(error.clone().into()))
    }

    /// Whether a test put the fault in, and it comes now.
    fn meets(&self, fault: Fault) -> bool {
        self.faults.as_ref().is_some_and(|faults| faults.take(fault))
    }

    /// Hands the commands to the device.
    pub(super) fn submit(&self, encoder: CommandEncoder) -> SubmissionIndex {
        self.submissions.fetch_add(1, Ordering::Relaxed);
        if self.faults.as_ref().is_some_and(Faults::submission) {
            self.device.destroy();
        }
        self.queue.submit([encoder.finish()])
    }

    /// Waits until a submission is done and the mappings it frees are announced.
    pub(super) fn wait(&self, submission: SubmissionIndex) -> Result<()> {
        let poll = PollType::Wait { submission_index: Some(submission), timeout: Some(TIMEOUT) };
        let polled =
            if self.meets(Fault::TimedOut) { Err(PollError::Timeout) } else { self.device.poll(poll).map(drop) };
        self.alive()?;
        match polled {
            Ok(()) => Ok(()),
            Err(PollError::Timeout) => Err(self.give_up()),
            // The submission itself was refused; the error scope has the cause.
            Err(error) => Err(DeviceError::Refused { message: error.to_string() }.into()),
        }
    }

    /// Gives a device up that does not answer. Dropping its queue waits for it, so a thread keeps the queue until it answers
    /// or is lost; then all is free.
    fn give_up(&self) -> Error {
        let error = DeviceError::TimedOut { seconds: TIMEOUT.as_secs() };
        // If it is lost meanwhile, that it did not answer stays the reason.
        let _ = self.lost.set(error.clone());
        let (device, queue, open) = (self.device.clone(), self.queue.clone(), self.open.clone());
        let linger = move || {
            let poll = || device.poll(PollType::Wait { submission_index: None, timeout: Some(LINGER) });
            while matches!(poll(), Err(PollError::Timeout)) {}
            drop((queue, open));
        };
        // Without a thread the queue is waited for where it is dropped.
        let _ = thread::Builder::new().name("consilience-gpu-linger".to_owned()).spawn(linger);
        error.into()
    }

    /// Asks for a buffer to be mapped as soon as the device is through with it.
    pub(super) fn map(&self, buffer: &Buffer, mode: MapMode) -> Mapping {
        let (sender, mapping) = channel();
        let faults = self.faults.clone();
        buffer.map_async(mode, .., move |result| {
            assert!(!faults.is_some_and(|faults| faults.take(Fault::CallbackPanics)), "a fault was put in");
            // Nobody listens after an error elsewhere.
            let _ = sender.send(result);
        });
        mapping
    }

    /// Waits until the submission is done and the buffer, asked for before, is mapped.
    pub(super) fn wait_mapped(&self, submission: SubmissionIndex, mapping: &Mapping) -> Result<()> {
        self.wait(submission)?;
        // Whoever shares the device polls it too, and may be the one that is about to tell.
        match mapping.recv_timeout(TIMEOUT) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(refused(error)),
            Err(RecvTimeoutError::Timeout) => Err(self.give_up()),
            Err(error @ RecvTimeoutError::Disconnected) => Err(refused(error)),
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
