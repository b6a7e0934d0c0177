// Special functions. Formulas and sources stand in src/kernel/bayes/special.rs.

const STIRLING_FROM: f32 = 8.0;
const HALF_LN_TAU: vec2<f32> = vec2(0.9189385175704956, 1.563417e-8);
const CONVERGED: f32 = 1e-10;
const STEPS: u32 = 2048u;
const NEWTON_STEPS: u32 = 24u;
const NEWTON_CONVERGED: f32 = 1e-7;
const FARTHEST: f32 = 80.0;
// Below it a product with a pair's second part might be no normal number.
const LITTLE: f32 = 0x1p-60f;
const LARGE: f32 = 0x1p64f;
const LN_LARGE: vec2<f32> = vec2(44.36141967773438, -1.2189787e-7);

// ln gamma(x), x > 0.
fn ln_gamma(x: f32) -> f32 {
    if (x >= STIRLING_FROM) {
        let r = 1.0 / x;
        let r2 = r * r;
        let series = (8.3333333e-2 + r2 * (-2.7777778e-3 + r2 * 7.9365079e-4)) * r;
        return fma(x - 0.5, ln_(x) - 1.0, series + (HALF_LN_TAU.x - 0.5));
    }
    var z = x - 2.0;
    var argument = 1.0;
    if (x < 0.5) {
        z = x;
        argument = x + x * x;
    } else if (x < 1.5) {
        z = x - 1.0;
        argument = x;
    } else {
        for (var step = 0u; step < 6u; step += 1u) {
            if (z > 0.5) {
                argument *= z + 1.0;
                z -= 1.0;
            }
        }
    }
    var p = fma(4.374867e-6, z, -9.439488e-6);
    p = fma(p, z, 2.0507213e-5);
    p = fma(p, z, -4.4926237e-5);
    p = fma(p, z, 9.945751e-5);
    p = fma(p, z, -2.2315476e-4);
    p = fma(p, z, 5.096695e-4);
    p = fma(p, z, -1.1927539e-3);
    p = fma(p, z, 2.8905103e-3);
    p = fma(p, z, -7.385551e-3);
    p = fma(p, z, 2.0580808e-2);
    p = fma(p, z, -6.73523e-2);
    p = fma(p, z, 0.32246703);
    p = fma(p, z, 0.42278434);
    let ln = ln_(argument);
    return p * z + select(ln, -ln, x < 1.5);
}

// What Stirling's leading terms leave over of ln gamma(a).
fn stirling_rest(a: vec2<f32>) -> vec2<f32> {
    let small = a.x < STIRLING_FROM;
    var raised = a;
    if (small) { raised = add(a, pair(STIRLING_FROM)); }
    let r = reciprocal(raised);
    let r2 = r.x * r.x;
    let high = r.x * r2 * (-2.7777778e-3 + r2 * (7.9365079e-4 + r2 * (-5.9523810e-4 + r2 * 8.4175084e-4)));
    let series = add(multiply(r, vec2(0.0833333358168602, -2.483527e-9)), pair(high));
    if (!small) { return series; }
    var product = a;
    for (var k = 1u; k < 8u; k += 1u) {
        product = multiply(product, add(a, pair(f32(k))));
    }
    let second = multiply(raised, raised);
    let fourth = multiply(second, second);
    let slope = multiply(add(a, pair(-0.5)), ln_pair(divide(raised, a)));
    let step = add(slope, ln_pair(divide(multiply(fourth, fourth), product)));
    return add(series, add(step, pair(-STIRLING_FROM)));
}

// ln(a / (n x)).
fn ln_ratio(a: vec2<f32>, n: vec2<f32>, x: vec2<f32>) -> vec2<f32> {
    if (x.x < LITTLE) { return add(ln_pair(divide(a, multiply(n, x * LARGE))), LN_LARGE); }
    return ln_pair(divide(a, multiply(n, x)));
}

// The mass on one side of a point: e^exponent times height.
struct Tail {
    exponent: vec2<f32>,
    height: vec2<f32>,
    below: bool,
}

// A continued fraction by Steed's method: the mass in units of the density, below the point or above it.
fn fraction(a: f32, excess: vec2<f32>, even: vec2<f32>, odd: vec2<f32>, slope: vec2<f32>, above: bool) -> vec2<f32> {
    var r = reciprocal(sum_of(a, 1.0));
    let first = add(excess, pair(1.0));
    var d: vec2<f32>;
    if (above) {
        d = reciprocal(subtract(pair(1.0), excess));
    } else {
        d = reciprocal(times(multiply(first, r), a));
    }
    var sum = d;
    var change = d;
    let growth = subtract(pair(2.0), slope);
    for (var step = 1u; step <= STEPS; step += 1u) {
        let n = f32(step);
        var numerator: vec2<f32>;
        var denominator: vec2<f32>;
        if (above) {
            numerator = times(sum_of(a, -n), n);
            denominator = subtract(pair(2.0 * n + 1.0), excess);
        } else {
            let next = reciprocal(sum_of(a, 2.0 * n + 1.0));
            let even_n = subtract(even, times(slope, n));
            let odd_n = add(odd, times(slope, n - 1.0));
            let parameters = multiply(multiply(sum_of(a, n - 1.0), r), times(r, n));
            numerator = multiply(multiply(parameters, odd_n), even_n);
            let growing = multiply(multiply(sum_of(a, n), next), add(first, times(growth, n)));
            denominator = add(growing, times(add(multiply(even_n, r), pair(1.0)), n));
            r = next;
        }
        let part = multiply(numerator, d);
        d = reciprocal(add(denominator, part));
        change = -multiply(change, multiply(part, d));
        sum = add(sum, change);
        if (!(abs(change.x) > abs(sum.x) * CONVERGED)) { break; }
    }
    return sum;
}

// Of Beta(a, b) at x in (0, 1), y = 1 - x.
fn beta_tail(first: f32, second: f32, at: vec2<f32>, rest: vec2<f32>) -> Tail {
    var tail: Tail;
    tail.below = at.x <= (first + 1.0) / (first + second + 2.0);
    let a = select(second, first, tail.below);
    let b = select(first, second, tail.below);
    let x = select(rest, at, tail.below);
    let y = select(at, rest, tail.below);
    let n = sum_of(a, b);
    let deviance = add(times(ln_ratio(pair(a), n, x), a), times(ln_ratio(pair(b), n, y), b));
    let left = subtract(subtract(stirling_rest(n), stirling_rest(pair(a))), stirling_rest(pair(b)));
    let root = subtract(0.5 * ln_pair(divide(product_of(a, b), n)), HALF_LN_TAU);
    tail.exponent = add(subtract(root, deviance), left);
    tail.height = fraction(a, subtract(times(y, a), times(x, b)), times(x, b), multiply(x, n), x, false);
    return tail;
}

// Of the gamma distribution of shape a and rate 1 at x > 0.
fn gamma_tail(a: f32, x: vec2<f32>) -> Tail {
    var tail: Tail;
    tail.below = x.x <= a || x.x <= 1.0;
    let deviance = add(times(ln_ratio(pair(a), pair(1.0), x), a), subtract(x, pair(a)));
    let root = subtract(0.5 * ln_pair(pair(a)), HALF_LN_TAU);
    tail.exponent = subtract(subtract(root, deviance), stirling_rest(pair(a)));
    tail.height = fraction(a, subtract(pair(a), x), x, x, vec2(0.0), !tail.below);
    return tail;
}

fn mass_of(tail: Tail, below: bool) -> f32 {
    let mass = multiply(exp_pair(tail.exponent), tail.height);
    if (tail.below == below) { return mass.x; }
    return subtract(pair(1.0), mass).x;
}

fn incomplete_beta(a: f32, b: f32, x: f32) -> f32 {
    if (x < SMALLEST_NORMAL) { return 0.0; }
    if (x >= 1.0) { return 1.0; }
    return mass_of(beta_tail(a, b, pair(x), sum_of(1.0, -x)), true);
}

fn incomplete_gamma(a: f32, x: f32, below: bool) -> f32 {
    if (x < SMALLEST_NORMAL) { return select(1.0, 0.0, below); }
    return mass_of(gamma_tail(a, pair(min(x, 1e15))), below);
}

// The lesser of the mass wanted and its complement.
struct Wanted {
    above: bool,
    ln_mass: vec2<f32>,
    // The normal distribution's quantile at the mass below.
    normal: f32,
}

fn wanted(p: f32, of_above: bool) -> Wanted {
    var w: Wanted;
    w.above = (p > 0.5) != of_above;
    w.ln_mass = ln_pair(pair(max(select(p, 1.0 - p, p > 0.5), SMALLEST_NORMAL)));
    let t = sqrt(-2.0 * w.ln_mass.x);
    let upper = 2.515517 + t * (0.802853 + t * 0.010328);
    let lower = 1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308));
    let z = t - upper / lower;
    w.normal = select(-z, z, w.above);
    return w;
}

// How far the root is from where the tail was taken, to first order.
fn newton_step(w: Wanted, tail: Tail) -> f32 {
    var ln_mass: vec2<f32>;
    var rate: f32;
    if (tail.below != w.above) {
        ln_mass = add(ln_pair(tail.height), tail.exponent);
        rate = tail.height.x;
    } else {
        let density = exp_pair(tail.exponent);
        var other = subtract(pair(1.0), multiply(density, tail.height));
        if (other.x < SMALLEST_NORMAL) { other = pair(SMALLEST_NORMAL); }
        ln_mass = ln_pair(other);
        rate = other.x / max(density.x, SMALLEST_NORMAL);
    }
    let step = clamp(subtract(w.ln_mass, ln_mass).x * rate, -FARTHEST, FARTHEST);
    return select(step, -step, w.above);
}

// Approximately mean and variance of ln of a gamma variate.
fn moments(a: f32) -> vec2<f32> {
    let r = 1.0 / a;
    return vec2(ln_(a + 0.5) - r, r * r + 1.0 / (a + 0.5));
}

// A point of [0, 1] and what is left to 1.
struct Share {
    x: vec2<f32>,
    y: vec2<f32>,
}

fn beta_quantile(a: f32, b: f32, p: f32) -> f32 {
    if (p < SMALLEST_NORMAL) { return 0.0; }
    if (p >= 1.0) { return 1.0; }
    let x = beta_root(a, b, p).x.x;
    return select(x, 0.0, x <= SMALLEST_NORMAL);
}

// x / (1 - x) of the quantile x; infinite where 1 - x, zero where x is below the smallest normal number.
fn beta_quantile_odds(a: f32, b: f32, p: f32) -> f32 {
    let infinity = bitcast<f32>(INFINITY_BITS | no_bits);
    if (p < SMALLEST_NORMAL) { return 0.0; }
    if (p >= 1.0) { return infinity; }
    let root = beta_root(a, b, p);
    if (root.x.x <= SMALLEST_NORMAL) { return 0.0; }
    if (root.y.x <= SMALLEST_NORMAL) { return infinity; }
    return divide(root.x, root.y).x;
}

fn beta_root(a: f32, b: f32, p: f32) -> Share {
    let w = wanted(p, false);
    let of_a = moments(a);
    let of_b = moments(b);
    let start = w.normal * sqrt(of_a.y + of_b.y) + (of_a.x - of_b.x);
    let odds = exp_(clamp(start, -FARTHEST, FARTHEST));
    let whole = sum_of(odds, 1.0);
    var x = divide(pair(odds), whole);
    var y = reciprocal(whole);
    for (var i = 0u; i < NEWTON_STEPS; i += 1u) {
        let step = newton_step(w, beta_tail(a, b, x, y));
        let scaled = times(y, exp_(-step));
        let sum = add(scaled, x);
        x = divide(x, sum);
        y = divide(scaled, sum);
        if (x.x < SMALLEST_NORMAL) { x = pair(SMALLEST_NORMAL); }
        if (y.x < SMALLEST_NORMAL) { y = pair(SMALLEST_NORMAL); }
        if (!(abs(step) > NEWTON_CONVERGED)) { break; }
    }
    return Share(x, y);
}

fn gamma_quantile(a: f32, p: f32, of_above: bool) -> f32 {
    let infinity = bitcast<f32>(INFINITY_BITS | no_bits);
    if (p < SMALLEST_NORMAL) { return select(0.0, infinity, of_above); }
    if (p >= 1.0) { return select(infinity, 0.0, of_above); }
    let w = wanted(p, of_above);
    let of_a = moments(a);
    let ln_mass = w.ln_mass.x;
    let end = select(a, a + sqrt(-2.0 * a * ln_mass) - ln_mass, w.above);
    let start = w.normal * sqrt(of_a.y) + of_a.x;
    var x = pair(min(exp_(clamp(start, -FARTHEST, FARTHEST)), end));
    for (var i = 0u; i < NEWTON_STEPS; i += 1u) {
        let step = newton_step(w, gamma_tail(a, x));
        x = times(x, exp_(step));
        if (x.x > end) { x = pair(end); }
        if (x.x < SMALLEST_NORMAL) { x = pair(SMALLEST_NORMAL); }
        if (!(abs(step) > NEWTON_CONVERGED)) { break; }
    }
    return select(x.x, 0.0, x.x <= SMALLEST_NORMAL);
}
