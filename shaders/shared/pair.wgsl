// Numbers of 48 bits: the sum of two f32, the second at most about half a unit of the first. What is left over of a sum or
// a product is computed as Dekker did (Numerische Mathematik 18, 1971); a compiler that takes floats for reals would find
// it to be zero, so that what has to be rounded first passes through bits it knows nothing of.

// Zero, from the parameters.
var<private> no_bits: u32;

fn rounded(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ no_bits);
}

fn pair(x: f32) -> vec2<f32> {
    return vec2(x, 0.0);
}

// a + b where a is the larger.
fn joined(a: f32, b: f32) -> vec2<f32> {
    let s = rounded(a + b);
    return vec2(s, b - rounded(s - a));
}

fn sum_of(a: f32, b: f32) -> vec2<f32> {
    let s = rounded(a + b);
    let c = rounded(s - a);
    return vec2(s, (a - rounded(s - c)) + (b - c));
}

// The parts are products of 12 bits and 12: none is rounded, with or without a fused multiply-add.
fn product_of(a: f32, b: f32) -> vec2<f32> {
    let p = rounded(a * b);
    let a_high = bitcast<f32>(bitcast<u32>(a) & 0xfffff000u);
    let b_high = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
    let a_low = rounded(a - a_high);
    let b_low = rounded(b - b_high);
    let first = rounded(rounded(a_high * b_high) - p);
    let second = rounded(first + rounded(a_high * b_low));
    let third = rounded(second + rounded(a_low * b_high));
    return vec2(p, third + a_low * b_low);
}

fn add(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    let s = sum_of(a.x, b.x);
    return joined(s.x, s.y + (a.y + b.y));
}

fn subtract(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    return add(a, -b);
}

fn multiply(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    let p = product_of(a.x, b.x);
    return joined(p.x, p.y + (a.x * b.y + a.y * b.x));
}

fn times(a: vec2<f32>, b: f32) -> vec2<f32> {
    let p = product_of(a.x, b);
    return joined(p.x, p.y + a.y * b);
}

fn divide(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    let q = rounded(a.x / b.x);
    let p = product_of(q, b.x);
    let rest = (rounded(a.x - p.x) - p.y) + (a.y - q * b.y);
    return joined(q, rest / b.x);
}

fn reciprocal(a: vec2<f32>) -> vec2<f32> {
    return divide(pair(1.0), a);
}

const LN_2: vec2<f32> = vec2(0.693147182464599609375, -1.9046542e-9);

// ln x for x > 0: x = 2^e m with m in [sqrt 1/2, sqrt 2) and ln m = 2 artanh((m - 1) / (m + 1)).
fn ln_pair(x: vec2<f32>) -> vec2<f32> {
    let e = (bitcast<i32>(bitcast<u32>(x.x) - 0x3f3504f3u)) >> 23u;
    let scale = bitcast<f32>(u32(127 - e) << 23u);
    let m = x * scale;
    let s = divide(add(pair(-1.0), m), add(pair(1.0), m));
    let s2 = multiply(s, s);
    let z = s2.x;
    let tail = 0.22222222 + z * (0.18181818 + z * (0.15384615 + z * (0.13333333 + z * 0.11764706)));
    var p = add(vec2(0.2857142984867096, -1.2772424e-8), times(s2, tail));
    p = add(vec2(0.4000000059604645, -5.9604645e-9), multiply(s2, p));
    p = add(vec2(0.6666666865348816, -1.9868215e-8), multiply(s2, p));
    let y = add(2.0 * s, multiply(multiply(s, s2), p));
    return add(times(LN_2, f32(e)), y);
}

// e^x; x is clamped to [-87, 88].
fn exp_pair(exponent: vec2<f32>) -> vec2<f32> {
    if (exponent.x <= -87.0) { return vec2(0.0); }
    var x = exponent;
    if (x.x >= 88.0) { x = pair(88.0); }
    let n = round(x.x * 1.44269504);
    let r = subtract(x, times(LN_2, n));
    let z = r.x;
    let tail = 8.3333333e-3 + z * (1.3888889e-3 + z * (1.9841270e-4 + z * (2.4801587e-5 + z * (2.7557319e-6 + z * 2.755732e-7))));
    var p = add(vec2(0.0416666679084301, -1.2417635e-9), times(r, tail));
    p = add(vec2(0.1666666716337204, -4.967054e-9), multiply(r, p));
    p = add(pair(0.5), multiply(r, p));
    p = add(pair(1.0), multiply(r, p));
    p = add(pair(1.0), multiply(r, p));
    return p * bitcast<f32>(u32(i32(n) + 127) << 23u);
}
