//! What a gate is told, and what it answers.

use super::{Permit, Reason};

/// How sure an expert is to know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score<'a> {
    /// The expert's name.
    pub expert: &'a str,
    /// Its confidence, in [0, 1], before calibration.
    pub confidence: f64,
    /// Whether its answer carries evidence.
    pub evidence: bool,
}

impl<'a> Score<'a> {
    /// A confidence without evidence.
    #[must_use]
    pub const fn new(expert: &'a str, confidence: f64) -> Self {
        Self { expert, confidence, evidence: false }
    }

    /// The same with evidence.
    #[must_use]
    pub const fn with_evidence(mut self) -> Self {
        self.evidence = true;
        self
    }
}

/// The experts chosen.
#[derive(Debug)]
pub struct Selection {
    /// At least one, by falling rank.
    pub chosen: Vec<Chosen>,
    /// Why these.
    pub reason: Reason,
}

/// One of the experts chosen.
#[derive(Debug)]
pub struct Chosen {
    /// Its calibrated confidence.
    pub confidence: f64,
    /// Its share of the calibrated confidences of all chosen; equal shares where these are all zero.
    pub weight: f64,
    /// Its room, held until dropped.
    pub permit: Permit,
    /// Which of the gate's experts.
    pub(super) place: usize,
}

impl Chosen {
    pub(super) fn weighed(chosen: Vec<(usize, f64, Permit)>) -> Vec<Self> {
        let sum: f64 = chosen.iter().map(|(_, confidence, _)| confidence).sum();
        let equal = 1.0 / chosen.len() as f64;
        let weight = |confidence: f64| if sum > 0.0 { confidence / sum } else { equal };
        let of = |(place, confidence, permit)| Self { confidence, weight: weight(confidence), permit, place };
        chosen.into_iter().map(of).collect()
    }

    /// The expert's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.permit.expert()
    }
}
