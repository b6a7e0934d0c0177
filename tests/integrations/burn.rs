//! Modules of burn as sources, and the fusion of its tensors.

#[cfg(feature = "burn-optim")]
mod autoregression;
mod faults;
mod fuse;
mod gradient;
mod network;
mod oracle;
#[cfg(feature = "burn-optim")]
mod trained;
#[cfg(feature = "burn-wgpu")]
mod wgpu;
