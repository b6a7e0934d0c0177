// The tempered likelihood and its derivatives, block by block. Formula and layout stand in
// src/kernel/calibration/likelihood.rs.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    classes: u32,
    sharpness: f32,
    reserved: u32,
    reserved_too: u32,
    reserved_as_well: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> posterior: array<u32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> found: array<u32>;

const LANES: u32 = 256u;
const BLOCK: u32 = 1024u;
const WORDS: u32 = 7u;
const NONE: u32 = 0xffffffffu;
const LOG_FLOOR: f32 = 1e-7;
const SUM_TOLERANCE: f32 = 1e-3;

var<workgroup> first: atomic<u32>;
// Of each sum a pair for every lane.
var<workgroup> parts: array<vec2<f32>, 768>;

// Whether the item counts, and its largest probability.
fn look(item: u32) -> vec2<f32> {
    let begin = item * params.classes;
    var fine = labels[item] < params.classes;
    var sum = 0.0;
    var most = 0.0;
    for (var k = 0u; k < params.classes; k++) {
        let bits = posterior[begin + k];
        fine = fine && is_finite_and_not_negative(bits);
        let p = bitcast<f32>(bits);
        sum += p;
        most = max(most, p);
    }
    fine = fine && abs(sum - 1.0) <= SUM_TOLERANCE;
    return vec2(select(0.0, 1.0, fine), most);
}

fn logarithm(p: vec4<f32>) -> vec4<f32> {
    return ln4(clamp(p, vec4(LOG_FLOOR), vec4(1.0)));
}

// What the item adds to the three sums.
fn terms(item: u32, most: f32) -> vec3<f32> {
    let begin = item * params.classes;
    let top = logarithm(vec4(most));
    var weights = vec4(0.0);
    var values = vec4(0.0);
    var squares = vec4(0.0);
    for (var k = 0u; k < params.classes; k += 4u) {
        var p = vec4(0.0);
        var is_there = vec4(false);
        for (var j = 0u; j < min(4u, params.classes - k); j++) {
            p[j] = bitcast<f32>(posterior[begin + k + j]);
            is_there[j] = true;
        }
        let z = logarithm(p) - top;
        let w = select(vec4(0.0), exp4(params.sharpness * z), is_there);
        weights += w;
        values = fma(w, z, values);
        squares = fma(w * z, z, squares);
    }
    let one = vec4(1.0);
    let sum = dot(weights, one);
    let mean = dot(values, one) / sum;
    let truth = (logarithm(vec4(bitcast<f32>(posterior[begin + labels[item]]))) - top).x;
    return vec3(ln_(sum) - params.sharpness * truth, mean - truth, max(dot(squares, one) / sum - mean * mean, 0.0));
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    no_bits = params.items >> 31u;
    let block = group.x + group.y * params.groups_per_row;
    if (lane == 0u) { atomicStore(&first, NONE); }
    workgroupBarrier();
    var sums = array<vec2<f32>, 3>();
    for (var place = lane; place < BLOCK; place += LANES) {
        let item = block * BLOCK + place;
        if (item < params.items) {
            let seen = look(item);
            if (seen.x == 1.0) {
                let added = terms(item, seen.y);
                for (var i = 0u; i < 3u; i++) { sums[i] = add(sums[i], pair(added[i])); }
            } else {
                atomicMin(&first, place);
            }
        }
    }
    for (var i = 0u; i < 3u; i++) { parts[i * LANES + lane] = sums[i]; }
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) {
            for (var i = 0u; i < 3u; i++) {
                let at = i * LANES + lane;
                parts[at] = add(parts[at], parts[at + half]);
            }
        }
    }
    workgroupBarrier();
    if (lane == 0u && block * BLOCK < params.items) {
        for (var i = 0u; i < 3u; i++) {
            found[block * WORDS + 2u * i] = bitcast<u32>(parts[i * LANES].x);
            found[block * WORDS + 2u * i + 1u] = bitcast<u32>(parts[i * LANES].y);
        }
        found[block * WORDS + 6u] = atomicLoad(&first);
    }
}
