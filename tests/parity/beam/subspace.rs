//! Projection onto a subspace and magnification along it, on every executor against f64; signal and noise.

use consilience::beam::{Beams, Subspace};

use crate::support::beams::{beams, item, near};
use crate::support::engines;
use crate::support::problem::Random;

/// x + (f - 1) P (x - mean), or mean + P (x - mean).
fn oracle(subspace: &Subspace, x: [f32; 9], factor: Option<f64>) -> [f64; 9] {
    let (x, mean) = (x.map(f64::from), subspace.mean());
    let mut inside = [0.0; 9];
    for direction in &subspace.directions()[..subspace.dimensions()] {
        let along: f64 = (0..9).map(|k| direction[k] * (x[k] - mean[k])).sum();
        (0..9).for_each(|k| inside[k] += along * direction[k]);
    }
    let Some(factor) = factor else { return std::array::from_fn(|k| mean[k] + inside[k]) };
    let far: [f64; 9] = std::array::from_fn(|k| (x[k] + (factor - 1.0) * inside[k]).max(0.0));
    far.map(|y| y / far.iter().sum::<f64>())
}

/// Beams of so much noise around the uniform one, in all eight dimensions, and so much along one direction.
fn noisy(items: usize, noise: f32, signal: f32, seed: u64) -> Beams {
    let mut random = Random::new(seed);
    let mut normal = || (0..12).map(|_| random.unit()).sum::<f32>() - 6.0;
    let mut digits = vec![0.0; 9 * items];
    for i in 0..items {
        let mut z: [f32; 9] = std::array::from_fn(|_| noise * normal());
        let along = signal * normal();
        (z[0], z[4]) = (z[0] + along, z[4] - along);
        let mean = z.iter().sum::<f32>() / 9.0;
        (0..9).for_each(|k| digits[k * items + i] = (1.0 / 9.0 + z[k] - mean).max(0.0));
    }
    Beams::new(&digits, &vec![0.0; 3 * items], &vec![0.0; items], &vec![0; items]).expect("beams")
}

#[test]
fn every_number_of_items_around_a_block() {
    for items in [2, 15, 16, 17, 255, 256, 257, 2000] {
        let beams = beams(items, &mut Random::new(items as u64));
        for (name, engine) in engines::all() {
            let subspace = Subspace::fit(engine, &beams, 2).expect("beams");
            let projected = subspace.project(engine, &beams).expect("beams");
            for factor in [0.0, 1.0, 3.0, 100.0] {
                let magnified = subspace.magnify(engine, &beams, factor).expect("beams");
                for i in 0..items {
                    let want = oracle(&subspace, item(beams.digits(), i), Some(f64::from(factor)));
                    for (got, want) in item(&magnified, i).into_iter().zip(want) {
                        let within = 2e-6 * (1.0 + f64::from(factor));
                        assert!(near(got, want, within), "{name}, item {i}, {factor}: {got}, {want}");
                    }
                }
            }
            for i in 0..items {
                let want = oracle(&subspace, item(beams.digits(), i), None);
                for (got, want) in item(&projected, i).into_iter().zip(want) {
                    assert!(near(got, want, 2e-6), "{name}, item {i}: {got}, {want}");
                }
            }
        }
    }
}

#[test]
fn a_subspace_of_all_dimensions_keeps_everything() {
    let beams = beams(300, &mut Random::new(1));
    for (name, engine) in engines::all() {
        for dimensions in [8, 9] {
            let subspace = Subspace::fit(engine, &beams, dimensions).expect("beams");
            let projected = subspace.project(engine, &beams).expect("beams");
            let close = projected.iter().zip(beams.digits()).all(|(a, b)| near(*a, f64::from(*b), 2e-6));
            assert!(close, "{name}, {dimensions}");
            assert!((subspace.strength() - 1.0).abs() < 1e-9 && subspace.noise_strength() == 1.0, "{name}");
        }
    }
}

#[test]
fn noise_has_the_strength_of_noise_and_a_signal_more() {
    for items in [20, 100, 1000] {
        for (name, engine) in engines::all() {
            for dimensions in [1, 2, 5] {
                let fit = |signal, seed| {
                    let beams = noisy(items, 0.01, signal, seed);
                    Subspace::fit(engine, &beams, dimensions).expect("beams")
                };
                let excess = (0..8).map(|seed| fit(0.0, seed).excess()).sum::<f64>() / 8.0;
                assert!(excess.abs() < 0.03, "{name}, {items} beams, {dimensions} dimensions: {excess}");
                let signal = fit(0.03, 9);
                // Of eight dimensions five hold most of any noise.
                let least = if dimensions == 5 { 0.03 } else { 0.15 };
                assert!(signal.excess() > least, "{name}, {items}, {dimensions}: {}", signal.excess());
                assert!((signal.excess() + signal.noise_strength() - signal.strength()).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn what_noise_leads_to_is_known_at_the_ends() {
    let (_, engine) = &engines::all()[0];
    let noise = |items, dimensions| {
        let fitted = Subspace::fit(engine, &noisy(items, 0.01, 0.0, 3), dimensions).expect("beams");
        assert_eq!((fitted.beams(), fitted.dimensions()), (items, dimensions));
        fitted.noise_strength()
    };
    // Two beams differ in one direction; of many, noise has as much in each.
    assert!((noise(2, 1) - 1.0).abs() < 1e-12);
    assert!((noise(200_000, 3) - 3.0 / 8.0).abs() < 0.005);
    // Drawn one way or the other, the same within the error.
    assert!((noise(64, 1) - noise(65, 1)).abs() < 0.006);
    assert!(noise(10, 1) > noise(20, 1) && noise(20, 1) > noise(100, 1));
}

#[test]
fn beams_that_are_all_the_same_have_no_strength() {
    let digits = [0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1].map(|digit| [digit; 5]);
    let beams = Beams::new(digits.as_flattened(), &[0.0; 15], &[0.0; 5], &[0; 5]).expect("beams");
    for (name, engine) in engines::all() {
        let subspace = Subspace::fit(engine, &beams, 2).expect("beams");
        assert!(subspace.variances()[0] < 1e-14, "{name}: {:?}", subspace.variances());
        let magnified = subspace.magnify(engine, &beams, 10.0).expect("beams");
        assert!(magnified.iter().zip(beams.digits()).all(|(a, b)| near(*a, f64::from(*b), 2e-5)), "{name}");
    }
}

#[test]
fn a_beam_has_the_same_bits_in_any_batch() {
    let whole = beams(600, &mut Random::new(5));
    for (name, engine) in engines::all() {
        let subspace = Subspace::fit(engine, &whole, 3).expect("beams");
        let magnified = subspace.magnify(engine, &whole, 4.0).expect("beams");
        for i in [0, 17, 255, 256, 599] {
            let one = Beams::new(&item(whole.digits(), i), &[0.0; 3], &[0.0], &[0]).expect("a beam");
            let one = subspace.magnify(engine, &one, 4.0).expect("a beam");
            assert_eq!(one, item(&magnified, i), "{name}, item {i}");
        }
        if name == "gpu" {
            // A block of 256 items takes 9 + 9 words each.
            let small = engines::gpu(Some(20_000)).expect("the same device");
            let mut cut = vec![0.0; 9 * 600];
            let timing = subspace.magnify_into(&small, &whole, 4.0, &mut cut).expect("beams");
            assert_eq!((timing.chunks, cut == magnified), (3, true));
        }
    }
}

#[test]
fn what_has_no_subspace_is_named() {
    let (_, engine) = &engines::all()[0];
    for (items, dimensions) in [(0, 1), (1, 1), (5, 0), (5, 6), (20, 10)] {
        let beams = beams(items, &mut Random::new(6));
        let error = Subspace::fit(engine, &beams, dimensions).expect_err("no subspace");
        let text = format!(
            "{dimensions} dimensions from {items} beams; at least 1, at most 9 and no more than beams, of which 2 are needed"
        );
        assert_eq!((error.to_string(), error.is_beam()), (text, true));
    }
    let beams = beams(5, &mut Random::new(7));
    let subspace = Subspace::fit(engine, &beams, 2).expect("beams");
    for factor in [-1.0, f32::NAN, 1025.0] {
        assert!(subspace.magnify(engine, &beams, factor).expect_err("no factor").is_beam());
    }
    assert!(subspace.project_into(engine, &beams, &mut [0.0; 9]).expect_err("another length").is_shape());
}
