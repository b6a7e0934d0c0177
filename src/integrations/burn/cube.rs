//! Tensors on burn's wgpu devices: fused in the buffers they are in, on burn's own device and queue.

mod lowered;
mod place;
#[cfg(test)]
mod tests;

use ::burn::backend::tensor::FloatTensor;
use ::burn::backend::{Cube, TensorMetadata};
use ::burn::tensor::wgpu::WgpuSetup;
use ::burn::tensor::{DType, Device};
use burn_cubecl::tensor::CubeTensor;

use self::lowered::Lowered;
use self::place::{Opinions, Place};
use super::fuse::{Call, elsewhere};
use crate::backend::gpu::foreign::wgpu::Queue;
use crate::backend::gpu::foreign::{AnswerBuffers, OpenDevice, Submitted};
use crate::engine::{Engine, EngineOptions};
use crate::error::Result;

/// An engine on a wgpu device of burn's, for the tensors that are there.
///
/// # Examples
///
/// *A posterior that burn computes further with, on its own device.*
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use consilience::burn::{WgpuEngine, fuse};
/// use consilience::{Encoding, EngineOptions, Fusion, Rule};
///
/// let (device, setup) = Device::wgpu_options().init_with_setup()?;
/// let engine = WgpuEngine::new(&device, &setup, &EngineOptions::default())?;
///
/// let opinions = Tensor::<3>::from_data([[[0.75, 0.25]], [[0.25, 0.75]]], &device);
/// let fused = fuse(&engine, &Fusion::new(Rule::Linear), Encoding::Probabilities, opinions)?;
/// let doubled = fused.into_posterior() * 2.0;
/// assert_eq!(doubled.to_data().try_to_vec::<f32>()?, [1.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WgpuEngine {
    engine: Engine,
    device: Device,
    queue: Queue,
}

impl WgpuEngine {
    /// An engine on a device of burn's and its setup, which burn hands out together:
    /// [`WgpuOptions::init_with_setup`](::burn::tensor::wgpu::WgpuOptions::init_with_setup) does, and
    /// [`WgpuOptions::setup`](::burn::tensor::wgpu::WgpuOptions::setup) makes a device of a setup that a caller opened.
    ///
    /// # Errors
    ///
    /// As [`Engine::on_device`].
    pub fn new(device: &Device, setup: &WgpuSetup, options: &EngineOptions) -> Result<Self> {
        let WgpuSetup { adapter, device: opened, queue, .. } = setup;
        let open = OpenDevice { info: adapter.get_info(), device: opened.clone(), queue: queue.clone() };
        let engine = Engine::on_device(open, options)?;
        Ok(Self { engine, device: device.clone(), queue: queue.clone() })
    }

    /// The engine, for what else is to be done on that device.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether a tensor is on its device.
    pub(super) fn holds(&self, tensor: &FloatTensor<Cube>) -> Result<()> {
        let device = Device::new(tensor.device());
        if device == self.device { Ok(()) } else { Err(elsewhere(&device, &self.device)) }
    }

    /// Burn's device.
    #[must_use]
    pub const fn device(&self) -> &Device {
        &self.device
    }
}

/// What was submitted.
#[derive(Debug)]
pub(super) struct Running {
    submitted: Submitted,
    /// Burn writes in place to what nobody else holds; of these it must not, until it is known whether they are valid.
    _opinions: Vec<CubeTensor>,
}

impl Running {
    /// Waits for it.
    pub(super) fn finish(self, engine: &Engine) -> Result<()> {
        engine.finish(self.submitted)
    }
}

/// Fuses one tensor [N, B, C] or N of [B, C] of the engine's device.
pub(super) fn fuse(
    call: &Call<'_>,
    on: &WgpuEngine,
    tensors: Vec<FloatTensor<Cube>>,
) -> Result<(FloatTensor<Cube>, Running)> {
    let outline = call.outline;
    let opinions = Opinions::of(tensors.into_iter().map(Cube::lower).collect(), outline)?;
    let (client, device) = opinions.home()?;
    let memory = client.empty(size_of::<f32>() * outline.items * outline.classes);
    let shape = [outline.items, outline.classes].into();
    let posterior = CubeTensor::new_contiguous(client, device, shape, memory, DType::F32);
    // Asked for last: burn then hands to the device all that it queued on this thread, among it what reads or writes this
    // memory as what it was before.
    let to = Place::of(&posterior)?;
    let answer = AnswerBuffers::posterior_at(&to.buffer, to.offset, None);
    let submitted = on.engine.fuse_buffers(&call.fusion_of_posterior(), &opinions.buffer(call), &answer)?;
    let (tensors, pins) = opinions.into_parts();
    // Where burn writes from the host it asks whether its own work is done, and knows nothing of ours.
    on.queue.on_submitted_work_done(move || drop((pins, to.pin)));
    Ok((Cube::raise(posterior), Running { submitted, _opinions: tensors }))
}
