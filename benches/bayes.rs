//! Posterior mathematics: special functions from 2^8 to 2^20 items with parameters between 1 and 100, points and masses
//! spread evenly; planes of evidence on up to 2^24 cells; conjugate families, normal distributions and measures of
//! information. One core, all cores and the GPU, a software driver named as such.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run ends")]

mod arrays;

use consilience::bayes::{
    CellCounts, CellEvidence, DirichletCategorical, Gaussians, InverseModel, Least, LogOddsGrid, NormalInverseGamma,
    Samples, covariance_intersection, fuse_gaussians,
};
use consilience::{Engine, Result, Timing, bayes};
use criterion::{Criterion, criterion_group, criterion_main};

use crate::arrays::{bench, engines};

const ITEMS: [usize; 4] = [1 << 8, 1 << 12, 1 << 16, 1 << 20];

/// Numbers in (0, 1), evenly spread.
fn spread(items: usize, step: f64) -> Vec<f64> {
    (1..=items).map(|i| (i as f64 * step).fract()).collect()
}

type Function = fn(&Engine, &[f32], &[f32], &[f32]) -> Result<Vec<f32>>;

const FUNCTIONS: [(&str, Function); 8] = [
    ("ln_gamma", |engine, a, _, _| bayes::ln_gamma(engine, a)),
    ("digamma", |engine, a, _, _| bayes::digamma(engine, a)),
    ("incomplete_beta", bayes::incomplete_beta),
    ("incomplete_beta_inverse", bayes::incomplete_beta_inverse),
    ("incomplete_gamma", |engine, a, x, _| bayes::incomplete_gamma(engine, a, x)),
    ("incomplete_gamma_upper", |engine, a, x, _| bayes::incomplete_gamma_upper(engine, a, x)),
    ("incomplete_gamma_inverse", |engine, a, _, p| bayes::incomplete_gamma_inverse(engine, a, p)),
    ("incomplete_gamma_upper_inverse", |engine, a, _, p| bayes::incomplete_gamma_upper_inverse(engine, a, p)),
];

fn special(c: &mut Criterion) {
    let engines = engines();
    for items in ITEMS {
        let parameters = |step| spread(items, step).iter().map(|x| (1.0 + 99.0 * x) as f32).collect::<Vec<_>>();
        let (a, b) = (parameters(0.618_033_988_749_895), parameters(0.754_877_666_246_692_7));
        let p: Vec<f32> = spread(items, 0.569_840_290_998_053_2).iter().map(|&x| x as f32).collect();
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
        let p: Vec<f32> = spread(items, 0.618_033_988_749_895).iter().map(|&x| x as f32).collect();
        let count = |x: f64| CellCounts::new((4.0 * x) as u16, (60.0 * x) as u16 % 8);
        let counts: Vec<CellCounts> = spread(items, 0.754_877_666_246_692_7).into_iter().map(count).collect();
        let hits = CellEvidence::Counts { counts: &counts, model: InverseModel { hit: 0.7, miss: 0.4 } };
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
        let plane = |step| spread(items, step).iter().map(|x| (1.0 + 99.0 * x) as f32).collect::<Vec<_>>();
        let steps = [0.618_033_988_749_895, 0.754_877_666_246_692_7, 0.569_840_290_998_053_2, 0.324_717_957_244_746];
        let planes = steps.map(plane);
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
        let source = |step: f64| {
            let mean = spread(3 * items, step).iter().map(|&x| x as f32).collect();
            let entry =
                |(place, x): (usize, &f64)| if [0, 2, 5].contains(&(place / items)) { 1.0 + x } else { 0.3 * x };
            let covariance = spread(6 * items, step).iter().enumerate().map(|it| entry(it) as f32).collect();
            Gaussians::new(3, mean, covariance).expect("planes")
        };
        let sources = [0.618_033_988_749_895, 0.754_877_666_246_692_7, 0.569_840_290_998_053_2, 0.324_717_957_244_746];
        let sources = sources.map(source);
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

/// Measures over ten classes.
fn information(c: &mut Criterion) {
    let engines = engines();
    for items in [1 << 12, 1 << 16, 1 << 20] {
        let rows = |step| {
            let mut planes: Vec<f32> = spread(10 * items, step).iter().map(|&x| x as f32).collect();
            for item in 0..items {
                let sum: f32 = planes.iter().skip(item).step_by(items).sum();
                planes.iter_mut().skip(item).step_by(items).for_each(|x| *x /= sum);
            }
            planes
        };
        let (p, q) = (rows(0.618_033_988_749_895), rows(0.754_877_666_246_692_7));
        bench(c, "bayes/information/entropy", &engines, items, 4 * 11, |engine| {
            bayes::entropy(engine, 10, &p).expect("distributions");
            Timing::default()
        });
        bench(c, "bayes/information/divergence", &engines, items, 4 * 21, |engine| {
            bayes::kl_divergence(engine, 10, &p, &q).expect("distributions");
            Timing::default()
        });
        bench(c, "bayes/information/jensen_shannon", &engines, items, 4 * 21, |engine| {
            bayes::jensen_shannon(engine, 10, &[&p, &q], &[1.0; 2]).expect("distributions");
            Timing::default()
        });
    }
}

criterion_group!(benches, special, log_odds, conjugate, gaussian, information);
criterion_main!(benches);
