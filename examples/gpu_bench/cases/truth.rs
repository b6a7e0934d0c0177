//! `em/*`: ten iterations of Dawid and Skene's method, which all three kernels make together.

use consilience::Engine;
use consilience::kernel::Kernel;
use consilience::truth::{Annotations, DawidSkene};

use super::{Case, Column, Of, integers};
use crate::Failure;

const CLASSES: usize = 4;
const PER_ITEM: usize = 5;
const SOURCES: u64 = 1000;

pub fn cases() -> Vec<Case> {
    [Kernel::Expect, Kernel::Collect, Kernel::Normalise].map(case).into_iter().collect()
}

struct State {
    items: Vec<u32>,
    sources: Vec<u32>,
    labels: Vec<u32>,
    posterior: Vec<f32>,
}

impl State {
    /// So many items, seven of ten labels of which are right.
    fn new(items: usize) -> Self {
        let labelled = integers(items * PER_ITEM).map(|n| n >> 20);
        let label = |(i, n): (usize, u64)| if n % 10 < 7 { i / PER_ITEM } else { (n >> 8) as usize } % CLASSES;
        Self {
            items: (0..items * PER_ITEM).map(|i| (i / PER_ITEM) as u32).collect(),
            sources: labelled.clone().map(|n| (n % SOURCES) as u32).collect(),
            labels: labelled.enumerate().map(|n| label(n) as u32).collect(),
            posterior: Vec::new(),
        }
    }

    fn sorted(&self) -> Result<Annotations, Failure> {
        Ok(Annotations::new(CLASSES, &self.items, &self.sources, &self.labels)?)
    }

    fn fit(&mut self, engine: &Engine, annotations: &Annotations) -> Result<(), Failure> {
        let method = DawidSkene { max_iterations: 10, tolerance: 0.0, look_every: 10, ..DawidSkene::default() };
        self.posterior = method.fit(engine, annotations)?.posterior().to_vec();
        Ok(())
    }
}

/// A fit, of which one kernel is told.
fn case(kernel: Kernel) -> Case {
    let make = |items: usize| {
        let run = |state: &mut State, engine: &_| {
            let sorted = state.sorted()?;
            state.fit(engine, &sorted)
        };
        let answer = |state: &State| vec![Column::close("posterior", &state.posterior, 1e-4, 0.0)];
        Ok(Of::new(State::new(items), run, answer).held(|state, _| {
            let sorted = state.sorted()?;
            Ok(move |state: &mut State, engine: &_| state.fit(engine, &sorted))
        }))
    };
    Case::new(kernel, format!("ten iterations, {CLASSES} classes"), make).quick_if(kernel == Kernel::Expect)
}
