//! Decompositions of symmetric matrices, on every executor against what defines them, in f64.

use consilience::beam::{Eigen, eigen, eigen_into};

use crate::support::engines;
use crate::support::problem::Random;

type Matrix = [[f64; 9]; 9];

/// All places of a matrix, row by row.
fn pairs() -> impl Iterator<Item = (usize, usize)> {
    (0..9).flat_map(|i| (0..9).map(move |j| (i, j)))
}

/// Entries (i, j), i <= j, as planes of all matrices.
fn planes(matrices: &[Matrix]) -> Vec<f32> {
    pairs().filter(|(i, j)| i <= j).flat_map(|(i, j)| matrices.iter().map(move |matrix| matrix[i][j] as f32)).collect()
}

/// A symmetric matrix with entries in [-1, 1), in f32.
fn random(random: &mut Random) -> Matrix {
    let mut matrix = [[0.0; 9]; 9];
    for (i, j) in pairs().filter(|(i, j)| i <= j) {
        let entry = f64::from(2.0 * random.unit() - 1.0);
        (matrix[i][j], matrix[j][i]) = (entry, entry);
    }
    matrix
}

fn diagonal(entries: [f64; 9]) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| if i == j { entries[i] } else { 0.0 }))
}

fn outer(vector: [f64; 9]) -> Matrix {
    vector.map(|x| vector.map(|y| x * y))
}

/// Matrices whose eigenvalues are known, and some that are drawn.
fn matrices(count: usize, seed: u64) -> Vec<Matrix> {
    let mut seeds = Random::new(seed);
    let ones = [[1.0; 9]; 9];
    let mut chain = [[0.0; 9]; 9];
    for i in 0..9 {
        chain[i][i] = 2.0;
        if i > 0 {
            (chain[i][i - 1], chain[i - 1][i]) = (-1.0, -1.0);
        }
    }
    let known = [
        [[0.0; 9]; 9],
        diagonal([1.0; 9]),
        diagonal([3.0, -1.0, 2.0, 0.0, 9.0, -5.0, 2.0, 2.0, 0.5]),
        ones,
        outer([1.0, -2.0, 0.5, 0.0, 3.0, 0.25, 0.0, -1.0, 1.0]),
        chain,
        random(&mut seeds).map(|row| row.map(|x| 1e-25 * x)),
        random(&mut seeds).map(|row| row.map(|x| 1e30 * x)),
        // A covariance with one strong direction.
        std::array::from_fn(|i| std::array::from_fn(|j| 1e-6 * ones[i][j] + if i == j { 1e-4 } else { 0.0 })),
    ];
    let rest = (known.len()..count).map(|_| random(&mut seeds)).collect::<Vec<_>>();
    known.into_iter().chain(rest).take(count).collect()
}

fn check(name: &str, matrices: &[Matrix], eigen: &Eigen) {
    let items = matrices.len();
    for (item, matrix) in matrices.iter().enumerate() {
        // As it was given, in f32.
        let matrix = matrix.map(|row| row.map(|x| f64::from(x as f32)));
        let norm = matrix.as_flattened().iter().map(|x| x * x).sum::<f64>().sqrt();
        let value = |i: usize| f64::from(eigen.values()[i * items + item]);
        let vector = |i: usize, k: usize| f64::from(eigen.vectors()[(9 * i + k) * items + item]);
        for (i, j) in pairs() {
            let dot: f64 = (0..9).map(|k| vector(i, k) * vector(j, k)).sum();
            let want = f64::from(u8::from(i == j));
            assert!((dot - want).abs() <= 5e-6, "{name}, matrix {item}: vectors {i}, {j}: {dot}");
            let entry: f64 = (0..9).map(|v| value(v) * vector(v, i) * vector(v, j)).sum();
            let off = (entry - matrix[i][j]).abs();
            assert!(off <= 3e-6 * norm, "{name}, matrix {item}, entry ({i}, {j}): {entry}, {}", matrix[i][j]);
        }
        for i in 0..9 {
            assert!(i == 0 || value(i - 1) >= value(i), "{name}, matrix {item}: eigenvalues fall");
            let most = (0..9).map(|k| vector(i, k).abs()).fold(0.0, f64::max);
            let leading = (0..9).map(|k| vector(i, k)).find(|x| x.abs() >= 0.900_001 * most);
            let near = (0..9).any(|k| (vector(i, k).abs() / most - 0.9).abs() < 1e-5);
            assert!(near || leading.is_some_and(|x| x > 0.0), "{name}, matrix {item}: the sign of vector {i}");
        }
    }
}

#[test]
fn every_number_of_matrices_around_a_block() {
    for items in [0, 1, 9, 15, 16, 17, 63, 64, 65, 500] {
        let matrices = matrices(items, items as u64);
        for (name, engine) in engines::all() {
            check(name, &matrices, &eigen(engine, &planes(&matrices)).expect("numbers"));
        }
    }
}

#[test]
fn known_eigenvalues() {
    let given = matrices(6, 1);
    for (name, engine) in engines::all() {
        let eigen = eigen(engine, &planes(&given)).expect("numbers");
        let of = |item: usize| (0..9).map(|i| eigen.values()[i * 6 + item]).collect::<Vec<f32>>();
        assert_eq!((of(0), of(1)), (vec![0.0; 9], vec![1.0; 9]), "{name}");
        assert_eq!(of(2), [9.0, 3.0, 2.0, 2.0, 2.0, 0.5, 0.0, -1.0, -5.0], "{name}");
        let near = |got: Vec<f32>, want: &[f64]| got.iter().zip(want).all(|(g, w)| (f64::from(*g) - w).abs() <= 3e-5);
        let mut rank = [0.0; 9];
        rank[0] = 9.0;
        assert!(near(of(3), &rank), "{name}: {:?}", of(3));
        rank[0] = 1.0 + 4.0 + 0.25 + 9.0 + 0.0625 + 1.0 + 1.0;
        assert!(near(of(4), &rank), "{name}: {:?}", of(4));
        // A chain of nine: 2 - 2 cos(k pi / 10).
        let chain: Vec<f64> =
            (1..10).rev().map(|k| 2.0 - 2.0 * (f64::from(k) * std::f64::consts::PI / 10.0).cos()).collect();
        assert!(near(of(5), &chain), "{name}: {:?}", of(5));
        // A repeated eigenvalue leaves its space: each vector lies in it.
        let vector: Vec<f32> = (0..9).map(|k| eigen.vectors()[(9 + k) * 6 + 3]).collect();
        assert!(vector.iter().sum::<f32>().abs() < 1e-5, "{name}: {vector:?}");
    }
}

#[test]
fn a_matrix_has_the_same_bits_in_any_batch() {
    let given = matrices(200, 5);
    for (name, engine) in engines::all() {
        let whole = eigen(engine, &planes(&given)).expect("numbers");
        for item in [0, 4, 17, 63, 64, 199] {
            let alone = eigen(engine, &planes(&given[item..=item])).expect("numbers");
            let of = |values: &[f32]| values.iter().skip(item).step_by(200).copied().collect::<Vec<f32>>();
            assert_eq!(alone.values(), of(whole.values()), "{name}, matrix {item}");
            assert_eq!(alone.vectors(), of(whole.vectors()), "{name}, matrix {item}");
        }
        if name == "gpu" {
            // 64 matrices take 45 + 9 + 81 words each.
            let small = engines::gpu(Some(40_000)).expect("the same device");
            let mut cut = Eigen::default();
            let timing = eigen_into(&small, &planes(&given), &mut cut).expect("numbers");
            assert_eq!((timing.chunks, cut == whole), (4, true));
        }
    }
}

#[test]
fn what_is_no_matrix_is_named() {
    let (_, engine) = &engines::all()[0];
    let mut planes = planes(&matrices(20, 1));
    planes[3 * 20 + 7] = f32::NAN;
    let error = eigen(engine, &planes).expect_err("NaN");
    let text = "an entry of the matrix, item 7, is NaN; it is a number of at most 1e37 in magnitude";
    assert_eq!((error.to_string().as_str(), error.is_beam()), (text, true));
    planes[3 * 20 + 7] = 2e37;
    assert!(eigen(engine, &planes).is_err());
    assert!(eigen(engine, &[1.0; 46]).expect_err("no multiple of 45").is_shape());
}
