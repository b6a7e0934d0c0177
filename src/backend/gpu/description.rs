//! The device, described.

use wgpu::{DeviceType, Features};

use crate::backend::adapter::{Adapter, AdapterKind, AdapterLimits};
use crate::backend::gpu::adapter::Opened;

impl Opened {
    /// What the driver says of the device.
    pub(super) fn description(&self) -> Adapter {
        let (info, limits) = (&self.info, self.device.limits());
        let offers = |feature| self.offered.contains(feature);
        Adapter {
            name: info.name.clone(),
            vendor: info.vendor,
            device: info.device,
            kind: match info.device_type {
                DeviceType::DiscreteGpu => AdapterKind::Discrete,
                DeviceType::IntegratedGpu => AdapterKind::Integrated,
                DeviceType::VirtualGpu => AdapterKind::Virtual,
                DeviceType::Cpu => AdapterKind::Software,
                DeviceType::Other => AdapterKind::Other,
            },
            api: info.backend.to_string(),
            driver: info.driver.clone(),
            driver_info: info.driver_info.clone(),
            subgroup_lanes: [info.subgroup_min_size, info.subgroup_max_size],
            subgroups: offers(Features::SUBGROUP),
            f16: offers(Features::SHADER_F16),
            timestamps: offers(Features::TIMESTAMP_QUERY),
            limits: AdapterLimits {
                buffer_bytes: limits.max_buffer_size,
                binding_bytes: limits.max_storage_buffer_binding_size,
                storage_buffers: limits.max_storage_buffers_per_shader_stage,
                workgroup_lanes: limits.max_compute_invocations_per_workgroup,
                workgroup_bytes: limits.max_compute_workgroup_storage_size,
                groups_per_dimension: limits.max_compute_workgroups_per_dimension,
            },
        }
    }
}
