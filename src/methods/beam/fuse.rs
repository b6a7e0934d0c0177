//! Three channels fused into beams.

use bytemuck::bytes_of;

use crate::backend::Timing;
use crate::engine::Engine;
use crate::error::{BeamError, LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::beam::fuse::{BLOCK, CHANNELS, DIGITS, Map, OPERATIONS, Params};
use crate::plan::batch::{Batch, Slot};

const NAMES: [&str; CHANNELS] = ["ethos", "logos", "pathos"];

/// What each channel says of B items: nine planes of B digits, one plane after the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Channels<'a> {
    items: usize,
    channels: [&'a [f32]; CHANNELS],
}

impl<'a> Channels<'a> {
    /// Of ethos, logos and pathos, each [9, B]: the digit 1 of all items, then the digit 2, and so on. Digits need not sum
    /// to one.
    ///
    /// # Errors
    ///
    /// Channels of different lengths, or of a length that is no multiple of nine.
    pub fn new(ethos: &'a [f32], logos: &'a [f32], pathos: &'a [f32]) -> Result<Self> {
        let channels = [ethos, logos, pathos];
        let items = ethos.len() / DIGITS;
        for (what, channel) in NAMES.into_iter().zip(channels) {
            LengthError::check(what, DIGITS * items, channel.len())?;
        }
        Ok(Self { items, channels })
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    /// Why the item is no beam.
    fn diagnose(&self, item: usize) -> BeamError {
        for (channel, planes) in NAMES.into_iter().zip(self.channels) {
            let digits = (0..DIGITS).map(|digit| planes[digit * self.items + item]);
            let mut sum = 0.0;
            for (digit, value) in (1..).zip(digits) {
                if !value.is_finite() || value < 0.0 {
                    return BeamError::Digit { channel, item, digit, value };
                }
                sum += value;
            }
            if !(f32::MIN_POSITIVE..=f32::MAX).contains(&sum) {
                return BeamError::Sum { channel, item, sum };
            }
        }
        // The kernel found what is not there.
        BeamError::Sum { channel: NAMES[0], item, sum: f32::NAN }
    }
}

/// How channels are fused.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fuse {
    weights: [f32; CHANNELS],
    map: Map,
    agreement: bool,
}

impl Default for Fuse {
    /// Equal weights, positions by the label mean, no agreement.
    fn default() -> Self {
        Self { weights: [1.0; CHANNELS], map: Map::LabelMean, agreement: false }
    }
}

impl Fuse {
    /// What ethos, logos and pathos count in the digits; any sum.
    #[must_use]
    pub fn weights(self, weights: [f32; CHANNELS]) -> Self {
        Self { weights, ..self }
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

    fn params(&self) -> Result<Params> {
        let sum: f32 = self.weights.iter().sum();
        if self.weights.iter().any(|w| !w.is_finite() || *w < 0.0) || !(f32::MIN_POSITIVE..=f32::MAX).contains(&sum) {
            return Err(BeamError::Weights { weights: self.weights }.into());
        }
        let [weight_ethos, weight_logos, weight_pathos] = self.weights.map(|w| w / sum);
        let agreement = u32::from(self.agreement);
        let map = self.map as u32;
        Ok(Params { map, weight_ethos, weight_logos, weight_pathos, agreement, ..Params::default() })
    }
}

/// A batch of beams.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beams {
    items: usize,
    digits: Vec<f32>,
    values: Vec<f32>,
    confidence: Vec<f32>,
    agreement: Vec<f32>,
    position: Vec<u32>,
}

impl Beams {
    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    /// The distributions over digits, [9, B]: the digit 1 of all items first. Each item's sum to one.
    #[must_use]
    pub fn digits(&self) -> &[f32] {
        &self.digits
    }

    /// The values of ethos, logos and pathos, [3, B], in [0, 9].
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The mean mass of the channels, in [0, 1].
    #[must_use]
    pub fn confidence(&self) -> &[f32] {
        &self.confidence
    }

    /// How far the channels say the same, in [0, 1]; empty unless asked for.
    #[must_use]
    pub fn agreement(&self) -> &[f32] {
        &self.agreement
    }

    /// Positions on the ring, 0 to 9.
    #[must_use]
    pub fn position(&self) -> &[u32] {
        &self.position
    }

    fn prepare(&mut self, items: usize, agreement: bool) {
        self.items = items;
        self.digits.resize(DIGITS * items, 0.0);
        self.values.resize(CHANNELS * items, 0.0);
        self.confidence.resize(items, 0.0);
        self.agreement.resize(if agreement { items } else { 0 }, 0.0);
        self.position.resize(items, 0);
    }
}

/// Fuses three channel distributions per item into a beam: digits are their weighted mean, a channel's value is nine times
/// its mass 1 - H / ln 9, the confidence is the mean mass.
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
/// As [`fuse`]; what the memory then holds means nothing.
pub fn fuse_into(engine: &Engine, how: &Fuse, channels: &Channels<'_>, beams: &mut Beams) -> Result<Timing> {
    let params = how.params()?;
    let items = channels.items;
    beams.prepare(items, how.agreement);
    if items == 0 {
        return Ok(Timing::default());
    }
    let planes: Vec<&[f32]> = channels.channels.into_iter().flat_map(|channel| channel.chunks_exact(items)).collect();
    let scalars = beams.values.chunks_exact_mut(items).chain([&mut beams.confidence[..]]);
    let scalars = scalars.chain(how.agreement.then_some(&mut beams.agreement[..]));
    let mut status = vec![u32::MAX; items.div_ceil(BLOCK)];
    let timing = engine.run_batch(Batch {
        kernel: Kernel::BeamFuse,
        items,
        block: BLOCK,
        operations: OPERATIONS,
        params: bytes_of(&params),
        inputs: vec![Slot::<&[u8]>::items(&planes)],
        outputs: vec![
            Slot::<&mut [u8]>::items(beams.digits.chunks_exact_mut(items)),
            Slot::<&mut [u8]>::items(scalars),
            Slot::<&mut [u8]>::items([&mut beams.position[..]]),
            Slot::blocks(&mut status),
        ],
    })?;
    match status.iter().position(|&lowest| lowest != u32::MAX) {
        Some(block) => Err(channels.diagnose(block * BLOCK + status[block] as usize).into()),
        None => Ok(timing),
    }
}
