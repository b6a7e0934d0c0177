//! Evidence that an engine holds, and how much of it there may be.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::backend::{Held, HeldFused};
use crate::engine::Engine;
use crate::engine::array::ResidentArray;
use crate::engine::events::Job;
use crate::error::{DeviceError, Error, EvidenceError, InvalidOpinion, Result};
use crate::plan;
use crate::spec::{Fusion, Rule};
use crate::tensor::{
    ABSTAINED_U16, Encoding, Evidence, Flags, Form, Fused, MISSING_U16, Outline, Output, Outputs, OwnedEvidence,
};

/// Evidence that an [`Engine`] holds where it reads it best: in a GPU's memory, or on the CPU in a copy of its own. Dropped,
/// the memory is free.
///
/// # Examples
///
/// *Two fusions of one upload.*
///
/// ```
/// use consilience::{Engine, Evidence, Fusion, Rule};
///
/// let engine = Engine::cpu()?;
/// let (a, b) = ([0.75, 0.25], [0.5, 0.5]);
/// let resident = engine.upload(&Evidence::probabilities(2, &[&a, &b])?)?;
/// assert_eq!(engine.fuse(&Fusion::new(Rule::Linear), &resident)?.posterior(), [0.625, 0.375]);
/// assert_eq!(engine.fuse(&Fusion::new(Rule::MaxVote), &resident)?.posterior(), [0.75, 0.25]);
/// assert_eq!((engine.resident().handles, engine.resident().bytes), (1, 16));
/// drop(resident);
/// assert_eq!(engine.resident().handles, 0);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct Resident {
    /// Lent to the answers that may have to say what was wrong with it, which keep it no longer than this handle does.
    evidence: Arc<HeldEvidence>,
}

#[derive(Debug)]
struct HeldEvidence {
    outline: Outline,
    /// Freed before the lease, so that no more is held than is counted.
    held: Held,
    lease: Lease,
}

/// Answers that an [`Engine`] holds where it found them: of [`Engine::fuse_resident`]. Dropped, the memory is free.
#[derive(Debug)]
pub struct ResidentFused {
    outline: Outline,
    outputs: Outputs,
    evidence: Weak<HeldEvidence>,
    /// Freed before the lease. `None` of no items.
    held: Option<HeldFused>,
    lease: Lease,
}

/// Evidence as an [`Engine`] takes it: from the caller's memory, or uploaded before.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Input<'a> {
    /// In the caller's memory.
    Host(&'a Evidence<'a>),
    /// Uploaded to the engine.
    Resident(&'a Resident),
}

/// How much uploaded evidence an [`Engine`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResidentStats {
    /// Handles that were not dropped.
    pub handles: u64,
    /// What they take, in bytes.
    pub bytes: u64,
    /// What they may take.
    pub allowed: u64,
}

impl Resident {
    pub(super) fn new(outline: Outline, held: Held, lease: Lease) -> Self {
        Self { evidence: Arc::new(HeldEvidence { outline, held, lease }) }
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.evidence.outline.items
    }

    /// Number of sources, N.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.evidence.outline.sources()
    }

    /// Number of classes, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.evidence.outline.classes
    }

    /// The evidence, on the host: for what asks for all of it and has no kernel, as fitting the temperature of each source does.
    ///
    /// # Errors
    ///
    /// Another engine holds it; the device fails.
    pub fn read(&self, engine: &Engine) -> Result<OwnedEvidence> {
        let held = self.held(engine)?;
        engine.at_home(held.home(), Job::Read, |home| home.read_held(held))
    }

    /// What it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.evidence.lease.bytes
    }

    /// What is held, if this engine holds it.
    pub(super) fn held(&self, engine: &Engine) -> Result<&Held> {
        self.evidence.lease.check(engine)?;
        Ok(&self.evidence.held)
    }
}

impl ResidentFused {
    /// Number of items, B.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.outline.items
    }

    /// Number of classes, C.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.outline.classes
    }

    /// What it takes, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.lease.bytes
    }

    /// The answers, on the host.
    ///
    /// # Errors
    ///
    /// Another engine holds them; an opinion is invalid, which is named while the evidence is held; the device fails, or did
    /// before it came to them.
    pub fn read(&self, engine: &Engine) -> Result<Fused> {
        let mut fused = Fused::default();
        self.read_into(engine, &mut fused)?;
        Ok(fused)
    }

    /// The same into memory that an earlier answer left.
    ///
    /// # Errors
    ///
    /// As [`ResidentFused::read`]; the memory then holds nothing that means anything.
    pub fn read_into(&self, engine: &Engine, fused: &mut Fused) -> Result<()> {
        self.read_some(engine, self.outputs, fused)
    }

    /// Whether every opinion was valid that they were made of, which tells whether they mean anything.
    ///
    /// # Errors
    ///
    /// As [`ResidentFused::read`].
    pub(crate) fn look(&self, engine: &Engine) -> Result<()> {
        self.read_some(engine, Outputs::NONE, &mut Fused::default())
    }

    /// Some of the outputs that were asked for.
    fn read_some(&self, engine: &Engine, outputs: Outputs, fused: &mut Fused) -> Result<()> {
        self.lease.check(engine)?;
        let out = fused.prepare(&self.outline, outputs);
        let Some(held) = &self.held else { return Ok(()) };
        let read = engine.at_home(held.home(), Job::Read, |home| home.read_fused(&[held], vec![out]))?;
        read.into_iter().flatten().try_for_each(|item| Err(self.invalid(engine, item)?.into()))
    }

    /// What is wrong with an item.
    fn invalid(&self, engine: &Engine, item: usize) -> Result<EvidenceError> {
        let Some(evidence) = self.evidence.upgrade() else { return Ok(EvidenceError::InvalidUnseen { item }) };
        let held = &evidence.held;
        Ok(EvidenceError::Invalid(engine.at_home(held.home(), Job::Read, |home| home.diagnose_held(held, item))?))
    }

    /// The posterior, which operations over rows read, in a plane of an array that has a row for each item.
    ///
    /// # Errors
    ///
    /// There is none, another engine holds it, the array passes what may be held, the device fails.
    pub(crate) fn copy_posterior(&self, engine: &Engine, to: &mut ResidentArray<f32>, plane: usize) -> Result<()> {
        self.lease.check(engine)?;
        self.check_posterior("the posterior, which was not asked for,")?;
        let Some(held) = &self.held else { return Ok(()) };
        engine.at_home(held.home(), Job::HandOver, |home| {
            home.copy_posterior(held, &mut to.store(engine, home)?.held, plane)
        })
    }

    fn check_posterior(&self, what: &str) -> Result<()> {
        if self.outputs.contains(Output::Posterior) {
            return Ok(());
        }
        let (what, left) = (what.to_owned(), self.items() * self.classes());
        Err(EvidenceError::ShapeMismatch { what, left, right: 0 }.into())
    }
}

/// What a source says by itself, and that source as evidence, which says what is wrong with it.
pub(crate) type Alone = (Resident, ResidentFused);

impl Engine {
    /// Fuses evidence that is held and leaves the answers where it is. Nothing is waited for: on a GPU the work is handed
    /// over, together with all that waits, when an answer is read or [`Engine::flush`] is called.
    ///
    /// # Errors
    ///
    /// The specification does not fit the evidence, another engine holds it, the answers pass
    /// [`EngineOptions::resident_bytes`](crate::EngineOptions::resident_bytes), the device fails. Of an invalid opinion
    /// whoever reads the answers is told.
    ///
    /// # Examples
    ///
    /// *What two pairs of sources say, and what both pairs say: one upload, one hand-over, one read.*
    ///
    /// ```
    /// use consilience::{Engine, Evidence, Fusion, Output, Rule};
    ///
    /// let engine = Engine::cpu()?;
    /// let pooled = Fusion::new(Rule::Linear).outputs(&[Output::Posterior]);
    /// let pair = |a: [f32; 2], b: [f32; 2]| engine.upload(&Evidence::probabilities(2, &[&a, &b])?);
    /// let (left, right) = (pair([0.75, 0.25], [0.25, 0.75])?, pair([1.0, 0.0], [0.5, 0.5])?);
    /// let (left, right) = (engine.fuse_resident(&pooled, &left)?, engine.fuse_resident(&pooled, &right)?);
    /// let both = engine.fuse_resident(&pooled, &engine.stack(&[&left, &right])?)?;
    /// assert_eq!(both.read(&engine)?.posterior(), [0.625, 0.375]);
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn fuse_resident(&self, fusion: &Fusion, evidence: &Resident) -> Result<ResidentFused> {
        let held = evidence.held(self)?;
        let outline = evidence.evidence.outline.clone();
        let program = plan::lower(fusion, &outline)?;
        let (fused, lease) = if outline.items == 0 {
            (None, self.residency.lease(0)?)
        } else {
            self.at_home(held.home(), Job::Run(program.kernel()), |home| {
                let lease = self.residency.lease(home.fused_bytes(&program, held)?)?;
                Ok((Some(home.fuse_held(&program, held, &outline)?), lease))
            })?
        };
        let (outputs, evidence) = (fusion.outputs, Arc::downgrade(&evidence.evidence));
        Ok(ResidentFused { outline, outputs, evidence, held: fused, lease })
    }

    /// Evidence of some of the sources of evidence that is held, in the order given, copied where it is held: a group to be
    /// fused by itself, or all but one.
    ///
    /// # Errors
    ///
    /// None are given, there is no such source, another engine holds the evidence, the copy passes
    /// [`EngineOptions::resident_bytes`](crate::EngineOptions::resident_bytes), the device fails.
    pub fn select(&self, evidence: &Resident, sources: &[usize]) -> Result<Resident> {
        let held = evidence.held(self)?;
        if sources.is_empty() {
            return Err(EvidenceError::NoSources.into());
        }
        if let Some(source) = sources.iter().find(|source| **source >= evidence.sources()) {
            let what = format!("the list of sources, of which {source} is selected,");
            return Err(EvidenceError::ShapeMismatch { what, left: source + 1, right: evidence.sources() }.into());
        }
        let outline = evidence.evidence.outline.select(sources);
        let (selected, lease) = self.at_home(held.home(), Job::Upload, |home| {
            let lease = self.residency.lease(home.selected_bytes(held, sources)?)?;
            Ok((home.select(held, sources)?, lease))
        })?;
        Ok(Resident::new(outline, selected, lease))
    }

    /// What each source votes for, the class of its largest probability, as labels of 16 bits: all that learners ask of evidence that judge by votes, as
    /// [`Reliability`](crate::learning::Reliability) does unless told otherwise and
    /// [`Confusion`](crate::learning::Confusion) always. The votes are found where the evidence is held and come back to the
    /// host: of as many sources together as [`EngineOptions::resident_bytes`](crate::EngineOptions::resident_bytes) has room
    /// for a copy of. The learners' own `update_resident` need no such step.
    ///
    /// # Errors
    ///
    /// More classes than such labels tell apart, 65,534; an opinion is invalid; otherwise as [`Engine::select`].
    ///
    /// # Examples
    ///
    /// *Whom to trust is learned of evidence that is held, and put to use on it.*
    ///
    /// ```
    /// use consilience::learning::Reliability;
    /// use consilience::{Engine, Evidence, Fusion, Rule, Weighting};
    ///
    /// let engine = Engine::cpu()?;
    /// let (a, b) = ([0.9, 0.1, 0.2, 0.8], [0.6, 0.4, 0.7, 0.3]);
    /// let evidence = engine.upload(&Evidence::probabilities(2, &[&a, &b])?)?;
    /// let mut learner = Reliability::new(2, Default::default())?;
    /// learner.update(&engine.votes(&evidence)?.evidence()?, &[Some(0), Some(1)])?;
    /// assert_eq!(learner.reliabilities(), [0.75, 0.5]);
    /// let fusion = Fusion::new(Rule::Vote).weighting(Weighting::Fixed(learner.reliabilities()));
    /// assert_eq!(engine.fuse(&fusion, &evidence)?.decision(), [0, 1]);
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn votes(&self, evidence: &Resident) -> Result<OwnedEvidence> {
        let (items, sources) = (evidence.items(), evidence.sources());
        let mut votes = OwnedEvidence::default();
        votes.reshape(evidence.classes(), items, &vec![Form::LabelsU16; sources])?;
        let outputs = Outputs::of(&[Output::Decision, Output::Flags]);
        self.each_source(
            evidence,
            outputs,
            outputs,
            |_, _| Ok(()),
            |source, fused| {
                let Some(labels) = votes.u16s_mut(source) else { return };
                for ((label, &decision), &flags) in labels.iter_mut().zip(fused.decision()).zip(fused.flags()) {
                    *label = match Flags(flags) {
                        flags if flags.contains(Flags::ABSTAINED) => ABSTAINED_U16,
                        flags if flags.contains(Flags::NO_SOURCE) => MISSING_U16,
                        // A class of evidence in this form.
                        _ => decision as u16,
                    };
                }
            },
        )?;
        Ok(votes)
    }

    /// What each source says by itself: as many sources together as there is room for wait in the chain, and come to the
    /// host in one go. `taken` is told of each when it waits, before the next; `heard` of what is read of it.
    ///
    /// # Errors
    ///
    /// An opinion is invalid; otherwise as [`Engine::select`], for one source.
    pub(crate) fn each_source(
        &self,
        evidence: &Resident,
        outputs: Outputs,
        read: Outputs,
        mut taken: impl FnMut(usize, &ResidentFused) -> Result<()>,
        mut heard: impl FnMut(usize, &Fused),
    ) -> Result<()> {
        let fusion = Fusion { outputs, ..Fusion::new(Rule::Linear) };
        let mut take = |source: usize| {
            let alone = self.select(evidence, &[source])?;
            let answers = self.fuse_resident(&fusion, &alone)?;
            taken(source, &answers)?;
            Ok::<Alone, Error>((alone, answers))
        };
        let mut listen = |first: usize, waiting: Vec<Alone>| {
            for (source, fused) in (first..).zip(self.read_together(first, &waiting, read)?) {
                heard(source, &fused);
            }
            Ok::<(), Error>(())
        };
        let (mut first, mut waiting) = (0, Vec::new());
        for source in 0..evidence.sources() {
            let alone = match take(source) {
                Err(error) if is_no_room(&error) && !waiting.is_empty() => {
                    listen(first, std::mem::take(&mut waiting))?;
                    first = source;
                    take(source)
                }
                taken => taken,
            };
            waiting.push(alone?);
        }
        listen(first, waiting)
    }

    /// Some outputs of what sources from one on said by themselves, in one go.
    fn read_together(&self, first: usize, alone: &[Alone], outputs: Outputs) -> Result<Vec<Fused>> {
        let mut all = vec![Fused::default(); alone.len()];
        let out = all.iter_mut().zip(alone).map(|(fused, (_, answers))| fused.prepare(&answers.outline, outputs));
        let out: Vec<_> = out.collect();
        // They are all of the same items: there are none, or each is held.
        let held: Vec<&HeldFused> = alone.iter().filter_map(|(_, answers)| answers.held.as_ref()).collect();
        if let Some(home) = held.first().map(|held| held.home()) {
            let read = self.at_home(home, Job::Read, |home| home.read_fused(&held, out))?;
            for (source, (invalid, (_, answers))) in (first..).zip(read.into_iter().zip(alone)) {
                if let Some(item) = invalid {
                    return Err(of_source(answers.invalid(self, item)?.into(), source));
                }
            }
        }
        Ok(all)
    }

    /// Evidence whose sources are the posteriors of these answers, copied where they are held.
    ///
    /// # Errors
    ///
    /// None are given, they differ in items or classes, one has no posterior or is held by another engine, the copy passes
    /// [`EngineOptions::resident_bytes`](crate::EngineOptions::resident_bytes), the device fails.
    pub fn stack(&self, answers: &[&ResidentFused]) -> Result<Resident> {
        let first = answers.first().ok_or(EvidenceError::NoSources)?;
        let mut held = Vec::with_capacity(answers.len());
        for (source, fused) in answers.iter().enumerate() {
            fused.lease.check(self)?;
            EvidenceError::check_len(
                format_args!("the list of items of answer {source}"),
                first.items(),
                fused.items(),
            )?;
            EvidenceError::check_len(format_args!("a row of answer {source}"), first.classes(), fused.classes())?;
            fused.check_posterior(&format!("the posterior of answer {source}, which was not asked for,"))?;
            held.extend(&fused.held);
        }
        let forms = vec![Form::F32(Encoding::Probabilities); answers.len()];
        let outline = Outline { forms, presence: false, confidence: false, ..first.outline.clone() };
        let Some(first) = held.first() else {
            let planes = vec![&[][..]; answers.len()];
            return self.upload(&Evidence::probabilities(outline.classes, &planes)?);
        };
        let (stacked, lease) = self.at_home(first.home(), Job::Upload, |home| {
            let lease = self.residency.lease(home.held_bytes(&outline)?)?;
            Ok((home.stack(&held, outline.clone())?, lease))
        })?;
        Ok(Resident::new(outline, stacked, lease))
    }
}

/// Whether what is held leaves no room for more.
fn is_no_room(error: &Error) -> bool {
    matches!(error.device(), Some(DeviceError::ResidentBudget { .. }))
}

/// An error of evidence of one source by itself, as one of the evidence it was selected of.
fn of_source(error: Error, source: usize) -> Error {
    match error.invalid_opinion() {
        Some(invalid) => EvidenceError::Invalid(InvalidOpinion { source, ..invalid.clone() }).into(),
        None => error,
    }
}

impl Input<'_> {
    pub(super) fn outline(&self) -> Outline {
        match self {
            Self::Host(evidence) => evidence.outline(),
            Self::Resident(resident) => resident.evidence.outline.clone(),
        }
    }
}

impl<'a> From<&'a Evidence<'a>> for Input<'a> {
    fn from(evidence: &'a Evidence<'a>) -> Self {
        Self::Host(evidence)
    }
}

impl<'a> From<&'a Resident> for Input<'a> {
    fn from(resident: &'a Resident) -> Self {
        Self::Resident(resident)
    }
}

/// Counts what an engine holds.
#[derive(Debug)]
pub(super) struct Residency {
    stats: Mutex<ResidentStats>,
}

/// A share of what an engine may hold. Dropped, it is given back.
#[derive(Debug)]
pub(super) struct Lease {
    of: Arc<Residency>,
    bytes: u64,
}

impl Residency {
    pub(super) const fn new(allowed: u64) -> Self {
        Self { stats: Mutex::new(ResidentStats { handles: 0, bytes: 0, allowed }) }
    }

    pub(super) fn stats(&self) -> ResidentStats {
        self.with(|stats| *stats)
    }

    /// Room for so many bytes.
    pub(super) fn lease(self: &Arc<Self>, bytes: u64) -> Result<Lease> {
        self.with(|stats| {
            if bytes > stats.allowed.saturating_sub(stats.bytes) {
                let (held, allowed) = (stats.bytes, stats.allowed);
                return Err(DeviceError::ResidentBudget { needed: bytes, held, allowed }.into());
            }
            stats.handles += 1;
            stats.bytes += bytes;
            Ok(Lease { of: Arc::clone(self), bytes })
        })
    }

    /// Nothing panics under the lock.
    fn with<T>(&self, with: impl FnOnce(&mut ResidentStats) -> T) -> T {
        with(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Lease {
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it is this engine's.
    pub(super) fn check(&self, engine: &Engine) -> Result<()> {
        if Arc::ptr_eq(&self.of, &engine.residency) { Ok(()) } else { Err(DeviceError::HeldElsewhere.into()) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.of.with(|stats| {
            stats.handles -= 1;
            stats.bytes -= self.bytes;
        });
    }
}
