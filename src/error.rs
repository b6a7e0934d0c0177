//! The one error every public call answers with: what was wrong, where, and what would be right.

mod bayes;
mod beam;
mod burn;
mod calibration;
mod candle;
mod device;
mod evidence;
mod file;
mod fit;
mod label;
mod ledger;
mod length;
mod partial;
mod request;
mod source;
mod spec;
mod state;
mod truth;
mod vortex;

use std::time::Duration;

pub use self::bayes::BayesError;
pub use self::beam::BeamError;
pub use self::burn::BurnError;
pub use self::calibration::CalibrationError;
pub use self::candle::CandleError;
pub use self::device::DeviceError;
pub use self::evidence::{EvidenceError, InvalidOpinion, InvalidReason};
pub use self::file::FileError;
pub use self::fit::FitError;
pub use self::label::LabelError;
pub use self::ledger::LedgerError;
pub use self::length::LengthError;
pub use self::partial::PartialError;
pub use self::request::RequestError;
pub use self::source::SourceError;
pub use self::spec::SpecError;
pub use self::state::StateError;
pub use self::truth::TruthError;
pub use self::vortex::VortexError;

/// A specialised `Result`.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Anything that can go wrong in a public call of this crate.
///
/// Ask it what it is with the predicates; read the details with [`Error::invalid_opinion`] or [`Error::kind`].
///
/// # Examples
///
/// *A row that is no distribution.*
///
/// ```
/// use consilience::{Engine, Evidence, Fusion};
///
/// let rows = [0.9, 0.1, 0.5, 0.6];
/// let evidence = Evidence::probabilities(2, &[&rows])?;
/// let error = Engine::cpu()?.fuse(&Fusion::default(), &evidence).unwrap_err();
/// assert!(error.is_invalid_evidence());
/// assert_eq!(error.invalid_opinion().map(|o| (o.source, o.item)), Some((0, 1)));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

/// What an [`Error`] is about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller's evidence: its shape or its values.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A label that names no class.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// The caller's specification of what to fuse and how.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The device or its driver.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A file: its format, its contents or the system underneath.
    #[error(transparent)]
    File(#[from] FileError),
    /// What is learned: what it learns from, its saved form, a merge.
    #[error(transparent)]
    State(#[from] StateError),
    /// Posteriors, labels or saved state given to calibration, scores or decisions.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    /// What is fitted to labelled items: labels, folds, models.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// An array of another length than its operation needs.
    #[error(transparent)]
    Length(#[from] LengthError),
    /// What is given to beam operations.
    #[error(transparent)]
    Beam(#[from] BeamError),
    /// What is given to vortex operations.
    #[error(transparent)]
    Vortex(#[from] VortexError),
    /// Arguments of posterior mathematics.
    #[error(transparent)]
    Bayes(#[from] BayesError),
    /// Partial evidence that cannot be merged.
    #[error(transparent)]
    Partial(#[from] PartialError),
    /// Annotations, and what is inferred from them.
    #[error(transparent)]
    Truth(#[from] TruthError),
    /// A request to live sources, or their set-up.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A tensor of burn.
    #[error(transparent)]
    Burn(#[from] BurnError),
    /// A tensor of candle.
    #[error(transparent)]
    Candle(#[from] CandleError),
    /// A ledger of results.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Error {
    /// The details.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// Whether lengths or counts do not fit together.
    #[must_use]
    pub fn is_shape(&self) -> bool {
        match &*self.0 {
            ErrorKind::Evidence(e) => e.invalid().is_none(),
            ErrorKind::State(e) => e.is_shape(),
            ErrorKind::Burn(e) => e.is_shape(),
            ErrorKind::Candle(e) => e.is_shape(),
            ErrorKind::Length(_) => true,
            ErrorKind::Calibration(CalibrationError::Ragged { .. } | CalibrationError::Length { .. }) => true,
            _ => false,
        }
    }

    /// Whether an opinion is not a valid one; [`Error::invalid_opinion`] says which.
    #[must_use]
    pub fn is_invalid_evidence(&self) -> bool {
        matches!(&*self.0, ErrorKind::Evidence(EvidenceError::Invalid(_) | EvidenceError::InvalidUnseen { .. }))
    }

    /// Whether a label names no class.
    #[must_use]
    pub fn is_label(&self) -> bool {
        matches!(*self.0, ErrorKind::Label(_))
    }

    /// Whether the specification cannot be carried out on any evidence, or not on this one.
    #[must_use]
    pub fn is_spec(&self) -> bool {
        matches!(*self.0, ErrorKind::Spec(_))
    }

    /// Whether the device or its driver is at fault.
    #[must_use]
    pub fn is_device(&self) -> bool {
        matches!(*self.0, ErrorKind::Device(_))
    }

    /// What the device or its driver is at fault with, when [`Error::is_device`].
    #[must_use]
    pub fn device(&self) -> Option<&DeviceError> {
        match &*self.0 {
            ErrorKind::Device(e) => Some(e),
            _ => None,
        }
    }

    /// Whether a file or a ledger could not be read, understood or written.
    #[must_use]
    pub fn is_io(&self) -> bool {
        matches!(*self.0, ErrorKind::File(_) | ErrorKind::Ledger(_))
    }

    /// Whether what is learned cannot be updated, merged or read back.
    #[must_use]
    pub fn is_state(&self) -> bool {
        matches!(*self.0, ErrorKind::State(_))
    }

    /// Whether posteriors, labels or saved state given to calibration, scores or decisions are at fault; of a label that
    /// names no class, ask [`Error::is_label`].
    #[must_use]
    pub fn is_calibration(&self) -> bool {
        matches!(*self.0, ErrorKind::Calibration(_))
    }

    /// Whether labels, folds or a model do not allow a fit, or are none; of a label that names no class, ask
    /// [`Error::is_label`].
    #[must_use]
    pub fn is_fit(&self) -> bool {
        matches!(*self.0, ErrorKind::Fit(_))
    }

    /// Whether what is given to a beam operation is at fault.
    #[must_use]
    pub fn is_beam(&self) -> bool {
        matches!(*self.0, ErrorKind::Beam(_))
    }

    /// Whether what is given to a vortex operation is at fault.
    #[must_use]
    pub fn is_vortex(&self) -> bool {
        matches!(*self.0, ErrorKind::Vortex(_))
    }

    /// Whether an argument of posterior mathematics is outside its domain.
    #[must_use]
    pub fn is_bayes(&self) -> bool {
        matches!(*self.0, ErrorKind::Bayes(_))
    }

    /// Whether a tensor of burn cannot be fused, or has no gradient.
    #[must_use]
    pub fn is_burn(&self) -> bool {
        matches!(*self.0, ErrorKind::Burn(_))
    }

    /// Whether a tensor of candle cannot be fused.
    #[must_use]
    pub fn is_candle(&self) -> bool {
        matches!(*self.0, ErrorKind::Candle(_))
    }

    /// Whether parts of evidence cannot be merged.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        matches!(*self.0, ErrorKind::Partial(_))
    }

    /// Whether annotations, or options of what is inferred from them, are at fault.
    #[must_use]
    pub fn is_truth(&self) -> bool {
        matches!(*self.0, ErrorKind::Truth(_))
    }

    /// Whether a request to live sources was not answered, or they cannot be set up.
    #[must_use]
    pub fn is_request(&self) -> bool {
        matches!(*self.0, ErrorKind::Request(_))
    }

    /// Whether a request was not answered because its time ran out.
    #[must_use]
    pub fn is_deadline(&self) -> bool {
        matches!(&*self.0, ErrorKind::Request(e) if e.is_deadline())
    }

    /// How long to wait before the same request may be taken, where too much was waiting already.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &*self.0 {
            ErrorKind::Request(e) => e.retry_after(),
            _ => None,
        }
    }

    /// The opinion at fault, when [`Error::is_invalid_evidence`].
    #[must_use]
    pub fn invalid_opinion(&self) -> Option<&InvalidOpinion> {
        match &*self.0 {
            ErrorKind::Evidence(e) => e.invalid(),
            _ => None,
        }
    }
}

impl<K: Into<ErrorKind>> From<K> for Error {
    fn from(kind: K) -> Self {
        Self(Box::new(kind.into()))
    }
}
