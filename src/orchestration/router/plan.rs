//! Who is asked, and in which order.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::orchestration::Cost;
use crate::orchestration::telemetry::Label;

/// Sources that are asked together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What it is called; no two groups share a name.
    pub name: String,
    /// Which side of the strategies it is on.
    pub role: Role,
    /// What asking it is expected to cost.
    pub cost: Cost,
}

/// The two sides between which strategies choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Models: able, slow, dear.
    Ai,
    /// Rules, tables, programs: quick and cheap where they know the answer.
    Runtime,
}

impl Role {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ai, Self::Runtime];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ai => "ai",
            Self::Runtime => "runtime",
        }
    }
}

impl Group {
    /// Models, at the price of a call.
    pub fn ai(name: impl Into<String>) -> Self {
        Self { name: name.into(), role: Role::Ai, cost: Cost::CALL }
    }

    /// Rules, tables or programs, at the price of a call.
    pub fn runtime(name: impl Into<String>) -> Self {
        Self { name: name.into(), role: Role::Runtime, cost: Cost::CALL }
    }

    /// The same at another price.
    #[must_use]
    pub fn cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }
}

/// The three ways to ask that every strategy comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The models, and only if they fail the others.
    AiFirst,
    /// The others, and only if they fail the models.
    RuntimeFirst,
    /// All at once, to be fused.
    AtOnce,
}

impl Label for Way {
    const KEY: &'static str = "way";
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }
}

impl Way {
    /// All three, in the order of [`Advice::propensities`](super::Advice::propensities).
    pub const ALL: [Self; 3] = [Self::AiFirst, Self::RuntimeFirst, Self::AtOnce];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AiFirst => "ai_first",
            Self::RuntimeFirst => "runtime_first",
            Self::AtOnce => "at_once",
        }
    }
}

/// Steps, each asked only if all before it failed; the groups of one step are asked at once and fused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Plan(pub Vec<Vec<String>>);

/// Why a group is asked after all others for now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Demotion {
    /// It fails too often.
    Failing {
        /// The group.
        group: String,
        /// Its success rate.
        success: f64,
    },
    /// It takes longer than there is time.
    Slow {
        /// The group.
        group: String,
        /// Its latency.
        latency: Duration,
    },
}

impl Demotion {
    /// The group that is asked last.
    #[must_use]
    pub fn group(&self) -> &str {
        let (Self::Failing { group, .. } | Self::Slow { group, .. }) = self;
        group
    }
}

impl Plan {
    /// The groups in the order a way asks them; the demoted ones last, one by one.
    pub(super) fn new(groups: &[Group], way: Way, demoted: &[Demotion]) -> Self {
        let is_demoted = |group: &&Group| demoted.iter().any(|demotion| demotion.group() == group.name);
        let (last, first): (Vec<&Group>, Vec<&Group>) = in_order(groups, way).into_iter().partition(is_demoted);
        let alone = |group: &Group| vec![group.name.clone()];
        let mut steps: Vec<Vec<String>> = match way {
            Way::AtOnce if first.is_empty() => Vec::new(),
            Way::AtOnce => vec![first.iter().map(|group| group.name.clone()).collect()],
            Way::AiFirst | Way::RuntimeFirst => first.into_iter().map(alone).collect(),
        };
        // Where nobody is left, those who are not well are asked as if they were.
        if steps.is_empty() {
            return Self::new(groups, way, &[]);
        }
        steps.extend(last.into_iter().map(alone));
        Self(steps)
    }
}

/// In the order given, but the role that is to be asked first before the other.
fn in_order(groups: &[Group], way: Way) -> Vec<&Group> {
    let mut ordered: Vec<&Group> = groups.iter().collect();
    ordered.sort_by_key(|group| match way {
        Way::AiFirst => group.role != Role::Ai,
        Way::RuntimeFirst => group.role != Role::Runtime,
        Way::AtOnce => false,
    });
    ordered
}
