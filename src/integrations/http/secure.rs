//! `https`, where the feature of that name is on.

#[cfg(not(feature = "https"))]
mod disabled;
#[cfg(feature = "https")]
mod enabled;

#[cfg(not(feature = "https"))]
pub(super) use self::disabled::secured;
#[cfg(feature = "https")]
pub(super) use self::enabled::secured;
