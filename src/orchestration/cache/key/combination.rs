//! How an answer is made of several opinions, as a key knows it.

use std::sync::Arc;

use super::{Form, Hash};
use crate::error::{RequestError, Result};
use crate::orchestration::Stop;
use crate::spec::Fusion;

/// A source, and which version of it answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version {
    /// The source's name.
    pub name: Arc<str>,
    /// What changes whenever the model, its prompt or its settings do: a number, a date, a hash. Answers of one revision
    /// are never given for another.
    pub revision: Arc<[u8]>,
}

/// Everything that an answer made of several opinions depends on, besides the input and what the sources say.
#[derive(Debug, Clone, Copy)]
pub struct Recipe<'a> {
    /// Over how many classes.
    pub classes: usize,
    /// Who is asked, in the order of the fusion's weights. In another order it is another recipe.
    pub sources: &'a [Version],
    /// Who is shown what they said and judges, where there is one.
    pub judge: Option<&'a Version>,
    /// How opinions are fused, with its weights as they are now.
    pub fusion: &'a Fusion,
    /// When the rest is not waited for.
    pub stop: &'a Stop,
    /// What the confidence is multiplied by for each source that failed.
    pub penalty: f32,
    /// Whatever else an answer depends on.
    pub settings: &'a [u8],
}

/// A [`Recipe`] as a key knows it: made once, for as many inputs as there are, until something in it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combination {
    hash: Hash,
    sources: Arc<[Arc<str>]>,
}

impl Version {
    /// A version of a source.
    pub fn new(name: impl Into<Arc<str>>, revision: impl AsRef<[u8]>) -> Self {
        Self { name: name.into(), revision: Arc::from(revision.as_ref()) }
    }
}

impl Combination {
    /// The recipe as a key knows it.
    ///
    /// # Errors
    ///
    /// There are no sources.
    pub fn of(recipe: &Recipe<'_>) -> Result<Self> {
        let Recipe { classes, sources, judge, fusion, stop, penalty, settings } = *recipe;
        if sources.is_empty() {
            return Err(RequestError::NoSources.into());
        }
        let mut form = Form::new("combination");
        form.number(classes as u64).number(sources.len() as u64);
        for source in sources {
            form.version(source);
        }
        match judge {
            None => form.number(0),
            Some(judge) => form.number(1).version(judge),
        };
        form.serialised("the fusion", fusion)?.serialised("the stop rule", stop)?.float(penalty).bytes(settings);
        let names = sources.iter().chain(judge).map(|source| Arc::clone(&source.name)).collect();
        Ok(Self { hash: form.hash(), sources: names })
    }

    pub(super) const fn hash(&self) -> &Hash {
        &self.hash
    }

    /// All whose answers go into it.
    pub(super) fn sources(&self) -> &[Arc<str>] {
        &self.sources
    }
}
