//! Jobs on the device, and what becomes of them where it fails.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::backend::Backend;
use crate::backend::cpu::Cpu;
use crate::backend::gpu::Gpu;
use crate::backend::held::Home;
use crate::engine::events::{Happening, Job};
use crate::engine::{Engine, OnDeviceFailure};
use crate::error::{DeviceError, Error, Result};

impl Engine {
    /// Does a job on the device where it is in use, and on the CPU where there is none, it is given up or it fails. The job
    /// is what both work on: after a failure the CPU finds it as the device left it.
    pub(super) fn on_either<J: ?Sized, T>(
        &self,
        job: Job,
        work: &mut J,
        on_gpu: impl FnOnce(&Arc<Gpu>, &mut J) -> Result<T>,
        on_cpu: impl FnOnce(&Arc<Cpu>, &mut J) -> Result<T>,
    ) -> Result<T> {
        if let Some(gpu) = self.in_use()? {
            match attempt(|| on_gpu(&gpu, work)) {
                Err(error) => self.goes_on_on_cpu(job, &gpu, error)?,
                done => {
                    self.succeeded();
                    return done;
                }
            }
        }
        on_cpu(self.host.cpu()?, work)
    }

    /// Notes that a job failed on the device.
    ///
    /// # Errors
    ///
    /// It does not go on on the CPU: its caller is at fault, or the options say so.
    pub(super) fn goes_on_on_cpu(&self, job: Job, gpu: &Arc<Gpu>, error: Error) -> Result<()> {
        let Some(fault) = error.device().filter(|error| error.is_failure()) else { return Err(error) };
        let cause = fault.clone();
        match self.on_device_failure {
            OnDeviceFailure::UseCpu => {
                self.failed(gpu, fault, Happening::DoneOnCpu { job, error: cause });
                Ok(())
            }
            OnDeviceFailure::Error => {
                self.failed(gpu, fault, Happening::Failed { job, error: cause });
                Err(error)
            }
        }
    }

    /// Does a job where what it works on is held.
    pub(super) fn at_home<T>(&self, home: Home, job: Job, work: impl FnOnce(&dyn Backend) -> Result<T>) -> Result<T> {
        match home {
            Home::Host => work(&**self.host.cpu()?),
            Home::Device => self.on_gpu(job, |gpu| work(&**gpu)),
        }
    }

    /// Does a job that only the device can do, for what it works on lies there.
    pub(super) fn on_gpu<T>(&self, job: Job, work: impl FnOnce(&Arc<Gpu>) -> Result<T>) -> Result<T> {
        let Some(accelerator) = &self.accelerator else { return Err(DeviceError::HeldElsewhere.into()) };
        // Where the device is not in use, what lay on it is gone.
        let gpu = accelerator.current(&self.log).map_err(|_| DeviceError::HeldLost)?;
        let done = attempt(|| work(&gpu));
        match &done {
            Ok(_) => self.succeeded(),
            Err(error) => {
                if let Some(fault) = error.device().filter(|error| error.is_failure()) {
                    self.failed(&gpu, fault, Happening::Failed { job, error: fault.clone() });
                }
            }
        }
        done
    }

    /// The device if there is one and it is in use.
    ///
    /// # Errors
    ///
    /// It is given up, and the options say that this is an error.
    fn in_use(&self) -> Result<Option<Arc<Gpu>>> {
        let Some(accelerator) = &self.accelerator else { return Ok(None) };
        match accelerator.current(&self.log) {
            Ok(gpu) => Ok(Some(gpu)),
            Err(error) => {
                self.log.found_given_up();
                if self.on_device_failure == OnDeviceFailure::Error { Err(error) } else { Ok(None) }
            }
        }
    }

    pub(super) fn succeeded(&self) {
        if let Some(accelerator) = &self.accelerator {
            accelerator.succeeded();
        }
    }

    /// Notes what a failure on the device led to.
    fn failed(&self, gpu: &Arc<Gpu>, error: &DeviceError, happening: Happening) {
        self.log.add(happening);
        if let Some(accelerator) = &self.accelerator {
            accelerator.failed(gpu, error, &self.log);
        }
    }
}

/// Does the work; a panic in it, in wgpu or in the driver is an error.
pub(super) fn attempt<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // What the work leaves half done is done again or never looked at.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(DeviceError::Panicked { message: message(&*panic) }.into()))
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "nothing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_says_what_it_said() {
        let said = |error: Error| error.device().cloned();
        let panicked = |message: &str| Some(DeviceError::Panicked { message: message.to_owned() });
        assert_eq!(attempt(|| Ok(7)).ok(), Some(7));
        let number = 5;
        assert_eq!(attempt::<()>(|| panic!("number {number}")).err().and_then(said), panicked("number 5"));
        assert_eq!(attempt::<()>(|| panic!("plain")).err().and_then(said), panicked("plain"));
        assert_eq!(attempt::<()>(|| std::panic::panic_any(3)).err().and_then(said), panicked("nothing"));
    }
}
