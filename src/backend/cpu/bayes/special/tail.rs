//! The mass of a Beta or gamma distribution on one side of a point: a density times a continued fraction.

use fearless_simd::prelude::*;
use fearless_simd::{f64x8, mask64x8};

use super::gamma::stirling_rest;
use super::wide::{exp, ln};
use crate::kernel::bayes::special::{CONVERGED, HALF_LN_TAU_WIDE, STEPS};

/// The mass on the side of the point where there is less of it, more or less: e^exponent times `height`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail<S: Simd> {
    /// ln of x^a (1 - x)^b / B(a, b), or of x^a e^-x / gamma(a).
    pub exponent: f64x8<S>,
    /// The mass in units of that.
    pub height: f64x8<S>,
    /// Whether the mass is below the point.
    pub below: mask64x8<S>,
}

impl<S: Simd> Tail<S> {
    /// Of Beta(a, b) at x in (0, 1), y = 1 - x.
    #[inline(always)]
    pub fn of_beta(simd: S, a: f64x8<S>, b: f64x8<S>, x: f64x8<S>, y: f64x8<S>) -> Self {
        let below = x.simd_le((a + 1.0) / (a + b + 2.0));
        let (a, b) = (below.select(a, b), below.select(b, a));
        let (x, y) = (below.select(x, y), below.select(y, x));
        let (x, y) = (x.max(f64::MIN_POSITIVE), y.max(f64::MIN_POSITIVE));
        let n = a + b;
        let deviance = a * ln(simd, a / (n * x)) + b * ln(simd, b / (n * y));
        let rest = stirling_rest(simd, n) - stirling_rest(simd, a) - stirling_rest(simd, b);
        let exponent = (ln(simd, a * b / n) * 0.5 - HALF_LN_TAU_WIDE) - deviance + rest;
        let fraction = Fraction { a, excess: a * y - b * x, even: b * x, odd: n * x, slope: x, above: None };
        Self { exponent, height: fraction.value(simd), below }
    }

    /// Of the gamma distribution of shape a and rate 1 at x > 0.
    #[inline(always)]
    pub fn of_gamma(simd: S, a: f64x8<S>, x: f64x8<S>) -> Self {
        let x = x.max(f64::from(f32::MIN_POSITIVE)).min(1e30);
        // Near zero the fraction of the mass above takes long, whatever the mass.
        let below = x.simd_le(a) | x.simd_le(1.0);
        let deviance = a * ln(simd, a / x) + (x - a);
        let exponent = (ln(simd, a) * 0.5 - HALF_LN_TAU_WIDE) - deviance - stirling_rest(simd, a);
        let slope = f64x8::splat(simd, 0.0);
        let fraction = Fraction { a, excess: a - x, even: x, odd: x, slope, above: Some(!below) };
        Self { exponent, height: fraction.value(simd), below }
    }

    /// The mass below the point.
    #[inline(always)]
    pub fn below(self, simd: S) -> f64x8<S> {
        let mass = exp(simd, self.exponent) * self.height;
        self.below.select(mass, 1.0 - mass)
    }

    /// The mass above the point.
    #[inline(always)]
    pub fn above(self, simd: S) -> f64x8<S> {
        let mass = exp(simd, self.exponent) * self.height;
        self.below.select(1.0 - mass, mass)
    }
}

/// A continued fraction, contracted to its even part, by Steed's method: its steps need no care for zeros.
#[derive(Debug, Clone, Copy)]
struct Fraction<S: Simd> {
    a: f64x8<S>,
    /// a y - b x, or a - x: what is taken away from a larger number is taken away here, once.
    excess: f64x8<S>,
    /// (b - m) x is `even` - m `slope`, (a + b + m) x is `odd` + m `slope`; the limit for large b is the gamma distribution's.
    even: f64x8<S>,
    odd: f64x8<S>,
    slope: f64x8<S>,
    /// Where the mass above x is wanted, which has a fraction of its own.
    above: Option<mask64x8<S>>,
}

impl<S: Simd> Fraction<S> {
    #[inline(always)]
    fn value(self, simd: S) -> f64x8<S> {
        let Self { a, excess, even, odd, slope, above } = self;
        let first = (excess + 1.0) * a / (a + 1.0);
        let mut d = 1.0 / above.map_or(first, |above| above.select(1.0 - excess, first));
        let mut r = 1.0 / (a + 1.0);
        let (mut sum, mut change) = (d, d);
        let growth = f64x8::splat(simd, 2.0) - slope;
        // A lane that has converged stays as it is: its bits are the same whatever lies beside it.
        let mut runs = sum.simd_eq(sum);
        for step in 1..=STEPS {
            let n = f64::from(step);
            let next = 1.0 / (a + (2.0 * n + 1.0));
            let even = even - slope * n;
            let mut numerator = ((a + (n - 1.0)) * r) * (r * n) * (odd + slope * (n - 1.0)) * even;
            let mut denominator = (a + n) * next * (excess + 1.0 + growth * n) + (even * r + 1.0) * n;
            if let Some(above) = above {
                numerator = above.select((a - n) * n, numerator);
                denominator = above.select((1.0 + 2.0 * n) - excess, denominator);
            }
            let part = numerator * d;
            d = 1.0 / (denominator + part);
            change *= -(part * d);
            sum = runs.select(sum + change, sum);
            r = next;
            runs &= change.abs().simd_gt(sum.abs() * CONVERGED);
            if !runs.any_true() {
                break;
            }
        }
        sum
    }
}
