//! The GPU executor: the only place that names wgpu. Without the feature `gpu` it has the same face and always declines.

#[cfg(feature = "gpu")]
mod adapter;
#[cfg(feature = "gpu")]
mod bandwidth;
#[cfg(feature = "gpu")]
mod batch;
#[cfg(feature = "gpu")]
mod buffers;
#[cfg(feature = "gpu")]
mod chain;
#[cfg(feature = "gpu")]
mod description;
#[cfg(not(feature = "gpu"))]
mod disabled;
#[cfg(feature = "gpu")]
mod enabled;
#[cfg(feature = "gpu")]
mod encode;
#[cfg(feature = "gpu")]
pub mod foreign;
#[cfg(feature = "gpu")]
mod fused;
#[cfg(feature = "gpu")]
mod held;
#[cfg(feature = "gpu")]
mod link;
#[cfg(feature = "gpu")]
mod pipelines;
#[cfg(feature = "gpu")]
mod profile;
#[cfg(feature = "gpu")]
mod readback;
#[cfg(feature = "gpu")]
mod record;
#[cfg(feature = "gpu")]
mod regression;
#[cfg(feature = "gpu")]
mod resident;
#[cfg(feature = "gpu")]
mod upload;
// Two conditions, for clippy knows a test by the second alone.
#[cfg(feature = "gpu")]
#[cfg(test)]
mod watchdog;

#[cfg(not(feature = "gpu"))]
pub(crate) use self::disabled::{DeviceArray, DeviceFused, Gpu, Resident};
#[cfg(feature = "gpu")]
pub(crate) use self::enabled::Gpu;
#[cfg(feature = "gpu")]
pub(crate) use self::fused::DeviceFused;
#[cfg(feature = "gpu")]
pub(crate) use self::held::DeviceArray;
#[cfg(feature = "gpu")]
pub(crate) use self::resident::Resident;

/// Which adapter is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A real GPU; a software driver does not count.
    Real,
    /// Any; a real GPU first.
    Any,
    /// The first whose name contains this, whatever the case.
    Named(String),
}
