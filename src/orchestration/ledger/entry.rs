//! What a ledger keeps of one result, and its form in the store.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Options;
use crate::error::{LedgerError, RequestError, Result};
use crate::orchestration::Cost;

/// What is kept of one result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The class decided for.
    pub decision: u32,
    /// How sure the answer is, in [0, 1].
    pub confidence: f32,
    /// The posterior, each value in [0, 1]; empty where none was asked for.
    pub posterior: Vec<f32>,
    /// The answer in words, where there are any.
    pub content: Option<String>,
    /// Who was asked.
    pub sources: Vec<SourceFate>,
    /// What the answer cost.
    pub cost: Cost,
    /// How long it took.
    pub elapsed: Duration,
}

/// What became of one source in one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFate {
    /// Its name.
    pub name: String,
    /// What became of it: `answered`, `failed`, or whatever else whoever asked it tells apart.
    pub fate: String,
}

/// An [`Entry`] as it stands in a ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its number: larger than that of any entry before it, and never given twice.
    pub id: u64,
    /// When it was recorded, in milliseconds since the Unix epoch; never before the time of an earlier entry.
    pub at_ms: u64,
    /// What was recorded.
    pub entry: Entry,
}

/// An entry ready to be written: all of its value but time and checksum, and what it is found by.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) decision: u32,
    pub(super) confidence: f32,
    json: Vec<u8>,
}

/// Bytes of a value before its JSON: a CRC-32 and the time.
const HEADER: usize = 4 + 8;

impl Encoded {
    /// The entry in its written form, for the ledger at `path`; `None` where it lies below the threshold.
    pub(super) fn new(entry: &Entry, options: &Options, path: &str) -> Result<Option<Self>> {
        check(entry)?;
        if entry.confidence < options.threshold {
            return Ok(None);
        }
        // Adding zero turns a negative zero, whose bits would sort last, into zero.
        let (decision, confidence) = (entry.decision, entry.confidence + 0.0);
        // Numbers, strings and lists: it does not fail.
        let json = serde_json::to_vec(entry).map_err(|error| LedgerError::Store {
            path: path.to_owned(),
            doing: "writing an entry as JSON",
            cause: Arc::new(error),
        })?;
        let (bytes, limit) = (HEADER + json.len(), options.most_entry_bytes);
        if bytes > limit {
            return Err(RequestError::TooLarge { bytes, limit }.into());
        }
        Ok(Some(Self { decision, confidence, json }))
    }

    /// How many bytes it takes in the store.
    pub(super) fn bytes(&self) -> usize {
        HEADER + self.json.len()
    }

    /// The value: checksum over id, time and JSON; time; JSON. The id is in the checksum so that a value under another
    /// key is not taken for its own.
    pub(super) fn value(&self, id: u64, at_ms: u64) -> Vec<u8> {
        let time = at_ms.to_le_bytes();
        let mut value = Vec::with_capacity(self.bytes());
        value.extend_from_slice(&checksum(id, &time, &self.json).to_le_bytes());
        value.extend_from_slice(&time);
        value.extend_from_slice(&self.json);
        value
    }
}

impl Record {
    /// Reads a value of the store; the error says why it cannot be.
    pub(super) fn decode(id: u64, value: &[u8]) -> Result<Self, String> {
        let short = || format!("it is {} bytes long, fewer than the {HEADER} of its header", value.len());
        let (crc32, rest) = value.split_first_chunk().ok_or_else(short)?;
        let (time, json) = rest.split_first_chunk().ok_or_else(short)?;
        let (written, found) = (u32::from_le_bytes(*crc32), checksum(id, time, json));
        if written != found {
            return Err(format!("its checksum is {found:08x}, its header says {written:08x}"));
        }
        let entry = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        Ok(Self { id, at_ms: u64::from_le_bytes(*time), entry })
    }
}

fn checksum(id: u64, time: &[u8], json: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&id.to_le_bytes());
    hasher.update(time);
    hasher.update(json);
    hasher.finalize()
}

fn check(entry: &Entry) -> Result<(), LedgerError> {
    let unit = |what, value: f32| {
        let right = (0.0..=1.0).contains(&value);
        right.then_some(()).ok_or(LedgerError::OutOfRange { what, value: value.into(), must: "in [0, 1]" })
    };
    unit("the confidence of an entry", entry.confidence)?;
    for &p in &entry.posterior {
        unit("a value of the posterior of an entry", p)?;
    }
    if !entry.posterior.is_empty() && entry.decision as usize >= entry.posterior.len() {
        let (what, value) = ("the decision of an entry", f64::from(entry.decision));
        return Err(LedgerError::OutOfRange { what, value, must: "below the length of its posterior" });
    }
    Ok(())
}
