//! What was learned of the sources, kept between jobs.

use std::path::Path;

use consilience::learning::{Confusion, Reliability, State};
use consilience::{Evidence, Rule, Weighting};
use serde::{Deserialize, Serialize};

use crate::Failure;

/// How often each source was right, and what each says of each class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    sources: Vec<String>,
    reliability: Reliability,
    confusion: Confusion,
}

impl State for Learned {
    const KIND: &'static str = "batch_fusion trust";
    const VERSION: u32 = 1;
}

impl Learned {
    /// Nothing yet, of these sources.
    pub fn new(sources: &[String], classes: usize) -> Result<Self, Failure> {
        Ok(Self {
            sources: sources.to_vec(),
            reliability: Reliability::new(sources.len(), Default::default())?,
            confusion: Confusion::new(sources.len(), classes, Default::default())?,
        })
    }

    /// What the file holds, if it is there; it has to be of these sources, in this order.
    pub fn of_file(path: &Path, sources: &[String]) -> Result<Option<Self>, Failure> {
        if !path.exists() {
            return Ok(None);
        }
        let learned = Self::load(path)?;
        if learned.sources != sources {
            let (theirs, ours) = (learned.sources.join(", "), sources.join(", "));
            return Err(format!("{}: learned of the sources {theirs}; this job has {ours}", path.display()).into());
        }
        Ok(Some(learned))
    }

    /// Learns from the items that have a label.
    pub fn update(&mut self, evidence: &Evidence<'_>, labels: &[Option<u32>]) -> Result<(), Failure> {
        self.reliability.update(evidence, labels)?;
        Ok(self.confusion.update(evidence, labels)?)
    }

    /// Each source by how often it was right.
    pub fn weighting(&self) -> Weighting {
        Weighting::Performance(self.reliability.reliabilities())
    }

    /// Every answer read through what it was worth so far.
    pub fn confusion(&self) -> Rule {
        Rule::Confusion { matrices: self.confusion.matrices() }
    }

    /// The linear pool by how often each source was right.
    pub fn adaptive(&self) -> Rule {
        Rule::Adaptive { learned: self.reliability.reliabilities() }
    }

    /// Name, reliability and number of labelled answers of each source.
    pub fn rows(&self) -> impl Iterator<Item = (&str, f32, f64)> {
        let reliabilities = self.reliability.reliabilities();
        let each = self.sources.iter().zip(reliabilities).zip(self.reliability.observations());
        each.map(|((name, reliability), seen)| (name.as_str(), reliability, seen))
    }
}
