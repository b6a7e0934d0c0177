//! Posterior mathematics: special functions from 2^8 to 2^20 items with parameters between 1 and 100, points and masses
//! spread evenly; planes of evidence on up to 2^24 cells; conjugate families, normal distributions and measures of
//! information. One core, all cores and the GPU, a software driver named as such.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run ends")]

mod arrays;
#[path = "../examples/gpu_bench/cases/inputs.rs"]
mod inputs;

use consilience::bayes::{
    CellEvidence, DirichletCategorical, Least, LogOddsGrid, NormalInverseGamma, Samples, covariance_intersection,
    fuse_gaussians,
};
use consilience::{Engine, Timing, bayes};
use criterion::{Criterion, criterion_group, criterion_main};

use crate::arrays::{bench, engines};
use crate::inputs::{CLASSES, FUNCTIONS, MODEL, STEPS, counts, distributions, gaussians, parameters, shares};

const ITEMS: [usize; 4] = [1 << 8, 1 << 12, 1 << 16, 1 << 20];

fn special(c: &mut Criterion) {
    let engines = engines();
    for items in ITEMS {
        let (a, b) = (parameters(items, STEPS[0]), parameters(items, STEPS[1]));
        let p = shares(items, STEPS[2]);
        for (name, run) in FUNCTIONS {
            bench(c, &format!("bayes/{name}"), &engines, items, 16, |engine| {
                run(engine, &a, &b, &p).expect("valid arguments");
                Timing::default()
            });
        }
    }
}

/// Cells with two planes of counts, and with one of probabilities.
fn log_odds(c: &mut Criterion) {
    let engines = engines();
    for items in [1 << 12, 1 << 16, 1 << 20, 1 << 24] {
        let (p, counts) = (shares(items, STEPS[0]), counts(items));
        let hits = CellEvidence::Counts { counts: &counts, model: MODEL };
        for (name, planes) in [("counts", &[hits, hits][..]), ("probabilities", &[CellEvidence::Probabilities(&p)])] {
            let mut grid = LogOddsGrid::new(items);
            bench(c, &format!("bayes/log_odds/{name}"), &engines, items, 4 * (planes.len() + 2), |engine| {
                grid.update(engine, planes).expect("valid evidence")
            });
        }
    }
}

/// Conjugate families with parameters between 1 and 100.
fn conjugate(c: &mut Criterion) {
    let engines = engines();
    for items in [1 << 12, 1 << 16, 1 << 20] {
        let planes = STEPS.map(|step| parameters(items, step));
        let dirichlet = DirichletCategorical::new(4, planes.concat()).expect("parameters");
        let normal = NormalInverseGamma::new(planes.clone()).expect("parameters");
        let [count, mean, squares, _] = &planes;
        let samples = Samples { count, mean, squares };
        let counts = planes.concat();
        let mut run = |name: &str, words: usize, run: &dyn Fn(&Engine)| {
            bench(c, &format!("bayes/{name}"), &engines, items, 4 * words, |engine| {
                run(engine);
                Timing::default()
            });
        };
        run("dirichlet of 4/update", 12, &|engine| drop(dirichlet.update(engine, &counts).expect("counts")));
        run("dirichlet of 4/evidence", 9, &|engine| drop(dirichlet.log_evidence(engine, &counts).expect("counts")));
        run("dirichlet of 4/divergence", 9, &|engine| drop(dirichlet.divergence(engine, &dirichlet).expect("itself")));
        run("normal inverse gamma/update", 11, &|engine| drop(normal.update(engine, &samples).expect("samples")));
        run("normal inverse gamma/evidence", 8, &|engine| {
            drop(normal.log_evidence(engine, &samples).expect("samples"))
        });
    }
}

/// Four normal distributions in three dimensions, and two of them intersected.
fn gaussian(c: &mut Criterion) {
    let engines = engines();
    for items in [1 << 12, 1 << 16, 1 << 18] {
        let sources = STEPS.map(|step| gaussians(items, step).expect("planes"));
        let four = sources.each_ref();
        bench(c, "bayes/gaussian/precision of 4", &engines, items, 4 * (4 * 9 + 10), |engine| {
            fuse_gaussians(engine, &four, &[1.0; 4]).expect("distributions");
            Timing::default()
        });
        bench(c, "bayes/gaussian/intersection of 2", &engines, items, 4 * (2 * 9 + 10), |engine| {
            covariance_intersection(engine, &four[..2], Least::Determinant).expect("distributions");
            Timing::default()
        });
    }
}

/// Measures over [`CLASSES`].
fn information(c: &mut Criterion) {
    let engines = engines();
    for items in [1 << 12, 1 << 16, 1 << 20] {
        let (p, q) = (distributions(items, STEPS[0]), distributions(items, STEPS[1]));
        bench(c, "bayes/information/entropy", &engines, items, 4 * 11, |engine| {
            bayes::entropy(engine, CLASSES, &p).expect("distributions");
            Timing::default()
        });
        bench(c, "bayes/information/divergence", &engines, items, 4 * 21, |engine| {
            bayes::kl_divergence(engine, CLASSES, &p, &q).expect("distributions");
            Timing::default()
        });
        bench(c, "bayes/information/jensen_shannon", &engines, items, 4 * 21, |engine| {
            bayes::jensen_shannon(engine, CLASSES, &[&p, &q], &[1.0; 2]).expect("distributions");
            Timing::default()
        });
    }
}

criterion_group!(benches, special, log_odds, conjugate, gaussian, information);
criterion_main!(benches);
