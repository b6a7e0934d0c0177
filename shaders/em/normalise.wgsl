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
    one_coin: u32,
    reserved: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sources: array<u32>;
@group(0) @binding(2) var<storage, read> firsts: array<u32>;
@group(0) @binding(3) var<storage, read> parts: array<f32>;
@group(0) @binding(4) var<storage, read> counts: array<f32>;
@group(0) @binding(5) var<storage, read_write> logs: array<f32>;

const LANES: u32 = 256u;

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

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let place = (group.x + group.y * params.groups_per_row) * LANES + lane;
    if (place >= params.items) { return; }
    let source = sources[place];
    let c = params.classes;
    let first = source * params.symbols;
    let at = place * params.symbols * c;
    if (source == params.prior) {
        var whole = 0.0;
        for (var k = 0u; k < c; k++) {
            let part = counted(first, k);
            logs[at + k] = part;
            whole += part;
        }
        for (var k = 0u; k < c; k++) { logs[at + k] = logarithm(logs[at + k], whole, c); }
        return;
    }
    for (var k = 0u; k < c; k++) {
        var whole = 0.0;
        for (var l = 0u; l < params.symbols; l++) {
            let part = counted(first + l, k);
            logs[at + l * c + k] = part;
            whole += part;
        }
        if (params.one_coin == 0u) {
            for (var l = 0u; l < params.symbols; l++) {
                logs[at + l * c + k] = logarithm(logs[at + l * c + k], whole, params.symbols);
            }
        }
    }
    if (params.one_coin == 0u) { return; }
    var right = 0.0;
    var wrong = 0.0;
    for (var l = 0u; l < c; l++) {
        for (var k = 0u; k < c; k++) {
            let part = logs[at + l * c + k];
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
