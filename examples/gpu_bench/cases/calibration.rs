//! `calibration/*`: a temperature, and scores, of a posterior that the engine holds.

use consilience::calibration::{Outcomes, Temperature};
use consilience::kernel::Kernel;
use consilience::{Engine, Evidence, Fusion, ResidentFused, Rule};

use super::{Case, Column, Of, STEPS, integers, spread};
use crate::Failure;

const CLASSES: usize = 10;

pub fn cases() -> Vec<Case> {
    vec![
        case(Kernel::Likelihood, "temperature", |state, engine, held| {
            let fitted = Temperature::fit_resident(engine, held, &engine.upload_array(&state.labels)?)?;
            state.found = vec![fitted.value(), fitted.nll_after() as f32];
            Ok(())
        }),
        case(Kernel::Outcome, "outcomes", |state, engine, held| {
            let outcomes = Outcomes::of_resident(engine, held, &engine.upload_array(&state.labels)?)?;
            state.found = [outcomes.truth(), outcomes.confidence()].concat();
            Ok(())
        }),
    ]
}

struct State {
    rows: Vec<f32>,
    labels: Vec<u32>,
    found: Vec<f32>,
}

impl State {
    fn new(items: usize) -> Self {
        let mut rows: Vec<f32> = spread(items * CLASSES, STEPS[0]).iter().map(|&x| 0.01 + x as f32).collect();
        for row in rows.chunks_exact_mut(CLASSES) {
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|p| *p /= sum);
        }
        let labels = integers(items).map(|n| (n >> 40) as u32 % CLASSES as u32).collect();
        Self { rows, labels, found: Vec::new() }
    }

    fn fused(&self, engine: &Engine) -> Result<ResidentFused, Failure> {
        let evidence = engine.upload(&Evidence::probabilities(CLASSES, &[&self.rows])?)?;
        Ok(engine.fuse_resident(&Fusion::new(Rule::Linear), &evidence)?)
    }
}

type What = fn(&mut State, &Engine, &ResidentFused) -> Result<(), Failure>;

fn case(kernel: Kernel, name: &str, what: What) -> Case {
    let make = move |items: usize| {
        let run = move |state: &mut State, engine: &_| {
            let held = state.fused(engine)?;
            what(state, engine, &held)
        };
        let answer = |state: &State| vec![Column::close("found", &state.found, 1e-4, 1e-3)];
        Ok(Of::new(State::new(items), run, answer).held(move |state, engine| {
            let held = state.fused(engine)?;
            Ok(move |state: &mut State, engine: &_| what(state, engine, &held))
        }))
    };
    Case::new(kernel, format!("{name}, {CLASSES} classes"), make)
}
