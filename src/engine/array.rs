//! Arrays that an engine holds, and operations over them.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytemuck::{Pod, cast_slice, cast_slice_mut};

use crate::backend::Backend;
use crate::backend::held::{HeldArray, HeldBatch, HeldInput, HeldOutput, Home, Shape};
use crate::engine::Engine;
use crate::engine::events::Job;
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
    /// `None` until an operation fills it, where its inputs are.
    store: Option<Store>,
    /// What it has to be looked at for before its values mean anything.
    checks: Vec<Arc<Check>>,
    values: PhantomData<fn() -> T>,
}

/// The memory of an array.
#[derive(Debug)]
struct Store {
    /// Freed before the lease.
    held: HeldArray,
    lease: Lease,
}

/// Whether a kernel refused an item.
#[derive(Debug)]
pub(crate) struct Check {
    operation: &'static str,
    must: &'static str,
    block: usize,
    passed: AtomicBool,
    /// For each block the lowest such item in it; `None` once it was looked at.
    status: Mutex<Option<Store>>,
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
    shape: Shape,
    store: &'a mut Option<Store>,
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
        match &self.store {
            Some(store) => store.lease.bytes(),
            None => 0,
        }
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
        let held = self.held(engine)?;
        LengthError::check("the array's values", self.shape.planes * self.shape.items, values.len())?;
        for check in &self.checks {
            check.look(engine)?;
        }
        if self.shape.items == 0 {
            return Ok(());
        }
        let planes = values.chunks_exact_mut(self.shape.items).map(cast_slice_mut).collect();
        engine.at_home(held.home(), Job::Read, |home| home.read_array(held, planes))
    }

    fn held(&self, engine: &Engine) -> Result<&HeldArray> {
        // What is given to a caller has been filled.
        let store = self.store.as_ref().ok_or(DeviceError::HeldElsewhere)?;
        store.lease.check(engine)?;
        Ok(&store.held)
    }

    /// As an operation of this engine reads it.
    pub(crate) fn reading(&self, engine: &Engine) -> Result<Read<'_>> {
        Ok(Read::Array(self.held(engine)?, &self.checks))
    }

    /// As an operation fills it.
    pub(crate) fn written(&mut self) -> Written<'_> {
        Written { shape: self.shape, store: &mut self.store, checks: &mut self.checks, is_read: false }
    }

    /// As an operation of this engine changes it in place.
    pub(crate) fn updated(&mut self, engine: &Engine) -> Result<Written<'_>> {
        self.held(engine)?;
        Ok(Written { shape: self.shape, store: &mut self.store, checks: &mut self.checks, is_read: true })
    }
}

impl Check {
    /// Fails if an item was refused.
    fn look(&self, engine: &Engine) -> Result<()> {
        if self.passed.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Store { held, .. }) = &*status else { return Ok(()) };
        let mut words = vec![0_u32; self.shape.items * self.shape.words];
        engine.at_home(held.home(), Job::Read, |home| home.read_array(held, vec![cast_slice_mut(&mut words)]))?;
        let lowest = words.chunks_exact(self.shape.words).map(|block| block[0]);
        if let Some(item) = lowest_refused(lowest, self.block) {
            return Err(DeviceError::ItemRefused { operation: self.operation, item, must: self.must }.into());
        }
        self.passed.store(true, Ordering::Release);
        *status = None;
        Ok(())
    }
}

impl Store {
    fn new(engine: &Engine, home: &dyn Backend, shape: Shape) -> Result<Self> {
        let lease = engine.residency.lease(home.array_bytes(shape))?;
        Ok(Self { held: home.new_array(shape)?, lease })
    }
}

impl<'a> Read<'a> {
    const fn home(&self) -> Option<Home> {
        match self {
            Self::Array(array, _) => Some(array.home()),
            Self::Shared(_) => None,
        }
    }

    const fn bound(self) -> HeldInput<'a> {
        match self {
            Self::Array(array, _) => HeldInput::Items(array),
            Self::Shared(bytes) => HeldInput::Shared(bytes),
        }
    }
}

impl Written<'_> {
    fn home(&self) -> Option<Home> {
        self.store.as_ref().map(|store| store.held.home())
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
        let planes: Vec<&[u8]> = values.chunks_exact(items.max(1)).map(cast_slice).collect();
        let shape = array.shape;
        let upload = |home: &dyn Backend| {
            let mut store = Store::new(self, home, shape)?;
            if items > 0 {
                home.write_array(&mut store.held, &planes)?;
            }
            Ok(store)
        };
        let store = self.on_either(Job::Upload, &mut (), |gpu, ()| upload(&**gpu), |cpu, ()| upload(&**cpu))?;
        array.store = Some(store);
        Ok(array)
    }

    /// An array for an operation to fill.
    pub(crate) fn new_array<T: Pod>(&self, planes: usize, items: usize) -> Result<ResidentArray<T>> {
        const { assert!(size_of::<T>() > 0 && size_of::<T>().is_multiple_of(4), "arrays hold whole words") };
        let shape = Shape { planes, items, words: size_of::<T>() / 4 };
        Ok(ResidentArray { shape, store: None, checks: Vec::new(), values: PhantomData })
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
        let home = inputs.iter().find_map(Read::home).or_else(|| outputs.iter().find_map(Written::home));
        let job = Job::Run(kernel);
        let home = home.unwrap_or(if self.is_gpu() { Home::Device } else { Home::Host });
        let status = self.at_home(home, job, |home| {
            let (mut written, mut to_check) = (Vec::new(), Vec::new());
            for Written { shape, store, checks, is_read } in outputs {
                let store = match store {
                    Some(store) => store,
                    None => store.insert(Store::new(self, home, shape)?),
                };
                written.push(HeldOutput { per: Per::Item, array: &mut store.held, is_read });
                to_check.push(checks);
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
            if items > 0 {
                let bound = inputs.into_iter().map(Read::bound).collect();
                let outputs = written;
                home.run_held_batch(HeldBatch { kernel, items, block, operations, params, inputs: bound, outputs })?;
            }
            Ok((status.filter(|_| items > 0), to_check))
        });
        let (status, to_check) = status?;
        if let Some((shape, must, status)) = status {
            let (operation, passed) = (kernel.name(), AtomicBool::new(false));
            let status = Mutex::new(Some(status));
            checks.push(Arc::new(Check { operation, must, block, passed, status, shape }));
        }
        to_check.into_iter().for_each(|of_output| of_output.clone_from(&checks));
        Ok(())
    }
}
