// The digamma function. Formula and source stand in src/kernel/bayes/special.rs.

const DIGAMMA_SHIFT: f32 = 6.0;

// The derivative of ln gamma, x > 0.
fn digamma(x: f32) -> f32 {
    var y = x;
    var sum = 0.0;
    for (var step = 0u; step < 6u; step += 1u) {
        if (y < DIGAMMA_SHIFT) {
            sum += 1.0 / y;
            y += 1.0;
        }
    }
    let r = 1.0 / y;
    let r2 = r * r;
    let p = 8.3333333e-2 + r2 * (-8.3333333e-3 + r2 * 3.9682540e-3);
    return ln_(y) - fma(p, r2, r * 0.5) - sum;
}
