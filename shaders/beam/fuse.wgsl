// Three channel distributions fused into a beam. Formula and layout stand in src/kernel/beam/fuse.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    map: u32,
    weight_ethos: f32,
    weight_logos: f32,
    weight_pathos: f32,
    agreement: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> channels: array<f32>;
@group(0) @binding(2) var<storage, read_write> digits: array<f32>;
@group(0) @binding(3) var<storage, read_write> scalars: array<f32>;
@group(0) @binding(4) var<storage, read_write> positions: array<u32>;
@group(0) @binding(5) var<storage, read_write> status: array<u32>;

const LANES: u32 = 256u;
const DIGITS: u32 = 9u;
const LARGEST: f32 = 0x1.fffffep127f;
const PER_LN_9: f32 = 0.45511961;
const PER_LN_3: f32 = 0.91023923;
const BALANCE: f32 = 0.05;
const DOMINANCE: f32 = 0.7;
const SIGNAL: f32 = 0.6;
// The position by the largest channel, the second largest, and whether the signal is strong.
const GRADIENT = array<u32, 18>(3u, 3u, 1u, 2u, 2u, 4u, 8u, 8u, 9u, 9u, 7u, 7u, 5u, 5u, 7u, 7u, 6u, 6u);

var<workgroup> lowest: atomic<u32>;

fn entropy(p: array<f32, 9>) -> f32 {
    var terms = vec4(0.0);
    for (var k = 0u; k < 8u; k += 4u) {
        let q = vec4(p[k], p[k + 1u], p[k + 2u], p[k + 3u]);
        terms -= q * ln4(q);
    }
    return max((terms.x + terms.y) + (terms.z + terms.w) - p[8] * ln_(p[8]), 0.0);
}

fn gradient(shares: vec3<f32>, confidence: f32) -> u32 {
    if (all(abs(shares - vec3(1.0 / 3.0)) <= vec3(BALANCE))) { return 0u; }
    var first = 0u;
    if (shares.y > shares.x) { first = 1u; }
    if (shares.z > max(shares.x, shares.y)) { first = 2u; }
    let largest = max(shares.x, max(shares.y, shares.z));
    if (largest > DOMINANCE) { return GRADIENT[8u * first]; }
    // Of the two others, the first of equals.
    let others = vec2(select(0u, 1u, first == 0u), select(2u, 1u, first == 2u));
    let second = select(others.x, others.y, shares[others.y] > shares[others.x]);
    return GRADIENT[6u * first + 2u * second + select(0u, 1u, confidence > SIGNAL)];
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (lane == 0u) { atomicStore(&lowest, 0xffffffffu); }
    workgroupBarrier();
    let group = group_id.x + group_id.y * params.groups_per_row;
    let item = group * LANES + lane;
    if (item < params.items) {
        let weights = vec3(params.weight_ethos, params.weight_logos, params.weight_pathos);
        var mean = array<f32, 9>();
        var entropies = vec3(0.0);
        for (var c = 0u; c < 3u; c++) {
            var d = array<f32, 9>();
            var sum = 0.0;
            var fine = true;
            for (var k = 0u; k < DIGITS; k++) {
                d[k] = channels[(c * DIGITS + k) * params.stride + item];
                fine = fine && is_finite_and_not_negative(bitcast<u32>(d[k]));
                sum += d[k];
            }
            if (!(fine && sum >= SMALLEST_NORMAL && sum <= LARGEST)) { atomicMin(&lowest, lane); }
            let scale = 1.0 / sum;
            for (var k = 0u; k < DIGITS; k++) {
                d[k] *= scale;
                mean[k] = fma(weights[c], d[k], mean[k]);
            }
            entropies[c] = entropy(d);
        }
        let masses = clamp(vec3(1.0) - entropies * PER_LN_9, vec3(0.0), vec3(1.0));
        let mass = masses.x + masses.y + masses.z;
        let confidence = mass * (1.0 / 3.0);
        var shares = vec3(1.0 / 3.0);
        if (mass > 0.0) { shares = masses / mass; }
        for (var k = 0u; k < DIGITS; k++) { digits[k * params.stride + item] = mean[k]; }
        for (var c = 0u; c < 3u; c++) { scalars[c * params.stride + item] = 9.0 * masses[c]; }
        scalars[3u * params.stride + item] = confidence;
        if (params.agreement != 0u) {
            let divergence = entropy(mean) - dot(weights, entropies);
            scalars[4u * params.stride + item] = clamp(1.0 - divergence * PER_LN_3, 0.0, 1.0);
        }
        if (params.map == 0u) {
            positions[item] = u32(floor(dot(vec3(3.0, 6.0, 9.0), shares) + 0.5));
        } else {
            positions[item] = gradient(shares, confidence);
        }
    }
    workgroupBarrier();
    if (lane == 0u) { status[group] = atomicLoad(&lowest); }
}
