//! Quantiles of the Beta distribution.

/// Terms of the continued fraction; it converges in about the square root of the larger parameter.
const TERMS: u32 = 20_000;

/// The largest a + b that is computed with; ln gamma loses its digits beyond.
const LARGEST: f64 = 1e8;

/// What stands for a zero denominator in Lentz's method.
const TINY: f64 = 1e-300;

/// The x in [0, 1] below which Beta(a, b) has the mass `p`, within 1e-9.
///
/// With a parameter of zero all mass is at one end; with both, the ends are the tails'. Parameters that sum to more than
/// 1e8 are scaled to that sum, which keeps the mean and makes an interval wider, not narrower.
pub(crate) fn quantile(a: f64, b: f64, p: f64) -> f64 {
    match (a > 0.0, b > 0.0) {
        (true, true) => {}
        (true, false) => return 1.0,
        (false, true) => return 0.0,
        (false, false) => return if p < 0.5 { 0.0 } else { 1.0 },
    }
    let scale = (LARGEST / (a + b)).min(1.0);
    let (a, b) = (a * scale, b * scale);
    let (mut low, mut high) = (0.0, 1.0);
    // Thirty halvings of [0, 1] leave less than 1e-9.
    for _ in 0..30 {
        let middle = 0.5 * (low + high);
        if mass_below(middle, a, b) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The regularised incomplete beta function I_x(a, b), x in (0, 1), a, b > 0.
fn mass_below(x: f64, a: f64, b: f64) -> f64 {
    let log = a * x.ln() + b * (-x).ln_1p() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b);
    // The fraction converges quickly on this side of the mean; beyond it the tail is computed.
    if x < (a + 1.0) / (a + b + 2.0) {
        (log.exp() * fraction(x, a, b) / a).clamp(0.0, 1.0)
    } else {
        (1.0 - log.exp() * fraction(1.0 - x, b, a) / b).clamp(0.0, 1.0)
    }
}

/// The continued fraction of DLMF 8.17.22 by Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let safe = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / safe(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..=TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = value;
        for term in [even, odd] {
            d = 1.0 / safe(1.0 + term * d);
            c = safe(1.0 + term / c);
            value *= c * d;
        }
        if (value - before).abs() <= 1e-14 * value.abs() {
            break;
        }
    }
    value
}

/// ln of the gamma function for x > 0: Stirling's series (DLMF 5.11.1) after the argument is raised above 10.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 0.0);
    while x < 10.0 {
        product += x.ln();
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series = (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r / 1188.0)))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - product
}
