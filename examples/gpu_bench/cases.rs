//! What is measured: for every kernel one operation or more, each over as many items as asked for.

mod bayes;
mod beam;
mod calibration;
mod fusion;
mod inputs;
mod stacking;
mod truth;
mod vortex;

use std::time::Instant;

use consilience::Engine;
use consilience::kernel::Kernel;

use self::inputs::{STEPS, spread};
use super::agreement::Column;
use super::rivals::Composable;
use crate::Failure;

/// One operation.
pub struct Case {
    /// The kernel it spends its time in.
    pub kernel: Kernel,
    /// What is asked of it.
    pub name: String,
    /// Whether `--quick` measures it.
    pub is_quick: bool,
    /// Items of the first try.
    pub start: usize,
    /// Arithmetic operations of an item, where the kernel's own contract counts none.
    pub operations: Option<f64>,
    make: Make,
}

/// A job over so many items.
type Make = Box<dyn Fn(usize) -> Result<Box<dyn Job>, Failure>>;

impl Case {
    fn new<J: Job + 'static>(
        kernel: Kernel,
        name: impl Into<String>,
        make: impl Fn(usize) -> Result<J, Failure> + 'static,
    ) -> Self {
        let make = move |items: usize| -> Result<Box<dyn Job>, Failure> { Ok(Box::new(make(items)?)) };
        Self { kernel, name: name.into(), is_quick: false, start: 4096, operations: None, make: Box::new(make) }
    }

    /// One that `--quick` measures too.
    fn quick(self) -> Self {
        Self { is_quick: true, ..self }
    }

    /// One that `--quick` measures too, if so.
    fn quick_if(self, is_quick: bool) -> Self {
        Self { is_quick, ..self }
    }

    /// How many items are tried first.
    fn start(self, start: usize) -> Self {
        Self { start, ..self }
    }

    fn operations(self, operations: f64) -> Self {
        Self { operations: Some(operations), ..self }
    }

    /// The operation over so many items, the same on every call.
    pub fn job(&self, items: usize) -> Result<Box<dyn Job>, Failure> {
        (self.make)(items)
    }

    /// How it is called.
    pub fn title(&self) -> String {
        format!("{} {}", self.kernel, self.name)
    }
}

/// An operation over inputs of its own.
pub trait Job {
    /// From the host's memory to the host's memory.
    fn run(&mut self, engine: &Engine) -> Result<(), Failure>;

    /// What the last run answered.
    fn answer(&self) -> Vec<Column>;

    /// The same from inputs that the engine holds, uploaded here as they are now, to the host's memory, where what it answered
    /// is the last answer; `None` where the engine keeps none of their kind.
    fn held<'a>(&'a mut self, engine: &'a Engine) -> Result<Option<Held<'a>>, Failure>;

    /// What another framework can be given to compute the same.
    fn composable(&self) -> Option<Composable<'_>> {
        None
    }
}

/// An operation over inputs that an engine holds.
pub type Held<'a> = Box<dyn FnMut() -> Result<(), Failure> + 'a>;

/// A job made of a state, what is done with it, and what is then read from it.
struct Of<S, R, A> {
    state: S,
    run: R,
    answer: A,
    hold: Option<Hold<S>>,
}

/// Uploads what a state is made of.
type Hold<S> = Box<dyn Fn(&S, &Engine) -> Result<OfHeld<S>, Failure>>;

/// Does with it what is done with the state, and leaves the answer there.
type OfHeld<S> = Box<dyn FnMut(&mut S, &Engine) -> Result<(), Failure>>;

impl<S, R, A> Of<S, R, A> {
    fn new(state: S, run: R, answer: A) -> Self
    where
        R: Fn(&mut S, &Engine) -> Result<(), Failure>,
        A: Fn(&S) -> Vec<Column>,
    {
        Self { state, run, answer, hold: None }
    }

    /// How it is done from what an engine holds.
    fn held<H, F>(self, hold: H) -> Self
    where
        H: Fn(&S, &Engine) -> Result<F, Failure> + 'static,
        F: FnMut(&mut S, &Engine) -> Result<(), Failure> + 'static,
    {
        let hold =
            move |state: &S, engine: &Engine| -> Result<OfHeld<S>, Failure> { Ok(Box::new(hold(state, engine)?)) };
        Self { hold: Some(Box::new(hold)), ..self }
    }
}

impl<S, R, A> Job for Of<S, R, A>
where
    R: Fn(&mut S, &Engine) -> Result<(), Failure>,
    A: Fn(&S) -> Vec<Column>,
{
    fn run(&mut self, engine: &Engine) -> Result<(), Failure> {
        (self.run)(&mut self.state, engine)
    }

    fn answer(&self) -> Vec<Column> {
        (self.answer)(&self.state)
    }

    fn held<'a>(&'a mut self, engine: &'a Engine) -> Result<Option<Held<'a>>, Failure> {
        let Self { state, hold, .. } = self;
        let Some(hold) = hold else { return Ok(None) };
        let mut run = hold(state, engine)?;
        Ok(Some(Box::new(move || run(state, engine))))
    }
}

/// All of them; every kernel has one, but for the check of what is held, which runs before others.
pub fn all() -> Vec<Case> {
    let fusion = [fusion::cases(), stacking::cases(), calibration::cases(), truth::cases()];
    let arrays = [vortex::cases(), beam::cases(), bayes::cases()];
    fusion.into_iter().chain(arrays).flatten().collect()
}

/// Integers with all bits in use.
fn integers(items: usize) -> impl Iterator<Item = u64> + Clone {
    (1..=items as u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// How long something took, on the host's clock.
pub fn timed(work: impl FnOnce() -> Result<(), Failure>) -> Result<std::time::Duration, Failure> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}
