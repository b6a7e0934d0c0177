//! What a service has learned, as it is saved.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Service;
use crate::error::{Result, StateError};
use crate::methods::learning::{State, Weights};
use crate::orchestration::lock::locked;
use crate::orchestration::{Router, Track};

/// What a service has learned: which way to ask, and in each step whom to trust.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    router: Router,
    /// By the names of the groups that were asked at once; those that learn.
    weights: Vec<(Vec<String>, Weights)>,
}

impl State for Learned {
    const KIND: &'static str = "service";
    const VERSION: u32 = 1;
}

/// Groups that were asked at once, and how their sources do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Step {
    /// The groups' names.
    pub groups: Vec<String>,
    /// The sources' names.
    pub sources: Vec<Arc<str>>,
    /// How each source did when this step was taken.
    pub tracks: Vec<Track>,
    /// The weights learned so far, which sum to one; `None` where nothing is learned.
    pub weights: Option<Vec<f32>>,
}

impl<I: ?Sized + Send + Sync> Service<I> {
    /// The sets of groups that were asked at once so far, sorted by their names, and each group by itself.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = (locked(&self.fusions).iter())
            .map(|(groups, fusion)| Step {
                groups: groups.clone(),
                sources: fusion.names().to_vec(),
                tracks: fusion.tracks(),
                weights: fusion.weights(),
            })
            .collect();
        steps.sort_by(|a, b| a.groups.cmp(&b.groups));
        steps
    }

    /// What was learned, to be saved.
    #[must_use]
    pub fn learned(&self) -> Learned {
        let mut weights: Vec<(Vec<String>, Weights)> = (locked(&self.fusions).iter())
            .filter_map(|(groups, fusion)| Some((groups.clone(), fusion.learned()?)))
            .collect();
        weights.sort_by(|(a, _), (b, _)| a.cmp(b));
        Learned { router: self.router(), weights }
    }

    /// Goes on from what was learned before, by the strategy and in the mode it has.
    ///
    /// # Errors
    ///
    /// It was learned of other groups, or of another number of sources. Nothing is changed then.
    pub fn resume(&self, learned: Learned) -> Result<()> {
        let own = self.router();
        StateError::check_same("groups", &own.groups(), &learned.router.groups())?;
        let fusions = (learned.weights.into_iter())
            .map(|(groups, weights)| {
                let fusion = self.fusion(&groups)?;
                let (learner, evidence) = (weights.sources(), fusion.names().len());
                if learner != evidence {
                    return Err(StateError::Shape { unit: "sources", learner, evidence }.into());
                }
                Ok((fusion, weights))
            })
            .collect::<Result<Vec<_>>>()?;
        let mut router = learned.router;
        router.set_strategy(own.options().strategy);
        router.set_mode(own.options().mode);
        *locked(&self.router) = router;
        fusions.into_iter().try_for_each(|(fusion, weights)| fusion.resume(weights))
    }
}
