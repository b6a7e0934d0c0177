// Logarithms of each source's confusion, and of the class prior, from what was collected. Formula and layout stand in
// src/kernel/em/normalise.rs. A lane takes a source.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    classes: u32,
    symbols: u32,
    // The source that stands for the class prior.
    prior: u32,
    logarithms: u32,
    // Columns of a class.
    subtypes: u32,
    class_count: f32,
    reserved: u32,
    reserved_2: u32,
    reserved_3: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sources: array<u32>;
@group(0) @binding(2) var<storage, read> firsts: array<u32>;
@group(0) @binding(3) var<storage, read> parts: array<f32>;
@group(0) @binding(4) var<storage, read> counts: array<f32>;
@group(0) @binding(5) var<storage, read_write> logs: array<f32>;
@group(0) @binding(6) var<storage, read_write> sums: array<f32>;

const LANES: u32 = 256u;
const ONE_COIN: u32 = 1u;
const EXPECTED: u32 = 2u;

// How often a cell's source said it while the class was k, and what is counted beforehand.
fn counted(cell: u32, k: u32) -> f32 {
    var sum = 0.0;
    for (var segment = firsts[cell]; segment < firsts[cell + 1u]; segment++) { sum += parts[segment * params.classes + k]; }
    return sum + counts[cell * params.classes + k];
}

fn logarithm(part: f32, whole: f32, count: u32) -> f32 {
    // Nothing is known of what never was: all is as likely.
    if (whole <= 0.0) { return -ln_(f32(count)); }
    return ln_(part / whole);
}

// The class prior: how frequent classes and their subtypes are.
fn prior(first: u32, at: u32) {
    let c = params.classes;
    var whole = 0.0;
    var before = 0.0;
    for (var k = 0u; k < c; k++) {
        whole += sums[at + k];
        before += counts[first * c + k];
    }
    if (params.logarithms != EXPECTED) {
        for (var k = 0u; k < c; k++) { logs[at + k] = logarithm(sums[at + k], whole, c); }
        return;
    }
    let m = params.subtypes;
    let all = digamma(whole - before + f32(c / m) * params.class_count);
    for (var k = 0u; k < c; k += m) {
        var sum = 0.0;
        var of_class = 0.0;
        for (var j = k; j < k + m; j++) {
            sum += sums[at + j];
            of_class += counts[first * c + j];
        }
        let log = digamma(max(sum - of_class, 0.0) + params.class_count) - all;
        let one = digamma(sum);
        for (var j = k; j < k + m; j++) { logs[at + j] = log + select(0.0, digamma(sums[at + j]) - one, m > 1u); }
    }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let place = (group.x + group.y * params.groups_per_row) * LANES + lane;
    if (place >= params.items) { return; }
    let source = sources[place];
    let c = params.classes;
    let first = source * params.symbols;
    let at = place * params.symbols * c;
    for (var l = 0u; l < params.symbols; l++) {
        for (var k = 0u; k < c; k++) { sums[at + l * c + k] = counted(first + l, k); }
    }
    if (source == params.prior) {
        prior(first, at);
        return;
    }
    if (params.logarithms != ONE_COIN) {
        for (var k = 0u; k < c; k++) {
            var whole = 0.0;
            for (var l = 0u; l < params.symbols; l++) { whole += sums[at + l * c + k]; }
            if (params.logarithms == EXPECTED) {
                let all = digamma(whole);
                for (var l = 0u; l < params.symbols; l++) { logs[at + l * c + k] = digamma(sums[at + l * c + k]) - all; }
            } else {
                for (var l = 0u; l < params.symbols; l++) {
                    logs[at + l * c + k] = logarithm(sums[at + l * c + k], whole, params.symbols);
                }
            }
        }
        return;
    }
    var right = 0.0;
    var wrong = 0.0;
    for (var l = 0u; l < c; l++) {
        for (var k = 0u; k < c; k++) {
            let part = sums[at + l * c + k];
            if (k == l) { right += part; } else { wrong += part; }
        }
    }
    let others = f32(max(c - 1u, 1u));
    let whole = right + wrong;
    for (var l = 0u; l < c; l++) {
        for (var k = 0u; k < c; k++) {
            logs[at + l * c + k] = select(logarithm(wrong / others, whole, c), logarithm(right, whole, c), k == l);
        }
    }
    // An abstention says nothing of the class.
    for (var l = c; l < params.symbols; l++) {
        for (var k = 0u; k < c; k++) { logs[at + l * c + k] = 0.0; }
    }
}
