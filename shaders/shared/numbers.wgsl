// Numbers where WGSL promises too little: a shader may be compiled as if there were no NaN and no infinity, so both are
// found by their bits, and the logarithm is our own because the built-in one is only absolutely accurate near 1.

const SMALLEST_NORMAL: f32 = 0x1p-126f;
// Stands for negative infinity after loading, so that differences stay finite.
const LOWEST: f32 = -0x1.fffffep127f;
// exp of less is below the smallest normal number, of more above the largest.
const LEAST_EXPONENT: f32 = -87.33654;
const LARGEST_EXPONENT: f32 = 88.72283;

const INFINITY_BITS: u32 = 0x7f800000u;
const NEGATIVE_INFINITY_BITS: u32 = 0xff800000u;
const NEGATIVE_ZERO_BITS: u32 = 0x80000000u;
const ONE_BITS: u32 = 0x3f800000u;

fn is_nan(bits: u32) -> bool {
    return (bits & 0x7fffffffu) > INFINITY_BITS;
}

// NaN or either infinity.
fn is_bad(bits: u32) -> bool {
    return (bits & 0x7fffffffu) >= INFINITY_BITS;
}

// Neither NaN nor infinite nor below zero; negative zero is a zero.
fn is_finite_and_not_negative(bits: u32) -> bool {
    return bits < INFINITY_BITS || bits == NEGATIVE_ZERO_BITS;
}

// In [0, 1].
fn is_share(bits: u32) -> bool {
    return bits <= ONE_BITS || bits == NEGATIVE_ZERO_BITS;
}

// Natural logarithm of x clamped to the smallest normal number, 0 at 1, good to one unit: the degree 8 polynomial of
// Cephes' logf after x = 2^e m with m in [sqrt 1/2, sqrt 2).
fn ln4(x: vec4<f32>) -> vec4<f32> {
    let bits = bitcast<vec4<u32>>(max(x, vec4(SMALLEST_NORMAL))) + vec4(0x3f800000u - 0x3f3504f3u);
    let e = vec4<f32>(vec4<i32>(bits >> vec4(23u)) - vec4(127));
    let f = bitcast<vec4<f32>>((bits & vec4(0x007fffffu)) + vec4(0x3f3504f3u)) - vec4(1.0);
    var p = fma(f, vec4(7.0376836292e-2), vec4(-1.1514610310e-1));
    p = fma(p, f, vec4(1.1676998740e-1));
    p = fma(p, f, vec4(-1.2420140846e-1));
    p = fma(p, f, vec4(1.4249322787e-1));
    p = fma(p, f, vec4(-1.6668057665e-1));
    p = fma(p, f, vec4(2.0000714765e-1));
    p = fma(p, f, vec4(-2.4999993993e-1));
    p = fma(p, f, vec4(3.3333331174e-1));
    let z = f * f;
    var y = f * z * p;
    y = fma(e, vec4(-2.12194440e-4), y);
    y = fma(z, vec4(-0.5), y);
    return fma(e, vec4(0.693359375), f + y);
}

fn ln_(x: f32) -> f32 {
    return ln4(vec4(x)).x;
}

// exp good to about a unit, zero where the result would be subnormal, finite everywhere; the built-in one is off by as
// many units as |x|, all one way for classes that share a floor. Cephes' exp2f after x log2 e = n + f with |f| <= 1/2:
// the product of 12 and 11 leading bits is exact, so nothing is lost where n is taken from it.
fn exp4(x: vec4<f32>) -> vec4<f32> {
    let y = clamp(x, vec4(LEAST_EXPONENT), vec4(LARGEST_EXPONENT));
    // Cut by their bits: a difference of rounded products is what compilers simplify away.
    let high = bitcast<vec4<f32>>(bitcast<vec4<u32>>(y) & vec4(0xfffff000u));
    let product = high * 1.4423828125;
    let n = round(product);
    let f = (product - n) + fma(high, vec4(3.1222838e-4), (y - high) * 1.44269504);
    var p = fma(f, vec4(1.535336188e-4), vec4(1.339887440e-3));
    p = fma(p, f, vec4(9.618437357e-3));
    p = fma(p, f, vec4(5.550332471e-2));
    p = fma(p, f, vec4(2.402264791e-1));
    p = fma(p, f, vec4(6.931472029e-1));
    p = fma(p, f, vec4(1.0));
    let scaled = bitcast<vec4<f32>>(bitcast<vec4<u32>>(p) + (bitcast<vec4<u32>>(vec4<i32>(n)) << vec4(23u)));
    return select(scaled, vec4(0.0), x < vec4(LEAST_EXPONENT));
}

fn exp_(x: f32) -> f32 {
    return exp4(vec4(x)).x;
}

// x^y for x and y of at least 0, with x^0 = 1 and x^1 = x to the bit.
fn pow_(x: f32, y: f32) -> f32 {
    if (y == 0.0) { return 1.0; }
    if (y == 1.0) { return x; }
    if (x < SMALLEST_NORMAL) { return 0.0; }
    return exp_(y * ln_(x));
}
