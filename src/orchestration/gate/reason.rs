//! Why a gate decided as it did.

use serde::{Deserialize, Serialize};

use crate::orchestration::telemetry::Label;

/// Why these experts were chosen, or none. Where several hold, the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Every candidate was busy: the request was refused.
    Full,
    /// An expert that would have been chosen was busy.
    Busy,
    /// Nobody was confident enough; the first in rank is asked alone.
    Unsure,
    /// Evidence put an expert before a more confident one.
    Evidence,
    /// One leads the next by the margin.
    Lead,
    /// No more than these are confident enough.
    Few,
    /// The first k in rank.
    Top,
}

impl Label for Reason {
    const KEY: &'static str = "reason";
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Full, Self::Busy, Self::Unsure, Self::Evidence, Self::Lead, Self::Few, Self::Top];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Busy => "busy",
            Self::Unsure => "unsure",
            Self::Evidence => "evidence",
            Self::Lead => "lead",
            Self::Few => "few",
            Self::Top => "top",
        }
    }
}
