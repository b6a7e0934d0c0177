// What is said of one distribution. Formula and layout stand in src/kernel/beam/measure.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    outputs: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> digits: array<f32>;
@group(0) @binding(2) var<storage, read_write> normalised: array<f32>;
@group(0) @binding(3) var<storage, read_write> scalars: array<f32>;
@group(0) @binding(4) var<storage, read_write> dominant: array<u32>;
@group(0) @binding(5) var<storage, read_write> status: array<u32>;

const NORMALISED: u32 = 1u;
const ENTROPY: u32 = 2u;
const MASS: u32 = 4u;
const DECISIVENESS: u32 = 8u;
const DOMINANT: u32 = 16u;

var<workgroup> lowest: atomic<u32>;

fn is_asked(output: u32) -> bool {
    return (params.outputs & output) != 0u;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (lane == 0u) { atomicStore(&lowest, 0xffffffffu); }
    workgroupBarrier();
    let group = group_id.x + group_id.y * params.groups_per_row;
    let item = group * LANES + lane;
    if (item < params.items) {
        var d = array<f32, 9>();
        var sum = 0.0;
        var fine = true;
        var largest = -1.0;
        var second = -1.0;
        var place = 0u;
        for (var k = 0u; k < DIGITS; k++) {
            let x = digits[k * params.stride + item];
            fine = fine && is_finite_and_not_negative(bitcast<u32>(x));
            sum += x;
            second = max(second, min(largest, x));
            if (x > largest) {
                largest = x;
                place = k;
            }
            d[k] = x;
        }
        if (!(fine && is_sum(sum))) { atomicMin(&lowest, lane); }
        let scale = 1.0 / sum;
        for (var k = 0u; k < DIGITS; k++) { d[k] *= scale; }
        if (is_asked(NORMALISED)) {
            for (var k = 0u; k < DIGITS; k++) { normalised[k * params.stride + item] = d[k]; }
        }
        var at = item;
        if (is_asked(ENTROPY | MASS)) {
            let h = entropy(d);
            if (is_asked(ENTROPY)) {
                scalars[at] = h;
                at += params.stride;
            }
            if (is_asked(MASS)) {
                scalars[at] = clamp(1.0 - h * PER_LN_9, 0.0, 1.0);
                at += params.stride;
            }
        }
        if (is_asked(DECISIVENESS)) { scalars[at] = (largest - second) * scale; }
        if (is_asked(DOMINANT)) { dominant[item] = place + 1u; }
    }
    workgroupBarrier();
    if (lane == 0u) { status[group] = atomicLoad(&lowest); }
}
