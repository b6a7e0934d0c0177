//! The calibration error over bins that hold equally many items.

use super::confidences;
use super::tally::{Bin, Tally};
use crate::error::{Result, SpecError};
use crate::methods::calibration::labelled::Labelled;

/// The reliability diagram in bins of B / `bins` items each, from the least to the most confident item (Nguyen and O'Connor,
/// EMNLP 2015). Items of equal confidence stay together, so there may be fewer bins; the order of the items is irrelevant.
///
/// Takes memory for every item; [`Scores`](super::Scores) does not.
///
/// # Errors
///
/// No bins.
pub fn equal_mass_bins(labelled: &Labelled<'_>, bins: usize) -> Result<Vec<Bin>> {
    let (confidences, tallies) = tallies(confidences(labelled), bins)?;
    let mut start = 0;
    let bin = |tally: Tally| {
        let first = start;
        start += tally.items() as usize;
        tally.bin(f64::from(confidences[first]), f64::from(confidences[start - 1]))
    };
    Ok(tallies.into_iter().filter_map(bin).collect())
}

/// Adaptive expected calibration error: as [`ece`](super::ece), over [`equal_mass_bins`].
///
/// # Errors
///
/// No bins.
pub fn adaptive_ece(labelled: &Labelled<'_>, bins: usize) -> Result<f64> {
    adaptive(confidences(labelled), bins)
}

/// The same of how sure each decision is, and whether it is right.
pub(in crate::methods::calibration) fn adaptive(items: impl Iterator<Item = (f32, bool)>, bins: usize) -> Result<f64> {
    let (confidences, tallies) = tallies(items, bins)?;
    Ok(tallies.iter().map(Tally::gap).sum::<f64>() / confidences.len() as f64)
}

/// The confidences in rising order and the tallies of their bins, none empty.
fn tallies(items: impl Iterator<Item = (f32, bool)>, bins: usize) -> Result<(Vec<f32>, Vec<Tally>)> {
    if bins == 0 {
        return Err(SpecError::OutOfRange { what: "bins".to_owned(), value: 0.0, must: "at least one" }.into());
    }
    let mut items: Vec<(f32, bool)> = items.collect();
    // By the hit too: sums of the same numbers in the same order have the same bits.
    items.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let bins = bins.min(items.len());
    let (mut tallies, mut start) = (Vec::with_capacity(bins), 0);
    for bin in 1..=bins {
        let mut end = (bin as u128 * items.len() as u128 / bins as u128) as usize;
        while end < items.len() && items[end].0 == items[end - 1].0 {
            end += 1;
        }
        if end > start {
            let mut tally = Tally::default();
            items[start..end].iter().for_each(|&(p, hit)| tally.add(p, hit));
            tallies.push(tally);
            start = end;
        }
    }
    Ok((items.into_iter().map(|(p, _)| p).collect(), tallies))
}
