// What the kernels over distributions of nine digits share.

const LANES: u32 = 256u;
const DIGITS: u32 = 9u;
const LARGEST: f32 = 0x1.fffffep127f;
const PER_LN_9: f32 = 0.45511961;

// -sum p ln p of digits that sum to one.
fn entropy(p: array<f32, 9>) -> f32 {
    var terms = vec4(0.0);
    for (var k = 0u; k < 8u; k += 4u) {
        let q = vec4(p[k], p[k + 1u], p[k + 2u], p[k + 3u]);
        terms -= q * ln4(q);
    }
    return max((terms.x + terms.y) + (terms.z + terms.w) - p[8] * ln_(p[8]), 0.0);
}

// Whether digits that are all fine can be divided by their sum.
fn is_sum(sum: f32) -> bool {
    return sum >= SMALLEST_NORMAL && sum <= LARGEST;
}
