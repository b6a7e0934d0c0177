//! `bayes/gaussian`: on every executor against inverses in f64.

mod matrix;
mod refused;

use consilience::Engine;
use consilience::bayes::{Gaussians, Least, covariance_intersection, fuse_gaussians};

use self::matrix::Matrix;
use crate::support::engines;
use crate::support::problem::Random;

/// What the contract allows, for correlation matrices of condition numbers up to 50.
const TOLERANCE: f64 = 1e-4;

/// Sources with random means and covariances; the dimensions differ in scale.
fn random(random: &mut Random, dimensions: usize, items: usize, sources: usize) -> Vec<Gaussians> {
    let scales: Vec<f64> = (0..dimensions).map(|_| 10_f64.powf(f64::from(4.0 * random.unit() - 2.0))).collect();
    let source = |random: &mut Random| {
        let mut mean = vec![0.0; dimensions * items];
        let mut covariance = vec![0.0; dimensions * (dimensions + 1) / 2 * items];
        for item in 0..items {
            let mix = Matrix::from(dimensions, |_, _| f64::from(random.unit()) - 0.5);
            let size = 10_f64.powf(f64::from(random.unit()) - 0.5);
            let product = mix.times(&mix.transposed());
            for i in 0..dimensions {
                mean[i * items + item] = (scales[i] * 3.0 * f64::from(random.unit())) as f32;
                for j in 0..=i {
                    let entry = product.at(i, j) + if i == j { 0.2 } else { 0.0 };
                    covariance[(i * (i + 1) / 2 + j) * items + item] = (entry * size * scales[i] * scales[j]) as f32;
                }
            }
        }
        Gaussians::new(dimensions, mean, covariance).expect("planes")
    };
    (0..sources).map(|_| source(random)).collect()
}

fn mean(of: &Gaussians, item: usize) -> Vec<f64> {
    of.mean().iter().skip(item).step_by(of.items()).map(|&x| f64::from(x)).collect()
}

fn covariance(of: &Gaussians, item: usize) -> Matrix {
    Matrix::from(of.dimensions(), |i, j| {
        let (i, j) = (i.max(j), i.min(j));
        f64::from(of.covariance()[(i * (i + 1) / 2 + j) * of.items() + item])
    })
}

/// The precision-weighted mean and its covariance, in f64.
fn fused(sources: &[(Vec<f64>, Matrix)], weights: &[f64]) -> (Vec<f64>, Matrix) {
    let dimensions = sources[0].0.len();
    let (mut sum, mut pull) = (Matrix::from(dimensions, |_, _| 0.0), vec![0.0; dimensions]);
    for ((mean, covariance), weight) in sources.iter().zip(weights) {
        let precision = covariance.inverse().scaled(*weight);
        sum = sum.plus(&precision);
        let part = precision.apply(mean);
        pull.iter_mut().zip(part).for_each(|(pull, part)| *pull += part);
    }
    let covariance = sum.inverse();
    (covariance.apply(&pull), covariance)
}

/// Whether mean and covariance are those wanted, in units of the deviations.
fn near(name: &str, got: &Gaussians, item: usize, (want_mean, want): &(Vec<f64>, Matrix), means: &[Vec<f64>]) {
    let (got_mean, got) = (mean(got, item), covariance(got, item));
    for i in 0..want_mean.len() {
        let deviation = want.at(i, i).sqrt();
        let far = means.iter().map(|mean| (mean[i] - want_mean[i]).abs()).fold(deviation, f64::max);
        let error = (got_mean[i] - want_mean[i]).abs();
        assert!(error <= TOLERANCE * far + 1e-6 * want_mean[i].abs(), "{name}, item {item}, mean {i}: off by {error}");
        for j in 0..=i {
            let scale = deviation * want.at(j, j).sqrt();
            let error = (got.at(i, j) - want.at(i, j)).abs() / scale;
            assert!(error <= TOLERANCE, "{name}, item {item}, covariance {i} {j}: off by {error}");
        }
    }
}

#[test]
fn precisions_add_up() {
    let mut draw = Random::new(31);
    for dimensions in 1..=6 {
        for (items, sources) in [(0, 2), (1, 1), (7, 3), (9, 2), (257, 5)] {
            let given = random(&mut draw, dimensions, items, sources);
            let weights: Vec<f32> = (0..sources).map(|_| 0.1 + draw.unit()).collect();
            let given: Vec<&Gaussians> = given.iter().collect();
            for (name, engine) in engines::all() {
                let got = fuse_gaussians(engine, &given, &weights).expect("distributions");
                assert_eq!((got.items(), got.dimensions()), (items, dimensions));
                for item in 0..items {
                    let exact: Vec<_> = given.iter().map(|one| (mean(one, item), covariance(one, item))).collect();
                    let weights: Vec<f64> = weights.iter().map(|&w| f64::from(w)).collect();
                    let means: Vec<_> = exact.iter().map(|one| one.0.clone()).collect();
                    near(name, &got, item, &fused(&exact, &weights), &means);
                }
            }
        }
    }
}

/// The least that any of so many omegas gives.
fn least(a: &Matrix, b: &Matrix, of: impl Fn(&Matrix) -> f64) -> f64 {
    let (a, b) = (a.inverse(), b.inverse());
    let at = |step: i32| f64::from(step) / 200.0;
    let all = (0..=200).map(|step| of(&a.scaled(at(step)).plus(&b.scaled(1.0 - at(step))).inverse()));
    all.fold(f64::INFINITY, f64::min)
}

#[test]
fn an_intersection_is_the_least() {
    let mut draw = Random::new(32);
    for dimensions in 1..=6 {
        let given = random(&mut draw, dimensions, 9, 2);
        for (name, engine) in engines::all() {
            for which in [Least::Determinant, Least::Trace] {
                let got = covariance_intersection(engine, &[&given[0], &given[1]], which).expect("distributions");
                for item in 0..9 {
                    let exact: Vec<_> = given.iter().map(|one| (mean(one, item), covariance(one, item))).collect();
                    let omega = f64::from(got.omega[item]);
                    let means: Vec<_> = exact.iter().map(|one| one.0.clone()).collect();
                    near(name, &got.fused, item, &fused(&exact, &[omega, 1.0 - omega]), &means);
                    let of = |p: &Matrix| match which {
                        Least::Determinant => p.determinant(),
                        Least::Trace => (0..dimensions).map(|i| p.at(i, i)).sum(),
                    };
                    let (reached, lowest) = (of(&covariance(&got.fused, item)), least(&exact[0].1, &exact[1].1, of));
                    assert!(reached <= lowest * (1.0 + 3e-4), "{name}, {which:?}: {reached} is above {lowest}");
                }
            }
        }
    }
}

#[test]
fn an_intersection_is_never_too_sure() {
    let mut draw = Random::new(33);
    for dimensions in [1, 2, 3, 6] {
        let given = random(&mut draw, dimensions, 30, 2);
        for (name, engine) in engines::all() {
            for which in [Least::Determinant, Least::Trace] {
                let got = covariance_intersection(engine, &[&given[0], &given[1]], which).expect("distributions");
                for item in 0..30 {
                    let [a, b] = [&given[0], &given[1]].map(|one| covariance(one, item));
                    let (p, omega) = (covariance(&got.fused, item), f64::from(got.omega[item]));
                    // Any correlation: the factors with a contraction between them, up to errors that are the same.
                    let rotation = Matrix::from(dimensions, |_, _| f64::from(draw.unit()) - 0.5).orthogonal();
                    let strength = [1.0, 0.9, -1.0, 0.0][item % 4];
                    let cross = a.factor().times(&rotation.scaled(strength)).times(&b.factor().transposed());
                    let left = p.times(&a.inverse()).scaled(omega);
                    let right = p.times(&b.inverse()).scaled(1.0 - omega);
                    let mixed = left.times(&cross).times(&right.transposed());
                    let truth = left.times(&a).times(&left.transposed());
                    let truth = truth.plus(&right.times(&b).times(&right.transposed()));
                    let truth = truth.plus(&mixed).plus(&mixed.transposed());
                    let slack = Matrix::from(dimensions, |i, j| if i == j { 1e-4 * p.at(i, i) } else { 0.0 });
                    let excess = p.plus(&slack).plus(&truth.scaled(-1.0));
                    assert!(excess.is_positive(), "{name}, {which:?}, item {item}: claims to know more than is known");
                }
            }
        }
    }
}

#[test]
fn more_than_two_are_intersected_in_turn() {
    let mut draw = Random::new(34);
    let given = random(&mut draw, 3, 50, 4);
    let given: Vec<&Gaussians> = given.iter().collect();
    for (name, engine) in engines::all() {
        let all = covariance_intersection(engine, &given, Least::Determinant).expect("distributions");
        let mut one_by_one = given[0].clone();
        for (step, next) in given[1..].iter().enumerate() {
            let pair =
                covariance_intersection(engine, &[&one_by_one, next], Least::Determinant).expect("distributions");
            assert_eq!(all.omega[50 * step..50 * (step + 1)], pair.omega, "{name}");
            one_by_one = pair.fused;
        }
        assert_eq!(all.fused, one_by_one, "{name}");
        let alone = covariance_intersection(engine, &given[..1], Least::Trace).expect("one distribution");
        assert_eq!((alone.omega.len(), alone.fused.mean()), (0, given[0].mean()), "{name}");
        // What says the same twice is believed once.
        let twice = covariance_intersection(engine, &[given[1]; 2], Least::Trace).expect("distributions");
        assert!(twice.omega.iter().all(|omega| *omega == 0.5), "{name}");
        for item in 0..50 {
            let same = (mean(given[1], item), covariance(given[1], item));
            near(name, &twice.fused, item, &same, std::slice::from_ref(&same.0));
        }
    }
}

#[test]
fn an_item_has_the_same_bits_in_any_batch() {
    let mut draw = Random::new(35);
    let given = random(&mut draw, 4, 600, 2);
    let part = |of: &Gaussians, from: usize, to: usize| {
        let cut = |planes: &[f32]| planes.chunks(600).flat_map(|plane| plane[from..to].to_vec()).collect();
        Gaussians::new(4, cut(of.mean()), cut(of.covariance())).expect("planes")
    };
    let both = |engine: &Engine, given: [&Gaussians; 2]| {
        let fused = fuse_gaussians(engine, &given, &[1.0, 0.5]).expect("distributions");
        (fused, covariance_intersection(engine, &given, Least::Determinant).expect("distributions"))
    };
    for (name, engine) in engines::all() {
        let whole = both(engine, [&given[0], &given[1]]);
        for (from, to) in [(0, 1), (5, 13), (255, 258), (599, 600)] {
            let got = both(engine, [&part(&given[0], from, to), &part(&given[1], from, to)]);
            assert_eq!(got.0, part(&whole.0, from, to), "{name}");
            assert_eq!(got.1.fused, part(&whole.1.fused, from, to), "{name}");
            assert_eq!(got.1.omega, whole.1.omega[from..to], "{name}");
        }
    }
}
