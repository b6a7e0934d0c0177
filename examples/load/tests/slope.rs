use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;

use crate::random;
use crate::slope::Slope;

/// Its variance is 1: the sum of twelve draws, less their mean.
fn normal(random: &mut SplitMix64) -> f64 {
    (0..12).map(|_| random::unit(random)).sum::<f64>() - 6.0
}

/// How often the interval holds the true slope, of lines with noise whose neighbours hang together by `rho`.
fn coverage(rho: f64, slope: f64) -> f64 {
    let mut random = SplitMix64::seed_from_u64(7);
    const RUNS: usize = 2000;
    let mut inside = 0;
    for _ in 0..RUNS {
        let mut noise = normal(&mut random);
        let points: Vec<(f64, f64)> = (0..60)
            .map(|n| {
                noise = rho * noise + (1.0 - rho * rho).sqrt() * normal(&mut random);
                (n as f64, 100.0 + slope * n as f64 + noise)
            })
            .collect();
        let found = Slope::through(&points).unwrap();
        inside += usize::from((found.low..=found.high).contains(&slope));
    }
    inside as f64 / RUNS as f64
}

#[test]
fn a_line_is_found_as_by_hand() {
    // x less its mean is -2 to 2, so the slope is (-2 * 1 - 0 + 0 + 1 + 2 * 2) / 10.
    let found = Slope::through(&[(0.0, 1.0), (1.0, 0.0), (2.0, 2.0), (3.0, 1.0), (4.0, 2.0)]).unwrap();
    assert!((found.slope - 0.3).abs() < 1e-12, "{found:?}");
    // What is left: 0.4, -0.9, 0.8, -0.5, 0.2; neighbours hang together by -1.58 / 1.9, so they are taken as independent.
    // Hence the error is sqrt(1.9 / 3 / 10), and Student's quantile for 3 degrees of freedom 3.182446.
    assert_eq!(found.correlation, 0.0);
    assert!((found.high - found.slope - 3.182_446 * (1.9_f64 / 30.0).sqrt()).abs() < 1e-5, "{found:?}");
}

#[test]
fn the_interval_holds_the_slope_as_often_as_it_says_even_where_neighbours_hang_together() {
    for slope in [0.0, 0.1] {
        for rho in [0.0, 0.4, 0.7] {
            let share = coverage(rho, slope);
            assert!((0.92..=1.0).contains(&share), "slope {slope}, correlation {rho}: {share}");
        }
    }
}

#[test]
fn exact_lines_and_too_few_points() {
    let line: Vec<(f64, f64)> = (0..10).map(|n| (n as f64, 3.0 * n as f64)).collect();
    let found = Slope::through(&line).unwrap();
    assert!(found.low > 2.999_999 && found.high < 3.000_001, "{found:?}");
    assert_eq!(Slope::through(&line[..4]), None);
    assert_eq!(Slope::through(&[(1.0, 2.0); 8]), None);
}
