//! Relaxation to a fixed point, on every executor against f64.

use std::sync::LazyLock;

use consilience::beam::{ANCHORS, Beams, Digits, Relax, Relaxed};

use crate::support::beams::{beams, item, near, random};
use crate::support::engines;
use crate::support::problem::Random;

/// One T of these tests.
#[derive(Debug, Clone, Copy)]
enum Map {
    Ring,
    Anchors(f32),
    /// Rows drawn at random.
    Coupling(&'static [[f32; 9]; 9]),
}

impl Map {
    fn relax(self, alpha: f32) -> Relax {
        let relax = Relax::new(alpha).expect("below 1");
        match self {
            Self::Ring => relax,
            Self::Anchors(share) => relax.anchors(share).expect("a share"),
            Self::Coupling(rows) => relax.coupling(rows).expect("rows that sum to one"),
        }
    }

    /// T(x) in f64.
    fn of(self, position: u32, x: [f64; 9]) -> [f64; 9] {
        match self {
            Self::Ring => std::array::from_fn(|j| 0.5 * x[j] + 0.25 * (x[(j + 8) % 9] + x[(j + 1) % 9])),
            Self::Anchors(share) => {
                let anchor = ANCHORS[position as usize] as usize - 1;
                let share = f64::from(share);
                std::array::from_fn(|j| (1.0 - share) * x[j] + if j == anchor { share } else { 0.0 })
            }
            Self::Coupling(rows) => {
                let sums = rows.map(|row| row.into_iter().map(f64::from).sum::<f64>());
                std::array::from_fn(|j| (0..9).map(|i| x[i] * f64::from(rows[i][j]) / sums[i]).sum())
            }
        }
    }

    /// One step in f64.
    fn step(self, alpha: f32, position: u32, given: [f64; 9], x: [f64; 9]) -> [f64; 9] {
        let (alpha, of) = (f64::from(alpha), self.of(position, x));
        std::array::from_fn(|k| (1.0 - alpha) * given[k] + alpha * of[k])
    }
}

static ROWS: LazyLock<[[f32; 9]; 9]> = LazyLock::new(|| {
    let mut random = Random::new(9);
    std::array::from_fn(|_| {
        let row: [f32; 9] = std::array::from_fn(|_| random.unit());
        let sum: f32 = row.iter().sum();
        row.map(|x| x / sum)
    })
});

fn maps() -> [Map; 4] {
    [Map::Ring, Map::Anchors(0.2), Map::Anchors(1.0), Map::Coupling(&ROWS)]
}

fn l1(a: [f64; 9], b: [f64; 9]) -> f64 {
    a.into_iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
}

fn check(name: &str, map: Map, alpha: f32, beams: &Beams, relaxed: &Relaxed) {
    assert!(relaxed.all_converged(), "{name}, {map:?}, {alpha}");
    for i in 0..beams.items() {
        let (given, position) = (item(beams.digits(), i).map(f64::from), beams.position()[i]);
        let got = item(relaxed.digits(), i).map(f64::from);
        // It satisfies its equation, and is where a thousand steps in f64 lead from elsewhere.
        let rest = l1(got, map.step(alpha, position, given, got));
        assert!(rest <= 9.0 * 2e-6, "{name}, {map:?}, {alpha}, item {i}: {rest}");
        let mut fixed = [1.0 / 9.0; 9];
        for _ in 0..1000 {
            fixed = map.step(alpha, position, given, fixed);
        }
        let within = 9.0 * 2e-6 / (1.0 - f64::from(alpha));
        assert!(l1(got, fixed) <= within, "{name}, {map:?}, {alpha}, item {i}: {got:?}, {fixed:?}");
        assert!(near(got.iter().sum::<f64>() as f32, given.iter().sum(), within), "{name}, item {i}");
    }
}

#[test]
fn every_number_of_items_around_a_block() {
    for items in [0, 1, 15, 16, 17, 255, 256, 257, 600] {
        let beams = beams(items, &mut Random::new(items as u64));
        for map in maps() {
            for (name, engine) in engines::all() {
                let relaxed = map.relax(0.6).relax(engine, &beams).expect("beams");
                assert_eq!((relaxed.steps().len(), relaxed.changes().len()), (items, items));
                check(name, map, 0.6, &beams, &relaxed);
            }
        }
    }
}

#[test]
fn the_fixed_point_is_there_for_every_alpha_below_one() {
    let beams = beams(40, &mut Random::new(2));
    for alpha in [0.0, 1e-3, 0.3, 0.9, 0.98] {
        for map in maps() {
            for (name, engine) in engines::all() {
                let relaxed = map.relax(alpha).relax(engine, &beams).expect("beams");
                check(name, map, alpha, &beams, &relaxed);
                // No more steps than the contraction takes from a change of 1, and some for roundings.
                let most = if alpha == 0.0 { 1.0 } else { (1e-6_f32).ln() / alpha.ln() + 4.0 };
                assert!(relaxed.steps().iter().all(|steps| *steps as f32 <= most), "{name}, {map:?}, {alpha}");
                if alpha == 0.0 {
                    assert_eq!(relaxed.digits(), beams.digits(), "{name}: x0 at once");
                }
            }
        }
    }
}

#[test]
fn every_step_brings_two_starts_nearer_by_the_factor() {
    let items = 60;
    let mut seeds = Random::new(3);
    let beams = beams(items, &mut seeds);
    let of_one = |planes: Vec<f32>| {
        let sums: Vec<f32> = (0..items).map(|i| item(&planes, i).iter().sum()).collect();
        planes.into_iter().enumerate().map(|(at, x)| x / sums[at % items]).collect::<Vec<f32>>()
    };
    let starts = [of_one(random(items, &mut seeds)), of_one(random(items, &mut seeds))];
    for map in maps() {
        for (name, engine) in engines::all() {
            let alpha = 0.8;
            let (mut factor, mut before) = (0.0, Vec::new());
            for steps in 0..12 {
                let ends = starts.each_ref().map(|start| {
                    if steps == 0 {
                        return start.clone();
                    }
                    let relax =
                        map.relax(alpha).tolerance(1e-7).and_then(|relax| relax.steps(steps)).expect("in range");
                    factor = f64::from(relax.contraction());
                    let digits = Digits::new(start).expect("planes");
                    let relaxed = relax.relax_from(engine, &beams, &digits).expect("beams");
                    assert!(relaxed.steps().iter().all(|taken| *taken <= steps));
                    relaxed.digits().to_vec()
                });
                let apart = |i| l1(item(&ends[0], i).map(f64::from), item(&ends[1], i).map(f64::from));
                let now: Vec<f64> = (0..items).map(apart).collect();
                for (i, (before, now)) in before.iter().zip(&now).enumerate() {
                    assert!(*now <= factor * before + 3e-6, "{name}, {map:?}, step {steps}, item {i}: {before}, {now}");
                }
                before = now;
            }
            assert!(before.iter().all(|apart| *apart <= 2.0 * factor.powi(11) + 1e-5), "{name}, {map:?}");
        }
    }
}

#[test]
fn an_item_that_is_stopped_early_has_not_converged() {
    let beams = beams(20, &mut Random::new(4));
    for (name, engine) in engines::all() {
        let relax = Map::Anchors(0.5).relax(0.9).steps(3).expect("in range");
        let relaxed = relax.relax(engine, &beams).expect("beams");
        assert!(!relaxed.all_converged() && relaxed.steps().contains(&3), "{name}");
        for i in 0..20 {
            let (given, position) = (item(beams.digits(), i).map(f64::from), beams.position()[i]);
            let mut x = [given, given];
            for _ in 0..relaxed.steps()[i] {
                x = [x[1], Map::Anchors(0.5).step(0.9, position, given, x[1])];
            }
            assert!(l1(item(relaxed.digits(), i).map(f64::from), x[1]) < 1e-5, "{name}, item {i}");
            let change = x[0].iter().zip(x[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(near(relaxed.changes()[i], change, 1e-6), "{name}, item {i}");
        }
    }
}

#[test]
fn a_beam_has_the_same_bits_in_any_batch() {
    let whole = beams(600, &mut Random::new(5));
    for (name, engine) in engines::all() {
        let relax = Relax::new(0.9).expect("below 1");
        let relaxed = relax.relax(engine, &whole).expect("beams");
        for i in [0, 17, 255, 256, 599] {
            let position = [whole.position()[i]];
            let one = Beams::new(&item(whole.digits(), i), &[0.0; 3], &[0.0], &position).expect("a beam");
            let one = relax.relax(engine, &one).expect("a beam");
            assert_eq!(one.digits(), item(relaxed.digits(), i), "{name}, item {i}");
            assert_eq!((one.steps()[0], one.changes()[0]), (relaxed.steps()[i], relaxed.changes()[i]), "{name}");
        }
        if name == "gpu" {
            // A block of 256 items takes 9 + 1 + 9 + 2 words each.
            let small = engines::gpu(Some(23_000)).expect("the same device");
            let mut cut = Relaxed::default();
            let timing = relax.relax_into(&small, &whole, &mut cut).expect("beams");
            assert_eq!((timing.chunks, cut == relaxed), (3, true));
        }
    }
}

#[test]
fn what_need_not_converge_is_refused() {
    for (alpha, text) in [(1.0, "1"), (-0.1, "-0.1"), (f32::NAN, "NaN"), (7.0, "7")] {
        let error = Relax::new(alpha).expect_err("no contraction");
        let text = format!("alpha is {text}; it is at least 0 and below 1, else steps need not converge");
        assert_eq!((error.to_string(), error.is_beam()), (text, true));
    }
    let relax = || Relax::new(0.5).expect("below 1");
    let mut rows = [[1.0 / 9.0; 9]; 9];
    rows[3] = [0.5, 0.75, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let error = relax().coupling(&rows).expect_err("a row of 1.25").to_string();
    assert!(error.starts_with("row 4 of the coupling, [0.5, 0.75, 0.0") && error.contains("sums to 1.25;"), "{error}");
    rows[3] = [-0.5, 1.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    assert!(relax().coupling(&rows).is_err());
    rows[3] = [f32::NAN; 9];
    assert!(relax().coupling(&rows).is_err());
    assert!(relax().anchors(1.1).is_err() && relax().anchors(f32::NAN).is_err());
    assert!(relax().tolerance(0.0).is_err() && relax().tolerance(f32::NAN).is_err());
    assert!(relax().steps(0).is_err() && relax().steps(4097).is_err());
    let (_, engine) = &engines::all()[0];
    let beams = beams(2, &mut Random::new(6));
    let short = relax().relax_from(engine, &beams, &Digits::new(&[1.0; 9]).expect("one"));
    assert!(short.expect_err("one start").is_shape());
    let mut starts = [1.0; 18];
    starts[5] = f32::NAN;
    let error = relax().relax_from(engine, &beams, &Digits::new(&starts).expect("two")).expect_err("NaN");
    assert_eq!(error.to_string(), "digit 3 of the start, item 1, is NaN; digits are finite and at least 0");
}
