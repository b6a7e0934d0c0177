//! `bayes/special`: against statrs in f64 where that is good, and against values of an integration in 40 digits (mpmath)
//! where parameters are extreme.

use consilience::kernel::bayes::special::{LARGEST, LARGEST_ARGUMENT, SMALLEST};
use consilience::{BayesError, Engine, ErrorKind, Result, bayes};
use statrs::function::{beta, gamma};

use crate::support::engines;

/// The contract's.
const TOLERANCE: f64 = 1e-6;

/// The worst of all items: relative, or absolute where the value is below `floor`.
struct Worst {
    error: f64,
    text: String,
}

fn worst(arguments: &[&[f32]], got: &[f32], want: impl Fn(&[f64]) -> f64, floor: f64) -> Worst {
    let mut worst = Worst { error: 0.0, text: "every item is exact".to_owned() };
    for (item, &got) in got.iter().enumerate() {
        let at: Vec<f64> = arguments.iter().map(|argument| f64::from(argument[item])).collect();
        let (got, want) = (f64::from(got), want(&at));
        let error = if got == want { 0.0 } else { (got - want).abs() / want.abs().max(floor) };
        if error > worst.error || error.is_nan() {
            worst = Worst { error, text: format!("at {at:?}: {got:e}, not {want:e}") };
            if error.is_nan() {
                return worst;
            }
        }
    }
    worst
}

/// Every engine's worst error is within the tolerance.
fn check(
    name: &str,
    arguments: &[&[f32]],
    run: impl Fn(&Engine) -> Result<Vec<f32>>,
    want: impl Fn(&[f64]) -> f64,
    floor: f64,
) {
    for (engine_name, engine) in engines::all() {
        let got = run(engine).expect("valid arguments");
        assert_eq!(got.len(), arguments[0].len());
        let worst = worst(arguments, &got, &want, floor);
        assert!(worst.error <= TOLERANCE, "{name} on {engine_name}: off by {:.2e} {}", worst.error, worst.text);
    }
}

/// `len` values from `low` to `high`, each as many times the one before.
fn geometric(low: f32, high: f32, len: usize) -> Vec<f32> {
    let ratio = (f64::from(high) / f64::from(low)).ln();
    let at = |i: usize| (f64::from(low) * (ratio * i as f64 / (len - 1) as f64).exp()) as f32;
    (0..len).map(|i| at(i).clamp(low, high)).collect()
}

/// Pairs of parameters and, for each, points that spread over the distribution.
fn beta_grid(shares: &[f32]) -> [Vec<f32>; 3] {
    let parameters = geometric(SMALLEST, 1000.0, 19);
    let mut grid = [vec![], vec![], vec![]];
    for &a in &parameters {
        for &b in &parameters {
            for &share in shares {
                grid[0].push(a);
                grid[1].push(b);
                grid[2].push(share);
            }
        }
    }
    grid
}

#[test]
fn ln_gamma_is_that_of_f64() {
    let mut x = geometric(f32::MIN_POSITIVE, 1e36, 4000);
    x.extend(geometric(0.1, 20.0, 4000));
    // Both sides of the zeros and of the seams between the formulas.
    for centre in [0.5f32, 1.0, 1.5, 2.0, 2.5, 3.5, 8.0] {
        x.extend((0..200).map(|step| f32::from_bits(centre.to_bits() + step * step - 20_000 + 100 * step)));
    }
    x.extend([f32::MIN_POSITIVE, LARGEST_ARGUMENT, 1.0, 2.0]);
    // Of the library's own value near its zeros only the absolute error is small.
    check("ln gamma", &[&x], |engine| bayes::ln_gamma(engine, &x), |x| ln_gamma(x[0]), 1e-9);
}

/// The library's away from its zeros, DLMF 5.7.3 around them: there it keeps its leading digits.
fn ln_gamma(x: f64) -> f64 {
    const ZETA: [f64; 12] = [
        1.644_934_066_848_226_4,
        1.202_056_903_159_594_3,
        1.082_323_233_711_138_2,
        1.036_927_755_143_37,
        1.017_343_061_984_449,
        1.008_349_277_381_922_8,
        1.004_077_356_197_944_3,
        1.002_008_392_826_082_2,
        1.000_994_575_127_818,
        1.000_494_188_604_119_5,
        1.000_246_086_553_308,
        1.000_122_713_347_578_5,
    ];
    const EULER: f64 = 0.577_215_664_901_532_9;
    let above_two = |z: f64| {
        let term = |(zeta, k): (&f64, i32)| (zeta - 1.0) * (-z).powi(k) / f64::from(k);
        (1.0 - EULER) * z + ZETA.iter().zip(2..).map(term).sum::<f64>()
    };
    match x {
        _ if (x - 2.0).abs() < 0.1 => above_two(x - 2.0),
        _ if (x - 1.0).abs() < 0.1 => above_two(x - 1.0) - (x - 1.0).ln_1p(),
        _ => gamma::ln_gamma(x),
    }
}

#[test]
fn digamma_is_that_of_f64() {
    let mut x = geometric(1e-30, 1e30, 4000);
    x.extend(geometric(0.1, 20.0, 4000));
    x.extend([f32::MIN_POSITIVE, 1.461_632_1, LARGEST_ARGUMENT]);
    check("digamma", &[&x], |engine| bayes::digamma(engine, &x), |x| gamma::digamma(x[0]), 1.0);
}

#[test]
fn incomplete_beta_is_that_of_f64() {
    let [a, b, share] = beta_grid(&[1e-30, 1e-6, 0.01, 0.2, 0.5, 0.7, 0.99, 0.999_999]);
    // Half of the points as they are, half near the mean.
    let x: Vec<f32> = (a.iter().zip(&b).zip(&share).enumerate())
        .map(|(item, ((a, b), share))| match item % 2 {
            0 => *share,
            _ => (a / (a + b) * (0.5 + share)).clamp(1e-30, 0.999_999),
        })
        .collect();
    let want = |at: &[f64]| {
        let [a, b, x] = [at[0], at[1], at[2]];
        if x == 0.0 { 0.0 } else { beta::beta_reg(a, b, x) }
    };
    check("I_x(a, b)", &[&a, &b, &x], |engine| bayes::incomplete_beta(engine, &a, &b, &x), want, 1e-30);
}

#[test]
fn incomplete_gamma_is_that_of_f64() {
    let mut grid = [vec![], vec![]];
    for a in geometric(SMALLEST, 1000.0, 37) {
        for factor in geometric(1e-6, 100.0, 41) {
            grid[0].push(a);
            grid[1].push(a * factor);
        }
    }
    let [a, x] = grid;
    let below = |at: &[f64]| gamma::gamma_lr(at[0], at[1]);
    check("P(a, x)", &[&a, &x], |engine| bayes::incomplete_gamma(engine, &a, &x), below, 1e-30);
    let above = |at: &[f64]| gamma::gamma_ur(at[0], at[1]);
    check("Q(a, x)", &[&a, &x], |engine| bayes::incomplete_gamma_upper(engine, &a, &x), above, 1e-30);
}

/// a, b, x and I_x(a, b).
const BETA: [(f32, f32, f32, f64); 10] = [
    (1e6, 1e6, 0.5, 0.5),
    (1e6, 1e6, 0.498_5, 1.104_334_395_19e-5),
    (1e6, 1.0, 0.999_999, 0.363_026_489_137),
    (2e4, 3e5, 0.061_5, 0.009_473_898_780_18),
    (2e4, 3e5, 0.063, 0.878_538_236_105),
    (0.001, 0.001, 0.25, 0.499_451_507_493),
    (0.001, 1e6, 1e-30, 0.946_782_720_693),
    (1e5, 0.01, 0.999_99, 0.002_211_216_714_26),
    (3.0, 1e6, 1e-6, 0.080_301_672_516_9),
    (0.5, 0.5, 1e-30, 6.366_197_733_77e-16),
];

/// a, x, P(a, x) and Q(a, x).
const GAMMA: [(f32, f32, f64, f64); 10] = [
    (1e6, 1e6, 0.500_132_980_761, 0.499_867_019_239),
    (1e6, 995_500.0, 3.296_304_014_2e-6, 0.999_996_703_696),
    (1e6, 1_004_600.0, 0.999_997_818_531, 2.181_468_935_79e-6),
    (1e5, 99_000.0, 0.000_757_419_921_175, 0.999_242_580_079),
    (3e4, 30_100.0, 0.718_581_914_789, 0.281_418_085_211),
    (0.001, 1e-30, 0.933_792_374_623, 0.066_207_625_376_6),
    (0.001, 0.5, 0.999_439_933_317, 0.000_560_066_683_086),
    (0.001, 3.0, 0.999_986_926_86, 1.307_314_042_33e-5),
    (0.5, 1e-20, 1.128_379_149_19e-10, 0.999_999_999_887),
    (0.5, 60.0, 1.0, 6.326_068_263_68e-28),
];

#[test]
fn extreme_parameters_give_the_values_of_an_integration() {
    let [a, b, x] = [BETA.map(|row| row.0), BETA.map(|row| row.1), BETA.map(|row| row.2)];
    let beta = |at: &[f64]| lookup(BETA.iter().map(|row| ([row.0, row.1, row.2], row.3)), at);
    check("I_x(a, b)", &[&a, &b, &x], |engine| bayes::incomplete_beta(engine, &a, &b, &x), beta, 0.0);
    let [a, x] = [GAMMA.map(|row| row.0), GAMMA.map(|row| row.1)];
    let below = |at: &[f64]| lookup(GAMMA.iter().map(|row| ([row.0, row.1], row.2)), at);
    check("P(a, x)", &[&a, &x], |engine| bayes::incomplete_gamma(engine, &a, &x), below, 0.0);
    let above = |at: &[f64]| lookup(GAMMA.iter().map(|row| ([row.0, row.1], row.3)), at);
    check("Q(a, x)", &[&a, &x], |engine| bayes::incomplete_gamma_upper(engine, &a, &x), above, 0.0);
}

/// The value of the row with these arguments.
fn lookup<const N: usize>(mut rows: impl Iterator<Item = ([f32; N], f64)>, at: &[f64]) -> f64 {
    rows.find(|(arguments, _)| arguments.map(f64::from) == at).expect("a row").1
}

#[test]
fn beta_quantiles_have_their_mass_below_them() {
    let [a, b, p] = beta_grid(&[1e-20, 1e-6, 0.025, 0.3, 0.5, 0.8, 0.975, 0.999_999]);
    for (name, engine) in engines::all() {
        let x = bayes::incomplete_beta_inverse(engine, &a, &b, &p).expect("valid arguments");
        for (item, &x) in x.iter().enumerate() {
            let [a, b, p, x] = [a[item], b[item], p[item], x].map(f64::from);
            let case = format!("{name}: a {a}, b {b}, p {p}, x {x:e}");
            if x == 0.0 {
                let least = f64::from(f32::MIN_POSITIVE);
                assert!(beta::beta_reg(a, b, least) >= p * (1.0 - TOLERANCE), "{case}");
                continue;
            }
            // Near 1 the next number of f32 may be far away in mass: x need only be the nearest.
            let (low, high) = (x * (1.0 - TOLERANCE), x * (1.0 + TOLERANCE));
            let mass = |x: f64| if x >= 1.0 { 1.0 } else { beta::beta_reg(a, b, x) };
            let slack = 1e-11;
            assert!(mass(low) <= p * (1.0 + slack), "{case}: too large");
            assert!(mass(high) >= p * (1.0 - slack), "{case}: too small");
        }
    }
}

#[test]
fn gamma_quantiles_have_their_mass_beside_them() {
    let mut grid = [vec![], vec![]];
    for a in geometric(SMALLEST, 1000.0, 37) {
        for p in [1e-20, 1e-6, 0.025, 0.3, 0.5, 0.8, 0.975, 0.999_999] {
            grid[0].push(a);
            grid[1].push(p);
        }
    }
    let [a, p] = grid;
    for (name, engine) in engines::all() {
        let below = bayes::incomplete_gamma_inverse(engine, &a, &p).expect("valid arguments");
        let above = bayes::incomplete_gamma_upper_inverse(engine, &a, &p).expect("valid arguments");
        for item in 0..a.len() {
            let [a, p, below, above] = [a[item], p[item], below[item], above[item]].map(f64::from);
            let case = format!("{name}: a {a}, p {p}, {below:e} and {above:e}");
            let slack = 1e-11;
            let least = f64::from(f32::MIN_POSITIVE);
            let (low, high) = (below * (1.0 - TOLERANCE), (below * (1.0 + TOLERANCE)).max(least));
            assert!(below == 0.0 || gamma::gamma_lr(a, low) <= p * (1.0 + slack), "{case}: too large");
            assert!(gamma::gamma_lr(a, high) >= p * (1.0 - slack), "{case}: too small");
            let (low, high) = (above * (1.0 - TOLERANCE), (above * (1.0 + TOLERANCE)).max(least));
            assert!(above == 0.0 || gamma::gamma_ur(a, low) >= p * (1.0 - slack), "{case}: too large");
            assert!(gamma::gamma_ur(a, high) <= p * (1.0 + slack), "{case}: too small");
        }
    }
}

#[test]
fn extreme_quantiles_lead_back() {
    for (name, engine) in engines::all() {
        // Where the mass changes by more than it is from one number of f32 to the next, the way back is none.
        let rows: Vec<_> = BETA.iter().filter(|row| row.2 < 0.9).collect();
        let column = |of: fn(&&(f32, f32, f32, f64)) -> f32| rows.iter().map(of).collect::<Vec<_>>();
        let (a, b, p) = (column(|r| r.0), column(|r| r.1), column(|r| r.3 as f32));
        let x = bayes::incomplete_beta_inverse(engine, &a, &b, &p).expect("valid arguments");
        let back = bayes::incomplete_beta(engine, &a, &b, &x).expect("valid arguments");
        for (row, (&p, &back)) in rows.iter().zip(p.iter().zip(&back)) {
            // x is off by 1e-6 at most; ln of the mass by the density's logarithm times that.
            let scale = (row.0.min(row.1)).max(1.0).sqrt() * 12.0;
            assert!((back - p).abs() <= 1e-6 * scale * p, "{name}: {row:?} leads back to {back}");
        }
    }
}

#[test]
fn ends_are_exact() {
    for (name, engine) in engines::all() {
        let of = |result: Result<Vec<f32>>| result.expect("valid arguments");
        let (a, b) = ([0.001, 0.001, 5.0, 5.0], [0.001, 1e6, 0.001, 2.0]);
        for end in [0.0, 1.0] {
            let ends = [end; 4];
            assert_eq!(of(bayes::incomplete_beta(engine, &a, &b, &ends)), ends, "{name}");
            assert_eq!(of(bayes::incomplete_beta_inverse(engine, &a, &b, &ends)), ends, "{name}");
        }
        let (a, infinity) = ([0.001, 1e6], f32::INFINITY);
        assert_eq!(of(bayes::incomplete_gamma(engine, &a, &[0.0; 2])), [0.0; 2], "{name}");
        assert_eq!(of(bayes::incomplete_gamma_upper(engine, &a, &[0.0; 2])), [1.0; 2], "{name}");
        assert_eq!(of(bayes::incomplete_gamma(engine, &a, &[f32::MAX; 2])), [1.0; 2], "{name}");
        assert_eq!(of(bayes::incomplete_gamma_upper(engine, &a, &[f32::MAX; 2])), [0.0; 2], "{name}");
        assert_eq!(of(bayes::incomplete_gamma_inverse(engine, &a, &[0.0; 2])), [0.0; 2], "{name}");
        assert_eq!(of(bayes::incomplete_gamma_inverse(engine, &a, &[1.0; 2])), [infinity; 2], "{name}");
        assert_eq!(of(bayes::incomplete_gamma_upper_inverse(engine, &a, &[0.0; 2])), [infinity; 2], "{name}");
        assert_eq!(of(bayes::incomplete_gamma_upper_inverse(engine, &a, &[1.0; 2])), [0.0; 2], "{name}");
        assert_eq!(of(bayes::ln_gamma(engine, &[1.0, 2.0])), [0.0; 2], "{name}");
    }
}

#[test]
fn an_item_has_the_same_bits_in_any_batch() {
    let [a, b, p] = beta_grid(&[1e-20, 0.025, 0.5, 0.999]);
    for (name, engine) in engines::all() {
        let beta = |from: usize, to: usize| {
            let (a, b, p) = (&a[from..to], &b[from..to], &p[from..to]);
            let mass = bayes::incomplete_beta(engine, a, b, p).expect("valid arguments");
            [mass, bayes::incomplete_beta_inverse(engine, a, b, p).expect("valid arguments")]
        };
        let gamma = |from: usize, to: usize| {
            let mass = bayes::incomplete_gamma(engine, &a[from..to], &b[from..to]).expect("valid arguments");
            let quantile =
                bayes::incomplete_gamma_inverse(engine, &a[from..to], &p[from..to]).expect("valid arguments");
            [mass, quantile]
        };
        let all = [beta(0, a.len()), gamma(0, a.len())].concat();
        for (from, to) in [(0, 0), (5, 6), (0, 15), (7, 24), (700, 957), (a.len() - 1, a.len())] {
            let part = [beta(from, to), gamma(from, to)].concat();
            for (part, all) in part.iter().zip(&all) {
                assert_eq!(*part, all[from..to], "{name}: items {from} to {to}");
            }
        }
    }
}

#[test]
fn bad_arguments_are_named() {
    let (_, engine) = &engines::all()[0];
    let error = |result: Result<Vec<f32>>| result.expect_err("bad arguments");
    for x in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-40, 2e36] {
        let found = error(bayes::ln_gamma(engine, &[1.0, x]));
        assert!(found.is_bayes() && !found.is_shape(), "{found}");
        assert!(found.to_string().starts_with(&format!("x of item 1 is {x}, it must be above 0")), "{found}");
    }
    for a in [0.0, SMALLEST / 2.0, LARGEST * 2.0, f32::NAN] {
        let found = error(bayes::incomplete_gamma(engine, &[a], &[1.0]));
        assert_eq!(found.to_string(), format!("a of item 0 is {a}, it must be from 0.001 to 1000000"));
    }
    for x in [-0.1, 1.1, f32::NAN] {
        let found = error(bayes::incomplete_beta(engine, &[1.0], &[1.0], &[x]));
        assert!(matches!(found.kind(), ErrorKind::Bayes(BayesError::Domain { what: "x", item: 0, .. })), "{found}");
    }
    let found = error(bayes::incomplete_beta(engine, &[1.0; 3], &[1.0; 2], &[0.5; 3]));
    assert_eq!(found.to_string(), "b has 2 entries where 3 are needed");
    assert!(found.is_shape());
}
