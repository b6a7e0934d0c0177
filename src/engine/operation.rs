//! Operations over arrays that an engine holds, and what they refuse.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytemuck::{Pod, bytes_of, cast_slice, cast_slice_mut};

use crate::backend::held::{HeldArray, HeldBatch, HeldInput, HeldOutput, Home, Shape};
use crate::engine::Engine;
use crate::engine::array::{ResidentArray, Store};
use crate::engine::events::Job;
use crate::engine::planes::ResidentPlanes;
use crate::error::{DeviceError, LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::reduce::domain::{self, key};
use crate::plan::batch::{Per, lowest_refused};

/// Whether a kernel refused an item.
#[derive(Debug)]
pub(crate) struct Check {
    operation: &'static str,
    must: &'static str,
    block: usize,
    passed: AtomicBool,
    status: Mutex<Status>,
    shape: Shape,
}

/// For each block the lowest item that was refused in it, and whatever else the kernel has to say of the block.
#[derive(Debug)]
enum Status {
    Held(Store),
    Read(Vec<u32>),
}

/// A kernel to be run over arrays that are held.
pub(crate) struct Operation<'a> {
    pub kernel: Kernel,
    pub items: usize,
    pub block: usize,
    pub operations: usize,
    pub params: &'a [u8],
    pub inputs: Vec<Read<'a>>,
    pub outputs: Vec<Written<'a>>,
    /// Words of a block's status, the first of which is the lowest item that was refused, and what an item must be; the
    /// status is bound behind the outputs. `None` of a kernel that refuses nothing.
    pub refuses: Option<(usize, &'static str)>,
}

/// What an operation reads.
pub(crate) enum Read<'a> {
    /// Planes of arrays, one behind the other.
    Planes { parts: Vec<Part<'a>>, checks: Vec<Arc<Check>> },
    /// Values of the host's that all items share.
    Shared(&'a [u8]),
    /// An array of one plane that all items share.
    Table { array: &'a HeldArray, checks: Vec<Arc<Check>> },
}

/// Planes of an array.
pub(crate) struct Part<'a> {
    pub array: &'a HeldArray,
    pub planes: Range<usize>,
    pub items: usize,
}

/// What an operation writes.
pub(crate) struct Written<'a> {
    /// Its items are items or blocks.
    pub shape: Shape,
    pub(super) store: &'a mut Option<Store>,
    pub checks: &'a mut Vec<Arc<Check>>,
    pub is_read: bool,
    pub per: Per,
}

/// What numbers must be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Within<'a> {
    /// Of what it is said.
    pub operation: &'static str,
    pub must: &'static str,
    /// The least and the most, of each plane.
    pub ranges: &'a [[f32; 2]],
    /// How many planes, from the first on, sum to at least and at most what.
    pub sum: Option<(usize, [f32; 2])>,
}

impl<'a> Read<'a> {
    /// No planes.
    pub(crate) const fn none() -> Self {
        Self::Planes { parts: Vec::new(), checks: Vec::new() }
    }

    /// These planes and others behind them.
    #[must_use]
    pub(crate) fn and(mut self, more: Self) -> Self {
        if let (Self::Planes { parts, checks }, Read::Planes { parts: behind, checks: other }) = (&mut self, more) {
            parts.extend(behind);
            checks.extend(other);
        }
        self
    }

    /// Has whatever comes of it looked at for this too.
    #[must_use]
    pub(crate) fn subject_to(mut self, check: Option<Arc<Check>>) -> Self {
        if let Self::Planes { checks, .. } = &mut self {
            checks.extend(check);
        }
        self
    }

    fn home(&self) -> Option<Home> {
        match self {
            Self::Planes { parts, .. } => parts.first().map(|part| part.array.home()),
            Self::Table { array, .. } => Some(array.home()),
            Self::Shared(_) => None,
        }
    }

    fn bound(self) -> HeldInput<'a> {
        match self {
            Self::Planes { parts, .. } => {
                HeldInput::Items(parts.into_iter().map(|part| (part.array, part.planes)).collect())
            }
            Self::Shared(bytes) => HeldInput::Shared(bytes),
            Self::Table { array, .. } => HeldInput::Table(array),
        }
    }

    fn checks(&self) -> &[Arc<Check>] {
        match self {
            Self::Planes { checks, .. } | Self::Table { checks, .. } => checks,
            Self::Shared(_) => &[],
        }
    }
}

impl Written<'_> {
    fn home(&self) -> Option<Home> {
        self.store.as_ref().map(|store| store.held.home())
    }
}

impl Check {
    /// Fails if an item was refused.
    pub(super) fn look(&self, engine: &Engine) -> Result<()> {
        if self.passed.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if let Status::Held(Store { held, .. }) = &*status {
            let mut words = vec![0_u32; self.shape.items * self.shape.words];
            let planes = vec![cast_slice_mut(&mut words)];
            engine.at_home(held.home(), Job::Read, |home| home.read_array(held, planes))?;
            *status = Status::Read(words);
        }
        let Status::Read(words) = &mut *status else { return Ok(()) };
        let lowest = words.chunks_exact(self.shape.words).map(|block| block[0]);
        if let Some(item) = lowest_refused(lowest, self.block) {
            return Err(DeviceError::ItemRefused { operation: self.operation, item, must: self.must }.into());
        }
        if self.shape.words == 1 {
            // There is nothing else in it.
            *words = Vec::new();
        }
        self.passed.store(true, Ordering::Release);
        Ok(())
    }

    /// What else the kernel had to say of each block, once no item was refused.
    pub(crate) fn said(&self, engine: &Engine) -> Result<Vec<u32>> {
        self.look(engine)?;
        let status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let Status::Read(words) = &*status else { return Ok(Vec::new()) };
        Ok(words.chunks_exact(self.shape.words).flat_map(|block| &block[1..]).copied().collect())
    }
}

impl Engine {
    /// Runs a kernel over arrays that are held; what it writes is there for whatever comes after. Answers whether it refused
    /// an item, which those who read what it wrote are told.
    pub(crate) fn operate(&self, operation: Operation<'_>) -> Result<Option<Arc<Check>>> {
        self.operate_as(operation.kernel.name(), operation)
    }

    /// The same under another name.
    fn operate_as(&self, name: &'static str, operation: Operation<'_>) -> Result<Option<Arc<Check>>> {
        let Operation { kernel, items, block, operations, params, inputs, outputs, refuses } = operation;
        let what = || format!("an array of {kernel}");
        for input in &inputs {
            if let Read::Planes { parts, .. } = input {
                parts.iter().try_for_each(|part| LengthError::check(what(), items, part.items))?;
            }
        }
        for Written { per, shape, .. } in &outputs {
            let needed = if *per == Per::Block { items.div_ceil(block) } else { items };
            LengthError::check(what(), needed, shape.items)?;
        }
        let mut checks: Vec<Arc<Check>> = Vec::new();
        let mut inherit = |more: &[Arc<Check>]| {
            for check in more {
                if !check.passed.load(Ordering::Acquire) && !checks.iter().any(|other| Arc::ptr_eq(other, check)) {
                    checks.push(Arc::clone(check));
                }
            }
        };
        inputs.iter().for_each(|input| inherit(input.checks()));
        outputs.iter().filter(|output| output.is_read).for_each(|output| inherit(output.checks));
        let home = inputs.iter().find_map(Read::home).or_else(|| outputs.iter().find_map(Written::home));
        let home = home.unwrap_or(if self.is_gpu() { Home::Device } else { Home::Host });
        let done = self.at_home(home, Job::Run(kernel), |home| {
            let (mut written, mut to_check) = (Vec::new(), Vec::new());
            for Written { shape, store, checks, is_read, per } in outputs {
                let store = match store {
                    Some(store) => store,
                    None => store.insert(Store::new(self, home, shape)?),
                };
                written.push(HeldOutput { per, array: &mut store.held, is_read });
                to_check.push(checks);
            }
            if items == 0 {
                return Ok((None, to_check));
            }
            let mut status = match refuses {
                Some((words, must)) => {
                    let shape = Shape { planes: 1, items: items.div_ceil(block), words };
                    Some((shape, must, Store::new(self, home, shape)?))
                }
                None => None,
            };
            if let Some((_, _, store)) = &mut status {
                written.push(HeldOutput { per: Per::Block, array: &mut store.held, is_read: false });
            }
            let inputs = inputs.into_iter().map(Read::bound).collect();
            home.run_held_batch(HeldBatch { kernel, items, block, operations, params, inputs, outputs: written })?;
            Ok((status, to_check))
        });
        let (status, to_check) = done?;
        let own = status.map(|(shape, must, held)| {
            let (passed, status) = (AtomicBool::new(false), Mutex::new(Status::Held(held)));
            Arc::new(Check { operation: name, must, block, passed, status, shape })
        });
        checks.extend(own.clone());
        to_check.into_iter().for_each(|of_output| of_output.clone_from(&checks));
        Ok(own)
    }

    /// After how many steps of its loops a lane is ended silently that runs where this array is: some software drivers do so.
    pub(crate) fn loop_steps<T: Pod>(&self, array: &ResidentArray<T>) -> Result<Option<u64>> {
        let Some(home) = array.home() else { return Ok(None) };
        self.at_home(home, Job::HandOver, |home| Ok(home.loop_steps()))
    }

    /// Whether a lane may take so many.
    ///
    /// # Errors
    ///
    /// It may not.
    pub(crate) fn check_steps<T: Pod>(&self, array: &ResidentArray<T>, needed: u64) -> Result<()> {
        match self.loop_steps(array)? {
            Some(allowed) if needed > allowed => Err(DeviceError::TooManySteps { needed, allowed }.into()),
            _ => Ok(()),
        }
    }

    /// Looks whether the planes' numbers are what an operation takes; whoever reads what is made of them is to be told.
    pub(crate) fn within<'a>(
        &self,
        planes: impl Into<ResidentPlanes<'a, f32>>,
        within: Within<'_>,
    ) -> Result<Option<Arc<Check>>> {
        let planes = planes.into();
        LengthError::check("the planes of what is looked at", within.ranges.len(), planes.planes())?;
        // A zero is one whatever its sign.
        let lowest = |least: f32| if least == 0.0 { -0.0 } else { least };
        let highest = |most: f32| if most == 0.0 { 0.0 } else { most };
        let keys = |[least, most]: &[f32; 2]| [key(lowest(*least).to_bits()), key(highest(*most).to_bits())];
        let ranges: Vec<[u32; 2]> = within.ranges.iter().map(keys).collect();
        let (summed, [least, most]) = within.sum.unwrap_or_default();
        let (all, summed) = (ranges.len() as u32, summed as u32);
        let params = domain::Params { planes: all, summed, least, most, ..domain::Params::default() };
        let operation = Operation {
            kernel: Kernel::Domain,
            items: planes.items(),
            block: domain::BLOCK,
            operations: 0,
            params: bytes_of(&params),
            inputs: vec![planes.reading(self)?, Read::Shared(cast_slice(&ranges))],
            outputs: Vec::new(),
            refuses: Some((1, within.must)),
        };
        self.operate_as(within.operation, operation)
    }
}
