// What rows said of the true class. Formula and layout stand in src/kernel/calibration/outcome.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    classes: u32,
    sources: u32,
    outputs: u32,
    reserved: u32,
    reserved_too: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> posterior: array<u32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> found: array<f32>;
@group(0) @binding(4) var<storage, read_write> refused: array<u32>;

const LANES: u32 = 256u;
const NONE: u32 = 0xffffffffu;
const SUM_TOLERANCE: f32 = 1e-3;

const TRUTH: u32 = 1u;
const TOP: u32 = 2u;
const DECISION: u32 = 4u;
const ERROR: u32 = 8u;
const PRODUCTS: u32 = 16u;

var<workgroup> first: atomic<u32>;

// Of one source: whether its row is fine. What is asked for goes to planes from `plane` on.
fn columns(source: u32, item: u32, label: u32, plane: u32) -> bool {
    let begin = (source * params.stride + item) * params.classes;
    var fine = true;
    var sum = 0.0;
    var top = -1.0;
    var decision = 0u;
    var truth = 0.0;
    var error = 0.0;
    for (var k = 0u; k < params.classes; k++) {
        let bits = posterior[begin + k];
        fine = fine && is_finite_and_not_negative(bits);
        let p = bitcast<f32>(bits);
        sum += p;
        if (p > top) {
            top = p;
            decision = k;
        }
        if (k == label) { truth = p; }
        let e = p - select(0.0, 1.0, k == label);
        error = fma(e, e, error);
    }
    var to = plane * params.stride + item;
    if ((params.outputs & TRUTH) != 0u) {
        found[to] = truth;
        to += params.stride;
    }
    if ((params.outputs & TOP) != 0u) {
        found[to] = top;
        to += params.stride;
    }
    if ((params.outputs & DECISION) != 0u) {
        found[to] = f32(decision);
        to += params.stride;
    }
    if ((params.outputs & ERROR) != 0u) { found[to] = error; }
    return fine && abs(sum - 1.0) <= SUM_TOLERANCE;
}

fn product(one: u32, other: u32, item: u32, label: u32) -> f32 {
    let a = (one * params.stride + item) * params.classes;
    let b = (other * params.stride + item) * params.classes;
    var sum = 0.0;
    for (var k = 0u; k < params.classes; k++) {
        let truth = select(0.0, 1.0, k == label);
        sum = fma(bitcast<f32>(posterior[a + k]) - truth, bitcast<f32>(posterior[b + k]) - truth, sum);
    }
    return sum;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let block = group.x + group.y * params.groups_per_row;
    let item = block * LANES + lane;
    if (lane == 0u) { atomicStore(&first, NONE); }
    workgroupBarrier();
    if (item < params.items) {
        let label = labels[item];
        let each = countOneBits(params.outputs & (PRODUCTS - 1u));
        var fine = label < params.classes;
        for (var source = 0u; source < params.sources; source++) {
            fine = columns(source, item, label, source * each) && fine;
        }
        if (!fine) { atomicMin(&first, lane); }
        if ((params.outputs & PRODUCTS) != 0u) {
            var to = params.sources * each * params.stride + item;
            for (var one = 0u; one < params.sources; one++) {
                for (var other = one; other < params.sources; other++) {
                    found[to] = product(one, other, item, label);
                    to += params.stride;
                }
            }
        }
    }
    workgroupBarrier();
    if (lane == 0u && block * LANES < params.items) { refused[block] = atomicLoad(&first); }
}
