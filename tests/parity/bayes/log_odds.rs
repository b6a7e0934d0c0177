//! `bayes/log_odds`: cells on every executor against sums in f64.

use consilience::bayes::{CellCounts, CellEvidence, InverseModel, LogOddsGrid};
use consilience::kernel::bayes::log_odds::{FLOOR, MOST_OF_A_COUNT, PLANES, UNITS};
use consilience::{BayesError, Engine, ErrorKind};

use crate::support::engines;
use crate::support::problem::Random;

/// Half a unit.
const HALF: f64 = 0.5 / 65_536.0;

fn logit(p: f32) -> f64 {
    let (p, floor) = (f64::from(p), f64::from(FLOOR));
    p.max(floor).ln() - (1.0 - p).max(floor).ln()
}

/// A plane of each sort, as a test holds it.
#[derive(Debug, Clone)]
enum Plane {
    Counts(Vec<CellCounts>, InverseModel),
    LogOdds(Vec<f32>),
    Probabilities(Vec<f32>),
}

impl Plane {
    fn random(random: &mut Random, cells: usize, prior: f32) -> Self {
        let prior_log_odds = logit(prior) as f32;
        match random.below(3) {
            0 => {
                let most = if random.below(2) == 0 { 4 } else { 65_536 };
                let mut count = || random.below(most) as u16 * (random.below(2) as u16);
                let counts = (0..cells).map(|_| CellCounts::new(count(), count())).collect();
                Self::Counts(
                    counts,
                    InverseModel { hit: 0.05 + 0.9 * random.unit(), miss: 0.001 + 0.9 * random.unit() },
                )
            }
            1 => {
                let entry = |_| match random.below(4) {
                    0 => prior_log_odds,
                    1 => 1e30 * (random.unit() - 0.5),
                    _ => 20.0 * (random.unit() - 0.5),
                };
                Self::LogOdds((0..cells).map(entry).collect())
            }
            _ => {
                let entry = |_| match random.below(6) {
                    0 => prior,
                    1 => 0.0,
                    2 => 1.0,
                    3 => random.unit().powi(12),
                    _ => random.unit(),
                };
                Self::Probabilities((0..cells).map(entry).collect())
            }
        }
    }

    fn evidence(&self) -> CellEvidence<'_> {
        match self {
            Self::Counts(counts, model) => CellEvidence::Counts { counts, model: *model },
            Self::LogOdds(entries) => CellEvidence::LogOdds(entries),
            Self::Probabilities(entries) => CellEvidence::Probabilities(entries),
        }
    }

    fn part(&self, from: usize, to: usize) -> Self {
        match self {
            Self::Counts(counts, model) => Self::Counts(counts[from..to].to_vec(), *model),
            Self::LogOdds(entries) => Self::LogOdds(entries[from..to].to_vec()),
            Self::Probabilities(entries) => Self::Probabilities(entries[from..to].to_vec()),
        }
    }

    /// What it adds to a cell, and by how much that may be off.
    fn adds(&self, prior: f32, cell: usize) -> (f64, f64) {
        let within = |x: f64| x.clamp(-256.0, 256.0);
        match self {
            Self::Counts(counts, model) => {
                let terms = [(counts[cell].hits(), model.hit), (counts[cell].misses(), model.miss)];
                let most = f64::from(MOST_OF_A_COUNT / UNITS);
                let terms = terms.map(|(n, p)| (f64::from(n) * (logit(p) - logit(prior))).clamp(-most, most));
                // A product with a count is rounded to f32, as its factor is.
                (within(terms.iter().sum()), terms.iter().map(|term| HALF + 1.3e-7 * term.abs()).sum())
            }
            Self::LogOdds(entries) => (within(f64::from(entries[cell]) - logit(prior)), 2.0 * HALF),
            Self::Probabilities(entries) if entries[cell] == prior => (0.0, 0.0),
            Self::Probabilities(entries) => (logit(entries[cell]) - logit(prior), 2.0 * HALF + 2e-6 * 16.2),
        }
    }
}

fn updated(engine: &Engine, prior: f32, limits: [f32; 2], cells: usize, planes: &[Plane]) -> LogOddsGrid {
    let grid = LogOddsGrid::new(cells).with_prior(prior).and_then(|grid| grid.with_limits(limits[0], limits[1]));
    let mut grid = grid.expect("a prior between the limits");
    let evidence: Vec<CellEvidence<'_>> = planes.iter().map(Plane::evidence).collect();
    grid.update(engine, &evidence).expect("valid evidence");
    grid
}

#[test]
fn cells_hold_the_sum_in_f64() {
    let mut random = Random::new(11);
    for cells in [0, 1, 15, 16, 17, 255, 256, 257, 3000] {
        for (planes, prior, limits) in
            [(0, 0.5, [-16.0, 16.0]), (1, 0.5, [-16.0, 16.0]), (5, 0.2, [-3.0, 4.5]), (PLANES, 0.97, [-64.0, 64.0])]
        {
            let planes: Vec<Plane> = (0..planes).map(|_| Plane::random(&mut random, cells, prior)).collect();
            for (name, engine) in engines::all() {
                let grid = updated(engine, prior, limits, cells, &planes);
                let probabilities = grid.probabilities(engine).expect("a device");
                assert_eq!((grid.cells(), probabilities.len()), (cells, cells));
                for (cell, (&got, &p)) in grid.log_odds().iter().zip(&probabilities).enumerate() {
                    let mut want = (logit(prior), HALF);
                    for plane in &planes {
                        let (adds, slack) = plane.adds(prior, cell);
                        want = (want.0 + adds, want.1 + slack);
                    }
                    let exact = want.0.clamp(f64::from(limits[0]), f64::from(limits[1]));
                    let case = format!("{name}: cell {cell} of {cells}, {} planes", planes.len());
                    assert!((f64::from(got) - exact).abs() <= want.1, "{case}: {got}, not {exact}");
                    let exact = 1.0 / (1.0 + (-f64::from(got)).exp());
                    assert!((f64::from(p) - exact).abs() <= 1e-6 * exact, "{case}: {p}, not {exact}");
                }
            }
        }
    }
}

#[test]
fn neither_order_nor_device_nor_batch_changes_a_bit() {
    let mut random = Random::new(5);
    let cells = 1000;
    let planes: Vec<Plane> = (0..40).map(|_| Plane::random(&mut random, cells, 0.3)).collect();
    // Logarithms differ from device to device in their last bit.
    let exact: Vec<Plane> = planes.iter().filter(|plane| !matches!(plane, Plane::Probabilities(_))).cloned().collect();
    let of = |engine: &Engine, planes: &[Plane], cells| updated(engine, 0.3, [-50.0, 50.0], cells, planes);
    let first = of(&engines::all()[0].1, &exact, cells);
    assert!(first.log_odds().iter().any(|l| l.abs() < 49.0), "all cells are at their limits");
    for (name, engine) in engines::all() {
        assert!(of(engine, &exact, cells).log_odds() == first.log_odds(), "{name}");
        let whole = of(engine, &planes, cells);
        let shuffled: Vec<Plane> = random.shuffle(planes.len()).into_iter().map(|i| planes[i].clone()).collect();
        assert!(of(engine, &shuffled, cells).log_odds() == whole.log_odds(), "{name}: in another order");
        for (from, to) in [(0, 1), (5, 21), (255, 257), (999, 1000)] {
            let part: Vec<Plane> = planes.iter().map(|plane| plane.part(from, to)).collect();
            assert!(of(engine, &part, to - from).log_odds() == &whole.log_odds()[from..to], "{name}: {from} to {to}");
        }
        if name == "gpu" {
            let small = engines::gpu(Some(100_000)).expect("the same device");
            let mut grid = LogOddsGrid::new(cells).with_prior(0.3).expect("a prior");
            let evidence: Vec<CellEvidence<'_>> = planes.iter().map(Plane::evidence).collect();
            assert!(grid.update(&small, &evidence).expect("valid evidence").chunks > 1);
            let mut same = LogOddsGrid::new(cells).with_prior(0.3).expect("a prior");
            same.update(engine, &evidence).expect("valid evidence");
            assert!(grid.log_odds() == same.log_odds());
        }
    }
}

#[test]
fn evidence_comes_bit_by_bit_or_at_once() {
    let mut random = Random::new(8);
    let planes: Vec<Plane> = (0..4).map(|_| Plane::random(&mut random, 300, 0.5)).collect();
    for (name, engine) in engines::all() {
        let at_once = updated(engine, 0.5, [-64.0, 64.0], 300, &planes);
        let mut one_by_one = LogOddsGrid::new(300).with_limits(-64.0, 64.0).expect("limits");
        let mut beyond = vec![false; 300];
        for plane in &planes {
            one_by_one.update(engine, &[plane.evidence()]).expect("valid evidence");
            beyond.iter_mut().zip(one_by_one.log_odds()).for_each(|(beyond, l)| *beyond |= l.abs() == 64.0);
        }
        let same = at_once.log_odds().iter().zip(one_by_one.log_odds()).zip(&beyond);
        assert!(same.clone().filter(|(_, beyond)| !**beyond).count() > 30);
        assert!(same.filter(|(_, beyond)| !**beyond).all(|((a, b), _)| a == b), "{name}");
    }
}

#[test]
fn counts_stay_where_they_end() {
    let mut count = CellCounts::new(u16::MAX, 7);
    count.hit();
    count.miss();
    assert_eq!((count.hits(), count.misses()), (u16::MAX, 8));
    let mut count = CellCounts::new(3, u16::MAX);
    count.miss();
    count.hit();
    assert_eq!((count.hits(), count.misses()), (4, u16::MAX));
}

#[test]
fn bad_entries_are_named_and_change_nothing() {
    let good = vec![0.25; 700];
    let with = |value| {
        let mut entries = good.clone();
        entries[523] = value;
        entries[699] = f32::NAN;
        entries
    };
    for (name, engine) in engines::all() {
        let mut grid = LogOddsGrid::new(700);
        grid.update(engine, &[CellEvidence::Probabilities(&good)]).expect("probabilities");
        let before = grid.clone();
        let mut error = |bad: CellEvidence<'_>| {
            let error = grid.update(engine, &[CellEvidence::LogOdds(&good), bad]).expect_err("a bad entry");
            assert!(error.is_bayes() && !error.is_shape(), "{error}");
            assert_eq!(grid.log_odds(), before.log_odds(), "{name}");
            error.to_string()
        };
        for value in [f32::NAN, -0.25, 1.5, f32::INFINITY] {
            let want = format!("the probability of item 523 in plane 1 is {value}, it must be from 0 to 1");
            assert_eq!(error(CellEvidence::Probabilities(&with(value))), want, "{name}");
        }
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let want = format!("the log odds of item 523 in plane 1 is {value}, it must be finite");
            assert_eq!(error(CellEvidence::LogOdds(&with(value))), want, "{name}");
        }
    }
}

#[test]
fn what_is_no_grid_or_model_is_named() {
    for prior in [0.0, 1.0, -1.0, f32::NAN] {
        let error = LogOddsGrid::new(1).with_prior(prior).expect_err("no prior").to_string();
        assert_eq!(error, format!("the prior is {prior}, it must be above 0 and below 1"));
    }
    for (low, high) in [(-65.0, 1.0), (f32::NAN, 1.0), (-1.0, 65.0), (1.0, 2.0), (2.0, -2.0)] {
        let error = LogOddsGrid::new(1).with_limits(low, high).expect_err("no limits");
        assert!(matches!(error.kind(), ErrorKind::Bayes(BayesError::Setting { .. })), "{error}");
    }
    let (_, engine) = &engines::all()[0];
    let counts = [CellCounts::default(); 2];
    for (hit, miss) in [(1.0, 0.5), (0.5, 0.0), (f32::NAN, 0.5)] {
        let bad = CellEvidence::Counts { counts: &counts, model: InverseModel { hit, miss } };
        let error = LogOddsGrid::new(2).update(engine, &[CellEvidence::LogOdds(&[0.0; 2]), bad]).expect_err("no model");
        assert!(error.to_string().starts_with("the model's probability of a "), "{error}");
        assert!(error.to_string().contains(" in plane 1 is "), "{error}");
    }
    let many = vec![CellEvidence::LogOdds(&[0.0; 2]); PLANES + 1];
    let error = LogOddsGrid::new(2).update(engine, &many).expect_err("too many planes").to_string();
    assert_eq!(error, "there are 121 planes of evidence, one call takes 120 at most");
    let error = LogOddsGrid::new(3).update(engine, &[CellEvidence::LogOdds(&[0.0; 2])]).expect_err("a short plane");
    assert_eq!((error.to_string().as_str(), error.is_shape()), ("plane 0 has 2 entries where 3 are needed", true));
}
