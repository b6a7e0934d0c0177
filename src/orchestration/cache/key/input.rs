//! An input as a key knows it.

use std::any::type_name;

use serde::Serialize;

use super::{Form, Hash};
use crate::error::Result;

/// An input as a key knows it, hashed once however many sources are asked about it.
///
/// # Examples
///
/// *A question in words; features; a file whose bytes are the input.*
///
/// ```
/// use consilience::orchestration::cache::Input;
///
/// assert_eq!(Input::of("cat or dog?")?, Input::of("cat or dog?")?);
/// assert_ne!(Input::of(&[0.0_f32, 1.0])?, Input::of(&[-0.0_f32, 1.0])?);
/// assert_ne!(Input::bytes(b"cat"), Input::bytes(b"dog"));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Input(Hash);

impl Input {
    /// Of any value that Serde can write. What its `Serialize` leaves out makes no difference to the key; where it writes
    /// one value in several ways, as a `HashMap` may, equal inputs are not found again. The name of its type belongs to it.
    ///
    /// # Errors
    ///
    /// Its `Serialize` fails.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let mut form = Form::new("input");
        form.text(type_name::<T>()).serialised("the input", value)?;
        Ok(Self(form.hash()))
    }

    /// Of bytes that say all there is.
    #[must_use]
    pub fn bytes(bytes: &[u8]) -> Self {
        Self(Form::new("bytes").bytes(bytes).hash())
    }

    pub(super) const fn hash(&self) -> &Hash {
        &self.0
    }
}
