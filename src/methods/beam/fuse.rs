//! Three channels fused into beams.

use bytemuck::bytes_of;

use super::beams::Beams;
use super::channels::Channels;
use super::digits::MUST_BE_DIGITS;
use super::resident::ResidentBeams;
use crate::backend::Timing;
use crate::engine::{Engine, Operation, ResidentPlanes};
use crate::error::{BeamError, LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::beam::fuse::{
    AGREEMENT, BLOCK, CHANNELS, DIGITS, LOG_POOLING, Map, OPERATIONS, OPERATIONS_LOG, Params, Pooling, Status,
};
use crate::plan::batch::{Batch, Slot, lowest_refused};

/// How channels are fused.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fuse {
    weights: [f32; CHANNELS],
    pooling: Pooling,
    map: Map,
    agreement: bool,
}

impl Default for Fuse {
    /// Equal weights, the linear pool, positions by the label mean, no agreement.
    fn default() -> Self {
        Self { weights: [1.0; CHANNELS], pooling: Pooling::Linear, map: Map::LabelMean, agreement: false }
    }
}

impl Fuse {
    /// What ethos, logos and pathos count in the digits; any sum.
    #[must_use]
    pub fn weights(self, weights: [f32; CHANNELS]) -> Self {
        Self { weights, ..self }
    }

    /// How the channels' digits become one distribution. By [`Pooling::Log`] a digit that one channel rules out is out, and
    /// where that leaves none, the channels conflict: such items have the linear pool's digits and are listed in
    /// [`Beams::conflicts`].
    #[must_use]
    pub fn pooling(self, pooling: Pooling) -> Self {
        Self { pooling, ..self }
    }

    /// How channel values become a position.
    #[must_use]
    pub fn map(self, map: Map) -> Self {
        Self { map, ..self }
    }

    /// Asks for the agreement, which takes nine logarithms more.
    #[must_use]
    pub fn agreement(self, agreement: bool) -> Self {
        Self { agreement, ..self }
    }

    fn is_log(&self) -> bool {
        self.pooling == Pooling::Log
    }

    fn operations(&self) -> usize {
        if self.is_log() { OPERATIONS_LOG } else { OPERATIONS }
    }

    fn params(&self) -> Result<Params> {
        let sum: f32 = self.weights.iter().sum();
        if self.weights.iter().any(|w| !w.is_finite() || *w < 0.0) || !(f32::MIN_POSITIVE..=f32::MAX).contains(&sum) {
            return Err(BeamError::Weights { weights: self.weights }.into());
        }
        let [weight_ethos, weight_logos, weight_pathos] = self.weights.map(|w| w / sum);
        let options = if self.agreement { AGREEMENT } else { 0 } | if self.is_log() { LOG_POOLING } else { 0 };
        let map = self.map as u32;
        Ok(Params { map, weight_ethos, weight_logos, weight_pathos, options, ..Params::default() })
    }
}

/// Fuses three channel distributions per item into a beam: digits are their weighted mean, a channel's value is nine times
/// its mass 1 - H / ln 9, the confidence is the mean mass. Other pools are in [`Fuse::pooling`].
///
/// # Errors
///
/// Digits that are not a number, infinite or negative, or sum to 0 or to more than f32 holds: the first such item, with its
/// channel; weights that are none; the device fails.
///
/// # Examples
///
/// *One item: ethos leans to 1, logos to the first three, pathos is sure of 9.*
///
/// ```
/// use consilience::Engine;
/// use consilience::beam::{self, Channels, Fuse};
///
/// let ethos = [0.6, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05];
/// let logos = [0.2, 0.2, 0.2, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05];
/// let pathos = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
/// let beams = beam::fuse(&Engine::cpu()?, &Fuse::default(), &Channels::new(&ethos, &logos, &pathos)?)?;
/// assert_eq!(beams.position(), [7]);
/// assert!((beams.confidence()[0] - 0.464_459).abs() < 2e-6);
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn fuse(engine: &Engine, how: &Fuse, channels: &Channels<'_>) -> Result<Beams> {
    let mut beams = Beams::default();
    fuse_into(engine, how, channels, &mut beams)?;
    Ok(beams)
}

/// Fuses into memory that an earlier batch left, and says where the time went.
///
/// # Errors
///
/// As [`fuse`]; the memory then holds no beams.
pub fn fuse_into(engine: &Engine, how: &Fuse, channels: &Channels<'_>, beams: &mut Beams) -> Result<Timing> {
    let params = how.params()?;
    let items = channels.items();
    beams.prepare(items, how.agreement);
    if items == 0 {
        return Ok(Timing::default());
    }
    let scalars = beams.values.chunks_exact_mut(items).chain([&mut beams.confidence[..]]);
    let scalars = scalars.chain(how.agreement.then_some(&mut beams.agreement[..]));
    let mut status = vec![Status::default(); items.div_ceil(BLOCK)];
    let ran = engine.run_batch(Batch {
        kernel: Kernel::BeamFuse,
        items,
        block: BLOCK,
        operations: how.operations(),
        params: bytes_of(&params),
        inputs: vec![Slot::<&[u8]>::items(&channels.planes())],
        outputs: vec![
            Slot::<&mut [u8]>::items(beams.digits.chunks_exact_mut(items)),
            Slot::<&mut [u8]>::items(scalars),
            Slot::<&mut [u8]>::items([&mut beams.position[..]]),
            Slot::blocks(&mut status),
        ],
    });
    let bad = lowest_refused(status.iter().map(|block| block[0]), BLOCK);
    if ran.is_err() || bad.is_some() {
        beams.clear();
    }
    let timing = ran?;
    if let Some(item) = bad {
        return Err(channels.refuse(item).into());
    }
    beams.note_conflicts(status.iter().flat_map(|[_, words @ ..]| words));
    Ok(timing)
}

/// Fuses channels that are held, [27, B]: nine planes of ethos, nine of logos, nine of pathos; the beams are held as well.
///
/// # Errors
///
/// Another number of planes, weights that are none, another engine holds them, the beams pass what may be held, the device
/// fails. Of digits that [`fuse`] refuses whoever reads the beams, or what is made of them, is told.
///
/// # Examples
///
/// *Three uploads, two operations, one read.*
///
/// ```
/// use consilience::Engine;
/// use consilience::beam::{self, Fuse, Measure};
///
/// let engine = Engine::cpu()?;
/// let sure = engine.upload_planes(&[0.0_f32, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], 9)?;
/// let beams = beam::fuse_resident(&engine, &Fuse::default(), [&sure, &sure, &sure])?;
/// let measured = beam::measure_resident(&engine, Measure::default().dominant(), beams.digits())?;
/// assert_eq!(measured.read(&engine)?.dominant(), [9]);
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn fuse_resident<'a>(
    engine: &Engine,
    how: &Fuse,
    channels: impl Into<ResidentPlanes<'a, f32>>,
) -> Result<ResidentBeams> {
    let (params, channels) = (how.params()?, channels.into());
    LengthError::check("the channels' list of planes", CHANNELS * DIGITS, channels.planes())?;
    let items = channels.items();
    let mut digits = engine.new_array(DIGITS, items)?;
    let mut scalars = engine.new_array(CHANNELS + 1 + usize::from(how.agreement), items)?;
    let mut position = engine.new_array(1, items)?;
    let status = engine.operate(Operation {
        kernel: Kernel::BeamFuse,
        items,
        block: BLOCK,
        operations: how.operations(),
        params: bytes_of(&params),
        inputs: vec![channels.reading(engine)?],
        outputs: vec![digits.written(), scalars.written(), position.written()],
        refuses: Some((size_of::<Status>() / 4, MUST_BE_DIGITS)),
    })?;
    Ok(ResidentBeams::fused(digits, scalars, position, status))
}
