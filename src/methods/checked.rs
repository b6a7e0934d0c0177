//! Saved values, checked as they are read.

/// `Serialize` as derived, and `Deserialize` as derived followed by the type's own `check`; the type derives both with
/// `#[serde(remote = "Self")]`.
macro_rules! checked {
    ($state:ty) => {
        impl serde::Serialize for $state {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $state {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let state = Self::deserialize(deserializer)?;
                state.check().map_err(serde::de::Error::custom)?;
                Ok(state)
            }
        }
    };
}

pub(crate) use checked;
