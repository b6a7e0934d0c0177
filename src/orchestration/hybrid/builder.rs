//! How a hybrid executor is put together.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use super::{Hybrid, Member, Options, Reading, Remote, Traits};
use crate::error::{RequestError, Result, SpecError};
use crate::methods::partial::{MOST_WEIGHT, Pool};
use crate::orchestration::aggregate::Aggregator;
use crate::orchestration::cache::{Cache, Combination, Input, Recipe, Version};
use crate::orchestration::fuse::Fuser;
use crate::orchestration::{Dependencies, History, Lane, Selector, Stop};
use crate::spec::Fusion;

/// How opinions become one answer.
#[derive(Debug, Clone)]
enum Rule {
    Pool(Pool, Option<Vec<f32>>),
    Fusion(Fuser, Box<Fusion>),
}

/// Puts a [`Hybrid`] together.
#[must_use]
pub struct Builder<I: ?Sized> {
    classes: usize,
    members: Vec<Member<I>>,
    rule: Rule,
    input: Reading<I, Result<Input>>,
    traits: Reading<I, Traits>,
    options: Options,
    lane: Option<Lane>,
    accelerator: Option<Arc<dyn Remote<I>>>,
    remote: Option<Arc<dyn Remote<I>>>,
}

impl<I: ?Sized + Send + Sync + 'static> Builder<I> {
    pub(super) fn new(classes: usize, input: Reading<I, Result<Input>>, traits: Reading<I, Traits>) -> Self {
        let (members, rule, options) = (Vec::new(), Rule::Pool(Pool::Ensemble, None), Options::default());
        Self { classes, members, rule, input, traits, options, lane: None, accelerator: None, remote: None }
    }

    /// Another source.
    pub fn member(mut self, member: Member<I>) -> Self {
        self.members.push(member);
        self
    }

    /// Fuses by a rule that needs sums alone, with a class prior where it takes one; else by the default ensemble.
    pub fn pool(mut self, pool: Pool, class_prior: Option<Vec<f32>>) -> Self {
        self.rule = Rule::Pool(pool, class_prior);
        self
    }

    /// Fuses by any fusion, whose sources are the members in their order.
    pub fn fusion(mut self, fuser: Fuser, fusion: Fusion) -> Self {
        self.rule = Rule::Fusion(fuser, Box::new(fusion));
        self
    }

    /// How it goes about it.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// The lane on which sources are asked side by side, which others may share; else one of its own.
    pub fn lane(mut self, lane: Lane) -> Self {
        self.lane = Some(lane);
        self
    }

    /// An accelerator that takes batches.
    pub fn accelerator(mut self, accelerator: Arc<dyn Remote<I>>) -> Self {
        self.accelerator = Some(accelerator);
        self
    }

    /// Other machines that take batches.
    pub fn remote(mut self, remote: Arc<dyn Remote<I>>) -> Self {
        self.remote = Some(remote);
        self
    }

    /// The executor. Its lane begins with the first call that is made side by side.
    ///
    /// # Errors
    ///
    /// No classes or members, two members of one name, a weight or an option outside its range, or a prior that does not fit.
    pub fn build(self) -> Result<Hybrid<I>> {
        self.options.check()?;
        if self.members.is_empty() {
            return Err(RequestError::NoSources.into());
        }
        let most = MOST_WEIGHT;
        for member in &self.members {
            let holds = (0.0..=most).contains(&member.weight);
            SpecError::check("the weight of a source", member.weight.into(), "from 0 to a million", holds)?;
        }
        let half_lives = || self.members.iter().map(|member| (member.name(), member.half_life));
        let (aggregator, fusion, settings) = match self.rule {
            Rule::Pool(pool, prior) => {
                let mut settings = format!("{pool:?}").into_bytes();
                settings.extend(prior.iter().flatten().flat_map(|p| p.to_bits().to_le_bytes()));
                (Aggregator::of_sums(pool, prior, self.classes, half_lives())?, Fusion::default(), settings)
            }
            Rule::Fusion(fuser, fusion) => {
                let aggregator = Aggregator::of_fusion(fuser, (*fusion).clone(), self.classes, half_lives())?;
                (aggregator, *fusion, Vec::new())
            }
        };
        // What an answer depends on beside its sources and its fusion.
        let settings: Vec<u8> = (self.members.iter())
            .flat_map(|member| {
                let half_life = member.half_life.map_or(u128::MAX, |half_life| half_life.as_nanos());
                member.weight.to_bits().to_le_bytes().into_iter().chain(half_life.to_le_bytes())
            })
            .chain(settings)
            .collect();
        let versions: Vec<Version> = self.members.iter().map(|member| member.version.clone()).collect();
        let combination = Combination::of(&Recipe {
            classes: self.classes,
            sources: &versions,
            judge: None,
            fusion: &fusion,
            stop: &Stop::default(),
            penalty: 1.0,
            settings: &settings,
        })?;
        let lane = match self.lane {
            Some(lane) => lane,
            None => Lane::io("hybrid").build()?,
        };
        Ok(Hybrid {
            classes: self.classes,
            members: self.members,
            aggregator,
            combination,
            input: self.input,
            traits: self.traits,
            cache: Arc::new(Cache::new(self.options.cache.clone())?),
            selector: Mutex::new(Selector::new(self.options.selector)?),
            dependencies: Mutex::new(Dependencies::new(self.options.dependencies)?),
            history: Mutex::new(History::new(self.options.records)?),
            class_names: Mutex::default(),
            lane,
            accelerator: self.accelerator,
            remote: self.remote,
            options: self.options,
            began: Instant::now(),
            draws: AtomicU64::new(0),
        })
    }
}

impl<I: ?Sized> fmt::Debug for Builder<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("members", &self.members)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
