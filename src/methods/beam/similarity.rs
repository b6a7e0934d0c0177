//! Cosine similarity, pair by pair and of the nearest beams.

use bytemuck::bytes_of;

use super::digits::{Digits, MUST_BE_DIGITS, check_planes};
use crate::backend::Timing;
use crate::engine::{Engine, Operation, ResidentArray, ResidentPlanes};
use crate::error::{LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::beam::similarity::{BLOCK, OPERATIONS, Params};
use crate::plan::batch::{Batch, Slot, lowest_refused};

/// The cosine of the angle between each item of one batch and that of another, in [0, 1].
///
/// # Errors
///
/// Batches of different lengths; digits that are not a number, infinite or negative, or sum to 0 or to more than f32 holds:
/// the first such item; the device fails.
///
/// # Examples
///
/// *The same direction, a right angle, half a right angle.*
///
/// ```
/// use consilience::Engine;
/// use consilience::beam::{self, Digits};
///
/// let (mut first, mut second) = ([0.0; 27], [0.0; 27]);
/// first[..3].fill(1.0); // All lie on digit 1,
/// (second[0], second[4], second[2], second[5]) = (7.0, 1.0, 1.0, 1.0); // these on 1, on 2, between both.
/// let cosines = beam::similarity(&Engine::cpu()?, &Digits::new(&first)?, &Digits::new(&second)?)?;
/// assert_eq!(cosines[..2], [1.0, 0.0]);
/// assert!((cosines[2] - 0.5_f32.sqrt()).abs() < 1e-6);
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn similarity(engine: &Engine, first: &Digits<'_>, second: &Digits<'_>) -> Result<Vec<f32>> {
    let mut similarity = vec![0.0; first.items()];
    similarity_into(engine, first, second, &mut similarity)?;
    Ok(similarity)
}

/// The same into memory at hand; says where the time went.
///
/// # Errors
///
/// As [`similarity`]; what `out` holds then means nothing.
pub fn similarity_into(engine: &Engine, first: &Digits<'_>, second: &Digits<'_>, out: &mut [f32]) -> Result<Timing> {
    let items = first.items();
    LengthError::check("the second batch", items, second.items())?;
    LengthError::check("similarity", items, out.len())?;
    if items == 0 {
        return Ok(Timing::default());
    }
    let mut status = vec![u32::MAX; items.div_ceil(BLOCK)];
    let timing = engine.run_batch(Batch {
        kernel: Kernel::BeamSimilarity,
        items,
        block: BLOCK,
        operations: OPERATIONS,
        params: bytes_of(&Params::default()),
        inputs: vec![Slot::<&[u8]>::items(&first.planes()), Slot::<&[u8]>::items(&second.planes())],
        outputs: vec![Slot::<&mut [u8]>::items([out]), Slot::blocks(&mut status)],
    })?;
    match lowest_refused(status, BLOCK) {
        Some(item) => {
            let found = first.diagnose("the first beam", item);
            Err(found.unwrap_or_else(|| second.refuse("the second beam", item)).into())
        }
        None => Ok(timing),
    }
}

/// [`similarity`] of digits that are held, nine planes each; the cosines are held as well.
///
/// # Errors
///
/// Batches of different lengths, not nine planes, another engine holds one, the cosines pass what may be held, the device
/// fails. Of digits that are none whoever reads the cosines is told.
pub fn similarity_resident<'a>(
    engine: &Engine,
    first: impl Into<ResidentPlanes<'a, f32>>,
    second: impl Into<ResidentPlanes<'a, f32>>,
) -> Result<ResidentArray<f32>> {
    let (first, second) = (first.into(), second.into());
    check_planes("the first batch", &first)?;
    check_planes("the second batch", &second)?;
    LengthError::check("the second batch", first.items(), second.items())?;
    let mut similarity = engine.new_array(1, first.items())?;
    engine.operate(Operation {
        kernel: Kernel::BeamSimilarity,
        items: first.items(),
        block: BLOCK,
        operations: OPERATIONS,
        params: bytes_of(&Params::default()),
        inputs: vec![first.reading(engine)?, second.reading(engine)?],
        outputs: vec![similarity.written()],
        refuses: Some((1, MUST_BE_DIGITS)),
    })?;
    Ok(similarity)
}
