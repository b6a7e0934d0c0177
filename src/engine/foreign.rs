//! Engines on a caller's device, and fusions of a caller's buffers.

use crate::backend::gpu::Gpu;
use crate::backend::gpu::foreign::{AnswerBuffers, EvidenceBuffer, OpenDevice, Submitted};
use crate::engine::accelerator::{Accelerator, ready};
use crate::engine::attempt::attempt;
use crate::engine::events::{Job, Log};
use crate::engine::host::Host;
use crate::engine::{Engine, EngineOptions, RETRY_AFTER};
use crate::error::{DeviceError, Result};
use crate::plan;
use crate::spec::Fusion;

impl Engine {
    /// An engine on a device that the caller opened; whatever the options say of devices, threads and instructions. The
    /// caller's own work goes on beside it, in the order of the queue.
    ///
    /// # Errors
    ///
    /// The options ask for a self-test, as they do unless [`EngineOptions::skip_self_test`] is set, and the device fails it.
    pub fn on_device(open: OpenDevice, options: &EngineOptions) -> Result<Self> {
        let gpu = Gpu::on_device(open, options.memory_bytes);
        let log = Log::default();
        let gpu = attempt(|| ready(gpu, !options.skip_self_test, options.subgroups, &log))?;
        let accelerator = Accelerator::new(gpu, None, options.retry_after.unwrap_or(RETRY_AFTER));
        let host = Host::new(options.threads, options.simd);
        let reason = "it is the caller's device".to_owned();
        Self::with(Some(accelerator), None, host, log, reason, options)
    }

    /// The engine's own device, for a caller who wants to work on it too; `None` on the CPU.
    #[must_use]
    pub fn open_device(&self) -> Option<OpenDevice> {
        self.accelerator.as_ref().and_then(Accelerator::in_use).map(|gpu| gpu.open_device())
    }

    /// Fuses evidence in a buffer of the caller's into buffers of the caller's: submitted to the queue behind all that was
    /// submitted before, and not waited for. What is submitted later finds the answers.
    ///
    /// # Errors
    ///
    /// The engine runs on the CPU; the specification does not fit the evidence; a buffer is too small, lacks the usage
    /// `STORAGE`, is destroyed, belongs to another device or begins where none may; rows would overlap; an output that is
    /// asked for has no buffer; the device fails. Of an opinion that is not valid [`Engine::finish`] tells. Buffers of another
    /// instance of wgpu must not be given: wgpu numbers them anew in each and cannot tell, and neither can the engine.
    pub fn fuse_buffers(
        &self,
        fusion: &Fusion,
        from: &EvidenceBuffer<'_>,
        to: &AnswerBuffers<'_>,
    ) -> Result<Submitted> {
        self.has_device()?;
        let outline = from.outline()?;
        let program = plan::lower(fusion, &outline)?;
        self.on_gpu(Job::Run(program.kernel()), |gpu| gpu.fuse_buffers(&program, outline, from, to))
    }

    /// Waits for a fusion that was submitted.
    ///
    /// # Errors
    ///
    /// An opinion is not valid: the answers then mean nothing. The engine is another one than it was submitted to; the device
    /// fails.
    pub fn finish(&self, submitted: Submitted) -> Result<()> {
        self.has_device()?;
        self.on_gpu(Job::Read, |gpu| gpu.finish(submitted))
    }

    fn has_device(&self) -> Result<()> {
        if self.is_gpu() { Ok(()) } else { Err(DeviceError::NoDevice.into()) }
    }
}
