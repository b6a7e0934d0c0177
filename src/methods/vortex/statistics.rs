//! What stands at each position.

use bytemuck::{bytes_of, cast_slice};

use super::Direction;
use super::anchors::refusal;
use crate::backend::Timing;
use crate::engine::{Engine, Operation, Read, ResidentPlanes};
use crate::error::{DeviceError, LengthError, Result, VortexError};
use crate::kernel::Kernel;
use crate::kernel::vortex::statistics::{BLOCK, MOST_BINS, MOST_CHANNELS, Params, pairs, places, sums};
use crate::plan::batch::{Batch, Slot, lowest_refused};

/// What stands at one position.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bin {
    /// How many items.
    pub count: u64,
    /// How many of them go forward.
    pub forward: u64,
    /// The mean of each channel of their payloads; 0 where there is no item.
    pub mean: Vec<f64>,
    /// The covariance of the channels over the items, [D, D]: divided by their number; 0 where there is none.
    pub covariance: Vec<f64>,
    /// How far payloads that meet here point the same way: the mean cosine over all pairs of items whose payloads are not
    /// 0, from 1 for the same direction to about 0 for any; 0 where fewer than two meet.
    pub intersection: f64,
}

/// What stands at the positions 0, 1, ..., and where the time went.
///
/// `payload` is [D, B], the first channel of all items first, with as many channels as its length tells; none is fine.
///
/// # Errors
///
/// Lengths that do not fit; more than 64 bins or 5 channels; a position that is no bin, or a payload that is not finite: the
/// first such item; the device fails.
///
/// # Examples
///
/// *Three items with one channel: two at position 1, one at position 0.*
///
/// ```
/// use consilience::Engine;
/// use consilience::vortex::{Direction::{Backward, Forward}, statistics};
///
/// let (bins, _) = statistics(&Engine::cpu()?, 2, &[1, 0, 1], &[Forward, Forward, Backward], &[2.0, 7.0, 4.0])?;
/// assert_eq!((bins[1].count, bins[1].forward), (2, 1));
/// let near = |got: f64, want: f64| (got - want).abs() < 1e-6;
/// assert!(near(bins[1].mean[0], 3.0) && near(bins[1].covariance[0], 1.0) && near(bins[1].intersection, 1.0));
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn statistics(
    engine: &Engine,
    bins: usize,
    positions: &[u32],
    directions: &[Direction],
    payload: &[f32],
) -> Result<(Vec<Bin>, Timing)> {
    let items = positions.len();
    let channels = payload.len().checked_div(items).unwrap_or(0);
    check(bins, channels)?;
    LengthError::check("directions", items, directions.len())?;
    LengthError::check("the payload", channels * items, payload.len())?;
    let per_bin = sums(channels);
    let mut found = vec![0_f32; items.div_ceil(BLOCK) * bins * per_bin];
    let mut refused = vec![u32::MAX; items.div_ceil(BLOCK)];
    let mut timing = Timing::default();
    let planes: Vec<&[f32]> = payload.chunks_exact(items.max(1)).collect();
    let centre = centre(&planes);
    if bins > 0 {
        let (params, pairs) = params(bins, channels);
        timing = engine.run_batch(Batch {
            kernel: Kernel::Statistics,
            items,
            block: BLOCK,
            operations: bins * per_bin,
            params: bytes_of(&params),
            inputs: vec![
                Slot::<&[u8]>::items(&[positions]),
                Slot::<&[u8]>::items(&[directions]),
                Slot::<&[u8]>::items(&planes),
                Slot::shared(&centre),
                Slot::shared(&pairs),
            ],
            outputs: vec![Slot::of_blocks(&mut found, bins * per_bin), Slot::blocks(&mut refused)],
        })?;
    }
    // Without bins there is nothing to run, and every position is none.
    if let Some(item) = lowest_refused(refused, BLOCK).or((bins == 0 && items > 0).then_some(0)) {
        return Err(refusal(item, positions, bins, planes.into_iter()).into());
    }
    Ok((Bin::all(&found, bins, channels, &centre), timing))
}

/// [`statistics`] of arrays that are held: a plane of positions, one of directions, 0 forward and 1 backward, and as many of
/// payload as there are channels. Each block's sums come to the host, which adds them up: this waits for the device.
///
/// # Errors
///
/// Planes that do not fit; more than 64 bins or 5 channels; a position that is no bin, or a payload that is not finite: the first
/// such item, or an item that an operation refused which led to these; another engine holds one, the sums pass what may be
/// held, the device fails.
///
/// # Examples
///
/// *Where objects are after a while.*
///
/// ```
/// use consilience::Engine;
/// use consilience::vortex::statistics_resident;
///
/// let engine = Engine::cpu()?;
/// let (positions, directions) = (engine.upload_array(&[1_u32, 0, 1])?, engine.upload_array(&[0_u32, 0, 1])?);
/// let payload = engine.upload_array(&[2.0_f32, 7.0, 4.0])?;
/// let bins = statistics_resident(&engine, 2, &positions, &directions, &payload)?;
/// assert_eq!((bins[1].count, bins[1].forward, bins[1].mean[0]), (2, 1, 3.0));
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn statistics_resident<'a>(
    engine: &Engine,
    bins: usize,
    positions: impl Into<ResidentPlanes<'a, u32>>,
    directions: impl Into<ResidentPlanes<'a, u32>>,
    payload: impl Into<ResidentPlanes<'a, f32>>,
) -> Result<Vec<Bin>> {
    let (positions, directions, payload) = (positions.into(), directions.into(), payload.into());
    let (items, channels) = (positions.items(), payload.planes());
    check(bins, channels)?;
    LengthError::check("the list of planes of positions and directions", 2, positions.planes() + directions.planes())?;
    LengthError::check("directions", items, directions.items())?;
    LengthError::check("the payload", if channels == 0 { 0 } else { items }, payload.items())?;
    let first = payload.read_first(engine, BLOCK)?;
    let centre = centre(&first.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let mut found = engine.new_blocks::<f32>(bins * sums(channels), items.div_ceil(BLOCK))?;
    let must = "be at a position that is one of the bins, with a finite payload";
    if bins == 0 && items > 0 {
        // There is nothing to run, and every position is none.
        return Err(DeviceError::ItemRefused { operation: Kernel::Statistics.name(), item: 0, must }.into());
    }
    let (params, pairs) = params(bins, channels);
    engine.operate(Operation {
        kernel: Kernel::Statistics,
        items,
        block: BLOCK,
        operations: bins * sums(channels),
        params: bytes_of(&params),
        inputs: vec![
            positions.reading(engine)?,
            directions.reading(engine)?,
            payload.reading(engine)?,
            Read::Shared(cast_slice(&centre)),
            Read::Shared(cast_slice(&pairs)),
        ],
        outputs: vec![found.written_by_block()],
        refuses: Some((1, must)),
    })?;
    Ok(Bin::all(&found.read(engine)?, bins, channels, &centre))
}

/// That there are not too many.
fn check(bins: usize, channels: usize) -> Result<(), VortexError> {
    for (what, given, most) in
        [("the number of bins", bins, MOST_BINS), ("the number of channels", channels, MOST_CHANNELS)]
    {
        if given > most {
            return Err(VortexError::TooMany { what, given, most });
        }
    }
    Ok(())
}

/// What the kernel is told, and the pairs of channels whose products it sums.
fn params(bins: usize, channels: usize) -> (Params, Vec<u32>) {
    let pairs = pairs(channels).into_iter().map(|[a, b]| (a + 256 * b) as u32).collect();
    let (channels, bins, sums) = (channels as u32, bins as u32, sums(channels) as u32);
    (Params { channels, bins, sums, ..Params::default() }, pairs)
}

/// A point near the payloads: the mean of the first of them. Never empty, for devices bind it.
fn centre(planes: &[&[f32]]) -> Vec<f32> {
    let mean = |plane: &&[f32]| {
        let some = plane.iter().take(BLOCK).filter(|value| value.is_finite());
        let (count, sum) = some.fold((0.0, 0.0), |(count, sum), &value| (count + 1.0, sum + f64::from(value)));
        (sum / f64::max(count, 1.0)) as f32
    };
    let centre: Vec<f32> = planes.iter().map(mean).collect();
    if centre.is_empty() { vec![0.0] } else { centre }
}

impl Bin {
    /// All of them from each block's sums about the centre.
    fn all(found: &[f32], bins: usize, channels: usize, centre: &[f32]) -> Vec<Self> {
        let mut total = vec![0.0; bins * sums(channels)];
        for block in found.chunks_exact(total.len().max(1)) {
            for (total, part) in total.iter_mut().zip(block) {
                *total += f64::from(*part);
            }
        }
        total.chunks_exact(sums(channels)).map(|sums| Self::of(sums, centre)).collect()
    }

    /// From its sums about the centre.
    fn of(sums: &[f64], centre: &[f32]) -> Self {
        let channels = (0..).find(|&channels| self::sums(channels) >= sums.len()).unwrap_or(0);
        let [values, products, directions] = places(channels);
        let n = sums[0].max(1.0);
        let shift: Vec<f64> = sums[values..products].iter().map(|sum| sum / n).collect();
        let here = if sums[0] > 0.0 { 1.0 } else { 0.0 };
        let mean = shift.iter().zip(centre).map(|(shift, c)| here * (shift + f64::from(*c))).collect();
        let mut covariance = vec![0.0; channels * channels];
        let pairs = (0..channels).flat_map(|i| (i..channels).map(move |j| (i, j)));
        for ((i, j), product) in pairs.zip(&sums[products..directions]) {
            let value = product / n - shift[i] * shift[j];
            // A variance that is lost in rounding is none.
            let value = if i == j { value.max(0.0) } else { value };
            (covariance[channels * i + j], covariance[channels * j + i]) = (value, value);
        }
        let together: f64 = sums[directions..].iter().map(|sum| sum * sum).sum();
        let m = sums[2];
        let intersection = if m < 2.0 { 0.0 } else { ((together - m) / (m * (m - 1.0))).clamp(-1.0, 1.0) };
        Self { count: sums[0] as u64, forward: sums[1] as u64, mean, covariance, intersection }
    }
}
