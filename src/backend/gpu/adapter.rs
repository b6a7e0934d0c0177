//! Which GPU, and a device on it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use wgpu::{
    Adapter, AdapterInfo, Backends, Device, DeviceDescriptor, DeviceType, Features, Instance, InstanceDescriptor,
    InstanceFlags, MemoryHints, Queue,
};

use crate::backend::fault::Faults;
use crate::backend::gpu::Wanted;
use crate::error::{DeviceError, Result};
use crate::kernel::fusion::pool;

/// Creating instances, adapters or devices on several threads at once crashes drivers.
static CREATION: Mutex<()> = Mutex::new(());

/// A device, open.
#[derive(Debug)]
pub(super) struct Opened {
    /// What it is.
    pub info: AdapterInfo,
    /// What it could do, asked for or not.
    pub offered: Features,
    /// Whether kernels sum over its subgroups, where they can.
    pub by_subgroups: bool,
    pub device: Device,
    pub queue: Queue,
    /// No two devices have the same, of any instance: wgpu numbers those of each instance alike.
    pub number: u64,
    /// Set once the device is lost or given up, to why; from then on its calls do nothing and say nothing.
    pub lost: Arc<OnceLock<DeviceError>>,
    /// What wgpu found wrong outside of error scopes.
    pub uncaptured: Arc<Mutex<Option<String>>>,
    /// Put in by tests.
    pub faults: Option<Faults>,
    /// Tells the faults that the device is open.
    pub open: Option<Arc<()>>,
    /// How many times commands were submitted.
    pub submissions: AtomicU64,
}

/// Opens a device on the adapter wanted.
pub(super) fn open(wanted: &Wanted, faults: Option<Faults>) -> Result<Opened> {
    faults.as_ref().map_or(Ok(()), Faults::opening)?;
    let _guard = CREATION.lock().unwrap_or_else(PoisonError::into_inner);
    let mut descriptor = InstanceDescriptor::new_without_display_handle();
    // OpenGL on Linux is the same hardware again through a worse driver.
    descriptor.backends = if cfg!(target_os = "linux") { Backends::VULKAN } else { Backends::PRIMARY };
    descriptor.flags = InstanceFlags::empty();
    let instance = Instance::new(descriptor.with_env());
    let mut adapters = pollster::block_on(instance.enumerate_adapters(Backends::all()));
    let infos = adapters.iter().map(Adapter::get_info).collect::<Vec<_>>();
    let adapter = adapters.swap_remove(choose(wanted, &infos)?);

    let (info, offered) = (adapter.get_info(), adapter.features());
    let descriptor = DeviceDescriptor {
        label: Some("consilience"),
        required_features: offered & (Features::TIMESTAMP_QUERY | Features::SUBGROUP),
        // The defaults allow 128 MiB a binding.
        required_limits: adapter.limits(),
        memory_hints: MemoryHints::Performance,
        ..DeviceDescriptor::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
        .map_err(|error| DeviceError::Unavailable { adapter: info.name.clone(), message: error.to_string() })?;
    let opened = Opened::new(info, offered, device, queue, faults);
    let lost = Arc::clone(&opened.lost);
    opened.device.set_device_lost_callback(move |reason, message| {
        // A second loss has nothing to add.
        let _ = lost.set(DeviceError::Lost { message: format!("{reason:?}: {message}") });
    });
    // wgpu's own handler panics.
    let uncaptured = Arc::clone(&opened.uncaptured);
    opened.device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        uncaptured.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.to_string());
    }));
    Ok(opened)
}

impl Opened {
    /// A device that is open, on which nobody has told yet whom to call when it is lost.
    pub(super) fn new(
        info: AdapterInfo,
        offered: Features,
        device: Device,
        queue: Queue,
        faults: Option<Faults>,
    ) -> Self {
        static OPENED: AtomicU64 = AtomicU64::new(0);
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let open = faults.as_ref().map(Faults::device);
        let (lost, uncaptured) = (Arc::default(), Arc::default());
        let submissions = AtomicU64::new(0);
        let opened = Self {
            info,
            offered,
            by_subgroups: false,
            device,
            queue,
            number,
            lost,
            uncaptured,
            faults,
            open,
            submissions,
        };
        Self { by_subgroups: are_worth_it(&opened.info) && opened.has_subgroups(), ..opened }
    }

    /// Whether kernels can sum over its subgroups. They have to divide a workgroup: some drivers are wrong otherwise.
    pub(super) fn has_subgroups(&self) -> bool {
        self.device.features().contains(Features::SUBGROUP) && self.info.subgroup_max_size <= pool::WORKGROUP_LANES
    }
}

/// Whether subgroups are large enough for sums over them to be worth their while: of eight lanes, they took a fifth longer
/// than trees.
const fn are_worth_it(info: &AdapterInfo) -> bool {
    info.subgroup_max_size >= 16
}

/// Whether the adapter is no hardware.
pub(super) fn is_software(info: &AdapterInfo) -> bool {
    !matches!(info.device_type, DeviceType::DiscreteGpu | DeviceType::IntegratedGpu | DeviceType::VirtualGpu)
}

/// The place of the adapter wanted, the fastest kind first and then the first.
fn choose(wanted: &Wanted, infos: &[AdapterInfo]) -> Result<usize> {
    let rank = |info: &AdapterInfo| match info.device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Cpu => 3,
        DeviceType::Other => 4,
    };
    let answers = |info: &AdapterInfo| match wanted {
        Wanted::Real => !is_software(info),
        Wanted::Any => true,
        Wanted::Named(name) => info.name.to_lowercase().contains(&name.to_lowercase()),
    };
    let fitting = infos.iter().enumerate().filter(|(_, info)| answers(info));
    let chosen = fitting.min_by_key(|(place, info)| (rank(info), *place)).map(|(place, _)| place);
    chosen.ok_or_else(|| not_found(wanted, infos).into())
}

fn not_found(wanted: &Wanted, infos: &[AdapterInfo]) -> DeviceError {
    let names = infos.iter().map(|info| info.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = match wanted {
        _ if infos.is_empty() => "no adapter".to_owned(),
        Wanted::Real => format!("only the software driver {names}, which counts as no GPU unless asked for"),
        Wanted::Any | Wanted::Named(_) => format!("the adapters are {names}"),
    };
    let wanted = match wanted {
        Wanted::Real => "a real GPU".to_owned(),
        Wanted::Any => "any GPU".to_owned(),
        Wanted::Named(name) => name.clone(),
    };
    DeviceError::NotFound { wanted, found }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str, device_type: DeviceType) -> AdapterInfo {
        let mut info = AdapterInfo::new(device_type, wgpu::Backend::Vulkan);
        info.name = name.to_owned();
        info
    }

    #[test]
    fn a_real_gpu_goes_first_and_software_only_where_it_is_asked_for() {
        let llvmpipe = info("llvmpipe (LLVM 15)", DeviceType::Cpu);
        let all = [llvmpipe.clone(), info("Iris", DeviceType::IntegratedGpu), info("Radeon", DeviceType::DiscreteGpu)];
        assert_eq!(choose(&Wanted::Real, &all).unwrap(), 2);
        assert_eq!(choose(&Wanted::Any, &all).unwrap(), 2);
        assert_eq!(choose(&Wanted::Any, &all[..2]).unwrap(), 1);
        assert_eq!(choose(&Wanted::Any, &all[..1]).unwrap(), 0);
        assert_eq!(choose(&Wanted::Named("LLVM".to_owned()), &all).unwrap(), 0);
        let error = choose(&Wanted::Real, &all[..1]).unwrap_err().to_string();
        assert!(error.contains("a real GPU") && error.contains("software driver llvmpipe"), "{error}");
        let error = choose(&Wanted::Named("arc".to_owned()), &all).unwrap_err().to_string();
        assert!(error.contains("arc") && error.contains("Iris, Radeon"), "{error}");
        assert!(choose(&Wanted::Any, &[]).unwrap_err().to_string().contains("no adapter"));
    }
}
