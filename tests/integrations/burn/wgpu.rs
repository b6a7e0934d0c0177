//! What is said of burn's own buffers: on a wgpu device of burn's, the software driver's where there is no other.

use std::sync::OnceLock;
use std::thread;

use ::burn::tensor::wgpu::WgpuSetup;
use ::burn::tensor::{Device, Tensor};
use consilience::burn::{Fused, WgpuEngine, fuse};
use consilience::{Encoding, Engine, EngineOptions, Fusion, InvalidReason, Rule};

use super::fuse::{numbers, stacked};
use super::oracle::opinions;
use crate::support::engines;

/// Burn's device, opened once for the whole test binary, and the engine on it.
fn opened() -> Option<&'static (WgpuSetup, WgpuEngine)> {
    static OPENED: OnceLock<Option<(WgpuSetup, WgpuEngine)>> = OnceLock::new();
    let open = || {
        // Drivers do not stand several threads that open devices at once.
        engines::all();
        match Device::wgpu_options().init_with_setup() {
            Ok((device, setup)) => {
                let engine = WgpuEngine::new(&device, &setup, &EngineOptions::default()).expect("an engine");
                Some((setup, engine))
            }
            Err(error) if std::env::var_os("CONSILIENCE_REQUIRE_GPU").is_some() => {
                panic!("CONSILIENCE_REQUIRE_GPU is set, but: {error}")
            }
            Err(error) => {
                eprintln!("no test of burn's wgpu runs here: {error}");
                None
            }
        }
    };
    OPENED.get_or_init(open).as_ref()
}

pub fn engine() -> Option<&'static WgpuEngine> {
    opened().map(|(_, engine)| engine)
}

fn linear<'a>(engine: &'a WgpuEngine, tensor: Tensor<3>) -> Fused<'a> {
    fuse(engine, &Fusion::new(Rule::Linear), Encoding::Probabilities, tensor).expect("a posterior")
}
