//! What learners ask of evidence that an engine holds: found there, and no more of it brought to the host.

use super::lesson::{Judge, Testimony, labelled};
use super::loss::Loss;
use super::reliability::ReliabilityOptions;
use crate::engine::{Engine, Resident};
use crate::error::{Result, StateError};
use crate::kernel::calibration::outcome::PRODUCTS;
use crate::methods::calibration::Found;
use crate::tensor::{Flags, Output, Outputs, OwnedEvidence};

/// Evidence that is held, for a learner of so many sources and labels that fit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'e> {
    evidence: &'e Resident,
    labels: &'e [Option<u32>],
}

impl<'e> Held<'e> {
    /// Refuses evidence of other sources and labels that are none.
    pub fn new(evidence: &'e Resident, sources: usize, labels: &'e [Option<u32>]) -> Result<Self> {
        if evidence.sources() != sources {
            let (learner, evidence) = (sources, evidence.sources());
            return Err(StateError::Shape { unit: "sources", learner, evidence }.into());
        }
        labelled(evidence.items(), evidence.classes(), labels)?;
        Ok(Self { evidence, labels })
    }

    /// The same, where the learner is for so many classes too.
    pub fn of_classes(
        evidence: &'e Resident,
        [sources, classes]: [usize; 2],
        labels: &'e [Option<u32>],
    ) -> Result<Self> {
        if evidence.classes() != classes {
            let (learner, evidence) = (classes, evidence.classes());
            return Err(StateError::Shape { unit: "classes", learner, evidence }.into());
        }
        Self::new(evidence, sources, labels)
    }

    /// What each source votes for: two bytes an opinion come to the host.
    pub fn votes(self, engine: &Engine) -> Result<OwnedEvidence> {
        engine.votes(self.evidence)
    }

    /// What a loss other than that of votes needs of each opinion by itself.
    pub fn losses(self, engine: &Engine, loss: Loss) -> Result<Judged> {
        self.found(engine, loss.column())
    }

    /// The products of the errors of all opinions on an item.
    pub fn products(self, engine: &Engine) -> Result<Judged> {
        self.found(engine, PRODUCTS)
    }

    /// The labelled items and their classes.
    pub fn truths(self) -> impl Iterator<Item = (usize, usize)> + use<'e> {
        self.labels.iter().enumerate().filter_map(|(item, label)| Some((item, (*label)? as usize)))
    }

    /// All of it waits in the chain and runs together, as far as there is room for a copy of the sources.
    fn found(self, engine: &Engine, outputs: u32) -> Result<Judged> {
        let (items, sources, classes) = (self.evidence.items(), self.evidence.sources(), self.evidence.classes());
        let mut judged = Judged { items, sources, asleep: vec![false; sources * items], found: Vec::new() };
        if items == 0 {
            return Ok(judged);
        }
        // What is found of an item without a label is never looked at.
        let labels: Vec<u32> = self.labels.iter().map(|label| label.unwrap_or_default()).collect();
        let labels = engine.upload_array(&labels)?;
        let (mut rows, mut found) = (engine.new_rows(sources, items, classes), None);
        let asked = Outputs::of(&[Output::Posterior, Output::Flags]);
        let asleep = &mut judged.asleep;
        engine.each_source(
            self.evidence,
            asked,
            Outputs::of(&[Output::Flags]),
            |source, answers| {
                answers.copy_posterior(engine, &mut rows, source)?;
                if source + 1 == sources {
                    found = Some(Found { sources, classes, outputs }.of(engine, &rows, (&labels).into())?);
                }
                Ok(())
            },
            |source, fused| {
                let asleep = asleep[source * items..].iter_mut();
                for (asleep, &flags) in asleep.zip(fused.flags()) {
                    let flags = Flags(flags);
                    *asleep = flags.contains(Flags::ABSTAINED) || flags.contains(Flags::NO_SOURCE);
                }
            },
        )?;
        if let Some(found) = found {
            judged.found = found.read(engine)?;
        }
        Ok(judged)
    }
}

/// What was found of opinions, and who slept.
#[derive(Debug)]
pub(super) struct Judged {
    items: usize,
    sources: usize,
    /// [N, B].
    asleep: Vec<bool>,
    /// Planes of B.
    found: Vec<f32>,
}

impl Judged {
    /// Lets a learner of reliabilities observe the labelled items in their order. An error leaves the learner as it was.
    pub fn teach<L: Clone, R>(
        mut self,
        learner: &mut L,
        held: Held<'_>,
        observe: impl Fn(&mut L, &mut Self, usize, Judge) -> Result<R>,
    ) -> Result<()> {
        let mut next = learner.clone();
        for (item, truth) in held.truths() {
            observe(&mut next, &mut self, item, Judge::Truth(truth))?;
        }
        *learner = next;
        Ok(())
    }

    /// The sources awake on an item.
    pub fn awake(&self, item: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.sources).filter(move |source| !self.asleep[source * self.items + item])
    }

    /// What was found of one opinion.
    pub fn of(&self, source: usize, item: usize) -> f64 {
        f64::from(self.found[source * self.items + item])
    }

    /// The product of two opinions' errors.
    pub fn product(&self, one: usize, other: usize, item: usize) -> f64 {
        let (first, second) = (one.min(other), one.max(other));
        // Behind the products of the sources before the first with themselves and all that follow.
        let before = first * (2 * self.sources + 1 - first) / 2;
        self.of(before + second - first, item)
    }
}

impl Testimony for Judged {
    fn right(&mut self, source: usize, item: usize, _: Judge, options: &ReliabilityOptions) -> Result<Option<f64>> {
        let is_asleep = self.asleep[source * self.items + item];
        Ok((!is_asleep).then(|| 1.0 - options.loss.of_found(self.of(source, item))))
    }
}
