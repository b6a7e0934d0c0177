//! Answers that were given before: opinions of single sources, and what was made of several.

mod entry;
mod flights;
mod generations;
mod key;
mod level;
mod options;
mod stats;
mod store;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub use self::entry::{Cached, Expiry, Footprint, Made, Origin, Saved};
use self::generations::Generations;
pub use self::key::{Ask, Combination, Input, OpinionKey, PosteriorKey, Recipe, Version};
pub(super) use self::level::Found;
use self::level::Level;
pub use self::options::{Eviction, Lifetime, Options, Room};
pub use self::stats::{LevelStats, Stats};
use crate::error::{Error, Result, SourceError};
use crate::orchestration::Reply;
use crate::orchestration::fuse::Verdict;
use crate::orchestration::tasks::Tasks;

/// Keeps opinions of single sources and, beside them, answers made of several, each within its bytes and for its time. `P`
/// is what an answer made of several is.
///
/// An answer is found only under the key it was kept under, and a key is the hash of everything the answer depends on. A
/// lookup is a hit or a miss; a hit says how old it is and what it saved. An answer past its lifetime but within its grace
/// is given too, as [`Origin::Stale`], and made anew in the background.
///
/// What is missing is made once, however many want it at the same time ([`Cache::opinion_or_ask`],
/// [`Cache::posterior_or_make`]). Whoever came first makes it, and the others wait:
///
/// - if it fails, all who wait get the failure, which is not kept: the next to come begins anew;
/// - if whoever makes it is dropped, panics or runs out of its own time, the first of those who wait makes it instead.
///
/// [`Cache::invalidate_source`] ends the generation of a source: what it went into is gone from both levels, and what is
/// being made of it then is given to those who wait for it and not kept. Keys are of one generation, too: whoever makes a
/// key afterwards does not wait for an answer from before. So make the key of an answer before looking for the opinions it
/// is made of.
///
/// Entries nobody asks for stay, also past their time, until room is needed. Nothing is written to a disk. Share it between
/// tasks behind an `Arc`. Dropping it ends what it makes in the background.
///
/// # Examples
///
/// *A source that is asked once, and one that changes its mind.*
///
/// ```
/// use consilience::orchestration::cache::{Ask, Cache, Input, Options, Origin, Version};
/// use consilience::orchestration::Opinion;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let cache: Cache = Cache::new(Options::default())?;
/// let (input, model) = (Input::of("cat or dog?")?, Version::new("model", "2026-11"));
/// let ask = Ask { input: &input, classes: 2, source: &model, attempt: 0, peers: &[] };
///
/// let key = cache.opinion_key(&ask);
/// assert!(cache.opinion(&key).is_none());
/// let first = cache.opinion_or_ask(&key, async || Ok(Opinion::label(1).into())).await?;
/// assert_eq!(first.origin, Origin::Made);
/// let again = cache.opinion_or_ask(&key, async || unreachable!("it is kept")).await?;
/// assert_eq!((again.origin, again.saved.cost.calls), (Origin::Fresh, 1));
///
/// assert_eq!(cache.invalidate_source("model"), 1);
/// assert!(cache.opinion(&cache.opinion_key(&ask)).is_none());
/// let stats = cache.stats().opinions;
/// assert_eq!((stats.hits, stats.misses, stats.entries), (1, 3, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Cache<P = Verdict> {
    options: Options,
    generations: Arc<Generations>,
    opinions: Arc<Level<Reply, SourceError>>,
    posteriors: Arc<Level<P, Arc<Error>>>,
    /// Its tasks hold the levels and not this.
    refreshes: Tasks,
}

impl<P: Footprint> Cache<P> {
    /// An empty cache.
    ///
    /// # Errors
    ///
    /// An option outside its range.
    pub fn new(options: Options) -> Result<Self> {
        options.check()?;
        let generations = Arc::new(Generations::default());
        let late = |error: &SourceError| matches!(error, SourceError::TimedOut { .. });
        Ok(Self {
            opinions: Arc::new(Level::new(options.opinions, Arc::clone(&generations), late)),
            posteriors: Arc::new(Level::new(options.posteriors, Arc::clone(&generations), |e| e.is_deadline())),
            generations,
            refreshes: Tasks::new(options.most_refreshes),
            options,
        })
    }

    /// What it keeps, and for how long.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What an opinion is kept under, in the source's generation as it is now.
    #[must_use]
    pub fn opinion_key(&self, ask: &Ask<'_>) -> OpinionKey {
        OpinionKey::new(ask, &self.generations)
    }

    /// What an answer made of several opinions is kept under, in the generations of its sources as they are now.
    #[must_use]
    pub fn posterior_key(&self, input: &Input, combination: &Combination) -> PosteriorKey {
        PosteriorKey::new(input, combination, &self.generations)
    }

    /// How long an opinion of a source is good that is given now.
    #[must_use]
    pub fn expiry(&self, source: &str) -> Expiry {
        Expiry::of(self.lifetime(source))
    }

    /// Looks for an opinion; one that is stale may be made anew with [`Cache::refresh_opinion`].
    #[must_use]
    pub fn opinion(&self, key: &OpinionKey) -> Option<Cached<Reply>> {
        self.find_opinion(key).hit()
    }

    /// The same, telling what is too old from what was never there.
    pub(super) fn find_opinion(&self, key: &OpinionKey) -> Found<Reply> {
        self.opinions.look_up(&key.0)
    }

    /// Whether an opinion is being asked for now, so that it will be held soon unless that fails. It is no lookup.
    #[must_use]
    pub fn is_coming(&self, key: &OpinionKey) -> bool {
        self.opinions.is_coming(&key.0)
    }

    /// Looks for an answer made of several opinions; one that is stale may be made anew with
    /// [`Cache::refresh_posterior`].
    #[must_use]
    pub fn posterior(&self, key: &PosteriorKey) -> Option<Cached<P>> {
        self.posteriors.look_up(&key.0).hit()
    }

    /// Keeps an opinion that took so long to get, and says until when it is good.
    pub fn insert_opinion(&self, key: &OpinionKey, reply: Reply, latency: Duration) -> Expiry {
        let made = asked(reply, self.lifetime_of(key));
        self.opinions.keep(&key.0, made, latency).expiry
    }

    /// Keeps an answer that took so long to make, and says until when it is good: as long as what it is made of, and no
    /// longer than an answer its sources give now.
    pub fn insert_posterior(&self, key: &PosteriorKey, made: Made<P>, latency: Duration) -> Expiry {
        let made = within(made, self.lifetimes_of(key));
        self.posteriors.keep(&key.0, made, latency).expiry
    }

    /// Looks for an opinion and, where there is none, asks for it, once for all who want it; where it is stale, gives it
    /// and asks in the background.
    ///
    /// `ask` must fail with an opinion that is not valid, lest it be kept, and end by itself: in the background nobody else
    /// ends it but [`Cache::shutdown`].
    ///
    /// # Errors
    ///
    /// What `ask` fails with, or that of another who was asking when this came.
    pub async fn opinion_or_ask<F, A>(&self, key: &OpinionKey, ask: F) -> Result<Cached<Reply>, SourceError>
    where
        F: FnOnce() -> A + Send + 'static,
        A: Future<Output = Result<Reply, SourceError>> + Send + 'static,
    {
        let lifetime = self.lifetime_of(key);
        let make = move || async move { ask().await.map(|reply| asked(reply, lifetime)) };
        self.opinions.get_or_make(&key.0, &self.refreshes, make).await
    }

    /// The same for an answer made of several opinions.
    ///
    /// # Errors
    ///
    /// What `make` fails with, or that of another who was making it when this came.
    pub async fn posterior_or_make<F, A>(&self, key: &PosteriorKey, make: F) -> Result<Cached<P>, Arc<Error>>
    where
        F: FnOnce() -> A + Send + 'static,
        A: Future<Output = Result<Made<P>>> + Send + 'static,
    {
        let lifetimes = self.lifetimes_of(key);
        let make = move || async move { make().await.map(|made| within(made, lifetimes)).map_err(Arc::new) };
        self.posteriors.get_or_make(&key.0, &self.refreshes, make).await
    }

    /// Asks for an opinion in the background, unless somebody asks for it already, as many refreshes as may be are under
    /// way, no tokio runtime is there, or this is shut down; whether that began.
    pub fn refresh_opinion<F, A>(&self, key: &OpinionKey, ask: F) -> bool
    where
        F: FnOnce() -> A + Send + 'static,
        A: Future<Output = Result<Reply, SourceError>> + Send + 'static,
    {
        let lifetime = self.lifetime_of(key);
        let make = move || async move { ask().await.map(|reply| asked(reply, lifetime)) };
        self.opinions.refresh(&key.0, &self.refreshes, make)
    }

    /// The same for an answer made of several opinions.
    pub fn refresh_posterior<F, A>(&self, key: &PosteriorKey, make: F) -> bool
    where
        F: FnOnce() -> A + Send + 'static,
        A: Future<Output = Result<Made<P>>> + Send + 'static,
    {
        let lifetimes = self.lifetimes_of(key);
        let make = move || async move { make().await.map(|made| within(made, lifetimes)).map_err(Arc::new) };
        self.posteriors.refresh(&key.0, &self.refreshes, make)
    }

    /// Ends the generation of a source; how many entries of both levels are gone for it. Those are looked for one by one.
    pub fn invalidate_source(&self, source: &str) -> u64 {
        let generation = self.generations.begin(source);
        self.opinions.invalidate(Some(source), generation) + self.posteriors.invalidate(Some(source), generation)
    }

    /// Ends the generations of all sources; how many entries of both levels are gone.
    pub fn invalidate_all(&self) -> u64 {
        let generation = self.generations.begin_all();
        self.opinions.invalidate(None, generation) + self.posteriors.invalidate(None, generation)
    }

    /// What it has done and what it holds, after whatever the stores put off is done.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats { opinions: self.opinions.stats(), posteriors: self.posteriors.stats() }
    }

    /// Ends what is being made in the background and waits until it is gone. Everything else goes on.
    pub async fn shutdown(&self) {
        self.refreshes.shutdown().await;
    }

    fn lifetime(&self, source: &str) -> Lifetime {
        self.options.lifetimes.get(source).copied().unwrap_or(self.options.lifetime)
    }

    /// An opinion is of one source.
    fn lifetime_of(&self, key: &OpinionKey) -> Lifetime {
        key.0.stamps.first().map_or(self.options.lifetime, |stamp| self.lifetime(&stamp.source))
    }

    fn lifetimes_of(&self, key: &PosteriorKey) -> Vec<Lifetime> {
        key.0.stamps.iter().map(|stamp| self.lifetime(&stamp.source)).collect()
    }
}

impl<P> fmt::Debug for Cache<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("options", &self.options).finish_non_exhaustive()
    }
}

fn asked(reply: Reply, lifetime: Lifetime) -> Made<Reply> {
    Made { cost: reply.cost, expiry: Expiry::of(lifetime), value: reply }
}

fn within<P>(made: Made<P>, lifetimes: Vec<Lifetime>) -> Made<P> {
    let expiry = lifetimes.into_iter().map(Expiry::of).fold(made.expiry, Expiry::min);
    Made { expiry, ..made }
}
