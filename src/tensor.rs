//! Host data: evidence as it comes in, posteriors as they go out. Borrowed where it lies, never copied here.

mod evidence;
mod fused;
mod named;
mod opinions;
mod outline;
mod output;
mod owned;

pub use self::evidence::{Answer, Evidence, SUM_TOLERANCE, SUM_TOLERANCE_BF16, SUM_TOLERANCE_F16};
pub use self::fused::Fused;
pub(crate) use self::fused::FusedMut;
pub(crate) use self::named::named;
pub use self::opinions::{ABSTAINED_U8, ABSTAINED_U16, Encoding, Form, MISSING_U8, MISSING_U16, Opinions};
pub(crate) use self::outline::Outline;
pub use self::output::{Flags, Output, Outputs};
pub use self::owned::OwnedEvidence;
#[cfg(feature = "gpu")]
pub(crate) use self::owned::{OwnedPlane, words};
