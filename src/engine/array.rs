//! Arrays that an engine holds, and operations over them.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytemuck::{Pod, cast_slice, cast_slice_mut};

use crate::backend::held::{HeldArray, HeldBatch, HeldInput, HeldOutput, Shape};
use crate::engine::Engine;
use crate::engine::resident::Lease;
use crate::error::{DeviceError, LengthError, Result};
use crate::kernel::Kernel;
use crate::plan::batch::{Per, lowest_refused};

/// An array that an [`Engine`] holds where it computes: planes of one value per item. Dropped, the memory is free.
///
/// What operations over it make is held as well and read when it is asked for; until then, on a GPU, the operations wait and
/// are handed over together.
///
/// # Examples
///
/// *Two operations, one read.*
///
/// ```
/// use consilience::{Engine, vortex};
///
/// let engine = Engine::cpu()?;
/// let numbers = engine.upload_array(&[10_u32, 20, 30])?;
/// let roots = vortex::digital_roots_resident(&engine, &numbers)?;
/// let squares = vortex::square_map_resident(&engine, &roots)?;
/// assert_eq!(squares.read(&engine)?, [1, 4, 9]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct ResidentArray<T> {
    shape: Shape,
    /// Freed before the lease.
    held: HeldArray,
    lease: Lease,
    /// What it has to be looked at for before its values mean anything.
    checks: Vec<Arc<Check>>,
    values: PhantomData<fn() -> T>,
}

/// Whether a kernel refused an item.
#[derive(Debug)]
pub(crate) struct Check {
    operation: &'static str,
    must: &'static str,
    block: usize,
    passed: AtomicBool,
    /// For each block the lowest such item in it; `None` once it was looked at.
    status: Mutex<Option<(HeldArray, Lease)>>,
    shape: Shape,
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
#[derive(Clone, Copy)]
pub(crate) enum Read<'a> {
    /// An array.
    Array(&'a HeldArray, &'a [Arc<Check>]),
    /// Values of the host's that all items share.
    Shared(&'a [u8]),
}

/// What an operation writes.
pub(crate) struct Written<'a> {
    array: &'a mut HeldArray,
    checks: &'a mut Vec<Arc<Check>>,
    is_read: bool,
}

impl<T: Pod> ResidentArray<T> {
    /// Number of items, B.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.shape.items
    }

    /// Number of planes.
    #[must_use]
    pub const fn planes(&self) -> usize {
        self.shape.planes
    }

    /// What it takes, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.lease.bytes()
    }

    /// Its values on the host, plane after plane.
    ///
    /// # Errors
    ///
    /// Another engine holds it; an operation that led to it refused an item; the device fails, or did before it came to it.
    pub fn read(&self, engine: &Engine) -> Result<Vec<T>> {
        let mut values = vec![T::zeroed(); self.shape.planes * self.shape.items];
        self.read_into(engine, &mut values)?;
        Ok(values)
    }

    /// The same into memory at hand.
    ///
    /// # Errors
    ///
    /// As [`ResidentArray::read`], or `values` has another length; what it holds then means nothing.
    pub fn read_into(&self, engine: &Engine, values: &mut [T]) -> Result<()> {
        self.lease.check(engine)?;
        LengthError::check("the array's values", self.shape.planes * self.shape.items, values.len())?;
        for check in &self.checks {
            check.look(engine)?;
        }
        if self.shape.items == 0 {
            return Ok(());
        }
        engine.backend.read_array(&self.held, values.chunks_exact_mut(self.shape.items).map(cast_slice_mut).collect())
    }

    /// As an operation of this engine reads it.
    pub(crate) fn reading(&self, engine: &Engine) -> Result<Read<'_>> {
        self.lease.check(engine)?;
        Ok(Read::Array(&self.held, &self.checks))
    }

    /// As an operation fills it.
    pub(crate) fn written(&mut self) -> Written<'_> {
        Written { array: &mut self.held, checks: &mut self.checks, is_read: false }
    }

    /// As an operation of this engine changes it in place.
    pub(crate) fn updated(&mut self, engine: &Engine) -> Result<Written<'_>> {
        self.lease.check(engine)?;
        Ok(Written { array: &mut self.held, checks: &mut self.checks, is_read: true })
    }
}

impl Check {
    /// Fails if an item was refused.
    fn look(&self, engine: &Engine) -> Result<()> {
        if self.passed.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((held, _)) = &*status else { return Ok(()) };
        let mut words = vec![0_u32; self.shape.items * self.shape.words];
        engine.backend.read_array(held, vec![cast_slice_mut(&mut words)])?;
        let lowest = words.chunks_exact(self.shape.words).map(|block| block[0]);
        if let Some(item) = lowest_refused(lowest, self.block) {
            return Err(DeviceError::ItemRefused { operation: self.operation, item, must: self.must }.into());
        }
        self.passed.store(true, Ordering::Release);
        *status = None;
        Ok(())
    }
}

impl Engine {
    /// Uploads an array of one plane, to be used any number of times.
    ///
    /// # Errors
    ///
    /// With what is held already it takes more than
    /// [`EngineOptions::resident_bytes`](crate::EngineOptions::resident_bytes), or more than the device binds at once, or the
    /// device fails.
    pub fn upload_array<T: Pod>(&self, values: &[T]) -> Result<ResidentArray<T>> {
        self.upload_planes(values, 1)
    }

    /// Uploads an array of so many planes, one behind the other.
    ///
    /// # Errors
    ///
    /// As [`Engine::upload_array`], or the values are no whole planes.
    pub fn upload_planes<T: Pod>(&self, values: &[T], planes: usize) -> Result<ResidentArray<T>> {
        let items = values.len() / planes.max(1);
        LengthError::check("the planes", items * planes, values.len())?;
        let mut array = self.new_array(planes, items)?;
        if items > 0 {
            let planes: Vec<&[u8]> = values.chunks_exact(items).map(cast_slice).collect();
            self.backend.write_array(&mut array.held, &planes)?;
        }
        Ok(array)
    }

    /// An array whose values mean nothing yet.
    pub(crate) fn new_array<T: Pod>(&self, planes: usize, items: usize) -> Result<ResidentArray<T>> {
        const { assert!(size_of::<T>() > 0 && size_of::<T>().is_multiple_of(4), "arrays hold whole words") };
        let shape = Shape { planes, items, words: size_of::<T>() / 4 };
        let (held, lease) = self.hold_array(shape)?;
        Ok(ResidentArray { shape, held, lease, checks: Vec::new(), values: PhantomData })
    }

    fn hold_array(&self, shape: Shape) -> Result<(HeldArray, Lease)> {
        let lease = self.residency.lease(self.backend.array_bytes(shape))?;
        Ok((self.backend.new_array(shape)?, lease))
    }

    /// Runs a kernel over arrays that are held; what it writes is there for whatever comes after.
    pub(crate) fn operate(&self, operation: Operation<'_>) -> Result<()> {
        let Operation { kernel, items, block, operations, params, inputs, outputs, refuses } = operation;
        let mut checks: Vec<Arc<Check>> = Vec::new();
        let mut inherit = |more: &[Arc<Check>]| {
            for check in more {
                if !check.passed.load(Ordering::Acquire) && !checks.iter().any(|other| Arc::ptr_eq(other, check)) {
                    checks.push(Arc::clone(check));
                }
            }
        };
        for input in &inputs {
            if let Read::Array(_, checks) = input {
                inherit(checks);
            }
        }
        outputs.iter().filter(|output| output.is_read).for_each(|output| inherit(output.checks));
        if items == 0 {
            return Ok(());
        }
        let mut status = match refuses {
            Some((words, must)) => {
                let shape = Shape { planes: 1, items: items.div_ceil(block), words };
                Some((shape, must, self.hold_array(shape)?))
            }
            None => None,
        };
        let bound = inputs.into_iter().map(|input| match input {
            Read::Array(array, _) => HeldInput::Items(array),
            Read::Shared(bytes) => HeldInput::Shared(bytes),
        });
        let bound = bound.collect();
        let (mut written, mut to_check) = (Vec::new(), Vec::new());
        for Written { array, checks, is_read } in outputs {
            written.push(HeldOutput { per: Per::Item, array, is_read });
            to_check.push(checks);
        }
        if let Some((_, _, (array, _))) = &mut status {
            written.push(HeldOutput { per: Per::Block, array, is_read: false });
        }
        self.backend.run_held_batch(HeldBatch {
            kernel,
            items,
            block,
            operations,
            params,
            inputs: bound,
            outputs: written,
        })?;
        if let Some((shape, must, status)) = status {
            let (operation, passed) = (kernel.name(), AtomicBool::new(false));
            let status = Mutex::new(Some(status));
            checks.push(Arc::new(Check { operation, must, block, passed, status, shape }));
        }
        to_check.into_iter().for_each(|of_output| of_output.clone_from(&checks));
        Ok(())
    }
}
