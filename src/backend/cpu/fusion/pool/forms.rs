//! What a source says of a tile, whatever its form: rows of f32, or hard labels.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16};
use half::slice::HalfFloatSliceExt as _;

use crate::backend::cpu::fusion::pool::Tile;
use crate::backend::cpu::transpose::LANES;
use crate::tensor::{ABSTAINED_U8, ABSTAINED_U16, Encoding, Evidence, Form, MISSING_U8, MISSING_U16, Opinions};

/// What makes a row of a form valid, and what turns it into probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoding {
    /// Probabilities, none negative, that sum to one within [`SUM_TOLERANCE`](crate::tensor::SUM_TOLERANCE).
    Probabilities,
    /// Probabilities rounded to bf16: they sum to one but for that, and are divided by their sum.
    RoundedBf16,
    /// The same, rounded to f16.
    RoundedF16,
    /// Shares of a sum above zero.
    Shares,
    /// Logarithms of probabilities.
    LogProbabilities,
    /// Logits.
    Logits,
}

impl Decoding {
    /// Of a form that is no label.
    pub(super) const fn of(form: Form) -> Self {
        match form {
            Form::F32(Encoding::LogProbabilities) => Self::LogProbabilities,
            Form::F32(Encoding::Logits) | Form::LogitsBf16 | Form::LogitsF16 => Self::Logits,
            Form::ProbabilitiesBf16 => Self::RoundedBf16,
            Form::ProbabilitiesF16 => Self::RoundedF16,
            Form::QuantisedU8 => Self::Shares,
            Form::F32(Encoding::Probabilities) | Form::Binary | Form::LabelsU8 | Form::LabelsU16 => Self::Probabilities,
        }
    }

    /// Whether every row is divided by its sum.
    pub(super) const fn is_divided(self) -> bool {
        matches!(self, Self::RoundedBf16 | Self::RoundedF16 | Self::Shares)
    }

    /// Whether the values are logarithms, or become them by a subtraction.
    pub(super) const fn has_logarithms(self) -> bool {
        matches!(self, Self::LogProbabilities | Self::Logits)
    }
}

/// Labels of a tile.
pub(super) struct Labels<S: Simd> {
    /// The class, 0 where there is none.
    pub class: f32x16<S>,
    /// Whether the item has a label that is a class.
    pub valid: mask32x16<S>,
    /// Whether the source was asked and gave something, a class or not.
    pub given: mask32x16<S>,
    /// Whether it was asked and declined.
    pub abstained: mask32x16<S>,
}

/// The labels of the tile, if the source gives labels. `asked` says which items it was asked about at all.
#[inline(always)]
pub(super) fn labels<S: Simd>(
    simd: S,
    evidence: &Evidence<'_>,
    source: usize,
    tile: Tile,
    asked: mask32x16<S>,
) -> Option<Labels<S>> {
    let Coded { label, missing, abstained } = coded(simd, evidence, source, tile)?;
    let abstained = label.simd_eq(abstained) & asked;
    let given = !label.simd_eq(missing) & !abstained & asked;
    let valid = given & label.simd_lt(evidence.classes() as f32);
    Some(Labels { class: valid.select(label, f32x16::splat(simd, 0.0)), valid, given, abstained })
}

/// Labels as they are written; those behind the end of the tile are 0.
pub(super) struct Coded<S: Simd> {
    /// As numbers: every 16-bit integer is one of f32.
    pub label: f32x16<S>,
    /// What stands for no label, and for one that was declined: both above every class.
    missing: f32,
    abstained: f32,
}

/// The same, before codes are told from classes.
#[inline(always)]
pub(super) fn coded<S: Simd>(simd: S, evidence: &Evidence<'_>, source: usize, tile: Tile) -> Option<Coded<S>> {
    let range = tile.first..tile.first + tile.len;
    let (values, missing, abstained) = match evidence.opinions(source)? {
        Opinions::LabelsU8(labels) => (numbers(&labels[range]), f32::from(MISSING_U8), f32::from(ABSTAINED_U8)),
        Opinions::LabelsU16(labels) => (numbers(&labels[range]), f32::from(MISSING_U16), f32::from(ABSTAINED_U16)),
        _ => return None,
    };
    Some(Coded { label: f32x16::load_array(simd, values), missing, abstained })
}

#[inline(always)]
fn numbers<T: Copy + Into<f32>>(labels: &[T]) -> [f32; LANES] {
    let mut values = [0.0; LANES];
    if let Some(whole) = labels.first_chunk::<LANES>() {
        // Of a length known when compiled, two instructions.
        for i in 0..LANES {
            values[i] = whole[i].into();
        }
    } else {
        for (value, &label) in values.iter_mut().zip(labels) {
            *value = label.into();
        }
    }
    values
}

/// The rows of a whole tile, [16, C], where they are f32 already.
#[inline(always)]
pub(super) fn whole_rows<'a>(evidence: &Evidence<'a>, source: usize, tile: Tile) -> Option<&'a [f32]> {
    let (Opinions::Probabilities(v) | Opinions::LogProbabilities(v) | Opinions::Logits(v)) =
        evidence.opinions(source)?
    else {
        return None;
    };
    let classes = evidence.classes();
    (tile.len == LANES).then(|| &v[tile.first * classes..(tile.first + LANES) * classes])
}

/// The rows of the tile as f32, [16, C]; where the form is another, or the tile has fewer items, in `rows`.
#[inline(always)]
pub(super) fn rows<'a>(evidence: &Evidence<'a>, source: usize, tile: Tile, rows: &'a mut [f32]) -> &'a [f32] {
    if let Some(whole) = whole_rows(evidence, source, tile) {
        return whole;
    }
    let classes = evidence.classes();
    let range = tile.first * classes..(tile.first + tile.len) * classes;
    let filled = tile.len * classes;
    rows[filled..].fill(0.0);
    let target = &mut rows[..filled];
    match evidence.opinions(source) {
        Some(Opinions::Probabilities(v) | Opinions::LogProbabilities(v) | Opinions::Logits(v)) => {
            target.copy_from_slice(&v[range]);
        }
        Some(Opinions::ProbabilitiesBf16(v) | Opinions::LogitsBf16(v)) => {
            for (to, from) in target.iter_mut().zip(&v[range]) {
                *to = f32::from_bits(u32::from(from.to_bits()) << 16);
            }
        }
        Some(Opinions::ProbabilitiesF16(v) | Opinions::LogitsF16(v)) => v[range].convert_to_f32_slice(target),
        Some(Opinions::QuantisedU8(v)) => {
            for (to, &from) in target.iter_mut().zip(&v[range]) {
                *to = f32::from(from);
            }
        }
        Some(Opinions::Binary(v)) => {
            for (pair, &c) in target.chunks_exact_mut(2).zip(&v[tile.first..tile.first + tile.len]) {
                pair.copy_from_slice(&[c, 1.0 - c]);
            }
        }
        Some(Opinions::LabelsU8(_) | Opinions::LabelsU16(_)) | None => target.fill(0.0),
    }
    rows
}
