//! Bounds on what outstanding opinions can still change.

use crate::error::{RequestError, Result, SpecError};
use crate::orchestration::Opinion;
use crate::orchestration::weigh::{Said, Weigh, tempered};
use crate::spec::{Fusion, Rule};

/// How far ahead, as a share of all there is, counts as ahead: more than the engine's f32 may be off.
const MARGIN: f64 = 1e-5;

/// For one fusion, the point at which the decision can no longer change.
///
/// Each outstanding source may still say anything, with the largest weight it can come to, or nothing. With T(k) what has
/// been heard for class k under raw weights, R the sum of those weights and O the largest sum of those outstanding, class k
/// keeps its lead over j if
///
/// | rule | bound |
/// |---|---|
/// | `Linear`, `Vote`, `BayesianAverage`, `Adaptive` | (T(k) - T(j) - O) / (R + O) > 0 |
/// | `Ensemble` of these | the sum of the bounds of its members, each with its share, > 0 |
/// | `LogPool`, `Extremised` | T(k) - T(j) + O ln eps > 0 |
/// | `Evidence` | T(k) - T(j) + sum over the outstanding of min(0, e_n (ln eps - ln rho_k + ln rho_j)) > 0 |
///
/// Every bound is met by outstanding sources that give all to j and none to k; that of an ensemble, and one under weights
/// that depend on what a source says, by each member for itself. Of eight sources that count alike, five votes for one class
/// settle a vote. Other rules, weights per class and weights by distance to the consensus have no such bound here.
///
/// # Examples
///
/// *Two of three votes.*
///
/// ```
/// use consilience::orchestration::Opinion;
/// use consilience::orchestration::stop::Lock;
/// use consilience::{Fusion, Rule};
///
/// let lock = Lock::new(&Fusion::new(Rule::Vote), 3, 2)?;
/// let mut race = lock.race();
/// race.heard(0, &Opinion::label(1))?;
/// assert_eq!(race.settled(), None);
/// race.heard(2, &Opinion::label(1))?;
/// assert_eq!(race.settled(), Some(1));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Lock {
    fusion: Fusion,
    classes: usize,
    sources: usize,
    weigh: Weigh,
    /// The rules, each with its share.
    members: Vec<(Kind, f64)>,
    ln_rho: Vec<f64>,
    exponents: Vec<f64>,
}

/// How a rule's sums are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Linear,
    Vote,
    Bayesian,
    Adaptive,
    LogPool,
    Evidence,
}

/// One item on its way to a decision.
#[derive(Debug, Clone)]
pub struct Race<'a> {
    lock: &'a Lock,
    outstanding: Vec<bool>,
    tallies: Vec<Tally>,
}

/// One member's sums.
#[derive(Debug, Clone)]
struct Tally {
    /// T, one per class.
    heard: Vec<f64>,
    /// R.
    weight: f64,
    /// O.
    outstanding: f64,
}

impl Lock {
    /// The bounds of a fusion of `sources` sources over `classes` classes.
    ///
    /// # Errors
    ///
    /// A rule or weighting without a bound, or a list of another length than there are sources or classes.
    pub fn new(fusion: &Fusion, sources: usize, classes: usize) -> Result<Self> {
        let no_bound = |what: &str| RequestError::NoLock { what: format!("`{what}`") };
        let weigh = Weigh::of(&fusion.weighting, sources)?;
        if matches!(weigh, Weigh::Consensus { .. }) || fusion.weighting.name() == "per_class" {
            return Err(no_bound(fusion.weighting.name()).into());
        }
        let members = match &fusion.rule {
            Rule::Ensemble(members) => {
                let all: f64 = members.iter().map(|member| f64::from(member.weight)).sum();
                let arithmetic = |kind: &Kind| !matches!(kind, Kind::LogPool | Kind::Evidence);
                let bounds = members.iter().map(|member| {
                    let kind = kind(&member.rule).filter(arithmetic)?;
                    Some((kind, f64::from(member.weight) / all))
                });
                bounds.collect()
            }
            rule => kind(rule).map(|kind| vec![(kind, 1.0)]),
        };
        let members: Vec<_> = members.ok_or_else(|| no_bound(fusion.rule.name()))?;
        let rho = fusion.class_prior.clone().unwrap_or_else(|| vec![1.0; classes]);
        SpecError::check_length("class_prior", rho.len(), classes, "classes")?;
        let exponents = match &fusion.rule {
            Rule::Evidence { exponents } if !exponents.is_empty() => exponents.clone(),
            _ => vec![1.0; sources],
        };
        SpecError::check_length("exponents", exponents.len(), sources, "sources")?;
        if let Some(priors) = &fusion.source_priors {
            SpecError::check_length("source_priors", priors.len(), sources, "sources")?;
        }
        if let Some(learned) = learned(&fusion.rule) {
            SpecError::check_length("learned", learned.len(), sources, "sources")?;
        }
        let sum: f64 = rho.iter().map(|&p| f64::from(p)).sum();
        let ln_rho = rho.iter().map(|&p| (f64::from(p) / sum).max(f64::from(f32::MIN_POSITIVE)).ln()).collect();
        let exponents = exponents.into_iter().map(f64::from).collect();
        Ok(Self { fusion: fusion.clone(), classes, sources, weigh, members, ln_rho, exponents })
    }

    /// An item on which nothing has been heard and every source is outstanding.
    #[must_use]
    pub fn race(&self) -> Race<'_> {
        let tally = |&(kind, _): &(Kind, f64)| {
            let outstanding = (0..self.sources).map(|source| self.most(kind, source)).sum();
            let heard = if kind == Kind::Evidence { self.ln_rho.clone() } else { vec![0.0; self.classes] };
            Tally { heard, weight: 0.0, outstanding }
        };
        let tallies = self.members.iter().map(tally).collect();
        Race { lock: self, outstanding: vec![true; self.sources], tallies }
    }

    fn prior(&self, source: usize) -> f64 {
        self.fusion.source_priors.as_ref().map_or(1.0, |priors| f64::from(priors[source]))
    }

    fn learned(&self, source: usize) -> f64 {
        learned(&self.fusion.rule).map_or(0.0, |learned| f64::from(learned[source]))
    }

    /// The largest raw weight of a source under a rule.
    fn most(&self, kind: Kind, source: usize) -> f64 {
        let weight = self.weigh.most(source).unwrap_or(f64::INFINITY);
        match kind {
            Kind::Linear | Kind::Vote | Kind::LogPool => weight,
            Kind::Bayesian => weight * self.prior(source),
            Kind::Adaptive => self.learned(source),
            Kind::Evidence => self.exponents[source],
        }
    }
}

impl Race<'_> {
    /// A source has answered. A second answer of the same source changes nothing.
    ///
    /// # Errors
    ///
    /// An opinion that is not valid: [`SourceError::Invalid`](crate::SourceError::Invalid) in a
    /// [`RequestError::NothingArrived`].
    pub fn heard(&mut self, source: usize, opinion: &Opinion) -> Result<()> {
        let mut row = vec![0.0; self.lock.classes];
        let given = opinion
            .write_probabilities(&mut row)
            .map_err(|cause| RequestError::NothingArrived { causes: vec![(format!("source {source}"), cause)] })?;
        if given {
            self.arrived(source, opinion, &row);
        } else {
            self.out(source);
        }
        Ok(())
    }

    /// A source has answered with a valid opinion whose probabilities are `row`.
    pub(crate) fn arrived(&mut self, source: usize, opinion: &Opinion, row: &[f32]) {
        if !self.is_outstanding(source) {
            return;
        }
        self.out(source);
        let lock = self.lock;
        let p = tempered(&lock.fusion, source, row);
        let said = Said { vote: opinion.vote(row), given: opinion.given_confidence(), p: &p };
        let eps = f64::from(lock.fusion.log_floor);
        let weight = lock.weigh.own(source, &said).unwrap_or_default();
        for (tally, &(kind, _)) in self.tallies.iter_mut().zip(&lock.members) {
            let weight = match kind {
                Kind::Linear | Kind::Vote | Kind::LogPool => weight,
                Kind::Bayesian => weight * lock.prior(source) * said.confidence(),
                Kind::Adaptive => lock.learned(source),
                Kind::Evidence => lock.exponents[source],
            };
            tally.weight += weight;
            for (k, heard) in tally.heard.iter_mut().enumerate() {
                let of_class = match kind {
                    Kind::Vote => f64::from(u8::from(said.vote == k)),
                    Kind::LogPool => p[k].clamp(eps, 1.0).ln(),
                    Kind::Evidence => p[k].clamp(eps, 1.0).ln() - lock.ln_rho[k],
                    Kind::Linear | Kind::Bayesian | Kind::Adaptive => p[k],
                };
                *heard += weight * of_class;
            }
        }
    }

    /// A source will not answer: it failed, abstained or is no longer waited for.
    pub fn out(&mut self, source: usize) {
        if !self.is_outstanding(source) {
            return;
        }
        self.outstanding[source] = false;
        for (tally, &(kind, _)) in self.tallies.iter_mut().zip(&self.lock.members) {
            tally.outstanding -= self.lock.most(kind, source);
        }
    }

    /// Whether a source may still be heard.
    #[must_use]
    pub fn is_outstanding(&self, source: usize) -> bool {
        self.outstanding.get(source).is_some_and(|outstanding| *outstanding)
    }

    /// The class that will be decided for whatever else is said; `None` while that is open, and as long as nothing has
    /// been heard.
    #[must_use]
    pub fn settled(&self) -> Option<usize> {
        if self.tallies.iter().any(|tally| tally.weight <= 0.0) {
            return None;
        }
        let standing = |k: usize| -> f64 {
            let of = |(tally, &(_, share)): (&Tally, &(Kind, f64))| share * tally.heard[k] / tally.weight;
            self.tallies.iter().zip(&self.lock.members).map(of).sum()
        };
        let leader = (1..self.lock.classes).fold(0, |best, k| if standing(k) > standing(best) { k } else { best });
        let keeps = |j: usize| j == leader || self.least_lead(leader, j) > 0.0;
        (0..self.lock.classes).all(keeps).then_some(leader)
    }

    /// The least that class k can be ahead of class j in the end, less what the engine's arithmetic may be off.
    fn least_lead(&self, k: usize, j: usize) -> f64 {
        let ln_eps = f64::from(self.lock.fusion.log_floor).ln();
        let of = |(tally, &(kind, share)): (&Tally, &(Kind, f64))| {
            let lead = tally.heard[k] - tally.heard[j];
            let outstanding = tally.outstanding.max(0.0);
            let all = tally.weight + outstanding;
            match kind {
                Kind::LogPool => lead + outstanding * ln_eps + MARGIN * all * ln_eps,
                Kind::Evidence => {
                    let worst = (ln_eps - self.lock.ln_rho[k] + self.lock.ln_rho[j]).min(0.0);
                    lead + outstanding * worst + MARGIN * (1.0 + all) * ln_eps
                }
                _ => share * ((lead - outstanding) / all - MARGIN),
            }
        };
        self.tallies.iter().zip(&self.lock.members).map(of).sum()
    }
}

fn kind(rule: &Rule) -> Option<Kind> {
    Some(match rule {
        Rule::Linear => Kind::Linear,
        Rule::Vote => Kind::Vote,
        Rule::BayesianAverage => Kind::Bayesian,
        Rule::Adaptive { .. } => Kind::Adaptive,
        Rule::LogPool => Kind::LogPool,
        Rule::Extremised { exponent } if *exponent > 0.0 => Kind::LogPool,
        Rule::Evidence { .. } => Kind::Evidence,
        _ => return None,
    })
}

/// The weights of the one adaptive rule there can be.
fn learned(rule: &Rule) -> Option<&[f32]> {
    match rule {
        Rule::Adaptive { learned } => Some(learned),
        Rule::Ensemble(members) => members.iter().find_map(|member| match &member.rule {
            Rule::Adaptive { learned } => Some(&learned[..]),
            _ => None,
        }),
        _ => None,
    }
}
