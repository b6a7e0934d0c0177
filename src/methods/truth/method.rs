//! Every method by its name.

use std::fmt;
use std::str::FromStr;

use super::annotations::Annotations;
use super::averaged::Averaged;
use super::bcc::Bcc;
use super::dawid_skene::{DawidSkene, Estimate};
use super::fit::Fit;
use super::glad::Glad;
use super::known::Known;
use super::kos::Kos;
use super::log_odds::LogOdds;
use super::mace::Mace;
use super::majority::Majority;
use super::triplets::Triplets;
use super::wawa::Wawa;
use super::zero_based_skill::ZeroBasedSkill;
use crate::engine::Engine;
use crate::error::{Error, Result, TruthError};

/// A method, for whoever chooses one when the program runs.
///
/// # Examples
///
/// *By name.*
///
/// ```
/// use consilience::Engine;
/// use consilience::truth::{Annotations, Known, Method};
///
/// let annotations = Annotations::new(2, &[0, 0, 0, 1, 1], &[0, 1, 2, 0, 1], &[1, 1, 0, 0, 0])?;
/// let method: Method = "one_coin".parse()?;
/// let fit = method.fit_with(&Engine::cpu()?, &annotations, &Known::default())?;
/// assert_eq!(fit.decision(), [1, 0]);
/// assert!("two_coins".parse::<Method>().unwrap_err().to_string().contains("one_coin"));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Method {
    /// `majority`
    Majority(Majority),
    /// `wawa`
    Wawa(Wawa),
    /// `zero_based_skill`
    ZeroBasedSkill(ZeroBasedSkill),
    /// `log_odds`
    LogOdds(LogOdds),
    /// `dawid_skene`, and with its options set accordingly `dawid_skene_ml`, `hard_em` and `one_coin`
    DawidSkene(DawidSkene),
    /// `ebcc`, and with one subtype `ibcc`
    Bcc(Bcc),
    /// `glad`
    Glad(Glad),
    /// `mace`
    Mace(Mace),
    /// `kos`
    Kos(Kos),
    /// `triplets`
    Triplets(Triplets),
    /// `averaged`
    Averaged(Averaged),
}

impl Default for Method {
    fn default() -> Self {
        Self::Averaged(Averaged::default())
    }
}

impl Method {
    /// The names that can be parsed.
    pub const NAMES: [&'static str; 15] = [
        "majority",
        "wawa",
        "zero_based_skill",
        "log_odds",
        "dawid_skene",
        "dawid_skene_ml",
        "hard_em",
        "one_coin",
        "ibcc",
        "ebcc",
        "glad",
        "mace",
        "kos",
        "triplets",
        "averaged",
    ];

    /// One by each name, with its defaults.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NAMES.iter().filter_map(|name| Self::by_name(name))
    }

    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Majority(_) => "majority",
            Self::Wawa(_) => "wawa",
            Self::ZeroBasedSkill(_) => "zero_based_skill",
            Self::LogOdds(_) => "log_odds",
            Self::DawidSkene(DawidSkene { one_coin: true, .. }) => "one_coin",
            Self::DawidSkene(DawidSkene { estimate: Estimate::MaximumLikelihood, .. }) => "dawid_skene_ml",
            Self::DawidSkene(DawidSkene { estimate: Estimate::Hard, .. }) => "hard_em",
            Self::DawidSkene(_) => "dawid_skene",
            Self::Bcc(Bcc { subtypes: 1, .. }) => "ibcc",
            Self::Bcc(_) => "ebcc",
            Self::Glad(_) => "glad",
            Self::Mace(_) => "mace",
            Self::Kos(_) => "kos",
            Self::Triplets(_) => "triplets",
            Self::Averaged(_) => "averaged",
        }
    }

    fn by_name(name: &str) -> Option<Self> {
        let estimate = |estimate| Self::DawidSkene(DawidSkene { estimate, ..DawidSkene::default() });
        Some(match name {
            "majority" => Self::Majority(Majority::default()),
            "wawa" => Self::Wawa(Wawa),
            "zero_based_skill" => Self::ZeroBasedSkill(ZeroBasedSkill::default()),
            "log_odds" => Self::LogOdds(LogOdds::default()),
            "dawid_skene" => estimate(Estimate::MaximumAPosteriori),
            "dawid_skene_ml" => estimate(Estimate::MaximumLikelihood),
            "hard_em" => estimate(Estimate::Hard),
            "one_coin" => Self::DawidSkene(DawidSkene { one_coin: true, ..DawidSkene::default() }),
            "ibcc" => Self::Bcc(Bcc::ibcc()),
            "ebcc" => Self::Bcc(Bcc::ebcc()),
            "glad" => Self::Glad(Glad::default()),
            "mace" => Self::Mace(Mace::default()),
            "kos" => Self::Kos(Kos::default()),
            "triplets" => Self::Triplets(Triplets::default()),
            "averaged" => Self::default(),
            _ => return None,
        })
    }

    /// Fits to the annotations; the methods that are not computed by the engine leave it alone.
    ///
    /// # Errors
    ///
    /// As the method's own.
    pub fn fit_with(&self, engine: &Engine, annotations: &Annotations, known: &Known<'_>) -> Result<Fit> {
        match self {
            Self::Majority(method) => method.fit_with(annotations, known),
            Self::Wawa(method) => method.fit_with(annotations, known),
            Self::ZeroBasedSkill(method) => method.fit_with(annotations, known),
            Self::LogOdds(method) => method.fit_with(annotations, known),
            Self::DawidSkene(method) => method.fit_with(engine, annotations, known),
            Self::Bcc(method) => method.fit_with(engine, annotations, known),
            Self::Glad(method) => method.fit_with(annotations, known),
            Self::Mace(method) => method.fit_with(annotations, known),
            Self::Kos(method) => method.fit_with(annotations, known),
            Self::Triplets(method) => method.fit_with(annotations, known),
            Self::Averaged(method) => method.fit_with(engine, annotations, known),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let unknown = || TruthError::NoMethod { name: name.to_owned(), names: Self::NAMES.join(", ") };
        Ok(Self::by_name(name).ok_or_else(unknown)?)
    }
}
