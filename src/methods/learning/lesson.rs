//! Evidence to learn from: checked against the learner, read opinion by opinion.

use super::reliability::ReliabilityOptions;
use crate::error::{EvidenceError, LabelError, Result, StateError};
use crate::tensor::{Answer, Evidence};

/// A block of evidence and room for one opinion of it.
pub(super) struct Lesson<'e, 'a> {
    evidence: &'e Evidence<'a>,
    row: Vec<f32>,
    p: Vec<f64>,
}

/// What one source says of one item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Heard<'l> {
    /// It was not asked.
    Nothing,
    /// It was asked and declined.
    Abstention,
    /// The opinion as a distribution.
    Opinion(&'l [f64]),
}

/// By what an opinion is judged.
#[derive(Debug, Clone, Copy)]
pub(super) enum Judge {
    /// The true class of its item.
    Truth(usize),
    /// Its own confidence.
    Itself,
}

/// Opinions as learners of reliability ask for them.
pub(super) trait Testimony {
    /// How right an opinion was, from 0 to 1; `None` where the source sleeps.
    fn right(&mut self, source: usize, item: usize, judge: Judge, by: &ReliabilityOptions) -> Result<Option<f64>>;
}

/// Refuses labels of which there are not as many as items, and one that is no class.
pub(super) fn labelled(items: usize, classes: usize, labels: &[Option<u32>]) -> Result<()> {
    EvidenceError::check_len("the list of labels", items, labels.len())?;
    for (item, label) in labels.iter().enumerate() {
        label.map_or(Ok(()), |label| LabelError::check(classes, item, label))?;
    }
    Ok(())
}

impl<'e, 'a> Lesson<'e, 'a> {
    /// Evidence for a learner of so many sources.
    pub fn new(evidence: &'e Evidence<'a>, sources: usize) -> Result<Self> {
        if evidence.sources() != sources {
            let (learner, evidence) = (sources, evidence.sources());
            return Err(StateError::Shape { unit: "sources", learner, evidence }.into());
        }
        let classes = evidence.classes();
        Ok(Self { evidence, row: vec![0.0; classes], p: vec![0.0; classes] })
    }

    /// The same, where the learner is for so many classes too.
    pub fn of_classes(evidence: &'e Evidence<'a>, sources: usize, classes: usize) -> Result<Self> {
        if evidence.classes() != classes {
            let (learner, evidence) = (classes, evidence.classes());
            return Err(StateError::Shape { unit: "classes", learner, evidence }.into());
        }
        Self::new(evidence, sources)
    }

    /// Number of sources, N.
    pub fn sources(&self) -> usize {
        self.evidence.sources()
    }

    /// The labelled items and their classes, once all labels are found to be right.
    pub fn labelled<'l>(&self, labels: &'l [Option<u32>]) -> Result<impl Iterator<Item = (usize, usize)> + use<'l>> {
        labelled(self.evidence.items(), self.evidence.classes(), labels)?;
        Ok(labels.iter().enumerate().filter_map(|(item, label)| Some((item, (*label)? as usize))))
    }

    /// Lets a learner observe the items in their order: the labelled ones by their truths, or, without labels, every one by
    /// what its opinions say of themselves. An error leaves the learner as it was.
    pub fn teach<L: Clone, R>(
        mut self,
        learner: &mut L,
        labels: Option<&[Option<u32>]>,
        observe: impl Fn(&mut L, &mut Self, usize, Judge) -> Result<R>,
    ) -> Result<()> {
        let mut next = learner.clone();
        if let Some(labels) = labels {
            for (item, truth) in self.labelled(labels)? {
                observe(&mut next, &mut self, item, Judge::Truth(truth))?;
            }
        } else {
            for item in 0..self.evidence.items() {
                observe(&mut next, &mut self, item, Judge::Itself)?;
            }
        }
        *learner = next;
        Ok(())
    }

    /// Reads one opinion and divides it by its sum, which the evidence lets differ from one a little.
    pub fn hear(&mut self, source: usize, item: usize) -> Result<Heard<'_>> {
        match self.evidence.opinion(source, item, &mut self.row)? {
            Answer::Missing => Ok(Heard::Nothing),
            Answer::Abstained => Ok(Heard::Abstention),
            Answer::Given => {
                let sum: f64 = self.row.iter().map(|&p| f64::from(p)).sum();
                self.p.iter_mut().zip(&self.row).for_each(|(p, &raw)| *p = f64::from(raw) / sum);
                Ok(Heard::Opinion(&self.p))
            }
        }
    }

    /// The confidence of the opinion heard last: given, or the largest probability as it was given.
    pub fn confidence(&self, source: usize, item: usize) -> f32 {
        let given = self.evidence.confidence(source).and_then(|given| given.get(item).copied());
        given.unwrap_or_else(|| self.row.iter().copied().fold(0.0, f32::max))
    }
}

impl Testimony for Lesson<'_, '_> {
    fn right(&mut self, source: usize, item: usize, judge: Judge, by: &ReliabilityOptions) -> Result<Option<f64>> {
        let Heard::Opinion(p) = self.hear(source, item)? else { return Ok(None) };
        Ok(Some(match judge {
            Judge::Truth(truth) => 1.0 - by.loss.of(p, truth),
            Judge::Itself if self.confidence(source, item) > by.threshold => 1.0,
            Judge::Itself => 0.0,
        }))
    }
}
