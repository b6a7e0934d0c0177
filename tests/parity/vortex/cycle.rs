//! Objects going round a path on every executor: against f64, and ticks against the closed form.

use consilience::vortex::{Cycles, Direction, Path};
use consilience::{Engine, Result};

use crate::support::engines;
use crate::support::problem::Random;

const SLOWER: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// One object's progress, hops and phase together, and how far y is from its end.
#[derive(Clone, Copy)]
struct Progress {
    hops: f64,
    phase: f64,
    y: f64,
}

/// The closed form in f64.
fn closed_form(rho: f32, hops: u32, phase: f32, velocity: f32, seconds: f32) -> Progress {
    let (q, n) = (1.0 / f64::from(rho), f64::from(hops));
    let s = f64::from(phase) + f64::from(velocity) * q.powf(-n) * f64::from(seconds);
    if rho == 1.0 {
        return Progress { hops: n + s.floor(), phase: s.fract(), y: 1.0 };
    }
    let y = 1.0 + (q - 1.0) * s;
    let made = (y.ln() / q.ln()).floor();
    Progress { hops: n + made, phase: (y / q.powf(made) - 1.0) / (q - 1.0), y }
}

/// One tick in f64.
fn tick(rho: f32, at: Progress, velocity: f32, dt: f32) -> Progress {
    let s = at.phase + f64::from(velocity) * f64::from(rho).powf(at.hops) * f64::from(dt);
    Progress { hops: at.hops + s.floor(), phase: s.fract(), y: 1.0 }
}

fn random(path: &Path, items: usize, seed: u64, fastest: f32, most_hops: usize) -> Cycles {
    let mut random = Random::new(seed);
    let places = (0..items).map(|_| random.below(path.positions().len()) as u32).collect();
    let directions =
        (0..items).map(|_| if random.below(2) == 0 { Direction::Forward } else { Direction::Backward }).collect();
    let velocities = (0..items).map(|i| if i % 50 == 7 { 0.0 } else { fastest * random.unit() }).collect();
    let hops = (0..items).map(|_| random.below(most_hops) as u32).collect();
    let phases = (0..items).map(|_| random.unit().min(0.999_999)).collect();
    let cycles = Cycles::new(path.clone(), places, directions, velocities).expect("objects");
    cycles.with_progress(hops, phases).expect("progress")
}

fn path(places: u32, rho: f32) -> Path {
    Path::new((0..places).collect(), rho).expect("a path")
}

/// That each object is where the oracle has it, and at the place to which its own hops lead.
fn check(name: &str, before: &Cycles, after: &Cycles, want: &[Progress]) {
    let length = before.path().positions().len() as i64;
    let ln_q = f64::from(before.path().rho()).ln().abs();
    for (item, want) in want.iter().enumerate() {
        let (from, to) = (before.hops()[item], after.hops()[item]);
        let (got, phase) = (f64::from(to) + f64::from(after.phases()[item]), after.phases()[item]);
        let made = want.hops + want.phase - f64::from(from);
        let within = 1e-6 * (1.0 + made) * (1.0 + f64::from(from) * ln_q / 4.0) / want.y.min(1.0);
        assert!((0.0..1.0).contains(&phase), "{name}, item {item}: phase {phase}");
        let want = want.hops + want.phase;
        assert!((got - want).abs() <= within, "{name}, item {item}: {got}, {want}, within {within:e}");
        let step = if before.directions()[item] == Direction::Forward { 1 } else { -1 };
        let place = (i64::from(before.places()[item]) + step * i64::from(to - from)).rem_euclid(length);
        assert_eq!(i64::from(after.places()[item]), place, "{name}, item {item}");
    }
}

#[test]
fn the_closed_form_is_that_of_f64() {
    for (places, rho, fastest, seconds, most_hops) in [
        (6, SLOWER, 3.0, 10.0, 40),
        (6, SLOWER, 1e6, 1e12, 3),
        (6, 1.0, 5.0, 100.0, 10_000),
        (1, 1.0, 5.0, 1e6, 1),
        (2, 0.9, 20.0, 7.5, 300),
        (7, 0.9999, 3.0, 50.0, 1000),
        (65_535, 0.25, 1e9, 1e12, 4),
        // Before all hops end: at 1 / (v (1 - 1 / 1.2)) or later.
        (6, 1.2, 2.0, 2.5, 1),
        (6, 100.0, 0.05, 0.1, 1),
    ] {
        let path = path(places, rho);
        for items in [1, 15, 16, 17, 256, 1000] {
            let before = random(&path, items, items as u64, fastest, most_hops);
            let one =
                |i: usize| closed_form(rho, before.hops()[i], before.phases()[i], before.velocities()[i], seconds);
            let want: Vec<_> = (0..items).map(one).collect();
            for (name, engine) in engines::all() {
                let mut after = before.clone();
                after.advance(engine, seconds).expect("time passes");
                check(&format!("{name}, rho {rho}, {items}"), &before, &after, &want);
            }
        }
    }
}

#[test]
fn the_hops_of_the_design() {
    // Hop n ends at (q^n - 1) / ((q - 1) v): 1, 2.414, 4.414, 7.243, 11.243, 16.899 seconds for v = 1.
    let ends: Vec<f64> = (1..=24).map(|n| (2_f64.powf(f64::from(n) / 2.0) - 1.0) / (2_f64.sqrt() - 1.0)).collect();
    assert!((ends[3] - 7.242_641).abs() < 1e-6 && (ends[5] - 16.899_495).abs() < 1e-6);
    for (name, engine) in engines::all() {
        for (n, end) in (1..).zip(&ends) {
            for (factor, hops) in [(0.9999, n - 1), (1.0001, n)] {
                for velocity in [1.0, 4.0] {
                    let mut cycle = Cycles::new(Path::flow(), vec![2], vec![Direction::Forward], vec![velocity]);
                    let cycle = cycle.as_mut().expect("an object");
                    cycle.advance(engine, (end * factor) as f32 / velocity).expect("time passes");
                    assert_eq!(cycle.hops(), [hops], "{name}: at {end}");
                    let position = [4, 8, 7, 5, 1, 2][hops as usize % 6];
                    assert_eq!(cycle.positions().collect::<Vec<_>>(), [position], "{name}: at {end}");
                }
            }
        }
    }
}

#[test]
fn ticks_are_those_of_f64() {
    for (places, rho, dt) in [(6, SLOWER, 0.75), (6, 1.0, 3.3), (5, 0.9, 0.01), (3, 1.1, 0.125)] {
        let path = path(places, rho);
        for items in [1, 16, 300] {
            let before = random(&path, items, 77 + items as u64, 4.0, 12);
            let mut want: Vec<_> = (0..items)
                .map(|i| Progress { hops: before.hops()[i].into(), phase: before.phases()[i].into(), y: 1.0 })
                .collect();
            let mut at: Vec<_> = engines::all().iter().map(|_| before.clone()).collect();
            for ticks in 1..=3 {
                for (want, &velocity) in want.iter_mut().zip(before.velocities()) {
                    // Nearer to a hop than the tolerance the speed of the next tick is one or the other.
                    *want = tick(rho, *want, velocity, dt);
                    let nearest = (want.phase - want.phase.round()).abs();
                    want.y *= if nearest < 1e-4 { 1e-3 } else { 1.0 };
                }
                for ((name, engine), at) in engines::all().iter().zip(&mut at) {
                    at.tick(engine, dt, 1).expect("a tick");
                    check(&format!("{name}, rho {rho}, tick {ticks}"), &before, at, &want);
                }
            }
            // Several ticks in one call are the same, to the bit.
            for ((name, engine), one_by_one) in engines::all().iter().zip(&at) {
                let mut together = before.clone();
                together.tick(engine, dt, 3).expect("ticks");
                assert!(together == *one_by_one, "{name}, rho {rho}, {items} items");
            }
        }
    }
}

#[test]
fn ticks_converge_to_the_closed_form_at_first_order() {
    const SECONDS: f32 = 16.0;
    let before = random(&Path::flow(), 4096, 5, 3.0, 4);
    let mean_error = |engine: &Engine, ticks: u32| {
        let mut after = before.clone();
        after.tick(engine, SECONDS / ticks as f32, ticks).expect("ticks");
        let error = |i: usize| {
            let want =
                closed_form(before.path().rho(), before.hops()[i], before.phases()[i], before.velocities()[i], SECONDS);
            (f64::from(after.hops()[i]) + f64::from(after.phases()[i]) - want.hops - want.phase).abs()
        };
        (0..before.items()).map(error).sum::<f64>() / before.items() as f64
    };
    for (name, engine) in engines::all() {
        let errors: Vec<f64> = [128, 256, 512, 1024].map(|ticks| mean_error(engine, ticks)).to_vec();
        for pair in errors.windows(2) {
            let rate = (pair[0] / pair[1]).log2();
            assert!((0.9..1.1).contains(&rate), "{name}: errors {errors:?}, order {rate}");
        }
    }
}

#[test]
fn what_moves_too_far_stays_and_is_named() {
    let items = 700;
    for (name, engine) in engines::all() {
        for closed in [false, true] {
            let pass =
                |cycles: &mut Cycles| if closed { cycles.advance(engine, 2.0) } else { cycles.tick(engine, 2.0, 1) };
            let mut hops = vec![5; items];
            (hops[523], hops[600]) = ((1 << 24) - 1, 1 << 24);
            let new = || Cycles::new(path(6, 1.0), vec![3; items], vec![Direction::Forward; items], vec![1.0; items]);
            let mut cycles = new().and_then(|c| c.with_progress(hops, vec![0.25; items])).expect("objects");
            let error = pass(&mut cycles).expect_err("too many hops");
            assert!(error.to_string().starts_with("item 523 would pass 2^24 hops"), "{name}: {error}");
            assert!(error.is_vortex());
            assert_eq!((cycles.hops()[523], cycles.places()[523], cycles.hops()[600]), ((1 << 24) - 1, 3, 1 << 24));
            assert!(cycles.hops().iter().enumerate().all(|(i, n)| [523, 600].contains(&i) || *n == 7), "{name}");
            assert!(cycles.phases().iter().all(|p| *p == 0.25), "{name}");
        }
        // All hops end after 1 / (1 - 1 / 2) = 2 seconds.
        let mut cycles = Cycles::new(path(6, 2.0), vec![0; 3], vec![Direction::Backward; 3], vec![0.5, 1.0, 4.0]);
        let cycles = cycles.as_mut().expect("objects");
        let error = cycles.advance(engine, 2.25).expect_err("no hop is left");
        assert!(error.to_string().starts_with("item 1 would"), "{name}: {error}");
        assert_eq!(cycles.hops()[1..], [0, 0]);
        assert!(cycles.hops()[0] > 0);
        // The ends of what a velocity and a time may be.
        let most = 2_f32.powi(40);
        let mut cycles =
            Cycles::new(Path::flow(), vec![0; 2], vec![Direction::Forward; 2], vec![most, f32::MIN_POSITIVE]);
        let cycles = cycles.as_mut().expect("objects");
        cycles.advance(engine, most).expect("2^80 (q - 1) has 157 hops");
        assert_eq!(cycles.hops(), [157, 0], "{name}");
        cycles.advance(engine, 0.0).and_then(|_| cycles.tick(engine, 0.0, 5)).expect("nothing");
        assert_eq!(cycles.hops(), [157, 0], "{name}");
    }
}

#[test]
fn what_is_no_object_is_named() {
    let text = |result: Result<Cycles>| result.map(|_| ()).expect_err("no object").to_string();
    let new = |places: &[u32], velocities: &[f32]| {
        Cycles::new(Path::flow(), places.to_vec(), vec![Direction::Forward; places.len()], velocities.to_vec())
    };
    let one = || new(&[0, 1], &[1.0, 2.0]).expect("objects");
    for (error, want) in [
        (text(new(&[0, 6], &[1.0; 2])), "the place of item 1 is 6; it must be below 6, the number of places"),
        (text(new(&[0, 1], &[1.0, -2.0])), "the velocity of item 1 is -2; it must be from 0 to 2^40 hops a second"),
        (text(new(&[0], &[f32::NAN])), "the velocity of item 0 is NaN; it must be from 0 to 2^40 hops a second"),
        (text(new(&[0], &[])), "velocities has 0 entries where 1 are needed"),
        (
            text(one().with_progress(vec![0; 2], vec![0.0, 1.0])),
            "the phase of item 1 is 1; it must be at least 0 and below 1",
        ),
        (
            text(one().with_progress(vec![1 << 25; 2], vec![0.0; 2])),
            "the number of hops of item 0 is 33554432; it must be at most 2^24",
        ),
        (text(one().with_progress(vec![0], vec![0.0; 2])), "hops has 1 entries where 2 are needed"),
    ] {
        assert_eq!(error, want);
    }
    for rho in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(Path::new(vec![1], rho).expect_err("no ratio").to_string().starts_with("rho is "));
    }
    assert_eq!(Path::new(vec![], 1.0).expect_err("empty").to_string(), "a path of 0 places; a path has 1 to 65,535");
    let (_, engine) = &engines::all()[0];
    for elapsed in [-1.0, f32::NAN, f32::INFINITY] {
        for result in [one().advance(engine, elapsed), one().tick(engine, elapsed, 1)] {
            assert!(result.expect_err("no time").to_string().starts_with("the time "));
        }
    }
    let mut none = new(&[], &[]).expect("no objects");
    assert_eq!(none.advance(engine, 1.0).expect("nothing moves").chunks, 0);
}

#[test]
fn chunks_change_nothing() {
    let Some(small) = engines::gpu(Some(48 + 20 * 1024 + 16)) else { return };
    let whole = engines::gpu(None).expect("the same device");
    let before = random(&Path::flow(), 3000, 9, 4.0, 10);
    let (mut cut, mut at_once) = (before.clone(), before);
    let timing = cut.tick(&small, 0.3, 4).expect("ticks");
    at_once.tick(&whole, 0.3, 4).expect("ticks");
    assert_eq!((timing.chunks, cut == at_once), (3, true));
}
