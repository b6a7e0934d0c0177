//! Means and covariances by way of subspaces, on every executor against f64.

use consilience::beam::{Beams, Subspace};

use crate::support::beams::{beams, item};
use crate::support::engines;
use crate::support::problem::Random;

fn mean_and_covariance(beams: &Beams) -> ([f64; 9], [[f64; 9]; 9]) {
    let n = beams.items() as f64;
    let all: Vec<[f64; 9]> = (0..beams.items()).map(|i| item(beams.digits(), i).map(f64::from)).collect();
    let mean: [f64; 9] = std::array::from_fn(|k| all.iter().map(|x| x[k]).sum::<f64>() / n);
    let entry = |i: usize, j: usize| all.iter().map(|x| (x[i] - mean[i]) * (x[j] - mean[j])).sum::<f64>() / (n - 1.0);
    (mean, std::array::from_fn(|i| std::array::from_fn(|j| entry(i, j))))
}

fn check(name: &str, beams: &Beams, subspace: &Subspace) {
    let (mean, covariance) = mean_and_covariance(beams);
    let trace: f64 = (0..9).map(|i| covariance[i][i]).sum();
    let (values, vectors) = (subspace.variances(), subspace.directions());
    for i in 0..9 {
        assert!((subspace.mean()[i] - mean[i]).abs() <= 1e-6, "{name}: {:?}, {mean:?}", subspace.mean());
        for j in 0..9 {
            let entry: f64 = (0..9).map(|v| values[v] * vectors[v][i] * vectors[v][j]).sum();
            let off = (entry - covariance[i][j]).abs();
            assert!(off <= 1e-5 * trace + 1e-13, "{name}, ({i}, {j}): {entry}, {}", covariance[i][j]);
        }
    }
    assert!(values.windows(2).all(|pair| pair[0] >= pair[1]) && values[8] == 0.0, "{name}: {values:?}");
    let third = vectors[8].map(|x| (x - 1.0 / 3.0).abs());
    assert!(third.iter().all(|off| *off < 1e-6), "{name}: the ninth direction is (1, ..., 1): {:?}", vectors[8]);
}

#[test]
fn every_number_of_beams_around_a_block() {
    for items in [2, 15, 16, 17, 255, 256, 257, 2000] {
        let beams = beams(items, &mut Random::new(items as u64));
        for (name, engine) in engines::all() {
            check(name, &beams, &Subspace::fit(engine, &beams, 2).expect("two beams"));
        }
    }
}

#[test]
fn small_differences_around_a_large_mean() {
    // A thousandth around the mean: products of the digits themselves would lose most of it.
    let items = 3000;
    let mut random = Random::new(3);
    let mut digits = vec![1.0 / 9.0; 9 * items];
    for i in 0..items {
        let step = 1e-4 * (random.unit() - 0.5);
        digits[2 * items + i] += step;
        digits[7 * items + i] -= step;
    }
    let beams = Beams::new(&digits, &vec![0.0; 3 * items], &vec![0.0; items], &vec![0; items]).expect("beams");
    for (name, engine) in engines::all() {
        let subspace = Subspace::fit(engine, &beams, 1).expect("many beams");
        let (_, covariance) = mean_and_covariance(&beams);
        let trace: f64 = (0..9).map(|i| covariance[i][i]).sum();
        assert!((subspace.variances()[0] / trace - 1.0).abs() < 1e-3, "{name}: {:?}, {trace}", subspace.variances());
    }
}

#[test]
fn chunks_change_no_bit() {
    let beams = beams(2000, &mut Random::new(4));
    for (name, engine) in engines::all() {
        if name == "gpu" {
            let whole = Subspace::fit(engine, &beams, 3).expect("beams");
            let small = engines::gpu(Some(30_000)).expect("the same device");
            assert_eq!(Subspace::fit(&small, &beams, 3).expect("beams"), whole);
        }
    }
    let cpus: Vec<_> = engines::cpus().collect();
    let (best, threads) = (cpus[cpus.len() - 2], cpus[cpus.len() - 1]);
    let many = self::beams(100_000, &mut Random::new(5));
    let fit = |engine| Subspace::fit(engine, &many, 3).expect("beams");
    assert_eq!(fit(&best.1), fit(&threads.1), "{} and {}", best.0, threads.0);
}
