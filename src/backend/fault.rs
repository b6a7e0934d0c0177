//! Faults put into a device on purpose, so that the tests see each of them survived. Nothing else makes one.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{DeviceError, Result};
use crate::kernel::Kernel;

/// What a device can be made to suffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is destroyed: its driver crashed, or it was pulled out.
    Lost,
    /// Its memory is spent.
    OutOfMemory,
    /// It does not answer in time.
    TimedOut,
    /// What wgpu calls back panics.
    CallbackPanics,
    /// The executor panics while it has the device to itself.
    ExecutorPanics,
}

/// Faults that wait for a device. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    state: Arc<Mutex<State>>,
    /// Held by every device that was opened with these faults, too.
    devices: Arc<()>,
}

#[derive(Debug, Default)]
struct State {
    /// A fault, and how many submissions pass before it.
    planned: Option<(u64, Fault)>,
    /// A fault that has come and waits for the call that it shows in.
    pending: Option<Fault>,
    submissions: u64,
    openings_refused: u32,
    poison: Option<(Kernel, &'static str, &'static str)>,
}

impl Faults {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A fault after so many more submissions: uploads, dispatches and copies back.
    pub fn plan(&self, submissions: u64, fault: Fault) {
        self.with(|state| state.planned = Some((submissions, fault)));
    }

    /// The next openings of a device fail.
    pub fn refuse_openings(&self, times: u32) {
        self.with(|state| state.openings_refused = times);
    }

    /// A part of a kernel's text is another from the next compilation on: a driver that computes it wrongly.
    pub fn poison(&self, kernel: Kernel, part: &'static str, other: &'static str) {
        self.with(|state| state.poison = Some((kernel, part, other)));
    }

    /// Kernels are as they were written from the next compilation on.
    pub fn cure(&self) {
        self.with(|state| state.poison = None);
    }

    /// How many submissions there were.
    #[must_use]
    pub fn submissions(&self) -> u64 {
        self.with(|state| state.submissions)
    }

    /// How many devices are open.
    #[must_use]
    pub fn devices(&self) -> usize {
        // One is held by each handle of the caller and of an engine.
        Arc::strong_count(&self.devices) - Arc::strong_count(&self.state)
    }

    fn with<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a device asks of the faults it was opened with.
#[cfg_attr(not(feature = "gpu"), expect(dead_code, reason = "in a build without a GPU executor nobody asks"))]
impl Faults {
    /// To be held by a device for as long as it is open.
    pub(crate) fn device(&self) -> Arc<()> {
        Arc::clone(&self.devices)
    }

    /// Whether a device may be opened.
    pub(crate) fn opening(&self) -> Result<()> {
        let is_refused = self.with(|state| {
            let is_refused = state.openings_refused > 0;
            state.openings_refused = state.openings_refused.saturating_sub(1);
            is_refused
        });
        if is_refused {
            let (adapter, message) = ("any".to_owned(), "a fault was put in".to_owned());
            return Err(DeviceError::Unavailable { adapter, message }.into());
        }
        Ok(())
    }

    /// Whether the device is to be lost with this submission.
    ///
    /// # Panics
    ///
    /// Where that is the fault.
    pub(crate) fn submission(&self) -> bool {
        let fault = self.with(|state| {
            state.submissions += 1;
            match state.planned.take() {
                Some((0, fault @ (Fault::Lost | Fault::ExecutorPanics))) => Some(fault),
                Some((0, fault)) => {
                    state.pending = Some(fault);
                    None
                }
                Some((left, fault)) => {
                    state.planned = Some((left - 1, fault));
                    None
                }
                None => None,
            }
        });
        assert!(fault != Some(Fault::ExecutorPanics), "a fault was put in");
        fault == Some(Fault::Lost)
    }

    /// Whether the fault has come; it comes once.
    pub(crate) fn take(&self, fault: Fault) -> bool {
        self.with(|state| state.pending.take_if(|pending| *pending == fault).is_some())
    }

    /// A kernel's text.
    pub(crate) fn text(&self, kernel: Kernel, text: &'static str) -> Cow<'static, str> {
        match self.with(|state| state.poison) {
            Some((poisoned, part, other)) if poisoned == kernel => text.replace(part, other).into(),
            _ => text.into(),
        }
    }
}
