//! The gamma function's logarithm and its derivative, in f64, and what they say of Dirichlet distributions.

/// ln of the gamma function for x > 0: Stirling's series (DLMF 5.11.1) after the argument is raised above 10.
pub(super) fn ln_gamma(mut x: f64) -> f64 {
    let mut product = 1.0;
    while x < 10.0 {
        product *= x;
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series = (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r / 1188.0)))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - f64::ln(product)
}

/// Its derivative for x > 0 (DLMF 5.11.2), in the same way.
pub(super) fn digamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 10.0 {
        sum += 1.0 / x;
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series = r * (1.0 / 12.0 - r * (1.0 / 120.0 - r * (1.0 / 252.0 - r * (1.0 / 240.0 - r / 132.0))));
    x.ln() - 0.5 / x - series - sum
}

/// KL(Dirichlet(a) || Dirichlet(b)), with the expected logarithms under the first.
pub(super) fn divergence(a: &[f64], b: &[f64], logs: impl IntoIterator<Item = f64>) -> f64 {
    let each = |((&a, &b), log): ((&f64, &f64), f64)| ln_gamma(b) - ln_gamma(a) + (a - b) * log;
    let parts: f64 = a.iter().zip(b).zip(logs).map(each).sum();
    ln_gamma(a.iter().sum()) - ln_gamma(b.iter().sum()) + parts
}

/// Expected logarithms of what is Dirichlet distributed.
pub(super) fn expected(parameters: &[f64]) -> impl Iterator<Item = f64> {
    let whole = digamma(parameters.iter().sum());
    parameters.iter().map(move |&a| digamma(a) - whole)
}
