//! What can be wrong with a device.

/// A device that cannot be had or does not do its work.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No adapter answers the demand.
    #[error("no GPU for `{wanted}`: {found}")]
    NotFound {
        /// What was demanded.
        wanted: String,
        /// What there is instead.
        found: String,
    },
    /// This build has no GPU executor.
    #[error("this build has no GPU executor; build with the feature `gpu`, or use `Engine::cpu()`")]
    FeatureOff,
    /// The adapter would not give a device.
    #[error("adapter `{adapter}` gave no device: {message}")]
    Unavailable {
        /// The adapter's name.
        adapter: String,
        /// What the driver said.
        message: String,
    },
    /// The device's memory is spent.
    #[error("the device ran out of memory ({bytes} bytes wanted): {message}; lower the engine's memory budget")]
    OutOfMemory {
        /// Bytes that were wanted.
        bytes: u64,
        /// What the driver said.
        message: String,
    },
    /// One item alone needs more than a binding or the budget holds.
    #[error("one item needs {needed} bytes on the device, which allows {allowed}; use `Engine::cpu()`")]
    ItemTooLarge {
        /// Bytes one item needs.
        needed: u64,
        /// Bytes the device or the budget allows.
        allowed: u64,
    },
    /// One item alone takes more steps of a loop than the driver runs before it ends every loop silently.
    #[error("one item needs {needed} loop steps and the software driver stops at {allowed}; use `Engine::cpu()`")]
    TooManySteps {
        /// Steps one item needs.
        needed: u64,
        /// Steps the driver runs.
        allowed: u64,
    },
    /// What a fit holds on the device at a time passes a binding or the budget.
    #[error(
        "the fit needs {needed} bytes on the device at a time, which allows {allowed}; raise the engine's memory budget \
         or use `Engine::cpu()`"
    )]
    FitTooLarge {
        /// Bytes it needs.
        needed: u64,
        /// Bytes the device or the budget allows.
        allowed: u64,
    },
    /// Evidence that is to stay on the device passes the budget for that.
    #[error(
        "the evidence takes {needed} bytes where {held} of {allowed} are taken; drop a handle, or raise \
         `EngineOptions::resident_bytes`"
    )]
    ResidentBudget {
        /// Bytes it takes.
        needed: u64,
        /// Bytes that are taken by what is held already.
        held: u64,
        /// Bytes that may be.
        allowed: u64,
    },
    /// Evidence, answers or an array that another engine holds.
    #[error("it is held by another engine; upload it to the one that is to use it")]
    HeldElsewhere,
    /// An array that no binding holds.
    #[error("the array takes {needed} bytes on the device, which binds {allowed}; use fewer items at a time")]
    ArrayTooLarge {
        /// Bytes it takes.
        needed: u64,
        /// Bytes the device binds.
        allowed: u64,
    },
    /// An item of an array that is held is no argument of an operation.
    #[error("{operation}: item {item} must {must}")]
    ItemRefused {
        /// The operation.
        operation: &'static str,
        /// The lowest such item.
        item: usize,
        /// What would be right.
        must: &'static str,
    },
    /// A buffer of the caller's lacks a usage.
    #[error("the buffer of {what} lacks the usage {needed}; create it with `BufferUsages::{needed}`")]
    BufferUsage {
        /// What it is for.
        what: &'static str,
        /// The usage.
        needed: &'static str,
    },
    /// A buffer of the caller's ends too early.
    #[error("the buffer of {what} has {given} bytes where {needed} are needed")]
    BufferTooSmall {
        /// What it is for.
        what: &'static str,
        /// Bytes needed, the offset included.
        needed: u64,
        /// Bytes it has.
        given: u64,
    },
    /// An offset into a buffer of the caller's at which nothing may begin.
    #[error("{what} cannot begin at byte {offset}; give a multiple of {multiple}")]
    Misaligned {
        /// What begins there.
        what: &'static str,
        /// The offset in bytes.
        offset: u64,
        /// What it has to be a multiple of.
        multiple: u64,
    },
    /// A stride by which rows would overlap.
    #[error("the stride {what} is {stride} values; rows do not overlap from {least} on")]
    Stride {
        /// Between which rows.
        what: &'static str,
        /// The stride in values.
        stride: usize,
        /// The least it may be.
        least: usize,
    },
    /// More of a caller's buffer than the device binds.
    #[error(
        "{what} takes {needed} bytes of its buffer, of which the device binds {allowed}; fuse fewer items at a time"
    )]
    BindingTooLarge {
        /// What it is for.
        what: &'static str,
        /// Bytes it takes.
        needed: u64,
        /// Bytes the device binds.
        allowed: u64,
    },
    /// An output is asked for and has no buffer to go to.
    #[error("{what} is asked for and has no buffer; give one, or ask for fewer outputs")]
    NoBuffer {
        /// What has none.
        what: &'static str,
    },
    /// A buffer of the caller's that the device does not take: it is another device's, or destroyed.
    #[error("the device does not take the caller's buffer: {message}")]
    ForeignBuffer {
        /// What the driver said.
        message: String,
    },
    /// The engine runs on the CPU where a buffer on a device was given.
    #[error("the engine runs on the CPU and has no buffers; open it with `Engine::on_device`")]
    NoDevice,
    /// What stood on the device was to be computed there together with something that failed.
    #[error("the result was never computed, for an operation that waited with it failed; repeat what led to it")]
    Abandoned,
    /// Evidence, answers or an array that a device held which is no longer there.
    #[error("the device that held it was lost, and what it held with it; upload it again")]
    HeldLost,
    /// The device was lost.
    #[error("the device was lost: {message}")]
    Lost {
        /// What the driver said.
        message: String,
    },
    /// The device did not answer in time.
    #[error("the device did not finish within {seconds} s")]
    TimedOut {
        /// How long was waited.
        seconds: u64,
    },
    /// Something panicked while it worked for the device: a fault of this crate, of wgpu or of the driver.
    #[error("a panic in the GPU executor (please report this): {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// The device computes a known problem wrongly.
    #[error(
        "`{adapter}` computes {kernel} wrongly: {place} is {got}, not {wanted}; update its driver, or use `Engine::cpu()`"
    )]
    WrongResult {
        /// The adapter's name.
        adapter: String,
        /// The kernel.
        kernel: &'static str,
        /// Which number.
        place: String,
        /// What the device made of it.
        got: f64,
        /// What it is.
        wanted: f64,
    },
    /// The driver refused a call: a fault of this crate.
    #[error("the driver refused a call (please report this): {message}")]
    Refused {
        /// What the driver said.
        message: String,
    },
    /// A copy by the device differs from what was copied.
    #[error("the device's copy of {bytes} bytes differs from what was copied; its driver is not to be trusted")]
    WrongCopy {
        /// Bytes that were copied.
        bytes: u64,
    },
    /// The threads of the CPU executor could not be started.
    #[error("the CPU executor could not start its threads: {message}")]
    Threads {
        /// What the system said.
        message: String,
    },
}

impl DeviceError {
    /// Whether the device failed, or cannot do this job, so that another executor may: not where the caller is at fault.
    pub(crate) const fn is_failure(&self) -> bool {
        match self {
            Self::OutOfMemory { .. }
            | Self::ItemTooLarge { .. }
            | Self::TooManySteps { .. }
            | Self::FitTooLarge { .. }
            | Self::ArrayTooLarge { .. }
            | Self::Lost { .. }
            | Self::TimedOut { .. }
            | Self::Panicked { .. }
            | Self::WrongResult { .. }
            | Self::WrongCopy { .. }
            | Self::Refused { .. } => true,
            Self::NotFound { .. }
            | Self::FeatureOff
            | Self::Unavailable { .. }
            | Self::ResidentBudget { .. }
            | Self::HeldElsewhere
            | Self::HeldLost
            | Self::Abandoned
            | Self::ItemRefused { .. }
            | Self::BufferUsage { .. }
            | Self::BufferTooSmall { .. }
            | Self::Misaligned { .. }
            | Self::Stride { .. }
            | Self::BindingTooLarge { .. }
            | Self::NoBuffer { .. }
            | Self::ForeignBuffer { .. }
            | Self::NoDevice
            | Self::Threads { .. } => false,
        }
    }

    /// Whether nothing more can be asked of the device before it is opened again.
    pub(crate) const fn is_fatal(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::TimedOut { .. } | Self::Panicked { .. } | Self::WrongResult { .. })
    }
}
