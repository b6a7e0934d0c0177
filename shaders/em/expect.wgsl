// The posterior of each item, from what was said of it. Formula and layout stand in src/kernel/em/expect.rs. A lane takes an
// item, then a class of the block.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    classes: u32,
    // The cell whose logarithms are those of the class prior.
    prior: u32,
    hard: u32,
    // Columns of a class.
    subtypes: u32,
    reserved: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> runs: array<u32>;
@group(0) @binding(2) var<storage, read> gold: array<u32>;
@group(0) @binding(3) var<storage, read> cells: array<u32>;
@group(0) @binding(4) var<storage, read> logs: array<f32>;
@group(0) @binding(5) var<storage, read_write> posterior: array<f32>;
@group(0) @binding(6) var<storage, read_write> evidence: array<f32>;
@group(0) @binding(7) var<storage, read_write> masses: array<f32>;

const LANES: u32 = 256u;
const UNKNOWN: u32 = 0xffffffffu;
const RUN: u32 = 16u;

// The logarithms of four classes from k on, the last repeated.
fn four(cell: u32, k: u32) -> vec4<f32> {
    let last = params.classes - 1u;
    let at = cell * params.classes;
    return vec4(logs[at + k], logs[at + min(k + 1u, last)], logs[at + min(k + 2u, last)], logs[at + min(k + 3u, last)]);
}

fn expect(item: u32) {
    let c = params.classes;
    let at = item * c;
    let end = runs[params.stride + item];
    for (var k = 0u; k < c; k++) { posterior[at + k] = logs[params.prior * c + k]; }
    var offset = 0.0;
    var best = LOWEST;
    var decision = 0u;
    var begin = runs[item];
    loop {
        let stop = min(begin + RUN, end);
        best = LOWEST;
        for (var k = 0u; k < c; k += 4u) {
            var z = vec4(0.0);
            for (var i = begin; i < stop; i++) { z += four(cells[i], k); }
            for (var j = 0u; j < min(4u, c - k); j++) {
                let sum = posterior[at + k + j] + z[j];
                posterior[at + k + j] = sum;
                if (sum > best) {
                    best = sum;
                    decision = k + j;
                }
            }
        }
        begin = stop;
        if (begin >= end) { break; }
        for (var k = 0u; k < c; k++) { posterior[at + k] = posterior[at + k] - best; }
        offset += best;
    }
    // The columns that can be.
    var first = 0u;
    var behind = c;
    let known = gold[item];
    if (known != UNKNOWN) {
        first = known * params.subtypes;
        behind = first + params.subtypes;
        best = LOWEST;
        for (var k = first; k < behind; k++) { best = max(best, posterior[at + k]); }
    } else if (params.hard != 0u) {
        first = decision;
        behind = decision + 1u;
    }
    var sum = 0.0;
    for (var k = 0u; k < c; k++) {
        let power = select(0.0, exp_(posterior[at + k] - best), k >= first && k < behind);
        posterior[at + k] = power;
        sum += power;
    }
    for (var k = first; k < behind; k++) { posterior[at + k] = posterior[at + k] / sum; }
    evidence[item] = offset + (best + ln_(sum));
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let block = group.x + group.y * params.groups_per_row;
    let first = block * LANES;
    if (first + lane < params.items) { expect(first + lane); }
    storageBarrier();
    workgroupBarrier();
    if (first >= params.items) { return; }
    for (var k = lane; k < params.classes; k += LANES) {
        var sum = 0.0;
        for (var item = first; item < min(first + LANES, params.items); item++) {
            sum += posterior[item * params.classes + k];
        }
        masses[block * params.classes + k] = sum;
    }
}
