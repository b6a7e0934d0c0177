//! Which experts are asked: a mixture of experts whose gate says why.

mod expert;
mod mixture;
mod permit;
mod reason;
mod selection;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::expert::{Calibration, Expert};
pub use self::mixture::Mixture;
pub use self::permit::Permit;
use self::permit::Seat;
pub use self::reason::Reason;
pub use self::selection::{Chosen, Score, Selection};
use crate::error::{RequestError, Result, SpecError};
use crate::orchestration::telemetry::{GATE_DECISIONS, PerVariant};

/// Chooses the few experts that are likeliest to know, out of those that have room.
///
/// Every expert's confidence is calibrated first. Experts are ranked by it, those whose answer carries evidence as if they
/// were [`Options::evidence`] more confident; of equal ones, by the order they were given in. Then, from the top:
///
/// - experts below the least confidence are left out; where all are, the first one in rank is asked alone;
/// - an expert that has no room is passed over;
/// - k experts are taken, or the first one alone where it leads the next by the margin.
///
/// Each expert chosen comes with its weight, its share of the confidences of all chosen, and with a [`Permit`] that takes
/// up room until it is dropped.
///
/// Decisions are counted by reason, as [`GATE_DECISIONS`].
///
/// # Examples
///
/// *The two best of three.*
///
/// ```
/// use consilience::orchestration::Gate;
/// use consilience::orchestration::gate::{Expert, Options, Reason, Score};
///
/// let gate = Gate::new(["law", "medicine", "music"].map(Expert::new), Options::default())?;
/// let scores = [Score::new("law", 0.25), Score::new("medicine", 0.5), Score::new("music", 0.125)];
/// let selection = gate.choose(&scores)?;
/// let names: Vec<&str> = selection.chosen.iter().map(|chosen| chosen.name()).collect();
/// assert_eq!((names, selection.reason), (vec!["medicine", "law"], Reason::Top));
/// assert_eq!(selection.chosen[0].weight, 0.5 / 0.75);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug)]
pub struct Gate {
    options: Options,
    /// In the order given; permits share a seat and give it back when they are dropped.
    seats: Vec<Arc<Seat>>,
    calibrations: Vec<Calibration>,
    places: HashMap<String, usize>,
    decisions: PerVariant<Reason>,
}

/// How a gate chooses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// How many experts are asked, k of at least 1.
    pub k: usize,
    /// The lead over the next that makes one expert enough, in [0, 2]; nobody leads by 2.
    pub margin: f64,
    /// The calibrated confidence below which an expert is left out, in [0, 1].
    pub least_confidence: f64,
    /// What evidence is worth where experts are ranked, in [0, 1].
    pub evidence: f64,
}

impl Default for Options {
    /// Two experts, or one that leads by 0.3; from a confidence of 0.1 on; evidence is worth 0.02.
    fn default() -> Self {
        Self { k: 2, margin: 0.3, least_confidence: 0.1, evidence: 0.02 }
    }
}

impl Gate {
    /// A gate before these experts.
    ///
    /// # Errors
    ///
    /// No experts, two of one name, one without any room or with a calibration that is none, an option outside its range.
    pub fn new(experts: impl IntoIterator<Item = Expert>, options: Options) -> Result<Self> {
        options.check()?;
        let (mut seats, mut calibrations, mut places) = (Vec::new(), Vec::new(), HashMap::new());
        for (place, expert) in experts.into_iter().enumerate() {
            expert.check()?;
            if places.insert(expert.name.clone(), place).is_some() {
                return Err(RequestError::DuplicateName { what: "experts", name: expert.name }.into());
            }
            seats.push(Arc::new(Seat::new(expert.name, expert.at_once)));
            calibrations.push(expert.calibration);
        }
        if seats.is_empty() {
            return Err(RequestError::NoSources.into());
        }
        let decisions = PerVariant::new(&GATE_DECISIONS);
        Ok(Self { options, seats, calibrations, places, decisions })
    }

    /// The experts to ask, of those that are scored; the others are no candidates.
    ///
    /// # Errors
    ///
    /// No scores, one of an unknown expert, two of one expert, a confidence outside [0, 1]; and where every candidate is
    /// busy, [`RequestError::Full`] with the time in which the first of them is likely to have room.
    pub fn choose(&self, scores: &[Score<'_>]) -> Result<Selection> {
        let mut candidates = self.candidates(scores)?;
        candidates.sort_by(|a, b| b.rank.total_cmp(&a.rank).then(a.place.cmp(&b.place)));
        let confident = |candidate: &Candidate| candidate.confidence >= self.options.least_confidence;
        let unsure = !candidates.iter().any(confident);
        if !unsure {
            candidates.retain(confident);
        }
        let k = if unsure { 1 } else { self.options.k };

        let mut chosen: Vec<(&Candidate, Permit)> = Vec::with_capacity(k.min(candidates.len()));
        let mut busy = false;
        let mut leads = false;
        for candidate in &candidates {
            if chosen.len() == k {
                break;
            }
            if let [(first, _)] = &chosen[..]
                && first.rank - candidate.rank >= self.options.margin
            {
                leads = true;
                break;
            }
            match Seat::enter(&self.seats[candidate.place]) {
                Some(permit) => chosen.push((candidate, permit)),
                None => busy = true,
            }
        }
        if chosen.is_empty() {
            self.decisions.count(Reason::Full);
            let retry_after = self.first_room(&candidates);
            return Err(RequestError::Full { what: "every expert that could be asked", retry_after }.into());
        }
        let least = chosen.iter().map(|(candidate, _)| candidate.confidence).fold(1.0, f64::min);
        let is_chosen = |other: &Candidate| chosen.iter().any(|(candidate, _)| candidate.place == other.place);
        let reason = if busy {
            Reason::Busy
        } else if unsure {
            Reason::Unsure
        } else if candidates.iter().any(|other| other.confidence > least && !is_chosen(other)) {
            Reason::Evidence
        } else if leads {
            Reason::Lead
        } else if chosen.len() < k {
            Reason::Few
        } else {
            Reason::Top
        };
        self.decisions.count(reason);
        let chosen = chosen.into_iter().map(|(candidate, permit)| (candidate.place, candidate.confidence, permit));
        Ok(Selection { chosen: Chosen::weighed(chosen.collect()), reason })
    }

    fn candidates(&self, scores: &[Score<'_>]) -> Result<Vec<Candidate>> {
        if scores.is_empty() {
            return Err(RequestError::NoSources.into());
        }
        let mut scored = vec![false; self.seats.len()];
        let candidate = |score: &Score<'_>| {
            let place = self.place(score.expert)?;
            if std::mem::replace(&mut scored[place], true) {
                let name = score.expert.to_owned();
                return Err(RequestError::DuplicateName { what: "scores of an expert", name }.into());
            }
            if !(0.0..=1.0).contains(&score.confidence) {
                let what = format!("the confidence of the expert `{}`", score.expert);
                return Err(SpecError::OutOfRange { what, value: score.confidence, must: "in [0, 1]" }.into());
            }
            let confidence = self.calibrations[place].of(score.confidence);
            let rank = confidence + if score.evidence { self.options.evidence } else { 0.0 };
            Ok(Candidate { place, confidence, rank })
        };
        scores.iter().map(candidate).collect()
    }

    fn place(&self, name: &str) -> Result<usize> {
        let place = self.places.get(name).copied();
        Ok(place.ok_or_else(|| {
            let known: Vec<&str> = self.seats.iter().map(|seat| seat.name()).collect();
            RequestError::UnknownName { what: "expert", name: name.to_owned(), known: known.join(", ") }
        })?)
    }

    fn first_room(&self, candidates: &[Candidate]) -> Duration {
        let rooms = candidates.iter().filter_map(|candidate| self.seats[candidate.place].next_room());
        rooms.min().unwrap_or(UNMEASURED)
    }

    /// How many requests an expert is busy with.
    ///
    /// # Errors
    ///
    /// An unknown expert.
    pub fn in_flight(&self, expert: &str) -> Result<usize> {
        Ok(self.seats[self.place(expert)?].in_flight())
    }

    /// The experts, in the order they were given in.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.seats.iter().map(|seat| seat.name())
    }

    /// How it chooses.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }
}

/// When to try again before it is known how long experts are busy.
const UNMEASURED: Duration = Duration::from_millis(100);

/// An expert that is scored.
#[derive(Debug)]
struct Candidate {
    place: usize,
    confidence: f64,
    rank: f64,
}

impl Options {
    fn check(&self) -> Result<()> {
        let Self { k, margin, least_confidence, evidence } = *self;
        SpecError::check("k, the number of experts to ask", k as f64, "at least 1", k > 0)?;
        SpecError::check("the margin", margin, "in [0, 2]", (0.0..=2.0).contains(&margin))?;
        SpecError::check(
            "the least confidence",
            least_confidence,
            "in [0, 1]",
            (0.0..=1.0).contains(&least_confidence),
        )?;
        Ok(SpecError::check("what evidence is worth", evidence, "in [0, 1]", (0.0..=1.0).contains(&evidence))?)
    }
}
