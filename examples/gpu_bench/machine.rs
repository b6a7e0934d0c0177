//! The machine that the figures are of.

use std::fmt;

use consilience::{Adapter, Engine};

/// What stands by every figure of a software driver.
pub const SOFTWARE: &str = "software driver: correctness only, these times are not a GPU's";

/// What stands by every figure where no device apart is measured.
pub const NO_GPU: &str = "no GPU: the CPU stands in the device's place";

/// The device under test and the host.
pub struct Machine {
    pub adapter: Option<Adapter>,
    engine: String,
    host: String,
}

impl Machine {
    pub fn of(engine: &Engine, host: &Engine) -> Self {
        Self { adapter: engine.adapter(), engine: engine.describe(), host: host.describe() }
    }

    /// What is to be said wherever figures are shown.
    pub fn mark(&self) -> Option<&'static str> {
        match &self.adapter {
            None => Some(NO_GPU),
            Some(adapter) if adapter.is_software() => Some(SOFTWARE),
            Some(_) => None,
        }
    }

    /// The device in a few words.
    pub fn title(&self) -> String {
        match &self.adapter {
            Some(adapter) => format!("{}, {} {}", adapter.name, adapter.driver, adapter.driver_info),
            None => self.host.clone(),
        }
    }

    /// What is known of it, by name.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("program", format!("consilience {} gpu_bench", env!("CARGO_PKG_VERSION"))),
            ("system", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
            ("host", self.host.clone()),
            ("engine", self.engine.clone()),
        ];
        if let Some(adapter) = &self.adapter {
            let (limits, mebibytes) = (adapter.limits, |bytes: u64| format!("{} MiB", bytes >> 20));
            let [fewest, most] = adapter.subgroup_lanes;
            let able = [("subgroups", adapter.subgroups), ("f16", adapter.f16), ("timestamps", adapter.timestamps)];
            let able: Vec<&str> = able.into_iter().filter(|(_, able)| *able).map(|(name, _)| name).collect();
            facts.extend([
                ("adapter", adapter.name.clone()),
                ("kind", adapter.kind.to_string()),
                ("vendor and device", format!("{:#06x}, {:#06x}", adapter.vendor, adapter.device)),
                ("driver", format!("{} {} ({})", adapter.driver, adapter.driver_info, adapter.api)),
                ("subgroup size", if fewest == most { most.to_string() } else { format!("{fewest} to {most}") }),
                ("features", able.join(", ")),
                ("largest buffer", mebibytes(limits.buffer_bytes)),
                ("largest binding", mebibytes(limits.binding_bytes)),
                ("storage buffers of a kernel", limits.storage_buffers.to_string()),
                ("workgroup", format!("{} lanes, {} bytes", limits.workgroup_lanes, limits.workgroup_bytes)),
                ("workgroups in a dimension", limits.groups_per_dimension.to_string()),
            ]);
        }
        facts.extend(self.mark().map(|mark| ("NOTE", mark.to_owned())));
        facts
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.facts().into_iter().try_for_each(|(name, value)| writeln!(f, "{name:28} {value}"))
    }
}
