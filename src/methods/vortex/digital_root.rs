//! Digital roots of arrays.

use bytemuck::{Pod, bytes_of};

use crate::backend::Timing;
use crate::engine::{Engine, Operation, ResidentArray};
use crate::error::{LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::vortex::digital_root::{BLOCK, Params};
use crate::plan::batch::{Batch, Slot};

/// An unsigned integer whose digital root can be taken: [`u32`] or [`u64`].
pub trait Natural: sealed::Natural {}

impl Natural for u32 {}
impl Natural for u64 {}

mod sealed {
    use super::Pod;

    pub trait Natural: Pod + Into<u64> {}

    impl Natural for u32 {}
    impl Natural for u64 {}
}

/// The digital root of one number: 0 for 0, else 1 + (n - 1) mod 9.
///
/// # Examples
///
/// ```
/// use consilience::vortex::digital_root;
///
/// assert_eq!(digital_root(493_193_u32), 2);
/// assert_eq!([0_u32, 9, 10].map(digital_root), [0, 9, 1]);
/// ```
#[must_use]
pub fn digital_root<T: Natural>(n: T) -> u32 {
    let n: u64 = n.into();
    if n == 0 { 0 } else { 1 + ((n - 1) % 9) as u32 }
}

/// The digital root of each number.
///
/// # Errors
///
/// The device fails, or its memory budget does not hold one number.
///
/// # Examples
///
/// *Powers of two go round the flow positions.*
///
/// ```
/// use consilience::{Engine, vortex};
///
/// let powers: Vec<u64> = (0..7).map(|exponent| 1 << exponent).collect();
/// assert_eq!(vortex::digital_roots(&Engine::cpu()?, &powers)?, [1, 2, 4, 8, 7, 5, 1]);
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn digital_roots<T: Natural>(engine: &Engine, values: &[T]) -> Result<Vec<u32>> {
    let mut roots = vec![0; values.len()];
    digital_roots_into(engine, values, &mut roots)?;
    Ok(roots)
}

/// The digital root of each number, into memory at hand; says where the time went.
///
/// # Errors
///
/// As [`digital_roots`], or `roots` has another length; what it holds then means nothing.
pub fn digital_roots_into<T: Natural>(engine: &Engine, values: &[T], roots: &mut [u32]) -> Result<Timing> {
    run(engine, values, roots, false)
}

/// The digital root of each number's square: 0, 1, 4, 9, 7, 7, 9, 4, 1, 9 for 0 to 9, and periodic.
///
/// # Errors
///
/// As [`digital_roots`].
///
/// # Examples
///
/// ```
/// use consilience::{Engine, vortex};
///
/// assert_eq!(vortex::square_map(&Engine::cpu()?, &[2_u32, 4, 7, 1_000_003])?, [4, 7, 4, 7]);
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn square_map<T: Natural>(engine: &Engine, values: &[T]) -> Result<Vec<u32>> {
    let mut roots = vec![0; values.len()];
    square_map_into(engine, values, &mut roots)?;
    Ok(roots)
}

/// The same into memory at hand; says where the time went.
///
/// # Errors
///
/// As [`digital_roots_into`].
pub fn square_map_into<T: Natural>(engine: &Engine, values: &[T], roots: &mut [u32]) -> Result<Timing> {
    run(engine, values, roots, true)
}

/// The digital root of each number of an array that is held, and held as well.
///
/// # Errors
///
/// Another engine holds the array, the roots pass what may be held, the device fails.
pub fn digital_roots_resident<T: Natural>(engine: &Engine, values: &ResidentArray<T>) -> Result<ResidentArray<u32>> {
    run_resident(engine, values, false)
}

/// The digital root of the square of each number of an array that is held, and held as well.
///
/// # Errors
///
/// As [`digital_roots_resident`].
pub fn square_map_resident<T: Natural>(engine: &Engine, values: &ResidentArray<T>) -> Result<ResidentArray<u32>> {
    run_resident(engine, values, true)
}

fn params<T>(square: bool) -> Params {
    Params { words: size_of::<T>() as u32 / 4, square: square.into(), ..Params::default() }
}

fn run_resident<T: Natural>(engine: &Engine, values: &ResidentArray<T>, square: bool) -> Result<ResidentArray<u32>> {
    let mut roots = engine.new_array(1, values.items())?;
    LengthError::check("the planes of the numbers", 1, values.planes())?;
    engine.operate(Operation {
        kernel: Kernel::DigitalRoot,
        items: values.items(),
        block: BLOCK,
        operations: 0,
        params: bytes_of(&params::<T>(square)),
        inputs: vec![values.reading(engine)?],
        outputs: vec![roots.written()],
        refuses: None,
    })?;
    Ok(roots)
}

fn run<T: Natural>(engine: &Engine, values: &[T], roots: &mut [u32], square: bool) -> Result<Timing> {
    LengthError::check("roots", values.len(), roots.len())?;
    engine.run_batch(Batch {
        kernel: Kernel::DigitalRoot,
        items: values.len(),
        block: BLOCK,
        operations: 0,
        params: bytes_of(&params::<T>(square)),
        inputs: vec![Slot::<&[u8]>::items(&[values])],
        outputs: vec![Slot::<&mut [u8]>::items([roots])],
    })
}
