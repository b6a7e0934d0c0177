// Steps round a ring. Formula and layout stand in src/kernel/vortex/orbit.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    modulus: u32,
    cycle: u32,
    reserved: u32,
    reserved_2: u32,
    reserved_3: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read> steps: array<i32>;
@group(0) @binding(3) var<storage, read> powers: array<u32>;
@group(0) @binding(4) var<storage, read_write> ends: array<u32>;
@group(0) @binding(5) var<storage, read_write> wrong: array<u32>;

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
        let start = starts[item];
        if (start > params.modulus) {
            atomicMin(&first, lane);
            ends[item] = 0u;
        } else {
            let e = (bitcast<u32>(steps[item]) ^ 0x80000000u) % params.cycle;
            let factor = (powers[e & 255u] * powers[256u + (e >> 8u)]) % params.modulus;
            let end = (start * factor) % params.modulus;
            // Only 0 and m are multiples of m, and either stays where it is.
            ends[item] = select(end, start, end == 0u);
        }
    }
    workgroupBarrier();
    if (lane == 0u && block * LANES < params.items) { wrong[block] = atomicLoad(&first); }
}
