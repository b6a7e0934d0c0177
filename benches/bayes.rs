//! Posterior mathematics: special functions from 2^8 to 2^20 items with parameters between 1 and 100, points and masses
//! spread evenly; planes of evidence on up to 2^24 cells. One core, all cores and the GPU, a software driver named as such.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run ends")]

mod arrays;

use consilience::bayes::{CellCounts, CellEvidence, InverseModel, LogOddsGrid};
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

criterion_group!(benches, special, log_odds);
criterion_main!(benches);
