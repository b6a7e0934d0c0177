//! What becomes of an opinion that is not valid.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::tensor::named;

/// What becomes of an opinion that is not valid: a value that is no number, infinite or negative, or a row that does not
/// sum to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnInvalid {
    /// The fusion fails, naming source, item, class and value.
    #[default]
    Error,
    /// The opinion counts as missing, and its item carries `Flags::INVALID_LEFT_OUT`.
    Missing,
    /// A row with a positive sum is divided by it, and its item carries `Flags::RENORMALISED`. What no division mends
    /// (no number, infinite, negative, a sum of zero) fails as with `Error`.
    Renormalise,
}

impl OnInvalid {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Error, Self::Missing, Self::Renormalise];

    /// Its name in files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Missing => "missing",
            Self::Renormalise => "renormalise",
        }
    }
}

impl FromStr for OnInvalid {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(named("policy for invalid opinions", &Self::ALL, Self::name, name)?)
    }
}
