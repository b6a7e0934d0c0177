//! The bytes that a key is the hash of.

use std::mem;
use std::sync::Arc;

use serde::Serialize;

use super::{Hash, Stamp, Version};
use crate::error::{RequestError, Result};
use crate::orchestration::{Opinion, Peer};

/// One sequence of fields, so written that no two different sequences of the same kind are the same bytes: numbers have
/// eight bytes, what varies in length stands behind its length, and one of several variants behind its number. The kind
/// stands first, with the version of all this.
pub(super) struct Form(Vec<u8>);

/// Kinds of this version and of a later one never meet.
const VERSION: &str = "consilience cache 1 ";

impl Form {
    pub fn new(kind: &'static str) -> Self {
        let mut form = Self(Vec::with_capacity(512));
        form.text(VERSION).text(kind);
        form
    }

    pub fn hash(&self) -> Hash {
        *blake3::hash(&self.0).as_bytes()
    }

    pub fn number(&mut self, number: u64) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    /// The bits as they are: zeros of either sign differ, and so do the many that are no numbers.
    pub fn float(&mut self, number: f32) -> &mut Self {
        self.0.extend_from_slice(&number.to_bits().to_le_bytes());
        self
    }

    pub fn fixed(&mut self, hash: &Hash) -> &mut Self {
        self.0.extend_from_slice(hash);
        self
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    pub fn floats(&mut self, numbers: &[f32]) -> &mut Self {
        self.number(numbers.len() as u64);
        for &number in numbers {
            self.float(number);
        }
        self
    }

    /// What Serde makes of a value. Postcard writes every field of every struct and the number of every variant, and reads
    /// it back from that; so a field that is added is never forgotten here, and different values are different bytes.
    pub fn serialised<T: Serialize + ?Sized>(&mut self, what: &'static str, value: &T) -> Result<&mut Self> {
        let no_key = |cause: postcard::Error| RequestError::NoKey { what, cause: Arc::new(cause) };
        let length_at = self.0.len();
        self.number(0);
        let begins = self.0.len();
        self.0 = postcard::to_extend(value, mem::take(&mut self.0)).map_err(no_key)?;
        let length = (self.0.len() - begins) as u64;
        self.0[length_at..begins].copy_from_slice(&length.to_le_bytes());
        Ok(self)
    }

    pub fn version(&mut self, version: &Version) -> &mut Self {
        let Version { name, revision } = version;
        self.text(name).bytes(revision)
    }

    pub fn stamps(&mut self, stamps: &[Stamp]) -> &mut Self {
        self.number(stamps.len() as u64);
        for Stamp { source, generation } in stamps {
            self.text(source).number(*generation);
        }
        self
    }

    pub fn peer(&mut self, peer: &Peer) -> &mut Self {
        let Peer { name, opinion, content } = peer;
        self.text(name).opinion(opinion);
        match content {
            None => self.number(0),
            Some(content) => self.number(1).text(content),
        }
    }

    fn opinion(&mut self, opinion: &Opinion) -> &mut Self {
        match opinion {
            Opinion::Probabilities(row) => self.number(0).floats(row),
            Opinion::LogProbabilities(row) => self.number(1).floats(row),
            Opinion::Logits(row) => self.number(2).floats(row),
            Opinion::Label { class, confidence: None } => self.number(3).number(u64::from(*class)),
            Opinion::Label { class, confidence: Some(c) } => self.number(4).number(u64::from(*class)).float(*c),
            Opinion::Binary(p) => self.number(5).float(*p),
            Opinion::Abstained => self.number(6),
        }
    }
}
