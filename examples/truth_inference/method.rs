//! The methods, and what they find.

use std::fmt;
use std::str::FromStr;

use consilience::truth::{self, Annotations, DawidSkene, Estimate, Known, majority};
use consilience::{Engine, Result};

/// A method with its usual options.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Method {
    Majority,
    OneCoin,
    MaximumLikelihood,
    #[default]
    DawidSkene,
    Hard,
}

/// What was found of items and sources.
#[derive(Debug)]
pub enum Fit {
    Votes { posterior: Vec<f32>, skill: Vec<f64> },
    Fitted(truth::Fit),
}

impl Method {
    pub fn all() -> [Self; 5] {
        [Self::Majority, Self::OneCoin, Self::MaximumLikelihood, Self::DawidSkene, Self::Hard]
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Majority => "majority",
            Self::OneCoin => "one_coin",
            Self::MaximumLikelihood => "dawid_skene_ml",
            Self::DawidSkene => "dawid_skene",
            Self::Hard => "hard_em",
        }
    }

    pub fn fit_with(&self, engine: &Engine, annotations: &Annotations, known: &Known<'_>) -> Result<Fit> {
        let method = match self {
            Self::Majority => return Ok(Fit::of_votes(annotations)),
            Self::OneCoin => DawidSkene { one_coin: true, ..DawidSkene::default() },
            Self::MaximumLikelihood => DawidSkene { estimate: Estimate::MaximumLikelihood, ..DawidSkene::default() },
            Self::DawidSkene => DawidSkene::default(),
            Self::Hard => DawidSkene { estimate: Estimate::Hard, ..DawidSkene::default() },
        };
        Ok(Fit::Fitted(method.fit_with(engine, annotations, known)?))
    }
}

impl Fit {
    /// The votes, and how far each source agrees with them.
    fn of_votes(annotations: &Annotations) -> Self {
        let (posterior, classes) = (majority(annotations), annotations.classes());
        let mut sums = vec![[0.0; 2]; annotations.sources()];
        for (item, row) in posterior.chunks_exact(classes).enumerate() {
            for (source, label) in annotations.of_item(item) {
                if let (Some(&share), Some(sum)) = (row.get(label as usize), sums.get_mut(source as usize)) {
                    *sum = [sum[0] + f64::from(share), sum[1] + 1.0];
                }
            }
        }
        let agreement = |[agreed, voted]: [f64; 2]| if voted > 0.0 { agreed / voted } else { 1.0 / classes as f64 };
        Self::Votes { posterior, skill: sums.into_iter().map(agreement).collect() }
    }

    pub fn posterior(&self) -> &[f32] {
        match self {
            Self::Votes { posterior, .. } => posterior,
            Self::Fitted(fit) => fit.posterior(),
        }
    }

    pub fn skill(&self) -> &[f64] {
        match self {
            Self::Votes { skill, .. } => skill,
            Self::Fitted(fit) => fit.skill(),
        }
    }

    pub fn objective(&self) -> &[f64] {
        match self {
            Self::Votes { .. } => &[],
            Self::Fitted(fit) => fit.objective(),
        }
    }

    pub fn iterations(&self) -> u32 {
        match self {
            Self::Votes { .. } => 0,
            Self::Fitted(fit) => fit.iterations(),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::all().into_iter().find(|method| method.name() == text);
        found.ok_or_else(|| {
            format!("no method `{text}`; there are {}", Self::all().map(|method| method.name()).join(", "))
        })
    }
}
