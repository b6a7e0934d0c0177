//! What a GPU, or a driver that stands for one, says of itself.

use std::fmt;

/// The device an engine runs on, as its driver describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adapter {
    /// Its name.
    pub name: String,
    /// The maker's number in the PCI register; of software, as its driver says.
    pub vendor: u32,
    /// The maker's number for the device.
    pub device: u32,
    /// What kind of device it is.
    pub kind: AdapterKind,
    /// Through what it is spoken to: `vulkan`, `metal` or `dx12`.
    pub api: String,
    /// The driver's name, where it says one.
    pub driver: String,
    /// The driver's version, where it says one.
    pub driver_info: String,
    /// Lanes that execute together: the fewest and the most. Both are the same on most devices.
    pub subgroup_lanes: [u32; 2],
    /// Whether shaders may use operations across a subgroup.
    pub subgroups: bool,
    /// Whether shaders may compute in 16 bits.
    pub f16: bool,
    /// Whether it has a clock of its own: without one no kernel is timed.
    pub timestamps: bool,
    /// What it allows.
    pub limits: AdapterLimits,
}

/// What kind of device an [`Adapter`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AdapterKind {
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU that shares the host's memory.
    Integrated,
    /// A share of a GPU.
    Virtual,
    /// No GPU: a driver that computes on the CPU.
    Software,
    /// The driver does not say.
    Other,
}

/// What an [`Adapter`] allows, as far as it bounds what this crate does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdapterLimits {
    /// The largest buffer, in bytes.
    pub buffer_bytes: u64,
    /// The largest part of a buffer that a kernel sees, in bytes; this crate uses no more than 2 GiB of it.
    pub binding_bytes: u64,
    /// Storage buffers of a kernel.
    pub storage_buffers: u32,
    /// Lanes of a workgroup.
    pub workgroup_lanes: u32,
    /// Memory of a workgroup, in bytes.
    pub workgroup_bytes: u32,
    /// Workgroups in one dimension of a grid.
    pub groups_per_dimension: u32,
}

impl Adapter {
    /// Whether it is no hardware: its times say nothing of a GPU's.
    #[must_use]
    pub fn is_software(&self) -> bool {
        !matches!(self.kind, AdapterKind::Discrete | AdapterKind::Integrated | AdapterKind::Virtual)
    }
}

impl fmt::Display for AdapterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Software => "software driver",
            Self::Other => "kind unknown",
        })
    }
}
