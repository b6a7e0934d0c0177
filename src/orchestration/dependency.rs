//! Which sources are needed together, err together, gain by being asked together, and are worth keeping.

mod errors;
mod options;
mod report;
mod tally;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::errors::Correlation;
use self::errors::{ErrorTable, Joint, entropy, smoothed};
pub use self::options::Options;
pub use self::report::{Basis, Benefit, CacheWorth, Demand, Part, Redundant, Selected};
use self::tally::{Demanded, Ratio};
use crate::error::{Error, RequestError, Result, SpecError, StateError};
use crate::methods::checked::checked;
use crate::methods::learning::State;

/// What sources have to do with each other, learned from requests.
///
/// A source or a class of requests is known from the first time it is named. Nothing is told of what was observed less than
/// [`Dependencies::LEAST`] times, nor of sources that are not known: the answer is `None`, or leaves them out.
///
/// What two sources gain by being asked side by side is the work of all requests that asked both side by side, over the wall
/// time of those requests; the work of a request is that of all sources asked in it, also of others than the two. So it is
/// what requests with this pair in them gained, as measured, and long requests count for as much time as they take; a mean
/// over requests would let many short ones hide a long one, and a mean over pairs would count a request with n sources
/// n (n - 1) / 2 times.
///
/// # Examples
///
/// *Two sources of 40 and 20 ms that took 50 ms side by side.*
///
/// ```
/// use std::time::Duration;
///
/// use consilience::orchestration::Dependencies;
/// use consilience::orchestration::dependency::{Options, Part};
///
/// let mut graph = Dependencies::new(Options::default())?;
/// let ms = |millis| Some(Duration::from_millis(millis));
/// for _ in 0..5 {
///     assert_eq!(graph.pair_benefit("model", "table"), None);
///     let model = Part { source: "model", held: false, work: ms(40), bytes: 100 };
///     graph.observe(&[model, Part { source: "table", held: false, work: ms(20), bytes: 10 }], ms(50))?;
/// }
/// let benefit = graph.pair_benefit("model", "table").unwrap();
/// assert!((benefit.ratio - 1.2).abs() < 1e-12);
/// assert_eq!(benefit.observations, 5);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Dependencies {
    options: Options,
    /// Requests so far, and how many of them are not forgotten.
    requests: u64,
    remembered: f64,
    sources: Vec<Known>,
    /// Source a < b at b (b - 1) / 2 + a.
    pairs: Vec<Pair>,
    /// Work over wall time by the sources asked side by side, a bit for each, and the request each was last seen at.
    sets: BTreeMap<u64, (Ratio, u64)>,
    classes: Vec<Class>,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    name: String,
    demanded: Demanded,
    /// Seconds over calls.
    work: Ratio,
    /// Bytes over opinions.
    bytes: Ratio,
    /// Those that the cache held over all.
    reuse: Ratio,
    /// Errors over opinions whose truth was learned.
    errors: Ratio,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    demanded: Demanded,
    /// Work over wall time.
    benefit: Ratio,
    errors: ErrorTable,
}

/// One class of requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    name: String,
    /// As [`Known::errors`], of the sources that were known when it was last learned from.
    errors: Vec<Ratio>,
}

impl Dependencies {
    /// Observations without which nothing is told.
    pub const LEAST: u64 = 5;

    /// A graph that knows nobody.
    ///
    /// # Errors
    ///
    /// An option outside its range.
    pub fn new(options: Options) -> Result<Self> {
        options.check()?;
        let (sources, pairs, classes) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { options, requests: 0, remembered: 0.0, sources, pairs, sets: BTreeMap::new(), classes })
    }

    /// Takes in which sources a request needed, what each took, and the wall time in which those whose own time is known were
    /// asked: `None` where they were not asked side by side. It is a measure of benefit where there were two or more.
    ///
    /// # Errors
    ///
    /// No sources, one named twice, or more than there may be. Nothing is learned then.
    pub fn observe(&mut self, parts: &[Part<'_>], side_by_side: Option<Duration>) -> Result<()> {
        let indices = self.named(parts.iter().map(|part| part.source))?;
        let discount = self.options.discount();
        self.requests = self.requests.saturating_add(1);
        self.remembered = self.remembered * discount + 1.0;
        let now = self.requests;
        for (part, &index) in parts.iter().zip(&indices) {
            let known = &mut self.sources[index];
            known.demanded.observe(now, discount);
            known.bytes.observe(part.bytes as f64, 1.0, discount);
            known.reuse.observe(f64::from(u8::from(part.held)), 1.0, discount);
            if let Some(work) = part.work {
                known.work.observe(work.as_secs_f64(), 1.0, discount);
            }
        }
        for (a, b) in pairs_of(&indices) {
            self.pairs[place(a, b)].demanded.observe(now, discount);
        }
        let asked = parts.iter().zip(&indices).filter_map(|(part, &index)| Some((index, part.work?)));
        let (asked, work): (Vec<usize>, Vec<Duration>) = asked.unzip();
        if let Some(wall) = side_by_side.filter(|_| asked.len() > 1) {
            let (work, wall) = (work.iter().map(Duration::as_secs_f64).sum::<f64>(), wall.as_secs_f64());
            for (a, b) in pairs_of(&asked) {
                self.pairs[place(a, b)].benefit.observe(work, wall, discount);
            }
            let (set, seen) = self.sets.entry(bits(&asked)).or_default();
            set.observe(work, wall, discount);
            *seen = now;
            self.forget_sets();
        }
        Ok(())
    }

    /// Learns which sources erred on one request of a class, those whose opinions can be judged.
    ///
    /// # Errors
    ///
    /// No sources, one named twice, or more sources or classes than there may be. Nothing is learned then.
    pub fn learn(&mut self, class: &str, wrong: &[(&str, bool)]) -> Result<()> {
        let place_of_class = self.classes.iter().position(|known| known.name == class);
        if place_of_class.is_none() {
            within("the number of classes", self.classes.len() + 1, self.options.classes)?;
        }
        let indices = self.named(wrong.iter().map(|(source, _)| *source))?;
        let discount = self.options.discount();
        let place_of_class = place_of_class.unwrap_or_else(|| {
            self.classes.push(Class { name: class.to_owned(), errors: Vec::new() });
            self.classes.len() - 1
        });
        let of_class = &mut self.classes[place_of_class].errors;
        of_class.resize(self.sources.len(), Ratio::default());
        for (&(_, wrong), &index) in wrong.iter().zip(&indices) {
            let errors = f64::from(u8::from(wrong));
            self.sources[index].errors.observe(errors, 1.0, discount);
            of_class[index].observe(errors, 1.0, discount);
        }
        for (i, &a) in indices.iter().enumerate() {
            for (j, &b) in indices.iter().enumerate().filter(|(_, b)| **b > a) {
                self.pairs[place(a, b)].errors.observe(wrong[i].1, wrong[j].1, discount);
            }
        }
        Ok(())
    }

    /// How often two sources are needed by one request.
    #[must_use]
    pub fn demand(&self, a: &str, b: &str) -> Option<Demand> {
        let (a, b) = (self.index_of(a)?, self.index_of(b)?);
        let both = &self.pair(a, b)?.demanded;
        if both.observations < Self::LEAST {
            return None;
        }
        let weight = |demanded: &Demanded| demanded.weight(self.requests, self.options.discount());
        let together = weight(both);
        let either = weight(&self.sources[a].demanded) + weight(&self.sources[b].demanded) - together;
        let (share, of_either) = (together / self.remembered, (together / either).min(1.0));
        Some(Demand { share, of_either, observations: both.observations })
    }

    /// How far two sources err together.
    #[must_use]
    pub fn correlation(&self, a: &str, b: &str) -> Option<Correlation> {
        self.correlation_of(self.index_of(a)?, self.index_of(b)?)
    }

    /// What requests that asked both of two sources side by side gained; see [`Dependencies`].
    #[must_use]
    pub fn pair_benefit(&self, a: &str, b: &str) -> Option<Benefit> {
        measured(&self.pair(self.index_of(a)?, self.index_of(b)?)?.benefit)
    }

    /// What asking a set of sources side by side gains: as measured where just these were asked often enough, else as
    /// estimated from the work of each. A name counts once.
    #[must_use]
    pub fn benefit(&self, sources: &[&str]) -> Option<Benefit> {
        let indices: Vec<usize> = sources.iter().map(|name| self.index_of(name)).collect::<Option<_>>()?;
        let set = bits(&indices);
        if let Some(benefit) = self.sets.get(&set).and_then(|(ratio, _)| measured(ratio)) {
            return Some(benefit);
        }
        let members = self.sources.iter().enumerate().filter(|(index, _)| set >> index & 1 == 1);
        let members: Vec<&Ratio> = members.map(|(_, known)| &known.work).collect();
        let work: Vec<f64> = members.iter().map(|work| work.value(Self::LEAST)).collect::<Option<_>>()?;
        let slowest = work.iter().copied().fold(0.0, f64::max);
        let observations = members.iter().map(|work| work.observations).min()?;
        let ratio = work.iter().sum::<f64>() / slowest;
        (slowest > 0.0).then_some(Benefit { ratio, basis: Basis::Estimated, observations })
    }

    /// How long a source takes by itself, on average.
    #[must_use]
    pub fn work(&self, source: &str) -> Option<Duration> {
        let seconds = self.sources[self.index_of(source)?].work.value(Self::LEAST)?;
        Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }

    /// What it is worth to keep a source's opinions.
    #[must_use]
    pub fn cache_worth(&self, source: &str) -> Option<CacheWorth> {
        let known = &self.sources[self.index_of(source)?];
        let saved = self.work(source)?;
        let (reuse, bytes) = (known.reuse.value(Self::LEAST)?, known.bytes.value(Self::LEAST)?);
        let seconds_per_byte = reuse * saved.as_secs_f64() / bytes;
        (bytes > 0.0).then_some(CacheWorth { reuse, saved, bytes, seconds_per_byte })
    }

    /// How often a source errs on requests of a class, or on all where too little is known of the class.
    #[must_use]
    pub fn error_rate(&self, class: &str, source: &str) -> Option<f64> {
        self.error_rate_of(class, self.index_of(source)?)
    }

    /// At most `k` sources to ask about a request of a class, each the one that tells most beyond those before it.
    ///
    /// A source's answer X is the truth T, except where it errs, E = 1. With two answers, equally likely and erred on alike,
    /// I(T; X) = ln 2 - H(E), and beyond another source I(T; X | Y) = H(E xor F) - H(E | F), F the error of Y: nothing for a
    /// copy, which errs whenever the other does. The first has the most information, the next the largest minimum of what it
    /// tells beyond each that is selected: conditional mutual information maximisation (Fleuret, JMLR 5, 2004). The order is
    /// used for any number of answers. How often a source errs is taken from the class, how far two err together from all
    /// classes: independent where it is not known.
    ///
    /// Left out are sources of which no error rate is known, or one of a half or more, and those that would add nothing.
    #[must_use]
    pub fn select(&self, class: &str, k: usize) -> Vec<Selected> {
        let rates = (0..self.sources.len()).filter_map(|index| Some((index, self.error_rate_of(class, index)?)));
        // What each would add to those selected so far.
        let alone = |(index, rate)| (index, rate, std::f64::consts::LN_2 - entropy(rate));
        let mut open: Vec<(usize, f64, f64)> = rates.filter(|(_, rate)| *rate < 0.5).map(alone).collect();
        let mut selected = Vec::new();
        while selected.len() < k {
            let best = open.iter().enumerate().reduce(|best, next| if next.1.2 > best.1.2 { next } else { best });
            let Some(place) = best.filter(|(_, (_, _, information))| *information > 1e-9).map(|(place, _)| place)
            else {
                break;
            };
            let (chosen, its_rate, information) = open.remove(place);
            let first = selected.is_empty();
            for (index, rate, least) in &mut open {
                let phi = self.correlation_of(*index, chosen).map_or(0.0, |correlation| correlation.phi);
                let beyond = Joint::new(*rate, its_rate, phi).information_beyond();
                *least = if first { beyond } else { least.min(beyond) };
            }
            selected.push(Selected { source: self.sources[chosen].name.clone(), information });
        }
        selected
    }

    /// All sources in groups, in each of which no two are known to err together or not known well enough: every pair in a
    /// group has a phi between -`threshold` and `threshold`. There are few groups, not always as few as there could be: the
    /// sources with most others to keep apart from come first, each into the first group that it may be in (Welsh and
    /// Powell, 1967).
    ///
    /// # Errors
    ///
    /// A threshold outside (0, 1].
    pub fn independent(&self, threshold: f64) -> Result<Vec<Vec<&str>>> {
        let holds = threshold > 0.0 && threshold <= 1.0;
        SpecError::check("the threshold of independence", threshold, "in (0, 1]", holds)?;
        let apart = |a: usize, b: usize| {
            let phi = self.correlation_of(a, b).map(|correlation| correlation.phi.abs());
            a != b && phi.is_none_or(|phi| phi >= threshold)
        };
        let count = self.sources.len();
        let degree = |a: usize| (0..count).filter(|&b| apart(a, b)).count();
        let mut order: Vec<(usize, usize)> = (0..count).map(|a| (degree(a), a)).collect();
        order.sort_by_key(|&(degree, a)| (usize::MAX - degree, a));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (_, a) in order {
            match groups.iter_mut().find(|group| group.iter().all(|&b| !apart(a, b))) {
                Some(group) => group.push(a),
                None => groups.push(vec![a]),
            }
        }
        let named = |group: Vec<usize>| group.into_iter().map(|a| &self.sources[a].name[..]).collect();
        Ok(groups.into_iter().map(named).collect())
    }

    /// Pairs whose phi is `threshold` at least, with the certainty of [`Correlation::interval`]: of two such, one tells little
    /// that the other does not.
    #[must_use]
    pub fn redundant(&self, threshold: f64) -> Vec<Redundant> {
        let all: Vec<usize> = (0..self.sources.len()).collect();
        let of = |(a, b): (usize, usize)| {
            let correlation = self.correlation_of(a, b).filter(|correlation| correlation.interval[0] >= threshold)?;
            let name = |index: usize| self.sources[index].name.clone();
            Some(Redundant { source: name(a), beside: name(b), correlation })
        };
        pairs_of(&all).filter_map(of).collect()
    }

    /// The sources known, in the order in which they were first named.
    pub fn sources(&self) -> impl Iterator<Item = &str> + Clone {
        self.sources.iter().map(|known| &known.name[..])
    }

    /// What it keeps, and for how long.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Adds what another graph learned, each as far as it has not forgotten it.
    ///
    /// # Errors
    ///
    /// Other options, or more sources or classes together than there may be. Nothing is merged then.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        StateError::check_same("options", &self.options, &other.options)?;
        let new = |class: &&Class| !self.classes.iter().any(|mine| mine.name == class.name);
        let classes = self.classes.len() + other.classes.iter().filter(new).count();
        within("the number of classes", classes, self.options.classes)?;
        // Without sources there is nothing to merge.
        let indices = if other.sources.is_empty() { Vec::new() } else { self.named(other.sources())? };
        let discount = self.options.discount();
        let (mine, theirs) = (self.requests, other.requests);
        let now = mine.saturating_add(theirs);
        let sum = |a: Demanded, b: Demanded| {
            let weight = a.weight(mine, discount) + b.weight(theirs, discount);
            Demanded::left(weight, now, a.observations.saturating_add(b.observations))
        };
        (self.requests, self.remembered) = (now, self.remembered + other.remembered);
        // Where the other has each source.
        let there = |index: usize| indices.iter().position(|&mine| mine == index);
        let there: Vec<Option<usize>> = (0..self.sources.len()).map(there).collect();
        for (known, there) in self.sources.iter_mut().zip(&there) {
            let same = there.map(|there| &other.sources[there]);
            known.demanded = sum(known.demanded, same.map(|same| same.demanded).unwrap_or_default());
            if let Some(Known { work, bytes, reuse, errors, .. }) = same {
                known.work.merge(work);
                known.bytes.merge(bytes);
                known.reuse.merge(reuse);
                known.errors.merge(errors);
            }
        }
        let all: Vec<usize> = (0..there.len()).collect();
        for (a, b) in pairs_of(&all) {
            let own = &mut self.pairs[place(a, b)];
            let same = there[a].zip(there[b]).map(|(a, b)| (other.pairs[place(a, b)], a > b));
            let (same, turned) = same.unwrap_or_default();
            own.demanded = sum(own.demanded, same.demanded);
            own.benefit.merge(&same.benefit);
            own.errors.merge(&if turned { same.errors.turned() } else { same.errors });
        }
        for (&set, (ratio, seen)) in &other.sets {
            let members: Vec<usize> = (0..64).filter(|bit| set >> bit & 1 == 1).map(|bit| indices[bit]).collect();
            let (own, seen_here) = self.sets.entry(bits(&members)).or_default();
            own.merge(ratio);
            *seen_here = (*seen_here).max(*seen);
        }
        self.forget_sets();
        for class in &other.classes {
            let place = self.classes.iter().position(|mine| mine.name == class.name).unwrap_or_else(|| {
                self.classes.push(Class { name: class.name.clone(), errors: Vec::new() });
                self.classes.len() - 1
            });
            let own = &mut self.classes[place].errors;
            own.resize(self.sources.len(), Ratio::default());
            class.errors.iter().zip(&indices).for_each(|(errors, &index)| own[index].merge(errors));
        }
        Ok(())
    }

    /// The indices of sources, of which new ones are given some, unless one is named twice or there are too many.
    fn named<'a>(&mut self, names: impl Iterator<Item = &'a str> + Clone) -> Result<Vec<usize>> {
        let mut seen = HashSet::new();
        if let Some(name) = names.clone().find(|name| !seen.insert(*name)) {
            return Err(RequestError::DuplicateName { what: "sources", name: name.to_owned() }.into());
        }
        if seen.is_empty() {
            return Err(RequestError::NoSources.into());
        }
        let new = seen.iter().filter(|name| self.index_of(name).is_none()).count();
        within("the number of sources", self.sources.len() + new, self.options.sources)?;
        let index = |name: &str| {
            self.index_of(name).unwrap_or_else(|| {
                let (work, bytes, reuse, errors) = Default::default();
                let (name, demanded) = (name.to_owned(), Demanded::default());
                self.pairs.resize(self.pairs.len() + self.sources.len(), Pair::default());
                self.sources.push(Known { name, demanded, work, bytes, reuse, errors });
                self.sources.len() - 1
            })
        };
        Ok(names.map(index).collect())
    }

    /// Gives up the sets not seen for longest, as far as there are too many.
    fn forget_sets(&mut self) {
        while self.sets.len() > self.options.sets
            && let Some((&oldest, _)) = self.sets.iter().min_by_key(|(_, (_, seen))| *seen)
        {
            self.sets.remove(&oldest);
        }
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        self.sources.iter().position(|known| known.name == name)
    }

    /// Two different sources.
    fn pair(&self, a: usize, b: usize) -> Option<&Pair> {
        (a != b).then(|| &self.pairs[place(a, b)])
    }

    fn correlation_of(&self, a: usize, b: usize) -> Option<Correlation> {
        self.pair(a, b)?.errors.correlation(self.options.shrinkage, Self::LEAST)
    }

    fn error_rate_of(&self, class: &str, index: usize) -> Option<f64> {
        let of_class = self.classes.iter().find(|known| known.name == class);
        let of_class = of_class.and_then(|class| class.errors.get(index));
        let enough = |errors: &&Ratio| errors.observations >= Self::LEAST;
        let errors = of_class.filter(enough).or(Some(&self.sources[index].errors).filter(enough))?;
        Some(smoothed(errors.top, errors.bottom))
    }

    fn check(&self) -> Result<(), String> {
        let text = |error: Error| error.to_string();
        self.options.check().map_err(text)?;
        let Self { sources, pairs, classes, sets, requests, remembered, .. } = self;
        within("the number of sources", sources.len(), self.options.sources).map_err(text)?;
        within("the number of classes", classes.len(), self.options.classes).map_err(text)?;
        within("the number of sets", sets.len(), self.options.sets).map_err(text)?;
        if !(0.0..=*requests as f64).contains(remembered) {
            return Err(format!("{remembered} of {requests} requests are remembered"));
        }
        let mut names = HashSet::new();
        if let Some(twice) = sources.iter().find(|known| !names.insert(&known.name)) {
            return Err(format!("two sources named `{}`", twice.name));
        }
        names.clear();
        if let Some(twice) = classes.iter().find(|class| !names.insert(&class.name)) {
            return Err(format!("two classes named `{}`", twice.name));
        }
        if pairs.len() != sources.len() * sources.len().saturating_sub(1) / 2 {
            return Err(format!("{} pairs of {} sources", pairs.len(), sources.len()));
        }
        for known in sources {
            known.demanded.check(*requests)?;
            [&known.work, &known.bytes, &known.reuse, &known.errors].into_iter().try_for_each(Ratio::check)?;
            shares(&known.reuse)?;
            shares(&known.errors)?;
        }
        for pair in pairs {
            pair.demanded.check(*requests)?;
            pair.benefit.check()?;
            pair.errors.check()?;
        }
        for (set, (ratio, seen)) in sets {
            ratio.check()?;
            if set.count_ones() < 2 || set.checked_shr(sources.len() as u32).is_some_and(|rest| rest > 0) {
                return Err(format!("a set {set:#b} of {} sources", sources.len()));
            }
            if seen > requests {
                return Err(format!("a set seen at request {seen} of {requests}"));
            }
        }
        for class in classes {
            if class.errors.len() > sources.len() {
                return Err(format!("class `{}` has {} sources of {}", class.name, class.errors.len(), sources.len()));
            }
            class.errors.iter().try_for_each(|errors| errors.check().and_then(|()| shares(errors)))?;
        }
        Ok(())
    }
}

checked!(Dependencies);

impl State for Dependencies {
    const KIND: &'static str = "dependencies";
    const VERSION: u32 = 1;
}

/// Refuses saved shares above one, but for rounding.
fn shares(ratio: &Ratio) -> Result<(), String> {
    let Ratio { top, bottom, .. } = *ratio;
    if top <= bottom * (1.0 + 1e-9) { Ok(()) } else { Err(format!("a share of {top} in {bottom}")) }
}

fn within(what: &str, number: usize, most: usize) -> Result<()> {
    Ok(SpecError::check(what, number as f64, "at most that of the options", number <= most)?)
}

/// Calls too short to be timed tell nothing of it.
fn measured(ratio: &Ratio) -> Option<Benefit> {
    let Ratio { observations, .. } = *ratio;
    let known = ratio.value(Dependencies::LEAST).filter(|ratio| *ratio > 0.0);
    known.map(|ratio| Benefit { ratio, basis: Basis::Measured, observations })
}

/// Where a pair is in the list of all.
fn place(a: usize, b: usize) -> usize {
    let (a, b) = (a.min(b), a.max(b));
    b * b.saturating_sub(1) / 2 + a
}

fn pairs_of(indices: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    indices.iter().enumerate().flat_map(|(i, &a)| indices[i + 1..].iter().map(move |&b| (a, b)))
}

fn bits(indices: &[usize]) -> u64 {
    indices.iter().fold(0, |set, index| set | 1 << index)
}
