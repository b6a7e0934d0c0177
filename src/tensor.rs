//! Host data: evidence as it comes in, posteriors as they go out. Borrowed where it lies, never copied here.

mod evidence;
mod fused;
mod output;

pub use self::evidence::{Encoding, Evidence, SUM_TOLERANCE};
pub use self::fused::Fused;
pub(crate) use self::fused::FusedMut;
pub use self::output::{Flags, Output, Outputs};
