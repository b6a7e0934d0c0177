// Three channel distributions fused into a beam. Formula and layout stand in src/kernel/beam/fuse.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    map: u32,
    weight_ethos: f32,
    weight_logos: f32,
    weight_pathos: f32,
    options: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> channels: array<f32>;
@group(0) @binding(2) var<storage, read_write> digits: array<f32>;
@group(0) @binding(3) var<storage, read_write> scalars: array<f32>;
@group(0) @binding(4) var<storage, read_write> positions: array<u32>;
@group(0) @binding(5) var<storage, read_write> status: array<u32>;

const PER_LN_3: f32 = 0.91023923;
const BALANCE: f32 = 0.05;
const DOMINANCE: f32 = 0.7;
const SIGNAL: f32 = 0.6;
const AGREEMENT: u32 = 1u;
const LOG_POOLING: u32 = 2u;
const NO_DIGIT: u32 = 0x1ffu;
// The position by the largest channel, the second largest, and whether the signal is strong.
const GRADIENT = array<u32, 18>(3u, 3u, 1u, 2u, 2u, 4u, 8u, 8u, 9u, 9u, 7u, 7u, 5u, 5u, 7u, 7u, 6u, 6u);

var<workgroup> lowest: atomic<u32>;
var<workgroup> conflicts: array<atomic<u32>, 8>;

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

// Digits in proportion to exp of the logs, but for those ruled out, of which there are not nine.
fn product(logs: array<f32, 9>, ruled_out: u32) -> array<f32, 9> {
    var largest = LOWEST;
    for (var k = 0u; k < DIGITS; k++) {
        if ((ruled_out & (1u << k)) == 0u) { largest = max(largest, logs[k]); }
    }
    var p = array<f32, 9>();
    var sum = 0.0;
    for (var k = 0u; k < DIGITS; k++) {
        if ((ruled_out & (1u << k)) == 0u) { p[k] = exp_(logs[k] - largest); }
        sum += p[k];
    }
    for (var k = 0u; k < DIGITS; k++) { p[k] /= sum; }
    return p;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (lane == 0u) { atomicStore(&lowest, 0xffffffffu); }
    if (lane < 8u) { atomicStore(&conflicts[lane], 0u); }
    workgroupBarrier();
    let group = group_id.x + group_id.y * params.groups_per_row;
    let item = group * LANES + lane;
    if (item < params.items) {
        let weights = vec3(params.weight_ethos, params.weight_logos, params.weight_pathos);
        var mean = array<f32, 9>();
        var entropies = vec3(0.0);
        // Of the logarithmic pool: sum w ln d, and the digits that some channel rules out.
        var logs = array<f32, 9>();
        var ruled_out = 0u;
        for (var c = 0u; c < 3u; c++) {
            var d = array<f32, 9>();
            var sum = 0.0;
            var fine = true;
            for (var k = 0u; k < DIGITS; k++) {
                d[k] = channels[(c * DIGITS + k) * params.stride + item];
                fine = fine && is_finite_and_not_negative(bitcast<u32>(d[k]));
                sum += d[k];
            }
            if (!(fine && is_sum(sum))) { atomicMin(&lowest, lane); }
            let scale = 1.0 / sum;
            for (var k = 0u; k < DIGITS; k++) {
                d[k] *= scale;
                mean[k] = fma(weights[c], d[k], mean[k]);
            }
            if ((params.options & LOG_POOLING) != 0u && weights[c] > 0.0) {
                for (var k = 0u; k < DIGITS; k++) {
                    logs[k] = fma(weights[c], ln_(d[k]), logs[k]);
                    ruled_out |= select(0u, 1u << k, d[k] < SMALLEST_NORMAL);
                }
            }
            entropies[c] = entropy(d);
        }
        let masses = clamp(vec3(1.0) - entropies * PER_LN_9, vec3(0.0), vec3(1.0));
        let mass = masses.x + masses.y + masses.z;
        let confidence = mass * (1.0 / 3.0);
        var shares = vec3(1.0 / 3.0);
        if (mass > 0.0) { shares = masses / mass; }
        var pooled = mean;
        if ((params.options & LOG_POOLING) != 0u) {
            if (ruled_out == NO_DIGIT) {
                atomicOr(&conflicts[lane / 32u], 1u << (lane % 32u));
            } else {
                pooled = product(logs, ruled_out);
            }
        }
        for (var k = 0u; k < DIGITS; k++) { digits[k * params.stride + item] = pooled[k]; }
        for (var c = 0u; c < 3u; c++) { scalars[c * params.stride + item] = 9.0 * masses[c]; }
        scalars[3u * params.stride + item] = confidence;
        if ((params.options & AGREEMENT) != 0u) {
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
    if (lane == 0u) { status[9u * group] = atomicLoad(&lowest); }
    if (lane < 8u) { status[9u * group + 1u + lane] = atomicLoad(&conflicts[lane]); }
}
