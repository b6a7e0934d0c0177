//! Evidence that owns its values.

use crate::error::Result;
use crate::tensor::{Evidence, Form, Opinions};

/// Evidence that owns its values: a copy of a caller's, or what comes back from a device.
#[derive(Debug, Clone)]
pub(crate) struct OwnedEvidence {
    classes: usize,
    planes: Vec<OwnedPlane>,
}

/// What one source says of all items.
#[derive(Debug, Clone)]
pub(crate) struct OwnedPlane {
    pub form: Form,
    /// Words, so that values of any form lie where they may.
    pub words: Vec<u32>,
    /// How many bytes of the words are values.
    pub bytes: usize,
    pub presence: Option<Vec<bool>>,
    pub confidence: Option<Vec<f32>>,
}

impl OwnedEvidence {
    /// Of these planes, over so many classes.
    #[cfg_attr(not(feature = "gpu"), expect(dead_code, reason = "planes come from devices"))]
    pub fn new(classes: usize, planes: Vec<OwnedPlane>) -> Self {
        Self { classes, planes }
    }

    /// A copy.
    pub fn of(evidence: &Evidence<'_>) -> Self {
        let plane = |source: usize| {
            let opinions = evidence.opinions(source)?;
            let bytes = opinions.bytes(0..evidence.items(), evidence.classes());
            Some(OwnedPlane {
                form: opinions.form(),
                words: words(bytes),
                bytes: bytes.len(),
                presence: evidence.presence(source).map(<[bool]>::to_vec),
                confidence: evidence.confidence(source).map(<[f32]>::to_vec),
            })
        };
        Self { classes: evidence.classes(), planes: (0..evidence.sources()).filter_map(plane).collect() }
    }

    /// The same, borrowed.
    pub fn evidence(&self) -> Result<Evidence<'_>> {
        let opinions: Vec<_> = self.planes.iter().map(OwnedPlane::opinions).collect();
        let mut evidence = Evidence::of(self.classes, &opinions)?;
        for (source, plane) in self.planes.iter().enumerate() {
            if let Some(presence) = &plane.presence {
                evidence = evidence.with_presence(source, presence)?;
            }
            if let Some(confidence) = &plane.confidence {
                evidence = evidence.with_confidence(source, confidence)?;
            }
        }
        Ok(evidence)
    }
}

impl OwnedPlane {
    fn opinions(&self) -> Opinions<'_> {
        Opinions::of_bytes(self.form, &bytemuck::cast_slice(&self.words)[..self.bytes])
    }
}

/// Bytes as whole words, the last filled up with zeros.
pub(crate) fn words(bytes: &[u8]) -> Vec<u32> {
    let mut words = vec![0; bytes.len().div_ceil(4)];
    bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
    words
}
