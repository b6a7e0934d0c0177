//! Fusions as a user of candle-core would compose them: [N, B, C] to [B, C].

use candle_core::{D, DType, Result, Tensor};

pub fn linear(x: &Tensor) -> Result<Tensor> {
    x.mean(0)
}

pub fn log_pool(x: &Tensor) -> Result<Tensor> {
    let logs = x.clamp(1e-7_f32, 1.0_f32)?.log()?.mean(0)?;
    let powers = logs.broadcast_sub(&logs.max_keepdim(D::Minus1)?)?.exp()?;
    powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)
}

pub fn vote(x: &Tensor) -> Result<Tensor> {
    let (_, _, classes) = x.dims3()?;
    let classes = Tensor::arange(0_u32, classes as u32, x.device())?;
    x.argmax_keepdim(D::Minus1)?.broadcast_eq(&classes)?.to_dtype(DType::F32)?.mean(0)
}

pub fn bayesian_average(x: &Tensor) -> Result<Tensor> {
    let confidence = x.max_keepdim(D::Minus1)?;
    x.broadcast_mul(&confidence)?.sum(0)?.broadcast_div(&confidence.sum(0)?)
}

/// The default ensemble; decision, confidence and entropy are computed as well.
pub fn ensemble(x: &Tensor) -> Result<Tensor> {
    let posterior = ((linear(x)? + vote(x)?)? + bayesian_average(x)?)?.affine(1.0 / 3.0, 0.0)?;
    std::hint::black_box(posterior.argmax(D::Minus1)?);
    std::hint::black_box(posterior.max(D::Minus1)?);
    std::hint::black_box((&posterior * posterior.clamp(1e-30_f32, 1.0_f32)?.log()?)?.sum(D::Minus1)?);
    Ok(posterior)
}
