//! What one source says of all items, in the form it comes in.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use half::{bf16, f16};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::tensor::named;

/// The label of a source that was not asked, in 8 bits.
pub const MISSING_U8: u8 = u8::MAX;
/// The label of a source that was asked and declined, in 8 bits.
pub const ABSTAINED_U8: u8 = u8::MAX - 1;
/// The label of a source that was not asked, in 16 bits.
pub const MISSING_U16: u16 = u16::MAX;
/// The label of a source that was asked and declined, in 16 bits.
pub const ABSTAINED_U16: u16 = u16::MAX - 1;

/// What the numbers of an opinion are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Probabilities: in [0, 1], each row summing to one within [`SUM_TOLERANCE`](crate::SUM_TOLERANCE).
    #[default]
    Probabilities,
    /// Natural logarithms of probabilities; negative infinity is a probability of zero.
    LogProbabilities,
    /// Logits: any finite numbers, or negative infinity for an impossible class; softmax makes them probabilities.
    Logits,
}

/// One source's opinions on all items, borrowed. Sources of one block of evidence may come in different forms.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Opinions<'a> {
    /// Probabilities, row-major [B, C].
    Probabilities(&'a [f32]),
    /// Logarithms of probabilities, row-major [B, C].
    LogProbabilities(&'a [f32]),
    /// Logits, row-major [B, C].
    Logits(&'a [f32]),
    /// Probabilities in 16 bits, row-major [B, C]: a row may be off by the rounding, 2^-8, and is divided by its sum.
    ProbabilitiesBf16(&'a [bf16]),
    /// Logits in 16 bits, row-major [B, C]; logarithms of probabilities are logits too.
    LogitsBf16(&'a [bf16]),
    /// Probabilities in IEEE half precision, row-major [B, C]: a row may be off by
    /// [`SUM_TOLERANCE_F16`](crate::SUM_TOLERANCE_F16) and is divided by its sum. Subnormals count as what they are.
    ProbabilitiesF16(&'a [f16]),
    /// Logits in IEEE half precision, row-major [B, C]; logarithms of probabilities are logits too.
    LogitsF16(&'a [f16]),
    /// Probabilities in 8 bits, row-major [B, C]: each row's integers q stand for q over their sum.
    QuantisedU8(&'a [u8]),
    /// Hard labels, one an item: a class, [`MISSING_U8`] or [`ABSTAINED_U8`]. With a confidence c the label has
    /// probability c and the other classes share the rest; without, c is 1.
    LabelsU8(&'a [u8]),
    /// Hard labels, one an item: a class, [`MISSING_U16`] or [`ABSTAINED_U16`].
    LabelsU16(&'a [u16]),
    /// The probability c of class 0 of two, one an item: the pair (c, 1 - c).
    Binary(&'a [f32]),
}

/// The form of a source's opinions: [`Opinions`] without the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// f32 rows.
    F32(Encoding),
    /// bf16 rows of probabilities.
    ProbabilitiesBf16,
    /// bf16 rows of logits.
    LogitsBf16,
    /// f16 rows of probabilities.
    ProbabilitiesF16,
    /// f16 rows of logits.
    LogitsF16,
    /// u8 rows.
    QuantisedU8,
    /// u8 labels.
    LabelsU8,
    /// u16 labels.
    LabelsU16,
    /// Scalar f32 probabilities of class 0 of two.
    Binary,
}

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Probabilities, Self::LogProbabilities, Self::Logits];

    /// Its name in files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Probabilities => "probabilities",
            Self::LogProbabilities => "log_probabilities",
            Self::Logits => "logits",
        }
    }
}

impl FromStr for Encoding {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(named("encoding", &Self::ALL, Self::name, name)?)
    }
}

impl<'a> Opinions<'a> {
    /// f32 rows in the encoding given.
    #[must_use]
    pub const fn encoded(encoding: Encoding, values: &'a [f32]) -> Self {
        match encoding {
            Encoding::Probabilities => Self::Probabilities(values),
            Encoding::LogProbabilities => Self::LogProbabilities(values),
            Encoding::Logits => Self::Logits(values),
        }
    }

    /// Their form.
    #[must_use]
    pub const fn form(self) -> Form {
        match self {
            Self::Probabilities(_) => Form::F32(Encoding::Probabilities),
            Self::LogProbabilities(_) => Form::F32(Encoding::LogProbabilities),
            Self::Logits(_) => Form::F32(Encoding::Logits),
            Self::ProbabilitiesBf16(_) => Form::ProbabilitiesBf16,
            Self::LogitsBf16(_) => Form::LogitsBf16,
            Self::ProbabilitiesF16(_) => Form::ProbabilitiesF16,
            Self::LogitsF16(_) => Form::LogitsF16,
            Self::QuantisedU8(_) => Form::QuantisedU8,
            Self::LabelsU8(_) => Form::LabelsU8,
            Self::LabelsU16(_) => Form::LabelsU16,
            Self::Binary(_) => Form::Binary,
        }
    }

    /// Number of values.
    #[must_use]
    pub const fn len(self) -> usize {
        match self {
            Self::Probabilities(v) | Self::LogProbabilities(v) | Self::Logits(v) | Self::Binary(v) => v.len(),
            Self::ProbabilitiesBf16(v) | Self::LogitsBf16(v) => v.len(),
            Self::ProbabilitiesF16(v) | Self::LogitsF16(v) => v.len(),
            Self::QuantisedU8(v) | Self::LabelsU8(v) => v.len(),
            Self::LabelsU16(v) => v.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Values of the form, from bytes that begin where a word may.
    pub(crate) fn of_bytes(form: Form, bytes: &'a [u8]) -> Self {
        use bytemuck::cast_slice;
        match form {
            Form::F32(encoding) => Self::encoded(encoding, cast_slice(bytes)),
            Form::ProbabilitiesBf16 => Self::ProbabilitiesBf16(cast_slice(bytes)),
            Form::LogitsBf16 => Self::LogitsBf16(cast_slice(bytes)),
            Form::ProbabilitiesF16 => Self::ProbabilitiesF16(cast_slice(bytes)),
            Form::LogitsF16 => Self::LogitsF16(cast_slice(bytes)),
            Form::QuantisedU8 => Self::QuantisedU8(bytes),
            Form::LabelsU8 => Self::LabelsU8(bytes),
            Form::LabelsU16 => Self::LabelsU16(cast_slice(bytes)),
            Form::Binary => Self::Binary(cast_slice(bytes)),
        }
    }

    /// The bytes of some of the items.
    pub(crate) fn bytes(self, items: Range<usize>, classes: usize) -> &'a [u8] {
        let bytes: &[u8] = match self {
            Self::Probabilities(v) | Self::LogProbabilities(v) | Self::Logits(v) | Self::Binary(v) => {
                bytemuck::cast_slice(v)
            }
            Self::ProbabilitiesBf16(v) | Self::LogitsBf16(v) => bytemuck::cast_slice(v),
            Self::ProbabilitiesF16(v) | Self::LogitsF16(v) => bytemuck::cast_slice(v),
            Self::QuantisedU8(v) | Self::LabelsU8(v) => v,
            Self::LabelsU16(v) => bytemuck::cast_slice(v),
        };
        let each = self.form().bytes_per_item(classes);
        &bytes[items.start * each..items.end * each]
    }
}

impl Form {
    /// Values of one item.
    #[must_use]
    pub const fn values_per_item(self, classes: usize) -> usize {
        match self {
            Self::LabelsU8 | Self::LabelsU16 | Self::Binary => 1,
            Self::F32(_)
            | Self::ProbabilitiesBf16
            | Self::LogitsBf16
            | Self::ProbabilitiesF16
            | Self::LogitsF16
            | Self::QuantisedU8 => classes,
        }
    }

    /// Bytes of one item.
    #[must_use]
    pub const fn bytes_per_item(self, classes: usize) -> usize {
        let each = match self {
            Self::F32(_) | Self::Binary => 4,
            Self::ProbabilitiesBf16 | Self::LogitsBf16 | Self::ProbabilitiesF16 | Self::LogitsF16 | Self::LabelsU16 => {
                2
            }
            Self::QuantisedU8 | Self::LabelsU8 => 1,
        };
        each * self.values_per_item(classes)
    }

    /// Whether it is a hard label.
    #[must_use]
    pub const fn is_label(self) -> bool {
        matches!(self, Self::LabelsU8 | Self::LabelsU16)
    }

    /// The most classes it can tell apart beside its codes.
    #[must_use]
    pub const fn most_classes(self) -> usize {
        match self {
            Self::LabelsU8 => ABSTAINED_U8 as usize,
            Self::LabelsU16 => ABSTAINED_U16 as usize,
            Self::Binary => 2,
            _ => usize::MAX,
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32(Encoding::Probabilities) => "probabilities f32",
            Self::F32(Encoding::LogProbabilities) => "log_probabilities f32",
            Self::F32(Encoding::Logits) => "logits f32",
            Self::ProbabilitiesBf16 => "probabilities bf16",
            Self::LogitsBf16 => "logits bf16",
            Self::ProbabilitiesF16 => "probabilities f16",
            Self::LogitsF16 => "logits f16",
            Self::QuantisedU8 => "probabilities u8",
            Self::LabelsU8 => "labels u8",
            Self::LabelsU16 => "labels u16",
            Self::Binary => "binary f32",
        })
    }
}
