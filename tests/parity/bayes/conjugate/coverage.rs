//! Credible intervals hold what was drawn from the prior as often as they say: 10^5 draws of each family.

use consilience::Engine;
use consilience::bayes::{
    BetaBernoulli, DirichletCategorical, Intervals, NormalInverseGamma, NormalKnownPrecision, Samples,
};

use crate::support::engines;
use crate::support::problem::Random;

const DRAWS: usize = 100_000;
const LEVELS: [f64; 3] = [0.5, 0.9, 0.95];

/// In (0, 1), with all digits.
fn unit(random: &mut Random) -> f64 {
    ((random.bits() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

fn normal(random: &mut Random) -> f64 {
    (-2.0 * unit(random).ln()).sqrt() * (std::f64::consts::TAU * unit(random)).cos()
}

/// Of shape a >= 1 (Marsaglia and Tsang, ACM TOMS 26, 2000).
fn gamma(random: &mut Random, a: f64) -> f64 {
    let d = a - 1.0 / 3.0;
    loop {
        let x = normal(random);
        let v = (1.0 + x / (9.0 * d).sqrt()).powi(3);
        if v > 0.0 && unit(random).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// Of classes with these shares, so many draws.
fn categorical(random: &mut Random, shares: &[f64], draws: usize) -> Vec<f32> {
    let mut counts = vec![0.0; shares.len()];
    for _ in 0..draws {
        let mut left = unit(random);
        let class = shares.iter().position(|share| {
            left -= share;
            left < 0.0
        });
        counts[class.unwrap_or(shares.len() - 1)] += 1.0;
    }
    counts
}

fn engine() -> &'static Engine {
    &engines::cpus().last().expect("a CPU engine").1
}

/// The share of truths within their intervals is the level, within four standard errors.
fn covers(what: &str, level: f64, truths: &[f64], intervals: &Intervals) {
    let ends = intervals.lower.iter().zip(&intervals.upper);
    let within = truths.iter().zip(ends).filter(|(x, (low, high))| (f64::from(**low)..=f64::from(**high)).contains(x));
    let share = within.count() as f64 / truths.len() as f64;
    let error = (level * (1.0 - level) / truths.len() as f64).sqrt();
    assert_eq!(truths.len(), DRAWS);
    assert!((share - level).abs() <= 4.0 * error, "{what}: {share} of the intervals hold, {level} should");
}

#[test]
fn of_a_probability() {
    let mut random = Random::new(21);
    let (mut truths, mut successes, mut failures) = (vec![], vec![], vec![]);
    for _ in 0..DRAWS {
        let (a, b) = (gamma(&mut random, 2.0), gamma(&mut random, 3.5));
        let counts = categorical(&mut random, &[a / (a + b), b / (a + b)], 9);
        truths.push(a / (a + b));
        successes.push(counts[0]);
        failures.push(counts[1]);
    }
    let prior = BetaBernoulli::new(&[2.0; DRAWS], &[3.5; DRAWS]).expect("parameters");
    let posterior = prior.update(engine(), &successes, &failures).expect("counts");
    for level in LEVELS {
        covers("a probability", level, &truths, &posterior.credible_interval(engine(), level).expect("a level"));
    }
}

#[test]
fn of_shares() {
    let mut random = Random::new(22);
    let alpha = [1.5, 4.0, 1.0];
    let (mut truths, mut counts) = (vec![vec![]; 3], vec![0.0; 3 * DRAWS]);
    for draw in 0..DRAWS {
        let parts = alpha.map(|a| gamma(&mut random, a));
        let shares = parts.map(|part| part / parts.iter().sum::<f64>());
        let drawn = categorical(&mut random, &shares, 12);
        for k in 0..3 {
            truths[k].push(shares[k]);
            counts[k * DRAWS + draw] = drawn[k];
        }
    }
    let alpha = alpha.iter().flat_map(|&a| vec![a as f32; DRAWS]).collect();
    let posterior =
        DirichletCategorical::new(3, alpha).and_then(|prior| prior.update(engine(), &counts)).expect("counts");
    for level in LEVELS {
        let Intervals { lower, upper } = posterior.credible_interval(engine(), level).expect("a level");
        for (k, truths) in truths.iter().enumerate() {
            let part = |ends: &[f32]| ends[k * DRAWS..(k + 1) * DRAWS].to_vec();
            covers("a share", level, truths, &Intervals { lower: part(&lower), upper: part(&upper) });
        }
    }
}

/// n numbers around a mean: n, their mean and the sum of squares.
fn sample(random: &mut Random, mean: f64, deviation: f64, n: usize) -> [f32; 3] {
    let drawn: Vec<f64> = (0..n).map(|_| mean + deviation * normal(random)).collect();
    let centre = drawn.iter().sum::<f64>() / n as f64;
    [n as f32, centre as f32, drawn.iter().map(|x| (x - centre).powi(2)).sum::<f64>() as f32]
}

#[test]
fn of_a_mean_with_known_precision() {
    let mut random = Random::new(23);
    let (mut truths, mut planes) = (vec![], [const { vec![] }; 3]);
    for _ in 0..DRAWS {
        let mean = 3.0 + normal(&mut random) / 0.5_f64.sqrt();
        truths.push(mean);
        let drawn = sample(&mut random, mean, 0.5, 6);
        planes.iter_mut().zip(drawn).for_each(|(plane, x)| plane.push(x));
    }
    let prior = NormalKnownPrecision::new(vec![3.0; DRAWS], vec![0.5; DRAWS], 4.0).expect("parameters");
    let samples = Samples { count: &planes[0], mean: &planes[1], squares: &planes[2] };
    let posterior = prior.update(engine(), &samples).expect("samples");
    for level in LEVELS {
        covers("a mean", level, &truths, &posterior.credible_interval(engine(), level).expect("a level"));
    }
}

#[test]
fn of_a_mean_and_a_variance() {
    let mut random = Random::new(24);
    let (mut means, mut variances, mut planes) = (vec![], vec![], [const { vec![] }; 3]);
    for _ in 0..DRAWS {
        let variance = 5.0 / gamma(&mut random, 2.5);
        let mean = -1.0 + normal(&mut random) * (variance / 1.5).sqrt();
        means.push(mean);
        variances.push(variance);
        let drawn = sample(&mut random, mean, variance.sqrt(), 5);
        planes.iter_mut().zip(drawn).for_each(|(plane, x)| plane.push(x));
    }
    let prior = [-1.0, 1.5, 2.5, 5.0].map(|x| vec![x; DRAWS]);
    let samples = Samples { count: &planes[0], mean: &planes[1], squares: &planes[2] };
    let posterior = NormalInverseGamma::new(prior).and_then(|prior| prior.update(engine(), &samples)).expect("samples");
    for level in LEVELS {
        let intervals = posterior.credible_interval(engine(), level).expect("a level");
        covers("a mean", level, &means, &intervals.mean);
        covers("a variance", level, &variances, &intervals.variance);
    }
}
