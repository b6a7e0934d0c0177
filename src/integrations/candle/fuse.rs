//! Fusion as an operation of candle.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Storage, Tensor};

use crate::engine::Engine;
use crate::error::{CandleError, EvidenceError};
use crate::integrations::candle::cause::carried;
use crate::integrations::candle::fused::Fused;
use crate::integrations::candle::planes::{check, evidence, is_readable, with_evidence};
use crate::spec::Fusion;
use crate::tensor::{self, Encoding, Evidence, Output};

/// The posterior [B, C] of opinions [N, B, C], whatever else the fusion asks for. See [`candle`](crate::candle) for what is
/// read in place and what has a gradient.
///
/// # Errors
///
/// The tensor is of another rank, type or device, has no source or no class, or its shape does not fit the fusion; an
/// opinion is invalid; the engine's device fails.
///
/// # Examples
///
/// *Two networks on one item. The second says nonsense; three steps down the gradient of the loss teach a scale of each
/// one's logits that the first is to be heard.*
///
/// ```
/// use std::sync::Arc;
///
/// use candle_core::{Device, Tensor, Var};
/// use consilience::{Encoding, Engine, Fusion, Rule};
///
/// let engine = Arc::new(Engine::cpu()?);
/// let logits = Tensor::new(&[[[2.0_f32, 0.0]], [[0.0, 2.0]]], &Device::Cpu)?;
/// let scales = Var::new(&[[[1.0_f32]], [[1.0]]], &Device::Cpu)?;
/// let mut said = Vec::new();
/// for _ in 0..3 {
///     let scaled = logits.broadcast_mul(&scales)?;
///     let posterior = consilience::candle::fuse(&engine, &Fusion::new(Rule::LogPool), Encoding::Logits, &scaled)?;
///     said.push(posterior.get(0)?.get(0)?.to_scalar::<f32>()?);
///     // The item is of the first class.
///     let loss = posterior.narrow(1, 0, 1)?.log()?.neg()?.sum_all()?;
///     let gradients = loss.backward()?;
///     let step = gradients.get(&scales).ok_or("no gradient")?;
///     scales.set(&scales.sub(step)?)?;
/// }
/// let percent: Vec<u32> = said.iter().map(|p| (100.0 * p) as u32).collect();
/// assert_eq!(percent, [50, 73, 82]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fuse(engine: &Arc<Engine>, fusion: &Fusion, encoding: Encoding, opinions: &Tensor) -> Result<Tensor> {
    Ok(apply(engine, fusion.clone().outputs(&[Output::Posterior]), encoding, opinions)?.0)
}

/// [`fuse`] of one tensor [B, C] for each source, which are stacked: a copy.
///
/// # Errors
///
/// As [`fuse`]; no tensors, or tensors that differ in shape, type or device.
///
/// # Examples
///
/// *The linear pool of two tensors.*
///
/// ```
/// use std::sync::Arc;
///
/// use candle_core::{Device, Tensor};
/// use consilience::{Encoding, Engine, Fusion, Rule};
///
/// let engine = Arc::new(Engine::cpu()?);
/// let (a, b) = (Tensor::new(&[[0.75_f32, 0.25]], &Device::Cpu)?, Tensor::new(&[[0.5_f32, 0.5]], &Device::Cpu)?);
/// let (linear, encoding) = (Fusion::new(Rule::Linear), Encoding::Probabilities);
/// let posterior = consilience::candle::fuse_sources(&engine, &linear, encoding, &[a, b])?;
/// assert_eq!(posterior.to_vec2::<f32>()?, [[0.625, 0.375]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fuse_sources<T: AsRef<Tensor>>(
    engine: &Arc<Engine>,
    fusion: &Fusion,
    encoding: Encoding,
    sources: &[T],
) -> Result<Tensor> {
    let first = sources.first().ok_or_else(|| carried(EvidenceError::NoSources))?.as_ref();
    if first.rank() != 2 {
        let (shape, must) = (first.dims().to_vec(), "[items, classes]");
        return Err(carried(CandleError::Rank { shape, must }));
    }
    let looks = |tensor: &Tensor| {
        let device = tensor.device().location();
        format!("{:?} of {} on {device:?}", tensor.dims(), tensor.dtype().as_str())
    };
    if let Some(source_index) = sources.iter().position(|source| looks(source.as_ref()) != looks(first)) {
        let (given, first) = (looks(sources[source_index].as_ref()), looks(first));
        return Err(carried(CandleError::Sources { source_index, given, first }));
    }
    fuse(engine, fusion, encoding, &Tensor::stack(sources, 0)?)
}

/// All that the fusion asks for of opinions [N, B, C], in one pass. The posterior, if it is among it, has the gradient that
/// [`fuse`] gives it; the others have none.
///
/// # Errors
///
/// As [`fuse`].
///
/// # Examples
///
/// *Which class, and how far the sources are apart.*
///
/// ```
/// use std::sync::Arc;
///
/// use candle_core::{Device, Tensor};
/// use consilience::{Encoding, Engine, Fusion, Output, Rule};
///
/// let engine = Arc::new(Engine::cpu()?);
/// let opinions = Tensor::new(&[[[1.0_f32, 0.0]], [[0.0, 1.0]]], &Device::Cpu)?;
/// let fusion = Fusion::new(Rule::Linear).outputs(&[Output::Decision, Output::Disagreement]);
/// let fused = consilience::candle::fuse_outputs(&engine, &fusion, Encoding::Probabilities, &opinions)?;
/// assert_eq!(fused.get(Output::Decision).ok_or("no decision")?.to_vec1::<u32>()?, [0]);
/// assert_eq!(fused.get(Output::Disagreement).ok_or("no disagreement")?.to_vec1::<f32>()?, [1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fuse_outputs(engine: &Arc<Engine>, fusion: &Fusion, encoding: Encoding, opinions: &Tensor) -> Result<Fused> {
    if fusion.outputs.contains(Output::Posterior) {
        let (posterior, beside) = apply(engine, fusion.clone(), encoding, opinions)?;
        return Ok(Fused::new(beside)?.with_posterior(posterior));
    }
    check(opinions)?;
    let fuse = |opinions: &Tensor| with_evidence(opinions, encoding, |evidence| engine.fuse(fusion, evidence));
    let fused = if is_readable(opinions.layout()) { fuse(opinions)? } else { fuse(&opinions.contiguous()?)? };
    Fused::new(fused.map_err(carried)?)
}

/// The posterior, and what was asked for beside it.
fn apply(
    engine: &Arc<Engine>,
    fusion: Fusion,
    encoding: Encoding,
    opinions: &Tensor,
) -> Result<(Tensor, tensor::Fused)> {
    check(opinions)?;
    let beside = Arc::new(Mutex::new(tensor::Fused::default()));
    let pool = Pool { engine: Arc::clone(engine), fusion, encoding, beside: Arc::clone(&beside) };
    let posterior = if is_readable(opinions.layout()) {
        opinions.apply_op1(pool)?
    } else {
        opinions.contiguous()?.apply_op1(pool)?
    };
    let beside = std::mem::take(&mut *beside.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((posterior, beside))
}

/// The operation.
struct Pool {
    engine: Arc<Engine>,
    fusion: Fusion,
    encoding: Encoding,
    /// Where the forward pass leaves what candle has no place for.
    beside: Arc<Mutex<tensor::Fused>>,
}

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        "consilience-fuse"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let evidence = evidence(storage, layout, self.encoding)?;
        let mut fused = self.engine.fuse(&self.fusion, &evidence).map_err(carried)?;
        let posterior = fused.take_values(Output::Posterior).unwrap_or_default();
        *self.beside.lock().unwrap_or_else(PoisonError::into_inner) = fused;
        Ok((CpuStorage::F32(posterior), (evidence.items(), evidence.classes()).into()))
    }

    fn bwd(&self, opinions: &Tensor, posterior: &Tensor, upstream: &Tensor) -> Result<Option<Tensor>> {
        let upstream = upstream.contiguous()?;
        let gradient = |evidence: &Evidence<'_>| {
            with_values(posterior, |posterior| {
                with_values(&upstream, |upstream| self.engine.gradient(&self.fusion, evidence, posterior, upstream))
            })
        };
        let gradient = with_evidence(opinions, self.encoding, gradient)???.map_err(carried)?;
        Tensor::from_vec(gradient, opinions.shape(), &Device::Cpu)?.to_dtype(opinions.dtype()).map(Some)
    }
}

/// The values of a contiguous f32 tensor on the CPU.
fn with_values<R>(tensor: &Tensor, with: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    match (&*storage, layout.contiguous_offsets()) {
        (Storage::Cpu(CpuStorage::F32(values)), Some((first, end))) => Ok(with(&values[first..end])),
        _ => Err(carried(CandleError::Type { dtype: tensor.dtype().as_str() })),
    }
}
