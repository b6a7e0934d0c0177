//! The one error every public call answers with: what was wrong, where, and what would be right.

mod device;
mod evidence;
mod file;
mod spec;

pub use self::device::DeviceError;
pub use self::evidence::{EvidenceError, InvalidOpinion, InvalidReason};
pub use self::file::FileError;
pub use self::spec::SpecError;

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
    /// The caller's specification of what to fuse and how.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The device or its driver.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A file: its format, its contents or the system underneath.
    #[error(transparent)]
    File(#[from] FileError),
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
        matches!(*self.0, ErrorKind::Evidence(ref e) if e.invalid().is_none())
    }

    /// Whether an opinion is not a valid one; [`Error::invalid_opinion`] says which.
    #[must_use]
    pub fn is_invalid_evidence(&self) -> bool {
        self.invalid_opinion().is_some()
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

    /// Whether a file could not be read, understood or written.
    #[must_use]
    pub fn is_io(&self) -> bool {
        matches!(*self.0, ErrorKind::File(_))
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
