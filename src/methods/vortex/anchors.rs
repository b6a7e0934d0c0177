//! Payloads that relax towards anchors.

use bytemuck::{bytes_of, cast_slice};

use crate::backend::Timing;
use crate::engine::{Engine, Operation, Read, ResidentArray, ResidentPlanes};
use crate::error::{LengthError, Result, VortexError};
use crate::kernel::Kernel;
use crate::kernel::vortex::relax::{BLOCK, POSITIONS, Params};
use crate::plan::batch::{Batch, Slot, lowest_refused};

/// Anchors: positions from 0 to 9, each with a payload of D channels that payloads near it relax to.
///
/// The nearest anchor of a position is that of the least cyclic distance d modulo 10, the lowest of equals; its blend there
/// is 1 - d / 5: whole at the anchor, 0.6 two positions away.
///
/// # Examples
///
/// *A payload at position 4, next to the anchor 3 with its payload (1, 0, 0): the blend is 0.8.*
///
/// ```
/// use consilience::Engine;
/// use consilience::vortex::Anchors;
///
/// let mut payload = [0.0, 0.5, 1.0]; // ethos, logos, pathos of one item
/// Anchors::default().relax(&Engine::cpu()?, &[4], &mut payload, 1.0, 1)?;
/// assert!(payload.iter().zip([0.8, 0.1, 0.2]).all(|(x, want)| (x - want).abs() < 1e-6));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Anchors {
    /// By position.
    anchors: Vec<(u32, Vec<f32>)>,
}

impl Default for Anchors {
    /// 3 = (1, 0, 0), 6 = (0, 0, 1), 9 = (0, 1, 0) over ethos, logos and pathos.
    fn default() -> Self {
        Self { anchors: vec![(3, vec![1.0, 0.0, 0.0]), (6, vec![0.0, 0.0, 1.0]), (9, vec![0.0, 1.0, 0.0])] }
    }
}

/// From one position to another, either way round.
fn distance(a: u32, b: u32) -> u32 {
    let d = a.abs_diff(b) % POSITIONS;
    d.min(POSITIONS - d)
}

impl Anchors {
    /// Anchors at positions from 0 to 9, with payloads of the same number of channels.
    ///
    /// # Errors
    ///
    /// No anchor, two at one position, a position above 9, payloads of different lengths or not finite.
    pub fn new(mut anchors: Vec<(u32, Vec<f32>)>) -> Result<Self> {
        anchors.sort_by_key(|(position, _)| *position);
        let Some((_, first)) = anchors.first() else { return Err(VortexError::NoAnchor.into()) };
        let channels = first.len();
        for (item, (position, payload)) in anchors.iter().enumerate() {
            if *position >= POSITIONS {
                return Err(VortexError::Position { item, position: *position, most: POSITIONS - 1 }.into());
            }
            if item > 0 && anchors[item - 1].0 == *position {
                return Err(VortexError::TwoAnchors { position: *position }.into());
            }
            LengthError::check(format!("the payload of the anchor at {position}"), channels, payload.len())?;
            if let Some((channel, &value)) = payload.iter().enumerate().find(|(_, value)| !value.is_finite()) {
                return Err(VortexError::Payload { channel, item, value }.into());
            }
        }
        Ok(Self { anchors })
    }

    /// Number of channels, D.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.anchors.first().map_or(0, |(_, payload)| payload.len())
    }

    /// The nearest anchor of a position, and how far it is.
    fn nearest(&self, position: u32) -> Option<(&[f32], u32)> {
        let nearest = self.anchors.iter().min_by_key(|(anchor, _)| distance(*anchor, position))?;
        Some((&nearest.1, distance(nearest.0, position)))
    }

    /// Moves payloads towards the nearest anchor of their positions by so many ticks: x + strength (1 - d / 5) (A - x), in
    /// place. `payload` is [D, B]: the first channel of all items first.
    ///
    /// # Errors
    ///
    /// Lengths that do not fit; a strength that is not from 0 to 1; a position above 9 or a payload that is not finite: such
    /// items stay as they are, all others have moved; the device fails: what the payload is then means nothing.
    pub fn relax(
        &self,
        engine: &Engine,
        positions: &[u32],
        payload: &mut [f32],
        strength: f32,
        ticks: u32,
    ) -> Result<Timing> {
        self.run(engine, positions, payload, &self.after_ticks(strength, ticks)?)
    }

    /// Moves payloads towards the nearest anchor of their positions for so many seconds, in place:
    /// A + (x - A) exp(-lambda t) with lambda = `rate` (1 - d / 5). `payload` is as in [`Anchors::relax`].
    ///
    /// # Errors
    ///
    /// As [`Anchors::relax`], for a rate or a time that is negative or not finite in place of the strength.
    pub fn relax_at_rate(
        &self,
        engine: &Engine,
        positions: &[u32],
        payload: &mut [f32],
        rate: f32,
        seconds: f32,
    ) -> Result<Timing> {
        self.run(engine, positions, payload, &self.after_seconds(rate, seconds)?)
    }

    /// [`Anchors::relax`] of payloads that are held, as many planes as channels, in place, at positions that are held.
    ///
    /// # Errors
    ///
    /// Arrays that do not fit, a strength that is not from 0 to 1, another engine holds one, the device fails. Of a position
    /// above 9 or a payload that is not finite whoever reads the payload is told.
    ///
    /// # Examples
    ///
    /// *Two ticks of a half at an anchor leave a quarter of the way.*
    ///
    /// ```
    /// use consilience::Engine;
    /// use consilience::vortex::Anchors;
    ///
    /// let engine = Engine::cpu()?;
    /// let positions = engine.upload_array(&[3_u32])?;
    /// let mut payload = engine.upload_planes(&[0.0_f32, 0.5, 1.0], 3)?;
    /// Anchors::default().relax_resident(&engine, &positions, &mut payload, 0.5, 1)?;
    /// Anchors::default().relax_resident(&engine, &positions, &mut payload, 0.5, 1)?;
    /// assert_eq!(payload.read(&engine)?, [0.75, 0.125, 0.25]);
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn relax_resident<'a>(
        &self,
        engine: &Engine,
        positions: impl Into<ResidentPlanes<'a, u32>>,
        payload: &mut ResidentArray<f32>,
        strength: f32,
        ticks: u32,
    ) -> Result<()> {
        self.run_resident(engine, positions.into(), payload, &self.after_ticks(strength, ticks)?)
    }

    /// [`Anchors::relax_at_rate`] of payloads that are held, as [`Anchors::relax_resident`].
    ///
    /// # Errors
    ///
    /// As [`Anchors::relax_resident`], for a rate or a time that is negative or not finite in place of the strength.
    pub fn relax_at_rate_resident<'a>(
        &self,
        engine: &Engine,
        positions: impl Into<ResidentPlanes<'a, u32>>,
        payload: &mut ResidentArray<f32>,
        rate: f32,
        seconds: f32,
    ) -> Result<()> {
        self.run_resident(engine, positions.into(), payload, &self.after_seconds(rate, seconds)?)
    }

    /// The kernel's table for so many ticks.
    fn after_ticks(&self, strength: f32, ticks: u32) -> Result<Vec<f32>> {
        if !(0.0..=1.0).contains(&strength) {
            return Err(VortexError::Strength { strength }.into());
        }
        let exponent = i32::try_from(ticks).unwrap_or(i32::MAX);
        Ok(self.table(|blend| 1.0 - (1.0 - f64::from(strength) * blend).powi(exponent)))
    }

    /// The kernel's table for so many seconds.
    fn after_seconds(&self, rate: f32, seconds: f32) -> Result<Vec<f32>> {
        if !(0.0..=f32::MAX).contains(&rate) {
            return Err(VortexError::Rate { rate }.into());
        }
        if !(0.0..=f32::MAX).contains(&seconds) {
            return Err(VortexError::Elapsed { elapsed: seconds }.into());
        }
        Ok(self.table(|blend| -(-f64::from(rate) * blend * f64::from(seconds)).exp_m1()))
    }

    /// For each position its share of the way and where the way leads, by the share that a blend has.
    fn table(&self, share: impl Fn(f64) -> f64) -> Vec<f32> {
        let entries = (0..POSITIONS).filter_map(|position| self.nearest(position)).flat_map(|(anchor, d)| {
            let share = share(1.0 - f64::from(d) / 5.0) as f32;
            [share].into_iter().chain(anchor.iter().copied())
        });
        entries.collect()
    }

    fn params(&self) -> Params {
        Params { channels: self.channels() as u32, ..Params::default() }
    }

    fn run_resident(
        &self,
        engine: &Engine,
        positions: ResidentPlanes<'_, u32>,
        payload: &mut ResidentArray<f32>,
        table: &[f32],
    ) -> Result<()> {
        LengthError::check("the list of the positions' planes", 1, positions.planes())?;
        LengthError::check("the list of the payload's planes", self.channels(), payload.planes())?;
        LengthError::check("the payload", positions.items(), payload.items())?;
        if self.channels() == 0 {
            return Ok(());
        }
        engine.operate(Operation {
            kernel: Kernel::Relax,
            items: positions.items(),
            block: BLOCK,
            operations: 0,
            params: bytes_of(&self.params()),
            inputs: vec![positions.reading(engine)?, Read::Shared(cast_slice(table))],
            outputs: vec![payload.updated(engine)?],
            refuses: Some((1, "be at a position from 0 to 9 with a finite payload")),
        })?;
        Ok(())
    }

    fn run(&self, engine: &Engine, positions: &[u32], payload: &mut [f32], table: &[f32]) -> Result<Timing> {
        let (items, channels) = (positions.len(), self.channels());
        LengthError::check("the payload", channels * items, payload.len())?;
        if items == 0 || channels == 0 {
            return Ok(Timing::default());
        }
        let mut refused = vec![u32::MAX; items.div_ceil(BLOCK)];
        let timing = engine.run_batch(Batch {
            kernel: Kernel::Relax,
            items,
            block: BLOCK,
            operations: 0,
            params: bytes_of(&self.params()),
            inputs: vec![Slot::<&[u8]>::items(&[positions]), Slot::shared(table)],
            outputs: vec![Slot::<&mut [u8]>::updated(payload.chunks_exact_mut(items)), Slot::blocks(&mut refused)],
        })?;
        match lowest_refused(refused, BLOCK) {
            Some(item) => Err(refusal(item, positions, POSITIONS as usize, payload.chunks_exact(items)).into()),
            None => Ok(timing),
        }
    }
}

/// Why an item is refused: its position is none of so many, or its payload is not finite.
pub(super) fn refusal<'a>(
    item: usize,
    positions: &[u32],
    count: usize,
    payload: impl Iterator<Item = &'a [f32]>,
) -> VortexError {
    if positions[item] as usize >= count {
        let most = (count as u32).saturating_sub(1);
        return VortexError::Position { item, position: positions[item], most };
    }
    let mut values = payload.map(|plane| plane[item]).enumerate();
    let (channel, value) = values.find(|(_, value)| !value.is_finite()).unwrap_or((0, f32::NAN));
    VortexError::Payload { channel, item, value }
}
