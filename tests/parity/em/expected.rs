//! `em/normalise` with expected logarithms, and `em/expect` with subtypes, as Bayesian combination of classifiers asks for them.

use consilience::truth::{Bcc, Fit, Known};
use consilience::{Engine, Result};

use super::check;
use crate::support::annotated::Annotated;
use crate::support::bcc::{Asked, bcc};
use crate::support::engines;

const IBCC: [f64; 4] = [4.0, 1.0, 1.0, 0.1];

fn asked(subtypes: usize, iterations: usize) -> Asked {
    Asked { subtypes, restarts: 1, seed: 5, parameters: IBCC, gold: Vec::new(), iterations }
}

fn fit(engine: &Engine, of: &Annotated, asked: &Asked) -> Result<Fit> {
    let [diagonal, off_diagonal, class, subtype] = asked.parameters.map(|value| value as f32);
    let method = Bcc {
        subtypes: asked.subtypes as u32,
        restarts: asked.restarts as u32,
        seed: asked.seed,
        diagonal,
        off_diagonal,
        class,
        subtype,
        max_iterations: asked.iterations as u32,
        // Nothing ends it early.
        tolerance: 0.0,
        look_every: 1,
    };
    method.fit_with(engine, &of.annotations(), &Known { gold: &asked.gold, ..Known::default() })
}

fn check_all(of: &Annotated, asked: &Asked) {
    for (name, engine) in engines::all() {
        let fit = fit(engine, of, asked).unwrap_or_else(|error| panic!("{name}: {error}"));
        let iterations = fit.iterations() as usize;
        let found = bcc(of, &Asked { iterations, ..asked.clone() });
        let case = format!("{name}: {} of {} classes, {asked:?}", of.labels.len(), of.classes);
        check(&case, of, &fit, &found, 1e-5);
    }
}

#[test]
fn one_distribution_a_source() {
    for (classes, abstains) in [(1, 0.0), (2, 0.0), (3, 0.2), (17, 0.0), (33, 0.1)] {
        check_all(&Annotated::random(400, 15, 5, classes, abstains, 13), &asked(1, 6));
    }
}

#[test]
fn parameters_small_and_large() {
    let of = Annotated::random(300, 12, 5, 3, 0.1, 14);
    for parameters in [[0.01, 0.01, 0.01, 0.01], [40.0, 7.0, 900.0, 5.0], [2.0, 1.0, 1.0, 0.001]] {
        check_all(&of, &Asked { parameters, ..asked(1, 5) });
        check_all(&of, &Asked { parameters, ..asked(2, 3) });
    }
}

#[test]
fn subtypes_of_classes() {
    for (classes, subtypes) in [(1, 3), (2, 2), (2, 10), (3, 6), (4, 5)] {
        check_all(&Annotated::random(500, 12, 5, classes, 0.1, 15), &asked(subtypes, 5));
    }
}

#[test]
fn known_classes_leave_their_subtypes() {
    let of = Annotated::random(300, 20, 4, 3, 0.0, 16);
    let gold: Vec<(u32, u32)> = (0..300).step_by(3).map(|item| (item, (of.truth[item as usize] + 1) % 3)).collect();
    check_all(&of, &Asked { gold: gold.clone(), ..asked(1, 5) });
    check_all(&of, &Asked { gold, ..asked(4, 4) });
}

#[test]
fn the_best_of_several_restarts() {
    let of = Annotated::random(300, 20, 5, 2, 0.0, 17);
    check_all(&of, &Asked { restarts: 4, ..asked(3, 4) });
}
