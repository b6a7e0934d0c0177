//! Arrays that an engine holds, and operations over them.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use bytemuck::allocation::try_cast_vec;
use bytemuck::{Pod, cast_slice, cast_slice_mut};

use crate::backend::Backend;
use crate::backend::held::{HeldArray, Home, Shape};
use crate::engine::Engine;
use crate::engine::events::Job;
use crate::engine::operation::{Check, Part, Read, Written};
use crate::engine::planes::ResidentPlanes;
use crate::engine::resident::Lease;
use crate::error::{DeviceError, LengthError, Result};
use crate::plan::batch::Per;

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
pub(super) struct Store {
    /// Freed before the lease.
    pub held: HeldArray,
    lease: Lease,
}

impl Store {
    /// Room for an array at one of the engine's executors.
    pub(super) fn new(engine: &Engine, home: &dyn Backend, shape: Shape) -> Result<Self> {
        Self::with(engine, home, shape, |home| home.new_array(shape))
    }

    fn with(
        engine: &Engine,
        home: &dyn Backend,
        shape: Shape,
        make: impl FnOnce(&dyn Backend) -> Result<HeldArray>,
    ) -> Result<Self> {
        let lease = engine.residency.lease(home.array_bytes(shape))?;
        Ok(Self { held: make(home)?, lease })
    }
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
        let mut values = vec![T::zeroed(); self.len()];
        self.read_into(engine, &mut values)?;
        Ok(values)
    }

    /// The same into memory at hand.
    ///
    /// # Errors
    ///
    /// As [`ResidentArray::read`], or `values` has another length; what it holds then means nothing.
    pub fn read_into(&self, engine: &Engine, values: &mut [T]) -> Result<()> {
        self.held(engine)?;
        LengthError::check("the array's values", self.len(), values.len())?;
        self.look_and_read(engine, self.len() / self.shape.planes.max(1), values)
    }

    /// The values of the first items of each plane, at most so many, plane after plane.
    pub(super) fn read_first(&self, engine: &Engine, items: usize) -> Result<Vec<T>> {
        let each = items.min(self.shape.items);
        let mut values = vec![T::zeroed(); self.shape.planes * each];
        self.look_and_read(engine, each, &mut values)?;
        Ok(values)
    }

    /// Its values on the host, without a copy where they are there and nobody else's.
    pub(crate) fn into_values(mut self, engine: &Engine) -> Result<Vec<T>> {
        self.held(engine)?;
        self.look(engine)?;
        if let Some(Store { held: HeldArray::Host(array), .. }) = &mut self.store
            && let Some(words) = array.take_given()
        {
            return Ok(try_cast_vec(words).unwrap_or_else(|(_, words)| cast_slice(&words).to_vec()));
        }
        self.read(engine)
    }

    /// Fails if an item was refused.
    fn look(&self, engine: &Engine) -> Result<()> {
        self.checks.iter().try_for_each(|check| check.look(engine))
    }

    /// So many values of each plane, if no item was refused.
    fn look_and_read(&self, engine: &Engine, each: usize, values: &mut [T]) -> Result<()> {
        self.look(engine)?;
        if values.is_empty() {
            return Ok(());
        }
        let held = self.held(engine)?;
        let planes = values.chunks_exact_mut(each).map(cast_slice_mut).collect();
        engine.at_home(held.home(), Job::Read, |home| home.read_array(held, planes))
    }

    fn held(&self, engine: &Engine) -> Result<&HeldArray> {
        // What a caller has was filled.
        let store = self.store.as_ref().ok_or(DeviceError::HeldElsewhere)?;
        store.lease.check(engine)?;
        Ok(&store.held)
    }

    /// Where it is, once something filled it.
    pub(super) fn home(&self) -> Option<Home> {
        self.store.as_ref().map(|store| store.held.home())
    }

    /// Its memory, taken where it is to be filled if it has none yet.
    pub(super) fn store(&mut self, engine: &Engine, home: &dyn Backend) -> Result<&mut Store> {
        match &mut self.store {
            Some(store) => Ok(store),
            none => Ok(none.insert(Store::new(engine, home, self.shape)?)),
        }
    }

    /// Number of values.
    const fn len(&self) -> usize {
        self.shape.planes * self.shape.items * self.shape.words * 4 / size_of::<T>()
    }

    /// Some of its planes, as operations read them.
    ///
    /// # Errors
    ///
    /// It has no such planes.
    pub fn part(&self, planes: Range<usize>) -> Result<ResidentPlanes<'_, T>> {
        if planes.start > planes.end || planes.end > self.shape.planes {
            let what = format!("the part from plane {} to plane {} of the array", planes.start, planes.end);
            return Err(LengthError { what: what.into(), given: self.shape.planes, needed: planes.end }.into());
        }
        Ok(ResidentPlanes::of(self, planes))
    }

    /// So many of its planes from one on, as far as it has them.
    pub(crate) fn planes_from(&self, plane: usize, count: usize) -> ResidentPlanes<'_, T> {
        let first = plane.min(self.shape.planes);
        ResidentPlanes::of(self, first..(first + count).min(self.shape.planes))
    }

    /// As an operation of this engine reads it.
    pub(crate) fn reading(&self, engine: &Engine) -> Result<Read<'_>> {
        ResidentPlanes::from(self).reading(engine)
    }

    /// Some of its planes, which it has, as an operation of this engine reads them.
    pub(super) fn reading_part(&self, engine: &Engine, planes: Range<usize>) -> Result<Read<'_>> {
        let part = Part { array: self.held(engine)?, planes, items: self.shape.items };
        Ok(Read::Planes { parts: vec![part], checks: self.checks.clone() })
    }

    /// As an operation of this engine reads it for every item alike: an array of one plane.
    pub(crate) fn shared(&self, engine: &Engine) -> Result<Read<'_>> {
        Ok(Read::Table { array: self.held(engine)?, checks: self.checks.clone() })
    }

    /// As an operation fills it.
    pub(crate) fn written(&mut self) -> Written<'_> {
        let Self { shape, store, checks, .. } = self;
        Written { shape: *shape, store, checks, is_read: false, per: Per::Item }
    }

    /// As an operation fills it that writes for each block what the array has for each item.
    pub(crate) fn written_by_block(&mut self) -> Written<'_> {
        Written { per: Per::Block, ..self.written() }
    }

    /// As an operation of this engine changes it in place.
    pub(crate) fn updated(&mut self, engine: &Engine) -> Result<Written<'_>> {
        self.held(engine)?;
        Ok(Written { is_read: true, ..self.written() })
    }

    /// Has it looked at for this too, before its values mean anything.
    pub(crate) fn subject_to(&mut self, check: Option<Arc<Check>>) {
        self.checks.extend(check);
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
        self.upload_as(self.new_array(planes, items)?, values)
    }

    /// Uploads an array of one plane in which each item has so many values.
    pub(crate) fn upload_rows<T: Pod>(&self, values: &[T], values_per_item: usize) -> Result<ResidentArray<T>> {
        let items = values.len() / values_per_item.max(1);
        LengthError::check("the rows", items * values_per_item, values.len())?;
        self.upload_as(self.new_blocks(values_per_item, items)?, values)
    }

    /// An array of one plane in which each item has so many values, whose words these are: not copied where the engine reads
    /// the host's memory.
    pub(crate) fn give_rows<T: Pod>(&self, words: &Arc<Vec<u32>>, values_per_item: usize) -> Result<ResidentArray<T>> {
        const { assert!(size_of::<T>() == 4, "words of four bytes") };
        let items = words.len() / values_per_item.max(1);
        LengthError::check("the rows", items * values_per_item, words.len())?;
        let array = self.new_rows(1, items, values_per_item);
        let shape = array.shape;
        self.store_as(array, |home| Store::with(self, home, shape, |home| home.give_array(shape, words)))
    }

    /// Fills an array that has room for the values.
    fn upload_as<T: Pod>(&self, array: ResidentArray<T>, values: &[T]) -> Result<ResidentArray<T>> {
        let shape = array.shape;
        let planes: Vec<&[u8]> = cast_slice(values).chunks_exact(shape.plane_bytes().max(1)).collect();
        self.store_as(array, |home| {
            let mut store = Store::new(self, home, shape)?;
            if !planes.is_empty() {
                home.write_array(&mut store.held, &planes)?;
            }
            Ok(store)
        })
    }

    /// Gives an array its memory, where the engine computes.
    fn store_as<T>(
        &self,
        mut array: ResidentArray<T>,
        make: impl Fn(&dyn Backend) -> Result<Store>,
    ) -> Result<ResidentArray<T>> {
        let store = self.on_either(Job::Upload, &mut (), |gpu, ()| make(&**gpu), |cpu, ()| make(&**cpu))?;
        array.store = Some(store);
        Ok(array)
    }

    /// An array for an operation to fill.
    pub(crate) fn new_array<T: Pod>(&self, planes: usize, items: usize) -> Result<ResidentArray<T>> {
        Ok(self.new_rows(planes, items, 1))
    }

    /// An array of planes of a row of so many values for each item, for an operation to fill.
    pub(crate) fn new_rows<T: Pod>(&self, planes: usize, items: usize, values: usize) -> ResidentArray<T> {
        const { assert!(size_of::<T>() > 0 && size_of::<T>().is_multiple_of(4), "arrays hold whole words") };
        let shape = Shape { planes, items, words: values * size_of::<T>() / 4 };
        ResidentArray { shape, store: None, checks: Vec::new(), values: PhantomData }
    }

    /// An array of so many values for each of some blocks, for an operation to fill.
    pub(crate) fn new_blocks<T: Pod>(&self, values: usize, blocks: usize) -> Result<ResidentArray<T>> {
        Ok(self.new_rows(1, blocks, values))
    }
}
