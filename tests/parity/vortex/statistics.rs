//! Counts and moments by position on every executor, against f64.

use consilience::vortex::{Bin, Direction, statistics};

use crate::support::engines;
use crate::support::problem::Random;

struct Problem {
    bins: usize,
    positions: Vec<u32>,
    directions: Vec<Direction>,
    payload: Vec<f32>,
}

/// Payloads about `offset`, each bin with a spread and a slant of its own, some of them 0.
fn random(items: usize, bins: usize, channels: usize, offset: f32) -> Problem {
    let mut random = Random::new((items + bins) as u64);
    let positions: Vec<u32> = (0..items).map(|_| (random.below(bins) * random.below(3)).min(bins - 1) as u32).collect();
    let directions =
        (0..items).map(|_| if random.below(3) == 0 { Direction::Backward } else { Direction::Forward }).collect();
    let mut payload = vec![0.0; channels * items];
    for (item, &position) in positions.iter().enumerate() {
        if random.below(20) == 0 {
            continue;
        }
        let common = random.unit() - 0.5;
        for channel in 0..channels {
            payload[channel * items + item] = offset + position as f32 * common + random.unit() + channel as f32;
        }
    }
    Problem { bins, positions, directions, payload }
}

/// One bin in f64, in two passes, the cosines pair by pair.
fn oracle(problem: &Problem, bin: usize) -> Bin {
    let items = problem.positions.len();
    let channels = problem.payload.len().checked_div(items).unwrap_or(0);
    let here: Vec<usize> = (0..items).filter(|&item| problem.positions[item] as usize == bin).collect();
    let x = |item: usize, channel: usize| f64::from(problem.payload[channel * items + item]);
    let n = here.len().max(1) as f64;
    let mean: Vec<f64> = (0..channels).map(|c| here.iter().map(|&i| x(i, c)).sum::<f64>() / n).collect();
    let mut covariance = vec![0.0; channels * channels];
    for a in 0..channels {
        for b in 0..channels {
            covariance[channels * a + b] =
                here.iter().map(|&i| (x(i, a) - mean[a]) * (x(i, b) - mean[b])).sum::<f64>() / n;
        }
    }
    let rows: Vec<Vec<f64>> = here
        .iter()
        .map(|&i| (0..channels).map(|c| x(i, c)).collect::<Vec<f64>>())
        .filter(|row| row.iter().any(|x| *x != 0.0))
        .collect();
    let length = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
    let (mut cosines, mut pairs) = (0.0, 0.0);
    for (i, a) in rows.iter().enumerate() {
        for b in &rows[..i] {
            cosines += a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / (length(a) * length(b));
            pairs += 1.0;
        }
    }
    let forward = here.iter().filter(|&&i| problem.directions[i] == Direction::Forward).count() as u64;
    let intersection = if pairs > 0.0 { cosines / pairs } else { 0.0 };
    Bin { count: here.len() as u64, forward, mean, covariance, intersection }
}

fn check(name: &str, problem: &Problem, bins: &[Bin]) {
    assert_eq!(bins.len(), problem.bins);
    for (place, got) in bins.iter().enumerate() {
        let want = oracle(problem, place);
        assert_eq!((got.count, got.forward), (want.count, want.forward), "{name}, bin {place}");
        let spread = |c: usize| want.covariance[(want.mean.len() + 1) * c].sqrt() + 2.0;
        for (c, (g, w)) in got.mean.iter().zip(&want.mean).enumerate() {
            assert!((g - w).abs() <= 2e-5 * spread(c) + 1e-6 * w.abs(), "{name}, bin {place}: mean {g}, {w}");
        }
        for (i, (g, w)) in got.covariance.iter().zip(&want.covariance).enumerate() {
            let within = 6e-5 * spread(i % want.mean.len()) * spread(i / want.mean.len());
            assert!((g - w).abs() <= within, "{name}, bin {place}: covariance {g}, {w}, within {within}");
        }
        // Of two payloads the sum's rounding is that of one cosine.
        let (g, w) = (got.intersection, want.intersection);
        assert!((g - w).abs() <= 5e-5, "{name}, bin {place}: intersection {g}, {w}");
        assert_eq!((got.mean.len(), got.covariance.len()), (want.mean.len(), want.covariance.len()));
    }
}

#[test]
fn counts_and_moments_are_those_of_f64() {
    for (items, bins, channels, offset) in [
        (1, 10, 3, 0.0),
        (2, 1, 1, 0.0),
        (17, 10, 3, -0.5),
        (3000, 10, 3, 0.0),
        (4096, 10, 3, 100.0),
        (4097, 64, 5, -0.5),
        (9000, 7, 2, 3.0),
        (500, 3, 4, 0.0),
        (500, 10, 0, 0.0),
    ] {
        let problem = random(items, bins, channels, offset);
        for (name, engine) in engines::all() {
            let name = format!("{name}, {items} items, {bins} bins, {channels} channels");
            let (found, _) = statistics(engine, bins, &problem.positions, &problem.directions, &problem.payload)
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            check(&name, &problem, &found);
        }
    }
}

#[test]
fn payloads_that_meet_point_the_same_way_or_not() {
    let forward = [Direction::Forward; 6];
    // Parallel, opposite, at right angles; at 3 one alone, at 4 a pair of zeros, at 5 nothing.
    let positions = [0, 0, 1, 1, 2, 2, 3, 4, 4];
    let x = [1.0, 5.0, 1e30, -1e-30, 3.0, 0.0, 1.0, 0.0, 0.0];
    let y = [2.0, 10.0, 0.0, 0.0, 0.0, 7.0, 1.0, 0.0, 0.0];
    let payload = [x, y].concat();
    let directions = [&forward[..], &forward[..3]].concat();
    for (name, engine) in engines::all() {
        let (bins, _) = statistics(engine, 6, &positions, &directions, &payload).expect("payloads");
        for (bin, want) in bins.iter().zip([1.0, -1.0, 0.0, 0.0, 0.0, 0.0]) {
            assert!((bin.intersection - want).abs() < 1e-6, "{name}: {bins:?}");
        }
        assert_eq!((bins[5].count, bins[5].mean.as_slice()), (0, &[0.0, 0.0][..]), "{name}");
    }
}

#[test]
fn the_same_bits_in_any_chunks() {
    let problem = random(30_000, 10, 3, 1.0);
    let run = |engine| statistics(engine, 10, &problem.positions, &problem.directions, &problem.payload);
    // One thread and three of the same level add up the same blocks.
    let of = |threads: &str| {
        let best = engines::cpus().filter(|(name, _)| name.ends_with(threads)).last();
        run(&best.expect("a CPU engine").1).expect("payloads").0
    };
    assert_eq!(of("x 1"), of("x 3"));
    let Some(small) = engines::gpu(Some(200_000)) else { return };
    let whole = engines::gpu(None).expect("the same device");
    let ((cut, timing), (at_once, _)) = (run(&small).expect("payloads"), run(&whole).expect("payloads"));
    assert!(timing.chunks > 2 && cut == at_once, "{} chunks", timing.chunks);
}

#[test]
fn what_counts_nowhere_is_named() {
    let mut problem = random(9000, 10, 3, 0.0);
    (problem.positions[8000], problem.payload[9000 + 5001]) = (10, f32::NEG_INFINITY);
    for (name, engine) in engines::all() {
        let text = |problem: &Problem, bins| {
            let result = statistics(engine, bins, &problem.positions, &problem.directions, &problem.payload);
            result.expect_err("something counts nowhere").to_string()
        };
        let found = text(&problem, 10);
        assert_eq!(found, "channel 1 of the payload of item 5001 is -inf; payloads are finite", "{name}");
        let kept = std::mem::take(&mut problem.payload[9000 + 5001]);
        assert_eq!(text(&problem, 10), "item 8000 is at position 10; positions of the ring are 0 to 9", "{name}");
        problem.payload[9000 + 5001] = kept;
        assert_eq!(text(&problem, 65), "the number of bins is 65; it is at most 64");
        let empty = statistics(engine, 3, &[], &[], &[]).expect("nothing").0;
        assert!(empty.len() == 3 && empty.iter().all(|bin| bin.count == 0), "{name}");
    }
    let (_, engine) = &engines::all()[0];
    let direction = [Direction::Forward];
    for (directions, payload, text) in [
        (&direction[..0], &[0.0][..], "directions has 0 entries where 1 are needed"),
        (&direction[..], &[0.0; 6][..], "the number of channels is 6; it is at most 5"),
    ] {
        assert_eq!(statistics(engine, 1, &[0], directions, payload).expect_err("no fit").to_string(), text);
    }
    assert!(statistics(engine, 2, &[0, 1], &[Direction::Forward; 2], &[0.0; 3]).expect_err("ragged").is_shape());
}
