//! The CPU executor of an engine, opened when it is first asked for.

use std::sync::{Arc, OnceLock};

use crate::backend::cpu::{Cpu, SimdLevel};
use crate::error::Result;

/// How the CPU executor is opened, and the executor.
#[derive(Debug)]
pub(super) struct Host {
    threads: Option<usize>,
    simd: Option<SimdLevel>,
    cpu: OnceLock<Arc<Cpu>>,
}

impl Host {
    pub(super) const fn new(threads: Option<usize>, simd: Option<SimdLevel>) -> Self {
        Self { threads, simd, cpu: OnceLock::new() }
    }

    /// The executor; where nothing is said of threads and SIMD, one on all cores that all engines share.
    pub(super) fn cpu(&self) -> Result<&Arc<Cpu>> {
        if let Some(cpu) = self.cpu.get() {
            return Ok(cpu);
        }
        let cpu = match (self.threads, self.simd) {
            (None, None) => Cpu::shared()?,
            (threads, simd) => Arc::new(Cpu::open(threads, simd)?),
        };
        Ok(self.cpu.get_or_init(|| cpu))
    }
}
