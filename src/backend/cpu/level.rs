//! Which instructions the CPU executor uses.

use std::fmt;
use std::str::FromStr;

use fearless_simd::Level;

use crate::error::{DeviceError, Error, Result};
use crate::tensor::named;

/// A set of SIMD instructions. The engine takes the machine's best; a lower one can be asked for, to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SimdLevel {
    /// What every machine of this architecture has: SSE2 on x86-64.
    Baseline,
    /// SSE4.2.
    Sse4_2,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512 as of Ice Lake.
    Avx512,
    /// 128-bit Advanced SIMD of 64-bit ARM.
    Neon,
}

impl SimdLevel {
    /// All of them, the machine's own or not.
    pub const ALL: [Self; 5] = [Self::Baseline, Self::Sse4_2, Self::Avx2, Self::Avx512, Self::Neon];

    /// The best this machine has.
    #[must_use]
    pub fn best() -> Self {
        match Level::new() {
            #[cfg(target_arch = "aarch64")]
            Level::Neon(_) => Self::Neon,
            #[cfg(target_arch = "x86_64")]
            Level::Sse4_2(_) => Self::Sse4_2,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(_) => Self::Avx2,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(_) => Self::Avx512,
            _ => Self::Baseline,
        }
    }

    /// Whether this machine has it.
    #[must_use]
    pub fn is_supported(self) -> bool {
        self.level().is_ok()
    }

    /// The token that proves that the machine has it.
    pub(super) fn level(self) -> Result<Level> {
        #[cfg(target_arch = "x86_64")]
        let level = match self {
            Self::Baseline => Level::new().as_sse2().map(Level::Sse2),
            Self::Sse4_2 => Level::new().as_sse4_2().map(Level::Sse4_2),
            Self::Avx2 => Level::new().as_avx2().map(Level::Avx2),
            Self::Avx512 => Level::new().as_avx512().map(Level::Avx512),
            Self::Neon => None,
        };
        #[cfg(not(target_arch = "x86_64"))]
        let level = (self == Self::best() || self == Self::Baseline).then(Level::new);
        let missing =
            || DeviceError::NotFound { wanted: self.to_string(), found: format!("this CPU has {}", Self::best()) };
        Ok(level.ok_or_else(missing)?)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Sse4_2 => "sse4.2",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }
}

impl fmt::Display for SimdLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SimdLevel {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(named("SIMD level", &Self::ALL, Self::name, name)?)
    }
}
