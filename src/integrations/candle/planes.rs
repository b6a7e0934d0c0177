//! Tensors lent as evidence.

use candle_core::{CpuStorage, DType, Layout, Result, Storage, Tensor};

use crate::error::CandleError;
use crate::integrations::candle::cause::carried;
use crate::tensor::{Encoding, Evidence, Opinions};

/// Lends a tensor [N, B, C] as the evidence that it is, read where it lies: for what [`fuse`](super::fuse) does not do,
/// as uploads, presence masks, provenance and calibration.
///
/// # Errors
///
/// The tensor is not [N, B, C] with a source and a class, not on the CPU, not of f32, bf16 or f16, or its rows do not lie side by
/// side in memory: then `contiguous` makes a copy whose rows do.
///
/// # Examples
///
/// *The votes of the second of two sources.*
///
/// ```
/// use candle_core::{Device, Tensor};
/// use consilience::Encoding;
///
/// let logits = Tensor::new(&[[[2.0_f32, 0.0], [0.0, 1.0]], [[0.0, 3.0], [0.0, 1.0]]], &Device::Cpu)?;
/// let votes = consilience::candle::with_evidence(&logits, Encoding::Logits, |evidence| {
///     [evidence.vote(1, 0), evidence.vote(1, 1)]
/// })?;
/// assert_eq!(votes, [Some(1), Some(1)]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn with_evidence<R>(tensor: &Tensor, encoding: Encoding, with: impl FnOnce(&Evidence<'_>) -> R) -> Result<R> {
    check(tensor)?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(with(&evidence(storage, layout, encoding)?)),
        _ => Err(elsewhere(tensor)),
    }
}

/// What can be said of a tensor before it is read.
pub(super) fn check(tensor: &Tensor) -> Result<()> {
    if tensor.rank() != 3 {
        let (shape, must) = (tensor.dims().to_vec(), "[sources, items, classes]");
        return Err(carried(CandleError::Rank { shape, must }));
    }
    if !tensor.device().is_cpu() {
        return Err(elsewhere(tensor));
    }
    match tensor.dtype() {
        DType::F32 | DType::BF16 | DType::F16 => Ok(()),
        other => Err(carried(CandleError::Type { dtype: other.as_str() })),
    }
}

fn elsewhere(tensor: &Tensor) -> candle_core::Error {
    carried(CandleError::Device { device: format!("{:?}", tensor.device().location()) })
}

/// Whether the rows of each source lie side by side; the sources may be anywhere.
pub(super) fn is_readable(layout: &Layout) -> bool {
    let (&[_, items, classes], &[_, between_rows, between_values]) = (layout.dims(), layout.stride()) else {
        return false;
    };
    (classes <= 1 || between_values == 1) && (items <= 1 || between_rows == classes)
}

/// The evidence that a readable storage is.
pub(super) fn evidence<'a>(storage: &'a CpuStorage, layout: &Layout, encoding: Encoding) -> Result<Evidence<'a>> {
    let (&[sources, items, classes], &[between_sources, ..]) = (layout.dims(), layout.stride()) else {
        let (shape, must) = (layout.dims().to_vec(), "[sources, items, classes]");
        return Err(carried(CandleError::Rank { shape, must }));
    };
    if !is_readable(layout) {
        return Err(carried(CandleError::Layout { strides: layout.stride().to_vec() }));
    }
    let plane = |source: usize| {
        let first = layout.start_offset() + source * between_sources;
        first..first + items * classes
    };
    let opinions = |source: usize| {
        Ok(match (storage, encoding) {
            (CpuStorage::F32(values), encoding) => Opinions::encoded(encoding, &values[plane(source)]),
            (CpuStorage::BF16(values), Encoding::Probabilities) => Opinions::ProbabilitiesBf16(&values[plane(source)]),
            (CpuStorage::BF16(values), _) => Opinions::LogitsBf16(&values[plane(source)]),
            (CpuStorage::F16(values), Encoding::Probabilities) => Opinions::ProbabilitiesF16(&values[plane(source)]),
            (CpuStorage::F16(values), _) => Opinions::LogitsF16(&values[plane(source)]),
            (other, _) => {
                use candle_core::backend::BackendStorage as _;
                return Err(carried(CandleError::Type { dtype: other.dtype().as_str() }));
            }
        })
    };
    let opinions: Vec<_> = (0..sources).map(opinions).collect::<Result<_>>()?;
    Evidence::of(classes, &opinions).map_err(carried)
}
