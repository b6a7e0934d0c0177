//! `bayes/*`: posterior mathematics.

use consilience::bayes::{
    self, CellCounts, CellEvidence, DirichletCategorical, Gaussians, Least, LogOddsGrid, NormalInverseGamma,
    ResidentCellEvidence, ResidentDirichletCategorical, ResidentGaussians, Samples, covariance_intersection,
    covariance_intersection_resident, fuse_gaussians, fuse_gaussians_resident,
};
use consilience::kernel::Kernel;
use consilience::{Engine, ResidentArray, Result};

use super::inputs::{self, CLASSES, FUNCTIONS, Function, MODEL, STEPS, distributions, gaussians, parameters, shares};
use super::{Case, Column, Of};

pub fn cases() -> Vec<Case> {
    let functions = FUNCTIONS.into_iter().zip(HELD);
    let special = functions.map(|((name, function), held)| special(name, function, held).quick_if(name == "ln_gamma"));
    let measures = MEASURES.map(|(name, measure, held)| information(name, measure, held).quick_if(name == "entropy"));
    let rest = [
        counts().quick(),
        probabilities(),
        dirichlet(
            "update of 4",
            |prior, engine, counts| Ok(prior.update(engine, counts)?.alpha().to_vec()),
            |prior, engine, counts| prior.update(engine, counts)?.alpha().read(engine),
        )
        .quick(),
        dirichlet("evidence of 4", DirichletCategorical::log_evidence, |prior, engine, counts| {
            prior.log_evidence(engine, counts)?.read(engine)
        }),
        normal(),
        gaussian(
            "precision of 4",
            |engine, four| fuse_gaussians(engine, four, &[1.0; 4]),
            |engine, four| fuse_gaussians_resident(engine, four, &[1.0; 4])?.read(engine),
        )
        .quick(),
        gaussian(
            "intersection of 2",
            |engine, four| Ok(covariance_intersection(engine, &four[..2], Least::Determinant)?.fused),
            |engine, four| {
                Ok(covariance_intersection_resident(engine, &four[..2], Least::Determinant)?.read(engine)?.fused)
            },
        ),
    ];
    special.chain(rest).chain(measures).collect()
}

type FunctionHeld = fn(&Engine, &[ResidentArray<f32>; 3]) -> Result<ResidentArray<f32>>;

/// [`FUNCTIONS`], in their order.
const HELD: [FunctionHeld; FUNCTIONS.len()] = [
    |engine, [a, ..]| bayes::ln_gamma_resident(engine, a),
    |engine, [a, ..]| bayes::digamma_resident(engine, a),
    |engine, [a, b, p]| bayes::incomplete_beta_resident(engine, a, b, p),
    |engine, [a, b, p]| bayes::incomplete_beta_inverse_resident(engine, a, b, p),
    |engine, [a, x, _]| bayes::incomplete_gamma_resident(engine, a, x),
    |engine, [a, x, _]| bayes::incomplete_gamma_upper_resident(engine, a, x),
    |engine, [a, _, p]| bayes::incomplete_gamma_inverse_resident(engine, a, p),
    |engine, [a, _, p]| bayes::incomplete_gamma_upper_inverse_resident(engine, a, p),
];

fn special(name: &'static str, function: Function, held: FunctionHeld) -> Case {
    type State = ([Vec<f32>; 3], Vec<f32>);
    let make = move |items: usize| {
        let given = [parameters(items, STEPS[0]), parameters(items, STEPS[1]), shares(items, STEPS[2])];
        let run = move |(given, found): &mut State, engine: &_| {
            let [a, b, p] = &given;
            *found = function(engine, a, b, p)?;
            Ok(())
        };
        // Both are within 1e-6 of the exact value, and of a mass only within 1e-11 where the complement was computed.
        let absolute = if name == "digamma" { 2e-6 } else { 2e-11 };
        let answer = move |(_, found): &State| vec![Column::close("result", found, absolute, 2e-6)];
        Ok(Of::new((given, vec![0.0; items]), run, answer).held(move |([a, b, p], _), engine| {
            let given = [engine.upload_array(a)?, engine.upload_array(b)?, engine.upload_array(p)?];
            Ok(move |(_, found): &mut State, engine: &_| Ok(held(engine, &given)?.read_into(engine, found)?))
        }))
    };
    Case::new(Kernel::Special, name, make).start(1024)
}

/// Two planes of hits and misses.
fn counts() -> Case {
    type State = (Vec<CellCounts>, LogOddsGrid);
    let make = |items: usize| {
        let run = |(counts, grid): &mut State, engine: &_| {
            let plane = CellEvidence::Counts { counts, model: MODEL };
            grid.update(engine, &[plane, plane])?;
            Ok(())
        };
        let state = (inputs::counts(items), LogOddsGrid::new(items));
        Ok(Of::new(state, run, |(_, grid): &State| log_odds(grid)).held(|(counts, grid), engine| {
            let (counts, mut held) = (engine.upload_array(counts)?, grid.upload(engine)?);
            Ok(move |(_, grid): &mut State, engine: &_| {
                let plane = ResidentCellEvidence::Counts { counts: &counts, model: MODEL };
                held.update(engine, &[plane.clone(), plane])?;
                *grid = held.read(engine)?;
                Ok(())
            })
        }))
    };
    Case::new(Kernel::LogOdds, "two planes of counts", make).start(1 << 15)
}

fn probabilities() -> Case {
    type State = (Vec<f32>, LogOddsGrid);
    let make = |items: usize| {
        let run = |(p, grid): &mut State, engine: &_| {
            grid.update(engine, &[CellEvidence::Probabilities(p)])?;
            Ok(())
        };
        let state = (shares(items, STEPS[0]), LogOddsGrid::new(items));
        Ok(Of::new(state, run, |(_, grid): &State| log_odds(grid)).held(|(p, grid), engine| {
            let (p, mut held) = (engine.upload_array(p)?, grid.upload(engine)?);
            Ok(move |(_, grid): &mut State, engine: &_| {
                held.update(engine, &[ResidentCellEvidence::Probabilities((&p).into())])?;
                *grid = held.read(engine)?;
                Ok(())
            })
        }))
    };
    Case::new(Kernel::LogOdds, "a plane of probabilities", make).start(1 << 15)
}

/// Multiples of 2^-16, a unit apart for each plane at most.
fn log_odds(grid: &LogOddsGrid) -> Vec<Column> {
    vec![Column::close("log odds", grid.log_odds(), 2.0 / 65_536.0, 2e-6)]
}

type Asked = fn(&DirichletCategorical, &Engine, &[f32]) -> Result<Vec<f32>>;

type AskedHeld = fn(&ResidentDirichletCategorical, &Engine, &ResidentArray<f32>) -> Result<Vec<f32>>;

fn dirichlet(name: &str, asked: Asked, held: AskedHeld) -> Case {
    type State = (DirichletCategorical, Vec<f32>, Vec<f32>);
    let make = move |items: usize| {
        let planes = || STEPS.iter().flat_map(|&step| parameters(items, step)).collect::<Vec<_>>();
        let run = move |(prior, counts, found): &mut State, engine: &_| {
            *found = asked(prior, engine, counts)?;
            Ok(())
        };
        let answer = |(.., found): &State| vec![Column::close("result", found, 2e-5, 2e-5)];
        let state = (DirichletCategorical::new(4, planes())?, planes(), Vec::new());
        Ok(Of::new(state, run, answer).held(move |(prior, counts, _), engine| {
            let (prior, counts) = (prior.upload(engine)?, engine.upload_planes(counts, 4)?);
            Ok(move |(.., found): &mut State, engine: &_| {
                *found = held(&prior, engine, &counts)?;
                Ok(())
            })
        }))
    };
    Case::new(Kernel::Conjugate, format!("Dirichlet {name}"), make)
}

fn normal() -> Case {
    type State = (NormalInverseGamma, [Vec<f32>; 3], Option<NormalInverseGamma>);
    let make = |items: usize| {
        let planes = STEPS.map(|step| parameters(items, step));
        let [count, mean, squares, _] = planes.clone();
        let run = |(prior, [count, mean, squares], found): &mut State, engine: &_| {
            *found = Some(prior.update(engine, &Samples { count, mean, squares })?);
            Ok(())
        };
        let answer = |(.., found): &State| {
            let Some(found) = found else { return Vec::new() };
            // Rates are sums of squares, of up to 10^6 here.
            [("mean", found.mean()), ("count", found.count()), ("shape", found.shape()), ("rate", found.rate())]
                .map(|(name, values)| Column::close(name, values, 2e-4, 4e-6))
                .to_vec()
        };
        let state = (NormalInverseGamma::new(planes)?, [count, mean, squares], None);
        Ok(Of::new(state, run, answer).held(|(prior, samples, _), engine| {
            let (prior, samples) = (prior.upload(engine)?, engine.upload_planes(&samples.concat(), 3)?);
            Ok(move |(.., found): &mut State, engine: &_| {
                *found = Some(prior.update(engine, &samples)?.read(engine)?);
                Ok(())
            })
        }))
    };
    Case::new(Kernel::Conjugate, "normal inverse gamma update", make)
}

type Fused = fn(&Engine, &[&Gaussians; 4]) -> Result<Gaussians>;

type FusedHeld = fn(&Engine, &[&ResidentGaussians; 4]) -> Result<Gaussians>;

fn gaussian(name: &str, fuse: Fused, held: FusedHeld) -> Case {
    type State = ([Gaussians; 4], Option<Gaussians>);
    let make = move |items: usize| {
        let [a, b, c, d] = STEPS;
        let sources = [gaussians(items, a)?, gaussians(items, b)?, gaussians(items, c)?, gaussians(items, d)?];
        let run = move |(sources, found): &mut State, engine: &_| {
            *found = Some(fuse(engine, &sources.each_ref())?);
            Ok(())
        };
        let answer = |(_, found): &State| {
            let Some(found) = found else { return Vec::new() };
            // Correlations have condition numbers below 10.
            let within = 2.0 * 2e-6 * 10.0;
            vec![
                Column::close("mean", found.mean(), within, 0.0),
                Column::close("covariance", found.covariance(), within, 0.0),
            ]
        };
        Ok(Of::new((sources, None), run, answer).held(move |([a, b, c, d], _), engine| {
            let sources = [a.upload(engine)?, b.upload(engine)?, c.upload(engine)?, d.upload(engine)?];
            Ok(move |(_, found): &mut State, engine: &_| {
                *found = Some(held(engine, &sources.each_ref())?);
                Ok(())
            })
        }))
    };
    Case::new(Kernel::Gaussian, name, make).start(1024)
}

type Measured = fn(&Engine, &[f32], &[f32]) -> Result<Vec<f32>>;

type MeasuredHeld = fn(&Engine, &ResidentArray<f32>, &ResidentArray<f32>) -> Result<ResidentArray<f32>>;

const MEASURES: [(&str, Measured, MeasuredHeld); 4] = [
    ("entropy", |engine, p, _| bayes::entropy(engine, CLASSES, p), |engine, p, _| bayes::entropy_resident(engine, p)),
    (
        "divergence",
        |engine, p, q| bayes::kl_divergence(engine, CLASSES, p, q),
        |engine, p, q| bayes::kl_divergence_resident(engine, p, q),
    ),
    (
        "jensen_shannon",
        |engine, p, q| bayes::jensen_shannon(engine, CLASSES, &[p, q], &[1.0; 2]),
        |engine, p, q| bayes::jensen_shannon_resident(engine, &[p.into(), q.into()], &[1.0; 2]),
    ),
    (
        "mutual_information",
        |engine, p, _| bayes::mutual_information(engine, 2, CLASSES / 2, p),
        |engine, p, _| bayes::mutual_information_resident(engine, 2, CLASSES / 2, p),
    ),
];

fn information(name: &'static str, measure: Measured, held: MeasuredHeld) -> Case {
    type State = ([Vec<f32>; 2], Vec<f32>);
    let make = move |items: usize| {
        let run = move |([p, q], found): &mut State, engine: &_| {
            *found = measure(engine, p, q)?;
            Ok(())
        };
        let answer = |(_, found): &State| vec![Column::close("result", found, 4e-6, 4e-6)];
        let state = ([0, 1].map(|source| distributions(items, STEPS[source])), vec![0.0; items]);
        Ok(Of::new(state, run, answer).held(move |([p, q], _), engine| {
            let (p, q) = (engine.upload_planes(p, CLASSES)?, engine.upload_planes(q, CLASSES)?);
            Ok(move |(_, found): &mut State, engine: &_| Ok(held(engine, &p, &q)?.read_into(engine, found)?))
        }))
    };
    Case::new(Kernel::Information, name, make)
}
