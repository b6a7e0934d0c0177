//! Modules of burn as sources, and the fusion of its tensors.

mod faults;
mod fuse;
mod gradient;
mod network;
mod oracle;
#[cfg(feature = "burn-optim")]
mod trained;
#[cfg(feature = "burn-wgpu")]
mod wgpu;
