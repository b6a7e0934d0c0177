//! Beams that an engine holds.

use std::sync::Arc;

use super::beams::Beams;
use crate::engine::{Check, Engine, ResidentArray, ResidentPlanes};
use crate::error::Result;
use crate::kernel::beam::fuse::{CHANNELS, DIGITS};

/// [`Beams`] in the memory of the engine that computes: fused there ([`fuse_resident`](super::fuse_resident)) or uploaded.
/// What operations leave as it is, their results share. Dropped with the last of these, the memory is free.
///
/// # Examples
///
/// *Beams are changed by their position, measured, and read.*
///
/// ```
/// use consilience::Engine;
/// use consilience::beam::{Beams, Interventions, Operation, Relax};
///
/// let engine = Engine::cpu()?;
/// let digits = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
/// let beams = Beams::new(&digits, &[3.0, 2.0, 1.0], &[0.5], &[7])?.upload(&engine)?;
/// let table = Interventions::default().at(7, Operation::Pull(0.25))?;
/// let changed = table.apply_resident(&engine, &beams)?;
/// let still = Relax::new(0.0)?.relax_resident(&engine, &changed)?;
/// assert_eq!(still.digits().read(&engine)?, [0.0, 0.75, 0.0, 0.0, 0.0, 0.25, 0.0, 0.0, 0.0]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ResidentBeams {
    digits: Arc<ResidentArray<f32>>,
    /// Three values and the confidence.
    scalars: Arc<ResidentArray<f32>>,
    /// What has the agreement behind its scalars, if it was asked for.
    agreement: Option<Arc<ResidentArray<f32>>>,
    position: Arc<ResidentArray<u32>>,
    conflicts: Conflicts,
}

/// The items whose channels conflict.
#[derive(Debug, Clone)]
enum Conflicts {
    Known(Vec<usize>),
    /// What the kernel said beside the items that it refused.
    Said(Arc<Check>),
}

/// The plane of the confidence, and that of the agreement.
const CONFIDENCE: usize = CHANNELS;
const AGREEMENT: usize = CHANNELS + 1;

impl Beams {
    /// Uploads the beams.
    ///
    /// # Errors
    ///
    /// They pass what may be held, or the device fails.
    pub fn upload(&self, engine: &Engine) -> Result<ResidentBeams> {
        let scalars = [&self.values[..], &self.confidence, &self.agreement].concat();
        let planes = scalars.len().checked_div(self.items).unwrap_or(AGREEMENT);
        let mut beams = ResidentBeams::fused(
            engine.upload_planes(&self.digits, DIGITS)?,
            engine.upload_planes(&scalars, planes)?,
            engine.upload_array(&self.position)?,
            None,
        );
        beams.conflicts = Conflicts::Known(self.conflicts.clone());
        Ok(beams)
    }
}

impl ResidentBeams {
    /// Of what the kernel wrote and said.
    pub(super) fn fused(
        digits: ResidentArray<f32>,
        scalars: ResidentArray<f32>,
        position: ResidentArray<u32>,
        said: Option<Arc<Check>>,
    ) -> Self {
        let scalars = Arc::new(scalars);
        let agreement = (scalars.planes() > AGREEMENT).then(|| Arc::clone(&scalars));
        let conflicts = said.map_or(Conflicts::Known(Vec::new()), Conflicts::Said);
        Self { digits: Arc::new(digits), scalars, agreement, position: Arc::new(position), conflicts }
    }

    /// The same with other digits, values and confidences.
    pub(super) fn changed(&self, digits: ResidentArray<f32>, scalars: ResidentArray<f32>) -> Self {
        Self { digits: Arc::new(digits), scalars: Arc::new(scalars), ..self.clone() }
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.position.items()
    }

    /// The distributions over digits, [9, B].
    #[must_use]
    pub fn digits(&self) -> ResidentPlanes<'_, f32> {
        ResidentPlanes::from(&*self.digits)
    }

    /// The values of ethos, logos and pathos, [3, B].
    #[must_use]
    pub fn values(&self) -> ResidentPlanes<'_, f32> {
        self.scalars.planes_from(0, CHANNELS)
    }

    /// The mean mass of the channels.
    #[must_use]
    pub fn confidence(&self) -> ResidentPlanes<'_, f32> {
        self.scalars.planes_from(CONFIDENCE, 1)
    }

    /// How far the channels say the same, where it was asked for.
    #[must_use]
    pub fn agreement(&self) -> Option<ResidentPlanes<'_, f32>> {
        self.agreement.as_ref().map(|array| array.planes_from(AGREEMENT, 1))
    }

    /// Positions on the ring, 0 to 9.
    #[must_use]
    pub fn position(&self) -> &ResidentArray<u32> {
        &self.position
    }

    /// Values and confidences.
    pub(super) fn scalars(&self) -> ResidentPlanes<'_, f32> {
        self.scalars.planes_from(0, AGREEMENT)
    }

    /// The beams on the host.
    ///
    /// # Errors
    ///
    /// Another engine holds them; an operation that led to them refused an item; the device fails.
    pub fn read(&self, engine: &Engine) -> Result<Beams> {
        let items = self.items();
        let mut values = self.scalars.read(engine)?;
        let mut confidence = values.split_off(CHANNELS * items);
        confidence.truncate(items);
        let mut agreement = self.agreement.as_ref().map_or(Ok(Vec::new()), |array| array.read(engine))?;
        agreement.drain(..agreement.len().min(AGREEMENT * items));
        let (digits, position) = (self.digits.read(engine)?, self.position.read(engine)?);
        let mut beams = Beams { items, digits, values, confidence, agreement, position, conflicts: Vec::new() };
        match &self.conflicts {
            Conflicts::Known(conflicts) => beams.conflicts.clone_from(conflicts),
            Conflicts::Said(said) => beams.note_conflicts(&said.said(engine)?),
        }
        Ok(beams)
    }
}
