//! What is said of single distributions.

use bytemuck::bytes_of;

use super::digits::{Digits, MUST_BE_DIGITS, check_planes};
use crate::backend::Timing;
use crate::engine::{Engine, Operation, ResidentArray, ResidentPlanes};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::beam::fuse::DIGITS;
use crate::kernel::beam::measure::{BLOCK, DECISIVENESS, DOMINANT, ENTROPY, MASS, NORMALISED, OPERATIONS, Params};
use crate::plan::batch::{Batch, Slot, lowest_refused};

/// What is asked of each distribution; what is not asked for costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measure {
    outputs: u32,
}

impl Measure {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self::default().normalised().entropy().mass().decisiveness().dominant()
    }

    /// The digits divided by their sum.
    #[must_use]
    pub fn normalised(self) -> Self {
        Self { outputs: self.outputs | NORMALISED }
    }

    /// The entropy in nats.
    #[must_use]
    pub fn entropy(self) -> Self {
        Self { outputs: self.outputs | ENTROPY }
    }

    /// The mass 1 - H / ln 9.
    #[must_use]
    pub fn mass(self) -> Self {
        Self { outputs: self.outputs | MASS }
    }

    /// The largest share less the second largest.
    #[must_use]
    pub fn decisiveness(self) -> Self {
        Self { outputs: self.outputs | DECISIVENESS }
    }

    /// The digit of the largest share.
    #[must_use]
    pub fn dominant(self) -> Self {
        Self { outputs: self.outputs | DOMINANT }
    }

    fn asks(self, output: u32) -> bool {
        self.outputs & output != 0
    }

    fn params(self) -> Params {
        Params { outputs: self.outputs, ..Params::default() }
    }

    /// The number of items where an output is asked for, else none.
    fn len(self, output: u32, items: usize) -> usize {
        if self.asks(output) { items } else { 0 }
    }
}

/// What was asked for; the rest is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    normalised: Vec<f32>,
    entropy: Vec<f32>,
    mass: Vec<f32>,
    decisiveness: Vec<f32>,
    dominant: Vec<u32>,
}

impl Measured {
    /// The digits divided by their sum, [9, B].
    #[must_use]
    pub fn normalised(&self) -> &[f32] {
        &self.normalised
    }

    /// The entropies in nats, in [0, ln 9].
    #[must_use]
    pub fn entropy(&self) -> &[f32] {
        &self.entropy
    }

    /// The masses 1 - H / ln 9, in [0, 1]: 0 for a uniform distribution, 1 for a certain one.
    #[must_use]
    pub fn mass(&self) -> &[f32] {
        &self.mass
    }

    /// The largest share less the second largest, in [0, 1]: 1 for a certain distribution, 0 where two shares are largest.
    #[must_use]
    pub fn decisiveness(&self) -> &[f32] {
        &self.decisiveness
    }

    /// The digit of the largest share, 1 to 9; the lowest of equals.
    #[must_use]
    pub fn dominant(&self) -> &[u32] {
        &self.dominant
    }
}

/// Measures distributions over the digits 1 to 9.
///
/// # Errors
///
/// Digits that are not a number, infinite or negative, or sum to 0 or to more than f32 holds: the first such item; the
/// device fails.
///
/// # Examples
///
/// *Two items: one undecided between 2 and 5, one that leans to 8.*
///
/// ```
/// use consilience::Engine;
/// use consilience::beam::{self, Digits, Measure};
///
/// let (undecided, leaning) = ([0., 1., 0., 0., 1., 0., 0., 0., 0.], [1., 1., 1., 1., 1., 1., 1., 8., 1.]);
/// let planes: Vec<f32> = undecided.into_iter().zip(leaning).flat_map(|(a, b)| [a, b]).collect();
/// let measured = beam::measure(&Engine::cpu()?, Measure::all(), &Digits::new(&planes)?)?;
/// assert_eq!(measured.dominant(), [2, 8]);
/// assert_eq!(measured.decisiveness(), [0.0, 0.4375]);
/// assert!((measured.mass()[0] - 0.684_535).abs() < 2e-6 && (measured.mass()[1] - 0.211_338).abs() < 2e-6);
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn measure(engine: &Engine, what: Measure, digits: &Digits<'_>) -> Result<Measured> {
    let mut measured = Measured::default();
    measure_into(engine, what, digits, &mut measured)?;
    Ok(measured)
}

/// Measures into memory that an earlier batch left, and says where the time went.
///
/// # Errors
///
/// As [`measure`]; what the memory then holds means nothing.
pub fn measure_into(engine: &Engine, what: Measure, digits: &Digits<'_>, measured: &mut Measured) -> Result<Timing> {
    let items = digits.items();
    let Measured { normalised, entropy, mass, decisiveness, dominant } = measured;
    normalised.resize(DIGITS * what.len(NORMALISED, items), 0.0);
    for (plane, output) in [(&mut *entropy, ENTROPY), (&mut *mass, MASS), (&mut *decisiveness, DECISIVENESS)] {
        plane.resize(what.len(output, items), 0.0);
    }
    dominant.resize(what.len(DOMINANT, items), 0);
    if items == 0 {
        return Ok(Timing::default());
    }
    let mut status = vec![u32::MAX; items.div_ceil(BLOCK)];
    let scalars = [entropy, mass, decisiveness].into_iter().filter(|plane| !plane.is_empty());
    let timing = engine.run_batch(Batch {
        kernel: Kernel::BeamMeasure,
        items,
        block: BLOCK,
        operations: OPERATIONS,
        params: bytes_of(&what.params()),
        inputs: vec![Slot::<&[u8]>::items(&digits.planes())],
        outputs: vec![
            Slot::<&mut [u8]>::items(normalised.chunks_exact_mut(items)),
            Slot::<&mut [u8]>::items(scalars.map(|plane| &mut plane[..])),
            Slot::<&mut [u8]>::items(dominant.chunks_exact_mut(items)),
            Slot::blocks(&mut status),
        ],
    })?;
    match lowest_refused(status, BLOCK) {
        Some(item) => Err(digits.refuse("the beam", item).into()),
        None => Ok(timing),
    }
}

/// What was asked for, where an engine holds it. Dropped, the memory is free.
#[derive(Debug)]
pub struct ResidentMeasured {
    what: Measure,
    normalised: ResidentArray<f32>,
    /// Entropy, mass and decisiveness, those of them that are asked for.
    scalars: ResidentArray<f32>,
    dominant: ResidentArray<u32>,
}

impl ResidentMeasured {
    /// The digits divided by their sum, [9, B]; no planes unless asked for, as with all of these.
    #[must_use]
    pub const fn normalised(&self) -> &ResidentArray<f32> {
        &self.normalised
    }

    /// The entropies in nats.
    #[must_use]
    pub fn entropy(&self) -> ResidentPlanes<'_, f32> {
        self.scalar(ENTROPY)
    }

    /// The masses.
    #[must_use]
    pub fn mass(&self) -> ResidentPlanes<'_, f32> {
        self.scalar(MASS)
    }

    /// The largest share less the second largest.
    #[must_use]
    pub fn decisiveness(&self) -> ResidentPlanes<'_, f32> {
        self.scalar(DECISIVENESS)
    }

    /// The digit of the largest share.
    #[must_use]
    pub const fn dominant(&self) -> &ResidentArray<u32> {
        &self.dominant
    }

    /// All of it on the host.
    ///
    /// # Errors
    ///
    /// Another engine holds it; digits that led to it are none; the device fails.
    pub fn read(&self, engine: &Engine) -> Result<Measured> {
        let mut scalars = self.scalars.read(engine)?;
        let mut next = |output| {
            let rest = scalars.split_off(self.what.len(output, self.scalars.items()));
            std::mem::replace(&mut scalars, rest)
        };
        Ok(Measured {
            normalised: self.normalised.read(engine)?,
            entropy: next(ENTROPY),
            mass: next(MASS),
            decisiveness: next(DECISIVENESS),
            dominant: self.dominant.read(engine)?,
        })
    }

    fn scalar(&self, output: u32) -> ResidentPlanes<'_, f32> {
        let before = [ENTROPY, MASS, DECISIVENESS].into_iter().filter(|&other| other < output && self.what.asks(other));
        let plane = before.count();
        self.scalars.planes_from(plane, usize::from(self.what.asks(output)))
    }
}

/// [`measure`] of digits that are held, nine planes; what it answers is held as well.
///
/// # Errors
///
/// Not nine planes, another engine holds them, the answers pass what may be held, the device fails. Of digits that are none
/// whoever reads the answers is told.
pub fn measure_resident<'a>(
    engine: &Engine,
    what: Measure,
    digits: impl Into<ResidentPlanes<'a, f32>>,
) -> Result<ResidentMeasured> {
    let digits = digits.into();
    check_planes("the digits", &digits)?;
    let items = digits.items();
    let scalars = [ENTROPY, MASS, DECISIVENESS].into_iter().filter(|&output| what.asks(output)).count();
    let mut normalised = engine.new_array(what.len(NORMALISED, DIGITS), items)?;
    let mut scalars = engine.new_array(scalars, items)?;
    let mut dominant = engine.new_array(what.len(DOMINANT, 1), items)?;
    engine.operate(Operation {
        kernel: Kernel::BeamMeasure,
        items,
        block: BLOCK,
        operations: OPERATIONS,
        params: bytes_of(&what.params()),
        inputs: vec![digits.reading(engine)?],
        outputs: vec![normalised.written(), scalars.written(), dominant.written()],
        refuses: Some((1, MUST_BE_DIGITS)),
    })?;
    Ok(ResidentMeasured { what, normalised, scalars, dominant })
}
