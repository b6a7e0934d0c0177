// Whether numbers are what an operation takes. Formula and layout stand in src/kernel/reduce/domain.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    planes: u32,
    summed: u32,
    least: f32,
    most: f32,
    reserved: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<u32>;
@group(0) @binding(2) var<storage, read> ranges: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> refused: array<u32>;

const LANES: u32 = 256u;
const NONE: u32 = 0xffffffffu;

var<workgroup> first: atomic<u32>;

fn key(bits: u32) -> u32 {
    return bits ^ select(0x80000000u, 0xffffffffu, (bits >> 31u) == 1u);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let block = group.x + group.y * params.groups_per_row;
    let item = block * LANES + lane;
    if (lane == 0u) { atomicStore(&first, NONE); }
    workgroupBarrier();
    if (item < params.items) {
        var fine = true;
        var sum = 0.0;
        for (var plane = 0u; plane < params.planes; plane++) {
            let bits = values[plane * params.stride + item];
            let range = ranges[plane];
            let x = key(bits);
            fine = fine && range.x <= x && x <= range.y;
            if (plane < params.summed) { sum += bitcast<f32>(bits); }
        }
        let total = key(bitcast<u32>(sum));
        fine = fine && key(bitcast<u32>(params.least)) <= total && total <= key(bitcast<u32>(params.most));
        if (!fine) { atomicMin(&first, lane); }
    }
    workgroupBarrier();
    if (lane == 0u && block * LANES < params.items) { refused[block] = atomicLoad(&first); }
}
