//! Our errors inside candle's.

use std::fmt;

use crate::error::Error;

/// The error of this crate that an error of candle's carries, if one does: its predicates tell whose fault it is.
///
/// # Examples
///
/// *A row that is no distribution.*
///
/// ```
/// use std::sync::Arc;
///
/// use candle_core::{Device, Tensor};
/// use consilience::{Encoding, Engine, Fusion};
///
/// let rows = Tensor::new(&[[[0.5_f32, 0.5], [0.5, 0.75]]], &Device::Cpu)?;
/// let engine = Arc::new(Engine::cpu()?);
/// let error = consilience::candle::fuse(&engine, &Fusion::default(), Encoding::Probabilities, &rows).unwrap_err();
/// let invalid = consilience::candle::cause(&error).and_then(|error| error.invalid_opinion());
/// assert_eq!(invalid.map(|opinion| (opinion.source, opinion.item)), Some((0, 1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn cause(error: &candle_core::Error) -> Option<&Error> {
    match error {
        candle_core::Error::WrappedContext { wrapped, .. } => Some(&wrapped.downcast_ref::<Carried>()?.0),
        candle_core::Error::Context { inner, .. }
        | candle_core::Error::WithPath { inner, .. }
        | candle_core::Error::WithBacktrace { inner, .. } => cause(inner),
        _ => None,
    }
}

/// An error of ours as one of candle's.
pub(super) fn carried(error: impl Into<Error>) -> candle_core::Error {
    let context = "in a fusion of consilience".to_owned();
    candle_core::Error::WrappedContext { wrapped: Box::new(Carried(error.into())), context }.bt()
}

/// candle shows what it wraps as `Debug` does; this one reads as a message.
#[derive(thiserror::Error)]
#[error(transparent)]
struct Carried(Error);

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
