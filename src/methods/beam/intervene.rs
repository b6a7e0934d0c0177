//! What is done to beams by their position.

use bytemuck::{bytes_of, cast_slice};

use super::beams::Beams;
use super::resident::ResidentBeams;
use crate::backend::Timing;
use crate::engine::{self, Engine, Read};
use crate::error::{BeamError, Result};
use crate::kernel::Kernel;
use crate::kernel::beam::fuse::{CHANNELS, DIGITS};
use crate::kernel::beam::intervene::{
    BLOCK, CONFIDENCE, ETHOS, Entry, LOGOS, OPERATIONS, PATHOS, POSITIONS, PULL, Params, SHARPEN, STEPS,
};
use crate::plan::batch::{Batch, Slot};

/// What is done to a beam.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    /// This share of the digits, in [0, 1], goes to the position's anchor ([`ANCHORS`]).
    ///
    /// [`ANCHORS`]: super::ANCHORS
    Pull(f32),
    /// The digits to this power, in [1/64, 64], normalised: sharper above 1, flatter below; what is 0 stays 0.
    Sharpen(f32),
    /// The confidence times this, at most 1.
    Confidence(f32),
    /// The value of ethos times this, at most 9.
    Ethos(f32),
    /// The value of logos times this, at most 9.
    Logos(f32),
    /// The value of pathos times this, at most 9.
    Pathos(f32),
}

impl Operation {
    fn entry(self) -> Result<Entry, BeamError> {
        let (operation, what, value, allowed) = match self {
            Self::Pull(share) => (PULL, "the share of a pull", share, 0.0..=1.0),
            Self::Sharpen(power) => (SHARPEN, "the power of the digits", power, 1.0 / 64.0..=64.0),
            Self::Confidence(factor) => (CONFIDENCE, "the factor of the confidence", factor, 0.0..=f32::MAX),
            Self::Ethos(factor) => (ETHOS, "the factor of ethos", factor, 0.0..=f32::MAX),
            Self::Logos(factor) => (LOGOS, "the factor of logos", factor, 0.0..=f32::MAX),
            Self::Pathos(factor) => (PATHOS, "the factor of pathos", factor, 0.0..=f32::MAX),
        };
        if allowed.contains(&value) {
            Ok([operation, value.to_bits()])
        } else {
            let allowed = match operation {
                PULL => "at least 0 and at most 1",
                SHARPEN => "at least 1/64 and at most 64",
                _ => "finite and at least 0",
            };
            Err(BeamError::Range { what, value, allowed })
        }
    }
}

/// What is done to the beams at each position, nothing unless said: up to four operations in their order.
///
/// # Examples
///
/// *Beams at position 7 go a quarter of the way to its anchor, 6, and lose a tenth of their confidence.*
///
/// ```
/// use consilience::Engine;
/// use consilience::beam::{Beams, Interventions, Operation};
///
/// let digits = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
/// let beams = Beams::new(&digits, &[3.0, 2.0, 1.0], &[0.5], &[7])?;
/// let table = Interventions::default().at(7, Operation::Pull(0.25))?.at(7, Operation::Confidence(0.9))?;
/// let changed = table.apply(&Engine::cpu()?, &beams)?;
/// assert_eq!(changed.digits(), [0.0, 0.75, 0.0, 0.0, 0.0, 0.25, 0.0, 0.0, 0.0]);
/// assert_eq!((changed.values(), changed.confidence()), (&[3.0, 2.0, 1.0][..], &[0.45][..]));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Interventions {
    table: [[Entry; STEPS]; POSITIONS],
    lens: [usize; POSITIONS],
}

impl Interventions {
    /// Adds an operation to what is done at a position, behind what is done there already.
    ///
    /// # Errors
    ///
    /// A position above 9, a fifth operation on one, or a value outside what its operation takes.
    pub fn at(mut self, position: u32, operation: Operation) -> Result<Self> {
        let entry = operation.entry()?;
        let Some(len) = self.lens.get_mut(position as usize) else {
            return Err(BeamError::Position { position }.into());
        };
        if *len == STEPS {
            return Err(BeamError::Operations { position, most: STEPS }.into());
        }
        self.table[position as usize][*len] = entry;
        *len += 1;
        Ok(self)
    }

    /// Whether nothing is done anywhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lens == [0; POSITIONS]
    }

    /// The beams changed. Positions, agreement and conflicts stay what they were.
    ///
    /// # Errors
    ///
    /// The device fails.
    pub fn apply(&self, engine: &Engine, beams: &Beams) -> Result<Beams> {
        let mut changed = Beams::default();
        self.apply_into(engine, beams, &mut changed)?;
        Ok(changed)
    }

    /// The same into memory that an earlier batch left; says where the time went.
    ///
    /// # Errors
    ///
    /// As [`Interventions::apply`]; the memory then holds no beams.
    pub fn apply_into(&self, engine: &Engine, beams: &Beams, changed: &mut Beams) -> Result<Timing> {
        let items = beams.items();
        changed.clone_from(beams);
        if self.is_empty() || items == 0 {
            return Ok(Timing::default());
        }
        let params = self.params();
        let digits: Vec<&[f32]> = beams.digits.chunks_exact(items).collect();
        let scalars: Vec<&[f32]> = beams.values.chunks_exact(items).chain([&beams.confidence[..]]).collect();
        let table: &[u32] = cast_slice(self.table.as_flattened());
        let ran = engine.run_batch(Batch {
            kernel: Kernel::BeamIntervene,
            items,
            block: BLOCK,
            operations: OPERATIONS * params.steps as usize,
            params: bytes_of(&params),
            inputs: vec![
                Slot::<&[u8]>::items(&digits),
                Slot::<&[u8]>::items(&scalars),
                Slot::<&[u8]>::items(&[&beams.position[..]]),
                Slot::shared(table),
            ],
            outputs: vec![
                Slot::<&mut [u8]>::items(changed.digits.chunks_exact_mut(items)),
                Slot::<&mut [u8]>::items(changed.values.chunks_exact_mut(items).chain([&mut changed.confidence[..]])),
            ],
        });
        if ran.is_err() {
            changed.clear();
        }
        ran
    }

    /// [`Interventions::apply`] to beams that are held; what becomes of them is held as well.
    ///
    /// # Errors
    ///
    /// Another engine holds them, the changed ones pass what may be held, the device fails.
    pub fn apply_resident(&self, engine: &Engine, beams: &ResidentBeams) -> Result<ResidentBeams> {
        if self.is_empty() {
            return Ok(beams.clone());
        }
        let (items, params) = (beams.items(), self.params());
        let mut digits = engine.new_array(DIGITS, items)?;
        let mut scalars = engine.new_array(CHANNELS + 1, items)?;
        let table: &[u32] = cast_slice(self.table.as_flattened());
        engine.operate(engine::Operation {
            kernel: Kernel::BeamIntervene,
            items,
            block: BLOCK,
            operations: OPERATIONS * params.steps as usize,
            params: bytes_of(&params),
            inputs: vec![
                beams.digits().reading(engine)?,
                beams.scalars().reading(engine)?,
                beams.position().reading(engine)?,
                Read::Shared(cast_slice(table)),
            ],
            outputs: vec![digits.written(), scalars.written()],
            refuses: None,
        })?;
        Ok(beams.changed(digits, scalars))
    }

    fn params(&self) -> Params {
        Params { steps: self.lens.into_iter().max().unwrap_or(0) as u32, ..Params::default() }
    }
}
