//! What burn's tensors say, fused.

use ::burn::backend::{BackendTensor, DispatchAutodiffContext, DispatchTensor, DispatchTensorKind, TensorMetadata};
use ::burn::tensor::{DType, Device, Tensor};

#[cfg(feature = "burn-wgpu")]
use super::cube::{self, WgpuEngine};
use super::{cpu, gradient};
use crate::engine::Engine;
use crate::error::{BurnError, Error, EvidenceError, Result};
use crate::spec::Fusion;
use crate::tensor::{Encoding, Form, Outline, Output, Outputs};

/// What N sources say about B items over C classes, as tensors of f32. A clone of a tensor shares its memory, so that those
/// given by reference are not copied either.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Input {
    /// [N, B, C].
    Stacked(Box<Tensor<3>>),
    /// N times [B, C], on one device.
    Apart(Vec<Tensor<2>>),
}

/// A posterior that is a tensor of burn, on the device of what was fused.
#[derive(Debug)]
#[must_use]
pub struct Fused<'a> {
    #[cfg_attr(not(feature = "burn-wgpu"), expect(dead_code, reason = "only a device has something left to tell"))]
    on: On<'a>,
    posterior: Posterior,
}

/// The same for this module's parts.
#[derive(Debug)]
pub(super) struct Posterior {
    pub tensor: Tensor<2>,
    pub validity: Validity,
}

/// What is known of the opinions behind a posterior.
#[derive(Debug)]
pub(super) enum Validity {
    /// Every one is valid, or mended.
    Checked,
    /// The device will tell.
    #[cfg(feature = "burn-wgpu")]
    Running(cube::Running),
}

impl Fused<'_> {
    /// The posterior [B, C], whether every opinion was found valid or not; nothing is waited for. Where one was not, and
    /// [`Fusion::on_invalid`] does not mend it, the posterior means nothing.
    #[must_use]
    pub fn into_posterior(self) -> Tensor<2> {
        self.posterior.tensor
    }

    /// The posterior [B, C], every opinion found valid. On the CPU that is known; for a wgpu device it is waited.
    ///
    /// # Errors
    ///
    /// An opinion is invalid, or the device failed.
    pub fn checked(self) -> Result<Tensor<2>> {
        match self.posterior.validity {
            Validity::Checked => {}
            #[cfg(feature = "burn-wgpu")]
            Validity::Running(running) => running.finish(self.on.engine())?,
        }
        Ok(self.posterior.tensor)
    }
}

/// What fuses tensors, and where.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum On<'a> {
    /// An engine of its own, which reads the host's memory.
    Host(&'a Engine),
    /// An engine on a wgpu device of burn's.
    #[cfg(feature = "burn-wgpu")]
    Wgpu(&'a WgpuEngine),
}

impl<'a> On<'a> {
    #[cfg_attr(not(feature = "burn-wgpu"), expect(dead_code, reason = "only a device has something left to tell"))]
    pub(super) const fn engine(self) -> &'a Engine {
        match self {
            Self::Host(engine) => engine,
            #[cfg(feature = "burn-wgpu")]
            Self::Wgpu(on) => on.engine(),
        }
    }
}

impl<'a> From<&'a Engine> for On<'a> {
    fn from(engine: &'a Engine) -> Self {
        Self::Host(engine)
    }
}

#[cfg(feature = "burn-wgpu")]
impl<'a> From<&'a WgpuEngine> for On<'a> {
    fn from(engine: &'a WgpuEngine) -> Self {
        Self::Wgpu(engine)
    }
}

/// Fuses what is in the tensors into a tensor on their device. The posterior is what it gives, whatever outputs the fusion
/// asks for: `argmax` and `max_dim` of burn make decisions and confidences of it.
///
/// With gradients a list of tensors is stacked first, by burn: one copy on the device.
///
/// # Errors
///
/// A tensor is not of f32, has no sources, items or classes, or differs in shape or device from the first; its backend is
/// none of those that are fused, or its device not the engine's; the specification does not fit; a gradient is asked for
/// that there is none of; the device fails; or, on the CPU, an opinion is invalid.
///
/// # Examples
///
/// *A log pool of two networks' logits.*
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use consilience::{Encoding, Engine, Fusion, Rule};
///
/// let engine = Engine::cpu()?;
/// let logits = Tensor::<3>::from_data([[[2.0, 0.0]], [[0.0, 2.0]]], &Device::flex());
/// let fused = consilience::burn::fuse(&engine, &Fusion::new(Rule::LogPool), Encoding::Logits, logits)?;
/// assert_eq!(fused.checked()?.to_data().try_to_vec::<f32>()?, [0.5, 0.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fuse<'a>(
    on: impl Into<On<'a>>,
    fusion: &Fusion,
    encoding: Encoding,
    input: impl Into<Input>,
) -> Result<Fused<'a>> {
    let (on, input) = (on.into(), input.into());
    let outline = input.outline(encoding)?;
    let call = Call { on, fusion, encoding, outline: &outline };
    let posterior = if input.has_gradients()? { gradient::fuse(&call, input.stacked()) } else { call.fuse(input) };
    posterior.map(|posterior| Fused { on, posterior })
}

/// What is asked for, apart from the tensors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub on: On<'a>,
    pub fusion: &'a Fusion,
    pub encoding: Encoding,
    pub outline: &'a Outline,
}

impl Call<'_> {
    /// The fusion, of which the posterior is asked and nothing else.
    pub(super) fn fusion_of_posterior(&self) -> Fusion {
        Fusion { outputs: Outputs::of(&[Output::Posterior]), ..self.fusion.clone() }
    }

    /// Fuses tensors without gradients, all of one device.
    pub(super) fn fuse(&self, input: Input) -> Result<Posterior> {
        let kinds = input.into_dispatch().into_iter().map(|tensor| tensor.kind);
        let (kind, validity) = match self.on {
            #[cfg(feature = "burn-wgpu")]
            On::Wgpu(on) => {
                let float = |kind| match kind {
                    DispatchTensorKind::Cube(BackendTensor::Float(tensor)) => on.holds(&tensor).map(|()| tensor),
                    kind => Err(elsewhere(&kind.device().into(), on.device())),
                };
                let (posterior, running) = cube::fuse(self, on, kinds.map(float).collect::<Result<_>>()?)?;
                (DispatchTensorKind::Cube(BackendTensor::Float(posterior)), Validity::Running(running))
            }
            On::Host(engine) => {
                let float = |kind| match kind {
                    DispatchTensorKind::Flex(BackendTensor::Float(tensor)) => Ok(tensor),
                    kind => Err(unsupported(&kind.device().into())),
                };
                let posterior = cpu::fuse(self, engine, &kinds.map(float).collect::<Result<Vec<_>>>()?)?;
                (DispatchTensorKind::Flex(BackendTensor::Float(posterior)), Validity::Checked)
            }
        };
        let tensor = Tensor::from_dispatch(DispatchTensor { kind, autodiff: DispatchAutodiffContext::Disabled });
        Ok(Posterior { tensor, validity })
    }
}

/// The error of a device whose tensors are not fused.
pub(super) fn unsupported(device: &Device) -> Error {
    let supported = "those of flex are, by any engine, and those of wgpu by a `WgpuEngine` (feature `burn-wgpu`)";
    BurnError::Backend { device: format!("{device:?}"), supported }.into()
}

/// The error of tensors that are not where the engine is.
#[cfg(feature = "burn-wgpu")]
pub(super) fn elsewhere(device: &Device, engine: &Device) -> Error {
    BurnError::Elsewhere { device: format!("{device:?}"), engine: format!("{engine:?}") }.into()
}

/// The error of sources on two devices.
fn differs(source_index: usize, device: &Device, first: &Device) -> Error {
    BurnError::Device { source_index, device: format!("{device:?}"), first: format!("{first:?}") }.into()
}

impl Input {
    /// What it looks like, once it is seen that it can be fused.
    fn outline(&self, encoding: Encoding) -> Result<Outline> {
        let named = |tensor: String, dtype: DType, shape: &[usize], of: [&'static str; 3]| {
            if dtype != DType::F32 {
                return Err(BurnError::Type { tensor, dtype: dtype.name().to_owned() });
            }
            let of = &of[of.len() - shape.len()..];
            match shape.iter().position(|&size| size == 0) {
                Some(empty) => Err(BurnError::Empty { tensor, shape: shape.to_vec(), of: of[empty] }),
                None => Ok(()),
            }
        };
        let of = ["source", "item", "class"];
        let (n, [items, classes]) = match self {
            Self::Stacked(tensor) => {
                let [n, items, classes] = tensor.dims();
                named("the stacked tensor".to_owned(), tensor.dtype(), &[n, items, classes], of)?;
                (n, [items, classes])
            }
            Self::Apart(tensors) => {
                let Some(first) = tensors.first() else { return Err(EvidenceError::NoSources.into()) };
                for (source_index, tensor) in tensors.iter().enumerate() {
                    named(format!("the tensor of source {source_index}"), tensor.dtype(), &tensor.dims(), of)?;
                    if tensor.dims() != first.dims() {
                        let (shape, first) = (tensor.dims().to_vec(), first.dims().to_vec());
                        return Err(BurnError::Shape { source_index, shape, first }.into());
                    }
                    if tensor.device() != first.device() {
                        return Err(differs(source_index, &tensor.device(), &first.device()));
                    }
                }
                (tensors.len(), first.dims())
            }
        };
        Ok(Outline { items, classes, forms: vec![Form::F32(encoding); n], presence: false, confidence: false })
    }

    /// Whether there are tensors that gradients can belong to; those beside them that are none are constants to burn.
    fn has_gradients(&self) -> Result<bool> {
        let tensors = match self {
            Self::Stacked(tensor) => return Ok(tensor.is_autodiff()),
            Self::Apart(tensors) => tensors,
        };
        let mut devices = tensors.iter().map(Tensor::device).enumerate().filter(|(_, device)| device.is_autodiff());
        let Some((_, first)) = devices.next() else { return Ok(false) };
        let keeps = |device: &Device| device.gradient_checkpointing_strategy();
        match devices.find(|(_, device)| keeps(device) != keeps(&first)) {
            // burn panics of those.
            Some((source_index, device)) => Err(differs(source_index, &device, &first)),
            None => Ok(true),
        }
    }

    fn into_dispatch(self) -> Vec<DispatchTensor> {
        match self {
            Self::Stacked(tensor) => vec![tensor.into_dispatch()],
            Self::Apart(tensors) => tensors.into_iter().map(Tensor::into_dispatch).collect(),
        }
    }

    fn stacked(self) -> Tensor<3> {
        match self {
            Self::Stacked(tensor) => *tensor,
            Self::Apart(tensors) => Tensor::stack(tensors, 0),
        }
    }
}

impl From<Tensor<3>> for Input {
    fn from(stacked: Tensor<3>) -> Self {
        Self::Stacked(Box::new(stacked))
    }
}

impl From<&Tensor<3>> for Input {
    fn from(stacked: &Tensor<3>) -> Self {
        Self::Stacked(Box::new(stacked.clone()))
    }
}

impl From<Vec<Tensor<2>>> for Input {
    fn from(apart: Vec<Tensor<2>>) -> Self {
        Self::Apart(apart)
    }
}

impl From<&[Tensor<2>]> for Input {
    fn from(apart: &[Tensor<2>]) -> Self {
        Self::Apart(apart.to_vec())
    }
}

impl<const N: usize> From<[Tensor<2>; N]> for Input {
    fn from(apart: [Tensor<2>; N]) -> Self {
        Self::Apart(apart.into())
    }
}
