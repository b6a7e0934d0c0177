// How far sequences follow a ring. Formula and layout stand in src/kernel/vortex/coherence.rs. A lane takes a sequence.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    length: u32,
    modulus: u32,
    reserved: u32,
    reserved_2: u32,
    reserved_3: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sequences: array<u32>;
@group(0) @binding(2) var<storage, read> next: array<u32>;
@group(0) @binding(3) var<storage, read_write> scores: array<f32>;
@group(0) @binding(4) var<storage, read_write> refused: array<u32>;

const LANES: u32 = 256u;
const NONE: u32 = 0xffffffffu;

var<workgroup> first: atomic<u32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let block = group.x + group.y * params.groups_per_row;
    let item = block * LANES + lane;
    if (lane == 0u) { atomicStore(&first, NONE); }
    workgroupBarrier();
    if (item < params.items) {
        var forward = 0u;
        var backward = 0u;
        var x = sequences[item];
        var fine = x <= params.modulus;
        var after_x = next[min(x, params.modulus)];
        for (var place = 1u; place < params.length; place++) {
            let y = sequences[place * params.stride + item];
            fine = fine && y <= params.modulus;
            let after_y = next[min(y, params.modulus)];
            forward += select(0u, 1u, after_x == y);
            backward += select(0u, 1u, after_y == x);
            x = y;
            after_x = after_y;
        }
        let steps = f32(max(forward, backward));
        scores[item] = select(0.0, steps / f32(params.length - 1u), fine);
        if (!fine) { atomicMin(&first, lane); }
    }
    workgroupBarrier();
    if (lane == 0u && block * LANES < params.items) { refused[block] = atomicLoad(&first); }
}
