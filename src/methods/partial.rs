//! Fusion in parts: what some sources said of an item, merged with what others said, wherever and in whatever order it comes in.
//!
//! [`Gathered`] keeps what each source said last. Merging is associative, commutative and idempotent, so that parts may arrive
//! twice, late, and along any path. [`Sums`] keep as much as a rule needs, however many sources there were; they merge where no
//! source is in both, and refuse otherwise, for it would count twice. Sums are integers: their answer has the same bits in
//! whatever order and in however many parts they were added up.
//!
//! # Examples
//!
//! *Two machines, one of which heard source b twice.*
//!
//! ```
//! use consilience::partial::{Gathered, Pool, Said};
//!
//! let mut here = Gathered::new(2)?;
//! here.insert("a", Said::now(&[0.9, 0.1]))?;
//! here.insert("b", Said::now(&[0.2, 0.8]))?;
//! let mut there = Gathered::new(2)?;
//! there.insert("b", Said { generation: 1, ..Said::now(&[0.7, 0.3]) })?;
//! here.merge(&there)?;
//! here.merge(&there)?;
//! assert_eq!(here.sums(Pool::Linear)?.posterior(None)?, [0.8, 0.2]);
//! # Ok::<(), consilience::Error>(())
//! ```

mod fixed;
mod gathered;
mod pool;
mod sums;

#[cfg(feature = "datafusion")]
pub(crate) use self::fixed::{ONE, add, exp, fixed, ln};
pub use self::gathered::{Gathered, MOST_WEIGHT, Said};
pub use self::pool::Pool;
#[cfg(feature = "datafusion")]
pub(crate) use self::pool::log_all;
pub use self::sums::Sums;
