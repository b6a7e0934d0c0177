// Payloads that relax towards anchors. Formula and layout stand in src/kernel/vortex/relax.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    channels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<f32>;
@group(0) @binding(3) var<storage, read_write> payload: array<f32>;
@group(0) @binding(4) var<storage, read_write> refused: array<u32>;

const LANES: u32 = 256u;
const POSITIONS: u32 = 10u;
const NONE: u32 = 0xffffffffu;

var<workgroup> first: atomic<u32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let block = group.x + group.y * params.groups_per_row;
    let item = block * LANES + lane;
    if (lane == 0u) { atomicStore(&first, NONE); }
    workgroupBarrier();
    if (item < params.items) {
        let position = positions[item];
        var fine = position < POSITIONS;
        for (var channel = 0u; channel < params.channels; channel++) {
            fine = fine && !is_bad(bitcast<u32>(payload[channel * params.stride + item]));
        }
        if (fine) {
            let entry = position * (1u + params.channels);
            let share = table[entry];
            for (var channel = 0u; channel < params.channels; channel++) {
                let place = channel * params.stride + item;
                let x = payload[place];
                payload[place] = fma(table[entry + 1u + channel] - x, share, x);
            }
        } else {
            atomicMin(&first, lane);
        }
    }
    workgroupBarrier();
    if (lane == 0u && block * LANES < params.items) { refused[block] = atomicLoad(&first); }
}
