//! How a service is put together.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex};

use super::admission::Admission;
use super::{Options, Service, Sources};
use crate::engine::Engine;
use crate::error::{RequestError, Result};
use crate::orchestration::fuse::Fuser;
use crate::orchestration::ledger::Recorder;
use crate::orchestration::parallel_fusion::Fate;
use crate::orchestration::router::{Complexity, Group};
use crate::orchestration::telemetry::Telemetry;
use crate::orchestration::{Router, Source};

/// Puts a [`Service`] together.
#[must_use]
pub struct Builder<I: ?Sized> {
    engine: Arc<Engine>,
    fuser: Option<Fuser>,
    classes: usize,
    complexity: Arc<dyn Fn(&I) -> Complexity + Send + Sync>,
    options: Options,
    groups: Vec<(Group, Sources<I>)>,
    router: Option<Router>,
    recorder: Option<Arc<Recorder>>,
    telemetry: Option<Arc<Telemetry<Fate>>>,
}

impl<I: ?Sized + Send + Sync> Builder<I> {
    pub(super) fn new(
        engine: Arc<Engine>,
        classes: usize,
        complexity: Arc<dyn Fn(&I) -> Complexity + Send + Sync>,
    ) -> Self {
        let (options, groups) = (Options::default(), Vec::new());
        let (fuser, router, recorder, telemetry) = (None, None, None, None);
        Self { engine, fuser, classes, complexity, options, groups, router, recorder, telemetry }
    }

    /// Another group, with its sources.
    pub fn group(mut self, group: Group, sources: Vec<Arc<dyn Source<I>>>) -> Self {
        self.groups.push((group, sources));
        self
    }

    /// How it answers.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Goes on with a router that has learned already, in place of a new one by the options.
    pub fn router(mut self, router: Router) -> Self {
        self.router = Some(router);
        self
    }

    /// Fuses by this, which others may share; else by [`Fuser::new`] of the engine.
    pub fn fuser(mut self, fuser: Fuser) -> Self {
        self.fuser = Some(fuser);
        self
    }

    /// Records answers before they are given.
    pub fn recorder(mut self, recorder: Arc<Recorder>) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Counts, times and traces requests and calls.
    pub fn telemetry(mut self, telemetry: Arc<Telemetry<Fate>>) -> Self {
        self.telemetry = Some(telemetry);
        self
    }

    /// The service.
    ///
    /// # Errors
    ///
    /// No group in one of the roles, a group without sources, two groups or two sources of one name, a router of other
    /// groups, or options that do not fit.
    pub fn build(self) -> Result<Service<I>> {
        let Self { engine, fuser, classes, complexity, options, groups, router, recorder, telemetry } = self;
        let declared: Vec<Group> = groups.iter().map(|(group, _)| group.clone()).collect();
        let router = match router {
            Some(router) => router,
            None => Router::new(declared.clone(), options.router)?,
        };
        if let Some(missing) = declared.iter().find(|group| router.track(&group.name).is_err()) {
            let known = router.groups().iter().map(|group| &group.name[..]).collect::<Vec<_>>().join(", ");
            return Err(RequestError::UnknownName { what: "group", name: missing.name.clone(), known }.into());
        }
        let mut names = HashSet::new();
        for source in groups.iter().flat_map(|(_, sources)| sources) {
            if !names.insert(source.name().to_owned()) {
                return Err(RequestError::DuplicateName { what: "sources", name: source.name().to_owned() }.into());
            }
        }
        let most_at_once = AtomicUsize::new(options.most_at_once.max(1));
        let fuser = match fuser {
            Some(fuser) => fuser,
            None => Fuser::new(Arc::clone(&engine))?,
        };
        let service = Service {
            engine,
            fuser,
            classes,
            options,
            groups: groups.into_iter().map(|(group, sources)| (group.name, sources)).collect(),
            complexity,
            router: Mutex::new(router),
            fusions: Mutex::new(HashMap::new()),
            recorder,
            telemetry,
            admission: Admission::default(),
            most_at_once,
            draws: AtomicU64::new(0),
        };
        // What does not fit is found now and not by the first request: each group by itself, and all of them.
        for (name, _) in &service.groups {
            service.fusion(std::slice::from_ref(name))?;
        }
        service.fusion(&service.groups.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>())?;
        Ok(service)
    }
}

impl<I: ?Sized> fmt::Debug for Builder<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups: Vec<_> = self.groups.iter().map(|(group, sources)| (&group.name, sources.len())).collect();
        f.debug_struct("Builder").field("groups", &groups).field("options", &self.options).finish_non_exhaustive()
    }
}
