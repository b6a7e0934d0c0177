//! Evidence that an engine holds, and how much of it there may be.

use std::sync::{Arc, Mutex, PoisonError};

use crate::backend::Held;
use crate::engine::Engine;
use crate::error::{DeviceError, Result};
use crate::tensor::{Evidence, Outline};

/// Evidence that an [`Engine`] holds where it reads it best: in a GPU's memory, or on the CPU in a copy of its own. Dropped,
/// the memory is free.
///
/// # Examples
///
/// *Two fusions of one upload.*
///
/// ```
/// use consilience::{Engine, Evidence, Fusion, Rule};
///
/// let engine = Engine::cpu()?;
/// let (a, b) = ([0.75, 0.25], [0.5, 0.5]);
/// let resident = engine.upload(&Evidence::probabilities(2, &[&a, &b])?)?;
/// assert_eq!(engine.fuse(&Fusion::new(Rule::Linear), &resident)?.posterior(), [0.625, 0.375]);
/// assert_eq!(engine.fuse(&Fusion::new(Rule::MaxVote), &resident)?.posterior(), [0.75, 0.25]);
/// assert_eq!((engine.resident().handles, engine.resident().bytes), (1, 16));
/// drop(resident);
/// assert_eq!(engine.resident().handles, 0);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct Resident {
    outline: Outline,
    /// Freed before the lease, so that no more is held than is counted.
    held: Held,
    lease: Lease,
}

/// Evidence as an [`Engine`] takes it: from the caller's memory, or uploaded before.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Input<'a> {
    /// In the caller's memory.
    Host(&'a Evidence<'a>),
    /// Uploaded to the engine.
    Resident(&'a Resident),
}

/// How much uploaded evidence an [`Engine`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResidentStats {
    /// Handles that were not dropped.
    pub handles: u64,
    /// What they take, in bytes.
    pub bytes: u64,
    /// What they may take.
    pub allowed: u64,
}

impl Resident {
    pub(super) const fn new(outline: Outline, held: Held, lease: Lease) -> Self {
        Self { outline, held, lease }
    }

    /// Number of items, B.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.outline.items
    }

    /// Number of sources, N.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.outline.sources()
    }

    /// Number of classes, C.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.outline.classes
    }

    /// What it takes, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.lease.bytes
    }

    /// What is held, if this engine holds it.
    pub(super) fn held(&self, engine: &Engine) -> Result<&Held> {
        if Arc::ptr_eq(&self.lease.of, &engine.residency) {
            Ok(&self.held)
        } else {
            Err(DeviceError::HeldElsewhere.into())
        }
    }
}

impl Input<'_> {
    pub(super) fn outline(&self) -> Outline {
        match self {
            Self::Host(evidence) => evidence.outline(),
            Self::Resident(resident) => resident.outline.clone(),
        }
    }
}

impl<'a> From<&'a Evidence<'a>> for Input<'a> {
    fn from(evidence: &'a Evidence<'a>) -> Self {
        Self::Host(evidence)
    }
}

impl<'a> From<&'a Resident> for Input<'a> {
    fn from(resident: &'a Resident) -> Self {
        Self::Resident(resident)
    }
}

/// Counts what an engine holds.
#[derive(Debug)]
pub(super) struct Residency {
    stats: Mutex<ResidentStats>,
}

/// A share of what an engine may hold. Dropped, it is given back.
#[derive(Debug)]
pub(super) struct Lease {
    of: Arc<Residency>,
    bytes: u64,
}

impl Residency {
    pub(super) const fn new(allowed: u64) -> Self {
        Self { stats: Mutex::new(ResidentStats { handles: 0, bytes: 0, allowed }) }
    }

    pub(super) fn stats(&self) -> ResidentStats {
        self.with(|stats| *stats)
    }

    /// Room for so many bytes.
    pub(super) fn lease(self: &Arc<Self>, bytes: u64) -> Result<Lease> {
        self.with(|stats| {
            if bytes > stats.allowed.saturating_sub(stats.bytes) {
                let (held, allowed) = (stats.bytes, stats.allowed);
                return Err(DeviceError::ResidentBudget { needed: bytes, held, allowed }.into());
            }
            stats.handles += 1;
            stats.bytes += bytes;
            Ok(Lease { of: Arc::clone(self), bytes })
        })
    }

    /// Nothing panics under the lock.
    fn with<T>(&self, with: impl FnOnce(&mut ResidentStats) -> T) -> T {
        with(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.of.with(|stats| {
            stats.handles -= 1;
            stats.bytes -= self.bytes;
        });
    }
}
