//! Planes of arrays that an engine holds, put together.

use std::ops::Range;

use bytemuck::Pod;

use crate::engine::Engine;
use crate::engine::array::ResidentArray;
use crate::engine::operation::Read;
use crate::error::{LengthError, Result};

/// Planes of arrays that an engine holds, one behind the other, as an operation reads them: an array, some planes of one
/// ([`ResidentArray::part`]), or those of several.
///
/// The CPU reads all of them where they lie. A GPU does so with planes of one array from its first on; others it first copies
/// behind each other, as a part of the chain.
///
/// # Examples
///
/// *The first two of three planes are distributions over two classes.*
///
/// ```
/// use consilience::{Engine, bayes};
///
/// let engine = Engine::cpu()?;
/// let p = engine.upload_planes(&[1.0_f32, 0.5, /**/ 0.0, 0.5, /**/ 0.5, 0.25], 3)?;
/// let entropy = bayes::entropy_resident(&engine, p.part(0..2)?)?;
/// assert_eq!(entropy.read(&engine)?[0], 0.0);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct ResidentPlanes<'a, T> {
    parts: Vec<(&'a ResidentArray<T>, Range<usize>)>,
}

impl<T> Clone for ResidentPlanes<'_, T> {
    fn clone(&self) -> Self {
        Self { parts: self.parts.clone() }
    }
}

impl<'a, T: Pod> ResidentPlanes<'a, T> {
    /// Planes that the array has.
    pub(super) fn of(array: &'a ResidentArray<T>, planes: Range<usize>) -> Self {
        Self { parts: vec![(array, planes)] }
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.parts.first().map_or(0, |(array, _)| array.items())
    }

    /// Number of planes.
    #[must_use]
    pub fn planes(&self) -> usize {
        self.parts.iter().map(|(_, planes)| planes.len()).sum()
    }

    /// These, and others behind them.
    #[must_use]
    pub fn and(mut self, others: impl Into<Self>) -> Self {
        self.parts.extend(others.into().parts);
        self
    }

    /// The values of the first items, at most so many, of each plane.
    pub(crate) fn read_first(&self, engine: &Engine, items: usize) -> Result<Vec<Vec<T>>> {
        let mut all = Vec::with_capacity(self.planes());
        for (array, planes) in &self.parts {
            let values = array.read_first(engine, items)?;
            let each = items.min(array.items()).max(1);
            let some = values.chunks_exact(each).map(<[T]>::to_vec).skip(planes.start).take(planes.len());
            all.extend(some);
        }
        Ok(all)
    }

    /// As an operation of this engine reads them.
    pub(crate) fn reading(&self, engine: &Engine) -> Result<Read<'a>> {
        let mut read = Read::none();
        for (array, planes) in &self.parts {
            LengthError::check("each of the arrays read together", self.items(), array.items())?;
            read = read.and(array.reading_part(engine, planes.clone())?);
        }
        Ok(read)
    }
}

impl<'a, T: Pod> From<&'a ResidentArray<T>> for ResidentPlanes<'a, T> {
    fn from(array: &'a ResidentArray<T>) -> Self {
        Self::of(array, 0..array.planes())
    }
}

impl<'a, T: Pod, const N: usize> From<[&'a ResidentArray<T>; N]> for ResidentPlanes<'a, T> {
    fn from(arrays: [&'a ResidentArray<T>; N]) -> Self {
        arrays.into_iter().map(Self::from).collect()
    }
}

impl<'a, T: Pod> FromIterator<Self> for ResidentPlanes<'a, T> {
    fn from_iter<I: IntoIterator<Item = ResidentPlanes<'a, T>>>(planes: I) -> Self {
        Self { parts: planes.into_iter().flat_map(|planes| planes.parts).collect() }
    }
}
