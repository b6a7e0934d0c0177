//! The formulas in f64.

use statrs::function::gamma::{digamma, ln_gamma};

/// A value, and by how much the contract lets one differ from it.
#[derive(Debug, Clone, Copy)]
pub struct Value {
    pub value: f64,
    pub within: f64,
}

/// The sum of terms, within 1e-6 of the largest.
fn sum(terms: &[f64]) -> Value {
    let largest = terms.iter().map(|term| term.abs()).fold(0.0, f64::max);
    Value { value: terms.iter().sum(), within: 1e-6 * largest }
}

/// The sum of terms as evidence and divergence are good.
fn difference(terms: &[f64]) -> Value {
    let value: f64 = terms.iter().sum();
    let magnitude: f64 = terms.iter().map(|term| term.abs()).sum();
    Value { value, within: 1e-5 * value.abs().max(1.0) + 1e-11 * magnitude }
}

fn moment(value: f64) -> Value {
    Value { value, within: 2e-6 * value.abs() }
}

pub fn dirichlet_merge(a: f64, b: f64, prior: f64) -> Value {
    sum(&[a, b, -prior])
}

pub fn dirichlet_moments(alpha: &[f64], k: usize) -> [Value; 2] {
    let total: f64 = alpha.iter().sum();
    let others: f64 = alpha.iter().enumerate().filter(|(j, _)| *j != k).map(|(_, a)| a).sum();
    [moment(alpha[k] / total), moment(alpha[k] * others / (total * total * (total + 1.0)))]
}

pub fn dirichlet_evidence(alpha: &[f64], counts: &[f64]) -> Value {
    let (total, all): (f64, f64) = (alpha.iter().sum(), counts.iter().sum());
    let mut terms = vec![ln_gamma(total), -ln_gamma(total + all)];
    for (a, n) in alpha.iter().zip(counts) {
        terms.extend([ln_gamma(a + n), -ln_gamma(*a)]);
    }
    difference(&terms)
}

pub fn dirichlet_divergence(a: &[f64], b: &[f64]) -> Value {
    let (a_total, b_total): (f64, f64) = (a.iter().sum(), b.iter().sum());
    let mut terms = vec![ln_gamma(a_total), -ln_gamma(b_total)];
    for (a, b) in a.iter().zip(b) {
        terms.extend([ln_gamma(*b), -ln_gamma(*a), (a - b) * digamma(*a), (b - a) * digamma(a_total)]);
    }
    difference(&terms)
}

pub fn normal_update([m, l, n, x]: [f64; 4], t: f64) -> [Value; 2] {
    let precision = l + n * t;
    [sum(&[m, n * t / precision * x, -n * t / precision * m]), sum(&[l, n * t])]
}

pub fn normal_merge([ma, la, mb, lb, m, l]: [f64; 6]) -> [Value; 2] {
    let precision = la + lb - l;
    let terms = [ma * la / precision, mb * lb / precision, -m * l / precision];
    // Both precisions are known to 6e-8 of themselves, whatever is left of them.
    [sum(&terms), sum(&[la, lb, -l])]
}

pub fn normal_evidence([m, l, n, x, s]: [f64; 5], t: f64) -> Value {
    let precision = l + n * t;
    let tau = std::f64::consts::TAU;
    difference(&[
        0.5 * n * (t / tau).ln(),
        0.5 * (l / precision).ln(),
        -0.5 * t * s,
        -0.5 * n * t * l / precision * (x - m).powi(2),
    ])
}

pub fn normal_divergence([ma, la, mb, lb]: [f64; 4]) -> Value {
    difference(&[0.5 * lb * (ma - mb).powi(2), 0.5 * (lb / la - 1.0), 0.5 * (la / lb).ln()])
}

pub fn gamma_update([m, k, a, b, n, x, s]: [f64; 7]) -> [Value; 4] {
    let count = k + n;
    [
        sum(&[m, n / count * x, -n / count * m]),
        sum(&[k, n]),
        sum(&[a, 0.5 * n]),
        // The distance of two means of f32 is as good as they are.
        Value {
            within: 2e-6 * (b + 0.5 * s + 0.5 * k * n / count * (x - m).powi(2)),
            ..sum(&[b, 0.5 * s, 0.5 * k * n / count * (x - m).powi(2)])
        },
    ]
}

pub fn gamma_merge(a: [f64; 4], b: [f64; 4], prior: [f64; 4]) -> [Value; 4] {
    let count = a[1] + b[1] - prior[1];
    let (da, db) = (a[0] - prior[0], b[0] - prior[0]);
    let d = (a[1] * da + b[1] * db) / count;
    let squares = [0.5 * a[1] * da * da, 0.5 * b[1] * db * db, -0.5 * count * d * d];
    [
        sum(&[prior[0], a[1] * da / count, b[1] * db / count]),
        sum(&[a[1], b[1], -prior[1]]),
        sum(&[a[2], b[2], -prior[2]]),
        sum(&[&[a[3], b[3], -prior[3]][..], &squares].concat()),
    ]
}

/// Variance of the mean, mean and variance of the variance, scale of the next.
pub fn gamma_moments([_, k, a, b]: [f64; 4]) -> [Value; 4] {
    let mean = if a > 1.0 { b / (a - 1.0) } else { f64::INFINITY };
    let variance = if a > 2.0 { mean * mean / (a - 2.0) } else { f64::INFINITY };
    [moment(mean / k), moment(mean), moment(variance), moment((b * (k + 1.0) / (a * k)).sqrt())]
}

pub fn gamma_evidence(with: [f64; 7]) -> Value {
    let [_, k, a, b, n, ..] = with;
    let [_, count, shape, rate] = gamma_update(with).map(|value| value.value);
    difference(&[
        ln_gamma(shape),
        -ln_gamma(a),
        a * (b / rate).ln(),
        -0.5 * n * (std::f64::consts::TAU * rate).ln(),
        0.5 * (k / count).ln(),
    ])
}

pub fn gamma_divergence(p: [f64; 4], q: [f64; 4]) -> Value {
    let r = q[1] / p[1];
    difference(&[
        0.5 * q[1] * p[2] / p[3] * (p[0] - q[0]).powi(2),
        0.5 * (r - 1.0),
        -0.5 * r.ln(),
        (p[2] - q[2]) * digamma(p[2]),
        -ln_gamma(p[2]),
        ln_gamma(q[2]),
        q[2] * (p[3] / q[3]).ln(),
        p[2] * (q[3] - p[3]) / p[3],
    ])
}
