//! What an answer is kept under: a hash of everything it depends on.

mod combination;
mod form;
mod input;

use std::sync::Arc;

pub use self::combination::{Combination, Recipe, Version};
use self::form::Form;
pub use self::input::Input;
use super::generations::{Generations, Stamp};
use crate::orchestration::Peer;

/// BLAKE3, 256 bits.
pub(super) type Hash = [u8; 32];

/// One question to one source, as far as its answer depends on it; the deadline is left out, because what is kept is an
/// answer that came in time.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What is to be judged.
    pub input: &'a Input,
    /// Over how many classes.
    pub classes: usize,
    /// Who is asked.
    pub source: &'a Version,
    /// Which of several askings of the same source this is, as in [`Question::attempt`](crate::orchestration::Question).
    pub attempt: u32,
    /// What others said before.
    pub peers: &'a [Peer],
}

/// What an opinion is kept under; see [`Cache::opinion_key`](super::Cache::opinion_key).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpinionKey(pub(super) Key);

/// What a fused answer is kept under; see [`Cache::posterior_key`](super::Cache::posterior_key).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PosteriorKey(pub(super) Key);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub hash: Hash,
    /// Of what it was made, in the generations of that time.
    pub stamps: Arc<[Stamp]>,
}

impl OpinionKey {
    pub(super) fn new(ask: &Ask<'_>, generations: &Generations) -> Self {
        let Ask { input, classes, source, attempt, peers } = *ask;
        let stamps = generations.stamps([&source.name]);
        let mut form = Form::new("opinion");
        form.fixed(input.hash()).number(classes as u64).version(source).number(u64::from(attempt));
        form.number(peers.len() as u64);
        for peer in peers {
            form.peer(peer);
        }
        Self(Key { hash: form.stamps(&stamps).hash(), stamps })
    }
}

impl PosteriorKey {
    pub(super) fn new(input: &Input, combination: &Combination, generations: &Generations) -> Self {
        let stamps = generations.stamps(combination.sources());
        let mut form = Form::new("posterior");
        form.fixed(input.hash()).fixed(combination.hash());
        Self(Key { hash: form.stamps(&stamps).hash(), stamps })
    }
}
